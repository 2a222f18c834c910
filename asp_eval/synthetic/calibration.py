r"""From values on the reported score to values of the latent model, in closed form.

The model of one SDQ scale (a graded response model in its normal-ogive form; Samejima 1969): child `i`'s factor at a
wave is ``F = mu(x) + d m(x) a + u``, with `x` age, sex and mother's education, `a` the arm, `u` standard normal, itself
the sum of an institution's, a rater's and the child's own part. The latent answer to item `k` is
``lambda F + sqrt(1 - lambda^2) e``; its value is the number of thresholds it passes, and the score is the sum of five.

Given `x` the latent answer has variance 1, so an expected score is a weighted sum of normal probabilities over items
and thresholds; the score's variance follows by integrating over the factor, and the share of variance two children
have in common from Mehler's formula: with Hermite coefficients `c_k` of ``E[score | u]``, children whose `u` correlate
`r` have covariance ``sum_k c_k^2 r^k``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
from numpy.polynomial import hermite_e
from numpy.typing import NDArray

from asp_eval.synthetic import population as pop

Array = NDArray[np.float64]

GRID = np.linspace(-9.0, 9.0, 361)  # the trapezoid rule is exact to rounding for functions this smooth
HERMITE_TERMS = 12


@dataclass(frozen=True, slots=True, eq=False)
class LatentScale:
    """One scale of the latent model.

    Attributes
    ----------
    thresholds : array (5, 2)
    institution, rater, child : float
        Shares of the factor's variance given age, sex and education; they sum to 1.
    effects : array (3,)
        The arm's effect on the factor at each wave, before `EFFECT_BY_EDUCATION`.
    """

    declared: pop.ScalePopulation
    thresholds: Array
    institution: float
    rater: float
    child: float
    effects: Array


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Every combination of birth month, sex and education, with its share of the eligible children.

    Attributes
    ----------
    age : array (3, n)
        Years, at the middle of each wave.
    boy, step, multiplier, share : array (n,)
    """

    age: Array
    boy: Array
    step: Array
    multiplier: Array
    share: Array


@cache
def latent_scale(key: str) -> LatentScale:
    """Return the latent model of an SDQ scale, worked out from its declared values."""
    declared = next(scale for scale in pop.SCALES if scale.key == key)
    effects = [0.0, *(_effect(declared, wave) for wave in (1, 2))]
    institution, rater = _shares(declared)
    return LatentScale(declared, _thresholds(declared), institution, rater, 1 - institution - rater, np.asarray(effects))


def expected_score(declared: pop.ScalePopulation, wave: int, effect: float) -> float:
    """Return the mean score of the eligible children at a wave, every item answered.

    ``sum_x p(x) sum_k sum_c Phi(lambda (mu(x) + effect m(x)) - tau_kc)``.

    Parameters
    ----------
    wave : {0, 1, 2}
    effect : float
        On the factor; 0 in the reference arm.
    """
    cells = covariate_cells()
    factor = factor_mean(declared, cells.age[wave], cells.boy, cells.step) + effect * cells.multiplier
    passed = normal_cdf(declared.loading * factor[:, None] - _thresholds(declared).ravel())
    return float(cells.share @ passed.sum(axis=1))


@cache
def score_sd(declared: pop.ScalePopulation, wave: int) -> float:
    """Return the standard deviation of the reference arm's scores at a wave, every item answered."""
    cells = covariate_cells()
    centres = factor_mean(declared, cells.age[wave], cells.boy, cells.step)
    density = np.exp(-0.5 * (GRID[:, None] - centres) ** 2) @ cells.share / math.sqrt(2 * math.pi)
    mean, variance = _given_factor(declared, GRID)
    weights = density * (GRID[1] - GRID[0])
    return math.sqrt(weights @ (variance + mean**2) - (weights @ mean) ** 2)


def shared_variance(declared: pop.ScalePopulation, correlation: float) -> float:
    """Return the correlation of two children's scores at the start whose factors correlate, by Mehler's formula.

    Parameters
    ----------
    correlation : float
        Of the two factors given age, sex and education, which are independent between the children.
    """
    coefficients = _hermite_coefficients(declared)
    powers = correlation ** np.arange(1, HERMITE_TERMS + 1)
    return float(coefficients**2 @ powers) / score_sd(declared, 0) ** 2


def factor_mean(declared: pop.ScalePopulation, age: Array, boy: Array, step: Array) -> Array:
    """Return the factor's mean in the reference arm, centred on sex, given age in years, sex and education's step."""
    return declared.per_year * (age - pop.CENTRE_OF_AGE) + declared.boys * (boy - pop.BOYS) + declared.education * step


