"""Reads one SPSS, Stata or SAS file in a process of its own, and writes it as text: ``python readstat.py spss FILE [ENCODING]``.

The C library that knows these formats can crash on a damaged file, or take all memory, and would take the whole program with
it. So this file is run, not imported; it needs nothing of the package. What it writes is one line of JSON, and after it the
codes of each column as 32-bit numbers.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sys
from array import array
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any, TypeAlias

Value: TypeAlias = float | int | str | None
MOST_MEMORY = 400_000_000  # bytes above what the libraries need; a chunk and the different texts of all columns
MOST_CELLS = 200_000_000
CELLS_AT_A_TIME = 1_000_000
SPSS_DATES = ("DATE", "ADATE", "EDATE", "JDATE", "SDATE", "QYR", "WKYR")
SPSS_MOMENTS = ("DATETIME", "YMDHMS")
SPSS_TIMES = ("TIME", "DTIME", "MTIME")
_SIGNS = "BCDNPS"  # of the mark between day, month and year, at the end of a format's name
SAS_DATES = (
    *("DATE", "E8601DA", "B8601DA", "IS8601DA", "WEEKDATE", "WEEKDATX", "WORDDATE", "WORDDATX", "JULIAN", "JULDAY", "NLDATE"),
    *(f"{order}{sign}" for order in ("DDMMYY", "MMDDYY", "YYMMDD") for sign in ("", *_SIGNS)),
)
SAS_MONTHS = ("MONYY", *(f"{order}{sign}" for order in ("YYMM", "MMYY") for sign in ("", *_SIGNS)))
SAS_MOMENTS = ("DATETIME", "DATEAMPM", "E8601DT", "B8601DT", "IS8601DT", "MDYAMPM", "NLDATM", "DTDATE")
SAS_TIMES = ("TIME", "TIMEAMPM", "TOD", "HHMM", "E8601TM", "B8601TM", "IS8601TM")
_SPSS_START, _STATA_START, _SAS_START = dt.datetime(1582, 10, 14), dt.datetime(1960, 1, 1), dt.datetime(1960, 1, 1)


def number_text(value: float) -> str:
    """Return the shortest text that reads as the same number.

    Examples
    --------
    >>> number_text(7.0), number_text(0.1), number_text(-0.30000000000000004)
    ('7', '0.1', '-0.30000000000000004')
    """
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e16 else repr(value)


def single_text(value: float) -> str:
    """Return the shortest text that reads as the same number of single precision.

    Examples
    --------
    >>> single_text(0.10000000149011612)
    '0.1'
    """
    import numpy as np

    return number_text(value) if float(value).is_integer() else str(np.float32(value))


def spss_text(value: float, form: str) -> str:
    """Return a number of SPSS as its format shows it: dates and moments in ISO form.

    Examples
    --------
    >>> spss_text(13376448000.0, "DATE11"), spss_text(13376448000.0, "MOYR8"), spss_text(3600.5, "TIME8")
    ('2006-09-01', '2006-09', '1:00:00.5')
    """
    name = form.rstrip("0123456789.")
    if name in SPSS_TIMES:
        return _clock(value)
    if name not in (*SPSS_DATES, *SPSS_MOMENTS, "MOYR"):
        return number_text(value)
    moment = _SPSS_START + dt.timedelta(seconds=value)
    if name == "MOYR" and moment.day == 1:
        return f"{moment:%Y-%m}"
    return _moment(moment)


def stata_text(value: float, form: str) -> str:
    """Return a number of Stata as its format shows it.

    Examples
    --------
    >>> stata_text(17045.0, "%td"), stata_text(560.0, "%tm"), stata_text(1472688000000.0, "%tc"), stata_text(187.0, "%tq")
    ('2006-09-01', '2006-09', '2006-09-01', '2006q4')
    """
    name = form.lstrip("%-")
    if name.startswith(("td", "d")):
        return _moment(_STATA_START + dt.timedelta(days=value))
    if name.startswith(("tc", "tC")):
        return _moment(_STATA_START + dt.timedelta(milliseconds=value))
    per_year = {"tm": 12, "tw": 52, "tq": 4, "th": 2}.get(name[:2])
    if per_year is None or not float(value).is_integer():
        return number_text(value)
    year, part = divmod(int(value), per_year)
    return f"{1960 + year}-{part + 1:02d}" if per_year == 12 else f"{1960 + year}{name[1]}{part + 1}"


def sas_text(value: float, form: str) -> str:
    """Return a number of SAS as its format shows it: dates and moments in ISO form.

    Examples
    --------
    >>> sas_text(17045.0, "DATE9."), sas_text(17045.0, "MONYY7."), sas_text(1472724305.0, "DATETIME20.")
    ('2006-09-01', '2006-09', '2006-09-01 10:05:05')
    """
    name = form.upper().rstrip("0123456789.")
    if name in SAS_TIMES:
        return _clock(value)
    if name in SAS_MOMENTS:
        return _moment(_SAS_START + dt.timedelta(seconds=value))
    if name not in (*SAS_DATES, *SAS_MONTHS):
        return number_text(value)
    day = _SAS_START + dt.timedelta(days=value // 1)
    return f"{day:%Y-%m}" if name in SAS_MONTHS and day.day == 1 else day.date().isoformat()


def _moment(moment: dt.datetime) -> str:
    return moment.date().isoformat() if moment.time() == dt.time() else moment.isoformat(sep=" ")


def _clock(seconds: float) -> str:
    """Return a duration as hours, minutes and seconds; hours may be more than 24."""
    sign, rest = "-" if seconds < 0 else "", abs(seconds)
    whole = int(rest)
    fraction = f"{rest - whole:.6f}".rstrip("0").rstrip(".")[1:]
    return f"{sign}{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}{fraction}"


class _Column:
    """Codes and different values of a column, met chunk by chunk."""

    def __init__(self) -> None:
        self.codes = array("I")
        self.met: dict[Value, int] = {}

    def add(self, values: Iterable[Value]) -> None:
        met = self.met
        self.codes.extend([met.setdefault(value, len(met)) for value in values])


def read(kind: str, path: str, encoding: str | None) -> tuple[dict[str, Any], list[array[int]]]:
    """Return what a file holds: a document for JSON, and the codes of each column.

    Raises
    ------
    Exception
        Whatever the library finds wrong.
    """
    import pyreadstat

    readers: dict[str, Any] = {"spss": pyreadstat.read_sav, "stata": pyreadstat.read_dta, "sas": pyreadstat.read_sas7bdat}
    reader = readers.get(kind, pyreadstat.read_xport)
    how: dict[str, Any] = {"disable_datetime_conversion": True, "output_format": "dict", "encoding": encoding}
    if kind in readers:  # a transport file of SAS does not tell the letters of its missing values
        how["user_missing"] = True
    _, about = reader(path, metadataonly=True, **how)
    width, height = len(about.column_names), about.number_rows
    if height is not None and width * height > MOST_CELLS:
        return {"too_large": True}, []
    at_a_time = max(100, CELLS_AT_A_TIME // max(width, 1))
    columns = [_Column() for _ in range(width)]
    start = 0
    while width:
        cells, _ = reader(path, row_offset=start, row_limit=at_a_time, **how)
        chunk = list(cells.values())
        for column, values in zip(columns, chunk, strict=True):
            column.add(values)
        start += len(chunk[0])
        if len(chunk[0]) < at_a_time or start * width > MOST_CELLS:
            break
    return _document(kind, about, columns, start), [column.codes for column in columns]


def _document(kind: str, about: Any, columns: list[_Column], rows: int) -> dict[str, Any]:
    texts = {name: _texts(kind, about, name) for name in about.column_names}
    met = dict(zip(about.column_names, columns, strict=True))
    return {
        "names": about.column_names,
        "rows": rows,
        "declared_rows": about.number_rows,
        "encoding": about.file_encoding,
        "texts": [[texts[name](value) for value in met[name].met] for name in about.column_names],
        "labels": {
            name: {texts[name](value): label for value, label in labels.items() if label}
            for name, labels in about.variable_value_labels.items()
        },
        "titles": {name: title for name, title in about.column_names_to_labels.items() if title},
        "user_missing": {
            name: sorted({texts[name](value) for value in met[name].met if _declared_missing(about, name, value)})
            for name in about.column_names
        },
    }


def _texts(kind: str, about: Any, name: str) -> Callable[[Value], str]:
    """Return how the values of a column become text."""
    form = about.original_variable_types.get(name) or ""
    stored = about.readstat_variable_types.get(name)

    def text(value: Value) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            return value if stored == "string" else f".{value}"
        if kind in {"spss", "sas", "xport"}:
            return spss_text(value, form) if kind == "spss" else sas_text(value, form)
        return single_text(value) if stored == "float" and "t" not in form else stata_text(value, form)

    return text


def _declared_missing(about: Any, name: str, value: Value) -> bool:
    """Whether a file declares a value missing: by a range (SPSS) or by a letter (Stata, SAS)."""
    if value is None or value == "":
        return False
    if isinstance(value, str) and about.readstat_variable_types.get(name) != "string":
        return True
    ranges = about.missing_ranges.get(name, ())
    return any(
        isinstance(limits["lo"], str) == isinstance(value, str) and limits["lo"] <= value <= limits["hi"] for limits in ranges
    )


def _limit_memory() -> None:
    """Let a file that claims to be huge fail here, where the system can be told to."""
    import pyreadstat  # noqa: F401 - what the libraries need is not counted

    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource
        from pathlib import Path

        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MOST_MEMORY, used + MOST_MEMORY))


def main(kind: str, path: str, encoding: str | None = None) -> None:
    """Write the file, or what is wrong with it, to the standard output."""
    _limit_memory()
    codes: list[array[int]] = []
    try:
        document, codes = read(kind, path, encoding)
    except MemoryError:
        document = {"too_large": True}
    except Exception as error:
        document = {"wrong": str(error)}
    head = json.dumps(document, ensure_ascii=True).encode("ascii") + b"\n"
    for piece in chain([head], (column.tobytes() for column in codes)):
        sys.stdout.buffer.write(piece)


if __name__ == "__main__":
    main(*sys.argv[1:])
