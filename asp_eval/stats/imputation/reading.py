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
    "{groups} groups are fewer than the {variables} columns whose differences between groups are to be estimated ({names})",
    "Impute fewer variables at once: the scale in place of its items, or one wave less.",
)
FEW_FOR_GROUPS = Fault(
    "IMP-037",
    "{groups} groups are too few for {variables} variables that every group has one value of ({names})",
    "Leave some of these out, or some predictors that are the same for everyone of a group.",
)
CONSTANT_IN_ARM = Fault(
    "IMP-036",
    "{name} has the same value for everyone observed of the arm {arm}, and other values elsewhere",
    "Leave {name} out, or join its categories: how it varies in that arm is not known, so nothing can be imputed from it there.",
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
    arms : Categories or None
        Arm of each group.
    model : JointModel
    reference_rows : mapping of label to ndarray (n, p)
        What the means would depend on in each arm; empty without arms.
    notes : tuple of Phrase
    """

    frame: pd.DataFrame
    rows: tuple[Incomplete, ...]
    groups: tuple[Incomplete, ...]
    group: Categories
    arms: Categories | None
    model: JointModel
    reference_rows: dict[object, Array]
    notes: tuple[Phrase, ...]


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
    means = _read_means(frame, expression, arm, arms, groups)
    children = _level(rows, means.rows, len(frame))
    institutions = _level(of_groups, means.groups, len(groups.levels))
    _refuse_unlearnable(rows, of_groups, groups, arms, children, institutions)
    classes, by_class, notes = _classes(rows, groups, arms, children, institutions, by_arm=by_arm)
    notes += [note for v in rows if (note := _unobserved(v, groups))]
    model = JointModel(children, institutions, groups.codes, classes, by_class)
    return ImputationPlan(frame, rows, of_groups, groups, arms, model, means.by_arm, tuple(notes))


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


@dataclass(frozen=True, slots=True, eq=False)
class _Means:
    """What means depend on, in standard columns.

    Attributes
    ----------
    rows : ndarray (n, p)
    groups : ndarray (J, s)
        Of the groups' variables: those columns that do not vary within groups.
    by_arm : dict of label to ndarray (n, p)
        `rows`, if everyone were in that arm.
    """

    rows: Array
    groups: Array
    by_arm: dict[object, Array]


def _read_means(frame: pd.DataFrame, expression: str, arm: str | None, arms: Categories | None, groups: Categories) -> _Means:
    """Return what means depend on."""
    names = names_in(expression)
    data = read_variables(frame, names)
    plan, _ = plan_columns(expression, data)
    X = build_matrix(plan, data) if names else np.ones((len(frame), 1))
    if X.shape[1] >= len(X):
        FEW_ROWS.refuse(rows=len(X), variables=X.shape[1])
    standard = standard_columns(X)
    by_arm: dict[object, Array] = {}
    for label in () if arms is None or arm is None else arms.levels:
        column = pd.Series([label] * len(frame), index=frame.index)
        if isinstance(frame[arm].dtype, pd.CategoricalDtype):
            column = column.astype(frame[arm].dtype)
        other = read_variables(frame.assign(**{str(arm): column}), names)
        by_arm[label] = build_matrix(plan, other)[:, list(standard.kept)] @ standard.T
    first = np.full(len(groups.levels), len(frame))
    np.minimum.at(first, groups.codes, np.arange(len(frame)))
    steady = (X[first[groups.codes]] == X).all(axis=0)
    return _Means(standard.X, standard_columns(X[first][:, steady]).X, by_arm)


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
            seen = v.numbers[(arm == k) & ~v.missing]
            if not len(seen):
                MISSING_IN_ARM.refuse(name=v.name, arm=label)
            if len(seen) > 1 and seen.min() == seen.max():
                CONSTANT_IN_ARM.refuse(name=v.name, arm=label, found=str(v.shown(seen[0])))
    _refuse_collinear(rows, children)
    _refuse_collinear(of_groups, institutions)
    n, q, r = len(children.Y), children.Y.shape[1], institutions.Y.shape[1]
    J = len(groups.levels)
    if r and institutions.X.shape[1] + r + 2 > J:
        FEW_FOR_GROUPS.refuse(groups=J, variables=len(of_groups), names=_named(of_groups))
    if q + r > J:
        FEW_GROUPS.refuse(groups=J, variables=q + r, names=_named((*rows, *of_groups)))
    if n < children.X.shape[1] + 2 * q:
        FEW_ROWS.refuse(rows=n, variables=q)


def _named(variables: tuple[Incomplete, ...]) -> str:
    """Return the names of variables, the first ones of many."""
    names = [v.name for v in variables]
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")


def _refuse_collinear(variables: tuple[Incomplete, ...], level: Level) -> None:
    """Refuse a variable that follows from predictors and the variables before it, where all were observed."""
    before = np.zeros((len(level.Y), 0))
    for v in variables:
        own = v.observed_columns()
        for y in own.T:
            others = [j for j in range(before.shape[1]) if _overlap(before[:, j], y)]
            known = ~np.isnan(y) & ~np.isnan(before[:, others]).any(axis=1)
            X = np.hstack((level.X[known], before[known][:, others]))
            if known.sum() <= X.shape[1] + 1 or np.ptp(y[known]) == 0:
                continue
            rest = y[known] - X @ np.linalg.lstsq(X, y[known], rcond=None)[0]
            if rest @ rest < SMALL**2 * (y[known] @ y[known]):
                COLLINEAR.refuse(name=v.name)
        before = np.hstack((before, own))


def _overlap(other: Array, own: Array) -> bool:
    """Whether two columns were mostly observed together."""
    both = ~np.isnan(other) & ~np.isnan(own)
    return bool(both.sum() > 0.2 * (~np.isnan(own)).sum())


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
        "{n} groups have no value of {name} at all, and take theirs from the other groups: {groups}. Leave out a group that "
        "never took part.",
        n=len(none),
        name=v.name,
        groups=shown,
    )
