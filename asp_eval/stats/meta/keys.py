r"""Whether answers go together as they are keyed, and which mix-up of columns or codes would explain it if they do not.

Items of one scale correlate positively with each other, and all of them alike with the items of another scale. The
correlations :math:`R` of `p` items in `m` scales of :math:`k_s` items are therefore described by their means within and
between the scales, :math:`\rho_{ss} \ge 0` and :math:`\rho_{st}`. Such a matrix has the eigenvalues :math:`1 - \rho_{ss}`,
each :math:`k_s - 1` times, and those of

.. math:: M_{ss} = 1 + (k_s - 1)\rho_{ss}, \qquad M_{st} = \sqrt{k_s k_t}\,\rho_{st}

so that the normal log-likelihood of `n` children, at its maximum, needs only the means :math:`\bar r_{st}` that are met:

.. math::

    \ell = -\frac n2 \Big[\sum_s (k_s - 1)\Big(\log(1 - \rho_{ss}) + \frac{1 - \bar r_{ss}}{1 - \rho_{ss}}\Big)
           + \log\lvert M\rvert + \operatorname{tr}(M^{-1}\bar M)\Big]

A mix-up (an item turned round, two columns swapped) is a signed permutation of the columns. `mix_ups` works out what each
would gain in :math:`\ell` if it were mended, and names those that gain more than chance gives (`LEAST_GAIN`), one after
the other until none is left. The equal correlations are those of parallel tests: Lord & Novick (1968, Statistical Theories of
Mental Test Scores, ch. 4). The evidence that is shown is the corrected item-total correlation, of each item with the sum of the
others of its scale, before and after.

What leaves no trace here: a swap of items that are keyed alike in one scale, the items of a scale of two, and a whole scale, or
all of them, turned round. `key_references` compares with other children.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.int64]

Kind = Literal["turned", "both_turned", "swapped", "shifted", "reversed_already"]

LEAST_GAIN = 10.0  # of log-likelihood; false alarms and detection at this value are tabulated in docs/answer-directions.md
LEAST_BETTER = 0.075  # by how much moved items have to go better with their new scales, on average
FEWEST_CHILDREN = 30  # fewer say nothing of a wave
FEWEST_ITEMS = 3  # of a scale, for one of them to be told from the others
MOST_MIX_UPS = 12  # in one file; where there are more, those say enough
_SHRINKAGE = 0.02  # of the correlations towards none, so that answers that agree in everything have a likelihood


@dataclass(frozen=True, slots=True)
class Keys:
    """How the items of an instrument are keyed, in the order of the questionnaire.

    Attributes
    ----------
    scales : tuple of int, length p
        The scale of each item, counted from 0.
    reversed : tuple of bool, length p
        Whether the scale turns the item's answers round.
    codes : tuple of int, length p
        A number for each item's set of answers; only columns with the same answers can be mistaken for each other.
    """

    scales: tuple[int, ...]
    reversed: tuple[bool, ...]
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class MixUp:
    """What would explain the answers better than the keys.

    Attributes
    ----------
    kind : {"turned", "both_turned", "swapped", "shifted", "reversed_already"}
        One item; two items of one scale (or, if they are keyed the opposite way, their columns swapped); the columns of two
        items; the columns of several items, by one; all items that the scales turn round.
    items : tuple of int
        The items concerned, by position.
    source, sign : array, shape (p,)
        What mends it: the value of item `a` is ``sign[a] * values[:, source[a]]``.
    gain : float
        Of the log-likelihood, by mending it.
    before, after : array, shape (len(items),)
        Corrected item-total correlations, as stored and mended.
    """

    kind: Kind
    items: tuple[int, ...]
    source: Places
    sign: Array
    gain: float
    before: Array
    after: Array


def mix_ups(values: Array, keys: Keys) -> tuple[MixUp, ...]:
    """Return the mix-ups that explain the answers better than the keys, the plainest first; none if they go as keyed.

    Parameters
    ----------
    values : array, shape (n, p)
        What each answer counts in its scale, zero at the middle of the possible answers; NaN where there is none.
    keys : Keys

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> values = rng.standard_normal((200, 1)) + rng.standard_normal((200, 4))
    >>> keys = Keys((0, 0, 0, 0), (False,) * 4, (0,) * 4)
    >>> mix_ups(values, keys)
    ()
    >>> [(found.kind, found.items) for found in mix_ups(values * [1, 1, -1, 1], keys)]
    [('turned', (2,))]
    """
    if len(values) < FEWEST_CHILDREN or values.shape[1] < FEWEST_ITEMS:
        return ()
    return mix_ups_in(correlations(values), len(values), keys)


def mix_ups_in(correlation: Array, n: int, keys: Keys) -> tuple[MixUp, ...]:
    """Return the mix-ups as `mix_ups` does, from the correlations of `n` children's values, shape (p, p)."""
    candidates, found = _candidates(keys), list[MixUp]()
    scales, current = np.asarray(keys.scales), correlation
    source, sign = np.arange(len(scales)), np.ones(len(scales))
    while len(found) < MOST_MIX_UPS:
        here = log_likelihood(current, n, _indicator(scales)[None])[0]
        gains = log_likelihood(current, n, candidates.weights) - here - candidates.penalty
        best = _first_credible(candidates, current, gains, scales)
        if best is None:
            break
        step, turn = candidates.source[best], candidates.sign[best]
        mended = _rearranged(current, step, turn)
        concerned = list(candidates.items[best])
        before, after = item_rest(current, scales)[concerned], item_rest(mended, scales)[concerned]
        found.append(MixUp(candidates.kinds[best], candidates.items[best], step, turn, float(gains[best]), before, after))
        source, sign, current = source[step], turn * sign[step], mended
        if (source == np.arange(len(scales))).all() and (sign > 0).all():  # what was mended last undid the first
            return ()
    return tuple(found)


