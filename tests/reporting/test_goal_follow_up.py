"""The follow-up sheet: what was chosen, done and how it went, beside what the profile prints; nothing that the profile hides.

1. goals stand by dimension with their words, in both languages; 2. a hidden cell stays hidden; 3. an institution without a
profile has no sheet, and the index leads to those that have one.
"""

from __future__ import annotations

from dataclasses import replace

from asp_eval.analysis.gap_rounds import HIDDEN_BEFORE, GapBefore
from asp_eval.analysis.goals import Goal
from asp_eval.analysis.profiles import HIDDEN
from asp_eval.reporting.documents.gap_profiles import goal_follow_up
from asp_eval.reporting.documents.pages import pages_of
from asp_eval.reporting.writers.html import html
from tests.builders import gap_profile, gap_results

RESULTS = gap_results()
PROFILE = RESULTS.profiles[0]
GOALS = (
    Goal(
        1,
        "w1",
        "2006-11-20",
        "That play is low",
        "play",
        "All are asked",
        "Sit with them",
        "Two of us",
        "JH",
        "2007-03-01",
        "reached",
    ),
    Goal(2, "w1", "2006-11-20", "", "play", "All are asked", "Say what we see"),
    Goal(3, dimension="gone", aim="Quiet <b>"),
)


def page(goals=GOALS, language="en", results=RESULTS):
    return " ".join(html(goal_follow_up(results, results.profiles[0], goals, language)).split())


def test_goals_stand_by_dimension_beside_what_the_profile_prints():
    english, danish = page(), page(language="da")
    entry = next(each for each in PROFILE.entries if each.dimension == "play")
    assert f"You rated yourselves {entry.staff} and the children {entry.child}." in english
    assert f"I vurderede jer selv til {entry.staff} og børnene til {entry.child}." in danish
    assert english.count("All are asked") == 1, "the aim of two goals is said once"
    for said in ("1 March 2007", "Reached", "Sit with them", "20 November 2006", "That play is low", "Quiet &lt;b&gt;"):
        assert said in english
    for said in ("1. marts 2007", "Nået", "Delmål", "Opfølgning på mål"):
        assert said in danish
    assert "Goals not yet followed up: 2." in english


def test_what_the_profile_hides_stays_hidden():
    entries = tuple(
        replace(each, staff=None, child=None, gap=None, reason=HIDDEN) if each.dimension == "play" else each
        for each in PROFILE.entries
    )
    hidden = gap_results((replace(PROFILE, entries=entries),))
    told = page(results=hidden)
    assert "You rated yourselves" not in told
    assert "to protect those who answered" in told


def test_a_second_round_stands_beside_the_first_with_its_change():
    """Numbers of last time are those that were shown then."""
    before = GapBefore(59, 26, 33, 5, -12, -20, -4, "child-higher")
    hidden = GapBefore(None, None, reason=HIDDEN_BEFORE)

    def second(last):
        entries = tuple(replace(each, before=last) if each.dimension == "play" else each for each in PROFILE.entries)
        later = gap_results((replace(PROFILE, entries=entries),), earlier_wave="w0", earlier_wave_label={"en": "before"})
        return page(results=later)

    told = second(before)
    assert "You rated yourselves 59 and the children 26." in told
    assert "You rated yourselves 55 and the children 71." in told
    assert told.index("59 and the children") < told.index("55 and the children")
    assert "has changed by \N{MINUS SIGN}12 (\N{MINUS SIGN}20 to \N{MINUS SIGN}4), allowing for chance." in told
    assert "last time is not shown" in second(hidden).lower()
    assert "has changed by" not in second(hidden)


def test_only_an_institution_with_a_profile_and_goals_has_a_sheet():
    results = gap_results((gap_profile(), gap_profile("Other", "inst-02")))
    goals = {"inst-01": GOALS, "withheld": GOALS}
    pages = pages_of(results, ("en",), ("html",), goals=goals)
    assert [each.name for each in pages if "follow-up" in each.name] == ["gap/follow-up/inst-01.html"]
    index = pages[0].made().decode()
    assert index.count('href="follow-up/') == 1
    assert 'href="follow-up/inst-01.html"' in index
    assert not [each for each in pages_of(results, ("en",), ("html",)) if "follow-up" in each.name]
