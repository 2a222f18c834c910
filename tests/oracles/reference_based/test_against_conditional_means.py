"""Reference-based imputation equals conditional-mean imputation where institutions do not differ.

rbmi does this for trials without groups (`method_condmean`). Here it is written out in NumPy from the definitions of Carpenter,
Roger & Kenward (2013, J Biopharm Stat 23:1352), and shares no code with the package: maximum likelihood for dropout that never
comes back is a regression of each visit on the visits before it (Anderson 1957, J Am Stat Assoc 52:200), with the arms' means and
one covariance; a missing block then takes its conditional mean, with the means of the reference arm after dropout (jump) or
throughout (copy).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import asp_eval

VISITS = ["w1", "w2", "w3"]
J, SIZE = 40, 40


def trial() -> pd.DataFrame:
    """Return a trial whose children drop out the more, the higher they scored, and whose institutions do not differ."""
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(J), SIZE)
    arm = g % 2
    S = np.array([[1.0, 0.6, 0.5], [0.6, 1.2, 0.8], [0.5, 0.8, 1.4]])
    y = rng.multivariate_normal(np.zeros(3), S, len(g)) - np.outer(arm, [0.0, 0.4, 0.8])
    gone2 = rng.random(len(g)) < 1 / (1 + np.exp(2.0 - y[:, 0]))
    gone3 = gone2 | (rng.random(len(g)) < 1 / (1 + np.exp(1.5 - y[:, 1])))
    y[gone2, 1], y[gone3, 2] = np.nan, np.nan
    return pd.DataFrame({"inst": g, "arm": np.where(arm, "new", "old"), **dict(zip(VISITS, y.T, strict=True))})


def likelihood(y: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the arms' means (2, 3), old first, and the covariance (3, 3) of greatest likelihood."""
    mean, S = np.zeros((2, 3)), np.zeros((3, 3))
    for t in range(3):
        seen = ~np.isnan(y[:, t])
        X = np.column_stack((~new, new, y[:, :t]))[seen].astype(float)
        slope = np.linalg.lstsq(X, y[seen, t], rcond=None)[0]
        mean[:, t] = slope[:2] + mean[:, :t] @ slope[2:]
        S[t, :t] = S[:t, t] = S[:t, :t] @ slope[2:]
        S[t, t] = ((y[seen, t] - X @ slope) ** 2).mean() + slope[2:] @ S[:t, t]
    return mean, S


def conditional_means(y: np.ndarray, new: np.ndarray, kind: str) -> np.ndarray:
    """Return the scores (n, 3) with conditional means in place of what is missing."""
    mean, S = likelihood(y, new)
    out = y.copy()
    for i in np.flatnonzero(np.isnan(y).any(axis=1)):
        m, o = np.isnan(y[i]), ~np.isnan(y[i])
        own = mean[int(new[i])]
        before, after = {"mar": (own, own), "jump": (own, mean[0]), "copy": (mean[0], mean[0])}[kind]
        out[i, m] = after[m] + S[np.ix_(m, o)] @ np.linalg.solve(S[np.ix_(o, o)], y[i, o] - before[o])
    return out


@pytest.fixture(scope="module")
def imputed():
    given = dict.fromkeys(VISITS, "continuous")
    return asp_eval.impute(trial(), given, group="inst", arm="arm", n=40, seed=1, covariance="common")


@pytest.mark.parametrize("kind", ["mar", "jump", "copy"])
def test_differences_at_every_visit(imputed, kind):
    frame = trial()
    new = (frame["arm"] == "new").to_numpy()
    filled = conditional_means(frame[VISITS].to_numpy(), new, kind)
    expected = filled[new].mean(0) - filled[~new].mean(0)
    data = imputed if kind == "mar" else imputed.reference_based(VISITS, kind, "old")
    found = np.array([one.loc[new, VISITS].mean() - one.loc[~new, VISITS].mean() for one in data])
    error = found.std(0, ddof=1) / np.sqrt(len(found))  # Monte Carlo
    assert (np.abs(found.mean(0) - expected) <= 4 * error + 0.005).all()  # and the prior's weight
    if kind != "mar":  # the three differ by much more than that
        plain = conditional_means(frame[VISITS].to_numpy(), new, "mar")
        assert abs(expected[2] - (plain[new].mean(0) - plain[~new].mean(0))[2]) > 0.1
