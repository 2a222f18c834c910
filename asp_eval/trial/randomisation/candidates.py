"""Covariate-constrained randomisation: the allocations that balance the covariates, one of which the lot picks.

1. The candidates are all allocations of the lot in its strata, if they are no more than the declared number N. Otherwise
   they are N draws by the rule of `cells`, with ``"candidate J"``, J = 1 .. N, in the place of the seed; twins count once.
2. The score of a candidate (Raab & Butcher 2001, Stat Med 20:351, with their standardising weights; the l2 metric of
   later authors) is the sum over covariates k and pairs of arms a, b::

       B = sum_k w_k sum_(a<b) (mean_ka - mean_kb)^2 / s2_k

   with the means over institutions, s2_k the variance over the list, w_k the declared weight (`distances`).
3. Kept are the candidates whose score is at most the declared cut; or the best fraction q: the best floor(q * N'), at least
   one, of the N' candidates, and all whose score equals the last of them.

No seed is needed for any of this, so that what is kept can be looked at, and its digest published, before the lot. Scores are
fractions and are compared exactly. Whether some institutions can hardly ever meet is Moulton's check of validity
(2004, Clin Trials 1:297).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.trial.randomisation.distances import common_denominator, standardised
from asp_eval.trial.randomisation.hash_order import Draws
from asp_eval.trial.randomisation.roster import Roster
from asp_eval.trial.randomisation.stratified import LotInCells

Scores = npt.NDArray[np.object_]
"""Whole numbers of any size."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The candidates that are kept, in the order of their spelling.

    Attributes
    ----------
    kept : ndarray of int8, (m, n)
        Position of the arm of each institution, in the order of the list.
    spelled : tuple of str, length m
        Each as digits, institutions in the order of their ids: ``"0110"``.
    scores : tuple of Fraction, length m
    considered : int
        How many candidates there were.
    enumerated : bool
        Whether they were all allocations, or a sample.
    institution_ids : tuple of str, length n
        In the order of the list.
    """

    kept: Draws
    spelled: tuple[str, ...]
    scores: tuple[Fraction, ...]
    considered: int
    enumerated: bool
    institution_ids: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the spelled candidates, each ended by a line feed."""
        return hashlib.sha256("".join(f"{spelled}\n" for spelled in self.spelled).encode()).hexdigest()

    def frame(self) -> pd.DataFrame:
        """Return one row per kept candidate: its score, then a digit for each institution, by id.

        Each digit has a cell of its own: a spreadsheet would read them together as one number, and round it.
        """
        digits = pd.DataFrame([list(spelled) for spelled in self.spelled], columns=sorted(self.institution_ids), dtype="str")
        digits.insert(0, "score", [float(score) for score in self.scores], allow_duplicates=True)
        return digits

    def together(self) -> npt.NDArray[np.float64]:
        """Return the share of kept candidates in which two institutions have the same arm, (n, n)."""
        same = np.zeros((self.kept.shape[1],) * 2)
        for arm in range(int(self.kept.max()) + 1):
            members = (self.kept == arm).astype(np.float64)
            same += members.T @ members
        return same / len(self.kept)


def kept_candidates(
    lot: LotInCells, weights: Mapping[str, Fraction], number: int, *, keep: Fraction | None, cut: Fraction | None
) -> Candidates | Fraction:
    """Return the candidates that are kept; if none is, the smallest score there was.

    Parameters
    ----------
    lot : LotInCells
        What gives the candidates; its roster holds the covariates.
    weights : mapping of str to Fraction
        Weight of each covariate.
    number : int
        The most candidates.
    keep : Fraction or None
        The best fraction to keep.
    cut : Fraction or None
        The largest score to keep.
    """
    every = lot.every(number)
    found = lot.dealt([f"candidate {j + 1}" for j in range(number)]) if every is None else every
    spelled, first = np.unique(_spelled(found, lot.institution_ids), return_index=True)
    candidates = found[first]
    scores, unit = balance_scores(candidates, lot.roster, weights)
    ordered = sorted(scores.tolist())
    last = cut * unit if cut is not None else ordered[max(1, int((keep or 1) * len(ordered))) - 1]
    chosen = [j for j, score in enumerate(scores.tolist()) if score <= last]
    if not chosen:
        return Fraction(ordered[0], unit)
    return Candidates(
        kept=candidates[chosen],
        spelled=tuple(spelled[chosen].tolist()),
        scores=tuple(Fraction(scores[j], unit) for j in chosen),
        considered=len(candidates),
        enumerated=every is not None,
        institution_ids=lot.institution_ids,
    )


def balance_scores(candidates: Draws, roster: Roster, weights: Mapping[str, Fraction]) -> tuple[Scores, int]:
    """Return the score of each candidate in whole numbers, (N,), and the whole number that stands for a score of 1.

    Parameters
    ----------
    candidates : ndarray of int8, (N, n)
    roster : Roster
    weights : mapping of str to Fraction
    """
    columns = standardised(roster, weights)
    scale = common_denominator(column.factor for column in columns)
    arms = [candidates == arm for arm in range(int(candidates.max()) + 1)]
    sizes = [arm.sum(axis=1) for arm in arms]
    unit = int(np.lcm.reduce(np.unique(np.concatenate(sizes))))
    total = np.zeros(len(candidates), dtype=object)
    for column in columns:
        means = [_sums(arm, column.values) * (unit // size).astype(object) for arm, size in zip(arms, sizes, strict=True)]
        apart = sum((a - b) ** 2 for i, a in enumerate(means) for b in means[:i])
        total += int(column.factor * scale) * apart
    return total, scale * unit**2


def _sums(members: npt.NDArray[np.bool_], values: tuple[int, ...]) -> Scores:
    """Return the sum of the members' values, (N,), in whole numbers of any size."""
    small = len(values) * max(abs(value) for value in values) < 2**62
    return np.asarray(
        members.astype(np.int64 if small else object) @ np.array(values, dtype=np.int64 if small else object), object
    )


def _spelled(candidates: Draws, ids: tuple[str, ...]) -> npt.NDArray[np.str_]:
    """Return each candidate as digits, institutions in the order of their ids."""
    by_id = candidates[:, sorted(range(len(ids)), key=ids.__getitem__)]
    return (np.ascontiguousarray(by_id) + ord("0")).astype(np.uint32).view(f"<U{len(ids)}").ravel()
