"""From ``study.yaml`` to a `Study`, and the JSON Schema with which an editor completes the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from asp_eval.core.documents import read_document
from asp_eval.core.errors import Fault
from asp_eval.trial.study.design import Study

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
        Frozen and consistent; ``study.folder`` is the folder.

    Raises
    ------
    Refusal
        If there is no such file.
    DataProblems
        Every mistake in the file at once: line, field, found, expected, remedy.
    """
    given = Path(path)
    file = given / "study.yaml" if given.is_dir() else given
    if not file.is_file():
        NO_STUDY.refuse(str(given))
    study = read_document(file, Study)
    study._folder = file.resolve().parent
    return study


def study_json_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``study.yaml``, for editors."""
    schema = Study.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "study.yaml", **schema}
