"""A workbook that is the same file for the same data: typed cells, and no trace of when it was written."""

from __future__ import annotations

import io
from datetime import datetime

import pandas as pd

from asp_eval.core.workbooks import TEXTS_STAY, midnight
from asp_eval.synthetic import population as pop

SHEET = "screening"


def workbook_bytes(frame: pd.DataFrame) -> bytes:
    """Return `frame` as the one sheet of an XLSX file; dates and numbers are typed cells, missing ones empty."""
    from xlsxwriter import Workbook  # slow to load, and wanted only here

    file = io.BytesIO()
    book = Workbook(file, TEXTS_STAY)
    book.set_properties({"author": "asp_eval", "created": midnight(pop.WAVES[-1].last)})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet(SHEET)
    sheet.write_row(0, 0, list(frame.columns))
    for place, name in enumerate(frame.columns):
        for row, value in enumerate(_cells(frame[name]), start=1):
            if isinstance(value, str):
                sheet.write_string(row, place, value)
            elif isinstance(value, datetime):
                sheet.write_datetime(row, place, value, day)
            elif value is not None:
                sheet.write_number(row, place, value)
    book.close()
    return file.getvalue()


def _cells(column: pd.Series) -> list[object]:
    """Plain Python values, None where missing."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return list(column.dt.to_pydatetime())
    return [None if missing else value for value, missing in zip(column.tolist(), column.isna().tolist(), strict=True)]
