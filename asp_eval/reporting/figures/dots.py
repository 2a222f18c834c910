"""Rows of numbers on one axis: a mark with its interval, points behind it, and lines that something is held against.

Marks differ by their shape and lines by their dashes, and every number stands beside its row, so that nothing hangs on colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asp_eval.reporting.blocks import Column, Row, Table, cell
from asp_eval.reporting.figures.axis import Axis, Label, Tick, decimals_of, disc, nice_axis
from asp_eval.reporting.figures.drawing import Drawing
from asp_eval.reporting.figures.marked_rows import PLOT_LEFT, PLOT_RIGHT, WIDTH, Marked, PlacedRow, middles, placed
from asp_eval.reporting.numbers import Numbers, joined

TOP, NAMES, AXIS_HEIGHT, RADIUS = 8.0, 18.0, 46.0, 3.2


@dataclass(frozen=True, slots=True)
class DotRow:
    """One row: its label, the number marked with its interval, and the points that lie behind it; a `reason` where none is."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    points: tuple[float, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DotsFigure(Drawing):
    """The whole figure, in its own units."""

    plot_left: float
    plot_right: float
    top: float
    axis_y: float
    tick_y: float
    ticks: tuple[Tick, ...]
    axis_title: Label
    rows: tuple[PlacedRow, ...]
    lines: tuple[Label, ...]


def dots_figure(
    rows: Sequence[DotRow],
    show: Numbers,
    *,
    key: str,
    title: str,
    axis_title: str,
    digits: int = 2,
    held_against: Sequence[tuple[str, float]] = (),
    zero: bool = False,
) -> DotsFigure:
    """Return the figure.

    Parameters
    ----------
    rows : sequence of DotRow
    show : Numbers
    key : str
        Name of the figure in its page, led by ``dots--``.
    title, axis_title : str
    digits : int
        Decimals of the numbers beside the rows.
    held_against : sequence of (str, float)
        Dashed lines, each with its name.
    zero : bool
        Whether zero belongs to the axis.
    """
    known = [v for row in rows for v in (row.value, row.low, row.high, *row.points) if v is not None]
    known += [value for _, value in held_against]
    axis, marks = nice_axis(min(known, default=0.0), max(known, default=1.0), PLOT_LEFT, PLOT_RIGHT, zero=zero)
    top = TOP + (NAMES if held_against else 0.0)
    heights, axis_y = middles([row.label for row in rows], top)
    drawn = tuple(_row(row, middle, axis, show, digits) for row, middle in zip(rows, heights, strict=True))
    return DotsFigure(
        key=key,
        title=title,
        description=_description(rows, held_against, show, digits),
        data=_data(rows, held_against, show, digits, key, title, axis_title),
        width=WIDTH,
        height=axis_y + AXIS_HEIGHT,
        plot_left=PLOT_LEFT,
        plot_right=PLOT_RIGHT,
        top=top,
        axis_y=axis_y,
        tick_y=axis_y + 18,
        ticks=tuple(Tick(axis.place(m), show.decimal(m, decimals_of(marks))) for m in marks),
        axis_title=Label((PLOT_LEFT + PLOT_RIGHT) / 2, axis_y + 38, axis_title, "middle"),
        rows=drawn,
        lines=tuple(Label(axis.place(value), top - 6, name, "middle") for name, value in held_against),
    )


def _row(row: DotRow, y: float, axis: Axis, show: Numbers, digits: int) -> PlacedRow:
    points = tuple(disc(axis.place(v), round(y + 3.5 * (i % 5 - 2), 1), RADIUS) for i, v in enumerate(row.points))
    both = row.low is not None and row.high is not None
    written: tuple[str, ...] = () if row.value is None else (show.decimal(row.value, digits),)
    written += (show.interval(row.low, row.high, digits),) if both and row.value is not None else ()
    low, high = (row.low, row.high) if both else (None, None)
    return placed(Marked(row.label, row.value, low, high, written, row.reason), y, axis, points)


def _description(rows: Sequence[DotRow], against: Sequence[tuple[str, float]], show: Numbers, digits: int) -> str:
    """Say the figure in words, for those who cannot see it."""
    parts = [f"{name}: {show.decimal(value, digits)}" for name, value in against]
    for row in rows:
        if row.value is None:
            parts.append(f"{row.label}: {row.reason}")
        else:
            interval = "" if row.low is None else f" ({show.interval(row.low, row.high, digits)})"
            parts.append(f"{row.label}: {show.decimal(row.value, digits)}{interval}")
    return "; ".join(parts) + "."


def _data(
    rows: Sequence[DotRow],
    against: Sequence[tuple[str, float]],
    show: Numbers,
    digits: int,
    key: str,
    title: str,
    axis_title: str,
) -> Table:
    """Return the numbers that are drawn."""
    with_points = any(row.points for row in rows)
    columns = [Column("", numeric=False), Column(axis_title)]
    columns += [Column(show.words("Points"))] if with_points else []
    lines = [
        Row((cell(name), cell(show.decimal(value, digits)), *([cell("")] if with_points else []))) for name, value in against
    ]
    for row in rows:
        interval = "" if row.low is None else show.interval(row.low, row.high, digits)
        number = cell(row.reason) if row.value is None else cell(show.decimal(row.value, digits), interval)
        behind = [cell(joined("; ", (show.decimal(v, digits) for v in row.points)))] if with_points else []
        lines.append(Row((cell(row.label), number, *behind)))
    return Table(f"{key}-data", title, tuple(columns), tuple(lines))
