"""The scheme that draws one of the balanced candidates.

The lot picks the kept candidate with the smallest ``key("allocation:DIGITS")``, the digits being its arms in the order of the
institutions' ids. So every kept candidate is equally probable, and they are the permutation distribution.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase, all_of, listed
from asp_eval.core.randomness import stream
from asp_eval.trial.randomisation.candidates import Candidates, kept_candidates
from asp_eval.trial.randomisation.distances import exact
from asp_eval.trial.randomisation.hash_order import Draws, checked_draws, checked_seed, order_key, ranked
from asp_eval.trial.randomisation.scheme import Scheme, Step, weighted
from asp_eval.trial.randomisation.stratified import LotInCells
from asp_eval.trial.study.design import Study

NONE_KEPT = Fault(
    "RND-021",
    "no candidate allocation is as balanced as the cut asks",
    "Raise 'cut' under 'randomisation' in study.yaml, or declare 'keep', the best fraction, instead.",
)
TOO_FEW_KEPT = Fault(
    "RND-022",
    "so few candidate allocations are kept that no permutation test of them could reach the planned level",
    "Keep more ('keep' or 'cut' under 'randomisation' in study.yaml), balance fewer covariates, or declare another scheme.",
)
NO_LOT_LEFT = Fault(
    "RND-023",
    "institution {institution} has the same arm in every candidate allocation that is kept, so that no lot is drawn for it",
    "Keep more candidates, or balance fewer covariates.",
)
MOST_NAMED = 5
EVEN = 0.01  # probabilities that are no farther apart count as alike


@dataclass(frozen=True, slots=True, eq=False)
class Constrained(Scheme):
    """Covariate-constrained randomisation.

    Attributes
    ----------
    lot : LotInCells
        The lot in strata that the candidates come from.
    weights : dict of str to Fraction
        The covariates.
    rule : str
        What is kept, in words.
    candidates : Candidates
    """

    lot: LotInCells
    weights: dict[str, Fraction]
    rule: str
    candidates: Candidates

    @property
    def strata(self) -> tuple[str, ...]:
        """The stratum of each institution."""
        return self.roster.strata

    def __str__(self) -> str:
        return self.in_words(f"constrained to balance {weighted(self.weights)} ({self.rule})")

    def probabilities(self) -> npt.NDArray[np.float64]:
        """Return the share of the kept candidates in which each institution has each arm, (n, arms)."""
        return np.stack([(self.candidates.kept == arm).mean(axis=0) for arm in range(len(self.arms))], axis=1)

    def drawn(self, seed: int) -> Draws:
        """Return the position of the arm of each institution by the published rule, (n,)."""
        spelled = self.candidates.spelled
        arms: Draws = self.candidates.kept[spelled.index(self._in_turn(checked_seed(seed))[0])]
        return arms

    def allocations(self, draws: int, seed: int) -> Draws:
        """Return kept candidates drawn with equal probabilities, (draws, n)."""
        random = stream(checked_seed(seed), "allocations")
        return self.candidates.kept[random.integers(len(self.candidates.kept), size=checked_draws(draws))]

    def every(self, most: int) -> Draws | None:
        """Return the kept candidates, (count, n); None if they are more than `most`."""
        return self.candidates.kept if len(self.candidates.kept) <= most else None

    def preface(self, seed: int) -> tuple[str, ...]:
        """Say which candidate the seed picks, and that its key is the smallest."""
        first, second = self._in_turn(seed)[:2]
        return (
            f"{len(self.candidates.kept)} candidate allocations were kept; SHA-256 of them is {self.candidates.digest}.",
            f"The smallest key, {order_key(seed, f'allocation:{first}')[:16]}, is that of {first};",
            f"the next, {order_key(seed, f'allocation:{second}')[:16]}, that of {second}. Digits follow the institutions by id.",
        )

    def steps(self, seed: int) -> tuple[Step, ...]:
        """Return the arms of the picked candidate, institutions by id."""
        ids, drawn = self.institution_ids, self.drawn(seed)
        by_id = sorted(range(len(ids)), key=ids.__getitem__)
        return tuple(Step(ids[p], self.strata[p], "", self.arms[drawn[p]]) for p in by_id)

    def facts(self) -> dict[str, object]:
        """Return the candidate set's digest and sizes, for the ledger."""
        found = self.candidates
        return {
            "candidates_digest": found.digest,
            "candidates": found.considered,
            "candidates_are_all_allocations": found.enumerated,
            "kept": len(found.kept),
            "worst_kept_score": f"{float(max(found.scores)):.6g}",
        }

    def cautions(self) -> tuple[Phrase, ...]:
        """Return the pairs of institutions that always, or never, have the same arm (Moulton 2004).

        Two that are a stratum by themselves are left out: with equal arms the lot parts them whatever is kept.
        """
        share, ids = self.candidates.together(), self.institution_ids
        rows, columns = np.triu_indices(len(ids), k=1)
        parted = {tuple(held) for held in self.roster.members().values() if self.ratio == (1, 1) and len(held) == 2}
        pairs = [(i, j) for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if (i, j) not in parted]
        always, never = ([all_of([ids[i], ids[j]]) for i, j in pairs if share[i, j] == value] for value in (1.0, 0.0))
        found = [*self.roster.cautions, *self._unequal()]
        if always:
            found.append(
                Phrase(
                    "In all that is kept these pairs of institutions have the same arm ({n} in all): {pairs}."
                    " With many of them fewer institutions are really drawn: keep more.",
                    n=len(always),
                    pairs=some_pairs(always),
                )
            )
        if never:
            found.append(
                Phrase(
                    "In nothing that is kept these pairs of institutions have the same arm ({n} in all): {pairs}."
                    " With many of them fewer institutions are really drawn: keep more.",
                    n=len(never),
                    pairs=some_pairs(never),
                )
            )
        return tuple(found)

    def _unequal(self) -> Iterator[Phrase]:
        """Yield, for every arm but the first, the institutions' probabilities where they are not all alike."""
        probabilities = self.probabilities()
        for position, arm in enumerate(self.arms[1:], start=1):
            share = probabilities[:, position]
            if share.max() - share.min() > EVEN:
                order = sorted(range(len(share)), key=lambda p: (share[p], self.institution_ids[p]))
                named = listed(Phrase("{id} {p:.3f}", id=self.institution_ids[p], p=float(share[p])) for p in order)
                yield Phrase("What is kept gives the institutions unequal probabilities of {arm}: {list}.", arm=arm, list=named)

    def _in_turn(self, seed: int) -> list[str]:
        """Return the kept candidates by their keys."""
        return [text.removeprefix("allocation:") for text in ranked(seed, [f"allocation:{s}" for s in self.candidates.spelled])]


