"""What is printed comes from what was imported.

1. A table, a score or a result that was changed by hand is refused by every verb that reads it, and told by ``check --ledger``;
so is a page.  2. Results are of one moment: data, or a study.yaml, that changed meanwhile refuse them.  3. The state knows the
instruments and the version.  4. The data of another study are refused.  5. A clock that runs backwards is told.  6. A table's
digest tells cells, rows, their order and missing values apart.  7. A wave that is no longer declared is not scored silently.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from small_study import by_hand

import asp_eval
from asp_eval.analysis import outcomes
from asp_eval.core.errors import AspError, Breakdown, Refusal
from asp_eval.store import Store, connection, ledger, table
from asp_eval.store.audit import audit
from asp_eval.store.layout import change, stored_tables
from asp_eval.store.ledger import seals
from asp_eval.store.ledger.seals import table_digest
from asp_eval.store.provenance import one_moment, state_of
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.analyse import analyse
from asp_eval.workflow.check import check_ledger
from asp_eval.workflow.export import export
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.report import report
from asp_eval.workflow.score import score_study
from asp_eval.workflow.stored_results import current_results
from tests.counted_trial import WAVE2

OTHER = WAVE2.replace("c01,01,2028-05-10,girl,2023-01,1,3", "c01,01,2028-05-10,girl,2023-01,1,9")


@pytest.fixture(scope="module")
def analysed_once(small_study, tmp_path_factory):
    folder = shutil.copytree(small_study.folder, tmp_path_factory.mktemp("analysed") / "study")
    analyse(load_study(folder))
    report(load_study(folder))
    return folder


@pytest.fixture
def analysed(analysed_once, tmp_path):
    """The counted trial, imported, analysed and reported."""
    return load_study(shutil.copytree(analysed_once, tmp_path / "study"))


def codes(study) -> set[str]:
    return {problem.code for problem in audit(study).problems}


# --- 1. sealed ----------------------------------------------------------------------------------------------------------


def test_what_nobody_touched_is_whole(analysed):
    assert check_ledger(analysed).problems == ()
    assert current_results(analysed).outcomes
    kinds = table(analysed, "ledger")["kind"].tolist()
    assert kinds == ["import", "import", "import", "import", "analyse", "report"]
    shown = json.loads((analysed.folder / "output" / "manifest.json").read_text())
    assert shown["ledger"]["entries"] == 5  # its own comes after it


@pytest.mark.parametrize("verb", [analyse, report, export, lambda study: table(study, "screening")])
def test_a_value_changed_by_hand_is_refused_by_every_verb_that_reads_it(analysed, verb):
    by_hand(analysed, "UPDATE screening SET score = score + 3 WHERE institution_id = '02'")
    with pytest.raises(AspError, match=r"STO-040.*screening"):
        verb(analysed)
    assert "STO-040" in codes(analysed)


def test_scores_changed_by_hand_are_refused(rated):
    score_study(rated)
    assert table(rated, "ledger")["kind"].tolist()[-1] == "score"
    by_hand(rated, "UPDATE scores SET score = score + 3")
    with pytest.raises(Refusal, match=r"STO-040.*scores"):
        table(rated, "scores")
    assert "STO-040" in codes(rated)


def test_the_same_scores_again_are_not_entered_again(rated):
    score_study(rated)
    state, entries = state_of(rated), len(table(rated, "ledger"))
    score_study(rated)
    assert (state_of(rated), len(table(rated, "ledger"))) == (state, entries)


def test_nothing_is_imported_on_top_of_what_was_changed(analysed, tmp_path):
    by_hand(analysed, "UPDATE screening SET score = 1 WHERE wave = 'w1'")
    (tmp_path / "other.csv").write_text(OTHER)
    with pytest.raises(Refusal, match="STO-040"):
        import_file(analysed, tmp_path / "other.csv", "screening", wave="w2")
    assert len(table(analysed, "ledger")) == 6
    assert not (analysed.folder / "data" / "other.csv").exists()


@pytest.mark.parametrize("name", ["results.json", "results.csv", "evaluation.html", "manifest.json"])
def test_a_file_that_was_changed_is_told(analysed, name):
    path = analysed.folder / "output" / name
    path.write_text(path.read_text().replace("1", "2"))
    assert [p.place.source for p in audit(analysed).problems if p.code == "STO-048"] == [f"output/{name}"]


def test_results_that_were_changed_are_not_printed(analysed):
    path = analysed.folder / "output" / "results.json"
    text = path.read_text()
    changed = text.replace('"better": "lower"', '"better": "higher"').replace('"better":"lower"', '"better":"higher"')
    assert changed != text
    path.write_text(changed)
    for verb in (current_results, report, export):
        with pytest.raises(Refusal, match=r"STO-048.*results\.json"):
            verb(analysed)


def test_results_of_another_study_are_not_printed(analysed, tmp_path):
    other = load_study(shutil.copytree(analysed.folder, tmp_path / "other"))
    (tmp_path / "wave2.csv").write_text(OTHER)
    import_file(other, tmp_path / "wave2.csv", "screening", wave="w2", replace=True)
    analyse(other)
    shutil.copy(other.folder / "output" / "results.json", analysed.folder / "output")
    with pytest.raises(Refusal, match="ANA-006"):
        report(analysed)


# --- 2. one moment --------------------------------------------------------------------------------------------------------


def test_data_that_changed_while_models_were_fitted_refuse_the_results(analysed, tmp_path, monkeypatch):
    (tmp_path / "wave2.csv").write_text(OTHER)
    before = (analysed.folder / "output" / "results.json").read_bytes()
    fit = outcomes.baseline_table

    def meanwhile(data):
        import_file(analysed, tmp_path / "wave2.csv", "screening", wave="w2", replace=True)
        return fit(data)

    monkeypatch.setattr(outcomes, "baseline_table", meanwhile)
    with pytest.raises(Refusal, match="STO-047"):
        analyse(analysed)
    assert (analysed.folder / "output" / "results.json").read_bytes() == before
    assert [path.name for path in (analysed.folder / "output").iterdir() if path.name.startswith(".")] == []


def test_a_study_file_that_changed_meanwhile_refuses_the_results(analysed, monkeypatch):
    fit = outcomes.baseline_table

    def meanwhile(data):
        with (analysed.folder / "study.yaml").open("a") as file:
            file.write("# changed\n")
        return fit(data)

    monkeypatch.setattr(outcomes, "baseline_table", meanwhile)
    with pytest.raises(Refusal, match="STO-047"):
        analyse(analysed)


def test_everything_read_inside_is_of_one_moment(analysed):
    store = Store.of(analysed)
    with store.reading() as first, store.reading() as second:
        assert first is second
    with store.reading() as third:
        assert third is not first


# --- 3. the state -------------------------------------------------------------------------------------------------------


def test_the_state_knows_instruments_and_version(rated, monkeypatch):
    from asp_eval.store import provenance

    before = state_of(rated)
    with monkeypatch.context() as patched:
        patched.setattr(provenance, "version", lambda _: "9.9.9")
        assert state_of(rated) != before
    with monkeypatch.context() as patched:
        patched.setattr(provenance, "instrument_digests", lambda _: {"sdq-teacher-4-17": "another"})
        assert state_of(rated) != before
    assert state_of(rated) == before
    assert set(provenance.instrument_digests(rated)) >= {"sdq-teacher-4-17", "gap-competences-staff"}


def test_what_is_computed_from_the_data_does_not_make_itself_stale(analysed):
    before = state_of(analysed)
    export(analysed)
    assert state_of(analysed) == before
    assert table(analysed, "ledger")["kind"].iloc[-1] == "export"


# --- 4., 5. another study, another time -----------------------------------------------------------------------------------


def test_the_database_of_another_study_is_refused(analysed):
    file = analysed.folder / "study.yaml"
    file.write_text(file.read_text().replace("id: small", "id: other"))
    other = load_study(analysed.folder)
    for verb in (analyse, report, lambda study: table(study, "screening"), check_ledger):
        with pytest.raises(Refusal, match=r"STO-042.*'small'"):
            verb(other)


def test_a_clock_that_runs_backwards_is_told(study, monkeypatch):
    from asp_eval.store.ledger import stored

    class Clock:
        times = iter(["2027-05-02T10:00:00+00:00", "2027-05-01T10:00:00+00:00", "2027-05-03T10:00:00+00:00"])

        @classmethod
        def now(cls, _):
            return cls

        @classmethod
        def isoformat(cls, timespec):
            return next(cls.times)

    monkeypatch.setattr(stored, "datetime", Clock)
    with Store.of(study).writing() as opened:
        for _ in range(3):
            ledger.append(opened, ledger.DrawBody(arms={}), "small")
    found = audit(study)
    assert [(p.code, p.place.source, p.severity) for p in found.problems] == [("STO-043", "ledger entry 2", "warning")]
    assert found.errors == 0


# --- 6. digests -----------------------------------------------------------------------------------------------------------

FIRST = "(VALUES ('a', 1.5, DATE '2027-01-01'), ('b', NULL, NULL)) t(x, y, z)"
OTHERS = {
    "a text": "(VALUES ('A', 1.5, DATE '2027-01-01'), ('b', NULL, NULL)) t(x, y, z)",
    "the last bit of a number": "(VALUES ('a', 1.5000000000000002, DATE '2027-01-01'), ('b', NULL, NULL)) t(x, y, z)",
    "a zero for what is missing": "(VALUES ('a', 1.5, DATE '2027-01-01'), ('b', 0, NULL)) t(x, y, z)",
    "an empty text": "(VALUES ('a', 1.5, DATE '2027-01-01'), ('', NULL, NULL)) t(x, y, z)",
    "a missing text": "(VALUES ('a', 1.5, DATE '2027-01-01'), (NULL, NULL, NULL)) t(x, y, z)",
    "a day": "(VALUES ('a', 1.5, DATE '2027-01-02'), ('b', NULL, NULL)) t(x, y, z)",
    "the order": "(VALUES ('b', NULL, NULL), ('a', 1.5, DATE '2027-01-01')) t(x, y, z)",
    "a row": "(VALUES ('a', 1.5, DATE '2027-01-01')) t(x, y, z)",
    "a name": "(VALUES ('a', 1.5, DATE '2027-01-01'), ('b', NULL, NULL)) t(x, y, w)",
    "where a text ends": "(VALUES ('a1:b', 1.5, DATE '2027-01-01'), ('', NULL, NULL)) t(x, y, z)",
}


def test_a_digest_tells_tables_apart():
    with duckdb.connect() as connection:

        def digest(rows: str) -> str:
            columns = "CAST(x AS VARCHAR) AS x, CAST(y AS DOUBLE) AS y"
            last = rows[-2]
            connection.execute(f"CREATE OR REPLACE TABLE t AS SELECT {columns}, CAST({last} AS DATE) AS {last} FROM {rows}")
            return table_digest(connection, "t")

        first = digest(FIRST)
        assert digest(FIRST) == first
        assert len({first, *map(digest, OTHERS.values())}) == 1 + len(OTHERS)
        connection.execute("CREATE OR REPLACE TABLE t AS SELECT range::VARCHAR AS x, range::DOUBLE AS y FROM range(200000)")
        many = table_digest(connection, "t")
        connection.execute("UPDATE t SET y = 0 WHERE x = '199999'")
        assert table_digest(connection, "t") != many
        assert table_digest(connection, "nothing") == ""


CELLS = """(VALUES
    (1, 'a', 1.5::DOUBLE, DATE '2027-01-01', 7::BIGINT), (2, 'æ:1', NULL, NULL, NULL), (3, NULL, 'nan', DATE '0001-01-01', -7),
    (4, '', '-0.0', NULL, 0), (5, '😀', '-nan', NULL, 4611686018427387904)) t(row, x, y, z, n)"""
NAN = "000000000000f87f"
PLAIN = {  # the cells as asp_eval.store.ledger.seals describes them, by hand
    '"x" VARCHAR': "1:a 4:æ:1 - 0: 4:😀".encode().split(b" "),
    '"y" DOUBLE': [*map(bytes.fromhex, ["000000000000f83f", NAN, NAN, "0000000000000080", NAN])],
    '"z" DATE': b"10:2027-01-01 - 10:0001-01-01 - -".split(),
    '"n ""1""" BIGINT': b"1:7 - 2:-7 1:0 19:4611686018427387904".split(),
}


