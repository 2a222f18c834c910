"""A proposal is right or it is open: complete ones read a file as it was meant, all others are refused until filled in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.core.resources import shipped_folder
from asp_eval.intake.checks.validation import sift
from asp_eval.intake.files.raw import Dialect, RawTable, TextColumn
from asp_eval.intake.files.reading import read_raw
from asp_eval.intake.mapping.applying import apply_mapping
from asp_eval.intake.mapping.items import named
from asp_eval.intake.mapping.mapping import Mapping, load_mapping
from asp_eval.intake.proposing.drafting import draft
from asp_eval.intake.proposing.proposal import Proposal
from asp_eval.intake.proposing.proposing import propose, propose_for, write_proposal
from asp_eval.intake.table import Table
from asp_eval.synthetic.exports import Export, write_fieldwork, write_institutions
from asp_eval.synthetic.study_file import demo_study_yaml
from asp_eval.trial.instruments.library import instrument, shipped
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.trial.tables.schema import table_schema
from asp_eval.workflow.import_file import import_file

FORM = instrument("sdq-teacher-4-17")
YOUNGER = instrument("sdq-teacher-2-4")
STAFF = instrument("gap-competences-staff")
OLDER = FORM.columns
HOW_WELL = STAFF.response_sets["how_well"]
Write = Callable[..., Path]


def table_of(columns: dict[str, list[str]], **declared: object) -> RawTable:
    n = len(next(iter(columns.values())))
    texts = {name: TextColumn.of(cells) for name, cells in columns.items()}
    return RawTable("export.sav", "0" * 64, texts, np.arange(2, n + 2), Dialect("sav"), rows_read=n, **declared)


def screening(names: dict[str, str] | None = None, **cells: list[str]) -> dict[str, list[str]]:
    """Three children under our names or others, every answer 0, 1 and 2 in turn."""
    base = {
        "child_id": ["001", "002", "003"],
        "institution_id": ["A1", "A2", "H1"],
        "rater_id": ["r1", "r2", "r3"],
        "date": ["2006-09-14", "2006-09-15", "2006-09-16"],
        "sex": ["boy", "girl", "boy"],
        "birth_month": ["2002-01", "2001-06", "2002-09"],
        "mother_education": ["short"] * 3,
        "hours": ["30.5", "37", "20"],
        **{name: ["0", "1", "2"] for name in OLDER},
    } | cells
    return {(names or {}).get(name, name): texts for name, texts in base.items()}


def proposal(study: Study, columns: dict[str, list[str]], table: str = "screening", wave: str | None = "w1", **declared: object):
    return propose_for(table_of(columns, **declared), study, table_schema(table, study, wave))


def mapping_of(found: Proposal, folder: Path) -> Mapping:
    file = folder / "draft.mapping.yaml"
    file.write_text(draft(found), encoding="utf-8")
    return load_mapping(file)


def imported(study: Study, columns: dict[str, list[str]], folder: Path, **declared: object) -> Table:
    """The file, read with the mapping that is proposed for it."""
    found = proposal(study, columns, **declared)
    assert found.complete, draft(found)
    raw, schema = table_of(columns, **declared), table_schema("screening", study, "w1")
    return sift(apply_mapping(raw, mapping_of(found, folder), schema.names), schema).whole()


def refusals(found: Proposal, folder: Path) -> set[str]:
    assert not found.complete
    with pytest.raises(DataProblems) as caught:
        mapping_of(found, folder)
    return {problem.code for problem in caught.value.problems}


def test_a_file_under_our_names_needs_nothing(study, tmp_path):
    found = proposal(study, screening())
    assert found.complete
    assert mapping_of(found, tmp_path) == Mapping(version=1)


DANISH = {
    "child_id": "Barnets nr.",
    "institution_id": "institutionsnr",
    "rater_id": "Pædagog-id",
    "date": "Udfyldt",
    "sex": "Køn",
    "birth_month": "Fødselsmåned",
    "mother_education": "Mother education",
    "hours": "HOURS",
}


def test_a_danish_export_is_read_as_it_was_meant(study, tmp_path):
    names = DANISH | {ours: f"t{ours.partition('.')[2]}" for ours in OLDER}
    columns = screening(
        names,
        sex=["Dreng", "Pige", "Dreng"],
        date=["14-09-2006", "15-09-2006", "16-09-2006"],
        birth_month=["01-2002", "6/2001", "09-2002"],
    )
    columns |= {"Barnets navn": ["Anna", "Bo", "Ib"], "status": ["Gennemført"] * 3}
    found = proposal(study, columns)
    assert [name for name, _ in found.ignored] == ["Barnets navn", "status"]
    assert "identifies a person" in dict(found.ignored)["Barnets navn"]
    table = imported(study, columns, tmp_path)
    ours = imported(study, screening(), tmp_path)
    pd.testing.assert_frame_equal(table.frame, ours.frame)


VARIANTS = {
    "child_id": ["child_id", "Child ID", "barn_id", "BARNNR", "barnets id"],
    "institution_id": ["institution_id", "Institution", "institutionsnr", "daginstitution", "centre"],
    "rater_id": ["rater_id", "pædagog", "paedagog", "rater"],
    "date": ["date", "dato", "Udfyldt", "completion date"],
    "sex": ["sex", "koen", "køn", "Gender"],
    "birth_month": ["birth_month", "fødselsmåned", "foedt", "Birth month"],
    "mother_education": ["mother_education", "Mother education", "motherEducation", "mor_udd"],
    "hours": ["hours", "timer", "HOURS", "v_17"],
}
ITEM_NAMES = [
    "sdq-teacher-4-17.{key}",
    "t{key}",
    "T{KEY}",
    "{key}",
    "sdq_teacher_4_17_{key}",
    "q_{key}_w1",
    "s_{number}",
    "Q{number:02}",
]


@st.composite
def renamed(draw: st.DrawFn) -> tuple[dict[str, str], list[str]]:
    """Another name for every column, and their order; now and then a name that says nothing."""
    names = {ours: draw(st.sampled_from([*variants, f"x{at}"])) for at, (ours, variants) in enumerate(VARIANTS.items())}
    names |= {ours: name for name, ours in named(FORM, draw(st.sampled_from(ITEM_NAMES))).items()}
    return names, draw(st.permutations(sorted(screening(names))))


@given(renamed())
def test_what_is_proposed_is_right_or_absent(small, case):
    names, order = case
    truth = {name: ours for ours, name in names.items()}
    columns = screening(names)
    found = proposal(small, {name: columns[name] for name in order})
    said = {guess.column: guess.ours for guess in found.columns} | {
        n: ours for each in found.items for n, ours in each.columns.items()
    }
    assert all(truth[name] == ours for name, ours in said.items())
    assert not {name for name, _ in found.ignored} & {names["child_id"], names["institution_id"]}
    if found.complete:
        assert {truth.get(name, name) for name in said} >= {*OLDER, "child_id", "institution_id"}


@pytest.fixture(scope="module")
def small(drawn_once: Path) -> Study:
    return load_study(drawn_once)


def test_numbered_items_of_two_forms_are_left_open(study, tmp_path):
    """Both SDQ forms have 25 items: s_1 to s_25 may be either."""
    found = proposal(study, screening({ours: name for name, ours in named(FORM, "s_{number}").items()}))
    assert found.items == ()
    assert {each.form for each in found.unsure_items} == {FORM.id, YOUNGER.id}
    assert refusals(found, tmp_path) == {"SCR-185"}
    assert "which form was used?" in draft(found)
    filled = draft(found).replace("FILL IN sdq-teacher-2-4 or sdq-teacher-4-17", FORM.id)
    (tmp_path / "filled.mapping.yaml").write_text(filled)
    assert load_mapping(tmp_path / "filled.mapping.yaml").rename_items == {FORM.id: "s_{number}"}


def test_answers_that_either_form_of_a_family_codes_alike_need_not_wait_for_the_form(small):
    names = {ours: f"s_{number}" for number, ours in enumerate(OLDER, start=1)}
    columns = screening(names, **{name: ["Ja", "Nej", "9"] for name in OLDER})
    never = {f"s_{number}": ["Ja", "Nej", "Nej"] for number in range(21, 26)}
    missing = {name: frozenset({"9"}) for name in names.values() if name not in never}  # a reader tells those that it met
    labels = {name: {"9": "Ved ikke"} for name in names.values()}
    found = proposal(small, columns | never, labels=labels, user_missing=missing)
    assert [(recode.part, list(recode.labels)) for recode in found.recodes if recode.labels] == [("sdq-teacher", ["Ja", "Nej"])]
    assert "user_missing: empty" in draft(found)
    codes = screening(names, **{name: ["1", "2", "0"] for name in OLDER})
    assert [recode.labels for recode in proposal(small, codes).recodes if recode.part == "sdq-teacher"] == [{}]


def test_numbered_items_of_the_only_form_are_found_in_the_questionnaire_s_order(study):
    answers = {f"q{number}": [str(number % 5 + 1)] * 2 for number in range(27, 0, -1)}
    found = proposal(study, {"respondent": ["1", "2"], "institution": ["A1", "A2"]} | answers, "staff_survey")
    assert found.complete
    assert [each.pattern for each in found.items] == ["q{number}"]
    for extra in ({"q28": ["1", "1"]}, {f"r{n}": ["1", "2"] for n in range(1, 28)}):  # one more, or two runs: nobody can tell
        found = proposal(study, {"respondent": ["1", "2"], "institution": ["A1", "A2"]} | answers | extra, "staff_survey")
        assert not found.items
        assert not found.complete


@pytest.mark.parametrize("pattern", ["p{key}", "sdqp_{key}", "forælder_{key}", "t{key}_w2", "self_{key}"])
def test_another_informant_s_or_another_wave_s_items_are_not_taken(study, pattern):
    found = proposal(study, screening({ours: name for name, ours in named(FORM, pattern).items()}))
    assert not found.items
    assert not found.complete


def test_of_two_waves_side_by_side_the_one_that_is_asked_for_is_taken(study):
    columns = screening({ours: name for name, ours in named(FORM, "t{key}_w1").items()})
    columns |= {name: ["0", "0", "0"] for name in named(FORM, "t{key}_w2")}
    found = proposal(study, columns)
    assert [each.pattern for each in found.items] == ["t{key}_w1"]
    columns |= {name: ["0", "0", "0"] for name in named(FORM, "u{key}_w1")}
    assert not proposal(study, columns).items


def test_one_item_missing_is_said_and_left_open(study, tmp_path):
    columns = screening({ours: name for name, ours in named(FORM, "t{key}").items()})
    del columns["tobeys"]
    found = proposal(study, columns)
    assert not found.items
    assert any(each.missing == ("tobeys",) for each in found.unsure_items)
    assert refusals(found, tmp_path) == {"SCR-185"}


def test_two_columns_that_look_alike_are_left_open(study, tmp_path):
    columns = screening({"child_id": "barn_id"}) | {"barnnr": ["1", "2", "3"]}
    found = proposal(study, columns)
    assert {guess.column for guess in found.unsure_columns} == {"barn_id", "barnnr"}
    assert refusals(found, tmp_path) == {"SCR-185"}
    assert "# ? barnnr: child_id" in draft(found)


@pytest.mark.parametrize(
    ("column", "cells", "ours"),
    [
        ("dato", ["ja", "ja", "nej"], "date"),
        ("født", ["1", "2", "12"], "birth_month"),
        ("køn", ["x1", "x2", "x3"], None),
        ("pædagog", ["Anna Friis", "Bo Holm", "Ib Dam"], "rater_id"),
        ("barn_id", ["010203-4567"] * 3, "child_id"),
    ],
)
def test_a_name_is_not_enough_where_the_cells_are_something_else(study, column, cells, ours):
    gone = ours or "sex"
    columns = {name: texts for name, texts in screening().items() if name != gone} | {column: cells}
    found = proposal(study, columns)
    assert not found.complete
    if ours:
        assert column not in {guess.column for guess in found.columns}
        assert column in {guess.column for guess in found.unsure_columns}
    else:
        assert [list(recode.labels.values()) for recode in found.recodes if recode.part == "sex"] == [[None] * 3]


@pytest.mark.parametrize(
    ("column", "cells", "labels", "expected"),
    [
        ("sex", ["dreng", "pige", "Dreng"], {}, ["boy", "girl", "boy"]),
        ("sex", ["m", "k", "M"], {}, ["boy", "girl", "boy"]),
        ("sex", ["2", "1", "2"], {"1": "Pige", "2": "Dreng"}, ["boy", "girl", "boy"]),
        ("pige", ["0", "1", "0"], {}, ["boy", "girl", "boy"]),
        ("male", ["1", "0", "yes"], {}, ["boy", "girl", "boy"]),
        ("sex", ["1", "2", "1"], {}, None),
        ("pige", ["1", "2", "1"], {}, None),
        ("sex", ["1", "2", "1"], {"1": "A", "2": "B"}, None),
    ],
)
def test_the_values_of_a_column_with_few_values(study, tmp_path, column, cells, labels, expected):
    columns = screening({"sex": column}, sex=cells)
    declared = {"labels": {column: labels}} if labels else {}
    if expected is None:
        found = proposal(study, columns, **declared)
        assert refusals(found, tmp_path) == {"SCR-185"}
        assert all(f"'{text}':  # FILL IN" in draft(found) for text in set(cells))
    else:
        assert imported(study, columns, tmp_path, **declared).frame["sex"].tolist() == expected


def survey(answers: list[str], **declared: object) -> tuple[dict[str, list[str]], dict[str, object]]:
    n = len(answers)
    columns = {"respondent_id": [str(i) for i in range(n)], "institution_id": ["A1"] * n} | dict.fromkeys(STAFF.columns, answers)
    return columns, {part: dict.fromkeys(STAFF.columns, told) for part, told in declared.items()}


DA = {str(each.code): each.label["da"] for each in HOW_WELL}
EN = {str(each.code): each.label["en"].upper() for each in HOW_WELL}


@pytest.mark.parametrize(
    ("answers", "labels", "expected"),
    [
        (list(DA.values()), {}, [1, 2, 3, 4, 5]),  # labels, as the questionnaire has them
        (list(EN.values()), {}, [1, 2, 3, 4, 5]),
        (["1", "2", "3", "4", "5"], DA, [1, 2, 3, 4, 5]),  # codes that agree with their labels
        (["5", "4", "3", "2", "1"], dict(zip("54321", DA.values(), strict=True)), [1, 2, 3, 4, 5]),  # turned round
        (["0", "1", "2", "3", "4"], dict(zip("01234", DA.values(), strict=True)), [1, 2, 3, 4, 5]),  # from 0
        (["low", "a", "b", "c", "high"], dict(zip("12345", ["low", "a", "b", "c", "high"], strict=True)), [1, 2, 3, 4, 5]),
        (["1,0", "2,0", "3,0", "4,0", "5,0"], {}, [1, 2, 3, 4, 5]),
        (["low", "a", "b", "c", "high"], {}, None),  # an order that nobody said
        (["0", "1", "2", "3", "4"], {}, None),
        (["low", "a", "b", "c", "high"], dict(zip("01234", ["low", "a", "b", "c", "high"], strict=True)), None),
        (["1", "2", "3", "4", "5"], dict(zip("12345", ["x", "x", "b", "c", "d"], strict=True)), [1, 2, 3, 4, 5]),
        (["1", "2", "3", "4", "5", "9"], {}, None),
    ],
)
def test_answers_are_coded_as_the_file_or_the_questionnaire_says_or_left_open(study, tmp_path, answers, labels, expected):
    columns, declared = survey(answers, **({"labels": labels} if labels else {}))
    found = proposal(study, columns, "staff_survey", **declared)
    if len({*labels.values()}) < len(labels):
        expected = None
    if expected is None:
        assert refusals(found, tmp_path) == {"SCR-185"}
        return
    assert found.complete, draft(found)
    schema = table_schema("staff_survey", study, "w1")
    done = sift(apply_mapping(table_of(columns, **declared), mapping_of(found, tmp_path), schema.names), schema).whole()
    assert done.frame[list(STAFF.columns)].to_numpy().tolist() == [[float(code)] * 27 for code in expected]


def test_codes_that_never_begin_are_left_open(study, tmp_path):
    """1, 2 and 3 without a 0 among many: 1 and 2 would pass for codes."""
    columns = screening(**{name: ["1", "2", "1"] for name in OLDER})
    assert refusals(proposal(study, columns), tmp_path) == {"SCR-185"}


def test_of_a_file_with_one_strange_code_that_one_is_left_open(study):
    columns = screening(**{name: ["0", "9", "2"] for name in OLDER[:1]})
    (recode,) = [recode for recode in proposal(study, columns).recodes if recode.labels]
    assert (recode.part, dict(recode.labels)) == (FORM.id, {"9": None})
    next_to_it = screening(**{name: ["0", "3", "2"] for name in OLDER[:1]})  # 1, 2, 3 with 0 for none, perhaps
    (recode,) = [recode for recode in proposal(study, next_to_it).recodes if recode.labels]
    assert set(recode.labels) == {"0", "1", "2", "3"}


def test_what_the_file_calls_missing_is_emptied_by_the_proposal_and_reported(study, tmp_path):
    columns = screening(**{name: ["0", "9", "2"] for name in OLDER})
    missing = {name: frozenset({"9"}) for name in OLDER}
    table = imported(study, columns, tmp_path, user_missing=missing, labels={name: {"9": "Ved ikke"} for name in OLDER})
    assert table.frame[list(OLDER)].isna().sum().tolist() == [1] * 25
    assert [problem.code for problem in table.warnings if "Ved ikke" in problem.text] == ["SCR-182"]


def test_whole_dates_of_birth_lose_their_day(study, tmp_path):
    columns = screening({"birth_month": "fødselsdato"}, birth_month=["14-01-2002", "02-06-2001", "30-09-2002"])
    assert imported(study, columns, tmp_path).frame["birth_month"].tolist() == ["2002-01", "2001-06", "2002-09"]
    either = screening({"birth_month": "fødselsdato"}, birth_month=["04-01-2002", "02-06-2001", "03-09-2002"])
    found = proposal(study, either)
    assert not found.complete
    assert "dates: FILL IN" in draft(found)
    with pytest.raises(DataProblems, match=r"DOC-010.*day-first"):
        mapping_of(found, tmp_path)


def test_a_column_of_waves_is_filtered_or_asked_about(study, tmp_path):
    columns = screening() | {"wave": ["w1", "w1", "w2"]}
    assert len(imported(study, columns, tmp_path)) == 2
    labelled = proposal(study, screening() | {"bølge": ["start_arm_1", "start_arm_1", "slut_arm_1"]})
    assert labelled.complete
    assert 'keep_rows: bølge == "start_arm_1"' in draft(labelled)
    found = proposal(study, screening() | {"bølge": ["1", "1", "2"]})
    assert not found.complete
    assert "'1', '2' is w1?" in draft(found)
    assert ("bølge", "it tells the wave, as --wave w1 does") in found.ignored
    assert proposal(study, screening() | {"bølge": ["1", "1", "1"]}).complete


def test_columns_that_identify_are_left_out_with_the_reason(study):
    columns = screening() | {
        "e-mail": ["a@b.dk"] * 3,
        "note": ["x", "010203-4567", ""],
        "kode": ["1", "2", "3"],
        "op": ["1", "2", "3"],
    }
    found = proposal(study, columns, identifiers=frozenset({"kode"}))
    reasons = dict(found.ignored)
    assert {name: "person" in why or "personal" in why for name, why in reasons.items()} == {
        "e-mail": True,
        "note": True,
        "kode": True,
        "op": False,
    }


def test_what_is_of_no_use_is_not_ignored_while_something_is_missing(study, tmp_path):
    found = proposal(study, screening({"child_id": "k17"}))
    assert found.left == ("k17",)
    assert found.wanted == (("child_id", "no column looks like it"),)
    assert refusals(found, tmp_path) == {"SCR-185"}
    assert "# ? - k17" in draft(found)


def test_an_open_ignore_is_closed_by_taking_the_signs_away(study, tmp_path):
    """As somebody does it in an editor: the signs before the columns go, the line above them is left as it is."""
    text = draft(proposal(study, screening({"child_id": "k17"}) | {"status": ["x"] * 3}))
    kept = [line for line in text.replace("# ? - ", "- ").splitlines() if "FILL IN" not in line]
    (tmp_path / "m.yaml").write_text("\n".join(kept), encoding="utf-8")
    assert load_mapping(tmp_path / "m.yaml").ignore == ("k17", "status")
    (tmp_path / "m.yaml").write_text("\n".join(line for line in kept if "  - " not in line), encoding="utf-8")
    assert load_mapping(tmp_path / "m.yaml").ignore == ()
    (tmp_path / "m.yaml").write_text("version: 1\nrecode:\n  sex:\n  hours: {a: 1}\n", encoding="utf-8")  # its lines taken out
    assert load_mapping(tmp_path / "m.yaml").recode == {"hours": {"a": "1"}}


@pytest.mark.parametrize(("asked_for", "said"), [((), "pseudonymise: [child_id]"), (("child_id",), "Each becomes a pseudonym")])
def test_personal_numbers_could_be_the_id_that_is_not_found(small, tmp_path, asked_for, said):
    study = small.model_copy(update={"privacy": small.privacy.model_copy(update={"pseudonymise": asked_for})})
    numbers = ["010203-4567", "020203-4567", "030203-4567"]
    found = proposal(study, screening({"child_id": "Barnets CPR-nr."}) | {"Barnets CPR-nr.": numbers})
    assert ([(guess.column, guess.ours) for guess in found.unsure_columns], found.ignored) == (
        [("Barnets CPR-nr.", "child_id")],
        (),
    )
    assert said in draft(found)
    assert refusals(found, tmp_path) == {"SCR-185"}
    assert dict(proposal(study, screening() | {"cpr": numbers}).ignored)["cpr"].startswith("a personal number")


NASTY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)


@given(st.lists(NASTY, min_size=1, max_size=4, unique=True), NASTY)
def test_any_name_and_label_can_stand_in_a_mapping(small, tmp_path_factory, names, label):
    columns = screening() | {name: ["x", "y", "z"] for name in names if name not in screening()}
    columns["sex"] = ["boy", label, "girl"]
    found = proposal(small, columns, titles=dict.fromkeys(names, label), labels={"sex": {label: label}})
    folder = tmp_path_factory.mktemp("nasty")
    text = draft(found)
    filled = text.replace("  # FILL IN", ' ""  # FILL IN').replace("FILL IN", "nothing")
    (folder / "draft.mapping.yaml").write_text(filled, encoding="utf-8", newline="")
    read = load_mapping(folder / "draft.mapping.yaml")
    assert {*read.ignore} == {normalize("NFC", name) for name, _ in found.ignored}
    assert read.recode.get("sex", {}).keys() == {normalize("NFC", t) for r in found.recodes if r.part == "sex" for t in r.labels}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, tuple[Export, ...]]:
    """The synthetic trial's study, and what its institutions hand in."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "study.yaml").write_text(demo_study_yaml(), encoding="utf-8")
    drawn = pd.read_csv(write_institutions(folder / "data", 1), sep=";", dtype=str)
    arms = pd.DataFrame({"institution_id": drawn["institution_id"], "arm": "reference"})
    arms.loc[::2, "arm"] = "intervention"
    return load_study(folder), write_fieldwork(folder / "data", 1, arms)


