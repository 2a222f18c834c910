"""Who took part: the flow of institutions and children as a diagram and as tables."""

from __future__ import annotations

from collections.abc import Callable

from asp_eval.analysis.results import OutcomeResult, Results
from asp_eval.reporting.blocks import Column, Row, Section, Table, cell, group_row
from asp_eval.reporting.figures.drawing import drawn
from asp_eval.reporting.figures.flow import FlowBox, FlowFigure, flow_figure
from asp_eval.reporting.numbers import Shown, joined
from asp_eval.reporting.sections.attrition import attrition_table
from asp_eval.reporting.sections.outcomes import by_role, primary_outcomes
from asp_eval.reporting.sections.pictures import missing_figure
from asp_eval.reporting.setting import Setting
from asp_eval.trial.flow.counts import AnalysedFlow, ArmFlow, FlowCounts, NotScreened, WaveFlow
from asp_eval.trial.randomisation.closed import LeftOut
from asp_eval.trial.study.collection import ReceivedRule


def flow(results: Results, setting: Setting) -> Section:
    """Return who took part, from the list of institutions to the children analysed."""
    ordered, counts = by_role(results.outcomes), results.flow
    lost = attrition_table(results, setting)
    return Section(
        "flow",
        setting.say("Who took part"),
        (
            drawn(flow_diagram(counts, ordered, setting)),
            flow_table(counts, setting),
            analysed_table(ordered, counts, setting),
            *((lost,) if lost else ()),
            *missing_figure(results, setting),
        ),
    )


def flow_table(flow: FlowCounts, setting: Setting) -> Table:
    """Return the flow per arm and wave as a table."""
    say = setting.say
    rows = [
        _group(say("At the draw"), flow),
        _row(say("Institutions drawn"), flow, setting, lambda arm: arm.institutions),
        *_received_rows(flow, setting),
        _row(say("Children listed"), flow, setting, lambda arm: arm.listed),
        _row(say("– not eligible"), flow, setting, lambda arm: arm.not_eligible),
        _row(say("– joined after the first round"), flow, setting, lambda arm: arm.joined_later),
        _row(say("Children in the cohort"), flow, setting, lambda arm: arm.cohort),
    ]
    for i, wave in enumerate(flow.arms[0].waves):
        rows += _wave_rows(i, setting.wave(wave.wave), flow, setting)
    columns = (Column("", numeric=False), *(Column(setting.arm_heading(arm.arm)) for arm in flow.arms))
    return Table(
        "flow-table",
        say("Institutions and children through the study"),
        columns,
        tuple(rows),
        (
            say("The cohort is the children who belong to the trial; a child who moves counts where it was at the draw."),
            say(
                "Still in the trial: screened at the round, or listed at it, or listed or screened later. Who "
                "was absent once and "
                "came back was in the trial all the time; the others are lost.",
            ),
            received_note(flow, setting),
            _exempt(setting),
            *parts_notes(setting),
        ),
    )


def parts_notes(setting: Setting) -> list[str]:
    """Say, for every wave whose answers came in several files, which of them are in."""
    say, show = setting.say, setting.show
    return [
        say(
            "{wave} came in parts. Those that are in, with their rows: {parts}.",
            wave=setting.wave(wave),
            parts=", ".join(f"{part} ({show.integer(n)})" for part, n in sorted(parts.items())),
        )
        for wave, parts in setting.results.provenance.parts.items()
    ]


def received_note(flow: FlowCounts, setting: Setting) -> str:
    """Say by which rule an institution received the intervention, or why nobody can tell."""
    say, declared = setting.say, setting.study.received
    if declared is None:
        return say("Who received the intervention is not counted: study.yaml declares no rule for it.")
    rule = {"column": say.name(declared.sum), "least": limits_in_words(declared, setting)}
    if declared.goals is not None:
        return _note_with_goals(declared.goals, rule if declared.limits else {}, flow, setting)
    if any(arm.received is None for arm in flow.arms):
        return say(
            "By the plan an institution received the intervention with {least} of “{column}” in the implementation log; no log "
            "was imported, so nobody can tell.",
            **rule,
        )
    return say(
        "Received the intervention: {least} of “{column}” in the implementation log, without external projects.",
        **rule,
    )


