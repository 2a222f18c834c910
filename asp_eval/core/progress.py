"""How a long piece of work tells how far it is, and how it is stopped. Every verb of the package takes both.

A `Progress` is called with the step that begins or goes on, and with the share of the whole work that is done. A `Cancel` is
asked at every step whether the work is to stop; if so, the step refuses (RUN-001) before it changes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import accumulate

from asp_eval.core.errors import Fault

Progress = Callable[[str, float], None]  # the step, a `Phrase` where it is words; the share of the whole that is done, 0 to 1
Cancel = Callable[[], bool]  # whether to stop

STOPPED = Fault("RUN-001", "the work was stopped before it was done", "Start it again; what was stored before stays as it was.")


def unheard(_step: str, _done: float) -> None:
    """Tell nobody how far the work is."""


def never() -> bool:
    """Do not stop.

    Examples
    --------
    >>> never()
    False
    """
    return False


def stoppable(progress: Progress, cancel: Cancel) -> Progress:
    """Return a progress that refuses at the first step after `cancel` says so.

    Raises
    ------
    Refusal
        RUN-001, from the progress that is returned.

    Examples
    --------
    >>> stoppable(print, never)("reading", 0.5)
    reading 0.5
    """

    def step(name: str, done: float) -> None:
        if cancel():
            STOPPED.refuse()
        progress(name, done)

    return step


def by_phases(progress: Progress, shares: Mapping[str, float]) -> Progress:
    """Return a progress that is called with a phase and the part of that phase that is done.

    Parameters
    ----------
    progress : callable
        Is called with the phase and the share of the whole.
    shares : mapping of str to float
        The phases in their order, and how much of the whole each of them usually takes.

    Examples
    --------
    >>> by_phases(print, {"reading": 3.0, "storing": 1.0})("storing", 0.5)
    storing 0.875
    """
    whole = sum(shares.values())
    before = dict(zip(shares, accumulate(shares.values(), initial=0.0), strict=False))

    def phase(name: str, done: float) -> None:
        progress(name, (before[name] + done * shares[name]) / whole)

    return phase


def part_of(progress: Progress, start: float, end: float, name: str = "") -> Progress:
    """Return the progress of a part of the work, from one share of the whole to another; with a name, under that name.

    Examples
    --------
    >>> part_of(print, 0.5, 1.0)("reading", 0.5)
    reading 0.75
    """
    return lambda step, done: progress(name or step, start + done * (end - start))
