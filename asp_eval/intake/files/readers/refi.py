"""REFI-QDA projects (``.qdpx``), as QualCoder, NVivo, MAXQDA and ATLAS.ti write them: what each coder coded in each document.

A project becomes a table of one row per document and coder: the variables of the document and of its case, and a column for each
code that has codes below it, holding the one that was coded; a code that stands alone becomes a column with ``present``. Texts,
selections and memos are not taken in: `refi_excerpts` reads them for the table of excerpts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from asp_eval.core.errors import DataProblems, Fault, Problem
from asp_eval.intake.files.columns import finished
from asp_eval.intake.files.export import Export, Rank
from asp_eval.intake.files.raw import Dialect, RawTable, TextColumn
from asp_eval.intake.files.refi_project import CodedDocument, is_project, read_project

CODEBOOK = Fault(
    "SCR-247",
    "the file is a REFI-QDA codebook, and holds no codings",
    "Export the project (.qdpx) from the program that coded it; 'asp-eval frames compare' says which codes of a codebook fit.",
)
CODER = "coder_id"
BOTH = "; "  # between two codes of one column, which no frame allows: the row is then listed, and nothing is lost
PRINTED = "print"  # a code that marks a selection for the report, and says nothing of the interview


@dataclass(frozen=True, slots=True)
class Refi:
    """Reads projects of software for qualitative analysis."""

    name: str = "refi"
    rank: Rank = Rank.SYSTEM

    def recognises(self, export: Export) -> bool:
        """Return whether the file is an archive with a project in it, or calls itself one; a codebook is known to be refused."""
        return is_project(export) or _is_codebook(export)

    def read(self, export: Export) -> RawTable:
        """Return the codings, one row per document and coder."""
        if _is_codebook(export):
            raise DataProblems([CODEBOOK.at(export.source)])
        project = read_project(export)
        order = [name for name in project.columns if name != PRINTED]
        rows = [_in_order(row, order) for document in project.documents for row in _rows(document)]
        return as_table(export, rows, "refi", project.notes)


def _is_codebook(export: Export) -> bool:
    return export.path.suffix.lower() == ".qdc"


def as_table(export: Export, rows: list[dict[str, str]], name: str, notes: tuple[Problem, ...]) -> RawTable:
    """Return rows of texts as a table, numbered from the second."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = [TextColumn.of([row.get(name, "") for row in rows]) for name in names]
    table = finished(export, names, columns, np.arange(2, len(rows) + 2, dtype=np.int64), Dialect(name, decimal="."))
    return replace(table, notes=(*table.notes, *notes))


def _rows(document: CodedDocument) -> Iterator[dict[str, str]]:
    by_coder: dict[str, dict[str, str]] = {}
    for part in document.parts:
        row = by_coder.setdefault(part.coder, {})
        before = row.get(part.column, "")
        if part.value not in before.split(BOTH):
            row[part.column] = f"{before}{BOTH}{part.value}" if before else part.value
    for about in document.about:
        yield from (about | {CODER: coder} | codes for coder, codes in by_coder.items())


def _in_order(row: dict[str, str], codes: list[str]) -> dict[str, str]:
    """Return a row with the codes last, in the order of the codebook, whether it has them or not."""
    known = dict.fromkeys((*codes, PRINTED))
    return {name: value for name, value in row.items() if name not in known} | {name: row.get(name, "") for name in codes}


READER = Refi()
