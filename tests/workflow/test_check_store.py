"""What `check` says of the quarantine, of changes between waves and of the ledger; the quarantine is told with the results."""

from __future__ import annotations

import json
import shutil

import builders
import pytest
from small_study import by_hand

from asp_eval.core.documents import write_whole
from asp_eval.core.errors import Refusal
from asp_eval.reporting.blocks import plain
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.methods import method_fields
from asp_eval.reporting.sections.reproduction import commands
from asp_eval.reporting.setting import Setting
from asp_eval.store import Store, table
from asp_eval.store.provenance import ledger_head, manifest_of, printed_head, provenance_of, state_of
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.check import check_ledger, check_study
from tests.counted_trial import ALLOCATION, INSTITUTIONS, WAVE1, WAVE2, declared, store

WRONG = WAVE1.replace("c01,01,2027", "c01,99,2027", 1)


@pytest.fixture(scope="module")
def waiting_once(tmp_path_factory):
    """The study with everything imported; one row of w1 waits."""
    folder = tmp_path_factory.mktemp("waiting")
    study = declared(folder)
    for name, text, wave in (
        ("institutions", INSTITUTIONS, None),
        ("allocation", ALLOCATION, None),
        ("screening", WRONG, "w1"),
        ("screening", WAVE2, "w2"),
    ):
        store(study, folder, wave or name, text, name, wave)
    return study.folder


@pytest.fixture
def waiting_study(waiting_once, tmp_path):
    return load_study(shutil.copytree(waiting_once, tmp_path / "study"))


def said(study) -> dict[str, str]:
    return {problem.code: str(problem) for problem in check_study(study).problems}


def test_what_waits_is_listed_with_the_file_and_the_command(waiting_study):
    assert WRONG != WAVE1
    shown = said(waiting_study)["STO-034"]
    assert "screening at w1: 1 row of w1.csv is in quarantine" in shown
    assert "asp-eval import output/quarantine/screening-w1.csv --table screening --wave w1" in shown
    assert check_study(waiting_study).errors == 0


def test_check_writes_the_file_to_edit_if_it_is_missing(waiting_study):
    file = waiting_study.folder / "output" / "quarantine" / "screening-w1.csv"
    before = file.read_bytes()
    file.unlink()
    check_study(waiting_study)
    assert file.read_bytes() == before


def test_changes_are_told_whatever_the_order_of_the_imports(empty_study, tmp_path):
    moved = WAVE2.replace("c01,01,", "c01,03,")
    assert moved != WAVE2
    found = []
    for order in ((("w1", WAVE1), ("w2", moved)), (("w2", moved), ("w1", WAVE1))):
        folder = tmp_path / order[0][0]
        folder.mkdir()
        (folder / "study.yaml").write_bytes((empty_study.folder / "study.yaml").read_bytes())
        from asp_eval.trial.study.protocol import load_study

        study = load_study(folder)
        store(study, folder, "institutions", INSTITUTIONS, "institutions")
        store(study, folder, "allocation", ALLOCATION, "allocation")
        for wave, text in order:
            store(study, folder, wave, text, "screening", wave)
        found.append({code: text for code, text in said(study).items() if code in ("STO-035", "STO-036", "STO-037")})
    assert found[0] == found[1]
    assert "wave w2: children in another institution than before: c01, c07 (2 in all)" in found[0]["STO-035"]
    now, before = ({line[:3] for line in text.splitlines()[1:]} for text in (moved, WAVE1))
    assert f"joined after the draw: {', '.join(sorted(now - before))} ({len(now - before)} in all)" in found[0]["STO-036"]


def test_the_rows_that_wait_are_told_with_the_results(waiting_study):
    found = builders.results(study=waiting_study, provenance=provenance_of(waiting_study))
    assert found.provenance.quarantined == {"w1": 1}
    for language, words in (("en", "Rows of the screening that were left out"), ("da", "Rækker i screeningen, der er udeladt")):
        setting = Setting(found, Numbers(words_for(language, ("en", "da"))))
        missing = " ".join(field.value for field in method_fields(setting))
        assert words in missing
        assert ": 1." in missing


def write_manifest(study) -> str:
    text = manifest_of(study, {})
    write_whole(study.folder / "output" / "manifest.json", text)
    return text


def test_the_head_is_in_the_provenance_the_manifest_and_the_report(waiting_study):
    head = ledger_head(waiting_study)
    assert head == table(waiting_study, "ledger")["digest"].iloc[-1]
    found = builders.results(study=waiting_study, provenance=provenance_of(waiting_study))
    assert found.provenance.ledger_head == head
    assert printed_head(waiting_study) == ""
    written = json.loads(write_manifest(waiting_study))
    assert written["ledger"] == {"entries": 4, "head": head}
    assert printed_head(waiting_study) == head
    for language, words in (("en", "sealed ledger"), ("da", "forseglede log")):
        setting = Setting(found, Numbers(words_for(language, ("en", "da"))))
        (field,) = (field for field in commands(setting) if "--ledger" in plain(field.label))
        assert plain(field.label) == f"asp-eval check --ledger --head {head[:16]}"
        assert words in field.value
        assert head[:16] in field.value


def test_an_entry_makes_results_stale(waiting_study):
    before = state_of(waiting_study)
    with Store(waiting_study.folder).writing() as connection:
        from asp_eval.store import ledger

        ledger.append(connection, ledger.DrawBody(arms={}))
    assert state_of(waiting_study) != before


def test_check_ledger_compares_with_what_was_printed(waiting_study):
    write_manifest(waiting_study)
    head = ledger_head(waiting_study)
    found = check_ledger(waiting_study, head[:16])
    assert (found.entries, found.head, found.errors, found.compared) == (4, head, 0, ("output/manifest.json", "--head"))
    with pytest.raises(Refusal, match="STO-025"):
        check_ledger(waiting_study, "nonsense")
    by_hand(
        waiting_study,
        "DELETE FROM ledger WHERE entry = 4",
        "DELETE FROM screening WHERE wave = 'w2'",
        "DELETE FROM child_reports WHERE wave = 'w2'",
    )
    cut = check_ledger(waiting_study)
    assert ("STO-023", "output/manifest.json") in [(p.code, p.place.source) for p in cut.problems]


def test_a_damaged_manifest_is_no_head(waiting_study):
    path = waiting_study.folder / "output" / "manifest.json"
    for text in ("{", "[]", '{"ledger": 3}'):
        path.write_text(text)
        assert printed_head(waiting_study) == ""
