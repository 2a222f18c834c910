"""``asp-eval import --propose``: what it writes, what it shows, and what it never does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

STUDY = """\
version: 1
study: {id: small, title: {en: Small}, synthetic: true}
arms: [reference, intervention]
strata: [municipality]
waves: [{id: w1, label: {en: start}}]
collect: {screening: {waves: [w1], instruments: [sdq-teacher-4-17]}}
outcomes: [{id: total, score: sdq-teacher-4-17.total, role: primary, better: lower, at: w1}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "list.csv").write_text("Institutionsnr;Kommune;navn\n007;Aarhus;Solen\n008;Aarhus;Månen\n", encoding="utf-8")
    return tmp_path


def test_a_mapping_is_written_and_leads_to_the_import(run, folder):
    proposed = run("import", "list.csv", "--propose", cwd=folder)
    assert proposed.code == 0
    assert "asp-eval import list.csv --table institutions --dry-run" in proposed.out
    assert "institution_id  # a usual name" in (folder / "list.csv.mapping.yaml").read_text(encoding="utf-8")
    assert not (folder / "study.duckdb").exists()
    assert run("import", "list.csv", "--table", "institutions", cwd=folder).code == 0


def test_what_is_open_is_said(run, folder):
    (folder / "wave.csv").write_text("barn;institution;køn\n1;007;1\n2;008;2\n", encoding="utf-8")
    proposed = run("import", "wave.csv", "--propose", "--table", "screening", cwd=folder)
    assert proposed.code == 0
    assert "needed and not found: sdq-teacher-4-17" in proposed.out
    assert "to be filled in: what the answers of sex mean" in proposed.out
    refused = run("import", "wave.csv", "--table", "screening", "--wave", "w1", cwd=folder)
    assert refused.code == 1
    assert "SCR-185" in refused.err


def test_a_mapping_is_never_overwritten_and_can_be_shown(run, folder):
    (folder / "list.mapping.yaml").write_text("version: 1\n", encoding="utf-8")
    refused = run("import", "list.csv", "--propose", cwd=folder)
    assert (refused.code, "SCR-188" in refused.err) == (1, True)
    shown = run("import", "list.csv", "--propose", "--mapping", "-", cwd=folder)
    assert (shown.code, "version: 1" in shown.out) == (0, True)
    found = json.loads(run("import", "list.csv", "--propose", "--json", cwd=folder).out)
    assert (found["table"], found["complete"], found["mapping"]) == ("institutions", True, shown.out)
    assert sorted(path.name for path in folder.iterdir()) == ["list.csv", "list.mapping.yaml", "study.yaml"]


def test_without_a_table_an_import_is_refused_and_told_how_to_find_out(run, folder):
    refused = run("import", "list.csv", cwd=folder)
    assert refused.code == 1
    assert "CLI-006" in refused.err
    assert "--propose" in refused.err
