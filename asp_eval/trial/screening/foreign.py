"""Files that are no tables here: named for what they are, instead of being read as broken text."""

from __future__ import annotations

from asp_eval.core.errors import DataProblems, Fault
from asp_eval.trial.screening.archive import PACKED
from asp_eval.trial.screening.export import Export

OTHER_FORMAT = Fault("SCR-085", "the file is {what}, which is not read here", "{remedy}")

_PACKED = (b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")
_SAVE, _EXPORT = "Open it in a spreadsheet and save it as XLSX or CSV.", "Export the data as CSV, SPSS, Stata or Parquet."
_STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF", "Ask for the data themselves, as CSV or XLSX."),
    (b"{\\rtf", "a word processor's document", "Ask for the data themselves, as CSV or XLSX."),
    (b"<!doctype html", "a web page", f"If a system offered it as a workbook: {_SAVE[0].lower()}{_SAVE[1:]}"),
    (b"<html", "a web page", f"If a system offered it as a workbook: {_SAVE[0].lower()}{_SAVE[1:]}"),
    (b"<?xml", "XML", _SAVE),
    (b"\x09\x08\x10\0\0\x06", "a workbook of a very old kind", _SAVE),
    (b"\x09\x08\x08\0\0\x05", "a workbook of a very old kind", _SAVE),
    (b"\x09\x04\x06\0", "a workbook of a very old kind", _SAVE),
    (b"\x09\x02\x06\0", "a workbook of a very old kind", _SAVE),
    (b"\0" * 12 + b"\xc2\xea\x81\x60", "a SAS file", _EXPORT),
    (b"header record*******library header", "a SAS transport file", _EXPORT),
    (b"arrow1", "an Arrow file", _EXPORT),
    (b"sqlite format 3", "a database", _EXPORT),
    (b"rdx2", "an R file", _EXPORT),
    (b"rdx3", "an R file", _EXPORT),
    (b"\x89png", "a picture", "Ask for the data themselves, as CSV or XLSX."),
    (b"\xff\xd8\xff", "a picture", "Ask for the data themselves, as CSV or XLSX."),
)


def refuse_foreign(export: Export) -> None:
    """Refuse a file whose first bytes show that it is no text with a delimiter.

    Raises
    ------
    DataProblems
        SCR-074 for an archive, SCR-085 for other formats.
    """
    if export.start.startswith(_PACKED):
        raise DataProblems([PACKED.at(export.source)])
    first = export.start[:64].removeprefix(b"\xef\xbb\xbf").lstrip(b" \r\n").lower()
    for start, what, remedy in _STARTS:
        if first.startswith(start.lower()):
            raise DataProblems([OTHER_FORMAT.at(export.source, what=what, remedy=remedy)])
    if b"SPSS PORT FILE" in export.start[:400]:
        raise DataProblems([OTHER_FORMAT.at(export.source, what="an SPSS portable file", remedy="Save it as SAV.")])
