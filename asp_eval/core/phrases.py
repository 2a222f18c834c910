"""Words in a message that are not data, so that they can be said in another language when the message is.

A detail of a fault is either data (an id, a number, what stands in a cell), which every language shows as it is, or words
("a whole number", "rows 3 and 7"). Words are a `Phrase`: the English text, and what it was made of. A language is a function
from an English message, with its ``{fields}``, to the same in that language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any, cast

Say = Callable[[str], str]


def english(message: str) -> str:
    """Return a message as it is: the language that all are written in."""
    return message


class Phrase(str):
    """Words for people: as a text they are English, and `told` says them in another language.

    Attributes
    ----------
    template : str
        The English message; may hold ``{named}`` fields.
    fields : dict
        Values of the fields: data, or phrases again.

    Examples
    --------
    >>> phrase = Phrase("at most {n} MB", n=512)
    >>> phrase, phrase.told({"at most {n} MB": "højst {n} MB"}.get)
    ('at most 512 MB', 'højst 512 MB')
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

    def told(self, say: Say) -> str:
        """Return the words in another language."""
        return say(self.template).format(**{name: told(value, say) for name, value in self.fields.items()})


def told(value: object, say: Say) -> object:
    """Return words in another language, and data as they are."""
    return value.told(say) if isinstance(value, Phrase) else value


def all_of(parts: Iterable[str]) -> str:
    """Return "a and b and c".

    Examples
    --------
    >>> all_of(["3", "7"]), any_of(["CSV", "XLSX"])
    ('3 and 7', 'CSV or XLSX')
    """
    return reduce(lambda one, other: Phrase("{one} and {other}", one=one, other=other), parts) if (parts := list(parts)) else ""


def any_of(parts: Iterable[str]) -> str:
    """Return "a or b or c"."""
    return reduce(lambda one, other: Phrase("{one} or {other}", one=one, other=other), parts) if (parts := list(parts)) else ""


def listed(parts: Iterable[str], mark: str = ", ") -> str:
    """Return "a, b, c"."""
    return (
        reduce(lambda one, other: Phrase(f"{{one}}{mark}{{other}}", one=one, other=other), parts)
        if (parts := list(parts))
        else ""
    )


def some_of(names: Iterable[str], most: int) -> str:
    """Return "a, b, c and 7 more": at most so many names, and how many there are besides.

    Examples
    --------
    >>> some_of(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    known = list(names)
    shown = ", ".join(known[:most])
    return Phrase("{names} and {n} more", names=shown, n=len(known) - most) if len(known) > most else shown


def as_plain(value: object) -> object:
    """Return a value for JSON, from which `from_plain` makes the same words again; data that JSON has not become text."""
    if isinstance(value, Phrase):
        return {"phrase": value.template, "fields": {name: as_plain(field) for name, field in value.fields.items()}}
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


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
