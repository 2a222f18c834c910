"""A fitted linear mixed model and all it can be asked for.

A fit holds the optimum and what it was found from; every table is computed when asked for, and a method of inference
wraps the fit (`asp_eval.stats.smallsample`) without changing it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault, Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats import contrasts
from asp_eval.stats.coefficients import Coefficients
from asp_eval.stats.comparison import LikelihoodRatio
from asp_eval.stats.design.layout import UNKNOWN_GROUP
from asp_eval.stats.design.model_frame import read_design
from asp_eval.stats.design.prediction import mean_rows, new_row_variance
from asp_eval.stats.design.type3 import type_three
from asp_eval.stats.design.updating import updated_formula
from asp_eval.stats.engine.estimation import pose
from asp_eval.stats.engine.moments import Moments
from asp_eval.stats.estimate import Array, Estimate
from asp_eval.stats.familiar_names import Summary, coefficient_table
from asp_eval.stats.means.model import MeansModel
from asp_eval.stats.means.questions import MarginalQuestions
from asp_eval.stats.mixed.bootstrap import bootstrap
from asp_eval.stats.mixed.coefficient_profile import held, profile_interval
from asp_eval.stats.mixed.derivatives import variance_derivatives
from asp_eval.stats.mixed.interval_table import Fitted, interval_table
from asp_eval.stats.mixed.likelihood_ratio import comparison_table, likelihood_ratio
from asp_eval.stats.mixed.nesting_levels import between_within_df
from asp_eval.stats.mixed.of_rows import ModelOfRows
from asp_eval.stats.mixed.statsmodels_refit import agreement
from asp_eval.stats.mixed.summary import summary_text
from asp_eval.stats.mixed.variance_share import R2, Share, effect_variances, intraclass_correlation, nakagawa, variances_at
from asp_eval.stats.mixed.variance_test import variance_test
from asp_eval.stats.prediction_table import prediction_table
from asp_eval.stats.replicates import Bootstrap
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.stats.smallsample.method import Method
from asp_eval.stats.smallsample.normal import Normal
from asp_eval.stats.smallsample.variance import VarianceDerivatives

NO_FIT = Fault("FIT-066", "this is no fitted mixed model", "Give what lmm() returned.")
NO_PROFILE = Phrase("the deviance does not rise far enough on both sides of the estimate")


@dataclass(frozen=True, slots=True, eq=False)
class MixedFit(ModelOfRows, Coefficients, MarginalQuestions):
    """A fitted linear mixed model.

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

    @property
    def usual_method(self) -> Method:
        """`KenwardRoger`."""
        return KenwardRoger()

    @property
    def own_covariance(self) -> Array | Unavailable:
        """Covariance matrix (p, p) of the coefficients by the model itself."""
        return self.model_covariance

    @property
    def means_model(self) -> MeansModel:
        """What the fit brings to its marginal means."""
        design = self._rows()
        return MeansModel(self, design, tuple(self.problem.standard.kept), self.usual_method, weights=design.weights)

    def variance_derivatives(self) -> VarianceDerivatives:
        """Return what the small-sample methods need of the variance parameters."""
        d = self.problem.elimination.shape.d(self.found.theta)
        return variance_derivatives(self.found.criterion, d, self.n_obs, self.problem.standard.T)

    def between_within_df(self) -> Array | Unavailable:
        """Return counted degrees of freedom of each coefficient (p,), for `BetweenWithin`."""
        return between_within_df(self.problem.standard, self.problem.elimination)

    def refit(self, *, reml: bool) -> MixedFit:
        """Return the same model fitted by the other criterion."""
        if reml == self.reml:
            return self
        return MixedFit(self.problem, self.problem.optimum(reml=reml, start=None), reml, self.design, self.absent)

    def update(self, formula: str, frame: pd.DataFrame | None = None) -> MixedFit:
        """Return the model of another formula, in which dots stand for this one's sides: ``"~ . + x"``.

        Parameters
        ----------
        formula : str
        frame : pandas.DataFrame, optional
            By default the data of this fit.
        """
        design = self._rows()
        text = updated_formula(design.formula.text, formula)
        read = read_design(text, design.frame if frame is None else frame, weights=design.weights_name)
        problem = pose(Moments.from_design(read))
        return MixedFit(problem, problem.optimum(reml=self.reml), self.reml, read, read.fixed.absent)

    def predict_intervals(
        self, frame: pd.DataFrame, level: float = 0.95, kind: str = "confidence", method: Method | None = None
    ) -> pd.DataFrame:
        """Return the fixed part's prediction of new rows with its uncertainty: estimate, std_error, df, conf_low, conf_high.

        Parameters
        ----------
        frame : pandas.DataFrame
        level : float
        kind : {"confidence", "prediction"}
            Of the mean; or of one new row of a new group, which adds the variances of the random effects and the residual.
        method : Method, optional
            Of the mean's standard error and the degrees of freedom; by default `KenwardRoger`.
        """
        design = self._rows()
        mean = mean_rows(design, list(self.problem.standard.kept), frame)
        new = isinstance(kind, str) and kind == "prediction"
        added = new_row_variance(design, self.covariances, self.sigma2, frame) if new else None
        return prediction_table(self, mean, self.method_or_usual(method), level, kind, added)

    def summary(self, method: Method | None = None) -> Summary:
        """Return the fit as text with degrees of freedom and p-values, as lmerTest's ``summary``; by default Kenward-Roger."""
        return Summary(self._text(coefficient_table(self.tidy(method))))

    def icc(self, level: float = 0.95, group: str | None = None, at: Mapping[str, float] | None = None) -> Estimate:
        """Return the intraclass correlation: the share of the random variance that lies between groups.

        Parameters
        ----------
        level : float
            Of the profile interval, which is there for models with a single random intercept.
        group : str, optional
            One grouping factor; by default all of them together.
        at : mapping of str to float, optional
            With random slopes, the values of their columns; by default their effects are averaged over the rows.
        """
        standard = self.problem.standard
        if at is None:
            variances = effect_variances(standard, self.covariances, self.design)
        else:
            variances = variances_at(standard.moments.layout, self.covariances, at)
        parts = dict(zip(self.n_groups, variances, strict=True))
        if group is not None and (not isinstance(group, str) or group not in parts):
            UNKNOWN_GROUP.refuse(group=group, known=", ".join(parts))
        part = sum(parts.values()) if group is None else parts[group]
        share = Share(group or ", ".join(parts), part, sum(parts.values()) + self.sigma2, not at)
        return intraclass_correlation(self.problem, self.found, share, level, reml=self.reml)

    def r_squared(self) -> R2:
        """Return Nakagawa's marginal and conditional R2, with Johnson's extension to random slopes."""
        return nakagawa(self.problem.standard, self.estimate, self.covariances, self.sigma2, self.design)

    def anova(self, *others: MixedFit | Method, method: Method | None = None) -> pd.DataFrame:
        """Return type III tests of the terms, or the comparison with other fits.

        Parameters
        ----------
        *others : MixedFit
            Each model is compared with the next smaller one, as R's ``anova(a, b)``; see `likelihood_ratio`.
        method : Method, optional
            Of the type III tests; by default `KenwardRoger`.

        Returns
        -------
        DataFrame
            Type III: term, statistic, df_numerator, df_denominator, p_value, method, note. Comparison: model, n_parameters,
            aic, bic, log_likelihood, deviance, statistic, df, p_value, method, note.
        """
        fits = [o for o in others if not isinstance(o, Method)]
        if fits:
            for fit in fits:
                if not isinstance(fit, MixedFit):
                    NO_FIT.refuse(found=type(fit).__name__)
            return comparison_table([self, *fits])
        method = next((o for o in others if isinstance(o, Method)), method)
        hypotheses = type_three(self._rows(), self.problem.standard.kept)
        return contrasts.joint_table(self, hypotheses, self.method_or_usual(method))

    def likelihood_ratio(self, larger: MixedFit) -> LikelihoodRatio:
        """Return the likelihood ratio test of this model within a larger one.

        Models with different fixed parts are compared by ML, refitted if need be; with the same fixed part, by REML if
        both were fitted so.

        Raises
        ------
        Refusal
            If the models cannot be compared: other rows, outcome, offset or weights, not nested, as many parameters, or a larger
            model that fits worse.
        """
        if not isinstance(larger, MixedFit):
            NO_FIT.refuse(found=type(larger).__name__)
        return likelihood_ratio(self, larger)

    def coefficient_intervals(self, level: float = 0.95) -> pd.DataFrame:
        """Return profile likelihood intervals of the coefficients: term, estimate, conf_low, conf_high, method, note.

        The estimates are those of maximum likelihood, to which the fit is refitted if need be; as lme4's ``confint``. With few
        groups ``tidy(KenwardRoger())`` is to be preferred.
        """
        contrasts.check_level(level)
        fit = self.refit(reml=False)
        fixed = [self.moments.layout.fixed[k] for k in self.problem.standard.kept]
        errors = np.sqrt(np.diag(fit.model_covariance))
        rows = []
        for k, (name, column) in enumerate(zip(self.names, fixed, strict=True)):

            def deviance(b: float, column: int = column) -> float:
                problem = pose(held(self.moments, column, b))
                return problem.deviance(problem.optimum(reml=False).criterion.value, reml=False)

            ends = profile_interval(deviance, float(fit.estimate[k]), float(errors[k]), fit.deviance, level)
            low, high = (np.nan, np.nan) if ends is None else ends
            rows.append((name, float(fit.estimate[k]), low, high, "profile likelihood", NO_PROFILE if ends is None else NO_NOTE))
        return pd.DataFrame(rows, columns=["term", "estimate", "conf_low", "conf_high", "method", "note"])

    def variance_intervals(self, level: float = 0.95, kind: Literal["profile", "wald"] = "profile") -> pd.DataFrame:
        """Return intervals of the standard deviations and correlations of the random effects, and of sigma.

        Parameters
        ----------
        level : float
        kind : {"profile", "wald"}
            Where the deviance rises by the chi-square quantile; or symmetric in log sd and Fisher's z. At a singular
            fit Wald's are unavailable.

        Returns
        -------
        DataFrame
            group, term1, term2, quantity ("sd" or "correlation"), estimate, conf_low, conf_high, method, note.
        """
        model = Fitted(self.problem, self.found, tuple(self.covariances), self.sigma2, self.reml)
        return interval_table(model, self.variance_components(), level, kind)

    def bootstrap(self, draws: int = 10_000, seed: int = 1) -> Bootstrap:
        """Draw outcomes from this model and refit it to each: distributions of coefficients, variances and the ICC.

        Parameters
        ----------
        draws : int
        seed : int
            The same seed gives the same replicates.

        Returns
        -------
        Bootstrap
            ``.tidy(level)`` gives estimates with bias, standard error and interval. With one random effect 10,000
            replicates take less than a second; other models are refitted one by one.
        """
        return bootstrap(self.problem, self.found, self.design, draws, seed, reml=self.reml)

    def variance_test(self, group: str, term: str | None = None, draws: int = 10_000, seed: int = 1) -> LikelihoodRatio:
        """Test that a random effect does not vary, by a likelihood ratio whose distribution is drawn.

        Parameters
        ----------
        group : str
            Grouping factor.
        term : str, optional
            One of its effects; by default all of them together.
        draws, seed : int
        """
        return variance_test(self.problem, self.found, group, term, draws, seed, reml=self.reml)

    def recompute(self) -> pd.DataFrame | Unavailable:
        """Fit with statsmodels, whose search begins at these variances, and return the agreement, quantity by quantity."""
        return agreement(
            self._rows(),
            self.problem.standard.kept,
            self.names,
            self.estimate,
            self.model_covariance,
            self.covariances,
            self.sigma2,
            reml=self.reml,
        )

    def __str__(self) -> str:
        tidy = self.tidy(Normal())
        return self._text(coefficient_table(tidy)[["", "Estimate", "Std. Error", "t value"]])

    def _text(self, fixed: pd.DataFrame) -> str:
        """Return the fit as text, with a table of the coefficients."""
        return summary_text(
            self.moments.layout.text,
            self.deviance,
            self.variance_components(),
            fixed,
            reml=self.reml,
            n_obs=self.n_obs,
            n_groups=self.n_groups,
            notes=self.notes,
        )
