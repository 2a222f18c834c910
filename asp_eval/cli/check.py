"""``asp-eval check``: is the study whole, and what comes next; or is its ledger whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asp_eval.cli.app import HERE, AsJson, StudyFolder, verb
from asp_eval.cli.console import plain_problems, print_json, print_problems, print_table, say, spoken
from asp_eval.core.phrases import Phrase, all_of

if TYPE_CHECKING:
    from asp_eval.workflow.check import Audit, StudyCheck

SAME = Phrase("The stored tables are what the files in data/ give, cell by cell.")
NOT_COMPARED = Phrase("No printed head was compared: entries taken from the end would not be seen. Give one with --head.")


@verb()
def check(
    ledger: Annotated[
        bool, typer.Option("--ledger", help="Check instead that nothing in the sealed ledger was changed.")
    ] = False,
    head: Annotated[
        str | None, typer.Option("--head", metavar="HASH", help="With --ledger: a head that was printed, or its first digits.")
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="With --ledger: make the tables again from data/, and compare cell by cell.")
    ] = False,
    study: StudyFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Check study.yaml and the imports, and say what comes next.

    With --ledger, check that the ledger is as it was written, and has the head that was printed. With --ledger --deep, make
    the stored tables again from the files in data/ as well, in a temporary folder, and list what is not the same.

    Example: asp-eval check
    """
    from asp_eval.workflow.check import Audit, check_ledger, check_study
    from asp_eval.workflow.open_study import open_study

    opened = open_study(study)
    found = check_ledger(opened, head, deep=deep) if ledger or head or deep else check_study(opened)
    if as_json:
        told = {"not_compared": [spoken(part) for part in found.not_compared]} if isinstance(found, Audit) else {}
        print_json(found.as_dict() | told | {"problems": plain_problems(found.problems)})
    else:
        show(found)
    if found.errors:
        raise typer.Exit(1)


def show(found: StudyCheck | Audit) -> None:
    """Print what a check found."""
    from asp_eval.workflow.check import Audit

    if isinstance(found, Audit):
        show_ledger(found)
        return
    print_table((Phrase("table"), Phrase("wave"), Phrase("rows"), Phrase("institutions")), found.tables)
    print_problems(found.problems)
    say(found.next_step)


def show_ledger(found: Audit) -> None:
    """Print whether the ledger is whole."""
    print_problems(found.problems)
    entries = Phrase("1 entry" if found.entries == 1 else "{n} entries", n=found.entries)
    compared = Phrase(" It holds what is printed in {places}.", places=all_of(found.compared)) if found.compared else ""
    whole = Phrase("The ledger is whole: {entries}.{compared}", entries=entries, compared=compared)
    broken = Phrase("The ledger is not whole: {entries}.", entries=entries)
    say(broken if found.errors else whole)
    if found.rebuilt and not found.errors:
        say(SAME)
    for part in found.not_compared:
        say(Phrase("Not compared: {part}", part=part))
    say(Phrase("Head: {digits}", digits=found.head))
    if not found.compared and found.entries:
        say(NOT_COMPARED)
