"""Sampling variances of the two means, and the covariance of their errors.

1. R: lme4 on balanced data, mean squares of lm() and matrices written out on unbalanced data.  2. By hand.
3. Unbiased in simulation.  4. Where there is no number, the reason.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import Unavailable
from asp_eval.trial.profiles.sampling import (
    NO_RATERS,
    NO_SPREAD,
    NOT_LINKED,
    ONE_RATER,
    RaterComponents,
    child_mean_variances,
    error_covariances,
    pooled_variance,
    rater_components,
)

ORACLE = Path(__file__).parent.parent / "oracles" / "gap_sampling"
SAME_FORMULA = 1e-9  # both are closed forms on data of two decimals
SAME_OPTIMUM = 1e-4  # REML by iteration


def read(name: str, which: str) -> pd.DataFrame:
    return pd.read_csv(ORACLE / f"{which}.csv").query("set == @name").reset_index(drop=True)


def components_of(children: pd.DataFrame) -> RaterComponents:
    found = rater_components(children)
    assert isinstance(found, RaterComponents)
    return found


@pytest.mark.parametrize("name", ["balanced", "unbalanced"])
def test_r(name: str) -> None:  # 1
    staff, children = read(name, "staff"), read(name, "children")
    reference = read(name, "reference").set_index("institution_id")
    first = reference.iloc[0]
    people, parts = pooled_variance(staff["score"], staff["institution_id"]), components_of(children)
    expected = first[["sigma_a", "sigma_r", "sigma_e"]].astype(float)
    np.testing.assert_allclose([people, parts.rater, parts.child], expected, rtol=SAME_FORMULA)
    if name == "balanced":
        reml = first[["sigma_r_reml", "sigma_e_reml"]].astype(float)
        np.testing.assert_allclose([parts.rater, parts.child], reml, rtol=SAME_OPTIMUM)
    assert isinstance(people, float)
    own = people / staff.groupby("institution_id").size()
    np.testing.assert_allclose(own, reference["staff_variance"], rtol=SAME_FORMULA)
    np.testing.assert_allclose(child_mean_variances(children, parts), reference["child_variance"], rtol=SAME_FORMULA)
    covariances = error_covariances(staff, children, people, parts)
    assert isinstance(covariances, pd.Series)
    np.testing.assert_allclose(covariances, reference["covariance"], rtol=SAME_FORMULA)


def frame(rows: list[tuple[str, str | None, float]], person: str = "rater_id") -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["institution_id", person, "score"])


def test_components_by_hand() -> None:  # 2
    # One institution, rater means 10 (two children, 8 and 12) and 40 (two children, 39 and 41); mean 25.
    children = frame([("A", "p", 8.0), ("A", "p", 12.0), ("A", "q", 39.0), ("A", "q", 41.0)])
    parts = components_of(children)
    assert parts.child == pytest.approx((4 + 4 + 1 + 1) / 2)  # 5 on 2 df
    assert parts.rater == pytest.approx((2 * 15**2 + 2 * 15**2 - 5) / 2)  # mean square 900 on 1 df, 2 children each
    assert child_mean_variances(children, parts)["A"] == pytest.approx(447.5 * (2**2 + 2**2) / 4**2 + 5 / 4)


def test_unknown_raters_count_as_one_person() -> None:  # 2
    children = frame([("A", "p", 8.0), ("A", None, 12.0), ("A", None, 39.0), ("A", "q", 41.0)])
    variance = child_mean_variances(children, RaterComponents(10.0, 8.0))["A"]
    assert variance == pytest.approx(10 * (1 + 4 + 1) / 16 + 8 / 4)


def test_a_negative_rater_component_is_none() -> None:
    children = frame([("A", "p", 0.0), ("A", "p", 50.0), ("A", "q", 1.0), ("A", "q", 49.0)])
    assert components_of(children) == RaterComponents(0.0, pytest.approx((625 + 625 + 576 + 576) / 2))


def test_one_child_for_each_rater() -> None:
    children = frame([("A", "p", 10.0), ("A", "q", 20.0), ("B", "r", 30.0), ("B", "s", 34.0)])
    parts = components_of(children)
    assert parts == RaterComponents(0.0, pytest.approx((25 + 25 + 4 + 4) / 2))
    assert child_mean_variances(children, parts)["A"] == pytest.approx(29 / 2)


def test_covariance_by_hand() -> None:  # 2
    # Eleven pairs of people; in each institution own scores 40, 60 and given means 45, 55: cross-product 2 * 10 * 5 = 100.
    staff = frame([(f"I{j}", f"{j}{p}", s) for j in range(11) for p, s in (("a", 40.0), ("b", 60.0))], "respondent_id")
    children = frame([(f"I{j}", f"{j}{p}", s) for j in range(11) for p, s in (("a", 45.0), ("b", 55.0), ("b", 55.0))])
    found = error_covariances(staff, children, staff_variance=200.0, components=RaterComponents(50.0, 1.0))
    assert isinstance(found, pd.Series)
    np.testing.assert_allclose(found, 100.0 * 3 / (2 * 3))  # all 3 children were rated by 2 linked people
    bounded = error_covariances(staff, children, staff_variance=200.0, components=RaterComponents(32.0, 1.0))
    assert isinstance(bounded, pd.Series)
    np.testing.assert_allclose(bounded, 80.0 * 3 / (2 * 3))  # sqrt(200 * 32) = 80


def test_estimates_are_unbiased() -> None:  # 3
    rng = np.random.default_rng(11)
    layout = [(f"I{j}", f"{j}-{k}", n) for j in range(12) for k, n in enumerate(rng.integers(1, 9, size=6))]
    people = pd.DataFrame(layout, columns=["institution_id", "person", "n"])
    children = people.loc[people.index.repeat(people["n"]), ["institution_id", "person"]].reset_index()
    truth = np.array([144.0, 49.0, 225.0, 0.6 * 12 * 7])
    found = []
    for _ in range(25):
        own = rng.standard_normal(len(people))
        lenient = 0.6 * own + 0.8 * rng.standard_normal(len(people))
        staff = people.assign(respondent_id=people["person"], score=12 * own)
        score = 7 * lenient[children["index"]] + rng.normal(0, 15, len(children))
        rated = children.assign(rater_id=children["person"], score=score)
        variance, parts = pooled_variance(staff["score"], staff["institution_id"]), components_of(rated)
        assert isinstance(variance, float)
        # The bound of the covariance is lifted here: it is a truncation, and truncation biases.
        covariance = error_covariances(staff, rated, 1e9, RaterComponents(1e9, 1.0))
        assert isinstance(covariance, pd.Series)
        found.append([variance, parts.rater, parts.child, 6 * float(covariance.iloc[0])])  # six staff, all of them linked
    error = np.std(found, axis=0) / np.sqrt(len(found))
    assert (np.abs(np.mean(found, axis=0) - truth) < 4 * error).all()


def test_where_there_is_no_number() -> None:  # 4
    alone = frame([("A", "p", 1.0), ("A", "p", 2.0), ("B", "q", 4.0), ("B", "q", 3.0)])
    assert rater_components(alone) == ONE_RATER
    assert rater_components(alone.assign(rater_id=None)) == NO_RATERS
    assert pooled_variance(pd.Series([1.0, 2.0]), pd.Series(["A", "B"])) == NO_SPREAD
    staff = frame([("A", "x", 1.0), ("A", "y", 2.0)], "respondent_id")
    assert error_covariances(staff, alone, 1.0, RaterComponents(1.0, 1.0)) == NOT_LINKED
    assert all(isinstance(reason, Unavailable) and reason.reason for reason in (ONE_RATER, NO_RATERS, NO_SPREAD, NOT_LINKED))
