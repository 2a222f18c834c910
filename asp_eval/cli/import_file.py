"""``asp-eval import``: one export into the study, or the draft of its mapping."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asp_eval.cli.app import HERE, AsJson, StudyFolder, verb
from asp_eval.cli.console import complain, print_json, print_problems, progress, say, spoken
from asp_eval.cli.language import words
from asp_eval.core.errors import DataProblems
from asp_eval.core.phrases import Phrase

if TYPE_CHECKING:
    from asp_eval.workflow.import_file import ImportReport
    from asp_eval.workflow.propose import ProposedMapping

TO_SCREEN = Path("-")


@verb("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    table: Annotated[
        str | None,
        typer.Option(
            "--table",
            metavar="T",
            help="institutions, children, ...; a --wave alone tells screening or staff_survey.",
        ),
    ] = None,
    wave: Annotated[str | None, typer.Option("--wave", metavar="W", help="The wave the file belongs to.")] = None,
    mapping: Annotated[
        Path | None,
        typer.Option("--mapping", metavar="M", help="Which columns and labels are ours; default: FILE.mapping.yaml, if there."),
    ] = None,
    part: Annotated[
        str | None,
        typer.Option("--part", metavar="P", help="The part that the file is, if the table or wave comes in several: aarhus."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="The file is the whole: what the one before had and this one has not, vanishes.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, store nothing.")] = False,
    propose: Annotated[bool, typer.Option("--propose", help="Write a draft of FILE.mapping.yaml, and import nothing.")] = False,
    xlsx: Annotated[
        bool,
        typer.Option("--xlsx", help="With --propose: write it as a sheet to fill in, FILE.mapping.xlsx."),
    ] = False,
    study: StudyFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Bring one export into the study.

    Every row is in the study afterwards, or in quarantine with the reason and the cure: output/quarantine holds those rows to
    correct and to import again. With --propose, a mapping is written beside the file, a reason on every line; --mapping - shows
    it instead.

    A table or wave that comes in several files, one for each municipality or one for each questionnaire, is imported with --part
    and a name for each; the files of one wave are joined by child.

    Example: asp-eval import wave1.csv --table screening --wave w1
    """
    from asp_eval.workflow.open_study import open_study

    if xlsx and not propose:
        raise typer.BadParameter(Phrase("--xlsx goes with --propose: it writes the draft as a sheet"))
    opened = open_study(study)
    if propose:
        from asp_eval.workflow.propose import propose as draft

        shown = mapping == TO_SCREEN
        with progress("propose") as step:
            proposed = draft(opened, file, table, wave, part=part, write=not (shown or as_json), xlsx=xlsx, progress=step)
        show_proposal(proposed, file, as_json=as_json)
        return
    from asp_eval.workflow.import_file import import_file

    try:
        with progress("import") as step:
            report = import_file(
                opened, file, table, wave=wave, mapping=mapping, part=part, replace=replace, dry_run=dry_run, progress=step
            )
    except DataProblems as error:
        name_pages(error.pages)
        raise
    if as_json:
        inside = dataclasses.replace(report, problems=tuple(problem.within(words()) for problem in report.problems))
        print_json(inside.as_dict())
    else:
        show(report)
    if report.quarantined or report.waiting:
        raise typer.Exit(1)


def show(report: ImportReport) -> None:
    """Print what became of a file."""
    print_problems(report.problems)
    say(report.account)
    name_pages(report.pages)


def name_pages(pages: Sequence[str]) -> None:
    """Say, beside the result, where the lists of faults are that people can be sent."""
    if pages:
        told = Phrase(
            "What is wrong stands in {folder}: faults.csv and all.html are for you, the other pages for one institution each.",
            folder=Path(pages[0]).parent.as_posix(),
        )
        complain(told)


def show_proposal(found: ProposedMapping, file: Path, *, as_json: bool) -> None:
    """Print a proposed mapping, or what was written and what is to be done with it."""
    following = f"asp-eval import {shlex.quote(str(file))} {found.trial_options}"
    if as_json:
        told = {"table": found.table, "wave": found.wave, "complete": found.complete, "mapping": found.mapping}
        print_json({**told, "next": following})
        return
    if found.written is None:
        print(found.mapping, end="")
        return
    where = Phrase("{table} at {wave}", table=found.table, wave=found.wave) if found.wave else found.table
    say(
        Phrase(
            "{file} is written: how {source} is read into {where}. Every line says why.",
            file=found.written.name,
            source=found.source,
            where=where,
        )
    )
    for line in found.account:
        say(f"  {spoken(line)}")
    say(Phrase("Read it through. Then:") if found.complete else Phrase("Decide in that file on what is open. Then:"))
    print(f"  {following}")
