"""What produced each standard error, and the headline numbers computed a second time by another library."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from asp_eval.analysis.results import OutcomeResult, Recheck, Recomputation
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Cell, Column, Row, Table, cell
from asp_eval.reporting.language import as_sentence
from asp_eval.reporting.setting import Setting

# Two programs agree if neither the estimate nor its standard error differs by more than this share of the error.
AGREEMENT = 0.01
LEAST_APART = 0.0005


def estimator_table(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> Table:
    """Return, for every effect, what really produced its standard error, and on how many degrees of freedom."""
    say, show = setting.say, setting.show
    rows = []
    for result in outcomes:
        for i, effect in enumerate(result.effects):
            found = effect.difference
            method, df, note = (
                ("", None, found.reason) if isinstance(found, Unavailable) else (found.method, found.df, found.note)
            )
            notes = dict.fromkeys(as_sentence(say.note(note)) for note in (note, *result.notes))
            rows.append(
                Row(
                    (
                        cell(setting.effect_label(result, i), setting.wave(result.wave)),
                        cell(setting.method(method) or show.decimal(None), *notes),
                        cell(show.degrees_of_freedom(df)),
                        cell(_adjustment(result, setting)),
                    )
                )
            )
    columns = (
        Column(say("Outcome"), numeric=False),
        Column(say("Standard error and test by"), numeric=False),
        Column(say("Degrees of freedom")),
        Column(say("Adjustment for several outcomes"), numeric=False),
    )
    return Table("estimators", say("What produced each standard error"), columns, tuple(rows))


def _adjustment(result: OutcomeResult, setting: Setting) -> str:
    """Return how an outcome's p-values were adjusted, and over how many tests."""
    if result.adjustment is None:
        return setting.say("none")
    say, kind = setting.say, result.adjustment
    called = {
        "holm": "Holm",
        "benjamini-hochberg": "Benjamini-Hochberg",
        "westfall-young": say("Westfall-Young, by the lot"),
        "none": say("not adjusted"),
    }
    name, tests = called[kind.method], kind.tests
    words = say.plural("{name}, {n} test", "{name}, {n} tests", tests, name=name, n=setting.show.integer(tests))
    if not kind.after:
        return words
    if kind.opened:
        return say('{words}; tested because every test of the family "{family}" rejects', words=words, family=kind.after)
    return say(
        '{words}; not tested by itself, because a test of the family "{family}" does not reject', words=words, family=kind.after
    )


