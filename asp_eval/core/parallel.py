"""Work side by side, with the same bits for any number of workers: each piece has its own named stream of random numbers.

Pieces are done by joblib, whose back end may be chosen around the call, Dask's or Ray's, too::

    with joblib.parallel_config(backend="dask"):
        fit.bootstrap(1_000, workers=8)

BLAS has one thread in each of them: several would wait for each other, and might round otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from asp_eval.core.threads import one_blas_thread

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(function: Callable[[T], R], pieces: Sequence[T], workers: int = 1) -> list[R]:
    """Return what a function makes of each piece, in order.

    Parameters
    ----------
    function : callable
        Of a piece alone: what it draws comes from a stream that the piece names (`asp_eval.core.randomness.stream`).
    pieces : sequence
    workers : int
        With one, the work is done in this process.

    Examples
    --------
    >>> side_by_side(abs, [-2, 3])
    [2, 3]
    """
    if workers == 1 or len(pieces) < 2:
        return [_limited(function, piece) for piece in pieces]
    from joblib import Parallel, delayed

    return list(Parallel(n_jobs=workers)(delayed(_limited)(function, piece) for piece in pieces))


def _limited(function: Callable[[T], R], piece: T) -> R:
    """Do one piece with one BLAS thread. It is limited where the piece is done: a worker's BLAS is another."""
    return one_blas_thread(function)(piece)
