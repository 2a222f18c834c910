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
from asp_eval.stats.mixed.elimination import Profile
from asp_eval.stats.mixed.stages import Stage


@dataclass(frozen=True, slots=True, eq=False)
class OneEffect:
    """Groups of one random effect, collapsed by h.

    Attributes
    ----------
    h : ndarray (u,)
    count : ndarray (u,)
        Groups that share h.
    outer : ndarray (u, (p + 1)^2)
        Sum of c_g'c_g over them.
    root : ndarray (p + 1, p + 1)
    """

    h: Array
    count: Array
    outer: Array
    root: Array

    @classmethod
    def of(cls, stage: Stage, root: Array) -> OneEffect:
        """Collapse the groups of a stage."""
        h, c = stage.products[:, 0, 0], stage.products[:, 0, 1:]
        values, which = np.unique(h, return_inverse=True)
        if len(values) > len(h) / 2:
            values, which = h, np.arange(len(h))
        order = np.argsort(which, kind="stable")
        starts = np.flatnonzero(np.diff(which[order], prepend=-1))
        count = np.diff(np.append(starts, len(h))).astype(float)
        sorted_c, outer = c[order], np.empty((len(starts), c.shape[1] ** 2))
        for u, (a, n) in enumerate(zip(starts, count, strict=True)):
            rows = sorted_c[a : a + int(n)]
            outer[u] = (rows.T @ rows).ravel()
        return cls(values.astype(float), count, outer, root)

    def profile(self, d: float) -> Profile:
        """Return the profile at d with its derivatives."""
        v = 1.0 / (1.0 + d * self.h)
        weights = np.stack([d * v, v * v, -2.0 * self.h * v**3])
        value, first, second = (weights @ self.outer).reshape(3, *self.root.shape)
        hv = self.h * v
        return Profile(
            float(self.count @ np.log1p(d * self.h)), np.array([self.count @ hv]), np.array([[-(self.count @ (hv * hv))]]),
            self.root - value, -first[None], -second[None, None],
        )  # fmt: skip
