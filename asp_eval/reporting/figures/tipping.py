"""Tipping curve: the effect and its interval while the values imputed in one arm are moved, and where the conclusion tips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asp_eval.analysis.declared_results import ShiftedEffect
from asp_eval.reporting.blocks import Column, Row, Table, cell
from asp_eval.reporting.figures.axis import Axis, Label, Tick, decimals_of, nice_axis
from asp_eval.reporting.figures.drawing import Drawing
from asp_eval.reporting.numbers import Numbers

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 620.0, 330.0, 70.0, 590.0, 50.0, 272.0


@dataclass(frozen=True, slots=True)
class TippingFigure(Drawing):
    """The whole figure, in its own units."""

    heading: Label
    plot_left: float
    plot_right: float
    top: float
    axis_y: float
    zero_y: float
    ticks: tuple[Tick, ...]
    tick_y: float
    levels: tuple[Label, ...]
    level_ys: tuple[float, ...]
    band: str
    points: str
    mark_x: float | None
    axis_title: Label
    value_title: Label


def tipping_figure(
    curve: Sequence[ShiftedEffect],
    tips_at: float | None,
    show: Numbers,
    *,
    key: str,
    title: str,
    description: str,
    odds: bool = False,
) -> TippingFigure:
    """Return the curve of one arm of one outcome.

    Parameters
    ----------
    curve : sequence of ShiftedEffect
        Sorted by their shift.
    tips_at : float or None
        The tipping point, where there is one.
    show : Numbers
    key, title, description : str
        Name of the figure in its page, what stands over it, and the figure in words.
    odds : bool
        Whether the effects are logarithms of odds ratios.
    """
    say = show.words
    deltas = [one.delta for one in curve]
    x, marks = nice_axis(min(deltas), max(deltas), LEFT, RIGHT)
    ends = [end for one in curve for end in (one.conf_low, one.conf_high)]
    y, values = nice_axis(min(ends), max(ends), BOTTOM, TOP)
    upper = [f"{x.place(one.delta):g},{y.place(one.conf_high):g}" for one in curve]
    lower = [f"{x.place(one.delta):g},{y.place(one.conf_low):g}" for one in curve]
    return TippingFigure(
        key=key,
        title=title,
        description=description,
        data=_table(curve, show, key, title, odds=odds),
        width=WIDTH,
        height=HEIGHT,
        heading=Label(LEFT, 20.0, title),
        plot_left=LEFT,
        plot_right=RIGHT,
        top=TOP,
        axis_y=BOTTOM,
        zero_y=y.place(0.0),
        ticks=_ticks(x, marks, show),
        tick_y=BOTTOM + 17,
        levels=tuple(Label(LEFT - 8, y.place(v) + 4, show.decimal(v, decimals_of(values)), "end") for v in values),
        level_ys=tuple(y.place(v) for v in values),
        band=" ".join([*upper, *lower[::-1]]),
        points=" ".join(f"{x.place(one.delta):g},{y.place(one.estimate):g}" for one in curve),
        mark_x=None if tips_at is None else x.place(tips_at),
        axis_title=Label(
            (LEFT + RIGHT) / 2, BOTTOM + 40, say("Points added to the values imputed in the compared arm"), "middle"
        ),
        value_title=Label(LEFT - 8, TOP - 12, say("Log odds ratio") if odds else say("Difference"), "end"),
    )


def _ticks(x: Axis, marks: tuple[float, ...], show: Numbers) -> tuple[Tick, ...]:
    return tuple(Tick(x.place(mark), show.decimal(mark, decimals_of(marks))) for mark in marks)


def _table(curve: Sequence[ShiftedEffect], show: Numbers, key: str, title: str, *, odds: bool) -> Table:
    """Return the numbers that the curve stands for."""
    say = show.words
    effect = say("Log odds ratio (interval)") if odds else say("Difference (interval)")
    columns = (Column(say("Points added")), Column(effect))
    rows = tuple(
        Row(
            (
                cell(show.decimal(one.delta, 2), *([say("outside the scores' range")] if one.outside else [])),
                cell(show.decimal(one.estimate, 3), show.interval(one.conf_low, one.conf_high, 3)),
            )
        )
        for one in curve
    )
    return Table(f"{key}-numbers", title, columns, rows)
