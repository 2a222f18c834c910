"""Tables and figure of the flow of institutions and children."""

from __future__ import annotations

from collections.abc import Callable

from asp_eval.analysis.results import OutcomeResult
from asp_eval.reporting.figures.flow import FlowBox, FlowFigure, flow_figure
from asp_eval.reporting.setting import Setting
from asp_eval.reporting.views import Column, Row, Table, cell
from asp_eval.trial.flow.counts import AnalysedFlow, ArmFlow, FlowCounts, WaveFlow


def flow_table(flow: FlowCounts, setting: Setting) -> Table:
    """Return the flow per arm and wave as a table."""
    say = setting.say
    rows = [
        _group(say("At the draw"), flow),
        _row(say("Institutions assigned"), flow, setting, lambda arm: arm.institutions),
        _row(say("Children listed"), flow, setting, lambda arm: arm.listed),
        _row(say("– not eligible"), flow, setting, lambda arm: arm.not_eligible),
        _row(say("– joined after the first round"), flow, setting, lambda arm: arm.joined_later),
        _row(say("Children in the cohort"), flow, setting, lambda arm: arm.cohort),
    ]
    for i, wave in enumerate(flow.arms[0].waves):
        rows += _wave_rows(i, setting.wave(wave.wave), flow, setting)
    columns = (Column("", numeric=False), *(Column(setting.heading(setting.arm(arm.arm))) for arm in flow.arms))
    return Table("flow-table", say("Institutions and children through the study"), columns, tuple(rows), (
        say("The cohort is the children who belong to the trial; a child who moves counts where it was at the draw."),
        _exempt(setting),
    ))  # fmt: skip


def _wave_rows(i: int, name: str, flow: FlowCounts, setting: Setting) -> list[Row]:
    say = setting.say

    def row(label: str, number: Callable[[WaveFlow], int]) -> Row:
        return _row(label, flow, setting, lambda arm: number(arm.waves[i]))

    return [
        _group(setting.heading(name), flow),
        row(say("Institutions with data"), lambda wave: wave.with_data),
        row(say("Institutions without data"), lambda wave: wave.without_data),
        row(say("Children of the cohort screened"), lambda wave: wave.screened),
        row(say("– not screened"), lambda wave: wave.missing),
        row(say("– moved to another institution since the draw"), lambda wave: wave.moved),
        row(say("Children screened outside the cohort"), lambda wave: wave.joined),
    ]


def _group(name: str, flow: FlowCounts) -> Row:
    return Row((cell(name, wide=1 + len(flow.arms)),), group=True)


def _row(label: str, flow: FlowCounts, setting: Setting, number: Callable[[ArmFlow], int]) -> Row:
    return Row((cell(label), *(cell(setting.show.integer(number(arm))) for arm in flow.arms)))


def analysed_table(outcomes: tuple[OutcomeResult, ...], flow: FlowCounts, setting: Setting) -> Table:
    """Return, for every outcome and arm, the way from the cohort to the children analysed."""
    say = setting.say
    rows: list[Row] = []
    headings = (
        say("Cohort"), say("Left out by the set's filter"), say("No outcome"), say("No baseline score"),
        say("No covariate"), say("Analysed"), say("Institutions"),
    )  # fmt: skip
    for result in outcomes:
        name = setting.outcome_at(result)
        rows.append(Row((cell(setting.heading(name), wide=1 + len(headings)),), group=True))
        rows += [_analysed_row(part, setting) for part in result.analysed]
    columns = (Column("", numeric=False), *(Column(heading) for heading in headings))
    notes = [say("Each child is counted once, under the first reason that applies, from left to right."), _exempt(setting)]
    if any(_more_than_had_data(part, flow) for result in outcomes for part in result.analysed):
        notes.append(
            say(
                "An arm can have more institutions here than had data at that round: a child counts with its institution at the "
                "draw, and children who moved out of an institution without data were screened elsewhere.",
            )
        )
    return Table("analysed", say("From the cohort to the children analysed"), columns, tuple(rows), tuple(notes))


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
        part.cohort, part.filtered_out, part.missing_outcome, part.missing_baseline, part.missing_covariate,
        part.analysed, part.institutions_analysed,
    )  # fmt: skip
    return Row((cell(setting.heading(setting.arm(part.arm))), *(cell(setting.show.integer(n)) for n in counts)))


def flow_diagram(flow: FlowCounts, outcomes: tuple[OutcomeResult, ...], setting: Setting) -> FlowFigure:
    """Return the flow diagram; its last boxes are the primary outcomes, or the first outcome if none is primary."""
    say, show = setting.say, setting.show
    lines = [say("{n} institutions", n=show.integer(flow.institutions))]
    if flow.not_drawn:
        lines.append(say("{n} of them not in the draw", n=show.integer(flow.not_drawn)))
    last = tuple(o for o in outcomes if o.role == "primary") or outcomes[:1]
    arms = [_boxes(arm, last, setting) for arm in flow.arms]
    described = "; ".join(f"{box.heading}: {', '.join(box.lines)}" for boxes in arms for box in boxes)
    return flow_figure(
        FlowBox(say("Institutions in the study"), tuple(lines)), arms,
        title=say("Flow of institutions and children"), description=described + ".",
    )  # fmt: skip


def _boxes(arm: ArmFlow, outcomes: tuple[OutcomeResult, ...], setting: Setting) -> list[FlowBox]:
    say, n = setting.say, setting.show.integer
    drawn = FlowBox(setting.heading(setting.arm(arm.arm)), (
        say("{n} institutions assigned", n=n(arm.institutions)),
        say("{n} children in the cohort", n=n(arm.cohort)),
        say("{a} children not eligible, {b} joined later", a=n(arm.not_eligible), b=n(arm.joined_later)),
    ))  # fmt: skip
    analysed = [
        FlowBox(say("Analysed: {outcome}", outcome=setting.outcome(result)), _analysed_lines(part, setting))
        for result in outcomes for part in result.analysed if part.arm == arm.arm
    ]  # fmt: skip
    return [drawn, *(_wave_box(wave, setting) for wave in arm.waves), *analysed]


def _wave_box(wave: WaveFlow, setting: Setting) -> FlowBox:
    say, n = setting.say, setting.show.integer
    lines = (
        say("{a} institutions with data, {b} without", a=n(wave.with_data), b=n(wave.without_data)),
        say("{a} children screened, {b} not", a=n(wave.screened), b=n(wave.missing)),
        say("{a} moved since the draw", a=n(wave.moved)),
    )
    return FlowBox(say("Screening: {wave}", wave=setting.wave(wave.wave)), lines)


def _analysed_lines(part: AnalysedFlow, setting: Setting) -> tuple[str, ...]:
    say, n = setting.say, setting.show.integer
    left_out = part.cohort - part.analysed
    return (
        say("{a} children in {b} institutions", a=n(part.analysed), b=n(part.institutions_analysed)),
        say("{n} of the cohort left out (see the table)", n=n(left_out)),
    )
