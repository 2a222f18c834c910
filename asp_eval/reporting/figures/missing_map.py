"""Who was not screened, by arm, reason and round: the darker a square, the larger the share, which stands in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asp_eval.reporting.blocks import Column, Row, Table, cell, group_row
from asp_eval.reporting.figures.axis import Label, Rectangle, lines_of, stack
from asp_eval.reporting.figures.drawing import Drawing
from asp_eval.reporting.numbers import Numbers

WIDTH, LEFT, TOP, HEIGHT, GAP, SIZE, ACROSS = 760.0, 290.0, 26.0, 26.0, 10.0, 13.0, 110.0
STEPS = ((0.0, "#ffffff"), (0.05, "#e4e8ea"), (0.15, "#c3cad0"), (0.30, "#a3adb5"), (1.0, "#8b97a0"))
"""The largest share of each grey: all of them light enough for dark words."""


@dataclass(frozen=True, slots=True)
class MapArm:
    """One arm: its name, and for each reason its share of the children at every round."""

    name: str
    reasons: tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True, slots=True)
class Square:
    """A reason at a round, with its share in it."""

    place: Rectangle
    fill: str
    share: Label


@dataclass(frozen=True, slots=True)
class MissingMap(Drawing):
    """The whole figure, in its own units."""

    headings: tuple[Label, ...]
    labels: tuple[Label, ...]
    squares: tuple[Square, ...]


def missing_map(arms: Sequence[MapArm], rounds: Sequence[str], show: Numbers, *, key: str, title: str) -> MissingMap:
    """Return the map.

    Parameters
    ----------
    arms : sequence of MapArm
    rounds : sequence of str
        What the rounds are called.
    show : Numbers
    key, title : str
    """
    across = min(ACROSS, (WIDTH - LEFT) / max(len(rounds), 1))
    headings: list[Label] = []
    labels: list[Label] = []
    squares: list[Square] = []
    y = 0.0
    for arm in arms:
        headings.append(Label(0.0, y + 17, lines_of(arm.name, LEFT - 10, SIZE, most=1)[0]))
        headings += [
            Label(LEFT + across * (k + 0.5), y + 17, lines_of(name, across, SIZE, most=1)[0], "middle")
            for k, name in enumerate(rounds)
        ]
        for i, (reason, shares) in enumerate(arm.reasons):
            top = y + TOP + HEIGHT * i
            labels += stack(0.0, top + HEIGHT / 2, lines_of(reason, LEFT - 10, SIZE, most=1), 15)
            for k, share in enumerate(shares):
                box = Rectangle(round(LEFT + across * k, 1), top, round(across, 1), HEIGHT)
                shown = Label(round(LEFT + across * (k + 0.5), 1), top + HEIGHT / 2 + 4.5, show.percent(share, 1), "middle")
                squares.append(Square(box, next(fill for most, fill in STEPS if share <= most), shown))
        y += TOP + HEIGHT * len(arm.reasons) + GAP
    return MissingMap(
        key=key,
        title=title,
        description=_description(arms, rounds, show),
        data=_data(arms, rounds, show, key, title),
        width=WIDTH,
        height=y,
        headings=tuple(headings),
        labels=tuple(labels),
        squares=tuple(squares),
    )


def _description(arms: Sequence[MapArm], rounds: Sequence[str], show: Numbers) -> str:
    """Say the figure in words, for those who cannot see it."""
    parts = []
    for arm in arms:
        told = [
            f"{reason}: {', '.join(f'{name} {show.percent(share, 1)}' for name, share in zip(rounds, shares, strict=True))}"
            for reason, shares in arm.reasons
        ]
        parts.append(f"{arm.name}. {'; '.join(told)}")
    return ". ".join(parts) + "."


def _data(arms: Sequence[MapArm], rounds: Sequence[str], show: Numbers, key: str, title: str) -> Table:
    """Return the shares that are drawn."""
    columns = (Column(show.words("Reason"), numeric=False), *(Column(name) for name in rounds))
    rows: list[Row] = []
    for arm in arms:
        rows.append(group_row(arm.name, len(columns)))
        rows += [Row((cell(reason), *(cell(show.percent(share, 1)) for share in shares))) for reason, shares in arm.reasons]
    return Table(f"{key}-data", title, columns, tuple(rows))
