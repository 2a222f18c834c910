"""Random values of declared columns, items and outcomes, for a trial that exists as a plan alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.study.collection import OwnColumn
from asp_eval.trial.study.outcome import Outcome

Array = NDArray[np.float64]

LOADING = 0.7  # of an item on its scale
CENTRE, SPREAD = 50.0, 10.0  # of a measure without limits
WIDTH_IN_SDS = 6.0  # of a measure with limits
RATE = 0.5  # of a count, on the log scale


def column_values(column: OwnColumn, compared: Sequence[str], rng: np.random.Generator, n: int) -> list[object]:
    """Return n values of a declared column: its labels or limits; nine in ten meet the filter that compares it.

    Parameters
    ----------
    column : OwnColumn
    compared : sequence of str
        Values that a filter asks for.
    rng : Generator
    n : int
    """
    if column.type == "date":
        return ["2020-01-01"] * n
    met = rng.random(n) < 0.9
    known = list(column.labels) or (["A", "B"] if column.type == "string" else [])
    if known:
        drawn = [known[k] for k in rng.integers(0, len(known), n)]
    else:
        low, high = _limits(column)
        numbers = rng.uniform(low, high, n)
        drawn = [f"{x:.0f}" if column.type == "integer" else f"{x:.1f}" for x in numbers]
    return [compared[0] if compared and meets else value for value, meets in zip(drawn, met, strict=True)]


def item_answers(form: Instrument, traits: Mapping[str, Array], rng: np.random.Generator, n: int) -> dict[str, pd.Series]:
    """Return the answers to every item, by the name of its column: all codes equally frequent, none missing.

    Parameters
    ----------
    form : Instrument
    traits : mapping of str to array (n,)
        A standard normal value for each scale. An item of a scale goes up with it, in the direction of the scale.
    rng : Generator
    n : int
    """
    scale_of = {key: scale.key for scale in form.scales for key in scale.items}
    answers: dict[str, pd.Series] = {}
    for item in form.items:
        noise = rng.standard_normal(n)
        scale = scale_of.get(item.key)
        latent = noise if scale is None else LOADING * traits[scale] + math.sqrt(1 - LOADING**2) * noise
        points = form.points(item)
        codes = np.asarray(sorted(points, key=lambda code: points[code]))
        answers[item.key] = pd.Series(codes[_cut(latent, len(codes))], dtype="Int64")
        if item.unless is not None:
            answers[item.key] = answers[item.key].mask(answers[item.unless.item] == item.unless.code)
    return dict(zip(form.columns, answers.values(), strict=True))


def outcome_values(outcome: Outcome, column: OwnColumn | None, latent: Array) -> Array:
    """Return the values of an outcome that is a column, from standard normal values.

    A binary outcome is 1 for three in ten; an ordinal one has four categories, or those that its column allows; a count is
    Poisson's quantile; a measure lies within the limits of its column.
    """
    low, high = (None, None) if column is None else (column.min, column.max)
    share = ndtr(latent)
    if outcome.is_ordinal and outcome.cut is None:
        first = low or 0.0
        levels = int(high - first) + 1 if high is not None else 4
        return np.asarray(first + _cut(latent, levels), dtype=np.float64)
    if outcome.is_count:
        from scipy.stats import poisson

        counts = poisson.ppf(share, math.exp(RATE))
        return np.asarray(np.clip(counts, low or 0.0, np.inf if high is None else high), dtype=np.float64)
    if not outcome.is_continuous and outcome.cut is None:  # yes or no
        return np.asarray(share > 0.7, dtype=np.float64)
    cuts = outcome.cut if isinstance(outcome.cut, tuple) else (outcome.cut,) if outcome.cut is not None else ()
    centre, spread = (float(np.mean(cuts)), max(float(np.ptp(cuts)), 1.0)) if cuts else (CENTRE, SPREAD)
    if low is not None and high is not None and not cuts:
        centre, spread = (low + high) / 2, (high - low) / WIDTH_IN_SDS
    values = centre + spread * latent
    if low is not None or high is not None:
        values = np.clip(values, low, high)
    return np.asarray(np.round(values) if column is not None and column.type == "integer" else np.round(values, 3))


def _cut(latent: Array, levels: int) -> NDArray[np.int64]:
    """Return the position among equally frequent levels."""
    return np.minimum((ndtr(latent) * levels).astype(np.int64), levels - 1)


def _limits(column: OwnColumn) -> tuple[float, float]:
    low = 0.0 if column.min is None else column.min
    return low, low + 40.0 if column.max is None else column.max
