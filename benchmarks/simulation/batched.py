"""Every closed-form method on thousands of trials at a time.

The formulas are those of `asp_eval.stats`, written over a leading axis of trials: the package fits one trial in about a
millisecond, which a million trials do not allow. Nothing rests on the copy: the first trials of every block also go
through the package (`single`), the study prints the largest difference it met, and a test holds it below 1e-8.

Shapes: t trials, m clusters, p coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from asp_eval.stats.engine.one_ratio import GRID
from asp_eval.stats.engine.optimisation import SINGULAR
from asp_eval.stats.smallsample.sandwich import FULL_LEVERAGE

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
ARM = 1
"""Position of the effect among the coefficients."""
CLOSED_FORM = ("z", "between-within", "Satterthwaite", "Kenward-Roger", "OLS + CR1", "OLS + CR2", "cluster means")


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What one method says of the effect in t trials; NaN where it is unavailable.

    Attributes
    ----------
    estimate, std_error, df, p_value, conf_low, conf_high : ndarray (t,)
    """

    estimate: Array
    std_error: Array
    df: Array
    p_value: Array
    conf_low: Array
    conf_high: Array


@dataclass(frozen=True, slots=True, eq=False)
class RatioFits:
    """REML fits with one random intercept, in t trials.

    Attributes
    ----------
    d : ndarray (t,)
        tau^2 / sigma^2.
    singular : ndarray of bool (t,)
    n : ndarray (t,)
        Rows.
    h : ndarray (t, m)
        Cluster sizes.
    S, S_1, S_2 : ndarray (t, p + 1, p + 1)
        [X y]'V^-1[X y] in units of sigma^2, and its derivatives in d.
    """

    d: Array
    singular: Flags
    n: Array
    h: Array
    S: Array
    S_1: Array
    S_2: Array


def answer(estimate: Array, std_error: Array, df: Array, level: float = 0.95) -> Answers:
    """Return t tests and intervals; infinite `df` is the normal distribution."""
    normal = np.isinf(df)
    finite = np.where(normal, 1.0, df)
    t = np.abs(estimate / std_error)
    p = 2.0 * np.where(normal, special.ndtr(-t), special.stdtr(finite, -t))
    half = std_error * np.where(normal, special.ndtri((1 + level) / 2), special.stdtrit(finite, (1 + level) / 2))
    return Answers(estimate, std_error, df, p, estimate - half, estimate + half)


def closed_form(cross: Array) -> tuple[dict[str, Answers], Flags]:
    """Return the answers of every closed-form method, and which mixed-model fits are singular.

    Parameters
    ----------
    cross : ndarray (t, m, c, c)
        Cross-products of [1, arm, x, y] within clusters.
    """
    fits = fit_ratio(cross)
    found = mixed_answers(fits, float(cross.shape[1] - 2))
    return {**found, **robust_answers(cross), "cluster means": means_answers(cross)}, fits.singular


def fit_ratio(cross: Array) -> RatioFits:
    """Minimise the REML criterion in the variance ratio, for every trial: a grid, then Newton inside its bracket."""
    sums, root = cross[:, :, 0], cross.sum(axis=1)
    h, n = sums[..., 0].copy(), root[:, 0, 0].copy()
    c = sums.shape[-1]
    outer = (sums[..., :, None] * sums[..., None, :]).reshape(*sums.shape[:2], c * c)
    values = np.stack([_value(h, n, outer, root, np.full(len(n), d)) for d in GRID])
    best = values.argmin(axis=0)
    low = np.maximum(GRID[np.maximum(best - 1, 0)], 1e-12)
    high = np.append(GRID, GRID[-1] * 1e8)[best + 1]
    start = np.where(best > 0, GRID[best], GRID[1] / 2)
    d = _search(h, n, outer, root, start, low, high)
    zero = np.zeros_like(d)
    slope_at_zero, _ = _slopes(h, n, *_profile(h, outer, root, zero))
    lower = _value(h, n, outer, root, zero) <= _value(h, n, outer, root, d) + 1e-9
    d = np.where((best <= 1) & (d < GRID[1]) & lower & (slope_at_zero >= -1e-9 * n), 0.0, d)
    S, S_1, S_2 = _profile(h, outer, root, d)
    return RatioFits(d, np.sqrt(d) < SINGULAR, n, h, S, S_1, S_2)


