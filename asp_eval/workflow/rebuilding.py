"""The stored tables made again from ``data/`` and the ledger, in a folder apart, and compared with those of the study.

A seal says whether a table is what was stored; whoever can write ``study.duckdb`` can compute seals too. What the files in
``data/`` give, read again by their mappings, such a person would have to change as well.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from asp_eval.core.contained_paths import inside
from asp_eval.core.errors import AspError, Fault, Place, Problem
from asp_eval.core.phrases import Phrase, listed
from asp_eval.core.progress import Cancel, Progress, never, stoppable, unheard
from asp_eval.intake.checks.context import PART
from asp_eval.intake.files.columns import NO_ROWS
from asp_eval.intake.mapping.applying import NOTHING_LEFT
from asp_eval.store import Store, imports, ledger, table, write_allocation
from asp_eval.store.forgetting import erase
from asp_eval.store.layout import every_table
from asp_eval.store.table_differences import Difference, differences
from asp_eval.trial.randomisation.declaration import scheme_of
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import IMPORTABLE, base_schema
from asp_eval.workflow.import_file import import_again
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
MORE = Fault(
    "STO-069", "more differences in this table, which are not listed: {n}", "Cure those that are listed, then check again."
)

MOST_LISTED = 20  # differences of one table
ARMS = ("institution_id", "arm")  # what the ledger says of every draw
OWN_KEYS = {
    "child_reports": ("child_id", "wave"),
    "import_labels": ("import_id", "column_name", "text"),
    "quarantine": ("import_id", "row"),
}
NUMBERS = ("import_id", "latest")  # columns that hold numbers of entries
NOT_COMPARED = {"quarantine": ("reasons",)}
EMPTY = {NO_ROWS.code, NOTHING_LEFT.code}

REASONS = Phrase("The reasons of rows in quarantine: they name the file as it was called when it came.")
LABELS = Phrase("Labels that only children who withdrew had, in files that were rewritten without them.")
WHOSE = Phrase(
    "Whose rows were taken out when children withdrew, which is written nowhere: as many rows as the ledger counts, of children "
    "who are in no table, were taken for theirs. One who came in again with a later file is listed as different."
)

Frames = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of making the tables again.

    Attributes
    ----------
    problems : tuple of Problem
        STO-065 alone if something is refused now; else STO-066 to STO-069 for each difference, at most 20 for each table.
    not_compared : tuple of Phrase
        What the files in ``data/`` and the ledger do not say, so that it could not be compared.
    is_whole : bool
        Whether everything could be made again.
    """

    problems: tuple[Problem, ...] = ()
    not_compared: tuple[Phrase, ...] = ()
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class _Stored:
    """What a study holds at one moment."""

    chain: tuple[ledger.Entry, ...]
    tables: Frames


