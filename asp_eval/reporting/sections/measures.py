"""How far the measures can be trusted: reliability, and the forms that children were rated on."""

from __future__ import annotations

from asp_eval.analysis.results import Estimated, FormSwitches, Number, Reliability, Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Cell, Column, Row, Section, Table, cell, paragraphs
from asp_eval.reporting.setting import Setting


def measures(results: Results, setting: Setting) -> Section:
    """Return how far the measures can be trusted."""
    none = setting.say("Reliability is not reported: the scores came without their items.")
    forms = forms_table(results.switches, setting)
    by_arm = reliability_by_arm(results.reliabilities, setting)
    first = reliability_table(tuple(one for one in results.reliabilities if not one.arm), setting)
    blocks = (first or paragraphs(none), *((by_arm,) if by_arm else ()), *((forms,) if forms else ()))
    return Section("trust", setting.say("How far the measures can be trusted"), blocks)


def _alpha(alpha: Estimated, setting: Setting) -> tuple[Cell, Cell]:
    """Return an alpha and its interval."""
    show = setting.show
    if isinstance(alpha, Unavailable):
        return cell(show.reason(alpha)), cell(show.interval(None, None))
    if alpha.conf_low is None:
        return cell(show.decimal(alpha.estimate)), cell(setting.say.note(alpha.note))
    return cell(show.decimal(alpha.estimate)), cell(show.interval(alpha.conf_low, alpha.conf_high))


def reliability_table(reliabilities: tuple[Reliability, ...], setting: Setting) -> Table | None:
    """Return the reliability of each scale, None if there are none."""
    if not reliabilities:
        return None
    say, show = setting.say, setting.show
    rows = tuple(
        Row(
            (
                cell(
                    say.label(r.label, r.scale),
                    say("{wave}; {instrument}", wave=setting.wave(r.wave), instrument=setting.form(r.instrument)),
                ),
                cell(show.integer(r.n)),
                *_alpha(r.alpha, setting),
                cell(_number(r.omega, setting)),
                cell(_number(r.ordinal_alpha, setting)),
            )
        )
        for r in reliabilities
    )
    columns = (
        Column(say("Scale"), numeric=False),
        Column(say("Children")),
        Column(say("Cronbach's alpha")),
        Column(say("{level} interval", level=setting.level)),
        Column(say("Omega total")),
        Column(say("Ordinal alpha")),
    )
    return Table("reliability", say("How well the items of a scale hang together"), columns, rows, _notes(setting))


def _notes(setting: Setting) -> tuple[str, ...]:
    say = setting.say
    return (
        say("Of the children analysed for the scale's outcomes who answered all items at the round, in all arms together."),
        say(
            "The interval knows that children of one institution are alike: institutions are drawn again and again (20 or more), "
            "or left out one at a time (5 to 19); with fewer there is none."
        ),
        say(
            "Omega total: of one factor common to the items, which may weigh unequally. Ordinal alpha: of polychoric "
            "correlations, as if the few answers were cut from a continuous scale; it is about that scale and not about "
            "the score."
        ),
    )


def reliability_by_arm(reliabilities: tuple[Reliability, ...], setting: Setting) -> Table | None:
    """Return Cronbach's alpha of each scale in each arm, None if there are none."""
    arms = [one for one in reliabilities if one.arm]
    if not arms:
        return None
    say, order = setting.say, setting.study.arms
    rows = []
    for r in (one for one in arms if one.arm == order[0]):
        same = {one.arm: one for one in arms if (one.instrument, one.scale, one.wave) == (r.instrument, r.scale, r.wave)}
        where = say("{wave}; {instrument}", wave=setting.wave(r.wave), instrument=setting.form(r.instrument))
        found = [same[arm] for arm in order if arm in same]
        rows.append(Row((cell(say.label(r.label, r.scale), where), *(_in_arm(one, setting) for one in found))))
    columns = (Column(say("Scale"), numeric=False), *(Column(setting.arm_heading(arm)) for arm in order))
    note = say("Cronbach's alpha with its interval, and the children.")
    return Table("reliability-arms", say("How well the items hang together in each arm"), columns, tuple(rows), (note,))


def _in_arm(one: Reliability, setting: Setting) -> Cell:
    show, alpha = setting.show, one.alpha
    if isinstance(alpha, Unavailable):
        return cell(show.reason(alpha))
    interval = "" if alpha.conf_low is None else show.interval(alpha.conf_low, alpha.conf_high)
    return cell(show.decimal(alpha.estimate), interval, show.bracketed(show.integer(one.n)))


def _number(found: Number | None, setting: Setting) -> str:
    show = setting.show
    return show.reason(found) if isinstance(found, Unavailable) else show.decimal(found)


def forms_table(switches: tuple[FormSwitches, ...], setting: Setting) -> Table | None:
    """Return how many children were rated on each form of an instrument family, None if there are no families."""
    if not switches:
        return None
    say, show = setting.say, setting.show
    forms = sorted({form for part in switches for form in part.forms})
    rows = tuple(
        Row(
            (
                cell(setting.heading(setting.wave(part.wave)), setting.form(part.family)),
                *(cell(show.integer(part.forms.get(form, 0))) for form in forms),
                cell(show.integer(part.switched)),
            )
        )
        for part in switches
    )
    headings = (*map(setting.form, forms), say("Changed form since the start"))
    columns = (Column(say("Round"), numeric=False), *(Column(heading) for heading in headings))
    return Table(
        "forms",
        say("Children by the form they were rated on"),
        columns,
        rows,
        (
            say(
                "A child's age decides the form. The forms differ in a few items, so scores of children who changed form are not "
                "strictly comparable.",
            ),
        ),
    )
