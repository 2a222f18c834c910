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


def reference_values(
    plan: ImputationPlan, draws: Draws, visits: Sequence[str], kind: Kind, reference: object
) -> dict[str, Array]:
    """Return how much the imputed values of each visit move (n, rows of the frame); zero where none does."""
    if kind not in KINDS:
        KIND.refuse(kind=kind)
    if plan.model.n_classes > 1:
        OWN_COVARIANCE.refuse()
    columns = [_column(plan, name) for name in visits]
    if not visits:
        NOT_A_VISIT.refuse(name="visits")
    missing = np.column_stack([next(v for v in plan.rows if v.name == name).missing for name in visits])
    gone = np.logical_and.accumulate(missing[:, ::-1], axis=1)[:, ::-1]  # missing from here to the end
    shift = plan.reference_rows[reference] - plan.model.children.X
    moved = np.flatnonzero(gone.any(axis=1) & (np.abs(shift).max(axis=1) > ROUNDING))
    known = plan.model.children.is_known
    out = {name: np.zeros((len(draws.draws), len(plan.frame))) for name in visits}
    for k, drawn in enumerate(draws.draws):
        means = shift[moved] @ drawn.B
        W = np.linalg.inv(drawn.Sigma[0])
        for rows, places in _by_pattern(moved, np.hstack((known[moved], gone[moved]))):
            absent, lost = ~known[rows[0]], gone[rows[0]]
            d = np.zeros((len(rows), len(W)))
            switched = [c for c, left in zip(columns, lost, strict=True) if left or (kind == "copy" and not absent[c])]
            d[:, switched] = means[places][:, switched]
            change = _moved(d, W, np.flatnonzero(absent))
            for name, c, left in zip(visits, columns, lost, strict=True):
                if left:
                    v = next(v for v in plan.rows if v.name == name)
                    out[name][k, rows] = v.spread * change[:, c]
    return out


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
