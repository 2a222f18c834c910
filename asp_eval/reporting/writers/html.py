"""Documents as self-contained HTML pages: style and figures inside, nothing fetched, nothing run."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from functools import cache, partial
from urllib.parse import quote

from jinja2 import Template
from markupsafe import Markup

from asp_eval.core.workbooks import Number, Sheet
from asp_eval.reporting.blocks import Document, Figure, Link, blocks_of
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.templates import templates
from asp_eval.reporting.theme import PLAIN, Theme
from asp_eval.reporting.writers.pdf import edition
from asp_eval.reporting.writers.xlsx import sheet_of

HOLDS = {"gap_profile": (5000, 6100)}  # letters that its pages of paper hold at the usual size; `fit_on_paper`
LEAST_FIT = 0.7
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
        fit=partial(_fit, document.kind),
    )
    return theme.dressed(page)


def fit_on_paper(letters: int, holds: int) -> float:
    """Return by how much a page is made smaller in print so that what is said on it fits.

    Letters of half the size take a quarter of the paper, so a page made smaller in proportion to its letters has
    room to spare.

    Examples
    --------
    >>> fit_on_paper(4000, 5000), fit_on_paper(6250, 5000)
    (1.0, 0.8)
    """
    return min(1.0, max(LEAST_FIT, round(holds / max(letters, 1), 3)))


def _fit(kind: str, place: int, content: Markup) -> Markup:
    """Return the attribute that makes a crowded page of a profile smaller in print; nothing where what is said has room."""
    holds = HOLDS.get(kind, ())
    fit = fit_on_paper(len(content.striptags()), holds[place]) if place < len(holds) else 1.0
    return Markup(f' style="--fit: {fit}"') if fit < 1 else Markup("")


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
