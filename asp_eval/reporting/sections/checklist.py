"""CONSORT 2025, with the extension to cluster trials: where this report answers each item, and where it does not.

The items are those of CONSORT 2025 (Hopewell and others 2025, BMJ 389:e081123), said in this report's own words. The extension to
cluster trials (Campbell and others 2012, BMJ 345:e5661) is numbered on CONSORT 2010; its additions stand with the item of 2025
that asks for the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from asp_eval.reporting.blocks import Column, Row, Section, Table, cell, paragraphs
from asp_eval.reporting.language import Words


def checklist(say: Words, titles: Mapping[str, str], *, filled: Collection[str] = ()) -> Section:
    """Return the items a cluster trial's report must answer, each with the section that does.

    Parameters
    ----------
    say : Words
    titles : mapping of str to str
        Of everything in the report that can be referred to, by anchor.
    filled : collection of str
        What study.yaml says, and what is known of the trial: see `asp_eval.reporting.sections.answered`.
    """
    what = say(
        "The items of CONSORT 2025 in this report's own words. The extension to cluster trials (2012) is numbered on CONSORT "
        "2010: what it adds is marked C, with the item of 2025 that asks for the same."
    )
    table = checklist_table(say, titles, set(filled))
    return Section("consort", say("CONSORT 2025 for cluster trials"), (paragraphs(what), table))


def checklist_table(say: Words, titles: Mapping[str, str], filled: set[str]) -> Table:
    """Return each item, what it asks for, and where this report answers it or that it does not."""
    rows: tuple[tuple[str, str, str | tuple[str, ...]], ...] = (
        ("1a", say("Title says that the trial is randomised; C: by institution"), "top"),
        ("1b", say("Summary of design, methods, results and conclusions"), "short"),
        ("2", say("Registration"), "open" if "registration" in filled else ""),
        ("3", say("Where the protocol and the plan of analysis can be read"), "open" if "protocol" in filled else "changes"),
        ("4", say("Who can have the data, and how"), "open" if "data_access" in filled else ""),
        ("5a", say("Who paid, and what part they had"), "open" if "funding" in filled else ""),
        ("5b", say("Conflicts of interest"), "open" if "conflicts" in filled else ""),
        ("6", say("Background; C: why whole institutions were drawn"), ""),
        ("7", say("Objectives; C: for institutions, children or both"), "estimands"),
        ("8", say("Whether those concerned took part in design and conduct"), ""),
        ("9", say("Design and ratio of the arms; C: what an institution is"), "plan"),
        ("10", say("Changes after the trial began, with reasons"), "changes"),
        ("11", say("Where the trial took place"), _where(filled)),
        ("12a", say("Who could take part; C: institutions and children"), "plan"),
        ("12b", say("Who could deliver the intervention"), "programme" if "programme.who" in filled else ""),
        ("13", say("What each arm was to have"), "programme" if "programme.procedures" in filled else ""),
        ("14", say("Outcomes, when and on whom they are measured"), "plan"),
        ("15", say("How harms were looked for"), "harms"),
        (
            "16a",
            say("How many institutions and children were planned; C: with the ICC"),
            "realised" if "planned" in filled else "",
        ),
        ("16b", say("Interim analyses and rules to stop"), ""),
        ("17a", say("Who drew the lot, and how"), "plan"),
        ("17b", say("Type of the lot and its strata; C: by institution"), "plan"),
        ("18", say("Whether arms could be foreseen; C: at the institution, the child or both"), ""),
        ("19", say("Who enrolled and who assigned; C: consent before or after the draw"), ""),
        ("20a", say("Who knew the arm"), "limits"),
        ("20b", say("How it was kept from those who did not"), ""),
        ("21a", say("Methods of analysis; C: how clustering was handled"), "method"),
        ("21b", say("Who is counted in each analysis, and in which arm"), "estimands"),
        ("21c", say("How missing data were handled"), ("missing", "method")),
        ("21d", say("Further analyses: subgroups, sensitivity"), ("robust", "groups", "waves-together")),
        ("22a", say("Flow of each arm; C: institutions and children"), "flow"),
        ("22b", say("Losses and exclusions, with reasons; C: both levels"), "flow"),
        ("23a", say("Dates of recruitment and of measurement"), "plan" if "dates" in filled else ""),
        ("23b", say("Why the trial ended, if early"), ""),
        ("24a", say("What the arms really had"), _had(filled)),
        ("24b", say("What else they had at the same time"), "contact" if "projects" in filled else ""),
        ("25", say("Baseline of each arm; C: institutions and children"), "baseline"),
        ("26", say("Numbers, effects and their precision for each outcome; C: with the ICC"), "found"),
        ("27", say("Harms in each arm"), "harms"),
        ("28", say("Results of the further analyses"), ("robust", "groups", "waves-together")),
        ("29", say("What it means, harms and benefits weighed"), "short"),
        ("30", say("Limits: bias, precision, to whom it carries over; C: institutions and children"), "limits"),
    )
    none = say("Not in this report: for the study team to write")
    columns = tuple(Column(heading, numeric=False) for heading in (say("Item"), say("Asks for"), say("Answered in")))
    known = {"top": say("Title"), **titles}
    lines = []
    for item, asks, places in rows:
        wanted = (places,) if isinstance(places, str) else places
        anchor = next((place for place in wanted if place in known), "")
        lines.append(Row((cell(item), cell(asks), cell(known.get(anchor, none), anchor=anchor))))
    return Table("checklist", "", columns, tuple(lines), breaks=True)


def _where(filled: set[str]) -> str:
    """Return where the report says where the trial took place."""
    return "place" if "where" in filled else "programme" if "programme.where" in filled else ""


def _had(filled: set[str]) -> str:
    """Return where the report says what the arms really had."""
    return "contact" if "received" in filled else "programme" if "programme.actual_fidelity" in filled else ""
