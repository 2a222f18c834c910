"""``asp-eval randomise``: the draw of the lot, its rehearsal, and its verification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asp_eval.cli.app import HERE, AsJson, StudyFolder, app
from asp_eval.cli.console import print_json, print_table, say
from asp_eval.core.errors import DataProblems, Fault

if TYPE_CHECKING:
    from asp_eval.trial.randomisation.scheme import Allocation, Scheme
    from asp_eval.trial.study.design import Study
    from asp_eval.workflow.randomise import PlannedDraw

REHEARSAL_SEED = 0
TYPED = Fault(
    "CLI-020", "a seed is typed in digits, such as the numbers that were thrown",
    "Run the command again, and type 1 to 18 digits; spaces between them do not matter.",
)  # fmt: skip
REHEARSED = Fault(
    "CLI-021", "seed 0 is that of the rehearsal, whose outcome anyone may have seen", "Take a seed of 1 or more."
)  # fmt: skip

NewSeed = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="Whole number of 1 or more; the same seed gives the same draw.")
]
Public = Annotated[bool, typer.Option("--public", help="Ask for the seed, and show the draw line by line.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show a draw with an example seed, and write nothing.")]
Verify = Annotated[bool, typer.Option("--verify", help="Derive the draw again, and say whether it agrees.")]
Late = Annotated[bool, typer.Option("--late", help="Draw the institutions that came after the draw, as a batch.")]
Replace = Annotated[bool, typer.Option("--replace", help="Draw again what was drawn; with --why. Both stay in the ledger.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Reason of --replace, kept in the ledger.")]


@app.command()
def randomise(
    seed: NewSeed = None,
    public: Public = False,
    dry_run: DryRun = False,
    verify: Verify = False,
    late: Late = False,
    replace: Replace = False,
    why: Why = "",
    study: StudyFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Draw the lot for the imported institutions, once.

    The draw is written to the ledger and to output/allocation.csv.

    Example: asp-eval randomise --seed 2006
    """
    refuse_combinations(seed is not None, public, dry_run, verify, late=late, replace=replace, why=why, as_json=as_json)
    from asp_eval.trial.study.protocol import load_study
    from asp_eval.workflow.randomise import plan_draw

    declared = load_study(study)
    if verify:
        say_whether_it_agrees(declared, as_json)
        return
    if seed == REHEARSAL_SEED:
        REHEARSED.refuse("--seed")
    planned = plan_draw(declared, seed=seed, late=late, why=why if replace else None)
    if dry_run and planned:
        rehearse(planned.scheme, as_json)
    elif public and planned:
        draw_in_public(planned)
    else:
        draw_quietly(declared, planned, seed or REHEARSAL_SEED, as_json)


def refuse_combinations(*modes: bool, late: bool, replace: bool, why: str, as_json: bool) -> None:
    """Refuse options that do not go together: wrong usage, exit code 2.

    Parameters
    ----------
    *modes : bool
        Whether a seed is given, and ``--public``, ``--dry-run``, ``--verify``.
    late, replace, as_json : bool
    why : str
    """
    if sum(modes) != 1:
        raise typer.BadParameter("give one of --seed N, --public, --dry-run, --verify")
    _, public, _, verify = modes
    if verify and (late or replace):
        raise typer.BadParameter("--verify goes without --late and --replace")
    if late and replace:
        raise typer.BadParameter("--late and --replace do not go together")
    if replace != bool(why.strip()):
        raise typer.BadParameter("--replace goes with --why TEXT, the reason that the ledger keeps")
    if public and as_json:
        raise typer.BadParameter("--public goes without --json: it is for people")


def draw_quietly(study: Study, planned: PlannedDraw | None, seed: int, as_json: bool) -> None:
    """Draw, and print how many institutions of each stratum went to each arm."""
    from asp_eval.store import table

    if planned is None:
        print_json(table(study, "allocation").to_dict("records")) if as_json else say(
            f"The lot was drawn with seed {seed} before, and agrees with it; nothing was changed."
        )
        return
    allocation = planned.draw(seed)
    if as_json:
        print_json(allocation.frame().to_dict("records"))
        return
    say(f"{len(allocation.arms)} institutions drawn with seed {seed}; the draw is in output/allocation.csv.")
    print_counts(allocation, planned.scheme)
    say_cautions(planned.scheme)


