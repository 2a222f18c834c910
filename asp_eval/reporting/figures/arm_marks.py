"""Rows in groups on one axis, a mark for every arm in each row: what two crossing scales say, arm by arm.

Arms differ by the shapes of their marks, stand a little below each other in a row, and have their numbers beside it, so that
nothing hangs on colour and no mark hides another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Column, Row, Table, cell, group_row
from asp_eval.reporting.figures.axis import Axis, Label, Tick, backed, decimals_of, disc, lines_of, nice_axis, stack
from asp_eval.reporting.figures.drawing import Drawing
from asp_eval.reporting.figures.marked_rows import (
    LABELS,
    LEADING,
    LINES,
    PLOT_LEFT,
    PLOT_RIGHT,
    ROW,
    SIZE,
    VALUES,
    WIDTH,
    diamond,
    middles,
)
from asp_eval.reporting.numbers import NOTHING, Numbers, joined

TOP, KEY_ROW, KEY_END, HEADING, AXIS_HEIGHT = 4.0, 5.0, 8.0, 14.0, 46.0
"""Above all; between two arms of the key; under the key; over and under a group's heading; for the axis."""
ASIDE, RADIUS, COLUMN = 9.0, 5.0, 60.0
"""How far arms stand below each other in a row; size of a mark; widest column of numbers."""


