"""Blocks, and what writers may count on.

1. Every number that a table shows can be read back from its words, and is the number behind the cell.  2. The numbers behind the
table of effects are the results' own.  3. Every kind of block is written; text is never markup.  4. Every figure is drawn with
shapes that all programs draw alike, says itself in words and brings its numbers.  5. Each rule of a style sheet is for something.
"""

from __future__ import annotations

import re
from dataclasses import astuple, replace
from itertools import pairwise
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree

import builders
import pytest

from asp_eval.reporting.blocks import (
    Block,
    Callout,
    Code,
    Column,
    Document,
    Field,
    Fields,
    Figure,
    Link,
    Question,
    Reference,
    Row,
    Section,
    Strong,
    Table,
    blocks_of,
    cell,
    listing,
    paragraphs,
    plain,
)
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.documents.gap_profiles import gap_index, gap_profile
from asp_eval.reporting.figures.axis import CHARACTER_WIDTH
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers, Quantity, Shown, composed, joined
from asp_eval.reporting.sections.effects import effects_table
from asp_eval.reporting.setting import Setting
from asp_eval.reporting.templates import templates
from asp_eval.reporting.writers.html import html, html_of

THOUSANDS = {"da": ".", "en": ","}
NUMBER = re.compile(r"[<>]?\s?−?\d[\d.,]*\d|[<>]?\s?−?\d")
ALIKE_EVERYWHERE = {"svg", "title", "desc", "line", "rect", "path", "text"}


def documents(language: str) -> dict[str, Document]:
    gap = builders.gap_results()
    return {
        "evaluation": evaluation(builders.results(), language),
        "profile": gap_profile(gap, gap.profiles[0], language),
        "index": gap_index(gap, (Link("inst-01.html", "Solsikken", language),), language),
    }


def blocks(language: str) -> list[Block]:
    return [block for document in documents(language).values() for block in blocks_of(document.sections)]


def tables(language: str) -> list[Table]:
    found = blocks(language)
    return [b for b in found if isinstance(b, Table)] + [b.data for b in found if isinstance(b, Figure)]


def read_back(text: str, language: str) -> list[tuple[str, float]]:
    """Every number in a text as a reader of the language reads it, with the sign of a bound before it."""
    found = []
    for word in NUMBER.findall(text):
        digits = word.lstrip("<>\xa0 ").replace(THOUSANDS[language], "").replace(",", ".").replace("−", "-")
        found.append((word[0] if word[0] in "<>" else "", float(digits)))
    return found


def is_shown_as(quantity: Quantity, bound: str, read: float) -> bool:
    value = 100 * quantity.value if quantity.percent else quantity.value
    if bound:
        return value < read if bound == "<" else value > read
    return abs(value - read) <= 0.5 * 10**-quantity.digits + 1e-9


@pytest.mark.parametrize("language", ["da", "en"])
def test_every_number_in_a_table_is_read_back_as_the_number_behind_it(language):
    count = 0
    for table in tables(language):
        for row in table.rows:
            for column, one in zip(table.columns, row.cells, strict=False):
                if one.wide > 1 or not column.numeric:
                    continue
                shown = [pair for line in (one.text, *one.details) for pair in read_back(line, language)]
                assert len(shown) == len(one.quantities), (table.key, one)
                assert all(is_shown_as(q, *pair) for q, pair in zip(one.quantities, shown, strict=True)), (table.key, one)
                count += len(shown)
    assert count > 500


def test_the_numbers_behind_the_effects_are_those_of_the_results():
    results = builders.results()
    table = effects_table(results.outcomes, Setting(results, Numbers(words_for("da"))))
    conduct = results.outcomes[0]
    effect, (reference, intervention) = conduct.effects[0], conduct.arms
    row = next(row for row in table.rows if not row.group)
    assert [quantity.value for one in row.cells for quantity in one.quantities] == [
        conduct.n_children,
        conduct.n_institutions,
        reference.mean,
        reference.sd,
        intervention.mean,
        intervention.sd,
        effect.difference.estimate,
        effect.difference.conf_low,
        effect.difference.conf_high,
        effect.difference.p_value,
        effect.adjusted_p,
        effect.effect_size.estimate,
        effect.effect_size.conf_low,
        effect.effect_size.conf_high,
        conduct.icc.estimate,
        conduct.icc.conf_low,
        conduct.icc.conf_high,
        conduct.icc_adjusted.estimate,
    ]


def test_a_composed_text_keeps_its_numbers_in_the_order_of_the_words():
    one, two = Shown("1", Quantity(1, 0)), Shown("2", Quantity(2, 0))
    turned = composed("{b} before {a}", {"a": one, "b": two})
    assert (turned, [q.value for q in turned.quantities]) == ("2 before 1", [2, 1])
    assert [q.value for q in joined("; ", (one, "no number", two)).quantities] == [1, 2]
    assert Numbers(words_for("da")).percent(0.131, 1).quantities == (Quantity(0.131, 1, percent=True),)