def _weighted(weights: Array, outer: Array, c: int) -> Array:
    """Return the sums over clusters of c'c (t, c, c)."""
    return np.asarray((weights[:, None, :] @ outer)[:, 0].reshape(-1, c, c))


def _profile(h: Array, outer: Array, root: Array, d: Array) -> tuple[Array, Array, Array]:
    """Return S(d) with its derivatives."""
    v = 1.0 / (1.0 + d[:, None] * h)
    c = root.shape[-1]
    first = _weighted(v**2, outer, c)
    return root - _weighted(d[:, None] * v, outer, c), -first, 2.0 * _weighted(h * v**3, outer, c)


def _value(h: Array, n: Array, outer: Array, root: Array, d: Array) -> Array:
    """Return the REML criterion, up to a constant."""
    dh = d[:, None] * h
    S = root - _weighted(d[:, None] / (1.0 + dh), outer, root.shape[-1])
    p = S.shape[-1] - 1
    diagonal = np.log(np.einsum("tii->ti", np.linalg.cholesky(S)))
    return np.asarray(np.log1p(dh).sum(axis=1) + 2.0 * diagonal[:, :p].sum(axis=1) + 2.0 * (n - p) * diagonal[:, p])


def _slopes(h: Array, n: Array, S: Array, S_1: Array, S_2: Array, d: Array | None = None) -> tuple[Array, Array]:
    """Return the criterion's first and second derivatives in d."""
    p = S.shape[-1] - 1
    B, r2, r2_1, r2_2 = residual_derivatives(S, S_1, S_2)
    hv = h / (1.0 + (0.0 if d is None else d[:, None]) * h)
    BS = B @ S_1[:, :p, :p]
    log_det_1 = hv.sum(axis=1) + np.einsum("tii->t", BS)
    log_det_2 = -(hv**2).sum(axis=1) + np.einsum("tij,tji->t", B, S_2[:, :p, :p]) - np.einsum("tij,tji->t", BS, BS)
    N = n - p
    return log_det_1 + N * r2_1 / r2, log_det_2 + N * (r2_2 / r2 - (r2_1 / r2) ** 2)


def residual_derivatives(S: Array, S_1: Array, S_2: Array) -> tuple[Array, Array, Array, Array]:
    """Return B = S_xx^-1 (t, p, p) and r^2 with its derivatives in d (t,)."""
    p = S.shape[-1] - 1
    B = np.linalg.inv(S[:, :p, :p])
    beta = (B @ S[:, :p, p, None])[..., 0]
    v = np.concatenate([-beta, np.ones((len(S), 1))], axis=1)
    r2 = S[:, p, p] - (S[:, :p, p] * beta).sum(axis=1)
    Sv = (S_1 @ v[..., None])[..., 0]
    bent = np.einsum("ti,tij,tj->t", v, S_2, v) - 2.0 * np.einsum("ti,tij,tj->t", Sv[:, :p], B, Sv[:, :p])
    return B, r2, (Sv * v).sum(axis=1), bent


def _search(h: Array, n: Array, outer: Array, root: Array, d: Array, low: Array, high: Array) -> Array:
    """Return where the derivative vanishes between `low` and `high`, by Newton in log d that falls back on bisection."""
    d, low, high = d.copy(), low.copy(), high.copy()
    active = np.arange(len(d))
    for _ in range(100):
        at = d[active]
        S, S_1, S_2 = _profile(h[active], outer[active], root[active], at)
        first, second = _slopes(h[active], n[active], S, S_1, S_2, at)
        slope, bend = first * at, second * at**2 + first * at
        high[active] = np.where(slope > 0, at, high[active])
        low[active] = np.where(slope > 0, low[active], at)
        step = np.where(bend > 0, -slope / np.where(bend > 0, bend, 1.0), -2.0 * np.sign(slope))
        proposal = at * np.exp(np.clip(step, -3.0, 3.0))
        inside = (proposal > low[active]) & (proposal < high[active])
        proposal = np.where(inside, proposal, np.sqrt(low[active] * high[active]))
        d[active] = proposal
        active = active[(np.abs(np.log(proposal / at)) > 1e-11) & (high[active] > 1e-10)]
        if not len(active):
            break
    return d


