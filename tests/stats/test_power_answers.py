"""What power, detectable effect and sample size answer, and what they refuse.

1. the three invert each other; 2. sequences give every combination in one tidy frame; 3. a result says its assumptions;
4. whole numbers can be drawn in the ratio; 5. every refusal has its code; 6. more of anything good never lowers power.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asp_eval import (
    Ancova,
    Binary,
    Change,
    ClusterRobust,
    Continuous,
    IccDraws,
    IccEstimate,
    IccInterval,
    IccTriangular,
    Individual,
    Losses,
    Multisite,
    RandomSites,
    Refusal,
    Sizes,
    ThreeLevel,
    TTest,
    TwoLevel,
    minimum_detectable_effect,
    power,
    sample_size,
)
from asp_eval.stats.power.hayes_bennett import clusters_for_means

DESIGNS = [
    Individual(120, r2=0.3),
    TwoLevel(24, 18, 0.07, cv=0.5, strata=3),
    TwoLevel(24, 18, 0.07, cv=0.5, analysis=ClusterRobust()),
    ThreeLevel(24, 3, 9, 0.1, 0.05),
    Multisite(12, 4, 9, 0.1, 0.2, effects=RandomSites(0.3)),
    TwoLevel(24, 18, IccEstimate(0.1, 0.05)),
]


@pytest.mark.parametrize("design", DESIGNS, ids=lambda d: type(d).__name__)
@pytest.mark.parametrize("aim", [0.5, 0.8, 0.95])
def test_the_detectable_effect_has_the_power(design, aim):
    least = minimum_detectable_effect(design, aim)
    assert power(design, least.effect).power == pytest.approx(aim, abs=1e-9)


@pytest.mark.parametrize(
    ("design", "part"),
    [
        (Individual(None), "individuals"),
        (TwoLevel(None, 18, 0.07, cv=0.5), "clusters"),
        (TwoLevel(60, None, 0.03), "size"),
        (TwoLevel(None, Sizes.of([4, 9, 30, 12]), 0.07), "clusters"),
        (TwoLevel(None, 18, IccInterval(0.07, 0.02, 0.2)), "clusters"),
        (ThreeLevel(None, 3, 9, 0.1, 0.05), "clusters"),
        (ThreeLevel(40, None, 9, 0.03, 0.05), "subclusters"),
        (Multisite(None, 4, 9, 0.1, 0.2, effects=RandomSites(0.3)), "sites"),
        (Multisite(10, None, 9, 0.1), "clusters"),
        (Multisite(10, 0, None), "size"),
    ],
)
def test_the_size_found_has_the_power_and_is_the_least_that_can_be_drawn(design, part):
    found = sample_size(design, 0.35, 0.8)
    assert found.sought == part
    row = found.rows[0]

    def at(number: float) -> float:
        return power(type(design)(**{**fields(design), part: number}), 0.35).power

    assert at(row.found) == pytest.approx(0.8, abs=1e-8)
    assert row.found <= row.whole < row.found + 2
    assert row.power >= 0.8
    assert found.power == row.power


def fields(design):
    return {name: getattr(design, name) for name in type(design).__dataclass_fields__}


def test_whole_clusters_are_drawn_in_the_ratio():
    row = sample_size(TwoLevel(None, 20, 0.1, share=1 / 3), 0.35).rows[0]
    treated = round(row.whole / 3)
    assert power(TwoLevel(row.whole, 20, 0.1, share=treated / row.whole), 0.35).power == pytest.approx(row.power, abs=1e-12)


def test_sequences_give_every_combination():
    found = power(TwoLevel(clusters=[20, 40], size=15, icc=np.array([0.05, 0.1, 0.2])), effect=[0.2, 0.4])
    frame = found.frame()
    assert list(frame.columns) == ["clusters", "icc", "effect", "power", "std_error", "df"]
    assert len(frame) == 12
    for row in frame.itertuples():
        alone = power(TwoLevel(row.clusters, 15, row.icc), row.effect)
        assert (alone.power, alone.df) == (row.power, row.df)


def test_sequences_may_stand_anywhere():
    frame = minimum_detectable_effect(
        TwoLevel(30, 20, 0.1),
        [0.8, 0.9],
        waves=Ancova(cluster=[0.3, 0.7], individual=0.5),
        losses=Losses(clusters=[0, 0.1], individuals=0.1),
        test=TTest(alpha=[0.05, 0.01]),
    ).frame()
    assert len(frame) == 16
    assert {"cluster", "clusters", "alpha", "power", "effect", "effect_central_t"} <= set(frame.columns)
    distributions = power(TwoLevel(30, 20, [0.1, IccTriangular(0, 0.1, 0.2)]), 0.3).frame()
    assert distributions["icc"].astype(str).str.contains("triangular").sum() == 1
    assert {"power_low", "power_high"} <= set(distributions.columns)


def test_several_combinations_have_not_one_power():
    found = power(TwoLevel([20, 40], 15, 0.1), 0.3)
    with pytest.raises(Refusal, match="PWR-007"):
        _ = found.power


def test_a_result_says_everything_it_assumes():
    said = str(
        power(
            TwoLevel(60, 50, IccEstimate(0.1, 0.04), cv=0.4, strata=2, r2_individual=0.2),
            0.25,
            waves=Ancova(0.7, 0.5),
            losses=Losses(0.05, 0.1),
        )
    )
    for words in (
        "60 clusters",
        "50 individuals",
        "standard error 0.04",
        "cv 0.4",
        "van Breukelen",
        "2 strata",
        "20%",
        "0.7 (clusters)",
        "0.05 of the clusters",
        "noncentral t",
        "df",
        "mixed model",
        "middle 90 %",
    ):
        assert words in said, words
    assert "Eldridge" in str(power(TwoLevel(60, 50, 0.1, cv=0.4, analysis=ClusterRobust()), 0.2))
    assert "central t approximation" in str(minimum_detectable_effect(TwoLevel(60, 50, 0.1)))
    assert "proportions from 0.3" in str(power(TwoLevel(60, 50, 0.1), 0.1, outcome=Binary(0.3)))


@given(
    clusters=st.integers(6, 200), size=st.integers(2, 80), icc=st.floats(0, 0.6), effect=st.floats(0.05, 1), cv=st.floats(0, 0.8)
)
def test_more_of_anything_good_never_lowers_power(clusters, size, icc, effect, cv):
    cv = min(cv, np.sqrt(clusters - 1) * (size - 1) / size)

    def at(**changes) -> float:
        asked = {"clusters": clusters, "size": size, "icc": icc, "cv": cv, "effect": effect} | changes
        return power(TwoLevel(asked["clusters"], asked["size"], asked["icc"], cv=asked["cv"]), asked["effect"]).power

    base = at() - 1e-12
    assert at(clusters=clusters + 2) >= base
    assert at(size=size + 5) >= base
    assert at(effect=effect + 0.1) >= base
    assert at(icc=icc / 2, cv=0.0) >= base
    assert at(cv=0.0) >= base
    assert 0.05 - 1e-9 <= at() <= 1


REFUSED = {
    "PWR-001": lambda: power(TwoLevel(20, 20, 0.1), 0.2, test=TTest(alpha=5)),
    "PWR-002": lambda: power(TwoLevel(20, 20, 0.1), 0.2, test=TTest(sides=3)),
    "PWR-003": lambda: minimum_detectable_effect(TwoLevel(20, 20, 0.1), 1.0),
    "PWR-004": lambda: IccEstimate(0.1, 0.5),
    "PWR-005": lambda: power(TwoLevel(20, 20, []), 0.2),
    "PWR-006": lambda: power(TwoLevel(20, 20, "much"), 0.2),
    "PWR-010": lambda: power(TwoLevel(6, 20, 0.1, covariates_cluster=4), 0.2),
    "PWR-011": lambda: power(TwoLevel(3, 20, 0.1), 0.2),
    "PWR-012": lambda: power(TwoLevel(20, 20, 0.1, r2_cluster=1.2), 0.2),
    "PWR-013": lambda: power(TwoLevel(20, 0.5, 0.1), 0.2),
    "PWR-014": lambda: power(TwoLevel(None, 20, 0.1), 0.2),
    "PWR-015": lambda: power(TwoLevel(20, 20, 10), 0.2),
    "PWR-016": lambda: power(TwoLevel(20, 2, 0.1, cv=4), 0.2),
    "PWR-017": lambda: Sizes.of([10]),
    "PWR-018": lambda: power(TwoLevel(20, 20, 0.1), 0.2, waves=Change(1.5, 0.5)),
    "PWR-019": lambda: power(ThreeLevel(20, 2, 20, 0.1, 0.1), 0.2, waves=Change(0.5, 0.5)),
    "PWR-020": lambda: power(TwoLevel(20, 20, 0.1), 0.2, outcome=Continuous(0)),
    "PWR-021": lambda: power(TwoLevel(20, 20, 0.1), 0.8, outcome=Binary(0.3)),
    "PWR-022": lambda: power(TwoLevel(200, 10, 0.1, cv=2.5), 0.2),
    "PWR-023": lambda: power(TwoLevel(20, 20, 0.1), 0.2, losses=Losses(individuals=1)),
    "PWR-030": lambda: sample_size(TwoLevel(None, 20, 0.1), 0.0),
    "PWR-031": lambda: sample_size(TwoLevel(20, 20, 0.1), 0.2),
    "PWR-032": lambda: sample_size(TwoLevel(20, None, 0.1), 0.2),
    "PWR-033": lambda: sample_size(TwoLevel(None, 20, 0.1), 1e-4),
    "PWR-034": lambda: minimum_detectable_effect(TwoLevel(4, 2, 0.1), outcome=Binary(0.9)),
    "PWR-035": lambda: power(TwoLevel(20, 20, 0.1, r2_cluster=1, r2_individual=1), 0.2),
    "PWR-036": lambda: clusters_for_means(10, 10, 2, 20, 0.1),
}


@pytest.mark.parametrize("code", REFUSED)
def test_refused_with_its_code(code):
    with pytest.raises(Refusal, match=code):
        REFUSED[code]()


@pytest.mark.parametrize(
    "broken",
    [
        lambda: IccInterval(0.1, 0.2, 0.3),
        lambda: IccTriangular(0.3, 0.1, 0.2),
        lambda: IccDraws.of([0.1, 1.2]),
        lambda: power(TwoLevel(20, 20, -0.1), 0.2),
        lambda: power(TwoLevel(20, 20, float("nan")), 0.2),
        lambda: power(TwoLevel(float("inf"), 20, 0.1), 0.2),
        lambda: power(ThreeLevel(20, 2, 20, 0.6, 0.6), 0.2),
        lambda: power(TwoLevel(20, 20, 0.1, share=1.0), 0.2),
        lambda: power(TwoLevel(20, 20, 0.1, cv=-0.5), 0.2),
        lambda: minimum_detectable_effect(TwoLevel(20, 20, 0.1), 0.03),
        lambda: sample_size(TwoLevel(None, 20, 0.1), 0.2, 0.0),
    ],
)
def test_numbers_that_cannot_be_are_refused(broken):
    with pytest.raises(Refusal, match="PWR-0"):
        broken()


def test_heterogeneity_between_sites_is_named_as_what_stands_in_the_way():
    with pytest.raises(Refusal, match="varies between the sites"):
        sample_size(Multisite(5, None, 20, 0.1, 0.2, effects=RandomSites(0.5)), 0.2)
    with pytest.raises(Refusal, match="variance between clusters stays"):
        sample_size(TwoLevel(20, None, 0.1), 0.2)
