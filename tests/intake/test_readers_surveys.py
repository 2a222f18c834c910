"""What every survey system has in common: the same answers come back, and can be taken into a study."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
import survey_exports as exports
from examples import ONE_FOLDER, part_of_examples
from hypothesis import given, settings
from hypothesis import strategies as st
from survey_exports import WRITERS, Answers, Asked

from asp_eval.core.csv_text import read_csv_text
from asp_eval.core.errors import DataProblems
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.reading import read_raw
from asp_eval.store import table
from asp_eval.trial.instruments.library import instrument
from asp_eval.workflow.import_file import import_file

ITEMS = instrument("sdq-teacher-4-17").columns
ANSWERS = {"0": "Passer ikke", "1": "Passer delvist", "2": "Passer godt"}
NAMES = {
    "surveyxact": exports.surveyxact_names,
    "redcap": exports.redcap_names,
    "qualtrics": exports.qualtrics_names,
    "limesurvey": exports.limesurvey_names,
    "kobo": exports.keys,
}
WORDS = st.text(st.sampled_from(string.ascii_letters + string.digits + "æøåÆØÅ,;:'\"(){}#=- \n"), min_size=1, max_size=12).map(
    str.strip
)
CODES, OPTIONS = st.integers(-9, 99).map(str), st.integers(0, 99).map(str)


@st.composite
def surveys(draw: st.DrawFn) -> tuple[tuple[Asked, ...], Answers]:
    """A survey of a few questions, and its answers."""
    asked = [Asked("child", "Barn")]
    for number in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["text", "one", "several"]))
        labels = st.lists(WORDS.filter(_is_label), min_size=1, max_size=4, unique=True)
        codes = st.lists(CODES if kind == "one" else OPTIONS, min_size=4, max_size=4, unique=True)
        choices = {} if kind == "text" else dict(zip(draw(codes), draw(labels), strict=False))
        asked.append(Asked(f"q{number}", f"Question {number}", choices, several=kind == "several"))
    rows = [{"child": f"{n:03}"} for n in range(draw(st.integers(1, 4)))]
    for row in rows:
        for question in asked[1:]:
            for key in exports.keys([question]):
                one = question.choices and not question.several
                row[key] = draw(st.sampled_from(["", *question.choices]) if one else CODES if question.several else WORDS)
                row[key] = draw(st.sampled_from("01")) if question.several else row[key]
    return tuple(asked), rows


def _is_label(text: str) -> bool:
    """Whether a text can be a label in every system: on one line, with no sign that a system uses for itself."""
    return bool(text) and not re.search(r"[\n|<>]|  ", text) and not text.lstrip("-").isdigit()


@pytest.mark.parametrize("system", WRITERS)
@settings(part_of_examples(0.4), suppress_health_check=ONE_FOLDER)
@given(made=surveys())
def test_what_is_written_is_read(tmp_path_factory, system, made):
    survey, rows = made
    file = WRITERS[system](tmp_path_factory.mktemp("export"), survey, rows)
    raw = read_raw(file, FileFormat(delimiter={"kobo": ";", "limesurvey": ";", "surveyxact": ";"}.get(system, ",")))
    assert raw.dialect.format == system
    names = NAMES[system](survey)
    keys = exports.keys(survey)
    read = raw.frame(names).set_axis(keys, axis=1)
    pd.testing.assert_frame_equal(read, pd.DataFrame(rows, columns=keys, dtype="string"))
    if system in {"surveyxact", "redcap", "kobo"}:
        for question in survey:
            if question.choices and not question.several:
                assert raw.labels[question.name] == question.choices


@pytest.mark.parametrize("system", WRITERS)
def test_two_readers_never_claim_one_file(tmp_path, system):
    assert read_raw(WRITERS[system](tmp_path, exports.SURVEY, exports.ROWS)).dialect.format == system


def screening() -> tuple[tuple[Asked, ...], Answers]:
    """A wave of three children: who, where, when, hours with a decimal comma, and the items of the questionnaire."""
    head = (Asked("barn", "Nummer"), Asked("inst", "Institution"), Asked("dato", "Dato"), Asked("timer", "Timer"))
    likes = Asked("likes", "Hvad?", {"1": "Leg", "2": "Sang"}, several=True)
    items = tuple(Asked(f"s_{n}", f"Spørgsmål {n}", ANSWERS) for n in range(1, len(ITEMS) + 1))
    rows = [
        {
            "barn": child,
            "inst": inst,
            "dato": "2006-09-14",
            "timer": hours,
            "likes/1": "1",
            "likes/2": "0",
            **{item.name: str((n + k) % 3) for n, item in enumerate(items)},
        }
        for k, (child, inst, hours) in enumerate([("001", "A1", "30,5"), ("002", "A2", "37,0"), ("003", "H1", "20,0")])
    ]
    return (*head, likes, *items), rows


def mapping(folder: Path, extra: str = "") -> Path:
    renamed = {"barn": "child_id", "inst": "institution_id", "dato": "date", "timer": "hours"}
    renamed |= {f"s_{n}": item for n, item in enumerate(ITEMS, start=1)}
    lines = ", ".join(f"{old}: {new}" for old, new in renamed.items())
    path = folder / "mapping.yaml"
    path.write_text(f"version: 1\nrename: {{{lines}}}\nignore: others\nconstants: {{rater_id: null}}\n{extra}")
    return path


@pytest.mark.parametrize("system", WRITERS)
def test_an_export_becomes_a_wave(drawn, incoming, tmp_path, system):
    survey, rows = screening()
    file = WRITERS[system](incoming, survey, rows)
    rules = mapping(tmp_path)
    report = import_file(drawn, file, "screening", wave="w1", mapping=rules)
    assert (report.accepted, report.stored) == (3, True)
    assert report.dialect.startswith(f"{system}, ")
    assert table(drawn, "screening")["hours"].tolist() == [30.5, 37.0, 20.0]
    stored = table(drawn, "screening_sdq-teacher-4-17").set_index("child_id")[list(ITEMS)]
    expected = [[float(row[f"s_{n}"]) for n in range(1, len(ITEMS) + 1)] for row in rows]
    assert stored.loc[["001", "002", "003"]].to_numpy().tolist() == expected
    kept = drawn.folder / "data" / read_csv_text(drawn.folder / "output" / "ledger.csv")["file"].iloc[-1]
    if system == "qualtrics":  # which writes the respondent's address into every row
        assert b"192.0.2.1" in file.read_bytes()
        assert b"192.0.2.1" not in kept.read_bytes()
    else:
        assert kept.read_bytes() == file.read_bytes()
    assert import_file(drawn, file, "screening", wave="w1", mapping=rules).already
    assert import_file(drawn, kept, "screening", wave="w1").already  # with the mapping kept beside it, and all companions


def test_an_export_is_kept_with_the_files_that_explain_it(drawn, incoming, tmp_path):
    survey, rows = screening()
    file = exports.surveyxact(incoming, survey, rows)
    import_file(drawn, file, "screening", wave="w1", mapping=mapping(tmp_path))
    data = drawn.folder / "data"
    names = ["dataset.csv", "dataset.csv.mapping.yaml", "labels.csv", "structure.csv"]
    assert sorted(path.name for path in (data / "dataset").iterdir()) == names
    later = [row | {"dato": "2007-09-14"} for row in rows]
    exports.surveyxact(incoming, survey, later)  # each wave's files have the same names
    import_file(drawn, file, "screening", wave="w2", mapping=mapping(tmp_path))
    assert sorted(path.name for path in (data / "dataset-2").iterdir()) == names
    ledger = read_csv_text(drawn.folder / "output" / "ledger.csv")
    assert ledger["file"].tolist()[-2:] == ["dataset/dataset.csv", "dataset-2/dataset.csv"]


def test_nothing_is_kept_of_an_export_that_is_refused(drawn, incoming, tmp_path):
    survey, rows = screening()
    file = exports.surveyxact(incoming, survey, rows)
    before = sorted((drawn.folder / "data").rglob("*"))
    with pytest.raises(DataProblems, match="SCR-020"):
        import_file(drawn, file, "screening", wave="w1", mapping=mapping(tmp_path, 'keep_rows: "group == 1"\n'))
    (incoming / "labels.csv").write_text("s_1;0\n")
    with pytest.raises(DataProblems, match="SCR-093"):
        import_file(drawn, file, "screening", wave="w1", mapping=mapping(tmp_path))
    assert sorted((drawn.folder / "data").rglob("*")) == before


def test_labels_become_codes_by_the_mapping_alone(drawn, incoming, tmp_path):
    survey, rows = screening()
    file = exports.redcap(incoming, survey, rows, labels=True)
    with pytest.raises(DataProblems, match="Passer ikke"):
        import_file(drawn, file, "screening", wave="w1", mapping=mapping(tmp_path))
    recode = "\n".join(f"  {item}: {{Passer ikke: 0, Passer delvist: 1, Passer godt: 2}}" for item in ITEMS)
    import_file(drawn, file, "screening", wave="w1", mapping=mapping(tmp_path, f"recode:\n{recode}\n"))
    stored = table(drawn, "screening_sdq-teacher-4-17").set_index("child_id")[list(ITEMS)]
    assert stored.loc["002"].tolist() == [float(rows[1][f"s_{n}"]) for n in range(1, len(ITEMS) + 1)]


def test_one_event_of_a_longitudinal_project(drawn, incoming, tmp_path):
    survey, rows = screening()
    first = exports.redcap_raw(survey, rows)
    later = exports.redcap_raw(survey, [row | {"dato": "2007-09-14"} for row in rows])
    events = [*(["wave1_arm_1", *row] for row in first[1:]), *(["wave2_arm_1", *row] for row in later[1:])]
    whole: Sequence[list[str]] = [["redcap_event_name", *first[0]], *events]
    file = incoming / "HPA_DATA_2007-11-30_1200.csv"
    file.write_bytes(exports.text_of(whole, ","))
    (incoming / "HPA_DataDictionary_2007-11-30.csv").write_bytes(exports.text_of(exports.redcap_dictionary(survey), ","))
    for wave, event in (("w1", "wave1_arm_1"), ("w2", "wave2_arm_1")):
        rules = mapping(tmp_path, f'keep_rows: redcap_event_name == "{event}"\n')
        report = import_file(drawn, file, "screening", wave=wave, mapping=rules)
        assert (report.rows_read, report.accepted, report.filtered) == (6, 3, 3)
    assert len(table(drawn, "screening")) == 6
