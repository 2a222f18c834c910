"""The import ledger: every file that was taken in, what became of its rows, and what took its place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from asp_eval.trial.screening.mapping import Mapping
from asp_eval.trial.screening.table import Table
from asp_eval.trial.store.layout import ensure, fetch, stored_columns

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COLUMNS = {
    "import_id": "BIGINT",
    "file": "VARCHAR",
    "sha256": "VARCHAR",
    "table_name": "VARCHAR",
    "wave": "VARCHAR",
    "rows_in": "BIGINT",
    "accepted": "BIGINT",
    "unanswered": "BIGINT",
    "filtered": "BIGINT",
    "collapsed": "BIGINT",
    "superseded": "BOOLEAN",
    "mapping_digest": "VARCHAR",
    "schema_digest": "VARCHAR",
    "package_version": "VARCHAR",
    "imported_at": "VARCHAR",
    "mapping": "VARCHAR",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """The file that stands for a table and wave now."""

    import_id: int
    file: str
    sha256: str
    mapping_digest: str
    schema_digest: str

    def is_of(self, table: Table, mapping: Mapping) -> bool:
        """Whether it is the same file, read in the same way."""
        now = (table.sha256, mapping.digest, table.schema.digest)
        return (self.sha256, self.mapping_digest, self.schema_digest) == now


def standing(connection: DuckDBPyConnection, name: str, wave: str | None) -> Entry | None:
    """Return the import that stands for a table and wave."""
    if not stored_columns(connection, "import_ledger"):
        return None
    query = (
        "SELECT import_id, file, sha256, mapping_digest, schema_digest FROM import_ledger"
        " WHERE table_name = ? AND wave = ? AND NOT superseded ORDER BY import_id DESC LIMIT 1"
    )
    found = connection.execute(query, [name, wave or ""]).fetchone()
    return None if found is None else Entry(*found)


def state(connection: DuckDBPyConnection) -> tuple[int, int]:
    """Return what changes whenever the store does: the last import, and how many institutions have an arm."""
    last = allocated = 0
    if stored_columns(connection, "import_ledger"):
        last = int(fetch(connection, "SELECT coalesce(max(import_id), 0) AS last FROM import_ledger")["last"].iloc[0])
    if stored_columns(connection, "allocation"):
        allocated = int(fetch(connection, "SELECT count(*) AS n FROM allocation")["n"].iloc[0])
    return last, allocated


def enter(connection: DuckDBPyConnection, table: Table, mapping: Mapping, *, supersedes: Entry | None) -> None:
    """Write an import into the ledger, and mark the one whose place it takes."""
    ensure(connection, "import_ledger", COLUMNS)
    if supersedes is not None:
        connection.execute("UPDATE import_ledger SET superseded = true WHERE import_id = ?", [supersedes.import_id])
    row = {
        "import_id": state(connection)[0] + 1,
        "file": table.source,
        "sha256": table.sha256,
        "table_name": table.name,
        "wave": table.wave or "",
        "rows_in": table.rows_read,
        "accepted": table.accepted,
        "unanswered": table.unanswered,
        "filtered": table.filtered,
        "collapsed": table.collapsed,
        "superseded": False,
        "mapping_digest": mapping.digest,
        "schema_digest": table.schema.digest,
        "package_version": version("asp-eval"),
        "imported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "mapping": mapping.on_one_line,
    }
    marks = ", ".join("?" for _ in row)
    connection.execute(f"INSERT INTO import_ledger ({', '.join(row)}) VALUES ({marks})", list(row.values()))
