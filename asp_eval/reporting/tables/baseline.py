"""The arms at the start: institutions and children, with standardised differences."""

from __future__ import annotations

from itertools import groupby

from asp_eval.analysis.results import ArmSummary, BaselineRow, Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.setting import Setting
from asp_eval.reporting.tables.disclosure import Protection, protect
from asp_eval.reporting.views import Cell, Column, Row, Table, cell

# What Works Clearinghouse: up to 0.05 counts as alike, up to 0.25 needs adjustment, beyond it adjustment cannot mend.
ALIKE, ADJUSTABLE = 0.05, 0.25


def baseline_table(results: Results, setting: Setting) -> Table:
    """Return the baseline table: institutions first, then children."""
    say = setting.say
    rows: list[Row] = []
    titles = {"institution": say("Institutions"), "child": say("Children")}
    for unit, members in groupby(sorted(results.baseline, key=lambda row: row.unit != "institution"), key=lambda row: row.unit):
        rows.append(Row((cell(titles[unit], wide=2 + len(setting.study.arms)),), group=True))
        rows.append(_totals(unit, results, setting))
        for _, variable in groupby(members, key=lambda row: row.variable):
            rows += _variable_rows(list(variable), setting)
    arms = tuple(Column(setting.heading(setting.arm(arm))) for arm in setting.study.arms)
    columns = (Column("", numeric=False), *arms, Column(say("Standardised difference")))
    return Table("baseline-table", say("Institutions and children at the start"), columns, tuple(rows), _notes(results, setting))


def baseline_words(results: Results, setting: Setting) -> tuple[str, ...]:
    """Say in sentences how alike the arms were."""
    say = setting.say
    measured = [(row, row.difference) for row in results.baseline if not isinstance(row.difference, Unavailable)]
    sizes = [(_label(row, setting), abs(difference)) for row, difference in measured]
    if not sizes:
        return ()
    far = [label for label, size in sizes if size > ADJUSTABLE]
    between = [label for label, size in sizes if ALIKE < size <= ADJUSTABLE]
    sentences = [say("A lot makes the arms alike on average, not in every draw; what matters is how far apart they came to lie.")]
    if far:
        sentences.append(say(
            "More than 0.25 standard deviations apart: {list}. Adjustment alone may not make up for that.",
            list="; ".join(far),
        ))
    if between:
        sentences.append(say("Between 0.05 and 0.25 standard deviations apart: {list}.", list="; ".join(between)))
    if not far and not between:
        sentences.append(say("On everything in the table the arms were within 0.05 standard deviations of each other."))
    return tuple(sentences)


def _totals(unit: str, results: Results, setting: Setting) -> Row:
    arms = {arm.arm: arm for arm in results.flow.arms}
    numbers = [arms[key].institutions if unit == "institution" else arms[key].cohort for key in setting.study.arms]
    return Row((cell(setting.say("Number")), *(cell(setting.show.integer(n)) for n in numbers), cell("")))


def _variable_rows(variable: list[BaselineRow], setting: Setting) -> list[Row]:
    protections = [_protection(variable, arm, setting.study.minimum_cell) for arm in range(len(setting.study.arms))]
    rows = []
    for i, row in enumerate(variable):
        cells = [_summary(arm, how, i, setting, row.unit) for arm, how in zip(row.arms, protections, strict=True)]
        rows.append(Row((cell(_label(row, setting)), *cells, _difference(row, i, protections, setting))))
    return rows


def _protection(variable: list[BaselineRow], arm: int, minimum: int) -> Protection:
    if variable[0].unit == "institution" or variable[0].arms[arm].count is None:
        return Protection("exact", frozenset())
    counts = [row.arms[arm].count or 0 for row in variable]
    first = variable[0].arms[arm]
    return protect(counts, [first.n - sum(counts), first.missing], minimum)


def _difference(row: BaselineRow, i: int, protections: list[Protection], setting: Setting) -> Cell:
    """Return the standardised difference, as exactly as the percentages behind it are shown."""
    if any(i in how.hidden or how.form == "count" for how in protections):
        return cell(setting.say("not shown"))
    return cell(setting.show.decimal(row.difference, 2 if all(how.form == "exact" for how in protections) else 1))


def _summary(arm: ArmSummary, how: Protection, i: int, setting: Setting, unit: str) -> Cell:
    say, show = setting.say, setting.show
    few_missing = unit == "child" and 0 < arm.missing < setting.study.minimum_cell
    missing = show.count(None if few_missing else arm.missing, setting.study.minimum_cell)
    detail = say("missing: {n}", n=missing) if arm.missing else ""
    if i in how.hidden:
        return cell(say("not shown"), detail)
    if arm.count is not None:
        return cell(_count(arm.count, arm.n, how, setting), detail)
    if arm.mean is None:
        return cell(show.decimal(None), detail)
    return cell(f"{show.decimal(arm.mean)} ({show.decimal(arm.sd)})", detail)


def _count(count: int, n: int, how: Protection, setting: Setting) -> str:
    """Return a category's count, its percentage, or both."""
    number, share = setting.show.integer(count), setting.show.percent(count / n) if n else ""
    return {"exact": f"{number} ({share})" if share else number, "share": share, "count": number}[how.form]


def _label(row: BaselineRow, setting: Setting) -> str:
    name = setting.say.label(row.label, row.variable)
    shown = setting.heading(setting.say.name(name) if name == row.variable else name)
    return f"{shown}: {setting.say.name(row.level)}" if row.level else shown


def _notes(results: Results, setting: Setting) -> tuple[str, ...]:
    say = setting.say
    notes = [
        say("Measures are means with standard deviations in brackets; categories are counts with percent of those answered."),
        say(
            "Standardised difference: the last arm less the first, in standard deviations. No p-values: under a fair lot any "
            "difference is chance.",
        ),
    ]  # fmt: skip
    if any(row.unit == "child" for row in results.baseline):
        minimum = setting.show.integer(setting.study.minimum_cell)
        notes.append(say(
            "Counts of fewer than {n} children are not shown, nor what would reveal them: percentages then stand without counts.",
            n=minimum,
        ))
    return tuple(notes)
