"""The model in standard units: columns centred and scaled, collinear columns left out, groups in order of elimination.

Fixed effects.   X~ = X T^-1 with columns of mean 0 and mean square 1 (mean 0 only where X has a constant), y~ likewise;
                 then beta = T beta~ + beta_0.
Random effects.  Z~ = Z B^-1; then D = s_y^2 B D~ B'. Columns are centred only within a block that has an intercept
                 and an unstructured covariance, where centring is a reparametrisation; elsewhere they are scaled only.

The likelihood is the same up to a known constant; the optimiser sees numbers near one whatever the units were.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

from asp_eval.core.errors import Fault
from asp_eval.stats.design.layout import FactorLayout
from asp_eval.stats.engine.moments import Moments, square_part
from asp_eval.stats.estimate import Array

CONSTANT_OUTCOME = Fault("FIT-050", "the outcome does not vary", "Look at the column: there is nothing to model.")
EXACT_FIT = Fault(
    "FIT-051", "the fixed part predicts every value of the outcome exactly", "Leave out the columns that repeat the outcome."
)
TOO_FEW_ROWS = Fault(
    "FIT-052", "there are {n} complete rows for {p} fixed effects and a variance", "Use a smaller model, or more data."
)
NO_COLUMNS = Fault("FIT-053", "the fixed part has no column left", "Add an intercept.")

VARIES = 1e-13
"""A standard deviation below this share of the mean is rounding."""
COLLINEAR = 1e-12
"""A column is left out if the columns before it leave less than this share of its mean square (1e-6 of its length)."""
NO_RESIDUAL = 1e-13
"""An outcome of which the columns leave no more than this share has no residual."""


GroupSums = tuple[Array, Array]
"""Of one factor's groups: Z~'WZ~ (m, k, k) and Z~'W[X~ y~] (m, k, p + 1)."""


@dataclass(frozen=True, slots=True, eq=False)
class FactorUnits:
    """One factor's random effects in standard units.

    Attributes
    ----------
    layout : FactorLayout
    transform : ndarray (k, k)
        B: the random effects in the data's units are B times those in standard units (times the scale of y).
    basis : ndarray (v, k)
        The columns of Z~ from the columns the moments keep.
    """

    layout: FactorLayout
    transform: Array
    basis: Array


@dataclass(frozen=True, slots=True, eq=False)
class Standard:
    """Moments in standard units.

    Attributes
    ----------
    moments : Moments
        About the columns' means.
    kept : tuple of int
        Positions, among the columns of X, of the p columns that are not collinear with those before them.
    T : ndarray (p, p)
        beta = T beta~ + origin.
    origin : ndarray (p,)
    y_scale : float
    log_scale : float
        log |T|^-1 in y's units, for the REML criterion in the data's units.
    root : ndarray (p + 1, p + 1)
        [X~ y~]'W[X~ y~].
    basis : ndarray (c, p + 1)
        The columns [X~ y~] from u.
    factors : tuple of FactorUnits
    """

    moments: Moments
    kept: tuple[int, ...]
    T: Array
    origin: Array
    y_scale: float
    log_scale: float
    root: Array
    basis: Array
    factors: tuple[FactorUnits, ...]

    @property
    def p(self) -> int:
        """Number of fixed effects."""
        return len(self.kept)

    def group_sums(self, i: int) -> GroupSums:
        """Return Z~'WZ~ (m, k, k) and Z~'W[X~ y~] (m, k, p + 1) within the groups of factor i."""
        f, sums = self.factors[i], self.moments.sums[i]
        within, root = sums[:, :, list(f.layout.needed)], sums @ self.basis
        if f.basis.shape == (1, 1) and f.basis[0, 0] == 1.0:  # an intercept alone
            return within, root
        return f.basis.T @ within @ f.basis, f.basis.T @ root

    def cell_blocks(self, i: int, j: int) -> tuple[npt.NDArray[np.intp], Array]:
        """Return the cells of two factors (cells, 2) and Z~_i'WZ~_j within them, whatever the order of i and j."""
        if i > j:
            where, blocks = self.cell_blocks(j, i)
            return where[:, ::-1], blocks.transpose(0, 2, 1)
        cells = self.moments.cells[i, j]
        return cells.where, self.factors[i].basis.T @ cells.blocks @ self.factors[j].basis


