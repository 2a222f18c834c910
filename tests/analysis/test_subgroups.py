"""The effect in groups that the plan declares.

1. Effects and test are those of the interaction model, by hand; by a stratum as well.
2. Groups that are too small are not shown, and are counted; a missing group too.
3. One group, a measure, groups of single institutions: a reason.
4. The report tells the test from the intervals.
5. An unknown outcome or column is refused.
6. Of shares, bands and counts: the test is of the generalised model, and the effect in a group is averaged over its children;
separated outcomes say so.
7. From ten levels up the effect varies at random: average and spread are the model's, and how unsure an effect in a level is
follows from Henderson's equations.
8. Where a level holds one institution of an arm, the arms' spreads stand in place of effects.
"""

from __future__ import annotations

import shutil
from dataclasses import replace

import builders
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import stats

from asp_eval.analysis import subgroups as module
from asp_eval.analysis.outcomes import analyse
from asp_eval.analysis.results import tidy
from asp_eval.analysis.sets import AnalysisSet, assemble
from asp_eval.analysis.subgroups import subgroups
from asp_eval.core.errors import DataProblems, Refusal, Unavailable
from asp_eval.reporting.blocks import Table
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.subgroups import subgroups as section
from asp_eval.reporting.setting import Setting
from asp_eval.stats.mixed.fit import lmm
from asp_eval.stats.mixed.group_coefficients import group_coefficients
from asp_eval.stats.ordinal.fit import clmm
from asp_eval.stats.smallsample.between_within import BetweenWithin
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.check import check_study
from tests.simulated_sets import EVERYTHING, declares, simulated_frame, simulated_set, simulated_study
from tests.small_study import by_hand, seal_again

BY_EDUCATION = "set: itt, subgroups: [{by: mother_education, outcomes: [y]}]"


def test_the_interaction_model(loaded):  # 1
    data = loaded(BY_EDUCATION)
    rows = assemble(data, "y")
    (found,) = subgroups(data, rows)
    education = rows.frame["child_id"].map(data.cohort.set_index("child_id")["mother_education"]).astype(str)
    frame = rows.frame.assign(g=education)
    fit = lmm("y ~ arm * g + baseline + municipality + (1 | institution)", frame)
    own = [
        fit.contrast({"arm[T.intervention]": 1.0}),
        fit.contrast({"arm[T.intervention]": 1.0, "arm[T.intervention]:g[T.short]": 1.0}),
    ]
    assert [part.level for part in found.levels] == ["long", "short"]
    for part, row in zip(found.levels, own, strict=True):
        assert (part.effect.estimate, part.effect.conf_low, part.effect.df) == pytest.approx((row.estimate, row.conf_low, row.df))
        assert part.children == (education == part.level).sum()
    one = fit.contrast({"arm[T.intervention]:g[T.short]": 1.0})
    assert found.interaction.statistic == pytest.approx(one.statistic**2) and found.interaction.p_value == pytest.approx(
        one.p_value
    )
    again = smf.mixedlm("y ~ C(arm) * g + baseline + municipality", frame, groups=frame["institution"]).fit()
    assert own[0].estimate == pytest.approx(again.params["C(arm)[T.intervention]"], rel=1e-3)
    assert one.estimate == pytest.approx(again.params["C(arm)[T.intervention]:g[T.short]"], rel=2e-3, abs=1e-4)


def test_by_municipality(loaded):  # 1: in the model already, as a stratum
    data = loaded("set: itt, varying: [municipality]")
    (found,) = subgroups(data, assemble(data, "y"))
    assert [part.level for part in found.levels] == ["North", "South"] and "+ municipality" not in found.model
    fit = lmm("y ~ arm * municipality + baseline + (1 | institution)", assemble(data, "y").frame)
    assert found.levels[0].effect.estimate == pytest.approx(fit.contrast({"arm[T.intervention]": 1.0}).estimate)
    assert len(subgroups(data, assemble(data, "z"))) == 1  # of every outcome


