"""The GAP-profile.

1. No ranks, no league tables, no verdict where none can be made.  2. Every verdict has its sentence.  3. Hidden cells are said
kindly, and nothing of them is shown.  4. All institutions share one scale.  5. Names only where the study allows.  6. The method
note says what the gap is not; the worksheet has the implementation element's words.
"""

from __future__ import annotations

from dataclasses import replace

import builders
import pytest

from asp_eval.analysis.profiles import FEW_INSTITUTIONS, NO_ANSWERS, NO_DIFFERENCES
from asp_eval.reporting.blocks import Link, plain
from asp_eval.reporting.documents.gap_profiles import gap_index, gap_profile
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.gap_caveats import caveat_fields
from asp_eval.reporting.sections.gap_index import alphabetical, index
from asp_eval.reporting.sections.gap_profile import gap_figure, gap_limit, gap_pairs, in_short, words
from asp_eval.reporting.sections.worksheet import questions, steps_table
from asp_eval.reporting.writers.html import html
from asp_eval.trial.profiles.sampling import NO_RATERS

RESULTS = builders.gap_results()
PROFILE = RESULTS.profiles[0]


def numbers(language: str = "en") -> Numbers:
    return Numbers(words_for(language))


def dimensions(language: str = "en") -> list:
    return [field for area in words(RESULTS, PROFILE, numbers(language)).parts for field in area.blocks[0].fields]


def sentences(language: str = "en") -> dict[str, tuple[str, str]]:
    return {field.label: (field.value, field.detail) for field in dimensions(language)}


def short(profile, language: str = "en") -> tuple[str, ...]:
    return in_short(gap_pairs(RESULTS, profile), words_for(language))


def test_every_verdict_has_its_sentence():
    said = sentences()
    higher = "lies higher than in most institutions."
    assert said["Self-worth"][0] == f"Seen against the children's side, the staff side {higher}"
    assert said["Play and friendship"][0] == f"Seen against the staff side, the children's side {higher}"
    assert said["Independence"][0] == "The gap is much like that of most institutions."
    assert said["Emotions"][0] == "Your gap cannot be told apart from the other institutions'."


def test_only_what_can_be_told_apart_stands_out():
    assert [field.label for field in dimensions() if field.strong] == ["Self-worth", "Play and friendship"]
    first, second, _ = short(PROFILE)
    assert "Self-worth" in first
    assert "Play and friendship" in second


def test_a_hidden_dimension_says_so_kindly_and_shows_nothing():
    sentence, numbers = sentences()["Cooperation and disagreement"]
    assert sentence == "Not shown, to protect those who answered: there are too few answers, or they are too much alike."
    assert numbers == ""


def test_a_count_that_would_reveal_people_is_left_out():
    assert sentences()["Curiosity and exploration"][1] == "9 staff"


def test_the_numbers_behind_a_sentence_have_interval_counts_and_weight():
    assert sentences()["Self-worth"][1] == "gap 21 (15 to 27) · 9 staff · 47 children · weight 62%"
    assert sentences("da")["Selvværd"][1] == "gab 21 (15 til 27) · 9 fra personalet · 47 børn · vægt 62\xa0%"


def test_where_nothing_stands_out_the_profile_says_so():
    entries = tuple(replace(e, verdict="not-distinguishable") if e.verdict else e for e in PROFILE.entries)
    (said,) = short(replace(PROFILE, entries=entries), "da")
    assert said.startswith("På ingen af kompetencerne skiller jeres gab sig mere ud")


def test_without_any_number_the_worksheet_is_still_offered():
    hidden = next(e for e in PROFILE.entries if e.dimension == "cooperation")
    entries = tuple(replace(hidden, dimension=e.dimension) for e in PROFILE.entries)
    assert short(replace(PROFILE, entries=entries)) == (
        "To protect those who answered, no numbers are shown for your institution.",
        "The worksheet can be used all the same.",
    )
    assert len(questions(words_for("en"))) == 3


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


def test_all_institutions_share_one_gap_scale():
    wide = builders.gap_profile("Anden", "inst-02")
    wide = replace(wide, entries=tuple(replace(e, conf_high=48.0) if e.conf_high else e for e in wide.entries))
    results = builders.gap_results((PROFILE, wide))
    assert gap_limit(results) == 48.0
    first, second = (gap_figure(results, p, numbers()) for p in results.profiles)
    assert first.gap_axis == second.gap_axis


@pytest.mark.parametrize(("allowed", "title"), [(True, "Solsikken"), (False, "Institution inst-01")])
def test_names_only_where_the_study_allows(allowed, title):
    assert gap_profile(replace(RESULTS, show_names=allowed), PROFILE, "da").title == title


def test_the_method_note_warns_of_what_the_gap_is_not():
    note = " ".join(f"{field.label}: {field.value}" for field in caveat_fields(RESULTS, numbers()))
    for said in ("own convention", "ranking", "same yardstick", "same staff", "smaller the next time by itself", "fewer than 5"):
        assert said in note


def test_the_covariance_note_is_printed_where_there_is_one():
    noted = replace(RESULTS, covariance_note=NO_RATERS.reason)
    assert "Det er ikke registreret" in caveat_fields(noted, numbers("da"))[-1].value


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
    _, profiles = index(links, words_for("da"))
    (items,) = profiles.blocks[0].parts
    assert [plain(item.text) for item in items.items] == ["bakken", "inst-2", "inst-10", "Æblet", "Østen", "Åen"]
    assert alphabetical("") == ()


def test_an_index_without_profiles_says_that_there_are_none():
    (only,) = index((), words_for("en"))
    assert [part.text for part in only.blocks[0].parts] == ["There are no profiles: no institution has answers at this round."]
    page = html(gap_index(replace(RESULTS, profiles=()), (), "da"))
    assert "Der er ingen profiler" in page
    assert "alfabetisk" not in page
    assert "<ul" not in page