def _note_with_goals(goals: int, rule: dict[str, str], flow: FlowCounts, setting: Setting) -> str:
    """Say the rule where it asks for goals, with the limits of the log or without."""
    say, wanted = setting.say, goals_in_words(goals, setting)
    said = say("Received the intervention: {goals}.", goals=wanted)
    if rule:
        said = say(
            "Received the intervention: {least} of “{column}” in the implementation log, without external projects, and {goals}.",
            goals=wanted,
            **rule,
        )
    if any(arm.received is None for arm in flow.arms):
        return " ".join((said, say("What the rule takes was not all imported, so nobody can tell.")))
    return said


def goals_in_words(least: int, setting: Setting) -> str:
    """Return how many goals the rule takes."""
    if least == 1:
        return setting.say("a goal set from the GAP-profile")
    return setting.say("{n} goals or more set from the GAP-profile", n=setting.show.integer(least))


def limits_in_words(rule: ReceivedRule, setting: Setting) -> str:
    """Return what the rule takes: "20 or more in all; knowledge 10 or more"."""
    say = setting.say

    def number(least: float) -> str:
        return setting.show.decimal(least, 0 if least % 1 == 0 else 1)

    parts = [
        say("{element} {least} or more", element=say.name(name), least=number(least))
        if name
        else say("{least} or more in all", least=number(least))
        for name, least in rule.limits.items()
    ]
    return "; ".join(parts)


def _received_rows(flow: FlowCounts, setting: Setting) -> list[Row]:
    got = {arm.arm: arm.received for arm in flow.arms}
    if any(received is None for received in got.values()):
        return []
    counted = {name: received.institutions for name, received in got.items() if received}
    say = setting.say
    return [
        _row(say("– received the intervention"), flow, setting, lambda arm: counted[arm.arm]),
        _row(say("– did not receive it"), flow, setting, lambda arm: arm.institutions - counted[arm.arm]),
    ]


def _wave_rows(i: int, name: str, flow: FlowCounts, setting: Setting) -> list[Row]:
    say = setting.say

    def row(label: str, number: Callable[[WaveFlow], int], *, always: bool = True) -> list[Row]:
        if not always and not any(number(arm.waves[i]) for arm in flow.arms):
            return []
        return [_row(label, flow, setting, lambda arm: number(arm.waves[i]))]

    def closed_for(why: str) -> Callable[[WaveFlow], int]:
        return lambda wave: dict(wave.closed_why).get(why, 0)

    return [
        _group(setting.heading(name), flow),
        *row(say("Institutions with data"), lambda wave: wave.with_data),
        *row(say("– closed by then"), lambda wave: wave.closed, always=False),
        *(r for why in _closed_why(i, flow) for r in row(f"– – {why}", closed_for(why))),
        *row(say("– without data, not known to have closed"), lambda wave: wave.silent, always=False),
        *row(say("Children of the cohort screened"), lambda wave: wave.screened),
        *row(say("– not screened: institution closed"), lambda wave: wave.not_screened.institution_closed, always=False),
        *row(say("– not screened: institution without data"), lambda wave: wave.not_screened.institution_silent, always=False),
        *row(say("– not screened: listed without answers"), lambda wave: wave.not_screened.unanswered, always=False),
        *row(say("– not screened: not listed"), lambda wave: wave.not_screened.unlisted, always=False),
        *row(say("Children of the cohort still in the trial"), lambda wave: wave.retained),
        *row(say("– lost by then"), lambda wave: wave.lost),
        *row(say("Screened in another institution than at the draw"), lambda wave: wave.moved, always=False),
        *row(say("– of these in another arm"), lambda wave: wave.crossed, always=False),
        *row(say("Children screened who joined later"), lambda wave: wave.joined, always=False),
    ]


def _closed_why(i: int, flow: FlowCounts) -> list[str]:
    """Return the reasons for which institutions of any arm had closed by a wave, in alphabetical order."""
    return sorted({why for arm in flow.arms for why, _ in arm.waves[i].closed_why})


def _group(name: str, flow: FlowCounts) -> Row:
    return group_row(name, 1 + len(flow.arms))


def _row(label: str, flow: FlowCounts, setting: Setting, number: Callable[[ArmFlow], int]) -> Row:
    return Row((cell(label), *(cell(setting.show.integer(number(arm))) for arm in flow.arms)))


def analysed_table(outcomes: tuple[OutcomeResult, ...], flow: FlowCounts, setting: Setting) -> Table:
    """Return, for the primary outcomes and each arm, the way from the cohort to the children analysed."""
    caption = setting.say("From the cohort to the children analysed")
    return _analysed("analysed", caption, primary_outcomes(outcomes), flow, setting)


