"""``asp-eval init``: an empty study folder to begin with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asp_eval.core.documents import write_whole
from asp_eval.core.errors import Fault
from asp_eval.core.file_sets import file_set, finish_file_sets, is_being_written
from asp_eval.core.phrases import Phrase
from asp_eval.core.progress import Cancel, Progress, never, stoppable, unheard
from asp_eval.intake.privacy.keys import create_key
from asp_eval.trial.study.protocol import SCHEMA_FILE, study_template, write_study_schema

NOT_EMPTY = Fault(
    "CLI-001", "the folder is not empty, and nothing in it will be overwritten", "Name another folder, or remove this one."
)


@dataclass(frozen=True, slots=True)
class StartedStudy:
    """A study folder that was started.

    Attributes
    ----------
    folder : Path
    key_file : Path
        The key of the study's pseudonyms, outside the folder.
    """

    folder: Path
    key_file: Path


def init_study(folder: str | Path, *, progress: Progress = unheard, cancel: Cancel = never) -> StartedStudy:
    """Start an empty study: a commented study.yaml, the folders, and the key of its pseudonyms outside the folder.

    Parameters
    ----------
    folder : str or Path
        Does not exist, or is empty.
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    Raises
    ------
    Refusal
        CLI-001 if the folder holds anything; what `create_key` refuses.
    """
    folder = Path(folder)
    refuse_unless_empty(folder)
    stoppable(progress, cancel)(Phrase("writing"), 0)
    key, file = create_key(folder)
    with file_set(folder) as new:
        write_study_schema(new.path(SCHEMA_FILE).parent)
        write_whole(new.path("study.yaml"), study_template(key.id))
    for name in ("data", "output"):
        (folder / name).mkdir(exist_ok=True)
    return StartedStudy(folder, file)


def refuse_unless_empty(folder: Path) -> None:
    """Refuse a folder that holds anything but what a killed process began to write there."""
    if not folder.exists():
        return
    if folder.is_dir():
        finish_file_sets(folder)
    if not folder.is_dir() or not all(is_being_written(path) for path in folder.iterdir()):
        NOT_EMPTY.refuse(str(folder))