def _first_credible(candidates: _Candidates, correlation: Array, gains: Array, scales: Places) -> int | None:
    """Return the candidate that gains most among those that the corrected item-total correlations bear out."""
    before = item_rest(correlation, scales)
    for best in np.argsort(-gains, kind="stable"):
        if gains[best] < LEAST_GAIN:
            return None
        items = list(candidates.items[best])
        mended = item_rest(_rearranged(correlation, candidates.source[best], candidates.sign[best]), scales)
        if _is_borne_out(candidates.kinds[best], before[items], mended[items]):
            return int(best)
    return None


def _is_borne_out(kind: Kind, before: Array, after: Array) -> bool:
    """Whether a mix-up shows in the correlations of its items, and not only in the likelihood, which grows with the children.

    What was turned round went against its scale, and goes with it after. What was moved goes better with its new scale than
    with the old, and than it would go with the old if it were turned round.
    """
    if kind in ("swapped", "shifted"):
        return bool((after - np.abs(before)).mean() > LEAST_BETTER)
    return bool((before < 0).any() and (after > np.maximum(before, 0)).all())


def correlations(values: Array) -> Array:
    """Return the correlations of the columns over the rows that have both, 0 with a column that does not vary.

    Parameters
    ----------
    values : array, shape (n, p)
        NaN where there is no answer.

    Returns
    -------
    array, shape (p, p)
        Sums of products divided by the numbers of pairs; with answers missing it need not be positive definite.
    """
    there = ~np.isnan(values)
    counts = np.maximum(there.sum(axis=0), 1)
    filled = np.where(there, values, 0.0)
    centred = np.where(there, filled - filled.sum(axis=0) / counts, 0.0)
    present = there.astype(np.float64)
    covariance = centred.T @ centred / np.maximum(present.T @ present, 1)
    spread = np.sqrt(np.diag(covariance))
    steady = spread > 1e-9
    scaled = np.divide(1.0, spread, out=np.zeros_like(spread), where=steady)
    correlation = np.clip(covariance * np.outer(scaled, scaled), -1, 1)
    np.fill_diagonal(correlation, 1.0)
    return np.asarray(correlation)


def item_rest(correlation: Array, scales: Places) -> Array:
    """Return the correlation of each standardised item with the sum of the others of its scale, 0 for one alone.

    ``sum_b r_ab / sqrt(sum_bc r_bc)``, over the other items `b`, `c` of the scale.
    """
    same = np.equal.outer(scales, scales).astype(np.float64)
    within = correlation * same
    covariance = within.sum(axis=1) - 1
    totals = np.bincount(scales, within.sum(axis=1))[scales]
    variance = totals - 2 * covariance - 1
    return np.asarray(np.divide(covariance, np.sqrt(np.maximum(variance, 0)), out=np.zeros(len(scales)), where=variance > 1e-9))


