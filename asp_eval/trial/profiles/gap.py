"""The two sides of a GAP-profile: per institution and competence dimension, means, sampling variances, and what may be shown.

Both sides are scores from 0 to 100 (percent of maximum possible), high being good. A cell that may not be shown is left out of
everything that is computed from the others, so that nothing about it can be computed back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from asp_eval.core.errors import DataProblems, Fault, Place, Problem, Unavailable
from asp_eval.trial.profiles.disclosure import HIGHEST, LOWEST, may_be_shown
from asp_eval.trial.profiles.sampling import (
    child_mean_variances,
    error_covariances,
    pooled_variance,
    rater_components,
)

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

MISSING_COLUMN = Fault("GAP-001", "the scores lack a column that a profile needs", "Give one row per person and dimension.")
OUTSIDE_SCALE = Fault(
    "GAP-002", "a score is not on the scale of a profile", "Rescale it to percent of the maximum possible, high being good."
)
SCORED_TWICE = Fault(
    "GAP-003", "a person has more than one score on a dimension", "Keep one score for each person, dimension and wave."
)
NO_INSTITUTION = Fault("GAP-004", "a score belongs to no institution", "Give the institution of every respondent and child.")

STAFF_COLUMNS = ("institution_id", "respondent_id", "dimension", "score")
CHILD_COLUMNS = ("institution_id", "child_id", "rater_id", "dimension", "score")


@dataclass(frozen=True, slots=True, eq=False)
class DimensionMeans:
    """One dimension: the m institutions whose two means may be shown.

    Attributes
    ----------
    dimension : str
    institution_ids : tuple of str
        The m institutions shown.
    hidden : tuple of str
        Institutions with answers on both sides whose means may not be shown.
    n_staff, n_children : ndarray of int, shape (m,)
    staff, child : ndarray, shape (m,)
        The two means, 0 to 100.
    staff_variance, child_variance : ndarray, shape (m,), or Unavailable
        Sampling variances of the two means.
    error_covariance : ndarray, shape (m,), or Unavailable
        Covariance of their errors; Unavailable where the raters cannot be linked.
    """

    dimension: str
    institution_ids: tuple[str, ...]
    hidden: tuple[str, ...]
    n_staff: Counts
    n_children: Counts
    staff: Floats
    child: Floats
    staff_variance: Floats | Unavailable
    child_variance: Floats | Unavailable
    error_covariance: Floats | Unavailable

    @property
    def gap(self) -> Floats:
        """Staff less child, (m,)."""
        return self.staff - self.child

    @property
    def gap_variance(self) -> Floats | Unavailable:
        """Sampling variance of the gap, (m,): without the covariance where that is unavailable."""
        if isinstance(self.staff_variance, Unavailable):
            return self.staff_variance
        if isinstance(self.child_variance, Unavailable):
            return self.child_variance
        apart = self.staff_variance + self.child_variance
        return apart if isinstance(self.error_covariance, Unavailable) else apart - 2 * self.error_covariance


def profile_means(
    staff: pd.DataFrame, children: pd.DataFrame, dimensions: Sequence[str], *, minimum_cell: int
) -> tuple[DimensionMeans, ...]:
    """Return the two means of every institution on every dimension, as far as they may be shown.

    Parameters
    ----------
    staff : DataFrame
        One row per respondent and dimension: institution_id, respondent_id, dimension, score (0 to 100; missing where
        not answered).
    children : DataFrame
        One row per child and dimension: institution_id, child_id, rater_id (missing where unknown), dimension, score.
    dimensions : sequence of str
        In the order of the result; rows of other dimensions are left aside.
    minimum_cell : int
        Fewest respondents, and fewest children, that may be shown.

    Returns
    -------
    tuple of DimensionMeans

    Raises
    ------
    DataProblems
        Missing columns, scores outside 0 to 100, a person with two scores, a score without an institution.
    """
    staff = _checked(staff, "staff scores", STAFF_COLUMNS, "respondent_id")
    children = _checked(children, "child scores", CHILD_COLUMNS, "child_id")
    return tuple(
        _dimension(key, staff.loc[staff["dimension"] == key], children.loc[children["dimension"] == key], minimum_cell)
        for key in dimensions
    )


def _dimension(key: str, staff: pd.DataFrame, children: pd.DataFrame, minimum_cell: int) -> DimensionMeans:
    own, rated = _cells(staff, minimum_cell).add_suffix("_staff"), _cells(children, minimum_cell).add_suffix("_child")
    both = own.join(rated, how="inner")
    visible = both["shown_staff"] & both["shown_child"]
    shown = both.loc[visible]
    ids = shown.index
    variances = _variances(staff.loc[staff["institution_id"].isin(ids)], children.loc[children["institution_id"].isin(ids)], ids)
    return DimensionMeans(
        key,
        tuple(ids),
        tuple(both.index[~visible]),
        shown["count_staff"].to_numpy(np.int64),
        shown["count_child"].to_numpy(np.int64),
        shown["mean_staff"].to_numpy(np.float64),
        shown["mean_child"].to_numpy(np.float64),
        *variances,
    )


def _cells(side: pd.DataFrame, minimum_cell: int) -> pd.DataFrame:
    """Return count, mean and whether it may be shown, indexed by institution in alphabetical order."""
    cells = side.groupby("institution_id", observed=True)["score"].agg(["count", "mean", "min", "max"])
    spread = cells["max"] - cells["min"]
    shown = [
        may_be_shown(count, mean, width, minimum_cell=minimum_cell)
        for count, mean, width in zip(cells["count"], cells["mean"], spread, strict=True)
    ]
    return cells[["count", "mean"]].assign(shown=np.asarray(shown, dtype=bool))


def _variances(
    staff: pd.DataFrame, children: pd.DataFrame, ids: pd.Index
) -> tuple[Floats | Unavailable, Floats | Unavailable, Floats | Unavailable]:
    """Return the sampling variances of the two means and the covariance of their errors, in the order of `ids`."""
    people = pooled_variance(staff["score"], staff["institution_id"])
    if isinstance(people, Unavailable):
        return people, people, people
    components = rater_components(children)
    if isinstance(components, Unavailable):
        return components, components, components
    own = people / staff.groupby("institution_id", observed=True).size()
    rated = child_mean_variances(children, components)
    covariance = error_covariances(staff, children, people, components)
    linked = covariance if isinstance(covariance, Unavailable) else _aligned(covariance, ids)
    return _aligned(own, ids), _aligned(rated, ids), linked


def _aligned(values: pd.Series, ids: pd.Index) -> Floats:
    return np.asarray(values.reindex(ids), dtype=np.float64)


def _checked(side: pd.DataFrame, source: str, columns: Sequence[str], person: str) -> pd.DataFrame:
    """Return the scored rows of one side, or raise every fault."""
    absent = [column for column in columns if column not in side.columns]
    if absent:
        raise DataProblems(MISSING_COLUMN.at(Place(source, column=column)) for column in absent)
    rows = side.loc[side["score"].notna(), list(columns)].reset_index(drop=True)
    rows = rows.assign(score=rows["score"].astype(np.float64))
    problems = _faults(rows, source, person)
    if problems:
        raise DataProblems(problems)
    return rows.assign(institution_id=rows["institution_id"].astype("str"), dimension=rows["dimension"].astype("str"))


def _faults(rows: pd.DataFrame, source: str, person: str) -> list[Problem]:
    outside = rows.loc[(rows["score"] < LOWEST) | (rows["score"] > HIGHEST), "score"]
    problems = [OUTSIDE_SCALE.at(Place(source, column="score"), found=f"{score:g}", expected="0 to 100") for score in outside]
    twice = rows.loc[rows.duplicated([person, "dimension"]), [person, "dimension"]]
    problems += [SCORED_TWICE.at(Place(source, column=person), found=" on ".join(map(str, row))) for row in twice.to_numpy()]
    nowhere = rows.loc[rows["institution_id"].isna(), person]
    problems += [NO_INSTITUTION.at(Place(source, column=person), found=str(one)) for one in nowhere]
    return problems
