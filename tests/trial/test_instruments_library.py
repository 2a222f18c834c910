"""The shipped instruments are what their sources say, and are found by id, family and age."""

import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems, Refusal, Unavailable
from asp_eval.core.resources import shipped_folder
from asp_eval.trial.instruments import library
from asp_eval.trial.instruments.library import choose_version, family, instrument, instruments, read_folder

SDQ = ["sdq-teacher-2-4", "sdq-teacher-4-17", "sdq-parent-2-4", "sdq-parent-4-17"]
IMPACT = ["sdq-teacher-impact", "sdq-parent-impact", "sdq-teacher-impact-follow-up", "sdq-parent-impact-follow-up"]
GAP = ["gap-competences-staff", "gap-competences-child"]
ORGANISATION = ["organisational-learning", "collaborative-innovation", "governance-npm-npg", "innovation-practice"]
EVERY = sorted(SDQ + IMPACT + GAP + ORGANISATION)
SCALES_BY_NUMBER = {  # official scoring sheet
    "emotion": [3, 8, 13, 16, 24],
    "conduct": [5, 7, 12, 18, 22],
    "hyper": [2, 10, 15, 21, 25],
    "peer": [6, 11, 14, 19, 23],
    "prosocial": [1, 4, 9, 17, 20],
}
ORDER = ["total", "emotion", "conduct", "hyper", "peer", "prosocial"]
BANDS = {  # best to worst, in the order above, from the sources named in the files
    ("sdq-teacher-4-17", "uk-teachers-4-17-four-bands"): [
        "0-11 12-15 16-18 19-40",
        "0-3 4-4 5-5 6-10",
        "0-2 3-3 4-4 5-10",
        "0-5 6-7 8-8 9-10",
        "0-2 3-4 5-5 6-10",
        "6-10 5-5 4-4 0-3",
    ],
    ("sdq-teacher-4-17", "uk-teachers-4-17-three-bands"): [
        "0-11 12-15 16-40",
        "0-4 5-5 6-10",
        "0-2 3-3 4-10",
        "0-5 6-6 7-10",
        "0-3 4-4 5-10",
        "6-10 5-5 0-4",
    ],
    ("sdq-parent-2-4", "uk-parents-2-4"): [
        "0-12 13-15 16-40",
        "0-2 3-3 4-10",
        "0-3 4-4 5-10",
        "0-5 6-6 7-10",
        "0-2 3-3 4-10",
        "7-10 6-6 0-5",
    ],
    ("sdq-parent-4-17", "uk-parents-4-17"): [
        "0-13 14-16 17-40",
        "0-3 4-4 5-10",
        "0-2 3-3 4-10",
        "0-5 6-6 7-10",
        "0-2 3-3 4-10",
        "6-10 5-5 0-4",
    ],
    ("sdq-parent-4-17", "dk-parents-5-7-boys"): [
        "0-9 10-13 14-40",
        "0-3 4-4 5-10",
        "0-2 3-3 4-10",
        "0-4 5-6 7-10",
        "0-1 2-2 3-10",
        "7-10 6-6 0-5",
    ],
    ("sdq-parent-4-17", "dk-parents-5-7-girls"): [
        "0-8 9-11 12-40",
        "0-3 4-4 5-10",
        "0-2 3-3 4-10",
        "0-3 4-5 6-10",
        "0-1 2-2 3-10",
        "8-10 7-7 0-6",
    ],
    ("sdq-teacher-2-4", "se-preschool-teachers"): ["0-11 12-40", "0-2 3-10", "0-3 4-10", "0-4 5-10", "0-3 4-10", "4-10 0-3"],
}


def test_the_shipped_instruments_are_these():
    assert sorted(each.id for each in instruments()) == EVERY


def test_a_file_is_called_after_its_instrument():
    assert sorted(path.stem for path in shipped_folder("instruments").glob("*.yaml")) == EVERY


