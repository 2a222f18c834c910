"""The demo's report, read back from its four files: every number of every section is one of the stored results.

1. Tables of HTML and Word read back cell by cell, sheets of Excel as numbers; every number of a table is in the PDF's text.
2. A number behind a cell of a table, or of the data of a figure, is one of results.json or process.json; or it follows from those
by what the page says of it: a share of a count, the rest of a share, a sum or difference of counts, a hundredfold.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter

import pytest
import report_tables
from report_tables import numbers_of, texts

from asp_eval.analysis.process.results import ProcessResults
from asp_eval.analysis.results import Results
from asp_eval.reporting.blocks import Figure, Table, blocks_of
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.writers.xlsx import tables_of
from asp_eval.store.result_files import load

NAMES = {"da": "evaluation", "en": "evaluation.en"}
needs_poppler = pytest.mark.skipif(report_tables.POPPLER is None, reason="pdfinfo of poppler-utils is not installed")


@pytest.fixture(scope="module")
def output(small_demo):
    return small_demo.folder / "output"


@pytest.fixture(scope="module")
def stored(output):
    results = load(output / "results.json", Results, verb="analyse")
    return results, load(output / "process.json", ProcessResults, verb="process")


@pytest.fixture(scope="module", params=["da", "en"])
def page(request, stored):
    return request.param, evaluation(stored[0], request.param, stored[1])


def on_paper(document) -> list[Table]:
    return [block for block in blocks_of(document.sections) if isinstance(block, Table)]


@pytest.mark.parametrize(("ending", "read"), [("html", report_tables.from_html), ("docx", report_tables.from_docx)])
def test_every_table_reads_back_cell_by_cell(page, output, ending, read):
    language, document = page
    tables, found = on_paper(document), read((output / f"{NAMES[language]}.{ending}").read_bytes())
    assert len(found) == len(tables) > 40
    for table, rows in zip(tables, found, strict=True):
        assert [text for row in rows[1:] for text in row] == texts(table), table.key


def test_every_number_of_a_table_is_in_the_workbook(page, output):
    language, document = page
    sheets = report_tables.from_xlsx((output / f"{NAMES[language]}.xlsx").read_bytes())
    held = Counter(round(v, 6) for rows in sheets.values() for row in rows for v in row if isinstance(v, (int, float)))
    shown = Counter()
    for table in tables_of(document):
        for row in table.rows:
            for each in row.cells:
                told = [report_tables.numbers_in(line, language) for line in (each.text, *each.details)]
                if len(each.quantities) > 1 and len(each.quantities) == sum(map(len, told)):
                    shown.update(round(number, 6) for line in told for number in line)
    assert sum(shown.values()) > 500
    assert not {number: n for number, n in shown.items() if held[number] == 0}


@needs_poppler
def test_every_number_of_a_table_is_in_the_text_of_the_pdf(page, output):
    language, document = page
    told = report_tables.told_by_poppler((output / f"{NAMES[language]}.pdf").read_bytes(), "pdftotext").replace("\n", " ")
    everywhere = Counter(report_tables.numbers_in(told, language))
    shown = Counter(n for table in on_paper(document) for text in texts(table) for n in report_tables.numbers_in(text, language))
    missing = {number: n - everywhere[number] for number, n in shown.items() if everywhere[number] < n}
    assert not missing


def test_every_number_behind_a_cell_is_one_of_the_results(page, stored):
    _, document = page
    pool = sorted(number for value in stored for number in numbers_of(value) if math.isfinite(number))
    whole = {number for number in pool if number == int(number)}

    def known(value: float) -> bool:
        near = 1e-9 * max(1.0, abs(value))
        i = bisect_left(pool, value - near)
        return i < len(pool) and pool[i] <= value + near

    unknown = []
    for table in tables_of(document):
        for row in table.rows:
            for each in row.cells:
                for quantity in each.quantities:
                    value = quantity.value
                    counted = value == int(value) and any(value - n in whole or value + n in whole for n in whole)
                    shares = quantity.percent and any(known(value * of) and value * of == round(value * of) for of in whole)
                    if not (known(value) or known(-value) or known(value / 100) or known(1 - value) or counted or shares):
                        unknown.append((table.key, each.text, value))
    assert unknown == []


def test_no_two_tables_are_called_alike(page):
    _, document = page
    captions = Counter(table.caption for table in on_paper(document) if table.caption)
    assert [caption for caption, n in captions.items() if n > 1] == []


def test_every_section_with_a_number_was_read(page):
    _, document = page
    read = {block.key for block in blocks_of(document.sections) if isinstance(block, (Table, Figure))}
    assert {"sure", "enrolment", "effects", "adverse", "checklist", "references", "missing-map", "dots--icc"} <= read
