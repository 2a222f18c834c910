"""Flow diagram of institutions and children, arm by arm: the figure CONSORT asks of a cluster-randomised trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asp_eval.reporting.blocks import Column, Row, Table, cell
from asp_eval.reporting.figures.axis import CHARACTER_WIDTH, Label, lines_of

WIDTH, SIZE, LEADING, PADDING, BETWEEN, GUTTER = 760.0, 13.0, 18.0, 12.0, 26.0, 28.0
EDGE = 1.0  # or the outer lines are cut in half


@dataclass(frozen=True, slots=True)
class FlowBox:
    """What a box says: a heading and lines under it."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """A box in its place."""

    x: float
    y: float
    width: float
    height: float
    heading: tuple[Label, ...]
    lines: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    """A line down from one box to the next, with its head."""

    x: float
    top: float
    bottom: float
    head: str


@dataclass(frozen=True, slots=True)
class Bar:
    """The crossbar from the first box to the arms."""

    left: float
    right: float
    y: float
    stem_x: float
    stem_top: float


@dataclass(frozen=True, slots=True)
class FlowFigure:
    """The whole figure, in its own units."""

    key: str
    title: str
    description: str
    width: float
    height: float
    boxes: tuple[PlacedBox, ...]
    arrows: tuple[Arrow, ...]
    bar: Bar
    data: Table


def flow_figure(first: FlowBox, arms: Sequence[Sequence[FlowBox]], *, title: str, description: str) -> FlowFigure:
    """Return the flow diagram of a trial.

    Parameters
    ----------
    first : FlowBox
        All institutions.
    arms : sequence of sequences of FlowBox
        For each arm its boxes from the top; boxes of the same stage share a height.
    title, description : str
        For readers who cannot see the figure.
    """
    column = (WIDTH - 2 * EDGE - GUTTER * (len(arms) - 1)) / len(arms)
    lefts = [EDGE + i * (column + GUTTER) for i in range(len(arms))]
    centres = [round(left + column / 2, 1) for left in lefts]
    first_width = min(WIDTH, max(300.0, _text_width(first) + 4 * PADDING))
    boxes = [_place(first, (WIDTH - first_width) / 2, 1.0, first_width, _height(first))]
    bar_y = boxes[0].y + boxes[0].height + BETWEEN / 2
    bar = Bar(centres[0], centres[-1], bar_y, WIDTH / 2, boxes[0].y + boxes[0].height)
    y = bar_y
    arrows: list[Arrow] = []
    for stage in zip(*arms, strict=True):
        top = y + (BETWEEN if arrows else BETWEEN * 0.9)
        height = max(_height(box, column) for box in stage)
        boxes += [_place(box, left, top, column, height) for box, left in zip(stage, lefts, strict=True)]
        arrows += [_arrow(x, y, top) for x in centres]
        y = top + height
    return FlowFigure(
        "flow-diagram", title, description, WIDTH, round(y + 2, 1), tuple(boxes), tuple(arrows), bar, _data(first, arms, title)
    )


def _wrapped(box: FlowBox, width: float) -> list[str]:
    """Break a box's lines to its width; a continued line is set in a little."""
    across = int((width - 2 * PADDING) / (SIZE * CHARACTER_WIDTH))
    lines: list[str] = []
    for line in box.lines:
        current = ""
        for word in line.split(" "):
            joined = f"{current} {word}".strip() if current else word
            if len(joined) > across and current:
                lines.append(current)
                current = "\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}" + word
            else:
                current = joined
        lines.append(current)
    return lines


def _height(box: FlowBox, width: float = WIDTH) -> float:
    return 2 * PADDING + LEADING * (len(_heading(box, width)) + len(_wrapped(box, width))) - 2


def _heading(box: FlowBox, width: float) -> tuple[str, ...]:
    """Break a box's heading to its width: bold letters are a little wider."""
    return lines_of(box.heading, width - 2 * PADDING, 1.08 * SIZE, most=3)


def _text_width(box: FlowBox) -> float:
    return max(len(line) for line in (box.heading, *box.lines)) * SIZE * CHARACTER_WIDTH


def _place(box: FlowBox, x: float, y: float, width: float, height: float) -> PlacedBox:
    baseline = y + PADDING + SIZE * 0.85
    heading = _heading(box, width)
    texts = (*heading, *_wrapped(box, width))
    labels = tuple(Label(round(x + PADDING, 1), round(baseline + LEADING * i, 1), text) for i, text in enumerate(texts))
    first, rest = labels[: len(heading)], labels[len(heading) :]
    return PlacedBox(round(x, 1), round(y, 1), round(width, 1), round(height, 1), first, rest)


def _arrow(x: float, top: float, bottom: float) -> Arrow:
    head = f"{x - 4:g},{bottom - 7:g} {x + 4:g},{bottom - 7:g} {x:g},{bottom:g}"
    return Arrow(x, round(top, 1), round(bottom - 6, 1), head)


def _data(first: FlowBox, arms: Sequence[Sequence[FlowBox]], title: str) -> Table:
    """Return what the boxes say, a column for each arm."""
    whole = Row((cell(first.heading), cell(*first.lines, wide=len(arms))))
    stages = (Row((cell(boxes[0].heading), *(cell(*box.lines) for box in boxes))) for boxes in zip(*arms, strict=True))
    columns = (Column("", numeric=False), *(Column(boxes[0].heading, numeric=False) for boxes in arms))
    return Table("flow-data", title, columns, (whole, *stages))
