"""Results in files: a value as JSON, written whole and validated when it is read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from asp_eval.core.documents import write_whole
from asp_eval.core.errors import DataProblems, Fault

T = TypeVar("T")

NO_RESULTS = Fault("ANA-001", "there are no results yet", "Run 'asp-eval {verb}' first.")
DAMAGED_RESULTS = Fault("ANA-002", "the file is damaged or of another version", "Run 'asp-eval {verb}' again.")


def save(path: Path, value: object) -> None:
    """Write a result value as JSON, whole or not at all."""
    write_whole(path, TypeAdapter(type(value)).dump_json(value, indent=1) + b"\n")


def load(path: Path, kind: type[T], *, verb: str) -> T:
    """Read back what `save` wrote.

    Parameters
    ----------
    path : Path
    kind : type
        The dataclass that was saved.
    verb : str
        The command that makes the file, named in the error.

    Raises
    ------
    DataProblems
        If the file is missing, damaged, or of another version.
    """
    if not path.is_file():
        raise DataProblems([NO_RESULTS.at(path.name, verb=verb)])
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes())
    except ValidationError as error:
        raise DataProblems([DAMAGED_RESULTS.at(path.name, found=error.errors()[0]["msg"], verb=verb)]) from None


def as_json(value: object) -> str:
    """Return a result value as JSON text, for ``--json``."""
    return json.dumps(TypeAdapter(type(value)).dump_python(value, mode="json"), ensure_ascii=False, indent=1)
