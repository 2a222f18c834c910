"""The stored tables made again from ``data/`` and the ledger, in a folder apart, and compared with those of the study.

A seal says whether a table is what was stored; whoever can write ``study.duckdb`` can compute seals too. What the files in
``data/`` give, read again by their mappings, such a person would have to change as well.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from asp_eval.core.contained_paths import inside
from asp_eval.core.errors import AspError, Fault, Place, Problem
from asp_eval.core.phrases import Phrase
from asp_eval.core.progress import Cancel, Progress, never, stoppable, unheard
from asp_eval.store import Store, imports, ledger, write_allocation
from asp_eval.store.forgetting import erase
from asp_eval.store.layout import every_table
from asp_eval.store.table_differences import Difference, differences
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import IMPORTABLE, base_schema
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.score import score_study

NOT_REBUILT = Fault(
    "STO-065",
    "the tables cannot be made again from data/: what entry {entry} of the ledger did is refused now",
    "Cure what is said of it. If study.yaml was changed since, declare again what the file was read with.",
)
OTHER_CELL = Fault(
    "STO-066",
    "the cell in study.duckdb is not what the files in data/ give",
    "Someone changed study.duckdb, a file in data/, or study.yaml. Take them from a backup, or make study.duckdb again from "
    "data/ as docs/ledger.md says.",
)
ROW_TOO_MANY = Fault(
    "STO-067",
    "the row stands in study.duckdb, and the files in data/ do not give it",
    "Someone changed study.duckdb, a file in data/, or study.yaml. Take them from a backup, or make study.duckdb again from "
    "data/ as docs/ledger.md says.",
)
ROW_GONE = Fault(
    "STO-068",
    "the files in data/ give the row, and study.duckdb has none",
    "Someone changed study.duckdb, a file in data/, or study.yaml. Take them from a backup, or make study.duckdb again from "
    "data/ as docs/ledger.md says.",
)
MORE = Fault("STO-069", "{n} more differences in this table are not listed", "Cure those that are listed, then check again.")

MOST_LISTED = 20  # differences of one table
DRAWN = ("institution_id", "arm", "seed", "scheme", "digest")  # what the ledger says of a draw
OWN_KEYS = {
    "child_reports": ("child_id", "wave"),
    "import_labels": ("import_id", "column_name", "text"),
    "quarantine": ("import_id", "row"),
}
NUMBERS = ("import_id", "latest")  # columns that hold numbers of entries
NOT_COMPARED = {"quarantine": ("reasons",)}  # sentences, which name the file as it was called when it came

Frames = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, slots=True)
class _Stored:
    """What a study holds at one moment."""

    chain: tuple[ledger.Entry, ...]
    tables: Frames


def rebuilt_differences(study: Study, *, progress: Progress = unheard, cancel: Cancel = never) -> tuple[Problem, ...]:
    """Make the stored tables again from ``data/``, and return where they differ from those of the study.

    Files are imported again in the order of the ledger with the mappings beside them, corrections and files that took
    another's place as well; arms are those that the ledger says were drawn; children who withdrew are taken out; answers are
    scored again, if there are scores. All of it is done in a temporary folder; nothing is written in the study.

    Parameters
    ----------
    study : Study
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    Returns
    -------
    tuple of Problem
        STO-065 alone if something is refused now; else STO-066 to STO-069 for each difference, at most 20 for each table.
    """
    step = stoppable(progress, cancel)
    with TemporaryDirectory(prefix="asp-eval-") as folder:
        scratch = study.model_copy()
        scratch._folder = Path(folder)  # the same declaration, with a database of its own
        with Store.of(study).reading() as connection:
            if connection is None:
                return ()
            stored = _Stored(ledger.entries(connection), every_table(connection))
            if (data := inside(study.folder, "data")).is_dir():
                shutil.copytree(data, scratch.folder / "data")
            shutil.copy(study.folder / "study.yaml", scratch.folder)
        known = {one.import_id: one for one in imports.imports(stored.chain)}
        rewritten = {number for number, one in known.items() if one.copy is not None}
        replay = _Replay(scratch, known, {})
        for done, entry in enumerate(stored.chain):
            step(Phrase("rebuilding"), 0.9 * done / len(stored.chain))
            try:
                replay.again(entry)
            except AspError as error:
                if entry.entry in rewritten:  # no row of it is left that can be stored
                    continue
                return (NOT_REBUILT.at(Phrase("ledger"), found="; ".join(map(str, error.problems)), entry=entry.entry),)
        step(Phrase("comparing"), 0.9)
        _forget(scratch, stored, replay.numbers)
        if "scores" in stored.tables:
            score_study(scratch)
        with Store.of(scratch).reading() as connection:
            rebuilt = every_table(connection) if connection is not None else {}
    rebuilt = {name: _renumbered(frame, replay.numbers) for name, frame in rebuilt.items()}
    names = sorted(stored.tables.keys() | rebuilt.keys())
    return tuple(problem for name in names for problem in _compared(name, stored, rebuilt, rewritten))


@dataclass(frozen=True, slots=True)
class _Replay:
    """Entries of a ledger done again in another folder.

    Attributes
    ----------
    study : Study
        In that folder.
    known : mapping of int to Import
        The imports, by entry.
    numbers : dict of int to int
        The entry in the study's ledger, by the entry in that of the folder.
    """

    study: Study
    known: Mapping[int, imports.Import]
    numbers: dict[int, int]

    def again(self, entry: ledger.Entry) -> None:
        """Do again what an entry says, if it brought data or arms."""
        body = entry.content
        if isinstance(body, ledger.ImportBody):
            path = inside(self.study.folder / "data", self.known[entry.entry].file)
            import_file(self.study, path, body.table_name, wave=body.wave or None, replace=True)
        elif isinstance(body, ledger.DrawBody):
            self._draw(entry.kind, body)
        else:
            return
        with Store.of(self.study).reading() as connection:
            assert connection is not None  # something was stored
            self.numbers[ledger.next_number(connection) - 1] = entry.entry

    def _draw(self, kind: str, body: ledger.DrawBody) -> None:
        arms = pd.DataFrame({"institution_id": list(body.arms), "arm": list(body.arms.values())})
        if body.seed is not None:
            arms = arms.assign(seed=float(body.seed), scheme=body.scheme, digest=body.digest)
        said = body.model_dump(exclude={"arms", "study", "tables"}, exclude_unset=True)
        write_allocation(self.study, arms, kind=kind, body=said)


class _TooMany(Exception):
    """More rows would be taken out than the ledger says."""


def _forget(scratch: Study, stored: _Stored, numbers: Mapping[int, int]) -> None:
    """Take out the children that only the rebuilt tables have, if the ledger says that as many of their rows were forgotten.

    Whose they were it does not say.
    """
    said = {(one.import_id, part): n for one in imports.imports(stored.chain) for part, n in one.forgotten.items()}
    if not said:
        return
    with suppress(_TooMany), Store.of(scratch).writing() as connection:
        if gone := _children(every_table(connection)) - _children(stored.tables):
            erase(connection, gone, scratch.wave_ids, {})
            last = ledger.entries(connection)[-1].content
            assert isinstance(last, ledger.ForgetBody)  # just entered
            if any(n > said.get((numbers[at], part), 0) for at, parts in last.rows.items() for part, n in parts.items()):
                raise _TooMany


def _children(tables: Frames) -> set[str]:
    """Return the children that tables have, those in quarantine too."""
    found = {str(child) for frame in tables.values() if "child_id" in frame for child in frame["child_id"].dropna()}
    if (waiting := tables.get("quarantine")) is not None:
        found |= set(waiting.loc[waiting["table_name"].isin(["screening", "children"]), "key"].dropna())
    return found


def _renumbered(frame: pd.DataFrame, numbers: Mapping[int, int]) -> pd.DataFrame:
    """Return a table with entries numbered as in the study's ledger."""
    return frame.assign(**{name: frame[name].map(numbers) for name in NUMBERS if name in frame})


