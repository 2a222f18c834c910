"""The schema of an import: the shipped table, the study's own columns, and the items of the declared instruments."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field, fields, replace
from functools import cache
from typing import Any, Literal, get_args

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.core.resources import shipped_folder
from asp_eval.core.spelling import folded
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.library import Library, OwnFile, document, shipped
from asp_eval.trial.process.library import document as frame_document
from asp_eval.trial.study.collection import Family
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.outcome import Outcome
from asp_eval.trial.study.profile_dimensions import dimension_names
from asp_eval.trial.tables.fields import Field, as_text

Importable = Literal[
    "institutions",
    "allocation",
    "children",
    "screening",
    "staff_survey",
    "staff",
    "interviews",
    "implementation",
    "goals",
    "excerpts",
]
IMPORTABLE: tuple[str, ...] = get_args(Importable)
BY_WAVE = ("screening", "staff_survey")
EXCERPTS = "excerpts"  # of interviews: never exported
LISTS = ("staff", "interviews", "implementation", "goals", EXCERPTS)  # stored whole, as they come: no waves, no items

UNKNOWN_TABLE = Fault("SCR-030", "there is no such table to import", "Name one of the tables.")
NEEDS_WAVE = Fault("SCR-031", "a file for this table belongs to a wave", "Say which, with --wave.")
NO_WAVES = Fault("SCR-032", "a file for this table belongs to no wave", "Leave --wave out.")
NOT_COLLECTED = Fault(
    "SCR-033", "study.yaml does not collect this table at this wave", "Correct --wave, or declare the wave under 'collect'."
)
COLUMN_CLASH = Fault(
    "SCR-034", "study.yaml declares a column that the table already has", "Take it out of 'columns', or give it another name."
)
TWO_MEANINGS = Fault(
    "SCR-035",
    "two coding frames of the study mean different things by one key ({frames})",
    "Rename the code in one of them, in the study's folder 'frames', under a new id.",
)


@dataclass(frozen=True, slots=True)
class TableSchema:
    """What a table may hold.

    Attributes
    ----------
    name : str
        Table, as in ``data_schema/``.
    fields : tuple of Field
        Base columns, the study's own, then items.
    key : tuple of str
        Columns that together identify a row.
    wave : str, optional
        The wave a file is for.
    alternatives : tuple of tuple of str
        One entry per declared instrument or family: the forms of which at least one must be there.
    child_columns : tuple of str
        Columns that tell of the child and feed the table of children.
    declared : tuple of str
        Columns that ``study.yaml`` adds and that a file is expected to have; what it says of children, at the first wave.
    scores : tuple of str
        Columns of scores that were made elsewhere, and that outcomes are: a row without any of them, or an item, has no answers.
    counts : tuple of str
        Those of them that are counts.
    pseudonym_key : str, optional
        The key of the pseudonyms that a file's ids of people are replaced by: those of the fields that have a `person`.
    library : Library
        The questionnaires that the study knows.
    part : str
        The part of the table, or of its wave, that a file is; empty for the whole. What may stand in a part is the same.
    own_frames : tuple of OwnFile
        The files of the study's own coding frames that its columns are of.
    """

    name: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    wave: str | None = None
    alternatives: tuple[tuple[str, ...], ...] = ()
    child_columns: tuple[str, ...] = ()
    declared: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    pseudonym_key: str | None = None
    library: Library = field(default_factory=shipped, compare=False, repr=False)
    part: str = field(default="", compare=False)
    own_frames: tuple[OwnFile, ...] = field(default=(), compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(field.name for field in self.fields)

    @property
    def forms(self) -> tuple[str, ...]:
        """Instruments whose items the table may hold."""
        return tuple(form for group in self.alternatives for form in group)

    @property
    def own_documents(self) -> dict[str, str]:
        """Digests of the study's own instruments and coding frames that the table is of, by id and version."""
        documents = {document(self.library.instrument(form)) for form in self.forms}
        own = [file for file in self.library.own_instruments if file.document in documents]
        return {file.document: file.digest for file in (*own, *self.own_frames)}

    def field(self, name: str) -> Field:
        """Return the column called `name`."""
        return next(field for field in self.fields if field.name == name)

    def items(self, form: str) -> tuple[str, ...]:
        """Return the item columns of an instrument."""
        return tuple(field.name for field in self.fields if field.form == form)

    @property
    def base(self) -> tuple[Field, ...]:
        """Columns that are not items."""
        return tuple(field for field in self.fields if field.form is None)

    @property
    def digest(self) -> str:
        """SHA-256 of everything the schema says."""
        said = [getattr(self, part.name) for part in fields(self) if part.compare]
        return hashlib.sha256(json.dumps(said, default=astuple).encode()).hexdigest()


def at_wave(table: str, wave: str | None, part: str = "") -> str:
    """Say a table, the wave if it has one, and the part if it is not the whole.

    Examples
    --------
    >>> at_wave("screening", "w1"), at_wave("institutions", None), at_wave("screening", "w1", "aarhus")
    ('screening at w1', 'institutions', 'screening at w1, part aarhus')
    """
    where = Phrase("{table} at {wave}", table=table, wave=wave) if wave else table
    return Phrase("{where}, part {part}", where=where, part=part) if part else where


