"""Responses become scores: codes checked, reversed, prorated, rounded, added up, each scale in one vectorised pass.

With ``a`` answered of the ``n`` items of a scale, ``s`` their sum after reversal, and codes from ``low`` to ``high``:

- mean-times-n: ``s n / a``; half-up rounding is ``floor(x + 1/2)``, so 2.5 becomes 3, where rounding to even gives 2;
- mean: ``s / a``; sum: ``s``, with every item answered;
- pomp: ``100 (s / a - low) / (high - low)``, percent of the maximum possible (Cohen, Cohen, Aiken & West 1999,
  Multivariate Behavioral Research 34:315-346).

With fewer answers than the rule asks for, the score is missing. A composite is missing if any of its scales is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from asp_eval.trial.instruments.bands import band
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.parts import Composite, Rule
from asp_eval.trial.instruments.responses import checked_codes

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Number = TypeVar("Number", bound=np.generic)
Texts = pd.api.extensions.ExtensionArray


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
        Whether a score stands though items are unanswered.
    """

    keys: tuple[str, ...]
    scores: Floats
    n_answered: Counts
    prorated: NDArray[np.bool_]


def score(instrument: Instrument, responses: pd.DataFrame) -> pd.DataFrame:
    """Score every row of `responses`.

    Parameters
    ----------
    instrument : Instrument
    responses : DataFrame
        One row per respondent-child. Items stand under their stored names (``sdq-teacher-4-17.tantrum``) or, if none
        of those is there, under their bare keys (``tantrum``). Other columns are ignored. An empty cell is an
        unanswered item.

    Returns
    -------
    DataFrame
        One column per scale and composite in the instrument's order, as float, on the index of `responses`; a score
        that cannot be had is missing.

    Raises
    ------
    DataProblems
        Every missing column (SCO-001), cell that is no number (SCO-002) and code that is not allowed (SCO-003), with
        its row.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> sdq = instrument("sdq-teacher-4-17")
    >>> answers = pd.DataFrame(1, index=["anna"], columns=list(sdq.item_keys))
    >>> score(sdq, answers)[["conduct", "total"]]
          conduct  total
    anna      5.0   20.0
    """
    scored = compute(instrument, responses)
    return pd.DataFrame(scored.scores, index=responses.index, columns=list(scored.keys))


def score_long(
    instrument: Instrument, responses: pd.DataFrame, *, keys: Sequence[str] = (), bands: str | None = None
) -> pd.DataFrame:
    """Score every row of `responses`, one result row per scale, with what the score rests on.

    Parameters
    ----------
    instrument : Instrument
    responses : DataFrame
        As for `score`.
    keys : sequence of str
        Columns of `responses` to carry along: ``["child_id", "wave"]``.
    bands : str, optional
        A band set of the instrument, instead of its default.

    Returns
    -------
    DataFrame
        The `keys`, then instrument, scale, score, n_answered, prorated, band; the scales of one unit stand together, and
        the index of `responses` is repeated. ``band`` is missing where the score is, or where no band is known.

    Raises
    ------
    DataProblems
        As for `score`.
    Refusal
        INS-021 if the band set is not the instrument's own.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> sdq = instrument("sdq-teacher-4-17")
    >>> answers = pd.DataFrame({"child_id": ["c1"], **{key: [0] for key in sdq.item_keys}})
    >>> print(score_long(sdq, answers, keys=["child_id"])[["child_id", "scale", "score", "band"]].iloc[2:4])
      child_id  scale  score              band
    0       c1  hyper    4.0  close_to_average
    0       c1   peer    4.0   slightly_raised
    """
    scored = compute(instrument, responses)
    n, k = scored.scores.shape
    order = np.repeat(np.arange(n), k)
    long = responses[list(keys)].take(order) if keys else pd.DataFrame(index=responses.index.take(order))
    long["instrument"] = _texts(np.zeros(n * k, int), (instrument.id,))
    long["scale"] = _texts(np.tile(np.arange(k), n), scored.keys)
    long["score"] = scored.scores.ravel()
    long["n_answered"] = scored.n_answered.ravel()
    long["prorated"] = scored.prorated.ravel()
    long["band"] = _bands(instrument, scored, bands)
    return long


def compute(instrument: Instrument, responses: pd.DataFrame, rows: NDArray[np.int64] | None = None) -> Scores:
    """Score every row, as arrays; `rows` and the errors are those of `responses.checked_codes`."""
    codes = checked_codes(instrument, responses, rows)
    items = {item.key: item for item in instrument.items}
    values: dict[str, Floats] = {}
    answered: dict[str, Counts] = {}
    prorated: dict[str, NDArray[np.bool_]] = {}
    for scale in instrument.scales:
        low, high = (instrument.codes(items[scale.items[0]])[end] for end in (0, -1))
        columns = [low + high - codes[key] if items[key].reverse else codes[key] for key in scale.items]
        values[scale.key], answered[scale.key] = scale_scores(columns, scale.rule, low, high)
        prorated[scale.key] = ~np.isnan(values[scale.key]) & (answered[scale.key] < len(scale.items))
    for composite in instrument.composites:
        values[composite.key] = composite_scores([values[key] for key in composite.scales], composite)
        answered[composite.key] = np.sum([answered[key] for key in composite.scales], axis=0)
        any_prorated = np.any([prorated[key] for key in composite.scales], axis=0)
        prorated[composite.key] = ~np.isnan(values[composite.key]) & any_prorated
    order = instrument.scale_keys
    return Scores(order, _columns(values, order), _columns(answered, order), _columns(prorated, order))


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


def _columns(parts: dict[str, NDArray[Number]], order: Sequence[str]) -> NDArray[Number]:
    return np.column_stack([parts[key] for key in order])


def _bands(instrument: Instrument, scored: Scores, name: str | None) -> Texts:
    """The bands of all scores, in the order of the long rows."""
    named = [band(instrument, key, pd.Series(scored.scores[:, j]), bands=name) for j, key in enumerate(scored.keys)]
    cells = np.column_stack([each.to_numpy(dtype=object) for each in named]).ravel()
    return pd.array(cells, dtype="string")


def _texts(codes: NDArray[np.int64], names: Sequence[str]) -> Texts:
    return pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index(names))).astype("string").array
