"""What results were computed from, and ``manifest.json``: what went in, what came out, and with which software.

Results are of one moment: `one_moment` verifies the stored tables and holds them while they are read, and the state that it
gives is compared again before anything is saved (`asp_eval.store.sealed_files`).
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import pandas as pd

from asp_eval.core.contained_paths import inside
from asp_eval.core.errors import Fault
from asp_eval.intake.mapping.mapping import kept_mapping
from asp_eval.store import ledger, table
from asp_eval.store.connection import Store
from asp_eval.store.imports import parts_in
from asp_eval.store.instrument_changes import refuse_changed_instruments
from asp_eval.store.instrument_digests import instrument_digests
from asp_eval.store.ledger.seals import refuse_changed, table_digests
from asp_eval.store.plan_locks import plan_lock
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.plan_fields import PlanLock

STALE = Fault(
    "ANA-006",
    "the results are older than the data, the instruments, study.yaml or this version of asp-eval",
    "Give 'asp-eval score', 'asp-eval analyse' and 'asp-eval gap' again, then the report.",
)
RESULT_FILES = ("results.json", "results.csv", "results.ard.csv", "gap.json", "process.json")
PROCESS_ONLY = ("interviews", "excerpts", "goals")
Scope = Literal["effects", "process"]
SOFTWARE = ("asp-eval", "numpy", "scipy", "pandas", "duckdb", "statsmodels", "linearmodels", "pingouin", "jinja2", "babel")


@dataclass(frozen=True, slots=True)
class Provenance:
    """What results were computed from, and with which software.

    Attributes
    ----------
    state : str
        Digest of everything the results depend on (`state_of`).
    ledger_head : str
        Digest of the ledger's last entry.
    inputs : dict
        SHA-256 digests of study.yaml, of the study's own instruments and norms, of the exports that stand and of their
        mappings, by their names in the study folder.
    package_version : str
    libraries : dict
        Versions of Python and of the libraries that the numbers and pages are made with.
    allocation_date, allocation_source : str
        When the lot was drawn, ISO 8601, and where; empty if not known.
    quarantined : dict
        Rows of each wave's screening that are in quarantine, and so not in the numbers; waves without any are left out.
    plan_lock : PlanLock, optional
        The lock of the plan, with every difference since; None if the plan was not locked.
    parts : dict of dict
        Rows that each part of a wave's screening brought, by its name; waves that came in one file are left out.
    """

    state: str
    ledger_head: str
    inputs: dict[str, str]
    package_version: str
    libraries: dict[str, str]
    allocation_date: str
    allocation_source: str
    quarantined: dict[str, int]
    plan_lock: PlanLock | None = None
    parts: dict[str, dict[str, int]] = field(default_factory=dict)


def provenance_of(study: Study) -> Provenance:
    """Return what results that are computed now are computed from."""
    allocation, software = table(study, "allocation"), _software()
    return Provenance(
        state=state_of(study),
        ledger_head=ledger_head(study),
        inputs=_inputs(study),
        package_version=software.pop("asp-eval"),
        libraries=software,
        allocation_date="; ".join(_distinct(allocation, "date")),
        allocation_source="; ".join(_distinct(allocation, "source")),
        quarantined=_quarantined(study),
        plan_lock=plan_lock(study),
        parts=_parts(study),
    )


@contextmanager
def one_moment(study: Study, scope: Scope = "effects") -> Iterator[str]:
    """Hold the stored data while they are read, so that everything read inside the block is of one moment; give its state.

    Other processes can read meanwhile, and not write: read everything, leave the block, then compute.

    Parameters
    ----------
    study : Study
    scope : {"effects", "process"}
        As of `state_of`.

    Yields
    ------
    str
        What `state_of` returns.

    Raises
    ------
    Refusal
        STO-040 for every table that is not what was stored.
    """
    with verified_tables(study):
        yield state_of(study, scope)


@contextmanager
def verified_tables(study: Study) -> Iterator[None]:
    """Hold the stored data as `one_moment` does, without their state; refuse those that are not what was stored: STO-040."""
    with Store.of(study).reading() as connection:
        if connection is not None:
            refuse_changed(connection, ledger.entries(connection))
        yield


def state_of(study: Study, scope: Scope = "effects") -> str:
    """Return a digest of everything results depend on.

    That is: study.yaml as the study was read from it; the version of this package; the declared instruments with their norms,
    and the study's own; every stored table; and the last entry of the ledger that brought data or arms.

    Parameters
    ----------
    study : Study
    scope : {"effects", "process"}
        No effect and no profile depends on the tables of `PROCESS_ONLY`; the process evaluation does, and on the coding frames.
        Goals are not among them where the rule ``received`` counts them.

    Raises
    ------
    DataProblems
        STO-050 if an instrument was changed after it was used.
    """
    refuse_changed_instruments(study)
    with Store.of(study).reading() as connection:
        chain = ledger.entries(connection) if connection is not None else ()
        tables = table_digests(connection) if connection is not None else {}
    counts_goals = study.received is not None and study.received.goals is not None
    left_out = [name for name in PROCESS_ONLY if scope == "effects" and not (name == "goals" and counts_goals)]
    brought = [entry.digest for entry in chain if entry.kind in ledger.DATA_KINDS and _table_of(entry) not in left_out]
    parts = {
        "study": study.digest,
        "version": version("asp-eval"),
        "instruments": instrument_digests(study),
        "own": {str(file.path): file.digest for file in (study.library.own_files if scope == "effects" else study.own_files)},
        "tables": {name: digest for name, digest in tables.items() if name not in left_out},
        "entry": brought[-1] if brought else "",
    }
    return hashlib.sha256(ledger.canonical(parts).encode()).hexdigest()


def _table_of(entry: ledger.Entry) -> str:
    """Return the table that an entry brought data of; empty if it is no import."""
    return entry.content.table_name if isinstance(entry.content, ledger.ImportBody) else ""


def ledger_head(study: Study) -> str:
    """Return the digest of the ledger's last entry; empty if nothing was ever entered."""
    digests = table(study, "ledger")["digest"]
    return str(digests.iloc[-1]) if len(digests) else ""


