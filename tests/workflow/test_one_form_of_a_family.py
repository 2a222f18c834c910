"""An outcome names a family of forms, and one of them was collected, or rated: every verb from import to export goes by that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asp_eval.analysis.psychometrics import scale_answers
from asp_eval.core.errors import Refusal
from asp_eval.store import table
from asp_eval.trial.instruments.library import shipped
from asp_eval.trial.outcomes import scored_forms
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.analyse import analyse
from asp_eval.workflow.check import check_study
from asp_eval.workflow.export import export
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.randomise import randomise
from asp_eval.workflow.report import report
from asp_eval.workflow.score import score_study

FORM = shipped().instrument("sdq-teacher-4-17")
DECLARED = """\
version: 1
study: {{id: one-form, title: {{en: One form}}, synthetic: true}}
languages: [en]
arms: [reference, intervention]
strata: [municipality]
waves:
  - {{id: w1, label: {{en: start}}, from: 2027-09-01, to: 2027-10-31}}
  - {{id: w2, label: {{en: end}}, from: 2028-04-01, to: 2028-05-31}}
eligibility: {{age_years: {{from: 3, below: 7}}, at: w1}}
collect: {{screening: {{waves: [w1, w2], instruments: [{collected}]}}}}
outcomes:
  - {{id: conduct, score: sdq-teacher.conduct, role: primary, better: lower, at: w2, baseline: w1}}
analysis: {{covariates: [sex]}}
privacy: {{minimum_cell: 2}}
"""


def wave(date: str, seed: int) -> pd.DataFrame:
    """Sixty-four children of eight institutions, five years old, rated on the form for ages 4 to 17."""
    rng = np.random.default_rng(seed)
    n = 64
    columns = {
        "child_id": [f"C{i:02d}" for i in range(n)],
        "institution_id": [f"I{i % 8}" for i in range(n)],
        "rater_id": "r1",
        "date": date,
        "sex": np.where(np.arange(n) % 3 == 0, "girl", "boy"),
        "birth_month": "2022-03",
    }
    return pd.DataFrame(columns | {name: rng.integers(0, 3, n) for name in FORM.columns})


def folder(tmp_path: Path, collected: str, municipality: str = "A") -> Study:
    """A study with both waves stored, drawn and scored."""
    (tmp_path / "study.yaml").write_text(DECLARED.format(collected=collected), encoding="utf-8")
    study = load_study(tmp_path)
    rows = "".join(f"I{i},{'A' if i < 4 else municipality}\n" for i in range(8))
    (tmp_path / "list.csv").write_text("institution_id,municipality\n" + rows, encoding="utf-8")
    import_file(study, tmp_path / "list.csv", "institutions")
    return study


def filled(study: Study) -> Study:
    for name, date, seed in (("w1", "2027-09-15", 1), ("w2", "2028-04-10", 2)):
        wave(date, seed).to_csv(study.folder / f"{name}.csv", index=False)
        import_file(study, study.folder / f"{name}.csv", "screening", wave=name)
    score_study(study)
    return study


FAMILY = pytest.param("{family: sdq-teacher}", marks=pytest.mark.slow)  # as the demo declares it


@pytest.mark.parametrize("collected", ["sdq-teacher-4-17", FAMILY])
def test_every_verb_goes_by_what_was_collected(tmp_path: Path, collected: str) -> None:
    study = folder(tmp_path, collected)
    randomise(study, seed=3)
    filled(study)
    found = check_study(study)
    assert (found.errors, found.next_step) == (0, "Next: asp-eval analyse")
    results = analyse(study)
    assert results.outcomes[0].effects[0].difference.estimate is not None
    assert {(one.instrument, one.scale) for one in results.reliabilities} == {(FORM.id, "conduct")}
    report(study)
    export(study, tmp_path / "out")


def test_only_what_is_declared_counts(tmp_path: Path) -> None:
    assert [form.id for form in scored_forms(folder(tmp_path, "sdq-teacher-4-17"))] == ["sdq-teacher-4-17"]
    both = folder(tmp_path, "{family: sdq-teacher}")
    assert [form.id for form in scored_forms(both)] == ["sdq-teacher-2-4", "sdq-teacher-4-17"]
    assert scale_answers(both) == {} and table(both, "screening_sdq-teacher-2-4").empty


def test_check_says_what_the_analysis_refuses(tmp_path: Path) -> None:
    study = folder(tmp_path, "sdq-teacher-4-17", municipality="a")  # drawn elsewhere, where nobody asked how it is written
    declared = (tmp_path / "study.yaml").read_text(encoding="utf-8") + "randomisation: {drawn_elsewhere: true}\n"
    (tmp_path / "study.yaml").write_text(declared, encoding="utf-8")
    study = load_study(tmp_path)
    arms = "".join(f"I{i},{study.arms[i % 2]},2027-08-01\n" for i in range(8))
    (tmp_path / "arms.csv").write_text("institution_id,arm,date\n" + arms, encoding="utf-8")
    import_file(study, tmp_path / "arms.csv", "allocation")
    filled(study)
    (problem,) = [one for one in check_study(study).problems if one.severity == "error"]
    assert problem.code == "ANA-018" and "'A' (I0), 'a' (I4)" in str(problem)
    with pytest.raises(Refusal) as refused:
        analyse(study)
    assert refused.value.problems[0].code == "ANA-018"
