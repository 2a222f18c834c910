"""Staff questionnaires at the level of the institution: scales, and pictures of the questions behind them."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.analysis.process.results import ItemMean, Number, ProcessResults, StaffScale
from asp_eval.analysis.process.staff_answers import ENOUGH_AGREEMENT, ENOUGH_F, ENOUGH_RELIABILITY
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Cell, Column, Figure, Row, Section, Table, cell, group_row
from asp_eval.reporting.figures.arm_marks import MarkGroup, arm_marks
from asp_eval.reporting.figures.drawing import drawn
from asp_eval.reporting.sections.shown_estimate import shown_estimate
from asp_eval.reporting.setting import Setting


def staff_answers(found: ProcessResults, setting: Setting) -> Section | None:
    """Return the scales of staff questionnaires at the level of the institution."""
    if not found.staff_scales:
        return None
    say, show = setting.say, setting.show
    columns = (
        Column(say("Scale"), numeric=False),
        Column(say("Institutions")),
        Column(say("Staff")),
        Column("ICC(1)"),
        Column("ICC(2)"),
        Column("F"),
        Column(say("Median r_wg(j)")),
        Column(say("May stand for the institution"), numeric=False),
    )
    rows = tuple(_scale_row(scale, setting) for scale in found.staff_scales)
    notes = (
        say(
            "Answers may stand for their institution where the median agreement within institutions is at least {agreement}, "
            "ICC(2) at least {reliability} and F significant at {f}: limits of this report, each shown.",
            agreement=show.decimal(ENOUGH_AGREEMENT),
            reliability=show.decimal(ENOUGH_RELIABILITY),
            f=show.percent(ENOUGH_F),
        ),
        say("r_wg(j) compares answers within an institution with answers spread evenly over the scale."),
    )
    table = Table("staff", say("Staff questionnaires at the level of the institution"), columns, rows, notes, breaks=True)
    blocks = (table, _means(found, setting), *_pictures(found, setting))
    return Section("staff-answers", say("What staff answered"), blocks)


def _means(found: ProcessResults, setting: Setting) -> Table:
    """Return the means by arm, where the middle half of the institutions lies, and the difference between the arms."""
    say, show = setting.say, setting.show
    columns = (
        Column(say("Scale"), numeric=False),
        *(Column(setting.arm_heading(arm)) for arm in setting.study.arms),
        Column(say("Middle half of the institutions")),
        *(Column(_compared(arm, setting)) for arm in setting.compared),
    )
    rows = tuple(
        Row(
            (
                _named(scale, setting),
                *(cell(show.decimal(mean, 1)) for mean in scale.means or (None for _ in setting.study.arms)),
                _middle_half(scale, setting),
                *(shown_estimate(effect, setting) for effect in scale.effects),
            )
        )
        for scale in found.staff_scales
    )
    notes = (
        say("Means over institutions, in points of the scale."),
        say("Middle half: between the quartiles of the institutions' means, each shrunken by its reliability."),
        say(
            "The difference is of the mixed model with arm and strata (Kenward-Roger, {level} interval), in points of the scale, "
            "not adjusted for many tests.",
            level=setting.level,
        ),
    )
    return Table("staff-means", say("What staff answered, by arm"), columns, rows, notes, breaks=True)


def _compared(arm: str, setting: Setting) -> str:
    """Return the head of the differences of an arm to the first."""
    if len(setting.compared) == 1:
        return setting.say("Difference between the arms")
    return setting.say("Difference: {compared} less {reference}", compared=arm, reference=setting.reference)


def _middle_half(scale: StaffScale, setting: Setting) -> Cell:
    show = setting.show
    low, high = scale.middle_half or (None, None)
    if isinstance(low, Unavailable):
        return cell(show.reason(low))
    if isinstance(high, Unavailable):
        return cell(show.reason(high))
    return cell(show.interval(low, high, 1))


def _pictures(found: ProcessResults, setting: Setting) -> Iterator[Table | Figure]:
    """Yield, for each questionnaire and wave, its questions where two scales cross, and those between two poles."""
    places = dict.fromkeys((each.instrument, each.wave, each.is_contrast) for each in found.item_means)
    for form, wave, is_contrast in places:
        items = [each for each in found.item_means if (each.instrument, each.wave, each.is_contrast) == (form, wave, is_contrast)]
        if is_contrast:
            yield _contrast(items, setting)
        else:
            yield _crossed(items, setting)
            yield from _crossed_figure(items, setting)


def _grid(items: list[ItemMean], setting: Setting) -> tuple[list[str], list[str], dict[tuple[str, str], tuple[Number, ...]]]:
    """Return the names of the lines and of the columns, and the means by arm of the question that two of them share."""
    label = setting.say.label
    means = {(label(each.row), label(each.column)): each.means for each in items}
    return list(dict.fromkeys(row for row, _ in means)), list(dict.fromkeys(column for _, column in means)), means


def _crossed(items: list[ItemMean], setting: Setting) -> Table:
    say, show = setting.say, setting.show
    down, across, means = _grid(items, setting)
    columns = (Column("", numeric=False), *(Column(name) for name in across))
    rows: list[Row] = []
    for position, arm in enumerate(setting.study.arms):
        rows.append(group_row(setting.arm_heading(arm), len(columns)))
        for name in down:
            numbers = (means[name, other][position] if (name, other) in means else None for other in across)
            rows.append(Row((cell(name), *(cell(show.decimal(number, 0)) for number in numbers))))
    form, wave = setting.form(items[0].instrument), setting.wave(items[0].wave)
    caption = say("{instrument}, {wave}: question by question", instrument=form, wave=wave)
    note = say("Mean answer to the question that a line and a column share, 0 to 100, over institutions.")
    return Table(f"crossed-{items[0].instrument}-{items[0].wave}", caption, columns, tuple(rows), (note,), breaks=True)


def _crossed_figure(items: list[ItemMean], setting: Setting) -> Iterator[Figure]:
    """Yield the picture of the same means: the table's lines as groups, its columns as rows, a mark for each arm."""
    say = setting.say
    down, across, means = _grid(items, setting)
    if all(isinstance(mean, Unavailable) for each in means.values() for mean in each):
        return
    groups = [MarkGroup(name, tuple((other, means[name, other]) for other in across if (name, other) in means)) for name in down]
    form, wave = setting.form(items[0].instrument), setting.wave(items[0].wave)
    yield drawn(
        arm_marks(
            groups,
            [setting.arm_heading(arm) for arm in setting.study.arms],
            setting.show,
            key=f"arm-marks--{items[0].instrument}-{items[0].wave}",
            title=say("{instrument}, {wave}: mean answers by arm", instrument=form, wave=wave),
            axis_title=say("Mean answer, 0 to 100, over institutions"),
            ends=(0.0, 100.0),
        )
    )


