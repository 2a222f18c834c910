"""Files as they should never arrive: what each is, and the code it must be answered with.

A case writes its file into a folder and says what to type after ``asp-eval import``. ``""`` as the code means that every row
must be in. The study it is imported into has four drawn institutions; ``rated`` has its four children at w1 as well.
"""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pandas as pd

from asp_eval.trial.instruments.library import instrument

OLDER = instrument("sdq-teacher-4-17").columns
YOUNGER = instrument("sdq-teacher-2-4").columns
W1 = ["--table", "screening", "--wave", "w1"]
W2 = ["--table", "screening", "--wave", "w2"]
MIB = 1 << 20
Filled = tuple[bytes, bytes, int, bytes]  # head, filling, how many times, tail: for what is too large to be made at once


@dataclass(frozen=True)
class Case:
    """One damaged or odd file.

    Attributes
    ----------
    what : str
        What is wrong with it.
    code : str
        The code of the fault or warning it must be answered with; empty if nothing is wrong.
    write : callable
        Writes the file into a folder and returns its path.
    options : list of str
        What follows the file on the command line; ``{folder}`` is the folder.
    study : {"drawn", "rated"}
    """

    what: str
    code: str
    write: Callable[[Path], Path]
    options: tuple[str, ...] = tuple(W1)
    study: str = "drawn"


CASES: dict[str, Case] = {}


def visits() -> pd.DataFrame:
    """Four children rated at w1, one in each institution, no two answers in a row the same."""
    frame = pd.DataFrame(
        {
            "child_id": ["001", "002", "003", "004"],
            "institution_id": ["A1", "A2", "H1", "H2"],
            "rater_id": ["r1", "r2", "r3", "r4"],
            "date": ["2006-09-14", "2006-09-20", "2006-10-02", "2006-10-03"],
            "sex": ["boy", "girl", "boy", "girl"],
            "birth_month": ["2002-01", "2001-06", "2002-09", "2001-11"],
            "mother_education": ["short", "long", "ærlig", "long"],
            "hours": ["30.5", "37.25", "20", "12"],
        }
    )
    return frame.assign(**{name: [str((i + row) % 3) for row in range(4)] for i, name in enumerate(OLDER)})


def second_wave(**cells: object) -> pd.DataFrame:
    """Return the same children at w2."""
    return visits().assign(date="2007-09-14", **cells)


def changed(row: int, column: str, cell: str) -> pd.DataFrame:
    """Return the visits with one other cell."""
    frame = visits()
    frame.loc[row, column] = cell
    return frame


