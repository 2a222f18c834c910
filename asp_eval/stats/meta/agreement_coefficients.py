r"""The coefficients of agreement as functions of sums over units, with the intervals of independent units.

Because a coefficient needs sums alone, a sample of institutions drawn anew is a weighted sum: thousands are one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.estimate import t_quantile
from asp_eval.stats.meta.wilson import wilson_interval

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
Metric = Literal["nominal", "ordinal", "interval"]
Weights = Literal["linear", "quadratic"]

ALL = "all"
RESAMPLE = Phrase("no interval without institutions to resample")
NULL_ALONE = Phrase("the standard error is that of no agreement beyond chance; an interval needs institutions to resample")


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """A standard error and an interval, with the method that gave them."""

    std_error: float | None = None
    std_error_null: float | None = None
    df: float | None = None
    low: float | None = None
    high: float | None = None
    method: str = ""
    note: Phrase = NO_NOTE


@dataclass(frozen=True, slots=True, eq=False)
class Coefficient:
    """A coefficient as a function of sums over units.

    `terms` has one row a unit, zero where the unit does not count; `parts` turns sums of its rows, shape (..., m), into observed
    and expected agreement.
    """

    statistic: str
    coders: str
    terms: Array
    used: NDArray[np.bool_]
    parts: Callable[[Array], tuple[Array, Array]]
    interval: Interval = Interval()

    def estimates(self, sums: Array) -> Array:
        """Return the coefficient for each row of sums; NaN where it is not defined."""
        with np.errstate(divide="ignore", invalid="ignore"):
            observed, expected = self.parts(sums)
            return np.where(1 - expected > 1e-12, (observed - expected) / (1 - expected), np.nan)


def credit_of(categories: int, weights: Weights | None) -> Array:
    """Return the credit w_ij for codes i and j: one where equal, and by weights part of it for near ones."""
    if weights is None:
        return np.eye(categories)
    ranks = np.arange(categories)
    distance = np.abs(ranks[:, None] - ranks) / (categories - 1)
    return np.asarray(1 - (distance if weights == "linear" else distance**2), dtype=float)


def _counts(codes: Codes, categories: int) -> Array:
    """Return how many coders placed each unit in each category, shape (units, categories)."""
    return np.asarray((codes[:, :, None] == np.arange(categories)).sum(axis=1), dtype=float)


def _pair_agreement(counts: Array, credit: Array) -> Array:
    """Return the mean credit of all ordered pairs of codes of each unit; zero with fewer than two codes."""
    n = counts.sum(axis=1)
    pairs = np.einsum("ui,ij,uj->u", counts, credit, counts) - counts @ np.diag(credit)
    return np.where(n > 1, pairs / np.maximum(n * (n - 1), 1), 0.0)


def percent(codes: Codes, categories: int, name: str, level: float) -> Coefficient:
    """Return the share of pairs of codes that agree; of two coders with Wilson's interval, of more with t over units."""
    counts = _counts(codes, categories)
    used = np.asarray(counts.sum(axis=1) > 1, dtype=bool)
    agree = _pair_agreement(counts, np.eye(categories))
    n = int(used.sum())
    interval = Interval()
    if n and codes.shape[1] == 2:
        low, high = wilson_interval(round(agree.sum()), n, level)
        interval = Interval(low=low, high=high, method="Wilson")
    elif n > 1:
        interval = _student(float(agree[used].mean()), float(agree[used].std(ddof=1) / np.sqrt(n)), n - 1, level)
    terms = np.column_stack([agree, used])
    return Coefficient("percent", name, terms, used, lambda sums: (sums[..., 0] / sums[..., 1], 0 * sums[..., 1]), interval)


def cohen(pair: Codes, credit: Array, name: str, level: float) -> Coefficient:
    """Return Cohen's kappa of two coders, its standard errors those of Fleiss, Cohen & Everitt (1969), its interval normal."""
    q = len(credit)
    used = np.asarray((pair >= 0).all(axis=1), dtype=bool)
    terms = np.zeros((len(pair), q * q))
    terms[np.flatnonzero(used), pair[used] @ (q, 1)] = 1.0

    def parts(sums: Array) -> tuple[Array, Array]:
        table = sums.reshape(*sums.shape[:-1], q, q) / sums.sum(axis=-1)[..., None, None]
        expected = np.einsum("...i,ij,...j->...", table.sum(axis=-1), credit, table.sum(axis=-2))
        return (table * credit).sum(axis=(-2, -1)), expected

    n = int(used.sum())
    interval = _cohen_interval(terms.sum(axis=0).reshape(q, q) / n, n, credit, level) if n else Interval()
    return Coefficient("cohen", name, terms, used, parts, interval)


def _cohen_interval(table: Array, n: int, credit: Array, level: float) -> Interval:
    first, second = table.sum(axis=1), table.sum(axis=0)
    observed, expected = float((table * credit).sum()), float(first @ credit @ second)
    if not 1 - expected > 1e-12:
        return Interval()
    kappa = (observed - expected) / (1 - expected)
    margins = (credit @ second)[:, None] + first @ credit
    spread = (table * (credit - margins * (1 - kappa)) ** 2).sum() - (kappa - expected * (1 - kappa)) ** 2
    null = (np.outer(first, second) * (credit - margins) ** 2).sum() - expected**2
    error, error_null = (float(np.sqrt(max(v, 0.0) / n)) / (1 - expected) for v in (spread, null))
    half = float(special.ndtri((1 + level) / 2)) * error
    return Interval(error, error_null, None, kappa - half, kappa + half, "normal")


