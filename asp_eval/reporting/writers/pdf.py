"""Documents as PDF: A4, tagged for screen readers (PDF/UA-1), with bookmarks, a running header and page numbers."""

from __future__ import annotations

from dataclasses import replace
from textwrap import shorten
from typing import Any

from asp_eval.reporting.blocks import Document, Figure, Table
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.theme import PLAIN, Theme
from asp_eval.reporting.writers.crowding import sizes_on_paper
from asp_eval.reporting.writers.page_breaks import together
from asp_eval.reporting.writers.plain import as_plain
from asp_eval.reporting.writers.typesetting import FONT, Fonts, typeset
from asp_eval.reporting.writers.widths import fullness, shares

HOLDS = {"gap_profile": (2650, 5050)}  # letters on each of its pages at the usual size
LONGEST_RUNNING = 110  # letters of the running header
HIGHEST = 222  # millimetres of a figure: a heading and its title have room above it on the same page


def pdf(document: Document, theme: Theme = PLAIN) -> bytes:
    """Return a document as a PDF file; the same document always gives the same bytes.

    Parameters
    ----------
    document : Document
    theme : Theme

    Raises
    ------
    Refusal
        REP-011 if the font lacks a letter of the document, with its title; REP-012 if the page cannot be set.
    """
    return typeset("document.typ", _values(document, theme), fonts_of(theme), day=document.day, name=document.title)


def fonts_of(theme: Theme) -> Fonts:
    """Return the fonts that pages of a theme are set in."""
    return Fonts(theme.font, (theme.font_folder,)) if theme.font and theme.font_folder else Fonts()


def edition(document: Document) -> str:
    """Return of which data and plan a document is: their day, the first digits of their digest, the day of the lock."""
    show = Numbers(words_for(document.language))
    day = show.words("data of {day}", day=show.day(document.day.isoformat())) if document.day else ""
    return " · ".join(part for part in (day, document.digest, document.plan) if part)


def running_title(document: Document) -> str:
    """Return the title, and the subtitle where there is room, as they stand at the head of every page."""
    whole = f"{document.title} · {document.subtitle}"
    return whole if len(whole) <= LONGEST_RUNNING else shorten(document.title, LONGEST_RUNNING, placeholder=" …")


def _values(document: Document, theme: Theme) -> dict[str, Any]:
    """Return what the template shows."""

    def part(block: object) -> dict[str, Any]:
        if isinstance(block, Table):
            return {
                "long": block.long,
                "shares": shares(block),
                "fullness": fullness(block),
                "together": together(block) if block.long else (),
            }
        return {"drawing": theme.dressed(block.drawing)} if isinstance(block, Figure) else {}

    say = words_for(document.language)
    sizes, logo = sizes_on_paper(document, HOLDS.get(document.kind, ())), theme.logo
    plain: dict[str, Any] = as_plain(replace(document, workbook=()), part)
    return plain | {
        "day": None,
        "leaves": [{"sections": len(leaf), "size": size} for leaf, size in zip(document.leaves, sizes, strict=True)],
        "running": running_title(document),
        "highest": HIGHEST,
        "edition": edition(document),
        "contents_title": say("Contents"),
        "page_word": say("p."),
        "accent": theme.accent,
        "fonts": [theme.font or FONT],
        "fallback": not theme.font,
        "logo": None if logo is None else list(logo.content),
        "logo_alternative": theme.organisation,
    }
