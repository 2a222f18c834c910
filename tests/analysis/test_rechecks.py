"""What is computed twice is computed by two programs.

1. Kenward-Roger and CR2 in plain NumPy are the engine's, also where institutions do not differ; 2. where these have no variance,
one block of all rows is as many; 3. a number that was changed is told; 4. adjusted p-values are statsmodels'; 5. the R script
names every measure, its model and its numbers.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from averages_of_a_trial import ARMS, analysed, rows, study
from linearmodels.iv import IV2SLS

import asp_eval
from asp_eval.analysis.plain_inference import (
    NOT_PLAIN,
    PlainRows,
    PlainVariances,
    plain_cr2,
    plain_kenward_roger,
    plain_rows,
    plain_variances,
)
from asp_eval.analysis.rechecks import rechecked, with_adjusted_again
from asp_eval.analysis.results import Recheck
from asp_eval.analysis.sensitivity import _by_linearmodels
from asp_eval.reporting.sections.recomputation import all_agree
from asp_eval.workflow.headline_script import headline_script

TERM = "arm[T.b]"
EVEN = pd.DataFrame(0.5, index=[f"h{k}" for k in range(24)], columns=ARMS)


def trial(between: float, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    sizes = random.integers(3, 15, 14)
    g = np.repeat(np.arange(14), sizes)
    frame = pd.DataFrame({"inst": g, "arm": np.where(g % 2, "b", "a"), "x": random.normal(size=len(g))})
    frame["sex"] = pd.Categorical(random.choice(["boy", "girl"], len(g)))
    return frame.assign(y=between * random.normal(size=14)[g] + frame["x"] + random.normal(size=len(g)))


@pytest.mark.parametrize("between", [1.0, 0.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_plain_inference_is_the_engines(between, seed):
    frame = trial(between, seed)
    plain = plain_rows(frame, "y", ["arm", "x", "sex"], "inst")
    assert isinstance(plain, PlainRows)
    variances = plain_variances(plain)
    ours = asp_eval.lmm("y ~ arm + x + sex + (1 | inst)", frame)
    again = plain_kenward_roger(plain, variances, TERM, 0.95)
    theirs = ours.contrast({TERM: 1.0}, method=asp_eval.KenwardRoger())
    for name in ("estimate", "std_error", "df", "p_value", "conf_low", "conf_high"):
        assert getattr(again, name) == pytest.approx(getattr(theirs, name), rel=1e-5, abs=1e-7), name
    assert variances.icc == pytest.approx(ours.icc().estimate, abs=1e-6)
    robust = asp_eval.ols("y ~ arm + x + sex", frame, cluster="inst").contrast({TERM: 1.0}, method=asp_eval.CR2())
    by_hand = plain_cr2(plain, TERM, 0.95)
    for name in ("estimate", "std_error", "df", "p_value"):
        assert getattr(by_hand, name) == pytest.approx(getattr(robust, name), rel=1e-8), name


def test_without_variance_between_one_block_is_as_good_as_many():
    frame = trial(1.0)
    plain = plain_rows(frame, "y", ["arm", "x"], "inst")
    one = replace(plain, blocks=[np.arange(len(frame))])
    least = np.linalg.inv(plain.X.T @ plain.X)
    for found in (plain, one):
        again = plain_kenward_roger(found, PlainVariances(0.0, 1.3), TERM, 0.95)
        assert again.estimate == pytest.approx((least @ plain.X.T @ plain.y)[1], rel=1e-10)


def test_columns_that_make_up_others_are_told():
    frame = trial(1.0).assign(z=lambda f: 2.0 * f["x"] - 1.0)
    assert plain_rows(frame, "y", ["arm", "x", "z"], "inst") is NOT_PLAIN
    assert isinstance(plain_rows(frame.assign(z=frame["x"] ** 2), "y", ["arm", "x", "z"], "inst"), PlainRows)


def test_linearmodels_from_arrays_is_its_own_fit():
    fit = asp_eval.ols("y ~ arm + x + sex", trial(1.0), cluster="inst")
    own = IV2SLS(fit.outcome, pd.DataFrame(fit.design, columns=list(fit.names)), None, None)
    own = own.fit(cov_type="clustered", clusters=fit.cluster_codes, debiased=True)
    for term, (estimate, error) in _by_linearmodels(fit).items():
        assert (estimate, error) == pytest.approx((own.params[term], own.std_errors[term]), rel=1e-12)


def test_a_number_that_was_changed_is_told():
    result, data = analysed("precision")
    found = rechecked(study("precision"), data, result, EVEN)
    assert {one.quantity for one in found.rechecks} >= {"std_error", "df", "p_value", "conf_low", "icc", "effect_size", "cr2_df"}
    assert all_agree(found.rechecks) is True
    effect = result.effects[0]
    wrong = replace(effect.difference, df=effect.difference.df + 3)
    wrongly = replace(result, averages=(replace(result.averages[0], precision=wrong),))
    assert all_agree(rechecked(study("precision"), data, wrongly, EVEN).rechecks) is False
    assert all_agree(()) is None


@pytest.mark.parametrize("average", ["participant", "institution"])
def test_a_standardised_headline_is_that_of_refits(average):
    result, data = analysed(average)
    found = {one.quantity: one for one in rechecked(study(average), data, result, EVEN).rechecks}
    for name in ("jackknife_estimate", "jackknife_std_error"):
        assert found[name].again == pytest.approx(found[name].value, rel=1e-9)
    assert found["std_error"].value == result.averages[0].precision.std_error


def test_adjusted_p_values_are_those_of_statsmodels():
    plan = study("precision", families={"main": {"outcomes": ["y"], "adjust": "holm"}})
    result, _ = analysed("precision")
    effect = replace(result.effects[0], adjusted_p=result.effects[0].difference.p_value)
    (found,) = with_adjusted_again(plan, [replace(result, effects=(effect,))])
    (one,) = found.rechecks
    assert one == Recheck("intervention", "adjusted_p", effect.adjusted_p, pytest.approx(effect.adjusted_p), "statsmodels")


@pytest.mark.parametrize("form", ["csv", "excel", "parquet"])
def test_the_r_script_names_the_model_and_its_numbers(form):
    plan = study("precision")
    data = rows(plan)
    script = headline_script(plan, [data], None, form)
    assert 'effects("y", y ~ arm + (1 | institution),' in script
    assert f'arms = c("{ARMS[0]}", "{ARMS[1]}"), level = 0.95, here = list("intervention" = rep(NA, 6))' in script
    assert {"csv": "read.csv(", "excel": "read.csv2(", "parquet": "read_parquet("}[form] in script
    binary = study("precision", "binary")
    assert headline_script(binary, [rows(binary)], None, form) == ""
