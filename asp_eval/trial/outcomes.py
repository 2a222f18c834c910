"""What an outcome of ``study.yaml`` means: a score of an instrument, or of every form of a family, or a column of screening."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pandas as pd

from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.library import Library
from asp_eval.trial.instruments.parts import BandSet
from asp_eval.trial.study.collection import Family
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.outcome import Outcome

Texts = dict[str, str]


@dataclass(frozen=True, slots=True)
class ScoreSource:
    """One scale of an instrument or of a family.

    Attributes
    ----------
    name : str
        The instrument's id or the family, as study.yaml says it.
    scale : str
    forms : tuple of Instrument
        The instrument, or every form of the family; empty if the study knows none under this name.
    """

    name: str
    scale: str
    forms: tuple[Instrument, ...]


@dataclass(frozen=True, slots=True)
class ColumnSource:
    """One column of a table."""

    table: str
    column: str


def source_of(outcome: Outcome, library: Library) -> ScoreSource | ColumnSource:
    """Return where the values of an outcome come from.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import shipped
    >>> declared = {"id": "y", "score": "sdq-teacher.conduct", "role": "primary", "better": "lower", "at": "w3"}
    >>> source = source_of(Outcome.model_validate(declared), shipped())
    >>> source.scale, [form.id for form in source.forms]
    ('conduct', ['sdq-teacher-2-4', 'sdq-teacher-4-17'])
    """
    if outcome.column is not None:
        return ColumnSource(*outcome.column.split(".", 1))
    name, scale = str(outcome.score).rsplit(".", 1)
    return ScoreSource(name, scale, library.forms_named(name))


def declared_forms(study: Study, table: str, wave: str | None = None) -> tuple[Instrument, ...]:
    """Return the instruments that a table collects at a wave, or at any: every form of a family."""
    return tuple(
        form
        for part in study.collected_instruments(table, wave)
        for form in (study.library.family(part.family) if isinstance(part, Family) else [study.library.instrument(part)])
    )


def score_sources(study: Study) -> tuple[ScoreSource, ...]:
    """Return the scales whose scores are outcomes, in the order of the outcomes; of a family, the forms that are collected."""
    collected = {form.id for form in declared_forms(study, "screening")}
    sources = (source_of(outcome, study.library) for outcome in study.outcomes)
    return tuple(
        replace(source, forms=tuple(form for form in source.forms if form.id in collected))
        for source in sources
        if isinstance(source, ScoreSource)
    )


def scored_forms(study: Study) -> tuple[Instrument, ...]:
    """Return the instruments whose scores are outcomes, each once, by id: every form of a family that is collected."""
    forms = {form.id: form for source in score_sources(study) for form in source.forms}
    return tuple(forms[name] for name in sorted(forms))


def form_titles(study: Study) -> dict[str, Texts]:
    """Return what every instrument and family that a study collects is called, by language."""
    declared = [part for table in ("screening", "staff_survey") for part in study.collected_instruments(table)]
    names = [part if isinstance(part, str) else part.family for part in declared]
    forms = [form.id for name in names for form in study.library.forms_named(name)]
    return {name: study.library.titles(name) for name in sorted({*names, *forms})}


def informants(study: Study) -> tuple[str, ...]:
    """Return who rates the children on the study's outcomes: ``teacher``, ``parent``; nobody known for imported columns."""
    return tuple(sorted({form.informant for form in scored_forms(study)}))


def band_order(outcome: Outcome, library: Library) -> tuple[str, ...]:
    """Return the bands of an outcome's scale, best first, from the default band set of its forms; empty if there are none."""
    bands = default_bands(outcome, library)
    return () if bands is None else tuple(band.band for band in bands.scales[_scale_of(outcome)])


def band_names(outcome: Outcome, library: Library) -> dict[str, Texts]:
    """Return what the bands of an outcome's scale are called, in each language; empty if it is not in bands."""
    bands = default_bands(outcome, library) if outcome.in_bands else None
    return {} if bands is None else {key: dict(bands.names[key].items()) for key in band_order(outcome, library)}


def default_bands(outcome: Outcome, library: Library) -> BandSet | None:
    """Return the default band set of the first form that has one for the outcome's scale."""
    source = source_of(outcome, library)
    for form in source.forms if isinstance(source, ScoreSource) else ():
        for bands in form.bands.sets:
            if bands.id == form.bands.default and _scale_of(outcome) in bands.scales:
                return bands
    return None


def _scale_of(outcome: Outcome) -> str:
    """Return the scale of an outcome that is a score."""
    return str(outcome.score).rsplit(".", 1)[1]


def categories_of(outcome: Outcome, bands: tuple[str, ...] = (), values: Iterable[float] = ()) -> tuple[str, ...]:
    """Return the names of an ordinal outcome's categories, lowest or best first.

    Parameters
    ----------
    outcome : Outcome
    bands : tuple of str
        Of its scale, best first.
    values : iterable of float
        Values that occur, of a column whose whole numbers are the categories.

    Examples
    --------
    >>> declared = {"id": "y", "column": "screening.y", "role": "primary", "better": "lower", "at": "w3", "scale": "ordinal"}
    >>> categories_of(Outcome.model_validate(declared | {"cut": [4, 6]}))
    ('< 4', '4 - 6', '>= 6')
    """
    if outcome.in_bands:
        return bands
    cuts = outcome.cut if isinstance(outcome.cut, tuple) else ()
    if cuts:
        between = [f"{a:g} - {b:g}" for a, b in itertools.pairwise(cuts)]
        return (f"< {cuts[0]:g}", *between, f">= {cuts[-1]:g}")
    return tuple(f"{v:g}" for v in sorted({v for v in values if v == v}))


def coded(outcome: Outcome, scores: pd.Series, bands: pd.Series, order: tuple[str, ...]) -> pd.Series:
    """Return an outcome's values as its model takes them: 0 and 1, or positions of categories, or as they are.

    Parameters
    ----------
    outcome : Outcome
    scores : Series of float
    bands : Series of str
        Keys of bands, on the same index; a child without a band has no value where the outcome is in bands.
    order : tuple of str
        The bands of its scale, best first.
    """
    if outcome.in_bands:
        position = {band: float(k) for k, band in enumerate(order)}
        found = bands.map(position).astype("float64")
        return found if outcome.above is None else (found >= position[outcome.above]).astype("float64").where(found.notna())
    if outcome.cut is None:
        return scores
    cuts = outcome.cut if isinstance(outcome.cut, tuple) else (outcome.cut,)
    return sum((scores >= cut).astype("float64") for cut in cuts).where(scores.notna())  # type: ignore[union-attr]


def outcome_label(outcome: Outcome, library: Library) -> Texts:
    """Return the outcome's declared label, else its scale's title, else its identifier."""
    if outcome.label:
        return dict(outcome.label.items())
    source = source_of(outcome, library)
    if isinstance(source, ScoreSource) and source.forms:
        return dict(source.forms[0].scale(source.scale).title)
    return {"da": outcome.id, "en": outcome.id}
