"""One random intercept (or slope): the profile is a weighted sum over groups.

With h_g = Z'WZ and c_g = Z'W[X y] (a row) of group g, and d = tau^2 / sigma^2,

    log |V| = sum log(1 + d h_g),      [X y]'V^-1[X y] = [X y]'W[X y] - sum d / (1 + d h_g) c_g'c_g,

and their derivatives in d replace the weights. Groups of the same h (of the same size, without weights) share their
weights, so their c_g'c_g are summed once; a million groups of one or two then cost what two groups cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asp_eval.stats.estimate import Array

SMALL = 4_000_000
"""Numbers that may be kept for the groups' c'c."""


@dataclass(frozen=True, slots=True, eq=False)
class OneEffect:
    """Groups of one random effect, collapsed by h where that saves work.

    Attributes
    ----------
    h : ndarray (u,)
    count : ndarray (u,)
        Groups that share h.
    outer : ndarray (u, (p + 1)^2) or None
        Sum of c_g'c_g over them; None for many groups with few h in common.
    c : ndarray (u, p + 1)
        The groups' rows, used where `outer` is None.
    root : ndarray (p + 1, p + 1)
    """

    h: Array
    count: Array
    outer: Array | None
    c: Array
    root: Array

    @classmethod
    def of(cls, products: Array, root: Array) -> OneEffect:
        """Collapse the groups of a stage's products (m, 1, 1 + p + 1)."""
        h, c = products[:, 0, 0], products[:, 0, 1:]
        P = c.shape[1]
        if len(h) > 4 and bool((h == h[0]).all()):  # as in a balanced trial
            rows = np.ascontiguousarray(c)
            return cls(h[:1].copy(), np.array([float(len(h))]), (rows.T @ rows).reshape(1, -1), c[:0], root)
        order = np.argsort(h, kind="stable")
        ordered_h = h[order]
        starts = np.concatenate([[0], np.flatnonzero(ordered_h[1:] != ordered_h[:-1]) + 1])
        if 4 * len(starts) < len(h):
            count = np.diff(np.append(starts, len(h)))
            ordered, outer = c[order], np.empty((len(starts), P * P))
            for u, (first, groups) in enumerate(zip(starts.tolist(), count.tolist(), strict=True)):
                rows = ordered[first : first + groups]
                outer[u] = (rows.T @ rows).ravel()
            return cls(ordered_h[starts], count.astype(float), outer, c[:0], root)
        small = len(h) * P * P <= SMALL
        outer_or_none = (c[:, :, None] * c[:, None, :]).reshape(len(c), -1) if small else None
        return cls(h, np.ones(len(h)), outer_or_none, c, root)

    def derivatives(self, d: float) -> tuple[Array, tuple[float, float, float]]:
        """Return [X y]'V^-1[X y] with its first and second derivative in d (3, p + 1, p + 1), and log |V| with its own."""
        v = 1.0 / (1.0 + d * self.h)
        hv = self.h * v
        v2 = v * v
        S = -self._weighted(np.array([d * v, v2, -2.0 * hv * v2]))
        S[0] += self.root
        return S, (float(self.count @ np.log1p(d * self.h)), float(self.count @ hv), -float(self.count @ (hv * hv)))

    def values(self, d: Array) -> tuple[Array, Array]:
        """Return log |V| (g,) and [X y]'V^-1[X y] (g, p + 1, p + 1) on a grid of d (g,), without derivatives."""
        dh = d[:, None] * self.h
        return np.log1p(dh) @ self.count, self.root - self._weighted(d[:, None] / (1.0 + dh))

    def _weighted(self, weights: Array) -> Array:
        """Return the sums of c'c for each row of weights (g, u): (g, p + 1, p + 1)."""
        shape = (len(weights), *self.root.shape)
        if self.outer is not None:
            return (weights @ self.outer).reshape(shape)
        return np.array([(self.c.T * w) @ self.c for w in weights])
