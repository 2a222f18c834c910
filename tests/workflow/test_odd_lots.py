"""Trials of unusual shape, from the draw to the page: a right number, or a refusal in words.

1. pairs, named or matched: pairs less one degrees of freedom, jackknife over pairs; 2. constrained, 2 to 1, three arms, 8
institutions: the averages are weighted by the lot's own probabilities; 3. an arm of one institution has no effect on the page;
4. an institution without data is lost, told, and in the model only through a child rated elsewhere.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asp_eval.analysis.allocations import arm_probabilities
from asp_eval.core.errors import Unavailable
from asp_eval.stats.estimate import Estimate
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.analyse import analyse
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.randomise import randomise
from asp_eval.workflow.report import report

STUDY = """
version: 1
study: {{id: odd, title: {{en: Odd}}, synthetic: true}}
arms: {arms}
randomisation: {lot}
waves:
  - {{id: w1, label: {{en: start}}, from: 2027-09-01, to: 2027-09-30}}
  - {{id: w2, label: {{en: end}}, from: 2028-05-01, to: 2028-05-31}}
eligibility: {{age_years: {{from: 3, below: 7}}, at: w1}}
collect: {{screening: {{waves: [w1, w2]}}}}
columns: {{screening: {{points: number}}, institutions: {{pair: string, places: integer}}}}
estimand: {{average: {average}}}
outcomes:
  - {{id: points, column: screening.points, role: primary, better: lower, at: w2, baseline: w1}}
"""
TWO, THREE = "[reference, intervention]", "[reference, short, long]"
CHILDREN = 6


def made(folder: Path, lot: str, institutions: int = 8, arms: str = TWO, average: str = "participant"):
    """Draw the lot and import both waves; return the study and its rows."""
    (folder / "study.yaml").write_text(STUDY.format(lot=lot, arms=arms, average=average), encoding="utf-8")
    study, random = load_study(folder), np.random.default_rng(1)
    ids = [f"h{k:02d}" for k in range(institutions)]
    homes = pd.DataFrame({"institution_id": ids, "name": ids, "pair": [f"p{k // 2}" for k in range(institutions)]})
    put(study, homes.assign(places=random.integers(20, 90, institutions)), "institutions")
    randomise(study, seed=5)
    rows = pd.DataFrame({"institution_id": np.repeat(ids, CHILDREN)})
    rows["child_id"] = [f"c{k:03d}" for k in range(len(rows))]
    rows["birth_month"], rows["sex"], rows["rater_id"] = "2022-06", np.tile(["girl", "boy"], len(rows) // 2), "r1"
    level = np.repeat(random.normal(size=institutions), CHILDREN)
    return study, rows.assign(points=np.round(level + random.normal(size=len(rows)), 2))


def put(study, frame: pd.DataFrame, table: str, wave: str | None = None) -> None:
    path = study.folder / f"{table}{wave or ''}.csv"
    frame.to_csv(path, index=False)
    done = import_file(study, path, table, wave=wave)
    assert not [problem for problem in done.problems if problem.severity == "error"]


def screened(study, rows: pd.DataFrame, later: pd.DataFrame | None = None) -> None:
    random = np.random.default_rng(2)
    put(study, rows.assign(date="2027-09-10"), "screening", "w1")
    again = rows if later is None else later
    put(
        study,
        again.assign(date="2028-05-10", points=np.round(again["points"] + random.normal(size=len(again)), 2)),
        "screening",
        "w2",
    )


@pytest.mark.parametrize("lot", ["{scheme: pairs, pair: pair}", "{scheme: pairs, covariates: {places: 1}}"])
def test_pairs_are_in_the_model_as_in_the_lot(tmp_path, lot):
    study, rows = made(tmp_path, lot)
    screened(study, rows)
    (result,) = analyse(study).outcomes
    assert "+ pair + (1 | institution)" in result.model
    (by,) = result.averages
    assert (by.participant.method, by.participant.df) == ("Jackknife", 3)
    assert by.precision.df == pytest.approx(3, abs=0.8)  # four pairs; the baseline takes a little
    assert result.effects[0].difference == by.participant


@pytest.mark.parametrize(
    ("lot", "institutions", "arms"),
    [
        ("{scheme: constrained, ratio: [2, 1], covariates: {places: 1}, keep: 0.4}", 9, TWO),
        ("{scheme: simple, ratio: [1, 1, 1]}", 9, THREE),
        pytest.param("{scheme: simple, ratio: [2, 1]}", 9, TWO, marks=pytest.mark.slow),
        pytest.param("{scheme: simple}", 8, TWO, marks=pytest.mark.slow),
    ],
)
def test_the_averages_are_weighted_by_the_lots_probabilities(tmp_path, lot, institutions, arms):
    study, rows = made(tmp_path, lot, institutions, arms)
    screened(study, rows)
    chances = arm_probabilities(study)
    assert chances.to_numpy().sum(axis=1) == pytest.approx(np.ones(institutions))
    assert bool((chances.max() - chances.min() > 0.01).any()) == ("constrained" in lot)
    (result,) = analyse(study).outcomes
    for effect, by in zip(result.effects, result.averages, strict=True):
        assert isinstance(effect.difference, Estimate)
        assert effect.difference == by.participant
        assert by.participant.df == institutions - len(study.arms)
    page = report(study, formats=("html",), parts=("results",)).pages[0].read_text(encoding="utf-8")
    assert "Whose effect it is" in page and "The plan was not locked" in page


def test_an_arm_of_one_institution_has_no_effect_on_the_page(tmp_path):
    study, rows = made(tmp_path, "{scheme: simple, ratio: [7, 1]}")
    screened(study, rows)
    (result,) = analyse(study).outcomes
    assert isinstance(result.effects[0].difference, Unavailable)
    page = report(study, formats=("html",), parts=("results",)).pages[0].read_text(encoding="utf-8")
    assert "an arm has one institution only" in page


def test_an_institution_without_data_is_lost_and_told(tmp_path):
    study, rows = made(tmp_path, "{scheme: simple}", average="precision")
    later = rows[(rows["institution_id"] != "h00") | (rows["child_id"] == "c000")].copy()
    later.loc[later["child_id"] == "c000", "institution_id"] = "h01"
    screened(study, rows, later)
    results = analyse(study)
    assert "Institutions: 8, 1 of them only through children who were rated elsewhere." in results.outcomes[0].notes
    lost = results.attrition[0].comparisons[0]
    assert lost.reference.assigned + lost.arm.assigned - lost.reference.retained - lost.arm.retained == 1
    with_data = sum(arm.waves[-1].with_data for arm in results.flow.arms)
    assert with_data == lost.reference.retained + lost.arm.retained == 7
