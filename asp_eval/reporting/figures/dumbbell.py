"""Dumbbell plot of a GAP-profile: the two sides of each dimension, and beside them the gap among the institutions.

Left panel: a dot for staff and a square for the children on 0 to 100, with short strokes for the typical institution. Right
panel: the gap with its interval, on a bar that spans the middle half of all institutions. In a second round the marks of last
time stand under those of now, in outline. Shapes and direct labels carry the meaning; colour only helps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asp_eval.reporting.blocks import Cell, Column, Row, Table, cell, group_row
from asp_eval.reporting.figures.axis import Axis, Label, Rectangle, Tick, backed, disc, lines_of, nice_axis, stack
from asp_eval.reporting.figures.marked_rows import diamond
from asp_eval.reporting.numbers import Numbers

WIDTH, LABELS, DOTS_LEFT, DOTS_RIGHT, GAP_LEFT, GAP_RIGHT = 760.0, 0.0, 205.0, 470.0, 520.0, 745.0
ROW, AREA, HEADER, FOOTER, SIZE, SMALL = 30.0, 24.0, 56.0, 42.0, 13.0, 11.0
DOT, BAND, STROKE = 5.5, 9.0, 10.0
LAST, LAST_DOT = 13.0, 4.0  # how far under the marks of now those of last time lie, and their size
SHORT_ROW = 21.0  # height of a row without its marks of last time
LINES = 6  # of a name: long enough for any, so that none is cut


@dataclass(frozen=True, slots=True)
class LastTime:
    """A dimension's numbers of the round before."""

    staff: float | None
    child: float | None
    gap: float | None


@dataclass(frozen=True, slots=True)
class GapLine:
    """One dimension to draw. Where a number is None nothing is drawn, and `reason` says why in the description."""

    label: str
    staff: float | None
    child: float | None
    gap: float | None
    low: float | None
    high: float | None
    middle_low: float | None
    middle_high: float | None
    reason: str = ""
    typical_staff: float | None = None
    typical_child: float | None = None
    before: LastTime | None = None


@dataclass(frozen=True, slots=True)
class GapArea:
    """The dimensions of one area."""

    label: str
    lines: tuple[GapLine, ...]


@dataclass(frozen=True, slots=True)
class PlacedLastTime:
    """The marks of the round before in their place, in outline."""

    y: float
    staff: float | None
    child: float | None
    dot: str
    square: Rectangle | None
    values: tuple[Label, ...]
    diamond: str


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """One dimension in its place."""

    y: float
    label: tuple[Label, ...]
    staff: float | None
    child: float | None
    dot: str
    square: Rectangle | None
    values: tuple[Label, ...]
    names: tuple[Label, ...]
    band: Rectangle | None
    diamond: str
    low: float | None
    high: float | None
    reason: tuple[Label, ...]
    typical_staff: Rectangle | None
    typical_child: Rectangle | None
    before: PlacedLastTime | None


@dataclass(frozen=True, slots=True)
class PlacedArea:
    """The heading of an area and the dimensions under it."""

    heading: Label
    rule_y: float
    lines: tuple[PlacedLine, ...]


@dataclass(frozen=True, slots=True)
class DumbbellFigure:
    """The whole figure, in its own units."""

    key: str
    title: str
    description: str
    width: float
    height: float
    plot_top: float
    plot_bottom: float
    tick_y: float
    tick_bottom_y: float
    dots_axis: tuple[Tick, ...]
    gap_axis: tuple[Tick, ...]
    zero: float
    headings: tuple[Label, ...]
    sides: tuple[Label, ...]
    areas: tuple[PlacedArea, ...]
    data: Table


