"""The demo's report, read back from its four files: every number of every section is one of the stored results.

1. Tables of HTML and Word read back cell by cell, sheets of Excel as numbers; every number of a table is in the PDF's text.
2. A number behind a cell of a table, or of the data of a figure, is one of results.json or process.json; or it follows from those
by what the page says of it: the rest of a share, a hundredfold, or, of counts that stand in one record of the results, a
difference, a sum over records side by side, and a share.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from dataclasses import fields, is_dataclass, replace
from itertools import combinations

import pytest
import report_tables
from report_tables import numbers_of, texts

from asp_eval.analysis.process.results import ProcessResults
from asp_eval.analysis.results import Results
from asp_eval.reporting.blocks import Figure, Table, blocks_of
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.writers.xlsx import tables_of
from asp_eval.store.result_files import load
from asp_eval.trial.study.design import Study

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


def test_every_link_within_the_page_leads_to_one_place(page, output):
    told = (output / f"{NAMES[page[0]]}.html").read_text(encoding="utf-8")
    places = Counter(re.findall(r'\bid="([^"]+)"', told))
    assert {place for place, times in places.items() if times > 1} == set()
    links = set(re.findall(r'href="#([^"]+)"', told))
    assert len(links) > 30 and links <= set(places)


@needs_poppler
def test_every_number_of_a_table_is_in_the_text_of_the_pdf(page, output):
    language, document = page
    told = report_tables.told_by_poppler((output / f"{NAMES[language]}.pdf").read_bytes(), "pdftotext").replace("\n", " ")
    everywhere = Counter(report_tables.numbers_in(told, language))
    shown = Counter(n for table in on_paper(document) for text in texts(table) for n in report_tables.numbers_in(text, language))
    missing = {number: n - everywhere[number] for number, n in shown.items() if everywhere[number] < n}
    assert not missing


class Counts:
    """The counts of every record of some results, their differences and sums, and the shares that one can be of another."""

    def __init__(self, *results) -> None:
        self.known: set[int] = set()
        self.shares: list[float] = []
        for each in results:
            self.read(each)
        self.shares.sort()

    def read(self, value, above: tuple[int, ...] = ()) -> None:
        """Take in a value and all that is inside it; `above` are the counts of the record that it stands in."""
        if isinstance(value, Study):
            return
        if is_dataclass(value):
            mine = counts_of(value)
            self.follow([*mine.values(), *above])
            parts = [getattr(value, field.name) for field in fields(value)]
            self.side_by_side([part for part in parts if is_dataclass(part)])
            for part in parts:
                self.read(part, tuple(mine.values()))
        elif isinstance(value, (tuple, list, dict)):
            parts = list(value.values() if isinstance(value, dict) else value)
            self.side_by_side([part for part in parts if is_dataclass(part)])
            for part in parts:
                self.read(part, above)

    def side_by_side(self, records) -> None:
        """Take in the sums of every field over records that have the same ones."""
        every = [counts_of(record) for record in records]
        for names in {tuple(each) for each in every if each}:
            self.follow([sum(each[name] for each in every if tuple(each) == names) for name in names])

    def follow(self, counts: list[int]) -> None:
        found = {*counts, *(abs(a - b) for a, b in combinations(counts, 2))}
        self.known |= found
        self.shares += [a / b for a in found for b in counts if b]


def counts_of(record) -> dict[str, int]:
    """The whole numbers of a record, by field; those of a list or a dictionary by their place."""
    found = {}
    for field in fields(record):
        value = getattr(record, field.name)
        parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, tuple) else [("", value)]
        found |= {f"{field.name}.{place}": n for place, n in parts if type(n) is int}
    return found


def is_among(value: float, pool: list[float]) -> bool:
    """Whether a number is one of a sorted pool, to rounding."""
    near = 1e-9 * max(1.0, abs(value))
    i = bisect_left(pool, value - near)
    return i < len(pool) and pool[i] <= value + near


def test_every_number_behind_a_cell_is_one_of_the_results(page, stored):
    _, document = page
    pool = sorted(number for value in stored for number in numbers_of(value) if math.isfinite(number))
    counts = Counts(*stored)

    def follows(quantity) -> bool:
        value = quantity.value
        if is_among(value, pool) or is_among(-value, pool):
            return True
        if value == int(value) and not quantity.percent:
            return int(value) in counts.known
        shares = (value, 1 - value) if quantity.percent else (value / 100, 1 - value, 1 - value / 100)
        return any(is_among(share, pool) for share in shares) or (quantity.percent and is_among(value, counts.shares))

    read = [
        (table.key, each.text, q)
        for table in tables_of(document)
        for row in table.rows
        for each in row.cells
        for q in each.quantities
    ]
    assert len(read) > 1000
    assert [(key, text, quantity.value) for key, text, quantity in read if not follows(quantity)] == []
    large = [quantity for _, _, quantity in read if quantity.value > 60 or quantity.value != int(quantity.value)]
    seen = [not follows(replace(each, value=each.value + (7 if each.value == int(each.value) else 0.0171))) for each in large]
    assert sum(seen) > 0.9 * len(large)  # another number in its place is hardly ever one of them


def test_no_two_tables_are_called_alike(page):
    _, document = page
    captions = Counter(table.caption for table in on_paper(document) if table.caption)
    assert [caption for caption, n in captions.items() if n > 1] == []


def test_every_section_with_a_number_was_read(page):
    _, document = page
    read = {block.key for block in blocks_of(document.sections) if isinstance(block, (Table, Figure))}
    assert {"sure", "enrolment", "effects", "adverse", "checklist", "references", "missing-map", "dots--icc"} <= read