@pytest.mark.parametrize("name", ["staff_survey_w1.csv", "screening_w1.csv", "screening_w2.csv", "screening_w3.xlsx"])
def test_the_demo_s_exports_are_read_as_their_makers_meant_or_left_open(demo, tmp_path, name):
    """Each export has the mapping of those who wrote it: what is proposed without it must say the same."""
    study, exports = demo
    export = next(each for each in exports if each.path.name == name)
    raw, schema = read_raw(export.path), table_schema(export.table, study, export.wave)
    meant = load_mapping(export.mapping).renames(shipped())
    found = propose_for(raw, study, schema)
    said = {guess.column: guess.ours for guess in found.columns}
    said |= {column: ours for each in found.items for column, ours in each.columns.items()}
    assert said == {column: ours for column, ours in {**{n: n for n in raw.columns}, **meant}.items() if column in said}
    assert len(said) > (5 if name == "screening_w1.csv" else 25)
    if not found.complete:
        with pytest.raises(DataProblems) as caught:  # of the mapping; or, where a column is only unsure, of the file
            sift(apply_mapping(raw, mapping_of(found, tmp_path), schema.names), schema).whole()
        assert {problem.code for problem in caught.value.problems if problem.severity == "error"} <= {"SCR-185", "SCR-040"}
        return
    ours = apply_mapping(raw, mapping_of(found, tmp_path), schema.names)
    theirs = apply_mapping(raw, load_mapping(export.mapping), schema.names)
    assert all((ours.columns[column].cells() == theirs.columns[column].cells()).all() for column in ours.columns)


