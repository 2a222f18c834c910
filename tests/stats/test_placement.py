"""Where each group's true value lies among all.

1. Against the joint posterior integrated by brute force.  2. Closed form where mean and spread are known: many groups.
3. Symmetry, and what no scale changes.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from asp_eval.stats.meta.placement import QUARTILE, placement, tau_posterior


def test_against_the_joint_posterior_by_brute_force() -> None:  # 1
    # A grid of (tau, mu) under the plain likelihood, flat in both; then theta given them: no closed form for mu.
    y, v = np.array([-4.0, 1.0, 2.0, 3.0, 11.0, 0.5]), np.array([2.0, 4.0, 1.0, 3.0, 2.0, 5.0])
    tau, mu = np.meshgrid(np.linspace(0.01, 80, 2000), np.linspace(-40, 44, 400), indexing="ij")
    total = tau[..., None] ** 2 + v
    log = -0.5 * (np.log(total) + (y - mu[..., None]) ** 2 / total).sum(axis=-1)
    p = np.exp(log - log.max())
    p /= p.sum()
    found = placement(y, v)
    for j in range(len(y)):
        own = tau**2 / (tau**2 + v[j])
        centre, spread = own * (y[j] - mu), np.sqrt(1 - own) * tau
        from scipy.special import ndtr

        above, below = (p * ndtr((centre - QUARTILE * tau) / spread)).sum(), (p * ndtr((-centre - QUARTILE * tau) / spread)).sum()
        departure = (p * centre).sum()
        sd = np.sqrt((p * (centre**2 + spread**2)).sum() - departure**2)
        assert found.above[j] == pytest.approx(above, abs=2e-3)
        assert found.below[j] == pytest.approx(below, abs=2e-3)
        assert found.departure[j] == pytest.approx(departure, abs=0.02)
        assert found.departure_sd[j] == pytest.approx(sd, rel=0.02)
    np.testing.assert_allclose(found.above + found.middle + found.below, 1)


def test_with_many_groups_the_closed_form_of_known_mean_and_spread() -> None:  # 2
    rng = np.random.default_rng(5)
    m, share = 4_000, 0.7
    v = np.full(m, (1 - share) / share)
    theta = rng.normal(size=m)
    y = theta + rng.normal(size=m) * np.sqrt(v)
    found, normal = placement(y, v), NormalDist()
    for j in range(0, m, 400):
        expected = 1 - normal.cdf((QUARTILE - share * y[j]) / np.sqrt(1 - share))
        assert found.above[j] == pytest.approx(expected, abs=0.04)


def test_tau_has_its_density() -> None:  # 1
    # With equal variances v the density is that of a scaled inverse chi-square in v + tau^2, cut off at v.
    y, v = np.array([-3.0, 0.0, 1.0, 5.0, 9.0]), np.full(5, 2.0)
    tau, share = tau_posterior(y, v)
    fine = np.linspace(1e-4, 4000, 2_000_001)
    squares = ((y - y.mean()) ** 2).sum()
    density = (fine**2 + 2.0) ** -2.0 * np.exp(-0.5 * squares / (fine**2 + 2.0))
    for edge in (1.0, 4.0, 10.0):
        assert share[tau < edge].sum() == pytest.approx(density[fine < edge].sum() / density.sum(), abs=5e-3)


def test_turned_round_and_rescaled() -> None:  # 3
    y, v = np.array([-4.0, 1.0, 2.0, 3.0, 11.0]), np.array([2.0, 4.0, 1.0, 3.0, 2.0])
    plain, turned, larger = placement(y, v), placement(-y, v), placement(7 * y + 3, 49 * v)
    np.testing.assert_allclose(plain.above, turned.below)
    np.testing.assert_allclose(plain.middle_cautious, turned.middle_cautious)
    np.testing.assert_allclose(plain.above, larger.above)
    np.testing.assert_allclose(7 * plain.departure, larger.departure)
