"""CONSORT 2025, with the extension to cluster trials: where this report answers each item, and where it does not.

The items are those of CONSORT 2025 (Hopewell and others 2025, BMJ 389:e081123), said in this report's own words. The extension to
cluster trials (Campbell and others 2012, BMJ 345:e5661) is numbered on CONSORT 2010; each of its items, with its own number after
a C, stands under the item of 2025 that asks for the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from asp_eval.reporting.blocks import Column, Row, Section, Table, cell, paragraphs
from asp_eval.reporting.language import Words

FURTHER = ("averages", "robust", "groups", "waves-together")  # where the further analyses are


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the list.

    Attributes
    ----------
    number : str
    asks : str
    places : tuple of str
        Anchors of what answers it, as far as they are in the report; all of them are linked.
    lacks : str
        What the item asks for as well, that none of the places says; empty if nothing.
    """

    number: str
    asks: str
    places: tuple[str, ...] = ()
    lacks: str = ""


def checklist(say: Words, titles: Mapping[str, str], *, filled: Collection[str] = ()) -> Section:
    """Return the items a cluster trial's report must answer, each with the sections that do.

    Parameters
    ----------
    say : Words
    titles : mapping of str to str
        Of everything in the report that can be referred to, by anchor.
    filled : collection of str
        What study.yaml says, and what is known of the trial: see `asp_eval.reporting.sections.answered`.
    """
    what = say(
        "The items of CONSORT 2025 in this report's own words, with a line for each place. Lines marked C are the items of the "
        "extension to cluster trials (2012); it is numbered on CONSORT 2010, and each stands under the item of 2025 that asks "
        "for the same."
    )
    table = checklist_table(say, titles, set(filled))
    return Section("consort", say("CONSORT 2025 for cluster trials"), (paragraphs(what), table))


def checklist_table(say: Words, titles: Mapping[str, str], filled: set[str]) -> Table:
    """Return each item, what it asks for, and where this report answers it or that it does not."""
    none = cell(say("Not in this report: for the study team to write"))
    columns = tuple(Column(heading, numeric=False) for heading in (say("Item"), say("Asks for"), say("Answered in")))
    known = {"top": say("Title"), **titles}
    lines = []
    for item in (*_before_the_results(say, filled), *_results(say, filled)):
        lacks = say("Not in this report: {what}", what=item.lacks) if item.lacks else ""
        found = [cell(known[place], lacks, anchor=place) for place in item.places if place in known]
        lines += [Row((cell(item.number), cell(item.asks), answer)) for answer in found or [none]]
    return Table("checklist", "", columns, tuple(lines), breaks=True)


def _before_the_results(say: Words, filled: set[str]) -> Iterator[Item]:
    """Yield the items on title, open science, introduction and methods."""

    def told(key: str, place: str) -> tuple[str, ...]:
        return (place,) if key in filled else ()

    yield Item("1a", say("Title says that the trial is randomised"), ("top",))
    yield Item("C1a", say("Title says that it is a cluster trial"), ("top",))
    yield Item("1b", say("Summary of design, methods, results and conclusions"), ("short",))
    yield Item("C1b", say("Summary says that institutions were drawn, and how many"), ("short",))
    yield Item("2", say("Registration"), told("registration", "open"))
    yield Item("3", say("Where the protocol and the plan of analysis can be read"), told("protocol", "open"))
    yield Item("4", say("Who can have the data, and how"), told("data_access", "open"))
    yield Item("5a", say("Who paid, and what part they had"), told("funding", "open"))
    yield Item("5b", say("Conflicts of interest"), told("conflicts", "open"))
    yield Item("6", say("Background"))
    yield Item("C2a", say("Why whole institutions were drawn"))
    yield Item("7", say("Objectives"), ("estimands",))
    yield Item("C2b", say("Whether the objectives are about institutions, children or both"), ("estimands",))
    yield Item("8", say("Whether those concerned took part in design and conduct"))
    unsaid = [say("whether it was to show that one arm is better, or that the arms are alike")]
    if "ratio" not in filled:
        unsaid.append(say("the ratio of the arms"))
    yield Item("9", say("Design and ratio of the arms"), ("plan",), "; ".join(unsaid))
    yield Item(
        "C3a", say("What an institution is, and what the design means for it"), ("plan",), say("what counts as one institution")
    )
    yield Item("10", say("Changes after the trial began, with reasons"), ("changes",), _unsaid_of_changes(say, filled))
    yield Item("11", say("Where the trial took place"), told("where", "place") or told("programme.where", "programme"))
    yield Item("12a", say("Which children could take part"), ("plan",))
    yield Item("C4a", say("Which institutions could take part"))
    yield Item("12b", say("Who could deliver the intervention"), told("programme.who", "programme"))
    compared = say("what the arm compared with was to have")
    yield Item("13", say("What each arm was to have"), told("programme.procedures", "programme"), compared)
    yield Item("C5", say("Whether the intervention is for institutions, children or both"))
    yield Item("14", say("Outcomes, and when they are measured"), ("plan", "trust"))
    yield Item("C6a", say("Whether outcomes are measured on institutions, children or both"), ("plan",))
    yield Item("15", say("How harms were looked for"))
    size = {"planned.institutions": say("how many institutions"), "planned.children": say("how many children in each")}
    yield Item("16a", say("How many institutions and children were planned"), *_planned(size, filled))
    clusters = {
        "planned.children": size["planned.children"],
        "planned.icc": say("their ICC"),
        "": say("how uncertain the ICC is"),
    }
    yield Item("C7a", say("Planned size of institutions, their ICC and how uncertain it is"), *_planned(clusters, filled))
    yield Item("16b", say("Interim analyses and rules to stop"))
    yield Item("17a", say("Who drew the lot, and how"), ("plan",), say("who drew it"))
    yield Item("17b", say("Type of the lot and its strata"), ("plan",))
    yield Item("C8b", say("Strata or pairs of institutions, if there are any"), ("plan",))
    yield Item("18", say("Whether arms could be foreseen"))
    concealed = say("whether the arm was concealed, and from whom")
    yield Item(
        "C9",
        say("That institutions were drawn; whether the arm was concealed from the institution, the child or both"),
        ("plan",),
        concealed,
    )
    yield Item("19", say("Whether those who enrolled and those who assigned knew the lot"))
    yield Item("C10a", say("Who drew the lot, enrolled institutions and assigned them"))
    listed = say("whether the list holds all children of an institution")
    yield Item("C10b", say("How the children of an institution came into the trial"), ("enrolment",), listed)
    yield Item("C10c", say("Who consented, and whether before or after the draw"))
    yield Item("20a", say("Who knew the arm"), told("raters", "limits"), say("whether others than the raters knew it"))
    yield Item("20b", say("How it was kept from those who did not"))
    yield Item("21a", say("Methods of analysis"), ("method",))
    yield Item("C12a", say("How clustering was handled"), ("method",))
    yield Item("21b", say("Who is counted in each analysis, and in which arm"), ("estimands",))
    yield Item("21c", say("How missing data were handled"), ("missing", "method"))
    yield Item("21d", say("Further analyses: subgroups, sensitivity"), FURTHER)


