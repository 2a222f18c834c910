"""For any tables, the boxes of the flow add up, and agree with plain counting."""

from __future__ import annotations

import pandas as pd
from examples import part_of_examples
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.trial.flow.attrition import ArmRetention, Attrition, attrition, trial_attrition
from asp_eval.trial.flow.consort import STANDINGS, flow_counts
from asp_eval.trial.study.design import Study

ARMS = ("reference", "some", "all")
WAVES = ("w1", "w2", "w3")
STUDY = Study.model_validate(
    {
        "version": 1,
        "study": {"id": "mini", "title": {"en": "Mini"}},
        "arms": list(ARMS),
        "randomisation": {"ratio": [1, 1, 1]},
        "waves": [{"id": wave, "label": {"en": wave}} for wave in WAVES],
        "collect": {"screening": {"waves": list(WAVES)}},
        "outcomes": [{"id": "y", "column": "screening.y", "role": "primary", "better": "lower", "at": "w3"}],
    }
)

institution_ids = [f"I{n}" for n in range(7)]
lots = st.dictionaries(st.sampled_from(institution_ids), st.sampled_from(ARMS))
child_rows = st.lists(st.tuples(st.sampled_from(institution_ids), st.sampled_from(STANDINGS)), max_size=25)
visit_rows = st.lists(
    st.tuples(st.integers(0, 29), st.sampled_from(WAVES), st.none() | st.sampled_from(institution_ids)), max_size=60
)


def frames(
    lot: dict[str, str], children: list[tuple[str, str]], visits: list[tuple[int, str, str | None]]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    listed = pd.DataFrame(children, columns=["institution", "standing"], dtype="str")
    listed.insert(0, "child_id", [f"c{n}" for n in range(len(listed))])
    seen = pd.DataFrame([(f"c{n}", wave, where) for n, wave, where in visits], columns=["child_id", "wave", "institution_id"])
    allocation = pd.DataFrame(list(lot.items()), columns=["institution_id", "arm"], dtype="str")
    return listed, seen, allocation, pd.DataFrame({"institution_id": institution_ids})


def seen_in(children: list[tuple[str, str]], visits: list[tuple[int, str, str | None]], child: str, wave: str) -> str:
    """The alphabetically first institution noted for the child at the wave, else the one drawn."""
    noted = sorted(where for n, at, where in visits if f"c{n}" == child and at == wave and where)
    return noted[0] if noted else children[int(child[1:])][0]


@part_of_examples(0.4)
@given(lots, child_rows, visit_rows)
def test_boxes_add_up(lot: dict[str, str], children: list[tuple[str, str]], visits: list[tuple[int, str, str | None]]) -> None:
    flow = flow_counts(STUDY, *frames(lot, children, visits))
    assert flow.institutions == flow.not_drawn + sum(arm.institutions for arm in flow.arms) == 7
    assert sum(arm.listed for arm in flow.arms) + flow.children_not_drawn == len(children)
    for arm in flow.arms:
        own = {i for i, name in lot.items() if name == arm.arm}
        members = {f"c{n}" for n, (i, s) in enumerate(children) if i in own and s == "cohort"}
        assert (arm.institutions, arm.cohort) == (len(own), len(members))
        for wave in arm.waves:
            there = {f"c{n}" for n, at, _ in visits if at == wave.wave}
            assert wave.screened == len(there & members)
            assert wave.screened + wave.not_screened.total == arm.cohort
            assert wave.with_data + wave.without_data == arm.institutions
            later = {f"c{n}" for n, at, _ in visits if at >= wave.wave}
            assert wave.retained == len(later & members)
            crossed = [n for n in there & members if lot.get(seen_in(children, visits, n, wave.wave), arm.arm) != arm.arm]
            assert wave.crossed == len(crossed)
            assert 0 <= wave.moved <= wave.screened
            assert wave.joined <= arm.joined_later


@part_of_examples(0.25)
@given(lots, child_rows, visit_rows)
def test_the_order_of_rows_does_not_matter(
    lot: dict[str, str], children: list[tuple[str, str]], visits: list[tuple[int, str, str | None]]
) -> None:
    listed, seen, allocation, institutions = frames(lot, children, visits)
    shuffled = [frame.sample(frac=1, random_state=3) for frame in (listed, seen, allocation, institutions)]
    assert flow_counts(STUDY, *shuffled) == flow_counts(STUDY, listed, seen, allocation, institutions)


@given(lots, child_rows, st.sets(st.integers(0, 24)))
def test_attrition_counts_every_child_of_a_drawn_institution_once(
    lot: dict[str, str], children: list[tuple[str, str]], kept: set[int]
) -> None:
    listed, _, allocation, _ = frames(lot, children, [])
    analysed = {f"c{n}" for n in kept}
    found = trial_attrition(ARMS, allocation, listed["institution"], listed["child_id"].isin(analysed).to_numpy(), set(lot))
    for one in found:
        if isinstance(one, Attrition) and one.level == "children":
            own = {i for i, name in lot.items() if name == one.arm.arm}
            assert one.arm.retained == sum(1 for n, (i, _) in enumerate(children) if i in own and n in kept)


pairs = st.integers(1, 400).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@given(pairs, pairs)
def test_attrition_is_the_same_whichever_arm_comes_first(one: tuple[int, int], other: tuple[int, int]) -> None:
    a, b = ArmRetention("a", *one), ArmRetention("b", *other)
    there, back = attrition("children", a, b), attrition("children", b, a)
    assert isinstance(there, Attrition)
    assert isinstance(back, Attrition)
    assert (there.overall, there.differential, there.low_cautious) == (back.overall, back.differential, back.low_cautious)
    assert there.low_optimistic or not there.low_cautious
