"""Files that would be stored wrongly in silence, each refused with what it says itself; and those that are right, taken in.

1. what a file says of its codes (value labels, choices, labels in cells) is compared with the labels of the form and
   with the mapping, for items and for other columns with few values;
2. what is certain of a column by its name is an error if the mapping says otherwise;
3. the remedy can be copied: with it the file is taken in, every answer right;
4. a mapping that says it is confirmed goes before what the file says;
5. codes of another form refuse the file, and so do too many rows at fault.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems
from asp_eval.store import table
from asp_eval.trial.instruments.exports.redcap import redcap
from asp_eval.trial.instruments.library import instrument
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.import_file import import_file

STUDY = """\
version: 1
study: {{id: cases, title: {{en: Cases}}, synthetic: true}}
arms: [reference, intervention]
randomisation: {{scheme: simple}}
waves: [{{id: w1, label: {{en: start}}}}]
collect: {{screening: {{waves: [w1], instruments: [{form}]}}}}
outcomes: [{{id: y, score: {score}, role: primary, better: lower, at: w1}}]
"""
SDQ, GAP = "sdq-teacher-4-17", "gap-competences-child"
LABELS = {1: "Slet ikke endnu", 2: "Mindre godt", 3: "Nogenlunde", 4: "Godt", 5: "Meget godt"}
N = 24


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A study of the SDQ, and one of competences, each with four institutions; made once, and copied for each test."""
    made = {}
    for form, score in ((SDQ, "sdq-teacher.total"), (GAP, f"{GAP}.play")):
        folder = tmp_path_factory.mktemp("cases") / "study"
        folder.mkdir()
        (folder / "study.yaml").write_text(STUDY.format(form=form, score=score))
        file = folder.parent / "institutions.csv"
        file.write_text("institution_id\n001\n002\n003\n004\n")
        import_file(load_study(folder), file, "institutions")
        made[form] = folder
    return made


@pytest.fixture
def sdq(studies: dict[str, Path], tmp_path: Path) -> Study:
    return load_study(shutil.copytree(studies[SDQ], tmp_path / "study"))


@pytest.fixture
def gap(studies: dict[str, Path], tmp_path: Path) -> Study:
    return load_study(shutil.copytree(studies[GAP], tmp_path / "study"))


def answers(form: str, low: int, high: int, n: int = N) -> pd.DataFrame:
    """Children with answers from `low` to `high` under the items' short names; each answer is met in every item."""
    keys = instrument(form).item_keys
    drawn = np.random.default_rng(4).integers(low, high + 1, (n, len(keys)))
    drawn[: high + 1 - low] = np.arange(low, high + 1)[:, None]
    about = {"child_id": [f"{i:05}" for i in range(n)], "institution_id": [f"{i % 4 + 1:03}" for i in range(n)]}
    return pd.DataFrame(about).assign(**dict(zip(keys, drawn.T, strict=True)))


def sav(frame: pd.DataFrame, path: Path, labels: dict[int, str], columns: list[str]) -> Path:
    import pyreadstat

    pyreadstat.write_sav(frame, path, variable_value_labels=dict.fromkeys(columns, labels))
    return path


def mapping(path: Path, text: str) -> None:
    path.with_name(path.name + ".mapping.yaml").write_text("version: 1\n" + text + "\n", encoding="utf-8")


def codes(study: Study, file: Path) -> dict[str, str]:
    """Import a file that must be refused with nothing stored; return the sentences by code."""
    with pytest.raises(DataProblems) as caught:
        import_file(study, file, "screening", wave="w1")
    assert table(study, "screening").empty
    assert table(study, "quarantine").empty
    return {problem.code: str(problem) for problem in caught.value.problems}


def remedy(sentence: str) -> str:
    """Return the line of a mapping that a sentence tells to write."""
    found = re.search(r"'(recode: \{.*?\}\})'", sentence)
    assert found
    return found[1]


def stored(study: Study, form: str) -> np.ndarray:
    return table(study, f"screening_{form}")[list(instrument(form).columns)].to_numpy()


def test_labels_in_the_opposite_order_of_the_form(gap, tmp_path):
    frame = answers(GAP, 1, 5)
    keys = list(instrument(GAP).item_keys)
    file = sav(frame, tmp_path / "wave.sav", {6 - code: label for code, label in LABELS.items()}, keys)
    mapping(file, f'rename_items: {{{GAP}: "{{key}}"}}')
    told = codes(gap, file)
    assert list(told) == ["SCR-190"]
    mapping(file, f'rename_items: {{{GAP}: "{{key}}"}}\n{remedy(told["SCR-190"])}')
    assert import_file(gap, file, "screening", wave="w1").accepted == N
    assert (stored(gap, GAP) == 6 - frame[keys].to_numpy()).all()


def test_labels_in_the_order_of_the_form_are_taken_in(gap, tmp_path):
    file = sav(answers(GAP, 1, 5), tmp_path / "wave.sav", LABELS, list(instrument(GAP).item_keys))
    mapping(file, f'rename_items: {{{GAP}: "{{key}}"}}')
    report = import_file(gap, file, "screening", wave="w1")
    assert (report.accepted, {p.severity for p in report.problems}) == (N, set())


