"""An instrument's first file: what other files say of its questions is taken over, the rest is refused until filled in."""

import json

import pytest
import survey_exports
import yaml

from asp_eval.core.errors import AspError, DataProblems
from asp_eval.intake.instrument_drafts.sources import questions_in
from asp_eval.intake.instrument_drafts.writing import drafted_instrument, empty_instrument
from asp_eval.trial.instruments.exports.redcap import redcap
from asp_eval.trial.instruments.exports.xlsform import xlsform
from asp_eval.trial.instruments.library import instrument, read_folder

GAP = instrument("gap-competences-child")
HEAD = {
    "title: {da: FILL IN, en: FILL IN}": "title: {da: a, en: a}",
    "informant: FILL IN": "informant: staff",
    "unit: FILL IN": "unit: child",
    "status: {da: FILL IN, en: FILL IN}": "status: {da: a, en: a}",
    "mark: FILL IN, source: FILL IN": "mark: convention, source: a",
    "item_text: FILL IN": "item_text: included",
    "statement: {da: FILL IN, en: FILL IN}": "statement: {da: a, en: a}",
    "reverse: FILL IN": "reverse: false",
    "key: FILL IN": "key: whole",
    "method: FILL IN, minimum_answered: FILL IN": "method: pomp, minimum_answered: 20",
    "better: FILL IN": "better: higher",
    "from: FILL IN, to: FILL IN": "from: 0, to: 100",
}


def filled(text, changes=HEAD):
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    return text


def drafted(path, language="en"):
    return yaml.safe_load(drafted_instrument("mood", path.name, questions_in(path, language)))


