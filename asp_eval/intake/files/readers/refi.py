"""REFI-QDA projects (``.qdpx``), as QualCoder, NVivo, MAXQDA and ATLAS.ti write them: what each coder coded in each document.

A project becomes a table of one row per document and coder: the variables of the document and of its case, and a column for each
code that has codes below it, holding the one that was coded; a code that stands alone becomes a column with ``present``. Texts,
selections and memos are not taken in. The format is that of the REFI-QDA Standard, version 1.0 (www.qdasoftware.org).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np

from asp_eval.core.errors import DataProblems, Fault
from asp_eval.core.phrases import Phrase
from asp_eval.intake.files.columns import finished
from asp_eval.intake.files.export import Export, Rank
from asp_eval.intake.files.raw import Dialect, RawTable, TextColumn

BROKEN = Fault("SCR-240", "the REFI-QDA project is damaged or was cut short", "Export it again from the program that coded it.")
NO_PROJECT = Fault("SCR-241", "the archive does not hold one REFI-QDA project", "Export each project into a file of its own.")
TOO_LARGE = Fault("SCR-242", "the project unpacks to more than is read from one", "Export it without sources, or in parts.")
NO_GUID = Fault("SCR-243", "the project has codes, users or sources without a guid", "Export it again; every one needs its own.")
NOTHING_CODED = Fault("SCR-244", "nothing is coded in the project", "Export the project with its codings.")

PROJECT = "project.qde"
MARK = b"PK"
LARGEST = 100_000_000  # bytes of the project itself; sources are not unpacked
MOST_MEMBERS = 20_000
PIECE = 65_536
DOCUMENT, CODER = "document", "coder_id"
PRESENT = "present"
BOTH = "; "  # between two codes of one column, which no frame allows: the row is then listed, and nothing is lost


@dataclass(frozen=True, slots=True)
class Refi:
    """Reads projects of software for qualitative analysis."""

    name: str = "refi"
    rank: Rank = Rank.SYSTEM

    def recognises(self, export: Export) -> bool:
        """Return whether the file is an archive with a project in it, or calls itself one."""
        return export.path.suffix.lower() == ".qdpx" or (export.start.startswith(MARK) and PROJECT.encode() in export.start)

    def read(self, export: Export) -> RawTable:
        """Return the codings, one row per document and coder."""
        root = _parsed(_project(export), export.source)
        rows = _rows(root, export.source)
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns = [TextColumn.of([row.get(name, "") for row in rows]) for name in names]
        return finished(export, names, columns, np.arange(2, len(rows) + 2, dtype=np.int64), Dialect("refi", decimal="."))


def _project(export: Export) -> bytes:
    """Return the project's XML, whatever size the archive says it has."""
    try:
        with zipfile.ZipFile(io.BytesIO(export.content)) as archive:
            members = archive.infolist()
            found = [part for part in members if part.filename.rpartition("/")[2].lower() == PROJECT]
            if len(members) > MOST_MEMBERS:
                raise DataProblems([TOO_LARGE.at(export.source, found=len(members))])
            if len(found) != 1:
                raise DataProblems([NO_PROJECT.at(export.source, found=Phrase("{n} projects", n=len(found)))])
            with archive.open(found[0]) as part:
                content = part.read(LARGEST + 1)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError):
        raise DataProblems([BROKEN.at(export.source)]) from None
    if len(content) > LARGEST:
        raise DataProblems([TOO_LARGE.at(export.source, expected=Phrase("at most {n} MB", n=LARGEST // 1_000_000))])
    return content


def _parsed(content: bytes, source: str) -> ElementTree.Element:
    """Return the project, after a first look that refuses definitions of entities, which can expand without end."""
    looks = expat.ParserCreate()
    looks.StartDoctypeDeclHandler = _refuse_doctype
    try:
        for start in range(0, len(content), PIECE):
            looks.Parse(content[start : start + PIECE], False)
        looks.Parse(b"", True)
        return ElementTree.fromstring(content)
    except (expat.ExpatError, ElementTree.ParseError, ValueError, RecursionError, LookupError):
        raise DataProblems([BROKEN.at(source)]) from None


def _refuse_doctype(*_: object) -> None:
    raise ValueError("a document type")


def _rows(root: ElementTree.Element, source: str) -> list[dict[str, str]]:
    codes, users, variables = _codes(root, source), _named(root, "User", source), _named(root, "Variable", source)
    of_case = _of_cases(root, variables)
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for document in (each for sources in root.iterfind(_below_any("Sources")) for each in sources):
        guid = _guid(document, source)
        about = {DOCUMENT: document.get("name", guid)} | of_case.get(guid, {}) | _values(document, variables)
        for coding in document.iterfind(_below_any("Coding")):
            reference = coding.find(_any("CodeRef"))
            code = codes.get("" if reference is None else reference.get("targetGUID", ""))
            if code is None:
                continue
            coder = users.get(coding.get("creatingUser", ""), coding.get("creatingUser", ""))
            row = rows.setdefault((guid, coder), about | {CODER: coder})
            column, value = code
            before = row.get(column, "")
            if value not in before.split(BOTH):
                row[column] = f"{before}{BOTH}{value}" if before else value
    if not rows:
        raise DataProblems([NOTHING_CODED.at(source)])
    order = [name for name, _ in dict.fromkeys(codes.values())]
    return [_in_order(row, order) for row in rows.values()]


def _in_order(row: dict[str, str], codes: list[str]) -> dict[str, str]:
    """Return a row with the codes last, in the order of the codebook, whether it has them or not."""
    known = dict.fromkeys(codes)
    return {name: value for name, value in row.items() if name not in known} | {name: row.get(name, "") for name in known}


def _codes(root: ElementTree.Element, source: str) -> dict[str, tuple[str, str]]:
    """Return, by guid, the column of each code and what stands in it."""
    return {
        guid: code for book in root.iterfind(_below_any("CodeBook")) for codes in book for guid, code in _below(codes, "", source)
    }


def _below(element: ElementTree.Element, above: str, source: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for code in element.findall(_any("Code")):
        name, children = code.get("name", "").strip(), code.findall(_any("Code"))
        guid = _guid(code, source)
        if code.get("isCodable", "true") != "false":  # the others are headings
            yield guid, (above, name) if above and not children else (name, PRESENT)
        yield from _below(code, name, source)


def _named(root: ElementTree.Element, kind: str, source: str) -> dict[str, str]:
    return {_guid(each, source): each.get("name") or each.get("id") or "" for each in root.iterfind(_below_any(kind))}


def _of_cases(root: ElementTree.Element, variables: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return the variables of the cases, by the guid of the documents that belong to them."""
    found: dict[str, dict[str, str]] = {}
    for case in root.iterfind(_below_any("Case")):
        values = _values(case, variables)
        for reference in case.findall(_any("SourceRef")):
            found.setdefault(reference.get("targetGUID", ""), {}).update(values)
    return found


def _values(element: ElementTree.Element, variables: dict[str, str]) -> dict[str, str]:
    found = {}
    for value in element.findall(_any("VariableValue")):
        reference = value.find(_any("VariableRef"))
        name = variables.get("" if reference is None else reference.get("targetGUID", ""))
        texts = [each.text or "" for each in value if each is not reference]
        if name and texts:
            found[name] = texts[0].strip()
    return found


def _guid(element: ElementTree.Element, source: str) -> str:
    guid = element.get("guid", "")
    if not guid:
        raise DataProblems([NO_GUID.at(source, found=element.tag.rpartition("}")[2])])
    return guid


def _any(name: str) -> str:
    """Return a name as `ElementTree` finds it in any namespace: versions of the standard have their own."""
    return "{*}" + name


def _below_any(name: str) -> str:
    """Return a name at any depth, in any namespace."""
    return f".//{_any(name)}"


READER = Refi()
