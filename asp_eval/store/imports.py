"""What the ledger says of imports: every file that was taken in, what became of its rows, and what took its place.

An entry says what was true when it was written and is never changed; what became of it later follows from later entries:

- an import that ``supersedes`` another takes the place of it, and of every correction of it;
- an import that ``corrects`` another adds rows that the other had in quarantine. Its ``takes`` says whose rows they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from asp_eval.intake.mapping.mapping import NO_MAPPING
from asp_eval.intake.mapping.mapping import Mapping as MappingFile
from asp_eval.intake.table import Table
from asp_eval.store import ledger
from asp_eval.store.connection import Store
from asp_eval.store.layout import typed_frame

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PARTS = ("accepted", "unanswered", "filtered", "collapsed", "duplicates", "quarantined")
COLUMNS = {
    "import_id": "BIGINT",
    "file": "VARCHAR",
    "sha256": "VARCHAR",
    "kept_sha256": "VARCHAR",
    "table_name": "VARCHAR",
    "wave": "VARCHAR",
    "part": "VARCHAR",
    "rows_in": "BIGINT",
    **dict.fromkeys((*PARTS, "rows_superseded", "rows_forgotten"), "BIGINT"),
    "superseded": "BOOLEAN",
    "supersedes": "DOUBLE",
    "corrects": "DOUBLE",
    "mapping_digest": "VARCHAR",
    "schema_digest": "VARCHAR",
    "package_version": "VARCHAR",
    "imported_at": "VARCHAR",
    "imported_by": "VARCHAR",
    "mapping": "VARCHAR",
}


@dataclass(frozen=True, slots=True)
class Import:
    """A file that was taken in.

    Attributes
    ----------
    entry : Entry
        What the ledger says of it.
    superseded : bool
        Whether another file took its place, or that of the file it corrects.
    taken : int
        Rows that corrections took out of its quarantine.
    forgotten : mapping of str to int
        Rows of children who withdrew, by what had become of them.
    copy : KeptCopy, optional
        What is kept of its file since such rows were taken out of that too.
    """

    entry: ledger.Entry
    superseded: bool
    taken: int
    forgotten: Mapping[str, int] = field(default_factory=dict)
    copy: ledger.KeptCopy | None = None

    @property
    def import_id(self) -> int:
        """The number of its entry."""
        return self.entry.entry

    @property
    def body(self) -> ledger.ImportBody:
        """What the entry says."""
        return _body(self.entry)

    @property
    def file(self) -> str:
        """Its name in ``data/``."""
        return self.copy.file if self.copy else self.body.file

    @property
    def kept_sha256(self) -> str:
        """Digest of what is kept of it."""
        return self.copy.sha256 if self.copy else self.body.kept_sha256

    @property
    def mapping(self) -> MappingFile:
        """The mapping that it was read with."""
        return MappingFile.model_validate_json(self.body.mapping) if self.body.mapping else NO_MAPPING

    def is_of(self, sha256: str, schema: str, mapping: MappingFile) -> bool:
        """Whether it is the file with a digest, read by the schema with a digest and by a mapping."""
        then = (self.body.sha256, self.body.schema_digest, self.body.mapping_digest)
        return then == (sha256, schema, mapping.digest)

    def counts(self) -> dict[str, int]:
        """Return what became of its rows, as of now: the `PARTS`, those superseded and forgotten, which add up to ``rows_in``."""
        if self.superseded:
            return {**dict.fromkeys(PARTS, 0), "rows_superseded": self.body.rows_in, "rows_forgotten": 0}
        now = {part: int(getattr(self.body, part)) - self.forgotten.get(part, 0) for part in PARTS}
        gone = {"rows_superseded": self.taken, "rows_forgotten": sum(self.forgotten.values())}
        return now | {"quarantined": now["quarantined"] - self.taken} | gone


@dataclass(frozen=True, slots=True)
class Change:
    """What a file changes beside adding its rows.

    Attributes
    ----------
    arms : mapping
        Arms that it adds to the allocation, by institution.
    supersedes : tuple of Import
        Those whose place it takes: one, or for a whole file all parts.
    corrects : Import, optional
        The one whose rows in quarantine it brings again.
    takes : mapping of int to int
        How many rows it takes over from the quarantine of each import.
    declares : bool
        Whether the file itself says what its labels mean, which a correction of it will need to know.
    """

    arms: Mapping[str, str] = field(default_factory=dict)
    supersedes: tuple[Import, ...] = ()
    corrects: Import | None = None
    takes: Mapping[int, int] = field(default_factory=dict)
    declares: bool = False


@dataclass(frozen=True, slots=True)
class Copy:
    """What is kept of a file in ``data/``.

    Attributes
    ----------
    name : str
        Where it is, from ``data/``.
    sha256 : str
        Digest of what is kept: the file's own, or that of a copy without what identifies persons.
    """

    name: str
    sha256: str


def enter(
    connection: DuckDBPyConnection, table: Table, mapping: MappingFile, copy: Copy, change: Change, study: str
) -> ledger.Entry:
    """Write an import into the ledger, when all of it is stored.

    Parameters
    ----------
    connection : DuckDBPyConnection
    table : Table
    mapping : Mapping
    copy : Copy
    change : Change
    study : str
        Identifier of the study.
    """
    body = ledger.ImportBody(
        file=copy.name,
        sha256=table.sha256,
        kept_sha256=copy.sha256,
        companions=dict(table.dialect.companions),
        table_name=table.name,
        wave=table.wave or "",
        rows_in=table.rows_read,
        **{part: getattr(table, part) for part in PARTS},
        supersedes=next((one.import_id for one in change.supersedes), None),
        corrects=change.corrects.import_id if change.corrects else None,
        takes=dict(change.takes),
        mapping_digest=mapping.digest,
        schema_digest=table.schema.digest,
        mapping=mapping.on_one_line,
        delimiter=table.dialect.delimiter or ",",
        decimal=table.dialect.decimal,
        dates=table.dialect.dates,
        declares=change.declares,
        **({"part": table.schema.part} if table.schema.part else {}),
        **({"supersedes_too": tuple(one.import_id for one in change.supersedes[1:])} if len(change.supersedes) > 1 else {}),
        **({"arms": dict(change.arms)} if change.arms else {}),
        **({"instruments": own} if (own := table.schema.own_documents) else {}),
    )
    return ledger.append(connection, body, study)


def imports(chain: Sequence[ledger.Entry]) -> tuple[Import, ...]:
    """Return the imports of a ledger in their order, and what became of each."""
    found = [(entry, _body(entry)) for entry in chain if entry.kind == ledger.ImportBody.kind]
    gone = {number for _, body in found for number in (body.supersedes, *body.supersedes_too)} - {None}
    gone |= {entry.entry for entry, body in found if body.corrects in gone}
    taken = dict.fromkeys((entry.entry for entry, _ in found), 0)
    for _, body in found:
        for number, rows in body.takes.items():
            taken[number] += rows
    forgotten: dict[int, Counter[str]] = {}
    copies: dict[int, ledger.KeptCopy] = {}
    for each in (entry.content for entry in chain if entry.kind == ledger.ForgetBody.kind):
        assert isinstance(each, ledger.ForgetBody)  # by its kind
        copies |= each.copies
        for number, parts in each.rows.items():
            forgotten.setdefault(number, Counter()).update(parts)
    return tuple(
        Import(entry, entry.entry in gone, taken[entry.entry], forgotten.get(entry.entry, {}), copies.get(entry.entry))
        for entry, _ in found
    )


def _body(entry: ledger.Entry) -> ledger.ImportBody:
    body = entry.content
    assert isinstance(body, ledger.ImportBody)  # by its kind
    return body


def standing(connection: DuckDBPyConnection, name: str, wave: str | None, part: str | None = None) -> tuple[Import, ...]:
    """Return what stands for a table and wave: the file, then its corrections; of an allocation, every file.

    Parameters
    ----------
    connection : DuckDBPyConnection
    name : str
    wave : str, optional
    part : str, optional
        Only what came with this part; empty for a whole file. By default all parts, as they came.
    """
    found = [one for one in imports(ledger.entries(connection)) if not one.superseded]
    here = [one for one in found if (one.body.table_name, one.body.wave) == (name, wave or "")]
    return tuple(one for one in here if part is None or one.body.part == part)


def files_of(stands: Iterable[Import]) -> tuple[Import, ...]:
    """Return the files among imports; corrections are not among them."""
    return tuple(one for one in stands if one.body.corrects is None)


def parts_in(connection: DuckDBPyConnection, name: str, wave: str | None) -> dict[str, int]:
    """Return how many rows are stored of each part of a table and wave, by its name; none if the whole stands."""
    parts: dict[str, int] = {}
    for one in standing(connection, name, wave):
        if one.body.part:
            parts[one.body.part] = parts.get(one.body.part, 0) + one.counts()["accepted"]
    return parts


def standing_files(folder: Path, name: str, wave: str | None) -> tuple[Import, ...]:
    """Return the files that stand for a table and wave: one, or one for each part; corrections are not among them."""
    with Store(folder).reading() as connection:
        stands = standing(connection, name, wave) if connection else ()
    return files_of(stands)


def frame(chain: Sequence[ledger.Entry]) -> pd.DataFrame:
    """Return the imports of a ledger as a table: `rows`."""
    return typed_frame(rows(chain), COLUMNS)


def rows(chain: Sequence[ledger.Entry]) -> list[dict[str, object]]:
    """Return the imports of a ledger, each with a value for every one of `COLUMNS`.

    In every row ``rows_in = accepted + unanswered + filtered + collapsed + duplicates + quarantined + rows_superseded +
    rows_forgotten``, as of now.
    """
    found_rows = []
    for found in imports(chain):
        entry, body = found.entry, found.body.model_dump()
        found_rows.append(
            {
                **{name: body.get(name) for name in COLUMNS},
                **found.counts(),
                "import_id": entry.entry,
                "file": found.file,
                "kept_sha256": found.kept_sha256,
                "superseded": found.superseded,
                "package_version": entry.package_version,
                "imported_at": entry.recorded_at,
                "imported_by": entry.recorded_by,
            }
        )
    return found_rows
