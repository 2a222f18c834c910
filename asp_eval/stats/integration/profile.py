"""Profile intervals: the values of one quantity at which the likelihood, maximised over all else, has fallen too far.

The parameters are turned so that the quantity is the first coordinate (a Householder reflection), which is held while the
others are maximised. The ends are where the signed root of twice the fall equals the normal quantile; Newton's method finds
them, since the slope of the profile is the gradient's first element (Venzon & Moolgavkar 1988, Appl Stat 37:87).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.contrasts import check_level
from asp_eval.stats.estimate import Array
from asp_eval.stats.integration.fitted import LatentFit
from asp_eval.stats.integration.laplace import Evaluation
from asp_eval.stats.integration.optimum import Criterion, Mask, differences, positive, search

COLUMNS = ["group", "term1", "term2", "quantity", "estimate", "conf_low", "conf_high", "method", "note"]
NO_PROFILE = Phrase("the profile of the likelihood could not be followed from the estimate; the sample is too small for it")
SEVERAL_EFFECTS = Phrase("no profile interval where effects share a covariance matrix; a bootstrap gives one")
MOST_STEPS = 12
CLOSE = 1e-6
"""Distance of the signed root from the quantile at which an end is found."""


def profile_table(fit: LatentFit, level: float) -> pd.DataFrame:
    """Return profile intervals of the coefficients and of the standard deviations of the random effects.

    Returns
    -------
    DataFrame
        group, term1, term2, quantity ("coefficient" or "sd"), estimate, conf_low, conf_high, method, note.
    """
    check_level(level)
    profile = _Profile.of(fit, float(special.ndtri((1 + level) / 2)))
    p = fit.model.p
    rows: list[tuple[object, ...]] = []
    for j, name in enumerate(fit.names):
        ends = profile.ends(fit.back[j])
        rows.append(_row("", name, "coefficient", float(fit.coefficients[j]), ends, NO_PROFILE))
    for effects, i, D, layout in zip(fit.effects, fit.order, fit.covariances, fit.design.layout.factors, strict=True):
        for block in effects.factor.blocks:
            for k in block:
                sd, name = float(np.sqrt(max(D[k, k], 0.0))), fit.design.layout.columns[layout.effects[k]]
                if len(block) > 1:
                    rows.append(_row(effects.factor.name, name, "sd", sd, None, SEVERAL_EFFECTS))
                    continue
                at = next(j for j, e in enumerate(fit.model.elements) if (e.factor, e.row, e.column) == (i, k, k))
                unit = np.zeros(fit.model.n_parameters)
                unit[p + at] = effects.B[k, k] * (1.0 if fit.theta[at] >= 0 else -1.0)
                rows.append(_row(effects.factor.name, name, "sd", sd, profile.ends(unit, low=0.0), NO_PROFILE))
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(group: str, name: str, kind: str, estimate: float, ends: tuple[float, float] | None, why: Phrase) -> tuple[object, ...]:
    """Return one row of the table."""
    low, high = (np.nan, np.nan) if ends is None else ends
    return (group, name, "", kind, estimate, low, high, "profile", why if ends is None else NO_NOTE)


@dataclass(frozen=True, slots=True, eq=False)
class _Profile:
    """The likelihood around its maximum.

    Attributes
    ----------
    criterion : Criterion
    x : ndarray (parameters,)
    value : float
        -log likelihood at x.
    hessian : ndarray (f, f)
        In the f parameters that move.
    moves : ndarray of bool (parameters,)
    quantile : float
    """

    criterion: Criterion
    x: Array
    value: float
    hessian: Array
    moves: Mask
    quantile: float

    @classmethod
    def of(cls, fit: LatentFit, quantile: float) -> _Profile:
        """Return the likelihood of a fit; a standard deviation that was set to zero moves again."""
        f = Criterion(fit.model, fit.nodes)
        moves = np.ones(fit.model.n_parameters, bool)
        if fit.model.rows.n_shared:
            q = fit.model.p + len(fit.model.elements)
            moves[q:] = fit.free[q:]
        x = fit.maximum.x
        here = f(x)
        known = bool(fit.free[moves].all())
        hessian = fit.maximum.hessian[np.ix_(moves, moves)] if known else differences(f, x, moves, here)
        return cls(f, x, here.value, positive(hessian), moves, quantile)

    def ends(self, weights: Array, low: float | None = None) -> tuple[float, float] | None:
        """Return the interval of a linear combination of the parameters that cannot lie below `low`."""
        d = weights[self.moves]
        length = float(np.linalg.norm(d))
        centre = float(weights @ self.x)
        turn = _reflection(d / length)
        H = turn.T @ self.hessian @ turn
        found = []
        for sign in (-1.0, 1.0):
            if sign < 0 and low is not None:
                at_low = self._held((low - centre) / length, H, turn)
                if at_low is None or np.sqrt(max(2.0 * (at_low.value - self.value), 0.0)) < self.quantile:
                    found.append(low)
                    continue
            t = self._end(sign, H, turn)
            if t is None:
                return None
            found.append(centre + length * t)
        return found[0], found[1]

    def _end(self, sign: float, H: Array, turn: Array) -> float | None:
        """Return how far from the estimate one end lies, along the first turned coordinate."""
        t = sign * self.quantile * float(np.sqrt(np.linalg.inv(H)[0, 0]))
        for _ in range(MOST_STEPS):
            there = self._held(t, H, turn)
            if there is None:
                t /= 2
                continue
            root = sign * float(np.sqrt(max(2.0 * (there.value - self.value), 0.0)))
            off = root - sign * self.quantile
            if abs(off) < CLOSE:
                return t
            slope = float(turn[:, 0] @ there.gradient[self.moves])
            if root == 0 or slope * sign <= 0:
                return None
            step = off * root / slope
            t = t - step if (t - step) * sign > 0 else t / 2
        return None

    def _held(self, t: float, H: Array, turn: Array) -> Evaluation | None:
        """Return the maximum with the first turned coordinate held at t."""
        z = np.concatenate([[t], -np.linalg.solve(H[1:, 1:], H[1:, 0]) * t]) if len(H) > 1 else np.array([t])

        def f(z: Array) -> Evaluation:
            x = self.x.copy()
            x[self.moves] += turn @ z
            found = self.criterion(x)
            gradient = turn.T @ found.gradient[self.moves]
            return Evaluation(found.value, gradient, found.modes)

        here = f(z)
        if not np.isfinite(here.value):
            return None
        if len(H) > 1:
            free = np.arange(len(H)) > 0
            _, here = search(f, z, here, H[1:, 1:], free, fall=1e-11)
        full = np.zeros(len(self.moves))
        full[self.moves] = turn @ here.gradient
        return Evaluation(here.value, full, here.modes)


def _reflection(d: Array) -> Array:
    """Return an orthogonal matrix whose first column is d."""
    v = d.copy()
    sign = 1.0 if v[0] >= 0 else -1.0
    v[0] += sign
    reflected = np.eye(len(d)) - 2.0 * np.outer(v, v) / (v @ v)
    return np.asarray(-sign * reflected, float)
