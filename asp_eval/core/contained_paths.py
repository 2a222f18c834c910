"""Paths that a file names: each stays inside the folder that it is given for, also where links lie on the way."""

from __future__ import annotations

import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase

OUTSIDE = Fault(
    "FIL-001",
    "the name leads out of the folder {folder}, and nothing outside it is read, written or removed",
    "Somebody changed the file that says this name, or it is of another version: make it anew, or take it from a backup.",
)
LINK_OUTSIDE = Fault(
    "FIL-002",
    "a link on the way leads out of the folder {folder}, and nothing outside it is read, written or removed",
    "Put a folder in the place of the link, and into it what the link leads to.",
)

EXPECTED = Phrase("a name below the folder, with / between its parts and without '..'")
STEM_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"


def contained_name(name: str) -> str:
    """Return the name of a file below a folder, if it is one on every system.

    Raises
    ------
    ValueError
        If it is empty or absolute, names a drive, goes up by ``..``, or holds a control character.

    Examples
    --------
    >>> contained_name("gap/solsikken.html")
    'gap/solsikken.html'
    >>> contained_name("../solsikken.html")
    Traceback (most recent call last):
        ...
    ValueError: a name below the folder, with / between its parts and without '..'
    """
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    leads_up = ".." in posix.parts or ".." in windows.parts
    controls = any(unicodedata.category(letter) == "Cc" for letter in name)
    if not posix.parts or posix.is_absolute() or windows.drive or windows.root or leads_up or controls:
        raise ValueError(EXPECTED)
    return name


ContainedName = Annotated[str, AfterValidator(contained_name)]
"""The name of a file below a folder, with slashes, as a model reads it from a document."""
FileStem = Annotated[str, StringConstraints(pattern=STEM_PATTERN, max_length=80)]
"""A file name without its ending, as `asp_eval.core.filenames.safe_stem` makes it."""


def inside(folder: Path, name: str) -> Path:
    """Return the path of a file that another file names, in the folder that it must be in.

    Every name that was read from a file goes through here before anything is read, written or removed under it.

    Parameters
    ----------
    folder : Path
    name : str
        With slashes, from the folder. Nothing need be there.

    Raises
    ------
    Refusal
        FIL-001 if the name leads out of the folder; FIL-002 if a link on the way does.

    Examples
    --------
    >>> inside(Path("study"), "output/gap/solsikken.html").as_posix()
    'study/output/gap/solsikken.html'
    """
    try:
        contained_name(name)
    except ValueError:
        OUTSIDE.refuse(str(folder), found=name, folder=folder.name)
    path = folder / name
    try:
        leads_out = not path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # links in a circle: RuntimeError before Python 3.13
        leads_out = True
    if leads_out:
        LINK_OUTSIDE.refuse(str(path), folder=folder.name)
    return path
