"""Taking one child's answers out of everything that a study holds, when consent is withdrawn.

What is taken out is counted in the ledger; whose it was is not entered anywhere. The imports of which rows are gone keep their
entries, and `imports` counts ``rows_forgotten`` of them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from asp_eval.core.errors import DataProblems, Fault
from asp_eval.core.file_sets import NewFiles, file_set
from asp_eval.intake.files.columns import NO_ROWS
from asp_eval.intake.files.protected import ProtectedTable, protected_copy
from asp_eval.intake.files.raw import SPACES
from asp_eval.intake.mapping.mapping import mapping_beside
from asp_eval.intake.pipeline import read_export
from asp_eval.store import children, imports, ledger
from asp_eval.store.archive import is_entered, keep_export
from asp_eval.store.connection import Store
from asp_eval.store.layout import change, quoted, stored_columns, stored_tables
from asp_eval.store.parts import came_with
from asp_eval.store.reconciliation import refuse_unreconciled

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NO_CHILD = Fault(
    "STO-060",
    "no table, and no row in quarantine, has this child",
    "Give the id as the study has it: 'asp-eval check' and output/problems show ids as they are stored.",
)

CHILD = "child_id"


@dataclass(frozen=True, slots=True)
class Erased:
    """What was taken out.

    Attributes
    ----------
    rows : mapping of str to int
        Rows taken out of each stored table, by its name, ``quarantine`` included.
    entry : int
        The ledger's entry.
    """

    rows: Mapping[str, int]
    entry: int


def erase(
    connection: DuckDBPyConnection, ids: Collection[str], waves: Sequence[str], copies: Mapping[int, ledger.KeptCopy]
) -> Erased:
    """Take a child out of every table and of quarantine, and enter that in the ledger, inside the caller's transaction.

    Parameters
    ----------
    connection : DuckDBPyConnection
    ids : collection of str
        The child's id, in every way it may be stored.
    waves : sequence of str
        Of the study, in order.
    copies : mapping of int to KeptCopy
        What is kept from now on of the files that were imported, by entry.

    Raises
    ------
    Refusal
        STO-060 if the child is nowhere; STO-030 if the rows would not add up afterwards.
    """
    known = imports.imports(ledger.entries(connection))
    waits = [row for row in _waiting(connection, known) if row.child in ids]
    rows: dict[str, int] = {}
    gone: dict[int, Counter[str]] = {}
    for name in ("screening", "children"):
        for one in _where(connection, known, name, ids):
            gone.setdefault(one.import_id, Counter())[one.part] += one.n
    for name in stored_tables(connection):
        column = CHILD if CHILD in stored_columns(connection, name) else "unit_id" if name == "scores" else None
        if column is not None:
            condition = f"{quoted(column)} IN (SELECT unnest(?))" + (" AND unit = 'child'" if name == "scores" else "")
            ((n,),) = connection.execute(f"SELECT count(*) FROM {quoted(name)} WHERE {condition}", [list(ids)]).fetchall()
            if n:
                change(connection, name, f"DELETE FROM {quoted(name)} WHERE {condition}", [list(ids)])
                rows[name] = int(n)
    for row in waits:
        change(connection, "quarantine", "DELETE FROM quarantine WHERE import_id = ? AND row = ?", [row.import_id, row.row])
        gone.setdefault(row.latest, Counter())["quarantined"] += 1
    rows |= {"quarantine": len(waits)} if waits else {}
    if not rows and not copies:
        NO_CHILD.refuse()
    if stored_columns(connection, "child_reports"):
        children.derive(connection, waves)
    body = ledger.ForgetBody(rows={number: dict(parts) for number, parts in sorted(gone.items())}, copies=dict(copies))
    entry = ledger.append(connection, body)
    for name, wave in {(one.body.table_name, one.body.wave) for one in known}:
        refuse_unreconciled(connection, name, wave)
    return Erased(dict(sorted(rows.items())), entry.entry)


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows of a child that came with an import, and what had become of them."""

    import_id: int
    part: str
    n: int


def _where(connection: DuckDBPyConnection, known: Sequence[imports.Import], name: str, ids: Collection[str]) -> Iterator[_Part]:
    """Yield with which imports for a table a child's rows came: of a wave and part, one that still has rows of that kind."""
    of_table = [one for one in known if one.body.table_name == name and not one.superseded]
    for wave, part_of in dict.fromkeys((one.body.wave, one.body.part) for one in of_table):
        listed = _count(connection, "child_reports", wave, part_of, ids)
        rated = _count(connection, "screening", wave, part_of, ids) if name == "screening" else listed
        stands = [one for one in of_table if (one.body.wave, one.body.part) == (wave, part_of)]
        for part, n in (("accepted", rated), ("unanswered", listed - rated)):
            for one in stands:
                taken = min(n, one.counts()[part])
                n -= taken
                if taken:
                    yield _Part(one.import_id, part, taken)