def fleiss(codes: Codes, categories: int) -> Coefficient:
    """Return Fleiss' kappa over the units that everybody coded, its standard error under no agreement beyond chance."""
    used = np.asarray((codes >= 0).all(axis=1), dtype=bool)
    counts = np.where(used[:, None], _counts(codes, categories), 0.0)
    terms = np.column_stack([_pair_agreement(counts, np.eye(categories)), used, counts])

    def parts(sums: Array) -> tuple[Array, Array]:
        shares = sums[..., 2:] / sums[..., 2:].sum(axis=-1, keepdims=True)
        return sums[..., 0] / sums[..., 1], (shares**2).sum(axis=-1)

    interval = Interval()
    if used.any():
        n, m = int(used.sum()), codes.shape[1]
        p = counts.sum(axis=0) / (n * m)
        spread = float((p * (1 - p)).sum())
        if spread > 0:
            variance = 2 / (n * m * (m - 1) * spread**2) * (spread**2 - float((p * (1 - p) * (1 - 2 * p)).sum()))
            interval = Interval(std_error_null=float(np.sqrt(variance)), note=NULL_ALONE)
    return Coefficient("fleiss", ALL, terms, used, parts, interval)


def krippendorff(codes: Codes, categories: int, metric: Metric) -> Coefficient:
    """Return Krippendorff's alpha from the matrix of coincidences, whatever codes are missing."""
    counts = _counts(codes, categories)
    n = counts.sum(axis=1)
    used = np.asarray(n > 1, dtype=bool)
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(categories)
    terms = np.where(used, 1 / np.maximum(n - 1, 1), 0.0)[:, None] * pairs.reshape(len(codes), -1)

    def parts(sums: Array) -> tuple[Array, Array]:
        coincidences = sums.reshape(*sums.shape[:-1], categories, categories)
        margin = coincidences.sum(axis=-1)
        total = margin.sum(axis=-1)
        distance = _distance(margin, metric)
        seen = (coincidences * distance).sum(axis=(-2, -1)) / total
        chance = np.einsum("...i,...ij,...j->...", margin, distance, margin) / (total * (total - 1))
        return 1 - seen, 1 - chance

    return Coefficient(f"krippendorff_{metric}", ALL, terms, used, parts, Interval(note=RESAMPLE))


def _distance(margin: Array, metric: Metric) -> Array:
    """Return the squared distance of each two categories, the widest being one; the ordinal one follows the codes' own counts."""
    q = margin.shape[-1]
    ranks = np.arange(q)
    if metric == "nominal":
        return np.broadcast_to(1 - np.eye(q), (*margin.shape, q))
    if metric == "interval":
        return np.broadcast_to(((ranks[:, None] - ranks) / (q - 1)) ** 2, (*margin.shape, q))
    middle = np.cumsum(margin, axis=-1) - margin / 2
    squared = (middle[..., :, None] - middle[..., None, :]) ** 2
    return np.asarray(squared / squared.max(axis=(-2, -1), keepdims=True))


def gwet(codes: Codes, credit: Array, level: float) -> Coefficient:
    """Return Gwet's AC1, or with weights AC2, its standard error over units (Gwet 2008), its interval Student's t cut at one."""
    q = len(credit)
    counts = _counts(codes, q)
    n = counts.sum(axis=1)
    used, coded = np.asarray(n > 1, dtype=bool), np.asarray(n > 0, dtype=bool)
    shares = counts / np.maximum(n, 1)[:, None]
    agree = _pair_agreement(counts, credit)
    scale = credit.sum() / (q * (q - 1))

    def parts(sums: Array) -> tuple[Array, Array]:
        share = sums[..., 3:] / sums[..., 2][..., None]
        return sums[..., 0] / sums[..., 1], scale * (share * (1 - share)).sum(axis=-1)

    terms = np.column_stack([agree, used, coded, shares])
    observed, expected = (float(part) for part in parts(terms.sum(axis=0)))
    units = int(coded.sum())
    estimate = (observed - expected) / (1 - expected)
    own = np.where(used, units / used.sum() * (agree - expected) / (1 - expected), 0.0)
    chance = scale * shares @ (1 - shares[coded].mean(axis=0))
    own = (own - 2 * (1 - estimate) * (chance - expected) / (1 - expected))[coded]
    error = float(np.sqrt(((own - estimate) ** 2).sum() / (units * (units - 1))))
    interval = _student(estimate, error, units - 1, level)
    return Coefficient("gwet", ALL, terms, used, parts, interval)


def _student(estimate: float, error: float, df: int, level: float) -> Interval:
    half = float(t_quantile((1 + level) / 2, np.array(df))) * error
    return Interval(error, None, float(df), estimate - half, min(estimate + half, 1.0), "t")
