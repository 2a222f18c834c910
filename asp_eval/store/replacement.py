"""What a file that takes the place of another would lose: two parts of one wave are not two versions of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from asp_eval.core.errors import Fault, Problem, Refusal
from asp_eval.core.phrases import Phrase, listed, some_of
from asp_eval.intake.checks.validation import Sifted
from asp_eval.intake.files.raw import SPACES
from asp_eval.intake.table import Table
from asp_eval.store.children import REGISTER
from asp_eval.store.layout import fetch, items_table, quoted, stored_columns
from asp_eval.store.parts import of_part
from asp_eval.store.quarantine import units_waiting
from asp_eval.trial.tables.schema import LISTS, TableSchema

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

WAITING_VANISH = Fault(
    "STO-039",
    "{rows} of {before} in quarantine would vanish, for this file has no row of them: {names}",
    "Correct them in output/quarantine and import that first; or put them into this file. If they are to go, give --replace.",
)
VANISHING = Fault(
    "STO-013",
    "{count} of the file that stands here ({before}) would vanish, for this one has no row that can be accepted, or no answers, "
    "of them: {names}",
    "If the two files belong together, such as one per municipality, import each with --part and a name of its own. "
    "If this file is the whole, give --replace.",
)

WORDS = {
    "institutions": (Phrase("1 institution"), partial(Phrase, "{n} institutions")),
    "staff_survey": (Phrase("1 respondent"), partial(Phrase, "{n} respondents")),
    "staff": (Phrase("1 member of staff"), partial(Phrase, "{n} members of staff")),
    "interviews": (Phrase("1 interview"), partial(Phrase, "{n} interviews")),
    "implementation": (Phrase("1 event"), partial(Phrase, "{n} events")),
    "goals": (Phrase("1 goal"), partial(Phrase, "{n} goals")),
    "excerpts": (Phrase("1 excerpt"), partial(Phrase, "{n} excerpts")),
}
MOST_NAMED = 5


def counted(table: Table, n: int) -> str:
    """Say how many units of a table, in words."""
    one, many = WORDS.get(table.name, (Phrase("1 child"), partial(Phrase, "{n} children")))
    return one if n == 1 else many(n=n)


def vanishing(connection: DuckDBPyConnection, table: Table) -> list[str]:
    """Return the units stored for a table and wave that would vanish if a file took the place of what stands there.

    A unit vanishes if the file has no row of it, and also if it has answers to an instrument now and none in the file:
    a part of a wave may well list every child. Of a table without waves, the rows are the units.
    """
    if table.name in LISTS:
        return _lost_rows(connection, table)
    unit = table.schema.key[0]
    frame = table.checked
    replaced = partial(_stored, connection, unit=unit, schema=table.schema)
    lost = replaced(_listing(table.name)) - set(frame[unit])
    for forms in table.schema.alternatives:
        answers = [items_table(table.name, form) for form in forms]
        items = [name for form in forms for name in table.schema.items(form) if name in frame]
        stored = set[str]().union(*map(replaced, answers))
        lost |= stored - set(frame.loc[frame[items].notna().any(axis=1), unit])
    return sorted(lost)


@dataclass(frozen=True, slots=True)
class WaitingLost:
    """What waits in quarantine and a new file has no row of.

    Attributes
    ----------
    units : tuple of str
    nameless : int
        Rows that tell no unit, beyond those of the new file and those that are new in it.
    """

    units: tuple[str, ...] = ()
    nameless: int = 0

    @property
    def rows(self) -> int:
        """How many in all."""
        return len(self.units) + self.nameless


def waiting_lost(connection: DuckDBPyConnection, sifted: Sifted, before: Sequence[int]) -> WaitingLost:
    """Return what waits of imports in quarantine and would vanish if a file took their place.

    A row whose unit is not known cannot be found again by its id: it is there if the new file has a row without an id in its
    place, or a unit that the file before had neither stored nor waiting.

    Parameters
    ----------
    connection : DuckDBPyConnection
    sifted : Sifted
        The new file.
    before : sequence of int
        The imports whose place it takes.
    """
    table = sifted.table
    unit = table.schema.key[0]
    found = [units_waiting(connection, number, unit) for number in before]
    waiting, nameless = frozenset[str]().union(*(units for units, _ in found)), sum(n for _, n in found)
    if not waiting and not nameless:
        return WaitingLost()
    again = [str(cell).strip(SPACES) for cell in sifted.refused.columns[unit].cells()] if unit in sifted.refused.columns else []
    there = set(table.checked[unit].astype(str)) | set(again)
    added = there - {""} - waiting - _stored(connection, _listing(table.name), unit, table.schema)
    left = max(0, nameless - again.count("") - len(added))
    return WaitingLost(tuple(sorted(waiting - there)), left)


def refuse_waiting_lost(source: str, lost: WaitingLost, before: str) -> None:
    """Refuse a file that would make rows in quarantine vanish.

    Raises
    ------
    Refusal
        STO-039.
    """
    if lost.rows:
        rows = Phrase("1 row") if lost.rows == 1 else Phrase("{n} rows", n=lost.rows)
        nameless = [Phrase("{n} without an id", n=lost.nameless)] if lost.nameless else []
        names = listed([*([some_of(lost.units, MOST_NAMED)] if lost.units else []), *nameless])
        raise Refusal([WAITING_VANISH.at(source, rows=rows, before=before, names=names)])


def _lost_rows(connection: DuckDBPyConnection, table: Table) -> list[str]:
    """Return the keys stored that a file has no row of."""
    key = list(table.schema.key)
    replaced = of_part(connection, table.name, table.schema.part)
    stored = fetch(connection, f"SELECT {', '.join(map(quoted, key))} FROM {table.name} WHERE {replaced}")
    rows, now = (set(frame.itertuples(index=False, name=None)) for frame in (stored, table.checked[key]))
    return sorted(" ".join(row) for row in rows - now)


def refuse_vanishing(table: Table, lost: list[str], before: str, problems: Iterable[Problem]) -> None:
    """Refuse a file that would make units vanish, and list the problems of its rows, which may be why."""
    if lost:
        names, count = some_of(lost, MOST_NAMED), counted(table, len(lost))
        raise Refusal([VANISHING.at(table.source, count=count, before=before, names=names), *problems])


def _listing(name: str) -> str:
    """Return the stored table that lists the units of a file, also those without answers."""
    return "child_reports" if name in ("screening", "children") else name


def _stored(connection: DuckDBPyConnection, name: str, unit: str, schema: TableSchema) -> set[str]:
    columns = stored_columns(connection, name)
    if not columns:
        return set()
    replaced = of_part(connection, name, schema.part)
    wave, values = (" AND wave = ?", [schema.wave or REGISTER]) if "wave" in columns else ("", [])
    return set(fetch(connection, f"SELECT {unit} FROM {name} WHERE {replaced}{wave}", [*values])[unit])
