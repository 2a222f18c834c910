"""The coded selections of a REFI-QDA project: one row for each selection, coder and code, with its text.

A project is read so where it is imported as ``excerpts``. Excerpts are numbered within an interview, that is within the
institution and round that its variables name. A selection that is also coded with a code called ``print`` is marked to be
printed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from asp_eval.core.errors import DataProblems, Fault
from asp_eval.intake.files.export import Export, Rank
from asp_eval.intake.files.raw import RawTable
from asp_eval.intake.files.readers.refi import CODER, PRINTED, as_table
from asp_eval.intake.files.refi_project import CodedDocument, read_project

NO_SELECTIONS = Fault(
    "SCR-246", "the project has no coded selection of a plain text that is in it", "Export it with its texts, if it has any."
)
NAME = "refi-excerpts"
YES, NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class RefiExcerpts:
    """Reads the selections of projects; it knows no file by itself, and is asked for by name."""

    name: str = NAME
    rank: Rank = Rank.SYSTEM

    def recognises(self, export: Export) -> bool:
        """Return False: a project is read for its codings, unless its excerpts are asked for."""
        del export
        return False

    def read(self, export: Export) -> RawTable:
        """Return the selections with their texts."""
        project = read_project(export, texts=True)
        numbers: Counter[tuple[str, str]] = Counter()
        rows = [row for document in project.documents for row in _rows(document, numbers)]
        if not rows:
            raise DataProblems([NO_SELECTIONS.at(export.source)])
        return as_table(export, rows, NAME, project.notes)


def _rows(document: CodedDocument, numbers: Counter[tuple[str, str]]) -> Iterator[dict[str, str]]:
    if document.text is None:
        return
    marked = {(part.start, part.end) for part in document.parts if part.column == PRINTED}
    for about in document.about:
        interview = (about.get("institution_id", document.name), about.get("round", ""))
        for part in document.parts:
            if part.start is None or part.end is None or part.column == PRINTED:
                continue
            numbers[interview] += 1
            yield about | {
                "number": str(numbers[interview]),
                CODER: part.coder,
                "code": part.column,
                "level": part.value,
                "start": str(part.start),
                "end": str(part.end),
                "text": document.text[part.start : part.end],
                "print": YES if (part.start, part.end) in marked else NO,
            }


READER = RefiExcerpts()
