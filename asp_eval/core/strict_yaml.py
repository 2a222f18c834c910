"""YAML in a strict dialect: the values of a file, and the line on which each of them stands.

Only ``true`` and ``false`` are truth values (so a study may be called ``no``), and a key may stand once. Refused are aliases (a
few lines of them can expand without end), tags (a plain value says by itself what it is), more than `DEEPEST` levels, and a file
above `LARGEST_DOCUMENT` bytes. All of this is seen while the text is parsed, before anything is built from it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.core.phrases import Phrase

Keys = tuple[str | int, ...]

LARGEST_DOCUMENT = 2_000_000  # bytes; the largest shipped instrument is a hundredth of this
DEEPEST = 40  # levels of lists and keys inside one another; the deepest document of this kind has eight

NO_FILE = Fault("DOC-001", "there is no such file", "Check the path, or write a fresh one with 'asp-eval init'.")
NOT_TEXT = Fault("DOC-002", "the file is not UTF-8 text", "Save it as UTF-8 in your editor.")
TOO_LARGE = Fault("DOC-003", "the file is larger than a document of this kind can be", "Check that it is the right file.")
NOT_YAML = Fault("DOC-004", "the file is not valid YAML: {reason}", "Indent with spaces, close every quote and bracket.")
EMPTY = Fault("DOC-005", "the file is empty", "Write its content, or copy a shipped example.")
ALIAS = Fault("DOC-006", "the document uses a YAML alias (*name)", "Write the value out.")
REPEATED_KEY = Fault("DOC-007", "the key stands twice", "Keep one of the two.")
TOO_DEEP = Fault(
    "DOC-011", "lists and keys stand more than {most} levels inside one another", "Close the brackets that were left open."
)
TAG = Fault(
    "DOC-012", "the document uses a YAML tag (!name)", "Take the tag out; a number that is meant as a text is put in quotes."
)

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # some builds of PyYAML have no C parser


class _StrictLoader(_Loader):  # type: ignore[misc]
    """Safe loader whose only truth values are true and false."""


_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_StrictLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def read_yaml(path: Path) -> tuple[Any, dict[Keys, int]]:
    """Read a YAML file; return its values and the line on which each of them stands.

    Returns
    -------
    values : dict, list or scalar
    lines : dict
        Path of keys and positions, ``("arms", 1)``, to line number.

    Raises
    ------
    DataProblems
        DOC-001 to DOC-007, DOC-011, DOC-012.
    """
    return parse_yaml(_read_text(path), path.name)


def parse_yaml(text: str, source: str) -> tuple[Any, dict[Keys, int]]:
    """Return the values of a YAML text and their lines, as `read_yaml` does; `source` is what faults call the text."""
    problems: list[Problem] = []
    lines: dict[Keys, int] = {}
    try:
        _refuse_by_events(text, source)
        loader = _StrictLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise DataProblems([EMPTY.at(source)])
        _index(node, (), lines, problems, source)
        values = loader.construct_document(node)
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the last two: a date such as 2006-02-31
        mark = getattr(error, "problem_mark", None)
        place = Place(source, line=mark.line + 1 if mark else None)
        reason = getattr(error, "problem", None) or str(error)
        too_deep = "nesting depth" in reason  # of a thousand brackets on one line, which the C parser reads ahead
        raise DataProblems([TOO_DEEP.at(place, most=DEEPEST) if too_deep else NOT_YAML.at(place, reason=reason)]) from None
    if problems:
        raise DataProblems(problems)
    return values, lines


def field_path(keys: Keys) -> str:
    """Return a path of keys as people write it.

    Examples
    --------
    >>> field_path(("waves", 2, "from"))
    'waves[2].from'
    """
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")


def _refuse_by_events(text: str, source: str) -> None:
    """Refuse aliases, tags and depth as soon as the parser meets them: nothing behind them is read."""
    depth = 0
    for event in yaml.parse(text, Loader=_StrictLoader):
        if isinstance(event, yaml.AliasEvent):
            raise DataProblems([ALIAS.at(_line(source, event), found=f"*{event.anchor}")])
        if isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)) and event.tag not in (None, "!"):
            raise DataProblems([TAG.at(_line(source, event), found=str(event.tag))])
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise DataProblems([TOO_DEEP.at(_line(source, event), most=DEEPEST)])


def _line(source: str, event: yaml.Event) -> Place:
    return Place(source, line=event.start_mark.line + 1 if event.start_mark else None)


def _read_text(path: Path) -> str:
    if not path.is_file():
        raise DataProblems([NO_FILE.at(str(path))])
    if path.stat().st_size > LARGEST_DOCUMENT:
        size = Phrase("{n} bytes", n=path.stat().st_size)
        raise DataProblems([TOO_LARGE.at(path.name, found=size, expected=Phrase("at most {n} bytes", n=LARGEST_DOCUMENT))])
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataProblems([NOT_TEXT.at(path.name)]) from None


def _index(node: yaml.Node, keys: Keys, lines: dict[Keys, int], problems: list[Problem], source: str) -> None:
    """Note the line of every value, and every key that stands twice."""
    lines[keys] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*keys, str(key.value))
            if here in lines:
                problems.append(REPEATED_KEY.at(Place(source, key.start_mark.line + 1, column=field_path(here))))
            _index(value, here, lines, problems, source)
            lines[here] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            _index(value, (*keys, position), lines, problems, source)
