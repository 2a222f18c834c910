"""Reference-based imputation: those who dropped out go on like the reference arm.

Given the institution effect u and a draw of B and Sigma, a child's values are normal about B'x + u. A missing block m of it was
drawn from the distribution given the observed block o, whose mean is linear in the means of both. Where the means are moved by
d_m and d_o, the drawn values move by

    d_m + W_mm^-1 W_mo d_o,    W = Sigma^-1

Jump to reference moves the means of the visits after dropout to those of the reference arm (d_o = 0); copy reference those of all
visits. The draw itself stays, so that the two differ from imputation under missing at random by the switch of means alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from asp_eval.core.errors import Fault
from asp_eval.stats.estimate import Array
from asp_eval.stats.imputation.draws import Draws
from asp_eval.stats.imputation.joint_model import Ints, Marks
from asp_eval.stats.imputation.reading import ImputationPlan

Kind = Literal["jump", "copy"]
KINDS = ("jump", "copy")
ROUNDING = 1e-9  # of the columns, which are standardised

KIND = Fault("IMP-040", "there is no reference-based imputation {kind!r}", "Use 'jump' (to reference) or 'copy' (reference).")
OWN_COVARIANCE = Fault(
    "IMP-041",
    "in reference-based imputation children of all arms share one covariance, and here each arm has its own",
    "Impute with covariance='common'.",
)
NOT_A_VISIT = Fault(
    "IMP-042", "{name} is no continuous variable of the rows that was imputed", "Name visits that were imputed as continuous."
)


@dataclass(frozen=True, slots=True, eq=False)
class _Dropouts:
    """Children with one pattern of missing values and of visits after dropout.

    Attributes
    ----------
    rows, places : ndarray of int
        Of the frame, and among all children that are moved.
    absent, switched : ndarray of int
        Columns that are missing, and columns whose means are switched.
    filled : tuple of str
        Variables that take new values.
    """

    rows: Ints
    places: Ints
    absent: Ints
    switched: Ints
    filled: tuple[str, ...]


def reference_values(
    plan: ImputationPlan, draws: Draws, visits: Sequence[Sequence[str]], kind: Kind, reference: object
) -> dict[str, Array]:
    """Return how much the imputed values of each variable move (n, rows of the frame); zero where none does.

    Parameters
    ----------
    plan : ImputationPlan
    draws : Draws
    visits : sequence of sequences of str
        The variables of each visit, in the order of the visits.
    kind : {"jump", "copy"}
    reference : label of an arm
    """
    if kind not in KINDS:
        KIND.refuse(kind=kind)
    if plan.model.n_classes > 1:
        OWN_COVARIANCE.refuse()
    if not any(visits):
        NOT_A_VISIT.refuse(name="visits")
    columns = {name: _column(plan, name) for visit in visits for name in visit}
    spread = {v.name: v.spread for v in plan.rows}
    shift = plan.reference_rows[reference] - plan.model.children.X
    dropouts, moved = _dropouts(plan, visits, columns, kind, shift)
    out = {name: np.zeros((len(draws.draws), len(plan.frame))) for name in columns}
    for k, drawn in enumerate(draws.draws):
        means, W = shift[moved] @ drawn.B, np.linalg.inv(drawn.Sigma[0])
        for own in dropouts:
            d = np.zeros((len(own.rows), len(W)))
            d[:, own.switched] = means[np.ix_(own.places, own.switched)]
            change = _moved(d, W, own.absent)
            for name in own.filled:
                out[name][k, own.rows] = spread[name] * change[:, columns[name]]
    return out


def _dropouts(
    plan: ImputationPlan, visits: Sequence[Sequence[str]], columns: dict[str, int], kind: Kind, shift: Array
) -> tuple[list[_Dropouts], Ints]:
    """Return the children that are moved, pattern by pattern, and all of their rows."""
    missing = {v.name: v.missing for v in plan.rows}
    at = np.column_stack([np.all([missing[name] for name in visit], axis=0) for visit in visits])
    gone = np.logical_and.accumulate(at[:, ::-1], axis=1)[:, ::-1]  # missing from here to the end
    moved = np.flatnonzero(gone.any(axis=1) & (np.abs(shift).max(axis=1) > ROUNDING))
    known = plan.model.children.is_known
    found = []
    for rows, places in _by_pattern(moved, np.hstack((known[moved], gone[moved]))):
        absent, lost = ~known[rows[0]], gone[rows[0]]
        filled = [name for visit, left in zip(visits, lost, strict=True) if left for name in visit]
        kept = [c for name, c in columns.items() if name not in filled and kind == "copy" and not absent[c]]
        switched = np.array([*(columns[name] for name in filled), *kept], dtype=np.intp)
        found.append(_Dropouts(rows, places, np.flatnonzero(absent), switched, tuple(filled)))
    return found, moved


def _moved(d: Array, W: Array, missing: Ints) -> Array:
    """Return by how much the drawn values move (rows, q) when the means of all columns move by `d`.

    Examples
    --------
    >>> W = np.linalg.inv(np.array([[1.0, 0.5], [0.5, 1.0]]))
    >>> _moved(np.array([[1.0, 3.0]]), W, np.array([1])).tolist()  # 3 - 0.5 * 1
    [[0.0, 2.5]]
    """
    observed = np.setdiff1d(np.arange(len(W)), missing)
    out = np.zeros_like(d)
    regression = np.linalg.solve(W[np.ix_(missing, missing)], W[np.ix_(missing, observed)])
    out[:, missing] = d[:, missing] + d[:, observed] @ regression.T
    return out


def _by_pattern(rows: Ints, marks: Marks) -> list[tuple[Ints, Ints]]:
    """Return the rows of each pattern, and their positions."""
    if not len(rows):
        return []
    _, which = np.unique(marks, axis=0, return_inverse=True)
    which = which.ravel()
    return [(rows[which == k], np.flatnonzero(which == k)) for k in range(which.max() + 1)]


def _column(plan: ImputationPlan, name: str) -> int:
    """Return the column of a visit in the joint model."""
    at = 0
    for v in plan.rows:
        if v.name == name and v.scale == "continuous":
            return at
        at += v.n_columns
    return NOT_A_VISIT.refuse(name=name)
