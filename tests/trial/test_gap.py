"""The two sides of a profile, and what may be shown of them.

1. Means and counts by hand.  2. Cells that are hidden: few people, an end of the scale.  3. A hidden cell has no part in
anything else.  4. The children's side alone.  5. Scores that are not what a profile needs.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems, Unavailable
from asp_eval.trial.disclosure.limits import Limits
from asp_eval.trial.profiles.gap import DimensionMeans, profile_means


def make_sides(institutions: int = 6, staff: int = 6, children: int = 12, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores on the dimension play, between 20 and 90; every child of an institution rated by one of its staff in turn."""
    rng = np.random.default_rng(seed)
    own = [(f"I{j}", f"{j}s{k}", "play", rng.uniform(20, 90)) for j in range(institutions) for k in range(staff)]
    rated = [
        (f"I{j}", f"{j}c{c}", f"{j}s{c % staff}", "play", rng.uniform(20, 90))
        for j in range(institutions)
        for c in range(children)
    ]
    return (
        pd.DataFrame(own, columns=["institution_id", "respondent_id", "dimension", "score"]),
        pd.DataFrame(rated, columns=["institution_id", "child_id", "rater_id", "dimension", "score"]),
    )


def means_of(staff: pd.DataFrame, children: pd.DataFrame, minimum_cell: int = 5) -> DimensionMeans:
    (found,) = profile_means(staff, children, {"play": (12, 12)}, limits=Limits(minimum_cell))
    return found


def test_means_and_counts() -> None:  # 1
    staff, children = make_sides()
    staff.loc[0, "score"] = np.nan  # one respondent left the dimension out
    found = means_of(staff, children)
    assert found.institution_ids == tuple(f"I{j}" for j in range(6))
    assert found.n_staff.tolist() == [5, 6, 6, 6, 6, 6]
    assert found.n_children.tolist() == [12] * 6
    assert found.staff[0] == pytest.approx(sum(staff.loc[1:5, "score"]) / 5)
    assert found.child[3] == pytest.approx(children.loc[children["institution_id"] == "I3", "score"].mean())
    np.testing.assert_allclose(found.gap, found.staff - found.child)


def test_the_variance_of_the_gap() -> None:  # 1
    found = means_of(*make_sides())
    assert not isinstance(found.staff_variance, Unavailable)
    assert not isinstance(found.child_variance, Unavailable)
    assert not isinstance(found.error_covariance, Unavailable)
    np.testing.assert_allclose(found.gap_variance, found.staff_variance + found.child_variance - 2 * found.error_covariance)
    staff, children = make_sides()
    apart = means_of(staff.assign(respondent_id="x" + staff["respondent_id"]), children)  # nobody can be linked
    assert isinstance(apart.error_covariance, Unavailable)
    np.testing.assert_allclose(apart.gap_variance, found.staff_variance + found.child_variance)


@pytest.mark.parametrize("side", ["staff", "children"])
@pytest.mark.parametrize("kind", ["few", "top", "bottom"])
def test_cells_that_are_hidden(side: str, kind: str) -> None:  # 2
    staff, children = make_sides()
    frame = staff if side == "staff" else children
    own = frame.index[frame["institution_id"] == "I2"]
    if kind == "few":
        frame = frame.drop(own[4:])
    else:
        frame.loc[own, "score"] = {"top": 100.0, "bottom": 0.0}[kind]
    found = means_of(frame if side == "staff" else staff, frame if side == "children" else children)
    assert found.hidden == ("I2",)
    assert found.institution_ids == ("I0", "I1", "I3", "I4", "I5")


def test_exactly_the_minimum_is_shown() -> None:  # 2
    staff, children = make_sides(staff=5, children=5)
    assert means_of(staff, children, minimum_cell=5).hidden == ()
    assert len(means_of(staff, children, minimum_cell=6).hidden) == 6


@pytest.mark.parametrize("value", [1.0, 50.0, 99.0])
def test_a_hidden_cell_has_no_part_in_anything_else(value: float) -> None:  # 3
    staff, children = make_sides()
    few = staff.drop(staff.index[staff["institution_id"] == "I2"][4:])
    first = means_of(few, children)
    changed = few.assign(score=few["score"].where(few["institution_id"] != "I2", value))
    second = means_of(changed, children.assign(score=children["score"].where(children["institution_id"] != "I2", value)))
    assert first.institution_ids == second.institution_ids
    for name in ("staff", "child", "staff_variance", "child_variance", "error_covariance"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_an_institution_with_one_side_only_is_not_there() -> None:
    staff, children = make_sides()
    found = means_of(staff, children.loc[children["institution_id"] != "I4"])
    assert "I4" not in found.institution_ids
    assert found.hidden == ()


def test_no_raters_no_variance() -> None:
    staff, children = make_sides()
    found = means_of(staff, children.assign(rater_id=None))
    assert isinstance(found.gap_variance, Unavailable)
    assert len(found.staff) == 6


def test_no_scores_at_all() -> None:
    staff, children = make_sides()
    found = means_of(staff.iloc[:0], children)
    assert (found.institution_ids, found.hidden) == ((), ())


def test_where_too_few_staff_answered_the_children_stand_alone() -> None:  # 4
    staff, children = make_sides()
    found = means_of(staff.drop(staff.index[staff["institution_id"] == "I2"][4:]), children)
    assert found.child_alone == {"I2": pytest.approx(children.loc[children["institution_id"] == "I2", "score"].mean())}
    nobody = means_of(staff.loc[staff["institution_id"] != "I2"], children)
    assert set(nobody.child_alone) == {"I2"}


def test_the_children_do_not_stand_alone_where_staff_are_hidden_for_what_they_answered() -> None:  # 4
    # That only the staff side is hidden would tell those who answered that nearly all gave the highest answer.
    staff, children = make_sides()
    staff.loc[staff["institution_id"] == "I2", "score"] = 100.0
    found = means_of(staff, children)
    assert found.hidden == ("I2",)
    assert found.child_alone == {}


def test_scores_that_are_not_what_a_profile_needs() -> None:  # 5
    staff, children = make_sides()
    staff.loc[0, "score"] = 101.0
    staff.loc[1, "institution_id"] = None
    with pytest.raises(DataProblems) as caught:
        means_of(pd.concat([staff, staff.iloc[[5]]]), children)
    assert sorted(p.code for p in caught.value.problems) == ["GAP-002", "GAP-003", "GAP-004"]
    with pytest.raises(DataProblems, match="GAP-001"):
        means_of(*make_sides()[:1], children.drop(columns="rater_id"))
