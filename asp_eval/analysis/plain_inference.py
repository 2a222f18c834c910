r"""Small-sample inference a second time, written down plainly in NumPy: it shares no code with the engine, and no library has it.

The mixed model of one random intercept is fitted by searching one number, the variance ratio; Kenward-Roger's standard error and
degrees of freedom, and CR2's, are then formulas of whole matrices, one institution's block after the other: with
:math:`V = \sigma^2 I + \tau^2 ZZ'`, :math:`G_1 = ZZ'`, :math:`G_2 = I`, :math:`\Phi = (X'V^{-1}X)^{-1}`,

.. math:: P_i = -X'V^{-1}G_iV^{-1}X, \quad Q_{ij} = X'V^{-1}G_iV^{-1}G_jV^{-1}X, \quad
   \Phi_A = \Phi + 2\Phi \{\sum_{ij} W_{ij}(Q_{ij} - P_i\Phi P_j)\} \Phi

with W the inverse of the expected information of :math:`(\tau^2, \sigma^2)` (Kenward & Roger 1997, Biometrics 53:983-997). CR2
and its degrees of freedom are those of Bell & McCaffrey (2002) for least squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, stats

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Array

NOT_PLAIN = Unavailable(Phrase("some columns make up others, which the plain computation does not sort out"))
NO_VARIANCE = Unavailable(Phrase("the model leaves nothing of the outcome unexplained, so that there is no variance to estimate"))
LARGEST_RATIO = 1e4
NOTHING_LEFT = 1e-10  # of the length of the outcome, that rounding leaves
LEAST_EIGENVALUE = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class PlainRows:
    """Rows of a model.

    Attributes
    ----------
    y : ndarray (n,)
    X : ndarray (n, p)
    names : tuple of str
        Of the columns.
    blocks : list of ndarray of int
        Rows of each institution.
    """

    y: Array
    X: Array
    names: tuple[str, ...]
    blocks: list[np.ndarray]


@dataclass(frozen=True, slots=True)
class PlainTest:
    """A coefficient with its standard error, degrees of freedom, p-value and interval."""

    estimate: float
    std_error: float
    df: float
    p_value: float
    conf_low: float
    conf_high: float


@dataclass(frozen=True, slots=True)
class PlainVariances:
    """Between and within institutions, by REML."""

    between: float
    within: float

    @property
    def icc(self) -> float:
        """Share of the variance that lies between institutions."""
        return self.between / (self.between + self.within)


def plain_rows(frame: pd.DataFrame, response: str, terms: list[str], group: str) -> PlainRows | Unavailable:
    """Return a constant, numbers as they are, and an indicator of every category but the first.

    Parameters
    ----------
    frame : DataFrame
    response : str
    terms : list of str
    group : str
    """
    columns, names = [np.ones(len(frame))], ["Intercept"]
    for term in terms:
        values = frame[term]
        if pd.api.types.is_numeric_dtype(values.dtype):
            columns.append(values.to_numpy(dtype=float))
            names.append(term)
            continue
        for level in list(values.astype("category").cat.categories)[1:]:
            columns.append((values == level).to_numpy(dtype=float))
            names.append(f"{term}[T.{level}]")
    X = np.column_stack(columns)
    if len(X) <= X.shape[1] or not _independent(X):
        return NOT_PLAIN
    y = frame[response].to_numpy(dtype=float)
    left = y - X @ np.linalg.lstsq(X, y)[0]
    if np.linalg.norm(left) <= NOTHING_LEFT * max(1.0, float(np.linalg.norm(y))):
        return NO_VARIANCE
    blocks = [np.asarray(rows) for rows in frame.groupby(group, observed=True).indices.values()]
    return PlainRows(y, X, tuple(names), blocks)


def _independent(X: Array) -> bool:
    """Return whether no column makes up another, by the singular values of X, which are those of R in X = QR."""
    shares = np.linalg.svd(np.linalg.qr(X, mode="r"), compute_uv=False)
    return bool(shares.min() > shares.max() * len(X) * np.finfo(float).eps)


def plain_variances(rows: PlainRows) -> PlainVariances:
    """Return the variances of a random-intercept model, by REML: the smallest criterion over the variance ratio."""
    weighted = np.column_stack([rows.X, rows.y])
    of_rows = weighted.T @ weighted
    sums = np.array([weighted[block].sum(axis=0) for block in rows.blocks])
    sizes = np.array([len(block) for block in rows.blocks])

    def minus_twice(ratio: float) -> float:
        cross = of_rows - (sums.T * (ratio / (1.0 + sizes * ratio))) @ sums
        log_det = np.log1p(sizes * ratio).sum()
        A, b, c = cross[:-1, :-1], cross[:-1, -1], cross[-1, -1]
        rss = c - b @ np.linalg.solve(A, b)
        degrees = len(rows.y) - A.shape[0]
        found.update(ratio=ratio, within=rss / degrees)
        return float(degrees * np.log(rss) + log_det + np.linalg.slogdet(A)[1])

    found: dict[str, float] = {}
    inner = optimize.minimize_scalar(
        lambda x: minus_twice(np.exp(x)), bounds=(np.log(1e-9), np.log(LARGEST_RATIO)), method="bounded", options={"xatol": 1e-11}
    )
    ratio = float(np.exp(inner.x))
    minus_twice(ratio if inner.fun < minus_twice(0.0) else 0.0)
    return PlainVariances(found["ratio"] * found["within"], found["within"])


def _of_one_size(blocks: list[np.ndarray]) -> list[np.ndarray]:
    """Return the rows of all institutions of a size (m, n), for every size: their matrices are taken together."""
    sizes = np.array([len(block) for block in blocks])
    return [np.array([blocks[at] for at in np.flatnonzero(sizes == n)]) for n in np.unique(sizes)]


def plain_kenward_roger(rows: PlainRows, variances: PlainVariances, term: str, level: float) -> PlainTest:
    """Return a coefficient of the mixed model by Kenward-Roger."""
    p, k = rows.X.shape[1], rows.names.index(term)
    XVX, XVy = np.zeros((p, p)), np.zeros(p)
    P, Q, T = np.zeros((2, p, p)), np.zeros((2, 2, p, p)), np.zeros((2, 2))
    for same in _of_one_size(rows.blocks):
        (m, n), X = same.shape, rows.X[same]
        G = (np.ones((n, n)), np.eye(n))
        inverse = np.linalg.inv(variances.between * G[0] + variances.within * G[1])
        left = inverse @ X  # so that no product of two matrices of (n, n) is taken more often than it has to be
        transposed = left.transpose(0, 2, 1)
        XVX, XVy = XVX + (transposed @ X).sum(axis=0), XVy + (transposed @ rows.y[same][:, :, None]).sum(axis=0)[:, 0]
        weighted = (inverse @ G[0], inverse)
        for i in range(2):
            P[i] -= (transposed @ (G[i] @ left)).sum(axis=0)
            for j in range(2):
                Q[i, j] += ((G[i] @ left).transpose(0, 2, 1) @ (inverse @ (G[j] @ left))).sum(axis=0)
                T[i, j] += m * float((weighted[i] * weighted[j].T).sum())
    phi = np.linalg.inv(XVX)
    information = np.array(
        [[0.5 * (T[i, j] - 2 * np.trace(phi @ Q[i, j]) + np.trace(phi @ P[i] @ phi @ P[j])) for j in range(2)] for i in range(2)]
    )
    W = np.linalg.inv(information)
    middle = sum(W[i, j] * (Q[i, j] - P[i] @ phi @ P[j]) for i in range(2) for j in range(2))
    adjusted = phi + 2.0 * phi @ middle @ phi
    v = np.array([(phi @ P[i] @ phi)[k, k] / phi[k, k] for i in range(2)])
    return _tested(float((phi @ XVy)[k]), float(np.sqrt(adjusted[k, k])), _degrees(float(v @ W @ v)), level)


def _degrees(a: float) -> float:
    """Return Kenward-Roger's denominator degrees of freedom of one contrast, for which A1 = A2 = a."""
    B, g = 3.5 * a, -1.0
    c1, c2, c3 = (x / (3.0 + 2.0 * (1.0 - g)) for x in (g, 1.0 - g, 3.0 - g))
    expected = 1.0 / (1.0 - a)
    variance = 2.0 * (1.0 + c1 * B) / ((1.0 - c2 * B) ** 2 * (1.0 - c3 * B))
    return float(4.0 + 3.0 / (variance / (2.0 * expected**2) - 1.0))


