"""The tables of a document, and the numbers of its figures, as an Excel workbook: a sheet each.

A cell that shows one number becomes that number. A cell that shows several, such as an estimate with its interval, is taken
apart: the text as it is shown, and a column for each number. Numbers are as exact as they are shown and no more, because a
report rounds shares of small groups so that nobody can count the children behind them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asp_eval.core.workbooks import Number, Sheet, Value, workbook
from asp_eval.reporting.blocks import Cell, Document, Figure, Table, blocks_of
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import NO_BREAK, Numbers, Quantity, rounded
from asp_eval.reporting.writers.pdf import edition, running_title

DIGITS = tuple("0123456789")
NOT_BEFORE = (f"<{NO_BREAK}", f">{NO_BREAK}", *DIGITS)


def xlsx(document: Document) -> bytes:
    """Return the tables of a document as a workbook; the same document always gives the same bytes.

    Parameters
    ----------
    document : Document
    """
    show = Numbers(words_for(document.language))
    sheets = [sheet_of(table, show) for table in tables_of(document)]
    return workbook(
        sheets,
        title=running_title(document),
        subject=document.subtitle,
        banner=document.banner,
        running=" · ".join(part for part in (running_title(document), edition(document)) if part),
        day=document.day,
        comments=" · ".join(part for part in (document.made_with, edition(document)) if part),
    )


def tables_of(document: Document) -> Iterator[Table]:
    """Yield the tables of a document, those behind its figures, and those of a workbook alone."""
    for block in blocks_of((*document.sections, *document.workbook)):
        if isinstance(block, Table):
            yield block
        elif isinstance(block, Figure):
            yield block.data


def sheet_of(table: Table, show: Numbers) -> Sheet:
    """Return a table as a sheet; the headings of its groups become a column of their own."""
    grouped = any(row.group for row in table.rows)
    columns = [_cells_of(table, place) for place in range(len(table.columns))]
    parts = [_part(cells, show) for cells in columns]
    headings = [heading for column, part in zip(table.columns, parts, strict=True) for heading in part.headings(column.heading)]
    rows: list[tuple[Value, ...]] = []
    group = ""
    for row in table.rows:
        if row.group:
            group = row.cells[0].text
            continue
        values: list[Value] = [group] if grouped else []
        place = 0
        for cell in row.cells:
            values += parts[place].values(cell)
            for skipped in parts[place + 1 : place + cell.wide]:
                values += [None] * skipped.width
            place += cell.wide
        rows.append(tuple(values))
    return Sheet(
        table.key, table.caption, tuple([show.words("Group"), *headings] if grouped else headings), tuple(rows), table.notes
    )


class _Plain:
    """A column whose cells show a number each, or words."""

    width = 1

    def __init__(self, show: Numbers) -> None:
        self._show = show

    def headings(self, heading: str) -> list[str]:
        return [heading]

    def values(self, cell: Cell) -> list[Value]:
        return [_alone(cell, self._show)]


class _TakenApart:
    """A column whose cells show several numbers: as they are shown, then each number in a column of its own."""

    def __init__(self, show: Numbers, numbers: int) -> None:
        self._show, self._numbers = show, numbers
        self.width = numbers + 1

    def headings(self, heading: str) -> list[str]:
        return [heading, *(f"{heading} ({position})".strip() for position in range(1, self._numbers + 1))]

    def values(self, cell: Cell) -> list[Value]:
        found = [_number(quantity) if _shows(cell, quantity, self._show) else None for quantity in cell.quantities]
        return [_whole(cell), *found, *[None] * (self._numbers - len(found))]


def _cells_of(table: Table, place: int) -> list[Cell]:
    """Return the cells that stand in a column alone."""
    found = []
    for row in table.rows:
        start = 0
        for cell in row.cells:
            if start == place and not row.group:
                found.append(cell)
            start += cell.wide
    return found


def _part(cells: Sequence[Cell], show: Numbers) -> _Plain | _TakenApart:
    most = max((len(cell.quantities) for cell in cells), default=0)
    mixed = any(len(cell.quantities) == 1 and not isinstance(_alone(cell, show), Number) for cell in cells)
    bounds = most == 1 and all(_is_bound(cell, show) for cell in cells if not isinstance(_alone(cell, show), Number))
    return _Plain(show) if most == 0 or (most == 1 and (not mixed or bounds)) else _TakenApart(show, most)


def _alone(cell: Cell, show: Numbers) -> Value:
    """Return the number that a cell shows, if it shows nothing else; else its text."""
    if len(cell.quantities) == 1 and not cell.details and cell.text == shown(cell.quantities[0], show):
        return _number(cell.quantities[0])
    return _whole(cell)


def _is_bound(cell: Cell, show: Numbers) -> bool:
    """Whether a cell says on which side of a limit its number is, "< 0.001", and not the number."""
    return not any(_shows(cell, quantity, show) for quantity in cell.quantities)


def _shows(cell: Cell, quantity: Quantity, show: Numbers) -> bool:
    """Whether a number stands in a cell as it is, and not as a bound of it."""
    itself = shown(quantity, show)
    return any(_stands_in(itself, line) for line in (cell.text, *cell.details))


def _stands_in(number: str, line: str) -> bool:
    """Whether a number stands in a line, neither as part of a longer one nor as the bound of another."""
    start = line.find(number)
    while start >= 0:
        if not line.endswith(NOT_BEFORE, 0, start) and not line.startswith(DIGITS, start + len(number)):
            return True
        start = line.find(number, start + 1)
    return False


def shown(quantity: Quantity, show: Numbers) -> str:
    """Return a number as a table shows it."""
    return show.percent(quantity.value, quantity.digits) if quantity.percent else show.decimal(quantity.value, quantity.digits)


def _number(quantity: Quantity) -> Number:
    """Return a number as exact as it is shown."""
    digits = quantity.digits + (2 if quantity.percent else 0)
    return Number(float(rounded(quantity.value, digits)), quantity.digits, quantity.percent)


def _whole(cell: Cell) -> str:
    return "\n".join((str(cell.text), *(str(line) for line in cell.details)))
