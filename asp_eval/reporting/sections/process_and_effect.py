"""Process and effect together: means by type, effects by a type coded before, bounds, and one line per institution."""

from __future__ import annotations

from asp_eval.analysis.process.results import GAP_DISCUSSED, InstitutionLine, Number, ProcessResults, typed
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Block, Callout, Cell, Column, Figure, Row, Section, Table, cell, group_row, paragraphs
from asp_eval.reporting.figures.dots import DotRow, dots_figure
from asp_eval.reporting.figures.drawing import drawn
from asp_eval.reporting.sections.process_words import level_name, type_name
from asp_eval.reporting.sections.shown_estimate import shown_estimate
from asp_eval.reporting.setting import Setting
from asp_eval.trial.process.frame import Frame


def process_and_effect(found: ProcessResults, setting: Setting) -> Section | None:
    """Return process and effect side by side; None without an outcome and types."""
    of = typed(found.frames)
    if of is None or not found.lines or not found.outcome:
        return None
    frame = of.frame
    say = setting.say
    outcome = next((each for each in setting.results.outcomes if each.outcome == found.outcome), None)
    name = setting.outcome(outcome) if outcome is not None else found.outcome
    caution = Callout(
        "caution",
        paragraphs(
            say(
                "Types after the lot go together with outcomes for many reasons. What follows describes; it does not show that a "
                "type made a difference."
            )
        ),
        mark=say("Caution"),
    )
    blocks: list[Block] = [caution]
    if found.type_means:
        blocks += [_means(found, frame, name, setting), *_picture(found, frame, name, setting)]
    blocks.append(_by_type(found, frame, name, setting))
    if found.bounds:
        blocks.append(_bounds(found, frame, name, setting))
    blocks.append(_lines(found, frame, name, setting))
    return Section("together", say("Process and effect together"), tuple(blocks))


def _means(found: ProcessResults, frame: Frame, name: str, setting: Setting) -> Table:
    say, show = setting.say, setting.show
    columns = (
        Column(say("Type in the last round"), numeric=False),
        Column(say("Arm"), numeric=False),
        Column(say("Institutions")),
        Column(say("Mean")),
    )
    rows = tuple(
        Row(
            (
                cell(type_name(frame, each.type, setting)),
                cell(setting.arm_heading(each.arm)),
                cell(show.integer(each.institutions)),
                _interval(each.mean, each.low, each.high, setting),
            )
        )
        for each in found.type_means
    )
    note = say(
        "Means over institutions of {outcome}, adjusted for the planned covariates; t, {level} intervals.",
        outcome=name,
        level=setting.level,
    )
    return Table("type-means", say("{outcome} by type: a description", outcome=name), columns, rows, (note,))


def _picture(found: ProcessResults, frame: Frame, name: str, setting: Setting) -> tuple[Figure, ...]:
    """Return the joint display: the mean of the outcome by type and arm."""
    rows = []
    for each in found.type_means:
        label = f"{type_name(frame, each.type, setting)}, {setting.arm(each.arm)}"
        mean, low, high = (None if isinstance(v, Unavailable) else v for v in (each.mean, each.low, each.high))
        reason = setting.show.reason(each.mean) if isinstance(each.mean, Unavailable) else ""
        rows.append(DotRow(label, mean, low, high, reason=reason))
    if all(row.value is None for row in rows):
        return ()
    title = setting.say("Process and effect together: {outcome} by type and arm", outcome=name)
    axis = setting.say("Mean, with {level} interval", level=setting.level)
    return (drawn(dots_figure(rows, setting.show, key="dots--joint", title=title, axis_title=axis)),)


def _by_type(found: ProcessResults, frame: Frame, name: str, setting: Setting) -> Block:
    say = setting.say
    if isinstance(found.type_effects, Unavailable):
        reason = setting.show.reason(found.type_effects)
        return paragraphs(say("Effect by the type that institutions were of before: {reason}.", reason=reason))
    columns = (
        Column(say("Type in the first round"), numeric=False),
        Column(say("As coded")),
        Column(say("Coding errors taken out")),
    )
    rows = tuple(
        Row(
            (
                cell(type_name(frame, each.type, setting)),
                shown_estimate(each.as_coded, setting),
                shown_estimate(each.corrected, setting),
            )
        )
        for each in found.type_effects
    )
    sources = {
        "declared": say(
            "Errors are those that the coding frame declares, from another study, and taken as known: the intervals hold how "
            "unsure the shares of the types are, and not the errors. Coders err independently of the arm and of the outcome."
        ),
        "coders": say(
            "Errors are worked out from two coders held against each other: equally good, erring independently of each other, of "
            "the arm and of the outcome, a wrong word falling on each other type equally often."
        ),
        "consensus": say("Errors are counted against the consensus of every interview, taken as the truth."),
    }
    level = setting.level
    notes = (
        say("Types coded at the start in both arms. The effects are those of subgroups only if coders did not know the arm."),
        sources[found.type_effects[0].errors_from],
        say("{level} intervals; with the errors taken out, of institutions resampled.", level=level)
        if found.type_effects[0].errors_from == "declared"
        else say("{level} intervals; those of institutions resampled hold how unsure the errors are.", level=level),
    )
    return Table("type-effects", say("Effect on {outcome} by the type before the lot", outcome=name), columns, rows, notes)