def test_from_a_file_to_the_study(drawn, export, visits, incoming):
    names = DANISH | {ours: f"T{ours.partition('.')[2].upper()}" for ours in OLDER}
    frame = visits.rename(columns=names).assign(Køn=["Dreng", "Pige", "Dreng"])
    frame[[name for name in frame if name.startswith("T")]] = [["0"] * 25, ["1"] * 25, ["2"] * 25]
    file = export(frame, "bølge1.csv", sep=";", encoding="cp1252")
    found = propose(drawn, file, wave="w1")
    assert (found.table, found.wave, found.complete) == ("screening", "w1", True)
    written = write_proposal(file, draft(found))
    assert written == incoming / "bølge1.csv.mapping.yaml"
    report = import_file(drawn, file, "screening", wave="w1")
    assert (report.accepted, report.stored) == (3, True)
    with pytest.raises(Refusal, match="SCR-188"):
        write_proposal(file, "version: 1\n")
    assert written.read_text(encoding="utf-8") == draft(found)


def test_the_proposal_in_the_manual_is_what_is_proposed(study):
    names = {"child_id": "barn_nr", "institution_id": "inst", "birth_month": "født", "mother_education": "mother_edu"}
    columns = screening(
        names | {ours: f"t{ours.partition('.')[2]}" for ours in OLDER},
        sex=["1", "2", "1"],
        birth_month=["14-01-2002", "02-06-2001", "30-09-2002"],
    )
    columns |= {"status": ["x"] * 3, "e-mail": ["y"] * 3}
    manual = (shipped_folder("data_schema").parent / "docs" / "importing.md").read_text(encoding="utf-8")
    chapter = manual.split("### A mapping proposed")[1]
    block = next(part for part in chapter.split("\n\n") if part.startswith("    version: 1"))
    shown = [line.removeprefix("    ") for line in block.splitlines()]
    assert [line for line in draft(proposal(study, columns)).splitlines() if not line.startswith("# ")] == shown


