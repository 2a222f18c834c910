"""The formats that a document can be written in, and what each of them needs to be installed."""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import version
from importlib.util import find_spec
from typing import Literal, get_args

from asp_eval.core.errors import Fault, Problem

Format = Literal["html", "pdf", "docx", "xlsx"]
FORMATS: tuple[Format, ...] = get_args(Format)
NEEDS: dict[str, tuple[str, ...]] = {"html": (), "pdf": ("typst",), "docx": ("docx", "typst"), "xlsx": ("xlsxwriter",)}
PACKAGES = {"typst": "typst", "docx": "python-docx", "xlsxwriter": "xlsxwriter"}  # by the name they are imported by

NOT_INSTALLED = Fault(
    "REP-010",
    "{format} files need the package {package}, which is not installed",
    "Install it with: pip install 'asp-eval[pdf,docx]'.",
)
NO_FORMAT = Fault("REP-016", "there is no such format", "Name one or more of the formats that there are.")


def known_formats(names: Collection[str]) -> tuple[Format, ...]:
    """Return formats in the order in which they are written.

    Raises
    ------
    Refusal
        REP-016 if there is none of that name, or no name at all.

    Examples
    --------
    >>> known_formats(["pdf", "html"])
    ('html', 'pdf')
    """
    unknown = sorted(set(names) - set(FORMATS))
    if unknown or not names:
        NO_FORMAT.refuse("--format", found=", ".join(unknown), expected=", ".join(FORMATS))
    return tuple(each for each in FORMATS if each in names)


def missing(wanted: Collection[Format]) -> tuple[Problem, ...]:
    """Return a problem for each format that cannot be written here, because a package is not installed."""
    lacking = {each: [name for name in NEEDS[each] if find_spec(name) is None] for each in wanted}
    return tuple(
        NOT_INSTALLED.at(each, format=each.upper(), package=", ".join(PACKAGES[name] for name in names))
        for each, names in lacking.items()
        if names
    )


def software_of(name: Format) -> dict[str, str]:
    """Return the versions of the packages that a format is written with."""
    return {PACKAGES[module]: version(PACKAGES[module]) for module in NEEDS[name]}
