"""The flow of a small trial, counted by hand, and tables that contradict each other.

Institutions A, B (reference), C, D (intervention), E (not drawn).

| child | drawn in | standing | w1 | w2 |
|---|---|---|---|---|
| a1 | A | cohort | A | A |
| a2 | A | cohort | A | moved to C |
| a3 | A | cohort | - | A |
| a4 | A | not eligible | A | A |
| b1 | B | cohort | B | - |
| c1 | C | cohort | C | (no institution noted) |
| c2 | C | joined later | - | C |
| d1 | D | cohort | D | moved to B |
| e1 | E | cohort | E | - |
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.trial.flow.consort import flow_counts
from asp_eval.trial.flow.counts import ArmFlow, FlowCounts, NotScreened, Received, WaveFlow, conserve
from asp_eval.trial.flow.presence import presence
from asp_eval.trial.study.design import Study, Wave


def declared(*waves: str) -> Study:
    """A study that screens at these waves, and interviews besides."""
    return Study.model_validate(
        {
            "version": 1,
            "study": {"id": "mini", "title": {"en": "Mini"}},
            "arms": ["reference", "intervention"],
            "waves": [{"id": wave, "label": {"en": wave}} for wave in (*waves, "interview")],
            "collect": {"screening": {"waves": list(waves)}},
            "outcomes": [{"id": "y", "column": "screening.y", "role": "primary", "better": "lower", "at": "w2"}],
        }
    )


STUDY = declared("w1", "w2")
INSTITUTIONS = pd.DataFrame({"institution_id": list("ABCDE")})
ALLOCATION = pd.DataFrame({"institution_id": list("ABCD"), "arm": ["reference"] * 2 + ["intervention"] * 2})
CHILDREN = pd.DataFrame(
    [
        ("a1", "A", "cohort"),
        ("a2", "A", "cohort"),
        ("a3", "A", "cohort"),
        ("a4", "A", "not_eligible"),
        ("b1", "B", "cohort"),
        ("c1", "C", "cohort"),
        ("c2", "C", "joined_later"),
        ("d1", "D", "cohort"),
        ("e1", "E", "cohort"),
    ],
    columns=["child_id", "institution", "standing"],
)
VISITS = pd.DataFrame(
    [
        ("a1", "w1", "A"),
        ("a2", "w1", "A"),
        ("a4", "w1", "A"),
        ("b1", "w1", "B"),
        ("c1", "w1", "C"),
        ("d1", "w1", "D"),
        ("e1", "w1", "E"),
        ("a1", "w2", "A"),
        ("a2", "w2", "C"),
        ("a3", "w2", "A"),
        ("a4", "w2", "A"),
        ("c1", "w2", None),
        ("c2", "w2", "C"),
        ("d1", "w2", "B"),
    ],
    columns=["child_id", "wave", "institution_id"],
)


NOBODY = NotScreened(0, 0, 0, 0)


def wave(name: str, cohort: int, screened: int, why: NotScreened = NOBODY, **other: int) -> WaveFlow:
    """One arm of two institutions."""
    counts = {"with_data": 2, "closed": 0, "silent": 0, "institutions_lost": 0, "absent": 0, "lost": 0, "moved": 0, "crossed": 0}
    return WaveFlow(
        wave=name,
        institutions=2,
        cohort=cohort,
        screened=screened,
        not_screened=why,
        joined=other.pop("joined", 0),
        **(counts | other),
    )


def test_the_flow_counted_by_hand() -> None:
    assert flow_counts(STUDY, CHILDREN, VISITS, ALLOCATION, INSTITUTIONS) == FlowCounts(
        institutions=5,
        not_drawn=1,
        children_not_drawn=1,
        arms=(
            ArmFlow(
                "reference",
                institutions=2,
                listed=5,
                cohort=4,
                not_eligible=1,
                joined_later=0,
                waves=(
                    # a3 comes at w2: absent, and in the trial all the time
                    wave("w1", 4, 3, NotScreened(0, 0, 0, 1), absent=1),
                    # B's own child is absent, but the mover from D was screened there; a2 was seen in the other arm
                    wave("w2", 4, 3, NotScreened(0, 0, 0, 1), lost=1, moved=1, crossed=1),
                ),
            ),
            ArmFlow(
                "intervention",
                institutions=2,
                listed=3,
                cohort=2,
                not_eligible=0,
                joined_later=1,
                waves=(
                    wave("w1", 2, 2),
                    wave("w2", 2, 2, with_data=1, silent=1, institutions_lost=1, moved=1, crossed=1, joined=1),
                ),
            ),
        ),
    )


def test_why_children_were_not_screened() -> None:
    """D closes before w2 and C's children are not listed; b1 is listed at w2 without answers, a3 at w1."""
    institutions = INSTITUTIONS.assign(closed_on=pd.to_datetime([None, None, None, "2028-04-01", None]))
    visits = VISITS.loc[~((VISITS["wave"] == "w2") & VISITS["child_id"].isin(["c1", "c2", "d1", "a2"]))]
    unanswered = pd.DataFrame([("b1", "w2", "B"), ("a3", "w1", "A")], columns=visits.columns)
    there = presence(STUDY, CHILDREN, visits, pd.concat([visits, unanswered]), institutions)
    flow = flow_counts(STUDY, CHILDREN, visits, ALLOCATION, institutions, there, received={"C", "A", "X"})
    reference, intervention = flow.arms
    assert reference.waves == (
        wave("w1", 4, 3, NotScreened(0, 0, 1, 0), absent=1),
        # a2 was in A, where others were screened; nobody answered for B's child, so that B as a whole is without data
        wave("w2", 4, 2, NotScreened(0, 1, 0, 1), with_data=1, silent=1, institutions_lost=1, absent=1, lost=1),
    )
    assert intervention.waves[1] == wave(
        "w2", 2, 0, NotScreened(1, 1, 0, 0), with_data=0, closed=1, silent=1, institutions_lost=2, lost=2
    )
    assert (reference.received, intervention.received) == (Received(1, 3), Received(1, 1))


