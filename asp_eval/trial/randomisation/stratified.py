"""The lot inside cells: the whole list, strata, blocks or matched pairs.

The published rule (``docs/randomisation.md`` works it by hand). ``key(text)`` is the SHA-256 digest, in lower-case
hexadecimal, of the UTF-8 text ``"seed:text"``; R is the sum of the ratio, one *seat* for each unit of it.

1. In each cell the institutions are ordered by ``key(institution_id)``.
2. A cell of n institutions gives every arm ``ratio * (n // R)`` places; ``n % R`` places are left over.
3. The seats ``1 .. R``, numbered through the arms in their declared order, are ordered by ``key("seat:NUMBER")`` and
   laid in a circle. The cells with places left over are ordered by ``key("stratum:NAME")`` and take as many seats each,
   one after the other, going round the circle from where the cell before stopped.
4. The institutions of the cell, in their order, fill the places of the first arm, then of the second, and so on.

So every institution has probability ``ratio / R`` for each arm, no cell departs from the ratio by more than its
leftover places must, and neither does the whole list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asp_eval.core.randomness import stream
from asp_eval.trial.randomisation.enumeration import every_allocation
from asp_eval.trial.randomisation.hash_order import (
    Draws,
    Positions,
    checked_draws,
    checked_seed,
    in_order,
    order_key,
    ranked,
    shuffled,
)
from asp_eval.trial.randomisation.roster import grouped
from asp_eval.trial.randomisation.scheme import Scheme, Step, equal_chances


@dataclass(frozen=True, slots=True)
class LotInCells(Scheme):
    """A lot inside cells: simple, stratified, blocked or in matched pairs.

    ``simple`` is one lot over the whole list with fixed arm sizes (complete randomisation), not a coin for each.

    Attributes
    ----------
    name : str
        The scheme's name in words.
    cells : tuple of str, length n
        The cell of each institution.
    """

    name: str
    cells: tuple[str, ...]

    @property
    def strata(self) -> tuple[str, ...]:
        """The cell of each institution."""
        return self.cells

    def __str__(self) -> str:
        return self.in_words(self.name)

    def members(self) -> dict[str, list[int]]:
        """Return the positions in the list that each cell holds, cells in alphabetical order."""
        return grouped(self.cells)

    def probabilities(self) -> npt.NDArray[np.float64]:
        """Return the probability of each arm for each institution, (n, arms).

        Every row is ``ratio / R``. The full rounds give an arm ``ratio * (n // R)`` places; the seats left over are
        interchangeable, so that each of the R is taken with probability ``(n % R) / R``; the sum is ``n * ratio / R`` places
        expected, and the order of the institutions is exchangeable.
        """
        return equal_chances(self.ratio, len(self.cells))

    def drawn(self, seed: int) -> Draws:
        """Return the position of the arm of each institution by the published rule, (n,)."""
        arms: Draws = self.dealt([checked_seed(seed)])[0]
        return arms

    def dealt(self, seeds: Sequence[int | str]) -> Draws:
        """Return the draws of several seeds, or words in their place, (seeds, n)."""
        ids = self.institution_ids
        named = {name: {ids[p]: p for p in held} for name, held in self.members().items()}
        orders = {name: np.array([in_order(seed, p) for seed in seeds], dtype=np.intp) for name, p in named.items()}
        seats = {f"seat:{number + 1}": number for number in range(sum(self.ratio))}
        cells = {f"stratum:{name}": rank for rank, name in enumerate(self._leftovers())}
        return self._deal(orders, _ordered(seeds, seats), _ordered(seeds, cells))

    def allocations(self, draws: int, seed: int) -> Draws:
        """Return draws that could have come instead, (draws, n): the rule with its three orders drawn at random."""
        random = stream(checked_seed(seed), "allocations")
        draws = checked_draws(draws)
        orders = {name: shuffled(random, held, draws) for name, held in self.members().items()}
        seats = shuffled(random, range(sum(self.ratio)), draws)
        return self._deal(orders, seats, shuffled(random, range(len(self._leftovers())), draws))

    def every(self, most: int) -> Draws | None:
        """Return every possible allocation once, (count, n); None if they are too many, or not equally probable."""
        return every_allocation(list(self.members().values()), self.ratio, most)

    def preface(self, seed: int) -> tuple[str, ...]:
        """Say how places that are left over are settled."""
        left = self._leftovers()
        if not left:
            return ()
        arm_of = dict(enumerate(np.repeat(self.arms, self.ratio).tolist(), start=1))
        circle = ranked(seed, [f"seat:{number}" for number in arm_of])
        cells = ranked(seed, [f"stratum:{name}" for name in left])
        return (
            f"The circle of seats is {', '.join(f'{text} ({arm_of[int(text[5:])]})' for text in circle)}.",
            f"Places left over are taken from it in this order: {', '.join(f'{t[8:]} ({left[t[8:]]})' for t in cells)}.",
        )

    def steps(self, seed: int) -> tuple[Step, ...]:
        """Return the draw cell by cell, institutions by their keys."""
        drawn, ids = self.drawn(seed), self.institution_ids
        return tuple(
            Step(ids[position], name, order_key(seed, ids[position]), self.arms[drawn[position]])
            for name, held in self.members().items()
            for position in in_order(seed, {ids[p]: p for p in held})
        )

    def _leftovers(self) -> dict[str, int]:
        """Places left over after the full rounds, for each cell that has any."""
        sizes = {name: len(held) % sum(self.ratio) for name, held in self.members().items()}
        return {name: size for name, size in sizes.items() if size}

    def _deal(self, orders: Mapping[str, Positions], seats: Positions, cells: Positions) -> Draws:
        """Deal the arms under given orders.

        Parameters
        ----------
        orders : mapping of cell to (draws, n_s)
            Positions in the list.
        seats : (draws, R)
        cells : (draws, m)
            Ranks among the m cells with leftovers.
        """
        draws = len(seats)
        extra = self._extra_places(seats, cells)
        dealt = np.empty((draws, len(self.cells)), dtype=np.int8)
        for name, order in orders.items():
            size = order.shape[1]
            rounds = np.asarray(self.ratio) * (size // sum(self.ratio))
            bounds = np.cumsum(rounds + extra.get(name, 0), axis=-1).reshape(-1, 1, len(self.arms))
            arm = (np.arange(size)[None, :, None] >= bounds[:, :, :-1]).sum(axis=-1)
            np.put_along_axis(dealt, order, np.broadcast_to(arm, order.shape).astype(np.int8), axis=1)
        return dealt

    def _extra_places(self, seats: Positions, cells: Positions) -> dict[str, npt.NDArray[np.intp]]:
        """Count the seats each cell takes from the circle, by arm: (draws, arms) for each cell with leftovers."""
        left = self._leftovers()
        sizes = np.asarray(list(left.values()), dtype=np.intp)
        in_turn = sizes[cells]
        starts = np.empty_like(in_turn)
        np.put_along_axis(starts, cells, np.cumsum(in_turn, axis=1) - in_turn, axis=1)
        arm_of_seat = np.repeat(np.arange(len(self.arms)), self.ratio)
        extra = {}
        for rank, (name, size) in enumerate(left.items()):
            turn = (starts[:, [rank]] + np.arange(size)) % seats.shape[1]
            taken = arm_of_seat[np.take_along_axis(seats, turn, axis=1)]
            extra[name] = (taken[:, :, None] == np.arange(len(self.arms))).sum(axis=1)
        return extra


def _ordered(seeds: Sequence[int | str], positions: Mapping[str, int]) -> Positions:
    """Return the positions in the order of their texts' keys under each seed, (seeds, n)."""
    return np.array([in_order(seed, positions) for seed in seeds], dtype=np.intp).reshape(len(seeds), len(positions))
