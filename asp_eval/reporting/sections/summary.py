"""What was found, in plain words that say no more than the numbers do.

A difference is never called "no effect" because it is uncertain, and one that goes the wrong way is called what it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from asp_eval.analysis.results import OutcomeResult, ProportionalOdds, Results, planned_summary
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Callout, CalloutKind, Section, paragraphs
from asp_eval.reporting.language import as_sentence
from asp_eval.reporting.numbers import digits_for
from asp_eval.reporting.sections.about import made_by
from asp_eval.reporting.sections.effects import adjusted_p_value
from asp_eval.reporting.sections.how_sure import how_sure
from asp_eval.reporting.sections.outcomes import by_role, primary_outcomes
from asp_eval.reporting.sections.shares import POINTS, adjusted_share, category_name, first_category, headline, points_digits
from asp_eval.reporting.sections.trajectory import means_figure
from asp_eval.reporting.setting import Setting
from asp_eval.stats.estimate import Estimate


def summary(results: Results, setting: Setting) -> Section:
    """Return what was found, in plain words, and what a reader must bear in mind."""
    careful = caution(results, setting)
    warning = (Callout("caution", paragraphs(*careful)),) if careful else ()
    first = primary_outcomes(results.outcomes)
    others = tuple(result for result in planned_outcomes(results) if result not in first)
    blocks = (
        paragraphs(*lead(results, setting)),
        *findings(first, setting),
        *how_sure(results, setting),
        *means_figure(results, setting),
        made_by(results, setting),
        *findings(others, setting),
        *warning,
    )
    return Section("short", setting.say("In short"), blocks)


def planned_outcomes(results: Results) -> tuple[OutcomeResult, ...]:
    """Return the outcomes that are told in words, the primary ones first.

    Exploratory outcomes are left to the results table, unless there are no others.
    """
    return by_role(tuple(result for result in results.outcomes if result.role != "exploratory") or results.outcomes)


def findings(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> tuple[Callout, ...]:
    """Return one finding per outcome and compared arm."""
    return tuple(finding(result, i, setting) for result in outcomes for i in range(len(result.effects)))


def finding(result: OutcomeResult, i: int, setting: Setting) -> Callout:
    """Say one effect in words."""
    say, effect, arm = setting.say, planned_summary(result, result.effects[i]), setting.group(setting.compared[i])
    role = {"primary": say("primary outcome"), "secondary": say("secondary outcome")}.get(result.role, say("exploratory outcome"))
    heading = say("{outcome} ({role})", outcome=setting.heading(setting.effect_label(result, i, with_wave=True)), role=role)
    tone = tone_of(result, i, setting.study.analysis.level)
    if isinstance(effect, Unavailable):
        reason = as_sentence(say("No estimate can be given: {reason}", reason=say.note(effect.reason)))
        return Callout(tone, paragraphs(reason), heading, say("No number"))
    marks = {
        "better": say("In favour of {arm}", arm=arm),
        "worse": say("To the disadvantage of {arm}", arm=arm),
        "open": say("Not in one direction") if _in_both_directions(result, i) else say("Cannot be told"),
        "unavailable": say("Uncertainty unknown"),
    }
    sentences = (
        _difference(result, effect, i, setting),
        *_certainty(result, effect, i, tone, arm, setting),
        *_size(result, i, setting),
    )
    return Callout(tone, paragraphs(" ".join(sentences)), heading, marks[tone])


def tone_of(result: OutcomeResult, i: int, level: float) -> CalloutKind:
    """Return whether an effect is told from none, and in which direction.

    It is told from none if its interval leaves zero (of a ratio, one) out and its p-value, adjusted where its family is, is below
    ``1 - level``. Of bands that the arm moves in both directions no number tells a direction.
    """
    effect, adjusted = planned_summary(result, result.effects[i]), adjusted_p_value(result, i)
    if isinstance(effect, Unavailable):
        return "unavailable"
    p = effect.p_value if adjusted is None else adjusted
    if effect.estimate is None or effect.conf_low is None or effect.conf_high is None or p is None:
        return "unavailable"
    if _in_both_directions(result, i):
        return "open"
    same = no_difference(result)
    if effect.conf_low <= same <= effect.conf_high or p >= round(1 - level, 12):  # 1 - 0.95 is a little more than 0.05
        return "open"
    return "better" if favourable(effect.estimate - same, result.better) else "worse"


def no_difference(result: OutcomeResult) -> float:
    """Return the planned summary of arms that do not differ: a difference of 0, a ratio of 1."""
    return 0.0 if result.summary == "difference" else 1.0


def _are_not_alike(result: OutcomeResult) -> bool:
    """Return whether it is rejected that the arms move the odds alike at every boundary between bands."""
    return isinstance(result.proportional_odds, ProportionalOdds) and result.proportional_odds.rejected


def _in_both_directions(result: OutcomeResult, i: int) -> bool:
    """Return whether an arm that does not move all bands alike raises the share beyond one boundary and lowers another's."""
    if not _are_not_alike(result):
        return False
    changes = [None if isinstance(c, Unavailable) else c.estimate for c in result.effects[i].changes[:-1]]
    beyond = [-sum(changes[: k + 1]) for k in range(len(changes))] if None not in changes else []  # type: ignore[arg-type]
    return any(value < 0 for value in beyond) and any(value > 0 for value in beyond)