def analysed_details(outcomes: tuple[OutcomeResult, ...], flow: FlowCounts, setting: Setting) -> Table | None:
    """Return the same for the other outcomes; None if there are none."""
    shown = {result.outcome for result in primary_outcomes(outcomes)}
    others = tuple(result for result in outcomes if result.outcome not in shown)
    caption = setting.say("From the cohort to the children analysed: the other outcomes")
    return _analysed("analysed-others", caption, others, flow, setting) if others else None


def _analysed(key: str, caption: str, outcomes: tuple[OutcomeResult, ...], flow: FlowCounts, setting: Setting) -> Table:
    say = setting.say
    rows: list[Row] = []
    headings = (
        say("Cohort"),
        say("Left out by the set's filter"),
        say("Not screened"),
        say("Too few answers"),
        say("No baseline score"),
        say("No covariate"),
        say("Analysed"),
        say("Institutions"),
    )
    for result in outcomes:
        name = setting.outcome_at(result)
        rows.append(group_row(setting.heading(name), 1 + len(headings)))
        rows += [_analysed_row(part, setting) for part in result.analysed]
    columns = (Column("", numeric=False), *(Column(heading) for heading in headings))
    notes = [
        say("Each child is counted once, under the first reason that applies, from left to right."),
        say("The children and institutions analysed are those the model was fitted on; this was checked."),
        _exempt(setting),
    ]
    if any(_more_than_had_data(part, flow) for result in outcomes for part in result.analysed):
        notes.append(
            say(
                "An arm can have more institutions here than had data at that round: a child counts with its institution at the "
                "draw, and children who moved out of an institution without data were screened elsewhere.",
            )
        )
    return Table(key, caption, columns, tuple(rows), tuple(notes))


def _more_than_had_data(part: AnalysedFlow, flow: FlowCounts) -> bool:
    """Return whether an arm has more institutions analysed than with data at the outcome's wave."""
    waves = (wave for arm in flow.arms if arm.arm == part.arm for wave in arm.waves if wave.wave == part.wave)
    return any(part.institutions_analysed > wave.with_data for wave in waves)


def _exempt(setting: Setting) -> str:
    """Say why small counts are shown here."""
    return setting.say(
        "Small counts are shown here, as CONSORT asks: they say that a child was absent or an answer missing, and nothing of "
        "what anyone answered.",
    )


def _analysed_row(part: AnalysedFlow, setting: Setting) -> Row:
    counts = (
        part.cohort,
        part.filtered_out,
        part.not_screened.total,
        part.unscored,
        part.missing_baseline,
        part.missing_covariate,
        part.analysed,
        part.institutions_analysed,
    )
    return Row((cell(setting.arm_heading(part.arm)), *(cell(setting.show.integer(n)) for n in counts)))


def flow_diagram(flow: FlowCounts, outcomes: tuple[OutcomeResult, ...], setting: Setting) -> FlowFigure:
    """Return the flow diagram; its last boxes are the primary outcomes, or the first outcome if none is primary."""
    say, show = setting.show.say, setting.show
    lines = [say("{institutions} in the list", institutions=show.institutions(flow.institutions))]
    if flow.not_drawn:
        children = show.children(flow.children_not_drawn)
        lines.append(say("{n} of them not drawn, with {children}", n=show.integer(flow.not_drawn), children=children))
        lines += [_left_out(one, setting) for one in flow.left_out]
    last = primary_outcomes(outcomes)
    arms = [_boxes(arm, last, setting) for arm in flow.arms]
    described = "; ".join(f"{box.heading}: {', '.join(box.lines)}" for boxes in arms for box in boxes)
    return flow_figure(
        FlowBox(say("Assessed for the trial"), tuple(lines)),
        arms,
        title=say("Flow of institutions and children"),
        description=described + ".",
    )


def _left_out(one: LeftOut, setting: Setting) -> Shown:
    reason = setting.say.note(one.reason)
    return setting.show.say("Left out: {institution}, {reason}", institution=one.institution, reason=reason)