def test_a_single_item_turned_round_is_named_by_the_column_of_the_export(gap, tmp_path):
    import pyreadstat

    frame = answers(GAP, 1, 5)
    keys = list(instrument(GAP).item_keys)
    labels = dict.fromkeys(keys, LABELS) | {keys[3]: {6 - code: label for code, label in LABELS.items()}}
    pyreadstat.write_sav(frame, tmp_path / "wave.sav", variable_value_labels=labels)
    mapping(tmp_path / "wave.sav", f'rename_items: {{{GAP}: "{{key}}"}}')
    told = codes(gap, tmp_path / "wave.sav")
    assert list(told) == ["SCR-190"]
    assert remedy(told["SCR-190"]) == f"recode: {{{GAP}.{keys[3]}: {{1: 5, 2: 4, 3: 3, 4: 2, 5: 1}}}}"


def test_a_recode_that_turns_labels_in_cells_round(gap, tmp_path):
    frame = answers(GAP, 1, 5).replace(LABELS)
    frame.to_csv(tmp_path / "wave.csv", index=False)
    turned = ", ".join(f"{label}: {6 - code}" for code, label in LABELS.items())
    mapping(tmp_path / "wave.csv", f'rename_items: {{{GAP}: "{{key}}"}}\nrecode: {{{GAP}: {{{turned}}}}}')
    assert "SCR-190" in codes(gap, tmp_path / "wave.csv")


def test_the_choices_of_a_dictionary_of_redcap(gap, tmp_path):
    turned = redcap(instrument(GAP), "da")
    for code, label in LABELS.items():
        turned = turned.replace(f"{code}, {label}", f"*{6 - code}, {label}")
    (tmp_path / "P_DataDictionary_2026-01-01.csv").write_text(turned.replace("*", ""), encoding="utf-8")
    frame = answers(GAP, 1, 5).rename(columns={key: f"gcc_{key}" for key in instrument(GAP).item_keys})
    frame.insert(0, "record_id", range(1, N + 1))
    file = tmp_path / "P_DATA_2026-01-01_1200.csv"
    frame.to_csv(file, index=False)
    mapping(file, f'rename_items: {{{GAP}: "gcc_{{key}}"}}\nignore: [record_id]\nnot_personal: [child_id]')
    assert "SCR-190" in codes(gap, file)


def test_codes_from_1_to_3_that_the_file_declares(sdq, tmp_path):
    frame = answers(SDQ, 1, 3)
    keys = list(instrument(SDQ).item_keys)
    file = sav(frame, tmp_path / "wave.sav", {1: "passer ikke", 2: "passer delvist", 3: "passer godt"}, keys)
    mapping(file, f'rename_items: {{{SDQ}: "{{key}}"}}')
    told = codes(sdq, file)
    assert {"SCR-191", "SCR-195"} <= set(told)
    assert "SCR-014" not in told  # it is the columns that are wrong, and not cells
    mapping(file, f'rename_items: {{{SDQ}: "{{key}}"}}\n{remedy(told["SCR-191"])}')
    assert import_file(sdq, file, "screening", wave="w1").accepted == N
    assert (stored(sdq, SDQ) == frame[keys].to_numpy() - 1).all()


def test_a_negation_at_the_upper_end_of_answers_that_are_not_shipped(sdq, tmp_path):
    keys = list(instrument(SDQ).item_keys)
    file = sav(answers(SDQ, 0, 2), tmp_path / "wave.sav", {0: "passer godt", 1: "passer delvist", 2: "passer ikke"}, keys)
    mapping(file, f'rename_items: {{{SDQ}: "{{key}}"}}')
    told = codes(sdq, file)
    assert list(told) == ["SCR-192"]
    assert remedy(told["SCR-192"]) == f"recode: {{{SDQ}: {{0: 2, 1: 1, 2: 0}}}}"
    mapping(file, f'rename_items: {{{SDQ}: "{{key}}"}}\nconfirmed: [{SDQ}]')
    assert import_file(sdq, file, "screening", wave="w1").accepted == N


