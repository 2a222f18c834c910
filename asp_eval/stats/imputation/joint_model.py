"""The joint normal two-level model of incomplete variables, as arrays.

For child i of institution j, with q incomplete variables of children and r of institutions::

    y_ij = B' x_ij + u_j + e_ij,   e_ij ~ N(0, Sigma_a)         y, u, e (q,),  x (p,),  B (p, q)
    z_j  = C' w_j + v_j,           (u_j, v_j) ~ N(0, Psi)        z, v (r,),     w (s,),  C (s, r)

Sigma_a is that of the class a of the institution: its arm, or one class for all. Psi is one for all, or one for each class.
A category is a latent normal variable: of K ordered categories one variable, cut at the normal quantiles of the observed
shares; of two, one variable that is positive in the second; of K without order, K - 1 such variables, of which the k-th says
whether it is the k-th category, given that it is none before. A latent variable of two categories has variance 1, given the
variables before it.

References
----------
Schafer & Yucel (2002), J Comput Graph Stat 11:437. Carpenter & Kenward (2013), Multiple Imputation and its Application,
ch. 4, 5, 9. Quartagno & Carpenter (2016), Stat Med 35:2938. Goldstein, Carpenter, Kenward & Levin (2009), Stat Model 9:173.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asp_eval.stats.estimate import Array

Ints = npt.NDArray[np.intp]
Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Where the latent variable of a category may lie, for the rows whose category is known.

    Attributes
    ----------
    column : int
        Of the matrix of variables.
    rows : ndarray of int (n,)
    low, high : ndarray (n,)
    """

    column: int
    rows: Ints
    low: Array
    high: Array

    def within(self, keep: Marks, position: Ints) -> Bounds:
        """Return the bounds of some rows, numbered anew by `position`."""
        mine = keep[self.rows]
        return Bounds(self.column, position[self.rows[mine]], self.low[mine], self.high[mine])


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """The incomplete variables of one level: children, or institutions.

    Attributes
    ----------
    Y : ndarray (n, q)
        NaN where missing; a category's latent variable is NaN everywhere.
    X : ndarray (n, p)
        What the means depend on; of full column rank.
    bounds : tuple of Bounds
    n_free : int
        The first columns, whose variances are free; the others are of two categories.
    """

    Y: Array
    X: Array
    bounds: tuple[Bounds, ...]
    n_free: int

    @property
    def is_known(self) -> Marks:
        """Whether a cell is a known number or the latent variable of a known category, (n, q)."""
        known = ~np.isnan(self.Y)
        for b in self.bounds:
            known[b.rows, b.column] = True
        return known


@dataclass(frozen=True, slots=True, eq=False)
class JointModel:
    """The model of a data set.

    Attributes
    ----------
    children, institutions : Level
        Without incomplete variables of institutions, the second has no columns.
    group : ndarray of int (n,)
        Institution of each child, 0 to J - 1.
    classes : ndarray of int (J,)
        Class of the covariance of each institution's children.
    psi_by_class : bool
        Whether the institutions' covariance is one for each class.
    """

    children: Level
    institutions: Level
    group: Ints
    classes: Ints
    psi_by_class: bool

    @property
    def n_groups(self) -> int:
        """J."""
        return len(self.classes)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.classes.max()) + 1
