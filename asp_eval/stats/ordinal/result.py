"""A fitted cumulative link mixed model and all it can be asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from asp_eval.core.phrases import Phrase
from asp_eval.stats import contrasts
from asp_eval.stats.design.prediction import effect_columns, predict_rows
from asp_eval.stats.design.variables import Categories
from asp_eval.stats.estimate import Array, Estimate, JointTest
from asp_eval.stats.integration.cells import Index
from asp_eval.stats.integration.checks import SCALE
from asp_eval.stats.integration.fitted import LatentFit, counted_df
from asp_eval.stats.integration.redraw import bootstrap, draw_predictors
from asp_eval.stats.integration.summary import summary_text
from asp_eval.stats.latent_answers import LatentAnswers
from asp_eval.stats.means.model import MeansModel
from asp_eval.stats.means.questions import MarginalQuestions
from asp_eval.stats.means.spread import Spread
from asp_eval.stats.ordinal.cumulative_rows import CumulativeRows, Latent
from asp_eval.stats.ordinal.proportional_odds import proportional_odds_test
from asp_eval.stats.ordinal.scales import ordinal_scales
from asp_eval.stats.replicates import Bootstrap
from asp_eval.stats.smallsample.normal import Normal

NO_ICC_INTERVAL = Phrase("no interval of this intraclass correlation; a bootstrap gives those of the standard deviations")
ICC_NOTE = Phrase("the interval is that of the standard deviation, carried over")


@dataclass(frozen=True, slots=True, eq=False)
class ClmmFit(LatentAnswers, MarginalQuestions):
    """A fitted cumulative link mixed model.

    Attributes
    ----------
    latent : LatentFit
        The model, its estimate and what follows from both.
    rows : CumulativeRows
        In the order of the data.
    levels : tuple of str
        The K categories that occur, lowest first.
    declared : bool
        Whether their order was declared (an ordered categorical, or numbers).
    """

    latent: LatentFit
    rows: CumulativeRows
    levels: tuple[str, ...]
    declared: bool = True
    refit: Callable[[pd.DataFrame], ClmmFit] | None = field(default=None, repr=False)

    @property
    def threshold_names(self) -> tuple[str, ...]:
        """Names of the K - 1 thresholds: the category below and the one above."""
        return tuple(f"{a}|{b}" for a, b in zip(self.levels, self.levels[1:], strict=False))

    @property
    def threshold_estimates(self) -> Array:
        """The thresholds (K - 1,)."""
        return self.rows.thresholds(self.latent.shared)

    @property
    def joint_covariance(self) -> Array:
        """Covariance matrix of the thresholds followed by the coefficients (K - 1 + p,)."""
        turn = self._turn
        return np.asarray(turn @ self.latent.covariance @ turn.T, float)

    @property
    def _turn(self) -> Array:
        """Derivatives of the thresholds, and of the coefficients, in the model's parameters (K - 1 + p, parameters)."""
        p, q, J = self.latent.model.p, len(self.latent.model.elements), self.rows.J
        turn = np.zeros((len(J) + p, self.latent.model.n_parameters))
        turn[: len(J), p + q : p + q + J.shape[1]] = J
        turn[len(J) :, :p] = np.eye(p)
        return turn

    @property
    def means_model(self) -> MeansModel:
        """What the fit brings to its marginal means."""
        scales = ordinal_scales(self.design.formula.response, self.levels, self.link, self.threshold_estimates)
        spread = Spread(self.latent, self._turn[: len(self.rows.J)], self.between_within_df())
        refit = self.refit
        again = None if refit is None else (lambda frame: refit(frame).means_model)
        return MeansModel(
            _WithThresholds(self),
            self.design,
            self.kept,
            self.usual_method,
            kind="bands",
            ordinal=scales,
            spread=spread,
            refit=again,
        )

    @property
    def link(self) -> Latent:
        """The distribution of the latent scale, named by its link."""
        return self.rows.latent

    @property
    def likelihood(self) -> Phrase:
        """What the log likelihood is of, and how it was integrated."""
        J = self.rows.J
        return Phrase(
            "{k} categories, {free} free numbers for the thresholds, {link} link, {how}",
            k=len(J) + 1,
            free=J.shape[1],
            link=self.link.name,
            how=self.approximation,
        )

    @property
    def n_parameters(self) -> int:
        """Thresholds, fixed effects and (co)variances of the random effects."""
        return self.latent.model.n_parameters

    @property
    def notes(self) -> tuple[Phrase, ...]:
        """What a reader of any result of this fit must know."""
        out = list(self.latent.notes())
        outcome = self.design.outcome
        if not self.declared:
            order = " < ".join(self.levels)
            out.append(Phrase("The categories are not declared as ordered; their order is taken to be {order}.", order=order))
        if isinstance(outcome, Categories) and outcome.absent:
            absent = ", ".join(str(v) for v in outcome.absent)
            out.append(Phrase("No row holds these categories of the outcome, which were left out: {names}.", names=absent))
        return tuple(out)

    def thresholds(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row per threshold, in the columns of `tidy`; z."""
        covariance = self.joint_covariance
        k = len(self.threshold_names)
        return contrasts.tidy(_Thresholds(self.threshold_names, self.threshold_estimates, covariance[:k, :k]), Normal(), level)

    def glance(self) -> pd.DataFrame:
        """Return the fit in one row. `n_groups` is that of the outermost factor."""
        row = {
            "n_obs": self.n_obs,
            "n_groups": min(self.n_groups.values()),
            "log_likelihood": self.log_likelihood,
            "deviance": self.deviance,
            "aic": self.deviance + 2.0 * self.n_parameters,
            "bic": self.deviance + float(np.log(self.n_obs)) * self.n_parameters,
            "link": self.link.name,
            "thresholds": "flexible" if self.rows.J.shape[1] == len(self.rows.J) else "equidistant",
            "n_quadrature": self.latent.nodes,
            "converged": self.converged,
            "singular": self.singular,
            "n_dropped": self.n_dropped,
            "dropped_terms": ", ".join(self.dropped),
        }
        return pd.DataFrame([row])

    def between_within_df(self) -> Array:
        """Return counted degrees of freedom of each coefficient (p,), for `BetweenWithin`; infinite within groups."""
        return counted_df(self.latent, constants=1)

    def predict(
        self,
        frame: pd.DataFrame,
        *,
        scale: Literal["response", "link"] = "response",
        random_effects: bool = True,
        new_groups: bool = False,
    ) -> Array:
        """Return predictions of new rows: probabilities (rows, K) of the categories, or linear predictors (rows,).

        Parameters
        ----------
        frame : pandas.DataFrame
        scale : {"response", "link"}
            Probabilities, or the linear predictor without thresholds.
        random_effects : bool
            Whether the groups' own effects are added, or set to zero.
        new_groups : bool
            Give groups that were not in the data effects of zero, instead of refusing.
        """
        if scale not in ("response", "link"):
            SCALE.refuse(scale=scale)
        modes = self.latent.modes if random_effects else ()
        eta = predict_rows(self.design, self.kept, self.estimate, modes, frame, random=random_effects, new_groups=new_groups)
        return self.rows.probabilities(eta, self.latent.shared) if scale == "response" else eta

    def proportional_odds_test(self, term: str) -> JointTest:
        """Return the test that a term's effect is the same at every threshold: chi-square over its degrees of freedom.

        Parameters
        ----------
        term : str
            A variable of the fixed part, or one coefficient.
        """
        return proportional_odds_test(self.latent, self.rows, term)

    def simulate(self, draws: int = 1, seed: int = 1) -> pd.DataFrame:
        """Draw outcomes from the fitted model, random effects anew.

        Returns
        -------
        DataFrame (n, draws)
            Ordered categories.
        """
        names = np.array(self.levels, object)
        kind = pd.CategoricalDtype(list(self.levels), ordered=True)
        return pd.DataFrame({r: names[self._drawn(seed, "simulate", r)] for r in range(draws)}).astype(kind)

    def bootstrap(self, draws: int = 1_000, seed: int = 1, *, workers: int = 1) -> Bootstrap:
        """Draw outcomes from this model and refit it to each: distributions of coefficients, variances and correlations.

        Parameters
        ----------
        draws : int
        seed : int
            The same seed gives the same replicates.
        workers : int
            Processes that refit side by side; the replicates are the same, bit by bit, for any number.
        """
        return bootstrap(self.latent, lambda r: replace(self.rows, y=self._drawn(seed, "bootstrap", r)), draws, seed, workers)

    def icc(self, level: float = 0.95) -> Estimate:
        """Return the intraclass correlation of the latent scale, all random effects together.

        Parameters
        ----------
        level : float
            Of the profile interval of the standard deviation, carried over; it is there for one random intercept.
        """
        variance = 0.0
        for factor, D in zip(self.design.layout.factors, self.latent.covariances, strict=True):
            Z = effect_columns(self.design, factor)
            variance += float(((Z @ D) * Z).sum(axis=1).mean())
        residual = self.link.variance
        value = variance / (variance + residual)
        factors = self.design.layout.factors
        if len(factors) > 1 or factors[0].effects != (0,):
            return Estimate.unavailable("icc (latent)", NO_ICC_INTERVAL, method="variance components", estimate=value)
        row = self.profile_intervals(level).iloc[-1]
        if row["note"]:
            return Estimate.unavailable("icc (latent)", row["note"], method="profile", estimate=value)
        low, high = (float(row[c]) ** 2 for c in ("conf_low", "conf_high"))
        ends = low / (low + residual), high / (high + residual)
        return Estimate("icc (latent)", value, None, None, None, None, *ends, "profile", ICC_NOTE)

    def _drawn(self, seed: int, name: str, draw: int) -> Index:
        """Return drawn positions of categories (n,)."""
        eta, rng = draw_predictors(self.latent, seed, name, draw)
        below = np.cumsum(self.rows.probabilities(eta, self._centred_shared()), axis=1)[:, :-1]
        return np.asarray((rng.random(len(eta))[:, None] > below).sum(axis=1), np.intp)

    def _centred_shared(self) -> Array:
        """Return the thresholds' parameters that belong to centred columns."""
        return self.latent.model.split(self.latent.maximum.x)[2]

    def __str__(self) -> str:
        title = f"Cumulative link mixed model, {self.link.name} link ({self.approximation})"
        tables = {"Coefficients": self.tidy(Normal()), "Thresholds": self.thresholds()}
        return summary_text(
            title, self.design.formula.text, self.glance(), self.variance_components(), tables, self.n_groups, self.notes
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Thresholds:
    """Thresholds as coefficients of a fit, for the tables."""

    names: tuple[str, ...]
    estimate: Array
    model_covariance: Array
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _WithThresholds:
    """A fit whose thresholds are its first coefficients, for means that depend on both."""

    fit: ClmmFit

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the thresholds and the coefficients."""
        return (*self.fit.threshold_names, *self.fit.names)

    @property
    def dropped(self) -> tuple[str, ...]:
        """Coefficients left out."""
        return self.fit.dropped

    @property
    def estimate(self) -> Array:
        """The thresholds and the coefficients."""
        return np.concatenate([self.fit.threshold_estimates, self.fit.estimate])

    @property
    def model_covariance(self) -> Array:
        """Their covariance matrix."""
        return self.fit.joint_covariance

    def between_within_df(self) -> Array:
        """Return counted degrees of freedom: a threshold has those of what is constant within the outermost groups."""
        df = self.fit.between_within_df()
        fewest = min(float(df.min(initial=np.inf)), min(self.fit.n_groups.values()) - 1.0)
        return np.concatenate([np.full(len(self.fit.threshold_names), fewest), df])
