"""What is handed to the field is complete, is accepted by the tools it is for, and runs nothing in a spreadsheet.

1. XLSForm: pyxform accepts it; 2. REDCap: eighteen columns, legal names; 3. paper: a box for every answer, both languages;
4. lavaan: every item in a factor; 5. guards.
"""

import csv
import re
from html.parser import HTMLParser
from io import BytesIO, StringIO

import pytest
from openpyxl import load_workbook
from pyxform.xls2xform import convert

from asp_eval.core.errors import Refusal
from asp_eval.reporting.documents.instrument_form import WORDS, print_form
from asp_eval.trial.instruments.exports.lavaan import lavaan
from asp_eval.trial.instruments.exports.redcap import COLUMNS, redcap, variable_names
from asp_eval.trial.instruments.exports.xlsform import xlsform
from asp_eval.trial.instruments.library import instrument, instruments
from asp_eval.workflow.instrument_formats import FORMATS, export
from tests.products import each_value

IMPACT = instrument("sdq-teacher-impact")
EVIL = {"da": '=HYPERLINK("x") <b>&</b> | a', "en": "=1+1"}


def with_words(form):
    """Give a form without wording words made up here, as `worded` does."""
    text = {"da": "Å, ø & æ", "en": "made up"}
    items = tuple(item.model_copy(update={"text": text}) for item in form.items)
    return form.model_copy(update={"items": items, "licence": form.licence.model_copy(update={"item_text": "included"})})


EVERY = [form if form.licence.item_text == "included" else with_words(form) for form in instruments()]
every_form = pytest.mark.parametrize("form", EVERY, ids=lambda form: form.id)


def named(value):
    return getattr(value, "id", value)


def evil(form):
    item = form.items[0].model_copy(update={"text": EVIL, "poles": None})
    sets = {
        name: tuple(each.model_copy(update={"label": EVIL}) for each in responses)
        for name, responses in form.response_sets.items()
    }
    return form.model_copy(update={"title": EVIL, "instruction": EVIL, "response_sets": sets, "items": (item, *form.items[1:])})


def sheet(content, name):
    header, *rows = load_workbook(BytesIO(content))[name].iter_rows(values_only=True)
    return [{key: value for key, value in zip(header, row, strict=True) if value is not None} for row in rows]


@every_form
def test_pyxform_accepts_the_xlsform(form, tmp_path):
    path = tmp_path / f"{form.id}.xlsx"
    path.write_bytes(xlsform(form))
    result = convert(path)
    assert result.warnings == []
    for column in form.columns:
        assert f'nodeset="/data/{column}"' in result.xform
    assert f'id="{form.id}"' in result.xform


@every_form
def test_the_xlsform_has_every_question_answer_and_language(form):
    content = xlsform(form)
    asked = [row for row in sheet(content, "survey") if row["type"].startswith("select_one")]
    assert [row["name"] for row in asked] == list(form.columns)
    choices = sheet(content, "choices")
    for row, item in zip(asked, form.items, strict=True):
        codes = [choice["name"] for choice in choices if f"select_one {choice['list_name']}" == row["type"]]
        assert codes == [str(code) for code in form.codes(item)]
        if item.text:
            assert (row["label::Dansk (da)"], row["label::English (en)"]) == (item.text["da"], item.text["en"])
        if item.poles:
            assert row["label::Dansk (da)"] == f"A. {item.poles.low['da']}\nB. {item.poles.high['da']}"
        assert ("relevant" in row) == (item.unless is not None)
    unit = "child_id" if form.unit == "child" else "respondent_id"
    assert {unit, "institution_id", "date"} <= {row["name"] for row in sheet(content, "survey")}


def test_the_xlsform_asks_no_further_after_no():
    rows = {row["name"]: row for row in sheet(xlsform(with_words(IMPACT)), "survey")}
    assert rows["sdq-teacher-impact.distres"]["relevant"] == "${sdq-teacher-impact.ebddiff} != '0'"
    assert "relevant" not in rows["sdq-teacher-impact.ebddiff"]


def test_the_xlsform_refuses_a_personal_number():
    row = next(row for row in sheet(xlsform(EVERY[1]), "survey") if row["name"] == "child_id")
    pattern = row["constraint"].removeprefix("not(regex(., '").removesuffix("'))")
    for cpr in ("0101061234", "010106-1234", "010106 1234"):
        assert re.match(pattern, cpr)
    assert not re.match(pattern, "c-0042")


def test_no_cell_of_the_xlsform_is_a_formula():
    for each in load_workbook(BytesIO(xlsform(evil(EVERY[1])))).worksheets:
        cells = [cell for row in each.iter_rows() for cell in row if cell.value is not None]
        assert {cell.data_type for cell in cells} == {"s"}
    assert any(
        str(cell.value).startswith("=HYPERLINK")
        for row in load_workbook(BytesIO(xlsform(evil(EVERY[1]))))["survey"].iter_rows()
        for cell in row
    )


