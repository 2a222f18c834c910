"""Linear axes and text that fits: what every figure needs."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass, replace

# Mean advance of a character in a system sans-serif, as a share of its size; on the wide side, so text never overruns.
CHARACTER_WIDTH = 0.56


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangle, by its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Label:
    """A line of text at a point.

    Attributes
    ----------
    x, y : float
        The point; `y` is the baseline.
    text : str
    anchor : {"start", "middle", "end"}
        Which part of the text stands at `x`.
    back : Rectangle, optional
        What is white under the text, where it crosses lines.
    """

    x: float
    y: float
    text: str
    anchor: str = "start"
    back: Rectangle | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: its place and its label."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear scale from values to horizontal places.

    Attributes
    ----------
    low, high : float
        Values at the two ends.
    left, right : float
        Places of the two ends, in the figure's units.

    Examples
    --------
    >>> Axis(-1, 1, 100, 300).place(0)
    200.0
    """

    low: float
    high: float
    left: float
    right: float

    def place(self, value: float) -> float:
        """Return where a value lies; a value beyond the axis lies at its end."""
        inside = min(max(value, self.low), self.high)
        return round(self.left + (inside - self.low) / (self.high - self.low) * (self.right - self.left), 1)


def nice_step(span: float, marks: int = 6) -> float:
    """Return a step of 1, 2 or 5 times a power of ten that divides a span into about `marks` parts.

    Examples
    --------
    >>> nice_step(0.9), nice_step(37)
    (0.2, 10.0)
    """
    raw = span / marks
    power = 10.0 ** math.floor(math.log10(raw))
    return float(next(round(m * power, 12) for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9)))


def nice_axis(
    low: float, high: float, left: float, right: float, marks: int = 6, *, zero: bool = True
) -> tuple[Axis, tuple[float, ...]]:
    """Return an axis that holds `low`, `high` and, if it is to, `zero`; and the values of its marks.

    Examples
    --------
    >>> axis, values = nice_axis(-0.31, 0.12, 0, 100)
    >>> (axis.low, axis.high), values
    ((-0.4, 0.2), (-0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2))
    """
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    step = nice_step(high - low or 1.0, marks)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    values = tuple(round(n * step, 12) + 0.0 for n in range(first, last + 1))
    return Axis(values[0], values[-1], left, right), values


def decimals_of(values: tuple[float, ...]) -> int:
    """Return the fewest decimals that show axis marks exactly."""
    return next(d for d in range(13) if all(math.isclose(v, round(v, d), abs_tol=1e-12) for v in values))


def lines_of(text: str, width: float, size: float, most: int = 2) -> tuple[str, ...]:
    """Break text into at most `most` lines that fit a width; what does not fit ends in an ellipsis."""
    across = max(4, int(width / (size * CHARACTER_WIDTH)))
    return tuple(textwrap.wrap(text, across, max_lines=most, placeholder=" …")) or ("",)


def stack(x: float, middle: float, lines: tuple[str, ...], leading: float, anchor: str = "start") -> tuple[Label, ...]:
    """Set lines above one another around a middle; y is the baseline, a third of the leading below the line's middle."""
    top = middle - leading * (len(lines) - 1) / 2 + leading * 0.3
    return tuple(Label(round(x, 1), round(top + i * leading, 1), line, anchor) for i, line in enumerate(lines))


def backed(label: Label, size: float) -> Label:
    """Return a label with a rectangle under it that is as wide as its text can be.

    Examples
    --------
    >>> backed(Label(100, 50, "47", "end"), 10).back
    Rectangle(x=88.8, y=41.0, width=11.2, height=12.0)
    """
    width = round(len(label.text) * size * CHARACTER_WIDTH, 1)
    before = {"start": 0.0, "middle": width / 2, "end": width}[label.anchor]
    return replace(label, back=Rectangle(round(label.x - before, 1), round(label.y - 0.9 * size, 1), width, round(1.2 * size, 1)))


def disc(x: float, y: float, radius: float) -> str:
    """Return a circle as a path, as SVG writes it.

    Examples
    --------
    >>> disc(10, 20, 4)
    'M6,20a4,4 0 1 0 8,0a4,4 0 1 0 -8,0Z'
    """
    half, across = f"a{radius:g},{radius:g} 0 1 0 ", 2 * radius
    return f"M{x - radius:g},{y:g}{half}{across:g},0{half}{-across:g},0Z"
