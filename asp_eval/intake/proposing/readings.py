"""A file in every way that it can be read where its delimiter, its sheet or the row of its names cannot be told from it alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from asp_eval.core.errors import DataProblems, Problem
from asp_eval.intake.files.dialect import UNSURE_DELIMITER, FileFormat
from asp_eval.intake.files.export import Progress
from asp_eval.intake.files.header import FEWEST_NAMES, TITLE_ABOVE, TWO_HEADERS
from asp_eval.intake.files.raw import RawTable
from asp_eval.intake.files.sheets import NOT_ONE_TABLE
from asp_eval.intake.pipeline import read_export
from asp_eval.intake.recognition.column_matching import texts_of

Reading = tuple[RawTable, FileFormat]


def readings(file: Path, declared: FileFormat, progress: Progress) -> list[Reading]:
    """Return a file in each way that it can be read, with the format that this takes; most files can be read in one.

    Parameters
    ----------
    file : Path
    declared : FileFormat
        What is known of the format.
    progress : callable
        As for `read_export`.

    Raises
    ------
    DataProblems
        Why it cannot be read as declared, if no other way of reading it can be tried.
    """
    try:
        raw = read_export(file, declared, progress)
    except DataProblems as refused:
        tried = [form for problem in refused.problems for form in _other_formats(problem, declared)]
        found = [reading for form in tried for reading in _readable(file, form, progress)]
        if not found:
            raise
        return found
    below = declared.model_copy(update={"skip_after_header": 1})
    if declared.skip_after_header or not _begins_with_questions(raw):
        return [(raw, declared)]
    return [(read_export(file, below, progress), below)]


def _readable(file: Path, form: FileFormat, progress: Progress) -> list[Reading]:
    try:
        return readings(file, form, progress)
    except DataProblems:
        return []


def _other_formats(problem: Problem, declared: FileFormat) -> Iterator[FileFormat]:
    """Yield the formats that would settle why a file cannot be read."""
    told = problem.details
    if problem.fault in (TITLE_ABOVE, TWO_HEADERS) and declared.header_row is None:
        yield declared.model_copy(update={"header_row": told["header"]})
    elif problem.fault is UNSURE_DELIMITER:
        yield from (declared.model_copy(update={"delimiter": mark}) for mark in told["candidates"])
    elif problem.fault is NOT_ONE_TABLE and declared.sheets is None:
        yield from (declared.model_copy(update={"sheet": name}) for name in told["sheets"])


def _begins_with_questions(raw: RawTable) -> bool:
    """Whether the first row holds words in every cell, some of them in columns that hold no other word."""
    first = {name: column.cell(0).strip() for name, column in raw.columns.items() if column.cell(0).strip()}
    if raw.titles or len(raw) < 2 or not all(_has_letters(text) for text in first.values()):
        return False
    alone = [name for name, text in first.items() if _is_the_only_word(text, texts_of(raw.columns[name]))]
    return len(alone) >= FEWEST_NAMES


def _is_the_only_word(text: str, met: list[str]) -> bool:
    others = [other for other in met if other != text]
    return bool(others) and not any(map(_has_letters, others))


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))
