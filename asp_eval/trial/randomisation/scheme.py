"""A randomisation scheme: one declaration that yields the draw, its probabilities and its permutation distribution.

The published rule (``docs/randomisation.md`` works it by hand). ``key(text)`` is the SHA-256 digest, in lower-case
hexadecimal, of the UTF-8 text ``"seed:text"``; R is the sum of the ratio, one *seat* for each unit of it.

1. In each stratum the institutions are ordered by ``key(institution_id)``.
2. A stratum of n institutions gives every arm ``ratio * (n // R)`` places; ``n % R`` places are left over.
3. The seats ``1 .. R``, numbered through the arms in their declared order, are ordered by ``key("seat:NUMBER")`` and
   laid in a circle. The strata with places left over are ordered by ``key("stratum:NAME")`` and take as many seats each,
   one after the other, going round the circle from where the stratum before stopped.
4. The institutions of the stratum, in their order, fill the places of the first arm, then of the second, and so on.

So every institution has probability ``ratio / R`` for each arm, no stratum departs from the ratio by more than its
leftover places must, and neither does the whole list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.randomness import stream
from asp_eval.trial.randomisation.roster import institution_strata
from asp_eval.trial.study.design import Study

Positions = npt.NDArray[np.intp]

DRAWN_ELSEWHERE = Fault(
    "RND-001",
    "the study says that the lot was drawn elsewhere",
    "Import the allocation as it was drawn, or remove 'drawn_elsewhere' under 'randomisation'.",
)
NO_STRATA_DECLARED = Fault(
    "RND-002",
    "the randomisation is stratified, but the study declares no strata",
    "Name the columns under 'strata', or write 'scheme: simple' under 'randomisation'.",
)
BAD_SEED = Fault("RND-003", "the seed cannot be used", "Give a whole number, 0 or more, such as the year of the draw.")
NO_DRAWS = Fault("RND-004", "no allocations were asked for", "Ask for at least one draw; a permutation test wants 1,000 or more.")


@dataclass(frozen=True, slots=True)
class Allocation:
    """The outcome of a draw: one arm for each institution, in the order of the institution list.

    Attributes
    ----------
    institution_ids, arms, strata : tuple of str, each of length n
    seed : int
        The seed it was drawn with.
    scheme : str
        The scheme in words, as the ledger keeps it.
    digest : str
        SHA-256 of the institution list, see `Scheme.digest`.
    """

    institution_ids: tuple[str, ...]
    arms: tuple[str, ...]
    strata: tuple[str, ...]
    seed: int
    scheme: str
    digest: str

    def frame(self) -> pd.DataFrame:
        """Return one row per institution: institution_id, arm, stratum, seed, scheme, digest."""
        columns = {"institution_id": self.institution_ids, "arm": self.arms, "stratum": self.strata}
        frame = pd.DataFrame({name: pd.Series(values, dtype="str") for name, values in columns.items()})
        return frame.assign(seed=self.seed, scheme=self.scheme, digest=self.digest)

    def counts(self) -> pd.DataFrame:
        """Return the number of institutions, one row per stratum and one column per arm."""
        return pd.crosstab(pd.Series(self.strata, name="stratum"), pd.Series(self.arms, name="arm"))


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme for a given list of institutions. Make one with `scheme_of`.

    Attributes
    ----------
    kind : {"simple", "stratified"}
        ``simple`` is one lot over the whole list with fixed arm sizes (complete randomisation), not a coin for each.
    arms : tuple of str
    ratio : tuple of int
        One number for each arm.
    columns : tuple of str
        What the list is stratified by; empty for ``simple``.
    institution_ids, strata : tuple of str, each of length n
        The list, in its own order, and the stratum of each institution.
    """

    kind: Literal["simple", "stratified"]
    arms: tuple[str, ...]
    ratio: tuple[int, ...]
    columns: tuple[str, ...]
    institution_ids: tuple[str, ...]
    strata: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the list: the lines ``institution_id<TAB>stratum<LF>``, sorted, in UTF-8."""
        lines = sorted(f"{i}\t{s}\n" for i, s in zip(self.institution_ids, self.strata, strict=True))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def __str__(self) -> str:
        by = f" by {', '.join(self.columns)}" if self.columns else ""
        parts = ", ".join(f"{arm} {part}" for arm, part in zip(self.arms, self.ratio, strict=True))
        return f"{self.kind}{by}; {parts}"

    def members(self) -> dict[str, list[int]]:
        """Return the positions in the list that each stratum holds, strata in alphabetical order."""
        held: dict[str, list[int]] = {stratum: [] for stratum in sorted(set(self.strata))}
        for position, stratum in enumerate(self.strata):
            held[stratum].append(position)
        return held

    def probabilities(self) -> npt.NDArray[np.float64]:
        """Return the probability of each arm for each institution, (n, arms).

        Every row is ``ratio / R``. The full rounds give an arm ``ratio * (n // R)`` places; the seats left over are
        interchangeable, so that each of the R is taken with probability ``(n % R) / R``; the sum is ``n * ratio / R`` places
        expected, and the order of the institutions is exchangeable.
        """
        one = np.asarray(self.ratio, dtype=np.float64) / sum(self.ratio)
        return np.tile(one, (len(self.institution_ids), 1))

    def allocate(self, seed: int) -> Allocation:
        """Draw the lot by the published rule.

        Depends on nothing but the seed, the ids and the strata: not on the order of the list, nor on any library's
        random numbers.

        Parameters
        ----------
        seed : int
            0 or more.

        Returns
        -------
        Allocation
        """
        seed = checked_seed(seed)
        orders = {name: _ordered(seed, {self.institution_ids[p]: p for p in held}) for name, held in self.members().items()}
        seats = _ordered(seed, {f"seat:{number + 1}": number for number in range(sum(self.ratio))})
        strata = _ordered(seed, {f"stratum:{name}": rank for rank, name in enumerate(self._leftovers())})
        dealt = self._deal(orders, seats, strata)[0]
        arms = tuple(self.arms[index] for index in dealt)
        return Allocation(self.institution_ids, arms, self.strata, seed, str(self), self.digest)

    def allocations(self, draws: int, seed: int) -> npt.NDArray[np.int8]:
        """Return draws that could have come instead, (draws, n), for a permutation test.

        The rule is `allocate`'s; its three orders are drawn at random instead of by digest.

        Parameters
        ----------
        draws : int
        seed : int

        Returns
        -------
        ndarray of int8, (draws, n)
            Position of the arm in `arms`; with two arms 0 is the reference and 1 the other.
        """
        seed = checked_seed(seed)
        if draws < 1:
            NO_DRAWS.refuse(found=draws)
        random = stream(seed, "allocations")
        orders = {name: _shuffled(random, held, draws) for name, held in self.members().items()}
        seats = _shuffled(random, range(sum(self.ratio)), draws)
        return self._deal(orders, seats, _shuffled(random, range(len(self._leftovers())), draws))

    def _leftovers(self) -> dict[str, int]:
        """Places left over after the full rounds, for each stratum that has any."""
        sizes = {name: len(held) % sum(self.ratio) for name, held in self.members().items()}
        return {name: size for name, size in sizes.items() if size}

    def _deal(self, orders: Mapping[str, Positions], seats: Positions, strata: Positions) -> npt.NDArray[np.int8]:
        """Deal the arms under given orders.

        Parameters
        ----------
        orders : mapping of stratum to (draws, n_s)
            Positions in the list.
        seats : (draws, R)
        strata : (draws, m)
            Ranks among the m strata with leftovers.
        """
        draws = len(seats)
        extra = self._extra_places(seats, strata)
        dealt = np.empty((draws, len(self.institution_ids)), dtype=np.int8)
        for name, order in orders.items():
            size = order.shape[1]
            rounds = np.asarray(self.ratio) * (size // sum(self.ratio))
            bounds = np.cumsum(rounds + extra.get(name, 0), axis=-1).reshape(-1, 1, len(self.arms))
            arm = (np.arange(size)[None, :, None] >= bounds[:, :, :-1]).sum(axis=-1)
            np.put_along_axis(dealt, order, np.broadcast_to(arm, order.shape).astype(np.int8), axis=1)
        return dealt

    def _extra_places(self, seats: Positions, strata: Positions) -> dict[str, npt.NDArray[np.intp]]:
        """Count the seats each stratum takes from the circle, by arm: (draws, arms) for each stratum with leftovers."""
        left = self._leftovers()
        sizes = np.asarray(list(left.values()), dtype=np.intp)
        in_turn = sizes[strata]
        starts = np.empty_like(in_turn)
        np.put_along_axis(starts, strata, np.cumsum(in_turn, axis=1) - in_turn, axis=1)
        arm_of_seat = np.repeat(np.arange(len(self.arms)), self.ratio)
        extra = {}
        for rank, (name, size) in enumerate(left.items()):
            turn = (starts[:, [rank]] + np.arange(size)) % seats.shape[1]
            taken = arm_of_seat[np.take_along_axis(seats, turn, axis=1)]
            extra[name] = (taken[:, :, None] == np.arange(len(self.arms))).sum(axis=1)
        return extra


def scheme_of(study: Study, institutions: pd.DataFrame) -> Scheme:
    """Return the scheme that a study declares, for its list of institutions.

    Parameters
    ----------
    study : Study
    institutions : DataFrame
        One row per institution: ``institution_id`` and the columns of the strata.

    Returns
    -------
    Scheme

    Raises
    ------
    Refusal
        If the lot was drawn elsewhere, or strata are missing from the declaration.
    DataProblems
        Everything that is wrong with the list: duplicates, missing strata, a stratum smaller than the number of arms.
    """
    declared = study.randomisation
    if declared.drawn_elsewhere:
        DRAWN_ELSEWHERE.refuse("study.yaml, randomisation")
    if declared.scheme == "stratified" and not study.strata:
        NO_STRATA_DECLARED.refuse("study.yaml, strata")
    columns = study.strata if declared.scheme == "stratified" else ()
    ids, strata = institution_strata(institutions, columns, arms=len(study.arms))
    return Scheme(declared.scheme, study.arms, declared.ratio, columns, ids, strata)


def order_key(seed: int, text: str) -> str:
    """Return the key that the published rule orders by.

    Examples
    --------
    >>> order_key(2006, "B01")[:12]
    '22372970b1b5'
    """
    return hashlib.sha256(f"{seed}:{text}".encode()).hexdigest()


def checked_seed(seed: int) -> int:
    """Return the seed as a plain integer, or refuse it."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        BAD_SEED.refuse(found=seed)
    return int(seed)


def _ordered(seed: int, positions: Mapping[str, int]) -> Positions:
    """Return the positions in the order of their texts' keys, (1, n)."""
    ranked = sorted(positions, key=lambda text: (order_key(seed, text), text))
    return np.asarray([[positions[text] for text in ranked]], dtype=np.intp)


def _shuffled(random: np.random.Generator, positions: range | list[int], draws: int) -> Positions:
    """Return the positions in random order, (draws, n)."""
    return random.permuted(np.tile(np.asarray(positions, dtype=np.intp), (draws, 1)), axis=1)
