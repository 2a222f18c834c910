"""An instrument as an XLSForm, for ODK, KoboToolbox and others that read the standard (xlsform.org).

Columns are named as the study stores them (``gap-competences-child.play_1``, ``child_id``), so that what comes back from the
field needs no renaming. Every cell is written as text: nothing in it can run as a formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import TYPE_CHECKING

from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.exports.fields import (
    CPR_PATTERN,
    FIELDS,
    LANGUAGE_NAMES,
    Field,
    Run,
    anchors,
    question,
    runs,
    say,
)
from asp_eval.trial.instruments.parts import Item, Text

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

Row = Mapping[str, str]
NOT_A_CPR: Text = {"da": "Skriv en kode, ikke et CPR-nummer.", "en": "Write a code, not a personal number."}


def xlsform(instrument: Instrument) -> bytes:
    """Return the XLSX file of a form, in every language of the instrument.

    Parameters
    ----------
    instrument : Instrument
        With its wording: see `wording.worded`.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> xlsform(instrument("governance-npm-npg"))[:2]
    b'PK'
    """
    from openpyxl import Workbook

    book = Workbook()
    first = instrument.languages[0]
    plain = ("type", "name", "required", "relevant", "constraint")
    survey = book.active or book.create_sheet()
    survey.title = "survey"
    _fill(survey, [*plain, *_columns("label", instrument), *_columns("constraint_message", instrument)], _survey(instrument))
    _fill(book.create_sheet("choices"), ["list_name", "name", *_columns("label", instrument)], _choices(instrument))
    settings = {
        "form_title": say(instrument.title, first),
        "form_id": instrument.id,
        "version": str(instrument.version),
        "default_language": _name(first),
    }
    _fill(book.create_sheet("settings"), list(settings), [settings])
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def _survey(instrument: Instrument) -> Iterator[Row]:
    if instrument.instruction:
        yield {"type": "note", "name": "instruction", **_labels("label", instrument, instrument.instruction)}
    yield from (_field(field, instrument) for field in FIELDS[instrument.unit])
    for number, run in enumerate(runs(instrument), start=1):
        if any(response.anchor for response in run.responses):
            told = {language: "\n".join(anchors(run.responses, language)) for language in instrument.languages}
            yield {"type": "note", "name": f"answers_{number}", **_labels("label", instrument, told)}
        yield from (_question(item, run, instrument) for item in run.items)
    licence = instrument.licence.statement
    yield {"type": "note", "name": "licence", **_labels("label", instrument, licence)}


def _field(field: Field, instrument: Instrument) -> Row:
    row = {"type": "date" if field.is_date else "text", "name": field.name, **_labels("label", instrument, field.label)}
    if field.is_person:
        row |= {"constraint": f"not(regex(., '^{CPR_PATTERN}$'))", **_labels("constraint_message", instrument, NOT_A_CPR)}
    return row | ({"required": "yes"} if field.name.endswith("_id") and field.name != "rater_id" else {})


def _question(item: Item, run: Run, instrument: Instrument) -> Row:
    text = {language: question(item, language) for language in instrument.languages}
    row = {"type": f"select_one {run.name}", "name": f"{instrument.id}.{item.key}", **_labels("label", instrument, text)}
    if item.unless:
        row["relevant"] = f"${{{instrument.id}.{item.unless.item}}} != '{item.unless.code}'"
    return row


def _choices(instrument: Instrument) -> Iterator[Row]:
    for name, responses in instrument.response_sets.items():
        for each in responses:
            yield {"list_name": name, "name": str(each.code), **_labels("label", instrument, each.label)}


def _columns(what: str, instrument: Instrument) -> list[str]:
    return [f"{what}::{_name(language)}" for language in instrument.languages]


def _labels(what: str, instrument: Instrument, text: Text) -> dict[str, str]:
    return {f"{what}::{_name(language)}": say(text, language) for language in instrument.languages}


def _name(language: str) -> str:
    return f"{LANGUAGE_NAMES.get(language, language)} ({language})"


def _fill(sheet: Worksheet, header: list[str], rows: Iterable[Row]) -> None:
    sheet.append(header)
    for number, row in enumerate(rows, start=2):
        for column, name in enumerate(header, start=1):
            if row.get(name):
                cell = sheet.cell(number, column, row[name])
                cell.data_type = "s"  # a text that begins with = would otherwise become a formula
    sheet.freeze_panes = "A2"
