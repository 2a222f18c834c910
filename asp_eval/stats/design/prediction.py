"""What needs the rows again: fitted values and predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.stats.design.columns import build_column, build_matrix
from asp_eval.stats.design.formula import names_in
from asp_eval.stats.design.layout import FactorLayout
from asp_eval.stats.design.model_frame import Design, combined_groups, read_offset
from asp_eval.stats.design.tables import as_frame
from asp_eval.stats.design.variables import read_variables
from asp_eval.stats.estimate import Array

NEW_GROUP = Fault(
    "FIT-047",
    "the new data hold groups of {factor} that the model has not seen",
    "Predict with new_groups=True to give them the average of all groups, or leave their rows out.",
)
INCOMPLETE = Fault("FIT-048", "rows without all their values cannot be predicted", "Fill in the values, or leave the rows out.")


def effect_columns(design: Design, factor: FactorLayout) -> Array:
    """Return Z of one factor without its groups (n, k): the values of the columns that vary."""
    out = np.empty((design.data.n, len(factor.effects)))
    for k, e in enumerate(factor.effects):
        out[:, k] = build_column(design.columns[e], design.data.columns, slice(None))
    return out


def random_part(design: Design, modes: Sequence[Array]) -> Array:
    """Return Z b (n,)."""
    out = np.zeros(design.data.n)
    for factor, groups, b in zip(design.layout.factors, design.groups, modes, strict=True):
        out += (effect_columns(design, factor) * b[groups.codes]).sum(axis=1)
    return out


def predict_rows(
    design: Design,
    kept: Sequence[int],
    beta: Array,
    modes: Sequence[Array],
    frame: pd.DataFrame,
    *,
    random: bool,
    new_groups: bool,
) -> Array:
    """Return predictions of new rows (rows of `frame`,), with the offset, as lme4's predict.

    Raises
    ------
    Refusal
        If a value is missing, a category is new, or a group is new and `new_groups` is False.
    """
    formula = design.formula
    frame = as_frame(frame)
    expressions = (formula.fixed, *formula.offsets, *((b.expression for b in formula.blocks) if random else ()))
    grouping = dict.fromkeys(g for f in design.layout.factors for g in f.group) if random else {}
    data = read_variables(frame, dict.fromkeys(n for e in expressions for n in names_in(e)), grouping)
    if data.n_dropped:
        INCOMPLETE.refuse(found=f"{data.n_dropped} of {len(frame)} rows")
    out = build_matrix(design.fixed, data)[:, list(kept)] @ beta
    offset = read_offset(formula, data, dict(design.layout.learned))
    out = out if offset is None else out + offset
    if not random:
        return np.asarray(out, float)
    for factor, known, b in zip(design.layout.factors, design.groups, modes, strict=True):
        groups = combined_groups(factor.group, data)
        where = known.levels.get_indexer(groups.levels)
        if (where < 0).any() and not new_groups:
            NEW_GROUP.refuse(factor.name, found=", ".join(str(v) for v in groups.levels[where < 0][:5]), factor=factor.name)
        effects = np.where((where >= 0)[:, None], b[where], 0.0)
        plans = [p for p, block in zip(design.blocks, formula.blocks, strict=True) if block.group == factor.group]
        Z = np.hstack([build_matrix(p, data) for p in plans])
        out = out + (Z * effects[groups.codes]).sum(axis=1)
    return np.asarray(out, float)


@dataclass(frozen=True, slots=True, eq=False)
class MeanRows:
    """What the fixed part says of new rows.

    Attributes
    ----------
    X : ndarray (n, p)
        The estimated columns.
    offset : ndarray (n,)
    """

    X: Array
    offset: Array


def mean_rows(design: Design, kept: Sequence[int], frame: pd.DataFrame) -> MeanRows:
    """Return the columns of X and the offset of new rows.

    Raises
    ------
    Refusal
        If a value is missing or a category is new.
    """
    formula, table = design.formula, as_frame(frame)
    data = read_variables(table, dict.fromkeys(n for e in (formula.fixed, *formula.offsets) for n in names_in(e)))
    if data.n_dropped:
        INCOMPLETE.refuse(found=f"{data.n_dropped} / {len(table)}")
    offset = read_offset(formula, data, dict(design.layout.learned))
    X = build_matrix(design.fixed, data)[:, list(kept)]
    return MeanRows(X, np.zeros(len(X)) if offset is None else offset)


def new_row_variance(design: Design, covariances: Sequence[Array], sigma2: float, frame: pd.DataFrame) -> Array:
    """Return the variance (n,) of a new outcome about its mean: z'Dz of every factor, and the residual's (of weight one)."""
    table = as_frame(frame)
    out = np.full(len(table), sigma2)
    for factor, D in zip(design.layout.factors, covariances, strict=True):
        pairs = zip(design.blocks, design.formula.blocks, strict=True)
        own = [(plan, block) for plan, block in pairs if block.group == factor.group]
        data = read_variables(table, dict.fromkeys(n for _, b in own for n in names_in(b.expression)))
        if data.n_dropped:
            INCOMPLETE.refuse(found=f"{data.n_dropped} / {len(table)}")
        Z = np.hstack([build_matrix(plan, data) for plan, _ in own])
        out = out + ((Z @ D) * Z).sum(axis=1)
    return out
