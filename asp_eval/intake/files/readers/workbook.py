"""Workbooks: XLSX, XLS and ODS."""

from __future__ import annotations

from dataclasses import dataclass

from asp_eval.intake.files.columns import table_of
from asp_eval.intake.files.export import Export, Rank
from asp_eval.intake.files.header import header_of_records
from asp_eval.intake.files.raw import Dialect, RawTable
from asp_eval.intake.files.sheets import read_workbook, refuse_merged
from asp_eval.intake.files.workbook import is_workbook


@dataclass(frozen=True, slots=True)
class Workbook:
    """Reads the sheet that holds the data, or the sheets that its columns are spread over."""

    name: str = "workbook"
    rank: Rank = Rank.FORMAT

    def recognises(self, export: Export) -> bool:
        """Return whether the file begins as a workbook does, or calls itself one."""
        return is_workbook(export)

    def read(self, export: Export) -> RawTable:
        """Return the cells as text."""
        file_format = export.format
        kind, sheet, cells = read_workbook(export)
        dialect = Dialect(kind, sheet=sheet, decimal=file_format.decimal or ".", dates=file_format.dates)
        head = header_of_records(export, cells)
        refuse_merged(export, sheet, head.first_row)
        return table_of(export, head.names, head.records, dialect, header_row=head.row, first_row=head.first_row)


READER = Workbook()
