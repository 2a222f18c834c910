"""Words said to people, which can be said in another language: the English text, and what it was made of.

A note, a reason, a caution and a detail of a fault are either data (an id, a number, what stands in a cell) or words
("a whole number", "rows 3 and 7"). Words are a `Phrase` from where they are written: an English template and its fields. A
`Translation` says a phrase in another language, its numbers with that language's marks; data stay as they are.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Number, Real
from string import Formatter
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True, eq=False)
class Translation:
    """How messages and numbers are said in one language; call it with an English message.

    Attributes
    ----------
    messages : mapping of str to str
        The message in this language by the English one, both with their ``{fields}``; a message that is not there stays English.
    decimal, thousands, percent : str
        The marks of numbers in this language.

    Examples
    --------
    >>> danish = Translation({"at most {n} MB": "højst {n} MB"}, decimal=",", thousands=".")
    >>> danish("at most {n} MB"), danish.number("1,024.5")
    ('højst {n} MB', '1.024,5')
    """

    messages: Mapping[str, str] = field(default_factory=dict)
    decimal: str = "."
    thousands: str = ","
    percent: str = "%"

    def __call__(self, message: str) -> str:
        """Return an English message in this language, its fields not yet filled in."""
        return self.messages.get(message, message)

    def number(self, shown: str) -> str:
        """Return a number, as Python shows it, with the marks of this language."""
        marks = {".": self.decimal, ",": self.thousands, "%": self.percent}
        return "".join(marks.get(letter, letter) for letter in shown)


ENGLISH = Translation()


class Phrase(str):
    """Words for people: as a text they are English, and `told` says them in another language.

    A field that is a number stays a number, with a format where its digits must be few: ``"{p:.3f}"``. It is shown with the
    language's own marks; a number given as text is data and is not.

    Attributes
    ----------
    template : str
        The English message; may hold ``{named}`` fields.
    fields : dict
        Values of the fields: data, numbers, or phrases again.

    Examples
    --------
    >>> danish = Translation({"at most {n} MB": "højst {n} MB"}, decimal=",")
    >>> phrase = Phrase("at most {n} MB", n=2.5)
    >>> phrase, phrase.told(danish)
    ('at most 2.5 MB', 'højst 2,5 MB')
    """

    __slots__ = ("fields", "template")

    template: str
    fields: dict[str, Any]

    def __new__(cls, template: str, /, **fields: object) -> Phrase:
        """Fill the fields of an English message."""
        phrase = super().__new__(cls, template.format(**fields))
        phrase.template, phrase.fields = template, fields
        return phrase

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (self.template,), self.fields

    def with_fields(self, **fields: object) -> Phrase:
        """Return the same message with other values in its fields.

        Examples
        --------
        >>> Phrase("at most {n} MB", n=2.5).with_fields(n=3)
        'at most 3 MB'
        """
        return type(self)(self.template, **fields)

    def told(self, say: Translation) -> str:
        """Return the words in another language."""
        return _Telling(say).vformat(say(self.template), (), self.fields)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Say how a phrase is written as JSON, and read back, where it is a field of a result."""
        from pydantic_core import core_schema

        written = core_schema.plain_serializer_function_ser_schema(_written, when_used="json")
        return core_schema.no_info_plain_validator_function(_read, serialization=written)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Say it in a JSON Schema: a text, or a template with its fields."""
        return {"type": ["string", "object"]}


NO_NOTE = Phrase("")


class _Telling(Formatter):
    """Fills the fields of a message in one language."""

    def __init__(self, say: Translation) -> None:
        self.say = say

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> object:
        return told(super().get_value(key, args, kwargs), self.say)

    def format_field(self, value: object, format_spec: str) -> str:
        shown = format(value, format_spec)
        return self.say.number(shown) if _is_number(value) else shown


def told(value: object, say: Translation) -> object:
    """Return words in another language, and data as they are."""
    return value.told(say) if isinstance(value, Phrase) else value


def as_phrase(value: object) -> Phrase:
    """Return data as a phrase of their own: a number is shown with the language's marks, text as it is.

    Examples
    --------
    >>> as_phrase(2.9).told(Translation(decimal=",")), as_phrase("2.9").told(Translation(decimal=","))
    ('2,9', '2.9')
    """
    return value if isinstance(value, Phrase) else Phrase("{value}", value=value)


def named(key: str) -> Phrase:
    """Return a well-known key of a study, such as a covariate, as words: it is said in the language if that has a name for it.

    Examples
    --------
    >>> Phrase("{name} is missing", name=named("sex")).told(Translation({"sex": "køn", "{name} is missing": "{name} mangler"}))
    'køn mangler'
    """
    return as_phrase(key) if "{" in key or "}" in key else Phrase(key)


def listed(parts: Iterable[str], mark: str = ", ") -> Phrase:
    """Return "a, b, c"; what is empty is left out.

    Examples
    --------
    >>> listed(["a", "", "b"], "; ")
    'a; b'
    """
    fields = {f"part{i}": part for i, part in enumerate(filter(None, parts), start=1)}
    return Phrase(mark.join(f"{{{name}}}" for name in fields), **fields)


def notes_in_one(notes: Iterable[str]) -> Phrase:
    """Return several notes as one, "this; that", each said once; no notes are the empty phrase."""
    different = list(filter(None, dict.fromkeys(notes)))
    return as_phrase(different[0]) if len(different) == 1 else listed(different, "; ")


def all_of(parts: Iterable[str]) -> Phrase:
    """Return "a and b and c".

    Examples
    --------
    >>> all_of(["3", "7"]), any_of(["CSV", "XLSX"])
    ('3 and 7', 'CSV or XLSX')
    """
    first, *others = list(parts) or [NO_NOTE]
    found = as_phrase(first)
    for other in others:
        found = Phrase("{one} and {other}", one=found, other=other)
    return found


def any_of(parts: Iterable[str]) -> Phrase:
    """Return "a or b or c"."""
    first, *others = list(parts) or [NO_NOTE]
    found = as_phrase(first)
    for other in others:
        found = Phrase("{one} or {other}", one=found, other=other)
    return found


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a sentence with the names that come near one that is unknown, and a space after it; nothing if none does.

    Examples
    --------
    >>> did_you_mean("asp-proces", ["asp-process", "gap"])
    'Did you mean asp-process? '
    """
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return Phrase("Did you mean {name}? ", name=any_of(near)) if near else ""