@pytest.mark.parametrize("storage", ["pyarrow", "python"])  # by Arrow, and as objects
@pytest.mark.parametrize("at_a_time", [seals.CELLS_AT_A_TIME, 1])
@pytest.mark.parametrize("times", [1, 20_000])  # few rows, and more than are held at a time
def test_a_digest_is_what_the_ledgers_of_all_versions_say(monkeypatch, storage, at_a_time, times):
    monkeypatch.setattr(seals, "CELLS_AT_A_TIME", at_a_time)
    whole = hashlib.sha256()
    for column, cells in PLAIN.items():
        whole.update(f"{column} {5 * times} {hashlib.sha256(b''.join(cells) * times).hexdigest()}\n".encode())
    with duckdb.connect() as connection:
        rows = f'SELECT x, y, z, n AS "n ""1""" FROM range({times}) r(i), {CELLS} ORDER BY i, t.row'
        connection.execute(f"CREATE TABLE t AS {rows}")
        with pd.option_context("mode.string_storage", storage):
            assert table_digest(connection, "t") == whole.hexdigest()


def test_a_wide_table_is_digested_by_parts_and_by_the_same_text():
    """By hand: a line for each column, whatever part of the query it came in."""
    numbers = range(seals.COLUMNS_AT_A_TIME * 2 + 1)
    with duckdb.connect() as connection:
        columns = ", ".join(f"i || '{n}' AS t{n}" for n in numbers)
        connection.execute(f"CREATE TABLE t AS SELECT {columns} FROM range(3) r(i)")
        found = table_digest(connection, "t")
    lines = []
    for n in numbers:
        cells = "".join(f"{len(text)}:{text}" for text in (f"{i}{n}" for i in range(3)))
        lines.append(f'"t{n}" VARCHAR 3 {hashlib.sha256(cells.encode()).hexdigest()}\n')
    assert found == hashlib.sha256("".join(lines).encode()).hexdigest()


