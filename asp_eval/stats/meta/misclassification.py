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
EM_TOLERANCE = 1e-9
TINY = 1e-300
MOST_STEPS = 2_000
SMALLEST_SHARE = 1e-3  # of a type that the codes of two coders leave


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


def effects_by_code(outcome: Array, arm: Array, membership: Array) -> TypeEffects:
    """Return the effect of the arm in each group, by least squares with a level and an effect per group.

    Parameters
    ----------
    outcome : array, shape (n,)
        Institution means.
    arm : array, shape (n,)
        One for the intervention, zero for the reference.
    membership : array, shape (n, groups)
        Zeros and ones of a code, or posterior probabilities of the types.
    """
    columns = np.column_stack([membership, membership * arm[:, None]])
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


def errors_as_declared(confusion: Array, codes: Codes) -> CodingErrors | Unavailable:
    r"""Return declared coding errors with the shares of the types that give the codes seen: :math:`\pi = P'^{-1} c`.

    Parameters
    ----------
    confusion : array, shape (types, types)
        A row for each true type: how often it is coded as each.
    codes : array of int, shape (n,)
        Ranks of one coder's word; none missing.

    Returns
    -------
    CodingErrors or Unavailable
        Unavailable where the codes hardly tell the types apart, or a type would have no share.

    Examples
    --------
    >>> codes = np.array([0] * 55 + [1] * 45)  # 0.9 a + 0.2 b = 0.55, a + b = 1
    >>> errors_as_declared(np.array([[0.9, 0.1], [0.2, 0.8]]), codes).shares.round(3).tolist()
    [0.5, 0.5]
    """
    if float(np.linalg.svd(confusion, compute_uv=False)[-1]) < SMALLEST_SINGULAR_VALUE:
        return NEARLY_SINGULAR
    seen = np.bincount(codes, minlength=len(confusion)) / len(codes)
    shares = np.asarray(np.linalg.solve(confusion.T, seen), dtype=float)
    return CodingErrors(confusion, shares) if shares.min() > SMALLEST_SHARE else NEARLY_SINGULAR


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
    right, shares = fitted_two_coders(table_of_codes(first, second, types)[None])
    if not shares[0].min() > SMALLEST_SHARE:
        return NEARLY_SINGULAR
    return CodingErrors(even_errors(right)[0], shares[0])


def table_of_codes(first: Codes, second: Codes, types: int) -> Array:
    """Return how often two coders gave each pair of codes, shape (types, types)."""
    both = (first >= 0) & (second >= 0)
    return np.bincount(first[both] * types + second[both], minlength=types**2).reshape(types, types).astype(float)


def fitted_two_coders(tables: Array) -> tuple[Array, Array]:
    """Return the share of right codes and the shares of the types of many tables of two equal coders, by one EM for all.

    Parameters
    ----------
    tables : array, shape (b, types, types)

    Returns
    -------
    right, shares : array, shape (b, types)
        Shares are zero where a type was never coded.
    """
    table = (tables + tables.transpose(0, 2, 1)) / 2
    types, total = table.shape[-1], table.sum(axis=(1, 2))[:, None]
    shares, right = table.sum(axis=2) / total, np.full(table.shape[:2], 0.9)
    for _ in range(MOST_STEPS):
        confusion = even_errors(right)
        weight = shares[:, :, None, None] * confusion[:, :, :, None] * confusion[:, :, None, :]
        weight = table[:, None] * weight / np.maximum(weight.sum(axis=1, keepdims=True), TINY)
        mass = weight.sum(axis=(2, 3))
        hits = np.einsum("bttj->bt", weight)  # the table is symmetric: both coders are right equally often
        new = np.clip(hits / np.maximum(mass, TINY), 1 / types, 1 - EM_TOLERANCE)
        moved = float(np.abs(new - right).max() + np.abs(mass / total - shares).max())
        right, shares = new, mass / total
        if moved < EM_TOLERANCE:
            break
    return right, shares


def even_errors(right: Array) -> Array:
    """Return confusion matrices, shape (..., types, types), with shares right of shape (..., types) and the errors even."""
    types = right.shape[-1]
    wrong = ((1 - right) / (types - 1))[..., None]
    return np.asarray(wrong + (right[..., None] - wrong) * np.eye(types))
