"""Answers to the two sides of gap-competences: what staff say of themselves, and of each child they rate.

The dimensions come from the instruments. Who finds himself or herself more competent than others do also finds the
children more competent (`halo`); so the two sides of a profile are not independent, and an evaluation has to know.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from asp_eval.core.randomness import stream
from asp_eval.synthetic import population as pop
from asp_eval.synthetic.calibration import Array
from asp_eval.synthetic.people import People
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.library import instrument

Codes = NDArray[np.int8]

CHILD, STAFF = "gap-competences-child", "gap-competences-staff"


def draw_competences(seed: int, people: People, own: Array) -> tuple[Codes, Codes]:
    """Draw how every child would be rated at every wave, and every member of staff's own ratings at the start.

    Parameters
    ----------
    own : array (3, children, scales)
        The children's own parts of the SDQ factors: how a child gets on shows in both questionnaires.

    Returns
    -------
    child : array (3, children, items) of int8
        Codes of the answers, items in the instrument's order.
    staff : array (staff, items) of int8
    """
    values = pop.COMPETENCES
    dimensions = len(instrument(CHILD).scales)
    rng = stream(seed, "synthetic", "competences", "institutions")
    shape = (len(people.institutions.ids), dimensions)
    staff_side, child_side = _correlated(rng, shape, values.sides)
    leniency, competent = _correlated(stream(seed, "synthetic", "competences", "staff"), (len(people.staff.ids), 1), values.halo)
    child = _child_factor(seed, people, own, child_side, leniency)
    staff = _staff_factor(seed, people, staff_side, competent)
    return (
        _answers(seed, instrument(CHILD), child, values.child_cuts),
        _answers(seed, instrument(STAFF), staff, values.staff_cuts),
    )


def _child_factor(seed: int, people: People, own: Array, institution: Array, leniency: Array) -> Array:
    """The children's factors, (3, children, dimensions)."""
    values, children = pop.COMPETENCES, people.children
    rng = stream(seed, "synthetic", "competences", "children")
    waves, n = children.age.shape
    general = _general_part(rng, own)
    # A child's profile over the dimensions stays from wave to wave; what changes is the general part, age and the rater.
    special = np.broadcast_to(rng.standard_normal((n, institution.shape[1])), (waves, n, institution.shape[1]))
    personal = math.sqrt(values.general) * general[..., None] + math.sqrt(1 - values.general) * special
    fixed = (
        values.per_year * (children.age - pop.CENTRE_OF_AGE)
        + values.boys * (children.boy - pop.BOYS)
        + values.education * np.asarray(pop.EDUCATION_STEP)[children.education]
    )
    share = 1 - values.child_institution - values.child_rater
    return np.asarray(
        fixed[..., None]
        + math.sqrt(values.child_institution) * institution[children.institution]
        + math.sqrt(values.child_rater) * leniency[children.rater]
        + math.sqrt(share) * personal
    )


def _general_part(rng: np.random.Generator, own: Array) -> Array:
    """Each child's general competence, unit variance, with the declared correlations with two SDQ factors, (3, children)."""
    values = pop.COMPETENCES
    pair = [pop.SCALE_KEYS.index(key) for key in ("prosocial", "hyper")]
    among = np.asarray(pop.FACTOR_CORRELATION)[np.ix_(pair, pair)]
    wanted = np.asarray([values.prosocial, values.hyper])
    weights = np.linalg.solve(among, wanted)
    rest = rng.standard_normal(own.shape[1])
    return np.asarray(own[..., pair] @ weights + math.sqrt(1 - wanted @ weights) * rest)


def _staff_factor(seed: int, people: People, institution: Array, competent: Array) -> Array:
    """The factors of staff's own competence, (staff, dimensions)."""
    values = pop.COMPETENCES
    special = stream(seed, "synthetic", "competences", "special").standard_normal((len(competent), institution.shape[1]))
    personal = math.sqrt(values.general) * competent + math.sqrt(1 - values.general) * special
    between = math.sqrt(values.staff_institution) * institution[people.staff.institution]
    return np.asarray(between + math.sqrt(1 - values.staff_institution) * personal)


def _answers(seed: int, form: Instrument, factor: Array, cuts: tuple[float, float]) -> Codes:
    """Cut latent answers into codes, (..., items): each item belongs to one dimension, and dimensions differ in level."""
    values = pop.COMPETENCES
    rng = stream(seed, "synthetic", "competences", form.id)
    levels = values.dimension_sd * rng.standard_normal(len(form.scales))
    position = {key: k for k, scale in enumerate(form.scales) for key in scale.items}
    answers = np.empty((*factor.shape[:-1], len(form.items)), dtype=np.int8)
    for column, item in enumerate(form.items):
        codes = np.asarray(form.codes(item), dtype=np.int8)
        latent = math.sqrt(1 - values.loading**2) * rng.standard_normal(factor.shape[:-1], dtype=np.float32)
        latent = latent + values.loading * (factor[..., position[item.key]] + levels[position[item.key]])
        passed = np.searchsorted(np.linspace(*cuts, len(codes) - 1), latent)
        answers[..., column] = codes[::-1][passed] if item.reverse else codes[passed]
    return answers


def _correlated(rng: np.random.Generator, shape: tuple[int, int], correlation: float) -> tuple[Array, Array]:
    """Two arrays of standard normal numbers whose corresponding elements correlate."""
    first, rest = rng.standard_normal(shape), rng.standard_normal(shape)
    return first, correlation * first + math.sqrt(1 - correlation**2) * rest
