"""The arms at the start: institutions and children, with standardised differences."""

from __future__ import annotations

from decimal import Decimal
from itertools import groupby

from asp_eval.analysis.rare_categories import HIDDEN
from asp_eval.analysis.results import ArmSummary, BaselineRow, Number, Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Cell, Column, Row, Section, Table, cell, group_row, paragraphs
from asp_eval.reporting.numbers import rounded
from asp_eval.reporting.sections.equivalence import equivalence_words, omnibus_words
from asp_eval.reporting.setting import Setting

# Limits of the What Works Clearinghouse, which it means for the children analysed and for trials without a sound lot. Here they
# sort differences and judge nothing.
ALIKE, APART = Decimal("0.05"), Decimal("0.25")


def baseline(results: Results, setting: Setting) -> Section:
    """Return how alike the arms were at the start."""
    words = (*baseline_words(results, setting), *omnibus_words(results, setting), *equivalence_words(results, setting))
    return Section(
        "baseline", setting.say("The arms {when}", when=setting.when), (paragraphs(*words), baseline_table(results, setting))
    )


def baseline_table(results: Results, setting: Setting) -> Table:
    """Return the baseline table: institutions first, then children."""
    say = setting.say
    columns = _columns(setting)
    rows: list[Row] = []
    titles = {"institution": say("Institutions"), "child": say("Children")}
    own = [row for row in results.baseline if row.unit != "institution_mean"]
    for unit, members in groupby(sorted(own, key=lambda row: row.unit != "institution"), key=lambda row: row.unit):
        rows.append(group_row(titles[unit], len(columns)))
        rows.append(_totals(unit, results, setting))
        for _, variable in groupby(members, key=lambda row: row.variable):
            rows += _variable_rows(list(variable), setting)
    return Table(
        "baseline-table",
        say("Institutions and children {when}", when=setting.when),
        columns,
        tuple(rows),
        _notes(results, setting),
    )


def institution_means_table(results: Results, setting: Setting) -> Table | None:
    """Return the means of institutions, each institution counting once; None where there are none."""
    means = [row for row in results.baseline if row.unit == "institution_mean"]
    if not means:
        return None
    say = setting.say
    rows = []
    for row in means:
        arms = [cell(setting.show.beside(setting.show.decimal(arm.mean), setting.show.decimal(arm.sd))) for arm in row.arms]
        rows.append(Row((cell(_label(row, setting)), *arms, *(_difference(value, 2, setting) for value in row.differences))))
    notes = (
        say("Means and standard deviations over institutions of the mean of each one's children; of a category, of its share."),
    )
    return Table(
        "institution-means", say("Means of institutions {when}", when=setting.when), _columns(setting), tuple(rows), notes
    )


def _columns(setting: Setting) -> tuple[Column, ...]:
    """Return the headings: one for each arm, and one for each arm compared with the first."""
    say, compared = setting.say, setting.compared
    arms = [Column(setting.arm_heading(arm)) for arm in setting.study.arms]
    if len(compared) == 1:
        differences = [Column(say("Standardised difference"))]
    else:
        differences = [Column(say("Standardised difference: {arm}", arm=arm)) for arm in compared]
    return (Column("", numeric=False), *arms, *differences)


def baseline_words(results: Results, setting: Setting) -> tuple[str, ...]:
    """Say in sentences how alike the arms were."""
    say = setting.say
    sizes = _largest(results, setting)
    if not sizes:
        return ()
    far = [name for name, size in sizes.items() if size > APART]
    between = [name for name, size in sizes.items() if ALIKE < size <= APART]
    sentences = [say("The lot makes the arms alike on average, not in every draw. Under a sound lot what is left is chance.")]
    if far:
        sentences.append(say("More than 0.25 standard deviations apart: {list}.", list="; ".join(far)))
    if between:
        sentences.append(say("Between 0.05 and 0.25 standard deviations apart: {list}.", list="; ".join(between)))
    if not far and not between:
        sentences.append(say("On everything in the table the arms were within 0.05 standard deviations of each other."))
    return tuple(sentences)


