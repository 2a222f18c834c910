"""Simulated trials as the cross-products of [1, arm, x, y] within clusters, many trials at a time.

Every method of the study needs no more of a trial than these, so a Gaussian trial is drawn as what they are made of.
Within cluster j of size n, for the covariate and then for the outcome given it,

    mean of x      N(u_j, (1 - r) / n)         squares of x about it     (1 - r) chi2(n - 1)
    mean of e      N(b_j, s2 / n)              products of x and e       sqrt(squares of x) sqrt(s2) z
                                               squares of e about it     s2 (z^2 + chi2(n - 2))

which is exact: it is the joint distribution of the cross-products of n rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from cells import MEAN_SIZE, SIZE_CV, SMALLEST, Cell
from scipy import special

Array = npt.NDArray[np.float64]
COVARIATE_ICC = 0.1
SLOPE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Trials of one cell.

    Attributes
    ----------
    cross : ndarray (t, m, c, c)
        Cross-products of u = [1, arm, x, y] (or [1, arm, y]) within clusters.
    truths : mapping of str to float
        The true effect, by the name of its estimand.
    """

    cross: Array
    truths: Mapping[str, float]

    @property
    def arm(self) -> Array:
        """The allocation (t, m), zeros and ones."""
        return np.asarray(self.cross[:, :, 0, 1] / self.cross[:, :, 0, 0])


def draw_gaussian(cell: Cell, rng: np.random.Generator, trials: int) -> Draws:
    """Draw trials with normal cluster effects and residuals; the residual variance is 1 - icc of the reference arm."""
    n = cluster_sizes(cell, rng, trials)
    arm = allocate(cell, rng, trials)
    residual = 1.0 - cell.icc
    odds = np.where(arm > 0, cell.icc_treated / (1 - cell.icc_treated), cell.icc / (1 - cell.icc))
    effect = cell.effect * (n / MEAN_SIZE - 1.0) if cell.family == "informative" else np.zeros_like(n)

    z = rng.standard_normal((5, *n.shape))
    x_mean = np.sqrt(COVARIATE_ICC) * z[0] + np.sqrt((1 - COVARIATE_ICC) / n) * z[1]
    xx = (1 - COVARIATE_ICC) * rng.chisquare(n - 1)
    e_mean = np.sqrt(odds * residual) * z[2] + np.sqrt(residual / n) * z[3] + effect * arm
    xe = np.sqrt(xx * residual) * z[4]
    ee = residual * (z[4] ** 2 + rng.chisquare(n - 2))

    slope = SLOPE if cell.has_covariate else 0.0
    y_mean = slope * x_mean + e_mean
    cross = _assemble(n, arm, x_mean, y_mean, (xx, slope * xx + xe, slope**2 * xx + 2 * slope * xe + ee))
    kept = slice(None) if cell.has_covariate else [0, 1, 3]
    return Draws(cross[:, :, kept][..., kept], gaussian_truths(cell))


def gaussian_truths(cell: Cell) -> dict[str, float]:
    """Return the true effect; where it depends on the cluster's size, averaged over participants and over clusters.

    With effect s (n / 40 - 1): over clusters s (E n / 40 - 1), over participants s (E n^2 / (40 E n) - 1).
    """
    if cell.family != "informative":
        return {"effect": 0.0}
    n = _size_at((np.arange(200_000) + 0.5) / 200_000)
    per_cluster = cell.effect * (n.mean() / MEAN_SIZE - 1)
    per_participant = cell.effect * ((n**2).mean() / n.mean() / MEAN_SIZE - 1)
    return {"participant-average": float(per_participant), "cluster-average": float(per_cluster)}


def cluster_sizes(cell: Cell, rng: np.random.Generator, trials: int) -> Array:
    """Return the sizes (t, m): all 40; a fixed lognormal spread; or, where the effect depends on them, drawn from it."""
    shape = (trials, cell.clusters)
    if not cell.unequal:
        return np.full(shape, float(MEAN_SIZE))
    if cell.family == "informative":
        return _size_at(rng.random(shape))
    return np.tile(_size_at((np.arange(cell.clusters) + 0.5) / cell.clusters), (trials, 1))


def allocate(cell: Cell, rng: np.random.Generator, trials: int) -> Array:
    """Draw the lot (t, m): every set of `treated` clusters is equally likely."""
    first = np.zeros((trials, cell.clusters))
    first[:, : cell.treated] = 1.0
    return rng.permuted(first, axis=1)


def _size_at(share: Array) -> Array:
    """Return quantiles of the lognormal distribution of sizes with mean 40, in whole children."""
    spread = np.sqrt(np.log1p(SIZE_CV**2))
    sizes = np.rint(MEAN_SIZE * np.exp(spread * special.ndtri(share) - spread**2 / 2))
    return np.asarray(np.maximum(sizes, SMALLEST), float)


def _assemble(n: Array, arm: Array, x: Array, y: Array, within: tuple[Array, Array, Array]) -> Array:
    """Return cross-products (t, m, 4, 4) from means and from squares and products about them."""
    means = np.stack([np.ones_like(n), arm, x, y], axis=-1)
    cross = n[..., None, None] * means[..., :, None] * means[..., None, :]
    xx, xy, yy = within
    cross[..., 2, 2] += xx
    cross[..., 2, 3] += xy
    cross[..., 3, 2] += xy
    cross[..., 3, 3] += yy
    return cross