@dataclass(frozen=True, slots=True)
class MarkGroup:
    """Rows under a heading: of each its label and one number per arm, None where there is no such question."""

    heading: str
    rows: tuple[tuple[str, tuple[float | Unavailable | None, ...]], ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark in its place: its outline, as SVG writes it, and whether it is filled."""

    path: str
    filled: bool


@dataclass(frozen=True, slots=True)
class ArmMarksFigure(Drawing):
    """The whole figure, in its own units: `marks` stand for numbers, `signs` beside names and over columns of numbers."""

    plot_left: float
    plot_right: float
    top: float
    axis_y: float
    tick_y: float
    ticks: tuple[Tick, ...]
    axis_title: Label
    arms: tuple[Label, ...]
    headings: tuple[Label, ...]
    labels: tuple[Label, ...]
    numbers: tuple[Label, ...]
    guides: tuple[float, ...]
    signs: tuple[Mark, ...]
    marks: tuple[Mark, ...]


def arm_marks(
    groups: Sequence[MarkGroup],
    arms: Sequence[str],
    show: Numbers,
    *,
    key: str,
    title: str,
    axis_title: str,
    ends: tuple[float, float],
    digits: int = 0,
) -> ArmMarksFigure:
    """Return the figure.

    Parameters
    ----------
    groups : sequence of MarkGroup
    arms : sequence of str
        What the arms are called, in the order of the numbers.
    show : Numbers
    key : str
        Name of the figure in its page, led by ``arm-marks--``.
    title, axis_title : str
    ends : (float, float)
        The least and the greatest number that there can be.
    digits : int
        Decimals of the numbers beside the rows.
    """
    axis, ticks = nice_axis(*ends, PLOT_LEFT, PLOT_RIGHT)
    across = min(COLUMN, (WIDTH - VALUES) / len(arms))
    columns = [VALUES + across * (k + 0.5) for k in range(len(arms))]
    names, signs, y = _names(arms)
    top = y
    headings: list[Label] = []
    labels: list[Label] = []
    numbers: list[Label] = []
    marks: list[Mark] = []
    guides: list[float] = []
    for group in groups:
        lines = lines_of(group.heading, VALUES - 15, SIZE, most=LINES)
        middle = y + HEADING + LEADING * (len(lines) - 1) / 2
        headings += [backed(line, SIZE) for line in stack(LABELS, middle, lines, LEADING)]
        signs += [mark_of_arm(k, x, middle) for k, x in enumerate(columns)]
        heights, y = middles([label for label, _ in group.rows], 2 * middle - y)
        for (label, values), height in zip(group.rows, heights, strict=True):
            labels += stack(LABELS, height, lines_of(label, PLOT_LEFT - 15, SIZE, most=LINES), LEADING)
            guides.append(height)
            marks += _marks(values, height, axis)
            numbers += [
                Label(round(x, 1), round(height + LEADING * 0.3, 1), _beside(value, show, digits), "middle")
                for x, value in zip(columns, values, strict=True)
            ]
    return ArmMarksFigure(
        key=key,
        title=title,
        description=_description(groups, arms, show, digits),
        data=_data(groups, arms, show, digits, key, title),
        width=WIDTH,
        height=y + AXIS_HEIGHT,
        plot_left=PLOT_LEFT,
        plot_right=PLOT_RIGHT,
        top=top,
        axis_y=y,
        tick_y=y + 18,
        ticks=tuple(Tick(axis.place(m), show.decimal(m, decimals_of(ticks))) for m in ticks),
        axis_title=Label((PLOT_LEFT + PLOT_RIGHT) / 2, y + 38, axis_title, "middle"),
        arms=names,
        headings=tuple(headings),
        labels=tuple(labels),
        numbers=tuple(numbers),
        guides=tuple(guides),
        signs=tuple(signs),
        marks=tuple(marks),
    )


def _names(arms: Sequence[str]) -> tuple[tuple[Label, ...], list[Mark], float]:
    """Return the arms' names under one another, the sign before each, and where they end."""
    names: list[Label] = []
    signs: list[Mark] = []
    y = TOP
    for k, arm in enumerate(arms):
        lines = lines_of(arm, WIDTH - 30, SIZE, most=LINES)
        high = LEADING * len(lines) + KEY_ROW
        signs.append(mark_of_arm(k, 8.0, y + high / 2 - LEADING * (len(lines) - 1) / 2))
        names += stack(22.0, y + high / 2, lines, LEADING)
        y += high
    return tuple(names), signs, y + KEY_END


def _marks(values: Sequence[float | Unavailable | None], y: float, axis: Axis) -> list[Mark]:
    """Return the marks of the arms that have a number."""
    apart = min(ASIDE, (ROW - 8.0) / len(values))  # within the row, however many arms there are
    below = [y + apart * (k - (len(values) - 1) / 2) for k in range(len(values))]
    return [
        mark_of_arm(k, axis.place(value), below[k])
        for k, value in enumerate(values)
        if value is not None and not isinstance(value, Unavailable)
    ]


def mark_of_arm(k: int, x: float, y: float) -> Mark:
    """Return the mark of an arm: open circle, filled diamond, open square, filled triangle, then the same the other way round."""
    r = RADIUS
    shapes = (
        disc(x, y, r - 0.5),
        f"M{diamond(x, y, r + 1)}Z",
        f"M{x - r:g},{y - r:g}h{2 * r:g}v{2 * r:g}h{-2 * r:g}Z",
        f"M{x - r:g},{y + r:g}h{2 * r:g}L{x:g},{y - r:g}Z",
    )
    return Mark(shapes[k % 4], (k % 2 == 1) != (k // 4 % 2 == 1))


def _beside(value: float | Unavailable | None, show: Numbers, digits: int) -> str:
    """Return what stands beside a row: a dash where there is no number; why there is none is said in words and in the data."""
    return NOTHING if isinstance(value, Unavailable) else show.decimal(value, digits)


def _description(groups: Sequence[MarkGroup], arms: Sequence[str], show: Numbers, digits: int) -> str:
    """Say the figure in words, for those who cannot see it."""
    parts = []
    for group in groups:
        rows = []
        for label, values in group.rows:
            told = (f"{show.decimal(value, digits)} ({arm})" for arm, value in zip(arms, values, strict=True))
            rows.append(f"{label}: {joined(', ', told)}")
        parts.append(f"{group.heading}. {joined('; ', rows)}.")
    return " ".join(parts)


def _data(groups: Sequence[MarkGroup], arms: Sequence[str], show: Numbers, digits: int, key: str, title: str) -> Table:
    """Return the numbers that the marks stand for."""
    columns = (Column("", numeric=False), *(Column(name) for name in arms))
    rows: list[Row] = []
    for group in groups:
        rows.append(group_row(group.heading, len(columns)))
        rows += [Row((cell(label), *(cell(show.decimal(value, digits)) for value in values))) for label, values in group.rows]
    return Table(f"{key}-data", title, columns, tuple(rows))
