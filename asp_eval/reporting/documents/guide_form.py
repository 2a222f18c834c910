"""Interview guides and observation forms on paper: one self-contained HTML page that prints on A4, a guide to a sheet."""

from __future__ import annotations

from collections.abc import Mapping

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from asp_eval.core.resources import shipped_folder
from asp_eval.trial.process.frame import Frame

LINES = {"interview": 5, "observation": 7}  # to write on, under each question
WORDS: Mapping[str, Mapping[str, str]] = {
    "da": {
        "institution": "Institutionens kode",
        "round": "Runde",
        "date": "Dato",
        "writer": "Kode på den, der skriver",
        "informant": "Hvem taler du med (leder, souschef, en anden)",
        "codes": "Bruges til at kode",
        "version": "{id}, version {version}",
        "nobody": "Skriv ingen navne, hverken på børn, forældre eller ansatte.",
    },
    "en": {
        "institution": "The institution's code",
        "round": "Round",
        "date": "Date",
        "writer": "Code of the one who writes",
        "informant": "Whom you talk with (manager, deputy manager, somebody else)",
        "codes": "Used for coding",
        "version": "{id}, version {version}",
        "nobody": "Write no names, of children, parents or staff.",
    },
}


def print_guides(frame: Frame, language: str) -> str:
    """Return the page with the guides of a frame, in one language that it has.

    Examples
    --------
    >>> from asp_eval.trial.process.library import frame
    >>> print_guides(frame("asp-process"), "da").splitlines()[1]
    '<html lang="da">'
    """
    words = WORDS.get(language, WORDS["en"])
    environment = Environment(
        loader=FileSystemLoader(shipped_folder("reports")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("guide_form.html.j2").render(
        language=language,
        words=words,
        title=frame.title[language],
        guides=frame.guides,
        lines=LINES,
        titles={code.key: code.title[language] for code in frame.codes},
        licence=frame.licence.statement[language],
        version=words["version"].format(id=frame.id, version=frame.version),
    )
