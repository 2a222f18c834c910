"""Documents people write (YAML) become frozen models, with every mistake placed on its line; files are written whole."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.core.phrases import Phrase, any_of
from asp_eval.core.strict_yaml import Keys, field_path, read_yaml

Model = TypeVar("Model", bound="Document")

STALE_AFTER = 3600.0  # seconds; writing a file whole takes one or two
_PART = re.compile(r"\..+\.[a-z0-9_]{8}\.part")  # the names that mkstemp makes in `write_whole`

UNKNOWN_KEY = Fault("DOC-008", "the key is unknown", "{advice}")
MISSING_KEY = Fault("DOC-009", "the key is missing", "Add it.")
WRONG_VALUE = Fault("DOC-010", "the value does not fit", "{advice}")
MORE_MISTAKES = Fault("DOC-013", "more mistakes, which are not listed: {n}", "Correct these first.")
MOST_LISTED = 200  # mistakes of one document

PATTERNS = {
    r"^[A-Za-z][A-Za-z0-9_]*$": Phrase("a name of letters a to z, digits and _, beginning with a letter"),
    r"^[A-Za-z][A-Za-z0-9_-]*$": Phrase("a name of letters a to z, digits, _ and -, beginning with a letter"),
}
_DATE, _LIST = Phrase("a date written 2027-09-30"), Phrase("a list, such as [a, b]")
_KEYS, _TRUTH = Phrase("keys with values, such as {{key: value}}"), Phrase("true or false")
EXPECTED = {
    "date_from_datetime_parsing": _DATE,
    "date_parsing": _DATE,
    "date_type": _DATE,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "dict_type": _KEYS,
    "model_type": _KEYS,
    "model_attributes_type": _KEYS,
    "string_type": Phrase("a text; if it looks like a number or date, put it in quotes"),
    "bool_parsing": _TRUTH,
    "bool_type": _TRUTH,
    "float_parsing": Phrase("a number"),
    "int_parsing": Phrase("a whole number"),
}

_LIMITS = {
    "greater_than": partial(Phrase, "more than {n}"),
    "greater_than_equal": partial(Phrase, "{n} or more"),
    "less_than": partial(Phrase, "less than {n}"),
    "less_than_equal": partial(Phrase, "at most {n}"),
}


class Document(BaseModel):
    """Base of every model read from a document: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    @classmethod
    def cross_references(cls, values: object) -> Iterable[Misfit]:  # noqa: ARG003 - for models to override
        """Return what does not agree inside a document of this kind, judged on its plain values.

        Parameters
        ----------
        values : dict, list or scalar
            The document as read, whatever else is wrong with it.
        """
        return ()


@dataclass(frozen=True, slots=True)
class Misfit:
    """One coded fault that a model's own validator found, at a path of keys below that model."""

    keys: Keys
    fault: Fault
    found: object = None
    expected: object = None
    details: dict[str, Any] = field(default_factory=dict)


class Misfits(ValueError):
    """Raised by a validator to report several faults, each of which `read_document` places on its own line."""

    def __init__(self, misfits: Iterable[Misfit]) -> None:
        self.misfits = tuple(misfits)
        super().__init__("; ".join(str(_placed(m, "", {}, ())) for m in self.misfits))


def read_document(path: Path, model: type[Model], *, context: Mapping[str, Any] | None = None) -> Model:
    """Read a YAML file into `model`, or raise every mistake at once.

    Parameters
    ----------
    path : Path
    model : type of Document
    context : mapping, optional
        Handed to the model's validators as ``info.context``.

    Raises
    ------
    DataProblems
        One problem per mistake: file, line, field, found, expected, remedy.
    """
    values, lines = read_yaml(path)
    return validated(values, lines, path.name, model, context=context)


def read_documents(paths: Iterable[Path], model: type[Model]) -> tuple[list[tuple[Path, Model]], list[Problem]]:
    """Return what could be read of several documents of one kind, each with its path, and every mistake in the others."""
    read: list[tuple[Path, Model]] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            read.append((path, read_document(path, model)))
        except DataProblems as error:
            problems.extend(error.problems)
    return read, problems


def validated(
    values: object, lines: Mapping[Keys, int], source: str, model: type[Model], *, context: Mapping[str, Any] | None = None
) -> Model:
    """Return plain values as `model`, or raise every mistake at once.

    Parameters
    ----------
    values : dict, list or scalar
    lines : mapping
        The line of each value, by its path of keys and positions.
    source : str
        What faults call the document.
    model : type of Document
    context : mapping, optional
        Handed to the model's validators as ``info.context``.

    Raises
    ------
    DataProblems
        As for `read_document`.
    """
    try:
        return model.model_validate(values, context=dict(context or {}))
    except ValidationError as error:
        found = [p for detail in error.errors() for p in _problems(detail, source, lines, model)]
        found += [_placed(misfit, source, lines, ()) for misfit in model.cross_references(values)]
        each = list({str(problem): problem for problem in found}.values())
        more = [MORE_MISTAKES.at(source, n=len(each) - MOST_LISTED)] if len(each) > MOST_LISTED else []
        raise DataProblems([*each[:MOST_LISTED], *more]) from None