def test_a_draft_of_a_form_we_wrote_is_the_instrument_again_once_it_is_filled_in(tmp_path):
    (tmp_path / "form.xlsx").write_bytes(xlsform(GAP))
    folder = tmp_path / "instruments"
    folder.mkdir()
    text = drafted_instrument("mood", "form.xlsx", questions_in(tmp_path / "form.xlsx", "en"))
    (folder / "mood.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DataProblems) as caught:
        read_folder(folder)
    assert {problem.code for problem in caught.value.problems} == {"INS-039"}
    assert len(caught.value.problems) == sum(line.split("#")[0].count("FILL IN") for line in text.splitlines())
    assert all(problem.place.line for problem in caught.value.problems)
    (folder / "mood.yaml").write_text(filled(text), encoding="utf-8")
    (form,) = read_folder(folder)
    assert [(item.key, item.text) for item in form.items] == [(item.key, item.text) for item in GAP.items]
    codes = [(each.code, each.label) for each in form.response_sets[form.items[0].responses]]
    assert codes == [(each.code, each.label) for each in GAP.response_sets[GAP.items[0].responses]]


def test_a_dictionary_of_redcap_is_read(tmp_path):
    (tmp_path / "dictionary.csv").write_text(redcap(GAP, "da"), encoding="utf-8")
    draft = drafted(tmp_path / "dictionary.csv", "da")
    assert draft["languages"] == ["da"]
    assert [item["text"]["da"] for item in draft["items"]] == [item.text["da"] for item in GAP.items]
    assert draft["items"][0]["key"] == f"gcc_{GAP.items[0].key}"


def test_a_survey_of_qualtrics_is_read(tmp_path):
    answers = {"1": {"Display": "no"}, "2": {"Display": "yes"}}
    payloads = [
        {
            "DataExportTag": "Q1",
            "QuestionType": "MC",
            "QuestionText": "Is it <b>glad</b>?",
            "Choices": answers,
            "RecodeValues": {"1": "0", "2": "1"},
        },
        {
            "DataExportTag": "Q2",
            "QuestionType": "Matrix",
            "QuestionText": "The child",
            "Answers": answers,
            "Choices": {"1": {"Display": "is cross"}, "4": {"Display": "sleeps"}},
        },
        {"DataExportTag": "Q3", "QuestionType": "TE", "QuestionText": "More?"},
    ]
    elements = [{"Element": "SQ", "Payload": each} for each in payloads] + [{"Element": "BL", "Payload": []}]
    (tmp_path / "s.qsf").write_text(json.dumps({"SurveyElements": elements}), encoding="utf-8")
    draft = drafted(tmp_path / "s.qsf")
    assert [(item["key"], item["text"]["en"]) for item in draft["items"]] == [
        ("q1", "Is it glad ?"),
        ("q2_1", "is cross"),
        ("q2_4", "sleeps"),
    ]
    assert [[each["code"] for each in answers] for answers in draft["response_sets"].values()] == [[0, 1], [1, 2]]
    (tmp_path / "s.qsf").write_text("{}", encoding="utf-8")
    with pytest.raises(AspError, match="INS-041"):
        drafted(tmp_path / "s.qsf")


def test_a_structure_of_limesurvey_is_read_in_its_languages(tmp_path):
    rows = [["class", "type/scale", "name", "relevance", "text", "help", "language"]]
    for language, (array, glad, cross, no, yes) in {
        "da": ("Barnet", "er glad", "er vredt", "nej", "ja"),
        "en": ("The child", "is glad", "is cross", "no", "yes"),
    }.items():
        rows += [["G", "", "G1", "", "", "", language], ["Q", "F", "mood", "1", array, "", language]]
        rows += [["SQ", "", key, "", text, "", language] for key, text in (("glad", glad), ("cross", cross))]
        rows += [["A", "0", code, "", text, "", language] for code, text in (("A1", no), ("A2", yes))]
    (tmp_path / "survey.txt").write_text("\n".join("\t".join(row) for row in rows), encoding="utf-8")
    draft = drafted(tmp_path / "survey.txt")
    assert [(item["key"], item["text"]) for item in draft["items"]] == [
        ("mood_glad", {"da": "er glad", "en": "is glad"}),
        ("mood_cross", {"da": "er vredt", "en": "is cross"}),
    ]
    assert [(each["code"], each["label"]["en"]) for each in draft["response_sets"]["answers_1"]] == [
        ("FILL IN", "no"),
        ("FILL IN", "yes"),
    ]


@pytest.mark.parametrize("kind", ["sav", "dta"])
def test_labels_of_spss_and_stata_are_read(tmp_path, kind):
    import pandas as pd
    import pyreadstat

    path = tmp_path / f"wave.{kind}"
    write = pyreadstat.write_sav if kind == "sav" else pyreadstat.write_dta
    labels = {"glad": {0: "no", 1: "yes"}, "cross": {0: "no", 1: "yes"}}
    frame = pd.DataFrame({"id": [1, 2], "glad": [0, 1], "cross": [1, 1]})
    write(frame, str(path), column_labels=["Id", "Is glad", "Is cross"], variable_value_labels=labels)
    draft = drafted(path)
    assert [(item["key"], item["text"]["en"]) for item in draft["items"]] == [("glad", "Is glad"), ("cross", "Is cross")]
    assert draft["response_sets"] == {"answers_1": [{"code": 0, "label": {"en": "no"}}, {"code": 1, "label": {"en": "yes"}}]}


def test_a_file_without_questions_is_refused_and_a_labelled_survey_is_not(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n", encoding="utf-8")
    with pytest.raises(AspError, match="INS-040"):
        drafted(tmp_path / "a.csv")
    export = survey_exports.kobo(tmp_path, form=True)
    assert drafted(export)["items"]


def test_an_empty_instrument_is_refused_until_it_is_filled_in(tmp_path):
    (tmp_path / "mood.yaml").write_text(empty_instrument("mood"), encoding="utf-8")
    with pytest.raises(DataProblems, match="INS-039"):
        read_folder(tmp_path)
    answers = {
        "label: {da: FILL IN, en: FILL IN}": "label: {da: a, en: a}",
        "text: {da: FILL IN, en: FILL IN}": "text: {da: a, en: a}",
    }
    text = filled(empty_instrument("mood"), HEAD | answers).replace("minimum_answered: 20", "minimum_answered: 2")
    (tmp_path / "mood.yaml").write_text(text, encoding="utf-8")
    assert read_folder(tmp_path)[0].scale_keys == ("whole",)
