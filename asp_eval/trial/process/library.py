"""The coding frames: those shipped in ``instruments/frames/``, and a study's own in its folder ``frames``."""

from __future__ import annotations

import difflib
from functools import cache
from pathlib import Path

from asp_eval.core.documents import read_document
from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.core.phrases import Phrase, any_of
from asp_eval.core.resources import shipped_folder
from asp_eval.trial.instruments.library import OwnFile, own_file
from asp_eval.trial.process.frame import Frame

UNKNOWN = Fault("FRM-020", "no coding frame has this name", "{advice}'asp-eval frames list' shows them all.")
SAME_VERSION = Fault("FRM-021", "{other} has the same id and version", "Raise the version, or give it an id of its own.")
FOLDER = "frames"  # of a study, and of the shipped instruments


@cache
def shipped_frames() -> tuple[Frame, ...]:
    """Return the coding frames that came with the package, by id."""
    return tuple(each for _, each in _read(sorted((shipped_folder("instruments") / FOLDER).glob("*.yaml"))))


def frames_of(folder: Path | None) -> tuple[Frame, ...]:
    """Return the coding frames that a study knows: those that are shipped, and those in its folder ``frames``.

    Parameters
    ----------
    folder : Path, optional
        The study folder; None of a study that has none.

    Raises
    ------
    DataProblems
        Every mistake in every file; FRM-021 for an id and version that stands twice or is shipped.
    """
    own = [] if folder is None else sorted((folder / FOLDER).glob("*.yaml"))
    if not own:
        return shipped_frames()
    read = _read(own)
    known: dict[tuple[str, int], str] = {
        (each.id, each.version): Phrase("{name}, which comes with the package,", name=each.id) for each in shipped_frames()
    }
    problems: list[Problem] = []
    for path, each in read:
        if other := known.get((each.id, each.version)):
            place = Place(path.name, column="version")
            problems.append(SAME_VERSION.at(place, found=f"{each.id} version {each.version}", other=other))
        known[each.id, each.version] = path.name
    if problems:
        raise DataProblems(problems)
    return (*shipped_frames(), *(each for _, each in read))


def own_frames(folder: Path) -> tuple[OwnFile, ...]:
    """Return the files of a study's own coding frames, with their digests."""
    return tuple(own_file(path, document(each)) for path, each in _read(sorted((folder / FOLDER).glob("*.yaml"))))


def document(frame: Frame) -> str:
    """Return what a coding frame is called in the ledger: ``asp-process frame version 1``."""
    return f"{frame.id} frame version {frame.version}"


def frame(name: str, version: int | None = None, *, study: Path | None = None) -> Frame:
    """Return a coding frame, its latest version unless another is asked for.

    Parameters
    ----------
    name : str
        Its id.
    version : int, optional
    study : Path, optional
        A study folder, whose own frames join those that are shipped.

    Raises
    ------
    Refusal
        FRM-020, with the names that come near.
    DataProblems
        Everything that is wrong with the study's own files.

    Examples
    --------
    >>> frame("asp-process").levels("management_relation")
    ('I', 'II', 'III')
    """
    return among(frames_of(study), name, version)


def among(known: tuple[Frame, ...], name: str, version: int | None = None) -> Frame:
    """Return the frame called `name` among some, or refuse with FRM-020."""
    found = [each for each in known if each.id == name and version in {None, each.version}]
    if not found:
        near = difflib.get_close_matches(name, sorted({each.id for each in known}), n=3, cutoff=0.5)
        advice = Phrase("Did you mean {name}? ", name=any_of(near)) if near else ""
        UNKNOWN.refuse(found=name, advice=advice)
    return max(found, key=lambda each: each.version)


def _read(paths: list[Path]) -> list[tuple[Path, Frame]]:
    problems: list[Problem] = []
    read: list[tuple[Path, Frame]] = []
    for path in paths:
        try:
            read.append((path, read_document(path, Frame)))
        except DataProblems as error:
            problems.extend(error.problems)
    if problems:
        raise DataProblems(problems)
    return read
