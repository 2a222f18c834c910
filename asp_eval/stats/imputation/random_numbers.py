"""Random numbers of several chains, each from a stream of its own, drawn in blocks.

What a chain gets does not depend on the chains beside it: they can be split among workers in any way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from asp_eval.stats.estimate import Array

BLOCK = 4_096  # normal or uniform numbers of a chain
ROWS = 32  # of gamma numbers


class RandomNumbers:
    """Random numbers of C chains.

    Parameters
    ----------
    streams : sequence of Generator, length C
    shapes : ndarray (k,)
        Of the gamma variables that `gammas` returns.

    Examples
    --------
    >>> numbers = RandomNumbers([np.random.default_rng(1), np.random.default_rng(2)], np.array([3.0]))
    >>> numbers.normal(5, 2).shape, numbers.uniform(4).shape, numbers.gammas().shape
    ((2, 5, 2), (2, 4), (2, 1))
    """

    def __init__(self, streams: Sequence[np.random.Generator], shapes: Array) -> None:
        self._streams, self._shapes = tuple(streams), shapes
        self._normal, self._normal_at = np.empty((len(streams), 0)), 0
        self._uniform, self._uniform_at = np.empty((len(streams), 0)), 0
        self._gamma, self._gamma_at = np.empty((0, len(streams), len(shapes))), 0

    @property
    def n_chains(self) -> int:
        """C."""
        return len(self._streams)

    def normal(self, *shape: int) -> Array:
        """Return standard normal numbers (C, *shape)."""
        n = math.prod(shape)
        if self._normal_at + n > self._normal.shape[1]:
            self._normal, self._normal_at = self._block(n, lambda rng, size: rng.standard_normal(size)), 0
        start = self._normal_at
        self._normal_at += n
        return self._normal[:, start : start + n].reshape(self.n_chains, *shape)

    def uniform(self, n: int) -> Array:
        """Return uniform numbers (C, n) from 0 up to 1."""
        if self._uniform_at + n > self._uniform.shape[1]:
            self._uniform, self._uniform_at = self._block(n, lambda rng, size: rng.random(size)), 0
        start = self._uniform_at
        self._uniform_at += n
        return self._uniform[:, start : start + n]

    def gammas(self) -> Array:
        """Return gamma numbers (C, k) with scale one, of the shapes given at the start."""
        if self._gamma_at == len(self._gamma):
            size = (ROWS, len(self._shapes))
            self._gamma, self._gamma_at = np.stack([rng.standard_gamma(self._shapes, size) for rng in self._streams], 1), 0
        self._gamma_at += 1
        return np.asarray(self._gamma[self._gamma_at - 1], float)

    def _block(self, n: int, draw: Callable[[np.random.Generator, int], Array]) -> Array:
        size = n if n > BLOCK // 4 else BLOCK
        return np.stack([draw(rng, size) for rng in self._streams])