def wave_options(wave: str | None, part: str = "") -> str:
    """Return the options of a command that name a wave and a part, each after a space; none for a table without.

    Examples
    --------
    >>> wave_options("w1", "aarhus"), wave_options(None)
    (' --wave w1 --part aarhus', '')
    """
    return (f" --wave {wave}" if wave else "") + (f" --part {part}" if part else "")


def base_schema(name: str) -> TableSchema:
    """Return the schema of a shipped table, without anything a study adds.

    Raises
    ------
    Refusal
        SCR-030 for an unknown table.
    """
    fields, key = _shipped(name)
    return TableSchema(name=name, fields=fields, key=key)


def table_schema(name: str, study: Study, wave: str | None = None, part: str = "") -> TableSchema:
    """Return the schema of a file for a table of a study.

    Parameters
    ----------
    name : str
        One of institutions, allocation, children, screening, staff_survey, staff, interviews, implementation, goals, excerpts,
        scores.
    study : Study
        Adds its own columns, and the items of the instruments it declares for the table.
    wave : str, optional
        The wave the file is for: needed for screening and staff_survey.
    part : str
        The part that the file is, if a table or wave comes in several files; `asp_eval.trial.tables.parts`.

    Raises
    ------
    Refusal
        For an unknown table or instrument, or a wave at which the table is not collected.

    Examples
    --------
    >>> from asp_eval.trial.study.design import Study
    >>> study = Study.model_validate({
    ...     "version": 1, "study": {"id": "mini", "title": {"en": "Mini"}}, "arms": ["reference", "intervention"],
    ...     "waves": [{"id": "w1", "label": {"en": "start"}}],
    ...     "collect": {"screening": {"waves": ["w1"], "instruments": [{"family": "sdq-teacher"}]}},
    ...     "outcomes": [{"id": "y", "score": "sdq-teacher.total", "role": "primary", "better": "lower", "at": "w1"}],
    ... })
    >>> table_schema("screening", study, "w1").alternatives
    (('sdq-teacher-2-4', 'sdq-teacher-4-17'),)
    """
    base, key = _interviews(study) if name == "interviews" else _excerpts(study) if name == EXCERPTS else _shipped(name)
    instruments, first = _collected(name, study, wave)
    child_columns: tuple[Field, ...] = ()
    if name == "screening":
        child_columns = _own(study, "children", base)
    own = (*child_columns, *_own(study, name, (*base, *child_columns)))
    groups = tuple(_alternatives(study.library, entry) for entry in instruments)
    items = tuple(field for group in groups for form in group for field in _items(form))
    base_fields = tuple(_for_study(each, name, study, wave) for each in (*base, *_strata(name, study, (*base, *own)), *own))
    return TableSchema(
        name=name,
        fields=(*base_fields, *items),
        key=key,
        wave=wave,
        alternatives=tuple(tuple(form.id for form in group) for group in groups),
        child_columns=_child_columns(name, base, child_columns, own),
        declared=tuple(field.name for field in own if field not in child_columns or first),
        scores=_outcomes_in(name, own, study.outcomes),
        counts=_outcomes_in(name, own, (outcome for outcome in study.outcomes if outcome.is_count)),
        pseudonym_key=study.privacy.key if any(each.person for each in base_fields) else None,
        library=study.library,
        part=part,
        own_frames=_own_frames(study) if name in ("interviews", EXCERPTS) else (),
    )


def _own_frames(study: Study) -> tuple[OwnFile, ...]:
    """Return the files of the study's own frames that its interviews are coded with."""
    used = {frame_document(frame) for frame in study.interview_frames}
    return tuple(file for file in study.own_frames if file.document in used)


def _interviews(study: Study) -> tuple[tuple[Field, ...], tuple[str, ...]]:
    """Return the columns and key of interviews: those of every sheet, then one for each code of the study's frames.

    Raises
    ------
    Refusal
        SCR-035 if two frames mean different things by one key.
    """
    base, key = _shipped("interviews")
    frames = study.interview_frames
    several = len(frames) > 1
    allowed = {"round": study.interview_rounds, "frame": tuple(frame.id for frame in frames)}
    columns = [
        replace(f, allowed=allowed.get(f.name, f.allowed), required=f.required or (several and f.name == "frame")) for f in base
    ]
    codes: dict[str, Field] = {}
    for frame in frames:
        for code in frame.codes:
            found = Field(code.key, "string", _english(code.title), _english(code.definition), allowed=frame.levels(code.key))
            if codes.setdefault(code.key, found).allowed != found.allowed:
                TWO_MEANINGS.refuse(found=code.key, frames=", ".join(frame.id for frame in frames))
    return (*columns, *codes.values()), (*key[:2], "frame", *key[2:]) if several else key


