"""What became of a file that was imported, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from asp_eval.core.errors import Problem
from asp_eval.core.phrases import Phrase, all_of, listed
from asp_eval.trial.tables.schema import at_wave, wave_options


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
    institutions, units : mapping of int to str
        The institution, and the child or other unit, of each row that was refused, left out or warned of, by the row's
        number, where the row tells it.
    pages : tuple of str
        The lists of faults that were written for people, from the study folder.
    part : str, optional
        The part of the table or wave that the file is; None for the whole.
    parts : mapping of str to int
        How many rows are stored of each part of the table and wave afterwards; empty if it is no part.
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
    units: Mapping[int, str] = field(repr=False)
    pages: tuple[str, ...] = ()
    part: str | None = None
    parts: Mapping[str, int] = field(default_factory=dict)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that keep no row out."""
        return tuple(problem for problem in self.problems if problem.severity == "warning")

    @property
    def where(self) -> str:
        """The table, the wave if it has one, and the part if it is not the whole."""
        return at_wave(self.table, self.wave, self.part or "")

    @property
    def again(self) -> str:
        """The command that takes the corrected rows in."""
        return f"asp-eval import {self.quarantine_file} --table {self.table}{wave_options(self.wave, self.part or '')}"

    def __str__(self) -> str:
        return str(self.account)

    @property
    def account(self) -> Phrase:
        """What became of the file, in sentences that can be told in another language."""
        if self.already:
            return Phrase(
                "{file} stands in {where} already; nothing was changed.{waits}",
                file=self.file,
                where=self.where,
                waits=self._quarantine(),
            )
        became = self._became()
        read = {"file": self.file, "dialect": self.dialect, "rows": self.rows_read, "where": self.where, "parts": became}
        if not self.stored:
            return Phrase("{file} ({dialect}): {rows} rows for {where} would give {parts}. Nothing was stored.", **read)
        gone = Phrase("; gone with that: {units}", units=self.vanished) if self.vanished else ""
        place = Phrase(" It takes the place of {file}{gone}.", file=self.superseded, gone=gone) if self.superseded else ""
        adds = Phrase(" It corrects {file}.", file=self.corrects) if self.corrects else ""
        return Phrase(
            "{file} ({dialect}): {rows} rows for {where}: {parts}.{place}{adds}{beside}{waits}",
            **read,
            place=place,
            adds=adds,
            beside=self._beside(),
            waits=self._quarantine(),
        )

    def as_dict(self) -> dict[str, object]:
        """Return the report as plain values."""
        names = [name for name in self.__slots__ if name not in ("problems", "institutions", "units")]
        plain: dict[str, object] = {name: getattr(self, name) for name in names}
        listed = [problem.as_dict() | {"institution": self._institution(problem)} for problem in self.problems]
        return plain | {"problems": listed}

    def _institution(self, problem: Problem) -> str | None:
        return None if problem.place.row is None else self.institutions.get(problem.place.row)

    def _beside(self) -> str:
        """Say which parts of the table and wave are in."""
        if not self.parts:
            return ""
        rows = [
            Phrase("{part} (1 row)" if n == 1 else "{part} ({n} rows)", part=part, n=n) for part, n in sorted(self.parts.items())
        ]
        return Phrase(" Parts that are in: {parts}.", parts=all_of(rows))

    def _became(self) -> str:
        parts = [
            Phrase("{n} stored", n=self.accepted),
            Phrase("{n} without answers", n=self.unanswered),
            Phrase("{n} filtered out", n=self.filtered),
            Phrase("{n} merged", n=self.collapsed),
            Phrase("{n} the same again", n=self.duplicates),
            Phrase("{n} in quarantine", n=self.quarantined),
        ]
        return listed(part for position, part in enumerate(parts) if part.fields["n"] or position == 0)

    def _quarantine(self) -> str:
        if not self.waiting:
            return ""
        rows = Phrase("1 row is" if self.waiting == 1 else "{n} rows are", n=self.waiting)
        return Phrase(
            " {rows} in quarantine: correct {file}, then give: {command}",
            rows=rows,
            file=self.quarantine_file,
            command=self.again,
        )
