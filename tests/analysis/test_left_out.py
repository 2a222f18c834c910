"""Nothing of the plan vanishes unsaid, and where no number is right there is none.

1. a term that does not vary, a covariate that loses children, an arm without outcome, a stratum and a pair of one side are
told, and an institution analysed only through movers; 2. an arm of one institution has no effect, p-value or coefficient; of
three arms the others keep theirs; 3. matched pairs are in the model: the effect is the mean of the pairs' differences, on pairs
less one degrees of freedom; 4. random by plan; 5. ICC and effect size are of the model without pairs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from asp_eval.analysis.formulas import model_formula, unadjusted_formula
from asp_eval.analysis.left_out import left_out_notes
from asp_eval.analysis.outcomes import analyse_outcome
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import Refusal, Unavailable
from asp_eval.stats.estimate import Estimate
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.trial.study.design import Study
from tests.small_trial import small_plan, small_rows


def said(plan: Study, data: AnalysisSet) -> str:
    return " ".join(left_out_notes(plan, data))


def test_what_was_planned_and_is_not_there_is_told():
    plan = small_plan()
    data = small_rows(plan, {"reference": 4, "intervention": 4}, sex="girl")
    assert said(plan, data) == "sex is the same for all children analysed, and so is not in the model."
    lost = replace(data, lost_to={"baseline": 12})
    assert "Children who have the outcome and are left out because baseline is missing: 12." in said(plan, lost)
    gone = replace(data, frame=data.frame[data.frame["arm"] == "reference"])
    assert "No child of the arm intervention has the outcome" in said(plan, gone)
    one_sided = replace(data, frame=data.frame[(data.frame["arm"] == "reference") | (data.frame["municipality"] == "A")])
    assert "In the stratum municipality B one arm only has children" in said(plan, one_sided)
    part = replace(data.flow[0], only_elsewhere=1)
    assert "Institutions: 8, 1 of them only through children who were rated elsewhere." in said(
        plan, replace(data, flow=(part, data.flow[1]))
    )


@pytest.mark.parametrize("one", ["reference", "intervention"])
def test_an_arm_of_one_institution_has_neither_effect_nor_p_value(one):
    plan = small_plan()
    found = analyse_outcome(plan, small_rows(plan, {"reference": 5, "intervention": 5} | {one: 1}), KenwardRoger())
    (effect,) = found.effects
    assert isinstance(effect.difference, Unavailable) and "one institution only" in effect.difference.reason
    assert isinstance(effect.effect_size, Unavailable)
    (row,) = [one for one in found.coefficients if one.term == "arm[T.intervention]"]
    assert (row.estimate, row.p_value) == (None, None) and row.note


def test_of_three_arms_those_with_institutions_keep_their_effects():
    plan = small_plan(("reference", "short", "long"))
    found = analyse_outcome(plan, small_rows(plan, {"reference": 4, "short": 1, "long": 4}), KenwardRoger())
    assert isinstance(found.effects[0].difference, Unavailable)
    assert isinstance(found.effects[1].difference, Estimate)


def paired(**more) -> Study:
    return small_plan(randomisation={"scheme": "pairs", "pair": "set"}, columns={"institutions": {"set": "string"}}, **more)


def test_fixed_pairs_give_the_mean_of_the_pairs_differences_on_pairs_less_one():
    plan = paired()
    data = small_rows(plan, {"reference": 6, "intervention": 6}, pairs="fixed")
    assert model_formula(data) == "y ~ arm + pair + (1 | institution)"
    found = analyse_outcome(plan, data, KenwardRoger())
    means = data.frame.pivot_table("y", "pair", "arm", observed=True)
    apart = means["intervention"] - means["reference"]
    effect = found.effects[0].difference
    assert effect.estimate == pytest.approx(apart.mean(), rel=1e-8)
    assert effect.df == pytest.approx(6 - 1, rel=1e-6)
    assert effect.std_error == pytest.approx(apart.std(ddof=1) / np.sqrt(6), rel=1e-6)  # the paired t test
    assert "pair" not in unadjusted_formula(plan, data)
    assert found.averages[0].participant.reason  # without the lot's probabilities


def test_the_jackknife_of_averages_leaves_out_pairs():
    plan = paired()
    data = small_rows(plan, {"reference": 6, "intervention": 6}, pairs="fixed")
    data = replace(data, covariates=())
    chances = pd.DataFrame(0.5, index=data.frame["institution"].unique(), columns=list(plan.arms))
    found = analyse_outcome(plan, data, KenwardRoger(), None, chances)
    means = data.frame.pivot_table("y", "pair", "arm", observed=True)
    apart = means["intervention"] - means["reference"]
    by = found.averages[0].institution
    assert (by.estimate, by.df) == (pytest.approx(apart.mean(), rel=1e-8), 5)
    assert by.std_error == pytest.approx(apart.std(ddof=1) / np.sqrt(6), rel=1e-8)


def test_a_pair_that_lost_a_side_gives_nothing_and_is_counted():
    plan = paired()
    whole = small_rows(plan, {"reference": 6, "intervention": 6}, pairs="fixed")
    gone = whole.frame["institution"] == "intervention5"
    flow = (whole.flow[0], replace(whole.flow[1], institutions=5, institutions_analysed=5, cohort=30, analysed=30))
    data = replace(whole, frame=whole.frame[~gone].reset_index(drop=True), flow=flow)
    found = analyse_outcome(plan, data, KenwardRoger())
    assert "Pairs: 6; 1 lost one side, and the effect has nothing from them." in found.notes
    means = data.frame.pivot_table("y", "pair", "arm", observed=True).dropna()
    assert found.effects[0].difference.estimate == pytest.approx((means["intervention"] - means["reference"]).mean(), rel=1e-8)


def test_random_pairs_are_a_random_intercept():
    plan = paired(analysis={"pairs": "random"})
    data = small_rows(plan, {"reference": 8, "intervention": 8}, pairs="random")
    assert model_formula(data).endswith("+ (1 | institution) + (1 | pair)")
    found = analyse_outcome(plan, data, KenwardRoger())
    assert isinstance(found.effects[0].difference, Estimate)


def test_pairs_are_refused_where_the_lot_has_none():
    with pytest.raises((Refusal, ValueError), match="drawn in pairs"):
        small_plan(analysis={"pairs": "random"})
