"""A question that is ready to be answered: one combination of design, outcome, waves, losses and test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from asp_eval.core.errors import Fault
from asp_eval.stats.estimate import Array
from asp_eval.stats.power.designs import Design
from asp_eval.stats.power.icc import IccDistribution, nodes
from asp_eval.stats.power.losses import Losses
from asp_eval.stats.power.outcomes import Continuous, OutcomeScale
from asp_eval.stats.power.precision import Precision, precision
from asp_eval.stats.power.rejection import Test, TTest, check_test, rejection
from asp_eval.stats.power.values import single
from asp_eval.stats.power.waves import EndOnly, Waves

NO_VARIANCE = Fault(
    "PWR-035",
    "the standard error is zero, so that there is nothing to test",
    "Give covariates that leave some variance unexplained.",
)
WRONG_UNITS = Fault(
    "PWR-047",
    "an effect of {effect:g} is {sds:g} standard deviations of the outcome, which no trial has found",
    "Divide the difference by the outcome's standard deviation, for example 0.25; or give that: Continuous(sd=...).",
)
EXTREMES = (0.05, 0.95)
MOST_SDS = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One combination of everything but what is sought.

    Attributes
    ----------
    design : Design
    outcome : Continuous or Binary
    waves : Waves
    losses : Losses
    test : TTest or ZTest
    """

    design: Design
    outcome: OutcomeScale
    waves: Waves
    losses: Losses
    test: Test

    @property
    def icc(self) -> float | IccDistribution:
        """The intraclass correlation, known or not; 0 where there are no clusters."""
        value = getattr(self.design, "icc", 0.0)
        return cast(IccDistribution, value) if hasattr(value, "quantiles") else single(value, "icc")

    def at(self, icc: float) -> Precision:
        """Return the precision at a value of the intraclass correlation."""
        return precision(self.design.nested(icc), self.waves, self.losses)

    def precisions(self) -> tuple[tuple[Precision, ...], Array]:
        """Return the precision at each value that an uncertain intraclass correlation may have, and their weights."""
        values, weights = (np.array([self.icc]), np.ones(1)) if isinstance(self.icc, float) else nodes(self.icc)
        return tuple(self.at(float(x)) for x in values), weights

    def account(self) -> tuple[str, ...]:
        """Return everything that is assumed, in words."""
        icc = [] if isinstance(self.icc, float) else [f"{self.icc}; power is its mean over this, the range its middle 90 %"]
        df = self.test.df(self.at(self._middle()).df)
        words = [*self.design.account(), *icc, str(self.outcome), str(self.waves), str(self.losses), str(self.test)]
        return (*words, f"degrees of freedom {df:g}")

    def _middle(self) -> float:
        return self.icc if isinstance(self.icc, float) else float(self.icc.quantiles(np.array(0.5)))

    def std_error(self, effect: float) -> tuple[float, float]:
        """Return the standard error, at the median of an uncertain intraclass correlation, and the degrees of freedom."""
        found = self.at(self._middle())
        return found.std_error(self.outcome.variances(effect)), found.df


def asked_parts(
    design: Design, outcome: OutcomeScale | None, waves: Waves | None, losses: Losses | None, test: Test | None
) -> dict[str, object]:
    """Return the parts of a question, with what is taken where nothing is said."""
    return {
        "design": design,
        "outcome": outcome or Continuous(),
        "waves": waves or EndOnly(),
        "losses": losses or Losses(),
        "test": test or TTest(),
    }


def refuse_wrong_units(outcome: OutcomeScale, effect: float) -> None:
    """Refuse an effect on a continuous outcome that can only be meant in other units than it is read in.

    Raises
    ------
    Refusal
        PWR-047 above six standard deviations.
    """
    if isinstance(outcome, Continuous):
        sds = abs(effect) / outcome.variances(effect)[0] ** 0.5
        if sds > MOST_SDS:
            WRONG_UNITS.refuse("effect", effect=effect, sds=sds)


def question_of(parts: dict[str, object]) -> Question:
    """Return the question that parts of one combination ask; refuse a test that cannot be."""
    question = Question(**cast(Any, {name: parts[name] for name in ("design", "outcome", "waves", "losses", "test")}))
    check_test(question.test)
    return question


def expected_power(question: Question, effect: float) -> float:
    """Return the power, as the mean over an uncertain intraclass correlation."""
    (found, weights), outcome = question.precisions(), question.outcome
    errors, null = (
        np.array([p.std_error(v) for p in found]) for v in (outcome.variances(effect), outcome.null_variances(effect))
    )
    if not errors.all():
        NO_VARIANCE.refuse("effect", found=effect)
    return float(weights @ rejection(effect / errors, found[0].df, question.test, null / errors))


def _known_at(question: Question, probability: float) -> Question:
    """Return the question with the intraclass correlation at a quantile."""
    icc = cast(IccDistribution, question.icc).quantiles(np.array(probability))
    return replace(question, design=replace(cast(Any, question.design), icc=float(icc)))


def range_of(question: Question, answer: Callable[[Question], float]) -> tuple[float | None, float | None]:
    """Return the answers at the ends of the middle 90 % of an uncertain intraclass correlation."""
    if isinstance(question.icc, float):
        return None, None
    low, high = sorted(answer(_known_at(question, p)) for p in EXTREMES)
    return low, high
