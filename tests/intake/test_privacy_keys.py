"""The keys of pseudonyms: made once, found again, and refused where others can read them.

1. where they are kept on each system; 2. a key that was made is the key that is read; 3. what is missing, open to others, inside
the study or damaged is refused, each with what to do.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from asp_eval.core.errors import Refusal
from asp_eval.intake.privacy.keys import create_key, key_folder, load_key
from asp_eval.intake.privacy.pseudonyms import PseudonymKey

POSIX = pytest.mark.skipif(os.name != "posix", reason="rights of this kind are POSIX's")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder for keys that is not there yet."""
    monkeypatch.setenv("ASP_EVAL_KEYS", str(tmp_path / "keys"))
    return tmp_path / "keys"


def refused(*arguments):
    with pytest.raises(Refusal) as raised:
        load_key(*arguments)
    return raised.value.problems[0].code, str(raised.value)


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {}, ".config/asp-eval/keys"),
        ("linux", {"XDG_CONFIG_HOME": "HOME/settings"}, "settings/asp-eval/keys"),
        ("darwin", {}, "Library/Application Support/asp-eval/keys"),
        ("win32", {"APPDATA": "HOME/Roaming"}, "Roaming/asp-eval/keys"),
        ("linux", {"ASP_EVAL_KEYS": "HOME/elsewhere"}, "elsewhere"),
    ],
)
def test_keys_are_kept_where_a_program_keeps_its_settings(monkeypatch, tmp_path, platform, variables, expected):
    for name in ("ASP_EVAL_KEYS", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value.replace("HOME", str(tmp_path)))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(sys, "platform", platform)
    assert key_folder() == tmp_path / expected


def test_a_key_that_was_made_is_read_again(folder, tmp_path):
    key, file = create_key(tmp_path / "study")
    assert file == folder / f"{key.id}.key"
    assert len(key.secret) == 32
    assert load_key(key.id, tmp_path / "study") == load_key(key.id) == key
    assert PseudonymKey.of(bytes.fromhex(file.read_text().strip())) == key
    assert create_key(tmp_path / "study")[0].id != key.id


@POSIX
def test_only_its_owner_has_rights_to_a_key(folder, tmp_path):
    _, file = create_key(tmp_path / "study")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file, folder)] == [0o600, 0o700]


@POSIX
@pytest.mark.parametrize(("which", "mode"), [("file", 0o640), ("file", 0o604), ("folder", 0o750), ("folder", 0o701)])
def test_a_key_that_others_can_reach_is_refused(folder, tmp_path, which, mode):
    key, file = create_key(tmp_path / "study")
    open_path = {"file": file, "folder": folder}[which]
    open_path.chmod(mode)
    code, message = refused(key.id)
    assert code == "SCR-161"
    assert f"chmod {'600' if which == 'file' else '700'} {open_path}" in message
    open_path.chmod(0o600 if which == "file" else 0o700)
    assert load_key(key.id) == key


@POSIX
def test_no_key_is_made_in_a_folder_that_others_can_reach(folder, tmp_path):
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    with pytest.raises(Refusal, match="SCR-161"):
        create_key(tmp_path / "study")
    assert not list(folder.iterdir())


def test_a_key_that_is_not_there_is_refused_with_where_to_put_it(folder):
    code, message = refused("k123456789abc")
    assert code == "SCR-160"
    assert f"Copy k123456789abc.key from your backup, or from who has it, into {folder}" in message


@pytest.mark.parametrize("content", ["", "00" * 31, "zz" * 32, "00" * 32, "\u00e6" * 64])
def test_a_file_that_does_not_hold_the_key_is_refused(folder, content):
    key, file = create_key(folder.parent / "study")
    file.write_text(content, encoding="utf-8")
    code, message = refused(key.id)
    assert code == "SCR-163"
    assert key.secret.hex() not in message


def test_keys_inside_the_study_are_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("ASP_EVAL_KEYS", str(tmp_path / "study" / "keys"))
    with pytest.raises(Refusal, match="SCR-162"):
        create_key(tmp_path / "study")
    assert refused("k123456789abc", tmp_path / "study")[0] == "SCR-162"
    assert not (tmp_path / "study").exists()