@pytest.fixture
def digested(monkeypatch) -> list[str]:
    """The tables whose cells were read for a digest, in order."""
    tables: list[str] = []
    compute = seals._digest_of_cells
    monkeypatch.setattr(seals, "_digest_of_cells", lambda connection, name: tables.append(name) or compute(connection, name))
    return tables


def test_one_transaction_reads_a_table_for_its_digest_again_only_if_it_wrote_to_it(analysed, digested):
    with Store.of(analysed).writing() as connection:
        verified = sorted(digested)
        assert set(seals.sealed_tables(ledger.entries(connection))) <= set(verified)
        assert len(verified) == len(set(verified))
        state = state_of(analysed)
        digested.clear()
        change(connection, "screening", "UPDATE screening SET score = 2 WHERE institution_id = '02'")
        sealed = ledger.append(connection, ledger.DrawBody(arms={})).content.tables
        assert digested == ["screening"]
        assert list(sealed) == ["screening"]
        assert state_of(analysed) != state
    digested.clear()
    table(analysed, "screening")  # as this process sealed it
    assert digested == []
    with duckdb.connect(str(Store.of(analysed).path), read_only=True) as opened:  # and as another process finds it
        assert seals._digest_of_cells(opened, "screening") == sealed["screening"]


def test_the_tables_that_are_remembered_are_those_that_there_are(analysed):
    with pytest.raises(ZeroDivisionError), Store.of(analysed).writing() as opened:
        for statement in ("CREATE TABLE more (x DOUBLE)", "CREATE TABLE IF NOT EXISTS more (x DOUBLE)", "DROP TABLE more"):
            stored_tables(opened)
            change(opened, "more", statement)
            there = opened.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()").fetchall()
            assert sorted(stored_tables(opened)) == sorted(name for (name,) in there)
        change(opened, "more", "CREATE TABLE more (x DOUBLE)")
        _ = 1 / 0  # which takes it back
    with Store.of(analysed).reading() as opened:
        assert "more" not in stored_tables(opened)


