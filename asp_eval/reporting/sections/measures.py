"""How far the measures can be trusted: reliability, and the forms that children were rated on."""

from __future__ import annotations

from asp_eval.analysis.results import Estimated, FormSwitches, Reliability, Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Cell, Column, Row, Section, Table, cell, paragraphs
from asp_eval.reporting.setting import Setting


def measures(results: Results, setting: Setting) -> Section:
    """Return how far the measures can be trusted."""
    none = setting.say("Reliability is not reported: the scores came without their items.")
    forms = forms_table(results.switches, setting)
    blocks = (reliability_table(results.reliabilities, setting) or paragraphs(none), *((forms,) if forms else ()))
    return Section("trust", setting.say("How far the measures can be trusted"), blocks)


def _alpha(alpha: Estimated, setting: Setting) -> tuple[Cell, Cell]:
    """Return an alpha and its interval."""
    show = setting.show
    if isinstance(alpha, Unavailable):
        return cell(show.reason(alpha)), cell(show.interval(None, None))
    return cell(show.decimal(alpha.estimate)), cell(show.interval(alpha.conf_low, alpha.conf_high))


def reliability_table(reliabilities: tuple[Reliability, ...], setting: Setting) -> Table | None:
    """Return Cronbach's alpha of each scale, None if there are none."""
    if not reliabilities:
        return None
    say, show = setting.say, setting.show
    rows = tuple(
        Row(
            (
                cell(
                    say.label(r.label, r.scale), say("{wave}; {instrument}", wave=setting.wave(r.wave), instrument=r.instrument)
                ),
                cell(show.integer(r.n)),
                *_alpha(r.alpha, setting),
            )
        )
        for r in reliabilities
    )
    columns = (
        Column(say("Scale"), numeric=False),
        Column(say("Children")),
        Column(say("Cronbach's alpha")),
        Column(say("{level} interval", level=show.level(setting.study.analysis.level))),
    )
    return Table("reliability", say("How well the items of a scale hang together"), columns, rows)


def forms_table(switches: tuple[FormSwitches, ...], setting: Setting) -> Table | None:
    """Return how many children were rated on each form of an instrument family, None if there are no families."""
    if not switches:
        return None
    say, show = setting.say, setting.show
    forms = sorted({form for part in switches for form in part.forms})
    rows = tuple(
        Row(
            (
                cell(setting.heading(setting.wave(part.wave)), part.family),
                *(cell(show.integer(part.forms.get(form, 0))) for form in forms),
                cell(show.integer(part.switched)),
            )
        )
        for part in switches
    )
    headings = (*forms, say("Changed form since the start"))
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
