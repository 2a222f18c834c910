"""``asp-eval plan``: lock the plan, show the lock, list the changes since."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from asp_eval.cli.app import HERE, AsJson, StudyFolder, verb
from asp_eval.cli.console import print_json, print_table, say
from asp_eval.cli.help import SpokenGroup
from asp_eval.core.phrases import Phrase

if TYPE_CHECKING:
    from asp_eval.workflow.plan_lock import PlanLock

plan_app = typer.Typer(
    cls=SpokenGroup,
    help="The plan: lock it before the outcomes are seen, and see what was changed since.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@verb("lock", of=plan_app)
def lock(study: StudyFolder = HERE, as_json: AsJson = False) -> None:
    """Seal in the ledger what decides the numbers, with what data are stored now.

    Example: asp-eval plan lock
    """
    from asp_eval.workflow.open_study import open_study
    from asp_eval.workflow.plan_lock import lock_plan

    _show(lock_plan(open_study(study)), as_json=as_json)


@verb("show", of=plan_app)
def show(study: StudyFolder = HERE, as_json: AsJson = False) -> None:
    """Show when the plan was locked, and what data were stored then.

    Example: asp-eval plan show
    """
    from asp_eval.workflow.open_study import open_study
    from asp_eval.workflow.plan_lock import locked_plan

    _show(locked_plan(open_study(study)), as_json=as_json)


@verb("diff", of=plan_app)
def diff(study: StudyFolder = HERE, as_json: AsJson = False) -> None:
    """List every field of the plan that is another than when it was locked.

    Example: asp-eval plan diff
    """
    from asp_eval.workflow.open_study import open_study
    from asp_eval.workflow.plan_lock import locked_plan

    found = locked_plan(open_study(study))
    if as_json:
        print_json([asdict(change) for change in found.changes])
        return
    rows = [(change.field, change.locked, change.now, change.since) for change in found.changes]
    if rows:
        print_table((Phrase("field"), Phrase("locked"), Phrase("now"), Phrase("analysed since")), rows)
    else:
        say(Phrase("Nothing has been changed since the plan was locked on {day}.", day=found.day))


def _show(found: PlanLock, *, as_json: bool) -> None:
    """Print a lock."""
    if as_json:
        print_json(asdict(found))
        return
    digest = found.digest[:16]
    say(Phrase("The plan was locked on {day}: entry {n} of the ledger, {digest}.", day=found.day, n=found.entry, digest=digest))
    if found.data:
        print_table((Phrase("stored then"), Phrase("rows")), [(name, str(rows)) for name, rows in found.data.items()])
    else:
        say(Phrase("No data were stored then."))
    say(Phrase("Fields changed since: {n}.", n=len(found.changes)))
