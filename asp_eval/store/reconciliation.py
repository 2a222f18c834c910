"""Whether every row is accounted for: what the ledger says of each file, and what the store really holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from asp_eval.core.errors import Fault, Problem
from asp_eval.core.phrases import Phrase
from asp_eval.store import imports, ledger
from asp_eval.store.layout import quoted, stored_columns
from asp_eval.store.parts import came_with
from asp_eval.trial.tables.schema import BY_WAVE, at_wave

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DO_NOT_ADD_UP = Fault(
    "STO-030",
    "the rows do not add up: {what}",
    "Nothing was stored by this command. If study.duckdb was changed by hand, take it from a backup; otherwise this is a mistake "
    "in asp-eval: please report it.",
)


def refuse_unreconciled(connection: DuckDBPyConnection, name: str, wave: str) -> None:
    """Refuse, before it is committed, what does not add up for a table and wave.

    Raises
    ------
    Refusal
        STO-030.
    """
    for problem in unreconciled(connection, name, wave):
        DO_NOT_ADD_UP.refuse(problem.place, found=problem.found, expected=problem.expected, **problem.details)


def unreconciled(connection: DuckDBPyConnection, name: str, wave: str) -> Iterator[Problem]:
    """Yield what does not add up for a table and wave.

    1. Of each file, the counts of what became of its rows add up to its rows, and none is negative.
    2. The rows stored are those accepted from the files that stand, part by part; of children, those listed.
    3. The rows in quarantine are those that the ledger says are there, import by import.
    """
    found = [one for one in imports.imports(ledger.entries(connection)) if (one.body.table_name, one.body.wave) == (name, wave)]
    place = at_wave(name, wave)
    for one in found:
        counts = one.counts()
        if sum(counts.values()) != one.body.rows_in or min(counts.values()) < 0:
            what = Phrase("the rows of {file} (entry {entry})", file=one.file, entry=one.import_id)
            yield DO_NOT_ADD_UP.at(place, found=counts, expected=one.body.rows_in, what=what)
    for part in dict.fromkeys(one.body.part for one in found if not one.superseded):
        stands = [one.counts() for one in found if not one.superseded and one.body.part == part]
        for stored, kinds in _holds(name):
            expected = sum(counts[kind] for counts in stands for kind in kinds)
            count = _count(connection, stored, wave, part)
            if count != expected:
                what = Phrase("rows stored in {table}", table=stored)
                yield DO_NOT_ADD_UP.at(at_wave(name, wave, part), found=count, expected=expected, what=what)
    waiting = {one.import_id: one.counts()["quarantined"] for one in found if one.counts()["quarantined"]}
    there = _in_quarantine(connection, name, wave)
    if there != waiting:
        yield DO_NOT_ADD_UP.at(place, found=there, expected=waiting, what=Phrase("rows in quarantine, by import"))


def all_unreconciled(connection: DuckDBPyConnection) -> Iterator[Problem]:
    """Yield what does not add up anywhere."""
    found = imports.imports(ledger.entries(connection))
    for name, wave in dict.fromkeys((one.body.table_name, one.body.wave) for one in found):
        yield from unreconciled(connection, name, wave)


def _holds(name: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the stored tables that hold a file's rows, and the parts they hold. The allocation is replayed elsewhere."""
    listed = ("child_reports", ("accepted", "unanswered"))
    match name:
        case "allocation":
            return ()
        case "children":
            return (listed,)
        case "screening":
            return ((name, ("accepted",)), listed)
        case _:
            return ((name, ("accepted",)),)


def _count(connection: DuckDBPyConnection, name: str, wave: str, part: str) -> int:
    if not stored_columns(connection, name):
        return 0
    by_wave = name in (*BY_WAVE, "child_reports")
    condition, values = (" AND wave = ?", [wave]) if by_wave else ("", [])
    came = came_with(connection, name, part)
    ((count,),) = connection.execute(f"SELECT count(*) FROM {quoted(name)} WHERE {came}{condition}", [*values]).fetchall()
    return int(count)


def _in_quarantine(connection: DuckDBPyConnection, name: str, wave: str) -> dict[int, int]:
    if not stored_columns(connection, "quarantine"):
        return {}
    query = "SELECT latest, count(*) FROM quarantine WHERE table_name = ? AND wave = ? GROUP BY latest ORDER BY latest"
    return dict(connection.execute(query, [name, wave]).fetchall())