def log_likelihood(correlation: Array, n: int, weights: Array) -> Array:
    r"""Return :math:`\ell` of the module's formula for several arrangements of the columns.

    Parameters
    ----------
    correlation : array, shape (p, p)
    n : int
    weights : array, shape (h, p, m)
        Of each arrangement: 1, or -1 if it is turned round, where a column counts in a scale, else 0.

    Returns
    -------
    array, shape (h,)
    """
    shrunk = (1 - _SHRINKAGE) * correlation + _SHRINKAGE * np.eye(len(correlation))
    sums = weights.transpose(0, 2, 1) @ (shrunk @ weights)  # (h, m, m)
    sizes = np.abs(weights[0]).sum(axis=0)
    met = sums / np.sqrt(np.outer(sizes, sizes))  # M with the means as they are met
    scale = np.arange(len(sizes))
    pairs = np.maximum(sizes - 1, 1)
    within = (met[:, scale, scale] - 1) / pairs
    fitted = np.maximum(within, 0.0)
    expected = met.copy()
    expected[:, scale, scale] = 1 + (sizes - 1) * fitted
    rest = ((sizes - 1) * (np.log1p(-fitted) + (1 - within) / (1 - fitted))).sum(axis=1)
    roots, vectors = np.linalg.eigh(expected)
    roots = np.maximum(roots, _SHRINKAGE)
    trace = (np.einsum("hsr,hst,htr->hr", vectors, met, vectors, optimize=True) / roots).sum(axis=1)
    return np.asarray(-n / 2 * (rest + np.log(roots).sum(axis=1) + trace))


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    """Every mix-up that is looked for: h of them."""

    kinds: tuple[Kind, ...]
    items: tuple[tuple[int, ...], ...]
    source: Places  # (h, p)
    sign: Array  # (h, p)
    weights: Array  # (h, p, m)
    penalty: Array  # (h,)


# What a mix-up of several columns has to gain beyond one of a single column: there are many more of them to be found by chance.
_PENALTY: dict[Kind, float] = {"turned": 0, "shifted": 5, "reversed_already": 0, "both_turned": 4, "swapped": 4}


@lru_cache(maxsize=64)
def _candidates(keys: Keys) -> _Candidates:
    scales, keyed = np.asarray(keys.scales), np.where(keys.reversed, -1.0, 1.0)
    whole = np.arange(len(scales))
    sizes = np.bincount(scales)[scales]
    tellable = sizes >= FEWEST_ITEMS
    rows: list[tuple[Kind, tuple[int, ...], Places, Array]] = []

    def turned(kind: Kind, items: tuple[int, ...]) -> None:
        sign = np.ones(len(scales))
        sign[list(items)] = -1
        rows.append((kind, items, whole, sign))

    def moved(kind: Kind, items: tuple[int, ...], source: Places) -> None:
        if all(keys.codes[a] == keys.codes[source[a]] for a in items):
            rows.append((kind, items, source, keyed * keyed[source]))

    for item in np.flatnonzero(tellable):
        turned("turned", (int(item),))
    already = tuple(int(item) for item in np.flatnonzero(tellable & np.asarray(keys.reversed)))
    if len(already) > 1:
        turned("reversed_already", already)
    for a, b in combinations(range(len(scales)), 2):
        if scales[a] == scales[b]:
            if sizes[a] > FEWEST_ITEMS + 1:  # of four, two against two are not told apart
                turned("both_turned", (a, b))
        elif tellable[a] or tellable[b]:
            source = whole.copy()
            source[[a, b]] = b, a
            moved("swapped", (a, b), source)
    for first, last in {*((0, b) for b in range(2, len(scales))), *((a, len(scales) - 1) for a in range(len(scales) - 2))}:
        stretch = tuple(range(first, last + 1))
        for step in (-1, 1):
            source = whole.copy()
            source[first : last + 1] = np.roll(whole[first : last + 1], step)
            moved("shifted", stretch, source)
    kinds = tuple(kind for kind, *_ in rows)
    source = np.stack([row[2] for row in rows]) if rows else np.empty((0, len(scales)), dtype=np.int64)
    sign = np.stack([row[3] for row in rows]) if rows else np.empty((0, len(scales)))
    weights = np.zeros((len(rows), len(scales), int(scales.max()) + 1))
    np.put_along_axis(
        weights.reshape(len(rows), -1), source * weights.shape[2] + scales, sign, axis=1
    )  # column source[a] counts in the scale of a
    return _Candidates(kinds, tuple(row[1] for row in rows), source, sign, weights, np.array([_PENALTY[kind] for kind in kinds]))


def _indicator(scales: Places) -> Array:
    return np.asarray(np.equal.outer(scales, np.arange(scales.max() + 1)), dtype=np.float64)


def _rearranged(correlation: Array, source: Places, sign: Array) -> Array:
    return np.asarray(correlation[np.ix_(source, source)] * np.outer(sign, sign))