def _count(connection: DuckDBPyConnection, name: str, wave: str, part: str, ids: Collection[str]) -> int:
    if not stored_columns(connection, name):
        return 0
    came = came_with(connection, name, part)
    query = f"SELECT count(*) FROM {quoted(name)} WHERE wave = ? AND {came} AND child_id IN (SELECT unnest(?))"
    ((n,),) = connection.execute(query, [wave, list(ids)]).fetchall()
    return int(n)


@dataclass(frozen=True, slots=True)
class _Waiting:
    import_id: int
    row: int
    latest: int
    child: str


def _waiting(connection: DuckDBPyConnection, known: Sequence[imports.Import]) -> Iterator[_Waiting]:
    """Yield the rows in quarantine with the child of each, as their cells have it."""
    if not stored_columns(connection, "quarantine"):
        return
    columns = {one.import_id: _column(one) for one in known}
    for number, row, latest, cells in connection.execute("SELECT import_id, row, latest, cells FROM quarantine").fetchall():
        yield _Waiting(number, row, latest, str(json.loads(cells).get(columns[number], "")).strip(SPACES))


def _column(one: imports.Import) -> str:
    """Return what a file calls the child's id."""
    return next((theirs for theirs, ours in one.mapping.rename.items() if ours == CHILD), CHILD)


def holding(known: Sequence[imports.Import], ids: Collection[str], data: Path) -> Iterator[tuple[imports.Import, ProtectedTable]]:
    """Yield the kept files that have a child, each with what it holds without the child.

    Parameters
    ----------
    known : sequence of Import
    ids : collection of str
    data : Path
        The folder of kept files.
    """
    for one in known:
        path = data / one.file
        if not path.is_file():
            continue
        try:
            raw = read_export(path, one.mapping.format)
        except DataProblems as error:
            if {problem.code for problem in error.problems} == {NO_ROWS.code}:  # another child was the last in it
                continue
            raise
        column = raw.columns.get(_column(one))
        if column is None:
            continue
        theirs = np.array([str(text).strip(SPACES) in ids for text in column.texts], dtype=bool)
        rows = column.where(theirs)
        if rows.any():
            yield one, ProtectedTable.of(raw.keep(~rows))


@dataclass(frozen=True, slots=True)
class KeptWithout:
    """What is kept from now on of files that had a child.

    Attributes
    ----------
    copies : mapping of int to KeptCopy
        The copy that stands for the file of each import, by its entry.
    files : tuple of NewFiles
        The files themselves, to be removed from ``data/`` with the transaction that enters the copies; none if there are none.
    """

    copies: Mapping[int, ledger.KeptCopy]
    files: tuple[NewFiles, ...]


@contextmanager
def kept_without(held: Sequence[tuple[imports.Import, ProtectedTable]], store: Store) -> Iterator[KeptWithout]:
    """Keep what is left of files beside them; after an error before that is entered, the copies are taken away.

    A copy is CSV, whatever the file was, and stands for the file: it is read as the file was, and imported it is the import.

    Parameters
    ----------
    held : sequence of (Import, ProtectedTable)
        From `holding`.
    store : Store
    """
    data, copies, files = store.folder / "data", dict[int, ledger.KeptCopy](), list[NewFiles]()
    with ExitStack() as stack:
        for one, left in held:
            path = data / one.file
            scratch = Path(stack.enter_context(TemporaryDirectory()))
            copy, origin = protected_copy(left, path).write(scratch)
            keeping = keep_export(copy, mapping_beside(path), data, (origin,), partial(is_entered, store))
            found = stack.enter_context(keeping)
            copies[one.import_id] = ledger.KeptCopy(file=found.name, sha256=found.sha256)
        if held:
            files.append(stack.enter_context(file_set(data)))
            files[0].remove(*_of_files(held, data))
        yield KeptWithout(copies, tuple(files))


def _of_files(held: Sequence[tuple[imports.Import, ProtectedTable]], data: Path) -> Iterator[str]:
    """Yield files and what explains them, by their names from ``data/``."""
    for path in dict.fromkeys(data / one.file for one, _ in held):
        if path.parent != data:  # it is there with what explains it, and nothing else
            beside = [each for each in sorted(path.parent.iterdir()) if each != path]
        else:
            beside = [mapping for mapping in [mapping_beside(path)] if mapping]
        for each in (*beside, path):
            yield each.relative_to(data).as_posix()
