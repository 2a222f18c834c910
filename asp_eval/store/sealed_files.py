"""Files that are computed from the stored data: entered in the ledger with their digests, and verified when they are read.

They appear, and the entry is committed, or neither (`asp_eval.store.connection`); and only if the data are still those that they
were computed from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from asp_eval.core.errors import Fault, Problem
from asp_eval.core.file_sets import NewFiles, file_set, finish_file_sets
from asp_eval.store import ledger
from asp_eval.store.connection import Store
from asp_eval.store.ledger import Entry, LedgerBody, ResultsBody
from asp_eval.store.provenance import Scope, state_of
from asp_eval.store.queries import ledger_frames, write_for_people
from asp_eval.trial.study.design import Study

MOVED = Fault(
    "STO-047",
    "the data, or study.yaml, were changed while the work was done, so that its result is of what is no longer there",
    "Nothing was written. Give the command again.",
)
NOT_AS_WRITTEN = Fault(
    "STO-048",
    "the file is not the one that 'asp-eval {verb}' wrote, as the ledger says",
    "Someone changed it, or it is of another study. Give 'asp-eval {verb}' again.",
)
FILE_GONE = Fault(
    "STO-049", "the file that 'asp-eval {verb}' wrote is no longer there", "Give 'asp-eval {verb}' again.", "warning"
)


@contextmanager
def sealed_files(
    study: Study,
    state: str,
    body: Callable[[Mapping[str, str]], LedgerBody],
    folder: Path | None = None,
    scope: Scope = "effects",
) -> Iterator[NewFiles]:
    """Write files that appear together with the ledger's entry of them.

    Parameters
    ----------
    study : Study
    state : str
        Of the data that they were computed from (`asp_eval.store.provenance.one_moment`).
    body : callable
        Gives what the entry says, from the files' digests by name.
    folder : Path, optional
        Where they appear; by default the study's ``output``.
    scope : {"effects", "process"}
        Of the state.

    Yields
    ------
    NewFiles

    Raises
    ------
    Refusal
        STO-047 if the data, or study.yaml, are others by now. Nothing is then written.
    """
    target = folder or Store.of(study).output
    with Store.of(study).reading() as connection:
        digests = {entry.digest for entry in ledger.entries(connection)} if connection is not None else set[str]()
        finish_file_sets(target, digests.__contains__)
    with file_set(target) as new:
        yield new
        with Store.of(study).writing(new) as connection:
            refuse_moved(study, state, scope)
            ledger.append(connection, body(new.digests()), study.study.id)
            if folder is None:
                write_for_people(new, ledger_frames(connection, study))


def refuse_moved(study: Study, state: str, scope: Scope = "effects") -> None:
    """Refuse to write down what was computed from other data, or under another study.yaml, than stand now: STO-047."""
    if state_of(study, scope) != state or hashlib.sha256((study.folder / "study.yaml").read_bytes()).hexdigest() != study.digest:
        MOVED.refuse("study.duckdb")


def refuse_unsealed(study: Study, name: str, kind: type[ResultsBody]) -> None:
    """Refuse a file in ``output`` that is not the one that the last entry of its kind says: STO-048."""
    with Store.of(study).reading() as connection:
        chain = ledger.entries(connection) if connection is not None else ()
    digest = _digest(study, name)
    sealed = {} if (last := _last(chain, kind)) is None else last.files
    if sealed.get(name) != digest:
        NOT_AS_WRITTEN.refuse(name, found=digest[:12], expected=sealed.get(name, "")[:12] or None, verb=kind.kind)


def changed_files(study: Study, chain: tuple[Entry, ...]) -> Iterator[Problem]:
    """Yield the files in ``output`` that are not those that the last analysis, profiles, process evaluation and report wrote."""
    for kind in (ledger.ResultsBody, ledger.GapBody, ledger.ProcessBody, ledger.ReportBody):
        if (last := _last(chain, kind)) is not None:
            for name, was in last.files.items():
                place = f"output/{name}"
                if (now := _digest(study, name)) == "":
                    yield FILE_GONE.at(place, verb=kind.kind)
                elif now != was:
                    yield NOT_AS_WRITTEN.at(place, found=now[:12], expected=was[:12], verb=kind.kind)


def _last(chain: tuple[Entry, ...], kind: type[ResultsBody]) -> ResultsBody | None:
    found = [entry.content for entry in chain if entry.kind == kind.kind]
    return found[-1] if found and isinstance(found[-1], ResultsBody) else None


def _digest(study: Study, name: str) -> str:
    path = study.folder / "output" / name  # contained: the entry's model says so
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
