"""The declared population: what is published is as published, the rest is marked as assumed, the latent model gives both."""

import numpy as np
import pytest
from scipy import integrate, special, stats

from asp_eval.synthetic import calibration as cal
from asp_eval.synthetic import population as pop

SCALES = pytest.mark.parametrize("declared", pop.SCALES, ids=lambda scale: scale.key)


def test_published_effects_are_the_published_ones():
    found = {scale.key: (scale.effect_end.number, scale.effect_end.assumed) for scale in pop.SCALES}
    assert {key: value for key, (value, assumed) in found.items() if not assumed} == {
        "emotion": -0.15,
        "conduct": -0.20,
        "hyper": -0.20,
        "peer": 0.14,
    }
    assert found["prosocial"] == (-0.10, True)  # worse is published, the size is not


def test_published_means_and_shares_are_the_published_ones():
    assert {s.key: (s.mean.number, s.sd.number) for s in pop.SCALES} == {
        "emotion": (1.2, 1.6),
        "conduct": (0.9, 1.6),
        "hyper": (2.9, 2.9),
        "peer": (1.2, 1.6),
        "prosocial": (7.5, 2.5),
    }
    shares = {s.key: s.rater_share.number for s in pop.SCALES if not s.rater_share.assumed}
    assert shares == {"emotion": 0.23, "peer": 0.23, "conduct": 0.12, "hyper": 0.12}


def test_what_nobody_published_is_marked_as_assumed():
    for scale in pop.SCALES:
        assert scale.institution_share.assumed
        assert scale.effect_midway.assumed
        assert scale.effect_midway.number == pytest.approx(scale.effect_end.number / 2)


def test_declared_distributions_are_distributions():
    assert np.linalg.eigvalsh(np.asarray(pop.FACTOR_CORRELATION)).min() > 0.1
    assert sum(pop.EDUCATION_SHARES) == pytest.approx(1)
    assert np.dot(pop.EDUCATION_SHARES, pop.EFFECT_BY_EDUCATION) == pytest.approx(1)
    assert cal.covariate_cells().share.sum() == pytest.approx(1)
    assert sum(count for _, count in pop.MUNICIPALITIES) == 60


@SCALES
def test_thresholds_and_loading_give_the_declared_mean_and_sd(declared):
    assert cal.expected_score(declared, 0, 0.0) == pytest.approx(declared.mean.number, abs=0.02)
    assert cal.score_sd(declared, 0) == pytest.approx(declared.sd.number, abs=0.02)


@SCALES
def test_mean_and_sd_agree_with_a_numerical_integral_over_the_factor(declared):
    """The other way round: integrate over the factor within each item, with SciPy's integrals and distribution function."""
    cells = cal.covariate_cells()
    centres = cal.factor_mean(declared, cells.age[2], cells.boy, cells.step)
    residual = np.sqrt(1 - declared.loading**2)

    def density(z):
        return float(cells.share @ np.exp(-((z - centres) ** 2) / 2)) / np.sqrt(2 * np.pi)

    def items(z):
        taus = [(declared.first + o, declared.second + o) for o in declared.offsets]
        return [tuple(special.ndtr((declared.loading * z - tau) / residual) for tau in pair) for pair in taus]

    def first_moment(z):
        return density(z) * sum(p + q for p, q in items(z))

    def second_moment(z):
        passed = items(z)
        mean = sum(p + q for p, q in passed)
        return density(z) * (sum((p - q) + 4 * q - (p + q) ** 2 for p, q in passed) + mean**2)

    mean = integrate.quad(first_moment, -8, 8, limit=80, epsabs=1e-6)[0]
    square = integrate.quad(second_moment, -8, 8, limit=80, epsabs=1e-6)[0]
    assert cal.expected_score(declared, 2, 0.0) == pytest.approx(mean, abs=1e-5)
    assert cal.score_sd(declared, 2) == pytest.approx(np.sqrt(square - mean**2), abs=1e-5)


@SCALES
def test_latent_effects_give_the_declared_standardised_effects(declared):
    latent = cal.latent_scale(declared.key)
    assert latent.effects[0] == 0
    for wave, value in ((1, declared.effect_midway), (2, declared.effect_end)):
        difference = cal.expected_score(declared, wave, latent.effects[wave]) - cal.expected_score(declared, wave, 0.0)
        assert difference / cal.score_sd(declared, wave) == pytest.approx(value.number, abs=1e-8)


@SCALES
def test_latent_shares_give_the_declared_shares_of_the_score(declared):
    latent = cal.latent_scale(declared.key)
    institution = cal.shared_variance(declared, latent.institution)
    assert institution == pytest.approx(declared.institution_share.number, abs=1e-8)
    rater = cal.shared_variance(declared, latent.institution + latent.rater) - institution
    assert rater == pytest.approx(declared.rater_share.number, abs=1e-8)
    assert latent.institution + latent.rater + latent.child == pytest.approx(1)
    assert latent.child > 0.3


def test_shared_variance_agrees_with_simulated_pairs():
    """Mehler's formula against 400,000 pairs of children whose factors correlate .5."""
    declared = pop.SCALES[1]
    rng = np.random.default_rng(5)
    cells = cal.covariate_cells()
    centres = cal.factor_mean(declared, cells.age[0], cells.boy, cells.step)
    common = rng.standard_normal((400_000, 1)) * np.sqrt(0.5)
    factor = common + rng.standard_normal((400_000, 2)) * np.sqrt(0.5) + rng.choice(centres, (400_000, 2), p=cells.share)
    residual = np.sqrt(1 - declared.loading**2)
    score = np.zeros(factor.shape)
    for offset in declared.offsets:
        latent = declared.loading * factor + residual * rng.standard_normal(factor.shape)
        score += (latent > declared.first + offset).astype(float) + (latent > declared.second + offset)
    found = np.corrcoef(score.T)[0, 1]
    assert cal.shared_variance(declared, 0.5) == pytest.approx(found, abs=0.006)  # standard error about .0015


def test_normal_cdf_is_scipys():
    x = np.linspace(-8, 8, 101)
    np.testing.assert_allclose(cal.normal_cdf(x), stats.norm.cdf(x), rtol=1e-12, atol=1e-300)
