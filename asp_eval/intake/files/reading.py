"""From a file to a `RawTable`: everything text, nothing guessed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from asp_eval.core.errors import DataProblems, Fault
from asp_eval.core.phrases import all_of
from asp_eval.intake.files.columns import EMPTY_FILE
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.export import Export, Progress, Reader, quiet
from asp_eval.intake.files.raw import RawTable
from asp_eval.intake.files.readers import all_readers
from asp_eval.intake.masking import persons_masked

NO_FILE = Fault("SCR-001", "there is no such file", "Check the path.")
UNKNOWN_DIALECT = Fault(
    "SCR-071", "the mapping names a dialect that is not known", "Name one of these, or take 'dialect' out to have it detected."
)
TWO_DIALECTS = Fault(
    "SCR-072", "the file could be of more than one dialect: {names}", "Say which in the mapping: 'format: {{dialect: {first}}}'."
)


def read_raw(
    path: str | Path, form: FileFormat | None = None, *, progress: Progress = quiet, memo: dict[str, Any] | None = None
) -> RawTable:
    """Read a file as text, whatever wrote it.

    Ids keep their zeros ("007"), "NA" is a text, a blank row is passed over without renumbering the others.

    Parameters
    ----------
    path : str or Path
        Told apart by content, not by name.
    form : FileFormat, optional
        What is known of how the file was written; the rest is detected.
    progress : callable, optional
        Called with the bytes done and their total while a long text file is read.
    memo : dict, optional
        What a look at the file has shown already (`Export.memo`).

    Raises
    ------
    DataProblems
        SCR-001 to SCR-018 and SCR-071 to SCR-089, each with its place.
    """
    file = Path(path)
    if not file.is_file():
        raise DataProblems([NO_FILE.at(str(path))])
    export = Export(file, form or FileFormat(), progress, memo if memo is not None else {})
    if not export.start.strip() and not export.content.strip():
        raise DataProblems([EMPTY_FILE.at(file.name)])
    with persons_masked():
        raw = reader_of(export).read(export)
    companions = tuple((companion.source, companion.sha256) for companion in export.companions)
    return replace(raw, dialect=replace(raw.dialect, companions=companions))


def reader_of(export: Export) -> Reader:
    """Return the reader of a file: the one the mapping names, else the one that knows the file most closely.

    Raises
    ------
    DataProblems
        SCR-071 if the mapping names one that is not there, SCR-072 if several know the file equally well.
    """
    readers = all_readers()
    if export.format.dialect is not None:
        named = {reader.name: reader for reader in readers}
        if export.format.dialect not in named:
            raise DataProblems(
                [UNKNOWN_DIALECT.at(export.source, found=export.format.dialect, expected=", ".join(sorted(named)))]
            )
        return named[export.format.dialect]
    fitting = [reader for reader in readers if reader.recognises(export)]
    closest = [reader for reader in fitting if reader.rank == fitting[0].rank]
    if len(closest) > 1:
        names = [reader.name for reader in closest]
        raise DataProblems([TWO_DIALECTS.at(export.source, names=all_of(names), first=names[0])])
    return closest[0]
