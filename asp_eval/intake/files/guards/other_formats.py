"""Files that are no tables here: named for what they are, instead of being read as broken text."""

from __future__ import annotations

import bz2
import lzma
import zlib

from asp_eval.core.errors import DataProblems, Fault
from asp_eval.core.phrases import Phrase
from asp_eval.intake.files.export import Export
from asp_eval.intake.files.guards.archive import PACKED

OTHER_FORMAT = Fault("SCR-085", "the file is {what}, which is not read here", "{remedy}")

_PACKED = (b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")
_SAVE = Phrase("Open it in a spreadsheet and save it as XLSX or CSV.")
_EXPORT = Phrase("Export the data as CSV, SPSS, Stata or Parquet.")
_SAS_DATA = Phrase("Take the data set itself, as SAS7BDAT, as a transport file (XPT) or as CSV.")
_PAGE = Phrase("If a system offered it as a workbook: open it in a spreadsheet and save it as XLSX or CSV.")
_ASK = Phrase("Ask for the data themselves, as CSV or XLSX.")
_R_FILE = Phrase("an R file")
_IN_R = Phrase(
    'Write its data frame as CSV, in R: write.csv(FRAME, "FILE.csv", row.names = FALSE, na = "", fileEncoding = "UTF-8").'
)
_R_STARTS = (b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n", b"X\n\0\0\0", b"A\n2\n", b"A\n3\n")  # of save() and saveRDS()
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
    (b"\0" * 12 + b"\xc2\xea\x81\x63", Phrase("a catalogue of SAS, with labels and no data"), _SAS_DATA),
    (b"**compressed** **compressed**", Phrase("a packed library of SAS (CPORT)"), _SAS_DATA),
    (b"arrow1", Phrase("an Arrow file"), _EXPORT),
    (b"sqlite format 3", Phrase("a database"), _EXPORT),
    (b"rdx2", _R_FILE, _IN_R),
    (b"rdx3", _R_FILE, _IN_R),
    (b"rda2", _R_FILE, _IN_R),
    (b"rda3", _R_FILE, _IN_R),
    (b"x\n\0\0\0", _R_FILE, _IN_R),  # saveRDS(compress = FALSE)
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
        if _unpacked(export.start, 8).startswith(_R_STARTS):
            raise DataProblems([OTHER_FORMAT.at(export.source, what=_R_FILE, remedy=_IN_R)])
        raise DataProblems([PACKED.at(export.source)])
    first = export.start[:64].removeprefix(b"\xef\xbb\xbf").lstrip(b" \r\n").lower()
    for start, what, remedy in _STARTS:
        if first.startswith(start.lower()):
            raise DataProblems([OTHER_FORMAT.at(export.source, what=what, remedy=remedy)])
    if b"SPSS PORT FILE" in export.start[:400]:
        raise DataProblems(
            [OTHER_FORMAT.at(export.source, what=Phrase("an SPSS portable file"), remedy=Phrase("Save it as SAV."))]
        )


def _unpacked(start: bytes, most: int) -> bytes:
    """Return the first bytes of what gzip, bzip2 or xz packed, as R does unasked; nothing if they cannot be unpacked."""
    try:
        if start.startswith(b"\x1f\x8b"):
            return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(start, most)
        if start.startswith(b"BZh"):
            return bz2.BZ2Decompressor().decompress(start, most)
        if start.startswith(b"\xfd7zXZ"):
            return lzma.LZMADecompressor().decompress(start, most)
    except (zlib.error, OSError, lzma.LZMAError):
        return b""
    return b""