ONE_OF_EACH = {
    "Prose": listing((("see ", Reference("the plan", "plan"), ", ", Strong("now"), Code("a < b"), Link("b.html", "b", "en")),)),
    "Table": Table("t", "<i>", (Column("<b>", width=40), Column("n")), (Row((cell("<u>", anchor="plan"), cell("1", "<s>"))),)),
    "Figure": next(block for block in blocks("en") if isinstance(block, Figure)),
    "Fields": Fields((Field((Code("<a>"),), "<b>", "<i>", strong=True),), "under"),
    "Question": Question("<why>", "<help>", 3),
    "Callout": Callout("worse", paragraphs("<p>"), "<h3>", "<mark>"),
}


@pytest.mark.parametrize("kind", get_args(Block), ids=lambda kind: kind.__name__)
def test_every_kind_of_block_is_written(kind):
    assert html_of(ONE_OF_EACH[kind.__name__]).strip()


def test_text_is_never_markup():
    page = "".join(html_of(block) for name, block in ONE_OF_EACH.items() if name != "Figure")
    for tag in ("<i>", "<u>", "<s>", "<b>", "<a>", "<why>", "<help>", "<mark>"):
        assert tag not in page
        assert tag.replace("<", "&lt;").replace(">", "&gt;") in page
    prose = html_of(ONE_OF_EACH["Prose"])
    assert '<li>see <a href="#plan">the plan</a>, <strong>now</strong><code>a &lt; b</code><a href="b.html">b</a></li>' in prose


@pytest.mark.parametrize("language", ["da", "en"])
def test_no_block_holds_markup(language):
    def texts(value: object) -> list[str]:
        if isinstance(value, Figure):
            return texts(value.data)
        if isinstance(value, str):
            return [value]
        parts = value if isinstance(value, tuple) else astuple(value) if hasattr(value, "__dataclass_fields__") else ()
        return [text for part in parts for text in texts(part)]

    for block in blocks(language):
        assert not [text for text in texts(block) if re.search(r"</?[a-zA-Z]|&\w+;", text)]


def test_a_section_of_ones_own_needs_no_template():
    mine = Section(
        "mine", "My own", tuple(ONE_OF_EACH.values()), (Section("", "A part", (paragraphs("within"),)),), new_page=True
    )
    page = html(Document("evaluation", "en", "T", "S", "", "", (mine,), contents=True))
    assert '<section id="mine" class="page">\n<h2>My own</h2>' in page
    assert '<a href="#mine">My own</a>' in page
    assert "<h3>A part</h3>\n<p>within</p>" in page
    assert plain(ONE_OF_EACH["Prose"].parts[0].items[0].text) == "see the plan, nowa < bb"


@pytest.mark.parametrize("language", ["da", "en"])
def test_figures_are_shapes_that_every_program_draws_alike(language):
    figures = [block for block in blocks(language) if isinstance(block, Figure)]
    assert len(figures) == 5
    for figure in figures:
        image = ElementTree.fromstring(figure.drawing)
        assert {part.tag.rpartition("}")[2] for part in image.iter()} <= ALIKE_EVERYWHERE
        named = {name for part in image.iter() for name in part.attrib}
        assert not named & {"class", "style", "paint-order", "filter", "transform"}
        assert "var(" not in figure.drawing
        shapes = [part for part in image.iter() if part.tag.rpartition("}")[2] in ("line", "rect", "path", "text")]
        assert all({"fill", "stroke"} & set(part.attrib) for part in shapes)  # every shape brings its own look
        assert image.find("{*}desc").text == figure.alternative
        assert figure.alternative
        assert image.find("{*}title").text == figure.title
        assert figure.data.rows


def test_a_label_that_crosses_a_line_has_a_white_rectangle_under_all_of_it():
    profile = next(block for block in blocks("en") if isinstance(block, Figure) and block.key == "dumbbell")
    parts = list(ElementTree.fromstring(profile.drawing))
    backed = [(rect, text) for rect, text in pairwise(parts) if rect.get("fill") == "#ffffff" and text.text]
    assert len(backed) > 15
    for rect, text in backed:
        left, width = float(rect.get("x")), float(rect.get("width"))
        assert width >= round(len(text.text) * 11 * CHARACTER_WIDTH, 1)
        start = {"start": left, "end": left + width}[text.get("text-anchor")]
        assert float(text.get("x")) == pytest.approx(start, abs=0.11)
        top, height = float(rect.get("y")), float(rect.get("height"))
        assert top < float(text.get("y")) - 7 < top + height


def test_every_rule_of_a_style_sheet_is_for_something():
    pages = "".join(html(document, (Link("x.html", "x", "en"),)) for document in documents("en").values())
    handed_out = replace(documents("en")["profile"], banner="")
    pages += html(handed_out)
    pages += html(Document("problems", "en", "T", "", "", "", (Section("pages", "", ()), Section("answer", "", ()))))
    body = "".join(re.findall(r"<body>.*?</body>", pages, re.DOTALL))
    ids = set(re.findall(r'id="([\w-]+)"', body))
    classes = {name for names in re.findall(r'class="([\w -]+)"', body) for name in names.split()}
    classes |= {"unavailable", "long", "logo"}
    for sheet in Path(templates().loader.searchpath[0]).glob("*.css"):
        rules = re.sub(r"\{[^{}]*\}", " ", re.sub(r"@page[^{]*\{.*\}\n", "", sheet.read_text(encoding="utf-8")))
        assert set(re.findall(r"\.([a-z][\w-]*)", rules)) <= classes, sheet.name
        assert set(re.findall(r"#([a-z][\w-]*)", rules)) <= ids, sheet.name