@every_form
@pytest.mark.parametrize("language", ["da", "en"])
def test_the_redcap_dictionary_is_one_redcap_reads(form, language):
    header, *lines = list(csv.reader(StringIO(redcap(form, language))))
    assert header == list(COLUMNS)
    assert len(header) == 18
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    names = [row["Variable / Field Name"] for row in rows]
    assert len(set(names)) == len(names)
    assert names[0] == "record_id"
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,25}", name) and "__" not in name for name in names)
    assert {row["Form Name"] for row in rows} == {form.id.replace("-", "_")}
    asked = [row for row in rows if row["Field Type"] == "radio"]
    assert [row["Field Annotation"] for row in asked] == list(form.columns)
    for row, item in zip(asked, form.items, strict=True):
        codes = [int(part.split(", ", 1)[0]) for part in row["Choices, Calculations, OR Slider Labels"].split(" | ")]
        assert tuple(codes) == form.codes(item)
        assert row["Question Number (surveys only)"] == str(item.number)
        if item.unless:
            gate = variable_names([form])[f"{form.id}.{item.unless.item}"]
            assert row["Branching Logic (Show field only if...)"] == f"[{gate}] <> '{item.unless.code}'"
            assert gate in names
    personal = {row["Variable / Field Name"] for row in rows if row["Identifier?"] == "y"}
    assert personal == ({"child_id", "rater_id"} if form.unit == "child" else {"respondent_id"})


@every_form
def test_redcap_matrices_are_adjacent_and_alike(form):
    rows = [row for row in csv.DictReader(StringIO(redcap(form, "da"))) if row["Matrix Group Name"]]
    groups = [row["Matrix Group Name"] for row in rows]
    assert len(set(groups)) == sum(a != b for a, b in zip([None, *groups], groups, strict=False))
    choices = {(row["Matrix Group Name"], row["Choices, Calculations, OR Slider Labels"]) for row in rows}
    assert len(choices) == len(set(groups))


def test_no_sign_of_a_label_parts_a_choice_of_the_redcap_dictionary():
    rows = list(csv.DictReader(StringIO(redcap(evil(EVERY[1]), "da"))))
    radio = next(row for row in rows if row["Field Type"] == "radio")
    assert radio["Field Label"] == EVIL["da"]  # a machine reads it: no sign is put before it
    assert radio["Choices, Calculations, OR Slider Labels"].count(" | ") == 4  # five answers, none parted by its own sign


class Boxes(HTMLParser):
    """Counts what a page holds, and fails on what it must not."""

    def __init__(self):
        super().__init__()
        self.boxes, self.text = 0, ""

    def handle_starttag(self, tag, attrs):
        assert tag not in {"script", "img", "link", "b", "a"}
        self.boxes += dict(attrs).get("role") == "checkbox"

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize(("form", "language"), each_value(EVERY, ["da", "en"]), ids=named)
def test_the_paper_form_has_a_box_for_every_answer(form, language):
    page = Boxes()
    html = print_form(form, language)
    page.feed(html)
    assert page.boxes == sum(len(form.codes(item)) for item in form.items)
    assert f'<html lang="{language}">' in html
    assert "size: A4" in html
    assert "url(" not in html
    assert form.title[language] in page.text
    assert form.licence.statement[language] in page.text
    for item in form.items:
        for text in filter(None, (item.text, item.poles and item.poles.low, item.poles and item.poles.high)):
            assert text[language] in page.text
    for responses in form.response_sets.values():
        assert all(each.label[language] in page.text for each in responses)


def test_the_paper_form_says_what_to_skip():
    assert "Hvis svaret på nr. 1 er »0«, så spring nr. 2 til 6 over." in print_form(with_words(IMPACT), "da")
    assert "If the answer to no. 1 is ‘0’, skip no. 2 to 6." in print_form(with_words(IMPACT), "en")
    assert print_form(with_words(IMPACT), "en").count("skip no.") == 1


def test_the_paper_form_escapes_what_it_prints():
    html = print_form(evil(EVERY[1]), "da")
    assert "<b>&</b>" not in html
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in html


def test_the_paper_form_has_the_same_words_in_both_languages():
    assert set(WORDS["da"]) == set(WORDS["en"])


@every_form
def test_the_lavaan_model_has_every_scored_item_in_a_factor(form):
    script = lavaan(form, "en")
    factors = dict(re.findall(r"^  (\w+) =~ (.+)$", script, re.MULTILINE))
    assert {scale.key: " + ".join(scale.items) for scale in form.scales}.items() <= factors.items()
    means = {each.key for each in form.composites if each.method == "mean"}
    assert set(factors) == {scale.key for scale in form.scales} | means
    assert not set(factors) & set(form.item_keys)
    assert sum(line.count("'") for line in script.splitlines() if not line.startswith("#")) % 2 == 0
    for model in re.findall(r"^model(?:_\d)? <- '\n(.*?)^'", script, re.MULTILINE | re.DOTALL):
        indicators = [key for line in model.splitlines() if "=~" in line for key in line.split("=~ ")[1].split(" + ")]
        assert len(indicators) == len(set(indicators)), "an item is in two factors of one model"


def test_the_lavaan_model_names_the_items_that_load_negatively():
    assert "  # Peer problems; expected to load negatively: friend, popular\n" in lavaan(instrument("sdq-teacher-4-17"), "en")
    assert lavaan(instrument("innovation-practice"), "en").count("lavaan::cfa(") == 2  # by resource, and by phase


@pytest.mark.parametrize(("form", "to"), each_value(EVERY, sorted(set(FORMATS) - {"wording"})), ids=named)
def test_every_instrument_exports_in_every_format(form, to):
    for language in ("da", "en"):
        name, content = export(form, to, language=language)
        assert name.startswith(form.id)
        assert content


def test_an_unknown_format_or_language_is_refused():
    with pytest.raises(Refusal, match=r"INS-035.*'pdf'.*xlsform, redcap"):
        export(EVERY[1], "pdf")
    with pytest.raises(Refusal, match=r"INS-036.*'sv'.*da, en"):
        export(EVERY[1], "print", language="sv")
