"""Which combinations of coefficients the data determine.

A combination x'beta is estimable if x lies in the space of the rows of X, those columns included that were dropped
(Searle 1971, Linear Models, sec. 5.4). Where nothing was dropped everything is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.design.syntax import columns_of
from asp_eval.stats.design.variables import Codes
from asp_eval.stats.estimate import Array
from asp_eval.stats.means.reference_grid import ReferenceGrid

TOLERANCE = 1e-8
"""Length of the part outside the rows' space, relative to the combination, above which it is not estimable (as in emmeans)."""
MOST_NAMED = 3


@dataclass(frozen=True, slots=True, eq=False)
class Estimability:
    """What the data determine.

    Attributes
    ----------
    null : ndarray (columns, k)
        Orthonormal basis of what the rows of X do not reach, in columns of unit length; k is 0 where they reach everything.
    length : ndarray (columns,)
    dropped : tuple of str
        Columns without a coefficient.
    variables : tuple of str
        What these columns are made of.
    """

    null: Array
    length: Array
    dropped: tuple[str, ...]
    variables: tuple[str, ...]

    def holds(self, rows: Array) -> npt.NDArray[np.bool_]:
        """Return whether each combination (k, columns) is estimable (k,)."""
        if not self.null.shape[1]:
            return np.ones(len(rows), bool)
        unit = rows / self.length
        outside = np.linalg.norm(unit @ self.null, axis=1)
        return np.asarray(outside <= TOLERANCE * np.maximum(np.linalg.norm(unit, axis=1), 1e-300))


def estimability(design: Design, kept: tuple[int, ...]) -> Estimability:
    """Return what the rows of a design determine, given the columns that were estimated."""
    fixed = design.fixed
    left = [k for k, name in enumerate(fixed.names) if k not in kept and name != "Intercept"]
    if not left:
        return Estimability(np.zeros((len(fixed.names), 0)), np.ones(len(fixed.names)), (), ())
    X = design.fixed_matrix()
    length = np.linalg.norm(X, axis=0)
    length[length == 0] = 1.0
    _, s, V = np.linalg.svd(np.linalg.qr(X / length, mode="r"))
    rank = int((s > 1e-9 * s[0]).sum())
    names = tuple(fixed.names[k] for k in left)
    trees = [t for k in left for t in fixed.terms[fixed.columns[k].term].trees]
    return Estimability(V[rank:].T, length, names, tuple(dict.fromkeys(n for t in trees for n in columns_of(t))))


def reason(found: Estimability, grid: ReferenceGrid, cells: Codes) -> Phrase:
    """Say why a mean over some cells of the grid is not estimable: which of them no row holds.

    Parameters
    ----------
    found : Estimability
    grid : ReferenceGrid
    cells : ndarray of int
        Positions in the grid of what the mean is taken over.
    """
    own = [v for v in grid.variables if v.name in found.variables and v.codes is not None]
    empty = (grid.frequencies(v.name for v in own) == 0) & ~found.holds(grid.X)
    named = []
    for cell in cells:
        if empty[cell]:
            values = [(v.name, v.values[grid.index[cell, grid.position(v.name)]]) for v in own]
            named.append(", ".join(f"{name} = {value}" for name, value in values))
    said = list(dict.fromkeys(named))
    if said:
        more = len(said) - MOST_NAMED
        listed = "; ".join(said[:MOST_NAMED]) + (f"; +{more}" if more > 0 else "")
        return Phrase("not estimable: no row has {cells}", cells=listed)
    return Phrase("not estimable: the data do not determine {names}", names=", ".join(found.dropped[:MOST_NAMED]))
