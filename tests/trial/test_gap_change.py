"""The sampling variance of a change between two rounds.

1. With equal sizes and the same people a gap is a mean of paired differences, and its change a mean of their changes.
2. Where people are others, or cannot be recognised, nothing is taken off.  3. Of unequal sizes, by the sum over pairs of people.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from asp_eval.trial.profiles.change import CLOSEST, NOT_RECOGNISED, change_variances, round_covariances

PEOPLE, EACH = 6, 4


def rounds(institutions: int = 15, seed: int = 1) -> tuple[tuple[pd.DataFrame, pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame]]:
    """Six staff in each institution, each rating four children, and the same people in both rounds."""
    rng = np.random.default_rng(seed)
    lasting = rng.normal(0, 6, (institutions, PEOPLE, 2))
    found = []
    for _ in range(2):
        own, rated = [], []
        for j in range(institutions):
            for k in range(PEOPLE):
                own.append((f"i{j:02}", f"{j}-{k}", 60 + lasting[j, k, 0] + rng.normal(0, 4)))
                rated += [(f"i{j:02}", f"{j}-{k}-{c}", f"{j}-{k}", 50 + lasting[j, k, 1] + rng.normal(0, 9)) for c in range(EACH)]
        found.append(
            (
                pd.DataFrame(own, columns=["institution_id", "respondent_id", "score"]),
                pd.DataFrame(rated, columns=["institution_id", "child_id", "rater_id", "score"]),
            )
        )
    return found[0], found[1]


def differences(sides: tuple[pd.DataFrame, pd.DataFrame]) -> np.ndarray:
    """Own answer less mean given, (institutions, people)."""
    own = sides[0]["score"].to_numpy().reshape(-1, PEOPLE)
    return own - sides[1]["score"].to_numpy().reshape(-1, PEOPLE, EACH).mean(axis=2)


def test_with_equal_sizes_by_paired_differences() -> None:  # 1
    first, second = rounds()
    ids = pd.Index(sorted(first[0]["institution_id"].unique()))
    z = [differences(sides) for sides in (first, second)]
    v = [each.var(axis=1, ddof=1).mean() / PEOPLE for each in z]
    found = change_variances(np.full(15, v[0]), np.full(15, v[1]), round_covariances(first, second, ids))
    assert found == pytest.approx(np.full(15, (z[1] - z[0]).var(axis=1, ddof=1).mean() / PEOPLE), rel=1e-12)


def test_other_people_share_nothing() -> None:  # 2
    first, second = rounds()
    others = (
        second[0].assign(respondent_id=second[0]["respondent_id"] + "x"),
        second[1].assign(rater_id=second[1]["rater_id"] + "x"),
    )
    assert round_covariances(first, others, pd.Index(["i00", "i01", "i02"])) is NOT_RECOGNISED
    v = np.array([4.0, 9.0])
    assert change_variances(v, v, NOT_RECOGNISED) == pytest.approx([8.0, 18.0])


def test_of_unequal_sizes_by_the_sum_over_people() -> None:  # 3
    first, second = rounds()
    gone = second[0]["respondent_id"].isin(["3-0", "3-1"])
    second = (second[0].loc[~gone], second[1].loc[~second[1]["child_id"].isin(["3-2-0", "3-2-1", "3-5-3"])])
    ids = pd.Index(sorted(first[0]["institution_id"].unique()))
    found = round_covariances(first, second, ids)
    expected = dict.fromkeys(ids, 0.0)
    for one in ("own", "given"):
        for other in ("own", "given"):
            a, b = (people(sides, part) for sides, part in ((first, one), (second, other)))
            both = sorted(a.keys() & b.keys())
            products, df = 0.0, len(both) - 15
            for j in ids:
                pairs = [(a[p][0], b[p][0]) for p in both if p[0] == j]
                products += len(pairs) * float(np.cov(np.array(pairs).T, bias=True)[0, 1])
            for p in both:
                expected[p[0]] += (1 if one == other else -1) * products / df * a[p][1] * b[p][1]
    assert found == pytest.approx([expected[j] for j in ids], rel=1e-10)


def people(sides: tuple[pd.DataFrame, pd.DataFrame], part: str) -> dict[tuple[str, str], tuple[float, float]]:
    """Each person's value and weight in the mean of its institution."""
    rows, person = (sides[0], "respondent_id") if part == "own" else (sides[1], "rater_id")
    sizes = rows["institution_id"].value_counts()
    groups = rows.groupby(["institution_id", person])["score"]
    return {key: (float(each.mean()), len(each) / sizes[key[0]]) for key, each in groups}


def test_errors_that_go_nearly_together_leave_a_variance() -> None:
    v = np.array([4.0])
    assert change_variances(v, v, np.array([7.0])) == pytest.approx([2 * 4.0 * (1 - CLOSEST)])
