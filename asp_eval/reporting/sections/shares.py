"""Outcomes that are no measures: shares of yes-or-no and banded outcomes, means of counts, and what the arms differ by."""

from __future__ import annotations

from dataclasses import replace

from asp_eval.analysis.rare_outcomes import FEW_OF_OUTCOME, IN_WHOLE_PERCENT
from asp_eval.analysis.results import Estimated, OutcomeResult, ProportionalOdds, Share, planned_summary
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Cell, Column, Row, Table, cell
from asp_eval.reporting.figures.forest import ForestEntry, ForestFigure, forest
from asp_eval.reporting.numbers import digits_for
from asp_eval.reporting.sections.outcomes import by_role, marked_label
from asp_eval.reporting.setting import Setting
from asp_eval.stats.estimate import Estimate

SHARES, COUNTS = ("binary", "ordinal"), ("count",)
POINTS = 100.0
"""Percentage points of a share."""


def in_points(result: OutcomeResult) -> bool:
    """Whether the effects of an outcome are differences of shares, which are shown in percentage points."""
    return result.scale in SHARES and result.summary == "difference"


def points_factor(result: OutcomeResult) -> float:
    """Return what a difference of an outcome is multiplied by before it is shown: 100 for percentage points of a share."""
    return POINTS if result.scale in SHARES else 1.0