@pytest.mark.parametrize("name", SDQ)
def test_sdq_items_scales_and_reversals(name):
    sdq = instrument(name)
    number = {item.key: item.number for item in sdq.items}
    assert {scale.key: [number[key] for key in scale.items] for scale in sdq.scales} == SCALES_BY_NUMBER
    assert {item.number for item in sdq.items if item.reverse} == {7, 11, 14, 21, 25}
    assert {item.key for item in sdq.items if item.reverse} == {"obeys", "friend", "popular", "reflect", "attends"}
    assert {sdq.items[17].key, sdq.items[21].key} == ({"argues", "spite"} if name.endswith("2-4") else {"lies", "steals"})
    assert all(sdq.codes(item) == (0, 1, 2) for item in sdq.items)
    assert [key for key in sdq.scale_keys if sdq.scale(key).better == "higher"] == ["prosocial"]


@pytest.mark.parametrize("name", SDQ + IMPACT)
def test_no_sdq_wording_is_shipped(name):
    sdq = instrument(name)
    assert sdq.licence.item_text == "not-included"
    assert "Youthinmind" in sdq.licence.statement["en"]
    assert all(item.text is None and item.poles is None for item in sdq.items)
    for responses in sdq.response_sets.values():
        assert all(set(response.label.values()) == {str(response.code)} and response.anchor is None for response in responses)


def test_every_band_is_its_sources():
    shipped = {(each.id, bands.id) for each in instruments() for bands in each.bands.sets if bands.scales}
    assert shipped == set(BANDS)


@pytest.mark.parametrize(("name", "bands"), BANDS)
def test_bands_are_those_of_the_source(name, bands):
    scales = instrument(name).band_set(bands).scales
    shown = {key: " ".join(f"{band.from_}-{band.to}" for band in stretch) for key, stretch in scales.items()}
    assert shown == dict(zip(ORDER, BANDS[name, bands], strict=True))


def test_thresholds_from_memory_say_so():
    three = instrument("sdq-teacher-4-17").band_set("uk-teachers-4-17-three-bands")
    for stretch in three.scales.values():
        assert [band.provenance for band in stretch] == ["memory", "memory", "confirmed"]


def test_no_other_threshold_is_from_memory():
    every = [bands for each in instruments() for bands in each.bands.sets]
    assert {bands.provenance for bands in every} == {"confirmed"}
    own = {bands.id for bands in every for stretch in bands.scales.values() for band in stretch if band.provenance}
    assert own == {"uk-teachers-4-17-three-bands"}


def test_where_no_bands_are_known_the_reason_is_said():
    reason = instrument("sdq-teacher-2-4").band_set()
    assert isinstance(reason, Unavailable)
    assert "Danish thresholds for preschool staff are not known" in str(reason)


def test_another_forms_bands_are_refused():
    with pytest.raises(Refusal, match=r"INS-021.*found 'uk-parents-2-4', expected se-preschool-teachers"):
        instrument("sdq-teacher-2-4").band_set("uk-parents-2-4")


def test_both_sides_of_the_gap_have_the_same_dimensions():
    staff, child = (instrument(name) for name in GAP)
    assert staff.scale_keys == child.scale_keys
    assert staff.item_keys == child.item_keys
    assert [s.title for s in staff.all_scales] == [s.title for s in child.all_scales]
    assert len(staff.scales) == 9
    assert [composite.key for composite in staff.composites] == ["personal", "social", "learning"]
    assert [key for composite in staff.composites for key in composite.scales] == [scale.key for scale in staff.scales]
    assert all(len(scale.items) == 3 for scale in staff.scales)
    assert (staff.unit, child.unit) == ("respondent", "child")


@pytest.mark.parametrize("name", GAP)
def test_the_gap_pair_says_that_it_is_a_convention(name):
    gap = instrument(name)
    assert {claim.mark for claim in gap.provenance} == {"convention"}
    assert "convention" in gap.status["en"]
    assert "konvention" in gap.status["da"]
    assert all(item.text and set(item.text) == {"da", "en"} and not item.reverse for item in gap.items)
    assert all(response.anchor for response in gap.response_sets["how_well"])
    assert {scale.better for scale in gap.all_scales} == {"higher"}


@pytest.mark.parametrize("name", GAP)
def test_gap_items_are_short(name):
    longest = max(len(text.split()) for item in instrument(name).items for text in item.text.values())
    assert longest <= 20