def merged(content: bytes) -> bytes:
    """Return a workbook of which the institution of the first two rows stands in one cell."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    book.active.merge_cells("B2:B3")
    changed_book = io.BytesIO()
    book.save(changed_book)
    return changed_book.getvalue()


def formulas(formula: str, value: int | None) -> bytes:
    """Return the visits as a workbook with a formula as the first answer, and the value that was stored with it."""
    import xlsxwriter

    content = io.BytesIO()
    book = xlsxwriter.Workbook(content)
    sheet = book.add_worksheet()
    frame = visits()
    for column, name in enumerate(frame):
        sheet.write_column(0, column, [name, *frame[name]])
    sheet.write_formula(1, list(frame).index(OLDER[0]), formula, value=value if value is not None else 0)
    book.close()
    if value is not None:
        return content.getvalue()
    made = openpyxl.load_workbook(io.BytesIO(content.getvalue()))
    without = io.BytesIO()
    made.save(without)  # this library keeps the formula, and not its value
    return without.getvalue()


def csv(frame: pd.DataFrame, **options: object) -> str:
    """Return a frame as CSV text."""
    return frame.to_csv(index=False, lineterminator="\n", **options)


def add(
    key: str,
    what: str,
    code: str,
    content: Callable[[], bytes | str | pd.DataFrame],
    name: str = "wave1.csv",
    *,
    options: list[str] = W1,
    study: str = "drawn",
    beside: dict[str, str] | None = None,
) -> None:
    """Add a case whose file has this content, with text files beside it."""

    def write(folder: Path) -> Path:
        made = content()
        text = csv(made) if isinstance(made, pd.DataFrame) else made
        path = folder / name
        path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
        for other, words in (beside or {}).items():
            (folder / other).write_text(words, encoding="utf-8")
        return path

    CASES[key] = Case(what, code, write, tuple(options), study)


def workbook(sheets: dict[str, pd.DataFrame]) -> bytes:
    """Return frames as the sheets of an XLSX workbook."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, frame in sheets.items():
        sheet = book.create_sheet(name)
        for row in [list(frame.columns), *frame.to_numpy().tolist()]:
            sheet.append(row)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def repacked(content: bytes, **members: bytes | Filled) -> bytes:
    """Return an archive with members replaced or added; ``sheet`` is the first worksheet."""
    names = {"sheet": "xl/worksheets/sheet1.xml", "texts": "xl/sharedStrings.xml"}
    wanted = {names[key]: (value, b"", 0, b"") if isinstance(value, bytes) else value for key, value in members.items()}
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            if entry not in wanted:
                new.writestr(entry, old.read(entry))
        for entry, (head, filling, times, tail) in wanted.items():
            with new.open(entry, "w", force_zip64=True) as member:
                member.write(head)
                for _ in range(times):
                    member.write(filling)
                member.write(tail)
    return made.getvalue()


def lying(content: bytes) -> bytes:
    """Return an archive whose directory says that every member is a hundred bytes long."""
    data = bytearray(content)
    for mark, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = data.find(mark)
        while at >= 0:
            struct.pack_into("<I", data, at + offset, 100)
            at = data.find(mark, at + 4)
    return bytes(data)


def sheet_xml(cells: str) -> bytes:
    """Return the XML of a worksheet."""
    head = '<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    return f"{head}<sheetData>{cells}</sheetData></worksheet>".encode()


def laughs() -> bytes:
    """Return a worksheet whose text is an entity that expands to a billion letters."""
    entities = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    doctype = f'<!DOCTYPE x [<!ENTITY l0 "lol">{entities}]>'
    cells = '<row r="1"><c r="A1" t="inlineStr"><is><t>&l9;</t></is></c></row>'
    return sheet_xml(cells).replace(b"?>", b"?>" + doctype.encode(), 1)


def ole(stream: str) -> bytes:
    """Return a compound file, as old Office programs wrote, that holds one stream of 4,096 bytes."""
    end, free = 0xFFFFFFFE, 0xFFFFFFFF

    def entry(name: str, kind: int, first: int, size: int) -> bytes:
        text = name.encode("utf-16-le") + b"\0\0"
        links = struct.pack("<BBIII", kind, 1, free, free, 1 if kind == 5 else free)
        return text.ljust(64, b"\0") + struct.pack("<H", len(text)) + links + b"\0" * 36 + struct.pack("<IQ", first, size)

    head = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 10
    head += struct.pack("<IIIIIIIII", 1, 1, 0, 4096, end, 0, end, 0, 0)
    sectors = struct.pack("<II", 0xFFFFFFFD, end) + struct.pack("<8I", *range(3, 10), end)
    directory = entry("Root Entry", 5, end, 0) + entry(stream, 2, 2, 4096)
    return head.ljust(512, b"\xff") + sectors.ljust(512, b"\xff") + directory.ljust(512, b"\0") + b"\0" * 4096


def parquet(query: str) -> Callable[[], bytes]:
    """Return what makes a Parquet file of a query."""

    def make() -> bytes:
        import tempfile

        import duckdb

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "made.parquet"
            duckdb.sql(query).write_parquet(str(path))
            return path.read_bytes()

    return make


def spss() -> bytes:
    """Return an SPSS file of the visits, under names that SPSS allows."""
    import tempfile

    import pyreadstat

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.sav"
        frame = visits()
        pyreadstat.write_sav(frame.rename(columns={name: f"v{i}" for i, name in enumerate(frame.columns)}).astype(object), path)
        return path.read_bytes()


