"""Figures: coordinates by hand.

1. Axes hold zero and end on marks.  2. The forest plot says on each side whom it favours, by the outcome's direction.
3. The flow's boxes hold their text and follow one another.  4. The dumbbell plot puts both marks, the gap and the middle half
where arithmetic puts them, and tells the sides apart without colour.  5. What has no number has no mark.
6. The arms' way through the waves: means and intervals in their places, arms told apart without colour and named at their ends.
7. Rows of dots: marks, intervals, points and named lines on one axis.  8. The map of who was missing: greys by share.
9. The histogram under the lot: bars as high as their counts, what is as far from zero dark, and the observed value beyond them.
10. Rows with a mark for every arm: marks at their numbers, arms told apart by shape and fill, no name cut, no number no mark.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.analysis.declared_results import LotBin, LotDistribution
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.reporting.figures.arm_marks import MarkGroup, arm_marks
from asp_eval.reporting.figures.axis import CHARACTER_WIDTH, Axis, lines_of, nice_axis
from asp_eval.reporting.figures.dots import DotRow, dots_figure
from asp_eval.reporting.figures.dumbbell import DOT, DOTS_LEFT, DOTS_RIGHT, GapArea, GapLine, dumbbell
from asp_eval.reporting.figures.flow import FlowBox, flow_figure
from asp_eval.reporting.figures.forest import SMALL, WIDTH, ForestEntry, forest
from asp_eval.reporting.figures.histogram import BOTTOM as GROUND
from asp_eval.reporting.figures.histogram import LEFT as FIRST
from asp_eval.reporting.figures.histogram import RIGHT as LAST
from asp_eval.reporting.figures.histogram import TOP as CEILING
from asp_eval.reporting.figures.histogram import lot_histogram
from asp_eval.reporting.figures.missing_map import STEPS, MapArm, missing_map
from asp_eval.reporting.figures.trajectory import PLOT, TOP, ArmMean, trajectory_figure
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.templates import templates
from asp_eval.reporting.theme import contrast_with_white

EN = Numbers(words_for("en"))


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4))
def test_an_axis_holds_its_values_and_zero(low, span):
    axis, marks = nice_axis(low, low + span, 0, 100)
    close = 1e-6 * (marks[1] - marks[0])
    assert axis.low <= min(low, 0) + close
    assert axis.high >= max(low + span, 0) - close
    assert 0.0 in marks
    assert 2 <= len(marks) <= 14
    assert (marks[0], marks[-1]) == (axis.low, axis.high)


def test_places_are_linear_and_stay_on_the_axis():
    axis = Axis(-0.4, 0.4, 225, 565)
    assert [axis.place(v) for v in (-0.4, 0.0, 0.2, 0.4, 9.0)] == [225, 395, 480, 565, 565]


def test_long_labels_break_and_end_in_an_ellipsis():
    lines = lines_of("Kognitive kompetencer og læring i hverdagens små og store sammenhænge", 120, 13)
    assert len(lines) == 2
    assert lines[-1].endswith("…")
    assert lines_of("", 120, 13) == ("",)


def effects(*entries: ForestEntry):
    return forest(
        entries,
        EN,
        arms=("the reference arm", "the intervention arm"),
        axis_title="SD",
        title="Estimated effects with their intervals",
    )


def said(labels) -> str:
    return " ".join(label.text for label in labels)


@pytest.mark.parametrize("value", [-0.4, 0.4])
def test_the_words_of_both_sides_of_a_forest_plot_stay_in_it(value):
    entries = [ForestEntry("y", "lower", value, value - 0.2, value + 0.2)]
    arms = ("the arm usual support, enhanced by visits", "the arm programme of twelve months with a coach")
    (group,) = forest(entries, EN, arms=arms, axis_title="SD", title="T").groups
    assert said(group.left) == f"← favours {arms[1]}" and said(group.right) == f"favours {arms[0]} →"
    for label in (*group.left, *group.right):
        width = len(label.text) * SMALL * CHARACTER_WIDTH
        assert (label.x >= width) if label.anchor == "end" else (label.x + width <= WIDTH)
        assert label.y < group.rule_y


def test_a_forest_plot_says_whom_each_side_favours_by_the_direction_of_the_outcome():
    figure = effects(ForestEntry("Prosocial", "higher", 0.1, 0.0, 0.2), ForestEntry("Conduct", "lower", -0.2, -0.34, -0.06))
    lower, higher = figure.groups
    assert lower.heading.text == "Lower is better"
    assert (said(lower.left), said(lower.right)) == ("← favours the intervention arm", "favours the reference arm →")
    assert (said(higher.left), said(higher.right)) == ("← favours the reference arm", "favours the intervention arm →")


def test_marks_stand_at_their_values_and_the_null_line_at_zero():
    figure = effects(ForestEntry("Conduct", "lower", -0.2, -0.4, 0.0), ForestEntry("Peer", "lower", 0.1, 0.0, 0.2))
    conduct, peer = figure.groups[0].rows
    third = (figure.plot_right - figure.plot_left) / 6  # the axis runs from -0.4 to 0.2 in six steps of 0.1
    assert figure.zero == pytest.approx(figure.plot_left + 4 * third, abs=0.06)
    assert conduct.low == figure.plot_left
    assert conduct.high == figure.zero
    assert float(conduct.diamond.split()[1].split(",")[0]) == pytest.approx(figure.plot_left + 2 * third, abs=0.06)
    assert peer.high == figure.plot_right
    assert [tick.label for tick in figure.ticks] == ["−0.4", "−0.3", "−0.2", "−0.1", "0.0", "0.1", "0.2"]


def test_an_effect_without_a_number_has_a_reason_and_no_mark():
    figure = effects(ForestEntry("Impact", "lower", None, None, None, "the outcome does not vary"))
    row = figure.groups[0].rows[0]
    assert (row.diamond, row.low, row.high) == ("", None, None)
    assert " ".join(line.text for line in row.value) == "the outcome does not vary"
    assert "the outcome does not vary" in figure.description


def test_names_that_part_at_their_end_are_told_apart_and_their_rows_hold_them():
    long = "The well-being of children in daycare at the end of the second year, course for staff"
    figure = effects(
        *(ForestEntry(f"{long}{more}", "lower", -0.2, -0.4, 0.0) for more in ("", ", and supervision every other week"))
    )
    one, two = (" ".join(line.text for line in row.label) for row in figure.groups[0].rows)
    assert one == long and two.endswith("supervision every other week")
    first, second = figure.groups[0].rows
    assert first.label[-1].y < second.label[0].y - 13 and second.label[-1].y < figure.axis_y


def test_an_effect_without_an_interval_still_has_its_mark():
    row = effects(ForestEntry("Conduct", "lower", -0.2, None, None)).groups[0].rows[0]
    assert row.diamond
    assert row.low is None


@pytest.mark.parametrize("arms", [2, 3])
def test_boxes_of_the_flow_hold_their_text_and_do_not_overlap(arms):
    long = "30 institutions with data and a good many more words than fit on a single line of the box"
    named = FlowBox("Assigned to: " + "usual practice in daycare " * 2, ("30 institutions",))
    stages = [[named, FlowBox("Screened", (long,)), FlowBox("Analysed", ("1,226",))]] * arms
    figure = flow_figure(FlowBox("All", ("60 institutions",)), stages, title="Flow", description="In words.")
    assert len(figure.boxes) == 1 + 3 * arms
    assert len(figure.arrows) == 3 * arms
    for box in figure.boxes:
        assert box.x >= 0
        assert box.x + box.width <= figure.width + 0.1
        assert all(box.y < text.y < box.y + box.height for text in (*box.heading, *box.lines))
        assert max(len(text.text) for text in (*box.heading, *box.lines)) * 13 * 0.56 <= box.width
    column = [box for box in figure.boxes[1:] if box.x == figure.boxes[1].x]
    assert len(column) == 3
    assert all(one.y + one.height < two.y for one, two in pairwise(column))
    assert column[-1].y + column[-1].height < figure.height


def profile(*lines: GapLine, limit: float = 20.0):
    return dumbbell([GapArea("Social", lines)], EN, limit=limit, title="GAP-profile")


def test_marks_of_the_dumbbell_stand_where_arithmetic_puts_them():
    figure = profile(GapLine("Play", 75.0, 50.0, 10.0, 5.0, 15.0, -5.0, 5.0))
    line = figure.areas[0].lines[0]
    width = DOTS_RIGHT - DOTS_LEFT
    assert line.staff == pytest.approx(DOTS_LEFT + 0.75 * width, abs=0.06)
    assert line.square.x + DOT == pytest.approx(DOTS_LEFT + 0.5 * width, abs=0.06)
    per_point = (figure.gap_axis[-1].x - figure.zero) / 20
    assert line.low == pytest.approx(figure.zero + 5 * per_point, abs=0.1)
    assert line.high == pytest.approx(figure.zero + 15 * per_point, abs=0.1)
    assert float(line.diamond.split()[1].split(",")[0]) == pytest.approx(figure.zero + 10 * per_point, abs=0.1)
    assert line.band.x == pytest.approx(figure.zero - 5 * per_point, abs=0.1)
    assert line.band.width == pytest.approx(10 * per_point, abs=0.2)


@pytest.mark.parametrize(("staff", "child", "order"), [(75.0, 50.0, ["children", "staff"]), (40.0, 60.0, ["staff", "children"])])
def test_the_first_pair_of_marks_is_named_directly_on_the_outer_sides(staff, child, order):
    first, second = (
        profile(
            GapLine("Play", staff, child, 1.0, 0.0, 2.0, None, None), GapLine("Empathy", 60.0, 61.0, 1.0, 0.0, 2.0, None, None)
        )
        .areas[0]
        .lines
    )
    assert [text.text for text in sorted(first.names, key=lambda text: text.x)] == order
    assert second.names == ()
    left, right = sorted(first.values, key=lambda text: text.x)
    assert (left.anchor, right.anchor) == ("end", "start")
    assert (left.text, right.text) == (str(int(min(staff, child))), str(int(max(staff, child))))


@given(st.floats(1, 99), st.floats(-3, 3))
def test_names_of_near_marks_never_meet(staff, apart):
    child = min(max(staff + apart, 0.0), 100.0)
    names = profile(GapLine("Play", staff, child, 1.0, 0.0, 2.0, None, None)).areas[0].lines[0].names
    left, right = sorted(names, key=lambda text: text.x)
    assert (left.anchor, right.anchor) == ("end", "start")
    assert right.x - left.x >= 6


def test_a_hidden_dimension_has_no_marks_and_says_so():
    figure = profile(GapLine("Play", None, None, None, None, None, -5.0, 5.0, "too few"))
    line = figure.areas[0].lines[0]
    assert (line.staff, line.child, line.square, line.diamond, line.low, line.values) == (None, None, None, "", None, ())
    assert [text.text for text in line.reason] == ["not shown"]
    assert "Play: too few" in figure.description


def test_without_a_comparison_the_two_marks_stay_and_the_gap_is_left_out():
    line = profile(GapLine("Play", 60.0, 50.0, None, None, None, None, None, "no differences")).areas[0].lines[0]
    assert line.staff is not None
    assert (line.diamond, line.band) == ("", None)
    assert [text.text for text in line.reason] == ["no comparison"]


def test_marks_stand_out_from_white_also_in_grey():
    """Lines and edges that mean something have a contrast of 3 at least, as WCAG 2.2, 1.4.11 asks; a print in grey keeps it."""
    template = (Path(templates().loader.searchpath[0]) / "figures" / "text.svg.j2").read_text(encoding="utf-8")
    colours = dict(re.findall(r'"(\w+)": "(#[0-9a-f]{6})"', template))
    behind = {"rule", "hair", "band", "white"}  # grid lines, and areas with an edge
    assert set(colours) > behind
    pale = {name: contrast_with_white(colour) for name, colour in colours.items() if name not in behind}
    assert min(pale.values()) >= 3, pale


def way(*arms):
    means = [[ArmMean(*mean) for mean in each] for each in arms]
    named = list(zip(("those who waited", "those who had it"), means, strict=True))
    return trajectory_figure(["start", "midway"], named, EN, key="trajectory--y", title="Score")


def test_the_arms_way_through_the_waves():  # 6
    figure = way([(3.0, 2.0, 4.0), (2.0, 1.0, 3.0)], [(3.0, 2.0, 4.0), (1.5, 1.0, 2.0)])
    waited, had = figure.lines
    bottom = TOP + PLOT
    heights = [bottom + (value - 1.0) / 3.0 * (TOP - bottom) for value in (3.0, 2.0)]
    assert [float(point.split(",")[1]) for point in waited.points.split()] == pytest.approx(heights, abs=0.06)
    assert waited.bars[0][1:] == pytest.approx((bottom + (TOP - bottom) / 3.0, TOP), abs=0.06)
    assert (
        (waited.dash, waited.sign.filled, waited.warm) == ("none", False, True)
        and had.dash != "none"
        and had.bars[0][0] > waited.bars[0][0]
    )
    assert had.name[0].y > waited.name[0].y  # lower at its end
    assert "those who had it: start 3.00 (2.00 to 4.00); midway 1.50 (1.00 to 2.00)" in figure.description
    assert [row.cells[0].text for row in figure.data.rows] == ["start", "midway"]
    assert templates().get_template("figures/trajectory.svg.j2").render(figure=figure).count("<path") == 8


def test_names_of_arms_that_end_alike_do_not_meet_and_a_wave_without_a_mean_has_no_mark():  # 5, 6
    figure = way([(3.0, 2.0, 4.0), (None, None, None)], [(3.0, 2.0, 4.0), (3.0, 2.5, 3.5)])
    first, second = figure.lines
    assert len(first.marks) == 1 and len(second.marks) == 2
    assert abs(first.name[0].y - second.name[0].y) >= 15


def test_rows_of_dots_stand_on_one_axis_with_what_they_are_held_against():
    rows = (DotRow("A", 0.5, 0.25, 0.75, points=(0.0, 1.0)), DotRow("B", None, reason="not available: why"))
    figure = dots_figure(rows, EN, key="dots--x", title="T", axis_title="unit", held_against=[("planned", 0.5)], zero=True)
    first, second = figure.rows
    middle = (figure.plot_left + figure.plot_right) / 2
    assert (first.low, first.high) == (middle - 85.0, middle + 85.0)  # a quarter of 340 on each side
    assert first.diamond.split(" ")[1].startswith(f"{middle:g},") and figure.lines[0].x == middle
    assert first.points[0].startswith(f"M{figure.plot_left - 3.2:g},") and len(first.points) == 2
    assert second.diamond == "" and second.low is None
    assert figure.description == "planned: 0.50; A: 0.50 (0.25 to 0.75); B: not available: why."
    assert [cell.text for cell in figure.data.rows[1].cells] == ["A", "0.50", "0.00; 1.00"]


def test_the_map_of_who_was_missing_holds_the_shares_in_greys_of_their_size():
    figure = missing_map(
        (MapArm("A", (("moved", (0.0, 0.10)), ("ill", (0.5, 0.04)))),), ("one", "two"), EN, key="missing-map", title="T"
    )
    greys = dict(STEPS)
    assert [square.fill for square in figure.squares] == [greys[0.0], greys[0.15], greys[1.0], greys[0.05]]
    assert [square.share.text for square in figure.squares] == ["0.0%", "10.0%", "50.0%", "4.0%"]
    light = [sum(int(fill[i : i + 2], 16) for i in (1, 3, 5)) for _, fill in STEPS]
    assert light == sorted(light, reverse=True)  # legible in grey: the darker, the more
    assert figure.description == "A. moved: one 0.0%, two 10.0%; ill: one 50.0%, two 4.0%."
    assert [cell.text for cell in figure.data.rows[1].cells] == ["moved", "0.0%", "10.0%"]


def test_the_histogram_under_the_lot_has_its_bars_and_the_observed_value_in_place():  # 9
    bins = (LotBin(-2.0, -1.0, 1, 1), LotBin(-1.0, 0.0, 100, 0), LotBin(1.0, 2.0, 50, 20))
    lot = LotDistribution("b", "model", -3.5, 0.15, 153, 23, False, 2, bins)
    figure = lot_histogram(lot, EN, key="histogram--x", title="T", description="In words.", axis_title="t")
    unit, high = (LAST - FIRST) / 8, GROUND - CEILING  # the axis runs from -4 to 4 by the observed value, up to 100
    assert [bar.x for bar in figure.bars] == pytest.approx([FIRST + k * unit for k in (2, 3, 5)], abs=0.06)
    assert [bar.height for bar in figure.bars] == pytest.approx([0.01 * high, high, 0.5 * high], abs=0.06)
    assert [bar.height for bar in figure.dark] == pytest.approx([0.01 * high, 0.2 * high], abs=0.06)
    assert all(bar.y + bar.height == pytest.approx(GROUND) for bar in (*figure.bars, *figure.dark))
    assert (figure.observed_x, figure.mirror_x) == pytest.approx((FIRST + 0.5 * unit, FIRST + 7.5 * unit), abs=0.06)
    assert figure.observed.text == "observed: −3.50" and figure.legend.text.endswith("(23)")
    rows = [tuple(each.text for each in row.cells) for row in figure.data.rows]
    assert rows[2:] == [("1.00 to 2.00", "50", "20"), ("cannot be had", "2", "2"), ("observed", "−3.50", "")]
    assert templates().get_template("figures/histogram.svg.j2").render(figure=figure).count("<rect") == 7  # page, label, bars


LONG = "Ressourcer til at undersøge, om ideen kan bæres af personalet, forældrene og kommunen, og hvad den koster i det lange løb"
GONE = Unavailable(Phrase("fewer than {n} members of staff of an arm answered", n=5))


def of_arms(*rows, arms=("waited", "had it")):
    return arm_marks([MarkGroup("G", rows)], arms, EN, key="arm-marks--x", title="T", axis_title="mean", ends=(0.0, 100.0))


def test_every_arm_has_a_mark_of_its_own_shape_at_its_number():  # 10
    figure = of_arms(("A", (25.0, 75.4)), ("B", (50.0, 50.0)))
    width = figure.plot_right - figure.plot_left
    first, second, third, fourth = figure.marks
    assert first.path.startswith(f"M{figure.plot_left + 0.25 * width - 4.5:g},")  # a circle begins at its left end
    assert second.path.startswith(f"M{round(figure.plot_left + 0.754 * width, 1) - 6:g},")  # a diamond too
    assert (first.filled, second.filled) == (False, True)
    heights = [float(mark.path.split(",")[1].split("a")[0].split(" ")[0]) for mark in (third, fourth)]
    assert heights[1] - heights[0] == 9.0  # arms that are alike do not hide each other
    assert [label.text for label in figure.numbers] == ["25", "75", "50", "50"]
    assert figure.description == "G. A: 25 (waited), 75 (had it); B: 50 (waited), 50 (had it)."
    assert [cell.text for cell in figure.data.rows[1].cells] == ["A", "25", "75"]
    drawing = templates().get_template("figures/arm-marks.svg.j2").render(figure=figure)
    assert drawing.count("<path") == 4 + 2 + 2  # marks, one sign in the key and one over each column of numbers


def test_marks_of_six_arms_differ_in_shape_or_fill():  # 10
    figure = of_arms(("A", (50.0,) * 6), arms="abcdef")
    assert len({(re.sub(r"[\d.]+", "", mark.path), mark.filled) for mark in figure.marks}) == 6
    assert [label.x for label in figure.numbers] == sorted(label.x for label in figure.numbers)
    assert figure.numbers[-1].x < figure.width - 10


def test_what_is_hidden_has_no_mark_and_its_reason_in_words():  # 5, 10
    figure = of_arms(("A", (GONE, 40.0)), ("B", (None, 60.0)))
    assert len(figure.marks) == 2 and all(mark.filled for mark in figure.marks)
    assert [label.text for label in figure.numbers] == ["–", "40", "–", "60"]
    assert "A: not available: fewer than 5 members of staff of an arm answered (waited), 40 (had it)" in figure.description
    assert figure.data.rows[1].cells[1].text.startswith("not available: fewer than 5")


def test_long_names_of_rows_and_arms_are_whole_and_do_not_meet():  # 10
    figure = of_arms((LONG, (1.0, 2.0)), (LONG + " igen", (1.0, 2.0)), arms=(LONG, "had it"))
    written = " ".join(label.text for label in figure.labels)
    assert written == f"{LONG} {LONG} igen"
    assert " ".join(label.text for label in figure.arms) == f"{LONG} had it"
    heights = [label.y for label in (*figure.arms, *figure.headings, *figure.labels)]
    assert all(b - a >= 14 for a, b in pairwise(heights)) and heights[-1] < figure.axis_y
