"""Coding frames: those that are shipped are whole, and a frame with an undefined code, a circle or two meanings is refused."""

import copy
import json
from itertools import product

import pytest
import yaml

from asp_eval.core.documents import read_document
from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.core.resources import shipped_folder
from asp_eval.trial.process.frame import Frame
from asp_eval.trial.process.library import frame, frames_of, shipped_frames

FILE = shipped_folder("instruments") / "frames" / "asp-process.yaml"
ROWS = {key: {"I": 0.1, "II": 0.1, "III": 0.1, key: 0.8} for key in ("I", "II", "III")}  # of a confusion that is whole
CONTENT = yaml.safe_load(FILE.read_text(encoding="utf-8"))


def refused(tmp_path, change):
    """Return the codes of what is wrong with a changed frame."""
    content = copy.deepcopy(CONTENT)
    change(content)
    path = tmp_path / "frame.yaml"
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")  # which is YAML, and read faster
    with pytest.raises(DataProblems) as error:
        read_document(path, Frame)
    return {problem.code for problem in error.value.problems}


def test_the_five_studies_have_their_frames():
    found = {each.id: len(each.codes) for each in shipped_frames()}
    assert set(found) == {
        "asp-process",
        "collaborative-innovation",
        "imitate-or-innovate",
        "innovation-practice",
        "learning-sources",
    }
    assert found["collaborative-innovation"] == 3 * 5 + 4  # three roles of five tasks each
    assert len(frame("innovation-practice").propositions) == 2


@pytest.mark.parametrize("each", shipped_frames(), ids=lambda each: each.id)
def test_every_code_is_explained_in_both_languages_and_asked_about(each):
    for code in each.codes:
        for part in (code.title, code.definition, code.use_when, code.not_when, code.example):
            assert set(part) == {"da", "en"}, code.key
    asked = {code for guide in each.guides for question in guide.questions for code in question.codes}
    assert len(asked) > len(each.codes) / 2


def test_the_power_relations_have_both_their_sides():
    process = frame("asp-process")
    for relation in ("external_control", "power_of_definition", "workplace_culture", "internal_conflicts"):
        assert process.levels(relation) == ("absent", "latent", "manifest")
        assert process.levels(f"{relation}_source") == ("none", "personal", "structural", "both")


def test_the_rule_answers_everything_and_follows_the_majority():
    rule = frame("asp-process").type
    for found in product(["I", "II", "III"], repeat=3):
        cell = rule.decide(found)
        most = max(set(found), key=found.count)
        if found.count(most) == 3:
            assert (cell.then, cell.confidence) == (most, "clear")
        elif found.count(most) == 2:
            assert (cell.then, cell.confidence) == (most, "likely")
        else:
            assert (cell.then, cell.confidence) == ("II", "doubtful")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda c: c["codes"].append(c["codes"][0]), "FRM-001"),
        (lambda c: c["themes"].append(c["themes"][0]), "FRM-001"),
        (lambda c: c["level_sets"]["met"]["levels"].append(c["level_sets"]["met"]["levels"][0]), "FRM-001"),
        (lambda c: c["guides"].append(c["guides"][0]), "FRM-001"),
        (lambda c: c["guides"][0]["questions"].append(c["guides"][0]["questions"][0]), "FRM-001"),
        (lambda c: c["codes"][0].update(theme="nowhere"), "FRM-002"),
        (lambda c: c["codes"][0].update(levels="nothing"), "FRM-002"),
        (lambda c: c["guides"][0]["questions"][0].update(codes=["undefined"]), "FRM-002"),
        (lambda c: c["type"].update(criteria=["aim", "undefined"]), "FRM-002"),
        (lambda c: c["themes"][6].update(parent="gap_profile"), "FRM-003"),
        (lambda c: c["themes"][0].update(parent="typology"), "FRM-003"),
        (lambda c: c["type"].update(code="undefined"), "FRM-002"),
        (lambda c: c["codes"][5].update(key="coder_id"), "FRM-004"),
        (lambda c: c["type"].update(cells=c["type"]["cells"][:-1]), "FRM-005"),
        (lambda c: c["type"].update(cells=[c["type"]["cells"][-1], *c["type"]["cells"]]), "FRM-006"),
        (lambda c: c["type"]["cells"][0].update(when=["I", "I"]), "FRM-007"),
        (lambda c: c["type"].update(criteria=["aim", "management_relation", "turnover"]), "FRM-008"),
        (lambda c: c["type"].update(confusion=ROWS | {"III": {"I": 0.1, "II": 0.2, "III": 0.6}}), "FRM-009"),
        (lambda c: c["type"].update(confusion={key: ROWS[key] for key in ("I", "II")}), "FRM-009"),
        (lambda c: c["type"].update(confusion=ROWS | {"IV": ROWS["I"]}), "FRM-009"),
        (lambda c: c["codes"][0]["title"].pop("da"), "INS-009"),
    ],
)
def test_a_frame_that_is_not_sound_is_refused(tmp_path, change, code):
    assert code in refused(tmp_path, change)


def test_a_frame_may_declare_how_coders_err(tmp_path):
    path = tmp_path / "frame.yaml"
    content = CONTENT | {"type": CONTENT["type"] | {"confusion": ROWS}}
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    assert read_document(path, Frame).type.confusion == ROWS


def test_a_study_s_own_frame_joins_those_that_are_shipped(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    own = CONTENT | {"id": "our-own"}
    (folder / "ours.yaml").write_text(yaml.safe_dump(own, allow_unicode=True), encoding="utf-8")
    assert "our-own" in {each.id for each in frames_of(tmp_path)}
    (folder / "copy.yaml").write_text(yaml.safe_dump(CONTENT, allow_unicode=True), encoding="utf-8")
    with pytest.raises(DataProblems, match="FRM-021"):
        frames_of(tmp_path)


def test_an_unknown_frame_is_refused_with_the_near_names():
    with pytest.raises(Refusal, match="asp-process"):
        frame("asp-proces")
