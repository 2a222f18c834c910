"""`import` with rows at fault, `check --ledger` and `--head`, as a person gives them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

STUDY = """\
version: 1
study: {id: small, title: {en: Small}}
arms: [reference, intervention]
waves: [{id: w1, label: {en: start}}]
columns: {screening: {score: number}}
collect: {screening: {waves: [w1]}}
outcomes: [{id: y, column: screening.score, role: primary, better: lower, at: w1}]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, run) -> Path:
    """A study with two institutions, and an export with one good and one bad row. Tests write into it, in their order."""
    folder = tmp_path_factory.mktemp("ledger")
    (folder / "study.yaml").write_text(STUDY)
    (folder / "institutions.csv").write_text("institution_id\nA\nB\n")
    (folder / "w1.csv").write_text("child_id,institution_id,score\n1,A,3\n2,C,4\n")
    assert run("import", "institutions.csv", "--table", "institutions", cwd=folder).code == 0
    return folder


def test_an_import_with_rows_at_fault_ends_with_1_and_says_what_to_do(run, folder):
    tried = run("import", "w1.csv", "--table", "screening", "--wave", "w1", "--dry-run", cwd=folder)
    assert tried.code == 1
    assert "1 stored, 1 in quarantine. Nothing was stored." in " ".join(tried.out.split())
    done = run("import", "w1.csv", "--table", "screening", "--wave", "w1", cwd=folder)
    assert done.code == 1
    assert "SCR-050" in done.err
    command = "asp-eval import output/quarantine/screening-w1.csv --table screening --wave w1"
    assert command in " ".join(done.out.split())
    assert command in " ".join(run("check", cwd=folder).err.split())
    again = run("import", "w1.csv", "--table", "screening", "--wave", "w1", "--json", cwd=folder)
    assert (again.code, json.loads(again.out)["already"], json.loads(again.out)["waiting"]) == (1, True, 1)


def test_the_corrected_file_ends_with_0(run, folder):
    file = folder / "output" / "quarantine" / "screening-w1.csv"
    file.write_text(file.read_text(encoding="utf-8-sig").replace(",C,", ",B,"))
    done = run("import", "output/quarantine/screening-w1.csv", "--table", "screening", "--wave", "w1", cwd=folder)
    assert (done.code, done.err) == (0, "")
    assert "It corrects w1.csv." in " ".join(done.out.split())
    assert not file.exists()


def test_the_ledger_is_whole_until_somebody_changes_it(run, folder):
    import duckdb

    whole = run("check", "--ledger", cwd=folder)
    assert whole.code == 0
    assert "The ledger is whole: 3 entries." in whole.out
    assert "No printed head was compared" in whole.out
    head = whole.out.split("Head: ")[1].split()[0]
    assert run("check", "--head", head[:16], cwd=folder).code == 0
    assert run("check", "--ledger", "--head", "0" * 63 + "1", cwd=folder).code == 1
    wrong = run("check", "--ledger", "--head", "abc", cwd=folder)
    assert wrong.code != 0
    assert "STO-025" in wrong.err
    connection = duckdb.connect(str(folder / "study.duckdb"))
    connection.execute("UPDATE ledger SET recorded_by = 'somebody else' WHERE entry = 2")
    connection.close()
    changed = run("check", "--ledger", "--json", cwd=folder)
    assert changed.code == 1
    assert [(p["code"], p["source"]) for p in json.loads(changed.out)["problems"]] == [("STO-021", "ledger entry 2")]
