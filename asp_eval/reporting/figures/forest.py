"""Forest plot: effects with their intervals around a line of no difference.

Outcomes where lower is better and where higher is better stand in groups of their own, each with words at both
sides that say whom that side favours, so nobody has to work out what a sign means.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from asp_eval.reporting.blocks import Column, Row, Table, cell
from asp_eval.reporting.figures.axis import Axis, Label, Tick, decimals_of, lines_of, nice_axis
from asp_eval.reporting.figures.drawing import Drawing
from asp_eval.reporting.figures.marked_rows import LABELS, PLOT_LEFT, PLOT_RIGHT, WIDTH, Marked, PlacedRow, middles, placed
from asp_eval.reporting.numbers import Numbers

HEADING, DIRECTION, TOP, AXIS_HEIGHT = 28.0, 34.0, 8.0, 46.0
ASIDE, SMALL, LEADING = 10.0, 11.0, 13.0
"""How far the words of both sides stand from the line of no difference; their size and leading."""


@dataclass(frozen=True, slots=True)
class ForestEntry:
    """One effect to draw; no numbers but a `reason` where there is none."""

    label: str
    better: str
    estimate: float | None
    low: float | None
    high: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ForestGroup:
    """The rows of one direction, with a heading over and the words of both sides under them."""

    heading: Label
    rows: tuple[PlacedRow, ...]
    left: tuple[Label, ...]
    right: tuple[Label, ...]
    rule_y: float


@dataclass(frozen=True, slots=True)
class ForestFigure(Drawing):
    """The whole figure, in its own units."""

    plot_left: float
    plot_right: float
    top: float
    axis_y: float
    zero: float
    zero_label_y: float
    ticks: tuple[Tick, ...]
    axis_title: Label
    groups: tuple[ForestGroup, ...]


def forest(
    entries: Iterable[ForestEntry],
    show: Numbers,
    *,
    arms: tuple[str, str],
    axis_title: str,
    title: str,
    key: str = "forest",
    digits: int = 2,
) -> ForestFigure:
    """Return the forest plot of some effects.

    Parameters
    ----------
    entries : iterable of ForestEntry
        In the order of the table; effects are the last arm less the first.
    show : Numbers
    arms : tuple of str
        What the reference and the compared arm are called.
    axis_title, title : str
        What the axis measures, and what stands over the figure.
    key : str
        Name of the figure in its page.
    digits : int
        Decimals of the numbers.
    """
    drawn = sorted(entries, key=lambda entry: entry.better != "lower")
    bounds = [b for e in drawn if e.estimate is not None for b in (e.estimate, e.low, e.high) if b is not None]
    axis, marks = nice_axis(min(bounds, default=-1.0), max(bounds, default=1.0), PLOT_LEFT, PLOT_RIGHT)
    y, groups = TOP, []
    for better, members in groupby(drawn, key=lambda entry: entry.better):
        group, y = _group(better, list(members), y, axis, show, arms, digits)
        groups.append(group)
    ticks = tuple(Tick(axis.place(m), show.decimal(m, decimals_of(marks))) for m in marks)
    middle = (PLOT_LEFT + PLOT_RIGHT) / 2
    return ForestFigure(
        key=key,
        title=title,
        description=_description(drawn, show, digits),
        width=WIDTH,
        height=y + AXIS_HEIGHT,
        plot_left=PLOT_LEFT,
        plot_right=PLOT_RIGHT,
        top=TOP,
        axis_y=y,
        zero=axis.place(0.0),
        zero_label_y=y + 18,
        ticks=ticks,
        axis_title=Label(middle, y + 38, axis_title, "middle"),
        groups=tuple(groups),
        data=_data(drawn, show, axis_title, f"{key}-data", title, digits),
    )


def _group(
    better: str, entries: list[ForestEntry], y: float, axis: Axis, show: Numbers, arms: tuple[str, str], digits: int
) -> tuple[ForestGroup, float]:
    """Place the rows of one direction from `y` downward; return them and where they end."""
    say = show.words
    heading = say("Lower is better") if better == "lower" else say("Higher is better")
    heights, end = middles([entry.label for entry in entries], y + HEADING)
    rows = tuple(placed(_marked(entry, show, digits), middle, axis) for entry, middle in zip(entries, heights, strict=True))
    favours = [say("favours {arm}", arm=arm) for arm in arms]
    left, right = reversed(favours) if better == "lower" else favours
    zero = axis.place(0.0)
    both = (lines_of(f"← {left}", zero - ASIDE, SMALL, most=3), lines_of(f"{right} →", WIDTH - zero - ASIDE, SMALL, most=3))
    below = DIRECTION + LEADING * (max(map(len, both)) - 1)

    def words(lines: tuple[str, ...], x: float, anchor: str) -> tuple[Label, ...]:
        return tuple(Label(x, end + 15 + LEADING * i, line, anchor) for i, line in enumerate(lines))

    group = ForestGroup(
        Label(LABELS, y + HEADING * 0.66, heading),
        rows,
        words(both[0], zero - ASIDE, "end"),
        words(both[1], zero + ASIDE, "start"),
        end + below - 6,
    )
    return group, end + below


def _marked(entry: ForestEntry, show: Numbers, digits: int) -> Marked:
    written = (
        () if entry.estimate is None else (show.decimal(entry.estimate, digits), show.interval(entry.low, entry.high, digits))
    )
    return Marked(entry.label, entry.estimate, entry.low, entry.high, written, entry.reason)


def _description(entries: list[ForestEntry], show: Numbers, digits: int) -> str:
    """Say the figure in words, for those who cannot see it."""
    parts = [
        f"{e.label}: {e.reason}"
        if e.estimate is None
        else f"{e.label}: {show.decimal(e.estimate, digits)} ({show.interval(e.low, e.high, digits)})"
        for e in entries
    ]
    return "; ".join(parts) + "."


def _data(entries: list[ForestEntry], show: Numbers, axis_title: str, key: str, title: str, digits: int) -> Table:
    """Return the numbers that are drawn."""
    columns = (Column(show.words("Outcome"), numeric=False), Column(axis_title))
    rows = (
        Row(
            (
                cell(e.label),
                cell(e.reason)
                if e.estimate is None
                else cell(show.decimal(e.estimate, digits), show.interval(e.low, e.high, digits)),
            )
        )
        for e in entries
    )
    return Table(key, title, columns, tuple(rows))
