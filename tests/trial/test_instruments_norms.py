"""Norm sets are plug-ins: used when named, for the children they were made for, and refused where they do not belong."""

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.core.resources import shipped_folder
from asp_eval.trial.instruments.bands import band, fitting_sets, sets_from
from asp_eval.trial.instruments.library import instrument, instruments
from asp_eval.trial.instruments.scoring import score_long

PARENT = instrument("sdq-parent-4-17")
BOYS, GIRLS, UK = "dk-parents-5-7-boys", "dk-parents-5-7-girls", "uk-parents-4-17"
NORM = """\
id: no-teachers
version: 1
instruments: [sdq-teacher-2-4, sdq-teacher-4-17]
title: {da: Norge, en: Norway}
informant: teacher
country: "NO"
ages: {from: 3, below: 6}
source: this test
provenance: convention
names: {most: {da: de fleste, en: most}, few: {da: få, en: few}}
scales:
  conduct: [{band: most, from: 0, to: 4}, {band: few, from: 5, to: 10}]
means: {total: {mean: 6, sd: 5}}
"""


def test_no_shipped_set_is_used_unless_it_is_named():
    assert all(each.bands.default is None and each.bands.reason for each in instruments())
    assert band(PARENT, "total", pd.Series([40.0])).isna().all()


def test_each_child_gets_the_bands_made_for_it():
    # six children with a total of 9: borderline for a girl, normal for a boy, no Danish band outside 5 to 7 years
    scores = pd.Series([9.0] * 6, index=list("abcdef"))
    ages = pd.Series([5.0, 7.99, 8.0, 4.99, 6.0, np.nan])
    sex = pd.Series(["boy", "girl", "girl", "boy", None, "girl"])
    given = band(PARENT, "total", scores, bands=[BOYS, GIRLS], age_years=ages, sex=sex)
    assert given.fillna("").to_dict() == {"a": "normal", "b": "borderline", "c": "", "d": "", "e": "", "f": ""}
    notes = fitting_sets(PARENT, [BOYS, GIRLS], 6, ages, sex).notes.tolist()
    assert notes[:2] == ["", ""]
    none = f"none of {BOYS}, {GIRLS} was made for this child: "
    assert [note.removeprefix(none) for note in notes[2:]] == [
        "girl, 8.00 years",
        "boy, 4.99 years",
        "sex unknown, 6.00 years",
        "girl, age unknown",
    ]


def test_the_first_named_set_that_fits_is_used():
    ages, sex, scores = pd.Series([6.0, 9.0]), pd.Series(["boy", "boy"]), pd.Series([12.0, 12.0])
    assert band(PARENT, "total", scores, bands=[BOYS, UK], age_years=ages, sex=sex).tolist() == ["borderline", "normal"]
    assert band(PARENT, "total", scores, bands=[UK, BOYS], age_years=ages, sex=sex).tolist() == ["normal", "normal"]


def test_a_set_for_some_children_needs_to_know_which_they_are():
    scores, ages, sex = pd.Series([9.0]), pd.Series([6.0]), pd.Series(["boy"])
    with pytest.raises(Refusal, match=r"INS-022.*ages from 5 to below 8.*'age_years'"):
        band(PARENT, "total", scores, bands=BOYS, sex=sex)
    with pytest.raises(Refusal, match=r"INS-022.*boys only.*'sex'"):
        band(PARENT, "total", scores, bands=BOYS, age_years=ages)
    with pytest.raises(Refusal, match=r"SCO-008.*found 1, expected 2"):
        band(PARENT, "total", pd.Series([9.0, 9.0]), bands=BOYS, age_years=ages, sex=sex)
    assert band(PARENT, "total", scores, bands=UK).tolist() == ["normal"]  # as wide as the form: nothing to ask


def test_long_rows_say_why_a_child_has_no_band():
    answers = pd.DataFrame([dict.fromkeys(PARENT.item_keys, 0)] * 2)
    long = score_long(PARENT, answers, bands=BOYS, age_years=pd.Series([6.0, 12.0]), sex=pd.Series(["boy", "boy"]))
    first, second = long.loc[long["scale"] == "total"].to_dict("records")
    assert (first["band"], first["band_note"]) == ("borderline", "")  # total 10 of the five reversed items
    assert pd.isna(second["band"])
    assert second["band_note"] == f"{BOYS} was not made for this child: boy, 12.00 years"


