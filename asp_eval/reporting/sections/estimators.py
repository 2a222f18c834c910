"""One effect by several estimators: a table that names the effect each is about, and what like says of like."""

from __future__ import annotations

from itertools import groupby

from asp_eval.analysis.declared_results import EstimatorRow
from asp_eval.analysis.results import OutcomeResult
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Block, Column, Row, Table, cell, group_row, paragraphs
from asp_eval.reporting.numbers import digits_for
from asp_eval.reporting.sections.outcomes import by_role, primary_outcomes
from asp_eval.reporting.sections.shares import POINTS, SHARES, points_factor
from asp_eval.reporting.setting import Setting


def estimators(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> tuple[Block, ...]:
    """Return the primary outcomes' effects by every estimator, in a table and in words; nothing where the plan asks for none."""
    primary = primary_outcomes(outcomes)
    table = estimators_table("estimators-compared", setting.say("The same effect by several estimators"), primary, setting)
    if table is None:
        return ()
    return (paragraphs(*(_compared(result, arm, setting) for result in primary for arm in _arms(result)), introduces=True), table)


def other_estimators_table(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> Table | None:
    """Return the same of the outcomes that are not primary, for the appendix."""
    primary = [result.outcome for result in primary_outcomes(outcomes)]
    others = tuple(result for result in by_role(outcomes) if result.outcome not in primary)
    caption = setting.say("The same effect by several estimators: the other outcomes")
    return estimators_table("estimators-compared-others", caption, others, setting)


def estimators_table(key: str, caption: str, outcomes: tuple[OutcomeResult, ...], setting: Setting) -> Table | None:
    """Return the effects of some outcomes by every estimator; None where there are none."""
    say, level = setting.say, setting.level
    columns = (
        Column(say("Estimator"), numeric=False),
        Column(say("The effect it is about"), numeric=False),
        Column(say("Difference ({level} interval)", level=level)),
        Column(say("df")),
        Column(say("p-value")),
    )
    rows: list[Row] = []
    for result in outcomes:
        for arm, members in groupby(result.estimators, key=lambda row: row.arm):
            heading = setting.effect_label(result, _position(result, arm), with_wave=True)
            rows.append(group_row(heading, len(columns)))
            rows += [_row(row, result, setting) for row in members]
    if not rows:
        return None
    return Table(key, caption, columns, tuple(rows), _notes(outcomes, setting))


def _row(row: EstimatorRow, result: OutcomeResult, setting: Setting) -> Row:
    show = setting.show
    head = (cell(setting.heading(_name(row, setting))), cell(setting.heading(_average(row, setting))))
    found = row.result
    if isinstance(found, Unavailable):
        return Row((*head, cell(show.reason(found), wide=3)))
    factor = points_factor(result)
    digits = 1 if factor == POINTS else digits_for(found.std_error)
    ends = [None if end is None else factor * end for end in (found.conf_low, found.conf_high)]
    interval = setting.say.note(found.note) if ends[0] is None else show.interval(ends[0], ends[1], digits)
    value = None if found.estimate is None else factor * found.estimate
    return Row(
        (
            *head,
            cell(show.decimal(value, digits), interval),
            cell(show.degrees_of_freedom(found.df)),
            cell(show.p_value(found.p_value)),
        )
    )


def _name(row: EstimatorRow, setting: Setting) -> str:
    say = setting.say
    names = {
        "planned": say("the planned model"),
        "mixed-kr": say("mixed model, Kenward-Roger"),
        "mixed-cr2": say("mixed model, cluster-robust CR2"),
        "least-squares": say("least squares, cluster-robust CR2"),
        "wild-bootstrap": say("least squares, wild cluster bootstrap"),
        "gee": say("estimating equations, Mancl-DeRouen"),
        "cluster-means": say("means of institutions, CR2"),
        "permutation": say("permutation of the study's own lot"),
    }
    return names[row.estimator]


def _average(row: EstimatorRow, setting: Setting) -> str:
    say = setting.say
    return {
        "participant": say("children counting equally"),
        "institution": say("institutions counting equally"),
        "precision": say("institutions weighted by precision"),
        "constant": say("one effect, the same for everybody"),
    }[row.average]


def _compared(result: OutcomeResult, arm: str, setting: Setting) -> str:
    """Say how far apart the estimates of one kind are, and those of different kinds."""
    say, show, factor = setting.say, setting.show, points_factor(result)
    found: dict[str, list[float]] = {}
    for row in result.estimators:
        if row.arm == arm and not isinstance(row.result, Unavailable) and row.result.estimate is not None:
            found.setdefault(row.average, []).append(factor * row.result.estimate)
    name, digits = setting.effect_label(result, _position(result, arm)), 1 if factor == POINTS else 3
    precise, children, institutions = (found.get(key, []) for key in ("precision", "participant", "institution"))
    sentences = []
    if len(precise) > 1:
        apart = show.decimal(max(precise) - min(precise), digits)
        sentences.append(
            say(
                "{outcome}: the estimators that weigh institutions by precision lie within {width} of each other.",
                outcome=setting.heading(name),
                width=say("{n} percentage points", n=apart) if factor == POINTS else apart,
            )
        )
    if children and institutions and precise:
        sentences.append(
            say(
                "With children counting equally the difference is {children}, with institutions counting equally"
                " {institutions}, weighted by precision {precise}.",
                children=show.decimal(children[0], digits),
                institutions=show.decimal(institutions[0], digits),
                precise=show.decimal(precise[0], digits),
            )
        )
    sentences.append(
        say(
            "Rows about the same effect may differ by their method alone; rows about different effects may also part because"
            " the effect goes with the number of children of an institution, and need not agree.",
        )
    )
    return " ".join(sentences)


def _notes(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> tuple[str, ...]:
    say = setting.say
    notes = [
        say(
            "Estimating equations use an exchangeable correlation within institutions. The wild bootstrap imposes the hypothesis"
            " it tests and uses Webb's six weights.",
        ),
        say(
            "Means of institutions: least squares on one row per institution, by CR2, which lets the arms' means be unequally"
            " precise.",
        ),
        say(
            "The permutation test is exact where the intervention changes nobody's score; its interval holds if it changes"
            " everybody's by the same amount.",
        ),
    ]
    if any(result.scale in SHARES for result in outcomes):
        notes.append(say("Differences of shares are in percentage points."))
    return tuple(notes)


def _arms(result: OutcomeResult) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.arm for row in result.estimators))


def _position(result: OutcomeResult, arm: str) -> int:
    return [effect.arm for effect in result.effects].index(arm)
