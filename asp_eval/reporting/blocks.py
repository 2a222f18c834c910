"""What a report is made of, whatever it is written as: prose, tables, figures, pairs of label and value, callouts.

Sections return these values and writers turn them into HTML, or another format. Nothing here is markup: a text is what the
reader is to see, letter for letter, and what is emphasised or refers to another place is a value of its own. A number in a text
keeps the number itself (`numbers.Shown`), so that a writer can write it as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from asp_eval.reporting.numbers import Quantity, quantities_of

LONGEST_WHOLE = 20  # lines of a table; keeping a longer one whole could leave more than a third of a printed page white


@dataclass(frozen=True, slots=True)
class Strong:
    """Words that matter more than those around them."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """What is typed or printed by a computer: a command, a file name."""

    text: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Words that refer to a section, table or figure of the same document.

    Attributes
    ----------
    text : str
    anchor : str
        Its `anchor` or `key`.
    with_page : bool
        Whether a printed page says on which page that place is.
    """

    text: str
    anchor: str
    with_page: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to another document of the same folder.

    Attributes
    ----------
    address : str
        Its file name.
    text : str
    language : str
        Language code of the document it leads to.
    """

    address: str
    text: str
    language: str


Inline = str | Strong | Code | Reference | Link
Text = str | tuple[Inline, ...]


def inlines(text: Text) -> tuple[Inline, ...]:
    """Return the parts of a text.

    Examples
    --------
    >>> inlines("plain"), inlines(("see ", Reference("the plan", "plan")))
    (('plain',), ('see ', Reference(text='the plan', anchor='plan', with_page=False)))
    """
    return (text,) if isinstance(text, str) else text


def plain(text: Text) -> str:
    """Return a text without its emphasis and references.

    Examples
    --------
    >>> plain(("Run ", Code("asp-eval report"), "."))
    'Run asp-eval report.'
    """
    return "".join(part if isinstance(part, str) else part.text for part in inlines(text))


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    text: Text

    @property
    def inlines(self) -> tuple[Inline, ...]:
        """The parts of the text."""
        return inlines(self.text)


@dataclass(frozen=True, slots=True)
class ItemList:
    """A list with bullets, or with numbers where the order matters."""

    items: tuple[Paragraph, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Prose:
    """Paragraphs and lists.

    Attributes
    ----------
    parts : tuple of Paragraph or ItemList
    introduces : bool
        Whether it belongs to the block after it, and may not be parted from it by a page break.
    """

    parts: tuple[Paragraph | ItemList, ...]
    introduces: bool = False


def paragraphs(*texts: Text, introduces: bool = False) -> Prose:
    """Return prose of a paragraph for each text."""
    return Prose(tuple(Paragraph(text) for text in texts), introduces)


def listing(texts: Iterable[Text], *, ordered: bool = False) -> Prose:
    """Return prose that is one list."""
    return Prose((ItemList(tuple(Paragraph(text) for text in texts), ordered),))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    heading : str
        Empty over a column of row headings that needs none.
    numeric : bool
        Numbers are set to the right, words to the left.
    width : int, optional
        Percent of the table's width; without it the contents decide.
    """

    heading: str
    numeric: bool = True
    width: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell.

    Attributes
    ----------
    text : str
    details : tuple of str
        Smaller lines under the text.
    wide : int
        Number of columns that it spans.
    anchor : str
        What the text refers to in the same document; empty if to nothing. A printed page says on which page that is.
    """

    text: str
    details: tuple[str, ...] = ()
    wide: int = 1
    anchor: str = ""

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """The numbers that the cell shows, in the order of its lines."""
        return tuple(quantity for line in (self.text, *self.details) for quantity in quantities_of(line))


def cell(text: str, *details: str, wide: int = 1, anchor: str = "") -> Cell:
    """Return a cell; empty details are left out."""
    return Cell(text, tuple(detail for detail in details if detail), wide, anchor)


@dataclass(frozen=True, slots=True)
class Row:
    """A row; the first cell is its heading.

    Attributes
    ----------
    cells : tuple of Cell
    group : bool
        Whether it is a heading over the rows that follow.
    to_fill_in : bool
        Whether its cells are left empty to be written in by hand.
    """

    cells: tuple[Cell, ...]
    group: bool = False
    to_fill_in: bool = False


def group_row(heading: str, width: int) -> Row:
    """Return a heading over the rows that follow, as wide as the table."""
    return Row((cell(heading, wide=width),), group=True)


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the notes under it.

    Attributes
    ----------
    key : str
        Names the table within its document, as an anchor and as a sheet of a workbook.
    caption : str
    columns : tuple of Column
    rows : tuple of Row
    notes : tuple of str
    breaks : bool
        Whether it may break over printed pages however few its rows are, because their words run over several lines.
    """

    key: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    breaks: bool = False

    @property
    def has_widths(self) -> bool:
        """Whether a column says how wide it is to be."""
        return any(column.width for column in self.columns)

    @property
    def long(self) -> bool:
        """Whether the table may break over printed pages; a shorter one is kept whole."""
        lines = sum(1 + max(len(cell.details) for cell in row.cells) for row in self.rows)
        return self.breaks or lines > LONGEST_WHOLE


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure.

    Attributes
    ----------
    key : str
        Names the figure within its document.
    title : str
    alternative : str
        The figure in words, for those who cannot see it.
    drawing : str
        A whole SVG image that needs no rules, fonts or files from outside.
    data : Table
        The numbers that are drawn.
    """

    key: str
    title: str
    alternative: str
    drawing: str
    data: Table


@dataclass(frozen=True, slots=True)
class Field:
    """A label and its value.

    Attributes
    ----------
    label, value : Text
    detail : str
        A smaller line under the value.
    strong : bool
        Whether it stands out among its neighbours.
    """

    label: Text
    value: Text
    detail: str = ""
    strong: bool = False

    @property
    def label_inlines(self) -> tuple[Inline, ...]:
        """The parts of the label."""
        return inlines(self.label)

    @property
    def value_inlines(self) -> tuple[Inline, ...]:
        """The parts of the value."""
        return inlines(self.value)


@dataclass(frozen=True, slots=True)
class Fields:
    """Labels and values.

    Attributes
    ----------
    fields : tuple of Field
    layout : {"beside", "under", "run-in"}
        Where a value stands: beside its label, under it, or after it on the same line.
    """

    fields: tuple[Field, ...]
    layout: Literal["beside", "under", "run-in"] = "beside"


@dataclass(frozen=True, slots=True)
class Question:
    """A question with ruled lines under it, to be answered by hand.

    Attributes
    ----------
    text : str
    help : str
        A few words on how to answer.
    lines : int
        How many lines there are to write on.
    """

    text: str
    help: str
    lines: int


CalloutKind = Literal["better", "worse", "open", "unavailable", "caution"]


@dataclass(frozen=True, slots=True)
class Callout:
    """Words that are set apart.

    Attributes
    ----------
    kind : {"better", "worse", "open", "unavailable", "caution"}
        What they say of a comparison: told apart to the compared arm's advantage or disadvantage, not told apart, no number; or a
        word of caution.
    content : Prose
    heading : str
    mark : str
        The kind in words, so that no colour alone carries it.
    """

    kind: CalloutKind
    content: Prose
    heading: str = ""
    mark: str = ""


Block = Prose | Table | Figure | Fields | Question | Callout


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under a heading, then sections of their own.

    Attributes
    ----------
    anchor : str
        Names the section within its document; empty if nothing refers to it.
    title : str
        Empty where there is no heading.
    blocks : tuple of Block
    parts : tuple of Section
    new_page : bool
        Whether it begins a printed page.
    """

    anchor: str
    title: str
    blocks: tuple[Block, ...]
    parts: tuple[Section, ...] = ()
    new_page: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document.

    Attributes
    ----------
    kind : str
        What kind of document it is; a writer may have a look for each.
    language : str
        Language code.
    title, subtitle : str
    banner : str
        The line on every printed page that says the data are synthetic; empty for real data.
    made_with : str
        The line at the end: package and version.
    sections : tuple of Section
    contents : bool
        Whether a list of its sections belongs in it, which on paper stands after the first of them.
    day : date, optional
        Of which day the data are.
    digest : str
        First digits of the digest of the data; empty if not known.
    plan : str
        Of which day the locked plan is, in words; empty where it is not locked.
    workbook : tuple of Section
        Sections whose tables stand in a workbook alone.
    """

    kind: Literal["evaluation", "gap_profile", "gap_index", "gap_municipality", "goal_follow_up", "problems"]
    language: str
    title: str
    subtitle: str
    banner: str
    made_with: str
    sections: tuple[Section, ...]
    contents: bool = False
    day: date | None = None
    digest: str = ""
    plan: str = ""
    workbook: tuple[Section, ...] = ()

    @property
    def leaves(self) -> tuple[tuple[Section, ...], ...]:
        """The sections by the page of paper that they begin on: a new one at each that asks for it."""
        found: list[list[Section]] = [[]]
        for section in self.sections:
            if section.new_page and found[-1]:
                found.append([])
            found[-1].append(section)
        return tuple(map(tuple, found))


def anchors_of(sections: Iterable[Section]) -> dict[str, str]:
    """Return what can be referred to in some sections, with its title: sections, their parts, tables and figures."""
    found: dict[str, str] = {}
    for section in sections:
        if section.anchor:
            found[section.anchor] = section.title
        found |= {block.key: block.caption for block in section.blocks if isinstance(block, Table)}
        found |= {block.key: block.title for block in section.blocks if isinstance(block, Figure)}
        found |= anchors_of(section.parts)
    return found


def blocks_of(sections: Iterable[Section]) -> Iterator[Block]:
    """Yield every block of some sections, in the order of reading."""
    for section in sections:
        yield from section.blocks
        yield from blocks_of(section.parts)