def _contrast(items: list[ItemMean], setting: Setting) -> Table:
    say, show = setting.say, setting.show
    columns = (
        Column(say("0: wholly so"), numeric=False),
        *(Column(setting.arm_heading(arm)) for arm in setting.study.arms),
        Column(say("100: wholly so"), numeric=False),
    )
    rows = tuple(
        Row((cell(say.label(each.row)), *(cell(show.decimal(mean, 0)) for mean in each.means), cell(say.label(each.column))))
        for each in items
    )
    caption = say(
        "{instrument}, {wave}: between two statements",
        instrument=setting.form(items[0].instrument),
        wave=setting.wave(items[0].wave),
    )
    note = say("Mean answer between the two statements, over institutions; neither end is the better one.")
    return Table(f"contrast-{items[0].instrument}-{items[0].wave}", caption, columns, rows, (note,), breaks=True)


def _named(scale: StaffScale, setting: Setting) -> Cell:
    say = setting.say
    where = say("{wave}; {instrument}", wave=setting.wave(scale.wave), instrument=setting.form(scale.instrument))
    return cell(say.label(scale.label, scale.scale), where)


def _scale_row(scale: StaffScale, setting: Setting) -> Row:
    say, show = setting.say, setting.show
    f, p = show.decimal(scale.f, 2), scale.p_value
    return Row(
        (
            _named(scale, setting),
            cell(show.integer(scale.institutions)),
            cell(show.integer(scale.respondents)),
            cell(show.decimal(scale.icc1)),
            cell(show.decimal(scale.icc2)),
            cell(f) if isinstance(p, Unavailable) else cell(f, show.p_equation(p)),
            cell(show.decimal(scale.agreement)),
            cell(say("yes") if scale.defensible else say("no")),
        )
    )