def test_the_format_that_a_mapping_tells_is_used_and_repeated(study, incoming):
    file = incoming / "i.csv"
    file.write_text("institution_id;municipality,x\nA1;B,2\n")
    assert "delimiter: ;" in draft(propose(study, file))  # the only one that makes columns that the study has
    (incoming / "i.mapping.yaml").write_text('version: 1\nformat: {delimiter: ";"}\nrename: {FILL IN x: y}\n')
    found = propose(study, file, "institutions")
    assert "delimiter: ;" in draft(found)


@pytest.mark.parametrize(
    ("header", "table"),
    [
        ("institution_id;municipality", "institutions"),
        ("barn;institution;køn;født", "children"),
        ("institution;arm", "allocation"),
        ("a;b", None),
        ("institution;dato", None),
    ],
)
def test_the_table_is_told_from_the_columns_or_refused(study, incoming, header, table):
    file = incoming / "x.csv"
    file.write_text(f"{header}\n" + ";".join("2002-01" if name == "født" else "boy" for name in header.split(";")) + "\n")
    if table is None:
        with pytest.raises(Refusal, match="SCR-189"):
            propose(study, file)
    else:
        assert propose(study, file).table == table


def test_a_file_by_wave_needs_its_wave(study, export, visits):
    with pytest.raises(Refusal, match="SCR-031"):
        propose(study, export(visits))
    assert propose(replace_collect(study), export(visits)).wave == "w1"


