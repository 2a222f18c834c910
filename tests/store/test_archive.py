"""What is kept in ``data/``: every export as received, with the mapping it was read with, and nothing half written."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pandas as pd
import pytest

from asp_eval.core.csv_text import read_csv_text
from asp_eval.core.documents import STALE_AFTER
from asp_eval.core.errors import DataProblems
from asp_eval.intake.mapping.mapping import mapping_beside
from asp_eval.store import table, write_allocation
from asp_eval.store.archive import keep_export
from asp_eval.trial.study.design import Study
from asp_eval.workflow.import_file import import_file

TABLES = (
    "institutions",
    "allocation",
    "children",
    "screening",
    "screening_sdq-teacher-4-17",
    "screening_sdq-teacher-2-4",
)


def kept_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def keep(folder: Path, file: Path, mapping: Path | None = None) -> str:
    with keep_export(file, mapping, folder) as keeping:
        return keeping.file.name


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Two exports of one name, and two mappings."""
    for name, content in {
        "a/w1.csv": "x\n1\n",
        "b/w1.csv": "x\n2\n",
        "m.yaml": "version: 1\n",
        "n.yaml": "version:  1\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def test_a_mapping_is_kept_where_it_will_be_found(files):
    data = files / "data"
    assert keep(data, files / "a/w1.csv", files / "m.yaml") == "w1.csv"
    assert keep(data, files / "b/w1.csv", files / "n.yaml") == "w1-2.csv"
    assert kept_in(data) == ["w1-2.csv", "w1-2.csv.mapping.yaml", "w1.csv", "w1.csv.mapping.yaml"]
    beside = mapping_beside(data / "w1-2.csv")
    assert beside is not None
    assert beside.read_bytes() == (files / "n.yaml").read_bytes()


def test_one_export_read_in_three_ways_is_kept_three_times(files):
    data = files / "data"
    ways = [files / "m.yaml", files / "n.yaml", None]
    assert [keep(data, files / "a/w1.csv", way) for way in ways] == ["w1.csv", "w1-2.csv", "w1-3.csv"]
    assert [keep(data, files / "a/w1.csv", way) for way in ways] == ["w1.csv", "w1-2.csv", "w1-3.csv"]
    assert [keep(data, data / "w1-2.csv", mapping_beside(data / "w1-2.csv")), keep(data, data / "w1-3.csv")] == [
        "w1-2.csv",
        "w1-3.csv",
    ]
    assert len(kept_in(data)) == 5


def test_the_mapping_of_another_export_is_not_taken_for_its_own(files):
    data = files / "data"
    data.mkdir()
    (data / "w1.mapping.yaml").write_text("version: 1\nignore: others\n")
    assert keep(data, files / "a/w1.csv") == "w1-2.csv"
    assert mapping_beside(data / "w1-2.csv") is None


def test_an_export_that_lies_in_data_stays_as_it_is(files):
    data = files / "a"
    assert keep(data, data / "w1.csv") == "w1.csv"
    (data / "w1.mapping.yaml").write_text("version: 1\n")
    assert keep(data, data / "w1.csv", data / "w1.mapping.yaml") == "w1.csv"
    assert kept_in(data) == ["w1.csv", "w1.mapping.yaml"]


def test_after_an_error_what_is_new_is_taken_away(files):
    data = files / "data"
    keep(data, files / "a/w1.csv")
    with pytest.raises(OSError, match="full"), keep_export(files / "b/w1.csv", files / "m.yaml", data):
        raise OSError("the disk is full")
    assert kept_in(data) == ["w1.csv"]


def test_a_mapping_is_there_before_its_export(files, monkeypatch):
    from asp_eval.store import archive as keeping

    written: list[str] = []
    plain = keeping._write_new
    monkeypatch.setattr(keeping, "_write_new", lambda path, content: (written.append(path.name), plain(path, content)))
    keep(files / "data", files / "a/w1.csv", files / "m.yaml")
    assert written == ["w1.csv.mapping.yaml", "w1.csv"]


def test_another_process_that_takes_the_name_meanwhile_keeps_it(files, monkeypatch):
    data, plain = files / "data", os.link
    taken: list[str] = []

    def first(part: str, path: Path) -> None:
        if not taken:
            taken.append(Path(path).name)
            Path(path).write_text("x\n9\n")
        plain(part, path)

    monkeypatch.setattr(os, "link", first)
    assert keep(data, files / "a/w1.csv") == "w1-2.csv"
    assert (taken, kept_in(data)) == (["w1.csv"], ["w1-2.csv", "w1.csv"])
    assert (data / "w1.csv").read_text() == "x\n9\n"
    assert (data / "w1-2.csv").read_text() == "x\n1\n"


def test_a_disk_without_hard_links_will_do(files, monkeypatch):
    def refused(*_: object) -> None:
        raise OSError("not permitted")

    monkeypatch.setattr(os, "link", refused)
    assert keep(files / "data", files / "a/w1.csv", files / "m.yaml") == "w1.csv"
    assert (files / "data" / "w1.csv").read_bytes() == (files / "a/w1.csv").read_bytes()
    assert kept_in(files / "data") == ["w1.csv", "w1.csv.mapping.yaml"]


def test_a_copy_that_went_meanwhile_is_written_again(files):
    with keep_export(files / "a/w1.csv", None, files / "data") as keeping:
        keeping.file.unlink()
    assert kept_in(files / "data") == ["w1.csv"]


def test_what_a_killed_process_left_half_written_is_removed_when_it_is_stale(files):
    data = files / "data"
    data.mkdir()
    left = {".w1.csv.k3x_9abz.part": True, ".w1.csv.fresh000.part": False, ".mine.part": True, "w1.csv.k3x_9abz.part": True}
    for name, old in left.items():
        (data / name).write_text("x")
        if old:
            os.utime(data / name, (time.time() - STALE_AFTER - 60,) * 2)
    keep(data, files / "a/w1.csv")
    assert kept_in(data) == [".mine.part", ".w1.csv.fresh000.part", "w1.csv", "w1.csv.k3x_9abz.part"]


def test_the_parts_that_are_removed_are_those_that_writing_leaves(files, monkeypatch):
    data = files / "data"
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)  # as if the process were gone
    with pytest.raises(KeyboardInterrupt):
        keep(data, files / "a/w1.csv")
    monkeypatch.undo()
    (part,) = data.iterdir()
    os.utime(part, (time.time() - STALE_AFTER - 60,) * 2)
    keep(data, files / "a/w1.csv")
    assert kept_in(data) == ["w1.csv"]