def favourable(value: float, better: str) -> bool:
    """Return whether a difference, compared arm less reference, is good for the compared arm."""
    return (value < 0) == (better == "lower")


def _difference(result: OutcomeResult, effect: Estimate, i: int, setting: Setting) -> str:
    if result.summary != "difference":
        return _ratio(result, effect, i, setting)
    if result.scale in ("binary", "ordinal"):
        return _share_difference(result, effect, i, setting)
    say, show = setting.say, setting.show
    value, digits = effect.estimate or 0.0, digits_for(effect.std_error)
    fields = {
        "compared": setting.group(setting.compared[i]),
        "reference": setting.group(setting.reference),
        "size": show.decimal(abs(value), digits),
        "how_sure": _how_sure(effect, digits, setting, 1.0),
    }
    if result.scale == "count":
        if value < 0:
            return say("Children in {compared} had on average {size} fewer than children in {reference}{how_sure}.", **fields)
        return say("Children in {compared} had on average {size} more than children in {reference}{how_sure}.", **fields)
    if value < 0:
        return say(
            "Children in {compared} scored on average {size} points lower than children in {reference}{how_sure}.",
            **fields,
        )
    return say("Children in {compared} scored on average {size} points higher than children in {reference}{how_sure}.", **fields)


def _ratio(result: OutcomeResult, effect: Estimate, i: int, setting: Setting) -> str:
    """Say a ratio of shares, odds or means, beside what it is the ratio of."""
    say, show, arms = setting.say, setting.show, setting.study.arms
    if (by_band := _by_band(result, i, setting)) is not None:
        return by_band
    fields = {
        "compared": setting.group(setting.compared[i]),
        "reference": setting.group(setting.reference),
        "size": show.decimal(effect.estimate),
        "how_sure": _how_sure(effect, 2, setting, 1.0),
        "share": show.percent(headline(result, arms[i + 1]) or 0.0, 1),
        "other": show.percent(headline(result, arms[0]) or 0.0, 1),
    }
    if result.scale == "count":
        return say("Children in {compared} had on average {size} times as many as children in {reference}{how_sure}.", **fields)
    if result.scale == "ordinal":
        return say(
            'The share of children beyond the band "{band}" is {share} in {compared} and {other} in {reference}; the odds of a '
            "later band are {size} times as high{how_sure}.",
            band=first_category(result, setting),
            **fields,
        )
    if result.summary == "ratio":
        return say(
            "The share of children is {share} in {compared} and {other} in {reference}: {size} times as large{how_sure}.",
            **fields,
        )
    return say(
        "The share of children is {share} in {compared} and {other} in {reference}: odds {size} times as high{how_sure}.",
        **fields,
    )