def test_closed_institutions_are_counted_by_the_reason_that_the_list_gives() -> None:
    """C and D close before w2, D for no known reason; A stands as closed but has data; B is silent, its reason of no account."""
    institutions = INSTITUTIONS.assign(
        closed_on=pd.to_datetime(["2028-04-01", None, "2028-04-01", "2028-04-01", None]),
        closed_why=["fire", "sold", " too few children ", None, None],
    )
    visits = VISITS.loc[~((VISITS["wave"] == "w2") & VISITS["child_id"].isin(["c1", "c2", "d1", "a2"]))]
    reference, intervention = flow_counts(STUDY, CHILDREN, visits, ALLOCATION, institutions).arms
    assert (intervention.waves[1].closed, intervention.waves[1].closed_why) == (2, (("too few children", 1),))
    assert (reference.waves[1].closed, reference.waves[1].closed_why) == (0, ())  # A still answered at w2
    with pytest.raises(Refusal, match="FLO-001"):
        replace(intervention.waves[1], closed_why=(("too few children", 3),))


def test_a_child_absent_midway_is_retained_all_along_and_attended_twice() -> None:
    study = declared("w1", "w2", "w3")
    visits = pd.DataFrame([("a1", "w1", "A"), ("a1", "w3", "A"), ("a2", "w1", "A")], columns=VISITS.columns)
    children = CHILDREN.iloc[:2]
    flow = flow_counts(study, children, visits, ALLOCATION, INSTITUTIONS).arms[0]
    assert [(w.screened, w.retained, w.lost) for w in flow.waves] == [(2, 2, 0), (0, 1, 1), (1, 1, 1)]
    there = presence(study, children, visits, visits, INSTITUTIONS).set_index(["child_id", "wave"])
    assert there.loc["a1", "retained"].tolist() == [True, True, True]
    assert there.loc["a1", "state"].tolist() == ["screened", "institution_silent", "screened"]
    assert there.loc["a2", "retained"].tolist() == [True, False, False]


def test_several_instruments_at_a_wave_are_one_visit() -> None:
    doubled = pd.concat([VISITS, VISITS.assign(institution_id=None)])
    assert flow_counts(STUDY, CHILDREN, doubled, ALLOCATION, INSTITUTIONS) == flow_counts(
        STUDY, CHILDREN, VISITS, ALLOCATION, INSTITUTIONS
    )


