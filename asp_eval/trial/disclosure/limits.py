"""How much may be told about a few people: the limits that a study declares, and which of them are looser than the usual ones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of ``privacy`` in ``study.yaml``; the defaults are the usual ones.

    Attributes
    ----------
    minimum_cell : int
        Fewest people of whom anything is shown.
    answer_sets : int
        Fewest multisets of the others' answers that must fit what is printed, whoever of those who answered reads it.
    share_of_grid : float
        Least share of the form's grid over which another's answer must be left open.
    count_bands : tuple of int
        Where the bands of counts begin, after the first, which begins at `minimum_cell`.
    """

    minimum_cell: int = 5
    answer_sets: int = 10
    share_of_grid: float = 0.5
    count_bands: tuple[int, ...] = (10, 15)

    @property
    def band_starts(self) -> tuple[int, ...]:
        """The first count of each band.

        Examples
        --------
        >>> Limits().band_starts, Limits(minimum_cell=12).band_starts
        ((5, 10, 15), (12, 15))
        """
        return (self.minimum_cell, *(start for start in self.count_bands if start > self.minimum_cell))

    @property
    def looser(self) -> dict[str, str]:
        """The keys whose limit is looser than the usual one, as ``study.yaml`` spells them, with what they say.

        Bands are looser where the narrowest of them holds fewer counts than that of the usual bands with the same minimum.

        Examples
        --------
        >>> Limits(answer_sets=20, count_bands=(15,)).looser
        {}
        >>> Limits(answer_sets=4, count_bands=(7, 10)).looser
        {'disclosure.answer_sets': '4', 'disclosure.count_bands': '7, 10'}
        """
        usual = Limits(minimum_cell=self.minimum_cell)
        loose = {
            "minimum_cell": self.minimum_cell < Limits().minimum_cell,
            "disclosure.answer_sets": self.answer_sets < usual.answer_sets,
            "disclosure.share_of_grid": self.share_of_grid < usual.share_of_grid,
            "disclosure.count_bands": _narrowest(self.band_starts) < _narrowest(usual.band_starts),
        }
        said = (f"{self.minimum_cell}", f"{self.answer_sets}", f"{self.share_of_grid:g}", ", ".join(map(str, self.count_bands)))
        return {key: value for (key, is_looser), value in zip(loose.items(), said, strict=True) if is_looser}


USUAL = Limits()


def _narrowest(starts: tuple[int, ...]) -> float:
    """Return how many counts the narrowest band holds; the last one has no end."""
    return min((later - start for start, later in pairwise(starts)), default=float("inf"))
