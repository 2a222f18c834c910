"""Files that are no tables here: named for what they are, instead of being read as broken text."""

from __future__ import annotations

from asp_eval.core.errors import DataProblems, Fault
from asp_eval.core.phrases import Phrase
from asp_eval.intake.files.export import Export
from asp_eval.intake.files.guards.archive import PACKED

OTHER_FORMAT = Fault("SCR-085", "the file is {what}, which is not read here", "{remedy}")

_PACKED = (b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")
_SAVE = Phrase("Open it in a spreadsheet and save it as XLSX or CSV.")
_EXPORT = Phrase("Export the data as CSV, SPSS, Stata or Parquet.")
_PAGE = Phrase("If a system offered it as a workbook: open it in a spreadsheet and save it as XLSX or CSV.")
_ASK = Phrase("Ask for the data themselves, as CSV or XLSX.")
_STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", Phrase("a PDF"), _ASK),
    (b"{\\rtf", Phrase("a word processor's document"), _ASK),
    (b"<!doctype html", Phrase("a web page"), _PAGE),
    (b"<html", Phrase("a web page"), _PAGE),
    (b"<?xml", "XML", _SAVE),
    (b"\x09\x08\x10\0\0\x06", Phrase("a workbook of a very old kind"), _SAVE),
    (b"\x09\x08\x08\0\0\x05", Phrase("a workbook of a very old kind"), _SAVE),
    (b"\x09\x04\x06\0", Phrase("a workbook of a very old kind"), _SAVE),
    (b"\x09\x02\x06\0", Phrase("a workbook of a very old kind"), _SAVE),
    (b"\0" * 12 + b"\xc2\xea\x81\x60", Phrase("a SAS file"), _EXPORT),
    (b"header record*******library header", Phrase("a SAS transport file"), _EXPORT),
    (b"arrow1", Phrase("an Arrow file"), _EXPORT),
    (b"sqlite format 3", Phrase("a database"), _EXPORT),
    (b"rdx2", Phrase("an R file"), _EXPORT),
    (b"rdx3", Phrase("an R file"), _EXPORT),
    (b"\x89png", Phrase("a picture"), _ASK),
    (b"\xff\xd8\xff", Phrase("a picture"), _ASK),
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
        raise DataProblems(
            [OTHER_FORMAT.at(export.source, what=Phrase("an SPSS portable file"), remedy=Phrase("Save it as SAV."))]
        )
