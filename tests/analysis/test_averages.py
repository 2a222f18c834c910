"""Whose effect the headline is.

1. the declared average is the headline, and its effect size; 2. precision leaves the mixed model's; 3. with one
probability the children's average is least squares' own coefficient, and CR2 stands beside it; 4. the averages are those of
means by hand; 5. an arm of one institution has none; 6. a share's ratio has the interval of its logarithm.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from asp_eval.analysis.outcomes import analyse_outcome
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import Unavailable
from asp_eval.stats.estimate import Estimate
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.trial.flow.counts import AnalysedFlow, NotScreened
from asp_eval.trial.study.design import Study

ARMS = ["reference", "intervention"]
SIZES = (5, 25)


def study(average: str, scale: str = "continuous") -> Study:
    return Study.model_validate(
        {
            "version": 1,
            "study": {"id": "mini", "title": {"en": "Mini"}},
            "arms": ARMS,
            "waves": [{"id": "w1", "label": {"en": "w1"}}],
            "collect": {"screening": {"waves": ["w1"]}},
            "estimand": {"average": average},
            "outcomes": [{"id": "y", "column": "screening.y", "role": "primary", "better": "lower", "at": "w1", "scale": scale}],
        }
    )


def rows(plan: Study, institutions: int = 24, one: str = "") -> AnalysisSet:
    """Institutions of 5 and 25 in both arms; the small ones gain a point, the large ones nothing."""
    random = np.random.default_rng(3)
    size = np.tile(np.repeat(SIZES, 2), institutions // 4)
    arm = np.tile([0, 1], institutions // 2)
    house = np.repeat(np.arange(institutions), size)
    y = random.normal(size=institutions)[house] / 3 + (size == SIZES[0])[house] * arm[house] + random.normal(size=len(house))
    if plan.outcomes[0].scale == "binary":
        y = (y > 0).astype(float)
    frame = pd.DataFrame({"institution": [f"h{k}" for k in house], "y": y})
    frame["child_id"] = [f"c{k}" for k in range(len(frame))]
    frame["arm"] = pd.Categorical.from_codes(arm[house], ARMS)
    if one:
        frame = frame[(frame["arm"] != one) | (frame["institution"] == frame.loc[frame["arm"] == one, "institution"].iloc[0])]
    none = NotScreened(0, 0, 0, 0)
    flow = []
    for name in ARMS:
        mine = frame[frame["arm"] == name]
        homes = mine["institution"].nunique()
        flow.append(AnalysedFlow("y", "w1", name, homes, len(mine), 0, none, 0, 0, 0, len(mine), homes))
    return AnalysisSet(plan.outcomes[0], "w1", frame.reset_index(drop=True), (), tuple(flow))


def analysed(average: str, scale: str = "continuous", **more):
    plan = study(average, scale)
    data = rows(plan, **more)
    chances = pd.DataFrame(0.5, index=[f"h{k}" for k in range(100)], columns=ARMS)
    return analyse_outcome(plan, data, KenwardRoger(), None, chances), data


@pytest.mark.parametrize("average", ["participant", "institution"])
def test_the_declared_average_is_the_headline(average):
    found, _ = analysed(average)
    (effect,), (by,) = found.effects, found.averages
    assert effect.difference == getattr(by, average)
    assert isinstance(effect.difference, Estimate) and effect.difference.method == "Jackknife"
    assert isinstance(effect.effect_size, Estimate)
    other, _ = analysed("precision")
    ratio = effect.effect_size.estimate / other.effects[0].effect_size.estimate
    assert ratio == pytest.approx(effect.difference.estimate / other.effects[0].difference.estimate)
    assert (found.average, found.coefficients) == (average, other.coefficients)


def test_precision_is_the_mixed_models_with_kenward_roger():
    found, _ = analysed("precision")
    assert found.effects[0].difference.method == "KenwardRoger"
    assert found.effects[0].difference == found.averages[0].precision


def test_the_averages_are_those_of_means_by_hand():
    """Without covariates: means of institution means, and means of children; the mixed model lies between."""
    found, data = analysed("precision")
    (by,), frame = found.averages, data.frame
    means = frame.groupby(["arm", "institution"], observed=True)["y"].mean().groupby("arm", observed=True).mean()
    assert by.institution.estimate == pytest.approx(means["intervention"] - means["reference"], rel=1e-10)
    children = frame.groupby("arm", observed=True)["y"].mean()
    assert by.participant.estimate == pytest.approx(children["intervention"] - children["reference"], rel=1e-10)
    assert by.participant_cr2.estimate == pytest.approx(by.participant.estimate, rel=1e-10)
    assert by.institution_cr2.estimate == pytest.approx(by.institution.estimate, rel=1e-10)
    assert by.apart.estimate == pytest.approx(by.participant.estimate - by.institution.estimate, rel=1e-10)
    assert by.participant.estimate < by.precision.estimate < by.institution.estimate
    assert by.participant.df == 24 - 2
    assert by.apart.estimate < 0  # sizes are informative here


@pytest.mark.parametrize("one", ARMS)
@pytest.mark.parametrize("average", ["participant", "precision"])
def test_an_arm_of_one_institution_has_no_effect(one, average):
    found, _ = analysed(average, one=one)
    assert isinstance(found.averages[0].participant, Unavailable)
    assert "one institution only" in found.averages[0].participant.reason


def test_a_ratio_of_shares_has_the_interval_of_its_logarithm():
    found, data = analysed("participant", "binary")
    (effect,) = found.effects
    shares = data.frame.groupby("arm", observed=True)["y"].mean()
    assert effect.difference.estimate == pytest.approx(shares["intervention"] - shares["reference"], rel=1e-8)
    assert effect.ratio.estimate == pytest.approx(shares["intervention"] / shares["reference"], rel=1e-8)
    assert effect.ratio.estimate**2 == pytest.approx(effect.ratio.conf_low * effect.ratio.conf_high, rel=1e-8)
    odds = shares / (1 - shares)
    assert effect.odds_ratio.estimate == pytest.approx(odds["intervention"] / odds["reference"], rel=1e-8)


def test_probabilities_of_the_lot_that_are_not_known_leave_the_mixed_model():
    plan = study("precision")
    found = analyse_outcome(plan, rows(plan), KenwardRoger())
    assert isinstance(found.averages[0].participant, Unavailable)
    assert isinstance(found.effects[0].difference, Estimate)
    assert replace(found.averages[0]).participant_cr2.estimate is not None
