"""``asp-eval frames compare``: a codebook of other software held against a coding frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from asp_eval.core.errors import Problem
from asp_eval.core.spelling import folded
from asp_eval.intake.files.export import Export
from asp_eval.intake.files.readers.refi import PRINTED
from asp_eval.intake.files.refi_codebook import BookCode, read_codebook
from asp_eval.intake.files.refi_project import PRESENT
from asp_eval.trial.process.frame import Frame
from asp_eval.trial.process.library import among, frames_of


@dataclass(frozen=True, slots=True)
class UnknownCode:
    """A code of a codebook that the frame does not have.

    Attributes
    ----------
    code, level : str
        As a project coded with it would come in.
    meant : str
        The frame's code, with the level if it is one's, that has this key in another spelling or this title; empty if none has.
    """

    code: str
    level: str
    meant: str


@dataclass(frozen=True, slots=True)
class ComparedCodebook:
    """A codebook of other software beside a frame.

    Attributes
    ----------
    file, frame : str
    version : int
    levels : int
        Of the frame: everything that coders can choose.
    matched : tuple of str
        ``code: level``, each in the codebook and in the frame.
    missing : tuple of str
        Of the frame and not in the codebook: ``code: level``, or ``code`` where all of its levels are missing.
    unknown : tuple of UnknownCode
    twice : tuple of str
        ``code: level`` that stand more than once in the codebook.
    notes : tuple of Problem
    """

    file: str
    frame: str
    version: int
    levels: int
    matched: tuple[str, ...]
    missing: tuple[str, ...]
    unknown: tuple[UnknownCode, ...]
    twice: tuple[str, ...]
    notes: tuple[Problem, ...] = ()


def compare_codebook(file: Path, name: str, *, study: Path | None = None) -> ComparedCodebook:
    """Return which codes of a codebook of other software are those of a frame, and which are not.

    A project that was coded with the codebook comes in with the codes that match; the others are left out or wait.

    Parameters
    ----------
    file : Path
        REFI-QDA codebook (``.qdc``).
    name : str
        Id of the frame.
    study : Path, optional
        The study's folder, for its own frames.

    Raises
    ------
    Refusal
        FRM-020 if there is no such frame.
    DataProblems
        SCR-001, SCR-243, SCR-248, SCR-249 if there is no such file, or it is no codebook.
    """
    frame = among(frames_of(study), name)
    book = read_codebook(Export(file))
    wanted = [BookCode(code.key, level) for code in frame.codes for level in frame.levels(code.key)]
    given = dict.fromkeys(book.codes)
    found = [each for each in wanted if each in given]
    bare = {code.key for code in frame.codes} - {each.column for each in found}
    lacking = [each.column if each.column in bare else _called(each) for each in wanted if each not in given]
    marks = {BookCode(PRINTED, PRESENT)}  # what marks an excerpt for the report is no code of a frame
    meanings = _meanings(frame)
    return ComparedCodebook(
        file=file.name,
        frame=frame.id,
        version=frame.version,
        levels=len(wanted),
        matched=tuple(_called(each) for each in found),
        missing=tuple(dict.fromkeys(lacking)),
        unknown=tuple(
            UnknownCode(each.column, each.value, _meant(each, meanings)) for each in given if each not in {*wanted, *marks}
        ),
        twice=tuple(_called(each) for each, times in Counter(book.codes).items() if times > 1),
        notes=book.notes,
    )


def _called(code: BookCode) -> str:
    return f"{code.column}: {code.value}"


def _meanings(frame: Frame) -> dict[tuple[str, str], str]:
    """Return what a code and a level are called here, by every spelling of their keys and titles; a code alone under no level."""
    found: dict[tuple[str, str], str] = {}
    for code in frame.codes:
        names = {folded(name) for name in (code.key, *code.title.values())}
        found |= {(name, ""): code.key for name in names}
        for level in frame.level_sets[code.levels].levels:
            of_level = {folded(text) for text in (level.key, *level.title.values())}
            found |= {(name, text): f"{code.key}: {level.key}" for name in names for text in of_level}
    return found


def _meant(code: BookCode, meanings: Mapping[tuple[str, str], str]) -> str:
    """Return what a code of the codebook is likely to be: code and level, else one of the two as a code; empty if nothing."""
    column, value = folded(code.column), folded(code.value)
    return meanings.get((column, value)) or meanings.get((column, "")) or meanings.get((value, ""), "")