def test_of_a_transaction_that_was_taken_back_no_digest_is_remembered(analysed):
    with pytest.raises(ZeroDivisionError), Store.of(analysed).writing() as connection:
        change(connection, "screening", "UPDATE screening SET score = 2 WHERE institution_id = '02'")
        ledger.append(connection, ledger.DrawBody(arms={}))
        _ = 1 / 0
    assert (table(analysed, "screening")["score"] != 2).any()
    assert "STO-040" not in codes(analysed)


def test_a_file_that_was_changed_is_read_again_by_the_same_process(analysed, digested):
    table(analysed, "screening")
    digested.clear()
    table(analysed, "screening")
    assert digested == []
    with duckdb.connect(str(Store.of(analysed).path)) as opened:
        opened.execute("UPDATE screening SET score = 2 WHERE institution_id = '02'")
    with pytest.raises(AspError, match=r"STO-040.*screening"):
        table(analysed, "screening")


def test_an_audit_reads_every_table_whatever_was_verified_before(analysed, digested):
    assert "STO-040" not in codes(analysed)
    first = sorted(digested)
    assert set(first) >= {"allocation", "screening"}
    digested.clear()
    assert "STO-040" not in codes(analysed)
    assert sorted(digested) == first


def test_a_verb_reads_no_table_twice_for_its_digest_while_it_holds_the_data(analysed, digested):
    with one_moment(analysed):
        table(analysed, "screening")
        state_of(analysed)
    assert len(digested) == len(set(digested)) > 0


