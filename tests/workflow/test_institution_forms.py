"""Forms of a wave with what is known filled in: for each institution a form, for each of its children a copy, or a choice.

1. Ids of children and staff are filled in, at the institution where they were listed last.
2. No other fact of a child stands in a form, and no id that is a pseudonym.
3. What reads the forms in the field reads them: pyxform converts the workbook, with the ids as choices.
"""

from __future__ import annotations

import re
from io import BytesIO

import pandas as pd
import pytest
from openpyxl import load_workbook

from asp_eval.core.errors import Refusal
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.forget import forget
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.institution_forms import export_institution_forms


@pytest.fixture
def asked(rated):
    """The rated study, which asks for the competences of the children."""
    path = rated.folder / "study.yaml"
    plan = path.read_text().replace(
        "collect:\n  screening: {waves: [w1, w2], instruments: [{family: sdq-teacher}]}\n",
        "collect:\n  screening: {waves: [w1, w2], instruments: [gap-competences-child]}\n",
    )
    assert "gap-competences-child" in plan
    path.write_text(plan)
    return load_study(rated.folder)


def filled(page: str) -> list[str]:
    return [text for text in re.findall(r"<div>.*?<span>(.*?)</span></div>", page) if text]


def test_each_child_has_a_copy_on_paper(asked):
    found = export_institution_forms(asked, "w2", "print", language="en")
    assert [path.name for path in found.files] == [f"small-w2-{name}.en.html" for name in ("A1", "A2", "H1", "H2")]
    assert found.files[0].parent == asked.folder / "output" / "forms" / "small-w2"
    pages = [path.read_text() for path in found.files]
    assert [filled(page) for page in pages] == [["001", "A1"], ["002", "A2"], ["003", "H1"], ["H2"]]
    assert found.filled_in == 3
    assert not any("2002-" in page or "girl" in page for page in pages)  # neither month of birth nor sex


def test_children_are_chosen_from_a_list_in_an_xlsform(asked):
    from pyxform.xls2xform import convert

    found = export_institution_forms(asked, "w2", "xlsform")
    book = load_workbook(found.files[0])
    survey = [[cell.value for cell in row] for row in book["survey"].iter_rows()]
    child = next(dict(zip(survey[0], row, strict=True)) for row in survey if "child_id" in row)
    assert child["type"] == "select_one units"
    form = convert(BytesIO(found.files[0].read_bytes())).xform
    assert ">A1<" in form
    assert "<name>001</name>" in form
    assert "<name>002</name>" not in form


def test_pseudonyms_are_left_open(asked):
    path = asked.folder / "study.yaml"
    path.write_text(path.read_text() + "privacy: {pseudonymise: [child_id], key: k0123456789ab}\n")
    found = export_institution_forms(load_study(asked.folder), "w2", "print", language="en")
    assert (found.filled_in, found.pseudonyms) == (0, True)
    assert filled(found.files[0].read_text()) == ["A1"]


def test_staff_are_those_on_the_list_of_staff(asked, export):
    import_file(asked, export(pd.DataFrame({"staff_id": ["s1", "s2"], "institution_id": ["A1", "A1"]}), "staff.csv"), "staff")
    found = export_institution_forms(asked, "w1", "print", table_name="staff_survey", language="en")
    assert filled(found.files[0].read_text()) == ["s1", "A1", "s2", "A1"]


def test_one_form_for_all_in_redcap(asked):
    with pytest.raises(Refusal, match="INS-061"):
        export_institution_forms(asked, "w2", "redcap")


def test_a_study_without_institutions_is_refused(study):
    with pytest.raises(Refusal, match="INS-060"):
        export_institution_forms(study, "w1", "print", table_name="staff_survey")


@pytest.mark.parametrize("to", ["print", "xlsform"])
def test_forms_that_name_a_child_who_withdrew_are_listed(asked, to):
    export_institution_forms(asked, "w2", to, language="en")
    still = forget(asked, "001").still_in
    assert any("small-w2-A1" in name for name in still)
    assert not any("small-w2-A2" in name for name in still)
