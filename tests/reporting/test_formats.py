"""One report in four formats.

1. Every number of every table is read back from HTML, PDF, Word and Excel, and is one of results.json.  2. Two runs give the
same bytes.  3. Names that are not shown are in no file, nor in what a file says of itself, and Excel's numbers are no more exact
than those on the page; every sheet and page says title, day, plan and digest.  4. A PDF is in reading order, with headings, and
refuses a figure without words.  5. Word's files have headings, repeated heads, captions and alternative texts, and contents with
pages.  6. What cannot be written is said; nothing in a text is markup.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import subprocess
import sys
import zipfile
import zlib
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import builders
import docx as word
import pytest
import report_tables
from report_tables import numbers_of, texts

from asp_eval.analysis.results import Results
from asp_eval.core.errors import Refusal
from asp_eval.core.workbooks import Number, Sheet, sheet_names, workbook
from asp_eval.reporting.blocks import Column, Document, Figure, Row, Section, Table, anchors_of, blocks_of, cell
from asp_eval.reporting.documents.pages import Page, made_or_refused, pages_of, render
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.theme import PLAIN, Theme, read_theme
from asp_eval.reporting.writers import formats, typesetting
from asp_eval.reporting.writers.formats import FORMATS, known_formats, missing
from asp_eval.reporting.writers.html import html
from asp_eval.reporting.writers.page_breaks import together
from asp_eval.reporting.writers.pdf import HIGHEST, pdf, running_title
from asp_eval.reporting.writers.widths import shares
from asp_eval.reporting.writers.xlsx import sheet_of, tables_of
from asp_eval.store.result_files import load, save
from asp_eval.trial.study.plan_fields import PlanLock

HERE = Path(__file__).parent
DAY = date(2008, 6, 1)
SECRET = "Hemmelige Huset"
needs_poppler = pytest.mark.skipif(report_tables.POPPLER is None, reason="pdfinfo of poppler-utils is not installed")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def all_pages(language: str, **changes) -> list[Page]:
    results, gap = builders.results(), builders.gap_results(**changes)
    return [page for value in (results, gap) for page in pages_of(value, [language], FORMATS, day=DAY)]


@pytest.fixture(scope="module")
def made() -> dict[tuple[str, str], tuple[Page, bytes]]:
    """Every file of a study in both languages, by language and name."""
    return {(language, page.name): (page, page.made()) for language in ("da", "en") for page in all_pages(language)}


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Results:
    path = tmp_path_factory.mktemp("stored") / "results.json"
    save(path, builders.results())
    return load(path, Results, verb="analyse")


def shown_tables(page: Page) -> list[Table]:
    return [block for block in blocks_of(page.document.sections) if isinstance(block, Table)]


def found_in(value: float, pool: set[float]) -> bool:
    return any(abs(value - known) <= 1e-9 * max(1.0, abs(value)) for known in pool)


def test_every_number_of_the_tables_is_one_of_the_results(results):
    """Or follows from them by what the table says: a share of a number beside it, a count less another, a hundredfold."""
    pool = numbers_of(results)
    whole = {number for number in pool if number == int(number)}
    seen = 0
    for table in tables_of(pages_of(results, ["en"])[0].document):
        for row in table.rows:
            counts = [each.quantities for each in row.cells if each.quantities]
            for each in row.cells:
                for quantity in each.quantities:
                    seen += 1
                    value, k = quantity.value, each.quantities[0].value
                    if found_in(value, pool) or found_in(value / 100, pool):
                        continue
                    if quantity.percent:
                        of = round(k / value)
                        arms = [parts for parts in counts if len(parts) >= 2]
                        pooled = {sum(p[0].value for p in arms) / sum(p[1].value for p in arms)} if arms else set()
                        assert found_in(value, {k / of} if of in whole else pooled), (table.key, each)
                    else:
                        less = {value + other for other in whole} & whole and table.key in {
                            "flow-data",
                            "attrition",
                            "attrition-others",
                        }
                        together = {value - other for other in whole} & whole and table.key == "enrolment"
                        assert less or together, (table.key, each)
    assert seen > 600


@pytest.mark.parametrize("language", ["da", "en"])
def test_every_table_of_html_and_word_reads_back_cell_by_cell(made, language):
    for name, read in (("evaluation.html", report_tables.from_html), ("evaluation.docx", report_tables.from_docx)):
        page, content = made[language, name]
        tables = shown_tables(page)
        found = read(content)
        assert len(found) == len(tables) > 20
        for table, rows in zip(tables, found, strict=True):
            assert [text for row in rows[1:] for text in row] == texts(table), (name, table.key)


@pytest.fixture(scope="module", params=[8, pytest.param(None, marks=pytest.mark.slow)], ids=["its first sections", "whole"])
def printed(made, request) -> tuple[Document, bytes]:
    """An evaluation as PDF: for the structure of the whole poppler takes several seconds."""
    page, _ = made["da", "evaluation.pdf"]
    document = replace(page.document, sections=page.document.sections[: request.param])
    return document, pdf(document, page.theme)


@needs_poppler
def test_every_table_of_a_pdf_reads_back_cell_by_cell(printed):
    document, content = printed
    tables = [block for block in blocks_of(document.sections) if isinstance(block, Table)]
    found = report_tables.from_pdf(content)
    assert len(found) == len(tables) >= 8
    for table, rows in zip(tables, found, strict=True):
        numbers = [number for row in rows[1:] for text in row for number in report_tables.numbers_in(first_words(text), "da")]
        assert numbers == [n for text in texts(table) for n in report_tables.numbers_in(first_words(text), "da")], table.key


@needs_poppler
@pytest.mark.parametrize("language", ["da", "en"])
def test_every_number_of_the_tables_is_in_the_text_of_the_pdf(made, language):
    page, content = made[language, "evaluation.pdf"]
    text = report_tables.told_by_poppler(content, "pdftotext").replace("\n", " ")
    everywhere = Counter(report_tables.numbers_in(text, language))
    wanted = Counter(n for table in shown_tables(page) for text in texts(table) for n in report_tables.numbers_in(text, language))
    assert wanted.total() > 500
    assert not wanted - everywhere


def first_words(text: str) -> str:
    """What poppler tells of each line of a cell: the words before the first no-break space."""
    return "\n".join(line.split("\N{NO-BREAK SPACE}")[0] for line in text.split("\n"))


@pytest.mark.parametrize("language", ["da", "en"])
def test_every_table_reads_back_from_excel_as_numbers(made, language):
    page, content = made[language, "evaluation.xlsx"]
    sheets = report_tables.from_xlsx(content)
    tables = list(tables_of(page.document))
    assert len(sheets) == len(tables)
    for table, (name, rows) in zip(tables, sheets.items(), strict=True):
        values = [value for row in rows for value in row]
        numbers = Counter(round(float(value), 9) for value in values if isinstance(value, (int, float)))
        shown = sum((numbers_shown(each, language) for row in table.rows if not row.group for each in row.cells), Counter())
        assert numbers == shown, (table.key, numbers - shown, shown - numbers)
        assert not [value for value in values if isinstance(value, str) and value.startswith("#")]
        assert name == table.key[:31]


def numbers_shown(each, language: str) -> Counter[float]:
    """The numbers behind a cell that stand in it themselves, and not as a bound: "< 0.001" is none."""
    lines = [re.sub(r"[<>]\s?\d\S*", "", line) for line in (each.text, *each.details)]
    written = Counter(round(number, 9) for line in lines for number in report_tables.numbers_in(line, language))
    behind = Counter(
        round(float(Decimal(repr(float(q.value))).quantize(Decimal(1).scaleb(-q.digits - 2 * q.percent), ROUND_HALF_UP)), 9)
        for q in each.quantities
    )
    return written & behind


def test_two_runs_give_the_same_bytes(made):
    script = (
        f"import hashlib, sys; sys.path[:0] = {[str(HERE), str(HERE.parent)]!r}; import test_formats as t\n"
        "for page in t.all_pages('da'): print(page.name, hashlib.sha256(page.made()).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    again = dict(line.split() for line in done.stdout.splitlines())
    first = {name: hashlib.sha256(content).hexdigest() for (language, name), (_, content) in made.items() if language == "da"}
    assert again == first
    assert len(first) == 4 + 1 + 4


def unpacked(content: bytes) -> bytes:
    """Everything in a file: the members of a zip file, the streams of a PDF."""
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            return b"\n".join(name.encode() + b"\n" + file.read(name) for name in file.namelist())
    streams = []
    for start in re.finditer(rb"stream\r?\n", content):
        try:
            streams.append(zlib.decompressobj().decompress(content[start.end() :]))
        except zlib.error:
            continue
    return content + b"\n".join(streams)


def test_a_name_that_is_not_shown_is_in_no_file():
    hidden = builders.gap_results((builders.gap_profile(SECRET, "inst-01"),), show_names=False)
    shown = replace(hidden, show_names=True)
    found = {page.name: contains(page.made(), SECRET) for page in pages_of(hidden, ["da"], FORMATS, day=DAY)}
    assert set(found.values()) == {False}, found
    control = {page.format: contains(page.made(), SECRET) for page in pages_of(shown, ["da"], FORMATS, day=DAY)}
    assert all(control.values()), control  # the test would see it


def contains(content: bytes, text: str) -> bool:
    """Whether a text is anywhere in a file, however the file writes its letters."""
    whole = unpacked(content)
    hexadecimal = whole.lower().replace(b" ", b"")
    ways = [text.encode(), text.encode("utf-16-be"), b"feff" + text.encode("utf-16-be").hex().encode()]
    return any(way in whole or way in hexadecimal for way in ways)


def test_files_say_of_themselves_what_the_page_says_and_nothing_of_the_machine(made):
    folder = str(Path(__file__).parents[2])
    for (language, name), (page, content) in made.items():
        whole = unpacked(content)
        assert folder.encode() not in whole, name
        if page.format == "docx":
            said = word.Document(io.BytesIO(content)).core_properties
            assert (said.author, said.last_modified_by, said.created.date(), said.modified.date()) == ("", "", DAY, DAY)
            assert said.language == {"da": "da-DK", "en": "en-GB"}[language]
            assert said.title.startswith(page.document.title)
        if page.format in {"docx", "xlsx"}:
            with zipfile.ZipFile(io.BytesIO(content)) as file:
                assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        if page.format == "pdf":
            assert b"/Author" not in whole
            assert b"2008-06-01" in whole


def test_every_sheet_and_every_page_says_title_day_plan_and_digest():
    """Of a real study, whose pages have no other banner."""
    study = builders.study(study=builders.study_title(synthetic=False))
    provenance = builders.provenance(state="5a1f" * 16, plan_lock=PlanLock("2006-09-01", 1, "ab", {}, ()))
    results = builders.results(study=study, provenance=provenance)
    by_kind = {page.format: page for page in pages_of(results, ["en"], ("xlsx", "docx"), day=DAY)}
    told = ("Action competencies in pedagogical work", "data of 1 June 2008", "5a1f5a1f5a1f5a1f", "plan of 1 September 2006")
    for name, rows in report_tables.from_xlsx(by_kind["xlsx"].made()).items():
        above = " ".join(str(value) for row in rows[:4] for value in row if value)
        assert all(part in above for part in told), name
    head = word.Document(io.BytesIO(by_kind["docx"].made())).sections[0].header
    assert all(part in " ".join(each.text for each in head.paragraphs) for part in told)


def test_contents_of_a_word_file_stand_after_page_one_and_lead_to_pages(made):
    page, content = made["en", "evaluation.docx"]
    document = word.Document(io.BytesIO(content))
    titles = [section.title for section in page.document.sections]
    lines = [each.text for each in document.paragraphs]
    start = lines.index("Contents")
    assert lines.index(titles[0]) < start < lines.index(titles[1], start + len(titles) + 1)
    asked = [each.get(f"{{{W}}}instr").split()[:2] for each in document.element.body.iter(f"{{{W}}}fldSimple")]
    named = {each.get(f"{{{W}}}name"): each.getparent() for each in document.element.body.iter(f"{{{W}}}bookmarkStart")}
    assert [kind for kind, _ in asked] == ["PAGEREF"] * len(titles)
    headings = ["".join(text.text for text in named[name].iter(f"{{{W}}}t")) for _, name in asked]
    assert headings == titles


def test_numbers_of_excel_are_no_more_exact_than_those_on_the_page(made):
    import openpyxl

    for (_, name), (page, content) in made.items():
        if page.format == "xlsx":
            for sheet in openpyxl.load_workbook(io.BytesIO(content)):
                for each in (each for row in sheet.iter_rows() for each in row if isinstance(each.value, float)):
                    digits = len(each.number_format.rstrip("%").partition(".")[2]) + (
                        2 if each.number_format.endswith("%") else 0
                    )
                    assert each.value == round(each.value, digits), (name, sheet.title, each.coordinate)


@needs_poppler
def test_a_screen_reader_is_told_a_pdf_in_order(printed):
    document, content = printed
    structure = report_tables.structure_of(content)
    headings = [line.strip() for line in re.findall(r"H1 .*?\n\s+\"(.*?)\"", structure)]
    titles = [section.title for section in document.sections]
    assert headings == [titles[0], "Indhold", *titles[1:]]  # page one is read before the contents
    assert structure.index(document.subtitle) < structure.index("TOC") < structure.index("Figure")
    assert re.search(r"Tagged: +yes", report_tables.told_by_poppler(content, "pdfinfo"))
    figures = [block for block in blocks_of(document.sections) if isinstance(block, Figure)]
    assert unpacked(content).count(b"/Alt") >= len(figures)


@needs_poppler
@pytest.mark.parametrize(("language", "word_for_page"), [("da", "s."), ("en", "p.")])
def test_a_pdf_says_on_which_page_the_checklist_and_the_list_of_appendices_lead(made, language, word_for_page):
    page, content = made[language, "evaluation.pdf"]
    sheets = [" ".join(sheet.split()) for sheet in report_tables.told_by_poppler(content, "pdftotext", "-raw").split("\f")]
    titles = anchors_of(page.document.sections)
    checklist = next(table for table in shown_tables(page) if table.key == "checklist")
    appendices = next(section for section in page.document.sections if section.anchor == "appendices")
    listed = [item.inlines[0] for block in appendices.blocks for part in block.parts for item in getattr(part, "items", ())]
    places = {row.cells[2].anchor for row in checklist.rows if row.cells[2].anchor not in {"", "top"}}
    places |= {reference.anchor for reference in listed}
    assert len(places) > 15
    told = " ".join(sheets)
    for anchor in places:
        pages = {int(number) for number in re.findall(rf"{re.escape(titles[anchor])} \({re.escape(word_for_page)} (\d+)\)", told)}
        assert len(pages) == 1, anchor
        assert titles[anchor] in sheets[pages.pop() - 1], anchor


@needs_poppler
def test_every_sheet_has_the_title_of_its_own_page_at_its_head(made):
    """Pages are set one after another by one typesetter, which remembers what they share."""
    pages = [(page.document, content) for page, content in made.values() if page.format == "pdf"]
    assert len({running_title(document) for document, _ in pages}) > 3
    for document, content in pages:
        sheets = report_tables.told_by_poppler(content, "pdftotext", "-raw").split("\f")[:-1]
        assert all(running_title(document) in " ".join(sheet.split()) for sheet in sheets), document.title
        told = report_tables.told_by_poppler(content, "pdfinfo")
        assert re.search(rf"Title: +{re.escape(document.title)} – {re.escape(document.subtitle)}\n", told), document.title


def test_the_numbers_of_a_figure_are_in_the_page_as_csv():
    document = pages_of(builders.results(), ["da"])[0].document
    figure = next(block for block in blocks_of(document.sections) if isinstance(block, Figure) and block.key == "forest")
    address = re.search(r'<a download="forest.csv" href="data:text/csv;charset=utf-8,([^"]*)"', html(document))
    rows = list(csv.reader(io.StringIO(unquote(address[1]))))
    known = [quantity.value for row in figure.data.rows for each in row.cells for quantity in each.quantities]
    assert [float(value) for row in rows[1:] for value in row[2:] if value] == [round(v, 2) for v in known]
    assert [row[0] for row in rows[1:]] == [row.cells[0].text for row in figure.data.rows]


@needs_poppler
def test_a_figure_higher_than_a_page_is_made_smaller_and_stands_under_its_heading():
    document = pages_of(builders.results(), ["en"])[0].document
    figure = next(block for block in blocks_of(document.sections) if isinstance(block, Figure))
    tall = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 300"><rect width="100" height="300" fill="#555555"/></svg>'
    section = Section("tall", "Tall", (replace(figure, drawing=tall),))
    alone = replace(document, sections=(section,), contents=False, workbook=())
    pdf, word_file = (made_or_refused(Page(f"x.{kind}", kind, lambda: alone, PLAIN))[0] for kind in ("pdf", "docx"))
    assert re.search(r"Pages: +2\n", report_tables.told_by_poppler(pdf, "pdfinfo"))  # the title, then heading and figure
    assert "Tall" in report_tables.told_by_poppler(pdf, "pdftotext").split("\f")[1]
    assert [round(shape.height.mm) for shape in word.Document(io.BytesIO(word_file)).inline_shapes] == [HIGHEST]


def test_a_figure_without_words_is_refused():
    document = pages_of(builders.results(), ["en"])[0].document
    section = next(section for section in document.sections if any(isinstance(block, Figure) for block in section.blocks))
    silent = tuple(replace(block, alternative="") if isinstance(block, Figure) else block for block in section.blocks)
    page = Page("x.pdf", "pdf", lambda: replace(document, sections=(replace(section, blocks=silent),)), PLAIN)
    content, problems = made_or_refused(page)
    assert content is None
    assert "alt" in str(problems[0]).lower()


@pytest.mark.parametrize("language", ["da", "en"])
def test_every_link_of_the_checklist_in_a_word_file_leads_to_a_bookmark(made, language):
    page, content = made[language, "evaluation.docx"]
    document = word.Document(io.BytesIO(content))
    items = next(table for table in shown_tables(page) if table.key == "checklist").rows
    table = next(table for table in document.tables if len(table.rows) == len(items) + 1 and table.cell(1, 0).text == "1a")
    links = [each.get(f"{{{W}}}anchor") for each in table._tbl.iter(f"{{{W}}}hyperlink")]
    assert len(links) == sum(bool(row.cells[2].anchor) for row in items) > 20
    assert set(links) <= {each.get(f"{{{W}}}name") for each in document.element.body.iter(f"{{{W}}}bookmarkStart")}


def test_word_has_headings_captions_repeated_heads_and_alternative_texts(made):
    page, content = made["da", "evaluation.docx"]
    document = word.Document(io.BytesIO(content))
    headings = [each.text for each in document.paragraphs if each.style.name == "Heading 1"]
    assert headings == [section.title for section in page.document.sections]
    captions = {each.text for each in document.paragraphs if each.style.name == "Caption"}
    blocks = list(blocks_of(page.document.sections))
    assert captions == {b.title if isinstance(b, Figure) else b.caption for b in blocks if isinstance(b, (Table, Figure))} - {""}
    described = [p.get("descr") for p in document.element.body.iter(DRAWING + "docPr")]
    assert described == [block.alternative for block in blocks if isinstance(block, Figure)]
    assert all(table.rows[0]._tr.xpath("w:trPr/w:tblHeader") for table in document.tables)
    names = [each.get(f"{{{W}}}name") for each in document.element.body.iter(f"{{{W}}}bookmarkStart")]
    links = {each.get(f"{{{W}}}anchor") for each in document.element.body.iter(f"{{{W}}}hyperlink")}
    assert len(names) == len(set(names))
    assert links <= set(names)


DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def test_a_format_without_its_package_is_said_and_writes_nothing_through_render(monkeypatch, tmp_path):
    monkeypatch.setattr(formats, "find_spec", lambda name: None if name in {"typst", "docx"} else object())
    problems = missing(FORMATS)
    assert [(problem.code, problem.place.source) for problem in problems] == [("REP-010", "pdf"), ("REP-010", "docx")]
    assert "python-docx, typst" in str(problems[1])
    assert "pip install 'asp-eval[pdf,docx]'" in str(problems[0])
    with pytest.raises(Refusal, match="REP-010"):
        render(builders.results(), tmp_path, formats=("html", "pdf"))
    assert not list(tmp_path.iterdir())


def test_render_writes_every_format(tmp_path):
    written = render(builders.gap_results(), tmp_path, ["en"], FORMATS)
    names = ["gap/index.html", *(f"gap/inst-01.{kind}" for kind in FORMATS)]
    assert [path.relative_to(tmp_path).as_posix() for path in written] == names
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()) == sorted(names)


def test_an_unknown_format_is_refused():
    for wrong in (["pdf", "odt"], []):
        with pytest.raises(Refusal, match="REP-016"):
            known_formats(wrong)


def test_a_letter_that_no_font_has_names_the_institution_and_the_letter():
    gap = builders.gap_results((builders.gap_profile("Børnehuset 漢", "inst-01"),))
    found = {page.format: made_or_refused(page) for page in pages_of(gap, ["da"], FORMATS) if "inst-01" in page.name}
    content, (problem,) = found["pdf"]
    assert content is None
    assert (problem.code, problem.place.source) == ("REP-011", "Børnehuset 漢")
    assert "漢" in str(problem)
    assert all(found[kind][0] and not found[kind][1] for kind in ("html", "docx", "xlsx"))


def test_a_long_title_is_whole_on_the_page_and_short_at_its_head(made):
    for title in ("Et forsøg i " + "dagtilbud " * 29, "x" * 300):
        page = pages_of(builders.results(study=builders.study(study=builders.study_title(title={"da": title}))), ["da"], FORMATS)
        for each in page:
            assert each.made()


def test_nothing_in_a_text_is_markup():
    hostile = '#read("/etc/passwd") *b* $x$ <b>9</b> & =1+1 \\ ]]>'
    results = builders.results(
        study=builders.study(study=builders.study_title(title={"en": hostile})),
        outcomes=(builders.outcome(label={"en": hostile}),),
    )
    for page in pages_of(results, ["en"], FORMATS):
        content = page.made()
        if page.format == "docx":
            document = word.Document(io.BytesIO(content))
            assert document.paragraphs[1].text == hostile
        if page.format == "xlsx":
            rows = [value for rows in report_tables.from_xlsx(content).values() for row in rows for value in row]
            assert any(isinstance(value, str) and value.startswith(hostile) for value in rows)
        if page.format == "html":
            assert "<b>9</b>" not in content.decode()
    figures = [block for block in blocks_of(page.document.sections) if isinstance(block, Figure)]
    assert any("&lt;b&gt;" in figure.drawing for figure in figures)
    assert all(ElementTree.fromstring(figure.drawing) is not None for figure in figures)


def test_a_theme_changes_the_colour_the_logo_and_the_font(tmp_path):
    (tmp_path / "logo.png").write_bytes(PIXEL)
    path = tmp_path / "theme.yaml"
    path.write_text('colours: {accent: "#005A3C"}\nlogo: {file: logo.png, organisation: Vejle Kommune}\n')
    theme = read_theme(path)
    for page in pages_of(builders.gap_results(), ["da"], FORMATS, theme):
        content = page.made()
        if page.format == "html" and "inst" in page.name:
            text = content.decode()
            assert "#005a3c" in text
            assert "#17506b" not in text
            assert 'alt="Vejle Kommune"' in text
        if page.format == "docx":
            descriptions = [p.get("descr") for p in word.Document(io.BytesIO(content)).element.body.iter(DRAWING + "docPr")]
            assert descriptions[0] == "Vejle Kommune"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("logo: {file: logo.txt, organisation: X}", "REP-013"),
        ("logo: {file: none.png, organisation: X}", "REP-013"),
        ("logo: {file: bad.svg, organisation: X}", "REP-013"),
        ('colours: {accent: "#ffcc00"}', "REP-014"),
        ("fonts: {family: X, folder: empty}", "REP-015"),
        ("colour: red", "DOC-008"),
        ('colours: {accent: "red"}', "DOC-010"),
    ],
)
def test_a_theme_that_cannot_be_used_says_why(tmp_path, text, code):
    (tmp_path / "logo.txt").write_text("no picture")
    (tmp_path / "bad.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>')
    (tmp_path / "empty").mkdir()
    (tmp_path / "theme.yaml").write_text(text)
    with pytest.raises(Exception, match=code):
        read_theme(tmp_path / "theme.yaml")


def test_a_font_without_the_letters_is_said():
    theme = Theme(font="New Computer Modern Math", font_folder=Path(typesetting.__file__).parent)  # one that typst has with it
    results = builders.results(study=builders.study(study=builders.study_title(title={"da": "Ə 漢"})))
    (page,) = pages_of(results, ["da"], ["pdf"], theme)
    content, (problem,) = made_or_refused(page)
    assert content is None
    assert problem.code == "REP-011"


def test_groups_stay_whole_and_no_page_has_one_row():
    def table(*groups: int) -> Table:
        rows = [row for n in groups for row in (Row((cell("g"),), group=True), *[Row((cell("r"),))] * n)]
        return Table("t", "T", (Column(""),), tuple(rows))

    assert together(table(2, 3)) == (0, 2, 0, 0, 3, 0, 0)
    assert together(table(13)) == (0, 3, 0, 0, *[1] * 7, 3, 0, 0)
    assert together(replace(table(), rows=(Row((cell("r"),)),) * 4)) == (4, 0, 0, 0)
    for sizes in ((2, 3), (13,), (40, 1)):
        assert sum(together(table(*sizes))) == sum(sizes)


def test_columns_share_the_width_by_their_words():
    columns = (Column("", numeric=False), Column("n"))
    found = shares(Table("t", "T", columns, (Row((cell("Vanskeligheder med jævnaldrende"), cell("3"))),)))
    assert sum(found) == pytest.approx(1)
    assert found[0] > 3 * found[1]
    assert shares(Table("t", "T", (Column("", width=25), Column("", width=75)), ())) == (0.25, 0.75)
    assert shares(Table("t", "T", (Column(""), Column("", width=75)), ())) == (0.25, 0.75)  # the rest of a hundred


def test_sheets_have_names_that_excel_takes():
    names = sheet_names(["a" * 40, "A" * 40, "x/y:z", "", "History", "'quoted'"])
    assert all(0 < len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names)
    assert len({name.lower() for name in names}) == len(names)
    assert "history" not in {name.lower() for name in names}


def test_a_workbook_keeps_texts_as_texts():
    texts_kept = ("=1+1", "007", "1e5", "http://x.dk", "-2", "\x07bell")
    content = workbook(
        [Sheet("s", "T", ("a", "n"), tuple((text, Number(0.5, 1, percent=True)) for text in texts_kept))], title="T"
    )
    rows = report_tables.from_xlsx(content)["s"]
    assert [row[0] for row in rows[3:]] == ["=1+1", "007", "1e5", "http://x.dk", "-2", "bell"]
    assert [row[1] for row in rows[3:]] == [0.5] * 6


def test_the_digest_of_what_a_page_is_made_from_follows_everything_in_it():
    page = pages_of(builders.results(), ["da"], ["pdf"], day=DAY)[0]
    others = [
        pages_of(builders.results(), ["da"], ["pdf"], day=date(2008, 6, 2))[0],
        replace(page, theme=Theme(accent="#000000")),
        pages_of(builders.results(outcomes=(builders.outcome(label={"da": "Andet"}),)), ["da"], ["pdf"], day=DAY)[0],
    ]
    assert len({page.made_from, *(other.made_from for other in others)}) == 4
    assert page.made_from == pages_of(builders.results(), ["da"], ["pdf"], day=DAY)[0].made_from


def test_a_bound_is_a_text_and_no_number():
    show = Numbers(words_for("en"))
    rows = tuple(Row((cell(name), cell(p))) for name, p in (("a", show.p_value(0.0008)), ("b", show.p_value(0.04))))
    found = sheet_of(Table("t", "T", (Column("", numeric=False), Column("p")), rows), show)
    assert found.rows == (("a", "<\N{NO-BREAK SPACE}0.001"), ("b", Number(0.04, 3)))
    both = Row((cell("c", show.p_value(0.9)), cell(show.p_value(0.0008), show.say("adjusted: {p}", p=show.p_value(0.0016)))))
    (row,) = sheet_of(Table("t", "T", (Column(""), Column("p")), (both,)), show).rows
    assert [value for value in row if isinstance(value, Number)] == [Number(0.9, 3), Number(0.002, 3)]


def test_a_page_is_walked_through_with_a_keyboard(made):
    page = made["da", "evaluation.html"][1].decode()
    body = page[page.index("<body>") :]
    assert re.match(r'<body>\s*<a class="skip" href="#top">', body)
    assert re.search(r'<header class="banner">.*?</header>\s*<main id="top" tabindex="-1">', body, re.DOTALL)
    regions = re.findall(r'<div class="scroll[^>]*>', body)
    assert len(regions) == body.count("<table>")
    assert all('tabindex="0"' in region for region in regions)
    contents = re.search(r'<nav aria-label="Indhold">(.*?)</nav>', body, re.DOTALL)
    assert contents is not None  # and so in print: what print leaves out is of the class "screen"
