"""Every export is read back by the rules of its target; what a format cannot hold is found when the instrument is read."""

import csv
import re
import shutil
import subprocess
from dataclasses import replace
from io import BytesIO, StringIO

import pytest
import yaml
from pyxform.xls2xform import convert

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.reporting.documents.instrument_form import print_form
from asp_eval.trial.instruments.codebook import codebook
from asp_eval.trial.instruments.exports.field_form import FieldForm, age_forms
from asp_eval.trial.instruments.exports.lavaan import RESERVED, lavaan
from asp_eval.trial.instruments.exports.redcap import redcap, variable_names
from asp_eval.trial.instruments.exports.xlsform import xlsform
from asp_eval.trial.instruments.library import family, instrument, instruments, read_folder
from asp_eval.trial.instruments.wording import worded, wording_template

CHOICES, NAME = "Choices, Calculations, OR Slider Labels", "Variable / Field Name"
LABELS = {0: "no", 1: "a bit", 2: "yes"}


def written(folder, *, keys=("glad", "cross"), labels=LABELS, text="The child is glad.", name="mood", **changes):
    """Write an instrument of two items into a folder, and return its path."""
    ends = (len(keys) * min(labels), len(keys) * max(labels))
    document = {
        "id": name,
        "version": 1,
        "family": name,
        "languages": ["en"],
        "title": {"en": "Mood"},
        "informant": "staff",
        "unit": "child",
        "status": {"en": "On trial."},
        "provenance": [{"what": "a", "mark": "convention", "source": "a"}],
        "licence": {"item_text": "included", "statement": {"en": "Free."}},
        "response_sets": {"agree": [{"code": code, "label": {"en": label}} for code, label in labels.items()]},
        "items": [
            {"number": number, "key": key, "responses": "agree", "text": {"en": text}} for number, key in enumerate(keys, start=1)
        ],
        "scales": [
            {
                "key": "mood",
                "title": {"en": "Mood"},
                "items": list(keys),
                "better": "higher",
                "rule": {"method": "mean-times-n", "minimum_answered": 1},
                "range": {"from": ends[0], "to": ends[1]},
            }
        ],
        "bands": {"reason": {"en": "None."}},
    } | changes
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return path


def form_of(folder, **changes):
    written(folder, **changes)
    return read_folder(folder)[0]


def dictionary(form, language="en"):
    """Read a data dictionary as REDCap does: choices parted by |, each a code, a comma and a label; names legal and unique."""
    rows = list(csv.DictReader(StringIO(redcap(form, language))))
    names = [row[NAME] for row in rows]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z](?:_?[a-z0-9])*", name) and len(name) <= 26 for name in names), names
    assert not [cell for row in rows for cell in row.values() if "\n" in cell or "\r" in cell]
    for row in rows:
        for used in re.findall(r"\[(\w+)\]", row["Branching Logic (Show field only if...)"]):
            assert used in names[: names.index(row[NAME])]
    return rows


def choices(row):
    parts = [part.strip().split(",", 1) for part in row[CHOICES].split("|")]
    assert all(re.fullmatch(r"-?\d+", code) for code, _ in parts)
    return {int(code): label.strip() for code, label in parts}


def test_negative_codes_and_commas_come_back_from_redcap(tmp_path):
    form = form_of(tmp_path, labels={-1: "agree, not", 0: "neither|nor", 1: "agree"}, text="=1+1")
    asked = [row for row in dictionary(form) if row["Field Type"] == "radio"]
    assert [choices(row) for row in asked] == [{-1: "agree, not", 0: "neither/nor", 1: "agree"}] * 2
    assert asked[0]["Field Label"] == "=1+1"


def test_names_in_redcap_are_unique_and_short_whatever_the_keys(tmp_path):
    keys = ("licence", "licence_1", "m1_1", "a" * 40, "a" * 41, "form_by_age")
    form = form_of(tmp_path, keys=keys, name="a-very-long-name-of-an-instrument")
    asked = [row["Field Annotation"] for row in dictionary(form) if row["Field Type"] == "radio"]
    assert asked == list(form.columns)
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
    one, other = form_of(tmp_path / "one", name="a-b", keys=("c", "d")), form_of(tmp_path / "other", name="a", keys=("b_c", "d"))
    names = variable_names([one, other])
    assert len(set(names.values())) == 4


