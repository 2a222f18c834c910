"""The analyses that a plan declares, on odd studies: a number or a reason, never a crash.

1. An arm is gone at a wave.  2. An institution handed in nothing.  3. A constant baseline.  4. One institution in an arm.
5. Three arms.  6. Eight institutions.  7. Two of one arm for one of the other.  8. A constrained lot.  9. A covariate that is
missing for three children of ten.  (Matched pairs: `test_left_out`, `test_triangulation`.)
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from asp_eval.analysis.compliance import compliers
from asp_eval.analysis.levels import levels
from asp_eval.analysis.model_checks import beside_the_model
from asp_eval.analysis.models import planned_model
from asp_eval.analysis.outcomes import analyse_outcome
from asp_eval.analysis.sets import assemble
from asp_eval.analysis.subgroups import subgroups
from asp_eval.analysis.triangulation import triangulate
from asp_eval.analysis.waves import all_waves
from asp_eval.core.errors import Unavailable
from asp_eval.stats.mixed.fit import lmm
from asp_eval.stats.resampling.allocations import Allocations
from asp_eval.stats.resampling.permutation import Permutation
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from tests.simulated_sets import ARMS, simulated_frame, simulated_set, simulated_study
from tests.small_trial import small_plan, small_rows

EVERYTHING = (
    "set: itt, waves_model: constrained-longitudinal, complier: true, levels: [room], varying: [municipality],"
    " subgroups: [{by: mother_education}]"
)


@pytest.fixture
def data(loaded):
    return loaded(EVERYTHING)


def gone(data, lost):
    """The same data without the scores at w3 of the visits that are lost."""
    return replace(data, visits=data.visits.assign(score=data.visits["score"].where(~(lost & (data.visits["wave"] == "w3")))))


def found(data) -> tuple:
    """Everything that the plan declares of y, and how many effects of all waves there are."""
    rows = assemble(data, "y")
    (waves,) = all_waves(data)
    return compliers(data, rows), subgroups(data, rows), levels(data, rows), beside_the_model(data, rows), waves


def intervention(data):
    lot = data.allocation.set_index("institution_id")["arm"].astype(str)
    return data.visits["institution_id"].astype(str).map(lot) == "intervention"


def test_an_arm_is_gone_at_a_wave(data):  # 1
    complier, groups, between, beside, waves = found(gone(data, intervention(data)))
    assert isinstance(complier[0].effect, Unavailable) and not beside.sizes
    assert all(isinstance(one.interaction, Unavailable) for one in groups)
    assert all(isinstance(effect, Unavailable) for effect in between[0].effects)
    by = {(e.wave, e.since): e.difference for e in waves.effects}
    assert isinstance(by["w3", ""], Unavailable) and by["w2", ""].estimate < 0  # the other wave still has its effect


def test_an_institution_that_handed_in_nothing(data):  # 2
    whole, part = found(data), found(gone(data, data.visits["institution_id"].astype(str) == "D03"))
    assert part[3].realised.institutions == whole[3].realised.institutions - 1
    assert part[4].n_institutions == whole[4].n_institutions  # it is there at the other waves
    assert not isinstance(part[2][0].effects[0], Unavailable) and not isinstance(part[1][0].interaction, Unavailable)


def test_a_constant_baseline(data):  # 3
    same = data.visits.assign(score=data.visits["score"].where(data.visits["wave"] != "w1", 5.0))
    complier, _, between, beside, _ = found(replace(data, visits=same))
    assert "baseline" not in complier[0].model and len(beside.means) == 2 and between[0].effects[0].estimate < 0


def test_one_institution_in_an_arm(data):  # 4
    names = sorted(data.allocation.loc[data.allocation["arm"].astype(str) == "intervention", "institution_id"].astype(str))
    complier, groups, _, _, _ = found(gone(data, data.visits["institution_id"].astype(str).isin(names[1:])))
    assert isinstance(complier[0].effect, Unavailable)
    assert all(isinstance(one.interaction, Unavailable) and not one.levels for one in groups)


def test_three_arms():  # 5
    frame = simulated_frame(15)
    study = simulated_study()
    arms = ("reference", "intervention", "other")
    study = study.model_validate({**study.as_declared(), "arms": list(arms), "randomisation": {"ratio": [1, 1, 1]}})
    code = frame["institution"].cat.codes.to_numpy() % 3
    frame = frame.assign(arm=pd.Categorical(np.array(arms)[code], categories=list(arms)))
    data, model = simulated_set(study, frame), planned_model(study.outcomes[0])
    fit = model.fit("y ~ arm + baseline + (1 | institution)", frame)
    effects = model.compare(fit, fit, data, study.arms, KenwardRoger(), 0.95).effects
    random, ids = np.random.default_rng(1), tuple(frame["institution"].cat.categories)
    draws = np.array([random.permutation(np.arange(15) % 3) for _ in range(99)])
    rows = triangulate(study, data, fit, effects, Allocations(ids, draws, False, arms))
    assert [row.arm for row in rows] == ["intervention"] * 7 + ["other"] * 7
    lot = [row.result for row in rows if row.estimator == "permutation"]
    assert all(0 < one.p_value <= 1 and one.conf_low is None and "two arms" in one.note for one in lot)
    assert all(not isinstance(row.result, Unavailable) for row in rows)


def unadjusted(plan, per_arm):
    """Rows without covariates, the institutions' means, and which of them are in the later arm."""
    data = replace(small_rows(plan, per_arm), covariates=())
    means = data.frame.groupby("institution", observed=True)["y"].mean()
    return data, means, means.index.str.startswith("intervention")