def _share_difference(result: OutcomeResult, effect: Estimate, i: int, setting: Setting) -> str:
    """Say a difference in shares: both shares, and how many percentage points they are apart."""
    say, show, arms = setting.say, setting.show, setting.study.arms
    value, here, there = effect.estimate or 0.0, headline(result, arms[i + 1]), headline(result, arms[0])
    fields = {
        "compared": setting.group(setting.compared[i]),
        "reference": setting.group(setting.reference),
        "size": show.decimal(POINTS * abs(value), points_digits(effect)),
        "how_sure": _how_sure(effect, points_digits(effect), setting, POINTS),
        "share": show.percent(here or 0.0, 1),
        "other": show.percent(there or 0.0, 1),
    }
    if result.scale == "ordinal":
        if (by_band := _by_band(result, i, setting)) is not None:
            return by_band
        fields["band"] = first_category(result, setting)
    if here is None or there is None:
        return _difference_alone(result, value, fields, setting)
    if result.scale == "ordinal":
        if value < 0:
            return say(
                'The share of children beyond the band "{band}" is {share} in {compared} and {other} in {reference}: {size} '
                "percentage points lower{how_sure}.",
                **fields,
            )
        return say(
            'The share of children beyond the band "{band}" is {share} in {compared} and {other} in {reference}: {size} '
            "percentage points higher{how_sure}.",
            **fields,
        )
    if value < 0:
        return say(
            "The share of children is {share} in {compared} and {other} in {reference}: {size} percentage points "
            "lower{how_sure}.",
            **fields,
        )
    return say(
        "The share of children is {share} in {compared} and {other} in {reference}: {size} percentage points higher{how_sure}.",
        **fields,
    )


def _difference_alone(result: OutcomeResult, value: float, fields: Mapping[str, str], setting: Setting) -> str:
    """Say a difference in shares where the shares themselves are not shown."""
    say = setting.say
    if result.scale == "ordinal":
        if value < 0:
            return say(
                'The share of children beyond the band "{band}" is {size} percentage points lower in {compared} than in '
                "{reference}{how_sure}.",
                **fields,
            )
        return say(
            'The share of children beyond the band "{band}" is {size} percentage points higher in {compared} than in '
            "{reference}{how_sure}.",
            **fields,
        )
    if value < 0:
        return say(
            "The share of children is {size} percentage points lower in {compared} than in {reference}{how_sure}.", **fields
        )
    return say("The share of children is {size} percentage points higher in {compared} than in {reference}{how_sure}.", **fields)


def _by_band(result: OutcomeResult, i: int, setting: Setting) -> str | None:
    """Say every band's share, where the arms do not move all bands' odds alike; else None."""
    test, effect = result.proportional_odds, result.effects[i].difference
    if not isinstance(test, ProportionalOdds) or not test.rejected or isinstance(effect, Unavailable):
        return None
    say, show, arms = setting.say, setting.show, setting.study.arms
    parts = []
    for band in dict.fromkeys(share.category for share in result.shares):
        here, there = (adjusted_share(result, arm, band) for arm in (arms[i + 1], arms[0]))
        if here is None or there is None:
            continue
        parts.append(
            say(
                '"{band}": {share} in {compared} and {other} in {reference}',
                band=category_name(result, band, setting),
                share=show.percent(here, 1),
                other=show.percent(there, 1),
                compared=setting.group(setting.compared[i]),
                reference=setting.group(setting.reference),
            )
        )
    return (
        say(
            "The difference between the arms is not the same in all bands ({p}), so no single number describes it. Shares band "
            "by band: {parts}.",
            p=show.p_equation(test.p_value),
            parts="; ".join(parts),
        )
        + " "
        + say(
            'Beyond the first band, "{band}", the difference is {size} percentage points{how_sure}.',
            band=first_category(result, setting),
            size=show.decimal(POINTS * (effect.estimate or 0.0), 1),
            how_sure=_how_sure(effect, 1, setting, POINTS),
        )
    )


