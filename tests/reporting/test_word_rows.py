"""Rows of Word's tables, pages made side by side, and numbers found in cells.

1. What python-docx reads of a table is what the table says: texts with marks of XML, tabulators and broken lines, cells that span
columns with the sum of their widths, references, rows to write in.  2. A number is found in a line as a pattern finds it.
3. Widths of columns are those of the plain definition.  4. Pages have the same bytes for any number of workers, by whatever back
end.
"""

from __future__ import annotations

import io
import re

import builders
import docx as word
import joblib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.core.parallel import side_by_side
from asp_eval.reporting.blocks import Column, Document, Row, Section, Table, cell
from asp_eval.reporting.documents.pages import pages_of
from asp_eval.reporting.numbers import NO_BREAK
from asp_eval.reporting.writers import widths
from asp_eval.reporting.writers.docx import docx
from asp_eval.reporting.writers.xlsx import _stands_in
from asp_eval.workflow import report

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
ODD = 'a < b & "c"\tthen\nbelow'


@pytest.fixture(scope="module")
def made():  # 1
    columns = (Column("what", numeric=False, width=50), Column("", width=20), Column("n", width=30))
    rows = (
        Row((cell("group", wide=3),), group=True),
        Row((cell(ODD, " under it", anchor="there"), cell("1", "(2 %)"), cell("3"))),
        Row((cell("both"), cell("", wide=2)), to_fill_in=True),
    )
    table = Table("here", "caption", columns, rows)
    section = Section(title="title", blocks=(table,), anchor="there")
    document = Document("evaluation", "en", "t", "s", "", "m", (section,))
    return word.Document(io.BytesIO(docx(document))).tables[0]


def test_cells_say_what_the_table_says(made):
    texts = [[each.text for each in row.cells] for row in made.rows]
    assert texts == [["what", "", "n"], ["group"] * 3, [f"{ODD}\n under it", "1\n(2 %)", "3"], ["both", "", ""]]


def test_widths_spans_heights_and_references(made):
    widths_of = [[int(each.get(f"{W}w")) for each in row._tr.iter(f"{W}tcW")] for row in made.rows]
    whole = widths_of[0]
    assert widths_of[1:] == [[sum(whole)], whole, [whole[0], sum(whole[1:])]]
    assert [round(each / sum(whole), 2) for each in whole] == [0.5, 0.2, 0.3]
    spans = [[each.get(f"{W}val") for each in row._tr.iter(f"{W}gridSpan")] for row in made.rows]
    assert spans == [[], ["3"], [], ["2"]]
    assert [None if row.height is None else round(row.height.mm) for row in made.rows] == [None, None, None, 13]
    (link,) = made._tbl.iter(f"{W}hyperlink")
    assert (link.get(f"{W}anchor"), "".join(each.text for each in link.iter(f"{W}t"))) == ("a_there", 'a < b & "c"thenbelow')
    bold = [[run.bold for paragraph in row.cells[-1].paragraphs for run in paragraph.runs] for row in made.rows]
    assert bold == [[True], [True], [None], [None]]


@given(st.text("12,<> " + NO_BREAK, max_size=12), st.sampled_from(["1", "12", "1,1", "2,12"]))
def test_a_number_is_found_as_a_pattern_finds_it(line, number):  # 2
    pattern = re.compile(f"(?<![<>]{NO_BREAK})(?<![0-9]){re.escape(number)}(?![0-9])")
    assert _stands_in(number, line) == bool(pattern.search(line))


@given(st.lists(st.lists(st.text("ab -\n", max_size=60), min_size=2, max_size=2), max_size=4))
def test_widths_follow_the_longest_word_and_line(texts):  # 3
    table = Table("t", "", (Column("ab"), Column("a")), tuple(Row((cell(a), cell(b))) for a, b in texts))
    words, lines = [], []
    for place, column in enumerate(table.columns):
        found = [column.heading, *(row[place] for row in texts)]
        words.append(max(4, *(min(44, len(part)) for text in found for part in re.split(r"[ \n-]", text))) + 3)
        lines.append(max(4, *(min(44, len(text)) for text in found)) + 3)
    assert widths._letters(table) == (words, [max(pair) for pair in zip(words, lines, strict=True)])


def test_pages_made_side_by_side_have_the_same_bytes(monkeypatch):  # 4
    monkeypatch.setattr(report, "MANY", 2)
    monkeypatch.setattr(report, "AT_ONCE", 1)
    pages = pages_of(builders.gap_results(), ["en", "da"], ("html",))
    jobs, seen = [(page, report.NOTHING) for page in pages], []
    monkeypatch.setattr(report, "side_by_side", lambda *asked: seen.append(len(asked[1])) or side_by_side(*asked))
    with joblib.parallel_config(backend="threading"):
        beside = list(report._each_made(jobs, 2))
    assert beside == list(report._each_made(jobs, 1))
    assert all(content for _, content, _ in beside)
    assert sum(seen) == len(pages) > 2
    assert max(seen) == 2
