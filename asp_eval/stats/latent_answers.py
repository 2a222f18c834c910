"""What fits with latent normal effects answer alike: their parts, coefficients, tables and tests."""

from __future__ import annotations

from typing import cast

import pandas as pd

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.coefficients import Coefficients
from asp_eval.stats.comparison import LikelihoodRatio
from asp_eval.stats.components import components_table, effects_table
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.estimate import Array
from asp_eval.stats.integration.comparison import (
    NO_SUCH_FIT,
    LatentComparable,
    comparison_table,
    likelihood_ratio,
    type_three_table,
)
from asp_eval.stats.integration.fitted import LatentFit, approximation
from asp_eval.stats.integration.profile import profile_table
from asp_eval.stats.smallsample.between_within import BetweenWithin
from asp_eval.stats.smallsample.method import Method


class LatentAnswers(Coefficients):
    """The answers of a fit that holds a `LatentFit`; each kind of fit adds what is its own."""

    __slots__ = ()

    latent: LatentFit

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the p estimated coefficients."""
        return self.latent.names

    @property
    def estimate(self) -> Array:
        """The fixed effects (p,), on the link's scale."""
        return self.latent.coefficients

    @property
    def dropped(self) -> tuple[str, ...]:
        """Coefficients left out because their column is a linear combination of earlier ones, or empty."""
        return self.latent.dropped

    @property
    def model_covariance(self) -> Array:
        """Covariance matrix (p, p) of the fixed effects: from the observed information of all parameters together."""
        p = self.latent.model.p
        return self.latent.covariance[:p, :p]

    @property
    def design(self) -> Design:
        """The rows and columns the fit was made from."""
        return self.latent.design

    @property
    def kept(self) -> tuple[int, ...]:
        """Positions of the estimated coefficients among the columns of the design's fixed part."""
        return self.latent.columns.kept

    @property
    def singular(self) -> bool:
        """Whether a variance is estimated as zero or a correlation as one."""
        return self.latent.singular

    @property
    def converged(self) -> bool:
        """Whether the conditions of a maximum hold at the estimate."""
        return self.latent.maximum.converged

    @property
    def n_obs(self) -> int:
        """Rows used."""
        return self.design.data.n

    @property
    def n_dropped(self) -> int:
        """Rows left out because a value was missing."""
        return self.design.data.n_dropped

    @property
    def n_groups(self) -> dict[str, int]:
        """Number of groups of each factor."""
        return self.latent.n_groups

    @property
    def log_likelihood(self) -> float:
        """The maximum of the integrated log likelihood, with all constants."""
        return self.latent.log_likelihood

    @property
    def deviance(self) -> float:
        """-2 log likelihood."""
        return -2.0 * self.log_likelihood

    @property
    def approximation(self) -> Phrase:
        """How the random effects were integrated out."""
        return approximation(self.latent.nodes)

    @property
    def usual_method(self) -> Method:
        """`BetweenWithin`: t for what is constant within groups, z for the rest."""
        return BetweenWithin()

    @property
    def own_covariance(self) -> Array | Unavailable:
        """Covariance matrix (p, p) of the coefficients by the model itself."""
        return self.model_covariance

    def anova(self, *others: LatentComparable | Method, method: Method | None = None) -> pd.DataFrame:
        """Return type III tests of the terms, or the comparison with other fits.

        Parameters
        ----------
        *others : fits of the same kind
            Each model is compared with the next smaller one, as R's ``anova(a, b)``; see `likelihood_ratio`.
        method : Method, optional
            Of the type III tests; by default `BetweenWithin`.

        Returns
        -------
        DataFrame
            Type III: term, statistic, df_numerator, df_denominator, p_value, method, note. Comparison: model, n_parameters,
            aic, bic, log_likelihood, deviance, statistic, df, p_value, method, note.
        """
        own = cast(LatentComparable, self)
        fits = [o for o in others if not isinstance(o, Method)]
        if fits:
            for fit in fits:
                _refuse_other_kind(self, fit)
            return comparison_table([own, *fits])
        method = next((o for o in others if isinstance(o, Method)), method)
        return type_three_table(own, self.method_or_usual(method))

    def likelihood_ratio(self, larger: LatentComparable) -> LikelihoodRatio:
        """Return the likelihood ratio test of this model within a larger one of the same family, link and approximation.

        Raises
        ------
        Refusal
            If the models cannot be compared: another likelihood, other rows, outcome, offset or weights, not nested, as many
            parameters, or a larger model that fits worse.
        """
        _refuse_other_kind(self, larger)
        return likelihood_ratio(cast(LatentComparable, self), larger)

    def variance_components(self) -> pd.DataFrame:
        """Return group, term1, term2, variance, correlation; term2 is empty on variances."""
        return components_table(self.design.layout, self.latent.covariances, None)

    def random_effects(self) -> pd.DataFrame:
        """Return group, level, term, estimate (the mode) and conditional std_error of every random effect."""
        levels = [g.levels for g in self.design.groups]
        return effects_table(self.design.layout, levels, self.latent.modes, self.latent.conditional_variances)

    def profile_intervals(self, level: float = 0.95) -> pd.DataFrame:
        """Return profile intervals of coefficients and standard deviations.

        Returns
        -------
        DataFrame
            group, term1, term2, quantity ("coefficient" or "sd"), estimate, conf_low, conf_high, method, note.
        """
        return profile_table(self.latent, level)


def _refuse_other_kind(fit: LatentAnswers, other: object) -> None:
    """Refuse to compare with what is no fit of the same kind."""
    if type(other) is not type(fit):
        NO_SUCH_FIT.refuse(found=type(other).__name__)