def _boxes(arm: ArmFlow, outcomes: tuple[OutcomeResult, ...], setting: Setting) -> list[FlowBox]:
    say, show = setting.show.say, setting.show
    drawn = FlowBox(
        say("Drawn: {arm}", arm=setting.arm(arm.arm)),
        (
            say(
                "{institutions}, {children} in the cohort",
                institutions=show.institutions(arm.institutions),
                children=show.children(arm.cohort),
            ),
            say(
                "{children} not eligible, {b} joined later",
                children=show.children(arm.not_eligible),
                b=show.integer(arm.joined_later),
            ),
        ),
    )
    analysed = [
        FlowBox(say("Analysed: {outcome}", outcome=setting.outcome(result)), _analysed_lines(part, setting))
        for result in outcomes
        for part in result.analysed
        if part.arm == arm.arm
    ]
    return [drawn, _received_box(arm, setting), *(_wave_box(wave, setting) for wave in arm.waves), *analysed]


def _received_box(arm: ArmFlow, setting: Setting) -> FlowBox:
    say, show, got = setting.show.say, setting.show, arm.received
    heading = say("Received the intervention")
    if got is None:
        rule = setting.study.received
        if rule is None:
            return FlowBox(heading, (say("No rule was declared"),))
        missing = say("Not known: no implementation log") if rule.goals is None else say("Not known: no log, or no goals")
        return FlowBox(heading, (missing,))
    return FlowBox(
        heading,
        (
            say(
                "{institutions} with {children} did",
                institutions=show.institutions(got.institutions),
                children=show.children(got.children),
            ),
            say(
                "{a} with {children} did not",
                a=show.integer(arm.institutions - got.institutions),
                children=show.children(arm.cohort - got.children),
            ),
        ),
    )


def _wave_box(wave: WaveFlow, setting: Setting) -> FlowBox:
    say, n = setting.show.say, setting.show.integer
    institutions, children = setting.show.institutions(wave.with_data), setting.show.children(wave.screened)
    lines: list[str] = [say("{institutions} with data", institutions=institutions)]
    if wave.without_data:
        lines = [say("{institutions} with data, {b} without", institutions=institutions, b=n(wave.without_data))]
    if wave.closed:
        lines.append(say("(closed: {n})", n=n(wave.closed)))
    lines.append(say("{children} screened, {b} not", children=children, b=n(wave.not_screened.total)))
    lines += _reasons(wave.not_screened, setting)
    lines.append(say("{a} still in the trial, {b} lost", a=n(wave.retained), b=n(wave.lost)))
    if wave.moved:
        lines.append(say("{a} moved, {b} of them to another arm", a=n(wave.moved), b=n(wave.crossed)))
    if wave.joined:
        lines.append(say("{a} who joined later screened as well", a=n(wave.joined)))
    return FlowBox(say("Screening: {wave}", wave=setting.wave(wave.wave)), tuple(lines))


def _reasons(why: NotScreened, setting: Setting) -> tuple[str, ...]:
    """Return the reasons that apply to anyone, on one line."""
    say, n = setting.show.say, setting.show.integer
    given = (
        (why.institution_closed, say("institution closed: {n}", n=n(why.institution_closed))),
        (why.institution_silent, say("institution without data: {n}", n=n(why.institution_silent))),
        (why.unanswered, say("without answers: {n}", n=n(why.unanswered))),
        (why.unlisted, say("not listed: {n}", n=n(why.unlisted))),
    )
    named = [words for count, words in given if count]
    return (setting.show.bracketed(joined("; ", named)),) if named else ()


def _analysed_lines(part: AnalysedFlow, setting: Setting) -> tuple[str, ...]:
    say, n = setting.show.say, setting.show.integer
    left_out = part.cohort - part.analysed
    given = (
        (part.filtered_out, say("outside the set: {n}", n=n(part.filtered_out))),
        (part.not_screened.total, say("not screened: {n}", n=n(part.not_screened.total))),
        (part.unscored, say("too few answers: {n}", n=n(part.unscored))),
        (part.missing_baseline, say("no baseline score: {n}", n=n(part.missing_baseline))),
        (part.missing_covariate, say("no covariate: {n}", n=n(part.missing_covariate))),
    )
    named = [words for count, words in given if count]
    return (
        say(
            "{children} in {institutions}",
            children=setting.show.children(part.analysed),
            institutions=setting.show.institutions(part.institutions_analysed),
        ),
        say("{n} of the cohort left out", n=n(left_out)),
        *((setting.show.bracketed(joined("; ", named)),) if named else ()),
    )
