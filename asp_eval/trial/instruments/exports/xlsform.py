"""An instrument as an XLSForm, for ODK, KoboToolbox and others that read the standard (xlsform.org).

Columns are named as the study stores them (``gap-competences-child.play_1``, ``child_id``), so that what comes back from the
field needs no renaming. Every cell is written as text: nothing in it can run as a formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.exports.field_form import BIRTH_MONTH, FieldForm
from asp_eval.trial.instruments.exports.fields import (
    CPR_PATTERN,
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
PLAIN = ("type", "name", "required", "relevant", "constraint", "calculation", "default", "appearance")
UNITS = "units"  # the list of ids that the form is handed out for
AGE = "age_in_years"
# as trial.study.age_years: from the middle of the month of birth, in years of 365.25 days
MONTH = "^[0-9]{4}-(0[1-9]|1[0-2])$"
AGE_IN_YEARS = (  # of a month that is not there yet a form cannot make a date, and would not open
    f"if(regex(${{birth_month}}, '{MONTH}') and ${{date}} != '', "
    "(decimal-date-time(${date}) - decimal-date-time(date(concat(${birth_month}, '-15')))) div 365.25, '')"
)
NOT_A_CPR: Text = {"da": "Skriv en kode, ikke et CPR-nummer.", "en": "Write a code, not a personal number."}


def xlsform(form: FieldForm | Instrument) -> bytes:
    """Return the XLSX file of a form, in every language that its questionnaires share.

    Parameters
    ----------
    form : FieldForm or Instrument
        With its wording: see `wording.worded`. Of the forms of a family, the child's age picks the one that is asked.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> xlsform(instrument("governance-npm-npg"))[:2]
    b'PK'
    """
    form = FieldForm.of(form) if isinstance(form, Instrument) else form
    about = {"form_title": say(form.title, form.languages[0]), "form_id": form.name, "version": form.version}
    return written_form(_survey(form), _choices(form), about, form.languages)


def written_form(survey: Iterable[Row], choices: Iterable[Row], about: Row, languages: Sequence[str]) -> bytes:
    """Return the XLSX file of a form from its rows.

    Parameters
    ----------
    survey, choices : iterable of mapping
        Rows by the names of the standard's columns; what a language says stands under `labelled`'s names.
    about : mapping of str to str
        ``form_title``, ``form_id`` and ``version``.
    languages : sequence of str
        The first is the default.
    """
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active or book.create_sheet()
    sheet.title = "survey"
    rows = list(survey)
    said = [what for what in ("label", "hint", "constraint_message") if any(key.startswith(what) for row in rows for key in row)]
    _fill(sheet, [*PLAIN, *(column for what in said for column in _columns(what, languages))], rows)
    _fill(book.create_sheet("choices"), ["list_name", "name", *_columns("label", languages)], choices)
    settings = {**about, "default_language": _name(languages[0])}
    _fill(book.create_sheet("settings"), list(settings), [settings])
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def labelled(what: str, text: Text, languages: Sequence[str]) -> dict[str, str]:
    """Return a text as the cells of its languages: ``{"label::English (en)": "..."}``."""
    return {f"{what}::{_name(language)}": say(text, language) for language in languages}


def _survey(form: FieldForm) -> Iterator[Row]:
    yield from (_field(field, form) for field in form.fields)
    if form.by_age:
        yield {"type": "calculate", "name": AGE, "calculation": AGE_IN_YEARS}
    for number, instrument in form.numbered():
        asked = _of_age(instrument) if instrument.id in form.by_age else ""
        for row in _part(number, instrument, form):
            relevant = " and ".join(filter(None, (asked, row.get("relevant", ""))))
            yield {**row, "relevant": relevant}


def _part(number: int, instrument: Instrument, form: FieldForm) -> Iterator[Row]:
    """Yield the rows of one questionnaire; what is no question has a name without a dot, so that it is no item's."""
    if form.is_joint:
        yield {"type": "note", "name": f"title_{number}", **_labels("label", form, instrument.title)}
    if instrument.instruction:
        yield {"type": "note", "name": f"instruction_{number}", **_labels("label", form, instrument.instruction)}
    for position, run in enumerate(runs(instrument), start=1):
        if any(response.anchor for response in run.responses):
            told = {language: "\n".join(anchors(run.responses, language)) for language in form.languages}
            yield {"type": "note", "name": f"answers_{number}_{position}", **_labels("label", form, told)}
        yield from (_question(item, run, instrument, form) for item in run.items)
    licence = instrument.licence.statement
    yield {"type": "note", "name": f"licence_{number}", **_labels("label", form, licence)}


def _of_age(instrument: Instrument) -> str:
    ages = instrument.ages
    return f"${{{AGE}}} >= {ages.from_:g} and ${{{AGE}}} < {ages.below:g}" if ages else ""


def _field(field: Field, form: FieldForm) -> Row:
    row = {"type": "date" if field.is_date else "text", "name": field.name, **_labels("label", form, field.label)}
    if form.units and field == form.unit_field:
        row["type"] = f"select_one {UNITS}"
    elif field.is_person:
        row |= {"constraint": f"not(regex(., '^{CPR_PATTERN}$'))", **_labels("constraint_message", form, NOT_A_CPR)}
    if field == BIRTH_MONTH:
        row |= {"constraint": f"regex(., '{MONTH}')", **_labels("constraint_message", form, field.label)}
    for_age = bool(form.by_age) and (field == BIRTH_MONTH or field.is_date)
    needed = for_age or (field.name.endswith("_id") and field.name != "rater_id")
    return row | ({"required": "yes"} if needed else {}) | {"default": form.filled.get(field.name, "")}


def _question(item: Item, run: Run, instrument: Instrument, form: FieldForm) -> Row:
    text = {language: question(item, language) for language in form.languages}
    listed = f"select_one {_list(run.name, instrument, form)}"
    row = {"type": listed, "name": f"{instrument.id}.{item.key}", **_labels("label", form, text)}
    if item.unless:
        row["relevant"] = f"${{{instrument.id}.{item.unless.item}}} != '{item.unless.code}'"
    return row


def _choices(form: FieldForm) -> Iterator[Row]:
    for unit in form.units:
        yield {"list_name": UNITS, "name": unit, **_labels("label", form, dict.fromkeys(form.languages, unit))}
    for instrument in form.questionnaires:
        for name, responses in instrument.response_sets.items():
            for each in responses:
                listed = _list(name, instrument, form)
                yield {"list_name": listed, "name": str(each.code), **_labels("label", form, each.label)}


def _list(name: str, instrument: Instrument, form: FieldForm) -> str:
    return f"{instrument.id}_{name}" if form.is_joint else name


def _columns(what: str, languages: Sequence[str]) -> list[str]:
    return [f"{what}::{_name(language)}" for language in languages]


def _labels(what: str, form: FieldForm, text: Text) -> dict[str, str]:
    return labelled(what, text, form.languages)


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
