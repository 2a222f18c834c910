"""The worksheet of a staff meeting as a spreadsheet, for one institution: handed out, filled in, and read again.

Column A and the rows of choices are hidden. They hold the keys of the questions and of their choices, so that the sheet reads
itself in whatever language it was handed out, also after it was saved as CSV.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from asp_eval.core.workbooks import NO_DAY, TEXTS_STAY, midnight, sheet_names
from asp_eval.trial.instruments.exports.fields import say
from asp_eval.trial.instruments.parts import Text
from asp_eval.trial.profiles.worksheet import Worksheet, WorksheetQuestion, worksheet_of_meetings

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet as Target

MARK = "asp-eval goals 1"  # in the first cell: what the sheet is, and the version of its layout
CHOICE, GOALS = "choice", "goals"  # in column A: a row of a choice, and the row of the keys of the columns below
LINES = 8  # for goals
MARGIN, HEADINGS_HIGH, LINE_HIGH = 0.4, 92, 48  # inches, points, points: so that the sheet takes up A4, and headings are whole
LABELS, FIRST = 1, 2  # columns B and C
BEFORE = ("study", "institution_id", "profile_wave")  # filled in beforehand


@dataclass(frozen=True, slots=True)
class GoalSheet:
    """A worksheet that is handed out.

    Attributes
    ----------
    study, institution_id, profile_wave : str
        Filled in beforehand.
    title, wave_label : dict of str to str
        Of the study and of the round, by language.
    dimensions : mapping of str to dict
        What each dimension of the profile is called.
    institution : str
        What the institution is called on the sheet, if not by its id.
    """

    study: str
    institution_id: str
    profile_wave: str
    title: Text
    wave_label: Text
    dimensions: Mapping[str, Text] = field(default_factory=dict)
    institution: str = ""


def goal_sheet(sheet: GoalSheet, language: str) -> bytes:
    """Return the workbook of a worksheet, its answer cells open and all others locked without a password.

    Examples
    --------
    >>> goal_sheet(GoalSheet("asp", "i07", "w1", {"en": "ASP"}, {"en": "start"}), "en")[:2]
    b'PK'
    """
    return _workbook({sheet_names([say(worksheet_of_meetings().title, language)])[0]: sheet}, language)


def goal_workbook(sheets: Sequence[GoalSheet], language: str) -> bytes:
    """Return one workbook of many worksheets, each on a sheet named by its institution's id and as it is alone.

    Examples
    --------
    >>> goal_workbook([GoalSheet("asp", one, "w1", {"en": "ASP"}, {"en": "start"}) for one in ("i07", "i08")], "en")[:2]
    b'PK'
    """
    names = sheet_names(sheet.institution_id for sheet in sheets)
    return _workbook(dict(zip(names, sheets, strict=True)), language)


def _workbook(sheets: Mapping[str, GoalSheet], language: str) -> bytes:
    """Return the workbook of some worksheets, by the names of their sheets."""
    from xlsxwriter import Workbook

    worksheet = worksheet_of_meetings()
    content = io.BytesIO()
    book = Workbook(content, TEXTS_STAY)
    book.set_properties({"title": say(worksheet.title, language), "author": "", "created": midnight(NO_DAY)})
    forms = _formats(book)
    for name, sheet in sheets.items():
        _write_sheet(book.add_worksheet(name), worksheet, sheet, language, forms)
    book.close()
    return content.getvalue()


def _write_sheet(target: Target, worksheet: Worksheet, sheet: GoalSheet, language: str, forms: Mapping[str, Any]) -> None:
    """Write a worksheet, its answer cells open."""
    choices = _choices(worksheet, sheet, language)
    ranges = _write_choices(target, choices)
    top = _write_head(target, worksheet, sheet, language, forms, 1 + len(choices))
    _write_goals(target, worksheet, language, forms, top, ranges)
    target.set_column(0, 0, None, None, {"hidden": True})
    target.protect("", {"format_rows": True, "format_columns": True, "select_locked_cells": True})
    target.set_landscape()
    target.set_paper(9)  # A4
    target.fit_to_pages(1, 1)
    target.set_margins(*[MARGIN] * 4)
    target.hide_gridlines(2)


def _formats(book: Any) -> dict[str, Any]:
    wrapped = {"text_wrap": True, "valign": "top"}
    answer = wrapped | {"locked": False, "border": 1, "border_color": "#8a8f94"}
    return {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "note": book.add_format(wrapped | {"font_color": "#55636f"}),
        "label": book.add_format(wrapped | {"bold": True}),
        "filled": book.add_format(wrapped | {"bg_color": "#eceff1", "num_format": "@"}),
        "heading": book.add_format(wrapped | {"bold": True, "bg_color": "#eceff1", "border": 1, "border_color": "#8a8f94"}),
        "hint": book.add_format({"font_color": "#55636f", "bold": False}),
        "text": book.add_format(answer | {"num_format": "@"}),
        "date": book.add_format(answer | {"num_format": "yyyy-mm-dd"}),
    }


def _choices(worksheet: Worksheet, sheet: GoalSheet, language: str) -> list[tuple[str, str, str]]:
    """Return every choice: of which question, its key, and what it is called."""
    offered: dict[str, Mapping[str, Text]] = {
        "dimension": sheet.dimensions,
        "outcome": {each.key: each.title for each in worksheet.outcomes},
    }
    return [
        (question.key, key, say(label, language))
        for question in worksheet.questions
        for key, label in offered.get(question.kind, {}).items()
    ]


def _write_choices(target: Target, choices: list[tuple[str, str, str]]) -> dict[str, str]:
    """Write the hidden rows of choices; return where those of each question stand."""
    rows: dict[str, list[int]] = {}
    target.write_string(0, 0, MARK)
    for row, (question, key, label) in enumerate(choices, start=1):
        for column, text in enumerate((CHOICE, question, key, label)):
            target.write_string(row, column, text)
        target.set_row(row, None, None, {"hidden": True})
        rows.setdefault(question, []).append(row)
    return {question: f"=$D${found[0] + 1}:$D${found[-1] + 1}" for question, found in rows.items()}


def _write_head(target: Target, worksheet: Worksheet, sheet: GoalSheet, language: str, forms: Mapping[str, Any], top: int) -> int:
    """Write whose sheet it is, how it is filled in, and the questions of the meeting; return the row below."""
    last = FIRST + len(worksheet.of_goals) - 1
    target.write_string(0, LABELS, say(worksheet.title, language), forms["title"])
    target.merge_range(top, LABELS, top, last, say(worksheet.instruction, language), forms["note"])
    target.set_row(top, 34)
    filled = {"study": sheet.study, "institution_id": sheet.institution_id, "profile_wave": sheet.profile_wave}
    called = {"study": sheet.title, "profile_wave": sheet.wave_label, "institution_id": {language: sheet.institution}}
    for row, key in enumerate(BEFORE, start=top + 1):
        target.write_string(row, 0, key)
        target.write_string(row, LABELS, say(worksheet.labels[key], language), forms["label"])
        target.write_string(row, FIRST, filled[key], forms["filled"])
        target.write_string(row, FIRST + 1, say(called[key], language), forms["note"])
    row = top + 1 + len(BEFORE)
    for question in worksheet.of_meeting:
        target.write_string(row, 0, question.key)
        target.write_string(row, LABELS, say(question.text, language), forms["label"])
        if question.kind == "text":
            target.merge_range(row, FIRST, row, last, "", forms["text"])
            target.set_row(row, 15 * (question.lines + 1))
        else:
            target.write_blank(row, FIRST, None, forms[question.kind])
        _ask(target, row, row, FIRST, question, language, "")
        row += 1
    return row + 1


def _write_goals(
    target: Target, worksheet: Worksheet, language: str, forms: Mapping[str, Any], top: int, ranges: Mapping[str, str]
) -> None:
    """Write the table of goals: a hidden row of keys, the headings, and the lines."""
    target.set_row(top, None, None, {"hidden": True})
    target.write_string(top, 0, GOALS)
    target.write_string(top, LABELS, "goal")
    target.write_string(top + 1, LABELS, say(worksheet.labels["goal"], language), forms["heading"])
    target.set_column(LABELS, LABELS, 22)
    target.set_row(top + 1, HEADINGS_HIGH)
    first, last = top + 2, top + 1 + LINES
    for column, question in enumerate(worksheet.of_goals, start=FIRST):
        target.write_string(top, column, question.key)
        heading = say(question.text, language)
        if question.hint is None:
            target.write_string(top + 1, column, heading, forms["heading"])
        else:
            parts = (forms["label"], heading, forms["hint"], "\n" + say(question.hint, language))
            target.write_rich_string(top + 1, column, *parts, forms["heading"])
        target.set_column(column, column, question.width)
        form = forms["date" if question.kind == "date" else "text"]
        for row in range(first, last + 1):
            target.write_blank(row, column, None, form)
        _ask(target, first, last, column, question, language, ranges.get(question.key, ""))
    for line, row in enumerate(range(first, last + 1), start=1):
        target.write_string(row, LABELS, str(line), forms["text"])
        target.set_row(row, LINE_HIGH)


def _ask(target: Target, first: int, last: int, column: int, question: WorksheetQuestion, language: str, source: str) -> None:
    """Offer the choices of a question; of a day, show how it is written."""
    hint = say(question.hint, language)[:255] if question.hint is not None else ""
    if source:
        target.data_validation(first, column, last, column, {"validate": "list", "source": source, "error_type": "warning"})
    elif question.kind == "date":
        told = {"input_title": say(question.text, language)[:32], "input_message": hint}
        target.data_validation(first, column, last, column, {"validate": "any", **told})