def plain_cr2(rows: PlainRows, term: str, level: float) -> PlainTest:
    """Return a coefficient of least squares by CR2 with Satterthwaite degrees of freedom."""
    k, bread = rows.names.index(term), np.linalg.inv(rows.X.T @ rows.X)
    half = np.linalg.cholesky(bread)
    beta = bread @ rows.X.T @ rows.y
    residuals = rows.y - rows.X @ beta
    meat, lengths, crossed = 0.0, [], []
    for same in _of_one_size(rows.blocks):
        X = rows.X[same]
        axes, shares, _ = np.linalg.svd(X @ half, full_matrices=False)  # of X (X'X)^-1 X', whose other eigenvalues are 0
        values, hatted = 1.0 - shares**2, X @ bread[:, k]
        root = np.where(values > LEAST_EIGENVALUE, 1.0 / np.sqrt(np.maximum(values, LEAST_EIGENVALUE)), 0.0)
        along = (axes.transpose(0, 2, 1) @ hatted[:, :, None])[:, :, 0]
        a = hatted + (axes @ ((root - 1.0) * along)[:, :, None])[:, :, 0]
        meat += float(((a * residuals[same]).sum(axis=1) ** 2).sum())
        lengths.append((a**2).sum(axis=1))
        crossed.append((X.transpose(0, 2, 1) @ a[:, :, None])[:, :, 0])
    # G, of the vectors (I - H) a, is diag(d) - U (X'X)^-1 U' with as many rows as institutions: its traces need no such matrix
    d, U = np.concatenate(lengths), np.concatenate(crossed)
    shared, inner = bread @ (U.T @ U), ((U @ bread) * U).sum(axis=1)
    trace, squares = d.sum() - inner.sum(), (d**2).sum() - 2.0 * (d * inner).sum() + np.trace(shared @ shared)
    return _tested(float(beta[k]), float(np.sqrt(meat)), float(trace**2 / squares), level)


