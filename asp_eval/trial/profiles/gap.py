"""The two sides of a GAP-profile: per institution and competence dimension, means, sampling variances, and what may be shown.

Both sides are scores from 0 to 100 (percent of maximum possible), high being good. A cell that may not be shown is left out of
everything that is computed from the others, so that nothing about it can be computed back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from asp_eval.core.errors import DataProblems, Fault, Place, Problem, Unavailable
from asp_eval.trial.disclosure.limits import USUAL, Limits
from asp_eval.trial.disclosure.means import mean_may_be_shown
from asp_eval.trial.disclosure.rounds import second_may_be_shown
from asp_eval.trial.profiles.sampling import (
    child_mean_variances,
    error_covariances,
    pooled_variance,
    rater_components,
)

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

LOWEST, HIGHEST = 0.0, 100.0  # percent of maximum possible

MISSING_COLUMN = Fault("GAP-001", "the scores lack a column that a profile needs", "Give one row per person and dimension.")
OUTSIDE_SCALE = Fault(
    "GAP-002", "a score is not on the scale of a profile", "Rescale it to percent of the maximum possible, high being good."
)
SCORED_TWICE = Fault(
    "GAP-003", "a person has more than one score on a dimension", "Keep one score for each person, dimension and wave."
)
NO_INSTITUTION = Fault("GAP-004", "a score belongs to no institution", "Give the institution of every respondent and child.")

PEOPLE = ("respondent_id", "child_id")
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
    child_alone : dict of str to float
        The children's mean of the institutions that have no staff side to show, where it may be shown by itself.
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
    child_alone: dict[str, float] = field(default_factory=dict)

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
    staff: pd.DataFrame,
    children: pd.DataFrame,
    steps: Mapping[str, tuple[int, int]],
    *,
    limits: Limits = USUAL,
    earlier: tuple[pd.DataFrame, pd.DataFrame] | None = None,
) -> tuple[DimensionMeans, ...]:
    """Return the two means of every institution on every dimension, as far as they may be shown.

    Parameters
    ----------
    staff : DataFrame
        One row per respondent and dimension: institution_id, respondent_id, dimension, score (0 to 100; missing where
        not answered).
    children : DataFrame
        One row per child and dimension: institution_id, child_id, rater_id (missing where unknown), dimension, score.
    steps : mapping of str to (int, int)
        The dimensions, in the order of the result, with the steps of the grid on which staff's and children's scores lie: 12 for
        three answers from 1 to 5. Rows of other dimensions are left aside.
    limits : Limits
        The study's: fewest respondents, and fewest children, that may be shown, and how much may be told of each.
    earlier : (DataFrame, DataFrame), optional
        Staff and children of an earlier round, whose means have been shown already: what the two rounds together would tell is
        not shown now.

    Returns
    -------
    tuple of DimensionMeans

    Raises
    ------
    DataProblems
        Missing columns, scores outside 0 to 100, a person with two scores, a score without an institution.
    """
    now = checked_sides(staff, children)
    before = (now[0].iloc[:0], now[1].iloc[:0]) if earlier is None else checked_sides(*earlier)
    people = now[0].groupby("institution_id", observed=True)["respondent_id"].nunique()
    enough = set(people.index[people >= limits.minimum_cell])
    found = []
    for key, grid in steps.items():
        sides = [
            _Side(side[side["dimension"] == key], shown[shown["dimension"] == key], person, each_grid)
            for side, shown, person, each_grid in zip(now, before, PEOPLE, grid, strict=True)
        ]
        found.append(_dimension(key, sides[0], sides[1], limits, enough))
    return tuple(found)


def checked_sides(staff: pd.DataFrame, children: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scored rows of both sides, with ids as text; raises as `profile_means`."""
    return _checked(staff, "staff scores", STAFF_COLUMNS, PEOPLE[0]), _checked(children, "child scores", CHILD_COLUMNS, PEOPLE[1])


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """The scores of one side on one dimension, now and at the round before, by `person`, and the steps of their grid."""

    now: pd.DataFrame
    before: pd.DataFrame
    person: str
    steps: int


def _dimension(key: str, staff: _Side, children: _Side, limits: Limits, enough: AbstractSet[str]) -> DimensionMeans:
    """Return one dimension; `enough` are the institutions where enough staff answered anything at all."""
    own, rated = (_cells(side, limits) for side in (staff, children))
    alone = rated.loc[rated["shown"] & ~rated.index.isin(list(enough)), "mean"]
    own, rated = own.add_suffix("_staff"), rated.add_suffix("_child")
    both = own.join(rated, how="inner")
    visible = both["shown_staff"] & both["shown_child"]
    shown = both[visible]
    ids = shown.index
    answers = [side.now[side.now["institution_id"].isin(ids)] for side in (staff, children)]
    variances = _variances(answers[0], answers[1], ids)
    return DimensionMeans(
        key,
        tuple(ids),
        tuple(both.index[~visible]),
        shown["count_staff"].to_numpy(np.int64),
        shown["count_child"].to_numpy(np.int64),
        shown["mean_staff"].to_numpy(np.float64),
        shown["mean_child"].to_numpy(np.float64),
        *variances,
        {str(institution): float(mean) for institution, mean in alone.items()},
    )


def _cells(side: _Side, limits: Limits) -> pd.DataFrame:
    """Return count, mean and whether it may be shown, indexed by institution in alphabetical order."""
    groups = side.now.groupby("institution_id", observed=True)
    earlier = side.before.groupby("institution_id", observed=True)
    before = {str(key): rows.set_index(side.person)["score"] for key, rows in earlier}
    scores = side.now["score"].to_numpy(np.float64)
    shown = []
    for key, rows in groups.indices.items():
        alone = mean_may_be_shown(scores[rows], side.steps, limits)
        if alone and str(key) in before:
            second = side.now.iloc[rows].set_index(side.person)["score"]
            alone = second_may_be_shown(before[str(key)], second, side.steps, limits)
        shown.append(alone)
    return groups["score"].agg(["count", "mean"]).assign(shown=np.asarray(shown, dtype=bool))


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
    rows = side[side["score"].notna()][[*columns]].reset_index(drop=True)
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
