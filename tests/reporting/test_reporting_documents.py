"""Whole pages.

1. Files and names; the first language has the plain ones.  2. Well-formed HTML with unique ids whose links lead somewhere.
3. Hostile names are text.  4. Nothing is fetched, nothing is run.  5. Synthetic data say so on every page, real data never.
6. Templates stop at a name they do not know.  7. Components look as they did (snapshots).  8. Sixty institutions in seconds.
"""

from __future__ import annotations

import os
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import builders
import pytest
from jinja2 import UndefinedError

from asp_eval.core.errors import Refusal
from asp_eval.reporting.blocks import Callout, Document, Fields, Figure, Link, Prose, Question, Table, blocks_of, plain
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.documents.gap_profiles import gap_index, gap_profile
from asp_eval.reporting.documents.pages import render
from asp_eval.reporting.templates import templates
from asp_eval.reporting.writers.html import html, html_of

VOID = {"col", "meta", "link", "br", "hr", "img", "input"}
SELF_CLOSED_SHAPES = {"line", "rect", "circle", "polygon", "path"}
HOSTILE = "<script>alert(\"x\")</script> & 'Åen' </svg></style>{{ 7*7 }}"
SNAPSHOTS = Path(__file__).parents[1] / "snapshots"


class Outline(HTMLParser):
    """Tags in balance, ids, links and text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.note(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.note(tag, attrs)
        if tag not in SELF_CLOSED_SHAPES | VOID:
            self.faults.append(f"<{tag}/> is not closed in HTML")

    def note(self, tag, attrs):
        self.tags.add(tag)
        values = dict(attrs)
        if len(values) != len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        self.ids += [values["id"]] if "id" in values else []
        self.links += [values["href"]] if "href" in values else []
        self.faults += [f"<{tag}> runs {name}" for name in values if name.startswith("on")]

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data):
        self.text.append(data)


def outline(page: str) -> Outline:
    parsed = Outline()
    parsed.feed(page)
    parsed.close()
    return parsed


def pages(language: str, **changes) -> dict[str, str]:
    gap = builders.gap_results(**changes)
    return {
        "evaluation": html(evaluation(builders.results(), language)),
        "profile": html(gap_profile(gap, gap.profiles[0], language)),
        "index": html(gap_index(gap, (Link("inst-01.html", "Solsikken", language),), language)),
    }


def test_files_have_plain_names_in_the_first_language(tmp_path):
    written = render(builders.results(), tmp_path)
    written += render(builders.gap_results(), tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in written] == [
        "evaluation.html",
        "evaluation.en.html",
        "gap/index.html",
        "gap/inst-01.html",
        "gap/index.en.html",
        "gap/inst-01.en.html",
    ]
    assert all(path.is_file() for path in written)
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith(".part")]
    assert '<html lang="da">' in written[0].read_text(encoding="utf-8")


def test_the_languages_can_be_chosen(tmp_path):
    assert [path.name for path in render(builders.results(), tmp_path, ["en"])] == ["evaluation.html"]
    assert '<html lang="en">' in (tmp_path / "evaluation.html").read_text(encoding="utf-8")
    assert "hreflang" not in (tmp_path / "evaluation.html").read_text(encoding="utf-8")


def test_an_unknown_language_writes_nothing(tmp_path):
    with pytest.raises(Refusal, match="REP-001"):
        render(builders.results(), tmp_path, ["da", "xx"])
    assert not list(tmp_path.iterdir())


def test_every_link_leads_somewhere(tmp_path):
    written = (*render(builders.results(), tmp_path), *render(builders.gap_results(), tmp_path))
    for path in written:
        parsed = outline(path.read_text(encoding="utf-8"))
        for link in parsed.links:
            if link.startswith("data:text/csv;"):  # the numbers of a figure, within the page
                assert len(link.split("%0A")) > 2, path.name
            elif link.startswith("#"):
                assert link[1:] in parsed.ids, (path.name, link)
            else:
                assert (path.parent / link).is_file(), (path.name, link)


@pytest.mark.parametrize("language", ["da", "en"])
@pytest.mark.parametrize("name", ["evaluation", "profile", "index"])
def test_pages_are_well_formed(language, name):
    parsed = outline(pages(language)[name])
    assert parsed.faults == []
    assert parsed.open == []
    assert len(parsed.ids) == len(set(parsed.ids))


@pytest.mark.parametrize("language", ["da", "en"])
@pytest.mark.parametrize("name", ["evaluation", "profile", "index"])
def test_nothing_is_fetched_and_nothing_is_run(language, name):
    page = pages(language)[name]
    assert not {"script", "img", "iframe", "link", "object", "embed", "form"} & outline(page).tags
    addresses = re.findall(r"https?://[^\s\"'<>)]+", page)
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}  # the name of a vocabulary, never fetched
    assert "url(" not in page
    assert "@import" not in page


@pytest.mark.parametrize("language", ["da", "en"])
def test_hostile_names_are_text(language):
    gap = builders.gap_results((builders.gap_profile(HOSTILE, "inst-01"),), title={"da": HOSTILE, "en": HOSTILE})
    dimensions = tuple(builders.replace(d, label={"en": HOSTILE}, area_label={"en": HOSTILE}) for d in gap.dimensions)
    profile = html(gap_profile(builders.replace(gap, dimensions=dimensions), gap.profiles[0], language))
    index = html(gap_index(gap, (Link("inst-01.html", HOSTILE, language),), language))
    named = {"en": HOSTILE}
    study = builders.study(
        study=builders.study_title(title=named),
        arm_labels={"intervention": named},
        sets={"itt": {"filter": HOSTILE}},
        waves=[{"id": key, "label": named} for key in ("w1", "w2", "w3")],
    )
    outcome = builders.outcome(label={"en": HOSTILE}, model=HOSTILE, notes=(HOSTILE,), effect=builders.estimate(note=HOSTILE))
    results = builders.results(study=study, outcomes=(outcome,), provenance=builders.provenance(allocation_source=HOSTILE))
    for page in (profile, index, html(evaluation(results, language))):
        parsed = outline(page)
        assert parsed.faults == []
        assert "script" not in parsed.tags
        assert "{{ 7*7 }}" in "".join(parsed.text)
        assert "<script" not in page


@pytest.mark.parametrize(("language", "words"), [("da", "Syntetiske data"), ("en", "Synthetic data")])
def test_synthetic_data_say_so_on_every_page_and_real_data_never(language, words):
    for page in pages(language).values():
        assert words in page
    real = builders.results(study=builders.study(study=builders.study_title(synthetic=False)))
    gap = builders.gap_results(synthetic=False)
    assert words not in html(evaluation(real, language))
    assert words not in html(gap_profile(gap, gap.profiles[0], language))


def test_the_banner_is_repeated_on_every_printed_page():
    style = (Path(templates().loader.searchpath[0]) / "style.css").read_text(encoding="utf-8")
    printed = style[style.index("@media print") :]
    assert re.search(r"\.banner \{[^}]*display: table-header-group[^}]*break-inside: avoid", printed)


def test_no_sentence_has_an_unfilled_field_or_a_number_that_is_none():
    for language in ("da", "en"):
        for page in pages(language).values():
            text = " ".join(outline(page[page.index("<body") :]).text)
            assert not re.search(r"\{\w+\}|\bNone\b|\bnan\b|Unavailable\(", text)
            assert ".." not in text


def test_danish_pages_have_no_english_sentences():
    literature, formulae, names = r"\(\d{4}\)\. ", "[²βθ]|SE\\(b\\)|max\\[|min\\[|W \\+", "^Aarhus |^– reference|^asp_eval "
    same_in_both = f"~|statsmodels|^Screening: |^Holm, |^asp-eval |{literature}|{formulae}|{names}"
    for name in ("evaluation", "profile", "index"):
        english, danish = (
            {text for text in outline(page[page.index("<body") :]).text if " " in text.strip()}
            for page in (pages("en")[name], pages("da")[name])
        )
        assert {text for text in english & danish if not re.search(same_in_both, text)} == set()


def test_the_state_of_the_data_is_technical_and_not_shown():
    state = "5a1f" * 16
    gap = builders.gap_results(state=state)
    assert state not in html(evaluation(builders.results(provenance=builders.provenance(state=state)), "en"))
    assert state not in html(gap_profile(gap, gap.profiles[0], "en"))


def test_templates_stop_at_an_unknown_name():
    with pytest.raises(UndefinedError):
        templates().from_string("{{ no_such_name }}").render()


def test_templates_neither_calculate_nor_format():
    allowed_filters: set[str] = set()
    for template in Path(templates().loader.searchpath[0]).rglob("*.j2"):
        text = template.read_text(encoding="utf-8")
        code = " ".join(re.findall(r"\{[{%](.*?)[%}]\}", text, re.DOTALL))
        bare = re.sub(r"\"[^\"]*\"", "", code)
        assert not re.search(r"[*/%]|(?<=\w)\s-\s(?=\w)", bare), template.name
        assert set(re.findall(r"\|\s*(\w+)", bare)) <= allowed_filters, template.name


def snapshot(name: str, found: str) -> None:
    """Compare with the stored text; ``UPDATE_SNAPSHOTS=1`` stores it anew."""
    path = SNAPSHOTS / name
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found, encoding="utf-8", newline="\n")
    assert found == path.read_text(encoding="utf-8")


SHOWN = {
    "effects",
    "baseline-table",
    "estimators",
    "recomputation",
    "attrition",
    "flow-table",
    "analysed",
    "dose",
    "analysed-others",
    "attrition-others",
    "institution-means",
    "equivalence",
    "predictors-1",
    "raters",
    "institutions",
}


@pytest.mark.parametrize("language", ["da", "en"])
def test_tables_look_as_they_did(language):
    document = evaluation(builders.results(), language)
    every = blocks_of((*document.sections, *document.workbook))
    tables = {block.key: block for block in every if isinstance(block, Table)}
    for key in SHOWN:
        snapshot(f"{key}.{language}.html", html_of(tables[key]))


@pytest.mark.parametrize("language", ["da", "en"])
def test_figures_look_as_they_did(language):
    gap = builders.gap_results()
    documents = (evaluation(builders.results(), language), gap_profile(gap, gap.profiles[0], language))
    figures = [block for document in documents for block in blocks_of(document.sections) if isinstance(block, Figure)]
    assert [figure.key for figure in figures] == ["flow-diagram", "missing-map", "forest", "dots--icc", "dumbbell"]
    for figure in figures:
        snapshot(f"{figure.key}.{language}.svg", figure.drawing)


def words_of(document: Document) -> str:
    """Everything a document says outside its tables and figures, a line for each paragraph, item and field."""
    lines: list[str] = []
    for section in document.sections:
        lines += ["", f"# {section.title}" if section.title else "#"]
        for part in (section, *section.parts):
            lines += [f"## {part.title}"] if part is not section else []
            lines += [line for block in part.blocks for line in lines_of(block)]
    return "\n".join(lines).replace("\xa0", " ").strip() + "\n"


def lines_of(block) -> list[str]:
    if isinstance(block, Prose):
        return [plain(item.text) for part in block.parts for item in getattr(part, "items", (part,))]
    if isinstance(block, Fields):
        return [f"{plain(field.label)}: {plain(field.value)} {field.detail}".rstrip() for field in block.fields]
    if isinstance(block, Callout):
        return [f"{block.heading} [{block.mark or block.kind}]", *lines_of(block.content)]
    if isinstance(block, Question):
        return [f"{block.text} {block.help}"]
    return [f"[{block.key}]"]


@pytest.mark.parametrize("language", ["da", "en"])
def test_words_read_as_they_did(language):
    gap = builders.gap_results()
    snapshot(f"evaluation-words.{language}.txt", words_of(evaluation(builders.results(), language)))
    snapshot(f"gap-words.{language}.txt", words_of(gap_profile(gap, gap.profiles[0], language)))


def test_sixty_institutions_in_two_languages_take_seconds(tmp_path):
    profiles = tuple(builders.gap_profile(f"Institution {n}", f"inst-{n:02}") for n in range(60))
    began = time.process_time()
    written = render(builders.gap_results(profiles), tmp_path)
    assert len(written) == 122
    assert time.process_time() - began < 15  # about two on an idle machine