def differences(means, draws):
    return np.array([means[row == 1].mean() - means[row == 0].mean() for row in draws])


def test_eight_institutions():  # 6: the t test of their means, and all 70 allocations
    plan = small_plan(strata=[], analysis={"triangulate": True})
    data, means, treated = unadjusted(plan, {"reference": 4, "intervention": 4})
    draws = np.array([[k in four for k in range(8)] for four in itertools.combinations(range(8), 4)]).astype(int)
    found = analyse_outcome(plan, data, KenwardRoger(), Allocations(tuple(means.index), draws, True, ARMS))
    by_hand, effect = stats.ttest_ind(means[treated], means[~treated]), found.effects[0].difference
    assert (effect.statistic, effect.p_value, effect.df) == pytest.approx((by_hand.statistic, by_hand.pvalue, 6), rel=1e-5)
    rows = {row.estimator: row.result for row in found.estimators}
    others = np.abs(differences(means.to_numpy(), draws))
    observed = abs(means[treated].mean() - means[~treated].mean())
    assert rows["permutation"].p_value == pytest.approx((others >= observed - 1e-9).mean())
    assert len(rows) == 7 and all(0 < one.p_value < 1 for one in rows.values())


def test_two_of_one_arm_for_one_of_the_other():  # 7
    plan = small_plan(strata=[], randomisation={"ratio": [1, 2]})
    data, means, treated = unadjusted(plan, {"reference": 4, "intervention": 8})
    chances = pd.DataFrame({"reference": 1 / 3, "intervention": 2 / 3}, index=means.index)
    found = analyse_outcome(plan, data, KenwardRoger(), None, chances)
    by_hand, effect = stats.ttest_ind(means[treated], means[~treated]), found.effects[0].difference
    assert (effect.statistic, effect.p_value, effect.df) == pytest.approx((by_hand.statistic, by_hand.pvalue, 10), rel=1e-5)
    (by,) = found.averages
    assert [by.participant.estimate, by.institution.estimate] == pytest.approx([effect.estimate] * 2)
    assert by.institution.df == 10
    assert isinstance(by.apart, Unavailable)  # institutions of one size: the two averages are one number


def test_a_constrained_lot():  # 8: only the allocations it allows are gone through
    plan = small_plan(strata=[])
    data, means, treated = unadjusted(plan, {"reference": 4, "intervention": 4})
    odd = np.arange(8) % 2
    every = (np.isin(range(8), four).astype(int) for four in itertools.combinations(range(8), 4))
    allowed = np.array([row for row in every if (row * odd).sum() == 2])
    lot = Allocations(tuple(means.index), allowed, True, ARMS)
    found = analyse_outcome(plan, data, Permutation("arm", lot)).effects[0].difference
    others = np.abs(differences(means.to_numpy(), allowed))
    observed = abs(means[treated].mean() - means[~treated].mean())
    assert len(allowed) == 36 and found.p_value == pytest.approx((others >= observed - 1e-9).mean())
    assert found.conf_low is None and "no interval" in found.note  # 2 of 36 is not below 5 %


@pytest.mark.parametrize("rule", ["complete-cases", "indicator"])
def test_a_covariate_that_is_missing_for_three_of_ten(loaded, rule):  # 9
    data = loaded(f"set: itt, covariates: [mother_education], missing_baseline: {rule}")
    gone = np.arange(len(data.children)) % 10 < 3
    column = data.children["mother_education"].where(~gone)
    rows = assemble(replace(data, children=data.children.assign(mother_education=column)), "y")
    whole = assemble(data, "y").frame
    without = ~whole["child_id"].isin(data.children.loc[~gone, "child_id"]).to_numpy()
    left_out = int(without.sum()) if rule == "complete-cases" else 0
    assert 0.2 < without.mean() < 0.4 and len(whole) - len(rows.frame) == left_out
    effect = analyse_outcome(data.study, rows, KenwardRoger()).effects[0].difference
    known = whole["mother_education"].astype(str).where(~without, "long")
    frame = whole.assign(known=known, gone=without * 1.0)
    extra = " + gone" if rule == "indicator" else ""
    fit = lmm(
        f"y ~ arm + baseline + known{extra} + municipality + (1 | institution)", frame.loc[~without | (rule == "indicator")]
    )
    own = fit.contrast({"arm[T.intervention]": 1.0})
    assert (effect.estimate, effect.std_error) == pytest.approx((own.estimate, own.std_error), rel=1e-6)
