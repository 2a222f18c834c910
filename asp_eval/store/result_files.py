"""Results in files: a value as JSON, written whole and validated when it is read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, RootModel, ValidationError

from asp_eval.core.documents import write_whole
from asp_eval.core.errors import DataProblems, Fault

T = TypeVar("T")

NO_RESULTS = Fault("ANA-001", "there are no results yet", "Run 'asp-eval {verb}' first.")
DAMAGED_RESULTS = Fault("ANA-002", "the file is damaged or of another version", "Run 'asp-eval {verb}' again.")


class _Content(RootModel[T]):
    """A result value as a file holds it: a number without end is the text ``Infinity``, where JSON itself has none."""

    model_config = ConfigDict(ser_json_inf_nan="strings")


def save(path: Path, value: object) -> None:
    """Write a result value as JSON, whole or not at all."""
    write_whole(path, as_json(value) + "\n")


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
        value: T = _content(kind).model_validate_json(path.read_bytes()).root
    except ValidationError as error:
        raise DataProblems([DAMAGED_RESULTS.at(path.name, found=error.errors()[0]["msg"], verb=verb)]) from None
    return value


def as_json(value: object) -> str:
    """Return a result value as JSON text."""
    return _content(type(value))(value).model_dump_json(indent=1)


def json_schema(kind: type) -> dict[str, Any]:
    """Return the JSON Schema of the files that hold values of a type."""
    return _content(kind).model_json_schema(mode="serialization")


_MODELS: dict[object, type[_Content[Any]]] = {}  # pydantic makes one anew that nobody holds: a tenth of a second


def _content(kind: type[Any]) -> type[_Content[Any]]:
    if kind not in _MODELS:
        _MODELS[kind] = _Content[kind]  # type: ignore[valid-type]
    return _MODELS[kind]