@cache
def covariate_cells() -> Cells:
    """Return the declared joint distribution of birth month, sex and education among eligible children."""
    months = eligible_months()
    grid = np.meshgrid(months, [0.0, 1.0], np.arange(3), indexing="ij")
    month, boy = grid[0].ravel(), grid[1].ravel().astype(float)
    education = grid[2].ravel().astype(np.int64)
    share = np.where(boy == 1, pop.BOYS, 1 - pop.BOYS) * np.asarray(pop.EDUCATION_SHARES)[education] / len(months)
    step = np.asarray(pop.EDUCATION_STEP, dtype=float)[education]
    age = np.stack([month / 12 + years_since_start(wave.middle) for wave in pop.WAVES])
    multiplier = np.asarray(pop.EFFECT_BY_EDUCATION)[education]
    return Cells(age, boy, step, multiplier, share)


def eligible_months() -> Array:
    """Return the ages in months at the start that are three years or more."""
    return np.arange(max(pop.YOUNGEST_MONTHS, 36), pop.OLDEST_MONTHS + 1).astype(float)


def years_since_start(day: date) -> float:
    """Return the years from the middle of the first wave to `day`."""
    return (day - pop.WAVES[0].middle).days / 365.25


def normal_cdf(x: Array) -> Array:
    """Return the standard normal distribution function."""
    return np.asarray(_erfc(-x / math.sqrt(2)) / 2, dtype=float)


_erfc = np.vectorize(math.erfc, otypes=[float])


def _thresholds(declared: pop.ScalePopulation) -> Array:
    """The two thresholds of the five items, (5, 2)."""
    thresholds: Array = np.asarray(declared.offsets)[:, None] + np.asarray([declared.first, declared.second])
    return thresholds


def _given_factor(declared: pop.ScalePopulation, factor: Array) -> tuple[Array, Array]:
    """Mean and variance of the score given the factor: items are independent, each with values 0, 1, 2."""
    residual = math.sqrt(1 - declared.loading**2)
    passed = normal_cdf((declared.loading * factor[:, None, None] - _thresholds(declared)) / residual)
    first, second = passed[..., 0], passed[..., 1]
    item_mean = first + second
    return np.asarray(item_mean.sum(axis=1)), np.asarray((first + 3 * second - item_mean**2).sum(axis=1))


@cache
def _hermite_coefficients(declared: pop.ScalePopulation) -> Array:
    """Coefficients c_1, c_2, ... of E[score | u] in normalised Hermite polynomials, at the start."""
    cells = covariate_cells()
    centres = factor_mean(declared, cells.age[0], cells.boy, cells.step)
    fine = np.linspace(-12.0, 12.0, 4801)
    given, _ = _given_factor(declared, fine)
    averaged = np.stack([np.interp(GRID + centre, fine, given) for centre in centres], axis=1) @ cells.share
    weights = np.exp(-0.5 * GRID**2) / math.sqrt(2 * math.pi) * (GRID[1] - GRID[0])
    basis = hermite_e.hermevander(GRID, HERMITE_TERMS)[:, 1:]
    norms = np.sqrt([math.factorial(k) for k in range(1, HERMITE_TERMS + 1)])
    return np.asarray((weights * averaged) @ basis / norms)


def _effect(declared: pop.ScalePopulation, wave: int) -> float:
    """The effect on the factor that gives the declared standardised effect on the score."""
    standardised = (declared.effect_midway, declared.effect_end)[wave - 1].number
    target = expected_score(declared, wave, 0.0) + standardised * score_sd(declared, wave)
    return _solve(lambda effect: expected_score(declared, wave, effect), target, -2.0, 2.0)


def _shares(declared: pop.ScalePopulation) -> tuple[float, float]:
    """Shares of the factor's variance that give the declared shares of the score's."""
    wanted = declared.institution_share.number
    institution = _solve(lambda share: shared_variance(declared, share), wanted, 0.0, 1.0)
    wanted += declared.rater_share.number
    together = _solve(lambda share: shared_variance(declared, share), wanted, 0.0, 1.0)
    return institution, together - institution


def _solve(function: Callable[[float], float], target: float, low: float, high: float) -> float:
    """Where an increasing function reaches its target, by bisection to the last digit that matters."""
    for _ in range(45):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < target else (low, middle)
    return (low + high) / 2
