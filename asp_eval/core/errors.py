"""Faults with a code, and values for the number that cannot be had.

An error says place, fault, found, expected and remedy in the reader's words::

    [SCR-014] wave1.csv row 212, column sdq-teacher-4-17.obeys: the value is not an allowed code;
    found '3', allowed 0, 1, 2. Correct the cell, or leave it empty if unanswered.

Each kind of fault is declared once as a module-level `Fault`; `tests/house` collects them, so a code is unique and
documented. Faults in data are collected (`DataProblems` carries them all); a computation stops at the first
(`Refusal` carries one).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Literal, NoReturn

from asp_eval.core.phrases import ENGLISH, Phrase, Translation, as_phrase, notes_in_one, told

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fault is: a source (file, table or formula) and as much of line, row and column as is known.

    Attributes
    ----------
    source : str
        File name as the reader knows it, without its folder; a `Phrase` for what is no file.
    line : int, optional
        Line of a text document, counted from 1.
    row : int, optional
        Row as a spreadsheet numbers it: the header is row 1.
    column : str, optional
        Column of a table, or field of a document (``arms[1]``).
    """

    source: str = ""
    line: int | None = None
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        return self.told(ENGLISH)

    def told(self, say: Translation) -> str:
        """Return where it is, in another language."""
        numbers = (("line {n}", self.line), ("row {n}", self.row))
        head = " ".join([self._source(say), *(say(word).format(n=n) for word, n in numbers if n is not None)]).strip()
        if self.column is None:
            return head
        named = say("column {name}").format(name=self.column) if self.line is None else self.column
        return f"{head}, {named}" if head else named

    def _source(self, say: Translation) -> str:
        return str(told(self.source, say))


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault: its code, what it says, and how it is cured.

    Attributes
    ----------
    code : str
        Stable, unique, three letters and three digits: ``"SCR-014"``.
    text, remedy : str
        Sentences for the reader; may hold ``{named}`` fields, filled from the details of a problem.
    severity : {"error", "warning"}
        A warning is listed and stops nothing.
    """

    code: str
    text: str
    remedy: str
    severity: Severity = "error"

    def at(self, place: Place | str = "", *, found: object = None, expected: object = None, **details: object) -> Problem:
        """Return this fault as met at `place`."""
        where = Place(place) if isinstance(place, str) else place
        return Problem(self, where, _shown(found), _worded(expected), details)

    def refuse(self, place: Place | str = "", *, found: object = None, expected: object = None, **details: object) -> NoReturn:
        """Raise this fault as a `Refusal`."""
        raise Refusal([self.at(place, found=found, expected=expected, **details)])

    def break_off(self, place: Place | str = "", *, found: object = None, **details: object) -> NoReturn:
        """Raise this fault as a `Breakdown`: the machine stopped the work, or a defect of this package."""
        raise Breakdown([self.at(place, found=found, **details)])


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault met at a place. ``str()`` is the sentence people read; `told` says it in another language.

    Attributes
    ----------
    fault : Fault
    place : Place
    found, expected : str, optional
        As they are shown; a `Phrase` where they are words or a number, and not text from the data.
    details : dict
        Values of the fields in the fault's text and remedy: data, or phrases.
    """

    fault: Fault
    place: Place
    found: str | None = None
    expected: str | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The code of the fault."""
        return self.fault.code

    @property
    def severity(self) -> Severity:
        """Whether the problem stops the work."""
        return self.fault.severity

    @property
    def is_error(self) -> bool:
        """Whether the problem stops the work; else it is a warning."""
        return self.severity == "error"

    @property
    def text(self) -> Phrase:
        """What is wrong, with the details filled in."""
        return Phrase(self.fault.text, **self.details)

    @property
    def remedy(self) -> Phrase:
        """What the reader can do about it."""
        return Phrase(self.fault.remedy, **self.details)

    def __str__(self) -> str:
        return self.told(ENGLISH)

    def told(self, say: Translation, *, remedy: bool = True) -> str:
        """Return the sentence in another language: code, place, fault, found, expected and, if it is wanted, remedy."""
        inside = self.within(say)
        where = self.place.told(say)
        pairs = (("found {value}", inside.found), ("expected {value}", inside.expected))
        compared = [say(message).format(value=value) for message, value in pairs if value is not None]
        said = "; ".join([inside.text, ", ".join(compared)] if compared else [inside.text])
        return f"[{self.code}] {where + ': ' if where else ''}{said}." + (f" {inside.remedy}" if remedy else "")

    def within(self, say: Translation) -> Problem:
        """Return the problem in another language, so that its text, remedy and values are in that language.

        Its place keeps its names; `Place.told` says it.
        """
        fault = Fault(self.code, "{text}", "{remedy}", self.severity)
        found, expected = (None if value is None else str(told(value, say)) for value in (self.found, self.expected))
        return Problem(fault, self.place, found, expected, {"text": self.text.told(say), "remedy": self.remedy.told(say)})

    def as_dict(self) -> dict[str, object]:
        """Return the problem as plain values, for JSON and CSV."""
        return {
            "code": self.code,
            "severity": self.severity,
            "source": self.place.source,
            "line": self.place.line,
            "row": self.place.row,
            "column": self.place.column,
            "fault": self.text,
            "found": self.found,
            "expected": self.expected,
            "remedy": self.remedy,
        }


class AspError(Exception):
    """Base of every error this package raises for its user: one or more problems.

    Attributes
    ----------
    problems : tuple of Problem
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))

    @property
    def reason(self) -> Phrase:
        """What was wrong, each fault once, without the codes, places and remedies that are for whoever can cure it."""
        return notes_in_one(problem.text for problem in self.problems)


class DataProblems(AspError):
    """Everything that is wrong with a file: all faults of one pass.

    Attributes
    ----------
    problems : tuple of Problem
    pages : tuple of str
        The lists of them that were written for people, from the study folder.
    """

    pages: tuple[str, ...] = ()


class Refusal(AspError):
    """A computation or command that cannot be done as asked, with the reason."""


class Breakdown(AspError):
    """The machine stopped the work, or a defect of this package; nothing is wrong with the data or with what was asked."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The place of a number that cannot be had, with the reason. Prints its reason; is never a NaN."""

    reason: Phrase

    def __str__(self) -> str:
        return f"unavailable: {self.reason}"

    def __bool__(self) -> bool:
        return False


def _worded(expected: object) -> str | None:
    if expected is None or isinstance(expected, str):
        return expected
    return as_phrase(expected) if isinstance(expected, Real) else str(expected)


def _shown(found: object) -> str | None:
    """Quote text that was found, cut to a length a terminal can show; words and numbers are not quoted."""
    if found is None or isinstance(found, Phrase):
        return found
    if isinstance(found, Real):
        return as_phrase(found)
    shown = repr(found) if isinstance(found, str) else str(found)
    return shown if len(shown) <= 120 else shown[:117] + "..."