def test_a_country_without_norms_is_refused_and_the_others_are_only_offered():
    assert [each.id for each in sets_from(PARENT, "DK")] == [BOYS, GIRLS]
    with pytest.raises(Refusal, match=r"INS-023.*found 'DK', expected se-preschool-teachers \(SE\).*only if you name it"):
        sets_from(instrument("sdq-teacher-2-4"), "DK")
    with pytest.raises(Refusal, match=r"INS-021.*found 'dk-teachers'"):
        band(instrument("sdq-teacher-4-17"), "total", pd.Series([1.0]), bands="dk-teachers")


def test_a_set_of_means_gives_no_bands():
    teacher = instrument("sdq-teacher-4-17")
    assert band(teacher, "total", pd.Series([6.0]), bands="teachers-4-5-means", age_years=pd.Series([4.5])).isna().all()
    assert teacher.band_set("teachers-4-5-means").means["total"].mean == 6.2


def study_norms(tmp_path, text=NORM):
    (tmp_path / "norms").mkdir(exist_ok=True)
    (tmp_path / "norms" / "no-teachers.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_study_adds_norms_of_its_own(tmp_path):
    own = instrument("sdq-teacher-4-17", study=study_norms(tmp_path))
    assert band(own, "conduct", pd.Series([4.0, 5.0]), bands="no-teachers", age_years=pd.Series([4.0, 4.0])).tolist() == [
        "most",
        "few",
    ]
    assert [each.id for each in sets_from(own, "NO")] == ["no-teachers"]
    with pytest.raises(Refusal, match="INS-021"):
        instrument("sdq-teacher-4-17").band_set("no-teachers")
    assert instrument("sdq-teacher-4-17", study=tmp_path / "nowhere") == instrument("sdq-teacher-4-17")


@pytest.mark.parametrize(
    ("before", "after", "code", "line", "found"),
    [
        ("[sdq-teacher-2-4,", "[sdq-teacher-2-5,", "INS-025", 3, "'sdq-teacher-2-5'"),
        ("informant: teacher", "informant: parent", "INS-026", 5, "'parent'"),
        ("from: 5, to: 10", "from: 6, to: 10", "INS-007", 12, "6"),
        ("from: 5, to: 10", "from: 4, to: 10", "INS-006", 12, "4"),
        ("  conduct:", "  conducts:", "INS-011", 12, "'conducts'"),
        ("{total:", "{totals:", "INS-011", 13, "'totals'"),
        ("from: 3, below: 6", "from: 6, below: 6", "INS-015", 7, "'from 6 below 6'"),
        ("da: få, en: few", "da: få", "INS-009", 10, "'da'"),
        ("provenance: convention", "provenance: hearsay", "DOC-010", 9, "'hearsay'"),
    ],
)
def test_a_wrong_norm_file_is_refused_on_its_line(tmp_path, before, after, code, line, found):
    assert NORM.count(before) == 1
    with pytest.raises(DataProblems) as caught:
        instrument("sdq-teacher-4-17", study=study_norms(tmp_path, NORM.replace(before, after)))
    placed = {(problem.code, problem.place.source, problem.place.line, problem.found) for problem in caught.value.problems}
    assert (code, "no-teachers.yaml", line, found) in placed, placed


def test_an_id_that_is_taken_is_refused(tmp_path):
    text = NORM.replace("id: no-teachers", "id: se-preschool-teachers")
    with pytest.raises(DataProblems, match=r"INS-027.*sdq-teacher-2-4.*found 'se-preschool-teachers'"):
        instrument("sdq-teacher-4-17", study=study_norms(tmp_path, text))


def test_the_documented_norm_file_is_sound(tmp_path):
    page = (shipped_folder("instruments").parent / "docs" / "instruments.md").read_text(encoding="utf-8")
    example = page.split("## Bands and norms")[1].split("```yaml\n")[1].split("```")[0]
    own = instrument("sdq-teacher-2-4", study=study_norms(tmp_path, example))
    assert own.bands.sets[-1].country == "NO"


def test_a_file_is_called_after_its_set():
    files = {path.stem for path in (shipped_folder("instruments") / "norms").glob("*.yaml")}
    assert files == {bands.id for each in instruments() for bands in each.bands.sets}