def constrained(study: Study, lot: LotInCells, weights: dict[str, Fraction]) -> Constrained:
    """Return the scheme, with its candidates.

    Parameters
    ----------
    study : Study
    lot : LotInCells
        The lot in strata that the candidates come from.
    weights : dict of str to Fraction

    Raises
    ------
    Refusal
        RND-021 to RND-023.
    """
    declared = study.randomisation
    keep = None if declared.cut is not None else exact(declared.keep if declared.keep is not None else 0.1)
    cut = None if declared.cut is None else exact(declared.cut)
    found = kept_candidates(lot, weights, declared.candidates, keep=keep, cut=cut)
    if isinstance(found, Fraction):
        smallest = f"{float(found):.6g}"
        NONE_KEPT.refuse("study.yaml, randomisation.cut", found=declared.cut, expected=f"at least the smallest score, {smallest}")
    _refuse_too_few(study, found)
    fixed = np.flatnonzero((found.kept == found.kept[0]).all(axis=0))
    if len(fixed):
        NO_LOT_LEFT.refuse("institutions", institution=lot.institution_ids[fixed[0]])
    rule = f"score at most {declared.cut:g}" if cut is not None else f"the best {float(keep or 1):.6g}"
    source = f"{declared.candidates} candidates, {rule}"
    return Constrained(lot.arms, lot.ratio, lot.roster, lot, weights, source, found)


def _refuse_too_few(study: Study, found: Candidates) -> None:
    """Refuse a set whose smallest p-value exceeds 1 - level; with two equal arms an allocation and its mirror tie."""
    ties = 2 if study.randomisation.ratio == (1, 1) else 1
    needed = math.ceil(ties / (1 - exact(study.analysis.level)))
    if len(found.kept) < needed:
        TOO_FEW_KEPT.refuse(
            "study.yaml, randomisation", found=f"{len(found.kept)} of {found.considered}", expected=f"{needed} or more"
        )


def some_pairs(pairs: list[Phrase]) -> Phrase:
    """Return the first pairs, and how many there are besides."""
    first = listed(pairs[:MOST_NAMED], "; ")
    return Phrase("{names} and {n} more", names=first, n=len(pairs) - MOST_NAMED) if len(pairs) > MOST_NAMED else first
