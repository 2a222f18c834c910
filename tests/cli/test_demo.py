"""The main job end to end: raw exports in, printed reports out, nothing written outside the study folder.

1. the demo runs every verb and ends with estimates beside population values; 2. data/ holds exports as received;
3. results exist as files and agree with each other; 4. synthetic is said on every page; 5. the same seed gives the same
numbers; 6. the manifest's digests are right; 7. Danish pages hold no English words, coefficients' names or ids of questionnaires.
"""

from __future__ import annotations

import hashlib
import html
import json
import re

import duckdb
import pandas as pd
import pytest

from asp_eval import lmm, load_study
from asp_eval.analysis.results import Results, tidy
from asp_eval.analysis.sets import analysis_set
from asp_eval.store.result_files import load

# In standard errors. statsmodels stops its search early; linearmodels solves the same equations.
AGREEMENT = {"statsmodels": 0.01, "linearmodels": 1e-8}


def test_every_verb_was_run_and_shown(demo):
    shown = re.findall(r"^\$ asp-eval (\w+)", demo.out, re.MULTILINE)
    assert shown == [
        "import",
        "randomise",
        *["import"] * 9,
        "goals",
        "check",
        "score",
        "analyse",
        "gap",
        "process",
        "report",
        "report",
    ]


def test_it_ends_with_the_estimates_beside_the_population_values(demo):
    account = demo.out[demo.out.index("population holds") :]
    rows = [line.split() for line in account.splitlines() if re.match(r"(conduct|emotion|hyper|peer|prosocial)", line)]
    assert len(rows) == 10
    # Ten intervals of 95 %: with a right analysis fewer than seven cover in one seed of 5,000
    assert sum(row[-1] == "yes" for row in rows) >= 7


def test_the_exports_are_as_an_evaluator_receives_them(demo):
    data = demo.folder / "data"
    first = (data / "screening_w1.csv").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        first.decode("utf-8")
    assert b";" in first.splitlines()[0]
    (data / "screening_w2.csv").read_text(encoding="utf-8")
    assert (data / "screening_w3.xlsx").read_bytes()[:2] == b"PK"
    assert len(list(data.glob("*.mapping.yaml"))) == 10


def test_the_trial_has_the_declared_shape(demo):
    drawn = "SELECT municipality, arm, count(*) FROM institutions JOIN allocation USING (institution_id) GROUP BY ALL"
    with duckdb.connect(str(demo.folder / "study.duckdb"), read_only=True) as store:
        institutions = store.sql(drawn).fetchall()
        ((children,),) = store.sql("SELECT count(*) FROM children").fetchall()
    assert sum(n for *_, n in institutions) == 60
    assert len(institutions) == 4
    assert 2_800 < children < 3_600


def test_results_csv_json_and_a_fit_by_hand_agree(demo):
    results = load(demo.folder / "output" / "results.json", Results, verb="analyse")
    table = pd.read_csv(demo.folder / "output" / "results.csv", dtype={"note": str}).fillna({"note": ""})
    assert list(table.columns)[:5] == ["outcome", "wave", "set", "model", "term"]
    pd.testing.assert_frame_equal(table, tidy(results), check_dtype=False, check_exact=False, rtol=1e-12)
    frame = analysis_set(load_study(demo.folder), "conduct")
    row = lmm("conduct ~ arm + baseline + sex + age + municipality + (1 | institution)", frame).tidy().set_index("term")
    effect = results.outcomes[0].effects[0].difference
    assert row.loc["arm[T.intervention]", "estimate"] == pytest.approx(effect.estimate, rel=1e-9)
    assert effect.method == "KenwardRoger"


def test_the_analysed_children_are_accounted_for(demo):
    results = load(demo.folder / "output" / "results.json", Results, verb="analyse")
    cohort = {arm.arm: arm.cohort for arm in results.flow.arms}
    for outcome in results.outcomes:
        assert {flow.arm: flow.cohort for flow in outcome.analysed} == cohort
        assert sum(flow.analysed for flow in outcome.analysed) == outcome.n_children


