"""Whose effect the headline is.

1. the declared average is the headline, and its effect size; 2. precision leaves the mixed model's; 3. with one
probability the children's average is least squares' own coefficient, and CR2 stands beside it; 4. the averages are those of
means by hand; 5. an arm of one institution has none; 6. a share's ratio has the interval of its logarithm.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from averages_of_a_trial import ARMS, analysed, rows, study

from asp_eval.analysis.averages import size_notes
from asp_eval.analysis.outcomes import analyse_outcome
from asp_eval.core.errors import Unavailable
from asp_eval.stats.estimate import Estimate
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger


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


def test_a_mixed_model_of_informative_sizes_says_that_it_is_about_neither():
    found, _ = analysed("precision")
    by = found.averages[0]
    told = tuple(size_notes(study("precision"), [replace(by, apart=replace(by.apart, p_value=0.01))]))
    assert len(told) == 1 and "about neither" in told[0] and "0.010" in told[0]
    assert not [*size_notes(study("precision"), [replace(by, apart=replace(by.apart, p_value=0.2))])]
    assert not [*size_notes(study("participant"), [replace(by, apart=replace(by.apart, p_value=0.01))])]