def _how_sure(effect: Estimate, digits: int, setting: Setting, factor: float) -> str:
    show = setting.show
    if effect.conf_low is None or effect.p_value is None:
        return ""
    low, high = (None if b is None else factor * b for b in (effect.conf_low, effect.conf_high))
    interval, level = show.interval(low, high, digits), setting.level
    return setting.say(" ({level} interval {interval}, {p})", level=level, interval=interval, p=show.p_equation(effect.p_value))


def _certainty(result: OutcomeResult, effect: Estimate, i: int, tone: CalloutKind, arm: str, setting: Setting) -> tuple[str, ...]:
    say = setting.say
    if tone == "unavailable":
        return (as_sentence(say("How uncertain this is cannot be said: {reason}", reason=say.note(effect.note))),)
    if _in_both_directions(result, i):
        return (
            say(
                "The shares beyond the bands do not all move the same way: the arms differ, neither in favour of {arm} nor to "
                "its disadvantage as a whole.",
                arm=arm,
            ),
        )
    if tone == "open":
        return _open(result, effect, i, arm, setting)
    if result.scale == "continuous":
        direction = say("Lower is better on this scale") if result.better == "lower" else say("Higher is better on this scale")
    else:
        direction = say("Lower is better here") if result.better == "lower" else say("Higher is better here")
    verdict = (
        say("{direction}: the difference is in favour of {arm}.", direction=direction, arm=arm)
        if tone == "better"
        else say("{direction}: the difference is to the disadvantage of {arm}.", direction=direction, arm=arm)
    )
    return (verdict, _chance(effect, setting), *_adjusted(result, effect, i, setting))


def _chance(effect: Estimate, setting: Setting) -> str:
    say, p = setting.say, effect.p_value or 0.0
    if p < 0.001:
        return say(
            "If the arms truly did not differ, chance alone would give a difference at least this large in fewer than one in a "
            "thousand such trials.",
        )
    share = setting.show.percent(p, 1)
    return say(
        "If the arms truly did not differ, chance alone would give a difference at least this large in about {share} of such "
        "trials.",
        share=share,
    )


def _adjusted(result: OutcomeResult, effect: Estimate, i: int, setting: Setting) -> tuple[str, ...]:
    value, alone = adjusted_p_value(result, i), result.adjustment is None or result.adjustment.tests == 1
    if value is None or (alone and value == effect.p_value):  # the largest of several stays as it is, and was judged with them
        return ()
    return (setting.say("It stands after adjustment for the outcomes tested together ({p}).", p=setting.show.p_equation(value)),)


def _open(result: OutcomeResult, effect: Estimate, i: int, arm: str, setting: Setting) -> tuple[str, ...]:
    say, show = setting.say, setting.show
    low, high, digits = effect.conf_low or 0.0, effect.conf_high or 0.0, digits_for(effect.std_error)
    same = no_difference(result)
    not_same = say("That is not the same as having shown that they do not differ.")
    if not low <= same <= high:
        return (_left_out(result, effect, i, setting), not_same)
    cannot = say("The trial cannot tell whether the arms differ on this outcome.")
    first = (
        (say("By this number the arms cannot be told apart, but the difference between them is not the same in all bands."),)
        if _are_not_alike(result)
        else (cannot, not_same)
    )
    if result.summary != "difference":
        bounds = say(
            "The numbers are compatible with ratios from {low} to {high}.", low=show.decimal(low), high=show.decimal(high)
        )
        return (*first, bounds)
    good, bad = (-low, high) if result.better == "lower" else (high, -low)
    if result.scale in ("binary", "ordinal"):
        bounds = say(
            "The numbers are compatible with anything from {good} percentage points in favour of {arm} to {bad} percentage "
            "points to its disadvantage.",
            good=show.decimal(POINTS * good, 1),
            bad=show.decimal(POINTS * bad, 1),
            arm=arm,
        )
        return (*first, bounds)
    ends = {"good": show.decimal(good, digits), "bad": show.decimal(bad, digits), "arm": arm}
    bounds = (
        say(
            "The numbers are compatible with anything from {good} a child in favour of {arm} to {bad} to its disadvantage.",
            **ends,
        )
        if result.scale == "count"
        else say(
            "The numbers are compatible with anything from {good} points in favour of {arm} to {bad} points to its disadvantage.",
            **ends,
        )
    )
    return (*first, bounds)


