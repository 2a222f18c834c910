"""The arms' way through the waves: the mean of each at every wave with its interval, one line for each arm.

Lines differ by their dashes and the shapes of their marks, and each is named at its end behind its mark, so that they can be told
apart without colour, and where there is one wave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asp_eval.reporting.blocks import Column, Row, Table, cell
from asp_eval.reporting.figures.arm_marks import Mark, mark_of_arm
from asp_eval.reporting.figures.axis import Axis, Label, Tick, decimals_of, lines_of, nice_axis
from asp_eval.reporting.figures.drawing import Drawing
from asp_eval.reporting.figures.power import DASHES
from asp_eval.reporting.numbers import Numbers

WIDTH, LEFT, RIGHT, TOP, PLOT, BELOW = 620.0, 60.0, 440.0, 14.0, 222.0, 28.0
ASIDE, SIGNS, NAMES, LEADING, SIZE = 7.0, 456.0, 468.0, 15.0, 13.0
"""PLOT is the height of the plot, BELOW of what stands under it. How far the arms stand beside each other at a wave; where their
signs stand and their names begin, their leading and size."""


@dataclass(frozen=True, slots=True)
class ArmMean:
    """The mean of one arm at one wave, and its interval; None where there is none."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class ArmLine:
    """One arm in its place.

    Attributes
    ----------
    points : str
        As SVG writes them.
    dash : str
    marks : tuple of Mark
    warm : bool
        Whether it has the second colour.
    bars : tuple of (float, float, float)
        Of each interval: x, and the two ends.
    name : tuple of Label
    sign : Mark
        The mark beside the name.
    """

    points: str
    dash: str
    marks: tuple[Mark, ...]
    warm: bool
    bars: tuple[tuple[float, float, float], ...]
    name: tuple[Label, ...]
    sign: Mark


@dataclass(frozen=True, slots=True)
class TrajectoryFigure(Drawing):
    """The whole figure, in its own units."""

    plot_left: float
    plot_right: float
    axis_y: float
    ticks: tuple[Tick, ...]
    tick_y: float
    levels: tuple[Label, ...]
    level_ys: tuple[float, ...]
    lines: tuple[ArmLine, ...]


def trajectory_figure(
    waves: Sequence[str],
    arms: Sequence[tuple[str, Sequence[ArmMean]]],
    show: Numbers,
    *,
    key: str,
    title: str,
    digits: int = 2,
    height: float = PLOT,
) -> TrajectoryFigure:
    """Return the arms' way through the waves.

    Parameters
    ----------
    waves : sequence of str
        What the waves are called, in their order.
    arms : sequence of (str, sequence of ArmMean)
        What each arm is called, and its mean at every wave.
    show : Numbers
    key, title : str
        Name of the figure in its page, and what stands over it.
    digits : int
        Decimals of the numbers behind it.
    height : float
        Of the plot.
    """
    bottom = TOP + height
    known = [v for _, means in arms for m in means for v in (m.value, m.low, m.high) if v is not None]
    y, values = nice_axis(min(known), max(known), bottom, TOP, marks=6 if height >= PLOT else 4, zero=False)
    step = (RIGHT - LEFT) / len(waves)
    places = [LEFT + step * (i + 0.5) for i in range(len(waves))]
    names = _names([(name, _last(means, y, bottom)) for name, means in arms])
    return TrajectoryFigure(
        key=key,
        title=title,
        description=_description(waves, arms, show, digits),
        data=_table(waves, arms, show, key, title, digits),
        width=WIDTH,
        height=bottom + BELOW,
        plot_left=LEFT,
        plot_right=RIGHT,
        axis_y=bottom,
        ticks=tuple(Tick(round(x, 1), wave) for x, wave in zip(places, waves, strict=True)),
        tick_y=bottom + 17,
        levels=tuple(Label(LEFT - 8, y.place(v) + 4, show.decimal(v, decimals_of(values)), "end") for v in values),
        level_ys=tuple(y.place(v) for v in values),
        lines=tuple(
            ArmLine(*_line(means, [x + ASIDE * (k - (len(arms) - 1) / 2) for x in places], y, k), name, _sign(k, name))
            for k, ((_, means), name) in enumerate(zip(arms, names, strict=True))
        ),
    )


def _line(
    means: Sequence[ArmMean], places: Sequence[float], y: Axis, k: int
) -> tuple[str, str, tuple[Mark, ...], bool, tuple[tuple[float, float, float], ...]]:
    """Return the points, the dash, the marks, whether the colour is the second, and the bars of one arm."""
    at = [(round(x, 1), m) for x, m in zip(places, means, strict=True) if m.value is not None]
    points = " ".join(f"{x:g},{y.place(m.value or 0.0):g}" for x, m in at)
    marks = tuple(mark_of_arm(k, x, y.place(m.value or 0.0)) for x, m in at)
    bars = tuple((x, y.place(m.low), y.place(m.high)) for x, m in at if m.low is not None and m.high is not None)
    return points, DASHES[k % len(DASHES)], marks, k % 2 == 0, bars


def _sign(k: int, name: Sequence[Label]) -> Mark:
    """Return the mark beside an arm's name."""
    return mark_of_arm(k, SIGNS, name[0].y - SIZE / 3)


def _last(means: Sequence[ArmMean], y: Axis, bottom: float) -> float:
    """Return the height of the last mean that there is."""
    return next((y.place(m.value) for m in reversed(means) if m.value is not None), bottom)


def _names(ends: Sequence[tuple[str, float]]) -> list[tuple[Label, ...]]:
    """Return each arm's name beside the end of its line, moved down where the one above it needs the room."""
    placed: dict[str, tuple[Label, ...]] = {}
    free = TOP
    for name, height in sorted(ends, key=lambda end: end[1]):
        lines = lines_of(name, WIDTH - NAMES, SIZE, most=3)
        top = max(height + 4, free)
        placed[name] = tuple(Label(NAMES, round(top + LEADING * i, 1), line) for i, line in enumerate(lines))
        free = top + LEADING * len(lines) + 3
    return [placed[name] for name, _ in ends]


def _shown(mean: ArmMean, show: Numbers, digits: int) -> str:
    if mean.value is None or mean.low is None or mean.high is None:
        return show.decimal(mean.value, digits)
    return show.beside(show.decimal(mean.value, digits), show.interval(mean.low, mean.high, digits))


def _description(waves: Sequence[str], arms: Sequence[tuple[str, Sequence[ArmMean]]], show: Numbers, digits: int) -> str:
    """Say the figure in words, for those who cannot see it."""
    parts = [
        f"{name}: {'; '.join(f'{wave} {_shown(mean, show, digits)}' for wave, mean in zip(waves, means, strict=True))}"
        for name, means in arms
    ]
    return ". ".join(parts) + "."


def _table(
    waves: Sequence[str], arms: Sequence[tuple[str, Sequence[ArmMean]]], show: Numbers, key: str, title: str, digits: int
) -> Table:
    """Return the numbers that the lines stand for."""
    columns = (Column(show.words("Wave"), numeric=False), *(Column(name) for name, _ in arms))
    rows = tuple(
        Row(
            (
                cell(wave),
                *(
                    cell(show.decimal(means[i].value, digits), show.interval(means[i].low, means[i].high, digits))
                    for _, means in arms
                ),
            )
        )
        for i, wave in enumerate(waves)
    )
    return Table(f"{key}-data", title, columns, rows)
