"""The children's SDQ answers, item by item, from the ordinal latent-variable model of `calibration`.

Both arms' answers come from the same random numbers: the arm shifts the latent answer before it is cut, so the data
under another draw of the lot differ only where the lot differs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asp_eval.core.randomness import stream
from asp_eval.synthetic import population as pop
from asp_eval.synthetic.calibration import Array, factor_mean, latent_scale
from asp_eval.synthetic.people import People

Values = NDArray[np.int8]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class SdqAnswers:
    """What the raters would answer in the reference arm, before it is cut into answers.

    Attributes
    ----------
    latent : array (scales, 3, children, items) of float32
    own : array (3, children, scales)
        Each child's own part of the factors, unit variance.
    multiplier : array (children,)
        Of the arm's effect, by the mother's education.
    """

    latent: NDArray[np.float32]
    own: Array
    multiplier: Array

    def values(self, treated: Flags) -> Values:
        """Return every item's value in the direction of its scale, 0, 1 or 2, under an allocation.

        Parameters
        ----------
        treated : array (children,) of bool
            Whether the institution the child was drawn with is in the intervention arm.

        Returns
        -------
        array (scales, 3, children, 5) of int8
        """
        cut = np.empty(self.latent.shape, dtype=np.int8)
        for position, key in enumerate(pop.SCALE_KEYS):
            scale = latent_scale(key)
            shift = np.multiply.outer(scale.declared.loading * scale.effects, self.multiplier * treated)
            shifted = self.latent[position] + shift[..., None].astype(np.float32)
            first, second = scale.thresholds.T.astype(np.float32)
            cut[position] = (shifted > first).astype(np.int8) + (shifted > second)
        return cut


def draw_sdq(seed: int, people: People) -> SdqAnswers:
    """Draw the latent SDQ answers of every child at every wave."""
    factor, own = _factors(seed, people)
    rng = stream(seed, "synthetic", "sdq", "items")
    waves, children = people.children.age.shape
    latent = np.empty((len(pop.SCALES), waves, children, 5), dtype=np.float32)
    for position, declared in enumerate(pop.SCALES):
        residual = rng.standard_normal((waves, children, 5), dtype=np.float32)
        latent[position] = residual * math.sqrt(1 - declared.loading**2)
        latent[position] += (declared.loading * factor[..., position, None]).astype(np.float32)
    return SdqAnswers(latent, own, np.asarray(pop.EFFECT_BY_EDUCATION)[people.children.education])


def score_values(values: Values, answered: Flags | None = None) -> Array:
    """Return scale scores from item values: mean of the answered times five, rounded half up; NaN below three.

    Parameters
    ----------
    values : array (..., 5)
    answered : array (..., 5) of bool, optional
        Default: every item.
    """
    if answered is None:
        return np.asarray(values.sum(axis=-1, dtype=np.float64))
    count = answered.sum(axis=-1)
    total = np.where(answered, values, 0).sum(axis=-1, dtype=np.int64)
    scores = (10 * total + count) // np.maximum(2 * count, 1)  # floor(5 total/count + 1/2) in whole numbers
    return np.where(count >= 3, scores, np.nan)


def draw_answered(rng: np.random.Generator, forms: tuple[int, ...], items: int) -> Flags:
    """Draw which items are answered: most raters skip one now and then, a few forms are filled in hastily.

    Parameters
    ----------
    forms : tuple of int
        Shape of the forms, such as (3, children).
    items : int
        Per form.

    Returns
    -------
    array (*forms, items) of bool
    """
    hasty = rng.random((*forms, 1)) < pop.HASTY_FORM
    chance = np.where(hasty, pop.HASTY_ITEM_SKIPPED, pop.ITEM_SKIPPED).astype(np.float32)
    return np.asarray(rng.random((*forms, items), dtype=np.float32) >= chance)


def _factors(seed: int, people: People) -> tuple[Array, Array]:
    """The factors in the reference arm and the children's own parts, both (3, children, scales)."""
    correlate = np.linalg.cholesky(np.asarray(pop.FACTOR_CORRELATION)).T
    children = people.children
    rng = stream(seed, "synthetic", "sdq", "institutions")
    institutions = _over_waves(rng, len(people.institutions.ids), pop.INSTITUTION_STABILITY) @ correlate
    rng = stream(seed, "synthetic", "sdq", "raters")
    raters = rng.standard_normal((len(people.staff.ids), len(pop.SCALES))) @ correlate
    own = _over_waves(stream(seed, "synthetic", "sdq", "own"), len(children.ids), pop.CHILD_STABILITY) @ correlate
    at = np.take_along_axis(institutions, children.institution[..., None], axis=1)
    scales = [latent_scale(key) for key in pop.SCALE_KEYS]
    step = np.asarray(pop.EDUCATION_STEP, dtype=float)[children.education]
    factor = np.stack([factor_mean(scale.declared, children.age, children.boy.astype(float), step) for scale in scales], axis=-1)
    factor += at * np.sqrt([scale.institution for scale in scales])
    factor += raters[children.rater] * np.sqrt([scale.rater for scale in scales])
    factor += own * np.sqrt([scale.child for scale in scales])
    return factor, own


def _over_waves(rng: np.random.Generator, units: int, stability: float) -> Array:
    """Independent unit-variance series over the waves, (3, units, scales), each wave depending on the one before."""
    steps = rng.standard_normal((len(pop.WAVES), units, len(pop.SCALES)))
    for wave in range(1, len(steps)):
        steps[wave] = stability * steps[wave - 1] + math.sqrt(1 - stability**2) * steps[wave]
    return steps
