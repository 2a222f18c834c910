"""The GAP-profile.

1. No ranks, no league tables, no verdict where none can be made.  2. Every verdict has its sentence.  3. Hidden cells are said
kindly, and nothing of them is shown.  4. All institutions share one scale.  5. Names only where the study allows.  6. The method
note says what the gap is not; the worksheet has the implementation element's words.
"""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import builders
import pytest

from asp_eval.analysis.gap_recipients import Withheld
from asp_eval.analysis.gap_results import GapResults
from asp_eval.analysis.gap_rounds import HIDDEN_BEFORE, GapBefore
from asp_eval.analysis.gap_words import Verdict
from asp_eval.analysis.goals import Goal
from asp_eval.analysis.profiles import FEW_INSTITUTIONS, NO_ANSWERS, NO_DIFFERENCES
from asp_eval.reporting.blocks import Link, plain
from asp_eval.reporting.documents.gap_profiles import gap_index, gap_profile
from asp_eval.reporting.documents.pages import pages_of
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.gap_caveats import caveat_fields
from asp_eval.reporting.sections.gap_index import alphabetical, index
from asp_eval.reporting.sections.gap_profile import gap_figure, gap_limit, in_short, who_answered, words
from asp_eval.reporting.sections.goals_then import goals_then
from asp_eval.reporting.sections.worksheet import questions, steps_table
from asp_eval.reporting.writers.html import html
from asp_eval.trial.disclosure.limits import Limits
from asp_eval.trial.profiles.sampling import NO_RATERS

RESULTS = builders.gap_results()
PROFILE = RESULTS.profiles[0]


def numbers(language: str = "en") -> Numbers:
    return Numbers(words_for(language))


def dimensions(language: str = "en") -> list:
    return [field for area in words(RESULTS, PROFILE, numbers(language))[0].parts for field in area.blocks[0].fields]


def sentences(language: str = "en") -> dict[str, tuple[str, str]]:
    return {field.label: (field.value, field.detail) for field in dimensions(language)}


def short(profile, language: str = "en") -> tuple[str, ...]:
    return in_short(RESULTS, profile, numbers(language))


def test_every_verdict_has_its_sentence():
    said = {label: sentence for label, (sentence, _) in sentences().items()}
    higher = "lie higher than in most institutions."
    assert said["Self-worth"] == "Clear: seen against the children's side, the staff side lies higher than in most institutions."
    assert said["Play and friendship"].startswith("Clear: seen against the staff side, the children's side lies higher")
    assert said["Language"] == f"Perhaps: seen against the children's side, the staff side seems to {higher}"
    assert said["Empathy"] == f"Perhaps: seen against the staff side, the children's side seems to {higher}"
    assert said["Independence"] == "Like most: the gap lies among the middle half of the institutions."
    assert said["Emotions"].startswith("Cannot tell: ")
    assert set(get_args(Verdict)) == {e.verdict for e in PROFILE.entries if e.verdict}


def test_only_what_is_clear_stands_out():
    assert [field.label for field in dimensions() if field.strong] == ["Self-worth", "Play and friendship"]


def test_the_profile_begins_with_their_own_numbers():
    widest, narrowest, departure, staff, children = short(PROFILE)
    assert widest == (
        "You rate your own support of “Self-worth” 81 and the children 52: the widest distance of the 8 that can be shown; "
        "typically it is 8."
    )
    assert narrowest == "The narrowest is on “Empathy”: 67 and 66; typically it is 8."
    assert departure == "Allowing for chance, you differ most from the typical institution on “Self-worth”."
    assert "Self-worth" in staff
    assert "Play and friendship" in children


def test_hidden_dimensions_are_not_spoken_for():
    every = tuple(replace(e, staff=70, child=60) if e.staff is None else e for e in PROFILE.entries)
    assert "the widest distance of your 9;" in short(replace(PROFILE, entries=every))[0]
    assert "den største afstand af jeres 9 dimensioner;" in short(replace(PROFILE, entries=every), "da")[0]


def test_a_distance_against_the_typical_says_so():
    turned = tuple(replace(e, staff=20, child=80) if e.dimension == "play" else e for e in PROFILE.entries)
    assert short(replace(PROFILE, entries=turned))[0].endswith("; typically it is 8, the other way round.")


