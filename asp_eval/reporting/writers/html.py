"""Documents as self-contained HTML pages: style and figures inside, nothing fetched, nothing run."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from functools import cache
from urllib.parse import quote

from jinja2 import Template
from markupsafe import Markup

from asp_eval.core.workbooks import Number, Sheet
from asp_eval.reporting.blocks import Document, Figure, Link, blocks_of
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.templates import templates
from asp_eval.reporting.theme import PLAIN, Theme
from asp_eval.reporting.writers.crowding import sizes_on_paper
from asp_eval.reporting.writers.pdf import edition
from asp_eval.reporting.writers.xlsx import sheet_of

HOLDS = {"gap_profile": (3900, 5600)}  # letters on each of its printed pages at the usual size
SHEETS = ("gap_profile", "gap_municipality", "goal_follow_up")  # handed out on paper


def html(document: Document, translations: Sequence[Link] = (), theme: Theme = PLAIN) -> str:
    """Return a document as one HTML page.

    Parameters
    ----------
    document : Document
    translations : sequence of Link
        The same page in other languages.
    theme : Theme
    """
    show = Numbers(words_for(document.language))
    figures = [block for block in blocks_of(document.sections) if isinstance(block, Figure)]
    downloads = {figure.key: f"data:text/csv;charset=utf-8,{quote(as_csv(sheet_of(figure.data, show)))}" for figure in figures}
    page = _template("page.html.j2").render(
        document=document,
        translations=translations,
        say=show.words,
        theme=theme,
        downloads=downloads,
        running=_running(document),
        fit=_fit(document),
    )
    return theme.dressed(page)


def _fit(document: Document) -> Callable[[int], Markup]:
    """Return what gives the attribute that makes a crowded page smaller in print; nothing where what is said has room."""
    sizes = sizes_on_paper(document, HOLDS.get(document.kind, ()))
    return lambda place: Markup(f' style="--fit: {sizes[place]}"') if sizes[place] < 1 else Markup("")


def _running(document: Document) -> str:
    """Return what heads every printed page of a sheet that is handed out: whose it is, which round, and of when."""
    if document.kind not in SHEETS:
        return ""
    return " · ".join(part for part in (document.title, document.subtitle, edition(document)) if part)


def html_of(block: object) -> str:
    """Return one block as HTML, as it stands on a page."""
    return str(_template("blocks.html.j2").module.block(block))  # type: ignore[attr-defined]


@cache
def _template(name: str) -> Template:
    return templates().get_template(name, globals={"kind_of": _kind_of, "drawing_of": _drawing_of})


def _kind_of(part: object) -> str:
    """Return what the templates choose by: the name of a block's or an inline's type."""
    return type(part).__name__


def _drawing_of(figure: Figure) -> Markup:
    """Return a figure's SVG, which is markup already: its texts were escaped when it was drawn."""
    return Markup(figure.drawing)


def as_csv(sheet: Sheet) -> str:
    """Return a sheet as CSV for a program: numbers with a point, and no more exact than they are shown."""
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(sheet.headings)
    for row in sheet.rows:
        lines.writerow([each.value if isinstance(each, Number) else each for each in row])
    return written.getvalue()
