"""A fitted generalised linear mixed model and all it can be asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.prediction import effect_columns, predict_rows
from asp_eval.stats.estimate import Array, Estimate
from asp_eval.stats.glmm.families import family_rows
from asp_eval.stats.glmm.icc import count_latent_icc, latent_icc, observed_icc
from asp_eval.stats.glmm.links import Link
from asp_eval.stats.glmm.outcome import Outcome
from asp_eval.stats.glmm.residuals import residuals_of
from asp_eval.stats.integration.checks import SCALE
from asp_eval.stats.integration.fitted import LatentFit, counted_df
from asp_eval.stats.integration.redraw import bootstrap, draw_predictors
from asp_eval.stats.integration.rows import RowLikelihood
from asp_eval.stats.integration.summary import summary_text
from asp_eval.stats.latent_answers import LatentAnswers
from asp_eval.stats.means.model import MeansModel
from asp_eval.stats.means.questions import MarginalQuestions
from asp_eval.stats.means.spread import Spread
from asp_eval.stats.replicates import Bootstrap
from asp_eval.stats.smallsample.normal import Normal

ICC_SCALE = Fault("FIT-097", "there is no scale {scale!r} of an intraclass correlation", "Use 'latent' or 'observed'.")
NO_ICC_INTERVAL = Phrase("no interval of this intraclass correlation; a bootstrap gives those of the standard deviations")
ICC_NOTE = Phrase("the interval is that of the standard deviation, carried over")
FEW_EVENTS = 5
"""Events for each coefficient below which a fit says so."""
NO_OVERDISPERSION = Phrase("The counts vary no more than Poisson's: the size of the negative binomial has no upper end.")


@dataclass(frozen=True, slots=True, eq=False)
class GlmmFit(LatentAnswers, MarginalQuestions):
    """A fitted generalised linear mixed model.

    Attributes
    ----------
    latent : LatentFit
        The model, its estimate and what follows from both.
    family : str
    link : Link
    outcome : Outcome
    """

    latent: LatentFit
    family: str
    link: Link
    outcome: Outcome
    refit: Callable[[pd.DataFrame], GlmmFit] | None = field(default=None, repr=False)

    @property
    def means_model(self) -> MeansModel:
        """What the fit brings to its marginal means."""
        kind = "share" if self.family == "binomial" else "count"
        spread = Spread(self.latent, np.zeros((0, self.latent.model.n_parameters)), self.between_within_df())
        refit = self.refit
        again = None if refit is None else (lambda frame: refit(frame).means_model)
        return MeansModel(
            self, self.design, self.kept, self.usual_method, self.link, self.outcome.weights, kind, spread=spread, refit=again
        )

    @property
    def dispersion(self) -> float | None:
        """The negative binomial's size k, in var = mu + mu^2 / k; infinite where the counts vary no more than Poisson's."""
        if self.family != "negative-binomial":
            return None
        return float(np.exp(self.latent.shared[0])) if self.latent.free[-1] else np.inf

    @property
    def likelihood(self) -> Phrase:
        """What the log likelihood is of, and how it was integrated."""
        return Phrase("{family}, {link} link, {how}", family=self.family, link=self.link.name, how=self.approximation)

    @property
    def n_parameters(self) -> int:
        """Fixed effects, (co)variances of the random effects, and the negative binomial's size."""
        return self.latent.model.n_parameters

    @property
    def notes(self) -> tuple[Phrase, ...]:
        """What a reader of any result of this fit must know."""
        out = list(self.latent.notes(*self._share_of_yes()))
        few = self._few_events()
        if few is not None:
            out.append(few)
        if self.outcome.event:
            out.insert(0, Phrase("The probability of {event} is modelled.", event=self.outcome.event))
        if self.dispersion == np.inf:
            out.append(NO_OVERDISPERSION)
        return tuple(out)

    def _share_of_yes(self) -> tuple[float | None, float | None]:
        """Return the share of yes and how many trials it is of; None where the outcome is a count."""
        if self.family != "binomial":
            return None, None
        trials = float(self.n_obs if self.outcome.weights is None else self.outcome.weights.sum())
        return float(self.outcome.y.sum()) / trials, trials

    def _few_events(self) -> Phrase | None:
        """Say that the rarer outcome occurs too seldom for the number of coefficients (Peduzzi et al. 1996: ten for each)."""
        y, w = self.outcome.y, self.outcome.weights
        events = float((y if w is None or self.family == "binomial" else y * w).sum())
        if self.family == "binomial":
            events = min(events, float(self.n_obs if w is None else w.sum()) - events)
        if events >= FEW_EVENTS * len(self.names):
            return None
        return Phrase(
            "{events} events for {k} coefficients: the estimates rest on few, and Laplace's approximation is poor; "
            "seven points of quadrature or more are better, and intervals are rough.",
            events=f"{events:g}",
            k=len(self.names),
        )

    def glance(self) -> pd.DataFrame:
        """Return the fit in one row. `n_groups` is that of the outermost factor."""
        row = {
            "n_obs": self.n_obs,
            "n_groups": min(self.n_groups.values()),
            "log_likelihood": self.log_likelihood,
            "deviance": self.deviance,
            "aic": self.deviance + 2.0 * self.n_parameters,
            "bic": self.deviance + float(np.log(self.n_obs)) * self.n_parameters,
            "family": self.family,
            "link": self.link.name,
            "n_quadrature": self.latent.nodes,
            "dispersion": self.dispersion,
            "converged": self.converged,
            "singular": self.singular,
            "n_dropped": self.n_dropped,
            "dropped_terms": ", ".join(self.dropped),
        }
        return pd.DataFrame([row])

    def between_within_df(self) -> Array:
        """Return counted degrees of freedom of each coefficient (p,), for `BetweenWithin`; infinite within groups."""
        return counted_df(self.latent)

    @property
    def linear_predictor(self) -> Array:
        """X beta + Z b + offset of the rows used (n,)."""
        modes = self.latent.maximum.evaluation.modes
        return np.full(self.n_obs, np.nan) if modes is None else self.latent.in_order(modes.eta)

    @property
    def fitted(self) -> Array:
        """Expected proportion or count of the rows used, at the modes of the random effects (n,)."""
        return self.link.inverse(self.linear_predictor)

    @property
    def residuals(self) -> Array:
        """Outcome less fitted value (n,); a proportion for grouped binomial rows."""
        return self.residuals_by("response")

    def residuals_by(self, kind: str = "response") -> Array:
        """Return residuals (n,) of one kind, at the modes of the random effects.

        Parameters
        ----------
        kind : {"response", "pearson", "deviance"}
            Outcome less fitted value; over the standard deviation of the family; or the signed root of the deviance's parts.
        """
        return residuals_of(kind, self.family, self.outcome.y, self.outcome.weights, self.fitted, self.dispersion)

    def predict(
        self,
        frame: pd.DataFrame,
        *,
        scale: Literal["response", "link"] = "response",
        random_effects: bool = True,
        new_groups: bool = False,
    ) -> Array:
        """Return predictions of new rows (rows of `frame`,), with the offset.

        Parameters
        ----------
        frame : pandas.DataFrame
        scale : {"response", "link"}
            A probability or mean, or the linear predictor.
        random_effects : bool
            Whether the groups' own effects are added, or set to zero.
        new_groups : bool
            Give groups that were not in the data effects of zero, instead of refusing.
        """
        if scale not in ("response", "link"):
            SCALE.refuse(scale=scale)
        modes = self.latent.modes if random_effects else ()
        eta = predict_rows(self.design, self.kept, self.estimate, modes, frame, random=random_effects, new_groups=new_groups)
        return self.link.inverse(eta) if scale == "response" else eta

    def simulate(self, draws: int = 1, seed: int = 1) -> Array:
        """Draw outcomes from the fitted model, random effects anew: proportions of grouped rows, zeros and ones, or counts.

        Returns
        -------
        ndarray (draws, n)
        """
        trials = self.outcome.weights if self.family == "binomial" else None
        drawn = np.stack([self._drawn(seed, "simulate", r) for r in range(draws)])
        return drawn if trials is None else drawn / trials

    def bootstrap(self, draws: int = 1_000, seed: int = 1, *, workers: int = 1) -> Bootstrap:
        """Draw outcomes from this model and refit it to each: distributions of coefficients, variances and correlations.

        Parameters
        ----------
        draws : int
        seed : int
            The same seed gives the same replicates.
        workers : int
            Processes that refit side by side; the replicates are the same, bit by bit, for any number.

        Returns
        -------
        Bootstrap
            ``.tidy(level)`` gives estimates with bias, standard error and interval. A replicate whose outcome is separated
            has no numbers and is counted.
        """
        w = self.outcome.weights

        def redrawn(r: int) -> RowLikelihood:
            return family_rows(self.family, self.link.name, self._drawn(seed, "bootstrap", r), w)

        return bootstrap(self.latent, redrawn, draws, seed, workers)

    def icc(self, level: float = 0.95, scale: Literal["latent", "observed"] = "latent") -> Estimate:
        """Return the intraclass correlation of all random effects together.

        Parameters
        ----------
        level : float
            Of the interval, which is the profile interval of the standard deviation carried over; it is there on the latent
            scale for one random intercept.
        scale : {"latent", "observed"}
            The share of the latent variance, or the correlation of two outcomes of one group.
        """
        if scale not in ("latent", "observed"):
            ICC_SCALE.refuse(scale=scale)
        variance = self._effect_variances()
        label = f"icc ({scale})"
        if scale == "observed":
            value = observed_icc(self._fixed_part(), variance, self.link, self.family, self.dispersion)
            return Estimate.unavailable(label, NO_ICC_INTERVAL, method="quadrature", estimate=value)
        found = self._latent_icc(float(variance.mean()))
        if isinstance(found, Unavailable):
            return Estimate.unavailable(label, found.reason)
        factors = self.design.layout.factors
        if len(factors) > 1 or factors[0].effects != (0,):
            return Estimate.unavailable(label, NO_ICC_INTERVAL, method="variance components", estimate=found)
        row = self.profile_intervals(level).iloc[-1]
        if row["note"]:
            return Estimate.unavailable(label, row["note"], method="profile", estimate=found)
        low, high = (self._latent_icc(float(row[c]) ** 2) for c in ("conf_low", "conf_high"))
        return Estimate(label, found, None, None, None, None, float(low), float(high), "profile", ICC_NOTE)  # type: ignore[arg-type]

    def _drawn(self, seed: int, name: str, draw: int) -> Array:
        """Return drawn successes or counts (n,)."""
        eta, rng = draw_predictors(self.latent, seed, name, draw)
        mean = self.link.inverse(eta)
        if self.family == "binomial":
            trials = np.ones(self.n_obs) if self.outcome.weights is None else self.outcome.weights
            return rng.binomial(trials.astype(np.int64), np.clip(mean, 0.0, 1.0)).astype(float)
        if self.dispersion is not None and np.isfinite(self.dispersion):
            mean = mean * rng.gamma(self.dispersion, 1.0 / self.dispersion, len(mean))
        return rng.poisson(np.maximum(mean, 0.0)).astype(float)

    def _fixed_part(self) -> Array:
        """Return X beta + offset (n,)."""
        model = self.latent.model
        return self.latent.in_order(model.fixed_part(model.split(self.latent.maximum.x)[0]))

    def _effect_variances(self) -> Array:
        """Return the variance of all random effects that act on each row (n,)."""
        out = np.zeros(self.n_obs)
        for factor, D in zip(self.design.layout.factors, self.latent.covariances, strict=True):
            Z = effect_columns(self.design, factor)
            out += ((Z @ D) * Z).sum(axis=1)
        return out

    def _latent_icc(self, variance: float) -> float | Unavailable:
        """Return the latent intraclass correlation at a variance of the random effects."""
        if self.family == "binomial":
            return latent_icc(variance, self.link.name)
        if self.link.name != "log":
            return Unavailable(
                Phrase("a count with the {link} link has no latent scale, only the one observed", link=self.link.name)
            )
        mean = float(np.exp(self._fixed_part().mean() + 0.5 * variance))
        return count_latent_icc(variance, mean, self.dispersion)

    def __str__(self) -> str:
        title = f"Generalised linear mixed model, {self.family} family, {self.link.name} link ({self.approximation})"
        return summary_text(
            title,
            self.design.formula.text,
            self.glance(),
            self.variance_components(),
            {"Fixed effects": self.tidy(Normal())},
            self.n_groups,
            self.notes,
        )
