"""CONSORT 2010, extension to cluster trials (BMJ 345:e5661): where this report answers each item, and where it does not."""

from __future__ import annotations

from asp_eval.reporting.blocks import Column, Row, Section, Table, cell, paragraphs
from asp_eval.reporting.language import Words


def checklist(say: Words) -> Section:
    """Return the items a cluster trial's report must answer beyond the usual."""
    what = say(
        "The items of CONSORT 2010 with its extension to cluster trials (BMJ 345:e5661) that concern the design as a cluster "
        "trial, and where this report answers them."
    )
    return Section("consort", say("Appendix: CONSORT for cluster trials"), (paragraphs(what), checklist_table(say)))


def checklist_table(say: Words) -> Table:
    """Return each item, what it asks for, and where this report answers it or that it does not."""
    plan, flow, start = say("What was planned"), say("Who took part"), say("The arms at the start")
    found, made, missing = say("What was found"), say("How the numbers were made"), ""
    rows = (
        ("1a", say("Title says that the trial is cluster-randomised"), "top", say("Title")),
        ("2a", say("Why whole institutions were drawn"), "", missing),
        ("3a", say("Design and ratio of the arms"), "plan", plan),
        (
            "4a",
            say("Eligibility of institutions and of children"),
            "plan",
            say(
                "Children: What was planned. Institutions: not in this report",
            ),
        ),
        ("5", say("What each arm did"), "", missing),
        ("6a", say("Outcomes, and that they are measured on the child"), "plan", plan),
        ("7a", say("Sample size: institutions, children per institution, ICC assumed"), "", missing),
        ("8b", say("Type of the lot and its strata"), "plan", plan),
        (
            "9",
            say("Allocation by institution, and its concealment"),
            "plan",
            say(
                "Allocation: What was planned. Concealment: not in this report",
            ),
        ),
        ("10", say("Who enrolled and consented, before or after the draw"), "", missing),
        ("11a", say("Who knew the arm"), "limits", say("Limits")),
        ("12a", say("How clustering was handled"), "method", made),
        ("13a", say("Flow of institutions and children per arm"), "flow", flow),
        ("13b", say("Losses and exclusions, with reasons"), "flow", flow),
        ("15", say("Baseline of institutions and of children"), "baseline", start),
        ("16", say("Numbers of institutions and children in each analysis"), "found", found),
        ("17a", say("Effect with its precision, and ICC, for each primary outcome"), "found", found),
        ("20", say("Limits, sources of bias"), "limits", say("Limits")),
        ("21", say("Generalisability to institutions and children"), "limits", say("Limits")),
        ("23–25", say("Registration, protocol, funding"), "", missing),
    )
    none = say("Not in this report: for the study team to write")
    columns = tuple(Column(heading, numeric=False) for heading in (say("Item"), say("Asks for"), say("Answered in")))
    lines = (Row((cell(item), cell(asks), cell(where or none, anchor=anchor))) for item, asks, anchor, where in rows)
    return Table("checklist", "", columns, tuple(lines), breaks=True)
