"""Power and minimum detectable effect of a design, by formula."""

from __future__ import annotations

from scipy import optimize

from asp_eval.core.errors import Fault
from asp_eval.stats.power.designs import Design
from asp_eval.stats.power.losses import Losses
from asp_eval.stats.power.outcomes import Continuous, OutcomeScale
from asp_eval.stats.power.question import Question, asked_parts, expected_power, question_of, range_of, refuse_wrong_units
from asp_eval.stats.power.rejection import Test, central_t_delta, check_power
from asp_eval.stats.power.result import PowerResult, PowerRow
from asp_eval.stats.power.values import Values, combinations, single
from asp_eval.stats.power.waves import Waves

NO_SUCH_EFFECT = Fault(
    "PWR-034", "no difference of proportions that is possible reaches a power of {power:g}", "Plan a larger trial."
)


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
    asked = asked_parts(design, outcome, waves, losses, test) | {"effect": effect}
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
    asked = asked_parts(design, outcome, waves, losses, test) | {"power": power}
    return PowerResult("effect", tuple(_effect_row(parts, varied) for parts, varied in combinations(asked)))


def _power_row(parts: dict[str, object], varied: dict[str, object]) -> PowerRow:
    question, effect = question_of(parts), single(parts["effect"], "effect")
    refuse_wrong_units(question.outcome, effect)
    found = expected_power(question, effect)
    std_error, df = question.std_error(effect)
    low, high = range_of(question, lambda q: expected_power(q, effect))
    return PowerRow(varied, effect, found, std_error, df, found, low, high, assumptions=question.account())


def _effect_row(parts: dict[str, object], varied: dict[str, object]) -> PowerRow:
    question, aim = question_of(parts), single(parts["power"], "power")
    check_power(aim, question.test)
    effect = detectable(question, aim)
    std_error, df = question.std_error(effect)
    low, high = range_of(question, lambda q: detectable(q, aim))
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
