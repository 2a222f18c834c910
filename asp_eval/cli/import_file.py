"""``asp-eval import``: one export into the study."""

from __future__ import annotations

import dataclasses
import shlex
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asp_eval.cli.app import HERE, AsJson, Language, StudyFolder, app, words_of
from asp_eval.cli.console import phases, print_json, print_problems, say
from asp_eval.core.errors import DataProblems, Fault
from asp_eval.core.phrases import Phrase, Translation

if TYPE_CHECKING:
    from asp_eval.trial.study.design import Study

NO_WAVE = Fault("CLI-002", "the table {table} needs a wave", "Add --wave with one of: {waves}.")

NO_TABLE = Fault(
    "CLI-006", "--table is missing",
    "Say which table the file is for; 'asp-eval import FILE --propose' finds out, and drafts the mapping.",
)  # fmt: skip
TO_SCREEN = Path("-")
SHARES = {"reading": 0.5, "checking": 0.2, "storing": 0.3}  # of the time that a long CSV file takes


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    table: Annotated[
        str | None,
        typer.Option("--table", metavar="T", help="institutions, children, screening, staff_survey, staff, interviews, ..."),
    ] = None,
    wave: Annotated[str | None, typer.Option("--wave", metavar="W", help="The wave the file belongs to.")] = None,
    mapping: Annotated[
        Path | None,
        typer.Option("--mapping", metavar="M", help="Which columns and labels are ours; default: FILE.mapping.yaml, if there."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="The file is the whole: what the one before had and this one has not, vanishes.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, store nothing.")] = False,
    propose: Annotated[bool, typer.Option("--propose", help="Write a draft of FILE.mapping.yaml, and import nothing.")] = False,
    study: StudyFolder = HERE,
    language: Language = None,
    as_json: AsJson = False,
) -> None:
    """Bring one export into the study.

    Every row is in the study afterwards, or in quarantine with the reason and the cure: output/quarantine holds those rows to
    correct and to import again. With --propose, a mapping is written beside the file, a reason on every line; --mapping - shows
    it instead.

    Example: asp-eval import wave1.csv --table screening --wave w1
    """
    from asp_eval.trial.study.protocol import load_study
    from asp_eval.workflow.import_file import import_file
    from asp_eval.workflow.problem_pages import write_problem_pages, write_refused_pages

    words = words_of(language)
    declared = load_study(study)
    if propose:
        _propose(declared, file, table, wave, shown=as_json or mapping == TO_SCREEN, as_json=as_json)
        return
    if table is None:
        NO_TABLE.refuse(file.name)
    collection = getattr(declared.collect, table, None)
    if collection is not None and wave is None:
        NO_WAVE.refuse(table=table, waves=", ".join(collection.waves))
    try:
        with phases("import", SHARES) as progress:
            report = import_file(
                declared, file, table, wave=wave, mapping=mapping, replace=replace, dry_run=dry_run, progress=progress
            )
    except DataProblems as error:
        if not dry_run:
            _told_to_people(write_refused_pages(declared, error, table, wave), declared, words)
        raise
    pages = () if dry_run else write_problem_pages(declared, report)
    if as_json:
        inside = dataclasses.replace(report, problems=tuple(problem.within(words) for problem in report.problems))
        print_json(inside.as_dict() | {"pages": [str(path.relative_to(declared.folder)) for path in pages]})
    else:
        print_problems(report.problems, words=words)
        say(report.account.told(words))
        _told_to_people(pages, declared, words)
    if report.quarantined or report.waiting:
        raise typer.Exit(1)


def _told_to_people(pages: Sequence[Path], study: Study, words: Translation) -> None:
    """Say, beside the result, where the lists of faults are that people can be sent."""
    if pages:
        folder = pages[0].parent.relative_to(study.folder).as_posix()
        told = Phrase(
            "What is wrong stands in {folder}: faults.csv and all.html are for you, the other pages for one institution each.",
            folder=folder,
        )
        print(textwrap.fill(told.told(words), 80), file=sys.stderr)


def _propose(study: Study, file: Path, table: str | None, wave: str | None, *, shown: bool, as_json: bool) -> None:
    """Draft a mapping; write it beside the file, or show it."""
    from asp_eval.intake.proposing.drafting import draft
    from asp_eval.intake.proposing.proposing import propose, write_proposal

    with phases("propose", {"reading": 1}) as progress:
        found = propose(study, file, table, wave, progress=lambda done, total: progress("reading", done / total))
    text = draft(found)
    target = f"--table {found.table}" + (f" --wave {found.wave}" if found.wave else "")
    following = f"asp-eval import {shlex.quote(str(file))} {target} --dry-run"
    if as_json:
        print_json({"table": found.table, "wave": found.wave, "complete": found.complete, "mapping": text, "next": following})
        return
    if shown:
        print(text, end="")
        return
    written = write_proposal(file, text)
    where = f"{found.table} at {found.wave}" if found.wave else found.table
    say(f"{written.name} is written: how {found.source} is read into {where}. Every line says why.")
    for line in found.account():
        say(f"  {line}")
    say("Read it through. Then:" if found.complete else "Decide in that file on what is open. Then:")
    print(f"  {following}")
