"""Missing answers of the small study (``conftest.py``), by hand, and shares by plain counting."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from asp_eval.analysis.data import load_data
from asp_eval.analysis.integrity import InstitutionRecord, RaterMissingness
from asp_eval.analysis.missingness import NO_ONE, by_institution, by_rater, predictors
from asp_eval.analysis.outcomes import analyse
from asp_eval.trial.flow.counts import NotScreened


@pytest.fixture(scope="module")
def data(small_study):
    return load_data(small_study)


def test_institution_by_institution(data):
    """c08 of institution 04 is not screened at w2, c05 of 02 has no score at w1; c03 is too old, c10 joined later."""
    doses = pd.Series({"02": 12.5})
    assert by_institution(data, doses, {"02"}) == (
        InstitutionRecord("01", "reference", 2, (0, 0), 0.0, False),
        InstitutionRecord("03", "reference", 2, (0, 0), 0.0, False),
        InstitutionRecord("02", "intervention", 2, (1, 0), 12.5, True),
        InstitutionRecord("04", "intervention", 2, (0, 1), 0.0, False),
    )
    assert all(record.dose is None and record.received is None for record in by_institution(data))


def test_rater_by_rater(data):
    """r1 rated c07 and c08 at the start, r3 the reference children; r2 only c04, for c05 has no score: too few."""
    raters = {"c07": "r1", "c08": "r1", "c04": "r2", "c05": "r2", "c01": "r3", "c02": "r3", "c06": "r4", "c09": "r4"}
    visits = data.visits.assign(rater_id=data.visits["child_id"].map(raters).where(data.visits["wave"] == "w1"))
    privacy = data.study.privacy.model_copy(update={"minimum_cell": 2})
    small = replace(data, visits=visits, study=data.study.model_copy(update={"privacy": privacy}))
    assert by_rater(small) == (
        RaterMissingness("reference", "w2", 2, 4, 0, 0.0, 0.0, 0.0),
        RaterMissingness("intervention", "w2", 1, 2, 1, 0.5, 0.5, 0.5),
    )


def test_raters_of_fewer_children_than_the_smallest_cell_are_not_counted(data):
    visits = data.visits.assign(rater_id="r1")
    assert by_rater(replace(data, visits=visits)) == (
        RaterMissingness("reference", "w2", 0, 0, 0, None, None, None),
        RaterMissingness("intervention", "w2", 0, 0, 0, None, None, None),
    )
    assert by_rater(data) == ()


def test_differences_between_the_arms_are_differences_of_shares(data):
    """c05 lacks the baseline and c06 the sex: reference 0 of c01 c02 c09, intervention c08 of c04 c07 c08."""
    (found,) = predictors(data, data.study.outcomes)
    assert (found.children, found.missing) == ((3, 3), (0, 1))
    assert found.difference[0].estimate == pytest.approx(1 / 3)
    assert {e.note for e in found.predictors[0]} == {NO_ONE}
    assert found.predictors[1][0].estimate is not None or found.predictors[1][0].note


def test_results_tell_why_children_are_missing(small_study):
    results = analyse(small_study)
    reference, intervention = results.outcomes[0].analysed
    assert reference.not_screened == NotScreened(0, 0, 0, 0)
    assert intervention.not_screened == NotScreened(0, 1, 0, 0)  # c07 moved away and c08 is gone: nobody was screened in 04
    assert (intervention.institutions, intervention.institutions_analysed) == (2, 2)
    (loss,) = results.attrition
    assert (loss.outcome, loss.wave, loss.joined, loss.joiners_analysed) == ("y", "w2", (0, 1), 0)
    assert results.integrity is not None
    assert results.integrity.dose == ()
    assert results.integrity.contamination.projects is None
    wave = results.flow.arms[1].waves[1]
    assert (wave.moved, wave.crossed, wave.lost, wave.institutions_lost) == (1, 1, 1, 1)
    institutions, _ = loss.comparisons  # the two ways of counting say one thing: a child rated elsewhere does not keep 04
    assert institutions.arm.assigned - institutions.arm.retained == wave.institutions_lost
    assert institutions.reference.assigned == institutions.reference.retained