def test_an_unknown_name_is_answered_with_near_ones():
    with pytest.raises(Refusal, match=r"INS-001.*'sdq-techer-4-17'.*Did you mean sdq-teacher-4-17"):
        instrument("sdq-techer-4-17")
    with pytest.raises(Refusal, match=r"INS-001.*no family.*Did you mean sdq-teacher or "):
        family("sdq-teachr")
    with pytest.raises(Refusal, match=r"INS-001.*version 9"):
        instrument("sdq-teacher-4-17", version=9)


def test_the_form_follows_the_age():
    ages = pd.Series([1.99, 2.0, 3.99, 4.0, 17.99, 18.0, None], index=list("abcdefg"))
    young, old = "sdq-teacher-2-4", "sdq-teacher-4-17"
    assert choose_version("sdq-teacher", ages).astype(object).where(lambda s: s.notna(), None).to_dict() == {
        "a": None,
        "b": young,
        "c": young,
        "d": old,
        "e": old,
        "f": None,
        "g": None,
    }


def test_a_family_of_one_needs_no_age():
    chosen = choose_version("gap-competences-child", pd.Series([None, 5.0], dtype="float"))
    assert chosen.tolist() == ["gap-competences-child"] * 2


def copies(tmp_path, **changes):
    """Copy one shipped file under new names, each with its own changes."""
    text = (shipped_folder("instruments") / "sdq-teacher-2-4.yaml").read_text(encoding="utf-8")
    for name, (before, after) in changes.items():
        assert before in text
        (tmp_path / f"{name}.yaml").write_text(text.replace(before, after), encoding="utf-8")


def test_two_files_with_one_id_and_version_are_refused(tmp_path):
    copies(tmp_path, first=("version: 1", "version: 1"), second=("version: 1", "version: 1"))
    with pytest.raises(DataProblems) as caught:
        read_folder(tmp_path)
    (problem,) = caught.value.problems
    assert (problem.code, problem.place.source, problem.place.line) == ("INS-002", "second.yaml", 4)
    assert "first.yaml" in str(problem)


def test_versions_stand_side_by_side(tmp_path):
    copies(tmp_path, first=("version: 1", "version: 1"), second=("version: 1", "version: 2"))
    assert [each.version for each in read_folder(tmp_path)] == [1, 2]


def test_the_latest_version_is_taken_unless_another_is_named(tmp_path, monkeypatch):
    copies(tmp_path, first=("version: 1", "version: 2"), second=("version: 1", "version: 10"), third=("version: 1", "version: 3"))
    monkeypatch.setattr(library, "shipped", lambda: library.Library(read_folder(tmp_path)))
    assert instrument("sdq-teacher-2-4").version == 10
    assert instrument("sdq-teacher-2-4", version=2).version == 2
    assert [each.version for each in instruments()] == [10]
    assert [each.version for each in family("sdq-teacher")] == [10]


def test_forms_that_share_ages_are_refused(tmp_path):
    copies(tmp_path, first=("version: 1", "version: 1"), second=("id: sdq-teacher-2-4", "id: sdq-teacher-3-5"))
    with pytest.raises(DataProblems, match=r"INS-014\] second.yaml line 6, ages.*sdq-teacher-2-4"):
        read_folder(tmp_path)


def test_mistakes_of_every_file_are_told(tmp_path):
    copies(tmp_path, first=("unit: child", "unit: pupil"), second=("family: sdq-teacher", "famly: sdq-teacher"))
    with pytest.raises(DataProblems) as caught:
        read_folder(tmp_path)
    assert {problem.place.source for problem in caught.value.problems} == {"first.yaml", "second.yaml"}


def test_the_documented_example_is_sound(tmp_path):
    page = (shipped_folder("instruments").parent / "docs" / "instruments.md").read_text(encoding="utf-8")
    example = page.split("## Writing an instrument")[1].split("```yaml\n")[1].split("```")[0]
    (tmp_path / "mood.yaml").write_text(example, encoding="utf-8")
    (mood,) = read_folder(tmp_path)
    assert mood.scale_keys == ("mood",)


def test_every_shipped_instrument_is_documented():
    page = (shipped_folder("instruments").parent / "docs" / "instruments.md").read_text(encoding="utf-8")
    for each in instruments():
        assert f"`{each.id}`" in page
        assert all(f"`{bands.id}`" in page for bands in each.bands.sets)
