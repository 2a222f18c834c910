"""Power, minimum detectable effect and sample size of a design, by formula."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, cast

import numpy as np
from scipy import optimize

from asp_eval.core.errors import Fault, Refusal
from asp_eval.stats.estimate import Array
from asp_eval.stats.power.designs import Design, Multisite, RandomSites
from asp_eval.stats.power.icc import IccDistribution, nodes
from asp_eval.stats.power.losses import Losses
from asp_eval.stats.power.outcomes import Continuous, OutcomeScale
from asp_eval.stats.power.precision import Precision, precision
from asp_eval.stats.power.rejection import Test, TTest, central_t_delta, check_power, check_test, rejection
from asp_eval.stats.power.result import PowerResult, PowerRow
from asp_eval.stats.power.values import Values, combinations, single
from asp_eval.stats.power.waves import EndOnly, Waves

NO_EFFECT = Fault("PWR-030", "no sample finds an effect of zero", "Give the smallest effect that would matter.")
WHICH_SIZE = Fault(
    "PWR-031",
    "sample_size finds one part of the size, which must be None",
    "Write for example TwoLevel(clusters=None, size=50, icc=0.1).",
)
UNREACHABLE = Fault("PWR-032", "no number of {noun} reaches a power of {power:g}: {why}", "{remedy}")
BEYOND_REASON = Fault(
    "PWR-033", "more than a million {noun} would be needed", "Plan for a larger effect, or explain more of the variance."
)
NO_SUCH_EFFECT = Fault(
    "PWR-034", "no difference of proportions that is possible reaches a power of {power:g}", "Plan a larger trial."
)
NO_VARIANCE = Fault(
    "PWR-035",
    "the standard error is zero, so that there is nothing to test",
    "Give covariates that leave some variance unexplained.",
)

NOUNS = {"size": "individuals in a cluster"}
SIZES = ("individuals", "clusters", "subclusters", "size", "sites")
LARGEST = 1e6
EXTREMES = (0.05, 0.95)


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
        return precision(self.design.layout(icc), self.waves, self.losses)

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


def power(
    design: Design,
    effect: Values,
    *,
    outcome: OutcomeScale | None = None,
    waves: Waves | None = None,
    losses: Losses | None = None,
    test: Test | None = None,
) -> PowerResult:
    """Return the power of a trial whose arms are drawn by lot.

    Exact by the noncentral t distribution on the degrees of freedom of the design. Every number may be a sequence; the
    result then has a row for each combination.

    Parameters
    ----------
    design : TwoLevel, ThreeLevel, Multisite or Individual
    effect : float
        In the outcome's total standard deviations (or units, or as a difference of proportions, see `outcome`).
    outcome : Continuous or Binary, optional
        By default continuous, standardised.
    waves : EndOnly, Change or Ancova, optional
        By default the end alone.
    losses : Losses, optional
        By default nobody is lost.
    test : TTest or ZTest, optional
        By default two-sided at 0.05.

    Returns
    -------
    PowerResult
        ``.power``, ``.std_error``, ``.df``, ``.assumptions``, ``.frame()``.

    Raises
    ------
    Refusal
        If a number cannot be, or no degrees of freedom are left.

    References
    ----------
    Dong & Maynard 2013, J Res Educ Effectiveness 6:24 (PowerUpR); van Breukelen, Candel & Berger 2007, Stat Med 26:2589.

    Examples
    --------
    >>> from asp_eval import TwoLevel
    >>> found = power(TwoLevel(clusters=60, size=50, icc=0.10), effect=0.25)
    >>> round(found.power, 4), round(found.std_error, 4), found.df
    (0.7915, 0.0887, 58.0)
    >>> power(TwoLevel(clusters=60, size=50, icc=[0.05, 0.10]), effect=[0.2, 0.25]).frame()[["icc", "effect", "power"]].round(3)
        icc  effect  power
    0  0.05    0.20  0.826
    1  0.05    0.25  0.952
    2  0.10    0.20  0.602
    3  0.10    0.25  0.792
    """
    asked = _parts(design, outcome, waves, losses, test) | {"effect": effect}
    return PowerResult("power", tuple(_power_row(parts, varied) for parts, varied in combinations(asked)))


def minimum_detectable_effect(
    design: Design,
    power: Values = 0.80,
    *,
    outcome: OutcomeScale | None = None,
    waves: Waves | None = None,
    losses: Losses | None = None,
    test: Test | None = None,
) -> PowerResult:
    """Return the smallest effect that a trial finds with a given power.

    Exact: the root of the noncentral t power. The approximation by central t stands beside it.

    Parameters
    ----------
    design : TwoLevel, ThreeLevel, Multisite or Individual
    power : float
    outcome, waves, losses, test
        As in `power`.

    Returns
    -------
    PowerResult
        ``.effect``, ``.std_error``, ``.df``, ``.assumptions``, ``.frame()``.

    Raises
    ------
    Refusal
        If a number cannot be, no degrees of freedom are left, or no possible difference of proportions is found.

    Examples
    --------
    >>> from asp_eval import TwoLevel
    >>> round(minimum_detectable_effect(TwoLevel(clusters=60, size=50, icc=0.10), power=0.80).effect, 4)
    0.2527
    """
    asked = _parts(design, outcome, waves, losses, test) | {"power": power}
    return PowerResult("effect", tuple(_effect_row(parts, varied) for parts, varied in combinations(asked)))


def sample_size(
    design: Design,
    effect: Values,
    power: Values = 0.80,
    *,
    outcome: OutcomeScale | None = None,
    waves: Waves | None = None,
    losses: Losses | None = None,
    test: Test | None = None,
) -> PowerResult:
    """Return the part of a design's size that is None: how many of it a given power needs.

    Parameters
    ----------
    design : TwoLevel, ThreeLevel, Multisite or Individual
        With one of individuals, clusters, subclusters, size, sites None.
    effect, power : float
    outcome, waves, losses, test
        As in `power`.

    Returns
    -------
    PowerResult
        ``.found`` is the unrounded number; ``.rows[0].whole`` the smallest that can be drawn, whole in both arms.

    Raises
    ------
    Refusal
        If no number reaches the power, or a million do not.

    Examples
    --------
    >>> from asp_eval import TwoLevel
    >>> needed = sample_size(TwoLevel(clusters=None, size=50, icc=0.10), effect=0.25)
    >>> needed.rows[0].whole, round(needed.found, 2)
    (62, 61.26)
    """
    asked = _parts(design, outcome, waves, losses, test) | {"effect": effect, "power": power}
    sought = _sought(design)
    return PowerResult(sought, tuple(_size_row(sought, parts, varied) for parts, varied in combinations(asked)))


def _parts(
    design: Design, outcome: OutcomeScale | None, waves: Waves | None, losses: Losses | None, test: Test | None
) -> dict[str, object]:
    return {
        "design": design, "outcome": outcome or Continuous(), "waves": waves or EndOnly(), "losses": losses or Losses(),
        "test": test or TTest(),
    }  # fmt: skip


def _question(parts: dict[str, object]) -> Question:
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


def _range(question: Question, answer: Callable[[Question], float]) -> tuple[float | None, float | None]:
    """Return the answers at the ends of the middle 90 % of an uncertain intraclass correlation."""
    if isinstance(question.icc, float):
        return None, None
    low, high = sorted(answer(_known_at(question, p)) for p in EXTREMES)
    return low, high


def _power_row(parts: dict[str, object], varied: dict[str, object]) -> PowerRow:
    question, effect = _question(parts), single(parts["effect"], "effect")
    found = expected_power(question, effect)
    std_error, df = question.std_error(effect)
    low, high = _range(question, lambda q: expected_power(q, effect))
    return PowerRow(varied, effect, found, std_error, df, found, low, high, assumptions=question.account())


def _effect_row(parts: dict[str, object], varied: dict[str, object]) -> PowerRow:
    question, aim = _question(parts), single(parts["power"], "power")
    check_power(aim, question.test)
    effect = detectable(question, aim)
    std_error, df = question.std_error(effect)
    low, high = _range(question, lambda q: detectable(q, aim))
    rough = None
    if isinstance(question.outcome, Continuous) and isinstance(question.icc, float):
        rough = central_t_delta(aim, df, question.test) * std_error
    return PowerRow(varied, effect, aim, std_error, df, effect, low, high, None, rough, question.account())


def detectable(question: Question, aim: float) -> float:
    """Return the effect whose power is `aim`, with its sign."""
    furthest = question.outcome.furthest
    sign = -1.0 if furthest < 0 else 1.0
    end = min(abs(furthest), 4.0 * question.std_error(0.0)[0])

    def excess(effect: float) -> float:
        return expected_power(question, sign * effect) - aim

    while excess(end) < 0:
        if end >= abs(furthest):
            NO_SUCH_EFFECT.refuse("power", power=aim)
        end = min(abs(furthest), 2.0 * end)
    return sign * float(optimize.brentq(excess, 0.0, end, xtol=1e-14, rtol=1e-14))


def _sought(design: Design) -> str:
    """Return the one part of the size that is None."""
    empty = [f.name for f in fields(design) if f.name in SIZES and getattr(design, f.name) is None]
    if len(empty) != 1:
        WHICH_SIZE.refuse(type(design).__name__, found=", ".join(empty) or "none that is None")
    return empty[0]


def _size_row(sought: str, parts: dict[str, object], varied: dict[str, object]) -> PowerRow:
    aim, effect = single(parts["power"], "power"), single(parts["effect"], "effect")
    question = _question(parts | {"design": _sized(cast(Design, parts["design"]), sought, LARGEST)})
    check_power(aim, question.test)
    if effect == 0:
        NO_EFFECT.refuse("effect")
    found = needed(question, sought, effect, aim)
    whole = _whole(question, sought, effect, aim, found)
    drawn = replace(question, design=whole)
    told = replace(drawn, design=_sized(question.design, sought, getattr(whole, sought)))  # in the share that was asked for
    std_error, df = drawn.std_error(effect)
    low, high = _range(question, lambda q: needed(q, sought, effect, aim))
    return PowerRow(
        varied, effect, expected_power(drawn, effect), std_error, df, found, low, high,
        round(getattr(whole, sought)), None, told.account(),
    )  # fmt: skip


def _sized(design: Design, sought: str, value: float) -> Design:
    return cast(Design, replace(cast(Any, design), **{sought: value}))


def needed(question: Question, sought: str, effect: float, aim: float) -> float:
    """Return the number of a part of the size at which the power is `aim`, unrounded."""

    def excess(log_number: float) -> float:
        try:
            return (
                expected_power(replace(question, design=_sized(question.design, sought, float(np.exp(log_number)))), effect) - aim
            )
        except Refusal:  # too few for the test to exist
            return -aim

    if expected_power(question, effect) < aim:  # at a million; what else is wrong with the design is refused here
        limit = replace(question, design=_sized(question.design, sought, 1e12))
        if expected_power(limit, effect) < aim:
            why, remedy = _reason(question.design, sought)
            UNREACHABLE.refuse(sought, noun=NOUNS.get(sought, sought), power=aim, why=why, remedy=remedy)
        BEYOND_REASON.refuse(sought, noun=NOUNS.get(sought, sought))
    if excess(0.0) >= 0:
        return 1.0
    return float(np.exp(optimize.brentq(excess, 0.0, float(np.log(LARGEST)), xtol=1e-14, rtol=1e-14)))


def _reason(design: Design, sought: str) -> tuple[str, str]:
    """Return why more of something does not help, and what would."""
    if isinstance(design, Multisite) and isinstance(design.effects, RandomSites):
        return (
            "the effect varies between the sites, and only more sites lessen what that adds to the standard error",
            "Plan more sites, or a smaller heterogeneity.",
        )
    if sought in ("size", "subclusters"):
        return "the variance between clusters stays, however many are measured in each", "Plan more clusters."
    return "the effect is too small for the precision", "Plan for a larger effect."


def _whole(question: Question, sought: str, effect: float, aim: float, found: float) -> Design:
    """Return the design with the smallest whole number that can be drawn in its ratio and reaches the power."""
    design = question.design
    number = int(np.ceil(found - 1e-9))
    while True:
        tried = _sized(design, sought, number)
        if sought in ("clusters", "individuals") or (sought == "size" and isinstance(design, Multisite) and not design.clusters):
            treated = round(single(design.share) * number)
            if not 0 < treated < number:
                number += 1
                continue
            tried = cast(Design, replace(cast(Any, tried), share=treated / number))
        try:
            if expected_power(replace(question, design=tried), effect) >= aim - 1e-12:
                return tried
        except Refusal:
            if number > LARGEST:
                raise
        number += 1