def recomputation_table(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> Table | None:
    """Return the headline numbers beside those of a library that shares no code with the engine."""
    rows = tuple(_recomputed(result, part, setting) for result in outcomes for part in result.recomputations)
    if not rows:
        return None
    say = setting.say
    columns = (
        Column(say("Outcome"), numeric=False),
        Column(say("Recomputed with"), numeric=False),
        Column(say("Estimate")),
        Column(say("again")),
        Column(say("Standard error")),
        Column(say("again")),
        Column(say("Agreement"), numeric=False),
    )
    return Table(
        "recomputation",
        say("The headline numbers, computed twice"),
        columns,
        rows,
        (
            say("Compared are model-based standard errors, on which the corrections for few institutions build."),
            *_where_it_began(outcomes, setting),
            say(
                "Agree: neither the estimate nor its standard error differs by more than {share} of the standard error.",
                share=setting.show.percent(AGREEMENT),
            ),
        ),
    )


def _where_it_began(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> tuple[str, ...]:
    """Say what agreement with a search that begins at this program's estimates means."""
    if not any(
        part.software == "statsmodels" for result in outcomes for part in result.recomputations if part.model == result.model
    ):
        return ()
    return (
        setting.say(
            "For a mixed model, statsmodels begins its search at the variances found here: "
            "where the two agree, another program's likelihood has its maximum here."
        ),
    )


def rechecks_table(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> Table | None:
    """Return tests, intervals, ICC, effect sizes and adjusted p-values beside a plain second computation of them."""
    say = setting.say
    jackknifed = any(one.quantity == "jackknife_estimate" for result in outcomes for one in result.rechecks)
    rows = tuple(
        _rechecked(result, i, found, setting, jackknifed=jackknifed)
        for result in outcomes
        for i, effect in enumerate(result.effects)
        if (found := {one.quantity: one for one in result.rechecks if one.arm == effect.arm})
    )
    if not rows:
        return None
    columns = (
        Column(say("Outcome"), numeric=False),
        Column(say("Standard error")),
        Column(say("df")),
        Column(say("p-value")),
        Column(say("Interval")),
        Column(say("ICC")),
        Column(say("Effect size")),
        Column(say("Adjusted p-value")),
        Column(say("CR2: standard error")),
        Column(say("CR2: df")),
        *((Column(say("Jackknife: estimate")), Column(say("Jackknife: standard error"))) if jackknifed else ()),
        Column(say("Agreement"), numeric=False),
    )
    notes = (
        say(
            "Below each number the same again: Kenward-Roger, CR2, ICC and effect size by formulas of whole matrices in NumPy, "
            "which share no code with this program and fit the model anew; adjusted p-values by statsmodels."
        ),
        say(
            "Agree: no number differs by more than {share} of itself, or {least}.",
            share=setting.show.percent(AGREEMENT),
            least=setting.show.decimal(LEAST_APART, 4),
        ),
    )
    return Table("rechecks", say("Tests and intervals, computed twice"), columns, rows, notes)


def _rechecked(result: OutcomeResult, i: int, found: Mapping[str, Recheck], setting: Setting, *, jackknifed: bool) -> Row:
    say, show = setting.say, setting.show

    def pair(quantity: str, shown: Callable[[float], str]) -> Cell:
        one = found.get(quantity)
        if one is None:
            return cell(show.decimal(None))
        again = one.again
        return cell(shown(one.value), show.reason(again) if isinstance(again, Unavailable) else shown(again))

    def digits(n: int) -> Callable[[float], str]:
        return lambda value: show.decimal(value, n)

    low, high = found.get("conf_low"), found.get("conf_high")
    interval = cell(show.decimal(None))
    if (
        low is not None
        and high is not None
        and not isinstance(low.again, Unavailable)
        and not isinstance(high.again, Unavailable)
    ):
        interval = cell(show.interval(low.value, high.value, 3), show.interval(low.again, high.again, 3))
    words = {True: say("agree"), False: say("DIFFER"), None: say("nothing to compare")}
    return Row(
        (
            cell(setting.effect_label(result, i), setting.wave(result.wave)),
            pair("std_error", digits(4)),
            pair("df", digits(2)),
            pair("p_value", show.p_value),
            interval,
            pair("icc", digits(4)),
            pair("effect_size", digits(4)),
            pair("adjusted_p", show.p_value),
            pair("cr2_std_error", digits(4)),
            pair("cr2_df", digits(2)),
            *((pair("jackknife_estimate", digits(4)), pair("jackknife_std_error", digits(4))) if jackknifed else ()),
            cell(words[all_agree(tuple(found.values()))]),
        )
    )


def all_agree(found: tuple[Recheck, ...]) -> bool | None:
    """Return whether every number agrees with its second computation, None where none has one."""
    apart = [
        abs(one.value - one.again) <= max(AGREEMENT * abs(one.value), LEAST_APART)
        for one in found
        if not isinstance(one.again, Unavailable)
    ]
    return all(apart) if apart else None


def _model(result: OutcomeResult, part: Recomputation, setting: Setting) -> str:
    """Return which model was fitted again: the planned one, or how another was fitted."""
    if part.model == result.model:
        return setting.say("the planned model")
    return setting.say.note(part.fitted_by) or part.model


def agrees(part: Recomputation) -> bool | None:
    """Return whether two programs agree, None where there is nothing to compare."""
    if isinstance(part.recomputed_estimate, Unavailable) or isinstance(part.recomputed_std_error, Unavailable):
        return None
    apart = (abs(part.recomputed_estimate - part.estimate), abs(part.recomputed_std_error - part.std_error))
    return max(apart) <= AGREEMENT * part.std_error


def _recomputed(result: OutcomeResult, part: Recomputation, setting: Setting) -> Row:
    say, show = setting.say, setting.show
    words = {True: say("agree"), False: say("DIFFER"), None: say("nothing to compare")}[agrees(part)]
    return Row(
        (
            cell(setting.outcome(result), setting.wave(result.wave)),
            cell(part.software, _model(result, part, setting)),
            cell(show.decimal(part.estimate, 4)),
            cell(show.decimal(part.recomputed_estimate, 4)),
            cell(show.decimal(part.std_error, 4)),
            cell(show.decimal(part.recomputed_std_error, 4)),
            cell(words),
        )
    )
