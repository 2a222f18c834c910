"""A workbook with a worksheet of goals for each of many institutions, taken apart: each as a file of its own.

A worksheet reads itself also after it was saved as CSV, so that is what each sheet becomes: what is read, refused and kept is
what it would be had each been sent alone.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asp_eval.core.errors import Fault, Problem
from asp_eval.core.filenames import safe_stems
from asp_eval.intake.files.export import Export
from asp_eval.intake.files.readers.goal_sheet import is_marked
from asp_eval.intake.files.workbook import is_workbook, sheet_records, sheets_one_by_one

NO_WORKSHEET = Fault(
    "SCR-269",
    "the sheet holds something, and is no worksheet of goals as they are handed out: nothing of it is taken in",
    "Nothing, if there are no goals on it. Else copy the answers into a new worksheet ('asp-eval goals export').",
)


@dataclass(frozen=True, slots=True)
class SheetApart:
    """One sheet of a workbook.

    Attributes
    ----------
    name : str
        Of the sheet.
    file : Path
        The sheet as a file of its own; not there, if it has problems.
    problems : tuple of Problem
        Why it cannot be read.
    """

    name: str
    file: Path
    problems: tuple[Problem, ...] = ()


def sheets_apart(path: Path, folder: Path, memo: dict[str, Any]) -> tuple[SheetApart, ...]:
    """Write each worksheet of a workbook as CSV into a folder; nothing of a file with fewer than two of them.

    Parameters
    ----------
    path : Path
        Any file.
    folder : Path
        Is made, if there is anything to write.
    memo : dict
        Is filled with what the look has shown (`Export.memo`), for the reading that follows.

    Returns
    -------
    tuple of SheetApart
        In the order of the workbook; empty sheets are left out.

    Raises
    ------
    DataProblems
        If the workbook is damaged, protected by a password or too large.
    """
    export = Export(path, memo=memo)
    if not path.is_file() or not is_workbook(export):
        return ()
    faults, filled = dict[str, tuple[Problem, ...]](), dict[str, list[list[str]]]()
    for name, sheet in sheets_one_by_one(export).items():
        if isinstance(sheet, tuple):
            faults[name] = sheet
        elif any(map(any, rows := list(sheet_records(sheet)))):
            filled[name] = rows
    ours = {name for name, rows in filled.items() if is_marked(rows)}
    if not ours or len(ours) + len(faults) < 2:
        return ()
    faults |= {name: (NO_WORKSHEET.at(path.name),) for name in filled if name not in ours}
    names = [name for name in sheets_one_by_one(export) if name in faults or name in ours]
    apart = []
    for name, stem in zip(names, safe_stems(names), strict=True):
        file = folder / f"{path.stem}-{stem}.csv"
        if name in ours:
            _write(file, filled[name])
        apart.append(SheetApart(name, file, faults.get(name, ())))
    return tuple(apart)


def _write(file: Path, records: Iterable[Sequence[str]]) -> None:
    """Write records as text that says itself how it is read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8-sig", newline="") as text:
        text.write("sep=;\r\n")
        csv.writer(text, delimiter=";").writerows(records)
