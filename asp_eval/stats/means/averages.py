"""Average effects: every row set to each category in turn, its mean predicted, and the predictions averaged.

    risk(a) = sum_i v_i m_i(a) / sum_i v_i,   m_i(a) = E_u h(x_i(a)'beta + o_i + s_i u),   u ~ N(0, 1)

h is the inverse link and s_i the standard deviation of the random effects' part in row i: the average over all groups that
might have been, not over a group whose effects are zero (standardisation, g-computation; for ordinal models h is the
probability of each category). The delta method takes the coefficients and the variances together.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.filters import parse_filter
from asp_eval.core.phrases import NO_NOTE, Phrase, notes_in_one
from asp_eval.stats.contrasts import check_level
from asp_eval.stats.design.columns import build_matrix
from asp_eval.stats.design.variables import Categories, Numeric, Variable, Variables
from asp_eval.stats.estimate import Array
from asp_eval.stats.means.cells import Cells
from asp_eval.stats.means.estimability import Estimability, estimability
from asp_eval.stats.means.model import MeansModel
from asp_eval.stats.means.reference_grid import grid_variable, rows_of
from asp_eval.stats.means.resampled import (
    FEWEST,
    LOST,
    NOT_RESAMPLED,
    ResampledClusters,
    clusters_of,
    replicates,
    spread_of,
    strata_of,
    told_draws,
)
from asp_eval.stats.means.tables import EXPONENTIAL, Back, table
from asp_eval.stats.smallsample.method import Fit, Method
from asp_eval.stats.smallsample.normal import Normal

NOT_CATEGORIES = Fault(
    "FIT-113",
    "{name} holds {n} different numbers, so there are no categories to compare",
    "Ask for its slope with marginal_slopes(), or cut it into bands first.",
)
POPULATION = Fault(
    "FIT-114",
    "an average is taken over a population or with random effects of zero",
    "Use population='population' or population='conditional'.",
)
NO_ROWS_LEFT = Fault("FIT-115", "no row that was analysed meets {over}", "Choose rows that the model was fitted to.")
ONE_CATEGORY = Fault("FIT-116", "{name} has one category in the rows analysed", "Compare a variable that differs.")
LARGE_SAMPLE = Phrase("z, as if there were many groups; between-within degrees of freedom count them.")
MEAN_NAMES = {"measure": "mean", "share": "risk", "count": "risk", "bands": "risk"}
NODES = 60
MOST_VALUES = 12
Quantity = tuple[str, Cells, Back | None]


@dataclass(frozen=True, slots=True, eq=False)
class Average:
    """The averages of one category.

    Attributes
    ----------
    value : ndarray (m,)
        One number, or one per category of an ordinal outcome.
    gradient : ndarray (m, q)
        Derivatives in the coefficients, or in all parameters.
    estimable : bool
    """

    value: Array
    gradient: Array
    estimable: bool


def average_table(
    model: MeansModel, variable: str, over: str | None, population: str, method: Method | None, level: float
) -> pd.DataFrame:
    """Return averages of each category, and their differences, ratios and odds ratios."""
    if population not in ("population", "conditional"):
        POPULATION.refuse(found=population)
    quantities = _asked(model, variable, over, population)
    if isinstance(method, ResampledClusters):
        again = lambda other: _asked(other, variable, over, population)  # noqa: E731
        return _resampled_table(model, variable, quantities, again, method, level)
    by_default = Normal() if model.spread is not None else model.method
    fit: Fit = model.fit if model.spread is None else model.spread
    note = LARGE_SAMPLE if method is None and model.spread is not None else NO_NOTE
    parts = []
    for kind, cells, back in quantities:
        rows = table(fit, cells, method or by_default, level, back=back, note=note)
        parts.append(pd.concat([pd.Series([kind] * len(rows), name="kind"), rows], axis=1))
    return pd.concat(parts, ignore_index=True)


def _asked(model: MeansModel, variable: str, over: str | None, population: str) -> list[Quantity]:
    """Return the averages of each category, and what they differ by."""
    levels, columns = _set_to_each(model, variable)
    keep = _kept(model, over)
    found = estimability(model.design, model.kept)
    averages = [_average(model, found, {**own, variable: value}, keep, population) for own, value in columns]
    return _quantities(model, variable, levels, averages, found)


def _resampled_table(
    model: MeansModel,
    variable: str,
    quantities: list[Quantity],
    again: Callable[[MeansModel], list[Quantity]],
    method: ResampledClusters,
    level: float,
) -> pd.DataFrame:
    """Return the averages with percentiles of refits to resampled clusters."""
    design, refit = model.design, model.refit
    if refit is None:
        return NOT_RESAMPLED.refuse(design.formula.text)
    check_level(level)
    clusters = clusters_of(design)
    own = grid_variable(design, variable)
    stratum = strata_of(clusters.codes, np.asarray(own.codes if isinstance(own, Categories) else own.numbers, float))
    size = sum(len(cells.value) for _, cells, _ in quantities)
    draws = replicates(clusters, stratum, method, lambda f: np.concatenate([c.value for _, c, _ in again(refit(f))]), size)
    used = draws[~np.isnan(draws).any(axis=1)]
    note = told_draws(len(used), len(stratum), method.draws)
    if len(used) < FEWEST:
        note = notes_in_one([LOST, note])
    parts, at = [], 0
    for kind, cells, back in quantities:
        mine = used[:, at : at + len(cells.value)]
        at += len(cells.value)
        numbers = _percentiles(cells.value, mine, level, back, tested=kind not in MEAN_NAMES.values())
        rows = pd.DataFrame({**{n: list(v) for n, v in cells.labels.items()}, **numbers, "method": method.name})
        rows["note"] = pd.Series([notes_in_one([r, note]) for r in cells.reasons], dtype=object)
        parts.append(pd.concat([pd.Series([kind] * len(rows), name="kind"), rows], axis=1))
    return pd.concat(parts, ignore_index=True)


def _percentiles(value: Array, draws: Array, level: float, back: Back | None, *, tested: bool) -> dict[str, Array]:
    """Return estimates (k,), standard errors, p-values and intervals of draws (B, k)."""
    nothing = np.full(len(value), np.nan)
    se, low, high, p = spread_of(draws, level) if len(draws) >= FEWEST else (nothing, nothing, nothing, nothing)
    if back is not None:
        se, low, high, value = np.abs(back.slope(value)) * se, back.curve(low), back.curve(high), back.curve(value)
    return {
        "estimate": value,
        "std_error": se,
        "df": nothing,
        "statistic": nothing,
        "p_value": p if tested else nothing,
        "conf_low": low,
        "conf_high": high,
    }


def _set_to_each(model: MeansModel, variable: str) -> tuple[list[object], list[tuple[dict[str, Variable], Variable]]]:
    """Return the categories of a variable, and the columns of all rows with each."""
    own = grid_variable(model.design, variable)
    n = model.design.data.n
    values: list[tuple[object, Variable]]
    if isinstance(own, Categories):
        values = [
            (label, Categories(np.full(n, k, np.intp), own.levels, boolean=own.boolean)) for k, label in enumerate(own.levels)
        ]
    else:
        distinct = np.unique(own.numbers)
        if len(distinct) > MOST_VALUES:
            NOT_CATEGORIES.refuse(variable, name=variable, n=len(distinct))
        values = [(int(v) if float(v).is_integer() else float(v), Numeric(np.full(n, v))) for v in distinct]
    if len(values) < 2:
        ONE_CATEGORY.refuse(name=variable)
    return [label for label, _ in values], [(dict(model.design.data.columns), value) for _, value in values]


def _kept(model: MeansModel, over: str | None) -> Array:
    """Return the weight of each row (n,): rows, or trials, that meet the filter."""
    design = model.design
    weights = np.ones(design.data.n) if model.weights is None or model.kind != "share" else model.weights
    if over is None:
        return weights
    frame = design.frame if design.data.keep is None else design.frame[design.data.keep]
    meets = parse_filter(over).mask(frame)
    if not meets.any():
        NO_ROWS_LEFT.refuse(over=over)
    return np.asarray(weights * meets, float)


def _average(model: MeansModel, found: Estimability, columns: dict[str, Variable], keep: Array, population: str) -> Average:
    """Return the averages of rows with these columns."""
    design, n = model.design, model.design.data.n
    full, offset = rows_of(design, columns, n)
    used = keep > 0
    full, offset, v = full[used], offset[used], keep[used] / keep.sum()
    X = full[:, list(model.kept)]
    eta = X @ model.coefficients + offset
    estimable = bool(found.holds(full).all())
    if model.spread is None:
        value, by_eta, _, _ = _curve(model, eta, np.zeros(len(eta)))
        return Average(v @ value, np.einsum("n,nm,np->mp", v, by_eta, X), estimable)
    spread = model.spread
    q = len(spread.estimate)
    if population == "population":
        s, s_move = spread.standard_deviation([z[used] for z in _varying_columns(model, columns)])
    else:
        s, s_move = np.zeros(len(eta)), np.zeros((len(eta), q))
    value, by_eta, by_s, by_threshold = _curve(model, eta, s)
    gradient = np.einsum("n,nm,nq->mq", v, by_s, s_move)
    gradient[:, : X.shape[1]] += np.einsum("n,nm,np->mp", v, by_eta, X)
    gradient += np.einsum("n,nmt,tq->mq", v, by_threshold, spread.thresholds)
    return Average(v @ value, gradient, estimable)


def _varying_columns(model: MeansModel, columns: dict[str, Variable]) -> list[Array]:
    """Return the columns whose effects vary (n, k), one array per grouping factor."""
    design = model.design
    data = Variables(columns, None, design.data.n, 0)
    blocks = list(zip(design.blocks, design.formula.blocks, strict=True))
    return [
        np.hstack([build_matrix(plan, data) for plan, block in blocks if block.group == factor.group])
        for factor in design.layout.factors
    ]


def _curve(model: MeansModel, eta: Array, s: Array) -> tuple[Array, Array, Array, Array]:
    """Return the mean of each row (n, m), averaged over the random effects, with its derivatives.

    Returns
    -------
    value, by_eta, by_s : ndarray (n, m)
    by_threshold : ndarray (n, m, t)
    """
    points, weights = _normal_rule() if bool((s > 0).any()) else (np.zeros(1), np.ones(1))
    total: list[Array] = []
    for z, w in zip(points, weights, strict=True):
        value, slope, by_threshold = _means(model, eta + s * z)
        part = [w * value, w * slope, w * z * slope, w * by_threshold]
        total = part if not total else [a + b for a, b in zip(total, part, strict=True)]
    return total[0], total[1], total[2], total[3]


def _means(model: MeansModel, eta: Array) -> tuple[Array, Array, Array]:
    """Return means at linear predictors (n, m), their slopes, and their derivatives in the thresholds (n, m, t)."""
    if model.ordinal:
        found = model.ordinal["prob"].curves(eta)
        return found.value, found.by_predictor, found.by_threshold
    none = np.zeros((len(eta), 1, 0))
    if model.link is None:
        return eta[:, None], np.ones((len(eta), 1)), none
    return model.link.inverse(eta)[:, None], model.link.slope(eta)[:, None], none


@lru_cache
def _normal_rule() -> tuple[Array, Array]:
    """Return nodes and weights for the standard normal density."""
    points, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return points, weights / np.sqrt(2.0 * np.pi)


def _quantities(
    model: MeansModel, variable: str, levels: Sequence[object], averages: Sequence[Average], found: Estimability
) -> list[tuple[str, Cells, Back | None]]:
    """Return the averages, then each later category against each earlier one."""
    pairs = [(b, a) for a, b in itertools.combinations(range(len(levels)), 2)]
    bands = model.ordinal["prob"].labels if model.ordinal else ("",)
    outcome = model.design.formula.response
    out: list[tuple[str, Cells, Back | None]] = []
    whole = [(variable, [str(x) for x in levels]), ("contrast", [""] * len(levels))]
    compared = [(variable, [""] * len(pairs)), ("contrast", [f"{levels[b]} vs {levels[a]}" for b, a in pairs])]

    def add(kind: str, heads: list[tuple[str, list[str]]], rows: list[tuple[Array, Array, bool]], back: Back | None) -> None:
        m = len(bands)
        labels: dict[str, tuple[object, ...]] = {name: tuple(v for v in values for _ in range(m)) for name, values in heads}
        if model.ordinal:
            labels[outcome] = tuple(band for _ in rows for band in bands)
        reason = Phrase("not estimable: the data do not determine {names}", names=", ".join(found.dropped[:3]))
        reasons = tuple(NO_NOTE if ok else reason for _, _, ok in rows for _ in range(m))
        value = np.concatenate([v for v, _, _ in rows])
        gradient = np.concatenate([g for _, g, _ in rows])
        out.append((kind, Cells(labels, value, gradient, np.zeros((len(value), 0)), reasons, False), back))

    add(MEAN_NAMES[model.kind], whole, [(a.value, a.gradient, a.estimable) for a in averages], None)
    scales: list[tuple[str, list[tuple[Array, Array]], Back | None]] = [
        ("difference", [(a.value, a.gradient) for a in averages], None)
    ]
    if model.kind in ("share", "count"):
        scales.append(("ratio", [_log(a) for a in averages], EXPONENTIAL))
    if model.kind == "share":
        scales.append(("odds_ratio", [_logit(a) for a in averages], EXPONENTIAL))
    for kind, on, back in scales:
        rows = [(on[b][0] - on[a][0], on[b][1] - on[a][1], averages[b].estimable and averages[a].estimable) for b, a in pairs]
        add(kind, compared, rows, back)
    return out


def _log(average: Average) -> tuple[Array, Array]:
    """Return the logarithm of an average and its derivatives."""
    return np.log(average.value), average.gradient / average.value[:, None]


def _logit(average: Average) -> tuple[Array, Array]:
    """Return the log odds of an average and their derivatives."""
    p = average.value
    return np.log(p) - np.log1p(-p), average.gradient / (p * (1.0 - p))[:, None]