def standardise(moments: Moments) -> Standard:
    """Return moments in standard units.

    Raises
    ------
    Refusal
        If the outcome does not vary, the fixed part predicts it exactly, or there are not more rows than coefficients.
    """
    units = _measure(moments)
    about, layout, scale = units.about, moments.layout, units.scale
    columns, response = list(layout.fixed), len(scale) - 1
    gram = units.basis.T @ about.total @ units.basis
    root = square_part(gram, [*columns, response])
    usual = bool(columns) and bool((scale.take(columns) > 0).all()) and _is_regular(root)
    kept = list(range(len(columns))) if usual else _independent(root[:-1, :-1] / about.total[0, 0], scale[columns] > 0)
    if not kept:
        NO_COLUMNS.refuse(layout.text)
    if about.n_obs <= len(kept) + 1:
        TOO_FEW_ROWS.refuse(layout.text, n=about.n_obs, p=len(kept))
    used = [columns[k] for k in kept]
    both = [*used, response]
    if not usual:
        root = square_part(gram, both)
        _check_residual(root, layout.columns[-1])
    T, origin = _back(used, scale, units.mean, has_intercept=layout.has_intercept)
    factors = tuple(_units(f, units.mean, units.spread, units.rms) for f in layout.factors)
    log_scale = float(-np.log(np.abs(T.diagonal()) / scale[-1]).sum())
    return Standard(about, tuple(kept), T, origin, float(scale[-1]), log_scale, root, units.basis[:, both], factors)


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """Means and scales of the columns u.

    Attributes
    ----------
    about : Moments
        About the means.
    mean, spread, rms : ndarray (c,)
        Standard deviations are `spread`; `rms` is about zero. The constant has mean 0 here, it is not centred.
    scale : ndarray (c,)
        What columns of X and y are divided by; zero for a column that does not vary.
    basis : ndarray (c, c)
        Their standard columns from u.
    """

    about: Moments
    mean: Array
    spread: Array
    rms: Array
    scale: Array
    basis: Array


def _measure(moments: Moments) -> _Units:
    """Return means and scales; refuse an outcome that does not vary."""
    weight = moments.total[0, 0]
    mean = moments.shift + moments.total[0] / weight
    mean[0] = 0.0
    about = moments.shifted(mean)
    spread = np.sqrt(np.maximum(about.total.diagonal() / weight, 0.0))
    rms = np.hypot(spread, mean)
    if not spread[-1] > VARIES * max(abs(mean[-1]), 1e-300):
        CONSTANT_OUTCOME.refuse(moments.layout.columns[-1])
    basis = np.eye(len(mean))
    if moments.layout.has_intercept:
        scale = np.where(spread > VARIES * np.abs(mean), spread, 0.0)
    else:
        scale = rms
        basis[0] = mean  # back to the raw columns
    scale[0] = basis[0, 0] = 1.0
    return _Units(about, mean, spread, rms, scale, basis / np.where(scale > 0, scale, 1.0))


def _independent(gram: Array, varies: npt.NDArray[np.bool_]) -> list[int]:
    """Return the columns that are not linear combinations of earlier ones, by a Cholesky factorisation in order."""
    kept: list[int] = []
    L = np.zeros_like(gram)
    for j in range(len(gram)):
        if not varies[j]:
            continue
        k = len(kept)
        row = np.zeros(k)
        for a, i in enumerate(kept):
            row[a] = (gram[j, i] - L[a, :a] @ row[:a]) / L[a, a]
        rest = gram[j, j] - row @ row
        if rest > COLLINEAR * gram[j, j]:
            L[k, :k], L[k, k] = row, np.sqrt(rest)
            kept.append(j)
    return kept


def _is_regular(root: Array) -> bool:
    """Whether no column has to be left out and the outcome has a residual, as is usual: then one call of LAPACK says so."""
    L, failed = lapack.dpotrf(root, lower=1)
    if failed:
        return False
    left = L.diagonal() ** 2 / root.diagonal()
    return bool(left[-1] > NO_RESIDUAL) and bool((left[:-1] > COLLINEAR).all())


def _check_residual(root: Array, response: str) -> None:
    """Refuse an outcome without a residual."""
    p = len(root) - 1
    rest = root[p, p] - root[p, :p] @ np.linalg.solve(root[:p, :p], root[:p, p])
    if rest <= NO_RESIDUAL * root[p, p]:
        EXACT_FIT.refuse(response)


def _back(used: list[int], scale: Array, mean: Array, *, has_intercept: bool) -> tuple[Array, Array]:
    """Return T and the origin of beta = T beta~ + origin."""
    p, s_y, scales = len(used), scale[-1], scale.take(used)
    T, origin = np.zeros((p, p)), np.zeros(p)
    T.flat[:: p + 1] = s_y / scales
    if has_intercept and 0 in used:
        at = used.index(0)
        T[at] = -s_y * mean.take(used) / scales
        T[at, at] = s_y
        origin[at] = mean[-1]
    return T, origin


def _units(factor: FactorLayout, mean: Array, spread: Array, rms: Array) -> FactorUnits:
    """Return a factor's effects in standard units."""
    needed, effects = factor.needed, factor.effects
    basis = np.zeros((len(needed), len(effects)))
    transform = np.zeros((len(effects), len(effects)))
    k = 0
    for block in factor.blocks:
        centred = 0 in block and len(block) > 1
        at = k + block.index(0) if centred else -1
        for e in block:
            row = needed.index(e)
            if e == 0:
                basis[row, k] = transform[k, k] = 1.0
            else:
                scale = (spread[e] if centred else rms[e]) or 1.0
                basis[row, k] = transform[k, k] = 1.0 / scale
                if centred:
                    transform[at, k] = -mean[e] / scale
                else:
                    basis[0, k] += mean[e] / scale
            k += 1
    return FactorUnits(factor, transform, basis)