@pytest.mark.parametrize("form", [each for each in instruments() if each.licence.item_text == "included"], ids=lambda f: f.id)
def test_every_shipped_dictionary_follows_redcap_s_rules(form):
    for language in form.languages:
        for row in dictionary(form, language):
            assert row["Field Type"] != "radio" or len(choices(row)) > 1


def test_factors_collide_with_no_item_and_nothing_is_a_word_of_r(tmp_path):
    form = form_of(tmp_path, keys=("mood", "if", "if_", "mood_factor"))
    script = lavaan(form, "en")
    ((factor, parts),) = re.findall(r"^  (\w+) =~ (.+)$", script, re.MULTILINE)
    items = parts.split(" + ")
    assert len({factor, *items}) == 5
    assert not RESERVED & {factor, *items}
    assert f"names(answers)[names(answers) == 'if'] <- '{items[1]}'" in script


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"text": "The price is ${x}."}, "items[0].text.en", "XLSForm"),
        ({"text": "one\x0btwo"}, "items[0].text.en", "U+000B"),
        ({"text": "one\u2028two"}, "items[0].text.en", "U+2028"),
        ({"labels": {0: "not\nat all", 1: "yes"}}, "response_sets.agree[0].label.en", "line break"),
        ({"title": {"en": "two\nlines"}}, "title.en", "line break"),
        ({"instruction": {"en": "a\x00b"}}, "instruction.en", "U+0000"),
    ],
)
def test_text_that_a_form_cannot_hold_is_refused_with_file_and_item(tmp_path, changes, field, said):
    written(tmp_path, **changes)
    with pytest.raises(DataProblems) as caught:
        read_folder(tmp_path)
    problems = [problem for problem in caught.value.problems if problem.place.column == field]
    assert [(p.code, p.place.source, said in str(p)) for p in problems] == [("INS-043", "mood.yaml", True)]


def test_lines_in_a_longer_text_are_kept(tmp_path):
    form = form_of(tmp_path, text="one\ntwo", instruction={"en": "first\nsecond"})
    row = next(row for row in dictionary(form) if row["Field Type"] == "radio")
    assert (row["Field Label"], row["Section Header"]) == ("one<br>two", "first<br>second")
    assert convert(BytesIO(xlsform(form))).warnings == []


