"""``asp-eval forget``: one child's answers out of the study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asp_eval.cli.app import HERE, AsJson, StudyFolder, verb
from asp_eval.cli.console import print_json, progress, say
from asp_eval.core.phrases import Phrase, all_of

if TYPE_CHECKING:
    from asp_eval.workflow.forget import Forgotten


@verb()
def forget(
    child: Annotated[str, typer.Argument(metavar="CHILD", help="The child's id.")],
    copies: Annotated[bool, typer.Option("--copies", help="Take it out of the files in data/ too.")] = False,
    study: StudyFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Take one child's answers out of the study, when consent is withdrawn.

    The ledger says that it was done and when, and not whose answers they were.

    Example: asp-eval forget 1042 --copies
    """
    from asp_eval.workflow.forget import forget as forgotten
    from asp_eval.workflow.open_study import open_study

    with progress("forget") as step:
        found = forgotten(open_study(study), child, copies=copies, progress=step)
    if as_json:
        print_json(found.as_dict())
    else:
        show(found)


def show(found: Forgotten) -> None:
    """Print what was taken out, and where the child still is."""
    rows = all_of(Phrase("{n} of {table}", n=n, table=table) for table, n in found.rows.items())
    say(Phrase("Rows taken out: {rows}. The ledger says so, and not whose they were.", rows=rows))
    if found.copies:
        say(Phrase("Kept without the child: {files}", files=", ".join(f"data/{name}" for name in found.copies)))
    if found.removed:
        say(Phrase("Removed, for they named the child: {files}", files=", ".join(found.removed)))
    if found.still_in:
        say(Phrase("The child is still in: {files}", files=", ".join(found.still_in)))
    say(Phrase("Results are out of date now. Take the child out of any file that you import from now on."))
