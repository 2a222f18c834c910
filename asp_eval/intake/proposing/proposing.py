"""A mapping proposed for a file: what is certain is filled in, what could be stands as a comment, what is needed is left open.

Nothing is guessed: a proposal that is complete reads the file as its makers meant it, as far as names, titles, labels and cells
can show that; otherwise the mapping says FILL IN, and the import refuses it until somebody has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from asp_eval.core.documents import write_whole
from asp_eval.core.errors import DataProblems, Fault
from asp_eval.core.strict_yaml import read_yaml
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.export import Progress, quiet
from asp_eval.intake.files.raw import RawTable
from asp_eval.intake.identifiers import is_personal, named_identifier
from asp_eval.intake.mapping.mapping import FILL_IN, NO_MAPPING, kept_mapping, load_mapping, mapping_beside, mapping_sheet
from asp_eval.intake.mapping.mapping_sheet import is_sheet, read_sheet
from asp_eval.intake.personal_numbers import holding_personal_numbers
from asp_eval.intake.pipeline import refuse_correction
from asp_eval.intake.privacy.protection import identified_by, persons_in_names, refuse_persons_in
from asp_eval.intake.proposing.answers import Recode, recode_families, recode_items, recode_values
from asp_eval.intake.proposing.proposal import Proposal
from asp_eval.intake.proposing.readings import Reading, readings
from asp_eval.intake.proposing.refused_drafts import Checks, no_further, refusals_of
from asp_eval.intake.proposing.settings import find_settings
from asp_eval.intake.recognition.column_matching import MOST_LOOKED_AT, Guess, guess_columns, texts_of
from asp_eval.intake.recognition.questionnaires import Found, find_items
from asp_eval.intake.recognition.synonyms import WAVES, fold
from asp_eval.intake.recognition.wave_tables import table_at_wave
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import BY_WAVE, IMPORTABLE, TableSchema, table_schema

MAPPING_THERE = Fault(
    "SCR-188",
    "there is a mapping for this file already, and it is not overwritten",
    "Use it, or move it away; 'asp-eval import FILE --propose --mapping -' shows the proposal without writing it.",
)
WHICH_TABLE = Fault(
    "SCR-189",
    "it cannot be told which table the file is for",
    "Say which, with --table; the columns do not show it.",
)


def propose(
    study: Study,
    path: str | Path,
    table: str | None = None,
    wave: str | None = None,
    *,
    part: str = "",
    progress: Progress = quiet,
    further: Checks = no_further,
) -> Proposal:
    r"""Return what can be found out about how a file is to be imported.

    Parameters
    ----------
    study : Study
    path : str or Path
        If a mapping lies beside it, what that says of the file's format is used.
    table : str, optional
        By default the one that explains the file best.
    wave : str, optional
        Needed for tables by wave, unless the study collects it at one wave only.
    part : str
        The part that the file is, if the table or wave comes in several: other files may hold the other questionnaires.
    progress : callable, optional
        As for `read_raw`.
    further : callable, optional
        More checks of the rows that would be stored, besides those of this room.

    Raises
    ------
    DataProblems
        What is wrong with the file; SCR-146 if a personal number stands in a name or in the mapping, SCR-130 for rows
        from quarantine.
    Refusal
        SCR-189 if the table cannot be told; SCR-030 to SCR-033.

    Examples
    --------
    >>> import tempfile
    >>> from asp_eval.trial.study.design import Study
    >>> study = Study.model_validate({
    ...     "version": 1, "study": {"id": "mini", "title": {"en": "Mini"}}, "arms": ["reference", "intervention"],
    ...     "waves": [{"id": "w1", "label": {"en": "start"}}],
    ...     "collect": {"screening": {"waves": ["w1"], "instruments": ["sdq-teacher-4-17"]}},
    ...     "outcomes": [{"id": "y", "score": "sdq-teacher-4-17.total", "role": "primary", "better": "lower", "at": "w1"}],
    ... })
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "list.csv"
    ...     written = file.write_text("Institutionsnr;Kommune\n007;Aarhus\n", encoding="utf-8")
    ...     found = propose(study, file)
    >>> found.table, found.complete, found.account()
    ('institutions', True, ['found: 2 columns'])
    """
    file = Path(path)
    refuse_persons_in(mapping_beside(file))
    best = _best(_found(study, readings(file, _declared_format(file), progress), table, wave, part), study, wave, file.name)
    schema = table_schema(best.schema.name, study, _wave(study, best.schema.name, wave), part)
    proposal = replace(best.proposal, wave=schema.wave)
    if not proposal.found_everything:
        return proposal
    return replace(proposal, refusals=refusals_of(proposal, file, best.raw, study, schema, further))


@dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """A file as read in one way, and what it is proposed to be."""

    raw: RawTable
    schema: TableSchema
    proposal: Proposal
    named: bool

    @property
    def fits(self) -> bool:
        """Whether the file could be of the table."""
        return not _lacks(self.schema, self.proposal)


def _found(study: Study, ways: Sequence[Reading], table: str | None, wave: str | None, part: str) -> list[_Way]:
    """Return what a file is found to be, for each way of reading it and each table that it could be for."""
    found = []
    for raw, declared in ways:
        refuse_correction(raw)
        if problems := [*persons_in_names(raw, NO_MAPPING)]:  # which a mapping would repeat
            raise DataProblems(problems)
        schemas = [table_schema(table, study, _wave(study, table, wave))] if table else _schemas(study, wave)
        schemas = [replace(schema, part=part) for schema in schemas]
        found += [_Way(raw, each, propose_for(raw, study, each, declared), table is not None) for each in schemas]
    return found


def _best(ways: Sequence[_Way], study: Study, wave: str | None, source: str) -> _Way:
    """Return what explains a file best; what was asked for, if it can be read in one way only.

    Where no table explains it better than the others and the wave is known, it is a screening, or a survey of staff.

    Raises
    ------
    Refusal
        SCR-189.
    """
    if len(ways) == 1 and ways[0].named:
        return ways[0]
    fitting = sorted((each for each in ways if each.fits), key=lambda each: _merit(each.proposal), reverse=True)
    best = [each for each in fitting if _merit(each.proposal) == _merit(fitting[0].proposal)]
    if wave is not None and len({each.raw.dialect for each in ways}) == 1 and len({each.schema.name for each in best}) != 1:
        meant = table_at_wave(study, wave, ways[0].raw.columns, NO_MAPPING)
        best = [each for each in ways if each.schema.name == meant]
    if len({(each.schema.name, each.raw.dialect) for each in best}) != 1:
        tables = dict.fromkeys(each.proposal.table for each in fitting)
        WHICH_TABLE.refuse(source, expected=", ".join(tables) or ", ".join(IMPORTABLE))
    return best[0]


def propose_for(raw: RawTable, study: Study, schema: TableSchema, declared: FileFormat | None = None) -> Proposal:
    """Return what can be found out about a file as read, for one table."""
    forms = [schema.library.instrument(form) for form in schema.forms]
    items = find_items(raw, forms, schema.wave, study.wave_ids)
    taken = {name for found in (*items.sure, *items.unsure) for name in found.columns}
    fields = tuple(field for field in schema.base if field.name != "wave" or "wave" in raw.columns)
    guesses = guess_columns(raw, fields, frozenset(taken))
    columns = {guess.column: guess.ours for guess in guesses.sure}
    used = taken | set(columns) | {guess.column for guess in guesses.unsure}
    waves = [name for name in raw.columns if fold(name) in WAVES and name not in used] if schema.wave else []
    wanted = _wanted(schema, guesses.sure, guesses.unsure, items.sure, items.unsure, rest=set(raw.columns) - used - set(waves))
    rest = [name for name in raw.columns if name not in used]
    of_a_place = schema.name == "institutions"
    identifying = {name: why for name in rest if (why := _identifying(raw, name, of_a_place=of_a_place))}
    useless = [name for name in rest if name not in identifying and name not in waves]
    of_wave = [(name, f"it tells the wave, as --wave {schema.wave} does") for name in waves]
    nothing = [] if wanted else [(name, "nothing in the study looks like it") for name in useless]
    few = [(guess.column, field) for guess in guesses.sure if (field := schema.field(guess.ours)).values and field.name != "wave"]
    recodes = [recode_values(raw, column, field) for column, field in few]
    for found in items.sure:
        recodes += recode_items(raw, schema.library.instrument(found.form), found.columns)
    recodes += recode_families(raw, items.unsure, schema.library)
    known = {field.name for field in fields}
    harmless, doubtful = _marked(raw, schema, {**columns, **{n: o for found in items.sure for n, o in found.columns.items()}})
    return Proposal(
        source=raw.source,
        dialect=raw.dialect,
        table=schema.name,
        wave=schema.wave,
        columns=guesses.sure,
        items=items.sure,
        unsure_columns=guesses.unsure,
        unsure_items=items.unsure,
        recodes=tuple(map(_unpersonal, recodes)),
        settings=find_settings(
            raw,
            schema,
            columns,
            (*items.sure, *items.unsure),
            [*waves, *_own_wave(columns)],
            declared or FileFormat(),
            _names_of(study, schema.wave),
        ),
        ignored=(*identifying.items(), *of_wave, *nothing),
        left=tuple(useless) if wanted else (),
        wanted=tuple(wanted),
        absent=tuple(sorted(known - set(columns.values()) - {name for name, _ in wanted}, key=list(schema.names).index)),
        harmless=harmless,
        doubtful=doubtful,
    )


def write_proposal(path: str | Path, content: str | bytes) -> Path:
    """Write a mapping beside its file, as text or as a workbook, and return where it is.

    Raises
    ------
    Refusal
        SCR-188 if there is one.
    """
    there = mapping_beside(Path(path))
    if there is not None:
        MAPPING_THERE.refuse(there.name)
    target = kept_mapping(Path(path)) if isinstance(content, str) else mapping_sheet(Path(path))
    write_whole(target, content)
    return target


def _declared_format(file: Path) -> FileFormat:
    """Return what a mapping beside a file says of its format, whatever else it lacks."""
    beside = mapping_beside(file)
    if beside is None:
        return FileFormat()
    values = read_sheet(beside).values if is_sheet(beside) else read_yaml(beside)[0]
    declared = values.get("format") if isinstance(values, dict) else None
    if not isinstance(declared, dict):
        return FileFormat()
    try:
        return FileFormat.model_validate({name: value for name, value in declared.items() if value != FILL_IN})
    except ValidationError:
        return load_mapping(beside).format  # which says what is wrong, and where


def _wave(study: Study, table: str, wave: str | None) -> str | None:
    """Return the wave that was named, or the only one at which a table is collected."""
    waves = study.collected_waves(table)
    return waves[0] if wave is None and len(waves) == 1 else wave


def _schemas(study: Study, wave: str | None) -> list[TableSchema]:
    """Return the schema of every table the study has; of those by wave, at the wave named or at each with other instruments."""
    schemas = []
    for name in IMPORTABLE:
        if name not in BY_WAVE:
            schemas += [table_schema(name, study)] if wave is None else []
        elif (waves := study.collected_waves(name)) and (wave is None or wave in waves):
            found = [table_schema(name, study, each) for each in ((wave,) if wave else waves)]
            schemas += {schema.alternatives: schema for schema in reversed(found)}.values()
    return schemas


def _names_of(study: Study, wave: str | None) -> list[str]:
    """Return what a wave is called."""
    return [] if wave is None else [wave, *study.wave(wave).label.values()]


def _own_wave(columns: Mapping[str, str]) -> list[str]:
    return [name for name in columns if name == "wave"]


def _merit(proposal: Proposal) -> tuple[int, int]:
    """How many columns of the file a proposal explains; of two that explain as many, the one that wants less is better."""
    items = {name for found in (*proposal.items, *proposal.unsure_items) for name in found.columns}
    return len(proposal.columns) + len(items), -len(proposal.wanted)


def _lacks(schema: TableSchema, proposal: Proposal) -> bool:
    """Whether nothing in the file could be a column that every file for the table has, or any of its questionnaires."""
    possible = {guess.ours for guess in proposal.unsure_columns}
    if schema.alternatives and not (proposal.items or proposal.unsure_items):
        return True
    return any(name not in possible and schema.field(name).required for name, _ in proposal.wanted if name in schema.names)


def _wanted(
    schema: TableSchema,
    sure: Sequence[Guess],
    unsure: Sequence[Guess],
    items: Sequence[Found],
    unsure_items: Sequence[Found],
    *,
    rest: set[str],
) -> list[tuple[str, str]]:
    """Return what the table needs and the file does not show, each with the reason."""
    found, doubted = {guess.ours for guess in sure}, {guess.ours: guess.why for guess in unsure}
    wanted = []
    for field in schema.base:
        if field.name in found or field.name == "wave":
            continue
        if field.required:
            wanted.append((field.name, doubted.get(field.name, "no column looks like it")))
        elif field.name in schema.declared and rest and field.name not in doubted and not schema.part:
            wanted.append((field.name, "study.yaml declares it; take the line out if the file has no such column"))
    for group in schema.alternatives:
        if not any(each.form in group for each in items) and not (schema.part and (items or unsure_items)):
            why = next((each.why for each in unsure_items if each.form in group), "no columns look like its items")
            wanted.append((" or ".join(group), why))
    return wanted


def _unpersonal(recode: Recode) -> Recode:
    """Leave out what identifies persons: the import refuses such cells, whatever the mapping says of them."""
    return replace(
        recode,
        labels={text: value for text, value in recode.labels.items() if not is_personal(text)},
        notes={text: note for text, note in recode.notes.items() if not is_personal(text)},
    )


def _marked(
    raw: RawTable, schema: TableSchema, columns: Mapping[str, str]
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Return the columns found that the import takes for persons unless the mapping says otherwise: harmless ones, and others.

    An export may mark a column of codes as identifying; the cells of what was found are codes. A column that is called like a
    name is for a person to look at.
    """
    harmless, doubtful = [], []
    for name, ours in columns.items():
        field = schema.field(ours)
        if field.person is not None:  # becomes a pseudonym
            continue
        called = None if field.form else identified_by(raw, name, ours, schema)
        if called:
            doubtful.append((name, f"it is called as if it held {called} of a person"))
        elif name in raw.identifiers:
            harmless.append(
                (name, f"the file marks it as identifying; it is {ours}, and its cells are no names, numbers or addresses")
            )
    return tuple(harmless), tuple(doubtful)


def _identifying(raw: RawTable, name: str, *, of_a_place: bool) -> str | None:
    """Say by what a column identifies persons; None if by nothing that can be seen."""
    if name in raw.identifiers:
        return "the file marks it as identifying a person"
    if kind := named_identifier(name, of_a_place=of_a_place):
        return f"{kind} identifies a person, and is not to be stored"
    texts = texts_of(raw.columns[name])[:MOST_LOOKED_AT]
    if any(map(is_personal, texts)) or any(holding_personal_numbers(texts)):
        return "it holds personal numbers or e-mail addresses, which are not to be stored"
    return None
