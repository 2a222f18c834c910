"""The one table of a workbook: the sheet that holds it, or the sheets that its columns are spread over."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.core.errors import DataProblems, Fault, Place
from asp_eval.core.phrases import Phrase, listed
from asp_eval.intake.files.columns import SAME_NAME, shorten
from asp_eval.intake.files.export import Export
from asp_eval.intake.files.guards.workbook_xml import column_letters
from asp_eval.intake.files.raw import SPACES
from asp_eval.intake.files.workbook import Sheet, Worksheet, read_sheets, sheet_records

WHICH_SHEET = Fault(
    "SCR-016", "the workbook has no sheet of this name that holds data", "Correct 'format: {{sheet: NAME}}' in the mapping."
)
MERGED = Fault(
    "SCR-207",
    "the cells {range} are merged: only the first of them has a value, the others are empty",
    "Take the merge apart in the spreadsheet, write the value into every cell that it is true of, and save.",
)
NOT_ONE_TABLE = Fault(
    "SCR-076",
    "more than one sheet holds data, and they do not show that they are one table: {reason}",
    "Name the sheet that is meant in the mapping: 'format: {{sheet: NAME}}'. If all hold columns of one table, with the same "
    "rows in the same order, say 'format: {{sheets: by-columns}}'.",
)


def read_workbook(export: Export, sheet: str | None = None) -> tuple[str, str, Iterator[list[str]]]:
    """Return the kind of a workbook, the sheets that its table stands in, and the table: cells as text, the header first.

    Sheets are joined side by side if the first column of each has the same name and the same values, each value once; or if
    the mapping says that they are one table by columns, and they have the same number of rows.

    Parameters
    ----------
    export : Export
    sheet : str, optional
        The one that is wanted; else what the mapping says.

    Raises
    ------
    DataProblems
        SCR-012 to SCR-017, SCR-073 to SCR-076.
    """
    wanted = sheet or export.format.sheet
    kind, sheets = read_sheets(export)
    filled = {name: found for name, found in sheets.items() if any(map(any, sheet_records(found)))}
    if wanted is not None and wanted not in filled:
        raise DataProblems([WHICH_SHEET.at(export.source, found=wanted, expected=", ".join(filled) or None)])
    names = [wanted] if wanted is not None else list(filled)
    if not names:
        return kind, "", iter(())
    if len(names) == 1:
        return kind, names[0], sheet_records(filled[names[0]])
    return kind, " + ".join(names), iter(_joined({name: _filled_rows(filled[name]) for name in names}, export))


def refuse_merged(export: Export, sheet: str, first_row: int) -> None:
    """Refuse a sheet with merged cells among its data: all but the first of them are empty, whatever they show.

    Parameters
    ----------
    export : Export
    sheet : str
        The sheet read; of a table over several sheets their names, which is looked at no further.
    first_row : int
        Number of the first row of data; merges above it are headings.

    Raises
    ------
    DataProblems
        SCR-207.
    """
    found = read_sheets(export)[1].get(sheet)
    merged = [(first, last) for first, last in (found.merged if found else ()) if last[0] >= first_row]
    if found is None or not merged:
        return
    cells = dict(enumerate(sheet_records(found), start=1))
    problems = [
        MERGED.at(
            Place(export.source, row=row, column=column_letters(column)),
            range=f"{column_letters(column)}{row}:{column_letters(right)}{bottom}",
        )
        for (row, column), (bottom, right) in merged
        if column <= len(cells.get(row, [])) and cells[row][column - 1].strip(SPACES)
    ]
    if problems:
        raise DataProblems(shorten(problems))


def _filled_rows(sheet: Worksheet) -> Sheet:
    """Return the rows of a sheet, without blank ones at its end."""
    rows = list(sheet_records(sheet))
    while rows and not any(rows[-1]):
        rows.pop()
    return rows


def _joined(sheets: dict[str, Sheet], export: Export) -> Sheet:
    """Return the sheets side by side, if they are the columns of one table."""
    tables = [_rectangle(rows) for rows in sheets.values()]
    names = list(sheets)
    reason = _no_key(tables, names)
    if reason is None:
        order = [row[0].strip(SPACES) for row in tables[0]]
        tables = [tables[0], *([row[1:] for row in _ordered(table, order)] for table in tables[1:])]
    elif export.format.sheets and len({len(table) for table in tables}) == 1:
        reason = None
    elif export.format.sheets:
        counts = [Phrase("{n} in {sheet!r}", n=len(table) - 1, sheet=name) for name, table in zip(names, tables, strict=True)]
        reason = Phrase("their rows are {counts}", counts=listed(counts))
    if reason is not None:
        raise DataProblems([NOT_ONE_TABLE.at(export.source, expected=", ".join(names), reason=reason, sheets=names)])
    _names_once(tables, names, export.source)
    return [[cell for part in row for cell in part] for row in zip(*tables, strict=True)]


def _rectangle(rows: Sheet) -> Sheet:
    """Return rows of one width, without the columns at the right that are empty throughout."""
    width = max((i + 1 for row in rows for i, cell in enumerate(row) if cell), default=0)
    return [[*row[:width], *[""] * (width - len(row))] for row in rows]


def _no_key(tables: list[Sheet], names: list[str]) -> str | None:
    """Return why the first columns are not one and the same key, or None if they are."""
    keys = [[row[0].strip(SPACES) for row in table] for table in tables]
    first, *others = keys
    if not all(first) or len(set(first)) < len(first):
        return Phrase("the first column of {sheet!r} does not name each row once", sheet=names[0])
    for name, key in zip(names[1:], others, strict=True):
        if key[0] != first[0]:
            return Phrase(
                "their first columns are {one!r} in {sheet!r} and {other!r} in {another!r}",
                one=first[0],
                sheet=names[0],
                other=key[0],
                another=name,
            )
        if len(key) != len(first) or set(key) != set(first):
            return Phrase(
                "column {column!r} does not have the same values in {one!r} and {other!r}",
                column=first[0],
                one=names[0],
                other=name,
            )
    return None


def _ordered(table: Sheet, order: list[str]) -> Sheet:
    """Return the rows of a sheet in the order of a key."""
    found = {row[0].strip(SPACES): row for row in table}
    return [found[key] for key in order]


def _names_once(tables: list[Sheet], names: list[str], source: str) -> None:
    """Refuse a name that stands in two sheets."""
    seen: dict[str, str] = {}
    problems = [
        SAME_NAME.at(
            Place(source, row=1, column=column), found=Phrase("in {one!r} and {other!r}", one=seen[column], other=sheet), times=2
        )
        for sheet, table in zip(names, tables, strict=True)
        for column in table[0]
        if column and seen.setdefault(column, sheet) != sheet
    ]
    if problems:
        raise DataProblems(problems)
