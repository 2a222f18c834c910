"""BLAS with one thread, where work is many small matrices: several threads then wait for each other longer than they compute."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

P = ParamSpec("P")
R = TypeVar("R")


def one_blas_thread(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that runs with BLAS limited to one thread, and leaves the limit as it was.

    Examples
    --------
    >>> @one_blas_thread
    ... def threads() -> set[int]:
    ...     return {each["num_threads"] for each in _controller().info() if each["user_api"] == "blas"}
    >>> threads() <= {1}
    True
    """

    @wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        with _controller().limit(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return limited


@cache
def _controller() -> ThreadpoolController:
    """Return the controller of the BLAS libraries of NumPy and SciPy, which must be loaded before it looks."""
    import scipy.linalg  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
