"""``asp-eval randomise``: the draw of the lot, its rehearsal, and its verification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asp_eval.cli.app import HERE, AsJson, StudyFolder, verb
from asp_eval.cli.console import print_json, print_table, say, spoken
from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asp_eval.workflow.randomise import Allocation, Draw, LeftOut, PlannedDraw, Rehearsal, Scheme, VerifiedDraw

TYPED = Fault(
    "CLI-020",
    "a seed is typed in digits, such as the numbers that were thrown",
    "Run the command again, and type 1 to 18 digits; spaces between them do not matter.",
)

NewSeed = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="Whole number of 1 or more; the same seed gives the same draw.")
]
Public = Annotated[bool, typer.Option("--public", help="Ask for the seed, and show the draw line by line.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show a draw with an example seed, and write nothing.")]
Verify = Annotated[bool, typer.Option("--verify", help="Derive the draw again, and say whether it agrees.")]
Late = Annotated[bool, typer.Option("--late", help="Draw the institutions that came after the draw, as a batch.")]
Replace = Annotated[bool, typer.Option("--replace", help="Draw again what was drawn; with --why. Both stay in the ledger.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Reason of --replace, kept in the ledger.")]


@verb()
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
    from asp_eval.workflow import randomise as workflow
    from asp_eval.workflow.open_study import open_study

    opened = open_study(study)
    if verify:
        show_verified(workflow.verify(opened), as_json=as_json)
    elif dry_run:
        show_rehearsal(workflow.rehearse(opened, late=late, replace=replace, why=why), as_json=as_json)
    elif public:
        draw_in_public(workflow.plan_draw(opened, late=late, why=why if replace else None))
    elif seed is not None:
        drawn = workflow.randomise(opened, seed=seed, late=late, replace=replace, why=why)
        if as_json:
            print_json({"allocation": drawn.rows.to_dict("records"), "left_out": left_out_rows(drawn.left_out)})
        else:
            show(drawn)


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
        raise typer.BadParameter(Phrase("give one of --seed N, --public, --dry-run, --verify"))
    _, public, _, verify = modes
    if verify and (late or replace):
        raise typer.BadParameter(Phrase("--verify goes without --late and --replace"))
    if late and replace:
        raise typer.BadParameter(Phrase("--late and --replace do not go together"))
    if replace != bool(why.strip()):
        raise typer.BadParameter(Phrase("--replace goes with --why TEXT, the reason that the ledger keeps"))
    if public and as_json:
        raise typer.BadParameter(Phrase("--public goes without --json: it is for people"))


def show(drawn: Draw) -> None:
    """Print how many institutions of each stratum went to each arm."""
    if drawn.allocation is None or drawn.scheme is None:
        say(Phrase("The lot was drawn with seed {seed} before, and agrees with it; nothing was changed.", seed=drawn.seed))
        return
    say(
        Phrase(
            "Institutions drawn with seed {seed}: {n}. The draw is in output/allocation.csv.",
            n=len(drawn.allocation.arms),
            seed=drawn.seed,
        )
    )
    print_counts(drawn.allocation, drawn.scheme)
    say_left_out(drawn.left_out)
    say_cautions(drawn.scheme)


def show_rehearsal(drawn: Rehearsal, *, as_json: bool) -> None:
    """Show a draw with the example seed; nothing was written."""
    scheme, allocation = drawn.scheme, drawn.allocation
    if as_json:
        rows = allocation.frame().to_dict("records")
        print_json({"rehearsal": True, "allocation": rows, "left_out": left_out_rows(drawn.left_out), **scheme.facts()})
        return
    say(Phrase("REHEARSAL with the example seed {seed}: not the draw. Nothing is written.", seed=drawn.seed))
    introduce(scheme, drawn.left_out)
    show_steps(scheme, drawn.seed)
    print_counts(allocation, scheme)
    say(Phrase("REHEARSAL: not the draw. Nothing was written."))


def draw_in_public(planned: PlannedDraw) -> None:
    """Introduce the draw, ask for the seed, show every step, and write the draw down."""
    say(Phrase("Draw of {n} institutions.", n=len(planned.scheme.institution_ids)))
    introduce(planned.scheme, planned.left_out)
    if planned.known_seeds:
        say(
            Phrase(
                "A seed that stands in the ledger is refused ({seeds}): with one that is known, the arms could be worked out"
                " before it is settled who is drawn.",
                seeds=", ".join(map(str, planned.known_seeds)),
            )
        )
    seed = typed_seed(typer.prompt(spoken(Phrase("Seed, in digits")), default="", show_default=False))
    planned.refuse_seed(seed)
    say(Phrase("The seed is {seed}.", seed=seed))
    show_steps(planned.scheme, seed)
    allocation = planned.draw(seed)
    print_counts(allocation, planned.scheme)
    say(
        Phrase(
            "The draw is in the ledger and in output/allocation.csv. Check it at any time: {command}",
            command="asp-eval randomise --verify",
        )
    )


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
    return int(digits)


def introduce(scheme: Scheme, left_out: Sequence[LeftOut]) -> None:
    """Say what is drawn over and how, before the seed is known."""
    say(Phrase("Scheme: {scheme}.", scheme=str(scheme)))
    say_left_out(left_out)
    say(Phrase("SHA-256 of the list: {digest}", digest=scheme.digest))
    for name, value in scheme.facts().items():
        say(f"{name.replace('_', ' ')}: {value}")
    say_cautions(scheme)
    say(Phrase('A key is the SHA-256 digest of "SEED:TEXT"; docs/randomisation.md has the rule.'))


def show_steps(scheme: Scheme, seed: int) -> None:
    """Show the draw line by line, with the first digits of every key; the stratum where there are several."""
    for sentence in scheme.preface(seed):
        say(sentence)
    rows = [[step.institution_id, step.stratum, step.key[:16], step.arm, step.remark] for step in scheme.steps(seed)]
    one = len({row[1] for row in rows}) == 1
    wanted = [k for k in range(5) if any(row[k] for row in rows) and not (k == 1 and one)]
    header = [Phrase("institution"), Phrase("stratum"), Phrase("key"), Phrase("arm"), Phrase("why")]
    print_table([header[k] for k in wanted], [[row[k] for k in wanted] for row in rows])


def print_counts(allocation: Allocation, scheme: Scheme) -> None:
    """Print the number of institutions by stratum and arm; by arm alone where strata are as small as pairs."""
    counts = allocation.counts().reindex(columns=list(scheme.arms), fill_value=0)
    if 2 * len(counts) >= len(allocation.arms):
        counts = counts.sum().to_frame(spoken(Phrase("all"))).T
    strata = [str(stratum) for stratum in counts.index]
    rows = [[stratum, *map(str, row)] for stratum, row in zip(strata, counts.to_numpy(), strict=True)]
    print_table([Phrase("stratum"), *counts.columns], rows)


def say_left_out(left_out: Sequence[LeftOut]) -> None:
    """Say which institutions of the list are not drawn, and why."""
    for one in left_out:
        say(Phrase("Left out of the draw: {institution}, {reason}.", institution=one.institution, reason=one.reason))


def left_out_rows(left_out: Sequence[LeftOut]) -> list[dict[str, str]]:
    """Return the institutions that are not drawn as plain values."""
    return [{"institution_id": one.institution, "closed_on": one.closed_on, "closed_why": one.why} for one in left_out]


def say_cautions(scheme: Scheme) -> None:
    """Say what should be weighed."""
    for sentence in scheme.cautions():
        say(Phrase("Note: {caution}", caution=sentence))


def show_verified(found: VerifiedDraw, *, as_json: bool) -> None:
    """Print that the lots in force agree with what their rules give."""
    if as_json:
        plain = [{"entry": x.entry, "kind": x.kind, "seed": x.seed, "scheme": x.scheme, "digest": x.digest} for x in found.lots]
        print_json({"agrees": True, "lots": plain})
        return
    for lot in found.lots:
        say(
            Phrase(
                "Entry {entry} of the ledger ({kind}, {day}): {n} institutions, seed {seed}, {scheme}."
                " The list, the scheme and every arm agree.",
                entry=lot.entry,
                kind=lot.kind,
                day=lot.recorded_at[:10],
                n=len(lot.arms),
                seed=lot.seed,
                scheme=lot.scheme,
            )
        )
    for lot in found.replaced:
        say(
            Phrase(
                "Entry {entry} ({kind}, {day}, seed {seed}) was replaced.",
                entry=lot.entry,
                kind=lot.kind,
                day=lot.recorded_at[:10],
                seed=lot.seed,
            )
        )
    for lot in found.lots:
        if lot.why:
            say(Phrase("Entry {entry} was a second draw, because: {why}", entry=lot.entry, why=lot.why))
    if found.waiting:
        say(
            Phrase(
                "Institutions that came after the draw and have no arm: {n} ({some}). Draw them with --late.",
                n=len(found.waiting),
                some=", ".join(found.waiting[:5]),
            )
        )