def test_small_groups_and_missing_ones(loaded):  # 2
    data = loaded(BY_EDUCATION)
    rows = assemble(data, "y")
    ids = rows.frame["child_id"].to_numpy()
    column = pd.Series(np.where(np.arange(len(ids)) % 2, "a", "b"), index=ids).astype(object)
    column.iloc[:3], column.iloc[3:10] = "rare", None
    found = module._by(data.study, rows, "x", column)
    assert [part.level for part in found.levels] == ["a", "b"] and (found.not_shown, found.without) == (1, 7)
    assert sum(part.children for part in found.levels) == len(ids) - 10


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda n: ["all"] * n, "ONE_LEVEL"),
        (lambda n: np.arange(n) * 0.5, "A_MEASURE"),
        (lambda n: ["a"] * (n - 2) + ["b"] * 2, "TOO_FEW"),
        (None, "NOT_IDENTIFIED"),
    ],
)
def test_what_cannot_be_compared(loaded, make, reason):  # 3
    data = loaded(BY_EDUCATION)
    rows = assemble(data, "y")
    ids = rows.frame["child_id"].to_numpy()
    values = rows.frame["institution"].astype(str).to_numpy() if make is None else make(len(ids))
    found = module._by(data.study, rows, "x", pd.Series(values, index=ids))
    assert found.interaction == getattr(module, reason) and found.levels == ()


def test_the_report(analysed):  # 4
    results = analysed(EVERYTHING)
    english, danish = (repr(evaluation(results, language)) for language in ("en", "da"))
    assert "Only the test of a difference between groups" in english and "The effect in groups" in english
    assert "Effekten i undergrupper" in danish and "forest-subgroups" in danish
    terms = [term for term in tidy(results)["term"] if "mother_education" in term]
    assert terms == [f"intervention in mother_education: {k}" for k in ("long", "short")]
    assert not results.outcomes[1].subgroups


def test_names_that_are_not_there(stored):  # 5
    with pytest.raises(DataProblems, match="STU-012"):
        declares(stored, "set: itt, subgroups: [{by: mother_education, outcomes: [nothing]}]")
    with pytest.raises(Refusal, match="ANA-003"):
        analyse(declares(stored, "set: itt, subgroups: [{by: nothing}]"))


def test_one_group_is_told_at_check(stored_once, tmp_path):  # 5
    folder = shutil.copytree(stored_once, tmp_path / "study")
    study = declares(load_study(folder), "set: itt, varying: [municipality]")
    assert not [p for p in check_study(study).problems if p.code == "ANA-067"]
    by_hand(study, "UPDATE institutions SET municipality = 'North'")
    seal_again(folder)
    (told,) = [p for p in check_study(study).problems if p.code == "ANA-067"]
    assert "'municipality'" in str(told) and "North" in str(told) and told.severity == "warning"


def of_a_scale(scale: str):
    """Return a study and its rows with an outcome of a scale, and a group of each child whose name needs quotes."""
    study, frame = simulated_study(scale), simulated_frame(16, 24, effect=-1.0)
    if scale == "count":
        counts = np.random.default_rng(2).poisson(np.exp(0.4 * frame["y"]))
        rows = AnalysisSet(study.outcomes[0], "w2", frame.assign(y=counts.astype(float)), ("baseline",), ())
    else:
        rows = simulated_set(study, frame)
    named = np.where(np.arange(len(frame)) % 3, 'it\'s "a"', "b")
    return study, rows, pd.Series(named, index=frame["child_id"])


@pytest.mark.parametrize("scale", ["binary", "count"])
def test_groups_of_shares_and_counts(scale):  # 6
    study, rows, column = of_a_scale(scale)
    found = module._by(study, rows, "kind", column)
    frame = rows.frame.assign(g=column.to_numpy(), arm=rows.frame["arm"].astype(str))
    # institutions hardly differ here beyond their arm's mean: the marginal model is near the mixed one
    kind = sm.families.Binomial() if scale == "binary" else sm.families.Poisson()
    formula = "y ~ C(arm, Treatment('reference')) * C(g, Treatment('b')) + baseline"
    plain = smf.gee(formula, "institution", frame, family=kind).fit()
    for part in found.levels:
        mine = frame.loc[frame["g"] == part.level]
        risk = [float(plain.predict(mine.assign(arm=arm)).mean()) for arm in ("reference", "intervention")]
        assert part.effect.estimate == pytest.approx(risk[1] - risk[0], abs=0.03) and part.children == len(mine)
        odds = [r / (1 - r) for r in risk] if scale == "binary" else risk
        assert part.ratio.estimate == pytest.approx(odds[1] / odds[0], rel=0.1)
    wald = float(plain.tvalues.iloc[3]) ** 2
    assert found.interaction.p_value == pytest.approx(stats.chi2.sf(wald, 1), abs=0.15)