def _excerpts(study: Study) -> tuple[tuple[Field, ...], tuple[str, ...]]:
    """Return the columns and key of excerpts: their rounds, frames and codes are those of the study's interviews."""
    base, key = _shipped(EXCERPTS)
    frames = study.interview_frames
    allowed = {
        "round": study.interview_rounds,
        "frame": tuple(frame.id for frame in frames),
        "code": tuple(dict.fromkeys(code for frame in frames for code in frame.keys)),
    }
    return tuple(replace(each, allowed=allowed.get(each.name, each.allowed)) for each in base), key


def _english(text: dict[str, str]) -> str:
    return text.get("en") or next(iter(text.values()))


def _outcomes_in(name: str, own: tuple[Field, ...], outcomes: Iterable[Outcome]) -> tuple[str, ...]:
    """Return the columns of a table that are among some outcomes."""
    named = {outcome.column for outcome in outcomes}
    return tuple(field.name for field in own if f"{name}.{field.name}" in named)


def _child_columns(name: str, base: tuple[Field, ...], extra: tuple[Field, ...], own: tuple[Field, ...]) -> tuple[str, ...]:
    described = tuple(field.name for field in base if field.name in {"sex", "birth_month"})
    added = {"screening": extra, "children": own}.get(name, ())
    return (*described, *(field.name for field in added)) if described else ()


def _collected(name: str, study: Study, wave: str | None) -> tuple[tuple[str | Family, ...], bool]:
    """Return the instruments of a table at a wave, and whether that is its first; refuse a wave that does not fit the table."""
    if name not in BY_WAVE:
        if wave is not None:
            NO_WAVES.refuse(Phrase("table {name}", name=name), found=wave)
        return (), False
    waves = study.collected_waves(name)
    if wave is None:
        NEEDS_WAVE.refuse(Phrase("table {name}", name=name), expected=", ".join(waves) or None)
    if wave not in waves:
        NOT_COLLECTED.refuse(Phrase("table {name}", name=name), found=wave, expected=", ".join(waves) or Phrase("no wave"))
    return study.collected_instruments(name, wave), wave == waves[0]


def _alternatives(library: Library, entry: str | Family) -> tuple[Instrument, ...]:
    return library.family(entry.family) if isinstance(entry, Family) else (library.instrument(entry),)


def _items(form: Instrument) -> tuple[Field, ...]:
    return tuple(
        Field(column, "integer", allowed=tuple(str(code) for code in form.codes(item)), form=form.id)
        for column, item in zip(form.columns, form.items, strict=True)
    )


def _own(study: Study, name: str, taken: tuple[Field, ...]) -> tuple[Field, ...]:
    """Return the columns `study.yaml` adds; names that differ only in capitals count as the same."""
    columns = next((columns for table, columns in study.columns.items() if table == name), {})
    known = {folded(field.name) for field in taken}
    for column in columns:
        if folded(column) in known:
            COLUMN_CLASH.refuse("study.yaml", found=f"columns.{name}.{column}")
        known.add(folded(column))
    return tuple(
        Field(
            column,
            of.type,
            minimum=as_text(of.min),
            maximum=as_text(of.max),
            missing=tuple(map(str, of.missing)),
            labels=of.called(),
        )
        for column, of in columns.items()
    )


def _strata(name: str, study: Study, taken: tuple[Field, ...]) -> tuple[Field, ...]:
    """Return the strata that no one declared as columns: text, so that nobody has to."""
    known = {field.name for field in taken}
    return tuple(Field(stratum, "string") for stratum in study.strata if name == "institutions" and stratum not in known)


def _for_study(field: Field, name: str, study: Study, wave: str | None) -> Field:
    """Narrow a base column to what the study declares."""
    if field.person and field.person not in _asked_for(study):
        field = replace(field, person=None)
    if field.name == "arm":
        return replace(field, allowed=study.arms)
    if name == "goals" and field.name == "dimension":
        return replace(field, allowed=tuple(dimension_names(study)))
    if name == "goals" and field.name == "profile_wave":
        return replace(field, allowed=study.wave_ids)
    if field.name == "wave":
        return replace(field, allowed=(wave,) if wave else study.wave_ids)
    if name == "institutions" and field.name in study.strata:
        return replace(field, required=True)
    return field


def _asked_for(study: Study) -> set[str | None]:
    """Return whose ids study.yaml wants pseudonyms for: one id column of theirs stands for all of them."""
    columns = {field.name: field.person for name in IMPORTABLE for field in _shipped(name)[0] if field.person}
    return {columns[name] for name in study.privacy.pseudonymise}


@cache
def shipped_document(name: str) -> dict[str, Any]:
    """Return the Table Schema of a shipped table, as it is written in ``data_schema/``; not to be changed.

    Raises
    ------
    Refusal
        SCR-030 for an unknown table.
    """
    path = shipped_folder("data_schema") / f"{name}.json"
    if name not in (*IMPORTABLE, "scores") or not path.is_file():
        UNKNOWN_TABLE.refuse(found=name, expected=", ".join(IMPORTABLE))
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


@cache
def _shipped(name: str) -> tuple[tuple[Field, ...], tuple[str, ...]]:
    """Return the base columns and key of a shipped table."""
    document = shipped_document(name)
    return tuple(Field.from_descriptor(field) for field in document["fields"]), tuple(document["primaryKey"])