def _results(say: Words, filled: set[str]) -> Iterator[Item]:
    """Yield the items on results and discussion."""
    received = "" if "flow.received" in filled else say("who received the intervention")
    yield Item("22a", say("Flow of each arm"), ("flow",), received)
    yield Item("C13a", say("Institutions drawn, with the intervention received, and analysed"), ("flow",), received)
    yield Item("22b", say("Losses and exclusions, with reasons"), ("flow",))
    yield Item("C13b", say("Losses and exclusions of institutions and of children"), ("flow",))
    recruited = say("when institutions and children were recruited")
    yield Item("23a", say("Dates of recruitment and of measurement"), _dated(filled), recruited)
    yield Item("23b", say("Why the trial ended, if early"))
    yield Item("24a", say("What the arms really had"), _had(filled))
    yield Item("24b", say("What else they had at the same time"), ("contact",) if "projects" in filled else ())
    yield Item("25", say("Baseline of each arm"), ("baseline",))
    yield Item("C15", say("Baseline of institutions and of children"), ("baseline",))
    yield Item("26", say("Numbers, effects and their precision for each outcome"), ("found", "analysed", "analysed-others"))
    yield Item("C16", say("Institutions of each arm in each analysis"), ("analysed", "analysed-others"))
    yield Item("C17a", say("The ICC of each primary outcome"), ("found",))
    yield Item("27", say("Harms in each arm"), ("harms",), say("unwanted events of other kinds than a worse outcome"))
    yield Item("28", say("Results of the further analyses"), FURTHER)
    weighed = say("a weighing against harms and against other studies")
    yield Item("29", say("What it means, harms and benefits weighed"), ("short",), weighed)
    yield Item("30", say("Limits: bias, precision, to whom it carries over"), ("limits",))
    yield Item("C21", say("To which institutions and children it carries over"), ("limits",))


def _planned(parts: Mapping[str, str], filled: set[str]) -> tuple[tuple[str, ...], str]:
    """Return where some parts of the planned size are told, and which of them are not."""
    missing = [words for key, words in parts.items() if key not in filled]
    return ("realised",) if len(missing) < len(parts) else (), "; ".join(missing)


def _unsaid_of_changes(say: Words, filled: set[str]) -> str:
    """Return what the section on changes cannot tell."""
    if "locked" not in filled:
        return say("whether anything was changed, and why")
    return "" if "unchanged" in filled else say("why it was changed")


def _dated(filled: set[str]) -> tuple[str, ...]:
    """Return where the report says when the trial took place, and each of its rounds."""
    places = {"dates": "place", "rounds": "plan"}
    return tuple(place for key, place in places.items() if key in filled)


def _had(filled: set[str]) -> tuple[str, ...]:
    """Return where the report says what the arms really had."""
    places = {"dose": "contact", "flow.received": "flow", "programme.actual_fidelity": "programme"}
    return tuple(place for key, place in places.items() if key in filled)
