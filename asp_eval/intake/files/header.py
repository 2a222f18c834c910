"""Where the names of the columns stand in a file: in its first row that is not blank, unless titles stand above them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from asp_eval.core.errors import DataProblems, Fault, Place
from asp_eval.intake.files.export import Export
from asp_eval.intake.files.raw import SPACES

TITLE_ABOVE = Fault(
    "SCR-204",
    "row {row} looks like a title, and the names of the columns seem to stand in row {header}",
    "Say in the mapping where they stand: 'format: {{header_row: {header}}}'. If row {row} does name the columns, say "
    "'header_row: {row}'.",
)
TWO_HEADERS = Fault(
    "SCR-205",
    "row {row} seems to hold headings of groups, and row {header} the names of the columns",
    "Say in the mapping where they stand: 'format: {{header_row: {header}}}'. If row {row} does name the columns, say "
    "'header_row: {row}'.",
)
NO_HEADER = Fault(
    "SCR-206", "the mapping says that the header is in row {row}, and the file ends before it", "Correct 'header_row'."
)

LOOKED_AT = 12  # records, the first that is not blank among them
FEWEST_NAMES = 3  # cells of a row that can be a header below a title


@dataclass(frozen=True, slots=True)
class Head:
    """The header of a file, and the records below it.

    Attributes
    ----------
    names : list of str
    records : iterator of list of str
    row : int
        Number of the header in a spreadsheet.
    first_row : int
        Number of the first record below it.
    """

    names: list[str]
    records: Iterator[list[str]]
    row: int
    first_row: int


def header_of_records(export: Export, records: Iterator[list[str]]) -> Head:
    """Return the header of a file and what stands below it, as the mapping says or else as the first rows show.

    Blank rows above are passed over. A row that looks like a title is not: what stands below it may be the header, or a first row
    of data under a header of one column.

    Parameters
    ----------
    export : Export
        Its mapping may say ``header_row`` and ``skip_after_header``.
    records : iterator of list of str
        From row 1 on.

    Raises
    ------
    DataProblems
        SCR-204 and SCR-205 with the row where the header seems to be; SCR-206.
    """
    told = export.format.header_row
    skipped = told - 1 if told is not None else 0
    before = list(islice(records, skipped))
    while told is None and (record := next(records, None)) is not None:
        if any(cell.strip(SPACES) for cell in record):
            records = chain([record], records)
            break
        skipped += 1
    row = skipped + 1
    names = next(records, None)
    if names is None:
        if told is not None:
            raise DataProblems([NO_HEADER.at(Place(export.source, row=len(before) + 1), row=told)])
        return Head([], iter(()), row, row + 1)
    if told is None:
        following = list(islice(records, LOOKED_AT))
        _refuse_title(export, names, following, row)
        records = chain(following, records)
    for _ in range(export.format.skip_after_header):
        next(records, None)
    return Head(names, records, row, row + 1 + export.format.skip_after_header)


def _refuse_title(export: Export, first: Sequence[str], following: Sequence[Sequence[str]], row: int) -> None:
    """Refuse a first row that is a title, or the headings of groups, above a row that names the columns."""
    filled = _filled(first)
    below = [(number, record) for number, record in enumerate(following, start=row + 1) if _filled(record)]
    widest = max((_filled(record) for _, record in below), default=0)
    for number, record in below:
        if _names(record) and _filled(record) >= max(FEWEST_NAMES, widest - 1) and 2 * filled <= _filled(record):
            fault = TITLE_ABOVE if filled <= 2 or number > row + 1 else TWO_HEADERS
            raise DataProblems([fault.at(Place(export.source, row=row), row=row, header=number)])


def _filled(record: Sequence[str]) -> int:
    return sum(1 for cell in record if cell.strip(SPACES))


def _names(record: Sequence[str]) -> bool:
    """Whether a row can name columns: texts, no two the same, and no number among them."""
    cells = [cell.strip(SPACES) for cell in record if cell.strip(SPACES)]
    return len(set(cells)) == len(cells) and all(any(map(str.isalpha, cell)) for cell in cells)
