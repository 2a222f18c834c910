"""Histogram of a statistic under the allocations of a lot, with the observed value: the bars beyond it on both sides are dark.

Dark and light differ in grey as they do in colour, and how many allocations are dark is said beside the figure.
"""

from __future__ import annotations

from dataclasses import dataclass

from asp_eval.analysis.declared_results import LotBin, LotDistribution
from asp_eval.reporting.blocks import Column, Row, Table, cell
from asp_eval.reporting.figures.axis import Axis, Label, Rectangle, Tick, backed, decimals_of, nice_axis
from asp_eval.reporting.figures.drawing import Drawing
from asp_eval.reporting.numbers import Numbers

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 620.0, 290.0, 60.0, 600.0, 56.0, 236.0
SMALL, THINNEST = 11.0, 1.0
"""Size of small text, and the height of a bar of a single allocation, which would otherwise not be seen."""


@dataclass(frozen=True, slots=True)
class HistogramFigure(Drawing):
    """The whole figure, in its own units.

    Attributes
    ----------
    bars, dark : tuple of Rectangle
        All allocations of each bin; and those of them that are as large as the observed one, from the ground.
    observed : Label
        The name of the observed value; its line stands at ``observed_x``, and reaches up to ``line_top``.
    mirror_x : float
        Where a statistic as large on the other side lies.
    """

    plot_left: float
    plot_right: float
    top: float
    axis_y: float
    ticks: tuple[Tick, ...]
    tick_y: float
    levels: tuple[Label, ...]
    level_ys: tuple[float, ...]
    bars: tuple[Rectangle, ...]
    dark: tuple[Rectangle, ...]
    observed: Label
    observed_x: float
    line_top: float
    mirror_x: float
    axis_title: Label
    value_title: Label
    legend: Label


def lot_histogram(
    lot: LotDistribution, show: Numbers, *, key: str, title: str, description: str, axis_title: str
) -> HistogramFigure:
    """Return the histogram of one arm's statistic under the lot.

    Parameters
    ----------
    lot : LotDistribution
    show : Numbers
    key : str
        Name of the figure in its page, led by ``histogram--``.
    title, description, axis_title : str
        What stands over it, the figure in words, and what the statistic is.
    """
    say, reach = show.words, abs(lot.statistic)
    x, marks = nice_axis(
        min([-reach, *(one.low for one in lot.bins)]), max([reach, *(one.high for one in lot.bins)]), LEFT, RIGHT, marks=10
    )
    y, counts = nice_axis(0.0, max([1.0, *(float(one.count) for one in lot.bins)]), BOTTOM, TOP, marks=4)
    counts = tuple(count for count in counts if count == int(count))
    place = x.place(lot.statistic)
    name = say("observed: {value}", value=show.decimal(lot.statistic))
    return HistogramFigure(
        key=key,
        title=title,
        description=description,
        data=_data(lot, show, key, title, axis_title),
        width=WIDTH,
        height=HEIGHT,
        plot_left=LEFT,
        plot_right=RIGHT,
        top=TOP,
        axis_y=BOTTOM,
        ticks=tuple(Tick(x.place(mark), show.decimal(mark, decimals_of(marks))) for mark in marks),
        tick_y=BOTTOM + 17,
        levels=tuple(Label(LEFT - 8, y.place(v) + 4, show.integer(int(v)), "end") for v in counts),
        level_ys=tuple(y.place(v) for v in counts),
        bars=tuple(_bar(one, one.count, x, y) for one in lot.bins),
        dark=tuple(_bar(one, one.as_large, x, y) for one in lot.bins if one.as_large),
        observed=backed(Label(place, TOP - 10, name, "end" if place > (LEFT + RIGHT) / 2 else "start"), SMALL),
        observed_x=place,
        line_top=TOP - 6,
        mirror_x=x.place(-lot.statistic),
        axis_title=Label((LEFT + RIGHT) / 2, BOTTOM + 40, axis_title, "middle"),
        value_title=Label(0.0, TOP - 34, say("Number of allocations")),
        legend=Label(RIGHT, TOP - 34, _legend(lot, show), "end"),
    )


def _legend(lot: LotDistribution, show: Numbers) -> str:
    return show.words("dark: as far from zero as the observed, or further ({n})", n=show.integer(lot.as_large))


def _bar(one: LotBin, count: int, x: Axis, y: Axis) -> Rectangle:
    left, right = x.place(one.low), x.place(one.high)
    height = max(round(BOTTOM - y.place(count), 1), THINNEST)
    return Rectangle(left, round(BOTTOM - height, 1), round(right - left, 1), height)


def _data(lot: LotDistribution, show: Numbers, key: str, title: str, axis_title: str) -> Table:
    """Return the numbers that are drawn."""
    say = show.words
    columns = (
        Column(axis_title),
        Column(say("Number of allocations")),
        Column(say("as far from zero as the observed, or further")),
    )
    rows = [
        Row((cell(show.interval(one.low, one.high, 2)), cell(show.integer(one.count)), cell(show.integer(one.as_large))))
        for one in lot.bins
    ]
    if lot.inestimable:
        rows.append(Row((cell(say("cannot be had")), cell(show.integer(lot.inestimable)), cell(show.integer(lot.inestimable)))))
    rows.append(Row((cell(say("observed")), cell(show.decimal(lot.statistic)), cell(""))))
    return Table(f"{key}-data", title, columns, tuple(rows))
