"""The rows of an analysis: as drawn, exclusions counted once, in order; everything by hand from the small study."""

from dataclasses import replace

import pandas as pd
import pytest

from asp_eval.analysis.data import load_data
from asp_eval.analysis.sets import analysis_set, assemble
from asp_eval.core.errors import DataProblems, Refusal


def test_each_child_left_out_is_counted_at_its_first_reason(small_study):
    # reference cohort: c01 c02 (01), c06 c09 (03); c03 is not eligible. c06 lacks sex.
    reference, arm = assemble(load_data(small_study), "y").flow
    assert (reference.cohort, reference.missing_covariate, reference.analysed) == (4, 1, 3)
    # intervention cohort: c04 c05 (02), c07 c08 (04); c10 joined later. c05 lacks the baseline, c08 the outcome.
    assert (arm.cohort, arm.missing_outcome, arm.missing_baseline, arm.analysed) == (4, 1, 1, 2)
    assert (reference.institutions_analysed, arm.institutions_analysed) == (2, 2)


def test_the_frame_is_ready_for_a_model(small_study):
    frame = analysis_set(small_study, "y").set_index("child_id")
    assert list(frame.index) == ["c01", "c02", "c04", "c07", "c09"]
    assert frame.loc["c01", ["baseline", "y"]].tolist() == [4.0, 3.0]
    assert frame["arm"].cat.categories.tolist() == ["reference", "intervention"]
    assert list(frame.columns) == ["institution", "arm", "y", "baseline", "sex", "municipality"]


def test_values_of_the_cohort_are_those_of_its_children(small_study):
    data = load_data(small_study)
    unlisted = data.visits.iloc[[0, 1]].assign(child_id=["nobody", "nobody else"])
    data = replace(data, visits=pd.concat([data.visits, unlisted], ignore_index=True))
    outcome = small_study.outcome("y")
    for wave in (outcome.at, outcome.baseline):
        values = data.values(outcome, wave)
        assert values.index.is_unique and not values.index.isin(unlisted["child_id"]).any()
        expected = [values.get(child, float("nan")) for child in data.cohort["child_id"]]
        assert data.cohort_values(outcome, wave).tolist() == pytest.approx(expected, nan_ok=True)
        known = data.children["child_id"].isin(values.dropna().index)
        assert (data.has_value(outcome, wave) == known).all()


def test_the_places_of_a_set_are_those_of_its_children(small_study):
    data = load_data(small_study)
    rows = assemble(data, "y")
    assert data.children["child_id"].take(rows.places).tolist() == rows.frame["child_id"].tolist()


def test_a_child_that_moved_stays_where_it_was_drawn(small_study):
    frame = analysis_set(small_study, "y").set_index("child_id")
    assert frame.loc["c07", ["institution", "arm"]].tolist() == ["04", "intervention"]


def test_a_declared_filter_is_applied_first_and_counted(small_study):
    plan = small_study.analysis.model_copy(update={"set": "kept"})
    kept = small_study.model_copy(update={"analysis": plan})
    kept._folder = small_study.folder
    reference, intervention = assemble(load_data(kept), "y").flow
    assert reference.filtered_out == 1  # c09
    assert intervention.filtered_out == 1  # c08, which lacks the outcome too
    assert intervention.missing_outcome == 0


def test_at_the_baseline_wave_the_outcome_is_not_its_own_covariate(small_study):
    assert "baseline" not in analysis_set(small_study, "y", wave="w1").columns


def test_an_unknown_outcome_names_the_known_ones(small_study):
    with pytest.raises(Refusal, match="Use one of: y"):
        analysis_set(small_study, "z")


def test_a_covariate_nobody_imported_is_refused(small_study):
    plan = small_study.analysis.model_copy(update={"covariates": ("shoe_size",)})
    changed = small_study.model_copy(update={"analysis": plan})
    changed._folder = small_study.folder
    with pytest.raises(DataProblems, match="ANA-016"):
        load_data(changed)


def test_nothing_stored_gives_an_empty_set_not_a_crash(empty_study):
    assert analysis_set(empty_study, "y").empty


def test_age_is_that_of_the_rating_or_of_the_first_day_for_an_absent_child(small_study):
    children = load_data(small_study).children.set_index("child_id")
    born = pd.Timestamp("2023-01-15")
    assert children.loc["c01", "age"] == pytest.approx((pd.Timestamp("2027-09-10") - born).days / 365.25)
