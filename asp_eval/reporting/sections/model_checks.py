"""What stands beside the models of measures, for the appendix: forms of g, checks, raters, the design as it came out."""

from __future__ import annotations

from asp_eval.analysis.declared_results import Estimated, Influence, Interval, ModelChecks, RaterResult, RealisedDesign
from asp_eval.analysis.model_checks import FAR
from asp_eval.analysis.results import OutcomeResult, Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Cell, Column, Row, Table, cell
from asp_eval.reporting.numbers import digits_for
from asp_eval.reporting.sections.outcomes import by_role
from asp_eval.reporting.sections.shown_estimate import shown_estimate
from asp_eval.reporting.setting import Setting


def sizes_table(results: Results, setting: Setting) -> Table | None:
    """Return Hedges' g in its three forms, each with its degrees of freedom; None where there is no measure."""
    say, show = setting.say, setting.show
    rows = []
    for result in by_role(results.outcomes):
        order = [effect.arm for effect in result.effects]
        for one in result.sizes:
            name = setting.effect_label(result, order.index(one.arm), with_wave=True)
            within, other = (say("df {df}", df=show.decimal(df, 0)) for df in (one.df_within, one.df_total))
            numbers = (
                (one.within, one.within_interval, within),
                (one.total, one.total_interval, other),
                (one.pooled, one.pooled_interval, other),
            )
            rows.append(Row((cell(name), *(_size(value, ends, df, setting) for value, ends, df in numbers))))
    if not rows:
        return None
    columns = (
        Column(say("Outcome"), numeric=False),
        Column(say("g within institutions")),
        Column(say("g, total of the model")),
        Column(say("g, What Works Clearinghouse")),
    )
    notes = (
        say(
            "Each g is the mixed model's difference times Hedges' factor 1 - 3/(4 df - 1). Within: divided by the standard"
            " deviation within institutions, on children less institutions. Total: by the total one of the model with arm and"
            " strata. What Works Clearinghouse: by the children's pooled one within the arms, corrected for clustering.",
        ),
        say("The last two are on the degrees of freedom h of the What Works Clearinghouse, Handbook 5.0 (E.21)."),
        say(
            "{level} intervals by t on the effect's own degrees of freedom; the standard error includes how uncertain the "
            "difference is and, through the degrees of freedom shown, how uncertain the standard deviation is.",
            level=setting.level,
        ),
    )
    return Table("hedges", say("Effect sizes in other forms (Hedges' g)"), columns, tuple(rows), notes)


def _size(value: float, ends: Interval | None, df: str, setting: Setting) -> Cell:
    show = setting.show
    interval = "" if ends is None else show.interval(ends.low, ends.high, 3)
    return cell(show.decimal(value, 3), interval, df)


def checks_table(results: Results, setting: Setting) -> Table | None:
    """Return the checks of every measure's model; None where there is none."""
    say = setting.say
    rows = tuple(row for result in by_role(results.outcomes) for row in _checks(result, setting))
    if not rows:
        return None
    columns = (
        Column(say("Outcome"), numeric=False),
        Column(say("Lowest score; highest score")),
        Column(say("Skewness of the residuals")),
        Column(say("Residual SD of the institutions")),
        Column(say("Institutions far from the others")),
        Column(say("Effect without one institution")),
    )
    notes = (
        say(
            "Lowest and highest score: the share of children who have them. Far: more than {far} standard deviations. Without one"
            " institution: the least and the most the effect would be, the variances held; under it the institution whose"
            " leaving out changes it most.",
            far=setting.show.decimal(FAR, 1),
        ),
        say(
            "Skewed scores with many children at the lowest are what the method was tried on: in simulated trials with scores"
            " like those of the SDQ Kenward-Roger kept its level at 20 institutions and more.",
        ),
    )
    return Table("model-checks", say("Checks of the models"), columns, rows, notes)


def _checks(result: OutcomeResult, setting: Setting) -> list[Row]:
    found, show = result.checks, setting.show
    if found is None:
        return []
    ends = show.say("{one}; {other}", one=show.percent(found.floor), other=show.percent(found.ceiling))
    sds = show.interval(found.lowest_sd, found.highest_sd, 2)
    return [
        Row(
            (
                cell(setting.outcome_at(result)),
                cell(ends),
                cell(show.decimal(found.skewness)),
                cell(sds),
                cell(show.integer(found.far_institutions)),
                _influence(found, result, setting),
            )
        )
    ]


