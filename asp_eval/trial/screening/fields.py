"""What one column of a table holds: its type, and which values are allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["string", "integer", "number", "date", "yearmonth"]


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a table.

    Attributes
    ----------
    name : str
    kind : {"string", "integer", "number", "date", "yearmonth"}
        Type, in the words of the Frictionless Table Schema.
    title, description : str
    required : bool
        Whether the column must be there and have a value in every row.
    allowed : tuple of str
        The only values allowed, as text; empty where any value of the type is.
    minimum, maximum : str, optional
        As text of the field's type.
    pattern : str, optional
        Regular expression the whole text must match.
    form : str, optional
        Instrument whose item the column is.
    person : str, optional
        Whose id the column holds: child, staff or coder. In the schema of a study, only if it asks for pseudonyms of them.
    """

    name: str
    kind: Kind
    title: str = ""
    description: str = ""
    required: bool = False
    allowed: tuple[str, ...] = ()
    minimum: str | None = None
    maximum: str | None = None
    pattern: str | None = None
    form: str | None = None
    person: str | None = None

    @property
    def numeric(self) -> bool:
        """Whether values are numbers."""
        return self.kind in {"integer", "number"}

    @classmethod
    def from_descriptor(cls, descriptor: dict[str, Any]) -> Field:
        """Read the field of a Table Schema."""
        limits = descriptor.get("constraints", {})
        return cls(
            name=descriptor["name"],
            kind=descriptor["type"],
            title=descriptor.get("title", ""),
            description=descriptor.get("description", ""),
            required=limits.get("required", False),
            allowed=tuple(str(value) for value in limits.get("enum", ())),
            minimum=_text(limits.get("minimum")),
            maximum=_text(limits.get("maximum")),
            pattern=limits.get("pattern"),
            person=descriptor.get("person"),
        )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
