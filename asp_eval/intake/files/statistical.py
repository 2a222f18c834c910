"""SPSS, Stata and SAS files: read by `readstat` in a process of its own, for a damaged file must not end this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np

from asp_eval.core.errors import DataProblems, Fault
from asp_eval.core.phrases import Phrase
from asp_eval.intake.files import readstat
from asp_eval.intake.files.columns import Declared, finished
from asp_eval.intake.files.export import Export
from asp_eval.intake.files.raw import Dialect, RawTable, TextColumn, smallest

BROKEN_FILE = Fault(
    "SCR-078",
    "the {kind} file is damaged or was cut short: {reason}",
    "Fetch or export the file again; or export the data as CSV.",
)
WRONG_ENCODING = Fault(
    "SCR-079",
    "the {kind} file does not say truly how its letters are encoded",
    "Say it in the mapping: 'format: {{encoding: cp1252}}' is usual for files written before 2010.",
)
TOO_MUCH = Fault("SCR-080", "the {kind} file holds more than can be read from one", "Export the data as CSV.")
UNKNOWN_LENGTH = Fault(
    "SCR-081",
    "the {kind} file does not say how many rows it has; {rows} were found",
    "Compare that with the program that wrote it.",
    severity="warning",
)

LONGEST = 900  # seconds; a million rows of 62 take about a tenth of that
_NAMES = {"utf-8": "UTF-8", "cp1252": "WINDOWS-1252", "latin-1": "ISO-8859-1"}
Kind = Literal["spss", "stata", "sas", "xport"]
_SHOWN = {"spss": "SPSS", "stata": "Stata", "sas": "SAS", "xport": "SAS"}


def read_statistical(export: Export, kind: Kind) -> RawTable:
    """Return an SPSS, Stata or SAS file as text, with the labels, titles and user-missing values it declares.

    A number is written as the shortest text that reads as the same number; dates, moments and months as ISO text; a missing
    value of the system is an empty cell, one that a person declared keeps its code (Stata's as ``.a``, SAS's as ``.A``).

    Raises
    ------
    DataProblems
        SCR-078 to SCR-080, and what `finished` finds.
    """
    with tempfile.TemporaryFile() as output:
        status = _run(export, kind, output)
        output.seek(0)
        head = output.readline()
        document: dict[str, Any] = (
            json.loads(head) if status == 0 and head.endswith(b"\n") else {"wrong": "it cannot be followed"}
        )
        _refuse(document, export, kind)
        columns = [_column(output, texts, document["rows"]) for texts in document["texts"]]
    file_format = export.format
    dialect = Dialect(
        "sas" if kind == "xport" else kind, document["encoding"], decimal=file_format.decimal or ".", dates=file_format.dates
    )
    rows = np.arange(2, document["rows"] + 2, dtype=np.int64)
    missing = {name: frozenset(texts) for name, texts in document["user_missing"].items() if texts}
    declared = Declared(titles=document["titles"], labels=document["labels"], user_missing=missing)
    table = finished(export, document["names"], columns if len(rows) else [], rows, dialect, **declared)
    counted = document["declared_rows"] is not None or kind == "xport"  # which never says how many rows it has
    return table if counted else _uncounted(table, kind)


def _run(export: Export, kind: Kind, output: BinaryIO) -> int:
    named = export.format.encoding
    encoding = [_NAMES.get(named, named)] if named else []
    command = [sys.executable, "-P", "-X", "utf8", str(Path(readstat.__file__)), kind, str(export.path), *encoding]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    try:
        return subprocess.run(command, stdout=output, stderr=subprocess.DEVNULL, env=environment, timeout=LONGEST).returncode
    except subprocess.TimeoutExpired:
        return -1


def _refuse(document: dict[str, Any], export: Export, kind: Kind) -> None:
    """Refuse a file that could not be read whole."""
    shown = _SHOWN[kind]
    reason = document.get("wrong")
    if document.get("too_large") or (reason is not None and "allocate" in reason):
        raise DataProblems([TOO_MUCH.at(export.source, kind=shown)])
    if reason is not None and ("encoding" in reason or "codec" in reason):
        raise DataProblems([WRONG_ENCODING.at(export.source, kind=shown)])
    if reason is None and document["declared_rows"] not in {None, document["rows"]}:
        reason = Phrase("it declares {n} rows and holds {found}", n=document["declared_rows"], found=document["rows"])
    if reason is not None:
        shown_reason = reason if isinstance(reason, Phrase) else repr(reason)
        raise DataProblems([BROKEN_FILE.at(export.source, kind=shown, reason=shown_reason)])


def _column(output: BinaryIO, texts: list[str], rows: int) -> TextColumn:
    codes = np.frombuffer(output.read(4 * rows), dtype=np.uint32)
    different = np.empty(len(texts), dtype=object)
    different[:] = texts
    return TextColumn(smallest(codes, len(texts)), different)


def _uncounted(table: RawTable, kind: Kind) -> RawTable:
    return replace(table, notes=(*table.notes, UNKNOWN_LENGTH.at(table.source, kind=_SHOWN[kind], rows=len(table))))