def some_of(names: Iterable[str], most: int, total: int | None = None) -> Phrase:
    """Return "a, b, c and 7 more": at most so many names, and how many there are besides.

    Of many, the first and their `total` are enough.

    Examples
    --------
    >>> some_of(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    known = list(names)
    shown = ", ".join(known[:most])
    left = (len(known) if total is None else total) - most
    return Phrase("{names} and {n} more", names=shown, n=left) if left > 0 else as_phrase(shown)


def as_plain(value: object) -> object:
    """Return a value for JSON, from which `from_plain` makes the same words again; data that JSON has not become text."""
    if isinstance(value, Phrase):
        return {"phrase": value.template, "fields": {name: as_plain(field) for name, field in value.fields.items()}}
    if _is_number(value):
        return int(value) if isinstance(value, Integral) else float(value) if isinstance(value, Real) else str(value)
    return value if value is None or isinstance(value, (str, bool)) else str(value)


def from_plain(value: object) -> object:
    """Return what `as_plain` was given.

    Examples
    --------
    >>> from_plain(as_plain(Phrase("at most {n}", n=3))).fields
    {'n': 3}
    """
    if not isinstance(value, dict):
        return value
    plain = cast("dict[str, Any]", value)
    return Phrase(plain["phrase"], **{name: from_plain(field) for name, field in plain["fields"].items()})


def _is_number(value: object) -> bool:
    return isinstance(value, Number) and not isinstance(value, bool)


def _written(value: str) -> object:
    """Return a phrase as JSON: the text alone where it has no fields; else the text, for a reader, and what it was made of."""
    if not isinstance(value, Phrase) or value.template == str(value):
        return str(value)
    return {"text": str(value), **cast("dict[str, object]", as_plain(value))}


def _read(value: object) -> Phrase:
    """Return the phrase that `_written` was given."""
    if isinstance(value, Phrase):
        return value
    if isinstance(value, dict):
        return cast("Phrase", from_plain(value))
    if not isinstance(value, str):
        raise ValueError("words are a text, or a phrase with its fields")
    return Phrase(value) if "{" not in value and "}" not in value else as_phrase(value)