def test_the_store_can_be_made_again_from_what_was_kept(drawn, export, visits, incoming):
    danish = visits.rename(columns={"child_id": "barn"}).assign(sex=["dreng", "pige", "dreng"], hours="1")
    ours = "version: 1\nrename: {barn: child_id}\nrecode: {sex: {dreng: boy, pige: girl}}\n"
    mappings = {"too-short": "version: 1\n", "register": f"{ours}ignore: others\n", "wave": f"{ours}keep_rows: barn != 999\n"}
    paths = {name: incoming / f"{name}.yaml" for name in mappings}
    for name, content in mappings.items():
        paths[name].write_text(content)
    first = export(danish, "trial.csv")
    with pytest.raises(DataProblems, match="SCR-040"):
        import_file(drawn, first, "children", mapping=paths["too-short"])
    import_file(drawn, first, "children", mapping=paths["register"])
    import_file(drawn, first, "screening", wave="w1", mapping=paths["wave"])
    (incoming / "trial.mapping.yaml").write_text(mappings["wave"])
    corrected = pd.concat([danish.assign(hours="2"), danish.iloc[[0]].assign(barn="999")])
    import_file(drawn, export(corrected, "trial.csv"), "screening", wave="w1")
    plain = export(visits.iloc[1:].assign(date="2007-09-01"), "later.csv")
    import_file(drawn, plain, "screening", wave="w2")
    before = {name: table(drawn, name) for name in TABLES}
    ledger = read_csv_text(drawn.folder / "output" / "ledger.csv")
    assert ledger["superseded"].tolist() == ["False", "", "False", "True", "False", "False"]

    (drawn.folder / "study.duckdb").unlink()
    _import_again(drawn, ledger)
    for name in TABLES:
        assert len(before[name]) or name.endswith("2-4")
        assert table(drawn, name).equals(before[name]), name


def _import_again(study: Study, ledger) -> None:
    """Do what STO-002 says: the files that stand, in the order of the ledger, from data/ and without naming a mapping."""
    arms = read_csv_text(study.folder / "output" / "allocation.csv")[["institution_id", "arm"]]
    for entry in ledger.loc[ledger["superseded"] == "False"].itertuples():
        import_file(study, study.folder / "data" / entry.file, entry.table_name, wave=entry.wave or None)
        if entry.table_name == "institutions":
            write_allocation(study, arms)
