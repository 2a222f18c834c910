"""Allocations of a study's scheme: all of them where they are few, else draws of the scheme itself."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import yaml

from asp_eval.analysis.allocations import allocations, joint_allocations, scheme_allocations
from asp_eval.core.errors import Refusal
from asp_eval.stats.linear.ols import ols
from asp_eval.stats.resampling.permutation import Permutation
from asp_eval.trial.randomisation.declaration import scheme_of
from asp_eval.trial.randomisation.roster import Roster
from asp_eval.trial.randomisation.stratified import LotInCells
from asp_eval.trial.study.design import Study
from tests.counted_trial import INSTITUTIONS, STUDY, declared, store


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


EIGHT = pd.DataFrame(
    {
        "institution_id": [f"D{i}" for i in range(8)],
        "children": [30, 42, 55, 38, 61, 47, 25, 52],
        "pair": ["a", "b", "a", "c", "c", "b", "d", "d"],
        "order": [3, 1, 2, 5, 4, 8, 7, 6],
    }
)


def with_scheme(declaration: str) -> Study:
    columns = "columns: {institutions: {children: integer, pair: string, order: integer},"
    text = STUDY.replace("{drawn_elsewhere: true, scheme: stratified}", declaration).replace("columns:", columns, 1)
    text = text.replace("  screening: {score: number}\n  children: {kept: integer}", " screening: {score: number}}")
    text = text.replace("strata: [municipality]", "strata: []").replace(
        "sets: {itt: {filter: null}, kept: {filter: kept == 1}}", ""
    )
    return Study.model_validate(yaml.safe_load(text.replace("analysis: {", "analysis: {level: 0.9, ")))


def balanced() -> list[tuple[int, ...]]:
    """The better half of the 70 ways to draw four of eight."""
    x = EIGHT["children"].to_numpy(float)
    every = [tuple(int(i in four) for i in range(8)) for four in itertools.combinations(range(8), 4)]
    apart = {arms: abs(x[np.array(arms) == 1].mean() - x[np.array(arms) == 0].mean()) for arms in every}
    last = sorted(apart.values())[34]
    return [arms for arms in every if apart[arms] <= last + 1e-9]


def one_of_each_pair() -> list[tuple[int, ...]]:
    every = [dict(zip("abcd", firsts, strict=True)) for firsts in itertools.product((0, 1), repeat=4)]
    pairs = EIGHT["pair"].tolist()
    return [tuple(first[p] ^ int(p in pairs[:i]) for i, p in enumerate(pairs)) for first in every]


def t_of(means: np.ndarray, arms: tuple[int, ...]) -> float:
    """|t| of two groups with pooled variance."""
    one, other = (means[np.array(arms) == a] for a in (1, 0))
    pooled = (one.var() * len(one) + other.var() * len(other)) / (len(means) - 2)
    return abs(one.mean() - other.mean()) / np.sqrt(pooled * (1 / len(one) + 1 / len(other)))


@pytest.mark.parametrize(
    ("declaration", "allowed"),
    [
        ("{scheme: constrained, covariates: {children: 1}, keep: 0.5}", balanced),
        ("{scheme: pairs, pair: pair}", one_of_each_pair),
    ],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_permutation_test_goes_through_what_the_scheme_allows(declaration, allowed, seed):
    scheme = scheme_of(with_scheme(declaration), EIGHT)
    drawn = scheme.allocate(seed)
    random = np.random.default_rng(seed)
    means = random.normal(size=8) + np.array([arm == "intervention" for arm in drawn.arms])
    rows = pd.DataFrame({"institution": np.repeat(drawn.institution_ids, 2), "arm": np.repeat(drawn.arms, 2)})
    rows["y"] = np.repeat(means, 2) + np.tile([-0.5, 0.5], 8)
    rows["arm"] = pd.Categorical(rows["arm"], categories=["reference", "intervention"])
    method = Permutation("arm", scheme_allocations(scheme, 100, 1), statistic="cluster-means", interval=False)
    found = ols("y ~ arm", rows, cluster="institution").contrast({"arm[T.intervention]": 1.0}, method)
    observed = t_of(means, tuple(int(arm == "intervention") for arm in drawn.arms))
    every = [t_of(means, arms) for arms in allowed()]
    assert found.p_value == pytest.approx(np.mean(np.array(every) >= observed - 1e-9))


@pytest.mark.parametrize(
    "declaration",
    [
        "{scheme: blocked, blocks: [2, 4], order: order}",
        "{scheme: pairs, covariates: {children: 1}}",
        "{scheme: minimisation, covariates: {pair: 1}}",
        "{scheme: constrained, covariates: {children: 1}, candidates: 60, keep: 0.6}",
    ],
)
def test_every_scheme_gives_a_permutation_test_its_allocations(declaration):
    scheme = scheme_of(with_scheme(declaration), EIGHT)
    found = scheme_allocations(scheme, 400, 1)
    assert found.clusters == tuple(EIGHT["institution_id"]) and set(np.unique(found.draws)) == {0, 1}
    assert found.enumerated == (not declaration.startswith("{scheme: min"))
    assert tuple(scheme.drawn(4)) in {tuple(row) for row in scheme_allocations(scheme, 20_000, 1).draws.tolist()}
