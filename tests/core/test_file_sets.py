"""Files that belong together appear together.

1. After the block all are there, and what was to go is gone; before it ends nothing is.  2. After an error nothing was changed
and nothing is left behind.  3. Killed at any moment, and finished by the next, the folder holds one set or the other.  4. A set
that waits for a decision counts if it was taken, and else is taken away.  5. Nothing outside the folder is written or removed.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from asp_eval.core import file_sets
from asp_eval.core.contained_paths import inside
from asp_eval.core.documents import STALE_AFTER, write_whole
from asp_eval.core.errors import Breakdown, Refusal
from asp_eval.core.file_sets import file_set, finish_file_sets

OLD = {"a.html": "old a", "gap/b.html": "old b", "index.json": "old index"}
NEW = {"a.html": "new a", "gap/c.html": "new c", "index.json": "new index"}


class Killed(BaseException):
    """What a killed process does not live to catch."""


def held(folder: Path) -> dict[str, str]:
    """Return every file of a folder that is not hidden."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.relative_to(folder).parts[0].startswith("."))
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def write_old(folder: Path) -> None:
    for name, text in OLD.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def write_new(folder: Path, wait_for: str = "") -> None:
    with file_set(folder) as new:
        for name, text in NEW.items():
            write_whole(new.path(name), text)
        new.remove("gap/b.html")
        if wait_for:
            new.wait_for(wait_for)
            raise Killed


def test_all_appear_when_the_block_ends(tmp_path):
    write_old(tmp_path)
    with file_set(tmp_path) as new:
        for name, text in NEW.items():
            write_whole(new.path(name), text)
        new.remove("gap/b.html", "never/there.html")
        assert held(tmp_path) == OLD
        assert new.names == tuple(NEW)
    assert held(tmp_path) == NEW
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "gap", "index.json"]


def test_a_folder_that_is_emptied_goes(tmp_path):
    write_old(tmp_path)
    with file_set(tmp_path) as new:
        new.remove("gap/b.html")
    assert not (tmp_path / "gap").exists()


def test_what_is_written_last_is_put_in_place_last(tmp_path, monkeypatch):
    placed = []
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda self, target: (placed.append(Path(target).name), replace(self, target))[1])
    write_new(tmp_path)
    assert [name for name in placed if name in ("a.html", "c.html", "index.json")][-3:] == ["a.html", "c.html", "index.json"]


def test_after_an_error_nothing_was_changed(tmp_path):
    write_old(tmp_path)
    with pytest.raises(ZeroDivisionError), file_set(tmp_path) as new:
        write_whole(new.path("a.html"), "new a")
        raise ZeroDivisionError
    assert held(tmp_path) == OLD
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("step", range(6))
def test_killed_while_files_are_put_in_place_the_next_finishes(step, tmp_path, monkeypatch):
    """Steps 0 to 2 are the three files, 3 the removal, 4 the folder it empties, 5 that of the new files."""
    write_old(tmp_path)
    steps = iter(range(100))

    def dying(call):
        def called(self, *given, **named):
            if next(steps) == step:
                raise Killed
            return call(self, *given, **named)

        return called

    with monkeypatch.context() as patched:
        put = file_sets._put_in_place

        def put_dying(*given):
            patched.setattr(Path, "replace", dying(Path.replace))
            patched.setattr(Path, "unlink", dying(Path.unlink))
            patched.setattr(file_sets, "_remove_if_empty", dying(file_sets._remove_if_empty))
            patched.setattr(file_sets.shutil, "rmtree", dying(file_sets.shutil.rmtree))
            put(*given)

        patched.setattr(file_sets, "_put_in_place", put_dying)
        with pytest.raises(Killed):
            write_new(tmp_path)
    finish_file_sets(tmp_path)
    assert held(tmp_path) == NEW
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("counts", [True, False])
def test_a_set_waits_for_its_decision(counts, tmp_path):
    write_old(tmp_path)
    with pytest.raises(Killed):
        write_new(tmp_path, wait_for="abc")
    assert held(tmp_path) == OLD
    asked = []
    finish_file_sets(tmp_path, lambda digest: asked.append(digest) or counts)
    assert asked == ["abc"]
    assert held(tmp_path) == (NEW if counts else OLD)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_file_that_cannot_be_put_in_place_is_told_and_waits(tmp_path):
    write_old(tmp_path)
    (tmp_path / "gap/c.html").mkdir()
    with pytest.raises(Breakdown, match=r"FIL-003.*c\.html"):
        write_new(tmp_path)
    (tmp_path / "gap/c.html").rmdir()
    finish_file_sets(tmp_path)
    assert held(tmp_path) == NEW


def test_what_another_process_is_writing_is_left_alone_for_an_hour(tmp_path):
    staging = tmp_path / ".half.new"
    staging.mkdir()
    write_whole(staging / "a.html", "half")
    finish_file_sets(tmp_path)
    assert staging.is_dir()
    before = time.time() - STALE_AFTER - 1
    os.utime(staging, (before, before))
    finish_file_sets(tmp_path)
    assert not staging.exists()


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "..\\x", "C:\\x", "C:x", "\\\\host\\x", "", ".", "a\x00b", "a\nb"])
def test_no_name_leads_out_of_the_folder(name, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(Refusal, match="FIL-001"):
        inside(folder, name)
    for put in (lambda new: new.path(name), lambda new: new.remove(name), lambda new: new.place(name)):
        with pytest.raises(Refusal, match="FIL-001"), file_set(folder) as new:
            put(new)
    assert list(folder.iterdir()) == []


def test_a_list_that_was_changed_by_hand_reaches_nothing_outside(tmp_path):
    folder, outside = tmp_path / "folder", tmp_path / "outside.html"
    outside.write_text("mine")
    staging = folder / ".mine.new"
    staging.mkdir(parents=True)
    (staging / file_sets.LIST).write_text('{"files": [], "remove": ["../outside.html"]}')
    finish_file_sets(folder)
    assert outside.read_text() == "mine"


def test_names_inside_are_found(tmp_path):
    assert inside(tmp_path, "a/b c/é..x.csv") == tmp_path / "a" / "b c" / "é..x.csv"


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_no_link_leads_out_of_the_folder(tmp_path):
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    (folder / "real").mkdir(parents=True)
    outside.mkdir()
    (folder / "out").symlink_to(outside)
    (folder / "in").symlink_to(folder / "real")
    (folder / "circle").symlink_to(folder / "circle")
    assert inside(folder, "in/x") == folder / "in" / "x"
    for name in ("out/x", "out", "circle/x"):
        with pytest.raises(Refusal, match="FIL-002"):
            inside(folder, name)
    through = tmp_path / "through"
    through.symlink_to(folder)
    assert inside(through, "real/x") == through / "real" / "x"
