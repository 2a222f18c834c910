"""Power curves: how likely an effect of each size is to be found, one line for each intraclass correlation.

Lines differ by their dashes, so that they can be told apart without colour; what each one finds with the power aimed at
is marked on it and said in its label. A shaded band is the middle 90 % of an uncertain intraclass correlation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asp_eval.reporting.figures.axis import Axis, Label, Tick, decimals_of, disc, lines_of, nice_axis
from asp_eval.reporting.numbers import Numbers

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760.0, 400.0, 62.0, 500.0, 44.0, 340.0
LABELS, SAMPLE, SIZE, LEADING, APART = 545.0, 34.0, 13.0, 16.0, 14.0
DASHES = ("none", "9 4", "3 3", "12 3 3 3", "1 4", "6 2 1 2 1 2")


@dataclass(frozen=True, slots=True)
class Curve:
    """Power over effects for one intraclass correlation.

    Attributes
    ----------
    label : str
    effects, power : tuple of float
    low, high : tuple of float
        The range of power, or empty.
    detectable : float
        The effect found with the power aimed at.
    """

    label: str
    effects: tuple[float, ...]
    power: tuple[float, ...]
    detectable: float
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacedCurve:
    """A curve in its place: its points as SVG writes them, its mark, and its line of the legend."""

    points: str
    band: str
    dash: str
    mark: str
    sample: tuple[float, float, float]
    label: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class PowerFigure:
    """The whole figure, in its own units."""

    key: str
    title: str
    description: str
    width: float
    height: float
    heading: Label
    plot_left: float
    plot_right: float
    top: float
    axis_y: float
    aim_y: float
    aim_label: Label
    ticks: tuple[Tick, ...]
    tick_y: float
    levels: tuple[Label, ...]
    level_ys: tuple[float, ...]
    axis_title: Label
    power_title: Label
    curves: tuple[PlacedCurve, ...]
    note: tuple[Label, ...]


def power_figure(curves: Sequence[Curve], show: Numbers, *, aim: float, title: str, note: str = "") -> PowerFigure:
    """Return the power curves of a trial.

    Parameters
    ----------
    curves : sequence of Curve
        With the lowest intraclass correlation first.
    show : Numbers
    aim : float
        The power aimed at.
    title, note : str
        What stands over and under the figure.
    """
    say = show.words
    _, marks = nice_axis(0.0, max(max(c.effects) for c in curves), LEFT, RIGHT, marks=7)
    shown = Axis(0.0, max(c.effects[-1] for c in curves), LEFT, RIGHT)
    kept = tuple(m for m in marks if m <= shown.high + 1e-9)
    power = Axis(0.0, 1.0, BOTTOM, TOP)
    placed, y = [], TOP + 4.0
    for curve, dash in zip(curves, _dashes(len(curves)), strict=True):
        placed.append(_placed(curve, dash, y, shown, power, show, aim))
        y += LEADING * len(placed[-1].label) + APART
    levels = tuple(n / 5 for n in range(6))
    lines = lines_of(note, WIDTH, 11, most=3) if note else ()
    return PowerFigure(
        key="power",
        title=title,
        description=_description(curves, show, aim),
        width=WIDTH,
        height=HEIGHT + 14.0 * len(lines),
        heading=Label(LEFT, 20.0, title),
        plot_left=LEFT,
        plot_right=RIGHT,
        top=TOP,
        axis_y=BOTTOM,
        aim_y=power.place(aim),
        aim_label=Label(RIGHT + 5, power.place(aim) + 4, show.percent(aim)),
        ticks=tuple(Tick(shown.place(m), show.decimal(m, decimals_of(marks))) for m in kept),
        tick_y=BOTTOM + 17,
        levels=tuple(Label(LEFT - 8, power.place(v) + 4, show.percent(v), "end") for v in levels),
        level_ys=tuple(power.place(v) for v in levels),
        axis_title=Label((LEFT + RIGHT) / 2, BOTTOM + 38, say("Effect, in standard deviations of the outcome"), "middle"),
        power_title=Label(LEFT - 8, TOP - 14, say("Power"), "end"),
        curves=tuple(placed),
        note=tuple(Label(LEFT, HEIGHT + 4 + 14.0 * i, line) for i, line in enumerate(lines)),
    )


def _dashes(count: int) -> tuple[str, ...]:
    return tuple(DASHES[i % len(DASHES)] for i in range(count))


def _placed(curve: Curve, dash: str, y: float, x: Axis, power: Axis, show: Numbers, aim: float) -> PlacedCurve:
    say = show.words
    found = say("{power} power at {effect}", power=show.percent(aim), effect=show.decimal(curve.detectable, 3))
    lines = (*lines_of(curve.label, WIDTH - LABELS - SAMPLE - 8, SIZE, most=4), found)
    label = tuple(Label(LABELS + SAMPLE + 8, round(y + 9 + LEADING * i, 1), line) for i, line in enumerate(lines))
    inside = curve.detectable <= x.high
    return PlacedCurve(
        points=_points(curve.effects, curve.power, x, power),
        band=_points((*curve.effects, *curve.effects[::-1]), (*curve.high, *curve.low[::-1]), x, power) if curve.low else "",
        dash=dash,
        mark=disc(x.place(curve.detectable), power.place(aim), 4.0) if inside else "",
        sample=(LABELS, LABELS + SAMPLE, round(y + 4.5, 1)),
        label=label,
    )


def _points(effects: Sequence[float], values: Sequence[float], x: Axis, y: Axis) -> str:
    return " ".join(f"{x.place(e):g},{y.place(v):g}" for e, v in zip(effects, values, strict=True))


def _description(curves: Sequence[Curve], show: Numbers, aim: float) -> str:
    """Say the figure in words, for those who cannot see it."""
    say = show.words
    parts = [
        f"{c.label}: {say('{power} power at {effect}', power=show.percent(aim), effect=show.decimal(c.detectable, 3))}"
        for c in curves
    ]
    return "; ".join(parts) + "."
