"""A fitted marginal model and all it can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.coefficients import Coefficients
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.design.prediction import predict_rows
from asp_eval.stats.estimate import Array, Estimate
from asp_eval.stats.glmm.links import Link
from asp_eval.stats.glmm.outcome import Outcome
from asp_eval.stats.integration.checks import SCALE
from asp_eval.stats.integration.standard import StandardColumns
from asp_eval.stats.linear.ols import NO_ICC, Clusters
from asp_eval.stats.marginal.corrections import ManclDeRouen
from asp_eval.stats.marginal.equations import Solution
from asp_eval.stats.means.model import MeansModel
from asp_eval.stats.means.questions import MarginalQuestions
from asp_eval.stats.smallsample.method import Method
from asp_eval.stats.smallsample.normal import Normal

KINDS = {"gaussian": "measure", "binomial": "share", "poisson": "count"}


@dataclass(frozen=True, slots=True, eq=False)
class GeeFit(Coefficients, MarginalQuestions):
    """A fitted marginal model; make one with `gee`.

    Attributes
    ----------
    names, dropped : tuple of str
        The p estimated coefficients, and those whose column is a linear combination of earlier ones.
    design : Design
    columns : StandardColumns
        In which the equations were solved.
    clusters : Clusters
    solution : Solution
        In standard units.
    family : str
    link : Link
    correlation : str
        The working correlation.
    outcome : Outcome
    """

    names: tuple[str, ...]
    dropped: tuple[str, ...]
    design: Design
    columns: StandardColumns
    clusters: Clusters
    solution: Solution
    family: str
    link: Link
    correlation: str
    outcome: Outcome

    @property
    def estimate(self) -> Array:
        """The coefficients (p,), on the link's scale."""
        return np.asarray(self.columns.T @ self.solution.beta, float)

    @property
    def model_covariance(self) -> Array:
        """B^-1 (p, p): the covariance matrix that holds if the working correlation is the true one."""
        return np.asarray(np.linalg.inv(self.cluster_information.sum(axis=0)), float)

    @property
    def cluster_information(self) -> Array:
        """D'V^-1 D of each cluster (J, p, p), in the data's units."""
        back = np.linalg.inv(self.columns.T)
        return np.asarray(back.T @ self.solution.information @ back, float)

    @property
    def cluster_scores(self) -> Array:
        """D'V^-1 (y - mu) of each cluster (J, p), in the data's units."""
        return np.asarray(self.solution.scores @ np.linalg.inv(self.columns.T), float)

    @property
    def working_correlation(self) -> float:
        """Of two rows of a cluster; zero with correlation="independence"."""
        return self.solution.alpha

    @property
    def dispersion(self) -> float:
        """The sum of squared Pearson residuals over rows less coefficients."""
        return self.solution.phi

    @property
    def means_model(self) -> MeansModel:
        """What the fit brings to its marginal means."""
        link = None if self.link.name == "identity" else self.link
        return MeansModel(self, self.design, self.columns.kept, self.usual_method, link, kind=KINDS[self.family])

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
        """Clusters in the rows used."""
        return {self.clusters.name: len(self.clusters.levels)}

    @property
    def notes(self) -> tuple[Phrase, ...]:
        """What a reader of any result of this fit must know."""
        out = []
        if self.outcome.event:
            out.append(Phrase("The probability of {event} is modelled.", event=self.outcome.event))
        if self.n_dropped:
            out.append(Phrase("{n} rows with missing values were left out.", n=self.n_dropped))
        if self.dropped:
            names = ", ".join(self.dropped)
            out.append(Phrase("Dropped, because the data do not determine them: {names}.", names=names))
        return (*self.design.layout.notes, *out)

    @property
    def fitted(self) -> Array:
        """Expected outcome of the rows used (n,); a gaussian one with its offset."""
        offset = self.design.offset if self.family == "gaussian" else None
        return self.solution.mean if offset is None else np.asarray(self.solution.mean + offset, float)

    @property
    def residuals(self) -> Array:
        """Outcome less expected outcome (n,)."""
        return np.asarray(self.outcome.y - self.solution.mean, float)

    @property
    def usual_method(self) -> Method:
        """`ManclDeRouen`. `Normal` gives z from the model's own covariance, right only if the working correlation is."""
        return ManclDeRouen()

    @property
    def own_covariance(self) -> Array | Unavailable:
        """Covariance matrix (p, p) of the coefficients by the model itself."""
        return Normal().covariance(self)

    def glance(self) -> pd.DataFrame:
        """Return the fit in one row."""
        row = {
            "n_obs": self.n_obs,
            "n_groups": len(self.clusters.levels),
            "family": self.family,
            "link": self.link.name,
            "correlation": self.correlation,
            "alpha": self.working_correlation,
            "dispersion": self.dispersion,
            "converged": self.solution.converged,
            "n_dropped": self.n_dropped,
            "dropped_terms": ", ".join(self.dropped),
        }
        return pd.DataFrame([row])

    def icc(self, level: float = 0.95) -> Estimate:  # noqa: ARG002
        """Return that there is none: the working correlation is no estimate of it to be relied on."""
        return Estimate.unavailable("icc", NO_ICC)

    def predict(self, frame: pd.DataFrame, *, scale: Literal["response", "link"] = "response") -> Array:
        """Return predictions of new rows (rows of `frame`,), with the offset: means, or linear predictors."""
        if scale not in ("response", "link"):
            SCALE.refuse(scale=scale)
        eta = predict_rows(self.design, self.columns.kept, self.estimate, (), frame, random=False, new_groups=False)
        return self.link.inverse(eta) if scale == "response" else eta

    def __str__(self) -> str:
        shown = self.tidy()[["term", "estimate", "std_error", "df", "statistic", "p_value"]].to_string(index=False, na_rep="")
        lines = [
            f"Marginal model by generalised estimating equations ({self.family}, {self.link.name} link)",
            f"Formula: {self.design.formula.text}",
            f"Rows: {self.n_obs} ({self.n_dropped} left out because a value is missing)",
            f"Clusters: {len(self.clusters.levels)} of {self.clusters.name}; working correlation: {self.correlation}, "
            f"alpha {self.working_correlation:.4f}; dispersion {self.dispersion:.4f}",
            "",
            "Coefficients (standard errors and df: ManclDeRouen)",
            shown,
            *self.notes,
        ]
        return "\n".join(lines)
