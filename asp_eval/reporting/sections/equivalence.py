"""The arms at the start compared on everything at once, and the baseline scores of the children analysed."""

from __future__ import annotations

from asp_eval.analysis.integrity import Equivalence
from asp_eval.analysis.results import Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Column, Row, Table, cell
from asp_eval.reporting.language import as_sentence
from asp_eval.reporting.sections.outcomes import primary_outcomes
from asp_eval.reporting.setting import Setting


def omnibus_words(results: Results, setting: Setting) -> tuple[str, ...]:
    """Say whether the institutions of the arms differed more than the lot makes them."""
    found, say, show = results.integrity, setting.say, setting.show
    if found is None:
        return ()
    test = found.omnibus
    if isinstance(test, Unavailable):
        return (
            as_sentence(
                say("The institutions could not be compared on everything at once: {reason}", reason=say.note(test.reason))
            ),
        )
    fields = {"p": show.p_equation(test.p_value), "n": show.integer(test.draws)}
    how = (
        say("compared with all {n} possible allocations, {p}", **fields)
        if test.exact
        else say("compared with {n} other allocations of the same lot, {p}", **fields)
    )
    if test.p_value < round(1 - setting.study.analysis.level, 12):  # 1 - 0.95 is a little above 0.05, and p can be 0.05 exactly
        return (
            say(
                "Taken together, the institutions of the arms differed more than such a lot commonly makes them "
                "({how}). So rare a "
                "draw can be chance; ask as well whether institutions or children entered after the arms were known.",
                how=how,
            ),
        )
    return (
        say(
            "Taken together, the institutions of the arms differed no more than such a lot commonly makes them ({how}).", how=how
        ),
    )


def equivalence_words(results: Results, setting: Setting) -> tuple[str, ...]:
    """Say how alike the children analysed for the primary outcomes were at the start."""
    if results.integrity is None:
        return ()
    primary = {result.outcome: setting.outcome_at(result) for result in primary_outcomes(results.outcomes)}
    several = len(setting.compared) > 1
    return tuple(
        setting.say(
            "Baseline score of the children analysed for {outcome}: {verdict}.",
            outcome=", ".join([primary[one.outcome], *([setting.arm(one.arm)] if several else [])]),
            verdict=_verdict(one, setting),
        )
        for one in results.integrity.equivalence
        if one.outcome in primary and one.verdict is not None
    )


def equivalence_table(results: Results, setting: Setting) -> Table | None:
    """Return the baseline equivalence of the children analysed, outcome by outcome; None where no outcome has a baseline."""
    if results.integrity is None or not results.integrity.equivalence:
        return None
    say = setting.say
    names = {result.outcome: setting.outcome_at(result) for result in results.outcomes}
    several = len(setting.compared) > 1
    columns = (
        Column(say("Outcome"), numeric=False),
        Column("g"),
        Column("ICC"),
        Column(say("Children")),
        Column(say("Institutions")),
        Column(say("By the standard"), numeric=False),
    )
    rows = []
    for one in (one for one in results.integrity.equivalence if one.outcome in names):
        name = f"{names[one.outcome]}, {setting.arm(one.arm)}" if several else names[one.outcome]
        rows.append(_row(one, name, setting))
    notes = (
        say(
            "g: difference of the baseline scores in standard deviations, corrected for clustering and small samples (What Works "
            "Clearinghouse, Handbook 5.0; Hedges 2007). ICC: of the baseline score, with arm and strata.",
        ),
        say(
            "By that standard: at most 0.05 is alike; up to 0.25 is alike enough if the analysis adjusts for it; more is not. "
            "Under a sound lot with low loss it is a yardstick, not a condition.",
        ),
    )
    return Table("equivalence", say("Baseline scores of the children analysed"), columns, tuple(rows), notes)


def _row(one: Equivalence, name: str, setting: Setting) -> Row:
    show = setting.show
    if isinstance(one.g, Unavailable):
        return Row((cell(name), cell(show.reason(one.g), wide=5)))
    return Row(
        (
            cell(name),
            cell(show.decimal(one.g, 3)),
            cell(show.decimal(one.icc, 3)),
            cell(show.integer(one.children)),
            cell(show.integer(one.institutions)),
            cell(_words(one, setting)),
        )
    )


def _verdict(one: Equivalence, setting: Setting) -> str:
    return setting.say("g = {g}, {words}", g=setting.show.decimal(one.g, 3), words=_words(one, setting))


def _words(one: Equivalence, setting: Setting) -> str:
    say = setting.say
    if one.verdict == "satisfied":
        return say("alike (at most 0.05)")
    if one.verdict == "adjust":
        return (
            say("alike enough, as the model adjusts for it (0.05 to 0.25)")
            if one.adjusted
            else say("must be adjusted for, and the model does not (0.05 to 0.25)")
        )
    return say("not alike (above 0.25)")
