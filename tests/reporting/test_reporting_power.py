"""The power curves: placed by hand-made numbers, said in words, told apart without colour, in both languages."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from asp_eval.reporting.figures.axis import disc
from asp_eval.reporting.figures.drawing import svg
from asp_eval.reporting.figures.power import BOTTOM, LEFT, RIGHT, TOP, Curve, power_figure
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers

CURVES = (
    Curve("first", (0.0, 0.2, 0.4), (0.05, 0.8, 1.0), 0.2),
    Curve("second", (0.0, 0.2, 0.4), (0.05, 0.4, 0.75), 0.43, low=(0.05, 0.3, 0.6), high=(0.05, 0.5, 0.9)),
)


def drawn(language: str = "en"):
    return power_figure(CURVES, Numbers(words_for(language)), aim=0.8, title="A trial & more", note="A note.")


def test_points_lie_where_their_numbers_say():
    figure = drawn()
    first, second = figure.curves
    half = (LEFT + RIGHT) / 2
    assert (
        first.points
        == f"{LEFT:g},{BOTTOM - 0.05 * (BOTTOM - TOP):g} {half:g},{BOTTOM - 0.8 * (BOTTOM - TOP):g} {RIGHT:g},{TOP:g}"
    )
    assert first.mark == disc(half, round(BOTTOM - 0.8 * (BOTTOM - TOP), 1), 4)
    assert second.mark == ""  # beyond the axis
    assert len(second.band.split()) == 6
    assert first.band == ""


def test_lines_differ_without_colour_and_labels_do_not_overlap():
    figure = drawn()
    assert figure.curves[0].dash != figure.curves[1].dash
    lowest = max(line.y for line in figure.curves[0].label)
    assert min(line.y for line in figure.curves[1].label) >= lowest + 14


@pytest.mark.parametrize(("language", "words"), [("en", "80% power at 0.200"), ("da", "styrke på 80 % ved 0,200")])
def test_it_reads_in_both_languages_and_is_whole(language, words):
    picture = svg(drawn(language))
    ElementTree.fromstring(picture)
    assert words in picture.replace("\N{NO-BREAK SPACE}", " ")
    assert "A trial &amp; more" in picture
    assert "first: " in drawn(language).description
