"""Hedges (2007): against the paper's equal-size form, the individual-level limit, hand arithmetic and simulation."""

import numpy as np
import pytest

from asp_eval.core.errors import Refusal
from asp_eval.core.randomness import stream
from asp_eval.stats.meta.effect_size import total_effect_size


def effect(difference, between, within, treated, control, std_error=0.0, df=30.0):
    return total_effect_size(
        difference,
        std_error,
        df,
        between_variance=between,
        within_variance=within,
        sizes_treated=np.array(treated),
        sizes_control=np.array(control),
    )


@pytest.mark.parametrize(("m", "n", "rho"), [(10, 20, 0.1), (30, 50, 0.05), (2, 5, 0.5), (8, 1, 0.2)])
def test_equal_sizes_give_the_papers_equal_size_form(m, n, rho):
    total, d = 2 * m * n, 0.4
    numerator = (total - 2) * (1 - rho) ** 2 + n * (total - 2 * n) * rho**2 + 2 * (total - 2 * n) * rho * (1 - rho)
    expected = d**2 * numerator / (2 * (total - 2) * ((total - 2) - 2 * (n - 1) * rho))
    assert effect(d, rho, 1 - rho, [n] * m, [n] * m).std_error ** 2 == pytest.approx(expected, rel=1e-12)


def test_without_clustering_it_is_the_textbook_term():
    # rho = 0: d^2 / (2 (N - 2)), as for two independent groups
    assert effect(1.0, 0.0, 4.0, [7, 3], [5, 5]).std_error ** 2 == pytest.approx(0.25 / (2 * 18), rel=1e-12)


def test_unequal_sizes_by_hand():
    # treated 1, 3; control 2, 2; rho = 1/4; N = 8.
    # A: treated S2 = 10, S3 = 28, (16*10 + 100 - 2*4*28) / 16 = 2.25; control S2 = 8, S3 = 16, (16*8 + 64 - 2*4*16) / 16 = 4
    # B: treated (16 - 10) / 4 = 1.5; control (16 - 8) / 4 = 2
    a, b, rho = 2.25 + 4, 1.5 + 2, 0.25
    spread = (6 * 0.75**2 + a * rho**2 + 2 * b * rho * 0.75) / (2 * 6 * (6 - rho * (6 - b)))
    assert effect(2.0, 1.0, 3.0, [1, 3], [2, 2]).std_error ** 2 == pytest.approx(spread, rel=1e-12)


def test_the_error_of_the_difference_enters_in_total_sd():
    assert effect(0.0, 1.0, 3.0, [5] * 5, [5] * 5, std_error=0.5).std_error == pytest.approx(0.25)


def test_the_interval_is_students():
    size = effect(0.0, 1.0, 3.0, [5] * 5, [5] * 5, std_error=2.0, df=10)
    assert size.conf_high == pytest.approx(2.228138851964939)  # t(0.975, 10), a printed table: 2.228


def test_the_spread_of_the_pooled_total_sd_in_simulation():
    # The second term is the variance of d_T from estimating the total SD; simulate that SD with unequal clusters.
    rng = stream(1, "effect size spread")
    sizes, rho, d = np.array([2, 4, 6, 8, 10, 20]), 0.3, 1.0
    total_sd = np.empty(8_000)
    for i in range(len(total_sd)):
        arms = [np.repeat(rng.normal(0, np.sqrt(rho), 6), sizes) + rng.normal(0, np.sqrt(1 - rho), sizes.sum()) for _ in range(2)]
        total_sd[i] = np.sqrt(np.mean([arm.var(ddof=1) for arm in arms]))
    expected = effect(d, rho, 1 - rho, sizes, sizes).std_error
    assert (d / total_sd).std() == pytest.approx(expected, rel=0.12)


@pytest.mark.parametrize(("between", "within", "treated", "code"), [(0.0, 0.0, [5, 5], "INF-020"), (1.0, 1.0, [5], "INF-021")])
def test_what_cannot_be_standardised_is_refused(between, within, treated, code):
    with pytest.raises(Refusal, match=code):
        effect(1.0, between, within, treated, [5, 5])
