"""The coding frames: those shipped in ``instruments/frames/``, and a study's own in its folder ``frames``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from asp_eval.core.documents import read_documents
from asp_eval.core.errors import DataProblems, Fault, Place
from asp_eval.core.phrases import Phrase, did_you_mean
from asp_eval.core.resources import shipped_folder
from asp_eval.trial.instruments.library import OwnFile, own_file
from asp_eval.trial.process.frame import Frame

UNKNOWN = Fault("FRM-020", "no coding frame has this name", "{advice}'asp-eval frames list' shows them all.")
SAME_VERSION = Fault("FRM-021", "{other} has the same id and version", "Raise the version, or give it an id of its own.")
FOLDER = "frames"  # of a study, and of the shipped instruments


@dataclass(frozen=True, slots=True)
class OwnFrame:
    """A coding frame of a study's own, and the file it was read from."""

    frame: Frame
    file: OwnFile


@cache
def shipped_frames() -> tuple[Frame, ...]:
    """Return the coding frames that came with the package, by id."""
    return tuple(each for _, each in _read(shipped_folder("instruments"), ()))


def frames_of(folder: Path | None) -> tuple[Frame, ...]:
    """Return the coding frames that a study knows: those that are shipped, and those in its folder ``frames``.

    Parameters
    ----------
    folder : Path, optional
        The study folder; None of a study that has none.

    Raises
    ------
    DataProblems
        As `own_frames`.
    """
    return (*shipped_frames(), *(each.frame for each in (own_frames(folder) if folder else ())))


def own_frames(folder: Path) -> tuple[OwnFrame, ...]:
    """Return the coding frames in a study's folder ``frames``.

    Raises
    ------
    DataProblems
        Every mistake in every file; FRM-021 for an id and version that stands twice or is shipped.
    """
    if not (folder / FOLDER).is_dir():
        return ()  # those that are shipped need not be read
    return tuple(OwnFrame(each, own_file(path, document(each))) for path, each in _read(folder, shipped_frames()))


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
        UNKNOWN.refuse(found=name, advice=did_you_mean(name, sorted({each.id for each in known})))
    return max(found, key=lambda each: each.version)


def _read(folder: Path, beside: tuple[Frame, ...]) -> list[tuple[Path, Frame]]:
    """Read the frames of a folder, and compare each with those before it and with the frames it will stand beside."""
    read, problems = read_documents(sorted((folder / FOLDER).glob("*.yaml")), Frame)
    known: dict[tuple[str, int], str] = {
        (each.id, each.version): Phrase("{name}, which comes with the package,", name=each.id) for each in beside
    }
    for path, each in read:
        if other := known.get((each.id, each.version)):
            place = Place(path.name, column="version")
            problems.append(SAME_VERSION.at(place, found=f"{each.id} version {each.version}", other=other))
        known[each.id, each.version] = path.name
    if problems:
        raise DataProblems(problems)
    return read
