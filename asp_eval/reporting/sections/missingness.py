"""Who is missing: by rater, and what at the start predicts it."""

from __future__ import annotations

from asp_eval.analysis.integrity import MissingnessModel, RaterMissingness
from asp_eval.analysis.results import Results
from asp_eval.reporting.blocks import Cell, Column, Row, Table, cell, group_row
from asp_eval.reporting.language import as_sentence
from asp_eval.reporting.numbers import Shown
from asp_eval.reporting.setting import Setting
from asp_eval.stats.estimate import Estimate


def rater_table(results: Results, setting: Setting) -> Table | None:
    """Return how unevenly the missing children fall on those who rated them at the start; None where no rater is known."""
    found = results.integrity
    if found is None or not found.raters:
        return None
    say = setting.say
    columns = (
        Column("", numeric=False),
        Column(say("Raters")),
        Column(say("Their children")),
        Column(say("Not screened")),
        Column(say("Share, middle rater")),
        Column(say("Share, lowest to highest")),
    )
    rows: list[Row] = []
    for wave in dict.fromkeys(one.wave for one in found.raters):
        rows.append(group_row(setting.heading(setting.wave(wave)), len(columns)))
        rows += [_rater_row(one, setting) for one in found.raters if one.wave == wave]
    note = say(
        "Children of the cohort by who rated them at the start; only raters of at least {n} of them.",
        n=setting.show.integer(setting.study.privacy.minimum_cell),
    )
    return Table("raters", say("Who was missing, by rater at the start"), columns, tuple(rows), (note,))


def _rater_row(one: RaterMissingness, setting: Setting) -> Row:
    show = setting.show
    shares = [] if one.lowest is None or one.median is None or one.highest is None else [one.median, one.lowest, one.highest]
    middle, low, high = [show.percent(share) for share in shares] or [Shown("")] * 3
    spread = show.say("{low} to {high}", low=low, high=high) if shares else ""
    return Row(
        (
            cell(setting.arm_heading(one.arm)),
            cell(show.integer(one.raters)),
            cell(show.integer(one.children)),
            cell(show.integer(one.missing)),
            cell(middle),
            cell(spread),
        )
    )


def predictor_tables(results: Results, setting: Setting) -> tuple[Table, ...]:
    """Return, for each outcome looked at, what at the start predicts that a child is without it."""
    found = results.integrity
    if found is None:
        return ()
    names = {result.outcome: setting.outcome_at(result) for result in results.outcomes}
    known = [one for one in found.predictors if one.outcome in names]
    return tuple(_predictors(one, i, names[one.outcome], setting) for i, one in enumerate(known, start=1))


def _predictors(model: MissingnessModel, position: int, outcome: str, setting: Setting) -> Table:
    say = setting.say
    columns = (Column(say("At the start"), numeric=False), *(Column(setting.arm_heading(a)) for a in setting.study.arms))
    rows = [_counts(model, setting)]
    terms = dict.fromkeys(e.term for arm in model.predictors for e in arm)
    for term in terms:
        found = [next((e for e in arm if e.term == term), None) for arm in model.predictors]
        rows.append(Row((cell(setting.term(term)), *(_effect(e, setting) for e in found))))
    caption = say("What predicts that a child is without the outcome: {outcome}", outcome=outcome)
    return Table(f"predictors-{position}", caption, columns, tuple(rows), tuple(_notes(model, setting)))


def _counts(model: MissingnessModel, setting: Setting) -> Row:
    say, show = setting.say, setting.show
    cells = [
        cell(
            show.say("{n} of {total}", n=show.integer(gone), total=show.integer(all_)),
            show.bracketed(show.percent(gone / all_, 1)) if all_ else "",
        )
        for gone, all_ in zip(model.missing, model.children, strict=True)
    ]
    return Row((cell(say("Children without the outcome")), *cells))


def _effect(e: Estimate | None, setting: Setting) -> Cell:
    show = setting.show
    if e is None or e.estimate is None:
        return cell(show.decimal(None))
    interval = _points(e, setting)
    points = show.say("{n} percentage points", n=show.decimal(100 * e.estimate, 1))
    return cell(points, show.bracketed(interval), "" if e.p_value is None else show.p_equation(e.p_value))


def _points(e: Estimate, setting: Setting) -> Shown:
    """Return the interval of a share in percentage points."""
    low, high = (None if bound is None else 100 * bound for bound in (e.conf_low, e.conf_high))
    return setting.show.interval(low, high, 1)


def _notes(model: MissingnessModel, setting: Setting) -> list[str]:
    say, show = setting.say, setting.show
    notes = [
        say(
            "Percentage points more without the outcome for one year, one point or the category named, the other lines held "
            "fixed: a linear model of being without it, in each arm by itself, with cluster-robust standard errors (CR2).",
        )
    ]
    for arm, e in zip(setting.compared, model.difference, strict=True):
        if e.estimate is not None and e.p_value is not None:
            interval = _points(e, setting)
            notes.append(
                say(
                    "Without the outcome, {arm} less {reference}: {n} percentage points ({interval}; {p}).",
                    arm=arm,
                    reference=setting.reference,
                    n=show.decimal(100 * e.estimate, 1),
                    interval=interval,
                    p=show.p_equation(e.p_value),
                )
            )
    if model.interactions.p_value is not None:
        notes.append(
            say("Test that the same things predict it in every arm: {p}.", p=show.p_equation(model.interactions.p_value))
        )
    reasons = dict.fromkeys(e.note for arm in model.predictors for e in arm if e.estimate is None)
    return notes + [as_sentence(say.note(reason)) for reason in reasons]
