"""The order in which random effects are eliminated, and the cross-products each stage needs.

Factors are ordered by their number of groups, largest first (Bates et al. 2015, sec. 3; MixedModels.jl's order). While
each factor is nested in the next, eliminating it leaves the next one block-diagonal: every stage is one batched call
over its groups. Where factors are crossed, the first is eliminated in a batch and all others together, as one dense
group; with one effect each they have a form of their own (`asp_eval.stats.engine.crossed_factors`), and the stages are
made only where they are asked for: for drawing outcomes.

A stage holds, for each of its groups, Z'W[Z | Z of later stages | X y]: (m, k, k + later + p + 1).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from asp_eval.stats.engine.covariance import CovarianceShape
from asp_eval.stats.engine.crossed_factors import CrossedFactors
from asp_eval.stats.engine.memory import check_memory
from asp_eval.stats.engine.standardisation import GroupSums, Standard
from asp_eval.stats.estimate import Array

Index = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """One step of the elimination.

    Attributes
    ----------
    factors : tuple of (int, int, int)
        (factor in the order of elimination, first row, number of groups) of the effects in each group of the stage:
        one factor with one group, or, in the last stage of crossed factors, all that remain.
    size : int
        k, the effects per group.
    products : ndarray (m, k, k + later + p + 1)
    starts : tuple of ndarray of int
        For each later stage, where its groups begin among this stage's groups, which are sorted by them.
    order : tuple of ndarray of int
        For each factor, the moments' position of each group.
    """

    factors: tuple[tuple[int, int, int], ...]
    size: int
    products: Array
    starts: tuple[Index, ...]
    order: tuple[Index, ...]

    @property
    def groups(self) -> int:
        """M."""
        return len(self.products)

    def expand(self, shape: CovarianceShape, values: Array) -> Array:
        """Return the stage's D (k, k) from the elements of D (s,)."""
        if len(self.factors) == 1 and self.factors[0][2] == 1:
            return shape.matrix(self.factors[0][0], values)
        out = np.zeros((self.size, self.size))
        for f, start, groups in self.factors:
            k = shape.sizes[f]
            block = shape.matrix(f, values)
            for g in range(start, start + groups * k, k):
                out[g : g + k, g : g + k] = block
        return out


@dataclass(frozen=True, eq=False)
class Elimination:
    """How a model's random effects are eliminated.

    Attributes
    ----------
    ordering : tuple of int
        The moments' position of each factor, in the order of elimination.
    shape : CovarianceShape
    make_stages : callable
        Returns the stages. Of this module's functions: a fit holds it, and goes to other processes by pickle.
    root : ndarray (p + 1, p + 1)
        [X y]'W[X y].
    crossed : CrossedFactors or None
        Crossed factors of one effect each.
    """

    ordering: tuple[int, ...]
    shape: CovarianceShape
    make_stages: Callable[[], tuple[Stage, ...]]
    root: Array
    crossed: CrossedFactors | None = None

    @property
    def nested(self) -> bool:
        """Whether each factor's groups lie within those of the next, one stage per factor."""
        return self.crossed is None and all(len(s.factors) == 1 and s.factors[0][2] == 1 for s in self.stages)

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """All stages, first to last."""
        return self.make_stages()


def plan_stages(standard: Standard, sums: Sequence[GroupSums]) -> Elimination:
    """Return how a model in standard units, with its group sums, is eliminated.

    Raises
    ------
    Refusal
        FIT-055 if crossed factors would need more memory than there is.
    """
    sizes = [len(levels) for levels in standard.moments.levels]
    ordering = tuple(sorted(range(len(sizes)), key=lambda i: -sizes[i]))
    shape = CovarianceShape.of(tuple(tuple(len(b) for b in standard.factors[i].layout.blocks) for i in ordering))
    parents = [_parents(standard, i, j) for i, j in itertools.pairwise(ordering)]
    if all(p is not None for p in parents):
        stages = _nested(standard, sums, ordering, [p for p in parents if p is not None])
        return Elimination(ordering, shape, partial(tuple, stages), standard.root)
    if all(k == 1 for k in shape.sizes):
        crossed = _crossed_factors(standard, ordering)
        return Elimination(ordering, shape, partial(_crossed, standard, ordering, shape), standard.root, crossed)
    stages = _crossed(standard, ordering, shape)
    return Elimination(ordering, shape, partial(tuple, stages), standard.root)


def _parents(standard: Standard, i: int, j: int) -> Index | None:
    """Return the group of factor j that holds each group of factor i, or None if they are not nested."""
    where, _ = standard.cell_blocks(i, j)
    m = len(standard.moments.levels[i])
    if len(where) != m:
        return None
    out = np.empty(m, dtype=np.intp)
    out[where[:, 0]] = where[:, 1]
    return out


