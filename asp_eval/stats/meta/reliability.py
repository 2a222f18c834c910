r"""Internal consistency of a scale whose respondents are in clusters.

Cronbach's alpha of k items, from their covariances :math:`c_{ij}`; the standardised and the ordinal one from correlations,
Pearson's and polychoric:

.. math:: \alpha = \frac{k}{k - 1} \left(1 - \frac{\sum_i c_{ii}}{\sum_{ij} c_{ij}}\right)

The interval of Feldt, Woodruff & Salih (1987, Applied Psychological Measurement 11:93-103) takes respondents for independent.
`clustered_alpha` does not: with 20 clusters or more they are drawn with replacement, respondents kept, and the interval is of
percentiles; with fewer each is left out in turn (jackknife), with t; with fewer than five there is none.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.core.randomness import stream
from asp_eval.stats.estimate import Array, Estimate
from asp_eval.stats.meta.one_factor import OneFactor, one_factor_minres, one_factor_ml
from asp_eval.stats.meta.polychoric import polychoric

FEWEST_ANSWERS = 20  # complete answers; below, an alpha says nothing
RESAMPLED_FROM, JACKKNIFE_FROM = 20, 5  # clusters
DRAWS, SEED = 2000, 1

TOO_FEW = Unavailable(Phrase("too few complete answers"))
FEW_CLUSTERS = Phrase("the children are in fewer than five institutions, too few to say how sure this is")


class ScaleReliability(TypedDict):
    """What `reliability` returns; a number that cannot be had is an `Unavailable`."""

    n_all: int
    n_complete: int
    alpha: float
    alpha_feldt_low: float
    alpha_feldt_high: float
    average_r: float
    alpha_standardised: float
    item_rest: dict[str, float]
    alpha_if_dropped: dict[str, float]
    omega_total: float | Unavailable
    omega_total_over_observed_variance: float | Unavailable
    loadings: list[float]
    residual_variances: list[float]
    polychoric: pd.DataFrame
    ordinal_alpha: float
    ordinal_omega: float | Unavailable
    floor: dict[str, float]
    ceiling: dict[str, float]
    alpha_within: float | None
    alpha_between: float | None


def reliability(frame: pd.DataFrame, items: list[str], group: str | None = None, level: float = 0.95) -> ScaleReliability:
    """Return how well the items of a scale hang together, on the rows where all are answered.

    Parameters
    ----------
    frame : pandas.DataFrame
    items : list of str
        Columns of numbers, the reversed items turned round.
    group : str, optional
        Column of the clusters, for alpha within and between them.
    level : float
        Of Feldt's interval.

    Returns
    -------
    dict
        Cronbach's alpha with Feldt's interval; item-rest correlations and alpha without each item; omega total of one factor by
        maximum likelihood; polychoric correlations with the ordinal alpha, and omega of their factor by least squares; shares of
        the lowest and highest answer.

    References
    ----------
    Zumbo, Gadermann & Zeisser (2007), Journal of Modern Applied Statistical Methods 6:21-29. R: ``psych::alpha``,
    ``lavaan::cfa``, ``polycor::polychor``.

    Examples
    --------
    >>> rows = [[1, 2, 2], [2, 3, 3], [3, 3, 4], [4, 5, 5]] * 5
    >>> round(reliability(pd.DataFrame(rows, columns=["a", "b", "c"]), ["a", "b", "c"])["alpha"], 4)  # 1.5 (1 - 3.6875 / 10.6875)
    0.9825
    """
    whole = frame[[*items, *([group] if group else [])]].dropna()
    X, k, n = whole[items].to_numpy(dtype=float), len(items), len(whole)
    C, R, latent = np.cov(X.T), np.corrcoef(X.T), polychoric(X)
    alpha, average = alpha_of(C), float((R.sum() - k) / (k * (k - 1)))
    low, high = (1 - (1 - alpha) * float(special.fdtri(n - 1, (n - 1) * (k - 1), q)) for q in (0.5 + level / 2, 0.5 - level / 2))
    factor, ordinal = one_factor_ml(C), one_factor_minres(latent)
    rest = {name: float(np.corrcoef(X[:, i], np.delete(X, i, axis=1).sum(axis=1))[0, 1]) for i, name in enumerate(items)}
    dropped = {name: alpha_of(np.delete(np.delete(C, i, 0), i, 1)) for i, name in enumerate(items)}
    within, between = (None, None) if group is None else _within_and_between(X, pd.factorize(whole[group])[0])
    return ScaleReliability(
        n_all=len(frame),
        n_complete=n,
        alpha=alpha,
        alpha_feldt_low=low,
        alpha_feldt_high=high,
        average_r=average,
        alpha_standardised=alpha_of(R),
        item_rest=rest,
        alpha_if_dropped=dropped,
        omega_total=factor.omega if isinstance(factor, OneFactor) else factor,
        omega_total_over_observed_variance=float(factor.loadings.sum() ** 2 / C.sum())
        if isinstance(factor, OneFactor)
        else factor,
        loadings=factor.loadings.tolist() if isinstance(factor, OneFactor) else [],
        residual_variances=factor.residuals.tolist() if isinstance(factor, OneFactor) else [],
        polychoric=pd.DataFrame(latent, items, items),
        ordinal_alpha=alpha_of(latent),
        ordinal_omega=ordinal.omega if isinstance(ordinal, OneFactor) else ordinal,
        floor=_share(X, items, X.min()),
        ceiling=_share(X, items, X.max()),
        alpha_within=within,
        alpha_between=between,
    )


def alpha_of(C: Array) -> float:
    """Return alpha from the covariances of items (k, k)."""
    k = len(C)
    return float(k / (k - 1) * (1.0 - np.trace(C) / C.sum()))


def _share(X: Array, items: list[str], value: float) -> dict[str, float]:
    return {name: float((X[:, i] == value).mean()) for i, name in enumerate(items)}


def _within_and_between(X: Array, codes: npt.NDArray[np.intp]) -> tuple[float, float]:
    """Return alpha of the pooled covariance within clusters, and of what is between them beyond that."""
    sizes = np.bincount(codes).astype(float)
    J, n = len(sizes), len(X)
    means = np.column_stack([np.bincount(codes, column, J) for column in X.T]) / sizes[:, None]
    apart, deviations = means - X.mean(axis=0), X - means[codes]
    within = deviations.T @ deviations / (n - J)
    size = (n - (sizes**2).sum() / n) / (J - 1)
    between = ((apart * sizes[:, None]).T @ apart / (J - 1) - within) / size
    return alpha_of(within), alpha_of(between)


def clustered_alpha(items: pd.DataFrame, clusters: pd.Series, level: float = 0.95) -> Estimate | Unavailable:
    """Return Cronbach's alpha with an interval that knows the clusters.

    Parameters
    ----------
    items : DataFrame, shape (n, k)
        Complete answers, the reversed items turned round.
    clusters : Series (n,)
    level : float

    Examples
    --------
    >>> rows = pd.DataFrame([[1, 2, 2], [2, 3, 3], [3, 3, 4], [4, 5, 5]] * 10, columns=["a", "b", "c"])
    >>> found = clustered_alpha(rows, pd.Series([k // 4 for k in range(40)]))
    >>> round(found.estimate, 4), found.df, found.method  # ten clusters that are all alike
    (0.9825, 9.0, 'Jackknife')
    """
    X = items.to_numpy(dtype=float)
    if len(X) < FEWEST_ANSWERS or X.shape[1] < 2 or not X.sum(axis=1).var() > 0:
        return TOO_FEW
    codes, n_items = pd.factorize(clusters)[0], X.shape[1]
    J = int(codes.max()) + 1
    centred = X - X.mean(axis=0)
    rows = np.column_stack([np.ones(len(X)), (centred**2).sum(axis=1), centred.sum(axis=1) ** 2, centred])
    sums: Array = np.column_stack([np.bincount(codes, column, J) for column in rows.T]).astype(np.float64, copy=False)
    alpha = float(_alphas(np.ones((1, J)), sums, n_items)[0])
    if J < JACKKNIFE_FROM:
        return Estimate.unavailable("alpha", FEW_CLUSTERS, estimate=alpha)
    if J < RESAMPLED_FROM:
        left_out = _alphas(1.0 - np.eye(J), sums, n_items)
        se = float(np.sqrt((J - 1) / J * ((left_out - left_out.mean()) ** 2).sum()))
        half = float(special.stdtrit(J - 1, 0.5 + level / 2)) * se
        return Estimate("alpha", alpha, se, float(J - 1), None, None, alpha - half, alpha + half, "Jackknife", NO_TEST)
    drawn = _alphas(_counts_drawn(J).astype(float), sums, n_items)
    low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2])
    return Estimate(
        "alpha", alpha, float(drawn.std(ddof=1)), None, None, None, float(low), float(high), "ClusterBootstrap", NO_TEST
    )


NO_TEST = Phrase("it has no test of its own")


@lru_cache(maxsize=16)  # of every wave and arm, which the scales of a form have alike
def _counts_drawn(J: int) -> npt.NDArray[np.integer]:
    """Return how often each of J clusters is in each draw, (DRAWS, J)."""
    counts = stream(SEED, "alpha").multinomial(J, np.full(J, 1.0 / J), size=DRAWS)
    return counts.astype(np.min_scalar_type(int(counts.max())))


def _alphas(weights: Array, sums: Array, k: int) -> Array:
    """Return alpha for every row of weights of the clusters (B, J).

    Parameters
    ----------
    weights : ndarray (B, J)
    sums : ndarray (J, 3 + k)
        Over each cluster, of ones, squares of the items, squares of their sum, and the items.
    k : int
    """
    total = weights @ sums
    n, first = total[:, 0], total[:, 3:]
    of_items = total[:, 1] - (first**2).sum(axis=1) / n
    of_their_sum = total[:, 2] - first.sum(axis=1) ** 2 / n
    return np.asarray(k / (k - 1) * (1.0 - of_items / of_their_sum))
