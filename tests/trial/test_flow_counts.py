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

import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.trial.flow.consort import flow_counts
from asp_eval.trial.flow.counts import ArmFlow, FlowCounts, WaveFlow
from asp_eval.trial.study.design import Study

STUDY = Study.model_validate({
    "version": 1,
    "study": {"id": "mini", "title": {"en": "Mini"}},
    "arms": ["reference", "intervention"],
    "waves": [{"id": wave, "label": {"en": wave}} for wave in ("w1", "w2", "interview")],
    "collect": {"screening": {"waves": ["w1", "w2"]}},
    "outcomes": [{"id": "y", "column": "screening.y", "role": "primary", "better": "lower", "at": "w2"}],
})  # fmt: skip
INSTITUTIONS = pd.DataFrame({"institution_id": list("ABCDE")})
ALLOCATION = pd.DataFrame({"institution_id": list("ABCD"), "arm": ["reference"] * 2 + ["intervention"] * 2})
CHILDREN = pd.DataFrame(
    [
        ("a1", "A", "cohort"), ("a2", "A", "cohort"), ("a3", "A", "cohort"), ("a4", "A", "not_eligible"), ("b1", "B", "cohort"),
        ("c1", "C", "cohort"), ("c2", "C", "joined_later"), ("d1", "D", "cohort"), ("e1", "E", "cohort"),
    ],
    columns=["child_id", "institution", "standing"],
)  # fmt: skip
VISITS = pd.DataFrame(
    [
        ("a1", "w1", "A"), ("a2", "w1", "A"), ("a4", "w1", "A"), ("b1", "w1", "B"), ("c1", "w1", "C"), ("d1", "w1", "D"),
        ("e1", "w1", "E"), ("a1", "w2", "A"), ("a2", "w2", "C"), ("a3", "w2", "A"), ("a4", "w2", "A"), ("c1", "w2", None),
        ("c2", "w2", "C"), ("d1", "w2", "B"),
    ],
    columns=["child_id", "wave", "institution_id"],
)  # fmt: skip


def test_the_flow_counted_by_hand() -> None:
    assert flow_counts(STUDY, CHILDREN, VISITS, ALLOCATION, INSTITUTIONS) == FlowCounts(
        institutions=5,
        not_drawn=1,
        children_not_drawn=1,
        arms=(
            ArmFlow("reference", institutions=2, listed=5, cohort=4, not_eligible=1, joined_later=0, waves=(
                WaveFlow("w1", institutions=2, with_data=2, without_data=0, cohort=4, screened=3, missing=1, moved=0, joined=0),
                # B's own child is absent, but the mover from D was screened there
                WaveFlow("w2", institutions=2, with_data=2, without_data=0, cohort=4, screened=3, missing=1, moved=1, joined=0),
            )),
            ArmFlow("intervention", institutions=2, listed=3, cohort=2, not_eligible=0, joined_later=1, waves=(
                WaveFlow("w1", institutions=2, with_data=2, without_data=0, cohort=2, screened=2, missing=0, moved=0, joined=0),
                WaveFlow("w2", institutions=2, with_data=1, without_data=1, cohort=2, screened=2, missing=0, moved=1, joined=1),
            )),
        ),
    )  # fmt: skip


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
    with pytest.raises(Refusal, match="FLO-001"):
        WaveFlow("w1", institutions=1, with_data=1, without_data=0, cohort=3, screened=2, missing=1, moved=3, joined=0)
    wave = WaveFlow("w1", institutions=1, with_data=1, without_data=0, cohort=3, screened=2, missing=1, moved=0, joined=0)
    with pytest.raises(Refusal, match="FLO-001"):
        ArmFlow("reference", institutions=2, listed=3, cohort=3, not_eligible=0, joined_later=0, waves=(wave,))