def _nested(standard: Standard, sums: Sequence[GroupSums], ordering: tuple[int, ...], parents: list[Index]) -> tuple[Stage, ...]:
    """Return one stage per factor, inner groups sorted by the outer groups that hold them."""
    last = len(ordering) - 1
    orders = [np.arange(len(standard.moments.levels[ordering[last]]), dtype=np.intp)]
    owners: list[list[Index]] = [[]]  # for each factor from the outside in, its groups' sorted position in each outer one
    for step in range(last - 1, -1, -1):
        position = np.empty(len(orders[0]), dtype=np.intp)
        position[orders[0]] = np.arange(len(orders[0]))
        owner = position[parents[step]]
        order = np.argsort(owner, kind="stable")
        direct = owner[order]
        owners.insert(0, [direct, *(outer[direct] for outer in owners[0])])
        orders.insert(0, order)
    stages = []
    for a, i in enumerate(ordering):
        within, root = sums[i]
        parts = [within]
        for j in ordering[a + 1 :]:
            where, blocks = standard.cell_blocks(i, j)
            placed = np.empty_like(blocks)
            placed[where[:, 0]] = blocks
            parts.append(placed)
        products = np.concatenate([*parts, root], axis=2)
        if a < last:  # the outermost groups are in order
            products = products[orders[a]]
        starts = tuple(np.flatnonzero(np.diff(o, prepend=-1)) for o in owners[a])
        stages.append(Stage(((a, 0, 1),), within.shape[1], products, starts, (orders[a],)))
    return tuple(stages)


def _crossed(standard: Standard, ordering: tuple[int, ...], shape: CovarianceShape) -> tuple[Stage, ...]:
    """Return the first factor in a batch, and all others together."""
    groups = [len(standard.moments.levels[i]) for i in ordering]
    offsets = np.concatenate([[0], np.cumsum([m * k for m, k in zip(groups[1:], shape.sizes[1:], strict=True)])]).astype(int)
    q, k, tail = int(offsets[-1]), shape.sizes[0], standard.p + 1
    check_memory(8.0 * q * (groups[0] * k + q), standard.moments.layout.text)
    first = np.zeros((groups[0], k, k + q + tail))
    first[:, :, :k], first[:, :, k + q :] = standard.group_sums(ordering[0])
    dense = np.zeros((q, q + tail))
    for a, i in enumerate(ordering[1:], start=1):
        where, blocks = standard.cell_blocks(ordering[0], i)
        columns = k + _places(offsets[a - 1], shape.sizes[a], where[:, 1])
        first[where[:, 0, None, None], np.arange(k)[:, None], columns[:, None, :]] = blocks
        within, root = standard.group_sums(i)
        rows = _places(offsets[a - 1], shape.sizes[a], np.arange(groups[a]))
        dense[rows[:, :, None], rows[:, None, :]] = within
        dense[rows.ravel(), q:] = root.reshape(-1, tail)
        for b, j in enumerate(ordering[a + 1 :], start=a + 1):
            where, blocks = standard.cell_blocks(i, j)
            r = _places(offsets[a - 1], shape.sizes[a], where[:, 0])
            c = _places(offsets[b - 1], shape.sizes[b], where[:, 1])
            dense[r[:, :, None], c[:, None, :]] = blocks
            dense[c[:, :, None], r[:, None, :]] = blocks.transpose(0, 2, 1)
    members = tuple((a, int(offsets[a - 1]), groups[a]) for a in range(1, len(ordering)))
    orders = tuple(np.arange(m, dtype=np.intp) for m in groups)
    one = np.zeros(1, dtype=np.intp)
    return (
        Stage(((0, 0, 1),), k, first, (one,), (orders[0],)),
        Stage(members, q, dense[None], (), orders[1:]),
    )


def _crossed_factors(standard: Standard, ordering: tuple[int, ...]) -> CrossedFactors:
    """Return crossed factors of one effect each."""
    groups = [len(standard.moments.levels[i]) for i in ordering]
    offsets = np.concatenate([[0], np.cumsum(groups[1:])])
    q = int(offsets[-1])
    h, first = standard.group_sums(ordering[0])
    rows, columns, numbers, later = [np.arange(q)], [np.arange(q)], [], []
    C = []
    for a, i in enumerate(ordering[1:]):
        within, root = standard.group_sums(i)
        numbers.append(within[:, 0, 0])
        later.append(root[:, 0])
        where, blocks = standard.cell_blocks(ordering[0], i)
        C.append(sp.csr_matrix((blocks[:, 0, 0], (where[:, 0], where[:, 1])), (groups[0], groups[a + 1])))
    for (a, i), (b, j) in itertools.combinations(enumerate(ordering[1:]), 2):
        where, blocks = standard.cell_blocks(i, j)
        one, other = offsets[a] + where[:, 0], offsets[b] + where[:, 1]
        rows += [one, other]
        columns += [other, one]
        numbers += [blocks[:, 0, 0]] * 2
    own = sp.csr_matrix((np.concatenate(numbers), (np.concatenate(rows), np.concatenate(columns))), (q, q))
    element = np.repeat(np.arange(1, len(groups), dtype=np.intp), groups[1:])
    coupling, text = sp.hstack(C, format="csr"), standard.moments.layout.text
    return CrossedFactors.of(h[:, 0, 0], first[:, 0], coupling, own, np.concatenate(later), standard.root, element, text)


def _places(offset: int, size: int, groups: Index) -> Index:
    """Return the rows of the dense block that hold a factor's effects, for each of some groups (groups, size)."""
    return np.asarray(offset + groups[:, None] * size + np.arange(size), dtype=np.intp)
