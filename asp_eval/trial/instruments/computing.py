"""Checked codes become numbers: reversed, prorated, rounded, added up, each scale in one vectorised pass.

With ``a`` answered of the ``n`` items of a scale, ``s`` the sum of what they count, from ``low`` to ``high`` each:

- mean-times-n: ``s n / a``; half-up rounding is ``floor(x + 1/2)``, so 2.5 becomes 3, where rounding to even gives 2;
- mean: ``s / a``; sum: ``s``, with every item answered;
- pomp: ``100 (s / a - low) / (high - low)``, percent of the maximum possible (Cohen, Cohen, Aiken & West 1999,
  Multivariate Behavioral Research 34:315-346).

With fewer answers than the rule asks for, the score is missing. Where an earlier answer made a scale's items superfluous, the
score is the one the scale declares, whatever stands in the items. A composite is missing if any of its scales is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.parts import Composite, Item, Rule, Scale

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]
Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Every score of an instrument for n units.

    Attributes
    ----------
    keys : tuple of str
        The k scales and composites, in the instrument's order.
    scores : ndarray, shape (n, k)
        NaN where a score is missing.
    n_answered : ndarray, shape (n, k)
        Answered items behind each score; for a composite, over all of its scales.
    prorated : ndarray of bool, shape (n, k)
        Whether a score stands though items that were asked are unanswered.
    """

    keys: tuple[str, ...]
    scores: Floats
    n_answered: Counts
    prorated: Flags


def compute(instrument: Instrument, codes: Mapping[str, Floats]) -> Scores:
    """Score checked codes: by item key, each of shape (n,), NaN where unanswered."""
    items = {item.key: item for item in instrument.items}
    values: dict[str, Floats] = {}
    answered: dict[str, Counts] = {}
    prorated: dict[str, Flags] = {}
    for scale in instrument.scales:
        columns = [counted(instrument, items[key], codes[key]) for key in scale.items]
        ends = instrument.points(items[scale.items[0]]).values()
        raw, answered[scale.key] = scale_scores(columns, scale.rule, min(ends), max(ends))
        skipped = not_asked(instrument, scale, codes)
        values[scale.key] = raw if skipped is None else np.where(skipped, float(scale.if_not_asked or 0), raw)
        thin = answered[scale.key] < len(scale.items)
        prorated[scale.key] = ~np.isnan(values[scale.key]) & (thin if skipped is None else thin & ~skipped)
    for composite in instrument.composites:
        values[composite.key] = composite_scores([values[key] for key in composite.scales], composite)
        answered[composite.key] = np.sum([answered[key] for key in composite.scales], axis=0)
        any_prorated = np.any([prorated[key] for key in composite.scales], axis=0)
        prorated[composite.key] = ~np.isnan(values[composite.key]) & any_prorated
    order = instrument.scale_keys
    return Scores(order, _columns(values, order), _columns(answered, order), _columns(prorated, order))


def counted(instrument: Instrument, item: Item, codes: Floats) -> Floats:
    """Return what each code counts in the item's scales, shape (n,); NaN where unanswered."""
    points = instrument.points(item)
    known, worth = list(points), np.array(list(points.values()), dtype=np.float64)
    if np.array_equal(known, worth):
        return codes
    if np.array_equal(known[0] + known[-1] - np.array(known), worth):  # plain reversal: one subtraction
        return known[0] + known[-1] - codes
    position = np.searchsorted(known, codes)  # NaN sorts last, beyond the end
    return np.append(worth, np.nan)[position]


def not_asked(instrument: Instrument, scale: Scale, codes: Mapping[str, Floats]) -> Flags | None:
    """Tell whose items were superfluous after an earlier answer, shape (n,); None if a scale's items are always asked."""
    unless = instrument.item(scale.items[0]).unless
    return None if unless is None else codes[unless.item] == unless.code


def scale_scores(columns: Sequence[Floats], rule: Rule, low: int, high: int) -> tuple[Floats, Counts]:
    """Apply a scale's rule to its items.

    Parameters
    ----------
    columns : sequence of ndarray, each of shape (n,)
        The items, reversed where they are to be; NaN where unanswered.
    rule : Rule
    low, high : int
        The ends of the items' response set.

    Returns
    -------
    scores : ndarray, shape (n,)
    answered : ndarray of int, shape (n,)
    """
    total = np.zeros(len(columns[0]))
    answered = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        there = ~np.isnan(column)
        np.add(total, column, out=total, where=there)
        answered += there
    share = np.where(answered >= rule.minimum_answered, answered, np.nan)
    match rule.method:
        case "mean-times-n":  # product before quotient: whole numbers, so halves are exact and round as they should
            result = total * len(columns) / share
        case "mean":
            result = total / share
        case "sum":
            result = np.where(np.isnan(share), np.nan, total)
        case "pomp":
            result = 100 * (total - low * share) / (share * (high - low))
    return (np.floor(result + 0.5) if rule.rounding == "half-up" else result), answered


def composite_scores(parts: Sequence[Floats], composite: Composite) -> Floats:
    """Return the sum or mean of scales, missing where any of them is."""
    total: Floats = np.sum(parts, axis=0)
    return total if composite.method == "sum" else total / len(parts)


def items_of(instrument: Instrument, key: str) -> tuple[Item, ...]:
    """Return the items behind a scale or composite, scale by scale."""
    items = {item.key: item for item in instrument.items}
    return tuple(items[name] for scale in scales_of(instrument, key) for name in scale.items)


def scales_of(instrument: Instrument, key: str) -> list[Scale]:
    """Return the scales behind a scale or composite: itself, or those that it is made of."""
    found = instrument.scale(key)
    keys = found.scales if isinstance(found, Composite) else (key,)
    return [scale for scale in instrument.scales if scale.key in keys]


def score_of_whole(instrument: Instrument, key: str, columns: Sequence[Floats]) -> Floats:
    """Return a scale's or composite's score (n,) from all of its items, whatever numbers these are; NaN where one is missing.

    Parameters
    ----------
    instrument : Instrument
    key : str
    columns : sequence of ndarray, each of shape (n,)
        What the items count, in the order of `items_of`. Nothing is rounded, as only a prorated score is.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> answers = [np.array([0.0, 1.0]), np.array([2.0, 1.5]), np.array([1.0, 1.0]), np.zeros(2), np.array([2.0, np.nan])]
    >>> score_of_whole(instrument("sdq-teacher-4-17"), "conduct", answers).tolist()
    [5.0, nan]
    """
    found, parts, at = instrument.scale(key), [], 0
    for scale in scales_of(instrument, key):
        own = columns[at : at + len(scale.items)]
        at += len(scale.items)
        ends = instrument.points(instrument.item(scale.items[0])).values()
        rule = scale.rule.model_copy(update={"minimum_answered": len(scale.items), "rounding": "none"})
        parts.append(scale_scores(own, rule, min(ends), max(ends))[0])
    return composite_scores(parts, found) if isinstance(found, Composite) else parts[0]


def _columns(parts: dict[str, NDArray[Number]], order: Sequence[str]) -> NDArray[Number]:
    return np.column_stack([parts[key] for key in order])
