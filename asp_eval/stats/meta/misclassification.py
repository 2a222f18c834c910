r"""Effects by a coded type when coders err: what the codes hide, and what is left when it is taken out.

A type coded at baseline in both arms, blind to the arm, may moderate an effect. Codes that err mix the types: with
:math:`P_{tc} = \Pr(\text{code } c \mid \text{type } t)` and shares :math:`\pi_t`, a code's group is made of the types

.. math:: R_{tc} = \Pr(\text{type } t \mid \text{code } c) = \frac{\pi_t P_{tc}}{\sum_s \pi_s P_{sc}},

so the effects seen by code are :math:`R' \delta` of the true :math:`\delta`, closer to each other than the truth. The matrix
method solves for :math:`\delta` (Kuha & Skinner 1997, in Lyberg et al., Survey Measurement and Process Quality, ch. 28). Two
coders whose errors are independent given the type say more than one: each institution then counts in every type by its posterior
probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asp_eval.core.errors import Fault, Unavailable
from asp_eval.core.phrases import Phrase

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

NO_CONFUSION = Fault(
    "AGR-020",
    "a confusion matrix does not hold probabilities",
    "Give one row a true type, one column a code, each row adding up to one, and positive shares of the types.",
)
NEARLY_SINGULAR = Unavailable(
    Phrase("the codes hardly tell the types apart (the matrix of types by code is nearly singular): no effect can be worked out")
)
SMALLEST_SINGULAR_VALUE = 0.1  # of the matrix of types by code; below, errors of the confusion matrix grow more than tenfold
EM_TOLERANCE = 1e-12
MOST_STEPS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class TypeEffects:
    """Effects by true type.

    Attributes
    ----------
    estimate : array, shape (types,)
    vcov : array, shape (types, types)
        Of the estimates, the confusion matrix and the shares taken as known.
    """

    estimate: Array
    vcov: Array

    @property
    def std_error(self) -> Array:
        """The standard errors, shape (types,)."""
        return np.sqrt(np.diag(self.vcov))


@dataclass(frozen=True, slots=True, eq=False)
class CodingErrors:
    """How often each type is coded as each: `confusion`, shape (types, codes), and the types' `shares`, shape (types,)."""

    confusion: Array
    shares: Array


def type_given_code(errors: CodingErrors) -> Array:
    """Return the probability of each type given each code, shape (types, codes).

    Raises
    ------
    Refusal
        AGR-020: rows that are no probabilities.

    Examples
    --------
    >>> type_given_code(CodingErrors(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0.5, 0.5]))).round(3).tolist()  # .45 / .55
    [[0.818, 0.111], [0.182, 0.889]]
    """
    confusion, shares = errors.confusion, errors.shares
    if confusion.shape != (len(shares), len(shares)) or (confusion < 0).any() or not (shares > 0).all():
        NO_CONFUSION.refuse()
    if np.abs(confusion.sum(axis=1) - 1).max() > 1e-6 or abs(shares.sum() - 1) > 1e-6:
        NO_CONFUSION.refuse()
    joint = shares[:, None] * confusion
    return np.asarray(joint / joint.sum(axis=0), dtype=float)


def effects_by_code(outcome: Array, arm: Array, membership: Array, covariates: Array | None = None) -> TypeEffects:
    """Return the effect of the arm in each group, by least squares with a level and an effect per group.

    Parameters
    ----------
    outcome : array, shape (n,)
        Institution means.
    arm : array, shape (n,)
        One for the intervention, zero for the reference.
    membership : array, shape (n, groups)
        Zeros and ones of a code, or posterior probabilities of the types.
    covariates : array, shape (n, k), optional
    """
    columns = np.column_stack([membership, membership * arm[:, None], *([] if covariates is None else [covariates])])
    inverse = np.linalg.inv(columns.T @ columns)
    beta = inverse @ (columns.T @ outcome)
    residual = outcome - columns @ beta
    variance = float(residual @ residual) / (len(outcome) - columns.shape[1])
    groups = membership.shape[1]
    part = slice(groups, 2 * groups)
    return TypeEffects(beta[part], variance * inverse[part, part])


