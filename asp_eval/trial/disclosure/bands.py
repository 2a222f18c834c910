"""How many people answered, as a band: an exact count beside another tells how few left a question out."""

from __future__ import annotations

from dataclasses import dataclass

from asp_eval.trial.disclosure.limits import USUAL, Limits


@dataclass(frozen=True, slots=True)
class CountBand:
    """From `low` to `high` people; `high` is None where there is no upper end."""

    low: int
    high: int | None

    def sizes(self, count: int) -> range:
        """Return the counts that the band leaves possible, to the true count where it has no upper end."""
        return range(self.low, (count if self.high is None else self.high) + 1)


def count_band(count: int, limits: Limits = USUAL) -> CountBand | None:
    """Return the band of a count; None where it is below the minimum.

    Examples
    --------
    >>> count_band(7), count_band(31), count_band(4)
    (CountBand(low=5, high=9), CountBand(low=15, high=None), None)
    """
    if count < limits.minimum_cell:
        return None
    lows = limits.band_starts
    at = max(i for i, low in enumerate(lows) if low <= count)
    return CountBand(lows[at], lows[at + 1] - 1 if at + 1 < len(lows) else None)