def test_groups_of_bands():  # 6
    study, rows, column = of_a_scale("ordinal")
    found = module._by(study, rows, "kind", column)
    frame = rows.frame.assign(g=column.to_numpy())
    fit = clmm("y ~ arm * g + baseline + (1 | institution)", frame, n_quadrature=15)
    terms = [{"arm[T.intervention]": 1.0}, {"arm[T.intervention]": 1.0, 'arm[T.intervention]:g[T.it\'s "a"]': 1.0}]
    odds = [np.exp(fit.contrast(each, method=BetweenWithin()).estimate) for each in terms]
    assert [part.ratio.estimate for part in found.levels] == pytest.approx(odds, rel=1e-6)
    assert all(-1 < part.effect.estimate < 0 for part in found.levels)


def test_a_separated_group_says_so():  # 6
    study, rows, column = of_a_scale("binary")
    inside = (column.to_numpy() == "b") & (rows.frame["arm"] == "intervention").to_numpy()
    found = module._by(study, replace(rows, frame=rows.frame.assign(y=rows.frame["y"].where(~inside, 0.0))), "kind", column)
    assert isinstance(found.interaction, Unavailable) and found.interaction.reason and not found.levels


def many_levels(spread: float):
    """Return a study, rows whose effect differs by `spread` between twelve municipalities, and the municipality of each child."""
    study, frame = simulated_study(), simulated_frame(72, 6)
    town = frame["institution"].cat.codes.to_numpy() // 6
    own = np.random.default_rng(5).normal(0, spread, 12)[town]
    frame = frame.assign(y=frame["y"] + own * (frame["arm"] == "intervention"))
    return study, simulated_set(study, frame), pd.Series(town.astype(float), index=frame["child_id"])


def test_from_ten_levels_up_the_effect_varies_at_random():  # 7
    study, rows, column = many_levels(1.0)
    found = module._by(study, rows, "town", column, random=True)
    frame = rows.frame.assign(t=(rows.frame["arm"] == "intervention") * 1.0, g=column.to_numpy().astype(str))
    formula = "y ~ t + baseline + (1 | institution) + (1 | g)"
    fit, same = lmm(formula + " + (0 + t | g)", frame), lmm(formula, frame)
    (one,) = found.variation
    average = fit.contrast({"t": 1.0})
    assert (one.average.estimate, one.average.std_error) == pytest.approx((average.estimate, average.std_error))
    variances = fit.variance_components()["variance"].to_numpy()  # institution, g, g by t, residual
    assert one.sd.estimate == pytest.approx(np.sqrt(variances[2])) and one.sd.conf_low > 0
    ratio = same.deviance - fit.deviance
    assert one.ratio == pytest.approx(ratio) and one.p_value == pytest.approx(stats.chi2.sf(ratio, 1) / 2)
    estimates, errors = henderson(frame, variances)
    assert [part.effect.estimate for part in found.levels] == pytest.approx(list(estimates), abs=1e-4)
    plain = group_coefficients(fit, "g", "t")
    assert plain["std_error"].tolist() == pytest.approx(list(errors), rel=1e-5)
    ours = [part.effect.std_error for part in found.levels]  # by Kenward and Roger's covariance
    assert ours == pytest.approx(list(errors), rel=0.02) and min(ours) > errors.min()
    assert len(found.levels) == 12 and isinstance(found.interaction, Unavailable)
    fixed = module._by(study, rows, "town", column.astype(str))
    assert not fixed.variation and fixed.interaction.df_numerator == 11


