"""What a fitted linear mixed model says of its rows and of its clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats import contrasts
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.design.prediction import predict_rows, random_part
from asp_eval.stats.estimate import Array
from asp_eval.stats.mixed.clusters import model_clusters, nested_products, products_of_moments, products_of_rows
from asp_eval.stats.mixed.estimated import EstimatedModel
from asp_eval.stats.mixed.outcomes import simulate_outcomes
from asp_eval.stats.smallsample.cluster_blocks import ClusterBlocks
from asp_eval.stats.smallsample.influence import influence_table
from asp_eval.stats.smallsample.nested_sandwich import NestedClusters

RESIDUALS = Fault("FIT-067", "there are no residuals of this kind", 'Use "response", "pearson", "standardised" or "marginal".')
NO_INFLUENCE = Fault(
    "FIT-068", "the influence of clusters cannot be had", "It needs a factor in whose groups all others are nested."
)
NO_ROWS_KEPT = Fault(
    "FIT-046", "this fit was made from moments and has no rows", "Fit with lmm(formula, frame) to have fitted values."
)
NEEDS_ROWS = Phrase(
    "here it needs the rows, since a cluster alone determines a coefficient, variances are extreme, factors cross or "
    "the moments were not formed by the outermost factor"
)


@dataclass(frozen=True, slots=True, eq=False)
class ModelOfRows(EstimatedModel):
    """Fitted values, residuals, predictions and clusters; users meet it as a `MixedFit`."""

    def cluster_blocks(self) -> ClusterBlocks | Unavailable:
        """Return the pseudo-rows of the outermost groups, for the cluster-robust methods."""
        if self.design is None and any(f.every for f in self.moments.layout.factors):
            return Unavailable(NEEDS_ROWS)
        if self.design is None:
            return Unavailable(
                Phrase("moments do not hold what it needs of each cluster, unless they were formed by cluster; the rows do")
            )
        return model_clusters(self.design, self.problem.standard.kept, self.estimate, [c / self.sigma2 for c in self.covariances])

    def nested_clusters(self) -> NestedClusters | None:
        """Return the clusters by cross-products, for the cluster-robust methods; None where factors cross.

        Of one factor only where there are no rows: pseudo-rows are cheaper then.
        """
        elimination, standard, beta = self.problem.elimination, self.problem.standard, self.found.criterion.beta
        if not elimination.nested or (self.design is not None and len(elimination.ordering) < 2):
            return None
        outermost = elimination.ordering[-1]
        if self.design is None:
            root = products_of_moments(standard, beta, outermost)
        else:
            root = products_of_rows(self.design, standard, beta, outermost)
        return None if root is None else nested_products(self.problem, self.found.theta, beta, root)

    def influence(self) -> pd.DataFrame:
        """Return what each outermost group does: its rows, Cook's distance and the estimates without it, in one pass.

        The variance parameters are held at the estimate; see `asp_eval.stats.smallsample.influence`.

        Returns
        -------
        DataFrame
            cluster, n_obs, cooks_distance, one column per coefficient, note.
        """
        design = self._rows()
        blocks = self.cluster_blocks()
        if isinstance(blocks, Unavailable):
            return NO_INFLUENCE.refuse(found=blocks.reason)
        groups = design.groups[int(np.argmin([len(g.levels) for g in design.groups]))]
        sizes = np.bincount(groups.codes, minlength=len(groups.levels))
        return influence_table(blocks, self.sigma2, self.names, self.estimate, groups.levels, sizes)

    @property
    def fitted(self) -> Array:
        """X beta + Z b + offset of the rows used (n,)."""
        design = self._rows()
        marginal = design.fixed_matrix()[:, list(self.problem.standard.kept)] @ self.estimate
        offset = 0.0 if design.offset is None else design.offset
        return np.asarray(marginal + random_part(design, self.modes) + offset, float)

    @property
    def residuals(self) -> Array:
        """Outcome less fitted value (n,)."""
        design = self._rows()
        outcome = design.response if design.offset is None else design.response + design.offset
        return np.asarray(outcome - self.fitted, float)

    def residuals_by(self, kind: str = "response") -> Array:
        """Return residuals (n,) of one kind.

        Parameters
        ----------
        kind : {"response", "pearson", "standardised", "marginal"}
            Outcome less fitted value; times the root of the weight, as lme4's; over sigma as well; or outcome less X beta.
        """
        if not isinstance(kind, str) or kind == "response":
            return self.residuals if isinstance(kind, str) else RESIDUALS.refuse(found=kind)
        design = self._rows()
        root = 1.0 if design.weights is None else np.sqrt(design.weights)
        if kind == "pearson":
            return np.asarray(self.residuals * root, float)
        if kind == "standardised":
            return np.asarray(self.residuals * root / self.sigma, float)
        if kind == "marginal":
            return np.asarray(self.residuals + random_part(design, self.modes), float)
        return RESIDUALS.refuse(found=kind)

    def simulate(self, n: int = 1, seed: int = 1) -> Array:
        """Return `n` new outcomes of the rows used (rows, n), with new random effects, as lme4's ``simulate``.

        Parameters
        ----------
        n : int
            How many outcomes.
        seed : int
            The same seed gives the same outcomes.
        """
        draws, design = contrasts.whole_number("n", n, 1), self._rows()
        seed = contrasts.whole_number("seed", seed, 0)
        marginal = self.fitted - random_part(design, self.modes)
        return simulate_outcomes(design, marginal, self.covariances, self.sigma2, draws, seed)

    def predict(self, frame: pd.DataFrame, *, random_effects: bool = True, new_groups: bool = False) -> Array:
        """Return predictions of new rows (rows of `frame`,), with the offset.

        Parameters
        ----------
        frame : pandas.DataFrame
        random_effects : bool
            Whether the groups' own effects are added, or the fixed part alone is predicted.
        new_groups : bool
            Give groups that were not in the data effects of zero, instead of refusing.

        Raises
        ------
        Refusal
            If a value is missing, a category or a group is new, or the fit has no rows to know the coding from.
        """
        kept = self.problem.standard.kept
        modes = self.modes if random_effects else ()
        return predict_rows(self._rows(), kept, self.estimate, modes, frame, random=random_effects, new_groups=new_groups)

    def _rows(self) -> Design:
        """Return the rows, or refuse."""
        return NO_ROWS_KEPT.refuse() if self.design is None else self.design
