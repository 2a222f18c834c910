"""Allocations of a study's scheme: all of them where they are few, else draws of the scheme itself."""

from __future__ import annotations

import numpy as np
import pytest

from asp_eval.analysis.allocations import allocations, joint_allocations, scheme_allocations
from asp_eval.core.errors import Refusal
from asp_eval.trial.randomisation.cells import LotInCells
from asp_eval.trial.randomisation.roster import Roster
from tests.analysis.conftest import INSTITUTIONS, STUDY, declared, store


def scheme(sizes: tuple[int, ...], ratio: tuple[int, ...], name: str = "i") -> LotInCells:
    strata = tuple(f"s{k}" for k, size in enumerate(sizes) for _ in range(size))
    arms = ("reference", "intervention", "other")[: len(ratio)]
    ids = tuple(f"{name}{k}" for k in range(len(strata)))
    return LotInCells(arms, ratio, Roster(ids, strata, ("m",)), "stratified", strata)


@pytest.mark.parametrize(
    ("sizes", "ratio", "count"),
    [
        ((6,), (1, 1), 20),  # 6 over 3
        ((4, 6), (1, 1), 6 * 20),
        ((5,), (1, 1), 10 + 10),  # two or three of five
        ((3, 5, 3), (1, 1), 540),  # 3 * 10 * 3 times the choices of one or two strata of three
        ((6,), (2, 1), 15),
        ((6,), (1, 1, 1), 90),
    ],
)
def test_every_allocation_stands_once_and_is_one_the_scheme_draws(sizes, ratio, count):
    own = scheme(sizes, ratio)
    found = scheme_allocations(own, 10, 1)
    every = {bytes(row) for row in found.draws}
    assert found.enumerated and found.draws.shape == (count, sum(sizes)) and len(every) == count
    drawn = [bytes(row) for row in own.allocations(100 * count, 3)]
    assert set(drawn) == every
    frequencies = np.unique(drawn, return_counts=True)[1]
    assert ((frequencies - 100) ** 2 / 100).sum() < count + 5 * np.sqrt(2 * count)  # chi-square: equally probable


def test_many_or_unequal_allocations_are_drawn():
    many = scheme_allocations(scheme((30, 30), (1, 1)), 500, 7)
    assert not many.enumerated and many.draws.shape == (500, 60)
    np.testing.assert_array_equal(many.draws, scheme((30, 30), (1, 1)).allocations(500, 7))
    assert not scheme_allocations(scheme((5,), (2, 1)), 50, 1).enumerated


def test_lots_drawn_apart_are_combined_in_every_way():
    found = joint_allocations([scheme((4,), (1, 1)), scheme((2,), (1, 1), "late")], 10, 1)
    assert found.enumerated and len({bytes(row) for row in found.draws}) == len(found.draws) == 6 * 2
    assert found.clusters == ("i0", "i1", "i2", "i3", "late0", "late1")
    assert (found.draws[:, :4].sum(axis=1) == 2).all() and (found.draws[:, 4:].sum(axis=1) == 1).all()


def test_lots_drawn_apart_are_drawn_independently():
    found = joint_allocations([scheme((20,), (1, 1)), scheme((20,), (1, 1), "late")], 4000, 1)
    first, late = found.draws[:, :20].astype(float), found.draws[:, 20:].astype(float)
    assert not found.enumerated and not (first == late).all(axis=1).any()
    joint = ((first - 0.5).T @ (late - 0.5)) / len(first)
    assert np.abs(joint).max() < 5 * 0.25 / np.sqrt(len(first))


def test_a_study_gives_its_allocations(tmp_path):
    study = declared(tmp_path, STUDY.replace("{drawn_elsewhere: true, scheme: stratified}", "{scheme: stratified}"))
    store(study, tmp_path, "institutions", INSTITUTIONS, "institutions")
    found = allocations(study)
    assert found.clusters == ("01", "02", "03", "04") and found.arms == ("reference", "intervention")
    assert found.enumerated and len(found.draws) == 4  # two of two in either municipality
    assert (found.draws[:, :2].sum(axis=1) == 1).all()


def test_a_lot_drawn_elsewhere_has_no_known_allocations(small_study):
    with pytest.raises(Refusal, match="RND-001"):
        allocations(small_study)
