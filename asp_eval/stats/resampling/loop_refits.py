"""Refits one by one, for mixed models with more than a random intercept: the exact fit, as often as there are draws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from asp_eval.core.errors import Refusal, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.columns import Column
from asp_eval.stats.design.formula import names_in
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.design.variables import Numeric
from asp_eval.stats.engine.moments import Moments
from asp_eval.stats.estimate import Array
from asp_eval.stats.mixed.fit import MixedFit, lmm_from_moments
from asp_eval.stats.resampling.allocations import Draws
from asp_eval.stats.resampling.arm_columns import ArmColumns
from asp_eval.stats.resampling.clustered_rows import ClusteredRows
from asp_eval.stats.resampling.refits import Refits

RANDOM_TREATMENT = Phrase("the effect of the treatment varies at random in this model, which is not permuted")


def loop_refits(rows: ClusteredRows, columns: ArmColumns, draws: Draws, contrast: Array, treatment: str) -> Refits | Unavailable:
    """Refit by REML under every draw (R, J).

    Parameters
    ----------
    rows : ClusteredRows
    columns : ArmColumns
    draws : ndarray of int8, shape (R, J)
    contrast : ndarray, shape (p,)
    treatment : str
        Its column; a model in which its effect varies at random is not permuted.
    """
    design = rows.design
    if any(treatment in names_in(block.expression) for block in design.blocks):
        return Unavailable(RANDOM_TREATMENT)
    moving = np.flatnonzero((columns.X[0] != columns.X).any(axis=(0, 1)))
    places = [design.layout.fixed[rows.kept[k]] for k in moving]
    cells = np.arange(len(rows.codes))
    b, se = np.full(len(draws), np.nan), np.full(len(draws), np.nan)
    names = [design.layout.fixed_names[k] for k in rows.kept]
    for r, draw in enumerate(draws):
        arm = draw[rows.codes]
        fit = _fitted(_with_columns(design, places, [columns.X[arm, cells, k] for k in moving]))
        if fit is not None and list(fit.names) == names:
            b[r], se[r] = contrast @ fit.estimate, np.sqrt(contrast @ fit.model_covariance @ contrast)
    return Refits(b, se, np.full(len(draws), np.nan))


def _with_columns(design: Design, places: list[int], values: list[Array]) -> Design:
    """Return a design with other values in some columns."""
    built, variables = list(design.columns), dict(design.data.columns)
    for place, numbers in zip(places, values, strict=True):
        key = f"drawn {place}"
        built[place] = Column(built[place].name, ((key, None),), built[place].term)
        variables[key] = Numeric(numbers)
    return replace(design, columns=tuple(built), data=replace(design.data, columns=variables))


def _fitted(design: Design) -> MixedFit | None:
    """Return the REML fit, or None where the draw leaves nothing to fit."""
    try:
        return lmm_from_moments(Moments.from_design(design), reml=True)
    except Refusal:
        return None
