"""Minimisation with a random element (Pocock & Simon 1975, Biometrics 31:103), of categories, numbers and the size of the arms.

The institutions enter one after the other, in an order that is settled before the seed is known (`blocks.entry_order`). For
each:

1. The imbalance of an arm a is ``G_a = sum_f w_f * range_f``. Of a category f, range_f is the largest less the smallest number
   of institutions per arm among those that share its level of f, if it were given arm a. Of a number, it is the same of the
   sums of the standardised number ``z_i = (x_i - mean) / (mean of |x - mean|)`` over the institutions of an arm, means over
   the whole list, z rounded to three decimals. A number with declared cut points is a category: below the first, from it to
   below the second, and so on. The size of the arms is a category that all share, with the largest weight of
   the others; so the means of a number are alike where its sums are (balance of sums: Ma, Li, Zhang & Hu 2024, J Am Stat
   Assoc 119:151).
2. The preferred arm is the one with the smallest G; of several, the one with the smallest ``key("ID:ARM")``.
3. Read ``key("coin:ID")`` as a number between 0 and 1 in hexadecimal. Below the declared probability the institution has the
   preferred arm; otherwise, of the other arms, the one with the smallest ``key("otherwise:ID:ARM")``.

Counts and sums (in thousandths), weights (multiplied by their common denominator) and the coin are whole numbers. The arms'
ratio is equal: with another one this rule would not keep it (Kuznetsova & Tymofyeyev 2012, Stat Med 31:3725).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from asp_eval.core.errors import DataProblems, Fault, Place
from asp_eval.core.randomness import stream
from asp_eval.trial.randomisation.blocks import entry_order
from asp_eval.trial.randomisation.distances import common_denominator
from asp_eval.trial.randomisation.hash_order import Draws, checked_draws, checked_seed, order_key
from asp_eval.trial.randomisation.roster import SOURCE
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
NOTHING_SHARED = Fault(
    "RND-028",
    "{column} has {levels} values in {n} institutions, less than one institution of each value for every arm, so that it balances"
    " nothing",
    "Declare it as integer or number under 'columns: institutions:' if it is one, and it is balanced as a number; or group its"
    " values into a few.",
)
NOTHING_PARTED = Fault(
    "RND-029",
    "the cut points of {column} put every institution into one group, so that there is nothing to balance",
    "Declare cut points between the values under 'covariates' of 'randomisation' in study.yaml; or leave them out, and it is"
    " balanced as a number.",
)
Sums = npt.NDArray[np.int64]
"""What entered so far, in thousandths of an institution, (draws, factors, levels, arms)."""
ONE = 16**64
"""What stands for 1 where a digest is read as a number between 0 and 1."""
THOUSAND = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """What is minimised over, in whole numbers; the size of the arms is the first.

    Attributes
    ----------
    levels : ndarray of int, (factors, n)
        The level of each institution; one level for all where a number, or the size of the arms, is balanced.
    amounts : ndarray of int, (factors, n)
        What an institution adds to its level, in thousandths: 1000, or its standardised number.
    weights : ndarray of int, (factors,)
    unit : int
        What one institution of weight 1 counts in the imbalance.
    """

    levels: npt.NDArray[np.intp]
    amounts: npt.NDArray[np.int64]
    weights: npt.NDArray[np.int64]
    unit: int

    def no_sums(self, draws: int, arms: int) -> Sums:
        """Return the sums before anybody entered, (draws, factors, levels, arms)."""
        return np.zeros((draws, len(self.weights), int(self.levels.max()) + 1, arms), dtype=np.int64)

    def imbalance(self, sums: Sums, p: int) -> npt.NDArray[np.int64]:
        """Return G of each arm for the institution at a position, (draws, arms)."""
        here = sums[:, np.arange(len(self.weights)), self.levels[:, p]]  # (draws, factors, arms)
        added = self.amounts[:, p, None, None] * np.eye(sums.shape[3], dtype=np.int64)  # (factors, arm given, arms)
        found: npt.NDArray[np.int64] = np.ptp(here[:, :, None, :] + added, axis=3).swapaxes(1, 2) @ self.weights
        return found

    def enter(self, sums: Sums, p: int, arms: Draws) -> None:
        """Add the institution at a position to its arm of each draw, (draws,)."""
        for factor in range(len(self.weights)):
            sums[np.arange(len(arms)), factor, self.levels[factor, p], arms] += self.amounts[factor, p]


@dataclass(frozen=True, slots=True)
class Minimisation(Scheme):
    """Minimisation with a random element.

    Attributes
    ----------
    weights : dict of str to Fraction
        The factors, columns of the roster.
    numbers : frozenset of str
        Those of them that are balanced as numbers.
    probability : Fraction
        Of the preferred arm.
    order : str or None
        Column that gives the order of entry.
    cuts : dict of str to tuple of Fraction
        The cut points, rising, of the factors that are numbers and balanced in groups.
    """

    weights: dict[str, Fraction]
    numbers: frozenset[str]
    probability: Fraction
    order: str | None
    cuts: dict[str, tuple[Fraction, ...]] = field(default_factory=dict)

    @property
    def strata(self) -> tuple[str, ...]:
        """The whole list: the lot is not drawn within anything."""
        return self.roster.strata

    def __str__(self) -> str:
        order = f", in order of {self.order}" if self.order else ""
        named = {self._called(name): weight for name, weight in self.weights.items()}
        over = f"minimisation over the size of the arms, {weighted(named)}"
        return self.in_words(f"{over} (probability {float(self.probability):g}{order})")

    def _called(self, name: str) -> str:
        points = ", ".join(f"{float(point):g}" for point in self.cuts.get(name, ()))
        return f"{name} as a number" if name in self.numbers else f"{name} cut at {points}" if points else name

    def categories(self, name: str) -> tuple[str, ...]:
        """Return the level of each institution of a factor that is no number, or one with cut points, (n,)."""
        if name not in self.cuts:
            return self.roster.columns[name]
        width = len(str(len(self.cuts[name])))
        return tuple(f"{bisect_right(self.cuts[name], number):0{width}}" for number in self.roster.numbers(name))

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
        ids, drawn = self.institution_ids, self.drawn(seed)
        imbalances = self._imbalances(drawn)
        return tuple(
            Step(
                ids[p],
                self.strata[p],
                order_key(seed, f"coin:{ids[p]}"),
                self.arms[drawn[p]],
                "imbalance " + ", ".join(f"{g:.6g}" for g in imbalances[p]),
            )
            for p in entry_order(self.roster, self.order)
        )

    def _imbalances(self, drawn: Draws) -> list[list[float]]:
        """Return G of each arm at the entry of each institution of a draw, (n, arms), by its position."""
        factors = self.factors()
        sums = factors.no_sums(1, len(self.arms))
        found: list[list[float]] = [[] for _ in drawn]
        for p in entry_order(self.roster, self.order):
            found[p] = (factors.imbalance(sums, p)[0] / factors.unit).tolist()
            factors.enter(sums, p, drawn[None, p])
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
        factors = self.factors()
        sums, dealt = factors.no_sums(draws, arms), np.empty((draws, n), dtype=np.int8)
        for p in entry_order(self.roster, self.order):
            imbalance = factors.imbalance(sums, p)
            best = imbalance == imbalance.min(axis=1, keepdims=True)
            preferred = np.where(best, first[:, p], arms).argmin(axis=1)
            others = np.where(np.arange(arms) == preferred[:, None], arms, other[:, p]).argmin(axis=1)
            dealt[:, p] = np.where(likely[:, p], preferred, others)
            factors.enter(sums, p, dealt[:, p])
        return dealt

    def factors(self) -> Factors:
        """Return what is minimised over, in whole numbers."""
        n = len(self.institution_ids)
        levels, amounts = [np.zeros(n, dtype=np.intp)], [np.full(n, THOUSAND, dtype=np.int64)]
        for name in self.weights:
            number = name in self.numbers
            levels.append(np.zeros(n, dtype=np.intp) if number else ranks(self.categories(name)))
            amounts.append(thousandths(self.roster.numbers(name)) if number else np.full(n, THOUSAND, dtype=np.int64))
        weights = [max(self.weights.values()), *self.weights.values()]
        scale = common_denominator(weights)
        whole = np.array([int(weight * scale) for weight in weights], dtype=np.int64)
        return Factors(np.array(levels), np.array(amounts), whole, scale * THOUSAND)


def ranks(values: Sequence[str]) -> npt.NDArray[np.intp]:
    """Return categories as whole numbers from 0, in the order of their names, (n,)."""
    rank = {value: number for number, value in enumerate(sorted(set(values)))}
    return np.array([rank[value] for value in values], dtype=np.intp)


def thousandths(numbers: Sequence[Fraction]) -> npt.NDArray[np.int64]:
    """Return ``(x - mean) / (mean of |x - mean|)`` in thousandths, rounded half up, (n,); noughts where all are the same.

    Examples
    --------
    >>> thousandths([Fraction(10), Fraction(20), Fraction(60)]).tolist()
    [-1000, -500, 1500]
    """
    mean = sum(numbers, Fraction(0)) / len(numbers)
    spread = sum((abs(x - mean) for x in numbers), Fraction(0)) / len(numbers)
    if not spread:
        return np.zeros(len(numbers), dtype=np.int64)
    return np.array([math.floor((x - mean) / spread * THOUSAND + Fraction(1, 2)) for x in numbers], dtype=np.int64)


def refuse_nothing_shared(scheme: Minimisation) -> None:
    """Refuse a category with so many values that there is less than one institution of each for every arm.

    Raises
    ------
    DataProblems
        RND-028 for each such column; RND-029 for cut points that part no institutions.
    """
    problems, n = [], len(scheme.institution_ids)
    for column in (name for name in scheme.weights if name not in scheme.numbers):
        levels = len(set(scheme.categories(column)))
        if column in scheme.cuts and levels == 1:
            problems.append(NOTHING_PARTED.at(Place(SOURCE, column=column), column=column))
        if levels * len(scheme.arms) > n:
            problems.append(NOTHING_SHARED.at(Place(SOURCE, column=column), column=column, levels=levels, n=n))
    if problems:
        raise DataProblems(problems)


def refuse_no_chance(probability: Fraction, arms: Sequence[str]) -> None:
    """Refuse a probability that prefers nothing."""
    if probability * len(arms) <= 1:
        NO_CHANCE.refuse("study.yaml, randomisation.probability", found=float(probability), expected=f"above 1/{len(arms)}")
