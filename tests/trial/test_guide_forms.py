"""Interview guides for the field: pyxform takes the XLSForm, and the page to print holds every question."""

from io import BytesIO

import openpyxl
import pytest
from pyxform.xls2xform import convert

from asp_eval.core.errors import Refusal
from asp_eval.reporting.documents.guide_form import print_guides
from asp_eval.trial.process.guide_forms import guides_xlsform
from asp_eval.trial.process.library import frame, shipped_frames
from asp_eval.trial.tables.schema import base_schema
from asp_eval.workflow.coding_frames import export_frame

PROCESS = frame("asp-process")


def rows(content, sheet):
    header, *others = openpyxl.load_workbook(BytesIO(content))[sheet].iter_rows(values_only=True)
    return [dict(zip(header, each, strict=True)) for each in others]


@pytest.mark.parametrize("each", shipped_frames(), ids=lambda each: each.id)
def test_the_form_of_every_frame_is_an_xlsform(each):
    assert convert(BytesIO(guides_xlsform(each))).warnings == []


def test_the_form_holds_every_guide_and_question_in_both_languages():
    survey = {row["name"]: row for row in rows(guides_xlsform(PROCESS), "survey")}
    for guide in PROCESS.guides:
        for question in guide.questions:
            row = survey[f"{guide.id}_{question.key}"]
            assert row["label::Dansk (da)"] == question.text["da"]
            assert row["label::English (en)"] == question.text["en"]
    assert {guide.id for guide in PROCESS.guides} == {"baseline", "one_year", "observation"}
    assert [guide.kind for guide in PROCESS.guides] == ["interview", "interview", "observation"]


def test_what_is_asked_of_the_interview_is_named_and_answered_as_the_table_has_it():
    content = guides_xlsform(PROCESS)
    fields = {field.name: field for field in base_schema("interviews").fields}
    asked = {row["name"] for row in rows(content, "survey")}
    assert {"institution_id", "round", "coder_id", "date", "informant_role"} <= asked & set(fields)
    said = [row["name"] for row in rows(content, "choices") if row["list_name"] == "informants"]
    assert tuple(said) == fields["informant_role"].allowed


def test_a_frame_with_one_guide_does_not_ask_which():
    assert "guide" not in {row["name"] for row in rows(guides_xlsform(frame("learning-sources")), "survey")}


@pytest.mark.parametrize("language", ["da", "en"])
def test_the_page_holds_every_question_once_and_the_codes_by_name(language):
    page = print_guides(PROCESS, language)
    assert page.count("<article>") == len(PROCESS.guides)
    assert page.count('class="question"') == sum(len(guide.questions) for guide in PROCESS.guides)
    assert PROCESS.code("open_to_disturbance").title[language] in page
    assert "open_to_disturbance" not in page


def test_a_frame_without_guides_has_no_form(tmp_path, monkeypatch):
    monkeypatch.setattr("asp_eval.workflow.coding_frames.frames_of", lambda _: (PROCESS.model_copy(update={"guides": ()}),))
    with pytest.raises(Refusal, match="FRM-024"):
        export_frame("asp-process", "xlsform", out=tmp_path / "guides.xlsx")