def _bounds(found: ProcessResults, frame: Frame, name: str, setting: Setting) -> Table:
    say, show = setting.say, setting.show
    columns = (Column(say("Type"), numeric=False), Column(say("Share")), Column(say("The effect lies between")))
    rows = tuple(
        Row(
            (
                cell(type_name(frame, each.type, setting)),
                cell(show.percent(each.share)),
                _interval(None, each.low, each.high, setting),
            )
        )
        for each in found.bounds
    )
    note = say("Of the other arm the same share of institutions is taken, from its highest and from its lowest.")
    return Table("bounds", say("Limits of the effect on {outcome} in each type", outcome=name), columns, rows, (note,))


def _lines(found: ProcessResults, frame: Frame, name: str, setting: Setting) -> Table:
    say = setting.say
    elements = sorted({element for line in found.lines for element in line.hours})
    dated = any(line.gap_days is not None for line in found.lines)
    columns = [
        Column(say("No."), numeric=False),
        Column(say("Type before"), numeric=False),
        Column(say("Type after"), numeric=False),
        *(Column(say("{element}, hours", element=setting.heading(say.name(element)))) for element in elements),
        Column(say("Left a year, of 100")),
        Column(say("Preconditions met")),
        Column(say("GAP-profile discussed"), numeric=False),
        *([Column(say("After days"))] if dated else []),
        *([Column(say("Goals reached"))] if any(line.goals is not None for line in found.lines) else []),
        Column(say("Mean")),
    ]
    rows: list[Row] = []
    for arm in setting.study.arms:
        rows.append(group_row(setting.arm_heading(arm), len(columns)))
        rows += [_line(line, elements, frame, setting, dated=dated) for line in found.lines if line.arm == arm]
    days = say(
        "After days: from when the profile could be given out to when it was first discussed, by the log and the goals; what "
        "managers told is another source."
    )
    notes = (
        *([days] if dated else []),
        say("Numbers run through this table and identify nobody. Ordered by type, within it at random."),
        say(
            "Mean: {outcome}, adjusted and drawn towards the mean of the arm; {level} interval.",
            outcome=name,
            level=setting.level,
        ),
    )
    return Table("joint", say("Institution by institution: process and outcome"), tuple(columns), tuple(rows), notes, breaks=True)


def _line(line: InstitutionLine, elements: list[str], frame: Frame, setting: Setting, *, dated: bool) -> Row:
    show = setting.show
    discussed: str = setting.show.integer(None)
    if line.gap_discussed:
        discussed = level_name(frame, GAP_DISCUSSED, line.gap_discussed, setting)
    return Row(
        (
            cell(show.integer(line.number)),
            cell(type_name(frame, line.first_type, setting)),
            cell(type_name(frame, line.last_type, setting)),
            *(
                cell(show.decimal(line.hours.get(element, 0.0), 1)) for element in elements
            ),  # a log without an entry of it says none
            _left(line, setting),
            cell(show.integer(line.met)),
            cell(discussed),
            *([cell(show.integer(line.gap_days))] if dated else []),
            *_goals(line, setting),
            shown_estimate(line.mean, setting),
        )
    )


def _goals(line: InstitutionLine, setting: Setting) -> tuple[Cell, ...]:
    """Return how many goals an institution reached of those it set; nothing where no goals were imported."""
    show = setting.show
    if line.goals is None:
        return ()
    return (cell(show.say("{n} of {total}", n=show.integer(line.goals_reached), total=show.integer(line.goals))),)


def _left(line: InstitutionLine, setting: Setting) -> Cell:
    show = setting.show
    if line.left_per_year is None:
        return cell(show.decimal(None))
    rate = show.decimal(100 * line.left_per_year, 1)
    if line.left_between is None:
        return cell(rate)
    low, high = line.left_between
    return cell(rate, show.interval(100 * low, 100 * high, 0))


def _interval(middle: Number | None, low: Number, high: Number, setting: Setting) -> Cell:
    show = setting.show
    if isinstance(low, Unavailable) or isinstance(high, Unavailable) or isinstance(middle, Unavailable):
        reason = next(each for each in (middle, low, high) if isinstance(each, Unavailable))
        return cell(show.reason(reason))
    limits = show.interval(low, high)
    return cell(limits) if middle is None else cell(show.decimal(middle), limits)
