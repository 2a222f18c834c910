"""LimeSurvey: responses as CSV or XLSX, headed by question codes, texts or both; and VV files, whose second row holds codes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from asp_eval.core.errors import DataProblems, Fault, Place
from asp_eval.intake.files.columns import shorten, table_of
from asp_eval.intake.files.companions import header_of, records_of
from asp_eval.intake.files.export import Export, Rank
from asp_eval.intake.files.first_records import first_records
from asp_eval.intake.files.raw import SPACES, RawTable

SAME_TEXT = Fault(
    "SCR-104",
    "{times} questions have this text, so that their columns cannot be told apart",
    "Export again with 'Question code' under 'Headings'.",
)
TWO_WIDTHS = Fault(
    "SCR-105",
    "the two header rows of the VV file do not have as many cells",
    "It was edited or cut short; export it again.",
)

CODES = ("id", "submitdate", "startlanguage")  # columns every export has, unless they were taken out
TEXTS = ("Response ID", "Date submitted", "Start language")  # the same by their English texts
SEPARATOR = ". "  # between code and text, if both are asked for
PERSONAL = {"firstname", "lastname", "email", "ipaddr"}
NOT_SHOWN = "{question_not_shown}"
ESCAPES = {"{lbrace}": "{", "{newline}": "\n", "{cr}": "\r", "{tab}": "\t", "{quote}": '"'}
_ESCAPE = re.compile("|".join(re.escape(mark) for mark in ESCAPES))


@dataclass(frozen=True, slots=True)
class LimeSurvey:
    """Reads the responses of LimeSurvey by the names its columns have."""

    name: str = "limesurvey"
    rank: Rank = Rank.SYSTEM

    def recognises(self, export: Export) -> bool:
        """Return whether the columns that LimeSurvey adds are there, in the first row or, in a VV file, the second."""
        header = header_of(export)
        return any(set(CODES) <= set(names) for names in (header, _codes(header))) or set(TEXTS) <= set(header) or _is_vv(export)

    def read(self, export: Export) -> RawTable:
        """Return the responses by question code where there is one, with the texts as titles."""
        dialect, rows = records_of(export, self.name)
        header = [cell.strip(SPACES) for cell in next(rows, [])]
        names, titles, first_row = header, header, 2
        if _is_vv(export):
            names, rows, first_row = [cell.strip(SPACES) for cell in next(rows)], _unescaped(rows), 3
            _same_width(export.source, header, names)
        elif set(CODES) <= set(_codes(header)):
            names = _codes(header)
            titles = [text.partition(SEPARATOR)[2] for text in header]
        elif not set(CODES) <= set(header):
            _refuse_equal_headings(export.source, header)
        questions = {name: title for name, title in zip(names, titles, strict=True) if title and title != name}
        raw = table_of(export, names, rows, dialect, first_row=first_row, titles=questions)
        personal = {name for name in PERSONAL & raw.columns.keys() if any(raw.columns[name].texts)}
        return replace(raw, identifiers=frozenset(personal))


def _codes(header: Sequence[str]) -> list[str]:
    """Return the codes of headings such as ``G01Q02[SQ001]. How often?``."""
    return [text.partition(SEPARATOR)[0] for text in header]


def _is_vv(export: Export) -> bool:
    """Whether the second row holds the codes, and the first does not."""
    found = [{cell.strip(SPACES) for cell in record} for record in first_records(export)[:2]]
    return len(found) == 2 and set(CODES) <= found[1] and not set(CODES) <= found[0]


def _unescaped(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """Yield the cells of a VV file as they were answered; a question that was not shown has no answer."""
    for record in rows:
        yield ["" if cell == NOT_SHOWN else _ESCAPE.sub(lambda mark: ESCAPES[mark[0]], cell) for cell in record]


def _same_width(source: str, header: Sequence[str], names: Sequence[str]) -> None:
    if len(header) != len(names):
        raise DataProblems([TWO_WIDTHS.at(Place(source, row=2), found=len(names), expected=len(header))])


def _refuse_equal_headings(source: str, header: Sequence[str]) -> None:
    times = Counter(text for text in header if text)
    problems = [SAME_TEXT.at(Place(source, row=1, column=text), times=n) for text, n in times.items() if n > 1]
    if problems:
        raise DataProblems(shorten(problems))


READER = LimeSurvey()
