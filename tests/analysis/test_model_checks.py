"""What stands beside a measure's model.

1. Adjusted means are those of the marginal means, by another way, and differ by the effect.  2. Influence: the range is that of
refits without each institution; floor and residuals by hand.  3. Raters: ICC by pingouin's analysis of variance, and the effect
without children whose rater changed by a refit.  4. The design as it came out.  5. Other outcomes have none; an effect of one
institution in an arm does not stop the rest.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from asp_eval.analysis.formulas import model_formula
from asp_eval.analysis.model_checks import BesideTheModel, adjusted_means, beside_the_model, checks, raters, realised
from asp_eval.analysis.sets import assemble
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.stats.mixed.fit import lmm
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from tests.simulated_sets import simulated_frame, simulated_set, simulated_study

ARM = "arm[T.intervention]"


def test_adjusted_means():  # 1
    study, frame = simulated_study(), simulated_frame(14)
    fit = lmm("y ~ arm + baseline + (1 | institution)", frame)
    found = {one.arm: one.mean for one in adjusted_means(study, fit)}
    means = fit.marginal_means("arm", method=KenwardRoger()).set_index("arm")
    for arm, mean in found.items():
        row = means.loc[arm]
        assert (mean.estimate, mean.std_error, mean.df) == pytest.approx((row["estimate"], row["std_error"], row["df"]))
    effect = fit.contrast({ARM: 1.0}).estimate
    assert found["intervention"].estimate - found["reference"].estimate == pytest.approx(effect)


def test_checks():  # 2
    study = simulated_study()
    rows = simulated_set(study, simulated_frame(14).assign(y=lambda f: f["y"].clip(lower=0.0)))
    fit = lmm(model_formula(rows), rows.frame)
    found = checks(study, rows, fit)
    assert found.floor == pytest.approx((rows.frame["y"] == 0).mean()) and 0 < found.ceiling < 0.05
    assert found.skewness == pytest.approx(stats.skew(fit.residuals))
    names = rows.frame["institution"].astype(str)
    without = {k: lmm(model_formula(rows), rows.frame.loc[names != k].reset_index(drop=True)) for k in names.unique()}
    refits = pd.Series({k: fit.contrast({ARM: 1.0}).estimate for k, fit in without.items()})
    (one,) = found.influence
    assert (one.lowest, one.highest) == pytest.approx((refits.min(), refits.max()), abs=0.02)  # the variances are held
    assert one.institution == (refits - one.estimate).abs().idxmax()
    by = pd.Series(fit.residuals).groupby(names.to_numpy()).std()
    assert (found.lowest_sd, found.highest_sd) == pytest.approx((by.min(), by.max()))


def test_raters(loaded):  # 3
    data = loaded("set: itt")
    rows = assemble(data, "y")
    random = np.random.default_rng(1)
    who = [f"{i}r{random.integers(3)}" for i in data.visits["institution_id"].astype(str)]
    data = replace(data, visits=data.visits.assign(rater_id=who))
    found = raters(data, rows)
    at = {w: data.visits.loc[data.visits["wave"] == w].set_index("child_id")["rater_id"] for w in ("w1", "w3")}
    ids = rows.frame["child_id"].astype(str)
    now, then = ids.map(at["w3"]), ids.map(at["w1"])
    groups = [part.to_numpy() for _, part in rows.frame["y"].groupby(now.to_numpy())]
    f = stats.f_oneway(*groups).statistic
    n = len(ids)
    n0 = (n - sum(len(g) ** 2 for g in groups) / n) / (len(groups) - 1)
    assert found.icc1.estimate == pytest.approx((f - 1) / (f - 1 + n0)) and found.icc2.estimate == pytest.approx(1 - 1 / f)
    changed = (now != then).to_numpy()
    assert found.changed == changed.sum() > 5
    fit = lmm(model_formula(rows), rows.frame.loc[~changed].reset_index(drop=True))
    assert found.without_changed.estimate == pytest.approx(fit.contrast({ARM: 1.0}).estimate)
    unrated = data.visits.drop(columns="rater_id")
    assert raters(replace(data, visits=unrated), rows) is None


def test_the_design_as_it_came_out():  # 4
    study, rows = simulated_study(), simulated_set(simulated_study(), simulated_frame(14))
    fit, plain = lmm(model_formula(rows), rows.frame), lmm("y ~ arm + (1 | institution)", rows.frame)
    found, sizes = realised(study, rows, fit, plain), rows.frame["institution"].value_counts()
    v = plain.variance_components().set_index("group")["variance"]
    w = fit.variance_components()["variance"].sum()
    assert (found.institutions, found.children) == (14, sizes.mean()) and found.cv == pytest.approx(sizes.std() / sizes.mean())
    assert found.icc == pytest.approx(v["institution"] / v.sum()) and found.r_squared == pytest.approx(1 - w / v.sum())
    row = fit.contrast({ARM: 1.0})
    reach = stats.t.ppf(0.975, row.df) + stats.t.ppf(0.8, row.df)
    assert found.detectable == pytest.approx(reach * row.std_error / np.sqrt(v.sum()))


def test_in_a_study(analysed):  # 1 to 4
    results = analysed("set: itt")
    (one, _) = results.outcomes
    assert len(one.means) == 2 and one.sizes[0].df_within == one.n_children - one.n_institutions
    size, effect = one.sizes[0], one.effects[0].difference
    error = np.hypot(size.within * effect.std_error / effect.estimate, size.within / np.sqrt(2 * size.df_within))
    half = stats.t.ppf(0.975, effect.df) * error
    assert (size.within_interval.low, size.within_interval.high) == pytest.approx((size.within - half, size.within + half))
    english, danish = (repr(evaluation(results, language)) for language in ("en", "da"))
    assert "Checks of the models" in english and "The design as it came out" in english and "E.21" in english
    assert "Kontrol af modellerne" in danish and "Designet, som det blev" in danish


def test_other_outcomes_have_none(loaded):  # 5
    data = loaded("set: itt")
    binary = simulated_set(simulated_study("binary"), simulated_frame(8))
    assert beside_the_model(data, binary) == BesideTheModel()
    rows = assemble(data, "y")
    flat = replace(rows, frame=rows.frame.assign(y=1.0))
    assert beside_the_model(data, flat) == BesideTheModel()
