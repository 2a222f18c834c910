"""A file as it was read: every cell text, nothing interpreted, rows numbered as a spreadsheet numbers them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.core.errors import Place, Problem
from asp_eval.core.phrases import Phrase, listed

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.integer[Any]]
SPACES = " \t\r\n\u00a0\u2007\u202f\ufeff"  # what may surround a cell without being part of it


def positions(mask: npt.ArrayLike) -> list[int]:
    """Return the positions, counted from 0, where a mask is True."""
    return [int(position) for position in np.flatnonzero(mask)]


def smallest(codes: Codes, n: int) -> Codes:
    """Return codes below `n` in the smallest type that holds them: a million answers are a megabyte."""
    return codes.astype(np.uint8 if n <= 256 else np.uint16 if n <= 65_536 else np.uint32, copy=False)


@dataclass(frozen=True, slots=True, eq=False)
class TextColumn:
    """A column of text, each different text once: what is done to a column is done to its few texts.

    Attributes
    ----------
    codes : ndarray of int, shape (n,)
        Position of each cell's text in `texts`, in the smallest type that holds it.
    texts : ndarray of object, shape (u,)
        Different texts; an empty cell is ``""``. After `translate` a text may stand twice.
    """

    codes: Codes
    texts: npt.NDArray[np.object_]

    def __post_init__(self) -> None:
        self.codes.setflags(write=False)
        self.texts.setflags(write=False)

    def __len__(self) -> int:
        return len(self.codes)

    @classmethod
    def of(cls, cells: Sequence[str]) -> TextColumn:
        """Return the column of some cells."""
        array = np.empty(len(cells), dtype=object)
        array[:] = cells
        codes, texts = pd.factorize(array)
        return cls(smallest(codes, len(texts)), np.asarray(texts, dtype=object))

    @classmethod
    def constant(cls, text: str, n: int) -> TextColumn:
        """Return a column of one text in `n` rows."""
        return cls(np.zeros(n, dtype=np.uint8), np.array([text], dtype=object))

    @classmethod
    def joined(cls, parts: Sequence[TextColumn]) -> TextColumn:
        """Return the parts one below the other."""
        if len(parts) == 1:
            return parts[0]
        found, texts = pd.factorize(np.concatenate([part.texts for part in parts]))
        places = smallest(found, len(texts))
        ends = np.cumsum([len(part.texts) for part in parts])
        codes = [places[end - len(part.texts) : end][part.codes] for end, part in zip(ends, parts, strict=True)]
        return cls(np.concatenate(codes), np.asarray(texts, dtype=object))

    def cells(self) -> npt.NDArray[np.object_]:
        """Return the text of every cell, shape (n,)."""
        return self.texts[self.codes]

    def cell(self, row: int) -> str:
        """Return the text of one cell."""
        return str(self.texts[self.codes[row]])

    def where(self, test: npt.NDArray[np.bool_]) -> Mask:
        """Return which cells have a text that passes: `test` of shape (u,) becomes a mask of shape (n,)."""
        return test[self.codes]

    def keep(self, mask: Mask) -> TextColumn:
        """Return the cells of the rows kept."""
        return TextColumn(self.codes[mask], self.texts)

    def translate(self, function: Callable[[str], str]) -> TextColumn:
        """Return the column with each text replaced."""
        texts = np.empty(len(self.texts), dtype=object)
        texts[:] = [function(text) for text in self.texts]
        return TextColumn(self.codes, texts)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file was written: what the mapping declares of it, or else what was found.

    `format` is the dialect's name. `decimal` and `dates` are set where the file format or the mapping settles them, and else
    found per table. `companions` are the files beside it that were read as part of it: name and SHA-256.
    """

    format: str
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    decimal: str | None = None
    dates: str | None = None
    companions: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return str(self.words)

    @property
    def words(self) -> str:
        """How the file was written, as a phrase."""
        known = [
            Phrase("encoding {name!r}", name=self.encoding) if self.encoding else "",
            Phrase("delimiter {mark!r}", mark=self.delimiter) if self.delimiter else "",
            Phrase("sheet {name!r}", name=self.sheet) if self.sheet else "",
        ]
        beside = [Phrase("with {name} (sha256 {digest})", name=name, digest=digest[:12]) for name, digest in self.companions]
        return listed([self.format, *filter(None, known), *beside])


