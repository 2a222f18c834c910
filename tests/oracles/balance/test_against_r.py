"""Balance, baseline equivalence and predictors of missing answers, against R (MASS, lme4, clubSandwich; see make_reference.R).

The data go in as an evaluator's files do, so that everything between the file and the number is under test.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from asp_eval.analysis.balance import baseline_table
from asp_eval.analysis.balance_test import omnibus_test
from asp_eval.analysis.data import StudyData, load_data
from asp_eval.analysis.equivalence import equivalence
from asp_eval.analysis.integrity import Omnibus
from asp_eval.analysis.missingness import predictors
from asp_eval.analysis.sets import assemble
from asp_eval.store import write_allocation
from asp_eval.trial.randomisation.declaration import scheme_of
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.import_file import import_file

HERE = Path(__file__).parent
EXACT = 1e-9  # both solve the same equations
OPTIMISED = 2e-6  # both end a search for the variances
STUDY = """
version: 1
study: {id: oracle, title: {en: Oracle}}
languages: [en]
arms: [reference, intervention]
strata: [municipality]
waves:
  - {id: w1, label: {en: start}, from: 2027-09-01, to: 2027-09-30}
  - {id: w2, label: {en: end}, from: 2028-05-01, to: 2028-05-31}
collect:
  screening: {waves: [w1, w2]}
columns:
  screening: {score: number}
  children: {hours: number}
outcomes:
  - {id: y, column: screening.score, role: primary, better: lower, at: w2, baseline: w1}
analysis: {covariates: [sex, hours], missing_baseline: complete-cases}
"""


@pytest.fixture(scope="module")
def reference() -> dict[str, float]:
    return pd.read_csv(HERE / "reference.csv").set_index("name")["value"].to_dict()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> StudyData:
    folder = tmp_path_factory.mktemp("oracle")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    study = load_study(folder)
    rows = pd.read_csv(HERE / "data.csv").rename(columns={"institution": "institution_id"})
    institutions = rows[["institution_id", "municipality", "arm"]].drop_duplicates()
    institutions[["institution_id", "municipality"]].to_csv(folder / "institutions.csv", index=False)
    import_file(study, folder / "institutions.csv", "institutions")
    scheme = scheme_of(study, institutions)  # the reference has arms of its own: they stand here as if the seed had given them
    body = {"seed": 1, "scheme": str(scheme), "digest": scheme.digest, "lines": list(scheme.roster.lines)}
    write_allocation(study, institutions[["institution_id", "arm"]], body=body)
    base = rows[["child_id", "institution_id", "sex", "hours"]]
    for wave in (1, 2):
        part = base.assign(date=f"202{6 + wave}-0{13 - 4 * wave}-15", score=rows[f"y{wave}"])
        part.to_csv(folder / f"w{wave}.csv", index=False)
        import_file(study, folder / f"w{wave}.csv", "screening", wave=f"w{wave}")
    return load_data(study)


def test_the_omnibus_test_goes_through_every_allocation(data: StudyData, reference: dict[str, float]) -> None:
    found = omnibus_test(data)
    assert isinstance(found, Omnibus)
    assert found.exact
    assert found.draws == reference["omnibus_draws"] == 20 * 20
    assert found.variables == ("cohort_size", "sex:girl", "hours", "y")
    assert found.statistic == pytest.approx(reference["omnibus_statistic"], rel=EXACT)
    assert found.p_value == pytest.approx(reference["omnibus_p"], rel=EXACT)


def test_means_of_institutions(data: StudyData, reference: dict[str, float]) -> None:
    row = next(row for row in baseline_table(data) if row.unit == "institution_mean" and row.variable == "y")
    for position, arm in enumerate(row.arms):
        assert arm.mean == pytest.approx(reference[f"mean_y1_{position}"], rel=EXACT)
        assert arm.sd == pytest.approx(reference[f"sd_y1_{position}"], rel=EXACT)


def test_baseline_equivalence(data: StudyData, reference: dict[str, float]) -> None:
    (found,) = equivalence(data.study, assemble(data, "y"))
    assert found.children == reference["g_children"]
    assert found.icc == pytest.approx(reference["icc"], rel=OPTIMISED)
    assert found.g == pytest.approx(reference["g"], rel=OPTIMISED)
    assert found.verdict == "adjust"


def test_predictors_of_missing_answers(data: StudyData, reference: dict[str, float]) -> None:
    (found,) = predictors(data, data.study.outcomes)
    assert found.children == (reference["children_0"], reference["children_1"])
    assert found.missing == (reference["missing_0"], reference["missing_1"])
    terms = {"sex[T.girl]": "girl", "hours": "hours", "baseline": "y1"}
    rows = [("difference", found.difference[0])]
    rows += [(f"{terms[e.term]}_{position}", e) for position, arm in enumerate(found.predictors) for e in arm]
    assert len(rows) == 7
    for name, row in rows:
        assert row.estimate == pytest.approx(reference[f"{name}_estimate"], rel=EXACT)
        assert row.std_error == pytest.approx(reference[f"{name}_se"], rel=EXACT)
        assert row.df == pytest.approx(reference[f"{name}_df"], rel=EXACT)
        assert row.p_value == pytest.approx(reference[f"{name}_p"], rel=EXACT)
    joint = found.interactions
    assert joint.statistic == pytest.approx(reference["interaction_F"], rel=EXACT)
    assert joint.df_denominator == pytest.approx(reference["interaction_df"], rel=EXACT)
    assert joint.p_value == pytest.approx(reference["interaction_p"], rel=EXACT)