def plain_jackknife(rows: PlainRows, arms: Array, probabilities: Array, k: int, *, by_size: bool) -> tuple[float, float]:
    """Return the standardised difference of arm k and the first, and its jackknife's standard error, by refits of the rows.

    Parameters
    ----------
    rows : PlainRows
        The columns after the constant are the indicators of the arms after the first, then the covariates.
    arms : ndarray of int (J,)
        Of each institution, in the order of the blocks.
    probabilities : ndarray (J, arms)
    k : int
    by_size : bool
        Whether children, and not institutions, count alike.
    """
    n_arms, every = probabilities.shape[1], list(range(len(rows.blocks)))

    def difference(used: list[int]) -> float:
        taken = np.concatenate([rows.blocks[i] for i in used])
        beta = np.linalg.lstsq(rows.X[taken], rows.y[taken], rcond=None)[0]
        parts, sizes = [], []
        for i in used:
            X, y = rows.X[rows.blocks[i]].copy(), rows.y[rows.blocks[i]].mean()
            own = []
            for arm in range(n_arms):
                X[:, 1:n_arms] = 0.0
                if arm:
                    X[:, arm] = 1.0
                fitted = float((X @ beta).mean())
                own.append(fitted + (y - fitted) / probabilities[i, arm] if arms[i] == arm else fitted)
            parts.append(own[k] - own[0])
            sizes.append(len(X))
        return float(np.average(parts, weights=sizes if by_size else None))

    left_out = [difference([i for i in every if i != one]) for one in every]
    J = len(every)
    return difference(every), float(np.sqrt((J - 1) ** 2 / J * np.var(left_out, ddof=1)))


def _tested(estimate: float, std_error: float, df: float, level: float) -> PlainTest:
    half = float(stats.t.ppf(0.5 + level / 2.0, df)) * std_error
    p = 2.0 * float(stats.t.sf(abs(estimate) / std_error, df))
    return PlainTest(estimate, std_error, df, p, estimate - half, estimate + half)
