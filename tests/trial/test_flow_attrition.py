"""Attrition against the What Works Clearinghouse's boundaries.

1. Rates by hand; halves of a per cent round up; exactly on the boundary passes.
2. The tables: 10 % gives 6.3 and 10.9, 30 % gives 4.1 and 8.4, 57 % is the last.
3. Institutions first, then children within the institutions that stayed.
"""

from __future__ import annotations

import pandas as pd
import pytest

from asp_eval.core.errors import Refusal, Unavailable
from asp_eval.trial.flow.attrition import CAUTIOUS, OPTIMISTIC, ArmRetention, Attrition, attrition, trial_attrition


def of(reference: tuple[int, int], arm: tuple[int, int]) -> Attrition:
    found = attrition("children", ArmRetention("reference", *reference), ArmRetention("intervention", *arm))
    assert isinstance(found, Attrition)
    return found


@pytest.mark.parametrize(
    ("per_cent", "cautious", "optimistic"),
    [
        (0, 5.7, 10.0),
        (1, 5.8, 10.1),
        (10, 6.3, 10.9),
        (20, 5.4, 10.2),
        (30, 4.1, 8.4),
        (40, 2.6, 6.3),
        (50, 1.0, 3.9),
        (57, 0.0, 2.3),
    ],
)
def test_the_boundaries(per_cent: int, cautious: float, optimistic: float) -> None:  # 2
    found = of((1000, 1000 - 10 * per_cent), (1000, 1000 - 10 * per_cent))
    assert (found.overall, found.differential) == (per_cent, 0)
    assert (found.cautious_boundary, found.optimistic_boundary) == (cautious, optimistic)
    assert found.low_cautious
    assert found.low_optimistic


def test_each_table_has_a_value_for_0_to_57_per_cent() -> None:  # 2
    assert len(CAUTIOUS) == len(OPTIMISTIC) == 58
    assert all(c < o for c, o in zip(CAUTIOUS, OPTIMISTIC, strict=True))


def test_rates_by_hand() -> None:  # 1
    found = of((200, 180), (300, 240))  # lost 20 of 200 = 10 %, 60 of 300 = 20 %; 80 of 500 = 16 %
    assert (found.overall, found.differential) == (16.0, 10.0)
    assert (found.cautious_boundary, found.optimistic_boundary) == (5.9, 10.7)
    assert (found.low_cautious, found.low_optimistic) == (False, True)


def test_exactly_on_the_boundary_passes_and_just_above_fails() -> None:  # 1
    # overall 10 %, boundary 6.3 points: 6.85 % and 13.15 % lost of 10,000 each.
    assert of((10_000, 9_315), (10_000, 8_685)).low_cautious
    assert not of((10_000, 9_315), (10_000, 8_684)).low_cautious


@pytest.mark.parametrize(("lost", "boundary"), [(95, 6.3), (115, 6.2), (114, 6.2), (125, 6.1), (124, 6.2), (35, 6.0), (34, 5.9)])
def test_overall_attrition_is_rounded_half_up(lost: int, boundary: float) -> None:  # 1
    assert of((500, 500 - lost // 2), (500, 500 - (lost - lost // 2))).cautious_boundary == boundary


def test_beyond_57_per_cent_fails() -> None:
    just = of((1000, 426), (1000, 426))  # 57.4 % counts as 57
    assert just.low_cautious
    beyond = of((1000, 425), (1000, 425))  # 57.5 % counts as 58
    assert isinstance(beyond.cautious_boundary, Unavailable)
    assert not beyond.low_cautious
    assert not beyond.low_optimistic


def test_an_arm_of_none_is_unavailable_and_an_impossible_one_refused() -> None:
    none, some = ArmRetention("reference", 0, 0), ArmRetention("intervention", 5, 5)
    assert attrition("institutions", none, some) == Unavailable("no institutions of reference to lose")
    with pytest.raises(Refusal, match="FLO-007"):
        attrition("institutions", ArmRetention("reference", 4, 5), some)


def test_institutions_first_then_children_of_those_that_stayed() -> None:  # 3
    allocation = pd.DataFrame({"institution_id": list("ABCDEF"), "arm": ["reference"] * 3 + ["intervention"] * 3})
    cohort = pd.DataFrame({"institution": list("AAAABBBBCCCCDDDDEEEE")})  # F has no children
    cohort["child_id"] = [f"{i}{n}" for n, i in enumerate(cohort["institution"])]
    lost = {"A0", "B4", "B5", "C8", "C9", "C10", "C11", "D12"}  # all of C
    analysed = ~cohort["child_id"].isin(lost).to_numpy()
    institutions, children = trial_attrition(
        ["reference", "intervention"], allocation, cohort["institution"], analysed, set("ABDE")
    )
    assert isinstance(institutions, Attrition)
    assert (institutions.reference, institutions.arm) == (ArmRetention("reference", 3, 2), ArmRetention("intervention", 3, 2))
    assert isinstance(children, Attrition)
    assert (children.reference, children.arm) == (ArmRetention("reference", 8, 5), ArmRetention("intervention", 8, 7))
    assert children.overall == 25.0
    assert children.differential == 25.0
