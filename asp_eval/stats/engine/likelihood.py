"""The profiled criterion: -2 log likelihood (ML) or REML criterion, as a function of D alone.

With S = [X y]'V^-1[X y] in units of sigma^2 (V = W^-1 + Z D Z'), v = (-beta', 1)' and N = n (ML) or n - p (REML):

    beta(D)    = S_xx^-1 S_xy
    r^2(D)     = v' S v = S_yy - S_yx S_xx^-1 S_xy
    sigma^2(D) = r^2 / N
    d(D)       = log |V| [+ log |S_xx|] + N (1 + log(2 pi r^2 / N))       (Bates et al. 2015, eqs. 34 and 41)

Derivatives use  r^2_r = v' S_r v  and  r^2_rs = v' S_rs v - 2 (S_r v)_x' S_xx^-1 (S_s v)_x.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

from asp_eval.core.errors import Fault
from asp_eval.stats.engine.profile import Profile
from asp_eval.stats.estimate import Array

UNBOUNDED = Fault(
    "FIT-056",
    "the random effects predict the outcome exactly, so its residual variance cannot be estimated",
    "Check for copied outcomes within groups, or use fewer random effects.",
)


LEFT = 1e-11
"""Share of the outcome's sum of squares; cross-products in double precision tell five digits of a residual this small."""


class Criterion(NamedTuple):
    """The criterion at one D, in standard units.

    Attributes
    ----------
    profile : Profile
    value : float
    gradient : ndarray (s,)
    hessian : ndarray (s, s)
    beta : ndarray (p,)
    B : ndarray (p, p)
        S_xx^-1, the covariance of beta in units of sigma^2.
    r2 : float
    r2_1, r2_2 : ndarray (s,), (s, s)
    log_det_1, log_det_2 : ndarray (s,), (s, s)
        Derivatives of the determinants' part of the criterion.
    N : int
    """

    profile: Profile
    value: float
    gradient: Array
    hessian: Array
    beta: Array
    B: Array
    r2: float
    r2_1: Array
    r2_2: Array
    log_det_1: Array
    log_det_2: Array
    N: int

    @property
    def average_hessian(self) -> Array:
        """The Hessian (s, s) with the determinants' part as r^2_rs leads to expect it: it needs no trace.

        It is the average of the observed and the expected information (Gilmour, Thompson & Cullis 1995, Biometrics 51:1440).
        """
        return self.N * (0.5 * self.r2_2 / self.r2 - np.outer(self.r2_1, self.r2_1) / self.r2**2)

    @property
    def sigma2(self) -> float:
        """The residual variance that maximises the likelihood at this D."""
        return self.r2 / self.N


class Solved(NamedTuple):
    """Generalised least squares at one D.

    Attributes
    ----------
    L : ndarray (p, p)
        S_xx = L L'.
    B : ndarray (p, p)
    beta : ndarray (p,)
    r2 : float
    v : ndarray (p + 1,)
        (-beta', 1)'.
    """

    L: Array
    B: Array
    beta: Array
    r2: float
    v: Array


class RatioCriterion(NamedTuple):
    """The criterion at one variance ratio: numbers where `Criterion` has arrays of one, which take most of a search's time.

    Attributes
    ----------
    S : ndarray (3, p + 1, p + 1)
        [X y]'V^-1[X y] and its derivatives.
    log_dets : tuple of float
        log |V| and its derivatives.
    value, gradient, hessian : float
    solved : Solved
    r2_1, r2_2, log_det_1, log_det_2 : float
    N : int
    """

    S: Array
    log_dets: tuple[float, float, float]
    value: float
    gradient: float
    hessian: float
    solved: Solved
    r2_1: float
    r2_2: float
    log_det_1: float
    log_det_2: float
    N: int

    def whole(self) -> Criterion:
        """Return the criterion as that of a model with any number of ratios."""
        log_det, *log_dets = self.log_dets
        first = np.array([log_dets[0], self.gradient, self.r2_1, self.log_det_1])[:, None]
        second = np.array([log_dets[1], self.hessian, self.r2_2, self.log_det_2])[:, None, None]
        profile = Profile(log_det, first[0], second[0], self.S[0], self.S[1:2], self.S[None, 2:])
        _, B, beta, r2, _ = self.solved
        residual, determinants = (r2, first[2], second[2]), (first[3], second[3])
        return Criterion(profile, self.value, first[1], second[1], beta, B, *residual, *determinants, self.N)


def solved(S: Array) -> Solved | None:
    """Return the coefficients of [X y]'V^-1[X y], or None where they are lost in rounding: no step may end there."""
    p = len(S) - 1
    L, failed = lapack.dpotrf(S[:p, :p], lower=1)
    if failed:  # D so large that X'V^-1 X is lost
        return None
    B = _inverse(L)
    beta = B @ S[:p, p]
    r2 = float(S[p, p] - S[:p, p] @ beta)
    r2 = max(r2, 1e-16 * float(S[p, p]))  # below is rounding; `determined` refuses an estimate there
    if not r2 > 0:
        return None
    v = np.empty(p + 1)
    np.negative(beta, out=v[:p])
    v[p] = 1.0
    return Solved(L, B, beta, r2, v)


