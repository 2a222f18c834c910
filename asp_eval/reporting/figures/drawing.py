"""From shapes in their places to an SVG image that every program draws alike.

An image holds lines, rectangles, paths and plain text, each with its own colours and sizes: no style sheet, no variable and no
outline of letters, which Word, LibreOffice and PDF programs read differently. Where a label crosses a line, a white
rectangle lies under it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from asp_eval.reporting.blocks import Figure, Table
from asp_eval.reporting.templates import templates


class Placed(Protocol):
    """Shapes in their places; ``figures/<key>.svg.j2`` draws them, of a key with two dashes by what stands before these."""

    @property
    def key(self) -> str:
        """The name of the figure in its page, led by that of its template."""

    @property
    def title(self) -> str:
        """What it shows."""

    @property
    def description(self) -> str:
        """The figure in words."""


class PlacedData(Placed, Protocol):
    """Shapes with the numbers that they stand for."""

    @property
    def data(self) -> Table:
        """The numbers."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What every figure with numbers has, whatever its shapes: `PlacedData`, and the size of the whole in its own units."""

    key: str
    title: str
    description: str
    data: Table
    width: float
    height: float


def svg(figure: Placed) -> str:
    """Return shapes as an SVG image."""
    return templates().get_template(f"figures/{figure.key.partition('--')[0]}.svg.j2").render(figure=figure)


def drawn(figure: PlacedData) -> Figure:
    """Return shapes as a figure of a report."""
    return Figure(figure.key, figure.title, figure.description, svg(figure), figure.data)