def with_sex(tmp_path: Path, column: str, labels: dict[int, str] | None, recode: str) -> Path:
    frame = answers(SDQ, 0, 2).assign(**{column: [1, 2] * (N // 2) if labels else [0, 1] * (N // 2)})
    file = tmp_path / "wave.sav"
    import pyreadstat

    pyreadstat.write_sav(frame, file, variable_value_labels={column: labels} if labels else {})
    rename = f"rename: {{{column}: sex}}\n" if column != "sex" else ""
    mapping(file, f'{rename}rename_items: {{{SDQ}: "{{key}}"}}\nrecode: {{sex: {recode}}}')
    return file


@pytest.mark.parametrize(
    ("column", "labels", "wrong", "right"),
    [
        ("sex", {1: "Pige", 2: "Dreng"}, "{1: boy, 2: girl}", "{1: girl, 2: boy}"),
        ("koen", {1: "male", 2: "female"}, "{1: girl, 2: boy}", "{1: boy, 2: girl}"),
        ("pige", None, "{0: girl, 1: boy}", "{0: boy, 1: girl}"),
    ],
)
def test_a_sex_mapped_to_the_other(column, labels, wrong, right, sdq, tmp_path):
    told = codes(sdq, with_sex(tmp_path, column, labels, wrong))
    assert list(told) == ["SCR-190"]
    assert remedy(told["SCR-190"]) == f"recode: {{sex: {right}}}"
    assert import_file(sdq, with_sex(tmp_path, column, labels, right), "screening", wave="w1").accepted == N


def test_an_item_that_its_name_shows_is_another(sdq, tmp_path):
    frame = answers(SDQ, 0, 2).rename(columns={key: f"t{key}" for key in instrument(SDQ).item_keys})
    frame.to_csv(tmp_path / "wave.csv", index=False)
    swapped = {"tobeys": "kind", "tkind": "obeys"}
    rename = ", ".join(f"{theirs}: {SDQ}.{ours}" for theirs, ours in swapped.items())
    text = f'rename_items: {{{SDQ}: "t{{key}}"}}\nrename: {{{rename}}}'
    mapping(tmp_path / "wave.csv", text)
    assert list(codes(sdq, tmp_path / "wave.csv")) == ["SCR-193"]
    mapping(tmp_path / "wave.csv", text + f"\nconfirmed: [{SDQ}]")
    assert import_file(sdq, tmp_path / "wave.csv", "screening", wave="w1").accepted == N


def test_numbers_show_no_order_of_the_items(sdq, tmp_path):
    keys = list(instrument(SDQ).item_keys)
    frame = answers(SDQ, 0, 2).rename(columns={key: f"s_{n}" for n, key in enumerate(keys, start=1)})
    frame.to_csv(tmp_path / "wave.csv", index=False)
    rename = ", ".join(f"s_{n}: {SDQ}.{key}" for n, key in enumerate(reversed(keys), start=1))
    mapping(tmp_path / "wave.csv", f"rename: {{{rename}}}")
    assert import_file(sdq, tmp_path / "wave.csv", "screening", wave="w1").accepted == N


Change = Callable[[pd.DataFrame], pd.DataFrame]


def put(column: int, cells: list[object]) -> Change:
    """Put cells into the first rows of an item."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.astype(object)
        frame.iloc[: len(cells), column + 2] = cells
        return frame

    return change


def import_changed(study: Study, tmp_path: Path, change: Change, more: str = "") -> Path:
    change(answers(SDQ, 0, 2, 60)).to_csv(tmp_path / "wave.csv", index=False)
    mapping(tmp_path / "wave.csv", f'rename_items: {{{SDQ}: "{{key}}"}}\n{more}')
    return tmp_path / "wave.csv"


def test_a_strange_code_in_five_rows_of_an_item_refuses_the_file(sdq, tmp_path):
    told = codes(sdq, import_changed(sdq, tmp_path, put(4, [9] * 5)))
    assert list(told) == ["SCR-194"]
    assert "'9' in 5 of 60 answers" in told["SCR-194"]


def test_a_strange_code_in_four_rows_is_a_fault_of_these_rows(sdq, tmp_path):
    report = import_file(sdq, import_changed(sdq, tmp_path, put(4, [9] * 4)), "screening", wave="w1")
    assert (report.accepted, report.quarantined) == (56, 4)


def test_an_item_whose_codes_run_from_one_refuses_the_file(sdq, tmp_path):
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        key = instrument(SDQ).item_keys[6]
        return frame.assign(**{key: [3, *[1 + i % 2 for i in range(59)]]})

    told = codes(sdq, import_changed(sdq, tmp_path, change))
    assert list(told) == ["SCR-195"]
    assert remedy(told["SCR-195"]) == f"recode: {{{SDQ}.obeys: {{1: 0, 2: 1, 3: 2}}}}"


def blank_ids(n: int) -> Change:
    return lambda frame: frame.assign(institution_id=[""] * n + list(frame["institution_id"][n:]))


def test_more_than_a_fifth_of_the_rows_at_fault_refuses_the_file_with_the_reason_met_most(sdq, tmp_path):
    told = codes(sdq, import_changed(sdq, tmp_path, blank_ids(13)))
    assert set(told) == {"SCR-045", "SCR-196"}
    assert "13 of 60 rows are at fault, most of them, 13 times, for this reason (SCR-045)" in told["SCR-196"]


@pytest.mark.parametrize(("rows", "more"), [(12, ""), (13, "stop_at: {share_of_rows: 1}"), (29, "stop_at: {share_of_rows: 0.5}")])
def test_no_more_than_the_mapping_allows_wait_in_quarantine(rows, more, sdq, tmp_path):
    report = import_file(sdq, import_changed(sdq, tmp_path, blank_ids(rows), more), "screening", wave="w1")
    assert (report.accepted, report.quarantined) == (60 - rows, rows)