def replace_collect(study: Study) -> Study:
    """The study with screening at w1 alone."""
    (screening_,) = study.collect.screening
    collect = study.collect.model_copy(update={"screening": (screening_.model_copy(update={"waves": ("w1",)}),)})
    return study.model_copy(update={"collect": collect})


def test_a_file_for_a_wave_is_a_screening_unless_it_has_respondent_ids(study, incoming):
    """A usual word for them does not tell a staff survey: SurveyXact numbers the respondents of every survey."""
    answers = {f"s_{number}": ["0", "1", "2"] for number in range(1, 26)}
    columns = {"respondent": ["1", "2", "3"], "institution": ["A1", "A2", "H1"]}
    found = propose(study, _written(incoming, columns | {"q": ["1", "2", "3"]}), wave="w1")
    assert (found.table, found.complete) == ("screening", False)
    ids = {"respondent_id": ["1", "2", "3"], "institution": ["A1", "A2", "H1"], "q": ["1", "2", "3"]}
    found = propose(study, _written(incoming, ids), wave="w1")
    assert (found.table, found.complete) == ("staff_survey", False)
    numbers = {"cpr": ["010203-4567", "020203-4567", "030203-4567"]}
    assert propose(study, _written(incoming, columns | answers | numbers), wave="w1").table == "screening"


def _written(folder: Path, columns: dict[str, list[str]]) -> Path:
    file = folder / "export.csv"
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    file.write_text("\n".join(";".join(row) for row in rows), encoding="utf-8")
    return file
