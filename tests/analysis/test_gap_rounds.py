"""A second round of GAP-profiles.

1. The change of an institution, worked out separately.  2. Pure noise is announced as no change, also where the first round was
far out.  3. What the first round did not show, or nobody answered, is said in words.  4. What two rounds together would tell is
hidden.  5. Different forms, and a round that is not later, are refused.  6. An institution renamed.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gap_trials import LABELS, entry_of, gap_plan, make_sides, make_study, profiles_of, whole

from asp_eval.analysis.gap_results import GapResults
from asp_eval.analysis.gap_rounds import HIDDEN_BEFORE, NONE_BEFORE
from asp_eval.analysis.profiles import HIDDEN, NO_ANSWERS
from asp_eval.reporting.documents.gap_profiles import gap_profile
from asp_eval.reporting.writers.html import html
from asp_eval.stats.meta.true_values import true_values
from asp_eval.store.result_files import load, save
from asp_eval.trial.disclosure.bands import CountBand
from asp_eval.trial.profiles.change import NOT_RECOGNISED
from asp_eval.trial.study.references import misfits

WAVES = [{"id": "w1", "label": {"en": "start"}}, {"id": "w3", "label": {"en": "end"}}]
Sides = tuple[pd.DataFrame, pd.DataFrame]


def again(sides: Sides, seed: int, change: float = 0.0) -> Sides:
    """The same people once more: errors of measurement anew, and true gaps changed by a standard deviation of `change`."""
    rng = np.random.default_rng(seed)
    staff, children = (side.copy() for side in sides)
    staff["score"] = (staff["score"] + rng.normal(0, 5, len(staff))).clip(1, 99)
    children["score"] = (children["score"] + rng.normal(0, 9, len(children))).clip(1, 99)
    cells = staff.groupby(["institution_id", "dimension"]).ngroup()
    staff["score"] = (staff["score"] + change * rng.normal(size=cells.max() + 1)[cells]).clip(1, 99)
    return staff, children


def two_rounds(first: Sides, second: Sides, **more: Any) -> GapResults:
    study = make_study(waves=WAVES, gap=gap_plan(follow_up="w3"))
    return profiles_of(*second, study=study, earlier=first, **more)


def play(sides: Sides) -> Sides:
    """Of one dimension alone: where a test asks nothing of the others."""
    staff, children = (side.loc[side["dimension"] == "play"] for side in sides)
    return staff, children


FIRST = make_sides()
SECOND = again(FIRST, 1)


@cache
def both() -> GapResults:
    return two_rounds(FIRST, SECOND)


@cache
def first_round() -> GapResults:
    return profiles_of(*play(FIRST))


def test_the_change_by_paired_differences() -> None:  # 1
    first, second = play(FIRST), play(again(FIRST, 1, change=8.0))
    results = two_rounds(first, second)
    assert (results.wave, results.earlier_wave, results.change_note) == ("w3", "w1", "")

    def differences(sides: Sides) -> np.ndarray:
        own = sides[0].loc[sides[0]["dimension"] == "play"].set_index(["institution_id", "respondent_id"])["score"]
        given = sides[1].loc[sides[1]["dimension"] == "play"].groupby(["institution_id", "rater_id"])["score"].mean()
        return own.to_numpy().reshape(20, 7) - given.to_numpy().reshape(20, 7)

    change = differences(second) - differences(first)  # with equal sizes the change is a mean over people
    expected = true_values(change.mean(axis=1), np.full(20, change.var(axis=1, ddof=1).mean() / 7))
    low, high = expected.interval()
    for j in range(20):
        before = entry_of(results, f"D{j:02d}", "play").before
        assert before is not None
        assert before.change == whole(expected.estimates[j])
        assert (before.low, before.high) == (whole(low[j]), whole(high[j]))
        assert before.word == ("staff-higher" if before.low > 0 else "child-higher" if before.high < 0 else "no-change")
    words = {entry_of(results, f"D{j:02d}", "play").before.word for j in range(20)}
    assert words == {"staff-higher", "child-higher", "no-change"}
    assert results.dimensions[0].mean_change == round(expected.mean, 1)
    alone = profiles_of(*first)  # what stands beside a second round is what the first one showed
    for profile in alone.profiles:
        for entry in profile.entries:
            before = entry_of(results, profile.institution_id, entry.dimension).before
            assert (before.staff, before.child, before.gap) == (entry.staff, entry.child, entry.gap)


def test_pure_noise_is_announced_as_no_change() -> None:  # 2
    results = both()
    found = [entry_of(results, f"D{j:02d}", label.key) for j in range(20) for label in LABELS]
    moved = np.array([abs((e.staff - e.child) - (e.before.staff - e.before.child)) for e in found])
    assert {e.before.word for e in found} == {"no-change"}
    assert (moved >= 4).mean() > 0.05  # the plain difference would have said something


def test_the_expected_return_of_an_unusual_distance() -> None:  # 2
    results, alone = both(), first_round()
    for j in range(20):
        once, before = entry_of(alone, f"D{j:02d}", "play"), entry_of(results, f"D{j:02d}", "play").before
        assert once.weight is not None
        back = (1 - once.weight) * abs(once.staff - once.child - alone.dimensions[0].mean_gap)
        assert before.returns == pytest.approx(back, abs=1.0)


def test_what_last_time_did_not_show_is_not_shown_now() -> None:  # 3
    staff, children = FIRST
    few = (staff["institution_id"] == "D04") & (staff["respondent_id"] >= "4s4") & (staff["dimension"] == "play")
    two = ["play", "empathy"]
    second = tuple(side.loc[side["dimension"].isin(two)] for side in SECOND)
    results = two_rounds((staff.loc[~few & staff["dimension"].isin(two)], children.loc[children["dimension"].isin(two)]), second)
    before = entry_of(results, "D04", "play").before
    assert (before.staff, before.child, before.change, before.reason) == (None, None, None, HIDDEN_BEFORE)
    none = two_rounds((staff.loc[staff["dimension"] == "empathy"], children), second)
    assert entry_of(none, "D04", "play").before.reason == NONE_BEFORE
    assert entry_of(none, "D04", "empathy").before.change is not None


def test_a_dimension_nobody_answered_this_time() -> None:  # 3
    second = SECOND
    results = two_rounds(play(FIRST), (second[0].loc[second[0]["dimension"] != "play"], second[1]))
    entry = entry_of(results, "D04", "play")
    assert (entry.reason, entry.staff, entry.before.change) == (NO_ANSWERS, None, None)
    assert entry.before.staff is not None


def test_others_who_answered_are_said_to_be_others() -> None:  # 3
    staff, children = play(SECOND)
    others = staff.assign(respondent_id=staff["respondent_id"] + "x"), children.assign(rater_id=children["rater_id"] + "x")
    assert two_rounds(play(FIRST), others).change_note == NOT_RECOGNISED.reason


def test_one_who_came_between_the_rounds_is_not_told_by_subtracting() -> None:  # 4
    first = play(FIRST)
    leaver = first[0]["respondent_id"] == "4s0"
    entry = entry_of(two_rounds(first, (first[0].loc[~leaver], first[1])), "D04", "play")
    assert (entry.staff, entry.reason) == (None, HIDDEN)
    assert entry.before.staff is not None  # what was shown once stays shown
    assert entry.before.change is None


@pytest.mark.parametrize(
    ("collected", "wave", "codes"),
    [("gap-competences-staff", "w3", []), ("our-own-form", "w3", ["GAP-014"]), ("gap-competences-staff", "w1", ["GAP-015"])],
)
def test_rounds_with_different_forms_or_in_no_order_are_refused(collected: str, wave: str, codes: list[str]) -> None:  # 5
    found = {
        "waves": WAVES,
        "gap": gap_plan(follow_up=wave),
        "collect": {
            "staff_survey": [
                {"waves": ["w1"], "instruments": ["gap-competences-staff"]},
                {"waves": ["w3"], "instruments": [collected]},
            ]
        },
    }
    assert [(misfit.fault.code, misfit.keys) for misfit in misfits(found)] == [(code, ("gap", "follow_up")) for code in codes]


def test_an_institution_renamed_keeps_its_rounds_by_its_id_and_loses_them_with_another() -> None:  # 6
    study = make_study(waves=WAVES, gap=gap_plan(follow_up="w3"), privacy={"show_institution_names": True})
    first, second = play(FIRST), play(SECOND)
    results = profiles_of(*second, study=study, earlier=first, names={"D04": "Nyt Navn"})
    assert next(p.name for p in results.profiles if p.institution_id == "D04") == "Nyt Navn"
    assert entry_of(results, "D04", "play").before is not None
    other = tuple(side.assign(institution_id=side["institution_id"].replace("D04", "D99")) for side in second)
    results = profiles_of(*other, study=study, earlier=first)
    assert entry_of(results, "D99", "play").before is None
    assert (entry_of(results, "D04", "play").reason, entry_of(results, "D04", "play").before.change) == (NO_ANSWERS, None)


def test_both_rounds_survive_the_file(tmp_path: Any) -> None:
    results = both()
    save(tmp_path / "gap.json", results)
    assert load(tmp_path / "gap.json", GapResults, verb="gap") == results
    assert results.profiles[0].staff_band == CountBand(5, 9)


def test_one_member_of_staff_each_is_said_in_words() -> None:
    # As many staff as one: the children's side alone, and nothing to compare.
    staff, children = FIRST
    alone = staff.loc[staff["respondent_id"].str.endswith("s0")]
    results = profiles_of(alone, children)
    entries = [e for p in results.profiles for e in p.entries]
    assert {e.reason for e in entries} == {HIDDEN}
    assert all(e.staff is None and e.child is not None for e in entries)
    page = html(gap_profile(results, results.profiles[0], "en"))
    assert "To protect those who answered, no distance between the two sides is shown for your institution." in page
    assert "too few to be shown" in page
    assert two_rounds(play((alone, children)), play(SECOND)).profiles[0].entries[0].before.reason == HIDDEN_BEFORE


def test_where_all_answer_alike_nothing_is_claimed() -> None:
    staff, children = (side.assign(score=50.0) for side in play(FIRST))
    results = profiles_of(staff, children)
    entries = [e for p in results.profiles for e in p.entries if e.dimension == "play"]
    assert {(e.staff, e.child, e.gap) for e in entries} == {(50, 50, None)}  # that all are alike cannot be seen from a mean of 50
    page = html(gap_profile(results, results.profiles[0], "en"))
    assert "cannot be compared with that of other institutions" in page or "nothing can be said about yours" in page
    both_alike = two_rounds((staff, children), (staff, children))
    assert {e.before.word for p in both_alike.profiles for e in p.entries} <= {None, "no-change"}


def test_a_dimension_nobody_answered_is_said_in_words() -> None:
    staff, children = (side.loc[side["dimension"] != "play"] for side in FIRST)
    results = profiles_of(staff, children)
    assert entry_of(results, "D04", "play").reason == NO_ANSWERS
    assert "One of the two sides has no answers." in html(gap_profile(results, results.profiles[0], "en"))
