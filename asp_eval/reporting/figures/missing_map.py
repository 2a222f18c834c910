"""Who was not screened, institution by institution and round by round: the darker a square, the larger the share.

Institutions stand in order of how much is missing and under no name. The steps of grey are labelled under the squares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asp_eval.reporting.blocks import Column, Row, Table, cell
from asp_eval.reporting.figures.axis import Label, Rectangle, lines_of, stack
from asp_eval.reporting.numbers import Numbers

WIDTH, LEFT, TOP, HEIGHT, GAP, SIZE, WIDEST = 760.0, 190.0, 26.0, 20.0, 30.0, 13.0, 18.0
STEPS = ((0.0, "#ffffff"), (0.05, "#dfe3e6"), (0.15, "#b4bdc4"), (0.30, "#7d8991"), (1.0, "#333d45"))
"""The largest share of each grey."""


@dataclass(frozen=True, slots=True)
class MapArm:
    """One arm: its name, and for each institution the share not screened at every round."""

    name: str
    shares: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Square:
    """An institution at a round."""

    place: Rectangle
    fill: str


@dataclass(frozen=True, slots=True)
class MissingMap:
    """The whole figure, in its own units."""

    key: str
    title: str
    description: str
    data: Table
    width: float
    height: float
    headings: tuple[Label, ...]
    labels: tuple[Label, ...]
    squares: tuple[Square, ...]
    steps: tuple[Square, ...]
    step_labels: tuple[Label, ...]


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
    ordered = [MapArm(arm.name, tuple(sorted(arm.shares, key=lambda each: (-sum(each), each)))) for arm in arms]
    side = min(WIDEST, (WIDTH - LEFT) / max((len(arm.shares) for arm in ordered), default=1))
    headings: list[Label] = []
    labels: list[Label] = []
    squares: list[Square] = []
    y = 0.0
    for arm in ordered:
        headings.append(Label(0.0, y + 16, arm.name))
        for k, name in enumerate(rounds):
            top = y + TOP + HEIGHT * k
            labels += stack(0.0, top + HEIGHT / 2, lines_of(name, LEFT - 10, SIZE, most=1), 15)
            for i, shares in enumerate(arm.shares):
                box = Rectangle(round(LEFT + side * i, 2), top, round(side, 2), HEIGHT)
                squares.append(Square(box, _grey(shares[k])))
        y += TOP + HEIGHT * len(rounds) + GAP / 2
    steps, step_labels = _legend(y + 4, show)
    return MissingMap(
        key=key,
        title=title,
        description=_description(ordered, rounds, show),
        data=_data(ordered, rounds, show, key, title),
        width=WIDTH,
        height=y + 34,
        headings=tuple(headings),
        labels=tuple(labels),
        squares=tuple(squares),
        steps=tuple(steps),
        step_labels=tuple(step_labels),
    )


def _grey(share: float) -> str:
    return next(fill for most, fill in STEPS if share <= most)


def _legend(y: float, show: Numbers) -> tuple[list[Square], list[Label]]:
    """Return the steps of grey with what each stands for."""
    squares, labels, before = [], [], 0.0
    for i, (most, fill) in enumerate(STEPS):
        x = LEFT + 112.0 * i
        squares.append(Square(Rectangle(x, y, 14.0, 14.0), fill))
        words = show.words("none") if most == 0 else show.words("to {share}", share=show.percent(most))
        if before >= STEPS[-2][0]:
            words = show.words("over {share}", share=show.percent(before))
        labels.append(Label(x + 20, y + 11, words))
        before = most
    return squares, labels


def _description(arms: Sequence[MapArm], rounds: Sequence[str], show: Numbers) -> str:
    """Say the figure in words: of each arm and round how many institutions miss more than the last step but one."""
    limit = STEPS[-2][0]
    parts = []
    for arm in arms:
        told = [
            show.words(
                "{round} {n} of {total}",
                round=name,
                n=show.integer(sum(shares[k] > limit for shares in arm.shares)),
                total=show.integer(len(arm.shares)),
            )
            for k, name in enumerate(rounds)
        ]
        parts.append(f"{arm.name}: {'; '.join(told)}")
    about = show.words("Institutions where more than {share} were not screened", share=show.percent(limit))
    return f"{about}. {'. '.join(parts)}."


def _data(arms: Sequence[MapArm], rounds: Sequence[str], show: Numbers, key: str, title: str) -> Table:
    """Return the shares that are drawn."""
    columns = (Column(show.words("No."), numeric=False), *(Column(name) for name in rounds))
    rows: list[Row] = []
    for arm in arms:
        rows.append(Row((cell(arm.name, wide=len(columns)),), group=True))
        for i, shares in enumerate(arm.shares, start=1):
            rows.append(Row((cell(show.integer(i)), *(cell(show.percent(share)) for share in shares))))
    return Table(f"{key}-data", title, columns, tuple(rows))
