"""Kenward and Roger's adjusted covariance and F test (1997, Biometrics 53:983), with the conventions of pbkrtest.

V is linear in phi, whose elements are variances and covariances; the information is the expected one. In the paper's
letters, with n_Theta = Phi etc. as in `asp_eval.stats.smallsample.variance`:

    2 [W^-1]_rs = tr(V^-1 G_r V^-1 G_s) - 2 tr(Phi Q_rs) + tr(Phi P_r Phi P_s)          (eq. 5)
    Phi_A       = Phi + 2 Phi { sum_rs W_rs (Q_rs - P_r Phi P_s) } Phi                  (eq. 4; d2V/dphi2 = 0)
    Theta       = L'(L Phi L')^-1 L
    A_1 = sum W_rs tr(Theta Phi P_r Phi) tr(Theta Phi P_s Phi)
    A_2 = sum W_rs tr(Theta Phi P_r Phi Theta Phi P_s Phi)                              (p. 987)

and F = lambda (L beta)'(L Phi_A L')^-1 L beta / q on q and m degrees of freedom. m and lambda follow the paper's
moment matching; where pbkrtest guards against division by zero (the 2009 note's cases), so does this.
No n-by-n matrix is formed and nothing depends on the size of the groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase, notes_in_one
from asp_eval.stats.estimate import Array
from asp_eval.stats.smallsample.method import ContrastErrors, Fit, FTest, Method
from asp_eval.stats.smallsample.variance import MixedModelFit, VarianceDerivatives, contrast_variances, mixed_model, wald_f

REFITTED = Phrase("fitted by ML; estimates and tests here are those of the REML refit, which Kenward-Roger needs")
SINGULAR_NOTE = Phrase("singular fit: a variance of the random effects is estimated as zero, or a correlation as one")


@dataclass(frozen=True, slots=True)
class KenwardRoger(Method):
    """t and F from the adjusted covariance matrix; what to use with few groups."""

    def covariance(self, fit: Fit) -> Array | Unavailable:
        """Return Phi_A (p, p)."""
        found = _adjusted(fit, self.name)
        return found if isinstance(found, Unavailable) else found.model.back @ found.Phi_A @ found.model.back.T

    def errors(self, fit: Fit, contrasts: Array) -> ContrastErrors | Unavailable:
        """Return adjusted standard errors and degrees of freedom of each contrast."""
        found = _adjusted(fit, self.name)
        if isinstance(found, Unavailable):
            return found
        L = found.model.standard(contrasts)
        std_error = np.sqrt(contrast_variances(L, found.Phi_A))
        df = one_contrast_df(found.model, found.W, L)
        estimate = None if found.fit is fit else contrasts @ found.fit.estimate
        return ContrastErrors(std_error, df, self.name, found.note, estimate=estimate)

    def f_test(self, fit: Fit, contrasts: Array) -> FTest | Unavailable:
        """Return the scaled F test."""
        found = _adjusted(fit, self.name)
        if isinstance(found, Unavailable):
            return found
        L = found.model.standard(contrasts)
        m, scale = denominator(found.model, found.W, L)
        F = scale * wald_f(contrasts @ found.fit.estimate, L @ found.Phi_A @ L.T)
        return FTest(F, len(L), m, self.name, found.note)


@dataclass(frozen=True, slots=True, eq=False)
class _Adjusted:
    """A fit with its adjusted covariance.

    Attributes
    ----------
    fit : MixedModelFit
        By REML.
    model : VarianceDerivatives
    W, Phi_A : ndarray (r, r), (p, p)
    note : Phrase
    """

    fit: MixedModelFit
    model: VarianceDerivatives
    W: Array
    Phi_A: Array
    note: Phrase


def _adjusted(fit: Fit, method: str) -> _Adjusted | Unavailable:
    """Return the adjusted covariance, of the REML refit if the fit is by ML."""
    model = mixed_model(fit, method)
    if isinstance(model, Unavailable):
        return model
    by_reml = model if model.reml else model.refit(reml=True)
    found = by_reml.variance_derivatives()
    W = information_inverse(found)
    notes = [REFITTED] * (by_reml is not model) + [SINGULAR_NOTE] * by_reml.singular
    return _Adjusted(by_reml, found, W, adjusted_covariance(found, W), notes_in_one(notes))


def information_inverse(model: VarianceDerivatives) -> Array:
    """Return W, the asymptotic covariance of the variance parameters by the expected information."""
    PhiP = model.Phi @ model.P
    r = len(PhiP)
    traces = PhiP.reshape(r, -1) @ PhiP.transpose(0, 2, 1).reshape(r, -1).T
    information = model.trace - 2.0 * np.add.reduce(model.Q * model.Phi, axis=(2, 3)) + traces
    scale = np.sqrt(np.maximum(information.diagonal(), 1e-300))
    scales = scale[:, None] * scale
    correlation = information / scales
    least = 1.0 - abs(correlation[0, 1]) if r == 2 else np.linalg.eigvalsh(correlation)[0]
    inverse = np.linalg.inv(correlation) if least > 1e-10 else np.linalg.pinv(correlation, rcond=1e-8, hermitian=True)
    return np.asarray(2.0 * inverse / scales, float)


def adjusted_covariance(model: VarianceDerivatives, W: Array) -> Array:
    """Return Phi_A (p, p) in standard units."""
    r, p = len(W), len(model.Phi)
    weighted = W @ (model.Phi @ model.P).reshape(r, -1)  # sum_s W_rs Phi P_s
    inner = (W.ravel() @ model.Q.reshape(r * r, -1)).reshape(p, p) - np.add.reduce(model.P @ weighted.reshape(r, p, p))
    added = model.Phi @ inner @ model.Phi
    return np.asarray(model.Phi + (added + added.T), float)


def one_contrast_df(model: VarianceDerivatives, W: Array, contrasts: Array) -> Array:
    """Return the degrees of freedom of each contrast by itself (k,).

    With q = 1, A_1 = A_2 = A and the paper's m is 2 / A, with lambda = 1: its zeros and poles cancel.
    """
    size = np.maximum.reduce(np.abs(contrasts), axis=1, keepdims=True)
    unit = contrasts / np.where(size > 0, size, 1.0)
    along = unit @ model.Phi
    f = np.add.reduce(along * unit, axis=1)
    u = np.add.reduce((along @ model.P) * along, axis=2).T / np.where(f > 0, f, 1.0)[:, None]
    A = np.add.reduce((u @ W) * u, axis=1)
    return np.asarray(np.divide(2.0, A, out=np.full_like(A, np.inf), where=A > 0), float)


def denominator(model: VarianceDerivatives, W: Array, L: Array) -> tuple[float, float]:
    """Return m and lambda of the F test of all contrasts together."""
    Theta = L.T @ np.linalg.solve(L @ model.Phi @ L.T, L)
    U = Theta @ model.Phi @ model.P @ model.Phi
    traces = np.einsum("rii->r", U)
    if len(L) == 1:
        return float(one_contrast_df(model, W, L)[0]), 1.0
    A_1 = float(traces @ W @ traces)
    A_2 = float(np.einsum("rs,rij,sji->", W, U, U))
    return _moments(len(L), A_1, A_2)


def _moments(q: int, A_1: float, A_2: float) -> tuple[float, float]:
    """Return m and lambda from the approximate mean and variance of the Wald statistic (pp. 987-988)."""
    if A_2 <= 0.0:  # the variance parameters do not enter: F is exact with any number of degrees of freedom
        return float("inf"), 1.0
    B = (A_1 + 6.0 * A_2) / (2.0 * q)
    g = ((q + 1) * A_1 - (q + 4) * A_2) / ((q + 2) * A_2)
    c = 3.0 * q + 2.0 * (1.0 - g)
    c_1, c_2, c_3 = g / c, (q - g) / c, (q + 2 - g) / c
    V_0, V_1, V_2 = 1.0 + c_1 * B, 1.0 - c_2 * B, 1.0 - c_3 * B
    V_0 = 0.0 if abs(V_0) < 1e-10 else V_0
    E = 1.0 - A_2 / q
    spread = _ratio(E, V_1) ** 2 * V_0  # q rho V_2: the paper's m = 4 + (q + 2) / (q rho - 1) without its poles
    if spread == V_2:
        return float("inf"), E
    m = 4.0 + (q + 2) * V_2 / (spread - V_2)
    return m, 1.0 if abs(m - 2.0) < 1e-2 else m * E / (m - 2.0)


def _ratio(x: float, y: float) -> float:
    """Return x / y, or 1 where both are zero."""
    if abs(y) < 1e-14:
        return 1.0 if abs(x) < 1e-14 else float("inf")
    return x / y
