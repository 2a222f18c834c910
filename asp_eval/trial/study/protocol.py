"""From ``study.yaml`` to a `Study`, and the JSON Schema with which an editor completes the file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from asp_eval.core.documents import read_document, write_whole
from asp_eval.core.errors import DataProblems, Fault, Problem
from asp_eval.core.resources import shipped_folder
from asp_eval.trial.instruments.library import library_of
from asp_eval.trial.process.library import own_frames
from asp_eval.trial.study.design import Study

SCHEMA_FILE = "study.schema.json"
NO_STUDY = Fault(
    "STU-002",
    "there is no study here: no file study.yaml",
    "Go to the study's folder, name it with --study, or start one with 'asp-eval init'.",
)


def load_study(path: str | Path) -> Study:
    """Read a study from its folder or its ``study.yaml``.

    Parameters
    ----------
    path : str or Path
        The study folder, or the file itself.

    Returns
    -------
    Study
        Frozen and consistent; ``study.folder`` is the folder, ``study.library`` holds its questionnaires.

    Raises
    ------
    Refusal
        If there is no such file.
    DataProblems
        Every mistake in the file, and in the study's own instruments, norms and frames, at once: line, field, found, expected,
        remedy.
    """
    given = Path(path)
    file = given / "study.yaml" if given.is_dir() else given
    if not file.is_file():
        NO_STUDY.refuse(str(given))
    folder, digest = file.resolve().parent, hashlib.sha256(file.read_bytes()).hexdigest()
    problems: list[Problem] = []
    try:
        study = read_document(file, Study)
    except DataProblems as error:
        problems += error.problems
    try:
        library = library_of(folder)
    except DataProblems as error:
        problems += error.problems
    try:
        frames = own_frames(folder)
    except DataProblems as error:
        problems += error.problems
    if problems:
        raise DataProblems(problems)
    study._folder, study._digest = folder, digest
    study._library = library if library.own_files else None
    study._own_frames = frames
    return study


def study_json_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``study.yaml``, for editors."""
    schema = Study.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "study.yaml", **schema}


def study_template(key: str | None = None) -> str:
    """Return the commented ``study.yaml`` a new study starts from, with the id of the key of its pseudonyms."""
    text = (shipped_folder("data_schema") / "study.template.yaml").read_text(encoding="utf-8")
    return text.replace("  key: null         ", f"  key: {key}") if key else text


def write_study_schema(folder: Path) -> None:
    """Write ``study.schema.json``, as it is shipped, into a folder: an editor completes and checks ``study.yaml`` there by it."""
    write_whole(folder / SCHEMA_FILE, (shipped_folder("data_schema") / SCHEMA_FILE).read_bytes())