def test_only_one_function_changes_sealed_tables():
    """What is written past `change` would be sealed with the digest from before it."""
    words = "INSERT|UPDATE|DELETE|DROP|CREATE|ALTER|TRUNCATE|MERGE"
    changing = rf"""\.(?:execute|executemany|sql|query)\(\s*f?["']+\s*((?:{words}) \w+ \w+)"""
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(Path(asp_eval.__path__[0]).rglob("*.py"))}
    found = [(name, start) for name, text in texts.items() for start in re.findall(changing, text)]
    assert found == [("parquet.py", "CREATE VIEW file"), ("stored.py", "INSERT INTO ledger")]


# --- 7. waves that are gone -------------------------------------------------------------------------------------------------


def test_a_wave_that_is_no_longer_declared_is_not_scored_silently(rated, export, visits):
    import_file(rated, export(visits.assign(date="2007-09-01"), "wave2.csv"), "screening", wave="w2")
    assert score_study(rated).notes == ()
    file = rated.folder / "study.yaml"
    file.write_text(
        file.read_text().replace("screening: {waves: [w1, w2],", "screening: {waves: [w2],").replace(", baseline: w1", "")
    )
    scored = score_study(load_study(rated.folder))
    assert "screening w1" in scored.notes[0]
    assert set(scored.scores["wave"]) == {"w2"}


# --- what is not the data's fault --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["Permission denied", "Read-only file system", "No space left on device"])
def test_a_disk_that_cannot_be_written_is_not_called_damaged(study, monkeypatch, reason):
    (study.folder / "study.duckdb").touch()

    def refuse(path, read_only):
        raise duckdb.IOException(f'IO Error: Cannot open file "{path}": {reason}')

    monkeypatch.setattr(connection, "open_file", refuse)
    with pytest.raises(Breakdown, match=f"STO-041.*{reason.lower()}.*not damaged"), Store.of(study).writing():
        pass


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_output_as_a_link_is_refused_in_words(analysed, tmp_path):
    output = analysed.folder / "output"
    output.rename(tmp_path / "elsewhere")
    output.symlink_to(tmp_path / "elsewhere")
    for verb in (analyse, report, export):
        with pytest.raises(Refusal, match="FIL-002"):
            verb(analysed)


def test_no_output_of_a_manifest_reaches_outside(analysed, tmp_path):
    outside = tmp_path / "outside.html"
    outside.write_text("mine")
    path: Path = analysed.folder / "output" / "manifest.json"
    manifest = json.loads(path.read_text())
    digest = hashlib.sha256(b"mine").hexdigest()
    manifest["outputs"] |= {"output/../../outside.html": digest, "../outside.html": digest}
    path.write_text(json.dumps(manifest))
    with pytest.raises(Refusal, match="FIL-001"):
        report(analysed)
    assert outside.read_text() == "mine"
