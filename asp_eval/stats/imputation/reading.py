"""From a frame to the joint model: what is declared is read, checked, and laid out as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.columns import build_matrix, plan_columns
from asp_eval.stats.design.formula import names_in
from asp_eval.stats.design.variables import Categories, read_categories, read_variable, read_variables
from asp_eval.stats.estimate import Array
from asp_eval.stats.imputation.joint_model import Ints, JointModel, Level
from asp_eval.stats.imputation.variables import Incomplete, read_incomplete
from asp_eval.stats.integration.standard import standard_columns

NOTHING = Fault("IMP-020", "no variable to impute is named", 'Name each with its scale: {{"score": "continuous"}}.')
TWICE = Fault("IMP-021", "{name} is to be imputed, and stands as group, arm or predictor too", "Name it once.")
NO_GROUP = Fault("IMP-022", "rows without a value of {name} belong to no group", "Fill it in, or leave these rows out.")
ARM_OF_ROWS = Fault(
    "IMP-023", "the arm {name} differs within a group", "Groups are drawn as a whole here: give arm=None, or correct the arm."
)
INCOMPLETE_PREDICTOR = Fault(
    "IMP-024",
    "the predictor {name} is itself missing in some rows",
    "Name it among the variables to impute, with its scale, or leave it out.",
)
MISSING_IN_ARM = Fault(
    "IMP-025",
    "{name} is missing for everyone of the arm {arm}",
    "Leave {name} out: nothing is known of it in that arm, and what is known in the other may not hold there.",
)
COLLINEAR = Fault(
    "IMP-026",
    "{name} follows exactly from other variables and predictors",
    "Leave it out and compute it from the imputed ones, or leave out one of those: a total and all its parts cannot be imputed.",
)
FEW_GROUPS = Fault(
    "IMP-027",
    "{groups} groups are fewer than the {variables} columns whose differences between groups are to be estimated",
    "Impute fewer variables at once: the scale in place of its items, or one wave less.",
)
FEW_ROWS = Fault("IMP-028", "{rows} rows are too few for {variables} columns", "Impute fewer variables, or predictors.")

ROWS_PER_COLUMN = 5
COMMON_CHILDREN = Phrase("Too few rows per arm for a covariance of each arm: one for all arms.")
COMMON_GROUPS = Phrase("Fewer than twice as many groups per arm as variables: the groups' covariance is one for all arms.")
SMALL = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class ImputationPlan:
    """What is imputed, and from what.

    Attributes
    ----------
    frame : DataFrame
    rows, groups : tuple of Incomplete
        Variables of the rows, and those of the groups, each in the order of their columns in the joint model.
    group : Categories
        Of the rows.
    arm : str or None
    arms : Categories or None
        Arm of each group.
    expression : str
        What the means of the rows depend on.
    model : JointModel
    reference_rows : mapping of label to ndarray (n, p)
        What the means would depend on in each arm; empty without arms.
    notes : tuple of Phrase
    """

    frame: pd.DataFrame
    rows: tuple[Incomplete, ...]
    groups: tuple[Incomplete, ...]
    group: Categories
    arm: str | None
    arms: Categories | None
    expression: str
    model: JointModel
    reference_rows: dict[object, Array]
    notes: tuple[Phrase, ...]

    @property
    def variables(self) -> tuple[Incomplete, ...]:
        """All variables to impute."""
        return (*self.rows, *self.groups)


def read_plan(
    frame: pd.DataFrame,
    variables: Mapping[str, str],
    group: str,
    arm: str | None,
    predictors: Sequence[str],
    *,
    by_arm: bool,
) -> ImputationPlan:
    """Return what is to be imputed, or refuse it in the words of its variables."""
    if not variables:
        NOTHING.refuse()
    expression = " + ".join([*([arm] if arm else []), *predictors]) or "1"
    named = {group, *names_in(expression)}
    for name in variables:
        if name in named:
            TWICE.refuse(name=name)
    groups = _read_groups(frame, group)
    arms = None if arm is None else _read_arms(frame, arm, groups)
    for name in names_in(expression):
        _refuse_incomplete(frame, name)
    found = [read_incomplete(frame, name, scale, groups) for name, scale in variables.items()]
    rows = tuple(sorted((v for v in found if not v.of_groups), key=lambda v: not v.is_free))
    of_groups = tuple(sorted((v for v in found if v.of_groups), key=lambda v: not v.is_free))
    X, reference_rows = _matrices(frame, expression, arm, arms)
    children = _level(rows, X, len(frame))
    institutions = _level(of_groups, _group_matrix(frame, expression, groups), len(groups.levels))
    _refuse_unlearnable(rows, of_groups, groups, arms, children, institutions)
    classes, by_class, notes = _classes(rows, groups, arms, children, institutions, by_arm=by_arm)
    notes += [note for v in rows if (note := _unobserved(v, groups))]
    model = JointModel(children, institutions, groups.codes, classes, by_class)
    return ImputationPlan(frame, rows, of_groups, groups, arm, arms, expression, model, reference_rows, tuple(notes))


def _read_groups(frame: pd.DataFrame, group: str) -> Categories:
    read_variable(frame, group)  # refuses an unknown column
    groups = read_categories(frame[group]).observed() if not frame[group].isna().any() else None
    if groups is None:
        return NO_GROUP.refuse(group, found=Phrase("{n} rows", n=int(frame[group].isna().sum())), name=group)
    return groups


def _read_arms(frame: pd.DataFrame, arm: str, groups: Categories) -> Categories:
    """Return the arm of each group."""
    read_variable(frame, arm)
    _refuse_incomplete(frame, arm)
    rows = read_categories(frame[arm]).observed()
    first = np.zeros(len(groups.levels), np.intp)
    first[groups.codes] = rows.codes
    differing = np.unique(groups.codes[rows.codes != first[groups.codes]])
    if len(differing):
        ARM_OF_ROWS.refuse(name=arm, found=", ".join(str(groups.levels[j]) for j in differing[:5]))
    return Categories(first, rows.levels)


def _refuse_incomplete(frame: pd.DataFrame, name: str) -> None:
    missing = int(read_variable(frame, name).missing.sum())
    if missing:
        INCOMPLETE_PREDICTOR.refuse(name=name, found=Phrase("{n} rows", n=missing))


def _matrices(
    frame: pd.DataFrame, expression: str, arm: str | None, arms: Categories | None
) -> tuple[Array, dict[object, Array]]:
    """Return X (n, p) in standard columns, and what it would be if everyone were in each arm."""
    data = read_variables(frame, names_in(expression))
    plan, _ = plan_columns(expression, data)
    X = build_matrix(plan, data) if names_in(expression) else np.ones((len(frame), 1))
    if X.shape[1] >= len(X):
        FEW_ROWS.refuse(rows=len(X), variables=X.shape[1])
    standard = standard_columns(X)
    switched: dict[object, Array] = {}
    for label in () if arms is None or arm is None else arms.levels:
        column = pd.Series([label] * len(frame), index=frame.index)
        if isinstance(frame[arm].dtype, pd.CategoricalDtype):
            column = column.astype(frame[arm].dtype)
        other = read_variables(frame.assign(**{str(arm): column}), names_in(expression))
        switched[label] = build_matrix(plan, other)[:, list(standard.kept)] @ standard.T
    return standard.X, switched


def _group_matrix(frame: pd.DataFrame, expression: str, groups: Categories) -> Array:
    """Return what the means of the groups' variables depend on (J, s): those predictors that do not vary within groups."""
    data = read_variables(frame, names_in(expression))
    plan, _ = plan_columns(expression, data)
    X = build_matrix(plan, data) if names_in(expression) else np.ones((len(frame), 1))
    sizes = np.bincount(groups.codes)
    first = np.full(len(groups.levels), len(frame))
    np.minimum.at(first, groups.codes, np.arange(len(frame)))
    steady = [j for j in range(X.shape[1]) if bool((X[:, j] == X[first[groups.codes], j]).all())]
    return standard_columns(X[first][:, steady] if len(sizes) else X[:0]).X


