"""Reads tables back from the files of a report: for each table, its rows, each a list of the texts of its cells."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tempfile
from dataclasses import fields, is_dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import docx
import openpyxl

from asp_eval.core.workbooks import sheet_names
from asp_eval.reporting.blocks import Table

Cells = list[list[str]]
NUMBER = re.compile(r"[−-]?\d[\d.,]*\d|[−-]?\d")
VERSION = re.compile(r"\d+\.\d+\.\d+\.?(?!\d)")
POPPLER = shutil.which("pdfinfo")


def numbers_in(text: str, language: str) -> list[float]:
    """Return the numbers that a text shows, percent as shares."""
    thousands, decimal = (".", ",") if language == "da" else (",", ".")
    found = []
    without_words = VERSION.sub(" ", re.sub(r"(?<=[^\W\d])[-\d]+\S*|\[.*?\]", " ", text))  # digits within words are no numbers
    for match in NUMBER.finditer(without_words):
        plain = match[0].replace(thousands, "").replace(decimal, ".").replace("−", "-")
        share = re.match(r"\s?%", match.string[match.end() :]) is not None
        found.append(float(plain) / (100 if share else 1))
    return found


class _Tables(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[Cells] = []
        self.inside = self.key = False

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")
            self.inside = True
        elif tag == "span" and values.get("class") == "detail" and self.inside:
            self.tables[-1][-1][-1] += "\n"

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in {"td", "th"}

    def handle_data(self, data):
        if self.inside:
            self.tables[-1][-1][-1] += data.strip("\n")


def from_html(content: bytes) -> list[Cells]:
    """Return the tables of a page, headings included."""
    parser = _Tables()
    parser.feed(content.decode())
    return parser.tables


def from_docx(content: bytes) -> list[Cells]:
    """Return the tables of a Word file; a cell over several columns once."""
    tables = []
    for table in docx.Document(io.BytesIO(content)).tables:
        across = len(table.columns)
        cells = table._cells
        rows = [cells[start : start + across] for start in range(0, len(cells), across)]
        tables.append([[cell.text for i, cell in enumerate(row) if i == 0 or cell._tc is not row[i - 1]._tc] for row in rows])
    return tables


def from_xlsx(content: bytes) -> dict[str, list[list[object]]]:
    """Return the sheets of a workbook by their names; numbers are numbers."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}


def told_by_poppler(content: bytes, program: str, *options: str) -> str:
    """Return what a program of poppler prints of a PDF."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "read.pdf"
        path.write_bytes(content)
        output = ["-"] if program == "pdftotext" else []
        done = subprocess.run([program, "-enc", "UTF-8", *options, str(path), *output], capture_output=True, check=True)
    return done.stdout.decode(errors="replace")


@cache  # poppler takes seconds for it
def structure_of(content: bytes) -> str:
    """Return what a screen reader is told of a PDF, element by element."""
    return told_by_poppler(content, "pdfinfo", "-struct-text")


def from_pdf(content: bytes) -> list[Cells]:
    """Return the tables of a PDF, by its tags."""
    tables: list[Cells] = []
    depth = None
    for line in structure_of(content).splitlines():
        indent, words = len(line) - len(line.lstrip()), line.strip()
        if depth is not None and words and indent <= depth:
            depth = None
        if re.match(r"Table\b", words):
            tables.append([])
            depth = indent
        elif depth is None:
            continue
        elif re.match(r"TR\b", words):
            tables[-1].append([])
        elif re.match(r"T[DH]\b", words):
            tables[-1][-1].append("")
        elif words.startswith('"') and tables[-1]:  # not its caption
            tables[-1][-1][-1] += words.removeprefix('"').removesuffix('"') + "\n"
    return tables


def sheet_of(key: str, keys: list[str]) -> str:
    """Return the name of the sheet of a table."""
    return sheet_names(keys)[keys.index(key)]


def numbers_of(value: object) -> set[float]:
    """Every number of some results, and of what they say of themselves (`arm.lost`)."""
    if isinstance(value, (int, float)):
        return set() if isinstance(value, bool) else {float(value)}
    if isinstance(value, dict):
        return set().union(*map(numbers_of, value.values()), set())
    if isinstance(value, (tuple, list)):
        return set().union(*map(numbers_of, value), set())
    if not is_dataclass(value):
        return set()
    said = [name for name in dir(type(value)) if isinstance(getattr(type(value), name), property)]
    counted = {float(getattr(value, name)) for name in said if type(getattr(value, name)) in (int, float)}
    return counted.union(*(numbers_of(getattr(value, field.name)) for field in fields(value)))


def texts(table: Table) -> list[str]:
    """Return the text of every cell, its details below it."""
    return ["\n".join((each.text, *each.details)) for row in table.rows for each in row.cells]