# --- files that are no tables -----------------------------------------------------------------------------------------
add("empty", "no bytes at all", "SCR-002", lambda: b"")
add("blank", "spaces and line ends", "SCR-002", lambda: b"  \r\n \n")
add("header-only", "a header and no rows", "SCR-003", lambda: csv(visits().head(0)))
add("nul", "NUL bytes in the middle", "SCR-007", lambda: csv(visits()).encode().replace(b"A2", b"A\0"))
add("no-encoding", "bytes that are no text in any encoding", "SCR-008", lambda: csv(visits()).encode() + b"\x81\x8d\x8f")
add("pdf", "a PDF saved as CSV", "SCR-085", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< >>\nendobj\n")
add(
    "web-page",
    "a web page saved as XLS",
    "SCR-085",
    lambda: "<html><body><table><tr><td>1</td></tr></table></body></html>",
    "wave1.xls",
)
add("gzip", "a CSV packed by gzip", "SCR-074", lambda: gzip.compress(csv(visits()).encode()), "wave1.csv.gz")


def _zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("wave1.csv", csv(visits()))
    return made.getvalue()


add("zip", "a CSV packed by zip", "SCR-074", _zipped, "wave1.zip")
CASES["no-file"] = Case("a path where nothing is", "SCR-001", lambda folder: folder / "nothing.csv")
CASES["folder"] = Case("a folder in place of a file", "SCR-001", lambda folder: folder)

# --- tables that are damaged --------------------------------------------------------------------------------------------
add("same-name", "two columns of one name", "SCR-004", lambda: csv(visits()).replace("rater_id", "child_id", 1))
add("no-name", "a column of cells without a name", "SCR-005", lambda: csv(visits()).replace("hours", "", 1))
add("cut", "a file cut in half", "SCR-006", lambda: csv(visits())[:-40])
add("long-row", "a delimiter inside a text without quotes", "SCR-006", lambda: csv(visits()).replace("short", "short, or so"))
add("mojibake", "Danish letters read as another encoding", "SCR-009", lambda: csv(visits()).replace("ærlig", "Ã¦rlig"))
add("two-delimiters", "columns that both ; and , could separate", "SCR-010", lambda: "a;b,c\n1;2,3\n4;5,6\n")
add("open-quote", "a quotation mark that is never closed", "SCR-011", lambda: csv(visits()).replace("short", '"short'))
add("quoted-to-the-end", "an open quote before 60 MB of text", "SCR-011", lambda: 'child_id,x\n"' + "y" * (60 * MIB))
add("one-line", "a line of two million delimiters", "SCR-002", lambda: b"," * (2 * MIB))
add("long-cell", "a cell of 60 MB", "SCR-011", lambda: b"child_id,essay\n001," + b"y" * (60 * MIB) + b"\n")
add("old-mac", "lines ended by carriage returns alone", "", lambda: csv(visits()).replace("\n", "\r"))

# --- workbooks ------------------------------------------------------------------------------------------------------------
add("xlsx-cut", "a workbook cut in half", "SCR-012", lambda: workbook({"Data": visits()})[:3000], "wave1.xlsx")
add(
    "xlsx-noise",
    "a workbook with noise in the middle",
    "SCR-012",
    lambda: (b := workbook({"Data": visits()}))[:600] + bytes(range(256)) * 4 + b[1624:],
    "wave1.xlsx",
)
add("password", "a workbook with a password", "SCR-013", lambda: ole("EncryptedPackage"), "wave1.xlsx")
add(
    "error-cell",
    "a cell that shows #N/A",
    "SCR-017",
    lambda: repacked(
        workbook({"Data": visits()}),
        sheet=sheet_xml(
            '<row r="1"><c r="A1" t="inlineStr"><is><t>child_id</t></is></c></row>'
            '<row r="2"><c r="A2" t="e"><v>#N/A</v></c></row>'
        ),
    ),
    "wave1.xlsx",
)
add(
    "bomb",
    "a workbook of 1 MB that unpacks to 400 MB",
    "SCR-015",
    lambda: repacked(workbook({"Data": visits()}), sheet=(sheet_xml("")[:-27], b" " * MIB, 400, b"</sheetData></worksheet>")),
    "wave1.xlsx",
)
add(
    "lying-bomb",
    "the same, with a directory that says 100 bytes",
    "SCR-012",
    lambda: lying(
        repacked(workbook({"Data": visits()}), sheet=(sheet_xml("")[:-27], b" " * MIB, 400, b"</sheetData></worksheet>"))
    ),
    "wave1.xlsx",
)
add(
    "texts-bomb",
    "a workbook with four million texts",
    "SCR-077",
    lambda: repacked(workbook({"Data": visits()}), texts=(b"<sst>", b"<si><t>a</t></si>" * 1000, 4000, b"</sst>")),
    "wave1.xlsx",
)
add(
    "laughs",
    "a worksheet whose one cell expands to a billion letters",
    "SCR-012",
    lambda: repacked(workbook({"Data": visits()}), sheet=laughs()),
    "wave1.xlsx",
)
add(
    "far-cell",
    "a cell at the far end of the sheet",
    "SCR-073",
    lambda: repacked(workbook({"Data": visits()}), sheet=sheet_xml('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')),
    "wave1.xlsx",
)
add(
    "two-sheets",
    "two sheets of other people's data",
    "SCR-076",
    lambda: workbook({"Data": visits(), "Plan": pd.DataFrame({"week": ["1", "2"], "task": ["call", "write"]})}),
    "wave1.xlsx",
)
add(
    "no-such-sheet",
    "a sheet that the workbook has not",
    "SCR-016",
    lambda: workbook({"Data": visits()}),
    "wave1.xlsx",
    beside={"wave1.xlsx.mapping.yaml": "version: 1\nformat: {sheet: Dta}\n"},
)
add("xlsx", "a workbook in order, ids as text", "", lambda: workbook({"Data": visits()}), "wave1.xlsx")
add(
    "xlsx-by-columns",
    "the columns over two sheets, with the id in both",
    "",
    lambda: workbook({"1": visits().iloc[:, :20], "2": visits().iloc[:, [0, *range(20, visits().shape[1])]]}),
    "wave1.xlsx",
)
add("formula-alone", "a formula whose value was not stored", "SCR-197", lambda: formulas('="2"', None), "wave1.xlsx")
add("formula-stale", "formulas to be calculated when it is opened", "SCR-198", lambda: formulas('="2"', 2), "wave1.xlsx")
add("formula", "formulas in place of answers", "SCR-014", lambda: changed(0, OLDER[3], "=1+1"))
add(
    "formula-text",
    "a formula in a text, which is stored as the text it is",
    "",
    lambda: changed(0, "mother_education", "=HYPERLINK(0)"),
)

# --- files of statistics programs ---------------------------------------------------------------------------------------
add("spss-cut", "an SPSS file cut short", "SCR-078", lambda: spss()[:-30], "wave1.sav")
add("spss-noise", "noise under the name of an SPSS file", "SCR-078", lambda: b"$FL2" + bytes(range(256)) * 20, "wave1.sav")
add(
    "stata-noise", "noise under the name of a Stata file", "SCR-078", lambda: b"<stata_dta>" + bytes(range(256)) * 20, "wave1.dta"
)
add("parquet-cut", "a Parquet file cut short", "SCR-082", lambda: parquet("SELECT '001' AS child_id")()[:-9], "wave1.parquet")
add("parquet-lists", "a Parquet file with a list in a cell", "SCR-083", parquet("SELECT [1, 2] AS child_id"), "wave1.parquet")

# --- columns --------------------------------------------------------------------------------------------------------------
add("unknown-column", "a column that nobody knows", "SCR-040", lambda: visits().assign(status="done"))
add("no-institution", "no column for the institution", "SCR-041", lambda: visits().drop(columns="institution_id"))
add("item-missing", "a questionnaire without one of its items", "SCR-041", lambda: visits().drop(columns=OLDER[7]))
add("no-items", "no questionnaire at all", "SCR-062", lambda: visits().drop(columns=list(OLDER)))
add("not-declared-there", "a declared column that the file has not", "SCR-061", lambda: visits().drop(columns="hours"))
add("decimal", "numbers with both decimal marks", "SCR-048", lambda: visits().assign(hours=["1.5", "2,5", "3", "4"]))
add("thousands", "numbers that could be in thousands", "SCR-048", lambda: csv(visits().assign(hours="1.234"), sep=";"))
add("dates", "dates of which day or month could come first", "SCR-049", lambda: visits().assign(date="05-10-2006"))

# --- cells ----------------------------------------------------------------------------------------------------------------
add("code", "an answer of 3 where 0, 1 and 2 are allowed", "SCR-014", lambda: changed(1, OLDER[0], "3"))
add("label", "an answer in words", "SCR-014", lambda: changed(1, OLDER[0], "certainly true"))
add("infinite", "an answer of infinity", "SCR-014", lambda: changed(1, OLDER[0], "inf"))
add("huge", "a number too large for any computer", "SCR-044", lambda: changed(1, "hours", "1e999"))
add("number-in-words", "hours in words", "SCR-042", lambda: changed(1, "hours", "many"))
add("sex", "a sex that is not in the list", "SCR-043", lambda: changed(1, "sex", "m"))
add("month-13", "a birth in the thirteenth month", "SCR-042", lambda: changed(1, "birth_month", "2002-13"))
add(
    "whole-date-of-birth",
    "the day of birth, which is not to be kept",
    "SCR-184",
    lambda: visits().assign(birth_month=["2002-01-14", "2001-06-30", "2002-09-22", "2001-11-09"]),
)
add("no-id", "a row without an id", "SCR-045", lambda: changed(1, "child_id", ""))
add("30-february", "a date that does not exist", "SCR-047", lambda: changed(1, "date", "2006-02-30"))
add("conflict", "one child twice, with other answers", "SCR-046", lambda: changed(1, "child_id", "001"))
add("same-row", "one row twice", "SCR-121", lambda: pd.concat([visits(), visits().head(1)]))
add("unknown-institution", "an institution that nobody knows", "SCR-050", lambda: changed(1, "institution_id", "Z9"))
add("two-forms", "answers on two forms of one questionnaire", "SCR-060", lambda: visits().assign(**dict.fromkeys(YOUNGER, "1")))
add("no-answers", "a row without answers", "SCR-059", lambda: visits().assign(**{n: ["", "1", "2", "0"] for n in OLDER}))
add("born-later", "a child born after it was rated", "SCR-064", lambda: changed(1, "birth_month", "2007-02"))
add("outside-wave", "a date outside the wave", "SCR-054", lambda: changed(1, "date", "2006-08-20"))
add("too-old", "a child of eleven", "SCR-055", lambda: changed(1, "birth_month", "1995-01"))
add(
    "straight-lines",
    "a rater who answers 1 to everything",
    "SCR-123",
    lambda: pd.concat(
        [visits().assign(child_id=[f"{i}{j}" for j in "abcd"], rater_id="r1", **dict.fromkeys(OLDER, "1")) for i in range(10, 14)]
    ),
)
add("silent-institution", "an institution without a row", "SCR-124", lambda: visits().head(3))
add("arm-missing", "an arm without a row", "SCR-125", lambda: visits().assign(institution_id="A1"))
add("na-name", "NA as the id of a rater", "SCR-201", lambda: visits().assign(rater_id=["NA", "r2", "r3", "r4"]))
add("alike", "raters whose ids differ in zeros alone", "SCR-066", lambda: visits().assign(rater_id=["r1", "007", "7", "r4"]))
add("zeros", "ids with zeros", "", lambda: visits().assign(rater_id=["001", "007", "010", "100"]))
add("exponent", "an id with an exponent, as a spreadsheet writes it", "SCR-200", lambda: changed(1, "child_id", "1.2345E+11"))
add("child-na", "a child called NA", "SCR-201", lambda: changed(1, "child_id", "NA"))
add("unseen", "an id with a character that nobody sees", "SCR-202", lambda: changed(1, "child_id", "00\u200b2"))
add(
    "institution-na",
    "an institution called NA",
    "SCR-201",
    lambda: "institution_id,municipality\nNA,Aarhus\nA2,Aarhus\n",
    "institutions.csv",
    options=["--table", "institutions"],
)
add(
    "from-one",
    "answers coded from 1 to 3",
    "SCR-195",
    lambda: pd.concat([visits().assign(child_id=[f"{i}{j}" for j in range(4)]) for i in range(10, 13)]).assign(
        **{OLDER[0]: ["1", "2", "3"] * 4}
    ),
)
add(
    "foreign-code",
    "a code of another form in five rows of an item",
    "SCR-194",
    lambda: pd.concat([visits().assign(child_id=[f"{i}{j}" for j in range(4)]) for i in range(10, 13)]).assign(
        **{OLDER[0]: ["9"] * 5 + ["0"] * 7}
    ),
)
add(
    "many-rows",
    "half of the rows at fault",
    "SCR-196",
    lambda: pd.concat([visits().assign(child_id=[f"{i}{j}" for j in range(4)]) for i in range(10, 13)]).assign(
        institution_id=["A1", "Z9"] * 6
    ),
)

# --- against the wave before ----------------------------------------------------------------------------------------------
add(
    "other-sex",
    "a child of another sex than before",
    "SCR-053",
    lambda: second_wave(sex=["girl", "girl", "boy", "girl"]),
    options=W2,
    study="rated",
)
add(
    "moved",
    "a child in another institution",
    "SCR-056",
    lambda: second_wave(institution_id=["A2", "A2", "H1", "H2"]),
    options=W2,
    study="rated",
)
add("other-rater", "another rater", "SCR-057", lambda: second_wave(rater_id=["r9", "r2", "r3", "r4"]), options=W2, study="rated")
add(
    "joined",
    "a child that was not there before",
    "SCR-058",
    lambda: second_wave(child_id=["001", "002", "003", "904"]),
    options=W2,
    study="rated",
)
add(
    "zeros-lost",
    "ids from which a spreadsheet took the zeros",
    "SCR-065",
    lambda: second_wave(child_id=["1", "2", "3", "4"]),
    options=W2,
    study="rated",
)
add(
    "part-of-a-wave",
    "a second file for a wave, of other children",
    "STO-013",
    lambda: visits().assign(child_id=list("wxyz")),
    study="rated",
)
add(
    "institution-gone",
    "a list without an institution in use",
    "STO-010",
    lambda: "institution_id,municipality\nA1,Aarhus\nA2,Aarhus\nH1,Hvidovre\n",
    "institutions.csv",
    options=["--table", "institutions"],
    study="rated",
)
add(
    "drawn-here",
    "an allocation for a lot that is drawn here",
    "STO-012",
    lambda: "institution_id,arm\nA1,reference\n",
    options=["--table", "allocation"],
)

# --- persons --------------------------------------------------------------------------------------------------------------
add("cpr-column", "a column of personal numbers", "SCR-140", lambda: visits().assign(cpr="010203-1234"))
add("cpr-hidden", "a personal number inside a text", "SCR-142", lambda: changed(0, "mother_education", "long (010203-1234)"))
add(
    "cpr-as-id",
    "personal numbers as ids",
    "SCR-142",
    lambda: visits().assign(child_id=["0102031234", "0203041234", "0304051234", "0405061234"]),
)
add("mail-hidden", "an e-mail address inside a text", "SCR-143", lambda: changed(0, "mother_education", "ask anna@example.org"))

# --- the mapping and the command ------------------------------------------------------------------------------------------
add("mapping-missing", "a mapping that is not there", "SCR-019", visits, options=[*W1, "--mapping", "{folder}/none.yaml"])
add(
    "mapping-of-another",
    "a mapping of another file",
    "SCR-020",
    visits,
    beside={"wave1.csv.mapping.yaml": "version: 1\nrename: {pupil: child_id}\n"},
)
add(
    "mapping-bomb",
    "a mapping of aliases that multiply",
    "DOC-006",
    visits,
    beside={
        "wave1.csv.mapping.yaml": "a0: &a0 [x]\n"
        + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))
    },
)
add(
    "keeps-nothing",
    "a filter that leaves nothing",
    "SCR-022",
    visits,
    beside={"wave1.csv.mapping.yaml": "version: 1\nkeep_rows: sex == 'none'\n"},
)
add("other-wave", "a wave at which nothing is collected", "SCR-033", visits, options=["--table", "screening", "--wave", "w9"])
add("no-wave", "no wave for a file of a wave", "CLI-002", visits, options=["--table", "screening"])
add("no-table", "a table that does not exist", "SCR-030", visits, options=["--table", "pupils"])