def _level(variables: tuple[Incomplete, ...], X: Array, n: int) -> Level:
    """Return the matrices of one level."""
    blocks = [v.columns() for v in variables]
    starts = np.cumsum([0, *(v.n_columns for v in variables)])
    bounds = tuple(b for v, first in zip(variables, starts, strict=False) for b in v.bounds(int(first)))
    return Level(np.hstack(blocks) if blocks else np.zeros((n, 0)), X, bounds, sum(v.is_free for v in variables))


def _refuse_unlearnable(
    rows: tuple[Incomplete, ...],
    of_groups: tuple[Incomplete, ...],
    groups: Categories,
    arms: Categories | None,
    children: Level,
    institutions: Level,
) -> None:
    """Refuse what the data cannot say: a variable unobserved in an arm, collinear ones, too few groups or rows."""
    for v in (*rows, *of_groups):
        arm = None if arms is None else (arms.codes if v.of_groups else arms.codes[groups.codes])
        for k, label in enumerate(() if arms is None else arms.levels):
            if bool(v.missing[arm == k].all()):
                MISSING_IN_ARM.refuse(name=v.name, arm=label)
    _refuse_collinear(rows, children)
    _refuse_collinear(of_groups, institutions)
    n, q, r = len(children.Y), children.Y.shape[1], institutions.Y.shape[1]
    if len(groups.levels) < q + r or (r and len(groups.levels) < institutions.X.shape[1] + r + 2):
        FEW_GROUPS.refuse(groups=len(groups.levels), variables=q + r)
    if n < children.X.shape[1] + 2 * q:
        FEW_ROWS.refuse(rows=n, variables=q)


