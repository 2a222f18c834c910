"""A workbook that is the same file for the same data: typed cells, and no trace of when it was written."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime

import pandas as pd

from asp_eval.synthetic import population as pop

SHEET = "screening"
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")


def workbook_bytes(frame: pd.DataFrame) -> bytes:
    """Return `frame` as the one sheet of an XLSX file; dates and numbers are typed cells, missing ones empty."""
    import openpyxl  # slow to load, and wanted only here

    book = openpyxl.Workbook(write_only=True)
    written = datetime.combine(pop.WAVES[-1].last, datetime.min.time())
    book.properties.creator = "asp_eval"
    book.properties.created = written
    sheet = book.create_sheet(SHEET)
    sheet.append(list(frame.columns))
    columns = [_cells(frame[name]) for name in frame.columns]
    for row in zip(*columns, strict=True):
        sheet.append(row)
    raw = io.BytesIO()
    book.save(raw)
    return _undated(raw.getvalue(), written)


def _cells(column: pd.Series) -> list[object]:
    """Plain Python values, None where missing."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return list(column.dt.to_pydatetime())
    return [None if missing else value for value, missing in zip(column.tolist(), column.isna().tolist(), strict=True)]


def _undated(content: bytes, written: datetime) -> bytes:
    """Return the archive with every time in it set to `written`: saving stamps the hour of the day on entries and properties."""
    stamp = written.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            body = _MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<2>", source.read(name))
            entry = zipfile.ZipInfo(name, date_time=written.timetuple()[:6])
            target.writestr(entry, body, zipfile.ZIP_DEFLATED)
    return out.getvalue()
