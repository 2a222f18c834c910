"""A look at the beginning of a file, for readers that have to recognise their own."""

from __future__ import annotations

from asp_eval.intake.files.export import Export
from asp_eval.intake.files.text import first_text_records
from asp_eval.intake.files.workbook import LOOKED_AT, first_sheets, is_workbook


def first_records(export: Export) -> list[list[str]]:
    """Return the first five records of a text file, or of a workbook's first sheet with data; none if it is neither.

    Never raises. The header is the first of them.
    """
    if is_workbook(export):
        return next((records for records in first_sheets(export).values() if records), [])
    if "records" not in export.memo:
        export.memo["records"] = first_text_records(export, LOOKED_AT)
    found = export.memo["records"]
    return found if isinstance(found, list) else []
