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
    exported : bool
        Whether ``asp-eval export`` writes the column: not names, and not text in one's own words.
    missing : tuple of str
        What stands in a cell where there is no value, besides nothing; of a column of numbers, in any way of writing the number.
    labels : tuple of (str, tuple of str)
        What a value is called, in every language; of columns that study.yaml declares so.
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
    exported: bool = True
    missing: tuple[str, ...] = ()
    labels: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def values(self) -> tuple[str, ...]:
        """The values that are known: the only ones allowed, or else those that have labels."""
        return self.allowed or tuple(value for value, _ in self.labels)

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
            minimum=as_text(limits.get("minimum")),
            maximum=as_text(limits.get("maximum")),
            pattern=limits.get("pattern"),
            person=descriptor.get("person"),
            exported=descriptor.get("exported", True),
            missing=tuple(text for text in descriptor.get("missingValues", ()) if text),
        )

    def descriptor(self) -> dict[str, Any]:
        """Return the field as a Table Schema has it.

        Examples
        --------
        >>> Field("hours", "number", "Hours", minimum="0").descriptor()
        {'name': 'hours', 'type': 'number', 'title': 'Hours', 'constraints': {'minimum': 0}}
        """
        limits = {
            "required": self.required or None,
            "enum": [self._typed(value) for value in self.allowed] or None,
            "minimum": None if self.minimum is None else self._typed(self.minimum),
            "maximum": None if self.maximum is None else self._typed(self.maximum),
            "pattern": self.pattern,
        }
        told: dict[str, Any] = {
            "name": self.name,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "person": self.person,
        }
        told["categories"] = [{"value": self._typed(value), "label": texts[0]} for value, texts in self.labels] or None
        told["missingValues"] = ["", *self.missing] if self.missing else None
        limits = {name: value for name, value in limits.items() if value is not None}
        return {name: value for name, value in told.items() if value} | ({"constraints": limits} if limits else {})

    def _typed(self, text: str) -> str | int | float:
        """Return a limit as a value of the field's type."""
        if not self.numeric:
            return text
        value = float(text)
        return int(value) if value.is_integer() else value


def as_text(value: object) -> str | None:
    """Return a limit as text, None if there is none."""
    return None if value is None else str(int(value) if isinstance(value, float) and value.is_integer() else value)
