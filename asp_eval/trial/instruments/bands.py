"""Scores by name: the band a score falls in, from a band set that belongs to the instrument and was made for the child."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from asp_eval.core.errors import Fault, Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase, listed
from asp_eval.trial.instruments.ages_and_sexes import checked_ages, checked_sexes
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.parts import BandSet
from asp_eval.trial.instruments.responses import years

NEEDS_CHILD = Fault(
    "INS-022",
    "the band set {name} was made for {limit} only, and the {what} of the children was not given",
    "Give {argument}, so that no other child gets its bands.",
)
NO_COUNTRY = Fault(
    "INS-023",
    "the instrument has no band set from this country",
    "Another country's set is used only if you name it yourself.",
)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Which band set serves which child.

    Attributes
    ----------
    sets : tuple of BandSet
    position : ndarray of int, shape (n,)
        The set among `sets` that serves each row; -1 where none does.
    notes : ndarray of Phrase, shape (n,)
        Empty, or why no set serves the row.
    """

    sets: tuple[BandSet, ...]
    position: NDArray[np.int64]
    notes: NDArray[np.object_]


def band(
    instrument: Instrument,
    scale: str,
    scores: pd.Series[float],
    *,
    bands: str | Sequence[str] | None = None,
    age_years: pd.Series[float] | None = None,
    sex: pd.Series[str] | None = None,
) -> pd.Series[str]:
    """Name the band of every score.

    Parameters
    ----------
    instrument : Instrument
    scale : str
        Key of a scale or composite.
    scores : Series of float
    bands : str or sequence of str, optional
        Band sets of the instrument; its default one without them. Where several are named, each child gets the bands of the
        first that was made for it. Bands of another form are never used.
    age_years, sex : Series, optional
        Exact ages, and ``boy`` or ``girl``, row for row with `scores`. A named set for some ages or one sex only needs them.

    Returns
    -------
    Series of str
        Keys of bands, on the index of `scores`; missing where the score is missing, where no set was made for the child
        (`fitting_sets` says why), and everywhere if the set has no bands for the scale (`unbanded` says why).

    Raises
    ------
    Refusal
        INS-020 or INS-021 if the instrument has no such scale or band set, INS-022 if a set needs what was not given.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> sdq, scores = instrument("sdq-teacher-4-17"), pd.Series([2.0, 3.0, 10.0])
    >>> band(sdq, "conduct", scores, bands="uk-teachers-4-17-four-bands").tolist()
    ['close_to_average', 'slightly_raised', 'very_high']
    """
    instrument.scale(scale)
    fit = fitting_sets(instrument, bands, len(scores), age_years, sex)
    values = np.asarray(scores.to_numpy(dtype=float, na_value=np.nan), np.float64)
    return pd.Series(pd.array(bands_under(fit, scale, values), dtype="string"), index=scores.index, name="band")