def rebuilt_differences(study: Study, *, progress: Progress = unheard, cancel: Cancel = never) -> Comparison:
    """Make the stored tables again from ``data/``, and compare them with those of the study.

    Files are imported again in the order of the ledger with the mappings beside them, corrections and files that took
    another's place as well; arms are those that the ledger says were drawn; children who withdrew are taken out; answers are
    scored again, if there are scores. All of it is done in a temporary folder; nothing is written in the study.

    Parameters
    ----------
    study : Study
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    """
    step = stoppable(progress, cancel)
    with TemporaryDirectory(prefix="asp-eval-") as folder:
        scratch = study.model_copy()
        scratch._folder = Path(folder)  # the same declaration, with a database of its own
        with Store.of(study).reading() as connection:
            if connection is None:
                return Comparison()
            stored = _Stored(ledger.entries(connection), every_table(connection))
            if (data := inside(study.folder, "data")).is_dir():
                shutil.copytree(data, scratch.folder / "data")
            shutil.copy(study.folder / "study.yaml", scratch.folder)
        replay = _Replay(scratch, {one.import_id: one for one in imports.imports(stored.chain)})
        for done, entry in enumerate(stored.chain):
            step(Phrase("rebuilding"), 0.9 * done / len(stored.chain))
            try:
                replay.again(entry)
            except AspError as error:
                found = "; ".join(map(str, error.problems))
                return Comparison((NOT_REBUILT.at(Phrase("ledger"), found=found, entry=entry.entry),), is_whole=False)
        step(Phrase("comparing"), 0.9)
        _forget(scratch, stored, replay.numbers)
        if "scores" in stored.tables:
            score_study(scratch)
        with Store.of(scratch).reading() as connection:
            rebuilt = every_table(connection) if connection is not None else {}
    rebuilt = {name: _renumbered(frame, replay.numbers) for name, frame in rebuilt.items()}
    names = sorted(stored.tables.keys() | rebuilt.keys())
    problems = tuple(problem for name in names for problem in _compared(name, stored, rebuilt, replay))
    return Comparison(problems, tuple(_not_compared(stored, rebuilt, replay)))


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
    drawn : dict of int to bool
        The draws, by entry, and whether the lot was drawn again, so that all is known of it and not the arms alone.
    """

    study: Study
    known: Mapping[int, imports.Import]
    numbers: dict[int, int] = field(default_factory=dict)
    drawn: dict[int, bool] = field(default_factory=dict)

    @property
    def rewritten(self) -> Collection[int]:
        """The imports whose file was rewritten without a child."""
        return {number for number, one in self.known.items() if one.copy is not None}

    def again(self, entry: ledger.Entry) -> None:
        """Do again what an entry says, if it brought data or arms."""
        body = entry.content
        if isinstance(body, ledger.ImportBody):
            if not self._import(self.known[entry.entry]):
                return
        elif isinstance(body, ledger.DrawBody):
            self._draw(entry, body)
        else:
            return
        with Store.of(self.study).reading() as connection:
            assert connection is not None  # something was stored
            self.numbers[ledger.next_number(connection) - 1] = entry.entry

    def _import(self, one: imports.Import) -> bool:
        """Import a file again; return whether there was a row in it."""
        try:
            path = inside(self.study.folder / "data", one.file)
            import_again(self.study, path, one.body.table_name, one.body.wave or None, one.body.part)
        except AspError as error:
            without_rows = {problem.code for problem in error.problems} <= EMPTY
            if one.copy is not None and without_rows and one.body.supersedes is None:  # all were of children who withdrew
                return False
            raise
        return True

    def _draw(self, entry: ledger.Entry, body: ledger.DrawBody) -> None:
        lot = self._lot(entry.kind, body)
        self.drawn[entry.entry] = lot is not None
        if lot is None:
            lot = pd.DataFrame({"institution_id": list(body.arms), "arm": list(body.arms.values())})
        said = body.model_dump(exclude={"arms", "study", "tables"}, exclude_unset=True)
        write_allocation(self.study, lot, kind=entry.kind, body=said)

    def _lot(self, kind: str, body: ledger.DrawBody) -> pd.DataFrame | None:
        """Draw a lot again over the list as it was then; None if that gives other arms than the ledger says, or none."""
        institutions = table(self.study, "institutions")
        rows = institutions[institutions["institution_id"].isin(list(body.arms))]
        if body.seed is None:
            return None
        try:
            lot = scheme_of(self.study, rows, late=kind == ledger.LateDrawBody.kind).allocate(body.seed)
        except AspError:  # study.yaml declares another by now
            return None
        arms = dict(zip(lot.institution_ids, lot.arms, strict=True))
        same = (lot.scheme, lot.digest, arms) == (body.scheme, body.digest, dict(body.arms))
        return lot.frame() if same else None


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


def _compared(name: str, stored: _Stored, rebuilt: Frames, replay: _Replay) -> Iterator[Problem]:
    """Yield the differences of one table, the first of them."""
    one, other = (tables.get(name, pd.DataFrame()) for tables in (stored.tables, rebuilt))
    one, other = (frame.drop(columns=list(NOT_COMPARED.get(name, ())), errors="ignore") for frame in (one, other))
    if name == "import_labels":
        one = one[~_only_withdrawn(one, other, replay)]
    if name == "allocation" and not all(replay.drawn.values()):
        one, other = (frame[[column for column in ARMS if column in frame]] for frame in (one, other))
    key = [column for column in _key(name) if column in one or column in other]
    found = differences(one, other, key)
    place = Phrase("table {table}", table=name)
    for each in found[:MOST_LISTED]:
        yield _problem(place, each)
    if len(found) > MOST_LISTED:
        yield MORE.at(place, n=len(found) - MOST_LISTED)


def _only_withdrawn(labels: pd.DataFrame, rebuilt: pd.DataFrame, replay: _Replay) -> pd.Series[bool]:
    """Return which labels are of a file that was rewritten without a child, and not in what is left of it."""
    key = list(OWN_KEYS["import_labels"])
    if labels.empty:
        return pd.Series(dtype=bool)
    left = set(rebuilt[key].itertuples(index=False, name=None)) if len(rebuilt) else set()
    gone = [row not in left for row in labels[key].itertuples(index=False, name=None)]
    return labels["import_id"].isin(replay.rewritten) & pd.Series(gone, index=labels.index)


def _not_compared(stored: _Stored, rebuilt: Frames, replay: _Replay) -> Iterator[Phrase]:
    """Yield what neither the files in ``data/`` nor the ledger say."""
    if len(stored.tables.get("quarantine", ())):
        yield REASONS
    labels = stored.tables.get("import_labels", pd.DataFrame())
    if _only_withdrawn(labels, rebuilt.get("import_labels", pd.DataFrame()), replay).any():
        yield LABELS
    if any(one.forgotten and one.copy is None for one in replay.known.values()):
        yield WHOSE
    if arms := [str(entry) for entry, again in replay.drawn.items() if not again]:
        yield Phrase(
            "Of the draws that are entries {entries} everything but the arms: the lot cannot be drawn again as the ledger says. "
            "'asp-eval randomise --verify' tells why.",
            entries=listed(arms),
        )


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
        return (*OWN_KEYS[name], PART)
    known = sorted((*IMPORTABLE, "scores"), key=len, reverse=True)  # staff_survey before staff
    return (*base_schema(next(each for each in known if name == each or name.startswith(f"{each}_"))).key, PART)