def corrected_effects(by_code: TypeEffects, errors: CodingErrors) -> TypeEffects | Unavailable:
    """Return the effects by true type from those by code (matrix method).

    Parameters
    ----------
    by_code : TypeEffects
        Effects by code.
    errors : CodingErrors
        Taken as known: how unsure they are must be added, by resampling institutions.

    Returns
    -------
    TypeEffects or Unavailable
        Unavailable where the codes hardly tell the types apart.

    Examples
    --------
    >>> seen = TypeEffects(np.array([0.8, 0.2]), np.eye(2))
    >>> errors = CodingErrors(np.array([[0.9, 0.1], [0.1, 0.9]]), np.array([0.5, 0.5]))
    >>> corrected_effects(seen, errors).estimate.round(3).tolist()  # .9 a + .1 b = .8, .1 a + .9 b = .2
    [0.875, 0.125]
    """
    mixing = type_given_code(errors).T
    if float(np.linalg.svd(mixing, compute_uv=False)[-1]) < SMALLEST_SINGULAR_VALUE:
        return NEARLY_SINGULAR
    solve = np.linalg.inv(mixing)
    return TypeEffects(solve @ by_code.estimate, solve @ by_code.vcov @ solve.T)


def posterior_types(codes: Sequence[Codes], confusions: Sequence[Array], shares: Array) -> Array:
    """Return each unit's probability of each type given all its codes, the coders' errors independent; shape (n, types)."""
    weight = np.tile(shares, (len(codes[0]), 1))
    for given, confusion in zip(codes, confusions, strict=True):
        weight = weight * np.where(given[:, None] >= 0, confusion[:, given].T, 1.0)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), dtype=float)


def errors_against_consensus(codes: Codes, consensus: Codes, types: int) -> CodingErrors | Unavailable:
    """Return the coding errors counted against a consensus that is taken as the truth.

    Parameters
    ----------
    codes, consensus : array of int, shape (n,)
        Ranks of the type; -1 where there is none.
    types : int
    """
    both = (codes >= 0) & (consensus >= 0)
    counts = np.zeros((types, types))
    np.add.at(counts, (consensus[both], codes[both]), 1.0)
    rows = counts.sum(axis=1)
    if not (rows > 0).all():
        return Unavailable(Phrase("a type stands in no consensus: how it is coded is not known"))
    return CodingErrors(counts / rows[:, None], rows / rows.sum())


def errors_of_two_coders(first: Codes, second: Codes, types: int) -> CodingErrors | Unavailable:
    r"""Return the coding errors of two coders without any consensus, by a latent class model.

    Both coders are equally good, err independently of each other, of the arm and of the outcome, and a wrong code falls on each
    other type equally often. Then the table of two codes has as many free shares as the model has unknowns from three types on;
    with two types it has fewer and nothing is returned. Fitted by the EM algorithm (Dawid & Skene 1979, Applied Statistics
    28:20-28).

    Parameters
    ----------
    first, second : array of int, shape (n,)
        Ranks of the type; -1 where there is none.
    types : int
    """
    if types < 3:
        return Unavailable(Phrase("two coders and two types leave the coding errors unknown without a consensus"))
    both = (first >= 0) & (second >= 0)
    table = np.zeros((types, types))
    np.add.at(table, (first[both], second[both]), 1.0)
    table = (table + table.T) / 2
    shares, right = table.sum(axis=1) / table.sum(), np.full(types, 0.9)
    if not (shares > 0).all():
        return Unavailable(Phrase("a type was never coded: how it is coded is not known"))
    for _ in range(MOST_STEPS):
        confusion = _even_errors(right)
        weight = shares[:, None, None] * confusion[:, :, None] * confusion[:, None, :]
        weight = table * weight / weight.sum(axis=0)
        mass = weight.sum(axis=(1, 2))
        hits = weight.sum(axis=2).diagonal()  # the table is symmetric: both coders are right equally often
        moved = float(np.abs(hits / mass - right).max() + np.abs(mass / table.sum() - shares).max())
        right, shares = hits / mass, mass / table.sum()
        if moved < EM_TOLERANCE:
            break
    return CodingErrors(_even_errors(right), shares)


def _even_errors(right: Array) -> Array:
    """Return the confusion matrix with these shares right and the errors even over the other types."""
    types = len(right)
    confusion = np.repeat(((1 - right) / (types - 1))[:, None], types, axis=1)
    np.fill_diagonal(confusion, right)
    return confusion
