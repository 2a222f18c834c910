"""Workbooks in the old format (XLS): looked through record by record before anything holds them whole.

The file is a small file system of sectors (OLE) with one file in it, the records of the workbook (BIFF). Only as much is
followed as shows where the last cell lies and which cells hold an error.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from asp_eval.core.errors import DataProblems, Place, Problem
from asp_eval.intake.files.columns import shorten
from asp_eval.intake.files.guards.archive import DAMAGED, ENCRYPTED, ERROR_CELL, NOT_COMPUTED, STALE, CheckedBook, check_grids
from asp_eval.intake.files.guards.workbook_xml import Cell, SheetMarks, column_letters, shown_digits

_FREE, _LAST_KIND = 0xFFFFFFFF, 0xFFFFFFFA  # sector numbers from the second on are marks
_START_OF_SHEET, _PROTECTED = 0x0809, 0x002F
_CELLS = {0x0203, 0x0204, 0x0205, 0x0006, 0x027E, 0x00FD, 0x00D6}  # number, label, truth value, formula, RK, text, rich text
_MANY_NUMBERS = 0x00BD
_NUMBERS, _FORMULA = {0x0203, 0x027E}, 0x0006
_SHEET, _FORMAT, _STYLE = 0x0085, 0x041E, 0x00E0
_CALCULATE_ON_LOAD, _EMPTY_TEXT = 2, 3


def check_old_book(content: bytes, source: str) -> CheckedBook:
    """Refuse an old workbook that cannot be read, or would fill the memory; return what its sheets show beside their cells.

    Raises
    ------
    DataProblems
        SCR-012, SCR-013, SCR-017, SCR-073, SCR-197, SCR-198.
    """
    try:
        names = _streams(content)
        if "EncryptedPackage" in names:
            raise DataProblems([ENCRYPTED.at(source)])
        book = next((names[name] for name in ("Workbook", "Book") if name in names), None)
        if book is None:
            raise ValueError("no workbook")
        grids, errors, marks = _followed(book, source)
    except (ValueError, IndexError, struct.error):
        raise DataProblems([DAMAGED.at(source)]) from None
    check_grids(grids, source)
    if errors:
        raise DataProblems(shorten(errors))
    return CheckedBook("xls", marks)


def _streams(content: bytes) -> dict[str, bytes]:
    """Return the files inside the file, by their names."""
    if len(content) < 512 or content[28:30] != b"\xfe\xff":
        raise ValueError("no header")
    shift, small_shift = struct.unpack_from("<HH", content, 30)
    if shift not in {9, 12} or small_shift != 6:
        raise ValueError("sectors of an unknown size")
    directory_at, cutoff, small_table_at, _, more_at, more = struct.unpack_from("<I4xIIIII", content, 48)
    size = 1 << shift
    table = _sector_table(content, size, more_at, more)
    entries = _chain(content, directory_at, table, size, offset=size)
    root = entries[:128]
    small = _chain(content, struct.unpack_from("<I", root, 116)[0], table, size, offset=size) if root[66] == 5 else b""
    small_table = _numbers(_chain(content, small_table_at, table, size, offset=size)) if small_table_at < _LAST_KIND else ()
    found = {}
    for at in range(0, len(entries), 128):
        entry = entries[at : at + 128]
        if entry[66] != 2:
            continue
        length = struct.unpack_from("<H", entry, 64)[0]
        first, bytes_ = struct.unpack_from("<II", entry, 116)
        name = entry[: max(0, length - 2)].decode("utf-16-le", errors="replace")
        whole = (
            _chain(small, first, small_table, 64, offset=0)
            if bytes_ < cutoff
            else _chain(content, first, table, size, offset=size)
        )
        if len(whole) < bytes_:
            raise ValueError("cut short")
        found[name] = whole[:bytes_]
    return found


def _sector_table(content: bytes, size: int, more_at: int, more: int) -> tuple[int, ...]:
    """Return, for every sector, the one that follows it."""
    tables = list(_numbers(content[76:512]))
    for _ in range(more):
        numbers = _numbers(_sector(content, more_at, size, size))
        tables += numbers[:-1]
        more_at = numbers[-1]
        if more_at >= _LAST_KIND:
            break
    used = [number for number in tables if number != _FREE]
    return tuple(follower for number in used for follower in _numbers(_sector(content, number, size, size)))


def _chain(content: bytes, first: int, table: tuple[int, ...], size: int, offset: int) -> bytes:
    """Join the sectors of a file; a chain that never ends is damaged."""
    sectors = []
    while first < _LAST_KIND:
        sectors.append(_sector(content, first, size, offset))
        if len(sectors) > len(table):
            raise ValueError("a circle")
        first = table[first]
    return b"".join(sectors)


def _sector(content: bytes, number: int, size: int, offset: int) -> bytes:
    start = offset + number * size
    if start >= len(content):
        raise ValueError("a sector beyond the end")
    return content[start : start + size]


def _numbers(content: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(content) // 4}I", content[: len(content) // 4 * 4])


def _followed(book: bytes, source: str) -> tuple[list[Cell], list[Problem], dict[str, SheetMarks]]:
    """Return last row and column of every sheet, the cells at fault, and the zeros that cells are shown with."""
    grids: list[Cell] = []
    errors: list[Problem] = []
    names: list[str] = []
    formats: dict[int, int] = {}  # digits by number format
    styles: list[int] = []  # digits by style of a cell
    widths: list[dict[Cell, int]] = []
    blank: list[Problem] = []  # formulas whose value is an empty text
    computed = False
    for kind, body in _records(book):
        if kind == _PROTECTED:
            raise DataProblems([ENCRYPTED.at(source)])
        if kind == _START_OF_SHEET:
            grids.append((0, 0))
            widths.append({})
        elif kind == _SHEET:
            length, wide = body[6], body[7] & 1
            names.append(body[8 : 8 + length * (1 + wide)].decode("utf-16-le" if wide else "latin-1", errors="replace"))
        elif kind == _FORMAT:
            wide = body[4] & 1
            formats[struct.unpack_from("<H", body)[0]] = shown_digits(
                body[5:].decode("utf-16-le" if wide else "latin-1", "replace")
            )
        elif kind == _STYLE:
            styles.append(formats.get(struct.unpack_from("<H", body, 2)[0], 0))
        elif kind in _CELLS or kind == _MANY_NUMBERS:
            row, column = struct.unpack_from("<HH", body)
            last = struct.unpack_from("<H", body, len(body) - 2)[0] if kind == _MANY_NUMBERS else column
            grids[-1] = max(grids[-1][0], row + 1), max(grids[-1][1], last + 1)
            if _is_error(kind, body):
                errors.append(ERROR_CELL.at(Place(source, row=row + 1, column=column_letters(column + 1))))
            elif kind == _FORMULA and struct.unpack_from("<H", body, 14)[0] & _CALCULATE_ON_LOAD:
                errors.append(STALE.at(Place(source, row=row + 1, column=column_letters(column + 1))))
            if kind == _FORMULA:
                if body[12:14] == b"\xff\xff" and body[6] == _EMPTY_TEXT:
                    blank.append(NOT_COMPUTED.at(Place(source, row=row + 1, column=column_letters(column + 1))))
                else:
                    computed = True
            if any(styles):
                widths[-1] |= _shown_with_zeros(kind, body, row, column, styles)
    if not grids:
        raise ValueError("no records")
    if not computed:  # a program that cannot calculate writes an empty text as the value of every formula
        errors += blank
    sheets = zip(names, widths[1:], strict=False)  # the first substream is the book's own
    return grids, errors, {name: SheetMarks(found) for name, found in sheets if found}


def _shown_with_zeros(kind: int, body: bytes, row: int, column: int, styles: list[int]) -> dict[Cell, int]:
    """Return the digits that the format of a number, or of a run of numbers, fills up with zeros."""
    if kind == _MANY_NUMBERS:
        used = [struct.unpack_from("<H", body, at)[0] for at in range(4, len(body) - 2, 6)]
    elif kind in _NUMBERS:
        used = [struct.unpack_from("<H", body, 4)[0]]
    else:
        return {}
    widths = [styles[style] if style < len(styles) else 0 for style in used]
    return {(row + 1, column + 1 + step): width for step, width in enumerate(widths) if width}


def _records(book: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(book):
        kind, length = struct.unpack_from("<HH", book, at)
        if at + 4 + length > len(book):
            raise ValueError("a record beyond the end")
        if kind or length:
            yield kind, book[at + 4 : at + 4 + length]
        at += 4 + length


def _is_error(kind: int, body: bytes) -> bool:
    """Whether a cell holds an error: as a value, or as the result of its formula."""
    if kind == 0x0205:
        return body[7] == 1
    return kind == 0x0006 and body[12:14] == b"\xff\xff" and body[6] == 2
