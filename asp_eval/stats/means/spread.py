"""How far random effects spread the linear predictors of rows, for averages over a population of groups.

    s_i^2 = sum over factors of |L_f' B_f' z_if|^2

with L_f the triangle of a factor's effects in standard units, B_f the way back to the data's units, and z_if the values of
the columns whose effects vary. Its derivatives in the elements of L_f give the delta method its part for the variances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asp_eval.stats.estimate import Array
from asp_eval.stats.integration.fitted import LatentFit


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Random effects of a fit, and all of its parameters as if they were coefficients: a method of inference can wrap it.

    Attributes
    ----------
    latent : LatentFit
    thresholds : ndarray (t, parameters)
        Derivatives of an ordinal model's thresholds in the parameters; t is 0 for other models.
    counted : ndarray (p,)
        Between-within degrees of freedom of the coefficients.
    """

    latent: LatentFit
    thresholds: Array
    counted: Array

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters: coefficients, then numbers."""
        return (*self.latent.names, *(str(k) for k in range(len(self.latent.names), self.latent.model.n_parameters)))

    @property
    def estimate(self) -> Array:
        """The parameters."""
        return self.latent.parameters

    @property
    def dropped(self) -> tuple[str, ...]:
        """Coefficients left out."""
        return self.latent.dropped

    @property
    def model_covariance(self) -> Array:
        """Covariance matrix of the parameters, from the observed information."""
        return self.latent.covariance

    def between_within_df(self) -> Array:
        """Return degrees of freedom: an average depends on every parameter, so the fewest of any coefficient count for all."""
        fewest = min(float(self.counted.min(initial=np.inf)), min(self.latent.n_groups.values()) - 1.0)
        return np.full(self.latent.model.n_parameters, fewest)

    def standard_deviation(self, columns: Sequence[Array]) -> tuple[Array, Array]:
        """Return s (n,), and its derivatives in every parameter (n, parameters).

        Parameters
        ----------
        columns : sequence of ndarray (n, k)
            Values of the columns whose effects vary, one array per grouping factor in the formula's order.
        """
        latent, model = self.latent, self.latent.model
        n = len(columns[0])
        variance, move = np.zeros(n), np.zeros((n, model.n_parameters))
        triangles = latent.triangles()
        for z, effects, position in zip(columns, latent.effects, latent.order, strict=True):
            w = z @ effects.B
            turned = w @ triangles[position]
            variance += (turned * turned).sum(axis=1)
            for j, e in enumerate(model.elements):
                if e.factor == position:
                    move[:, model.p + j] += 2.0 * w[:, e.row] * turned[:, e.column]
        s = np.sqrt(variance)
        return s, np.divide(move, 2.0 * s[:, None], out=np.zeros_like(move), where=s[:, None] > 0)