def dumbbell(areas: Sequence[GapArea], show: Numbers, *, limit: float, title: str) -> DumbbellFigure:
    """Return the dumbbell plot of one institution.

    Parameters
    ----------
    areas : sequence of GapArea
    show : Numbers
    limit : float
        The gap axis runs from ``-limit`` to ``limit`` at least, the same for every institution, so that pages laid
        side by side can be read together.
    title : str
    """
    dots = Axis(0.0, 100.0, DOTS_LEFT, DOTS_RIGHT)
    gaps, marks = nice_axis(-limit, limit, GAP_LEFT, GAP_RIGHT, marks=5)
    y, placed, named = HEADER, [], False
    for area in areas:
        heading = Label(LABELS, round(y + AREA * 0.7, 1), area.label)
        lines, row_y = [], y + AREA
        for line in area.lines:
            wants_names = not named and line.staff is not None and line.child is not None
            height = max(
                SHORT_ROW if line.before else ROW, 14.0 * len(lines_of(line.label, DOTS_LEFT - 15, SIZE, most=LINES)) + 2
            )
            lines.append(_line(line, row_y + height / 2, dots, gaps, show, names=wants_names))
            named = named or wants_names
            row_y += height + (LAST if line.before else 0.0)
        placed.append(PlacedArea(heading, round(y + 2, 1), tuple(lines)))
        y = row_y
    return DumbbellFigure(
        key="dumbbell",
        title=title,
        description=_description(areas, show),
        width=WIDTH,
        height=y + FOOTER,
        plot_top=HEADER - 18,
        plot_bottom=y,
        tick_y=HEADER - 24,
        tick_bottom_y=y + 16,
        dots_axis=tuple(Tick(dots.place(v), show.integer(v)) for v in (0, 25, 50, 75, 100)),
        gap_axis=tuple(Tick(gaps.place(m), show.decimal(m, 0)) for m in marks),
        zero=gaps.place(0.0),
        headings=_headings(show),
        sides=_sides(show, y + 36, gaps.place(0.0)),
        areas=tuple(placed),
        data=_data(areas, show, title),
    )


def _headings(show: Numbers) -> tuple[Label, ...]:
    say = show.words
    return (
        Label((DOTS_LEFT + DOTS_RIGHT) / 2, 14, say("The answers, 0 to 100"), "middle"),
        Label((GAP_LEFT + GAP_RIGHT) / 2, 14, say("The gap among the institutions"), "middle"),
    )


def _sides(show: Numbers, y: float, zero: float) -> tuple[Label, ...]:
    say = show.words
    child, staff = say("children higher"), say("staff higher")
    return (
        Label(zero - 8, y, f"← {child}", "end"),
        Label(zero + 8, y, f"{staff} →"),
        Label(DOTS_LEFT, y, say("low"), "start"),
        Label(DOTS_RIGHT, y, say("high"), "end"),
    )


def _line(line: GapLine, y: float, dots: Axis, gaps: Axis, show: Numbers, *, names: bool) -> PlacedLine:
    staff = None if line.staff is None else dots.place(line.staff)
    child = None if line.child is None else dots.place(line.child)
    reason_x = DOTS_LEFT if staff is None else GAP_LEFT
    hidden = show.words("not shown") if line.staff is None else show.words("no comparison")
    reason = () if line.gap is not None else (backed(Label(reason_x, y + 4, hidden), SMALL),)
    drawn = line.gap is not None and line.low is not None and line.high is not None
    return PlacedLine(
        y=y,
        label=stack(LABELS, y, lines_of(line.label, DOTS_LEFT - 15, SIZE, most=LINES), 14),
        staff=staff,
        child=child,
        dot="" if staff is None else disc(staff, y, DOT),
        square=None if child is None else Rectangle(child - DOT, y - DOT, 2 * DOT, 2 * DOT),
        values=_values((line.staff, staff), (line.child, child), y=y, show=show),
        names=_names(staff, child, y, show) if names and staff is not None and child is not None else (),
        band=_band(line, y, gaps),
        diamond="" if line.gap is None else diamond(gaps.place(line.gap), y, 6),
        low=gaps.place(line.low) if drawn and line.low is not None else None,
        high=gaps.place(line.high) if drawn and line.high is not None else None,
        reason=reason,
        typical_staff=_stroke(line.typical_staff, y - STROKE - 2, dots),
        typical_child=_stroke(line.typical_child, y + 2, dots),
        before=None if line.before is None else _last_time(line.before, y + LAST, dots, gaps, show),
    )


def _last_time(before: LastTime, y: float, dots: Axis, gaps: Axis, show: Numbers) -> PlacedLastTime:
    """Return the marks of the round before."""
    staff = None if before.staff is None else dots.place(before.staff)
    child = None if before.child is None else dots.place(before.child)
    return PlacedLastTime(
        y=y,
        staff=staff,
        child=child,
        dot="" if staff is None else disc(staff, y, LAST_DOT),
        square=None if child is None else Rectangle(child - LAST_DOT, y - LAST_DOT, 2 * LAST_DOT, 2 * LAST_DOT),
        values=_values((before.staff, staff), (before.child, child), y=y, show=show),
        diamond="" if before.gap is None else diamond(gaps.place(before.gap), y, 5),
    )