def ratio_criterion(S: Array, log_dets: tuple[float, float, float], n: int, *, reml: bool) -> RatioCriterion:
    """Return the profiled criterion in one variance ratio; see `criterion`.

    Parameters
    ----------
    S : ndarray (3, p + 1, p + 1)
        [X y]'V^-1[X y] and its derivatives.
    log_dets : tuple of float
        log |V| and its derivatives.
    n : int
        Rows.
    reml : bool
    """
    p = S.shape[1] - 1
    N = n - p if reml else n
    found = solved(S[0])
    if found is None:
        lost = Solved(np.eye(p), np.eye(p), np.zeros(p), 0.0, np.zeros(p + 1))
        return RatioCriterion(S, log_dets, np.inf, 0.0, 0.0, lost, 0.0, 0.0, 0.0, 0.0, N)
    L, B, _, r2, v = found
    Sv = S[1] @ v
    Sx = Sv[:p]
    r2_1, r2_2 = float(Sv @ v), float(S[2] @ v @ v - 2.0 * Sx @ B @ Sx)
    log_det, log_det_1, log_det_2 = log_dets
    if reml:
        BS = B @ S[1, :p, :p]
        log_det += 2.0 * float(np.add.reduce(np.log(L.diagonal())))
        log_det_1 += float(np.add.reduce(BS.diagonal()))
        bent, twice = np.add.reduce(S[2, :p, :p] * B, axis=(0, 1)), BS.ravel() @ BS.T.ravel()
        log_det_2 = log_det_2 + float(bent) - float(twice)
    value = log_det + N * (1.0 + float(np.log(2.0 * np.pi * r2 / N)))
    gradient = log_det_1 + N * r2_1 / r2
    hessian = log_det_2 + N * (r2_2 / r2 - r2_1 * r2_1 / r2**2)
    return RatioCriterion(S, log_dets, value, gradient, hessian, found, r2_1, r2_2, log_det_1, log_det_2, N)


def criterion(profile: Profile, n: int, *, reml: bool) -> Criterion:
    """Return the profiled criterion with its derivatives in D."""
    p = len(profile.S) - 1
    N = n - p if reml else n
    found = solved(profile.S)
    if found is None:
        return _out_of_range(profile, N)
    L, B, beta, r2, v = found
    Sv = profile.S_1 @ v  # (s, p + 1)
    Sx = Sv[:, :p]
    r2_1 = Sv @ v
    r2_2 = profile.S_2 @ v @ v - 2.0 * Sx @ B @ Sx.T
    log_det, log_det_1, log_det_2 = profile.log_det, profile.log_det_1, profile.log_det_2
    if reml:
        BS = B @ profile.S_1[:, :p, :p]
        log_det = log_det + 2.0 * float(np.add.reduce(np.log(L.diagonal())))
        flat = BS.reshape(len(BS), -1)
        log_det_1 = log_det_1 + np.add.reduce(flat[:, :: p + 1], axis=1)
        products = flat @ BS.transpose(0, 2, 1).reshape(len(BS), -1).T
        log_det_2 = log_det_2 + np.add.reduce(profile.S_2[:, :, :p, :p] * B, axis=(2, 3)) - products
    value = log_det + N * (1.0 + float(np.log(2.0 * np.pi * r2 / N)))
    gradient = log_det_1 + N * r2_1 / r2
    hessian = log_det_2 + N * (r2_2 / r2 - r2_1[:, None] * r2_1 / r2**2)
    return Criterion(profile, value, gradient, hessian, beta, B, r2, r2_1, r2_2, log_det_1, log_det_2, N)


def _out_of_range(profile: Profile, N: int) -> Criterion:
    """Return an infinite criterion."""
    p, s = len(profile.S) - 1, len(profile.S_1)
    flat, bent = np.zeros(s), np.zeros((s, s))
    return Criterion(profile, np.inf, flat, bent, np.zeros(p), np.eye(p), 0.0, flat, bent, flat, bent, N)


def determined(found: Criterion, total: float) -> Criterion:
    """Return the criterion at the estimate, unless the residual is lost in the rounding of the cross-products.

    Raises
    ------
    Refusal
        If less than `LEFT` of the outcome's sum of squares `total` is left.
    """
    if found.r2 < LEFT * total:
        UNBOUNDED.refuse()
    return found


def _inverse(L: npt.NDArray[Any]) -> Array:
    """Return (L L')^-1 from a lower triangular factor."""
    half, _ = lapack.dtrtri(L, lower=1)
    return np.asarray(half.T @ half, float)
