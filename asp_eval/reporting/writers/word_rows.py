"""The rows of a table in a Word file, as WordprocessingML (ECMA-376, part 1, section 17.4).

They are written as text and read once. python-docx sets a cell property by property, and looks for the place of each in its
element: for the thousands of cells of a report that takes longer than everything else in the file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from asp_eval.reporting.blocks import Cell, Row, Table

SIZE, DETAIL_SIZE = 17, 16  # half points
AIR = 30  # over and under the text of a cell, in twentieths of a point
TALL = 737  # a row to write in, in twentieths of a point: 13 mm

LONGEST_NAME = 40  # letters of a bookmark in Word

_BREAKS = re.compile(r"([\t\r\n])")


@dataclass(frozen=True, slots=True)
class Look:
    """How cells are set.

    Attributes
    ----------
    widths : sequence of int
        Of the columns, in twentieths of a point.
    kept : collection of int
        The rows that no page break parts from the row after them.
    accent, quiet : str
        Colours of a reference and of details, six digits each.
    """

    widths: Sequence[int]
    kept: Collection[int]
    accent: str
    quiet: str


def rows_xml(table: Table, look: Look) -> str:
    """Return the heading row and the rows of a table, one ``w:tr`` after the other.

    Parameters
    ----------
    table : Table
    look : Look
    """
    return "".join((_head(table, look), *(_row(table, position, row, look) for position, row in enumerate(table.rows))))


def bookmark(anchor: str) -> str:
    """Return a name that Word takes for a bookmark: letters, digits and underscores, beginning with a letter."""
    return ("a_" + "".join(letter if letter.isalnum() else "_" for letter in anchor))[:LONGEST_NAME]


def _head(table: Table, look: Look) -> str:
    cells = "".join(
        _cell((width, 1), (column.heading,), look, right=column.numeric, bold=True, keep=True)
        for column, width in zip(table.columns, look.widths, strict=True)
    )
    return f"<w:tr><w:trPr><w:tblHeader/><w:cantSplit/></w:trPr>{cells}</w:tr>"


def _row(table: Table, position: int, row: Row, look: Look) -> str:
    height = f'<w:trHeight w:val="{TALL}"/>' if row.to_fill_in else ""
    cells = "".join(
        _cell(
            (sum(look.widths[place : place + cell.wide]), cell.wide),
            (cell.text, *cell.details),
            look,
            right=table.columns[place].numeric and place > 0 and cell.wide == 1,
            bold=row.group,
            keep=position in look.kept,
            anchor=cell.anchor,
        )
        for place, cell in _placed(row.cells)
    )
    return f"<w:tr><w:trPr><w:cantSplit/>{height}</w:trPr>{cells}</w:tr>"


def _placed(cells: Sequence[Cell]) -> Iterator[tuple[int, Cell]]:
    """Yield each cell with the first column that it stands in."""
    place = 0
    for cell in cells:
        yield place, cell
        place += cell.wide


def _cell(
    extent: tuple[int, int], lines: Sequence[str], look: Look, *, right: bool, bold: bool, keep: bool, anchor: str = ""
) -> str:
    """Return a cell of a width and a number of columns, with a text and its details under it."""
    width, wide = extent
    span = f'<w:gridSpan w:val="{wide}"/>' if wide > 1 else ""
    if anchor:
        first = _run(lines[0], f'<w:color w:val="{look.accent}"/>')
        first = f"<w:hyperlink w:anchor={quoteattr(bookmark(anchor))}>{first}</w:hyperlink>"
    else:
        first = _run(lines[0], f'{"<w:b/>" if bold else ""}<w:sz w:val="{SIZE}"/>')
    details = f'<w:color w:val="{look.quiet}"/><w:sz w:val="{DETAIL_SIZE}"/>'
    under = "".join(_run(f"\n{line}", details) for line in lines[1:])
    return (
        f'<w:tc><w:tcPr><w:tcW w:type="dxa" w:w="{width}"/>{span}</w:tcPr><w:p><w:pPr>{"<w:keepNext/>" if keep else ""}'
        f'<w:spacing w:before="{AIR}" w:after="{AIR}"/><w:jc w:val="{"right" if right else "left"}"/></w:pPr>{first}{under}'
        "</w:p></w:tc>"
    )


def _run(text: str, properties: str) -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr>{''.join(map(_piece, _BREAKS.split(text)))}</w:r>"


def _piece(text: str) -> str:
    """Return a part of a text, a tabulator or the end of a line."""
    if text == "\t":
        return "<w:tab/>"
    if text in ("\n", "\r"):
        return "<w:br/>"
    space = ' xml:space="preserve"' if text != text.strip() else ""
    return f"<w:t{space}>{escape(text)}</w:t>" if text else ""
