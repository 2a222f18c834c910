"""Scores by name: the band a score falls in, from a band set that belongs to the instrument."""

from __future__ import annotations

import numpy as np
import pandas as pd

from asp_eval.core.errors import Unavailable
from asp_eval.trial.instruments.definition import Instrument


def band(instrument: Instrument, scale: str, scores: pd.Series[float], *, bands: str | None = None) -> pd.Series[str]:
    """Name the band of every score.

    Parameters
    ----------
    instrument : Instrument
    scale : str
        Key of a scale or composite.
    scores : Series of float
    bands : str, optional
        A band set of the instrument; its default one without it. Bands of another form are never used.

    Returns
    -------
    Series of str
        Keys of bands, on the index of `scores`; missing where the score is missing, and everywhere if the set has no
        bands for the scale. ``unbanded(instrument, scale)`` gives the reason.

    Raises
    ------
    Refusal
        INS-020 or INS-021 if the instrument has no such scale or band set.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> band(instrument("sdq-teacher-4-17"), "conduct", pd.Series([2.0, 3.0, 10.0])).tolist()
    ['close_to_average', 'slightly_raised', 'very_high']
    """
    instrument.scale(scale)
    chosen = instrument.band_set(bands)
    if isinstance(chosen, Unavailable) or scale not in chosen.scales:
        return pd.Series(pd.array([pd.NA] * len(scores), dtype="string"), index=scores.index, name="band")
    stretch = sorted(chosen.scales[scale], key=lambda each: each.from_)
    values = scores.to_numpy(dtype=float, na_value=np.nan)
    position = np.searchsorted([each.from_ for each in stretch], values, side="right") - 1
    outside = np.isnan(values) | (values < stretch[0].from_) | (values > stretch[-1].to)
    named = pd.Categorical.from_codes(np.where(outside, -1, position), categories=pd.Index([each.band for each in stretch]))
    return pd.Series(named, index=scores.index, name="band").astype("string")


def unbanded(instrument: Instrument, scale: str, *, bands: str | None = None) -> Unavailable | None:
    """Return why a scale gets no bands, or None if it does.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> print(unbanded(instrument("gap-competences-child"), "play"))
    unavailable: The questionnaire is this package's own, and there are no norms for it.
    """
    instrument.scale(scale)
    chosen = instrument.band_set(bands)
    if isinstance(chosen, Unavailable):
        return chosen
    return None if scale in chosen.scales else Unavailable(f"the band set {chosen.id} has no bands for {scale}")
