"""Every fit goes to another process and comes back as it was: a pool of workers, joblib, Dask or a file take it by pickle.

What it answers afterwards, its table, a corrected one and (where there are some) its predictions, are the same numbers.
"""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from asp_eval import CR2, KenwardRoger, Moments, clmm, complier_effect, gee, glmm, impute, lmm, lmm_from_moments, ols


def _rows() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(24), 12)
    x = rng.normal(size=len(g))
    y = 0.4 * (g % 2) + 0.5 * x + rng.normal(size=24)[g] + rng.normal(size=len(g))
    return pd.DataFrame(
        {
            "inst": pd.Series(g).map("i{:02d}".format),
            "town": pd.Series(g % 4).map("t{}".format),
            "rater": pd.Series(rng.integers(0, 30, len(g))).map("r{:02d}".format),
            "arm": np.where(g % 2, "new", "old"),
            "offered": g % 2,
            "taken": (g % 2) * (g % 7 > 0),
            "x": x,
            "y": y,
            "yes": (y > 0.5).astype(float),
            "band": np.digitize(y, [-0.5, 0.5, 1.5]).astype(float),
            "count": rng.poisson(np.exp(0.3 * y)).astype(float),
        }
    )


ROWS = _rows()
FITS = {
    "lmm": lambda: lmm("y ~ arm + x + (1 | inst)", ROWS),
    "slopes": lambda: lmm("y ~ arm + x + (1 + x | inst)", ROWS),
    "nested": lambda: lmm("y ~ arm + x + (1 | town/inst)", ROWS),
    "crossed": lambda: lmm("y ~ arm + x + (1 | inst) + (1 | rater)", ROWS),
    "crossed slopes": lambda: lmm("y ~ arm + x + (1 + x | inst) + (1 | rater)", ROWS),
    "moments": lambda: lmm_from_moments(Moments.from_arrays(ROWS[["x"]].to_numpy(), ROWS["y"].to_numpy(), {"g": ROWS["inst"]})),
    "glmm": lambda: glmm("yes ~ arm + x + (1 | inst)", ROWS),
    "poisson": lambda: glmm("count ~ arm + x + (1 | inst)", ROWS, family="poisson"),
    **{
        link: lambda link=link: clmm("band ~ arm + x + (1 | inst)", ROWS, link=link)  # type: ignore[misc]
        for link in ("logit", "probit", "cloglog")
    },
    "ols": lambda: ols("y ~ arm + x", ROWS),
    "gee": lambda: gee("yes ~ arm + x", ROWS, cluster="inst", family="binomial", correlation="exchangeable"),
    "complier": lambda: complier_effect("y ~ x + taken | x + offered", ROWS, cluster="inst"),
}
ASKED = {  # beside its table
    "moments": {},
    "complier": {},
    **{name: {"predict": ROWS[:30], "average_effects": "arm"} for name in ("glmm", "poisson", "logit", "probit", "cloglog")},
}


@pytest.mark.parametrize("name", FITS)
def test_a_fit_comes_back_as_it_was(name):
    fit = FITS[name]()
    back = pickle.loads(pickle.dumps(fit))
    pd.testing.assert_frame_equal(back.tidy(), fit.tidy())
    assert str(back) == str(fit)
    for question, about in ASKED.get(name, {"predict": ROWS[:30]}).items():
        np.testing.assert_array_equal(*(np.asarray(getattr(one, question)(about)) for one in (back, fit)))


@pytest.mark.parametrize("name", ["lmm", "slopes", "nested"])
def test_what_was_computed_before_does_not_hinder_it(name):
    fit = FITS[name]()
    before = fit.tidy(method=KenwardRoger())
    back = pickle.loads(pickle.dumps(fit))
    pd.testing.assert_frame_equal(back.tidy(method=KenwardRoger()), before)
    pd.testing.assert_frame_equal(back.tidy(method=CR2()), fit.tidy(method=CR2()))


def test_imputed_data_come_back_as_they_were():
    gaps = ROWS.assign(y=ROWS["y"].where(ROWS.index % 5 > 0))
    imputed = impute(gaps, {"y": "continuous"}, group="inst", arm="arm", predictors=["x"], n=3, seed=1)
    back = pickle.loads(pickle.dumps(imputed))
    pd.testing.assert_frame_equal(back.summary(), imputed.summary())
    analyses = imputed.fit(lambda data: lmm("y ~ arm + (1 | inst)", data))
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(analyses)).pool(), analyses.pool())
