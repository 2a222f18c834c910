"""All waves in one model against lme4 and pbkrtest, and against exact equalities.

1. Every contrast of every stored model: estimate, Kenward-Roger, Satterthwaite.  2. The joint test of the effects.
3. `all_waves`, from a cohort and its scores, is the constrained model; means are those of the coefficients.  4. With complete,
balanced waves: the unconstrained change is the t test of the changes of the institutions' means, and the analysis of covariance
of children about their institutions is that of the institutions' means.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from asp_eval.analysis.waves import all_waves
from asp_eval.stats.linear.ols import ols
from asp_eval.stats.mixed.fit import lmm
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.stats.smallsample.satterthwaite import Satterthwaite
from asp_eval.trial.study.design import Study

HERE = Path(__file__).parent
ESTIMATE, DF, BOUND = 1e-5, 1e-3, 5e-3  # relative; R's optimiser stops there
CASES = ("waves_missing", "waves_balanced")


def read(case: str) -> tuple[pd.DataFrame, dict]:
    models = json.loads((HERE / case / "reference.json").read_text(encoding="utf-8"))["models"]
    return pd.read_csv(HERE / case / "data.csv"), models


def named(fit, weights):
    return {{"stratumB": "stratum[T.B]", "(Intercept)": "Intercept"}.get(k, k): v for k, v in weights.items()}


@pytest.mark.parametrize(
    ("case", "model"), [(case, name) for case in CASES for name, one in read(case)[1].items() if one["type"] == "lmer"]
)
def test_every_contrast(case, model):  # 1
    frame, models = read(case)
    if model.startswith("two_waves"):
        frame = frame.loc[frame["wave"] != 2]
    fit = lmm(models[model]["formula"], frame)
    for contrast in models[model]["contrasts"].values():
        weights = named(fit, contrast["weights"])
        kr, sw = fit.contrast(weights, KenwardRoger()), fit.contrast(weights, Satterthwaite())
        found = (kr.estimate, kr.std_error)
        assert found == pytest.approx((contrast["estimate"], contrast["kr_se"]), rel=ESTIMATE)
        assert (kr.df, sw.df) == pytest.approx((contrast["kr_df"], contrast["satterthwaite_df"]), rel=DF)
        bounds = (kr.p_value, kr.conf_low, kr.conf_high)
        assert bounds == pytest.approx((contrast["kr_p"], contrast["kr_low"], contrast["kr_high"]), rel=BOUND)


def test_the_joint_test():  # 2
    frame, models = read("waves_missing")
    found, expected = lmm(models["clda"]["formula"], frame).joint_test(["a2", "a3"], KenwardRoger()), models["clda_joint"]
    assert found.statistic == pytest.approx(expected["F"], rel=1e-4)
    assert (found.df_numerator, found.df_denominator) == pytest.approx((expected["ndf"], expected["ddf"]), rel=DF)


def test_all_waves_is_the_constrained_model():  # 3
    frame, models = read("waves_missing")
    found, expected = one_score(frame, ["girl", "stratum"]), models["clda"]["contrasts"]
    pairs = {("2", ""): "arm_at_w2", ("3", ""): "arm_at_w3", ("3", "2"): "change_w2_to_w3"}
    assert (found.n_rows, found.n_children, found.n_institutions) == (786, 300, 20)
    for part in found.effects:
        e, o = part.difference, expected[pairs[part.wave[1], part.since[1:]]]
        assert (e.estimate, e.std_error) == pytest.approx((o["estimate"], o["kr_se"]), rel=ESTIMATE)
        assert e.df == pytest.approx(o["kr_df"], rel=DF)
    assert found.joint[0].statistic == pytest.approx(models["clda_joint"]["F"], rel=1e-4)
    b = dict(zip(models["clda"]["fixef"]["names"], models["clda"]["fixef"]["estimate"], strict=True))
    rest = b["girl"] * frame["girl"].mean() + b["stratumB"] * (frame["stratum"] == "B").mean()
    means = {(m.arm, m.wave): m.mean.estimate for m in found.means}
    assert means["reference", "w1"] == pytest.approx(b["(Intercept)"] + rest, rel=ESTIMATE)
    assert means["intervention", "w1"] == means["reference", "w1"]  # as the lot makes them
    assert means["intervention", "w3"] == pytest.approx(b["(Intercept)"] + b["w3"] + b["a3"] + rest, rel=ESTIMATE)
    variances = {v.level: v.variance for v in found.variances}
    for group, name in (("child", "child_id"), ("instwave", "institution:wave"), ("inst", "institution")):
        own = next(v for v in models["clda"]["varcorr"] if v["group"] == group)
        assert variances[name] == pytest.approx(own["cov"]["values"][0][0], rel=1e-3)


def test_equalities_of_balanced_waves():  # 4
    frame, models = read("waves_balanced")
    means = frame.pivot_table(index=["inst", "arm"], columns="wave", values="y").reset_index()
    change = means[3] - means[1]
    t = stats.ttest_ind(change[means["arm"] == 1], change[means["arm"] == 0])
    fit = lmm(models["two_waves_unconstrained"]["formula"], frame.loc[frame["wave"] != 2])
    row = fit.contrast({"a3": 1.0}, KenwardRoger())
    assert (row.p_value, row.df) == pytest.approx((t.pvalue, 18), rel=1e-3)
    assert row.estimate == pytest.approx(models["eq_change_t_test"]["estimate"], rel=1e-6)
    wide = frame.pivot_table(index=["inst", "child", "arm"], columns="wave", values="y").reset_index()
    wide.columns = ["inst", "child", "arm", "y1", "y2", "y3"]
    wide["m1"] = wide.groupby("inst")["y1"].transform("mean")
    wide["c1"] = wide["y1"] - wide["m1"]
    two_level = lmm("y3 ~ arm + c1 + m1 + (1 | inst)", wide).contrast({"arm": 1.0}, KenwardRoger())
    covariance = ols("y3 ~ arm + y1", wide.groupby("inst")[["y3", "arm", "y1"]].mean()).contrast({"arm": 1.0})
    expected = models["eq_two_level_ancova"]
    assert two_level.estimate == pytest.approx(expected["estimate"], rel=1e-6)
    assert (two_level.estimate, two_level.std_error) == pytest.approx((covariance.estimate, covariance.std_error), rel=1e-5)
    assert two_level.df == pytest.approx(covariance.df, rel=1e-3)


def one_score(frame: pd.DataFrame, covariates: list[str]):
    """`all_waves` of one score whose cohort and values are those of a long table."""
    study = Study.model_validate(
        {
            "version": 1,
            "study": {"id": "waves", "title": {"en": "Waves"}},
            "arms": ["reference", "intervention"],
            "waves": [{"id": w, "label": {"en": w}} for w in ("w1", "w2", "w3")],
            "collect": {"screening": {"waves": ["w1", "w2", "w3"]}},
            "outcomes": [
                {"id": "y", "column": "screening.y", "role": "primary", "better": "lower", "at": "w3", "baseline": "w1"}
            ],
            "analysis": {"covariates": covariates, "waves_model": "constrained-longitudinal"},
        }
    )
    first = frame.drop_duplicates("child")
    arms = pd.Categorical(np.array(study.arms)[first["arm"]], categories=list(study.arms))
    cohort = first.assign(child_id=first["child"], institution=first["inst"], arm=arms).reset_index(drop=True)
    values = lambda _, wave: frame.loc[frame["wave"] == int(wave[1])].set_index("child")["y"]  # noqa: E731
    of_cohort = lambda outcome, wave: cohort["child"].map(values(outcome, wave))  # noqa: E731
    (found,) = all_waves(SimpleNamespace(study=study, cohort=cohort, cohort_values=of_cohort))
    return found
