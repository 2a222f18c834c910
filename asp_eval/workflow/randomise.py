"""Drawing a study's lot, and deriving a drawn lot again: from the stored list to the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from asp_eval.core.errors import AspError, DataProblems, Fault, Problem
from asp_eval.core.phrases import Phrase
from asp_eval.core.progress import Cancel, Progress, never, stoppable, unheard
from asp_eval.store import table, write_allocation
from asp_eval.store.audit import audit
from asp_eval.store.draws import DRAW, LATE, REDRAW, DrawnLot, drawn_lots, every_lot
from asp_eval.trial.randomisation.closed import LeftOut, left_out, still_open
from asp_eval.trial.randomisation.constrained import Constrained
from asp_eval.trial.randomisation.declaration import DRAWN_ELSEWHERE, roster_of, scheme_of
from asp_eval.trial.randomisation.list_changes import OTHER_CANDIDATES, OTHER_DECLARATION, arm_differences, list_differences
from asp_eval.trial.randomisation.roster import refuse_spellings
from asp_eval.trial.randomisation.scheme import Allocation, Scheme
from asp_eval.trial.study.design import Study
from asp_eval.workflow.study_folder import AnyStudy, plan_of

__all__ = [
    "Allocation",
    "Draw",
    "LeftOut",
    "PlannedDraw",
    "Rehearsal",
    "Scheme",
    "VerifiedDraw",
    "plan_draw",
    "randomise",
    "rehearse",
    "verify",
]

NOTHING_DRAWN = Fault("RND-040", "no lot was drawn for this study yet", "Draw it with 'asp-eval randomise --seed N'.")
IMPORTED = Fault(
    "RND-044",
    "the institutions have arms that were imported, so that the lot was drawn elsewhere",
    "Write 'drawn_elsewhere: true' under 'randomisation' in study.yaml. If they are not to count, and nobody was screened yet,"
    " draw with --replace --why 'the reason'.",
)
NOBODY_LATE = Fault(
    "RND-041",
    "every institution that is open has an arm, so that there is none to draw late",
    "Import the list with the institutions that came after the draw.",
)
DRAWN_BEFORE = Fault(
    "RND-042",
    "the lot was drawn before, with seed {seed}",
    "It is drawn once: go on with output/allocation.csv. Institutions that came later are drawn with --late. If the draw"
    " was a mistake, and nobody was screened yet, draw again with --replace --why 'the reason'; both stay in the ledger.",
)
DATA_ARE_IN = Fault(
    "RND-043",
    "the lot cannot be drawn again: data of {table} are stored, and a lot that is drawn knowing them is none",
    "Keep the lot as it was drawn, and say in the report what was wrong with it.",
)
REHEARSED = Fault("CLI-021", "seed 0 is that of the rehearsal, whose outcome anyone may have seen", "Take a seed of 1 or more.")
KNOWN_SEED = Fault(
    "RND-045",
    "the seed {seed} stands in the ledger: whoever reads it could work out the arms before it is settled who is drawn",
    "Settle another seed in public, once it is settled who is drawn.",
)
REHEARSAL_SEED = 0
CANDIDATES = "candidates"
ANSWERS = ("screening", "staff_survey", "scores")


@dataclass(frozen=True, slots=True)
class PlannedDraw:
    """A lot that may be drawn now.

    Attributes
    ----------
    study : Study
    kind : str
        What the ledger will call it: draw, redraw, late-draw.
    scheme : Scheme
    why : str
        Reason of a redraw.
    before : tuple of DrawnLot
        The lots in force.
    left_out : tuple of LeftOut
        The institutions without an arm that are not drawn, because they have closed.
    known_seeds : tuple of int
        Seeds of every lot that was drawn before, also of those replaced.
    """

    study: Study
    kind: str
    scheme: Scheme
    why: str
    before: tuple[DrawnLot, ...]
    left_out: tuple[LeftOut, ...] = ()
    known_seeds: tuple[int, ...] = ()

    def refuse_seed(self, seed: int) -> None:
        """Refuse a seed whose outcome somebody may have worked out before: that of the rehearsal, and those in the ledger.

        Raises
        ------
        Refusal
            CLI-021, RND-045.
        """
        if seed == REHEARSAL_SEED:
            REHEARSED.refuse("--seed")
        if seed in self.known_seeds:
            KNOWN_SEED.refuse("--seed", seed=seed)

    def draw(self, seed: int) -> Allocation:
        """Draw the lot and write it into the ledger, ``output/allocation.csv`` and, if constrained, ``output/candidates.csv``.

        Raises
        ------
        Refusal
            What `refuse_seed` refuses; RND-003 if the seed is no whole number.
        """
        self.refuse_seed(seed)
        allocation = self.scheme.allocate(seed)
        body: dict[str, object] = {
            "seed": allocation.seed,
            "scheme": allocation.scheme,
            "digest": allocation.digest,
            "lines": list(self.scheme.roster.lines),
            **self.scheme.facts(),
        }
        if self.left_out:
            body["left_out"] = {one.institution: str(one.reason) for one in self.left_out}
        if self.kind == REDRAW:
            body |= {"why": self.why, "replaces": [lot.entry for lot in self.before]}
        beside = {CANDIDATES: self.scheme.candidates.frame()} if isinstance(self.scheme, Constrained) else {}
        write_allocation(self.study, allocation.frame(), kind=self.kind, body=body, beside=beside)
        return allocation


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """A lot that was drawn.

    Attributes
    ----------
    seed : int
    rows : DataFrame
        One row per institution: institution_id, arm, and what is known of stratum, seed, scheme and digest.
    allocation : Allocation or None
        None if the same lot was drawn before, and nothing was changed.
    scheme : Scheme or None
        What it was drawn with.
    left_out : tuple of LeftOut
        The institutions without an arm that were not drawn, because they had closed.
    """

    seed: int
    rows: pd.DataFrame
    allocation: Allocation | None = None
    scheme: Scheme | None = None
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Rehearsal:
    """A draw with the example seed, of which nothing was written; `left_out` as in a `Draw`."""

    seed: int
    scheme: Scheme
    allocation: Allocation
    left_out: tuple[LeftOut, ...] = ()


def randomise(
    study: AnyStudy,
    *,
    seed: int,
    late: bool = False,
    replace: bool = False,
    why: str = "",
    progress: Progress = unheard,
    cancel: Cancel = never,
) -> Draw:
    """Draw the lot for the imported institutions, once, and write it into the ledger and ``output/allocation.csv``.

    The draw follows a published rule (``docs/randomisation.md``) and depends on nothing but the seed, the ids and the
    declared columns, so that anyone can derive it again by hand.

    Parameters
    ----------
    study : Study or StudyFolder
    seed : int
        1 or more. Settle it in public before the draw.
    late : bool
        Draw the institutions that came after the draw, as a batch of their own.
    replace : bool
        Draw again what was drawn; both stay in the ledger.
    why : str
        Reason of `replace`, which the ledger keeps.
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    Returns
    -------
    Draw
        Without an allocation if the same seed was drawn before, and nothing is to do.

    Raises
    ------
    Refusal
        CLI-021 for seed 0; RND-045 for one that stands in the ledger; what `plan_draw` refuses.
    DataProblems
        Everything that is wrong with the list.
    """
    plan, step = plan_of(study), stoppable(progress, cancel)
    if seed == REHEARSAL_SEED:
        REHEARSED.refuse("--seed")
    step(Phrase("list"), 0)
    if not late and not replace and _was_drawn(plan, seed):
        return Draw(seed, table(plan, "allocation"))
    planned = plan_draw(plan, late=late, why=why if replace else None)
    step(Phrase("draw"), 0.5)
    allocation = planned.draw(seed)
    return Draw(seed, allocation.frame(), allocation, planned.scheme, planned.left_out)


def rehearse(study: AnyStudy, *, late: bool = False, replace: bool = False, why: str = "") -> Rehearsal:
    """Draw with the example seed 0, and write nothing.

    Parameters
    ----------
    study : Study or StudyFolder
    late, replace, why
        As for `randomise`.

    Raises
    ------
    Refusal, DataProblems
        What `plan_draw` refuses.
    """
    planned = plan_draw(study, late=late, why=why if replace else None)
    return Rehearsal(REHEARSAL_SEED, planned.scheme, planned.scheme.allocate(REHEARSAL_SEED), planned.left_out)


def _was_drawn(study: Study, seed: int) -> bool:
    """Return whether the lot that is in force was drawn with a seed, and agrees with it."""
    before = drawn_lots(study)
    drawn_here = not study.randomisation.drawn_elsewhere and bool(before) and before[0].seed == seed
    return drawn_here and not verify_draw(study)


def plan_draw(study: AnyStudy, *, late: bool = False, why: str | None = None) -> PlannedDraw:
    """Return the lot that may be drawn now.

    Parameters
    ----------
    study : Study or StudyFolder
    late : bool
        Draw the institutions that have no arm yet, as a batch of their own.
    why : str, optional
        Reason to draw again what was drawn.

    Raises
    ------
    Refusal
        RND-040 and RND-041 if there is nothing to draw late; RND-042 if the lot was drawn, RND-044 if it was imported; RND-043
        if it may not be drawn again; what `scheme_of` refuses.
    DataProblems
        Everything that is wrong with the list.
    """
    study = plan_of(study)
    if study.randomisation.drawn_elsewhere:
        DRAWN_ELSEWHERE.refuse("study.yaml, randomisation")
    institutions, arms, today = table(study, "institutions"), table(study, "allocation"), date.today()
    if arms.empty and (late or why is not None):
        NOTHING_DRAWN.refuse("allocation")
    before, known = tuple(drawn_lots(study)), tuple(lot.seed for lot in every_lot(study))
    if late:
        without = institutions[~institutions["institution_id"].isin(arms["institution_id"])]
        batch, closed = still_open(without, today), left_out(without, today)
        if batch.empty:
            NOBODY_LATE.refuse("institutions")
        refuse_spellings(institutions, study.strata)
        return PlannedDraw(study, LATE, scheme_of(study, batch, late=True), "", before, closed, known)
    if not arms.empty:
        _refuse_second_draw(study, before, why)
    scheme = scheme_of(study, still_open(institutions, today))
    return PlannedDraw(study, DRAW if arms.empty else REDRAW, scheme, why or "", before, left_out(institutions, today), known)


def _refuse_second_draw(study: Study, before: Sequence[DrawnLot], why: str | None) -> None:
    """Refuse to draw again what was drawn, unless there is a reason and nobody was screened yet."""
    if why is None:
        if not before:
            IMPORTED.refuse("allocation")
        DRAWN_BEFORE.refuse("allocation", seed=before[0].seed)
    for name in ANSWERS:
        if len(table(study, name)):
            DATA_ARE_IN.refuse("study.duckdb", table=name)


@dataclass(frozen=True, slots=True)
class VerifiedDraw:
    """The lots of a study, which were derived again and agree.

    Attributes
    ----------
    lots : tuple of DrawnLot
        Those in force.
    replaced : tuple of DrawnLot
        Those in whose place another was drawn.
    waiting : tuple of str
        Institutions that came after the draw and have no arm.
    """

    lots: tuple[DrawnLot, ...]
    replaced: tuple[DrawnLot, ...]
    waiting: tuple[str, ...]


def verify(study: AnyStudy) -> VerifiedDraw:
    """Derive every lot in force again, and return the lots if all agree.

    Parameters
    ----------
    study : Study or StudyFolder

    Raises
    ------
    DataProblems
        Where the list, the declaration, the ledger or the arms differ.
    Refusal
        What `verify_draw` refuses.
    """
    plan = plan_of(study)
    problems = verify_draw(plan)
    if problems:
        raise DataProblems(problems)
    lots = tuple(drawn_lots(plan))
    drawn = {institution for lot in lots for institution in lot.arms}
    open_now = still_open(table(plan, "institutions"), date.today())
    waiting = tuple(i for i in open_now["institution_id"] if i not in drawn)
    return VerifiedDraw(lots, tuple(one for one in every_lot(plan) if one not in lots), waiting)


def verify_draw(study: Study) -> list[Problem]:
    """Derive every lot in force again, and return where the list, the declaration, the ledger or the arms differ.

    Parameters
    ----------
    study : Study

    Raises
    ------
    Refusal
        RND-040 if nothing was drawn; RND-001 and RND-044 if it was drawn elsewhere.
    DataProblems
        If the list cannot be read any more.
    """
    lots = drawn_lots(study)
    if not lots:
        if study.randomisation.drawn_elsewhere:
            DRAWN_ELSEWHERE.refuse("study.yaml, randomisation")
        if len(table(study, "allocation")):
            IMPORTED.refuse("allocation")
        NOTHING_DRAWN.refuse("allocation")
    institutions = table(study, "institutions")
    ledger = [problem for problem in audit(study).problems if problem.is_error]
    return [*ledger, *(problem for lot in lots for problem in _differences(study, lot, institutions))]


def _differences(study: Study, lot: DrawnLot, institutions: pd.DataFrame) -> list[Problem]:
    """Return how a lot differs from what its rule gives now: the declaration, else the list, else the arms."""
    rows = lot.rows(institutions)
    if rows.empty:
        return list(list_differences(lot.lines, ()))
    changed = list(list_differences(lot.lines, roster_of(study, rows, late=lot.late, any_size=True).lines))
    try:
        scheme = scheme_of(study, rows, late=lot.late)
    except AspError as refused:  # a list that changed may not be one that can be drawn over
        return changed or list(refused.problems)
    if str(scheme) != lot.scheme:
        return [OTHER_DECLARATION.at("study.yaml, randomisation", found=str(scheme), expected=lot.scheme)]
    if not changed and scheme.facts().get("candidates_digest", "") != lot.candidates_digest:
        return [OTHER_CANDIDATES.at("ledger", found=scheme.facts()["candidates_digest"], expected=lot.candidates_digest)]
    return changed or list(arm_differences(lot.arms, scheme.allocate(lot.seed)))
