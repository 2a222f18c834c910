"""Sample size of a design: the part of it that a given power needs."""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction
from typing import Any, cast

import numpy as np
from scipy import optimize

from asp_eval.core.errors import Fault, Refusal
from asp_eval.core.phrases import Phrase
from asp_eval.stats.power.designs import Design
from asp_eval.stats.power.losses import Losses
from asp_eval.stats.power.outcomes import OutcomeScale
from asp_eval.stats.power.question import Question, asked_parts, expected_power, question_of, range_of, refuse_wrong_units
from asp_eval.stats.power.rejection import Test, check_power
from asp_eval.stats.power.result import PowerResult, PowerRow
from asp_eval.stats.power.sites import Multisite, RandomSites
from asp_eval.stats.power.values import Values, combinations, single
from asp_eval.stats.power.waves import Waves

NO_EFFECT = Fault("PWR-030", "no sample finds an effect of zero", "Give the smallest effect that would matter.")
WHICH_SIZE = Fault(
    "PWR-031",
    "exactly one part of the size must be left open, so that it can be found",
    "Write for example TwoLevel(clusters=None, size=50, icc=0.1).",
)
UNREACHABLE = Fault("PWR-032", "no number of {noun} reaches a power of {power:g}: {why}", "{remedy}")
BEYOND_REASON = Fault(
    "PWR-033", "more than a million {noun} would be needed", "Plan for a larger effect, or explain more of the variance."
)

NOUNS = {"size": "individuals in a cluster"}
SIZES = ("individuals", "clusters", "subclusters", "size", "sites")
LARGEST = 1e6
LARGEST_RATIO_SUM = 5


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
    asked = asked_parts(design, outcome, waves, losses, test) | {"effect": effect, "power": power}
    sought = _sought(design)
    return PowerResult(sought, tuple(_size_row(sought, parts, varied) for parts, varied in combinations(asked)))


def _sought(design: Design) -> str:
    """Return the one part of the size that is None."""
    empty = [f.name for f in fields(design) if f.name in SIZES and getattr(design, f.name) is None]
    if len(empty) != 1:
        WHICH_SIZE.refuse(type(design).__name__, found=", ".join(empty) or Phrase("none"))
    return empty[0]


def _size_row(sought: str, parts: dict[str, object], varied: dict[str, object]) -> PowerRow:
    aim, effect = single(parts["power"], "power"), single(parts["effect"], "effect")
    question = question_of(parts | {"design": _sized(cast(Design, parts["design"]), sought, LARGEST)})
    check_power(aim, question.test)
    refuse_wrong_units(question.outcome, effect)
    if effect == 0:
        NO_EFFECT.refuse("effect")
    found = needed(question, sought, effect, aim)
    whole = _whole(question, sought, effect, aim, found)
    drawn = replace(question, design=whole)
    number = getattr(whole, sought)
    asked_share = replace(drawn, design=_sized(question.design, sought, number))
    told = drawn if number < found else asked_share  # in the share that was asked for, where that is enough
    std_error, df = drawn.std_error(effect)
    low, high = range_of(question, lambda q: needed(q, sought, effect, aim))
    return PowerRow(
        varied,
        effect,
        expected_power(drawn, effect),
        std_error,
        df,
        found,
        low,
        high,
        round(number),
        None,
        told.account(),
    )


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


def _reason(design: Design, sought: str) -> tuple[Phrase, Phrase]:
    """Return why more of something does not help, and what would."""
    if isinstance(design, Multisite) and isinstance(design.effects, RandomSites):
        return (
            Phrase("the effect varies between the sites, and only more sites lessen what that adds to the standard error"),
            Phrase("Plan more sites, or a smaller heterogeneity."),
        )
    if sought in ("size", "subclusters"):
        return Phrase("the variance between clusters stays, however many are measured in each"), Phrase("Plan more clusters.")
    return Phrase("the effect is too small for the precision"), Phrase("Plan for a larger effect.")


def _whole(question: Question, sought: str, effect: float, aim: float, found: float) -> Design:
    """Return the design with the smallest whole number that can be drawn in its ratio and reaches the power.

    A share that is a ratio of small numbers (1 to 1, 2 to 1, 3 to 2, ...) is kept exactly: the number is a multiple of their sum.
    Arms of whole numbers have another share than the one asked for, off by up to 0.5 / N. Nearer to one half, fewer are needed:
    with precision in proportion to N s (1 - s), at most 0.5 |1 - 2 s| / (s (1 - s)) fewer than `found`, which the search steps
    back, and three more for what the degrees of freedom add.
    """
    design = question.design
    shared = sought in ("clusters", "individuals") or (sought == "size" and isinstance(design, Multisite) and not design.clusters)
    number = int(np.ceil(found - 1e-9))
    if shared:
        share = single(design.share)
        number = max(2, number - int(np.ceil(0.5 * abs(1 - 2 * share) / (share * (1 - share)))) - 3)
    step = _ratio_sum(single(design.share)) if shared else 1
    number += -number % step
    while True:
        tried = _sized(design, sought, number)
        if shared:
            treated = round(single(design.share) * number)
            if not 0 < treated < number:
                number += step
                continue
            tried = cast(Design, replace(cast(Any, tried), share=treated / number))
        try:
            if expected_power(replace(question, design=tried), effect) >= aim - 1e-12:
                return tried
        except Refusal:
            if number > LARGEST:
                raise
        number += step


def _ratio_sum(share: float) -> int:
    """Return how many a ratio of small numbers takes at least, 1 of a share that is none.

    Examples
    --------
    >>> _ratio_sum(0.5), _ratio_sum(2 / 3), _ratio_sum(0.37)
    (2, 3, 1)
    """
    simple = Fraction(share).limit_denominator(LARGEST_RATIO_SUM)
    return simple.denominator if abs(float(simple) - share) < 1e-9 else 1