def test_where_several_departures_are_alike_none_is_named():
    said = short(replace(PROFILE, departure=""))
    assert said[2] == "No dimension sets you apart from the typical institution more than the others: several are alike."


def test_a_hidden_dimension_says_so_kindly_and_shows_nothing():
    sentence, numbers = sentences()["Cooperation and disagreement"]
    assert sentence.startswith("Not shown, to protect those who answered")
    assert numbers == ""


def test_the_numbers_behind_a_sentence_have_interval_and_weight():
    assert sentences()["Self-worth"][1] == "gap 21 (15 to 27) · weight 62%"
    assert sentences("da")["Selvværd"][1] == "gab 21 (15 til 27) · vægt 62\xa0%"


def test_without_any_number_the_worksheet_is_still_offered():
    hidden = next(e for e in PROFILE.entries if e.dimension == "cooperation")
    entries = tuple(replace(hidden, dimension=e.dimension) for e in PROFILE.entries)
    assert short(replace(PROFILE, entries=entries)) == (
        "To protect those who answered, no distance between the two sides is shown for your institution.",
        "The worksheet can be used all the same.",
    )
    alone = (replace(entries[0], child=52), *entries[1:])
    assert short(replace(PROFILE, entries=alone))[1] == "The children's side alone, 0 to 100: Self-worth 52."
    assert len(questions(words_for("en"))) == 3


def test_an_institution_of_which_all_is_hidden_is_told_so_once():
    hidden = next(e for e in PROFILE.entries if e.dimension == "cooperation")
    entries = tuple(replace(hidden, dimension=e.dimension, child=50 + i) for i, e in enumerate(PROFILE.entries))
    page = html(gap_profile(RESULTS, replace(PROFILE, entries=entries), "en"))
    seen = page.split('id="dumbbell"')[0] + page.split("</svg>")[1]
    assert seen.count("to protect those who answered") + seen.count("To protect those who answered") == 1
    assert "In words" not in page
    assert "“Clear” is said where" not in page
    assert "In words" in html(gap_profile(RESULTS, PROFILE, "en"))


def test_who_answered_is_said_in_bands():
    assert who_answered(PROFILE, numbers()) == ("Staff who answered: 5 to 9", "Children who were rated: 15 or more")
    assert who_answered(replace(PROFILE, staff_band=None), numbers("da"))[0] == "Svar fra personalet: for få til at blive vist"


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (NO_DIFFERENCES, "differ no more than chance makes them differ, so nothing can be said about yours"),
        (FEW_INSTITUTIONS, "cannot be compared with that of other institutions"),
        (NO_ANSWERS, "cannot be compared with that of other institutions"),
    ],
)
def test_a_profile_without_gaps_says_the_true_reason(reason, said):
    without = next(e for e in PROFILE.entries if e.dimension == "curiosity")
    hidden = next(e for e in PROFILE.entries if e.dimension == "cooperation")
    entries = (hidden, *(replace(without, dimension=e.dimension, reason=reason) for e in PROFILE.entries if e != hidden))
    found = " ".join(short(replace(PROFILE, entries=entries)))
    assert said in found
    assert "protect" not in found


def test_no_middle_half_is_drawn_where_institutions_do_not_differ():
    lines = {line.label[0].text: line for area in gap_figure(RESULTS, PROFILE, numbers()).areas for line in area.lines}
    assert lines["Curiosity and exploration"].band is None
    assert lines["Self-worth"].band is not None


def test_institutions_share_one_gap_scale_but_for_one_far_from_the_others():
    many = tuple(builders.gap_profile(f"Hus {n}", f"inst-{n:02}") for n in range(29))
    far = replace(PROFILE, entries=tuple(replace(e, conf_high=88) if e.conf_high else e for e in PROFILE.entries))
    results = builders.gap_results((*many, far))
    assert gap_limit(results) == gap_limit(builders.gap_results(many)) == 27
    one, other, longer = (gap_figure(results, p, numbers()) for p in (many[0], many[1], far))
    assert one.gap_axis == other.gap_axis != longer.gap_axis


