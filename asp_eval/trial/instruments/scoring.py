"""Responses become scores. The arithmetic is in `computing`, the account of every score in `audit`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from asp_eval.trial.instruments.audit import audit_frame
from asp_eval.trial.instruments.bands import bands_under, fitting_sets
from asp_eval.trial.instruments.computing import compute
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.responses import check_ages, checked_codes


def score(
    instrument: Instrument, responses: pd.DataFrame, *, audit: bool = False, age_years: pd.Series[float] | None = None
) -> pd.DataFrame:
    """Score every row of `responses`.

    Parameters
    ----------
    instrument : Instrument
    responses : DataFrame
        One row per respondent-child. Items stand under their stored names (``sdq-teacher-4-17.tantrum``) or, if none
        of those is there, under their bare keys (``tantrum``). Other columns are ignored. An empty cell is an
        unanswered item.
    audit : bool
        Return the account of every score instead of a table of scores.
    age_years : Series of float, optional
        Exact ages, row for row. Given, every answered row is checked to be of the form's ages.

    Returns
    -------
    DataFrame
        One column per scale and composite in the instrument's order, as float, on the index of `responses`; a score
        that cannot be had is missing. With `audit`, one row per unit and scale, the scales of a unit together, the index
        repeated: scale, score, n_answered, prorated; ``entered``, the items the score was formed from (of a composite,
        the scales); ``lacking``, those without an answer; ``note``, why the score is missing or was not formed from items.

    Raises
    ------
    DataProblems
        Every missing column (SCO-001), cell that is no number (SCO-002), code that is not allowed (SCO-003) and child that
        is not of the form's ages (SCO-007), with its row.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> sdq = instrument("sdq-teacher-4-17")
    >>> answers = pd.DataFrame(1, index=["anna"], columns=list(sdq.item_keys))
    >>> score(sdq, answers)[["conduct", "total"]]
          conduct  total
    anna      5.0   20.0
    >>> answers[["tantrum", "fights", "lies"]] = None
    >>> score(sdq, answers, audit=True).iloc[[1, 5]][["scale", "note"]]
            scale                             note
    anna  conduct  2 of 5 items answered, 3 needed
    anna    total                 missing: conduct
    """
    codes = checked_codes(instrument, responses)
    check_ages(instrument, responses, age_years)
    scored = compute(instrument, codes)
    if audit:
        return audit_frame(instrument, codes, scored, responses.index)
    return pd.DataFrame(scored.scores, index=responses.index, columns=list(scored.keys))


def score_long(
    instrument: Instrument,
    responses: pd.DataFrame,
    *,
    keys: Sequence[str] = (),
    bands: str | Sequence[str] | None = None,
    age_years: pd.Series[float] | None = None,
    sex: pd.Series[str] | None = None,
    categories: bool = False,
) -> pd.DataFrame:
    """Score every row of `responses`, one result row per scale, with what the score rests on.

    Parameters
    ----------
    instrument : Instrument
    responses : DataFrame
        As for `score`.
    keys : sequence of str
        Columns of `responses` to carry along: ``["child_id", "wave"]``.
    bands : str or sequence of str, optional
        Band sets of the instrument, instead of its default; each child gets the bands of the first set made for it.
    age_years, sex : Series, optional
        Exact ages, and ``boy`` or ``girl``, row for row: needed where a named set is for some ages or one sex only.
    categories : bool
        Instrument, scale and band as categories instead of ``string``: of many rows a tenth of the memory.

    Returns
    -------
    DataFrame
        The `keys`, then instrument, scale, score, n_answered, prorated, band; the scales of one unit stand together, and
        the index of `responses` is repeated. ``band`` is missing where the score is, where no band is known, or where no
        set is for the child; where sets are named, ``band_note`` then says why.

    Raises
    ------
    DataProblems
        As for `score`.
    Refusal
        INS-021 if a band set is not the instrument's own, INS-022 if it needs ages or sex that were not given.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> sdq = instrument("sdq-teacher-4-17")
    >>> answers = pd.DataFrame({"child_id": ["c1"], **{key: [0] for key in sdq.item_keys}})
    >>> long = score_long(sdq, answers, keys=["child_id"], bands="uk-teachers-4-17-four-bands")
    >>> print(long[["child_id", "scale", "score", "band"]].iloc[2:4])
      child_id  scale  score              band
    0       c1  hyper    4.0  close_to_average
    0       c1   peer    4.0   slightly_raised
    """
    codes = checked_codes(instrument, responses)
    check_ages(instrument, responses, age_years)
    scored = compute(instrument, codes)
    n, k = scored.scores.shape
    order = np.repeat(np.arange(n), k)
    long = responses[list(keys)].take(order) if keys else pd.DataFrame(index=responses.index.take(order))
    long["instrument"] = _categories(np.zeros(n * k, np.int8), (instrument.id,))
    long["scale"] = _categories(np.tile(np.arange(k, dtype=np.int16), n), scored.keys)
    long["score"] = scored.scores.ravel()
    long["n_answered"] = scored.n_answered.ravel()
    long["prorated"] = scored.prorated.ravel()
    fit = fitting_sets(instrument, bands, n, age_years, sex)
    named = [bands_under(fit, key, scored.scores[:, j]) for j, key in enumerate(scored.keys)]
    long["band"] = pd.Categorical(np.column_stack(named).ravel())
    if bands is not None:
        long["band_note"] = pd.array(fit.notes.take(order), dtype="string")
    return long if categories else long.astype(dict.fromkeys(("instrument", "scale", "band"), "string"))


def _categories(codes: NDArray[np.integer], names: Sequence[str]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(names), dtype="string"))