def henderson(frame, variances):
    """Return d + e_k of every level and its standard error, by the mixed model equations with the variances as known."""
    institution, level, effect, residual = np.maximum(variances, 1e-9)  # zero: no such effect
    X = np.column_stack([np.ones(len(frame)), frame["t"], frame["baseline"]])
    houses, towns = (pd.get_dummies(frame[name].astype(str)).to_numpy(float) for name in ("institution", "g"))
    Z = np.hstack([houses, towns, towns * frame[["t"]].to_numpy()])
    W = np.hstack([X, Z])
    prior = np.repeat([0.0, 1 / institution, 1 / level, 1 / effect], [3, houses.shape[1], 12, 12])
    C = np.linalg.inv(W.T @ W / residual + np.diag(prior))
    solved = C @ (W.T @ frame["y"].to_numpy() / residual)
    K = np.zeros((12, len(C)))
    K[:, 1] = 1.0
    K[np.arange(12), len(C) - 12 + np.arange(12)] = 1.0
    return K @ solved, np.sqrt(np.diag(K @ C @ K.T))


def test_without_variation_every_level_has_the_average():  # 7
    study, rows, column = many_levels(0.0)
    found = module._by(study, rows, "town", column, random=True)
    (one,) = found.variation
    assert one.p_value > 0.3 and one.sd.conf_low == pytest.approx(0.0, abs=1e-6)
    assert one.sd.estimate == pytest.approx(0.0, abs=1e-6)
    assert {round(part.effect.std_error, 9) for part in found.levels} == {round(one.average.std_error, 9)}


def test_single_institutions_have_the_spread_of_their_arm():  # 8
    study, frame = simulated_study(), simulated_frame(40, 12, effect=0.0)
    house = frame["institution"].cat.codes.to_numpy()
    own = np.random.default_rng(3).normal(0, 1.5, 40)[house] * (frame["arm"] == "intervention")
    rows = simulated_set(study, frame.assign(y=frame["y"] + own))
    found = module._by(study, rows, "pair", pd.Series((house // 2).astype(str), index=frame["child_id"]))
    assert found.interaction == module.NOT_IDENTIFIED and found.spread is not None
    by_hand = []
    for arm in study.arms:
        mine = rows.frame.loc[rows.frame["arm"] == arm]
        groups = [
            g.to_numpy() - 0.6 * b.to_numpy()
            for (_, g), (_, b) in zip(
                mine.groupby("institution", observed=True)["y"],
                mine.groupby("institution", observed=True)["baseline"],
                strict=True,
            )
        ]
        within = np.mean([g.var(ddof=1) / len(g) for g in groups])
        by_hand.append(np.sqrt(max(np.var([g.mean() for g in groups], ddof=1) - within, 0.0)))
    assert [sd.estimate for sd in found.spread.sds] == pytest.approx(by_hand, rel=0.06)
    assert found.spread.p_value < 0.01 and found.spread.sds[1].conf_low > found.spread.sds[0].conf_high


def test_in_the_report_of_every_kind():  # 6, 7, 8
    study, rows, column = many_levels(1.0)
    random = module._by(study, rows, "town", column, random=True)
    single = module._by(study, rows, "house", pd.Series(rows.frame["institution"].astype(str).to_numpy(), index=column.index))
    shares = module._by(*of_a_scale("binary")[:2], "kind", of_a_scale("binary")[2])
    measure = builders.outcome("conduct", subgroups=(random, single))
    share = builders.outcome("peer", scale="binary", subgroups=(shares,))
    results = builders.results(outcomes=(measure, share))
    blocks = section((measure, share), Setting(results, Numbers(words_for("en"))))
    text = "\n".join(c.text for b in blocks if isinstance(b, Table) for row in b.rows for c in row.cells)
    assert "standard deviation of the effect" in text and "standard deviation between institutions" in text
    keys = [block.key for block in blocks]
    assert keys == ["subgroups", "subgroups-ratios", "forest-subgroups", "forest-subgroups-shares"]
    table = blocks[1]
    shown = next(row for row in table.rows if row.cells[0].text == "b").cells
    effect = next(part for part in shares.levels if part.level == "b")
    assert shown[2].text.replace("\N{MINUS SIGN}", "-") == f"{100 * effect.effect.estimate:.1f}" and len(shown) == 5
    assert shown[3].text == f"{effect.ratio.estimate:.2f}"
    terms = tidy(results)["term"].tolist()
    assert "intervention in town: standard deviation" in terms and "ratio of intervention in kind: b" in terms
