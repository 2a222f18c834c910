"""What rules find in the rows of a file: where, at once for all rows; the sentences only for those that are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from asp_eval.core.errors import Fault, Place, Problem
from asp_eval.intake.files.columns import MORE, MOST_SHOWN
from asp_eval.intake.files.raw import Mask, TextTable

MORE_NOTES = Fault(
    "SCR-122", "{count} more of these are not listed ({code})", "Nothing; they are as those that are listed.", "warning"
)


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """One fault in some rows of a file.

    Attributes
    ----------
    fault : Fault
    column : str or None
        The column it is in, if it is in one.
    rows : ndarray of int, shape (k,)
        Positions of the rows in the file, rising.
    problem : callable
        Makes the problem of the row at a position.
    """

    fault: Fault
    column: str | None
    rows: npt.NDArray[np.intp]
    problem: Callable[[int], Problem]

    @classmethod
    def of(cls, fault: Fault, column: str | None, mask: npt.ArrayLike, problem: Callable[[int], Problem]) -> Finding:
        """Return the finding of the rows where a mask is True."""
        return cls(fault, column, np.flatnonzero(mask), problem)

    @property
    def is_error(self) -> bool:
        """Whether the rows cannot be stored as they are."""
        return self.fault.severity == "error"

    def among(self, mask: Mask) -> Finding:
        """Return the finding without the rows where a mask is False."""
        return Finding(self.fault, self.column, self.rows[mask[self.rows]], self.problem)

    def problems(self) -> Iterator[Problem]:
        """Yield the problem of each row."""
        return (self.problem(int(row)) for row in self.rows)


def at_rows(findings: Iterable[Finding], n: int) -> Mask:
    """Return which of `n` rows are in any of the findings."""
    mask: Mask = np.zeros(n, dtype=np.bool_)
    for finding in findings:
        mask[finding.rows] = True
    return mask


def listed(findings: Iterable[Finding], raw: TextTable) -> list[Problem]:
    """Return the problems of findings, at most 1,000 of a kind in a column, and how many more there are."""
    problems: list[Problem] = []
    counts: dict[tuple[Fault, str | None], int] = {}
    for finding in findings:
        kind = (finding.fault, finding.column)
        left = max(MOST_SHOWN - counts.get(kind, 0), 0)
        counts[kind] = counts.get(kind, 0) + len(finding.rows)
        problems += islice(finding.problems(), left)
    for (fault, column), n in counts.items():
        if n > MOST_SHOWN:
            more = MORE if fault.severity == "error" else MORE_NOTES
            problems.append(more.at(Place(raw.source, column=column), count=n - MOST_SHOWN, code=fault.code))
    return problems
