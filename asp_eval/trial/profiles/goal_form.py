"""The worksheet of a staff meeting as an XLSForm, for ODK, KoboToolbox and others: sent once for each goal (xlsform.org).

The questions are named as the table of goals names its columns, so that what comes back needs no renaming.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from asp_eval.trial.instruments.exports.xlsform import Row, labelled, written_form
from asp_eval.trial.instruments.parts import Text
from asp_eval.trial.profiles.goal_sheet import GoalSheet
from asp_eval.trial.profiles.worksheet import Worksheet, worksheet_of_meetings

DIMENSIONS, OUTCOMES, NUMBERS = "dimensions", "outcomes", "numbers"
MOST = 20  # goals that the form offers a number for
ONE_BY_ONE: Text = {
    "da": "Send skemaet én gang for hvert delmål. Vælg det næste nummer hver gang.",
    "en": "Send the form once for each partial aim. Choose the next number each time.",
}
TYPES = {"text": "text", "date": "date", "dimension": f"select_one {DIMENSIONS}", "outcome": f"select_one {OUTCOMES}"}


def goal_xlsform(sheet: GoalSheet) -> bytes:
    """Return the XLSX file of the form for one institution, whose id, study and round are filled in.

    Examples
    --------
    >>> goal_xlsform(GoalSheet("asp", "i07", "w1", {"en": "ASP"}, {"en": "start"}))[:2]
    b'PK'
    """
    worksheet = worksheet_of_meetings()
    first = worksheet.languages[0]
    about = {
        "form_title": f"{worksheet.title[first]}, {sheet.title.get(first) or next(iter(sheet.title.values()))}",
        "form_id": f"{sheet.study}-goals-{sheet.institution_id}",
        "version": str(worksheet.version),
    }
    return written_form(_survey(worksheet, sheet), _choices(worksheet, sheet), about, worksheet.languages)


def _survey(worksheet: Worksheet, sheet: GoalSheet) -> Iterator[Row]:
    said = worksheet.languages
    yield {"type": "note", "name": "one_by_one", **labelled("label", ONE_BY_ONE, said)}
    yield {"type": "calculate", "name": "study", "calculation": f"'{sheet.study}'"}
    yield {"type": "calculate", "name": "profile_wave", "calculation": f"'{sheet.profile_wave}'"}
    label = labelled("label", worksheet.labels["institution_id"], said)
    yield {"type": "text", "name": "institution_id", "required": "yes", "default": sheet.institution_id, **label}
    label = labelled("label", worksheet.labels["goal"], said)
    yield {"type": f"select_one {NUMBERS}", "name": "goal", "required": "yes", "appearance": "minimal", **label}
    for question in worksheet.questions:
        if question.kind == "dimension" and not sheet.dimensions:
            continue
        row = {"type": TYPES[question.kind], "name": question.key, **labelled("label", question.text, said)}
        if question.hint is not None:
            row |= labelled("hint", question.hint, said)
        if question.key == "aim":
            row["required"] = "yes"
        if question.kind == "text" and question.lines > 1:
            row["appearance"] = "multiline"
        yield row


def _choices(worksheet: Worksheet, sheet: GoalSheet) -> Iterator[Row]:
    numbers = {str(number): dict.fromkeys(worksheet.languages, str(number)) for number in range(1, MOST + 1)}
    outcomes = {each.key: each.title for each in worksheet.outcomes}
    yield from _list(NUMBERS, numbers, worksheet.languages)
    yield from _list(DIMENSIONS, sheet.dimensions, worksheet.languages)
    yield from _list(OUTCOMES, outcomes, worksheet.languages)


def _list(name: str, labels: Mapping[str, Text], said: Sequence[str]) -> Iterator[Row]:
    for key, label in labels.items():
        yield {"list_name": name, "name": key, **labelled("label", label, said)}