def test_a_long_name_is_not_cut():
    name = "Samarbejde, uenighed, forhandling og konfliktløsning i børnegruppen på tværs af alder, stuer og afdelinger"
    results = replace(RESULTS, dimensions=tuple(replace(d, label={"en": name, "da": name}) for d in RESULTS.dimensions))
    first = gap_figure(results, PROFILE, numbers()).areas[0].lines[0]
    assert " ".join(label.text for label in first.label) == name


def test_the_typical_institution_is_marked():
    first = gap_figure(RESULTS, PROFILE, numbers()).areas[0].lines[0]
    assert first.typical_staff is not None
    assert first.typical_child is not None
    assert first.typical_staff.x > first.typical_child.x  # 70 and 62


@pytest.mark.parametrize(("allowed", "title"), [(True, "Solsikken"), (False, "Institution inst-01")])
def test_names_only_where_the_study_allows(allowed, title):
    assert gap_profile(replace(RESULTS, show_names=allowed), PROFILE, "da").title == title


def test_the_method_note_warns_of_what_the_gap_is_not():
    note = " ".join(f"{field.label}: {field.value}" for field in caveat_fields(RESULTS, PROFILE, numbers()))
    for said in (
        "own convention",
        "ranking",
        "same yardstick",
        "same staff",
        "smaller the next time by itself",
        "fewer than 5",
        "bands",
    ):
        assert said in note


def test_the_covariance_note_is_printed_where_there_is_one():
    noted = replace(RESULTS, covariance_note=NO_RATERS.reason)
    assert "Det er ikke registreret" in caveat_fields(noted, PROFILE, numbers("da"))[-1].value


def test_the_worksheet_speaks_the_implementation_elements_words():
    asked = [question.text for question in questions(words_for("da"))]
    assert asked == [
        "Hvad overraskede os?",
        "Hvilket gab vælger vi?",
        "Vores mål",
    ]
    assert [row.cells[0].text for row in steps_table(numbers("da")).rows] == ["1", "2", "3", "4"]


def test_the_index_is_alphabetical_with_danish_letters_last():
    names = ["Åen", "inst-10", "Østen", "inst-2", "Æblet", "bakken"]
    links = tuple(Link(f"{i}.html", name, "da") for i, name in enumerate(names))
    _, profiles = index(RESULTS, links, numbers("da"))
    (items,) = profiles.blocks[0].parts
    assert [plain(item.text) for item in items.items] == ["bakken", "inst-2", "inst-10", "Æblet", "Østen", "Åen"]
    assert alphabetical("") == ()


def test_an_index_without_profiles_says_that_there_are_none():
    (only,) = index(RESULTS, (), numbers())
    assert [part.text for part in only.blocks[0].parts] == ["There are no profiles: no institution has answers at this round."]
    page = html(gap_index(replace(RESULTS, profiles=()), (), "da"))
    assert "Der er ingen profiler" in page
    assert "alfabetisk" not in page
    assert "<ul" not in page


def test_the_index_says_who_is_given_none():
    called = ({"da": "Sammenligning"}, {"en": "the end", "da": "slut"})
    kept = (*(Withheld(f"r{n}", "reference", "w3", *called) for n in range(30)), Withheld("x1", "", ""))
    results = replace(RESULTS, withheld=kept)
    short_section, _ = index(results, (Link("a.html", "A", "en"),), numbers())
    said = " ".join(plain(part.text) for part in short_section.blocks[0].parts)
    assert "Institutions of the arm “Sammenligning” that are given theirs once the round “the end” has ended: 30." in said
    assert "Institutions without a profile because they were not drawn: 1." in said


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(), ""),
        (Limits(minimum_cell=8, answer_sets=20, share_of_grid=0.6, count_bands=(15,)), ""),
        (Limits(minimum_cell=3), "own: numbers are shown from 3 people (usually 5)."),
        (Limits(answer_sets=4), "own: at least 4 sets of answers must fit a printed number (usually 10)."),
        (Limits(share_of_grid=0.25), "must be left open over at least 25% of the scale (usually 50%)."),
        (Limits(count_bands=(7,)), "own: how many answered is said more narrowly than usual."),
    ],
)
def test_a_limit_that_is_looser_than_usual_is_told_and_a_stricter_is_not(limits, said):
    results = replace(RESULTS, limits=limits)
    (field,) = (f for f in caveat_fields(results, PROFILE, numbers()) if f.label == "Protection")
    assert field.value.endswith(said or "is said in bands.")
    if said:
        assert field.value.count("This study has set its limits looser") == 1


