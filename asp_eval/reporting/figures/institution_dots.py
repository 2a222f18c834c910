"""Rows of dots on one axis: each dot is one institution without a name, on a bar that spans what is usual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from asp_eval.reporting.blocks import Column, Row, Table, cell
from asp_eval.reporting.figures.axis import Axis, Label, Rectangle, Tick, disc, lines_of, nice_axis, stack
from asp_eval.reporting.numbers import Numbers

WIDTH, LABELS, LEFT, RIGHT = 760.0, 205.0, 225.0, 745.0
HEADER, FOOTER, ROW, SIZE = 40.0, 30.0, 26.0, 13.0
DOT, APART, BAND = 3.6, 7.6, 7.0
LINES = 6  # of a name: long enough for any


@dataclass(frozen=True, slots=True)
class DotRow:
    """A row to draw: its dots, the ends of its bar, and what is said where it has no dot."""

    label: str
    values: tuple[int, ...]
    low: float | None
    high: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A row in its place."""

    label: tuple[Label, ...]
    dots: tuple[str, ...]
    band: Rectangle | None
    reason: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class DotFigure:
    """The whole figure, in its own units."""

    key: str
    title: str
    description: str
    width: float
    height: float
    plot_top: float
    plot_bottom: float
    tick_y: float
    axis: tuple[Tick, ...]
    zero: float
    sides: tuple[Label, ...]
    rows: tuple[PlacedRow, ...]
    data: Table


def dot_rows(rows: Sequence[DotRow], show: Numbers, *, key: str, title: str, sides: tuple[str, str], usual: str) -> DotFigure:
    """Return rows of dots; equal values are stacked.

    Parameters
    ----------
    rows : sequence of DotRow
    show : Numbers
    key, title : str
    sides : (str, str)
        What lies on the left and on the right of 0.
    usual : str
        What the bar is.
    """
    reach = max([10.0, *(abs(v) for row in rows for v in (*row.values, row.low or 0.0, row.high or 0.0))])
    axis, marks = nice_axis(-reach, reach, LEFT, RIGHT, marks=7)
    y, placed = HEADER, []
    for row in rows:
        names = lines_of(row.label, LABELS - 15, SIZE, most=LINES)
        height = max(ROW, 14.0 * len(names) + 4, APART * max(Counter(row.values).values(), default=1) + 8)
        placed.append(_row(row, names, y + height / 2, axis))
        y += height
    return DotFigure(
        key=key,
        title=title,
        description="; ".join(_said(row, show) for row in rows) + ".",
        width=WIDTH,
        height=y + FOOTER,
        plot_top=HEADER - 10,
        plot_bottom=y,
        tick_y=HEADER - 16,
        axis=tuple(Tick(axis.place(mark), show.decimal(mark, 0)) for mark in marks),
        zero=axis.place(0.0),
        sides=(
            Label(axis.place(0.0) - 8, y + 20, f"← {sides[0]}", "end"),
            Label(axis.place(0.0) + 8, y + 20, f"{sides[1]} →"),
        ),
        rows=tuple(placed),
        data=_data(rows, show, key, title, usual),
    )


def _row(row: DotRow, names: tuple[str, ...], y: float, axis: Axis) -> PlacedRow:
    dots, seen = [], Counter[int]()
    totals = Counter(row.values)
    for value in row.values:
        offset = (seen[value] - (totals[value] - 1) / 2) * APART
        seen[value] += 1
        dots.append(disc(axis.place(value), round(y + offset, 1), DOT))
    band = None
    if row.values and row.low is not None and row.high is not None:
        left, right = axis.place(row.low), axis.place(row.high)
        band = Rectangle(left, y - BAND, round(right - left, 1), 2 * BAND)
    reason = (Label(LEFT, y + 4, row.reason),) if not row.values else ()
    return PlacedRow(stack(0.0, y, names, 14), tuple(dots), band, reason)


def _said(row: DotRow, show: Numbers) -> str:
    values = ", ".join(show.decimal(value, 0) for value in row.values)
    return f"{row.label}: {values or row.reason}"


def _data(rows: Sequence[DotRow], show: Numbers, key: str, title: str, usual: str) -> Table:
    say = show.words
    columns = (Column("", numeric=False), Column(say("Institutions"), numeric=False), Column(usual))
    lines = tuple(
        Row(
            (
                cell(row.label),
                cell(", ".join(show.decimal(v, 0) for v in row.values) or row.reason),
                cell(show.interval(row.low, row.high, 0) if row.values else ""),
            )
        )
        for row in rows
    )
    return Table(f"{key}-data", title, columns, lines)