def test_wording_is_held_to_the_same(tmp_path):
    sdq = instrument("sdq-teacher-4-17")
    text = wording_template(sdq).replace('da: ""', 'da: "a"').replace('granted_to: ""', "granted_to: a")
    text = text.replace('date: ""', "date: 2026-01-31").replace('consid: {da: "a"}', 'consid: {da: "a\\vb"}')
    (tmp_path / "w.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DataProblems, match=r"INS-043.*items\.consid"):
        worded(sdq, tmp_path / "w.yaml")


@pytest.mark.parametrize("key", ["child_id", "date", "record_id", "wave"])
def test_an_item_may_not_have_the_key_of_a_shared_field(tmp_path, key):
    written(tmp_path, keys=(key, "glad"))
    with pytest.raises(DataProblems, match="INS-044"):
        read_folder(tmp_path)


def test_the_printed_form_and_the_codebook_hold_every_item_and_answer(tmp_path):
    form = form_of(tmp_path, labels={-1: "<no> | not", 0: "& so", 1: "yes"}, text="*Glad* <b>")
    page = print_form(form, "en")
    assert page.count('role="checkbox"') == 6
    assert page.count("*Glad* &lt;b&gt;") == 2
    book = codebook(form, "en")
    assert re.findall(r"^- (\d)\. `(\w+)`", book, re.MULTILINE) == [("1", "glad"), ("2", "cross")]
    assert re.findall(r"^  - (-?\d): (.+)$", book, re.MULTILINE) == [("-1", "<no> | not"), ("0", "& so"), ("1", "yes")]


def sdq_words(form):
    items = tuple(item.model_copy(update={"text": {"da": "ord", "en": "words"}}) for item in form.items)
    return form.model_copy(update={"items": items, "licence": form.licence.model_copy(update={"item_text": "included"})})


def wave_form(**filled):
    forms = (*map(sdq_words, family("sdq-teacher")), instrument("gap-competences-child"))
    by_age = age_forms([family("sdq-teacher"), [forms[2]]])
    return FieldForm("asp-w1", "1", {"da": "Start", "en": "Start"}, forms, by_age, filled)


def test_a_form_of_several_questionnaires_is_one_that_pyxform_takes():
    form = wave_form(institution_id="i07", rater_id="r1")
    result = convert(BytesIO(xlsform(form)))
    assert result.warnings == []
    for each in form.questionnaires:
        assert all(f'nodeset="/data/{column}"' in result.xform for column in each.columns)
    assert result.xform.count('nodeset="/data/child_id"') == 1
    assert "<institution_id>i07</institution_id>" in result.xform
    younger, older = (f'nodeset="/data/{re.escape(form.questionnaires[n].columns[0])}"[^>]*' for n in (0, 1))
    assert re.search(rf"{younger}age_in_years *&gt;= 2 and[^>]*age_in_years *&lt; 4", result.xform)
    assert re.search(rf"{older}age_in_years *&gt;= 4", result.xform)


def test_a_form_of_several_questionnaires_follows_redcap_s_rules():
    form = wave_form(institution_id="i07")
    rows = dictionary(form)
    asked = [row for row in rows if row["Field Type"] == "radio" and row[NAME] != "form_by_age"]
    assert [row["Field Annotation"] for row in asked] == [column for each in form.questionnaires for column in each.columns]
    which = next(row for row in rows if row[NAME] == "form_by_age")
    assert choices(which) == {1: "Children from 2 to below 4 years", 2: "Children from 4 to below 18 years"}
    assert asked[0]["Branching Logic (Show field only if...)"] == "[form_by_age] = '1'"
    assert asked[-1]["Branching Logic (Show field only if...)"] == ""
    assert next(row for row in rows if row[NAME] == "institution_id")["Field Annotation"] == "@DEFAULT='i07'"


@pytest.mark.skipif(shutil.which("java") is None, reason="ODK Validate needs Java")
@pytest.mark.parametrize(
    "form",
    [
        pytest.param(FieldForm.of(instrument("gap-competences-child")), marks=pytest.mark.slow),  # a part of a wave's
        pytest.param(wave_form(institution_id="i07"), marks=pytest.mark.slow),  # the next one without its list of children
        replace(wave_form(institution_id="i07"), units=("001", "c 2")),
    ],
    ids=["one questionnaire", "a wave", "an institution"],
)
def test_odk_validate_accepts_the_forms(form):
    assert convert(BytesIO(xlsform(form)), validate=True).warnings == []


R_SCRIPT = """suppressPackageStartupMessages(library(lavaan))
for (file in commandArgs(TRUE)) {
  source(file, local = (said <- new.env()))
  for (name in grep("^model(_[0-9]+)?$", ls(said), value = TRUE)) {
    table <- lavaanify(said[[name]], auto = TRUE, model.type = "cfa")
    items <- lavNames(table, "ov")
    stopifnot(setequal(items, said[[paste0(name, "_items")]]))
    cat(basename(file), name, length(items), length(lavNames(table, "lv")), "\\n")
  }
}
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="needs R")
def test_lavaan_reads_every_model(tmp_path):
    forms = instruments()
    for form in forms:
        (tmp_path / f"{form.id}.R").write_text("answers <- data.frame()\n" + lavaan(form, "en"), encoding="utf-8")
    (tmp_path / "read.R").write_text(R_SCRIPT, encoding="utf-8")
    files = [str(tmp_path / f"{form.id}.R") for form in forms]
    done = subprocess.run(["Rscript", str(tmp_path / "read.R"), *files], capture_output=True, text=True, check=False)
    if "there is no package" in done.stderr:
        pytest.skip("needs lavaan")
    assert done.returncode == 0, done.stderr
    assert {line.split()[0].removesuffix(".R") for line in done.stdout.splitlines()} == {form.id for form in forms}


def test_questionnaires_of_different_persons_are_no_one_form():
    with pytest.raises(Refusal, match="INS-045"):
        FieldForm("a", "1", {"en": "a"}, (instrument("gap-competences-child"), instrument("gap-competences-staff")))
    with pytest.raises(Refusal, match="INS-047"):
        wave_form(institution="i07")