def _refuse_collinear(variables: tuple[Incomplete, ...], level: Level) -> None:
    """Refuse a continuous variable that follows from predictors and the variables before it, where all were observed."""
    named = [v for v in variables if v.scale == "continuous"]
    Y = np.hstack([v.columns() for v in named]) if named else np.zeros((len(level.Y), 0))
    for k, v in enumerate(named):
        others = [j for j in range(k) if _overlap(Y, j, k)]
        known = ~np.isnan(Y[:, [*others, k]]).any(axis=1)
        before = np.hstack((level.X[known], Y[known][:, others]))
        if known.sum() <= before.shape[1] + 1:
            continue
        y = Y[known, k]
        rest = y - before @ np.linalg.lstsq(before, y, rcond=None)[0]
        if rest @ rest < SMALL**2 * (y @ y):
            COLLINEAR.refuse(name=v.name)


def _overlap(Y: Array, j: int, k: int) -> bool:
    """Whether two variables were mostly observed together."""
    both = ~np.isnan(Y[:, j]) & ~np.isnan(Y[:, k])
    return bool(both.sum() > 0.2 * (~np.isnan(Y[:, k])).sum())


def _classes(
    rows: tuple[Incomplete, ...],
    groups: Categories,
    arms: Categories | None,
    children: Level,
    institutions: Level,
    *,
    by_arm: bool,
) -> tuple[Ints, bool, list[Phrase]]:
    """Return the class of covariance of each group, whether Psi is one for each, and what is to be said of it."""
    J, q = len(groups.levels), children.Y.shape[1]
    one = np.zeros(J, np.intp)
    if arms is None or not by_arm or len(arms.levels) < 2 or not q:
        return one, False, []
    observed = [np.bincount(arms.codes[groups.codes[~v.missing]], minlength=len(arms.levels)).min() for v in rows]
    if min(observed) < ROWS_PER_COLUMN * q + children.X.shape[1]:
        return one, False, [COMMON_CHILDREN]
    enough = bool((np.bincount(arms.codes) >= 2 * (q + institutions.Y.shape[1])).all())
    return arms.codes.astype(np.intp), enough, [] if enough else [COMMON_GROUPS]


def _unobserved(v: Incomplete, groups: Categories) -> Phrase | None:
    """Return a note on the groups that have no value of a variable of the rows."""
    seen: npt.NDArray[np.intp] = np.bincount(groups.codes[~v.missing], minlength=len(groups.levels))
    none = [str(groups.levels[j]) for j in np.flatnonzero(seen == 0).tolist()]
    if not none:
        return None
    shown = ", ".join(none[:5]) + (", ..." if len(none) > 5 else "")
    return Phrase(
        "{n} groups have no value of {name} at all, and take theirs from the other groups: {groups}.",
        n=len(none),
        name=v.name,
        groups=shown,
    )
