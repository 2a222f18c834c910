"""The municipality's sheet: how its institutions lie, as dots without a name, who answered, and which sheets show nothing."""

from __future__ import annotations

from asp_eval.analysis.gap_municipalities import FEWEST_DOTS
from asp_eval.analysis.gap_results import GapResults, Municipality
from asp_eval.reporting.blocks import Field, Fields, Section, paragraphs
from asp_eval.reporting.figures.drawing import drawn
from asp_eval.reporting.figures.institution_dots import DotFigure, DotRow, dot_rows
from asp_eval.reporting.language import as_sentence
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.gap_profile import band_words


def municipality(results: GapResults, sheet: Municipality, show: Numbers) -> tuple[Section, ...]:
    """Return the sheet of one municipality."""
    say = show.words
    intro = paragraphs(
        say(
            "For {n} institutions: how far staff's rating of their own competence lies from their rating of the children's, "
            "without names and without an order. What a gap is worth is for the institutions to say, with their own profile.",
            n=show.integer(sheet.institutions),
        ),
        say("A dot far out is no verdict. With few answers chance alone puts dots far out: see the second picture."),
    )
    sections = [
        Section("short", "", (intro,)),
        Section("distribution", say("The gaps"), (drawn(distribution(results, sheet, show)), _how_to_read(show))),
    ]
    if sheet.funnel:
        sections.append(Section("funnel", say("How far chance reaches"), (drawn(funnel(sheet, show)), _about_funnel(show))))
    return (*sections, Section("answers", say("Who answered"), (answers(sheet, show),)))


def distribution(results: GapResults, sheet: Municipality, show: Numbers) -> DotFigure:
    """Return a row of dots for each dimension that can be compared."""
    say = show.words
    labels = {d.key: d for d in results.dimensions}
    few = say("no dots: fewer than {n} institutions here, or elsewhere", n=show.integer(FEWEST_DOTS))
    rows = [
        DotRow(
            say.label(labels[each.dimension].label, each.dimension),
            each.gaps,
            labels[each.dimension].middle_low,
            labels[each.dimension].middle_high,
            few,
        )
        for each in sheet.dimensions
    ]
    return dot_rows(
        rows,
        show,
        key="institution-dots--gaps",
        title=say("The gap of each institution, drawn towards the typical"),
        sides=(say("children higher"), say("staff higher")),
        usual=say("Middle half of the institutions"),
    )


def funnel(sheet: Municipality, show: Numbers) -> DotFigure:
    """Return a row of dots for each group of institutions in which about as many staff answered."""
    say = show.words
    rows = [
        DotRow(say("{n} staff", n=band_words(each.staff, show)), each.distances, -each.limit, each.limit) for each in sheet.funnel
    ]
    return dot_rows(
        rows,
        show,
        key="institution-dots--funnel",
        title=say("Distance from the typical by how many staff answered, all dimensions together"),
        sides=(say("children higher than typical"), say("staff higher than typical")),
        usual=say("95 in 100 lie here"),
    )


def answers(sheet: Municipality, show: Numbers) -> Fields:
    """Return response rates, and which sheets show nothing and why."""
    say = show.words
    fields = [
        Field(say("Staff who answered, of those listed"), _percent(sheet.staff_rate, show)),
        Field(say("Children rated, of those seen"), _percent(sheet.child_rate, show)),
    ]
    for each in sheet.without_numbers:
        n = show.integer(each.institutions)
        count = say.plural("{n} sheet without numbers", "{n} sheets without numbers", each.institutions, n=n)
        fields.append(Field(count, as_sentence(say.note(each.reason)), ", ".join(each.names)))
    if not sheet.without_numbers:
        fields.append(Field(say("Sheets without numbers"), say("None.")))
    return Fields(tuple(fields))


def _percent(rate: int | None, show: Numbers) -> str:
    if rate is None:
        return show.words("not shown, or not known")
    return show.percent(rate / 100, 0)


def _how_to_read(show: Numbers) -> Fields:
    say = show.words
    return Fields(
        (
            Field(say("A dot"), say("One institution: the gap that its own profile shows. Equal gaps are stacked.")),
            Field(say("The grey bar"), say("The middle half of all institutions in the study.")),
            Field(
                say("No dots"),
                say(
                    "Fewer than {n} institutions can be shown here, or fewer than {n} but some elsewhere, so that theirs could "
                    "be worked out by subtracting.",
                    n=show.integer(FEWEST_DOTS),
                ),
            ),
        ),
        "run-in",
    )


def _about_funnel(show: Numbers) -> Fields:
    say = show.words
    return Fields(
        (
            Field(say("A dot"), say("One institution on one dimension: its plain distance less the typical one.")),
            Field(
                say("The grey bar"),
                say(
                    "Where 95 in 100 dots lie if institutions differ as they do and chance is as large as with so many answers. "
                    "The fewer answers, the wider. A dot outside is worth asking about, not a fault.",
                ),
            ),
        ),
        "run-in",
    )
