"""Text with a delimiter (CSV, TSV): whatever no other reader knows."""

from __future__ import annotations

from dataclasses import dataclass

from asp_eval.intake.files.columns import table_of
from asp_eval.intake.files.export import Export, Rank
from asp_eval.intake.files.guards.other_formats import refuse_foreign
from asp_eval.intake.files.header import header_of_records
from asp_eval.intake.files.raw import RawTable
from asp_eval.intake.files.text import records, text_dialect


@dataclass(frozen=True, slots=True)
class Delimited:
    """Reads CSV and TSV in any usual encoding."""

    name: str = "csv"
    rank: Rank = Rank.TEXT

    def recognises(self, export: Export) -> bool:  # noqa: ARG002 - the last resort
        """Return True: what is no text is refused with its reason when it is read."""
        return True

    def read(self, export: Export) -> RawTable:
        """Return the cells as they stand."""
        refuse_foreign(export)
        dialect = text_dialect(export, self.name)
        rows = records(export, dialect)
        head = header_of_records(export, rows)
        return table_of(export, head.names, head.records, dialect, header_row=head.row, first_row=head.first_row)


READER = Delimited()