def _influence(found: ModelChecks, result: OutcomeResult, setting: Setting) -> Cell:
    lines = [_range(one, result, setting) for one in found.influence]
    named = [one.institution for one in found.influence]
    return cell("; ".join(lines), *named)


def _range(one: Influence, result: OutcomeResult, setting: Setting) -> str:
    digits = digits_for(next((_error(e.difference) for e in result.effects if e.arm == one.arm), None))
    return setting.show.interval(one.lowest, one.highest, digits)


def _error(found: Estimated) -> float | None:
    return None if isinstance(found, Unavailable) else found.std_error


def raters_table(results: Results, setting: Setting) -> Table | None:
    """Return how much of each measure lies between raters; None where no rater is recorded."""
    say, level = setting.say, setting.level
    rows = tuple(_raters(result, result.raters, setting) for result in by_role(results.outcomes) if result.raters is not None)
    if not rows:
        return None
    columns = (
        Column(say("Outcome"), numeric=False),
        Column(say("Raters (children)")),
        Column(say("ICC(1) ({level} interval)", level=level)),
        Column(say("ICC(2) ({level} interval)", level=level)),
        Column(say("Rated by somebody else than at the start")),
        Column(say("Effect without these children ({level} interval)", level=level)),
    )
    note = say(
        "ICC(1): the share of the variance that lies between raters, whether because they rate differently or because they rate"
        " different children; the institution is part of it. ICC(2): the reliability of the mean of a rater's children. The"
        " effect without children whose rater changed is the mixed model's.",
    )
    return Table("raters-agreement", say("Those who rated the children"), columns, rows, (note,))


def _raters(result: OutcomeResult, found: RaterResult, setting: Setting) -> Row:
    show = setting.show
    return Row(
        (
            cell(setting.outcome_at(result)),
            cell(show.integer(found.raters), show.bracketed(show.integer(found.children))),
            shown_estimate(found.icc1, setting, 3),
            shown_estimate(found.icc2, setting, 3),
            cell(show.integer(found.changed)),
            shown_estimate(found.without_changed, setting),
        )
    )


def realised_table(results: Results, setting: Setting) -> Table | None:
    """Return the design as it came out beside what the plan expected; None where there is no measure."""
    say = setting.say
    rows = [
        _realised(setting.outcome_at(result), result.realised, setting)
        for result in by_role(results.outcomes)
        if result.realised is not None
    ]
    if not rows:
        return None
    power = next(result.realised.power for result in results.outcomes if result.realised is not None)
    columns = (
        Column(say("Outcome"), numeric=False),
        Column(say("Institutions")),
        Column(say("Children in an institution (CV)")),
        Column(say("ICC")),
        Column(say("Explained by the covariates")),
        Column(say("Detectable effect (SD)")),
    )
    note = say(
        "Detectable: the effect, in total standard deviations, that a trial with this standard error finds with a power of "
        "{power}. It describes the precision; it is no power of the effect that was found.",
        power=setting.show.percent(power),
    )
    return Table("realised", say("The design as it came out"), columns, (*_planned(setting), *rows), (note,))


def _planned(setting: Setting) -> tuple[Row, ...]:
    """Return what the plan expected, if it says."""
    plan, show = setting.study.power, setting.show
    if plan.institutions is None and plan.children is None and not plan.icc:
        return ()
    children = show.decimal(plan.children, 1)
    icc = "; ".join(show.decimal(value, 3) for value in plan.icc) or show.decimal(None)
    effect = "; ".join(show.decimal(value) for value in plan.effect) or show.decimal(None)
    spread = show.bracketed(show.decimal(plan.cv)) if plan.children is not None else ""
    cells = (
        cell(setting.say("as planned")),
        cell(show.integer(plan.institutions)),
        cell(children, spread),
        cell(icc),
        cell(show.decimal(None)),
        cell(effect),
    )
    return (Row(cells),)


def _realised(name: str, found: RealisedDesign, setting: Setting) -> Row:
    show = setting.show
    return Row(
        (
            cell(name),
            cell(show.integer(found.institutions)),
            cell(show.decimal(found.children, 1), show.bracketed(show.decimal(found.cv))),
            cell(show.decimal(found.icc, 3)),
            cell(show.percent(found.r_squared)),
            cell(show.decimal(found.detectable)),
        )
    )