def _largest(results: Results, setting: Setting) -> dict[str, Decimal]:
    """Return each variable's largest difference that is shown, as it is shown, over its categories and the arms."""
    sizes: dict[str, Decimal] = {}
    own = [row for row in results.baseline if row.unit != "institution_mean"]
    for _, variable in groupby(own, key=lambda row: (row.unit, row.variable)):
        rows = list(variable)
        shown = [
            abs(rounded(value, _digits(row))) for row in rows for value in row.differences if not isinstance(value, Unavailable)
        ]
        if shown:
            sizes[_name(rows[0], setting)] = max(shown)
    return sizes


def _totals(unit: str, results: Results, setting: Setting) -> Row:
    arms = {arm.arm: arm for arm in results.flow.arms}
    numbers = [arms[key].institutions if unit == "institution" else arms[key].cohort for key in setting.study.arms]
    empty = [cell("")] * len(setting.compared)
    return Row((cell(setting.say("Number")), *(cell(setting.show.integer(n)) for n in numbers), *empty))


def _variable_rows(variable: list[BaselineRow], setting: Setting) -> list[Row]:
    return [
        Row(
            (
                cell(_label(row, setting)),
                *(_summary(arm, setting) for arm in row.arms),
                *(_difference(value, _digits(row), setting) for value in row.differences),
            )
        )
        for row in variable
    ]


def _digits(row: BaselineRow) -> int:
    """Return the decimals of a difference: no more exact than the percentages behind it."""
    return 1 if any(arm.share is not None for arm in row.arms) else 2


def _difference(value: Number, digits: int, setting: Setting) -> Cell:
    hidden = isinstance(value, Unavailable) and value == HIDDEN
    return cell(setting.say("not shown") if hidden else setting.show.decimal(value, digits))


def _summary(arm: ArmSummary, setting: Setting) -> Cell:
    say, show = setting.say, setting.show
    detail = show.say("missing: {n}", n=show.integer(arm.missing)) if arm.missing else ""
    if arm.hidden:
        return cell(say("not shown"), detail)
    if arm.share is not None:
        return cell(show.percent(arm.share), detail)
    if arm.count is not None:
        share = show.percent(arm.count / arm.n) if arm.n else ""
        return cell(show.beside(show.integer(arm.count), share) if share else show.integer(arm.count), detail)
    if arm.mean is None:
        return cell(show.decimal(None), detail)
    return cell(show.beside(show.decimal(arm.mean), show.decimal(arm.sd)), detail)


def _name(row: BaselineRow, setting: Setting) -> str:
    name = setting.say.label(row.label, row.variable)
    return setting.heading(setting.say.name(name) if name == row.variable else name)


def _label(row: BaselineRow, setting: Setting) -> str:
    shown = _name(row, setting)
    return f"{shown}: {setting.say.name(row.level)}" if row.level else shown


def _notes(results: Results, setting: Setting) -> tuple[str, ...]:
    say = setting.say
    notes = [
        say("Measures are means with standard deviations in brackets; categories are counts with percent of those answered."),
        say(
            "Standardised difference: the arm compared less {reference}, in standard deviations. It describes; there are no "
            "p-values, because under a sound lot any difference is chance.",
            reference=setting.group(setting.reference),
        ),
        say(
            "The limits 0.05 and 0.25 only sort the differences. They are the What Works Clearinghouse's (United States), meant "
            "for the children analysed and for trials without a sound lot.",
        ),
    ]
    if any(row.unit == "child" for row in results.baseline):
        protected = say(
            "Categories of fewer than {n} children are not shown, nor what would reveal them: percentages may then stand without "
            "counts, in all arms, and the variable has no coefficients in this report. Small counts of missing answers are "
            "shown: they tell nothing of what anyone answered.",
            n=setting.show.integer(setting.study.privacy.minimum_cell),
        )
        notes.append(protected)
    return tuple(notes)
