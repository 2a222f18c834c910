"""What a profile may show without showing what a single person answered."""

from __future__ import annotations

from collections.abc import Sequence

LOWEST, HIGHEST = 0.0, 100.0  # percent of maximum possible


def may_be_shown(count: int, mean: float, spread: float, *, minimum_cell: int) -> bool:
    """Return whether the mean of a cell may be shown.

    Not with fewer than `minimum_cell` people; nor where all gave the same answer, or the mean is an end of the scale,
    because then the mean says what each of them answered.

    Parameters
    ----------
    count : int
        People in the cell.
    mean : float
        0 to 100.
    spread : float
        Largest less smallest score of the cell.
    minimum_cell : int

    Examples
    --------
    >>> may_be_shown(8, 61.0, 40.0, minimum_cell=5), may_be_shown(4, 61.0, 40.0, minimum_cell=5)
    (True, False)
    """
    return count >= minimum_cell and spread > 0 and LOWEST < mean < HIGHEST


def counts_to_show(counts: Sequence[int], *, minimum_cell: int) -> tuple[int | None, ...]:
    """Return an institution's counts on its dimensions, without those that reveal how few left a dimension unanswered.

    Two counts of 24 and 23 say that one person left out the second dimension: a cell of one. So a count is shown only if it
    equals every other count shown, or differs from it by at least `minimum_cell`. The largest is always shown.

    Examples
    --------
    >>> counts_to_show([24, 23, 24, 17], minimum_cell=5)
    (24, None, 24, 17)
    """
    shown: list[int] = []
    for count in sorted(set(counts), reverse=True):
        if all(larger - count >= minimum_cell for larger in shown):
            shown.append(count)
    return tuple(count if count in shown else None for count in counts)
