"""GAP-profiles from two sides: shrunken gaps, verdicts, what is hidden, names.

1. The numbers of a profile are those of its parts, worked out separately.  2. Entries without a number say why.  3. Words by
posterior probability.  4. Nothing about a hidden cell can be worked out.  5. Names only where the study allows.
6. Who is given one.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gap_trials import AREAS, LABELS, entry_of, gap_plan, make_sides, make_study, profiles_of, whole

from asp_eval.analysis.gap_recipients import Withheld
from asp_eval.analysis.gap_results import GapEntry, GapResults
from asp_eval.analysis.gap_sides import dimension_labels
from asp_eval.analysis.profiles import (
    FEW_INSTITUTIONS,
    HIDDEN,
    NO_ANSWERS,
    NO_DIFFERENCES,
    gap_profiles,
    study_gap_profiles,
)
from asp_eval.core.errors import Refusal
from asp_eval.store.result_files import load, save
from asp_eval.trial.disclosure.bands import CountBand
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.references import misfits
from asp_eval.trial.study.report_plan import GapPlan

SIDES = make_sides()


@cache
def usual() -> GapResults:
    """The profiles of both sides as they are."""
    return profiles_of(*SIDES)


def of_play(staff: pd.DataFrame, children: pd.DataFrame, study: Study | None = None, **more: Any) -> GapResults:
    """The profiles of one dimension, where a test asks for no other."""
    one = [side.loc[side["dimension"] == "play"] for side in (staff, children)]
    return gap_profiles(study or make_study(), *one, dimensions=LABELS[:1], **more)


def test_the_numbers_with_equal_sizes_by_closed_form() -> None:  # 1
    staff, children = SIDES
    results = usual()
    s = staff[staff["dimension"] == "play"].groupby("institution_id")["score"]
    c = children[children["dimension"] == "play"].groupby("institution_id")["score"]
    gaps = (s.mean() - c.mean()).to_numpy()
    # With equal sizes a gap is a mean over seven people of "own score less mean given", and its variance is their mean square.
    given = children[children["dimension"] == "play"].groupby(["institution_id", "rater_id"])["score"].mean()
    own = staff[staff["dimension"] == "play"].set_index(["institution_id", "respondent_id"])["score"]
    differences = own.to_numpy().reshape(20, 7) - given.to_numpy().reshape(20, 7)
    v = differences.var(axis=1, ddof=1).mean() / 7
    tau2 = gaps.var(ddof=1) - v
    weight = tau2 / (tau2 + v)
    mean_variance = (tau2 + v) / 20
    half = 1.959963984540054 * math.sqrt((1 - weight) * tau2 + (1 - weight) ** 2 * mean_variance)
    compared = 0
    for j, gap in enumerate(gaps):
        entry = entry_of(results, f"D{j:02d}", "play")
        shrunken = weight * gap + (1 - weight) * gaps.mean()
        if entry.staff is None:
            continue  # its numbers would tell too much
        compared += 1
        assert (entry.staff, entry.child) == (whole(s.mean().iloc[j]), whole(c.mean().iloc[j]))
        assert (entry.gap, entry.weight) == (whole(shrunken), round(weight, 2))
        assert (entry.conf_low, entry.conf_high) == (whole(shrunken - half), whole(shrunken + half))
    assert compared == 20
    play = results.dimensions[0]
    expected = (
        s.mean().mean(),
        c.mean().mean(),
        gaps.mean(),
        math.sqrt(tau2),
        gaps.mean() + 0.6744897501960817 * math.sqrt(tau2),
    )
    found = (play.mean_staff, play.mean_child, play.mean_gap, play.between_sd, play.middle_high)
    assert found == tuple(round(float(value), 1) for value in expected)
    assert results.covariance_note == ""


def test_the_mean_gap_is_the_difference_of_the_means() -> None:  # 1
    staff, children = SIDES
    unequal = children.drop(children.index[(children["institution_id"] == "D03") & (children["child_id"].str[-1] < "7")])
    for dimension in profiles_of(staff, unequal).dimensions:
        assert dimension.mean_staff is not None
        assert dimension.mean_child is not None
        assert dimension.mean_gap == pytest.approx(dimension.mean_staff - dimension.mean_child, abs=0.101)  # each to a tenth


def test_most_intervals_hold_the_true_gap() -> None:  # 1
    # 95 % intervals over 300 institutions; the binomial spread of 300 draws at .95 is .013.
    rng = np.random.default_rng(8)
    own, rated, truth = [], [], []
    for j in range(300):
        gap = rng.normal(4, 6)
        truth.append(gap)
        lenient = rng.normal(0, 4, 8)
        own += [(f"D{j:03d}", f"{j}s{k}", "play", 50 + gap / 2 + lenient[k] + rng.normal(0, 7)) for k in range(8)]
        centre = 50 - gap / 2 + lenient
        rated += [(f"D{j:03d}", f"{j}c{c}", f"{j}s{c % 8}", "play", centre[c % 8] + rng.normal(0, 9)) for c in range(24)]
    staff = pd.DataFrame(own, columns=["institution_id", "respondent_id", "dimension", "score"])
    children = pd.DataFrame(rated, columns=["institution_id", "child_id", "rater_id", "dimension", "score"])
    results = gap_profiles(make_study(), staff, children, dimensions=LABELS[:1])
    entries = [profile.entries[0] for profile in results.profiles]
    assert all(e.conf_low is not None and e.conf_high is not None for e in entries)
    held = [(e.conf_low or 0) <= t <= (e.conf_high or 0) for e, t in zip(entries, truth, strict=True)]
    assert 0.91 < np.mean(held) < 0.985


def test_a_hidden_entry_has_no_number_at_all() -> None:  # 2
    staff, children = SIDES
    few = (staff["institution_id"] == "D04") & (staff["dimension"] == "play") & (staff["respondent_id"] >= "4s4")
    entry = entry_of(profiles_of(staff[~few], children), "D04", "play")
    assert entry == GapEntry("play", None, None, None, None, None, None, None, HIDDEN)


def test_the_reason_does_not_tell_which_rule_hid_it() -> None:  # 2, 4
    staff, children = SIDES
    own = staff["institution_id"] == "D04"
    assert entry_of(of_play(staff.assign(score=staff["score"].mask(own, 100.0)), children), "D04", "play").reason == HIDDEN


def test_all_alike_is_not_told_to_those_who_answered() -> None:  # 2, 4
    staff, children = SIDES
    entry = entry_of(
        of_play(staff.assign(score=staff["score"].mask(staff["institution_id"] == "D04", 50.0)), children), "D04", "play"
    )
    assert entry.staff == 50  # six others may have answered anything that adds up


def test_one_side_without_answers() -> None:  # 2
    staff, children = SIDES
    entry = entry_of(of_play(staff[staff["institution_id"] != "D04"], children), "D04", "play")
    own = children[(children["institution_id"] == "D04") & (children["dimension"] == "play")]
    assert (entry.staff, entry.gap, entry.reason) == (None, None, NO_ANSWERS)
    assert entry.child == whole(own["score"].mean())


def test_no_differences_no_claims() -> None:  # 2
    staff, children = SIDES
    cell = ["institution_id", "dimension"]
    level = [side.assign(score=60 + side["score"] - side.groupby(cell)["score"].transform("mean")) for side in (staff, children)]
    results = profiles_of(*level)
    for profile in results.profiles:
        for entry in profile.entries:
            assert (entry.gap, entry.conf_low, entry.weight, entry.verdict) == (None, None, 0.0, None)
            assert entry.reason == NO_DIFFERENCES
            assert entry.staff == pytest.approx(60)
    assert all(d.between_sd == 0 and d.middle_low == d.middle_high == d.mean_gap for d in results.dimensions)


def test_few_institutions_are_not_compared() -> None:  # 2
    results = of_play(*make_sides(institutions=4))
    entry = entry_of(results, "D01", "play")
    assert entry.staff is not None
    assert (entry.gap, entry.reason) == (None, FEW_INSTITUTIONS)
    assert results.dimensions[0].mean_gap is None


def test_without_raters_the_means_stand_and_the_gap_does_not() -> None:  # 2
    staff, children = SIDES
    results = of_play(staff, children.assign(rater_id=None))
    entry = entry_of(results, "D01", "play")
    assert entry.staff is not None
    assert entry.gap is None
    assert "who rated the children is not recorded" in entry.reason
    assert results.covariance_note == entry.reason


def test_raters_that_cannot_be_linked_are_told() -> None:
    staff, children = SIDES
    results = of_play(staff.assign(respondent_id="x" + staff["respondent_id"]), children)
    assert "recognised among the raters" in results.covariance_note
    assert entry_of(results, "D01", "play").gap is not None


def test_an_outlying_institution_is_found() -> None:  # 3
    staff, children = make_sides(between=4.0)
    children["score"] = children["score"].where(children["institution_id"] != "D07", (children["score"] - 35).clip(lower=1))
    entry = entry_of(of_play(staff, children), "D07", "play")
    assert entry.verdict == "clearly-staff-higher"


def test_nothing_about_a_hidden_cell_can_be_worked_out() -> None:  # 4
    staff, children = SIDES
    few = (staff["institution_id"] == "D04") & (staff["dimension"] == "play") & (staff["respondent_id"] >= "4s4")
    staff = staff[~few].reset_index(drop=True)
    own, theirs = ((side["institution_id"] == "D04") & (side["dimension"] == "play") for side in (staff, children))
    other = staff["score"].mask(own, staff["score"] / 2 + 7)
    rated = children["score"].mask(theirs, children["score"] / 3)
    assert profiles_of(staff, children) == profiles_of(staff.assign(score=other), children.assign(score=rated))


def test_how_many_answered_is_said_in_bands() -> None:  # 4
    staff, children = SIDES
    one = children.index[(children["institution_id"] == "D04") & (children["dimension"] == "play")][0]
    (profile,) = (p for p in of_play(staff, children.drop(one)).profiles if p.institution_id == "D04")
    assert (profile.staff_band, profile.children_band) == (CountBand(5, 9), CountBand(15, None))


def test_the_file_says_no_more_than_the_page() -> None:  # 4
    for profile in usual().profiles:
        for entry in profile.entries:
            assert all(isinstance(n, int) for n in (entry.staff, entry.child, entry.gap, entry.conf_low, entry.conf_high))


def arms_by_halves() -> dict[str, str]:
    return {f"D{j:02d}": "intervention" if j % 2 else "reference" for j in range(20)}


def test_profiles_go_to_the_arms_that_the_plan_names() -> None:  # 6
    study = make_study(gap=gap_plan(arms=["intervention"]))
    everyone, some = usual(), profiles_of(*SIDES, study=study, arms=arms_by_halves())
    assert {p.institution_id for p in some.profiles} == {f"D{j:02d}" for j in range(1, 20, 2)}
    assert some.withheld == tuple(Withheld(f"D{j:02d}", "reference", "") for j in range(0, 20, 2))
    assert some.dimensions == everyone.dimensions  # all that answered have a part in what is typical
    assert some.profiles == tuple(p for p in everyone.profiles if int(p.institution_id[1:]) % 2)


@pytest.mark.parametrize(("day", "made"), [("2008-05-31", 10), ("2008-06-01", 20)])
def test_an_arm_is_given_its_profiles_once_its_wave_has_ended(day: str, made: int) -> None:  # 6
    waves = [
        {"id": "w1", "label": {"en": "start"}},
        {"id": "w3", "label": {"en": "end"}, "from": "2008-04-01", "to": "2008-05-31"},
    ]
    study = make_study(waves=waves, gap=gap_plan(arms=["intervention"], release={"reference": "w3"}))
    results = of_play(*SIDES, study=study, arms=arms_by_halves(), today=date.fromisoformat(day))
    assert len(results.profiles) == made
    assert all(one.until == "w3" for one in results.withheld)


def test_a_release_after_a_wave_without_a_last_day_is_refused() -> None:  # 6
    found = {"waves": [{"id": "w1"}, {"id": "w3", "to": "2008-05-31"}], "gap": {"release": {"reference": "w1", "other": "w3"}}}
    assert [(misfit.fault.code, misfit.keys) for misfit in misfits(found)] == [("GAP-013", ("gap", "release", "reference"))]


def test_an_institution_that_was_not_drawn_is_given_none() -> None:  # 6
    study = make_study(gap=gap_plan(arms=["intervention"]))
    arms = {key: arm for key, arm in arms_by_halves().items() if key != "D03"}
    assert Withheld("D03", "", "") in of_play(*SIDES, study=study, arms=arms).withheld


def test_profiles_by_arm_need_the_arms() -> None:  # 6
    with pytest.raises(Refusal, match="GAP-012"):
        profiles_of(*SIDES, study=make_study(gap=gap_plan(arms=["intervention"])))


def test_the_order_of_rows_does_not_matter() -> None:
    staff, children = SIDES
    shuffled = of_play(staff.sample(frac=1, random_state=1), children.sample(frac=1, random_state=2))
    first, second = (entry_of(r, "D05", "play") for r in (usual(), shuffled))
    assert (first.gap, first.conf_low) == pytest.approx((second.gap, second.conf_low), rel=1e-9)


def test_names_only_where_the_study_allows() -> None:  # 5
    staff, children = SIDES
    names = {"D00": "Skovbrynet"}
    hidden = of_play(staff, children, names=names)
    assert {p.name for p in hidden.profiles} == {p.institution_id for p in hidden.profiles}
    shown = of_play(staff, children, make_study(privacy={"show_institution_names": True}), names=names)
    assert [p.name for p in shown.profiles][:2] == ["Skovbrynet", "D01"]
    assert shown.profiles[0].file_stem == "d00"


def test_results_survive_the_file(tmp_path: Any) -> None:
    staff, children = SIDES
    results = profiles_of(staff[staff["institution_id"] != "D04"], children)
    save(tmp_path / "gap.json", results)
    assert load(tmp_path / "gap.json", GapResults, verb="gap") == results


def test_a_study_without_a_profile_is_refused() -> None:
    with pytest.raises(Refusal, match="GAP-010"):
        profiles_of(*SIDES, study=make_study(gap=None))


def test_the_dimensions_of_the_shipped_pair() -> None:
    labels = dimension_labels(make_study(), GapPlan(staff="gap-competences-staff", child="gap-competences-child", wave="w1"))
    assert len(labels) == 9
    assert {label.area for label in labels} == {"personal", "social", "learning"}
    assert all(set(label.label) == set(label.area_label) == {"da", "en"} for label in labels)
    with pytest.raises(Refusal, match="GAP-011"):
        dimension_labels(make_study(), GapPlan(staff="gap-competences-staff", child="sdq-teacher-4-17", wave="w1"))


def test_the_sides_come_from_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    staff, children = SIDES[0], SIDES[1].copy()
    children.loc[::50, "rater_id"] = None
    scores = pd.concat(
        side.rename(columns={person: "unit_id", "dimension": "scale"}).assign(wave="w1", instrument=instrument)
        for side, person, instrument in (
            (staff, "respondent_id", "gap-competences-staff"),
            (children, "child_id", "gap-competences-child"),
        )
    )
    later = scores.assign(wave="w2", score=99.0)
    other = scores.assign(instrument="sdq-teacher-4-17", score=7.0)
    visits = children.drop_duplicates("child_id")[["child_id", "institution_id", "rater_id"]]
    tables = {
        "scores": pd.concat([scores, later, other]),
        "screening": pd.concat([visits.assign(wave="w1"), visits.assign(wave="w2", institution_id="D00")]),
        "staff_survey": staff.drop_duplicates("respondent_id")[["respondent_id", "institution_id"]].assign(wave="w1"),
        "institutions": pd.DataFrame({"institution_id": ["D00", "D01"], "name": ["Skovbrynet", None]}),
        "allocation": pd.DataFrame({"institution_id": [], "arm": []}),
        "staff": pd.DataFrame({"institution_id": ["D00"] * 9, "staff_id": [f"s{i}" for i in range(9)]}),
    }
    as_stored = {name: frame.convert_dtypes() for name, frame in tables.items()}

    def stored(_: Study, name: str, only: Mapping[str, Collection[str]] | None = None) -> pd.DataFrame:
        rows = as_stored[name]
        wanted = [rows[column].isin(list(values)) for column, values in (only or {}).items()]
        return rows.loc[np.logical_and.reduce(wanted)] if wanted else rows

    monkeypatch.setattr("asp_eval.analysis.gap_sides.table", stored)
    monkeypatch.setattr("asp_eval.analysis.profiles.one_moment", lambda _: nullcontext("as stored"))
    results = study_gap_profiles(make_study(privacy={"show_institution_names": True}))
    raters = children["child_id"].map(visits.set_index("child_id")["rater_id"])
    expected = profiles_of(staff, children.assign(rater_id=raters))
    assert results.state == "as stored"
    assert [p.name for p in results.profiles][:2] == ["Skovbrynet", "D01"]
    for institution in ("D00", "D13"):
        for dimension in AREAS:
            assert entry_of(results, institution, dimension) == entry_of(expected, institution, dimension)
    assert entry_of(results, "D00", "curiosity").reason == NO_ANSWERS


def test_labels_are_carried_through() -> None:
    staff, children = SIDES
    renamed = [replace(label, label={"en": label.key.upper()}) for label in LABELS]
    results = gap_profiles(make_study(), staff.iloc[:0], children.iloc[:0], dimensions=renamed)
    assert [d.label["en"] for d in results.dimensions] == ["PLAY", "EMPATHY", "LANGUAGE"]
