"""What a form, a dictionary, a survey's structure or a labelled export says of its questions and their answers."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asp_eval.core.errors import Fault
from asp_eval.intake.files.companions import header_of, named_rows, rows_of, sheet_rows
from asp_eval.intake.files.export import Export
from asp_eval.intake.files.readers.kobo import label_columns, questions_of
from asp_eval.intake.files.readers.redcap import NAME, variables_of
from asp_eval.intake.files.reading import read_raw
from asp_eval.intake.files.workbook import is_workbook

NO_QUESTIONS = Fault(
    "INS-040",
    "the file shows no question with answers to choose from",
    "Name an XLSForm (.xlsx), the data dictionary of REDCap (.csv), a survey of Qualtrics (.qsf) or LimeSurvey (its structure, "
    "exported as tab-separated values), or an export with labels, such as one of SPSS or Stata.",
)
NOT_QSF = Fault("INS-041", "the file is not a survey as Qualtrics exports it", "Export it again: Tools, Import/Export.")

Said = Mapping[str, str]
"""A text in each language."""

_TAG = re.compile(r"<[^<>]*>")
_LANGUAGE = re.compile(r"\(([a-z]{2})(?:[-_].*)?\)\s*$", re.IGNORECASE)
STRUCTURE = {"class", "name", "text", "language"}  # columns of LimeSurvey's structure


@dataclass(frozen=True, slots=True)
class FoundQuestion:
    """A question with answers to choose from.

    Attributes
    ----------
    name : str
        As the file calls it.
    text : mapping of str to str
        By language; empty if the file does not say.
    answers : mapping of str to mapping of str to str
        Label by language of each code, as the file writes codes.
    """

    name: str
    text: Said
    answers: Mapping[str, Said]


def questions_in(path: Path, language: str) -> tuple[FoundQuestion, ...]:
    """Return the questions of a file that have answers to choose from, in its order.

    Parameters
    ----------
    path : Path
    language : str
        Of the texts of a file that does not say which they are in.

    Raises
    ------
    DataProblems
        All that is wrong with the file.
    Refusal
        INS-040 if it shows no such question, INS-041 for a .qsf file that is none.
    """
    export = Export(path)
    if path.suffix.lower() == ".qsf":
        found = _qualtrics(path, language)
    elif path.is_file() and is_workbook(export) and sheet_rows(export, "survey") and sheet_rows(export, "choices"):
        found = _xlsform(export, language)
    elif path.is_file() and NAME in header_of(export):
        found = _redcap(export, language)
    elif path.is_file() and set(header_of(export)) >= STRUCTURE:
        found = _limesurvey(export)
    else:
        found = _labelled(path, language)
    questions = tuple(question for question in found if len(question.answers) > 1)
    if not questions:
        NO_QUESTIONS.refuse(path.name)
    return questions


def _xlsform(form: Export, language: str) -> list[FoundQuestion]:
    columns = [_LANGUAGE.search(name) for name in label_columns(form)]
    spoken = [match[1].lower() if match else language for match in columns]
    return [
        FoundQuestion(
            asked.name, _by_language(spoken, asked.labels), {code: _by_language(spoken, of) for code, of in asked.choices.items()}
        )
        for asked in questions_of(form)
        if asked.choices and not asked.multiple
    ]


def _by_language(languages: list[str], texts: tuple[str, ...]) -> dict[str, str]:
    return {language: text for language, text in zip(languages, texts, strict=False) if text}


def _redcap(dictionary: Export, language: str) -> list[FoundQuestion]:
    variables = variables_of(dictionary.source, rows_of(dictionary))
    return [
        FoundQuestion(each.name, {language: each.title} if each.title else {}, _said(each.labels, language))
        for each in variables.values()
        if each.listed
    ]


def _labelled(path: Path, language: str) -> list[FoundQuestion]:
    raw = read_raw(path)
    found = []
    for name in raw.columns:
        gone = raw.user_missing.get(name, frozenset())
        answers = {code: label for code, label in raw.labels.get(name, {}).items() if code not in gone}
        title = raw.titles.get(name, "")
        found.append(FoundQuestion(name, {language: title} if title else {}, _said(answers, language)))
    return found


def _limesurvey(structure: Export) -> list[FoundQuestion]:
    """Return the questions of a tab-separated structure: rows of the classes Q, SQ and A, once for each language."""
    rows = named_rows(structure.source, rows_of(structure, "\t"), structure.source, sorted(STRUCTURE))
    texts: dict[str, dict[str, str]] = defaultdict(dict)
    answers: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    parts: dict[str, str] = {}
    question = ""
    for _, row in rows:
        kind, name, text, language = row["class"], row["name"], _plain(row["text"]), row["language"][:2].lower()
        if kind == "Q":
            question = name
        if kind in {"Q", "SQ"}:
            key = name if kind == "Q" else f"{question}_{name}"
            parts[key] = question
            texts[key][language] = text
        elif kind == "A":
            answers[question][name][language] = text
    whole = {parts[key] for key in parts if parts[key] != key}  # questions that are but the heading of others
    return [FoundQuestion(key, texts[key], answers[of]) for key, of in parts.items() if key not in whole]


def _qualtrics(path: Path, language: str) -> list[FoundQuestion]:
    """Return the questions of a survey file: JSON with an element ``SQ`` for each; of a matrix, each row is a question."""
    try:
        elements = json.loads(path.read_text(encoding="utf-8-sig"))["SurveyElements"]
        asked = [element["Payload"] for element in elements if element["Element"] == "SQ"]
        return [question for payload in asked for question in _of_payload(payload, language)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return NOT_QSF.refuse(path.name)


def _of_payload(payload: Mapping[str, Any], language: str) -> list[FoundQuestion]:
    name, kind = str(payload["DataExportTag"]), payload.get("QuestionType")
    choices, recode = _shown(payload.get("Choices")), dict(payload.get("RecodeValues") or {})
    if kind == "MC":
        labels = {str(recode.get(key, key)): label for key, label in choices.items()}
        return [FoundQuestion(name, {language: _plain(payload["QuestionText"])}, _said(labels, language))]
    if kind == "Matrix":
        labels = {str(recode.get(key, key)): label for key, label in _shown(payload.get("Answers")).items()}
        return [FoundQuestion(f"{name}_{key}", {language: text}, _said(labels, language)) for key, text in choices.items()]
    return []


def _shown(parts: object) -> dict[str, str]:
    numbered = enumerate(parts, start=1) if isinstance(parts, list) else dict(parts or {}).items()  # type: ignore[call-overload]
    return {str(key): _plain(part["Display"]) for key, part in numbered}


def _said(labels: Mapping[str, str], language: str) -> dict[str, dict[str, str]]:
    return {code: {language: label} if label else {} for code, label in labels.items()}


def _plain(text: str) -> str:
    return " ".join(_TAG.sub(" ", text).split())
