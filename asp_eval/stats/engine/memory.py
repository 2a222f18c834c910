"""A model that would not fit in memory is refused before it starts."""

from __future__ import annotations

import os

from asp_eval.core.errors import Fault

TOO_LARGE = Fault(
    "FIT-055",
    "these crossed factors would need {gigabytes:.1f} GB of memory, and this machine has {limit:.1f} GB for them",
    "Leave out a factor, or use groups with fewer members outside the largest factor.",
)
SHARE = 0.75
"""Of the machine's memory that a model may take."""
UNKNOWN = 4e9
"""Bytes where the system does not say what it has."""


def memory_limit() -> float:
    """Return the bytes that a model may take."""
    try:
        return SHARE * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return UNKNOWN


def check_memory(needed: float, place: str) -> None:
    """Refuse a model that would need more bytes than there are.

    Parameters
    ----------
    needed : float
    place : str
        The formula.

    Raises
    ------
    Refusal
        FIT-055.
    """
    limit = memory_limit()
    if needed > limit:
        TOO_LARGE.refuse(place, gigabytes=needed / 1e9, limit=limit / 1e9)