def test_the_headline_was_recomputed_and_agrees(demo):
    results = load(demo.folder / "output" / "results.json", Results, verb="analyse")
    for outcome in results.outcomes:
        assert {again.software for again in outcome.recomputations} == {"statsmodels", "linearmodels"}
        for again in outcome.recomputations:
            close = AGREEMENT[again.software] * again.std_error
            assert again.recomputed_estimate == pytest.approx(again.estimate, abs=close)
            assert again.recomputed_std_error == pytest.approx(again.std_error, abs=close)


def test_every_page_says_synthetic_and_loads_nothing_from_elsewhere(demo):
    pages = list((demo.folder / "output").rglob("*.html"))
    imports_with_warnings = {page.parent.name for page in pages if page.parent.parent.name == "problems"}
    assert imports_with_warnings == {"screening-w1", "screening-w2", "screening-w3", "staff_survey-w3"}
    with duckdb.connect(str(demo.folder / "study.duckdb"), read_only=True) as store:
        ((with_goals,),) = store.sql("SELECT count(DISTINCT institution_id) FROM goals").fetchall()
    assert with_goals > 20
    of_profiles = 2 * (31 + with_goals)  # those of the intervention arm, their index, and the follow-up sheets
    of_municipalities = 2 * 2
    assert len(pages) == 2 + of_profiles + of_municipalities + 2 * len(imports_with_warnings)
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert re.search("synthetic|syntetisk", text, re.IGNORECASE), page.name
        assert not re.search(r"""(src|href)=["']?https?:""", text), page.name


def test_the_manifest_holds_the_digests_of_what_is_there(demo):
    manifest = json.loads((demo.folder / "output" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["draw"]["seed"] == ["7"]
    assert {"study.yaml", "data/screening_w3.xlsx"} <= set(manifest["inputs"])
    for name, digest in (manifest["inputs"] | manifest["outputs"]).items():
        assert hashlib.sha256((demo.folder / name).read_bytes()).hexdigest() == digest, name


def test_nothing_is_left_half_written(demo):
    assert not [path for path in demo.folder.rglob("*") if path.suffix in {".part", ".tmp", ".wal"}]


def test_a_folder_that_holds_something_is_not_overwritten(demo, run):
    again = run("demo", demo.folder)
    assert again.code == 1
    assert "CLI-001" in again.err


# Words of our own English that no Danish sentence holds, and how a model names a coefficient
ENGLISH = (
    r"\[T\.|\b(the|of|and|is|are|was|were|with|which|from|not|children|staff|baseline|age|sex|girl|boy|hours|missing|row|column"
    r"|answers?|mean|lower|higher|intervention|arm|each|whole|none|between)\b"
)
NOT_OURS = r"What Works Clearinghouse|asp-eval [a-z-]+"


def sentences(page: str) -> list[str]:
    """The text of a page, without works cited and formulae as R writes them."""
    body = re.sub(r"(?s)<(style|script)\b.*?</\1>", "", page)
    lines = [html.unescape(part).strip() for part in re.split(r"<[^>]+>", body)]
    return [re.sub(NOT_OURS, "", line) for line in lines if line and not re.search(r"\(\d{4}\)\. |\w ~ ", line)]


def test_danish_pages_hold_no_english(demo):  # 7
    output, study = demo.folder / "output", load_study(demo.folder)
    pages = [page for page in output.rglob("*.html") if ".en." not in page.name]
    assert len(pages) > 50
    told = {line: page.name for page in pages for line in sentences(page.read_text(encoding="utf-8"))}
    left = {line: name for line, name in told.items() if re.search(ENGLISH, line) and not re.fullmatch(r"[\w.-]+", line)}
    assert {
        line: name for line, name in left.items() if "(self_worth_1" not in line
    } == {}  # keys of items, which the mapping holds
    ids = {form.id for form in study.library.instruments()} | {form.family for form in study.library.instruments()}
    report = [
        line for page in (output / "evaluation.html", *(output / "gap").glob("*.html")) for line in sentences(page.read_text())
    ]
    assert [line for line in report if any(re.search(rf"(?<![\w-]){id_}(?![\w-])", line) for id_ in ids)] == []
