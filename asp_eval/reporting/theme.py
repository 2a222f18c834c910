"""The look of an organisation: its colour, its logo and its font, on pages that are otherwise the same."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from asp_eval.core.documents import Document, read_document
from asp_eval.core.errors import Fault, Place

ACCENT = "#17506b"  # of headings and marks; `reports/style.css` and `reports/figures/text.svg.j2` have the same
LARGEST_LOGO = 2_000_000  # bytes
RUNS_OR_FETCHES = (b"<script", b"<foreignobject", b"<!entity", b'href="http', b"href='http", b"url(http")  # in an SVG picture
LOWEST_CONTRAST = 4.5  # of text against white: WCAG 2.2, criterion 1.4.3

NO_PICTURE = Fault("REP-013", "the logo is not a picture that can be used", "Give an SVG, PNG or JPEG file of at most 2 MB.")
TOO_PALE = Fault(
    "REP-014",
    "text in the colour {colour} cannot be read well on white: its contrast is {contrast:.1f}",
    "Choose a darker colour; text needs a contrast of at least 4.5.",
)
NO_FONTS = Fault("REP-015", "the folder of fonts has no font file", "Put the .ttf or .otf files of the font into it.")


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture as it is in its file, with what kind of picture it is.

    Attributes
    ----------
    content : bytes
    media_type : {"image/svg+xml", "image/png", "image/jpeg"}
    """

    content: bytes
    media_type: str

    @property
    def address(self) -> str:
        """The picture as an address that holds it whole."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.content).decode()}"


@dataclass(frozen=True, slots=True)
class Theme:
    """How pages look.

    Attributes
    ----------
    accent : str
        Colour of headings and marks, ``#rrggbb``.
    organisation : str
        Whose logo it is, in words.
    logo : Logo, optional
    font : str
        Family; empty for the package's own.
    font_folder : Path, optional
        Where the files of the font are.
    """

    accent: str = ACCENT
    organisation: str = ""
    logo: Logo | None = None
    font: str = ""
    font_folder: Path | None = None

    def dressed(self, drawing: str) -> str:
        """Return an SVG drawing with the theme's colour in place of the package's, and its font before all others."""
        coloured = drawing.replace(ACCENT, self.accent)
        return coloured.replace('font-family="', f"font-family=\"'{self.font}', ") if self.font else coloured


PLAIN = Theme()


class Colours(Document):
    """Colours of a theme file."""

    accent: str = Field(default=ACCENT, pattern=r"^#[0-9a-fA-F]{6}$")


class LogoFile(Document):
    """The logo of a theme file: whose it is, and its file beside the theme file."""

    file: str
    organisation: str = Field(min_length=1)


class FontFiles(Document):
    """The font of a theme file: its family, and the folder of its files beside the theme file."""

    family: str = Field(pattern=r"^[A-Za-z0-9 -]+$")
    folder: str


class ThemeFile(Document):
    """A theme file."""

    colours: Colours = Colours()
    logo: LogoFile | None = None
    fonts: FontFiles | None = None


def read_theme(path: str | Path) -> Theme:
    """Read a theme from a YAML file.

    Parameters
    ----------
    path : str or Path
        A file such as ``{colours: {accent: "#005a3c"}, logo: {file: logo.svg, organisation: Vejle Kommune},
        fonts: {family: Inter, folder: fonts}}``; every key may be left out.

    Raises
    ------
    DataProblems
        Every mistake in the file.
    Refusal
        REP-013 if the logo is no picture, REP-014 if the colour is too pale for text, REP-015 if there is no font file.
    """
    path = Path(path)
    read = read_document(path, ThemeFile)
    contrast = contrast_with_white(read.colours.accent)
    if contrast < LOWEST_CONTRAST:
        TOO_PALE.refuse(Place(path.name, column="colours.accent"), colour=read.colours.accent, contrast=contrast)
    folder = path.parent / read.fonts.folder if read.fonts else None
    if folder and not [file for file in folder.glob("*") if file.suffix.lower() in {".ttf", ".otf"}]:
        NO_FONTS.refuse(Place(path.name, column="fonts.folder"), found=folder.name)
    return Theme(
        accent=read.colours.accent.lower(),
        organisation=read.logo.organisation if read.logo else "",
        logo=_logo(path.parent / read.logo.file, path.name) if read.logo else None,
        font=read.fonts.family if read.fonts else "",
        font_folder=folder,
    )


def contrast_with_white(colour: str) -> float:
    """Return the contrast of a colour against white, 1 to 21 (WCAG 2.2, relative luminance).

    Examples
    --------
    >>> round(contrast_with_white("#000000")), round(contrast_with_white("#767676"), 2)
    (21, 4.54)
    """
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _logo(path: Path, source: str) -> Logo:
    """Read a picture; what kind it is is told from its first bytes."""
    place = Place(source, column="logo.file")
    if not path.is_file() or path.stat().st_size > LARGEST_LOGO:
        NO_PICTURE.refuse(place, found=path.name)
    content = path.read_bytes()
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return Logo(content, "image/png")
    if content.startswith(b"\xff\xd8\xff"):
        return Logo(content, "image/jpeg")
    if b"<svg" not in content[:2000] or any(part in content.lower() for part in RUNS_OR_FETCHES):
        NO_PICTURE.refuse(place, found=path.name)
    return Logo(content, "image/svg+xml")