def write_whole(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Write a file so that it is there whole or not at all, however the process ends.

    The content goes to a temporary file in the same folder, is flushed to disk, and replaces `path` in one step. Until it
    has its `mode`, only its owner can read it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def remove_stale_parts(folder: Path) -> None:
    """Remove the temporary files that `write_whole` could not, because its process was killed.

    Only files by its pattern of name that nobody has written to for an hour: another process may be at work.
    """
    parts = [path for path in folder.glob(".*.part") if _PART.fullmatch(path.name) and not path.is_symlink()]
    for part in parts:
        with contextlib.suppress(OSError):  # gone meanwhile, or held open
            if time.time() - part.stat().st_mtime > STALE_AFTER:
                part.unlink()


def _problems(detail: ErrorDetails, source: str, lines: Mapping[Keys, int], model: type[BaseModel]) -> Iterator[Problem]:
    """Translate one pydantic error into placed problems: several where the model's own validator found several."""
    keys = tuple(part for part in detail["loc"] if part in {"[key]"} or not _is_union_tag(part, detail["loc"]))
    keys = _as_written(keys, lines)
    error = detail.get("ctx", {}).get("error")
    if isinstance(error, Misfits):
        yield from (_placed(misfit, source, lines, keys) for misfit in error.misfits)
    else:
        yield _problem(detail, keys, _place(source, lines, keys), model)


def _as_written(keys: Keys, lines: Mapping[Keys, int]) -> Keys:
    """Leave out positions where the document has no list: one value, written alone where a list of them may stand."""
    written: Keys = ()
    for key in keys:
        if key != 0 or (*written, key) in lines:
            written = (*written, key)
    return written


def _placed(misfit: Misfit, source: str, lines: Mapping[Keys, int], above: Keys) -> Problem:
    place = _place(source, lines, (*above, *misfit.keys))
    return misfit.fault.at(place, found=misfit.found, expected=misfit.expected, **misfit.details)


def _place(source: str, lines: Mapping[Keys, int], keys: Keys) -> Place:
    """Place a path of keys on its line, or on that of the nearest key above it that the document has."""
    known = keys
    while known and known not in lines:
        known = known[:-1]
    return Place(source, lines.get(known), column=field_path(keys) or None)


def _problem(detail: ErrorDetails, keys: Keys, place: Place, model: type[BaseModel]) -> Problem:
    """Translate one pydantic error of a field into a problem."""
    match detail["type"]:
        case "extra_forbidden":
            near = difflib.get_close_matches(str(keys[-1]), [key for key in _all_keys(model) if key != keys[-1]], n=1)
            advice = Phrase("Did you mean {name!r}?", name=near[0]) if near else Phrase("Remove it, or correct its spelling.")
            return UNKNOWN_KEY.at(place, found=str(keys[-1]), advice=advice)
        case "missing":
            return MISSING_KEY.at(place)
        case _:
            return WRONG_VALUE.at(
                place, found=_brief(detail["input"]), expected=_expected(detail), advice=Phrase("Correct the value.")
            )


def _expected(detail: ErrorDetails) -> str:
    """Say what would have fitted, in the words of someone who writes YAML."""
    context, kind = detail.get("ctx", {}), detail["type"]
    if "error" in context and kind == "value_error":
        said = context["error"].args[0] if context["error"].args else ""
        return said if isinstance(said, Phrase) else str(context["error"])
    if "pattern" in context:
        return PATTERNS.get(context["pattern"], Phrase("a text that matches {pattern}", pattern=context["pattern"]))
    if kind == "too_short":
        return Phrase("at least {n} of them that fit", n=context["min_length"])
    if kind in EXPECTED:
        return EXPECTED[kind]
    if kind in ("literal_error", "enum"):
        return _one_of(str(context["expected"]))
    if kind in _LIMITS:
        return _LIMITS[kind](n=next(iter(context.values())))
    message = detail["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    return message[:1].lower() + message[1:]


def _one_of(expected: str) -> str:
    """Return the values of a pydantic message, ``'a', 'b' or 'c'``, as they are without its "or"."""
    *others, last = expected.split(", ")
    return any_of([", ".join([*others, last.split(" or ")[0]]), *last.split(" or ")[1:]])


def _is_union_tag(part: str | int, loc: Keys) -> bool:
    """Whether a part of a pydantic location names a member of a union and not a key of the document."""
    scalars = {"str", "int", "float", "bool"}
    return isinstance(part, str) and len(loc) > 1 and (part[:1].isupper() or "[" in part or part in scalars)


@cache
def _all_keys(model: type[BaseModel]) -> tuple[str, ...]:
    """Every key the model's schema knows, at any depth: the pool for "did you mean"."""
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return tuple(sorted({key for part in parts for key in part.get("properties", {})}))


def _brief(value: object) -> object:
    """Return a plain value; a block of the document is not repeated, for its line is given."""
    return value if isinstance(value, (str, int, float, bool, date)) else None
