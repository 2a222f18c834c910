"""What a page is made of: ready strings and coordinates. A template puts them in their places and computes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from asp_eval.reporting.figures.dumbbell import DumbbellFigure
from asp_eval.reporting.figures.flow import FlowFigure
from asp_eval.reporting.figures.forest import ForestFigure

LONGEST_WHOLE = 20  # lines of a table; keeping a longer one whole could leave more than a third of a printed page white


@dataclass(frozen=True, slots=True)
class Link:
    """A link to another page of the same folder."""

    address: str
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Page:
    """What every page has.

    Attributes
    ----------
    language : str
        Language code of the page.
    banner : str
        The line on every printed page that says the data are synthetic; empty for real data.
    translations : tuple of Link
        The same page in the other languages.
    made_with : str
        The line at the foot: package and version.
    """

    language: str
    title: str
    subtitle: str
    banner: str
    translations: tuple[Link, ...]
    made_with: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading; numbers are set to the right."""

    heading: str
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's text, with smaller lines under it; `wide` is the number of columns it spans."""

    text: str
    details: tuple[str, ...] = ()
    wide: int = 1


def cell(text: str, *details: str, wide: int = 1) -> Cell:
    """Return a cell; empty details are left out."""
    return Cell(text, tuple(detail for detail in details if detail), wide)


@dataclass(frozen=True, slots=True)
class Row:
    """A row; the first cell is its heading. A `group` row is a heading over the rows that follow."""

    cells: tuple[Cell, ...]
    group: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its caption and the notes under it."""

    key: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    @property
    def long(self) -> bool:
        """Whether the table may break over printed pages; a shorter one is kept whole."""
        return sum(1 + max(len(cell.details) for cell in row.cells) for row in self.rows) > LONGEST_WHOLE


@dataclass(frozen=True, slots=True)
class Fact:
    """A term and what is said of it."""

    term: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One outcome in plain words. `tone` is the kind of mark beside it, never a colour alone."""

    heading: str
    sentences: tuple[str, ...]
    tone: Literal["better", "worse", "open", "unavailable"]
    mark: str


@dataclass(frozen=True, slots=True)
class ChecklistRow:
    """One CONSORT item: number, what it asks, where this report answers it (or that it does not)."""

    item: str
    asks: str
    address: str
    answer: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """The evaluation report."""

    page: Page
    lead: tuple[str, ...]
    findings: tuple[Finding, ...]
    caution: tuple[str, ...]
    plan: tuple[Fact, ...]
    flow_figure: FlowFigure
    flow_table: Table
    analysed_table: Table
    attrition_table: Table | None
    baseline_table: Table
    baseline_words: tuple[str, ...]
    dose_table: Table | None
    contact_words: tuple[str, ...]
    integrity_tables: tuple[Table, ...]
    effects_table: Table
    forest: ForestFigure | None
    reliability_table: Table | None
    forms_table: Table | None
    estimator_table: Table
    recomputation_table: Table | None
    method: tuple[Fact, ...]
    limits: tuple[str, ...]
    recompute: tuple[Fact, ...]
    coefficient_tables: tuple[Table, ...]
    checklist: tuple[ChecklistRow, ...]


@dataclass(frozen=True, slots=True)
class DimensionWords:
    """What one dimension says, in a sentence, and the numbers behind it in a line. `stands_out` sets it in bold."""

    label: str
    sentence: str
    numbers: str
    stands_out: bool


@dataclass(frozen=True, slots=True)
class AreaWords:
    """The dimensions of one area."""

    label: str
    dimensions: tuple[DimensionWords, ...]


@dataclass(frozen=True, slots=True)
class WorksheetField:
    """A question of the worksheet, a word of help, and the number of lines to write on."""

    question: str
    help: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GapView:
    """One institution's GAP-profile."""

    page: Page
    index: Link
    reading: tuple[str, ...]
    figure: DumbbellFigure
    areas: tuple[AreaWords, ...]
    in_short: tuple[str, ...]
    about: tuple[Fact, ...]
    worksheet: tuple[WorksheetField, ...]
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GapIndexView:
    """The page that leads to every institution's profile, in the order of their names."""

    page: Page
    introduction: tuple[str, ...]
    profiles: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class ProblemsView:
    """What is wrong with the rows of a file: tables of faults, how to answer, and links to pages of single institutions."""

    page: Page
    lead: tuple[str, ...]
    tables: tuple[Table, ...]
    steps: tuple[str, ...]
    pages: tuple[Link, ...]
