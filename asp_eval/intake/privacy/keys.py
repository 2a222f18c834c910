"""The keys of pseudonyms: one small file each, outside every study folder, readable by its owner alone.

A key file is called ``<key id>.key`` and holds 64 hexadecimal digits. Whoever has the key and a list of people can tell who
a pseudonym is; whoever loses it can never give the same people the same pseudonyms again.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import sys
from pathlib import Path

from asp_eval.core.documents import write_whole
from asp_eval.core.errors import Fault
from asp_eval.core.phrases import all_of
from asp_eval.intake.privacy.pseudonyms import PseudonymKey

NO_KEY = Fault(
    "SCR-160",
    "the key {key} of the study's pseudonyms is not there",
    "Copy {key}.key from your backup, or from who has it, into {folder}; or say with ASP_EVAL_KEYS in which folder it is. "
    "With another key the same people would get other pseudonyms.",
)
OPEN_KEY = Fault(
    "SCR-161",
    "others than its owner have rights to the key or to the folder it is in",
    "Take their rights away: {commands}.",
)
KEY_INSIDE = Fault(
    "SCR-162",
    "the folder of the keys is inside a study folder, so that whoever gets the study gets the key as well",
    "Move it out of the study folder, and set ASP_EVAL_KEYS to where it is then.",
)
NOT_THE_KEY = Fault(
    "SCR-163",
    "the file does not hold the key {key}: it is damaged, or another key under this name",
    "Take it from your backup.",
)

VARIABLE = "ASP_EVAL_KEYS"  # environment variable that names another folder
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_HEXADECIMAL = re.compile(r"[0-9a-f]{64}")


def key_folder() -> Path:
    """Return the folder the keys are kept in: that of ASP_EVAL_KEYS, or the system's own place for a program's settings."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser().resolve()
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return base / "asp-eval" / "keys"


def create_key(study_folder: Path) -> tuple[PseudonymKey, Path]:
    """Make a key and its file.

    Parameters
    ----------
    study_folder : Path
        Of the study the key is for; the key must not lie in it.

    Returns
    -------
    PseudonymKey
    Path
        The key file.

    Raises
    ------
    Refusal
        SCR-161 if the folder was there and others have rights to it; SCR-162 if it is inside the study folder.
    """
    folder = _outside(study_folder)
    key = PseudonymKey.of(secrets.token_bytes(32))
    if not folder.exists():
        folder.mkdir(parents=True, mode=0o700)
    _refuse_if_open(folder)
    file = folder / f"{key.id}.key"
    write_whole(file, key.secret.hex() + "\n", mode=0o600)
    return key, file


def load_key(key_id: str, study_folder: Path | None = None) -> PseudonymKey:
    """Read a key.

    Parameters
    ----------
    key_id : str
        As study.yaml names it: ``privacy: {key: k1a2b3c4d5e6f}``.
    study_folder : Path, optional
        Where the key must not be; nor may it be in any other folder with a study.yaml.

    Raises
    ------
    Refusal
        SCR-160 if it is not there, SCR-161 if others can read it, SCR-162 if it lies in a study folder, SCR-163 if the
        file does not hold it.
    """
    folder = _outside(study_folder)
    file = folder / f"{key_id}.key"
    if not file.is_file():
        NO_KEY.refuse(key=key_id, folder=folder)
    _refuse_if_open(folder, file)
    text = file.read_text(encoding="ascii", errors="replace").strip()
    key = PseudonymKey.of(bytes.fromhex(text)) if _HEXADECIMAL.fullmatch(text) else None
    if key is None or key.id != key_id:
        NOT_THE_KEY.refuse(str(file), key=key_id)
    return key


def lies_in_study(path: Path, study_folder: Path | None = None) -> bool:
    """Return whether a path lies in a study folder: the one given, or any folder with a study.yaml."""
    folders = (path.resolve(), *path.resolve().parents)
    return (study_folder is not None and study_folder.resolve() in folders) or any(map(_is_study, folders))


def _is_study(folder: Path) -> bool:
    try:
        return (folder / "study.yaml").is_file()
    except PermissionError:  # a folder that nobody but others may look into
        return False


def _outside(study_folder: Path | None) -> Path:
    folder = key_folder()
    if lies_in_study(folder, study_folder):
        KEY_INSIDE.refuse(str(folder))
    return folder


def _refuse_if_open(*paths: Path) -> None:
    """Refuse what others have rights to; Windows keeps the folder of a user's settings to that user."""
    shut = [f"chmod {700 if path.is_dir() else 600} {path}" for path in paths if path.stat().st_mode & _OTHERS]
    if shut and os.name == "posix":
        OPEN_KEY.refuse(str(paths[-1]), commands=all_of(shut))