def printed_head(study: Study) -> str:
    """Return the head that ``output/manifest.json`` holds; empty if there is none."""
    path = study.folder / "output" / "manifest.json"
    if not path.is_file():
        return ""
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["ledger"]["head"])
    except (ValueError, KeyError, TypeError):  # of an older version, or damaged
        return ""


def refuse_stale(study: Study, state: str, source: str, fault: Fault = STALE, scope: Scope = "effects") -> None:
    """Refuse, by a fault, results that were computed from other data, or under another study.yaml, than stand now."""
    if state != state_of(study, scope):
        fault.refuse(source)


@dataclass(frozen=True, slots=True)
class Output:
    """A file of ``output/`` as the manifest knows it.

    Attributes
    ----------
    digest : str
        SHA-256 of its content.
    made_from : str
        Digest of everything that a page was made from; empty for results.
    state : {"as written", "changed", "gone"}
        What the file is now, compared with what the manifest says.
    shows : str
        Digest of what a page shows beside its results; empty if nothing.
    """

    digest: str
    made_from: str = ""
    state: Literal["as written", "changed", "gone"] = "as written"
    shows: str = ""


def manifest_of(study: Study, pages: Mapping[str, Output]) -> str:
    """Return ``output/manifest.json``: digests of what went in (`Provenance.inputs`) and of every output; versions; seed.

    Parameters
    ----------
    study : Study
    pages : mapping of str to Output
        Those of the report, by their names in ``output``. The results that are there are added.
    """
    output = study.folder / "output"
    results = {name: Output(_digest(output / name)) for name in RESULT_FILES if (output / name).is_file()}
    every = dict(sorted({**results, **pages}.items()))
    manifest = {
        "study": study.study.id,
        "synthetic": study.study.synthetic,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "draw": _draw(study),
        "ledger": {"entries": len(table(study, "ledger")), "head": ledger_head(study)},
        "inputs": _inputs(study),
        "outputs": {f"output/{name}": each.digest for name, each in every.items()},
        "made_from": {f"output/{name}": each.made_from for name, each in every.items() if each.made_from},
        "shows": {f"output/{name}": each.shows for name, each in every.items() if each.shows},
        "software": _software(),
    }
    return json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"


def outputs_before(study: Study) -> dict[str, Output]:
    """Return what the last manifest lists, by the names in ``output``, and whether each file is still as it was written."""
    output = study.folder / "output"
    try:
        manifest = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
        listed = {str(name): str(digest) for name, digest in manifest["outputs"].items()}
        made_from, shows = manifest.get("made_from", {}), manifest.get("shows", {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # none yet, of an older version, or damaged
        return {}
    found = {}
    for name, digest in listed.items():
        inner = name.removeprefix("output/")
        path = inside(output, inner)
        state: Literal["as written", "changed", "gone"] = "gone"
        if path.is_file():
            state = "as written" if _digest(path) == digest else "changed"
        found[inner] = Output(digest, str(made_from.get(name, "")), state, str(shows.get(name, "")))
    return found


def _draw(study: Study) -> dict[str, list[str]]:
    """Return the seed, scheme and digest of the draw, or where it was drawn."""
    allocation = table(study, "allocation")
    columns = [name for name in ("seed", "scheme", "digest", "date", "source") if name in allocation.columns]
    return {name: _distinct(allocation, name) for name in columns}


def _distinct(frame: pd.DataFrame, column: str) -> list[str]:
    """Return the texts of a column, each once, in order; none where there is no such column."""
    return sorted(frame[column].dropna().astype(str).unique()) if column in frame.columns else []


def _quarantined(study: Study) -> dict[str, int]:
    rows = table(study, "quarantine")
    waves = rows.loc[rows["table_name"] == "screening", "wave"].value_counts()
    return {wave: int(waves[wave]) for wave in study.wave_ids if wave in waves.index}


def _parts(study: Study) -> dict[str, dict[str, int]]:
    with Store.of(study).reading() as connection:
        found = {wave: parts_in(connection, "screening", wave) for wave in study.wave_ids} if connection is not None else {}
    return {wave: parts for wave, parts in found.items() if parts}


def _inputs(study: Study) -> dict[str, str]:
    return {_name(study, file): _digest(file) for file in [study.folder / "study.yaml", *_own_files(study), *_exports(study)]}


def _own_files(study: Study) -> list[Path]:
    return [study.folder / file.path for file in study.own_files]


def _software() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in SOFTWARE}}


def _standing_imports(study: Study) -> pd.DataFrame:
    """Return the imports that no later file has taken the place of."""
    ledger = table(study, "import_ledger")
    return ledger[~ledger["superseded"].astype(bool)].sort_values(["table_name", "wave", "sha256"])


def _exports(study: Study) -> list[Path]:
    """Return the files in ``data/`` that stand, with their mappings."""
    kept = [inside(study.folder / "data", name) for name in _standing_imports(study)["file"].astype(str).unique()]
    mappings = [kept_mapping(file) for file in kept]
    return sorted(file for file in (*kept, *mappings) if file.is_file())


def _name(study: Study, path: Path) -> str:
    return path.relative_to(study.folder).as_posix()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