def mixed_answers(fits: RatioFits, between: float) -> dict[str, Answers]:
    """Return z, between-within, Satterthwaite and Kenward-Roger."""
    p = fits.S.shape[-1] - 1
    Phi, r2, r2_1, r2_2 = residual_derivatives(fits.S, fits.S_1, fits.S_2)
    estimate = (Phi @ fits.S[:, :p, p, None])[:, ARM, 0]
    N, d = fits.n - p, fits.d
    sigma2 = r2 / N
    P, Q = _derivatives_of_information(fits, p)
    trace, det_1, det_2 = _traces(fits, Phi, p)
    hessian = _hessian(d, N, det_1, det_2, r2_1 / sigma2, r2_2 / sigma2)
    along = Phi[:, ARM]  # l'Phi
    variance = along[:, ARM]
    gradient = -np.einsum("ti,trij,tj->tr", along, P, along)
    satterthwaite = 2.0 * variance**2 / np.einsum("tr,trs,ts->t", gradient, 2.0 * _inverse(hessian), gradient)
    satterthwaite = np.where(fits.singular, np.nan, satterthwaite)
    W, Phi_A = _kenward_roger(Phi, P, Q, trace)
    u = -gradient / variance[:, None]
    kr_df = 2.0 / np.einsum("tr,trs,ts->t", u, W, u)
    se = np.sqrt(sigma2 * variance)
    missing = np.where(fits.singular, np.nan, 1.0)
    return {
        "z": answer(estimate, se, np.full_like(se, np.inf)),
        "between-within": answer(estimate, se, np.full_like(se, between)),
        "Satterthwaite": answer(estimate, se * missing, satterthwaite),
        "Kenward-Roger": answer(estimate, np.sqrt(sigma2 * Phi_A[:, ARM, ARM]), kr_df),
    }


def _derivatives_of_information(fits: RatioFits, p: int) -> tuple[Array, Array]:
    """Return P_r (t, 2, p, p) and Q_rs (t, 2, 2, p, p) in (tau^2, sigma^2), at sigma^2 = 1 (`mixed.derivatives`)."""
    S, S_1, S_2 = fits.S[:, :p, :p], fits.S_1[:, :p, :p], fits.S_2[:, :p, :p]
    d = fits.d[:, None, None]
    P = np.stack([S_1, -S - d * S_1], axis=1)
    both = -2.0 * S_1 - d * S_2
    second = np.stack([np.stack([S_2, both], axis=1), np.stack([both, 2.0 * S + 4.0 * d * S_1 + d**2 * S_2], axis=1)], axis=1)
    return P, 0.5 * second


def _traces(fits: RatioFits, Phi: Array, p: int) -> tuple[Array, Array, Array]:
    """Return tr(V^-1 G_r V^-1 G_s) (t, 2, 2), and the derivatives of the criterion's determinants in d (t,)."""
    d, h = fits.d, fits.h
    hv = h / (1.0 + d[:, None] * h)
    one, two = hv.sum(axis=1), (hv**2).sum(axis=1)
    trace = np.empty((len(d), 2, 2))
    trace[:, 0, 0] = two
    trace[:, 0, 1] = trace[:, 1, 0] = one - d * two
    trace[:, 1, 1] = fits.n - 2.0 * d * one + d**2 * two
    BS = Phi @ fits.S_1[:, :p, :p]
    det_1 = one + np.einsum("tii->t", BS)
    det_2 = -two + np.einsum("tij,tji->t", Phi, fits.S_2[:, :p, :p]) - np.einsum("tij,tji->t", BS, BS)
    return trace, det_1, det_2


def _hessian(d: Array, N: Array, det_1: Array, det_2: Array, rho_1: Array, rho_2: Array) -> Array:
    """Return the REML criterion's Hessian (t, 2, 2) in (tau^2, sigma^2) at sigma^2 = 1."""
    out = np.empty((len(d), 2, 2))
    out[:, 0, 0] = det_2 + rho_2
    out[:, 0, 1] = out[:, 1, 0] = -det_1 - d * det_2 - 2.0 * rho_1 - d * rho_2
    out[:, 1, 1] = 2.0 * d * det_1 + d**2 * det_2 - N + 2.0 * N + 4.0 * d * rho_1 + d**2 * rho_2
    return out


