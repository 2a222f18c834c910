"""A draft that says "everything was found" is a mapping that the import takes; one that the import would refuse says so.

1. whatever draft calls itself complete, the import takes the file with it, over every kind of file below;
2. what the draft must know for that: one row per institution, ids that the export marks as persons, the sheet, the delimiter,
   a row of questions below the names;
3. what no draft can cure is said in the draft, with the import's own words, and the draft is not complete.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from openpyxl import Workbook

from asp_eval.core.errors import DataProblems
from asp_eval.store import table
from asp_eval.trial.instruments.exports.redcap import redcap, variable_names
from asp_eval.trial.instruments.library import instrument
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.propose import ProposedMapping, propose

STUDY = """\
version: 1
study: {id: drafts, title: {en: Drafts}, synthetic: true}
arms: [reference, intervention]
randomisation: {scheme: simple}
waves: [{id: w1, label: {en: start}}]
collect:
  screening: {waves: [w1], instruments: [sdq-teacher-4-17]}
  staff_survey: {waves: [w1], instruments: [gap-competences-staff]}
outcomes: [{id: y, score: sdq-teacher.total, role: primary, better: lower, at: w1}]
"""
SDQ, STAFF = instrument("sdq-teacher-4-17"), instrument("gap-competences-staff")
N = 24
Make = Callable[[Path], Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drafts") / "study"
    folder.mkdir()
    (folder / "study.yaml").write_text(STUDY)
    file = folder.parent / "institutions.csv"
    file.write_text("institution_id\n001\n002\n003\n004\n")
    import_file(load_study(folder), file, "institutions")
    return folder


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Study:
    return load_study(shutil.copytree(made, tmp_path / "study"))


def children(name: Callable[[str], str] = str) -> pd.DataFrame:
    """Children with answers 0 to 2 that hang together as they are keyed."""
    rng = np.random.default_rng(7)
    level = rng.normal(size=(N, 1))
    drawn = np.clip(np.round(1 + level + rng.normal(size=(N, 25)) / 2), 0, 2).astype(int)
    turned = [SDQ.item_keys.index(key) for key in ("obeys", "reflect", "attends", "friend", "popular")]
    drawn[:, turned] = 2 - drawn[:, turned]
    about = {"child_id": [f"{i:05}" for i in range(N)], "institution_id": [f"{i % 4 + 1:03}" for i in range(N)]}
    return pd.DataFrame(about | {name(key): drawn[:, i] for i, key in enumerate(SDQ.item_keys)})


def short(key: str) -> str:
    return f"t{key}"


def two_sheets(folder: Path) -> Path:
    book = Workbook()
    for line in ("Exported 1 June", "All institutions"):
        book.active.append([line, "page", "of", "notes"])
    sheet = book.create_sheet("Answers")
    frame = children(short)
    for row in [list(frame), *frame.astype(str).to_numpy().tolist()]:
        sheet.append(row)
    book.save(folder / "wave.xlsx")
    return folder / "wave.xlsx"


def two_delimiters(folder: Path) -> Path:
    frame = children(short).assign(**{"remark, if any": "none, really"})
    frame.to_csv(folder / "wave.csv", sep=";", index=False, quoting=3, escapechar="\\")
    text = (folder / "wave.csv").read_text().replace("\\", "")
    (folder / "wave.csv").write_text(text)
    return folder / "wave.csv"


def questions_below(folder: Path) -> Path:
    frame = children(short).astype(str)
    row = {name: "Which child?" if name == "child_id" else f"Question {name}?" for name in frame}
    pd.concat([pd.DataFrame([row]), frame]).to_csv(folder / "wave.csv", index=False)
    return folder / "wave.csv"


def titles_above(folder: Path) -> Path:
    (folder / "wave.csv").write_text("Children of June 2027\n\n" + children(short).to_csv(index=False, sep=";"))
    return folder / "wave.csv"


def own_form_of_redcap(folder: Path) -> Path:
    (folder / "P_DataDictionary_2026-01-01.csv").write_text(redcap(STAFF, "da"), encoding="utf-8")
    names = variable_names([STAFF])
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"record_id": range(1, N + 1), "respondent_id": [f"m{i:02}" for i in range(N)]})
    frame["institution_id"] = [f"{i % 4 + 1:03}" for i in range(N)]
    frame["date"] = "2027-09-10"
    for item, column in zip(STAFF.items, STAFF.columns, strict=True):
        frame[names[column]] = rng.choice([r.code for r in STAFF.response_sets[item.responses]], N)
    frame.to_csv(folder / "P_DATA_2026-01-01_1200.csv", index=False)
    return folder / "P_DATA_2026-01-01_1200.csv"


FILES: dict[str, tuple[Make, tuple[str, ...]]] = {
    "sheet": (two_sheets, ("sheet: Answers",)),
    "delimiter": (two_delimiters, ("delimiter: ;",)),
    "questions": (questions_below, ("skip_after_header: 1",)),
    "titles": (titles_above, ("header_row: 3",)),
    "redcap": (own_form_of_redcap, ("not_personal:", "- respondent_id")),
}


def accepted(study: Study, file: Path, found: ProposedMapping) -> int:
    report = import_file(study, file, found.table, wave=found.wave)
    assert not report.quarantined
    return report.accepted


@pytest.mark.parametrize("kind", FILES)
def test_a_complete_draft_is_taken(study, tmp_path, kind):
    make, shown = FILES[kind]
    file = make(tmp_path)
    found = propose(study, file, wave="w1")
    assert found.complete, found.mapping
    assert all(part in found.mapping for part in shown)
    assert accepted(study, file, found) == N


def test_a_list_of_institutions_with_a_row_for_each_child(study, tmp_path):
    file = tmp_path / "list.csv"
    file.write_text("Skole;elev\n001;1\n001;2\n002;3\n003;4\n004;5\n")
    found = propose(study, file, "institutions")
    assert found.complete
    assert "one_row_per: institution_id" in found.mapping
    report = import_file(study, file, "institutions", dry_run=True)
    assert (report.accepted, report.collapsed) == (4, 1)


def test_a_column_called_like_a_name_is_left_to_decide(study, tmp_path):
    file = tmp_path / "wave.csv"
    children(short).assign(rater_id="r1").to_csv(file, index=False)
    import pyreadstat

    pyreadstat.write_sav(pd.read_csv(file, dtype=str), file.with_suffix(".sav"), column_labels={"rater_id": "Pædagogens navn"})
    found = propose(study, file.with_suffix(".sav"), wave="w1")
    assert not found.complete
    assert "# ? - rater_id  # it is called as if it held a name of a person" in found.mapping
    assert any("whether rater_id identifies a person" in line for line in found.account)


def swapped(folder: Path) -> Path:
    frame = children(short)
    frame["tobeys"] = 2 - frame["tobeys"]
    pd.concat([frame.assign(child_id=[f"{part}{i}" for i in range(N)]) for part in range(9)]).to_csv(
        folder / "wave.csv", index=False
    )
    return folder / "wave.csv"


def damaged_ids(folder: Path) -> Path:
    children(short).assign(child_id=[f"1.23{i:02}E+11" for i in range(N)]).to_csv(folder / "wave.csv", index=False)
    return folder / "wave.csv"


@pytest.mark.parametrize(("make", "code"), [(damaged_ids, "SCR-200"), (swapped, "KEY-001")])
def test_what_no_draft_can_cure_is_said_in_it(study, tmp_path, make, code):
    file = make(tmp_path)
    found = propose(study, file, wave="w1")
    assert not found.complete
    assert "# Every column was found, but the import would refuse the file:" in found.mapping
    assert f"# [{code}] wave.csv" in found.mapping
    assert any(code in line for line in found.account)
    with pytest.raises(DataProblems, match=code):
        import_file(study, file, "screening", wave="w1")
    assert table(study, "screening").empty
