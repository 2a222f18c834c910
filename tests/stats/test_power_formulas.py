"""Standard errors, degrees of freedom and rejection probabilities, each by hand beside the package.

1. noncentral t is an integral over the chi-square; its far tails are numbers; no effect rejects alpha; 2. three levels;
3. sites: random and fixed, clusters and individuals; 4. unequal sizes: van Breukelen's approximation, the exact sum, the
design effect of least squares; 5. losses at both levels, by arm; 6. waves: change, covariance with one slope and with means,
several follow-ups; 7. binary outcomes; 8. Hayes and Bennett; 9. the worked example of the docs; 10. an uncertain intraclass
correlation is an integral.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

from asp_eval import (
    Ancova,
    Binary,
    ByArm,
    Change,
    ClusterRobust,
    Continuous,
    EndOnly,
    FixedSites,
    IccDraws,
    IccEstimate,
    IccInterval,
    IccTriangular,
    Individual,
    Losses,
    Multisite,
    RandomSites,
    Sizes,
    ThreeLevel,
    TTest,
    TwoLevel,
    ZTest,
    minimum_detectable_effect,
    power,
)
from asp_eval.stats.power.hayes_bennett import clusters_for_means, clusters_for_proportions
from asp_eval.stats.power.rejection import noncentral_tail, rejection, tail_by_quadrature

EXACT = {"rel": 1e-12}


def se_by_hand(v0: float, v1: float, m0: float, m1: float) -> float:
    return float(np.sqrt(v0 / m0 + v1 / m1))


def power_by_integration(delta: float, df: float, alpha: float = 0.05) -> float:
    """P(|T| > t_crit) as the mean of normal tails over s = sqrt(chi-square / df)."""
    crit = stats.t.ppf(1 - alpha / 2, df)

    def integrand(w: float) -> float:
        s = np.sqrt(w / df)
        return float((special.ndtr(delta - crit * s) + special.ndtr(-crit * s - delta)) * stats.chi2.pdf(w, df))

    ends = stats.chi2.ppf([1e-14, 1 - 1e-14], df)
    return float(integrate.quad(integrand, *ends, epsabs=1e-12, epsrel=1e-11, limit=500)[0])


@pytest.mark.parametrize("df", [3, 10.5, 57, 400])
@pytest.mark.parametrize("delta", [0.0, 0.7, 2.8, 6.0])
def test_rejection_is_an_integral_over_the_chi_square(df, delta):
    found = rejection(np.array(delta), df, TTest())
    assert found == pytest.approx(power_by_integration(delta, df), abs=1e-9)
    assert rejection(np.array(-delta), df, TTest()) == found


def test_no_effect_rejects_alpha():
    for test in (TTest(), TTest(alpha=0.01), ZTest(), TTest(sides=1)):
        assert rejection(np.array(0.0), 23, test) == pytest.approx(test.alpha, rel=1e-10)
    assert rejection(np.array(0.0), 23, TTest(both_tails=False)) == pytest.approx(0.025, rel=1e-10)


def test_far_tails_are_numbers():
    delta = np.array([5.0, 30.0, 40.0, 1e3])
    for df in (2, 5, 57, 1e4):
        found = rejection(delta, df, TTest())
        assert np.isfinite(found).all()
        assert (np.diff(found) >= 0).all()
    assert noncentral_tail(2.0, 57, np.array(40.0)) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("df", [2, 5, 57, 1000])
def test_the_quadrature_for_far_tails_is_the_noncentral_t(df):
    delta, crit = np.array([0.5, 2.0, 4.0]), np.array([2.0, 2.5, 3.0])
    assert tail_by_quadrature(crit, df, delta) == pytest.approx(stats.nct.sf(crit, df, delta), abs=1e-9)


def test_many_clusters_make_the_t_test_a_z_test():
    design = TwoLevel(1e7, 10, 0.1)
    effect = 3e-4
    assert power(design, effect).power == pytest.approx(power(design, effect, test=ZTest()).power, abs=1e-6)
    delta = effect / power(design, effect).std_error
    by_hand = stats.norm.sf(1.959963984540054 - delta) + stats.norm.cdf(-1.959963984540054 - delta)
    assert power(design, effect, test=ZTest()).power == pytest.approx(by_hand, rel=1e-12)


def test_three_levels():
    found = power(
        ThreeLevel(
            clusters=34,
            subclusters=3,
            size=12,
            icc=0.11,
            icc_subcluster=0.07,
            share=0.4,
            r2_cluster=0.3,
            r2_subcluster=0.2,
            r2_individual=0.5,
            covariates_cluster=2,
            strata=3,
        ),
        0.3,
    )
    v = 0.11 * 0.7 + 0.07 * 0.8 / 3 + 0.82 * 0.5 / 36
    assert found.std_error == pytest.approx(np.sqrt(v / (0.4 * 0.6 * 34)), **EXACT)
    assert found.df == 34 - 2 - 2 - 2


@pytest.mark.parametrize(
    ("effects", "df", "between"),
    [
        (RandomSites(0.3, r2=0.25), 14 - 1 - 1, 0.12 * 0.3 * 0.75 / 14),
        (FixedSites(), 14 * 8 - 14 - 1 - 1, 0.0),
        (FixedSites(own_effects=True), 14 * 6 - 1, 0.0),
    ],
)
def test_sites_of_clusters(effects, df, between):
    design = Multisite(
        sites=14, clusters=8, size=15, icc=0.09, icc_site=0.12, effects=effects, r2_cluster=0.4, r2_individual=0.1, covariates=1
    )
    found = power(design, 0.2)
    inner = (0.09 * 0.6 + 0.79 * 0.9 / 15) / (0.25 * 14 * 8)
    assert found.std_error == pytest.approx(np.sqrt(between + inner), **EXACT)
    assert found.df == df


@pytest.mark.parametrize(
    ("effects", "df", "between"),
    [(RandomSites(0.2), 39.0, 0.15 * 0.2 / 40), (FixedSites(), 40 * 25 - 41.0, 0.0), (FixedSites(True), 40 * 23.0, 0.0)],
)
def test_sites_of_individuals(effects, df, between):
    found = power(Multisite(sites=40, clusters=0, size=25, icc_site=0.15, effects=effects, r2_individual=0.3), 0.2)
    assert found.std_error == pytest.approx(np.sqrt(between + 0.85 * 0.7 / (0.25 * 40 * 25)), **EXACT)
    assert found.df == df


def test_a_stratified_draw_is_fixed_sites_with_a_common_effect():
    stratified = power(TwoLevel(clusters=60, size=20, icc=0.1, strata=6), 0.3)
    sites = power(Multisite(sites=6, clusters=10, size=20, icc=0.1), 0.3)
    assert (stratified.std_error, stratified.df) == (pytest.approx(sites.std_error, **EXACT), sites.df)


def test_van_breukelen_candel_and_berger():
    n, rho, cv = 24, 0.08, 0.6
    found = power(TwoLevel(40, n, rho, cv=cv), 0.3)
    share = n * rho / (1 + (n - 1) * rho)
    deff = (1 + (n - 1) * rho) / (1 - cv**2 * share * (1 - share))
    assert found.std_error == pytest.approx(np.sqrt(4 * deff / (40 * n)), **EXACT)


def test_known_sizes_are_summed_exactly():
    sizes, rho = np.array([3.0, 10, 10, 25, 60, 12]), 0.15
    information = (sizes / (1 + (sizes - 1) * rho)).sum() / 2
    found = power(TwoLevel(6, Sizes.of(sizes), rho), 0.3)
    assert found.std_error == pytest.approx(np.sqrt(2 / information), **EXACT)


def test_the_approximation_is_near_the_sum_and_has_its_limit():
    sizes = np.array([40.0, 60.0] * 15)
    near = power(TwoLevel(30, Sizes.of(sizes), 0.05), 0.3).std_error
    approximated = power(TwoLevel(30, 50, 0.05, cv=0.2), 0.3).std_error
    assert approximated == pytest.approx(near, rel=1e-3)
    assert approximated > power(TwoLevel(30, 50, 0.05), 0.3).std_error


@pytest.mark.parametrize("sizes", [None, [3.0, 10, 10, 25, 60, 12]])
def test_least_squares_weights_individuals_alike(sizes):
    n, cv, rho = (20.0, 0.5, 0.15) if sizes is None else (np.mean(sizes), np.std(sizes) / np.mean(sizes), 0.15)
    design = TwoLevel(6, 20 if sizes is None else Sizes.of(sizes), rho, cv=cv if sizes is None else 0, analysis=ClusterRobust())
    deff = 1 + ((cv**2 + 1) * n - 1) * rho
    assert power(design, 0.3).std_error == pytest.approx(np.sqrt(4 * deff / (6 * n)), **EXACT)
    if sizes is not None:  # the variance of the mean of all individuals of three such clusters
        s = np.array(sizes)
        v = (s**2 * rho + s * (1 - rho)).sum() / s.sum() ** 2 * 6 / 3
        assert power(design, 0.3).std_error == pytest.approx(np.sqrt(2 * v), **EXACT)


def test_losses_at_both_levels_by_arm():
    losses = Losses(clusters=ByArm(control=0.1, treated=0.2), individuals=ByArm(0.05, 0.25))
    found = power(TwoLevel(50, 20, 0.1, share=0.4), 0.3, losses=losses)
    v0, v1 = 0.1 + 0.9 / 19, 0.1 + 0.9 / 15
    assert found.std_error == pytest.approx(se_by_hand(v0, v1, 27, 16), **EXACT)
    assert found.df == pytest.approx(43 - 2)


def test_known_sizes_lose_individuals():
    sizes = np.array([10.0, 20, 40, 30])
    found = power(TwoLevel(4, Sizes.of(sizes), 0.2), 0.3, losses=Losses(individuals=0.5))
    half = sizes / 2
    assert found.std_error == pytest.approx(np.sqrt(4 / (half / (half * 0.2 + 0.8)).sum()), **EXACT)


TAU, SIGMA, N = 0.12, 0.88, 16.0


def test_change():
    found = power(TwoLevel(40, N, TAU), 0.3, waves=Change(cluster=0.7, individual=0.4))
    v = 2 * TAU * 0.3 + 2 * SIGMA * 0.6 / N
    assert found.std_error == pytest.approx(np.sqrt(4 * v / 40), **EXACT)


def test_covariance_of_means_is_one_less_the_squared_correlation_of_means():
    found = power(TwoLevel(40, N, TAU), 0.3, waves=Ancova(cluster=0.7, individual=0.4, cluster_means=True))
    v = TAU + SIGMA / N
    r = (0.7 * TAU + 0.4 * SIGMA / N) / v
    assert found.std_error == pytest.approx(np.sqrt(4 * v * (1 - r**2) / 40), **EXACT)
    assert found.df == 37


@pytest.mark.parametrize("k", [1, 3])
def test_frison_and_pocock(k):
    r = 0.6
    alike = {"cluster": r, "individual": r, "followups": k}
    v = TAU + SIGMA / N
    mean = (1 + (k - 1) * r) / k
    factors = {
        EndOnly(**alike): mean,
        Change(**alike): mean + 1 - 2 * r,
        Ancova(**alike): mean - r**2,
        Ancova(**alike, cluster_means=True): mean - r**2,
    }
    for waves, factor in factors.items():
        assert power(TwoLevel(40, N, TAU), 0.3, waves=waves).std_error == pytest.approx(np.sqrt(4 * v * factor / 40), **EXACT)


def test_one_slope_minimises_the_expected_criterion():
    rc, ri = 0.2, 0.8

    def left(b: float) -> tuple[float, float]:
        return TAU * (1 - 2 * b * rc + b**2), SIGMA * (1 - 2 * b * ri + b**2)

    def criterion(b: float) -> float:
        between, within = left(b)
        return float(np.log(between + within / N) + (N - 1) * np.log(within))

    b = optimize.minimize_scalar(criterion, bounds=(0, 1), method="bounded", options={"xatol": 1e-10}).x
    assert rc < b < ri
    between, within = left(b)
    found = power(TwoLevel(40, N, TAU), 0.3, waves=Ancova(rc, ri))
    assert found.std_error == pytest.approx(np.sqrt(4 * (between + within / N) / 40), rel=1e-7)
    assert found.std_error > power(TwoLevel(40, N, TAU), 0.3, waves=Ancova(rc, ri, cluster_means=True)).std_error


def test_three_levels_of_correlation():
    found = power(ThreeLevel(40, 2, 8, 0.1, 0.06), 0.3, waves=Change(0.7, 0.4, subcluster=0.6))
    v = 2 * (0.1 * 0.3 + 0.06 * 0.4 / 2 + 0.84 * 0.6 / 16)
    assert found.std_error == pytest.approx(np.sqrt(4 * v / 40), **EXACT)


def test_binary_outcomes():
    found = power(TwoLevel(24, 30, 0.04), -0.15, outcome=Binary(0.35))
    deff = 1 + 29 * 0.04
    se = np.sqrt((0.35 * 0.65 + 0.2 * 0.8) * deff / (12 * 30))
    assert found.std_error == pytest.approx(se, **EXACT)
    assert found.power == pytest.approx(power_by_integration(0.15 / se, 22), abs=1e-9)


def test_a_rise_and_a_fall_of_a_proportion_differ():
    design = TwoLevel(24, 30, 0.04)
    rise, fall = (minimum_detectable_effect(design, outcome=Binary(0.2, falls=f)).effect for f in (False, True))
    assert rise > 0 > fall
    assert abs(fall) < rise  # the variance is smaller below 0.2
    assert power(design, fall, outcome=Binary(0.2)).power == pytest.approx(0.8, abs=1e-10)


def test_units_of_the_outcome():
    standard = power(TwoLevel(24, 30, 0.04), 0.2)
    raw = power(TwoLevel(24, 30, 0.04), 0.2 * 7.5, outcome=Continuous(sd=7.5))
    assert raw.power == pytest.approx(standard.power, **EXACT)
    assert raw.std_error == pytest.approx(7.5 * standard.std_error, **EXACT)


def test_individuals_with_covariates():
    found = power(Individual(90, share=1 / 3, r2=0.4, covariates=3), 0.5)
    assert found.std_error == pytest.approx(np.sqrt(0.6 / (90 * 2 / 9)), **EXACT)
    assert found.df == 85


def test_hayes_and_bennett():
    z2 = (1.9599639845400545 + 0.8416212335729143) ** 2
    by_hand = 1 + z2 * (0.24 / 40 + 0.16 / 40 + 0.3**2 * (0.4**2 + 0.2**2)) / 0.04
    assert clusters_for_proportions(0.4, 0.2, 40, 0.3) == pytest.approx(by_hand, rel=1e-12)
    means = 1 + z2 * (2 * 4 / 25 + 0.1**2 * (10**2 + 11**2)) / 1
    assert clusters_for_means(10, 11, 2, 25, 0.1) == pytest.approx(means, rel=1e-12)


@pytest.mark.parametrize(("icc", "r2", "se"), [(0.05, 0.0, 0.071), (0.10, 0.0, 0.091), (0.10, 0.4, 0.071)])
def test_the_worked_example(icc, r2, se):
    design = TwoLevel(59, 2323 / 59, icc, r2_cluster=r2, r2_individual=r2)
    assert power(design, 0.15).std_error == pytest.approx(se, abs=5e-4)


def test_an_uncertain_intraclass_correlation_is_an_integral():
    m, s = 0.08, 0.03
    n = m * (1 - m) / s**2 - 1
    beta = stats.beta(m * n, (1 - m) * n)

    def at(icc: float) -> float:
        return power(TwoLevel(40, 25, icc), 0.3).power

    iccs = np.linspace(1e-4, 0.45, 301)
    by_hand = integrate.simpson([at(float(x)) * beta.pdf(x) for x in iccs], x=iccs)  # over the density, not the quantiles
    found = power(TwoLevel(40, 25, IccEstimate(m, s)), 0.3)
    assert found.power == pytest.approx(by_hand, abs=1e-5)
    row = found.rows[0]
    assert (row.low, row.high) == (pytest.approx(at(beta.ppf(0.95)), abs=1e-9), pytest.approx(at(beta.ppf(0.05)), abs=1e-9))


def test_distributions_have_the_quantiles_they_were_given():
    ends = np.array([0.025, 0.5, 0.975])
    assert IccInterval(0.08, 0.02, 0.25).quantiles(ends) == pytest.approx([0.02, 0.08, 0.25])
    assert IccInterval(0.0, 0.0, 0.05).quantiles(ends) == pytest.approx([0.0, 0.0, 0.05])
    triangle = stats.triang(c=0.25, loc=0.02, scale=0.2)
    assert IccTriangular(0.02, 0.07, 0.22).quantiles(ends) == pytest.approx(triangle.ppf(ends))
    assert IccDraws.of([0.0, 0.1, 0.2]).quantiles(np.array([0.0, 0.25, 1.0])) == pytest.approx([0.0, 0.05, 0.2])
