"""One row of a figure with an axis: its label, a diamond at its number, its interval, and the numbers beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from asp_eval.reporting.figures.axis import Axis, Label, lines_of, stack

WIDTH, LABELS, PLOT_LEFT, PLOT_RIGHT, VALUES = 760.0, 0.0, 225.0, 565.0, 585.0
ROW, SIZE, LEADING, LINES = 36.0, 13.0, 15.0, 6
"""Least height of a row; size and leading of its label, and its most lines: what tells two names apart may stand last."""


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A row in its place: the corners of its diamond, the ends of its interval, and the points behind it."""

    y: float
    label: tuple[Label, ...]
    value: tuple[Label, ...]
    diamond: str
    low: float | None
    high: float | None
    points: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Marked:
    """What a row marks: a number and its interval, as they are written beside it; a `reason` where there is no number."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    written: tuple[str, ...]
    reason: str


def middles(labels: Sequence[str], top: float) -> tuple[tuple[float, ...], float]:
    """Return the middle of every row from `top` downward, each as high as its label needs, and where the last one ends.

    Examples
    --------
    >>> middles(["short", "short"], 10.0)
    ((28.0, 64.0), 82.0)
    """
    found, y = [], top
    for height in _heights(labels):
        found.append(y + height / 2)
        y += height
    return tuple(found), y


def _heights(labels: Sequence[str]) -> Iterator[float]:
    return (max(ROW, LEADING * len(_lines(label)) + 6) for label in labels)


def _lines(label: str) -> tuple[str, ...]:
    return lines_of(label, PLOT_LEFT - 15, SIZE, most=LINES)


def placed(one: Marked, y: float, axis: Axis, points: tuple[str, ...] = ()) -> PlacedRow:
    """Return a row around its middle."""
    label = stack(LABELS, y, _lines(one.label), LEADING)
    if one.value is None:
        reason = stack(VALUES, y, lines_of(one.reason, WIDTH - VALUES, 11, most=3), 12)
        return PlacedRow(y, label, reason, "", None, None, points)
    low, high = (None if end is None else axis.place(end) for end in (one.low, one.high))
    return PlacedRow(y, label, stack(VALUES, y, one.written, LEADING), diamond(axis.place(one.value), y, 7), low, high, points)


def diamond(x: float, y: float, half: float) -> str:
    """Return the corners of a diamond around a point, as SVG writes them."""
    return f"{x - half:g},{y:g} {x:g},{y - half:g} {x + half:g},{y:g} {x:g},{y + half:g}"
