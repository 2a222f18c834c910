"""The store made again from ``data/``, corrections and all; and corrections of files that hold what identifies persons."""

from __future__ import annotations

import pandas as pd

from asp_eval.core.csv_text import read_csv_text
from asp_eval.intake.privacy.keys import create_key
from asp_eval.intake.privacy.pseudonyms import pseudonym
from asp_eval.store import table, write_allocation
from asp_eval.store.audit import audit
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.import_file import import_file

FILE = "output/quarantine/screening-w1.csv"
TABLES = ("institutions", "allocation", "children", "screening", "screening_sdq-teacher-4-17")


def test_the_store_is_made_again_with_its_corrections(drawn, export, visits):
    faulty = visits.assign(sex=["boy", "x", "x"])
    import_file(drawn, export(faulty.assign(hours="1"), "first.csv"), "screening", wave="w1")
    import_file(drawn, export(faulty), "screening", wave="w1")
    for child in ("002", "003"):
        path = drawn.folder / FILE
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        frame.loc[frame["child_id"] == child, "sex"] = "girl"
        frame.to_csv(path, index=False)
        import_file(drawn, path, "screening", wave="w1")
    before = {name: table(drawn, name) for name in TABLES}
    ledger = read_csv_text(drawn.folder / "output" / "ledger.csv")
    assert ledger["superseded"].tolist() == ["False", "", "True", "False", "False", "False"]
    arms = read_csv_text(drawn.folder / "output" / "allocation.csv")[["institution_id", "arm"]]

    (drawn.folder / "study.duckdb").unlink()
    for entry in ledger.loc[ledger["superseded"] == "False"].itertuples():
        import_file(drawn, drawn.folder / "data" / entry.file, entry.table_name, wave=entry.wave or None)
        if entry.table_name == "institutions":
            write_allocation(drawn, arms)
    for name in TABLES:
        assert table(drawn, name).equals(before[name]), name
    assert table(drawn, "quarantine").empty
    assert audit(drawn).problems == ()


def test_no_person_is_in_quarantine_and_its_corrections_find_the_same_pseudonyms(drawn, visits, incoming, tmp_path, monkeypatch):
    monkeypatch.setenv("ASP_EVAL_KEYS", str(tmp_path / "keys"))
    key, _ = create_key(drawn.folder)
    with (drawn.folder / "study.yaml").open("a") as file:
        file.write(f"privacy: {{pseudonymise: [child_id, rater_id], key: {key.id}}}\n")
    study = load_study(drawn.folder)
    numbers = ["010203-4567", "020304-4567", "030405-4567"]
    named = visits.assign(child_id=numbers, name=["Anna A", "Bo B", "Cai C"], sex=["boy", "x", "boy"])
    (incoming / "wave1.csv.mapping.yaml").write_text("version: 1\nignore: [name]\n")
    named.to_csv(incoming / "wave1.csv", index=False)
    assert import_file(study, incoming / "wave1.csv", "screening", wave="w1").waiting == 1
    frame = pd.read_csv(study.folder / FILE, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert frame["child_id"].tolist() == [pseudonym(numbers[1], "child", key)]
    assert frame["name"].tolist() == [""]
    frame.assign(sex="girl").to_csv(study.folder / FILE, index=False)
    report = import_file(study, study.folder / FILE, "screening", wave="w1")
    assert (report.accepted, report.waiting) == (1, 0)
    assert set(table(study, "screening")["child_id"]) == {pseudonym(number, "child", key) for number in numbers}
    everything = b"".join(path.read_bytes() for path in study.folder.rglob("*") if path.is_file())
    assert not [text for text in (*numbers, "0203044567", "Bo B") if text.encode() in everything]
    assert audit(study).problems == ()
