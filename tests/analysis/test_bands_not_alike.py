"""Whether an arm moves all bands alike, in a trial's result and in its words.

1. where the odds are proportional by construction the shares are the ordinal model's; 2. where the arm gathers children in
the middle the test rejects, and every share is that of a logistic model of its band; 3. a band that an arm has not keeps the
ordinal model's shares.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from asp_eval.analysis.category_models import OrdinalMixedModel
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.stats.glmm.fit import glmm
from asp_eval.stats.smallsample.between_within import BetweenWithin

ARMS = ("reference", "intervention")


def analysed(gathered: float, *, first_band: bool = True) -> AnalysisSet:
    random = np.random.default_rng(8)
    inst = np.repeat(np.arange(16), 20)
    latent = 0.6 * random.normal(size=16)[inst] + random.logistic(size=len(inst))
    treated = inst % 2 == 1
    latent = np.where(treated & (random.random(len(inst)) < gathered), 0.5, latent)
    y = np.digitize(latent, [0.0, 1.5]).astype(float)
    if not first_band:
        y[treated & (y == 0)] = 1.0
    arm = pd.Categorical.from_codes(treated.astype(int), categories=list(ARMS))
    frame = pd.DataFrame({"y": y, "institution": inst.astype(str), "arm": arm})
    outcome = SimpleNamespace(id="y", in_bands=True, cut=None, baseline=None)
    return AnalysisSet(outcome, "w1", frame, (), (), categories=("low", "mid", "high"))


def compared(data):
    model = OrdinalMixedModel()
    fit = model.fit(FORMULA, data.frame)
    return fit, model.compare(fit, fit, data, ARMS, BetweenWithin(), 0.95)


FORMULA = "y ~ arm + (1 | institution)"


def test_alike_keeps_the_ordinal_shares():  # 1
    fit, found = compared(analysed(0.0))
    test = found.proportional_odds
    assert test.p_value > 0.05 and not test.rejected and not test.band_by_band
    table = fit.average_effects("arm", method=BetweenWithin())
    risks = table.loc[(table["kind"] == "risk") & (table["arm"] == "intervention"), "estimate"]
    assert [s.adjusted.estimate for s in found.shares if s.arm == "intervention"] == pytest.approx(list(risks))


def test_not_alike_models_each_band_by_itself():  # 2
    data = analysed(0.6)
    _, found = compared(data)
    assert found.proportional_odds.rejected and found.proportional_odds.band_by_band
    (effect,) = found.effects
    for k in range(3):
        own = data.frame.assign(y=(data.frame["y"] == k).astype(float))
        rows = glmm(FORMULA, own, n_quadrature=15).average_effects("arm", method=BetweenWithin()).set_index("kind")
        assert effect.changes[k].estimate == pytest.approx(rows.loc["difference", "estimate"], rel=1e-6)
        assert found.shares[k].adjusted.estimate == pytest.approx(rows.loc["risk", "estimate"].iloc[0], rel=1e-6)
        assert found.shares[k].adjusted.estimate == pytest.approx(found.shares[k].count / found.shares[k].n, abs=0.03)
    assert effect.difference.estimate == pytest.approx(-effect.changes[0].estimate)
    assert (effect.difference.conf_low, effect.difference.conf_high) == pytest.approx(
        (-effect.changes[0].conf_high, -effect.changes[0].conf_low)
    )


def test_an_empty_band_keeps_the_ordinal_shares():  # 3
    fit, found = compared(analysed(0.6, first_band=False))
    test = found.proportional_odds
    assert test.rejected and not test.band_by_band
    table = fit.average_effects("arm", method=BetweenWithin())
    risks = table.loc[(table["kind"] == "risk") & (table["arm"] == "reference"), "estimate"]
    assert [s.adjusted.estimate for s in found.shares if s.arm == "reference"] == pytest.approx(list(risks))
