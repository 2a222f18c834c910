"""The typesetter (typst): a template and its data as a PDF, a drawing as a PNG image.

Texts are data and never markup. Fonts are those that come with the package, or those of a theme; the machine's own are not
looked at, so that a page is the same everywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from asp_eval.core.errors import Fault
from asp_eval.core.resources import shipped_folder

if TYPE_CHECKING:
    import typst

FONT = "Source Sans 3"
UNDATED = date(1980, 1, 1)  # the day on a file of which nobody said the day

NO_LETTERS = Fault(
    "REP-011",
    "the font {font} has no letters for {letters}, so no PDF was written",
    "Choose a font that has them, or write the name with other letters.",
)
NOT_SET = Fault("REP-012", "the page could not be set: {reason}", "Report this, with the file results.json or gap.json.")

_MISSING = re.compile(r'the text `?(".*?")`? could not be displayed with font')


@dataclass(frozen=True, slots=True)
class Fonts:
    """Which fonts a page is set in.

    Attributes
    ----------
    family : str
    folders : tuple of Path
        Where its files are, besides those of the package.
    """

    family: str = FONT
    folders: tuple[Path, ...] = ()


PACKAGE_FONTS = Fonts()


def typeset(
    template: str, values: Mapping[str, Any], fonts: Fonts = PACKAGE_FONTS, *, day: date | None = None, name: str = ""
) -> bytes:
    """Return a template of ``reports/`` filled with data, as an accessible PDF (PDF/UA-1).

    Parameters
    ----------
    template : str
        File name.
    values : mapping
        What JSON can hold.
    fonts : Fonts
    day : date, optional
        What the file says it was made on.
    name : str
        What the page is about, for a fault.

    Raises
    ------
    Refusal
        REP-011 if a letter is in no font, with that letter; REP-012 if the page cannot be set for another reason.
    """
    import typst

    source = (shipped_folder("reports") / template).read_bytes()
    try:
        made, warnings = _compiler(fonts.folders).compile_with_warnings(
            input=_files(source, "document.json", json.dumps(values, ensure_ascii=False)),
            format="pdf",
            pdf_standards="ua-1",
            timestamp=_timestamp(day),
        )
    except typst.TypstError as error:
        _refuse(error, fonts.family, name)
    if warnings:
        NOT_SET.refuse(name, reason="; ".join(warning.message for warning in warnings))
    return _whole(made)


def png(drawing: str, fonts: Fonts = PACKAGE_FONTS, *, pixels_per_inch: int = 200) -> bytes:
    """Return an SVG drawing as a PNG image as wide as the text on A4."""
    import typst

    source = b'#set page(width: 178mm, height: auto, margin: 0pt)\n#image("drawing.svg", width: 100%)\n'
    try:
        files = _files(source, "drawing.svg", drawing)
        made = _compiler(fonts.folders).compile(input=files, format="png", ppi=pixels_per_inch)
    except typst.TypstError as error:
        _refuse(error, fonts.family, "")
    return _whole(made)


def _files(template: bytes, name: str, content: str) -> Any:
    """Return a template and the file that it reads; the typesetter's declared types do not know that it takes several files.

    With a value in ``sys.inputs`` instead, the typesetter would remember nothing of the page before.
    """
    return {"main.typ": template, name: content.encode()}


@cache
def _compiler(folders: tuple[Path, ...]) -> typst.Compiler:
    import typst

    paths = [str(folder) for folder in (*folders, shipped_folder("reports") / "fonts")]
    return typst.Compiler(root=str(shipped_folder("reports")), font_paths=paths, ignore_system_fonts=True)


def _whole(made: bytes | list[bytes] | None) -> bytes:
    """Return a file that the typesetter hands over as one, or as a list of one page."""
    return made if isinstance(made, bytes) else b"".join(made or ())


def _timestamp(day: date | None) -> int:
    """Return a day's first second, in seconds since 1970."""
    start = day or UNDATED
    return int(datetime(start.year, start.month, start.day, tzinfo=UTC).timestamp())


def _refuse(error: Exception, family: str, name: str) -> NoReturn:
    letters = list(dict.fromkeys(_MISSING.findall(str(error))))
    if letters:
        NO_LETTERS.refuse(name, font=family, letters=", ".join(letters))
    NOT_SET.refuse(name, reason=str(error))