def shares_table(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> Table | None:
    """Return the table of shares, None if no outcome has any."""
    own = tuple(result for result in by_role(outcomes) if result.scale in SHARES)
    if not own:
        return None
    say, level = setting.say, setting.level
    columns = (
        Column(say("Outcome"), numeric=False),
        Column(say("Children (institutions)")),
        *(Column(say("{arm}: share (children)", arm=setting.arm_heading(arm))) for arm in setting.study.arms),
        Column(say("Difference in percentage points ({level} interval)", level=level)),
        Column(say("p-value")),
        Column(say("Risk ratio ({level} interval)", level=level)),
        Column(say("Odds ratio ({level} interval)", level=level)),
    )
    rows = tuple(row for result in own for i in range(len(result.effects)) for row in _share_rows(result, i, setting))
    return Table("shares", say("The effect on shares of children"), columns, rows, _notes(own, setting))


def counts_table(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> Table | None:
    """Return the table of counts, None if no outcome is one."""
    own = tuple(result for result in by_role(outcomes) if result.scale in COUNTS)
    if not own:
        return None
    say, level = setting.say, setting.level
    columns = (
        Column(say("Outcome"), numeric=False),
        Column(say("Children (institutions)")),
        *(Column(say("{arm}: mean per child", arm=setting.arm_heading(arm))) for arm in setting.study.arms),
        Column(say("Difference ({level} interval)", level=level)),
        Column(say("p-value")),
        Column(say("Rate ratio ({level} interval)", level=level)),
    )
    rows = []
    for result in own:
        for i, effect in enumerate(result.effects):
            means = tuple(_adjusted(_share(result, arm, ""), setting, 1.0) for arm in setting.study.arms)
            rows.append(
                Row(
                    (
                        _head(result, i, setting),
                        _numbers(result, setting),
                        *means,
                        _difference(effect.difference, setting, 1.0),
                        _p(planned_summary(result, effect), setting),
                        _ratio(effect.ratio, setting),
                    )
                )
            )
    note = say("Means are adjusted: what the model expects if all children analysed had been in that arm.")
    return Table("counts", say("The effect on counts"), columns, tuple(rows), (note, *_other_summaries(own, setting)))


def shares_figure(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> ForestFigure | None:
    """Return the forest plot of differences in shares, None if there are none."""
    pairs = [(r, i) for r in by_role(outcomes) if r.scale in SHARES for i in range(len(r.effects))]
    if not pairs:
        return None
    level = setting.level
    axis_title = setting.say("Difference in percentage points, with {level} interval", level=level)
    title = setting.say("Estimated differences in shares with their intervals")
    entries = [_entry(r, i, setting) for r, i in pairs]
    digits = 0 if any(IN_WHOLE_PERCENT in r.notes for r, _ in pairs) else 1
    return forest(
        entries, setting.show, arms=setting.favoured, axis_title=axis_title, title=title, key="forest-shares", digits=digits
    )


def share_compared(result: OutcomeResult, arm: str) -> Estimated | None:
    """Return the adjusted share that an outcome's difference compares: of yes, or above the first category; of a count the mean.

    None where the outcome has none.
    """
    mine = next((share.adjusted for share in result.shares if share.arm == arm), None)
    return mine if mine is None or result.scale != "ordinal" else _of_the_rest(mine)


def _of_the_rest(share: Estimated) -> Estimated:
    """Return the share of all other children."""
    if isinstance(share, Unavailable):
        return share
    value, low, high = (None if each is None else 1.0 - each for each in (share.estimate, share.conf_high, share.conf_low))
    return replace(share, estimate=value, conf_low=low, conf_high=high)


def headline(result: OutcomeResult, arm: str) -> float | None:
    """Return the adjusted share that is compared as a number; None where it cannot be had."""
    found = share_compared(result, arm)
    return None if found is None or isinstance(found, Unavailable) else found.estimate


def adjusted_share(result: OutcomeResult, arm: str, category: str) -> float | None:
    """Return the adjusted share of a category in an arm, None if it cannot be had."""
    found = _share(result, arm, category)
    return None if found is None or isinstance(found.adjusted, Unavailable) else found.adjusted.estimate


def first_category(result: OutcomeResult, setting: Setting) -> str:
    """Return the name of an ordinal outcome's first category."""
    return category_name(result, result.shares[0].category, setting) if result.shares else ""


def category_name(result: OutcomeResult, key: str, setting: Setting) -> str:
    """Return what a category is called: a band as its questionnaire names it, else the key."""
    return setting.say.label(result.bands.get(key, {}), setting.say.name(key))


def _share_rows(result: OutcomeResult, i: int, setting: Setting) -> list[Row]:
    """Return the row of an outcome, and of an ordinal one a row for each of its categories.

    The categories come first where the arms do not move the odds alike at every boundary.
    """
    effect, arms = result.effects[i], setting.study.arms
    head = [_head(result, i, setting), _numbers(result, setting)]
    if isinstance(effect.difference, Unavailable):
        return [Row((*head, cell(setting.show.reason(effect.difference), wide=len(arms) + 4)))]
    shown = tuple(_headline_cell(result, arm, setting) for arm in arms)
    own = Row(
        (
            *head,
            *shown,
            _difference(effect.difference, setting, POINTS),
            _p(planned_summary(result, effect), setting),
            _ratio(effect.ratio, setting),
            _ratio(effect.odds_ratio, setting),
        )
    )
    test = result.proportional_odds
    leads = isinstance(test, ProportionalOdds) and test.rejected
    named = setting.effect_label(result, i) if leads else ""
    rows: list[Row] = []
    for k, change in enumerate(effect.changes):
        name = result.shares[k].category if k < len(result.shares) else ""
        parts = tuple(_adjusted(_share(result, arm, name), setting, POINTS) for arm in arms)
        nothing = cell("")
        rows.append(
            Row(
                (
                    cell(named, category_name(result, name, setting)),
                    nothing,
                    *parts,
                    _difference(change, setting, POINTS),
                    nothing,
                    nothing,
                    nothing,
                )
            )
        )
    return [*rows, own] if leads else [own, *rows]


def _headline_cell(result: OutcomeResult, arm: str, setting: Setting) -> Cell:
    """Return the adjusted share that is compared, and how many children were counted in it."""
    show, value = setting.show, headline(result, arm)
    mine = [s for s in result.shares if s.arm == arm]
    if value is None:
        return cell(show.decimal(None))
    if mine[0].count is None:
        return cell(show.percent(value))
    counted = mine[0].count if result.scale != "ordinal" else mine[0].n - mine[0].count
    return cell(show.percent(value, 1), show.bracketed(show.integer(counted)))


def _adjusted(share: Share | None, setting: Setting, factor: float) -> Cell:
    """Return an adjusted share in percent with its count, or a mean."""
    show = setting.show
    if share is None or isinstance(share.adjusted, Unavailable) or share.adjusted.estimate is None:
        return cell(show.decimal(None))
    if factor == 1.0:
        return cell(show.decimal(share.adjusted.estimate))
    if share.count is None:
        return cell(show.percent(share.adjusted.estimate))
    return cell(show.percent(share.adjusted.estimate, 1), show.bracketed(show.integer(share.count)))


def _difference(effect: Estimated, setting: Setting, factor: float) -> Cell:
    """Return a difference and its interval, in percentage points or as they are."""
    show = setting.show
    if isinstance(effect, Unavailable) or effect.estimate is None:
        return cell(show.reason(effect) if isinstance(effect, Unavailable) else setting.say.note(effect.note))
    digits = points_digits(effect) if factor == POINTS else digits_for(effect.std_error)
    if effect.conf_low is None or effect.conf_high is None:
        return cell(show.decimal(factor * effect.estimate, digits), setting.say.note(effect.note))
    interval = show.interval(factor * effect.conf_low, factor * effect.conf_high, digits)
    return cell(show.decimal(factor * effect.estimate, digits), interval)


def points_digits(effect: Estimate) -> int:
    """Return the decimals of a difference in percentage points."""
    return 0 if effect.note == IN_WHOLE_PERCENT else 1


def _ratio(ratio: Estimated | None, setting: Setting) -> Cell:
    """Return a ratio and its interval."""
    show = setting.show
    if ratio is None or isinstance(ratio, Unavailable) or ratio.estimate is None:
        return cell(show.decimal(None))
    return cell(show.decimal(ratio.estimate), show.interval(ratio.conf_low, ratio.conf_high))


def _p(effect: Estimated, setting: Setting) -> Cell:
    return cell(setting.show.p_value(None if isinstance(effect, Unavailable) else effect.p_value))


def _head(result: OutcomeResult, i: int, setting: Setting) -> Cell:
    say, wave = setting.say, setting.wave(result.wave)
    where = say("{wave}; lower is better", wave=wave) if result.better == "lower" else say("{wave}; higher is better", wave=wave)
    name = setting.effect_label(result, i)
    if result.scale != "ordinal" or not result.shares:
        return cell(name, where)
    return cell(name, say("share beyond: {category}", category=first_category(result, setting)), where)


def _numbers(result: OutcomeResult, setting: Setting) -> Cell:
    return cell(setting.show.integer(result.n_children), setting.show.bracketed(setting.show.integer(result.n_institutions)))


def _share(result: OutcomeResult, arm: str, category: str) -> Share | None:
    return next((s for s in result.shares if s.arm == arm and s.category == category), None)


def _entry(result: OutcomeResult, i: int, setting: Setting) -> ForestEntry:
    effect, label = result.effects[i].difference, marked_label(result, i, setting)
    if isinstance(effect, Unavailable) or effect.estimate is None:
        reason = effect.reason if isinstance(effect, Unavailable) else effect.note
        return ForestEntry(label, result.better, None, None, None, setting.say.note(reason))
    low, high = (None if b is None else POINTS * b for b in (effect.conf_low, effect.conf_high))
    return ForestEntry(label, result.better, POINTS * effect.estimate, low, high)


def _notes(own: tuple[OutcomeResult, ...], setting: Setting) -> tuple[str, ...]:
    say = setting.say
    notes = [
        say(
            "Shares are adjusted: what the model expects if all children analysed had been in that arm, averaged over children "
            "and institutions; in brackets the children observed."
        ),
        say("Ratios compare the adjusted shares; an odds ratio of a banded outcome is the model's: the odds of a later band."),
    ]
    if any(result.scale == "ordinal" for result in own):
        notes.append(say("A banded outcome is compared by the share beyond its first band; every band's share stands with it."))
    notes += [
        say("{outcome}: {reason}.", outcome=setting.outcome_at(r), reason=say.note(note))
        for r in own
        for note in r.notes
        if note in (FEW_OF_OUTCOME, IN_WHOLE_PERCENT)
    ]
    notes += _other_summaries(own, setting)
    return (*notes, *(note for result in own for note in _proportional_odds(result, setting)))


def summary_words(setting: Setting) -> dict[str, str]:
    """Return what planned summaries besides the difference are called."""
    return {"ratio": setting.say("the ratio"), "odds-ratio": setting.say("the odds ratio")}


def _other_summaries(own: tuple[OutcomeResult, ...], setting: Setting) -> list[str]:
    """Say of which outcomes the p-value is not that of the difference."""
    say, kinds = setting.say, summary_words(setting)
    return [
        say(
            "{outcome}: the plan compares the arms by {what}, whose p-value this is.",
            outcome=setting.outcome_at(r),
            what=kinds[r.summary],
        )
        for r in own
        if r.summary in kinds
    ]


def _proportional_odds(result: OutcomeResult, setting: Setting) -> tuple[str, ...]:
    """Say whether the arms move the odds alike at every boundary between two bands."""
    say, show, test = setting.say, setting.show, result.proportional_odds
    if test is None:
        return ()
    outcome = setting.outcome_at(result)
    if isinstance(test, Unavailable):
        return (
            say(
                "{outcome}: whether one odds ratio holds for all bands was not tested: {reason}.",
                outcome=outcome,
                reason=say.note(test.reason),
            ),
        )
    fields = {
        "outcome": outcome,
        "statistic": show.decimal(test.statistic),
        "df": show.degrees_of_freedom(test.df),
        "p": show.p_equation(test.p_value),
    }
    if not test.rejected:
        return (
            say(
                "{outcome}: the test that one odds ratio holds for all bands (proportional odds; chi-square {statistic} on "
                "{df} degrees of freedom, {p}) does not speak against it.",
                **fields,
            ),
        )
    if test.band_by_band:
        return (
            say(
                "{outcome}: that one odds ratio holds for all bands (proportional odds) is rejected (chi-square {statistic} "
                "on {df} degrees of freedom, {p}). The shares and their differences are therefore by a logistic mixed model "
                "of each band by itself; the odds ratio is an average that no band needs to have.",
                **fields,
            ),
        )
    return (
        say(
            "{outcome}: that one odds ratio holds for all bands (proportional odds) is rejected (chi-square {statistic} "
            "on {df} degrees of freedom, {p}), and a band holds too few children for a model of its own: the adjusted shares "
            "lean on an assumption that does not hold, so rely on the children counted.",
            **fields,
        ),
    )