def _stroke(value: float | None, top: float, dots: Axis) -> Rectangle | None:
    """Return the short stroke of the typical institution's value."""
    return None if value is None else Rectangle(round(dots.place(value) - 1, 1), top, 2.0, STROKE)


def _band(line: GapLine, y: float, gaps: Axis) -> Rectangle | None:
    if line.middle_low is None or line.middle_high is None:
        return None
    left, right = gaps.place(line.middle_low), gaps.place(line.middle_high)
    return Rectangle(left, y - BAND, round(right - left, 1), 2 * BAND)


def _values(*pairs: tuple[float | None, float | None], y: float, show: Numbers) -> tuple[Label, ...]:
    """Set each value on the outer side of its mark, so that near marks keep both values readable."""
    marks = [(x, v) for v, x in pairs if x is not None and v is not None]
    marks.sort()
    texts = []
    for i, (x, value) in enumerate(marks):
        outer_left = i == 0 and len(marks) == 2
        place, anchor = (x - 10, "end") if outer_left else (x + 10, "start")
        texts.append(backed(Label(place, y + 4, show.decimal(value, 0), anchor), SMALL))
    return tuple(texts)


def _names(staff: float, child: float, y: float, show: Numbers) -> tuple[Label, ...]:
    """Say over the first pair of marks which is which."""
    say = show.words
    left, right = min(staff, child), max(staff, child)
    inward = min(6.0, (right - left) / 2 - 4)  # names of near marks lean outward, so that they never meet
    first, second = ("staff", "children") if staff <= child else ("children", "staff")
    names = {"staff": say("staff"), "children": say("children")}
    return (
        backed(Label(round(left + inward, 1), y - 10, names[first], "end"), SMALL),
        backed(Label(round(right - inward, 1), y - 10, names[second], "start"), SMALL),
    )


def _description(areas: Sequence[GapArea], show: Numbers) -> str:
    """Say the figure in words, for those who cannot see it."""
    say = show.words
    parts = []
    for area in areas:
        for line in area.lines:
            if line.staff is None or line.child is None:
                parts.append(f"{line.label}: {line.reason}")
            else:
                staff, child = show.decimal(line.staff, 0), show.decimal(line.child, 0)
                parts.append(say("{dimension}: staff {staff}, children {child}", dimension=line.label, staff=staff, child=child))
            if line.before is not None and line.before.staff is not None and line.before.child is not None:
                staff, child = show.decimal(line.before.staff, 0), show.decimal(line.before.child, 0)
                parts.append(say("last time staff {staff}, children {child}", staff=staff, child=child))
    return "; ".join(parts) + "."


def _data(areas: Sequence[GapArea], show: Numbers, title: str) -> Table:
    """Return the numbers that are drawn, as exactly as they are printed."""
    say = show.words
    columns: tuple[Column, ...] = (
        Column("", numeric=False),
        Column(say("staff")),
        Column(say("children")),
        Column(say("Typical institution")),
        Column(say("The gap among the institutions")),
        Column(say("Middle half of the institutions")),
    )
    again = any(line.before is not None for area in areas for line in area.lines)
    if again:
        columns = (*columns, Column(say("Last time: staff, children")), Column(say("Last time: the gap")))
    rows: list[Row] = []
    for area in areas:
        rows.append(group_row(area.label, len(columns)))
        rows += [_data_row(line, show, again=again) for line in area.lines]
    return Table("dumbbell-data", title, columns, tuple(rows))


def _data_row(line: GapLine, show: Numbers, *, again: bool) -> Row:
    interval = "" if line.low is None else show.interval(line.low, line.high, 0)
    return Row(
        (
            cell(line.label, line.reason),
            cell(show.decimal(line.staff, 0)),
            cell(show.decimal(line.child, 0)),
            cell(_typical(line, show)),
            cell(show.decimal(line.gap, 0), interval),
            cell(show.interval(line.middle_low, line.middle_high, 0)),
            *(_last_cells(line.before, show) if again else ()),
        )
    )


def _last_cells(before: LastTime | None, show: Numbers) -> tuple[Cell, Cell]:
    if before is None:
        return cell(""), cell("")
    return cell(_both(before.staff, before.child, show)), cell(show.decimal(before.gap, 0))


def _typical(line: GapLine, show: Numbers) -> str:
    """Return the typical institution's two numbers."""
    return _both(line.typical_staff, line.typical_child, show)


def _both(staff: float | None, child: float | None, show: Numbers) -> str:
    if staff is None or child is None:
        return ""
    return show.say("{staff} and {child}", staff=show.decimal(staff, 0), child=show.decimal(child, 0))
