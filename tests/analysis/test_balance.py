"""The baseline table of the small study, by hand."""

import math

import pandas as pd
import pytest

from asp_eval.analysis.balance import baseline_table, difference_of_means, difference_of_proportions, means_of_institutions
from asp_eval.analysis.data import load_data
from asp_eval.analysis.results import ArmSummary
from asp_eval.core.errors import Unavailable


@pytest.fixture
def rows(small_study):
    return {(row.variable, row.level): row for row in baseline_table(load_data(small_study)) if row.unit != "institution_mean"}


@pytest.fixture
def means(small_study):
    return {(row.variable, row.level): row for row in baseline_table(load_data(small_study)) if row.unit == "institution_mean"}


def test_institutions_come_first_then_children(rows):
    assert list(rows) == [
        ("cohort_size", ""),
        ("municipality", "North"),
        ("municipality", "South"),
        ("sex", "boy"),
        ("sex", "girl"),
        ("age", ""),
        ("y", ""),
    ]
    assert [row.unit for row in rows.values()] == ["institution"] * 3 + ["child"] * 4


def test_counts_and_missing_by_hand(rows):
    reference, intervention = rows["sex", "girl"].arms
    assert (reference.n, reference.missing, reference.count) == (3, 1, 2)  # c01 c09 of c01 c02 c09; c06 unknown
    assert (intervention.n, intervention.missing, intervention.count) == (4, 0, 3)


def test_means_and_difference_by_hand(rows):
    # baseline y: reference 4 2 5 8, mean 4.75, SS 4.75^2...; intervention 3 6 1 (c05 missing), mean 10/3
    reference, intervention = rows["y", ""].arms
    assert (reference.mean, intervention.mean) == (4.75, pytest.approx(10 / 3))
    ss = sum((v - 4.75) ** 2 for v in (4, 2, 5, 8)) + sum((v - 10 / 3) ** 2 for v in (3, 6, 1))
    assert rows["y", ""].differences == (pytest.approx((10 / 3 - 4.75) / math.sqrt(ss / 5)),)


def test_means_of_institutions_by_hand(means):
    """Institutions 01 (c01 c02) and 03 (c06 c09) are reference, 02 (c04 c05) and 04 (c07 c08) intervention."""
    assert list(means) == [("sex", "boy"), ("sex", "girl"), ("age", ""), ("y", "")]
    reference, intervention = means["y", ""].arms
    assert (reference.n, intervention.n) == (2, 2)
    assert (reference.mean, intervention.mean) == ((3 + 6.5) / 2, (3 + 3.5) / 2)  # c05 has no score: 02 is c04 alone
    pooled = math.sqrt((3.5**2 / 2 + 0.5**2 / 2) / 2)
    assert means["y", ""].differences == (pytest.approx((3.25 - 4.75) / pooled),)
    girls = means["sex", "girl"].arms  # 01: 1 of 2; 03: c09 of one known; 02: 2 of 2; 04: 1 of 2
    assert (girls[0].mean, girls[1].mean) == (0.75, 0.75)


def test_proportions_by_hand():
    # p1 = .6, p0 = .4: .2 / sqrt((.24 + .24) / 2)
    found = difference_of_proportions(ArmSummary("a", 10, 0, count=4), ArmSummary("b", 10, 0, count=6))
    assert found == pytest.approx(0.2 / math.sqrt(0.24))


@pytest.mark.parametrize(
    "difference",
    [
        difference_of_means(ArmSummary("a", 0, 3), ArmSummary("b", 2, 0, 1.0, 1.0)),
        difference_of_means(ArmSummary("a", 2, 0, 1.0, 0.0), ArmSummary("b", 2, 0, 1.0, 0.0)),
        difference_of_proportions(ArmSummary("a", 2, 0, count=2), ArmSummary("b", 2, 0, count=2)),
        difference_of_proportions(ArmSummary("a", 0, 2, count=0), ArmSummary("b", 2, 0, count=2)),
    ],
)
def test_what_cannot_be_standardised_has_a_reason(difference):
    assert isinstance(difference, Unavailable)


def test_means_of_institutions_are_sorted_coarse_and_of_enough_children(small_study):
    """Scores from 1 to 9 have a standard deviation of 3.8: means are whole numbers."""
    frame = pd.DataFrame(
        {
            "arm": ["reference"] * 3 + ["intervention"] * 2,
            "institution": ["a", "a", "b", "c", "c"],
            "y": [9.0, 8.0, 1.0, 2.0, 2.5],
        }
    )
    study = small_study.model_copy(update={"privacy": small_study.privacy.model_copy(update={"minimum_cell": 2})})
    reference, intervention = means_of_institutions(study, frame, "y")
    assert (reference.means, reference.left_out, reference.mean) == ((8.0,), 1, 8.5)  # halves to even
    assert (intervention.means, intervention.left_out, intervention.mean) == ((2.0,), 0, 2.25)