# --- survey systems -------------------------------------------------------------------------------------------------------
add(
    "qualtrics-cut",
    "a Qualtrics file whose third header row is cut",
    "SCR-102",
    lambda: 'Q1,Q2\nHow?,Why?\n"{""ImportId"":""QID1""}",\n1,2\n',
)
add(
    "surveyxact-alone",
    "a SurveyXact dataset without its labels",
    "SCR-100",
    visits,
    "dataset.csv",
    beside={"structure.csv": "", "dataset.csv.mapping.yaml": "version: 1\nformat: {dialect: surveyxact}\n"},
)

# --- odd, and in order ----------------------------------------------------------------------------------------------------
add("title", "a title above the names of the columns", "SCR-204", lambda: "Screening\n\n" + csv(visits()))
add("header-again", "a header that is repeated in the middle", "SCR-208", lambda: csv(visits().head(2)) + csv(visits().tail(2)))
add(
    "header-turned",
    "a header in another order in the middle",
    "SCR-209",
    lambda: csv(visits().head(2)) + csv(visits().tail(2)[visits().columns[::-1]]),
)
add("merged", "cells that are merged", "SCR-207", lambda: merged(workbook({"Data": visits()})), "wave1.xlsx")
add(
    "events",
    "two events of REDCap in one file",
    "SCR-210",
    lambda: visits().assign(redcap_event_name=["start_arm_1", "end_arm_1"] * 2),
    beside={"wave1.csv.mapping.yaml": "version: 1\nignore: [redcap_event_name]\n"},
)
add("moments", "moments with a zone in place of dates", "", lambda: visits().assign(date="2006-09-14T10:00:00.000+02:00"))
add("above", "blank rows above the names of the columns", "", lambda: ";;;\n\n".replace(";", ",") + csv(visits()))
add("utf-16", "UTF-16 with its mark, tabs, as SurveyXact writes", "", lambda: csv(visits(), sep="\t").encode("utf-16"))
add(
    "danish-ansi",
    "Danish letters in the old encoding, semicolons, decimal commas",
    "",
    lambda: csv(visits().assign(hours=["30,5", "37,25", "20", "12"]), sep=";").encode("cp1252"),
)
add("sep", "a first line that tells Excel the delimiter", "", lambda: "sep=;\n" + csv(visits(), sep=";"))
add(
    "mark",
    "UTF-8 with its mark, and Windows line ends",
    "",
    lambda: b"\xef\xbb\xbf" + csv(visits()).replace("\n", "\r\n").encode(),
)
add("blank-lines", "blank lines before and after the data", "", lambda: csv(visits()).replace("\n", "\n\n", 1) + "\n\n")