def _inverse(a: Array) -> Array:
    """Return the inverse of symmetric matrices (t, 2, 2), scaled to a unit diagonal first."""
    scale = np.sqrt(np.abs(np.einsum("tii->ti", a)))
    both = scale[:, :, None] * scale[:, None, :]
    return np.asarray(np.linalg.inv(a / both) / both)


def _kenward_roger(Phi: Array, P: Array, Q: Array, trace: Array) -> tuple[Array, Array]:
    """Return W (t, 2, 2) and the adjusted covariance (t, p, p)."""
    PhiP = Phi[:, None] @ P
    information = trace - 2.0 * np.einsum("trsij,tji->trs", Q, Phi) + np.einsum("trij,tsji->trs", PhiP, PhiP)
    W = 2.0 * _inverse(information)
    inner = np.einsum("trs,trsij->tij", W, Q) - np.einsum("trs,trij,tsjk->tik", W, P, PhiP)
    added = Phi @ inner @ Phi
    return W, Phi + added + added.swapaxes(1, 2)


def robust_answers(cross: Array) -> dict[str, Answers]:
    """Return least squares with CR1 and CR2 and Bell-McCaffrey degrees of freedom."""
    p = cross.shape[-1] - 1
    gram, right = cross[:, :, :p, :p], cross[:, :, :p, p]
    m = gram.shape[1]
    total = gram.sum(axis=1)
    beta = np.linalg.solve(total, right.sum(axis=1)[..., None])[..., 0]
    back = np.linalg.inv(np.linalg.cholesky(total).swapaxes(1, 2))
    K = back.swapaxes(1, 2)[:, None] @ gram @ back[:, None]
    scores = (right - (gram @ beta[:, None, :, None])[..., 0]) @ back
    leverage, directions = np.linalg.eigh(K)
    regular = leverage <= FULL_LEVERAGE
    power = np.where(regular, np.where(regular, 1.0 - leverage, 1.0) ** -0.5, 0.0)
    root = (directions * power[..., None, :]) @ directions.swapaxes(-1, -2)
    own = back[:, ARM]  # the effect as a contrast of the orthonormal columns
    plain = np.broadcast_to(own[:, None] * np.sqrt(m / (m - 1)), scores.shape)
    reduced = (own[:, None, None] @ root)[..., 0, :]
    return {"OLS + CR1": _sandwich(beta[:, ARM], plain, K, scores), "OLS + CR2": _sandwich(beta[:, ARM], reduced, K, scores)}


def _sandwich(estimate: Array, weights: Array, K: Array, scores: Array) -> Answers:
    """Return the answers of one kind: `weights` (t, m, p) is c'B_j, with B_j the kind's adjustment."""
    variance = ((weights * scores).sum(axis=-1) ** 2).sum(axis=1)
    a = (weights[..., None, :] @ K)[..., 0, :]
    diagonal = (a * weights).sum(axis=-1)
    cross = a @ a.swapaxes(1, 2)
    P = -cross
    each = np.arange(P.shape[1])
    P[:, each, each] += diagonal
    df = np.einsum("tjj->t", P) ** 2 / (P**2).sum(axis=(1, 2))
    return answer(estimate, np.sqrt(variance), df)


def means_answers(cross: Array) -> Answers:
    """Return the t test of the clusters' means, every cluster counting once."""
    n = cross[:, :, 0, 0]
    y, arm = cross[:, :, 0, -1] / n, cross[:, :, 0, 1] / n
    m, treated = y.shape[1], arm.sum(axis=1)
    untreated = m - treated
    mean_1 = (y * arm).sum(axis=1) / treated
    mean_0 = (y * (1 - arm)).sum(axis=1) / untreated
    fitted = np.where(arm > 0, mean_1[:, None], mean_0[:, None])
    s2 = ((y - fitted) ** 2).sum(axis=1) / (m - 2)
    return answer(mean_1 - mean_0, np.sqrt(s2 * (1 / treated + 1 / untreated)), np.full(len(y), float(m - 2)))
