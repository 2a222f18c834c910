"""How much smaller a page of paper is made so that what is said on it fits: by its letters, before anything is set."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from math import sqrt

from asp_eval.reporting.blocks import Document, Figure

LEAST = 0.7
TITLE = 4  # letters that one of the title takes the place of: it is of twice the size


def sizes_on_paper(document: Document, holds: tuple[int, ...]) -> tuple[float, ...]:
    """Return the size of each leaf of a document on paper, 1 being the usual.

    Letters of half the size take a quarter of the paper: so the size goes by the root of how many letters there are.

    Parameters
    ----------
    document : Document
    holds : tuple of int
        Letters that each leaf's page holds at the usual size; leaves beyond are of the usual size.
    """
    letters = [letters_of(leaf) for leaf in document.leaves]
    letters[0] += TITLE * len(document.title)
    found = [_size(said, most) for said, most in zip(letters, holds, strict=False)]
    return (*found, *(1.0 for _ in letters[len(found) :]))


def _size(letters: int, holds: int) -> float:
    return max(LEAST, min(1.0, round(sqrt(holds / max(1, letters)), 3)))


def letters_of(part: object) -> int:
    """Return how many letters a part of a document says, figures apart: those give way by themselves.

    Examples
    --------
    >>> from asp_eval.reporting.blocks import paragraphs
    >>> letters_of(paragraphs("One.", "Two."))
    8
    """
    if isinstance(part, str):
        return len(part)
    if isinstance(part, tuple):
        return sum(map(letters_of, part))
    if is_dataclass(part) and not isinstance(part, Figure):
        return sum(letters_of(getattr(part, each.name)) for each in fields(part))
    return 0
