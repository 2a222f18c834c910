"""What the rows of a model would be, were their clusters in another arm.

Every column that contains the treatment is built anew for each arm: its indicator, its products with covariates, in
whatever coding. A draw then takes, cluster by cluster, the columns of the cluster's arm.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.stats.design.columns import build_column
from asp_eval.stats.design.formula import names_in
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.design.variables import Categories, Codes, Numeric, Variable
from asp_eval.stats.estimate import Array

NO_TREATMENT = Fault(
    "INF-064", "the fixed part of the model has no treatment {treatment!r}", "Name the column of the treatment, one of: {known}."
)
VARIES_WITHIN = Fault(
    "INF-065",
    "the treatment varies within clusters, so it was not the clusters that were drawn",
    "Name the treatment that was drawn, and group by the clusters that were drawn.",
)


@dataclass(frozen=True, slots=True, eq=False)
class ArmColumns:
    """The fixed part of a model under every arm.

    Attributes
    ----------
    arms : tuple
        The K arms in the model's order.
    X : ndarray, shape (K, n, p)
        The estimated columns if all clusters were in one arm.
    observed : ndarray of int, shape (J,)
        Position of each cluster's arm.
    """

    arms: tuple[object, ...]
    X: Array
    observed: npt.NDArray[np.intp]


def arm_columns(design: Design, treatment: str, kept: list[int], codes: Codes, n_clusters: int) -> ArmColumns:
    """Build the columns of the fixed part under every arm.

    Parameters
    ----------
    design : Design
    treatment : str
        Column of the treatment: categories, or numbers such as 0 and 1.
    kept : list of int
        Positions of the p estimated columns.
    codes : ndarray of int, shape (n,)
        Cluster of each row.
    n_clusters : int

    Raises
    ------
    Refusal
        INF-064 if the model has no such treatment, INF-065 if it varies within a cluster.
    """
    known = names_in(design.fixed.expression)
    if treatment not in known:
        NO_TREATMENT.refuse(treatment=treatment, known=", ".join(known))
    given = design.data.columns[treatment]
    coded = given if isinstance(given, Categories) else _as_categories(given)
    observed = np.zeros(n_clusters, dtype=np.intp)
    observed[codes] = coded.codes
    if not bool((observed[codes] == coded.codes).all()):
        VARIES_WITHIN.refuse(treatment)
    X = np.stack([_columns(design, treatment, _everywhere(given, coded, a))[:, kept] for a in range(len(coded.levels))])
    return ArmColumns(tuple(coded.levels), X, observed)


def _as_categories(given: Numeric) -> Categories:
    """Return a numeric treatment's values as arms, in ascending order."""
    levels, codes = np.unique(given.numbers, return_inverse=True)
    return Categories(codes.astype(np.intp), pd.Index([f"{v:g}" for v in levels]))


def _everywhere(given: Variable, coded: Categories, arm: int) -> Variable:
    """Return the treatment with every row in one arm."""
    if isinstance(given, Categories):
        return replace(given, codes=np.full_like(given.codes, arm))
    return Numeric(np.full_like(given.numbers, given.numbers[coded.codes == arm][0]))


def _columns(design: Design, treatment: str, variable: Variable) -> Array:
    """Return X (n, columns) with the treatment replaced."""
    plan, n = design.fixed, design.data.n
    variables = plan.variables({**design.data.columns, treatment: variable}, n)
    out = np.empty((n, len(plan.columns)))
    for k, column in enumerate(plan.columns):
        out[:, k] = build_column(column, variables, slice(None))
    return out
