"""What an outcome of ``study.yaml`` means: a score of an instrument, or of every form of a family, or a column of screening."""

from __future__ import annotations

from dataclasses import dataclass, replace

from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.library import Library
from asp_eval.trial.study.design import Family, Outcome, Study

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


def informants(study: Study) -> tuple[str, ...]:
    """Return who rates the children on the study's outcomes: ``teacher``, ``parent``; nobody known for imported columns."""
    return tuple(sorted({form.informant for form in scored_forms(study)}))


def outcome_label(outcome: Outcome, library: Library) -> Texts:
    """Return the outcome's declared label, else its scale's title, else its identifier."""
    if outcome.label:
        return dict(outcome.label.items())
    source = source_of(outcome, library)
    if isinstance(source, ScoreSource) and source.forms:
        return dict(source.forms[0].scale(source.scale).title)
    return {"da": outcome.id, "en": outcome.id}
