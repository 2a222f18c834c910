"""Minimisation with a random element (Pocock & Simon 1975, Biometrics 31:103).

The institutions enter one after the other, in an order that is settled before the seed is known (`blocks.entry_order`). For
each:

1. The imbalance of an arm a is ``G_a = sum_f w_f * range_f``: for every factor f, range_f is the largest less the smallest
   number of institutions per arm among those that share its level of f, if it were given arm a.
2. The preferred arm is the one with the smallest G; of several, the one with the smallest ``key("ID:ARM")``.
3. Read ``key("coin:ID")`` as a number between 0 and 1 in hexadecimal. Below the declared probability the institution has the
   preferred arm; otherwise, of the other arms, the one with the smallest ``key("otherwise:ID:ARM")``.

Counts, weights (multiplied by their common denominator) and the coin are whole numbers. The arms' ratio is equal: with
another one this rule would not keep it (Kuznetsova & Tymofyeyev 2012, Stat Med 31:3725).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from asp_eval.core.errors import Fault
from asp_eval.core.randomness import stream
from asp_eval.trial.randomisation.blocks import entry_order
from asp_eval.trial.randomisation.distances import common_denominator
from asp_eval.trial.randomisation.hash_order import Draws, checked_draws, checked_seed, order_key
from asp_eval.trial.randomisation.scheme import Scheme, Step, equal_chances, weighted

NO_CHANCE = Fault(
    "RND-024",
    "the probability of the preferred arm is not above that of chance",
    "Declare 'probability' under 'randomisation' in study.yaml between that and 1; 0.8 is common.",
)
NO_FACTORS = Fault(
    "RND-025",
    "minimisation needs something to balance",
    "Name columns under 'covariates' of 'randomisation', or under 'strata', in study.yaml.",
)
Counts = npt.NDArray[np.int16]
"""Institutions so far, (draws, factors, levels, arms)."""
ONE = 16**64
"""What stands for 1 where a digest is read as a number between 0 and 1."""


@dataclass(frozen=True, slots=True)
class Minimisation(Scheme):
    """Minimisation with a random element.

    Attributes
    ----------
    weights : dict of str to Fraction
        The factors, columns of the roster.
    probability : Fraction
        Of the preferred arm.
    order : str or None
        Column that gives the order of entry.
    """

    weights: dict[str, Fraction]
    probability: Fraction
    order: str | None

    @property
    def strata(self) -> tuple[str, ...]:
        """The whole list: the lot is not drawn within anything."""
        return self.roster.strata

    def __str__(self) -> str:
        order = f", in order of {self.order}" if self.order else ""
        return self.in_words(f"minimisation over {weighted(self.weights)} (probability {float(self.probability):g}{order})")

    def probabilities(self) -> npt.NDArray[np.float64]:
        """Return the probability of each arm for each institution, (n, arms): equal, for the rule treats the arms alike."""
        return equal_chances(self.ratio, len(self.institution_ids))

    def drawn(self, seed: int) -> Draws:
        """Return the position of the arm of each institution by the published rule, (n,)."""
        seed = checked_seed(seed)
        ids, probability = self.institution_ids, self.probability
        likely = np.array([[int(order_key(seed, f"coin:{i}"), 16) < probability * ONE for i in ids]])
        arms: Draws = self._run(self._ranks(seed, ""), self._ranks(seed, "otherwise:"), likely)[0]
        return arms

    def _ranks(self, seed: int, word: str) -> Draws:
        """Return the ranks of the arms by their keys for each institution, (1, n, arms)."""
        keys = np.array([[[order_key(seed, f"{word}{i}:{arm}") for arm in self.arms] for i in self.institution_ids]])
        return keys.argsort(axis=2).argsort(axis=2).astype(np.int8)

    def allocations(self, draws: int, seed: int) -> Draws:
        """Return draws that could have come instead, (draws, n): the order of entry is kept, the rest drawn at random."""
        random = stream(checked_seed(seed), "allocations")
        shape = (checked_draws(draws), len(self.institution_ids), len(self.arms))
        ranks = [np.broadcast_to(np.arange(shape[2], dtype=np.int8), shape).copy() for _ in range(2)]
        first, other = (random.permuted(rank, axis=2) for rank in ranks)
        return self._run(first, other, random.random(shape[:2]) < float(self.probability))

    def every(self, most: int) -> Draws | None:  # noqa: ARG002 - the allocations of this scheme are not equally probable
        """Return None: the possible allocations are not equally probable."""
        return None

    def preface(self, seed: int) -> tuple[str, ...]:  # noqa: ARG002 - every scheme is asked with its seed
        """Say when the preferred arm is given, and how the remarks are read."""
        limit = f"{int(self.probability * 16**8):08x}"
        return (
            f"An institution has the preferred arm if its coin, the key of coin:ID, is below {limit}.",
            f"Beside it stands the imbalance that each arm would make, in the order {', '.join(self.arms)}.",
        )

    def steps(self, seed: int) -> tuple[Step, ...]:
        """Return the draw in the order of entry, with the coin and the imbalance that each arm would have made."""
        ids = self.institution_ids
        drawn = self.drawn(seed)
        imbalances = self._imbalances(drawn)
        return tuple(
            Step(
                ids[p], self.strata[p], order_key(seed, f"coin:{ids[p]}"), self.arms[drawn[p]],
                "imbalance " + ", ".join(map(str, imbalances[p])),
            )
            for p in entry_order(self.roster, self.order)
        )  # fmt: skip

    def _imbalances(self, drawn: Draws) -> list[list[int]]:
        """Return G of each arm at the entry of each institution of a draw, (n, arms), by its position."""
        counts = self._no_counts(1)
        found = [[0] * len(self.arms) for _ in drawn]
        for p in entry_order(self.roster, self.order):
            found[p] = self._imbalance(counts, p)[0].tolist()
            self._enter(counts, p, drawn[None, p])
        return found

    def _run(self, first: Draws, other: Draws, likely: npt.NDArray[np.bool_]) -> Draws:
        """Let the institutions enter; return their arms, (draws, n).

        Parameters
        ----------
        first, other : (draws, n, arms)
            Ranks of the arms among equals, and where the preferred arm is not given.
        likely : (draws, n)
            Whether the preferred arm is given.
        """
        draws, n, arms = first.shape
        counts, dealt = self._no_counts(draws), np.empty((draws, n), dtype=np.int8)
        for p in entry_order(self.roster, self.order):
            imbalance = self._imbalance(counts, p)
            best = imbalance == imbalance.min(axis=1, keepdims=True)
            preferred = np.where(best, first[:, p], arms).argmin(axis=1)
            others = np.where(np.arange(arms) == preferred[:, None], arms, other[:, p]).argmin(axis=1)
            dealt[:, p] = np.where(likely[:, p], preferred, others)
            self._enter(counts, p, dealt[:, p])
        return dealt

    def _no_counts(self, draws: int) -> Counts:
        levels = max(max(level) for level in self._levels()) + 1
        return np.zeros((draws, len(self.weights), levels, len(self.arms)), dtype=np.int16)

    def _imbalance(self, counts: Counts, p: int) -> npt.NDArray[np.int64]:
        """Return G of each arm for the institution at a position, (draws, arms)."""
        here = counts[:, np.arange(len(self.weights)), [level[p] for level in self._levels()]]
        after = here[:, :, None, :] + np.eye(len(self.arms), dtype=np.int16)  # (draws, factors, arm given, arms)
        imbalance: npt.NDArray[np.int64] = np.ptp(after, axis=3).astype(np.int64).swapaxes(1, 2) @ self._whole_weights()
        return imbalance

    def _enter(self, counts: Counts, p: int, arms: Draws) -> None:
        """Count the institution at a position in its arm of each draw, (draws,)."""
        for factor, level in enumerate(self._levels()):
            counts[np.arange(len(arms)), factor, level[p], arms] += 1

    def _levels(self) -> list[list[int]]:
        """Return the level of each institution, numbered, one list per factor."""
        found = []
        for name in self.weights:
            values = self.roster.columns[name]
            rank = {value: number for number, value in enumerate(sorted(set(values)))}
            found.append([rank[value] for value in values])
        return found

    def _whole_weights(self) -> npt.NDArray[np.int64]:
        """Return the weights of the factors in whole numbers, (factors,)."""
        scale = common_denominator(self.weights.values())
        return np.array([int(weight * scale) for weight in self.weights.values()], dtype=np.int64)


def refuse_no_chance(probability: Fraction, arms: Sequence[str]) -> None:
    """Refuse a probability that prefers nothing."""
    if probability * len(arms) <= 1:
        NO_CHANCE.refuse("study.yaml, randomisation.probability", found=float(probability), expected=f"above 1/{len(arms)}")