@dataclass(frozen=True, slots=True, eq=False)
class TextTable:
    """Rows of a file as text, in whatever state: `RawTable`, `ProtectedTable` or `MappedTable`.

    Attributes
    ----------
    source : str
        File name, without its folder.
    sha256 : str
        Of the file's bytes.
    columns : mapping of str to TextColumn
        In the file's order; each of n cells.
    rows : ndarray of int, shape (n,)
        Number of each row in a spreadsheet: the header is row 1.
    dialect : Dialect
    rows_read : int
        Rows of the file that were not blank.
    filtered, collapsed : int
        Rows left out by a declared filter, and merged into one row per unit. ``rows_read = n + filtered + collapsed``.
    notes : tuple of Problem
        Warnings met on the way.
    labels : mapping of str to mapping of str to str
        ``{column: {cell text: label}}``, as the file declares them.
    titles : mapping of str to str
        ``{column: the question, or the variable's label}``.
    user_missing : mapping of str to frozenset of str
        ``{column: cell texts that the file declares missing}``. The cells keep these texts: what they mean is for the mapping.
    identifiers : frozenset of str
        Columns that the export itself says identify a person.
    became : mapping of str to mapping of str to str
        ``{column: {cell text of the file: what it was recoded to}}`` of the columns that were recoded: texts met, or named there.
    exported : mapping of str to str
        ``{our column: what the export calls it}`` of the columns that were renamed.
    """

    source: str
    sha256: str
    columns: Mapping[str, TextColumn]
    rows: Rows
    dialect: Dialect
    rows_read: int
    filtered: int = 0
    collapsed: int = 0
    notes: tuple[Problem, ...] = ()
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    user_missing: Mapping[str, frozenset[str]] = field(default_factory=dict)
    identifiers: frozenset[str] = frozenset()
    became: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    exported: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, table: TextTable) -> Self:
        """Return a table in this state, with what `table` holds."""
        return cls(**{each.name: getattr(table, each.name) for each in fields(TextTable)})

    def __len__(self) -> int:
        return len(self.rows)

    def place(self, row: int | None = None, column: str | None = None) -> Place:
        """Return the place of a cell, the row counted from 0 within this table."""
        return Place(self.source, row=None if row is None else int(self.rows[row]), column=column)

    def with_columns(self, columns: Mapping[str, TextColumn]) -> Self:
        """Return the table with other columns; what the file declares of those that are gone goes with them."""
        return replace(
            self,
            columns=dict(columns),
            labels={name: labels for name, labels in self.labels.items() if name in columns},
            titles={name: title for name, title in self.titles.items() if name in columns},
            user_missing={name: texts for name, texts in self.user_missing.items() if name in columns},
            identifiers=self.identifiers.intersection(columns),
            became={name: texts for name, texts in self.became.items() if name in columns},
            exported={name: theirs for name, theirs in self.exported.items() if name in columns},
        )

    def renamed(self, names: Mapping[str, str]) -> Self:
        """Return the table with other names for some of its columns: ``{old: new}``."""
        return replace(
            self,
            columns={names.get(name, name): column for name, column in self.columns.items()},
            labels={names.get(name, name): labels for name, labels in self.labels.items()},
            titles={names.get(name, name): title for name, title in self.titles.items()},
            user_missing={names.get(name, name): texts for name, texts in self.user_missing.items()},
            identifiers=frozenset(names.get(name, name) for name in self.identifiers),
            became={names.get(name, name): texts for name, texts in self.became.items()},
            exported={
                names.get(name, name): self.exported.get(name, name)
                for name in self.columns
                if name in names or name in self.exported
            },
        )

    def keep(self, mask: Mask) -> Self:
        """Return the table with the rows kept; the caller counts the others."""
        return replace(self, columns={n: c.keep(mask) for n, c in self.columns.items()}, rows=self.rows[mask])

    def frame(self, names: Sequence[str] | None = None) -> pd.DataFrame:
        """Return columns as a frame of text."""
        chosen = self.columns if names is None else names
        return pd.DataFrame({name: pd.array(self.columns[name].cells(), dtype="string") for name in chosen})


@dataclass(frozen=True, slots=True, eq=False)
class RawTable(TextTable):
    """A file as it was read, under its own names; persons may be in it. `privacy.protection.protect` accepts it."""
