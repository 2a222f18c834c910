"""Missing outcomes: complete cases, imputation, all waves and tipping point side by side."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.analysis.declared_results import Estimated, MissingOutcomeResult, TippingPoint
from asp_eval.analysis.results import OutcomeResult, Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Block, Column, Figure, Row, Table, cell, group_row, paragraphs
from asp_eval.reporting.figures.drawing import drawn
from asp_eval.reporting.figures.tipping import tipping_figure
from asp_eval.reporting.numbers import digits_for
from asp_eval.reporting.sections.outcomes import primary_outcomes
from asp_eval.reporting.setting import Setting
from asp_eval.trial.study.design import Study


def missing_outcomes(results: Results, setting: Setting) -> tuple[Block, ...]:
    """Return what becomes of the effects when missing outcomes are imputed; nothing where the plan does not ask."""
    asked = [result for result in results.outcomes if result.missing is not None]
    if not asked:
        return ()
    say = setting.say
    about = say(
        "Missing outcomes were imputed as well, and the planned model was fitted to every completed data set. Imputation takes"
        " children without the outcome to resemble, given what is known of them, those who have it; the tipping point says how"
        " far from that they would have to be before the conclusion changes.",
    )
    sentences = [sentence for result in asked for sentence in _sentences(result, setting)]
    figures = tuple(figure for result in primary_outcomes(tuple(asked)) for figure in _figures(result, setting))
    return (paragraphs(about, *sentences, introduces=True), _table(results, asked, setting), *figures)


def _sentences(result: OutcomeResult, setting: Setting) -> Iterator[str]:
    """Yield one sentence for every tipping point."""
    missing = result.missing
    for position, point in enumerate(missing.tipping if missing else ()):
        name = setting.effect_label(result, position, with_wave=True)
        yield _tipping_words(point, name, result.better, setting, odds=has_odds_ratios(result))


def _tipping_words(point: TippingPoint, name: str, better: str, setting: Setting, *, odds: bool) -> str:
    """Say where the conclusion tips: where the interval of a difference meets zero, or that of an odds ratio one."""
    say, show, group = setting.say, setting.show, setting.group(setting.arm(point.arm))
    none = say("one") if odds else say("zero")
    if isinstance(point.delta, Unavailable):
        if point.excludes_zero:
            return say(
                "{outcome}: no score that children not seen in {group} could have had would make the interval include {none}.",
                outcome=name,
                group=group,
                none=none,
            )
        return say(
            "{outcome}: no score that children not seen in {group} could have had would make the interval exclude {none}.",
            outcome=name,
            group=group,
            none=none,
        )
    worse = (point.delta > 0) == (better == "lower")
    points = show.decimal(abs(point.delta), 1)
    if point.excludes_zero and worse:
        said = say(
            "{outcome}: children not seen in {group} would have to score {points} points worse than imputed before the interval"
            " includes {none}.",
            outcome=name,
            group=group,
            points=points,
            none=none,
        )
    elif point.excludes_zero:
        said = say(
            "{outcome}: children not seen in {group} would have to score {points} points better than imputed before the interval"
            " includes {none}.",
            outcome=name,
            group=group,
            points=points,
            none=none,
        )
    elif worse:
        said = say(
            "{outcome}: the interval includes {none}; it would exclude it if children not seen in {group} scored {points} points"
            " worse than imputed.",
            outcome=name,
            group=group,
            points=points,
            none=none,
        )
    else:
        said = say(
            "{outcome}: the interval includes {none}; it would exclude it if children not seen in {group} scored {points} points"
            " better than imputed.",
            outcome=name,
            group=group,
            points=points,
            none=none,
        )
    if not point.outside:
        return said
    outside = say("Their mean would then lie outside the range of the scores.")
    return f"{said} {outside}"


def _table(results: Results, asked: list[OutcomeResult], setting: Setting) -> Table:
    """Return the same effect from complete cases, imputation and all waves."""
    say, level = setting.say, setting.level
    columns = (
        Column(say("Analysis"), numeric=False),
        Column(say("Children")),
        Column(say("Effect ({level} interval)", level=level)),
        Column(say("df")),
        Column(say("p-value")),
        Column(say("Missing information")),
    )
    rows: list[Row] = []
    for result in asked:
        for position, arm in enumerate(setting.study.arms[1:]):
            heading = setting.effect_label(result, position, with_wave=True)
            if has_odds_ratios(result):
                heading = say("{outcome}: odds ratio of the model", outcome=heading)
            rows.append(group_row(heading, len(columns)))
            rows += _rows(results, result, arm, setting)
    return Table(
        "missing-outcomes", say("Missing outcomes: the same effect by other routes"), columns, tuple(rows), _notes(asked, setting)
    )


def _rows(results: Results, result: OutcomeResult, arm: str, setting: Setting) -> Iterator[Row]:
    """Yield the rows of one arm of one outcome."""
    say, show, missing = setting.say, setting.show, result.missing
    names = {
        "complete-cases": say("complete cases, as planned"),
        "imputation": say("imputed, missing at random"),
        "jump": say("imputed, jump to reference"),
        "copy": say("imputed, copy reference"),
    }
    own = next((effect.difference for effect in result.effects if effect.arm == arm), None)
    if own is not None and not has_odds_ratios(result):
        yield _row(say("complete cases, as planned"), show.integer(result.n_children), own, "", setting)
    children = show.integer(sum(part.children for part in missing.arms)) if missing else ""
    for effect in missing.effects if missing else ():
        if effect.arm == arm:
            yield _row(
                names[effect.analysis],
                show.integer(result.n_children) if effect.analysis == "complete-cases" else children,
                effect.result,
                show.percent(effect.fmi) if effect.fmi is not None else "",
                setting,
            )
    if missing and not missing.effects:
        reason = "; ".join(say.note(note) for note in missing.notes)
        yield Row((cell(say("imputed")), cell(say("not available: {reason}", reason=reason), wide=5)))
    for one in results.waves:
        if _score(results.study, one.outcome) == _score(results.study, result.outcome):
            for part in one.effects:
                if part.arm == arm and part.wave == result.wave and not part.since:
                    yield _row(say("all waves in one model"), show.integer(one.n_children), part.difference, "", setting)


def has_odds_ratios(result: OutcomeResult) -> bool:
    """Whether the effects of an outcome beside its missing values are odds ratios."""
    return any(effect.measure == "odds-ratio" for effect in (result.missing.effects if result.missing else ()))


def _score(study: Study, outcome: str) -> tuple[str | None, str | None]:
    """Return which score an outcome is made of; several outcomes may be of one score, and have one title."""
    declared = study.outcome(outcome)
    return declared.score, declared.column


def _row(name: str, children: str, found: Estimated, information: str, setting: Setting) -> Row:
    show = setting.show
    if isinstance(found, Unavailable):
        return Row((cell(name), cell(children), cell(show.reason(found), wide=4)))
    digits = digits_for(found.std_error)
    interval = (
        show.interval(found.conf_low, found.conf_high, digits) if found.conf_low is not None else setting.say.note(found.note)
    )
    return Row(
        (
            cell(name),
            cell(children),
            cell(show.decimal(found.estimate, digits), interval),
            cell(show.degrees_of_freedom(found.df)),
            cell(show.p_value(found.p_value)),
            cell(information),
        )
    )


def _notes(asked: list[OutcomeResult], setting: Setting) -> tuple[str, ...]:
    """Return how it was imputed, and what is to be known of it."""
    say, show = setting.say, setting.show
    found: list[str] = []
    for result in asked:
        missing = result.missing
        if missing is None or not missing.imputations:
            continue
        found.append(_how(result, missing, setting))
        found += [say.note(note) for note in missing.notes]
    found.append(
        say(
            "Pooled by Rubin's rules; degrees of freedom by Barnard and Rubin, those of complete data being the mean of the fits'"
            " own. The prior of the institutions' covariance is half-t for standard deviations and uniform for correlations.",
        )
    )
    if any(effect.analysis in ("jump", "copy") for result in asked if result.missing for effect in result.missing.effects):
        found.append(
            say(
                "Reference-based: children who dropped out of the compared arm go on with the mean of {group}; the standard error"
                " is that of information-anchored sensitivity analysis.",
                group=setting.group(setting.arm(setting.study.arms[0])),
            )
        )
    errors = [effect.mc_error for result in asked if result.missing for effect in result.missing.effects if effect.mc_error]
    if errors:
        found.append(
            say("With other random numbers an imputed effect would move by about {error}.", error=show.decimal(max(errors), 3))
        )
    return tuple(dict.fromkeys(found))


def _how(result: OutcomeResult, missing: MissingOutcomeResult, setting: Setting) -> str:
    """Say how much was imputed, and how the chains went."""
    say, show = setting.say, setting.show
    counts = "; ".join(
        say(
            "{arm}: {imputed} of {children} children",
            arm=setting.arm_heading(part.arm),
            imputed=show.integer(part.imputed),
            children=show.integer(part.children),
        )
        for part in missing.arms
    )
    return say(
        "{outcome}: imputed {n} times; {counts}. {chains} chains, largest R-hat {rhat}, at least {effective} effective draws.",
        outcome=setting.outcome(result),
        n=show.integer(missing.imputations),
        counts=counts,
        chains=show.integer(missing.chains),
        rhat=show.decimal(missing.rhat, 2),
        effective=show.integer(int(missing.effective_draws or 0)),
    )


def _figures(result: OutcomeResult, setting: Setting) -> Iterator[Figure]:
    """Yield the tipping curve of every arm."""
    say, missing = setting.say, result.missing
    for position, point in enumerate(missing.tipping if missing else ()):
        name = setting.effect_label(result, position, with_wave=True)
        tips_at = None if isinstance(point.delta, Unavailable) else point.delta
        yield drawn(
            tipping_figure(
                point.curve,
                tips_at,
                setting.show,
                key=f"tipping--{result.outcome}-{point.arm}",
                title=say("{outcome}: how far the conclusion bends", outcome=name),
                description=_tipping_words(point, name, result.better, setting, odds=has_odds_ratios(result)),
                odds=has_odds_ratios(result),
            )
        )
