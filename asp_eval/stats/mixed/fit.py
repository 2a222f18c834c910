"""Linear mixed models: `lmm` fits, `MixedFit` answers.

A fit holds the optimum and what it was found from; every table is computed when asked for, and a method of inference
wraps the fit (`asp_eval.stats.smallsample`) without changing it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault, Unavailable
from asp_eval.stats import contrasts
from asp_eval.stats.estimate import Array, Estimate, JointTest
from asp_eval.stats.mixed.clusters import model_clusters
from asp_eval.stats.mixed.components import components_table, covariance_matrices, effects_table
from asp_eval.stats.mixed.derivatives import variance_derivatives
from asp_eval.stats.mixed.design import Design, read_design
from asp_eval.stats.mixed.effects import conditional_modes, conditional_variances
from asp_eval.stats.mixed.estimation import Problem, pose
from asp_eval.stats.mixed.levels import between_within_df
from asp_eval.stats.mixed.moments import Moments
from asp_eval.stats.mixed.optimise import Optimum
from asp_eval.stats.mixed.summary import summary_text
from asp_eval.stats.smallsample.cluster_blocks import ClusterBlocks
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.stats.smallsample.method import Method
from asp_eval.stats.smallsample.normal import Normal
from asp_eval.stats.smallsample.variance import VarianceDerivatives

NO_ROWS_KEPT = Fault(
    "FIT-046", "this fit was made from moments and has no rows", "Fit with lmm(formula, frame) to have fitted values."
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class MixedFit:
    """A fitted linear mixed model.

    Attributes
    ----------
    problem : Problem
        The model in standard units.
    found : Optimum
        The estimate, in standard units.
    reml : bool
    design : Design or None
        The rows, if the fit was made from a frame.
    absent : tuple of str
        Coefficients of categories that no row holds.
    """

    problem: Problem
    found: Optimum
    reml: bool
    design: Design | None = None
    absent: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the p estimated coefficients."""
        standard = self.problem.standard
        every = standard.moments.layout.fixed_names
        return tuple(every[k] for k in standard.kept)

    @property
    def dropped(self) -> tuple[str, ...]:
        """Coefficients left out because their column is a linear combination of earlier ones, or empty."""
        standard = self.problem.standard
        every = standard.moments.layout.fixed_names
        return tuple(n for k, n in enumerate(every) if k not in standard.kept) + self.absent

    @property
    def estimate(self) -> Array:
        """The fixed effects (p,)."""
        standard = self.problem.standard
        return standard.T @ self.found.criterion.beta + standard.origin

    @property
    def model_covariance(self) -> Array:
        """(X'V^-1 X)^-1 (p, p), in the data's units."""
        T = self.problem.standard.T
        return self.found.criterion.sigma2 * (T @ self.found.criterion.B @ T.T)

    @property
    def sigma2(self) -> float:
        """The residual variance (of a row of weight one)."""
        return self.found.criterion.sigma2 * self.problem.standard.y_scale**2

    @property
    def sigma(self) -> float:
        """The residual standard deviation."""
        return float(np.sqrt(self.sigma2))

    @property
    def singular(self) -> bool:
        """Whether a variance is estimated as zero or a correlation as one."""
        return self.found.singular

    @property
    def converged(self) -> bool:
        """Whether the conditions of a minimum hold at the estimate."""
        return self.found.converged

    @property
    def n_obs(self) -> int:
        """Rows used."""
        return self.problem.n

    @property
    def n_dropped(self) -> int:
        """Rows left out because a value was missing."""
        return self.problem.standard.moments.n_dropped

    @property
    def n_groups(self) -> dict[str, int]:
        """Number of groups of each factor."""
        moments = self.problem.standard.moments
        return {f.name: len(levels) for f, levels in zip(moments.layout.factors, moments.levels, strict=True)}

    @property
    def n_parameters(self) -> int:
        """Fixed effects, (co)variances of the random effects, and the residual variance."""
        return len(self.names) + len(self.found.theta) + 1

    @property
    def deviance(self) -> float:
        """The REML criterion, or -2 log likelihood for ML; constants as in lme4."""
        return self.problem.deviance(self.found.criterion.value, reml=self.reml)

    @property
    def covariances(self) -> list[Array]:
        """Covariance matrix (k, k) of each factor's effects, in the formula's order."""
        shape, ordering = self.problem.elimination.shape, self.problem.elimination.ordering
        d = shape.d(self.found.theta)
        factors = self.problem.standard.factors
        found = covariance_matrices(
            [shape.matrix(f, d) for f in range(len(ordering))], [factors[i].transform for i in ordering], self.sigma2
        )
        return [found[ordering.index(i)] for i in range(len(ordering))]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of any result of this fit must know."""
        out = [f"{self.n_dropped} rows with missing values were left out."] * (self.n_dropped > 0)
        if self.dropped:
            out.append("Dropped, because the data do not determine them: " + ", ".join(self.dropped) + ".")
        if self.singular:
            out.append("Singular fit: a variance of the random effects is estimated as zero, or a correlation as one.")
        if not self.converged:
            out.append("The optimiser did not reach a point that meets the conditions of a minimum.")
        return tuple(out)

    def tidy(self, method: Method | None = None, level: float = 0.95) -> pd.DataFrame:
        """Return one row per coefficient: term, estimate, std_error, df, statistic, p_value, conf_low, conf_high, method, note.

        Parameters
        ----------
        method : Method, optional
            By default `KenwardRoger`.
        level : float
            Of the confidence intervals.
        """
        return contrasts.tidy(self, method or KenwardRoger(), level)

    def contrast(self, weights: Mapping[str, float] | Array, method: Method | None = None, level: float = 0.95) -> Estimate:
        """Return the estimate of one linear combination of coefficients."""
        return contrasts.contrast(self, weights, method or KenwardRoger(), level)

    def joint_test(
        self, contrast: Sequence[str] | Sequence[Mapping[str, float]] | Array, method: Method | None = None
    ) -> JointTest:
        """Return the F test that several coefficients (or contrasts) are zero together."""
        return contrasts.joint_test(self, contrast, method or KenwardRoger())

    def vcov(self, method: Method | None = None) -> pd.DataFrame | Unavailable:
        """Return the covariance matrix of the coefficients, named."""
        found = (method or KenwardRoger()).covariance(self)
        return found if isinstance(found, Unavailable) else pd.DataFrame(found, index=list(self.names), columns=list(self.names))

    def glance(self) -> pd.DataFrame:
        """Return the fit in one row; AIC and BIC as lme4 defines them. `n_groups` is that of the outermost factor."""
        row = {
            "n_obs": self.n_obs, "n_groups": min(self.n_groups.values()), "log_likelihood": -0.5 * self.deviance,
            "deviance": self.deviance, "aic": self.deviance + 2.0 * self.n_parameters,
            "bic": self.deviance + float(np.log(self.n_obs)) * self.n_parameters, "sigma": self.sigma, "reml": self.reml,
            "converged": self.converged, "singular": self.singular, "n_dropped": self.n_dropped,
            "dropped_terms": ", ".join(self.dropped),
        }  # fmt: skip
        return pd.DataFrame([row])

    def variance_components(self) -> pd.DataFrame:
        """Return group, term1, term2, variance, correlation; term2 is empty on variances, the residual comes last."""
        return components_table(self.problem.standard.moments.layout, self.covariances, self.sigma2)

    def random_effects(self) -> pd.DataFrame:
        """Return group, level, term, estimate and conditional std_error of every random effect."""
        elimination, standard, found = self.problem.elimination, self.problem.standard, self.found
        d = elimination.shape.d(found.theta)
        variances = conditional_variances(elimination, standard, d, found.criterion.sigma2)
        return effects_table(standard.moments.layout, standard.moments.levels, self.modes, variances)

    @property
    def modes(self) -> tuple[Array, ...]:
        """Conditional modes (m, k) of each factor's effects, in the formula's order."""
        d = self.problem.elimination.shape.d(self.found.theta)
        return conditional_modes(self.problem.elimination, self.problem.standard, d, self.found.criterion.beta)

    def variance_derivatives(self) -> VarianceDerivatives:
        """Return what the small-sample methods need of the variance parameters."""
        d = self.problem.elimination.shape.d(self.found.theta)
        return variance_derivatives(self.found.criterion, d, self.n_obs, self.problem.standard.T)

    def between_within_df(self) -> Array | Unavailable:
        """Return counted degrees of freedom of each coefficient (p,), for `BetweenWithin`."""
        return between_within_df(self.problem.standard, self.problem.elimination)

    def cluster_blocks(self) -> ClusterBlocks | Unavailable:
        """Return the pseudo-rows of the outermost groups, for the cluster-robust methods."""
        if self.design is None:
            return Unavailable("cluster-robust inference needs the rows which a fit from moments lacks: use lmm(formula, frame)")
        return model_clusters(self.design, self.problem.standard.kept, self.estimate, [c / self.sigma2 for c in self.covariances])

    def refit(self, *, reml: bool) -> MixedFit:
        """Return the same model fitted by the other criterion."""
        if reml == self.reml:
            return self
        return MixedFit(self.problem, self.problem.optimum(reml=reml, start=None), reml, self.design, self.absent)

    def __str__(self) -> str:
        return summary_text(
            self.problem.standard.moments.layout.text, self.deviance, self.variance_components(), self.tidy(Normal()),
            reml=self.reml, n_obs=self.n_obs, n_groups=self.n_groups, notes=self.notes,
        )  # fmt: skip


def lmm(formula: str, frame: pd.DataFrame, reml: bool = True, weights: str | None = None) -> MixedFit:
    """Fit a linear mixed model.

    y = X beta + Z b + e,  b ~ N(0, sigma^2 D),  e ~ N(0, sigma^2 W^-1), by the profiled (REML) criterion of Bates,
    Maechler, Bolker & Walker (2015), J Stat Soft 67:1.

    Parameters
    ----------
    formula : str
        lme4's syntax: ``y ~ arm * x + (1 + t | a/b) + (0 + t || g) + offset(o)``.
    frame : pandas.DataFrame
        Rows with a missing value in any column of the model are left out and counted.
    reml : bool
        Restricted maximum likelihood, or maximum likelihood.
    weights : str, optional
        Column of prior weights: the residual variance of a row is sigma^2 / weight.

    Returns
    -------
    MixedFit

    Raises
    ------
    Refusal
        If no number would be right: the likelihood is flat or unbounded, the outcome does not vary, a column is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> g = np.repeat(np.arange(12), 10)
    >>> frame = pd.DataFrame({"g": g, "arm": np.where(g % 2, "new", "old"), "x": rng.normal(size=120)})
    >>> frame["y"] = 2 + 0.5 * frame["x"] + rng.normal(size=12)[g] + rng.normal(size=120)
    >>> fit = lmm("y ~ arm + x + (1 | g)", frame)
    >>> fit.tidy()["term"].tolist()
    ['Intercept', 'arm[T.old]', 'x']
    """
    design = read_design(formula, frame, weights=weights)
    problem = pose(Moments.from_design(design))
    return MixedFit(problem, problem.optimum(reml=reml), reml, design, design.fixed.absent)


def lmm_from_moments(moments: Moments, reml: bool = True) -> MixedFit:
    """Fit a linear mixed model from its cross-products; the rows are not needed.

    Examples
    --------
    >>> import numpy as np
    >>> g = np.repeat(np.arange(6), 4)
    >>> y = np.random.default_rng(2).normal(size=24) + g
    >>> lmm_from_moments(Moments.from_arrays(np.ones((24, 1)), y, {"g": g})).n_groups
    {'g': 6}
    """
    problem = pose(moments)
    return MixedFit(problem, problem.optimum(reml=reml), reml)