def bands_under(fit: Fit, scale: str, values: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return the key of each score's band under the sets that serve the children, shape (n,); None where there is none."""
    named = np.full(len(values), None, dtype=object)
    for position, chosen in enumerate(fit.sets):
        rows = np.flatnonzero(fit.position == position)
        if scale in chosen.scales:
            named[rows] = _named(chosen, scale, values[rows])
    return named


def fitting_sets(
    instrument: Instrument,
    bands: str | Sequence[str] | None,
    n: int,
    age_years: pd.Series[float] | None = None,
    sex: pd.Series[str] | None = None,
) -> Fit:
    """Find for each of `n` children the first of the named band sets that was made for it; arguments as for `band`.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> boys, both = pd.Series([6.0, 4.2]), pd.Series(["boy", "boy"])
    >>> print(*fitting_sets(instrument("sdq-parent-4-17"), "dk-parents-5-7-boys", 2, boys, both).notes, sep="|")
    |dk-parents-5-7-boys was not made for this child: boy, 4.20 years
    """
    ages = None if age_years is None else checked_ages(age_years, n, instrument.id)
    sexes = None if sex is None else checked_sexes(sex, n, instrument.id)
    names = [None] if bands is None else [bands] if isinstance(bands, str) else list(bands)
    found = [instrument.band_set(name) for name in names]
    sets = tuple(each for each in found if not isinstance(each, Unavailable))
    if not sets:
        return Fit((), np.full(n, -1, dtype=np.int64), np.full(n, NO_NOTE, dtype=object))
    if bands is not None:
        for each in sets:
            _refuse_unknown(instrument, each, ages is None, sexes is None)
    position = np.full(n, -1, dtype=np.int64)
    for number in reversed(range(len(sets))):
        position[_serves(sets[number], n, ages, sexes)] = number
    notes = np.full(n, NO_NOTE, dtype=object)
    for row in np.flatnonzero(position < 0):
        notes[row] = _note(sets, None if ages is None else float(ages[row]), None if sexes is None else str(sexes[row]))
    return Fit(sets, position, notes)


def sets_from(instrument: Instrument, country: str) -> tuple[BandSet, ...]:
    """Return the band sets of an instrument that were made in a country (ISO 3166 code).

    Raises
    ------
    Refusal
        INS-023 if there are none; it says from which countries there are.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> [each.id for each in sets_from(instrument("sdq-parent-4-17"), "DK")]
    ['dk-parents-5-7-boys', 'dk-parents-5-7-girls']
    """
    found = tuple(each for each in instrument.bands.sets if each.country == country)
    if not found:
        others = [f"{each.id} ({each.country or 'country not stated'})" for each in instrument.bands.sets]
        NO_COUNTRY.refuse(instrument.id, found=country, expected=", ".join(others) or "none")
    return found


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
    if scale in chosen.scales:
        return None
    return Unavailable(Phrase("the band set {set} has no bands for {scale}", set=chosen.id, scale=scale))


def _named(chosen: BandSet, scale: str, values: NDArray[np.float64]) -> NDArray[np.object_]:
    """Look up the bands of one scale."""
    stretch = sorted(chosen.scales[scale], key=lambda each: each.from_)
    position = np.searchsorted([each.from_ for each in stretch], values, side="right") - 1
    outside = np.isnan(values) | (values < stretch[0].from_) | (values > stretch[-1].to)
    names = np.array([*(each.band for each in stretch), None], dtype=object)
    return names[np.where(outside, -1, position)]


def _refuse_unknown(instrument: Instrument, chosen: BandSet, no_ages: bool, no_sexes: bool) -> None:
    """Refuse a set that is narrower than the form where nothing tells which children it is for."""
    ages = chosen.ages
    form = instrument.ages
    narrower = ages is not None and (form is None or ages.from_ > form.from_ or ages.below < form.below)
    if ages is not None and narrower and no_ages:
        limit = f"ages from {ages.from_:g} to below {ages.below:g} years"
        NEEDS_CHILD.refuse(instrument.id, name=chosen.id, limit=limit, what="age", argument="'age_years'")
    if chosen.sex is not None and no_sexes:
        NEEDS_CHILD.refuse(instrument.id, name=chosen.id, limit=f"{chosen.sex}s", what="sex", argument="'sex'")


def _serves(chosen: BandSet, n: int, ages: NDArray[np.float64] | None, sexes: NDArray[np.object_] | None) -> NDArray[np.bool_]:
    """Tell which children a set was made for, as far as is known of them; an unknown age or sex fits no limit."""
    fits = np.ones(n, dtype=np.bool_)
    if chosen.ages is not None and ages is not None:
        fits &= (ages >= chosen.ages.from_) & (ages < chosen.ages.below)
    if chosen.sex is not None and sexes is not None:
        fits &= sexes == chosen.sex
    return fits


def _note(sets: Sequence[BandSet], age: float | None, sex: str | None) -> Phrase:
    child: list[str] = [] if sex is None else [sex or Phrase("sex unknown")]
    child += [] if age is None else [Phrase("age unknown") if np.isnan(age) else years(age)]
    if len(sets) == 1:
        return Phrase("{set} was not made for this child: {child}", set=sets[0].id, child=listed(child))
    return Phrase("none of {sets} was made for this child: {child}", sets=", ".join(s.id for s in sets), child=listed(child))
