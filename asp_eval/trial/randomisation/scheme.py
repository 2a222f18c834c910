"""A randomisation scheme: one declaration that yields the draw, its probabilities and its permutation distribution."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.core.phrases import Phrase
from asp_eval.trial.randomisation.hash_order import Draws
from asp_eval.trial.randomisation.roster import Roster


@dataclass(frozen=True, slots=True)
class Allocation:
    """The outcome of a draw: one arm for each institution, in the order of the institution list.

    Attributes
    ----------
    institution_ids, arms, strata : tuple of str, each of length n
        A stratum is what the lot was drawn within: also a block or a pair.
    seed : int
        The seed it was drawn with.
    scheme : str
        The scheme in words, as the ledger keeps it.
    digest : str
        SHA-256 of the institution list, see `Roster.digest`.
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
        """Return the number of institutions, one row per stratum and one column per arm, arms in alphabetical order."""
        return pd.crosstab(pd.Series(self.strata, name="stratum"), pd.Series(self.arms, name="arm"))


@dataclass(frozen=True, slots=True)
class Step:
    """One institution of a draw as an audience follows it.

    Attributes
    ----------
    institution_id, stratum, arm : str
    key : str
        Digest by which it was ordered or decided; empty where the institution had none of its own.
    remark : str
        What else decided.
    """

    institution_id: str
    stratum: str
    key: str
    arm: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Scheme(ABC):
    """A scheme for a given list of institutions. Make one with `scheme_of`.

    Attributes
    ----------
    arms : tuple of str
    ratio : tuple of int
        One number for each arm.
    roster : Roster
        The list, in its own order.
    """

    arms: tuple[str, ...]
    ratio: tuple[int, ...]
    roster: Roster

    @property
    def institution_ids(self) -> tuple[str, ...]:
        """The institutions, in the order of the list."""
        return self.roster.institution_ids

    @property
    def digest(self) -> str:
        """SHA-256 of the list, see `Roster.digest`."""
        return self.roster.digest

    @property
    @abstractmethod
    def strata(self) -> tuple[str, ...]:
        """What each institution's lot is drawn within: its stratum, block or pair; length n."""

    @abstractmethod
    def __str__(self) -> str: ...

    @abstractmethod
    def probabilities(self) -> npt.NDArray[np.float64]:
        """Return the probability of each arm for each institution, (n, arms)."""

    @abstractmethod
    def allocations(self, draws: int, seed: int) -> Draws:
        """Return draws that could have come instead, for a permutation test.

        The rule is `allocate`'s; what it orders by digest is drawn at random instead.

        Parameters
        ----------
        draws : int
        seed : int

        Returns
        -------
        ndarray of int8, (draws, n)
            Position of the arm in `arms`; with two arms 0 is the reference and 1 the other.
        """

    @abstractmethod
    def every(self, most: int) -> Draws | None:
        """Return every possible allocation once, (count, n); None if they are more than `most`, or not equally probable."""

    @abstractmethod
    def drawn(self, seed: int) -> Draws:
        """Return the position of the arm of each institution by the published rule, (n,)."""

    @abstractmethod
    def preface(self, seed: int) -> tuple[str, ...]:
        """Return what an audience must be told before the institutions are read out, as sentences."""

    @abstractmethod
    def steps(self, seed: int) -> tuple[Step, ...]:
        """Return the draw institution by institution, in the order in which the rule takes them."""

    def facts(self) -> dict[str, object]:
        """Return what else the ledger keeps of the scheme."""
        return {}

    def cautions(self) -> tuple[Phrase, ...]:
        """Return what should be weighed before the lot is drawn, as sentences."""
        return self.roster.cautions

    def allocate(self, seed: int) -> Allocation:
        """Draw the lot by the published rule.

        Depends on nothing but the seed, the ids and the declared columns: not on the order of the list, nor on any
        library's random numbers.

        Parameters
        ----------
        seed : int
            0 or more.

        Raises
        ------
        Refusal
            RND-003 if the seed is not such a number.
        """
        arms = tuple(self.arms[position] for position in self.drawn(seed).tolist())
        return Allocation(self.institution_ids, arms, self.strata, int(seed), str(self), self.digest)

    def in_words(self, name: str) -> str:
        """Return the scheme's name, its strata and its ratio: ``stratified by municipality; reference 1, intervention 1``."""
        by = f" by {', '.join(self.roster.stratified_by)}" if self.roster.stratified_by else ""
        parts = ", ".join(f"{arm} {part}" for arm, part in zip(self.arms, self.ratio, strict=True))
        return f"{name}{by}; {parts}"


def weighted(weights: Mapping[str, Fraction]) -> str:
    """Return columns in words, with the weights that are not 1."""
    return ", ".join(name if weight == 1 else f"{name} (weight {float(weight):g})" for name, weight in weights.items())


def equal_chances(ratio: tuple[int, ...], n: int) -> npt.NDArray[np.float64]:
    """Return ``ratio / R`` for every institution, (n, arms)."""
    return np.tile(np.asarray(ratio, dtype=np.float64) / sum(ratio), (n, 1))
