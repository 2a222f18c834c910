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
    "SCR-122", "more of these, which are not listed ({code}): {count}", "Nothing; they are as those that are listed.", "warning"
)


MORE_OF_ROW = Fault(
    "SCR-068",
    "more faults of this row, which are not listed: {count}",
    "Cure those that are listed; the rest often goes with them.",
)
MOST_OF_A_FILE, FEWEST_SHOWN = 5_000, 10  # faults that are listed: a file with more is wrong as a whole
MOST_OF_A_ROW = 10


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


def by_row(findings: Iterable[Finding], raw: TextTable, rows: Mask) -> tuple[tuple[Problem, ...], ...]:
    """Return the problems of each row where a mask is True, at most `MOST_OF_A_ROW`, and how many more there are."""
    problems: dict[int, list[Problem]] = {int(row): [] for row in np.flatnonzero(rows)}
    counts = np.zeros(len(rows), dtype=np.intp)
    for finding in findings:
        for row in finding.rows[counts[finding.rows] < MOST_OF_A_ROW]:
            problems[int(row)].append(finding.problem(int(row)))
        counts[finding.rows] += 1
    for row in np.flatnonzero(counts > MOST_OF_A_ROW):
        problems[int(row)].append(MORE_OF_ROW.at(raw.place(int(row)), count=int(counts[row]) - MOST_OF_A_ROW))
    return tuple(map(tuple, problems.values()))


def listed(findings: Iterable[Finding], raw: TextTable) -> list[Problem]:
    """Return the problems of findings, at most 1,000 of a kind in a column, and how many more there are.

    If many columns are at fault, fewer of each are listed: `MOST_OF_A_FILE` of them all, but `FEWEST_SHOWN` of each.
    """
    problems: list[Problem] = []
    counts: dict[tuple[Fault, str | None], int] = {}
    findings = [finding for finding in findings if len(finding.rows)]
    kinds = {(finding.fault, finding.column) for finding in findings}
    most = max(FEWEST_SHOWN, min(MOST_SHOWN, MOST_OF_A_FILE // max(len(kinds), 1)))
    for finding in findings:
        kind = (finding.fault, finding.column)
        left = max(most - counts.get(kind, 0), 0)
        counts[kind] = counts.get(kind, 0) + len(finding.rows)
        problems += islice(finding.problems(), left)
    for (fault, column), n in counts.items():
        if n > most:
            more = MORE if fault.severity == "error" else MORE_NOTES
            problems.append(more.at(Place(raw.source, column=column), count=n - most, code=fault.code))
    return problems
