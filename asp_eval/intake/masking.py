"""What is said of a file that cannot be read, without the personal numbers and addresses that stand in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from asp_eval.core.errors import DataProblems, Place, Problem
from asp_eval.intake.identifiers import is_personal, masked


@contextmanager
def persons_masked() -> Iterator[None]:
    """Mask what identifies persons in the faults that are raised within.

    A file is freed of it only once it has been read; before that, faults quote its cells and names as they are.
    """
    try:
        yield
    except DataProblems as refused:
        raise DataProblems([_unsaid(problem) for problem in refused.problems]) from None


def _unsaid(problem: Problem) -> Problem:
    place = Place(_safe(problem.place.source) or "", problem.place.line, problem.place.row, _safe(problem.place.column))
    details = {name: _safe(value) if isinstance(value, str) else value for name, value in problem.details.items()}
    return replace(problem, place=place, found=_safe(problem.found), expected=_safe(problem.expected), details=details)


def _safe(text: str | None) -> str | None:
    return masked(text) if text and is_personal(text) else text