def test_a_profile_leads_to_no_other_institution():
    results = builders.gap_results((PROFILE, builders.gap_profile("Anden", "inst-02")))
    for page in pages_of(results):
        if "inst-01" in page.name:
            content = page.made().decode()
            assert "inst-02" not in content
            assert 'href="index' not in content


def second_round() -> GapResults:
    """The profile once more, with last time beside it: one dimension changed, one hidden last time, one hidden now."""
    changes = {
        "self_worth": GapBefore(62, 58, 9, 1, 12, 5, 19, "staff-higher"),
        "emotions": GapBefore(60, 50, 12, 6, -2, -8, 4, "no-change"),
        "play": GapBefore(70, 60, 4, 2, -9, -15, -3, "child-higher"),
        "empathy": GapBefore(None, None, reason=HIDDEN_BEFORE),
        "cooperation": GapBefore(58, 51, 6, 0),
    }
    entries = tuple(replace(e, before=changes.get(e.dimension)) for e in PROFILE.entries)
    return builders.gap_results(
        (replace(PROFILE, entries=entries),),
        wave="w3",
        wave_label=builders.WAVES["w3"],
        earlier_wave="w1",
        earlier_wave_label=builders.WAVES["w1"],
    )


def test_a_second_round_says_what_changed_and_what_would_have_by_itself():
    results = second_round()
    (profile,) = results.profiles
    said = in_short(results, profile, numbers())
    assert said[-2:] == (
        "Since last time (start) the staff side has come to lie higher against the children's side on: Self-worth.",
        "Since last time (start) the children's side has come to lie higher against the staff side on: Play and friendship.",
    )
    found = {f.label: (f.value, f.detail) for area in words(results, profile, numbers())[0].parts for f in area.blocks[0].fields}
    assert found["Self-worth"][0].endswith("Since last time the staff side has come to lie higher.")
    assert found["Self-worth"][1].endswith("change 12 (5 to 19)")
    assert found["Empathy"][0].endswith("Last time is not shown, to protect those who answered.")
    assert "last time" not in found["Cooperation and disagreement"][0]
    by_itself = next(f for f in caveat_fields(results, profile, numbers()) if f.label == "By itself")
    assert by_itself.value.endswith("Your distance on “Emotions” was expected to come 6 points nearer to the typical by itself.")
    assert not [f for f in caveat_fields(results, profile, numbers()) if f.label == "Next time"]


def test_last_time_is_drawn_in_outline_and_read_in_the_data():
    results = second_round()
    figure = gap_figure(results, results.profiles[0], numbers())
    lines = {line.label[0].text: line for area in figure.areas for line in area.lines}
    assert lines["Self-worth"].before.dot
    assert lines["Self-worth"].before.diamond
    assert lines["Empathy"].before.dot == ""
    assert [c.heading for c in figure.data.columns[-2:]] == ["Last time: staff, children", "Last time: the gap"]
    assert [c.text for c in figure.data.rows[1].cells[-2:]] == ["62 and 58", "9"]


def test_without_answers_of_last_time_the_page_says_so():
    results = replace(second_round(), profiles=(PROFILE,))
    assert in_short(results, PROFILE, numbers())[-1].startswith(
        "No answers of last time (start) stand under your institution's id."
    )


def test_the_goal_they_chose_stands_beside_a_second_round():
    results = second_round()
    goals = (
        Goal(1, "w1", dimension="play", aim="All can join in", partial_aim="a", how_it_went="reached"),
        Goal(2, "w1", dimension="play", aim="All can join in", partial_aim="b", how_it_went="partly"),
        Goal(3, "w3", dimension="language", aim="Of this round"),
    )
    (section,) = goals_then(results, goals, numbers())
    assert [(f.label, f.value, f.detail) for f in section.blocks[0].fields] == [
        ("Play and friendship", "All can join in", "Reached, Partly reached")
    ]
    assert goals_then(RESULTS, goals, numbers()) == ()
    page = html(gap_profile(results, results.profiles[0], "da", goals))
    assert "Det valgte I sidste gang" in page
    assert "Of this round" not in page