def rehearse(scheme: Scheme, as_json: bool) -> None:
    """Show a draw with the example seed; nothing is written."""
    allocation = scheme.allocate(REHEARSAL_SEED)
    if as_json:
        print_json({"rehearsal": True, "allocation": allocation.frame().to_dict("records"), **scheme.facts()})
        return
    say(f"REHEARSAL with the example seed {REHEARSAL_SEED}: not the draw. Nothing is written.")
    introduce(scheme)
    show_steps(scheme, REHEARSAL_SEED)
    print_counts(allocation, scheme)
    say("REHEARSAL: not the draw. Nothing was written.")


def draw_in_public(planned: PlannedDraw) -> None:
    """Introduce the draw, ask for the seed, show every step, and write the draw down."""
    say(f"Draw of {len(planned.scheme.institution_ids)} institutions.")
    introduce(planned.scheme)
    seed = typed_seed(typer.prompt("Seed, in digits", default="", show_default=False))
    say(f"The seed is {seed}.")
    show_steps(planned.scheme, seed)
    allocation = planned.draw(seed)
    print_counts(allocation, planned.scheme)
    say("The draw is in the ledger and in output/allocation.csv. Check it at any time: asp-eval randomise --verify")


def typed_seed(text: str) -> int:
    """Return the seed that was typed; spaces between digits do not matter.

    Examples
    --------
    >>> typed_seed("4 1 6 2")
    4162
    """
    digits = "".join(text.split())
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        TYPED.refuse("the seed", found=text)
    if int(digits) == REHEARSAL_SEED:
        REHEARSED.refuse("the seed", found=text)
    return int(digits)


def introduce(scheme: Scheme) -> None:
    """Say what is drawn over and how, before the seed is known."""
    say(f"Scheme: {scheme}.")
    say(f"SHA-256 of the list: {scheme.digest}")
    for name, value in scheme.facts().items():
        say(f"{name.replace('_', ' ')}: {value}")
    say_cautions(scheme)
    say('A key is the SHA-256 digest of "SEED:TEXT"; docs/randomisation.md has the rule.')


def show_steps(scheme: Scheme, seed: int) -> None:
    """Show the draw line by line, with the first digits of every key; the stratum where there are several."""
    for sentence in scheme.preface(seed):
        say(sentence)
    rows = [[step.institution_id, step.stratum, step.key[:16], step.arm, step.remark] for step in scheme.steps(seed)]
    one = len({row[1] for row in rows}) == 1
    wanted = [k for k in range(5) if any(row[k] for row in rows) and not (k == 1 and one)]
    header = ["institution", "stratum", "key", "arm", "why"]
    print_table([header[k] for k in wanted], [[row[k] for k in wanted] for row in rows])


def print_counts(allocation: Allocation, scheme: Scheme) -> None:
    """Print the number of institutions by stratum and arm; by arm alone where strata are as small as pairs."""
    counts = allocation.counts().reindex(columns=list(scheme.arms), fill_value=0)
    if 2 * len(counts) >= len(allocation.arms):
        counts = counts.sum().to_frame("all").T
    print_table(["stratum", *counts.columns], [[str(i), *map(str, row)] for i, row in counts.iterrows()])


def say_cautions(scheme: Scheme) -> None:
    """Say what should be weighed."""
    for sentence in scheme.cautions():
        say(f"Note: {sentence}")


def say_whether_it_agrees(study: Study, as_json: bool) -> None:
    """Derive the lots in force again; print that they agree, or refuse with every difference."""
    from asp_eval.store import table
    from asp_eval.store.draws import drawn_lots, every_lot, still_open
    from asp_eval.workflow.randomise import verify_draw

    problems = verify_draw(study)
    if problems:
        raise DataProblems(problems)
    lots = drawn_lots(study)
    if as_json:
        told = [{"entry": x.entry, "kind": x.kind, "seed": x.seed, "scheme": x.scheme, "digest": x.digest} for x in lots]
        print_json({"agrees": True, "lots": told})
        return
    for lot in lots:
        say(
            f"Entry {lot.entry} of the ledger ({lot.kind}, {lot.recorded_at[:10]}): {len(lot.arms)} institutions,"
            f" seed {lot.seed}, {lot.scheme}. The list, the scheme and every arm agree."
        )
    for lot in (one for one in every_lot(study) if one not in lots):
        say(f"Entry {lot.entry} ({lot.kind}, {lot.recorded_at[:10]}, seed {lot.seed}) was replaced.")
    for lot in lots:
        if lot.why:
            say(f"Entry {lot.entry} was a second draw, because: {lot.why}")
    drawn = {institution for lot in lots for institution in lot.arms}
    waiting = [i for i in still_open(table(study, "institutions"))["institution_id"] if i not in drawn]
    if waiting:
        say(f"{len(waiting)} institutions came after the draw and have no arm ({', '.join(waiting[:5])}): draw them with --late.")
