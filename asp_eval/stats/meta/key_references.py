r"""Whether a group answers as others do, or the other way round: the item, the scale or the whole form turned round.

What leaves no trace in the correlations of a group itself (`keys`) shows beside others: the other waves, the rest of the wave,
or a published mean. With the others' means :math:`\mu` and correlations :math:`\Sigma`, answers standardised by their standard
deviations, and a share :math:`\tau` of the variance between groups, `n` children with mean :math:`\bar z` and sums of squares
and products :math:`W` have twice the log-likelihood

.. math::

    -\frac{(\bar z - \mu)' \Sigma^{-1} (\bar z - \mu)}{\tau + (1 - \tau)(1/n + 1/n_0)}
    - \frac{\operatorname{tr}(\Sigma^{-1} W)}{1 - \tau}

and a constant, where :math:`n_0` children tell the others' mean: groups are exchangeable, with one correlation matrix between
and within them. A hypothesis turns some of the columns round about the middle of the possible answers, which changes
:math:`\bar z` and the signs in `W`; half the difference is its gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from asp_eval.stats.meta.keys import FEWEST_ITEMS, Array, Keys, Places, correlations

LEAST_GAIN = 10.0  # of log-likelihood, as in `keys`, beyond the logarithm of how many groups and items are looked at
LEAST_OF_EITHER = 1.0  # of it, by the mean and by the products alone: a single item is named only if both bear it out
FEWEST_IN_GROUP = 10  # children of an institution or a rater; fewer say nothing
BETWEEN_GROUPS = 0.35  # of the variance: what is met between raters (.23) and institutions (.10) together
BETWEEN_WAVES = 0.15  # a wave may well lie a third of a standard deviation from the others
BETWEEN_POPULATIONS = 0.50  # a sample and a published one differ more
_RIDGE = 0.10  # of the correlations towards none, so that their inverse is steady
_LEAST_SD = 0.15  # of an answer from -1 to 1, for items that nearly all answer alike


@dataclass(frozen=True, slots=True, eq=False)
class KeyReference:
    """What others answer.

    Attributes
    ----------
    mean, sd : array, shape (p,)
    inverse : array, shape (p, p)
        Of the correlations.
    children : int
        How many answered.
    """

    mean: Array
    sd: Array
    inverse: Array
    children: int


@dataclass(frozen=True, slots=True, eq=False)
class TurnedGroup:
    """A group whose answers are explained better if some columns are turned round.

    Attributes
    ----------
    group : int
    items : tuple of int
        The columns turned round: one, those of a scale, or all.
    children : int
    gain : float
        Of the log-likelihood, beyond the logarithm of how many were looked at.
    """

    group: int
    items: tuple[int, ...]
    children: int
    gain: float


def reference_of(values: Array, keys: Keys) -> KeyReference:
    """Return what the children of `values` answer, shape (n, p), NaN where there is no answer.

    The correlations are replaced by their means within and between scales: the inverse of many correlations of few children is
    mostly noise.
    """
    counts = np.maximum((~np.isnan(values)).sum(axis=0), 1)
    mean = np.nansum(values, axis=0) / counts
    sd = np.sqrt(np.nansum((values - mean) ** 2, axis=0) / counts)
    of_scale = np.equal.outer(keys.scales, np.unique(keys.scales)).astype(np.float64)
    sizes = of_scale.sum(axis=0)
    pairs = np.outer(sizes, sizes) - np.diag(sizes)
    sums = of_scale.T @ (correlations(values) - np.eye(len(sd))) @ of_scale
    means = np.divide(sums, pairs, out=np.zeros_like(sums), where=pairs > 0)
    smooth = of_scale @ means @ of_scale.T
    np.fill_diagonal(smooth, 1.0)
    return reference_from(mean, sd, smooth, len(values))


def reference_from(mean: Array, sd: Array, correlation: Array, children: int) -> KeyReference:
    """Return a reference from the moments of some children, shapes (p,), (p,) and (p, p)."""
    steadied = (1 - _RIDGE) * correlation + _RIDGE * np.eye(len(correlation))
    roots, vectors = np.linalg.eigh(steadied)  # with answers missing it may have negative ones
    inverse = (vectors / np.maximum(roots, _RIDGE)) @ vectors.T
    return KeyReference(np.asarray(mean), np.maximum(sd, _LEAST_SD), np.asarray(inverse), children)


def turned_groups(
    values: Array, groups: Places, keys: Keys, reference: KeyReference, *, between: float, fewest: int = FEWEST_IN_GROUP
) -> tuple[TurnedGroup, ...]:
    """Return the groups that answer the other way round, each with the columns that gain most if they are turned round.

    Parameters
    ----------
    values : array, shape (n, p)
        As for `keys.mix_ups`, between -1 and 1.
    groups : array of int, shape (n,)
        The group of each child, counted from 0; -1 for none.
    keys : Keys
    reference : KeyReference
    between : float
        The share of the variance that lies between groups which all answer the right way.
    fewest : int
        Smaller groups are left out.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> values = 0.7 + 0.2 * (rng.standard_normal((300, 1)) + rng.standard_normal((300, 4)))
    >>> groups, keys = np.arange(300) // 20, Keys((0, 0, 0, 0), (False,) * 4, (0,) * 4)
    >>> turned_groups(values, groups, keys, reference_of(values, keys), between=0.3)
    ()
    >>> values[groups == 2] *= -1
    >>> [(found.group, found.items) for found in turned_groups(values, groups, keys, reference_of(values, keys), between=0.3)]
    [(2, (0, 1, 2, 3))]
    """
    known = groups >= 0
    standard = np.where(np.isnan(values), 0.0, (values - reference.mean) / reference.sd)[known]
    names, counts = np.unique(groups[known], return_counts=True)
    large = np.flatnonzero(counts >= fewest)
    if not len(large):
        return ()
    order, ends = np.argsort(groups[known], kind="stable"), np.cumsum(counts)
    blocks = [standard[order[ends[group] - counts[group] : ends[group]]] for group in large]
    hypotheses = _turns(keys)
    level, spread = _gains(blocks, reference, hypotheses, between)
    single = (hypotheses < 0).sum(axis=1) == 1
    gains = np.where(single & (np.minimum(level, spread) < LEAST_OF_EITHER), -np.inf, level + spread)
    gains -= np.log(len(large) * np.where(single, single.sum(), 1))  # of many, one gains by chance
    best = gains.argmax(axis=1)
    return tuple(
        TurnedGroup(int(names[group]), tuple(map(int, np.flatnonzero(hypotheses[at] < 0))), int(counts[group]), float(gain[at]))
        for group, at, gain in zip(large, best, gains, strict=True)
        if gain[at] >= LEAST_GAIN
    )


def _gains(blocks: Sequence[Array], reference: KeyReference, hypotheses: Array, between: float) -> tuple[Array, Array]:
    """Return what each hypothesis, a row of signs, gains by each group's mean and by its products, both (groups, h)."""
    inverse, sizes = reference.inverse, np.array([len(block) for block in blocks])
    means = np.stack([block.mean(axis=0) for block in blocks])
    centred = (block - mean for block, mean in zip(blocks, means, strict=True))
    weighted = np.stack([(inverse * (block.T @ block)).ravel() for block in centred])
    signs = np.stack([np.outer(row, row).ravel() for row in hypotheses])
    turned = np.where(hypotheses < 0, (-means - 2 * reference.mean / reference.sd)[:, None], means[:, None])
    distance = np.sum(turned @ inverse * turned, axis=2)
    level = (np.sum(means @ inverse * means, axis=1)[:, None] - distance) / (
        between + (1 - between) * (1 / sizes + 1 / reference.children)
    )[:, None]
    spread = (weighted.sum(axis=1)[:, None] - weighted @ signs.T) / (1 - between)
    return np.asarray(level / 2), np.asarray(spread / 2)


@lru_cache(maxsize=64)
def _turns(keys: Keys) -> Array:
    """Return the signs under each hypothesis: each item of a scale that is long enough, each scale, and all."""
    scales = np.asarray(keys.scales)
    long = np.bincount(scales)[scales] >= FEWEST_ITEMS
    rows = [np.where(np.arange(len(scales)) == item, -1.0, 1.0) for item in np.flatnonzero(long)]
    rows += [np.where(scales == scale, -1.0, 1.0) for scale in np.unique(scales)] if len(set(keys.scales)) > 1 else []
    return np.stack([*rows, -np.ones(len(scales))])