def test_a_trial_before_its_field_work() -> None:
    flow = flow_counts(STUDY, CHILDREN.iloc[:0], VISITS.iloc[:0], ALLOCATION, INSTITUTIONS)
    assert [(arm.institutions, arm.listed) for arm in flow.arms] == [(2, 0), (2, 0)]
    assert all(wave.without_data == 2 for arm in flow.arms for wave in arm.waves)


def test_contradictions_are_told_all_at_once() -> None:
    allocation = pd.DataFrame({"institution_id": ["A", "A", "X"], "arm": ["reference", "control", "intervention"]})
    with pytest.raises(DataProblems) as caught:
        flow_counts(STUDY, CHILDREN, VISITS, allocation, INSTITUTIONS)
    assert sorted(p.code for p in caught.value.problems) == ["FLO-002", "FLO-003", "FLO-004"]


def test_a_child_listed_twice_or_without_standing_is_refused() -> None:
    twice = pd.concat([CHILDREN, CHILDREN.iloc[:1]]).assign(standing="guest")
    with pytest.raises(DataProblems) as caught:
        flow_counts(STUDY, twice, VISITS, ALLOCATION, INSTITUTIONS)
    assert sorted(p.code for p in caught.value.problems) == ["FLO-005", "FLO-006"]


def test_a_flow_that_does_not_add_up_cannot_be_made() -> None:
    with pytest.raises(Refusal, match="FLO-001"):
        FlowCounts(institutions=3, not_drawn=1, arms=())
    good = wave("w1", 3, 2, NotScreened(0, 0, 1, 0), lost=1)
    broken = (
        {"with_data": 1},
        {"institutions_lost": 1},
        {"screened": 1},
        {"lost": 2},
        {"moved": 3},
        {"crossed": 1},
        {"not_screened": NOBODY},
    )
    for change in broken:
        with pytest.raises(Refusal, match="FLO-001"):
            replace(good, **change)
    for arm in ({"institutions": 1}, {"listed": 4}, {"received": Received(3, 1)}, {"received": Received(1, 4)}):
        with pytest.raises(Refusal, match="FLO-001"):
            ArmFlow(
                **(
                    {
                        "arm": "reference",
                        "institutions": 2,
                        "listed": 3,
                        "cohort": 3,
                        "not_eligible": 0,
                        "joined_later": 0,
                        "waves": (good,),
                    }
                    | arm
                )
            )


def test_a_refusal_names_the_box_and_both_sums() -> None:
    with pytest.raises(Refusal) as caught:
        conserve("children at w2", 7, screened=4, not_screened=2)
    said = "the flow does not add up: children at w2 counts 7, and what leaves it counts 6 (screened 4, not screened 2)"
    assert said in str(caught.value)


@pytest.mark.parametrize(("closed_on", "state"), [("2028-05-31", "institution_closed"), ("2028-06-01", "institution_silent")])
def test_an_institution_is_closed_if_it_was_by_the_last_day_of_the_wave(closed_on: str, state: str) -> None:
    waves = [{"id": "w1", "label": {"en": "w1"}}, {"id": "w2", "label": {"en": "w2"}, "from": "2028-05-01", "to": "2028-05-31"}]
    study = STUDY.model_copy(update={"waves": tuple(Wave.model_validate(wave) for wave in waves)})
    institutions = INSTITUTIONS.assign(closed_on=pd.to_datetime([None, closed_on, None, None, None]))
    visits = VISITS.loc[VISITS["child_id"] != "d1"]
    there = presence(study, CHILDREN, visits, visits, institutions).set_index(["child_id", "wave"])
    assert there.loc[("b1", "w2"), "state"] == state


@pytest.mark.parametrize(("drawn_on", "left_out"), [(None, ()), (date(2027, 5, 31), ()), (date(2027, 6, 1), ("E",))])
def test_who_had_closed_by_the_draw_is_told_apart(drawn_on: date | None, left_out: tuple[str, ...]) -> None:
    listed = INSTITUTIONS.assign(
        closed_on=["2027-01-01", None, None, None, "2027-06-01"], closed_why=[None, None, None, None, "merged"]
    )
    flow = flow_counts(STUDY, CHILDREN, VISITS, ALLOCATION, listed, drawn_on=drawn_on)
    assert flow.not_drawn == 1 and tuple(one.institution for one in flow.left_out) == left_out  # A has an arm, whenever it closed
    assert [str(one.reason) for one in flow.left_out] == ["closed on 2027-06-01: merged"] * len(left_out)