def _left_out(result: OutcomeResult, effect: Estimate, i: int, setting: Setting) -> str:
    """Say that an interval leaves arms that do not differ out, but that the p-value does not rule out chance."""
    say, adjusted = setting.say, adjusted_p_value(result, i)
    ratio = result.summary != "difference"
    if adjusted is None:
        p = setting.show.p_equation(effect.p_value or 0.0)
        if ratio:
            return say(
                "The interval, which is by another method, leaves 1 out, but the planned test ({p}) does not rule out chance.",
                p=p,
            )
        return say(
            "The interval, which is by another method, leaves zero out, but the planned test ({p}) does not rule out chance.", p=p
        )
    p = setting.show.p_equation(adjusted)
    if ratio:
        return say(
            "Taken alone the interval leaves 1 out, but after adjustment for the outcomes tested together ({p}) chance cannot be "
            "ruled out.",
            p=p,
        )
    return say(
        "Taken alone the interval leaves zero out, but after adjustment for the outcomes tested together ({p}) chance "
        "cannot be ruled out.",
        p=p,
    )


def _size(result: OutcomeResult, i: int, setting: Setting) -> tuple[str, ...]:
    size = result.effects[i].effect_size
    if isinstance(size, Unavailable):
        return ()
    shown: str = setting.show.decimal(size.estimate)
    if size.conf_low is not None:
        interval = setting.show.interval(size.conf_low, size.conf_high)
        shown = setting.say("{value} (interval {interval})", value=shown, interval=interval)
    return (setting.say("In standard deviations: {size}.", size=shown),)


def lead(results: Results, setting: Setting) -> tuple[str, ...]:
    """Return the opening paragraph: what was compared, and among whom."""
    say, show, flow = setting.say, setting.show, results.flow
    cohort = sum(arm.cohort for arm in flow.arms)
    drawn = flow.institutions - flow.not_drawn
    *others, last = (setting.group(setting.arm(key)) for key in setting.study.arms)
    arms = say(" and ").join(([", ".join(others)] if others else []) + [last])
    return (
        say(
            "{n} institutions were drawn at random to {arms}. {children} children belong to the trial's cohort.",
            n=show.integer(drawn),
            arms=arms,
            children=show.integer(cohort),
        ),
        say(
            "Below is what was found on each outcome, and how sure it is. An interval shows the differences that the numbers "
            "are well compatible with; a wide interval means that little is known.",
        ),
    )


def caution(results: Results, setting: Setting) -> tuple[str, ...]:
    """Return what a reader must bear in mind with every number."""
    say = setting.say
    sentences = []
    if setting.study.study.synthetic:
        sentences.append(say("The data are simulated. Nothing here says anything about real institutions or children."))
    explored = sum(result.role == "exploratory" for result in results.outcomes)
    if 0 < explored < len(results.outcomes):
        sentences.append(
            say.plural(
                "One exploratory outcome is in the table of results only.",
                "{n} exploratory outcomes are in the table of results only.",
                explored,
                n=setting.show.integer(explored),
            )
        )
    if any(result.role != "primary" for result in results.outcomes):
        sentences.append(
            say(
                "Conclusions rest on the primary outcomes. The others add detail and ideas; the more outcomes one looks at, the "
                "more chance findings there are.",
            )
        )
    if setting.rated_by_staff:
        same_eyes = say(
            "The children were rated by the institutions' own staff, who can hardly have been unaware of their arm. A difference "
            "can be in the children, in the eyes that rate them, or both.",
        )
        sentences.append(same_eyes)
    return tuple(sentences)
