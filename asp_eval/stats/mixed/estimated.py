"""What a fitted linear mixed model is: its estimates and what they were found from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from asp_eval.core.phrases import Phrase
from asp_eval.stats.components import components_table, covariance_matrices, effects_table
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.engine.estimation import EstimationProblem
from asp_eval.stats.engine.moments import Moments
from asp_eval.stats.engine.optimisation import Optimum
from asp_eval.stats.estimate import Array
from asp_eval.stats.mixed.random_effects import conditional_modes, conditional_variances
from asp_eval.stats.smallsample.kenward_roger import SINGULAR_NOTE

NOT_SEPARATED = Phrase("The data do not separate the variances of the random effects: other values are equally likely.")
NOT_CONVERGED = Phrase("The optimiser did not reach a point that meets the conditions of a minimum.")


@dataclass(frozen=True, slots=True, eq=False)
class EstimatedModel:
    """The estimates of a linear mixed model; users meet it as a `MixedFit`.

    Attributes
    ----------
    problem : EstimationProblem
        The model in standard units.
    found : Optimum
        The estimate, in standard units.
    reml : bool
    design : Design or None
        The rows, if the fit was made from a frame.
    absent : tuple of str
        Coefficients of categories that no row holds.
    """

    problem: EstimationProblem
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
    def moments(self) -> Moments:
        """The cross-products it was estimated from."""
        return self.problem.standard.moments

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
    def notes(self) -> tuple[Phrase, ...]:
        """What a reader of any result of this fit must know."""
        out = []
        if self.n_dropped:
            out.append(Phrase("{n} rows with missing values were left out.", n=self.n_dropped))
        if self.dropped:
            names = ", ".join(self.dropped)
            out.append(Phrase("Dropped, because the data do not determine them: {names}.", names=names))
        if self.singular:
            out.append(SINGULAR_NOTE)
        if not self.found.determined:
            out.append(NOT_SEPARATED)
        if not self.converged:
            out.append(NOT_CONVERGED)
        return (*self.problem.standard.moments.layout.notes, *out)

    def glance(self) -> pd.DataFrame:
        """Return the fit in one row; AIC and BIC as lme4 defines them. `n_groups` is that of the outermost factor."""
        row = {
            "n_obs": self.n_obs,
            "n_groups": min(self.n_groups.values()),
            "log_likelihood": -0.5 * self.deviance,
            "deviance": self.deviance,
            "aic": self.deviance + 2.0 * self.n_parameters,
            "bic": self.deviance + float(np.log(self.n_obs)) * self.n_parameters,
            "sigma": self.sigma,
            "reml": self.reml,
            "converged": self.converged,
            "singular": self.singular,
            "n_dropped": self.n_dropped,
            "dropped_terms": ", ".join(self.dropped),
        }
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
