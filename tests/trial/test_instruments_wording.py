"""Copyrighted wording comes from the licence holder, whole and with the permission, or no form is made."""

import pytest

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.trial.instruments.library import instrument, instruments, shipped
from asp_eval.trial.instruments.wording import worded, wording_template
from asp_eval.workflow.instrument_formats import FORMATS, export, target, wording_file, wordings

IMPACT, SDQ, GAP = (instrument(name) for name in ("sdq-teacher-impact", "sdq-teacher-4-17", "gap-competences-child"))
FORMS = [name for name, each in FORMATS.items() if each.is_form]
WITHHELD = [form for form in instruments() if form.licence.item_text == "not-included"]
PERMISSION = "Made-up words for this test, used by permission of nobody"


def filled(form, languages=("da",)):
    """The template with every slot filled by words made up here."""
    lines = []
    for line in wording_template(form, languages).splitlines():
        key = line.split(":")[0].strip()
        for language in languages:
            line = line.replace(f'{language}: ""', f'{language}: "{key} på {language}"')
        lines.append(line.replace('granted_to: ""', "granted_to: The test").replace('date: ""', "date: 2026-01-31"))
    text = "\n".join(lines)
    for language in languages:
        text = text.replace(f'{language}: "statement på {language}"', f'{language}: "{PERMISSION} ({language})"')
    return text


def supplied(tmp_path, form, text=None):
    path = wording_file(tmp_path, form)
    path.parent.mkdir(exist_ok=True)
    path.write_text(filled(form) if text is None else text, encoding="utf-8")
    return path


@pytest.mark.parametrize("to", FORMS)
@pytest.mark.parametrize("form", WITHHELD, ids=lambda form: form.id)
def test_no_form_without_the_licence_holders_wording(tmp_path, form, to):
    for wording in (None, wording_file(tmp_path, form)):
        with pytest.raises(Refusal) as refused:
            export(form, to, wording=wording)
        said = str(refused.value)
        for part in ("INS-030", "Youthinmind", "sdqinfo.org", f"export {form.id} --to wording", f"{form.id}.yaml", "permission"):
            assert part in said


@pytest.mark.parametrize("form", WITHHELD, ids=lambda form: form.id)
@pytest.mark.parametrize("to", ["lavaan", "codebook", "wording"])
def test_what_shows_no_wording_needs_none(form, to):
    assert export(form, to)[1]


@pytest.mark.parametrize("form", WITHHELD, ids=lambda form: form.id)
def test_the_filled_template_is_the_wording(tmp_path, form):
    ready = worded(form, supplied(tmp_path, form))
    assert ready.languages == ("da",)
    assert ready.item_keys == form.item_keys
    assert all(item.text == {"da": f"{item.key} på da"} for item in ready.items)
    assert all(ready.points(new) == form.points(old) for new, old in zip(ready.items, form.items, strict=True))
    assert ready.licence.statement == {"da": f"{PERMISSION} (da)"}
    for to in FORMS:
        assert export(form, to, wording=wording_file(tmp_path, form))[1]
    assert PERMISSION in export(form, "print", wording=wording_file(tmp_path, form))[1]
    assert all(item.text is None for item in instrument(form.id).items)  # the shipped one stays as it is


def test_the_codebook_of_a_study_shows_the_wording(tmp_path):
    path = supplied(tmp_path, IMPACT)
    assert "ebddiff på da" in export(IMPACT, "codebook", wording=path)[1]
    assert "ebddiff på da" not in export(IMPACT, "codebook")[1]


def test_an_empty_template_is_refused_slot_by_slot(tmp_path):
    path = supplied(tmp_path, IMPACT, wording_template(IMPACT))
    with pytest.raises(DataProblems) as caught:
        worded(IMPACT, path)
    fields = {problem.place.column for problem in caught.value.problems}
    assert {"licence.granted_to", "licence.date", "licence.statement.da", "items.ebddiff.da", "items.burden.da"} <= fields
    assert all(problem.place.line for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("before", "after", "code", "found"),
    [
        ("instrument: sdq-teacher-impact", "instrument: sdq-parent-impact", "INS-031", "'sdq-parent-impact version 1'"),
        ("version: 1", "version: 2", "INS-031", "'sdq-teacher-impact version 2'"),
        ("  ebddiff:", "  ebdiff:", "INS-032", "'ebdiff'"),
        ("  ebddiff:", "  ebdiff:", "INS-033", "'ebddiff'"),
        ("  duration:", "  durations:", "INS-032", "'durations'"),
        ("  statement:", "  statment:", "DOC-008", "'statment'"),
        ("  granted_to: The test", "", "DOC-009", None),
        ("2026-01-31", "soon", "DOC-010", "'soon'"),
        ("languages: [da]", "languages: [da, en]", "INS-009", "'da'"),
    ],
)
def test_a_wrong_wording_is_refused(tmp_path, before, after, code, found):
    text = filled(IMPACT)
    assert before in text
    path = supplied(tmp_path, IMPACT, text.replace(before, after, 1))
    with pytest.raises(DataProblems) as caught:
        worded(IMPACT, path)
    assert (code, found) in {(problem.code, problem.found) for problem in caught.value.problems}, str(caught.value)
    assert all(problem.place.source == "sdq-teacher-impact.yaml" and problem.place.line for problem in caught.value.problems)


def test_a_code_without_a_label_is_refused(tmp_path):
    text = filled(IMPACT)
    line = next(line for line in text.splitlines() if line.startswith("    3:"))
    with pytest.raises(DataProblems, match=r"INS-033.*code.*found 3"):
        worded(IMPACT, supplied(tmp_path, IMPACT, text.replace(line + "\n", "", 1)))


def test_an_own_wording_is_never_replaced(tmp_path):
    assert worded(GAP) is GAP
    assert worded(GAP, tmp_path / "none.yaml") is GAP
    with pytest.raises(Refusal, match="INS-034"):
        worded(GAP, supplied(tmp_path, GAP, "anything"))
    with pytest.raises(Refusal, match="INS-034"):
        export(GAP, "wording")


def test_all_wordings_of_a_study_are_checked_at_once(tmp_path):
    supplied(tmp_path, IMPACT)
    assert [form.id for form in wordings(tmp_path, shipped())] == ["sdq-teacher-impact"]
    supplied(tmp_path, SDQ, wording_template(SDQ))
    supplied(tmp_path, instrument("sdq-parent-impact"), "instrument: x")
    with pytest.raises(DataProblems) as caught:
        wordings(tmp_path, shipped())
    assert {problem.place.source for problem in caught.value.problems} == {"sdq-teacher-4-17.yaml", "sdq-parent-impact.yaml"}


def test_slots_that_are_being_filled_are_not_overwritten(tmp_path):
    assert target(IMPACT, "wording", "x.yaml", tmp_path) == wording_file(tmp_path, IMPACT)
    supplied(tmp_path, IMPACT)
    with pytest.raises(Refusal, match="INS-037"):
        target(IMPACT, "wording", "x.yaml", tmp_path)