def _compared(name: str, stored: _Stored, rebuilt: Frames, rewritten: Collection[int]) -> Iterator[Problem]:
    """Yield the differences of one table, the first of them.

    What is stored of the rows that wait in a file, and of its labels, is not compared if the file was rewritten without a child.
    """
    one, other = (tables.get(name, pd.DataFrame()) for tables in (stored.tables, rebuilt))
    one, other = (frame.drop(columns=list(NOT_COMPARED.get(name, ())), errors="ignore") for frame in (one, other))
    one, other = (frame[~frame["import_id"].isin(rewritten)] if "import_id" in frame else frame for frame in (one, other))
    if name == "allocation" and any(isinstance(entry.content, ledger.DrawBody) for entry in stored.chain):
        one, other = (frame[[column for column in DRAWN if column in frame]] for frame in (one, other))
    key = [column for column in _key(name) if column in one or column in other]
    found = differences(one, other, key)
    place = Phrase("table {table}", table=name)
    for each in found[:MOST_LISTED]:
        yield _problem(place, each)
    if len(found) > MOST_LISTED:
        yield MORE.at(place, n=len(found) - MOST_LISTED)


def _problem(table: Phrase, found: Difference) -> Problem:
    key = ", ".join(f"{name}={value}" for name, value in found.key.items())
    place = Place(Phrase("{table}, {key}", table=table, key=key), column=found.column or None)
    if found.column:
        missing = Phrase("missing")
        return OTHER_CELL.at(place, found=found.stored or missing, expected=found.rebuilt or missing)
    return ROW_TOO_MANY.at(place, found=found.stored) if found.stored is not None else ROW_GONE.at(place, expected=found.rebuilt)


def _key(name: str) -> Sequence[str]:
    """Return the key of a stored table; that of the answers to an instrument is the key of its visits."""
    if name in OWN_KEYS:
        return OWN_KEYS[name]
    known = sorted((*IMPORTABLE, "scores"), key=len, reverse=True)  # staff_survey before staff
    return base_schema(next(each for each in known if name == each or name.startswith(f"{each}_"))).key
