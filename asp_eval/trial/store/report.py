"""What became of a file that was imported, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from asp_eval.core.errors import Problem


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file.

    ``rows_read = accepted + unanswered + filtered + collapsed + duplicates + quarantined``.

    Attributes
    ----------
    file, table, wave
    rows_read, accepted, unanswered, filtered, collapsed, duplicates, quarantined : int
        Rows of the file; stored; without any answer; left out by the declared filter; merged into one row per unit; the same
        as another row in every cell; in quarantine.
    stored : bool
        False for a dry run, and for a file that stands already.
    already : bool
        Whether the same file, read in the same way, stood already.
    superseded : str, optional
        The file whose place this one took, or would take.
    vanished : str, optional
        How many units of that file are gone, as was asked for: ``"2 children"``.
    corrects : str, optional
        The file of whose rows in quarantine this is a correction.
    waiting : int
        Rows in quarantine for this table and wave afterwards.
    quarantine_file : str, optional
        The file to edit, from the study folder, if rows are waiting.
    kept : str, optional
        Where the file is kept, from ``data/``.
    dialect : str
        How the file was written, as detected.
    problems : tuple of Problem
        Errors of the rows in quarantine, and warnings; at most 1,000 of a kind in a column.
    institutions : mapping of int to str
        The institution of each row that was refused or left out, by the row's number, where the row tells it.
    """

    file: str
    table: str
    wave: str | None
    rows_read: int
    accepted: int
    unanswered: int
    filtered: int
    collapsed: int
    duplicates: int
    quarantined: int
    stored: bool
    already: bool
    superseded: str | None
    vanished: str | None
    corrects: str | None
    waiting: int
    quarantine_file: str | None
    kept: str | None
    dialect: str
    problems: tuple[Problem, ...]
    institutions: Mapping[int, str] = field(repr=False)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that keep no row out."""
        return tuple(problem for problem in self.problems if problem.severity == "warning")

    @property
    def where(self) -> str:
        """The table, and the wave if it has one."""
        return f"{self.table} at {self.wave}" if self.wave else self.table

    @property
    def again(self) -> str:
        """The command that takes the corrected rows in."""
        wave = f" --wave {self.wave}" if self.wave else ""
        return f"asp-eval import {self.quarantine_file} --table {self.table}{wave}"

    def __str__(self) -> str:
        if self.already:
            return f"{self.file} stands in {self.where} already; nothing was changed.{self._quarantine()}"
        named = f"{self.file} ({self.dialect}): {self.rows_read} rows for {self.where}"
        if not self.stored:
            return f"{named} could be stored as {self._parts()}. Nothing was."
        gone = f"; gone with that: {self.vanished}" if self.vanished else ""
        place = f" It takes the place of {self.superseded}{gone}." if self.superseded else ""
        adds = f" It corrects {self.corrects}." if self.corrects else ""
        return f"{named}: {self._parts()}.{place}{adds}{self._quarantine()}"

    def as_dict(self) -> dict[str, object]:
        """Return the report as plain values."""
        names = [name for name in self.__slots__ if name not in ("problems", "institutions")]
        plain: dict[str, object] = {name: getattr(self, name) for name in names}
        listed = [problem.as_dict() | {"institution": self._institution(problem)} for problem in self.problems]
        return plain | {"problems": listed}

    def _institution(self, problem: Problem) -> str | None:
        return None if problem.place.row is None else self.institutions.get(problem.place.row)

    def _parts(self) -> str:
        parts = [
            ("stored", self.accepted), ("without answers", self.unanswered), ("filtered out", self.filtered),
            ("merged", self.collapsed), ("the same again", self.duplicates), ("in quarantine", self.quarantined),
        ]  # fmt: skip
        return ", ".join(f"{n} {word}" for word, n in parts if n or word == "stored")

    def _quarantine(self) -> str:
        if not self.waiting:
            return ""
        rows = "1 row is" if self.waiting == 1 else f"{self.waiting} rows are"
        return f" {rows} in quarantine: correct {self.quarantine_file}, then give: {self.again}"
