"""What a mapping has to say of a file as a whole: how dates and numbers are written, and what becomes of declared non-answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asp_eval.intake.checks.validation import ALL_OR_NOTHING
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.raw import RawTable
from asp_eval.intake.recognition.column_matching import texts_of
from asp_eval.intake.recognition.questionnaires import Found
from asp_eval.intake.recognition.synonyms import fold
from asp_eval.intake.values import date_order, decimal_mark, month_of
from asp_eval.trial.tables.schema import TableSchema


@dataclass(frozen=True, slots=True)
class Setting:
    """One entry of a mapping, ``key: value`` or ``key: {inner: value}``; the value None is left open."""

    key: str
    inner: str | None
    value: object
    why: str


def find_settings(
    raw: RawTable,
    schema: TableSchema,
    columns: Mapping[str, str],
    items: Sequence[Found],
    waves: Sequence[str],
    file_format: FileFormat,
    wave_names: Sequence[str] = (),
) -> tuple[Setting, ...]:
    """Return the settings that the columns found ask for.

    Parameters
    ----------
    raw : RawTable
        As the file has it.
    schema : TableSchema
    columns : mapping of str to str
        ``{export column: our column}`` of those that are no items.
    items : sequence of Found
    waves : sequence of str
        Columns that tell the wave.
    file_format : FileFormat
        What is known of the format; it is repeated, for the file cannot be read without it.
    wave_names : sequence of str
        What the wave is called: its id, and its label in every language.
    """
    kinds: dict[str, list[str]] = {}
    for theirs, ours in columns.items():
        kinds.setdefault(schema.field(ours).kind, []).append(theirs)
    whole = [name for name in kinds.get("yearmonth", ()) if _whole_dates(raw, name)]
    used = dict.fromkeys([*columns, *(name for found in items for name in found.columns)])
    return (
        *(
            Setting("format", name, value, "the file cannot be read without it")
            for name, value in file_format.model_dump(exclude_defaults=True).items()
        ),
        *_dates(raw, kinds.get("date", []), whole, file_format),
        *_decimal(raw, [*kinds.get("number", ()), *kinds.get("integer", ())], file_format),
        *_rows(raw, waves, schema, wave_names),
        *_missing(raw, list(used)),
        *_repeated(raw, columns, schema),
        *(Setting("truncate", columns[n], "month", f"'{n}' holds whole dates, and the day is not needed") for n in whole),
    )


def _whole_dates(raw: RawTable, name: str) -> bool:
    texts = texts_of(raw.columns[name])
    return any(
        month_of(text, order) and not text.endswith("-01") for text in texts for order in ("iso", "day-first", "month-first")
    )


def _dates(raw: RawTable, names: Sequence[str], whole: Sequence[str], file_format: FileFormat) -> list[Setting]:
    if file_format.dates or raw.dialect.dates:
        return []
    orders = [date_order(texts_of(raw.columns[name])) for name in whole]
    orders.append(date_order(text for name in names for text in texts_of(raw.columns[name])))
    if None not in orders:
        return []
    together = date_order(text for name in [*names, *whole] for text in texts_of(raw.columns[name]))
    if together is None:
        return [Setting("format", "dates", None, f"day-first or month-first: how are {' and '.join([*names, *whole])} written?")]
    return [Setting("format", "dates", together, "as other dates of the file show")]


def _decimal(raw: RawTable, names: Sequence[str], file_format: FileFormat) -> list[Setting]:
    texts = [text for name in names for text in texts_of(raw.columns[name])]
    if file_format.decimal or file_format.thousands or raw.dialect.decimal or decimal_mark(texts, raw.dialect.delimiter):
        return []
    return [Setting("format", "decimal", None, f'"." or ",": which is the decimal mark in {" and ".join(names)}?')]


def _rows(raw: RawTable, waves: Sequence[str], schema: TableSchema, names: Sequence[str]) -> list[Setting]:
    """Keep the rows of the wave, if a column tells of more waves than one; ask which they are, if it does not say so.

    It says so with the wave's id, or with a text that alone begins with its id or its label: ``start_arm_1``.
    """
    for name in waves:
        texts = texts_of(raw.columns[name])
        column = name if name.isidentifier() else f"`{name}`"
        if len(texts) > 1 and schema.wave in texts:
            return [Setting("keep_rows", None, f'{column} == "{schema.wave}"', "the file has other waves too")]
        of_wave = [text for text in texts if any(fold(name) and fold(text).startswith(fold(name)) for name in names)]
        if len(texts) > 1 and len(of_wave) == 1:
            return [Setting("keep_rows", None, f'{column} == "{of_wave[0]}"', "the file has other waves too")]
        if len(texts) > 1:
            shown = ", ".join(repr(text) for text in texts[:6])
            return [Setting("keep_rows", None, None, f'{column} == "...": which of {shown} is {schema.wave}?')]
    return []


def _missing(raw: RawTable, used: Sequence[str]) -> list[Setting]:
    met: dict[str, int] = {}
    for name in used:
        for text in texts_of(raw.columns[name]):
            if text in raw.user_missing.get(name, ()):
                label = raw.labels.get(name, {}).get(text)
                met[f"{text} ({label})" if label else text] = met.get(f"{text} ({label})" if label else text, 0) + 1
    if not met:
        return []
    shown = ", ".join(f"{label} in {count} columns" for label, count in met.items())
    return [Setting("user_missing", None, "empty", f"the file declares these missing: {shown}")]


def _repeated(raw: RawTable, columns: Mapping[str, str], schema: TableSchema) -> list[Setting]:
    """Make one row of the rows of a unit in the lists that hold each unit once, such as of a file with a row for each child."""
    unit = next((name for name, ours in columns.items() if schema.key == (ours,)), None)
    if schema.name not in ALL_OR_NOTHING or unit is None or len(texts_of(raw.columns[unit])) == len(raw):
        return []
    why = "they stand in several rows; what is kept of these must be the same in all of them"
    return [Setting("one_row_per", None, columns[unit], why)]
