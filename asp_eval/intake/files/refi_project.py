"""REFI-QDA projects (``.qdpx``): an archive with a project in XML and its sources, opened in memory and within limits.

The format is that of the REFI-QDA Standard, version 1.0 (www.qdasoftware.org). Positions of selections are code points, the end
behind the last one. Nothing is unpacked to the disk; of the sources only the plain texts of coded selections are read.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

import defusedxml.ElementTree

from asp_eval.core.errors import DataProblems, Fault, Problem
from asp_eval.core.phrases import Phrase, some_of
from asp_eval.intake.files.export import Export

BROKEN = Fault("SCR-240", "the REFI-QDA project is damaged or was cut short", "Export it again from the program that coded it.")
NO_PROJECT = Fault("SCR-241", "the archive does not hold one REFI-QDA project", "Export each project into a file of its own.")
TOO_LARGE = Fault("SCR-242", "the project unpacks to more than is read from one", "Export it without sources, or in parts.")
NO_GUID = Fault("SCR-243", "the project has codes, users or sources without a guid", "Export it again; every one needs its own.")
NOTHING_CODED = Fault("SCR-244", "nothing is coded in the project", "Export the project with its codings.")
STRANGE = Fault(
    "SCR-245",
    "{n} elements of the project are not of the REFI-QDA Standard and were passed over: {names}",
    "Nothing needs to be done unless something is missing; the program that wrote them knows what they hold.",
    "warning",
)

PROJECT = "project.qde"
MARK = b"PK"
LARGEST = 100_000_000  # bytes of the project itself, and of all texts that are read
MOST_MEMBERS = 20_000
HIGHEST_RATIO = 200  # of a part's size to its size in the archive; XML and text pack to a tenth, rarely to a hundredth
SMALL = 1_000_000  # bytes; a part no larger may pack to less
MOST_NAMED = 5
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, LookupError, ValueError)
DOCUMENT = "document"
PRESENT = "present"
INTERNAL = "internal://"
VARIABLES = (
    "BooleanValue",
    "DateTimeValue",
    "DateValue",
    "FloatValue",
    "IntegerValue",
    "TextValue",
    "VariableRef",
    "VariableValue",
)
MEDIA = ("Audio", "PDF", "Picture", "Video")
STANDARD = frozenset(  # the elements of a project
    {
        *("Project", "Users", "User", "CodeBook", "Codes", "Code", "CodeRef", "Coding", "Description", "Representation"),
        *("Variables", "Variable", *VARIABLES, "Cases", "Case", "SourceRef", "SelectionRef", "Notes", "Note", "NoteRef"),
        *("Sources", "TextSource", "TextDescription", "PlainTextContent", "PlainTextSelection"),
        *(f"{kind}{part}" for kind in MEDIA for part in ("Source", "Selection")),
        *("Transcript", "TranscriptSelection", "SyncPoint", "Links", "Link", "Graphs", "Graph", "Vertex", "Edge"),
        *("Sets", "Set", "MemberCode", "MemberNote", "MemberSource"),
    }
)


@dataclass(frozen=True, slots=True)
class CodedPart:
    """A coding: by whom, with what, and where in the plain text, if it is of one.

    Attributes
    ----------
    coder : str
    column, value : str
        The code as a column of a coded sheet, and what stands in it.
    start, end : int, optional
        Code points from 0, the end behind the last.
    """

    coder: str
    column: str
    value: str
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class CodedDocument:
    """A document with its codings.

    Attributes
    ----------
    name : str
        Unlike that of any other document of the project.
    about : tuple of dict
        The variables of the document and of its case; several where cases it belongs to say different things.
    parts : tuple of CodedPart
    text : str, optional
        The plain text, if it is in the project.
    """

    name: str
    about: tuple[dict[str, str], ...]
    parts: tuple[CodedPart, ...]
    text: str | None


@dataclass(frozen=True, slots=True)
class CodedProject:
    """What a project holds.

    Attributes
    ----------
    columns : tuple of str
        Of its codes, in the order of the codebook.
    documents : tuple of CodedDocument
        Those with codings.
    notes : tuple of Problem
    """

    columns: tuple[str, ...]
    documents: tuple[CodedDocument, ...]
    notes: tuple[Problem, ...]


def is_project(export: Export) -> bool:
    """Return whether the file is an archive with a project in it, or calls itself one."""
    return export.path.suffix.lower() == ".qdpx" or (export.start.startswith(MARK) and PROJECT.encode() in export.start)


def read_project(export: Export, *, texts: bool = False) -> CodedProject:
    """Return what was coded in a project.

    Parameters
    ----------
    export : Export
    texts : bool
        Whether the plain texts are read as well.

    Raises
    ------
    DataProblems
        SCR-240 to SCR-244.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(export.content)) as archive:
            parts = archive.infolist()
            root = defusedxml.ElementTree.fromstring(
                _unpacked(archive, _project_among(parts, export.source), export.source), True
            )
            sources = _texts(archive, parts, root, export.source) if texts else {}
    except (*DAMAGED, ElementTree.ParseError):
        raise DataProblems([BROKEN.at(export.source)]) from None
    codes = _codes(root, export.source)
    documents = tuple(_documents(root, codes, sources, export.source))
    if not documents:
        raise DataProblems([NOTHING_CODED.at(export.source)])
    columns = tuple(dict.fromkeys(name for name, _ in codes.values()))
    return CodedProject(columns, documents, tuple(strange_elements(root, export.source)))


def _project_among(parts: Sequence[zipfile.ZipInfo], source: str) -> zipfile.ZipInfo:
    """Return the part that is the project."""
    if len(parts) > MOST_MEMBERS:
        raise DataProblems([TOO_LARGE.at(source, found=len(parts))])
    found = [part for part in parts if part.filename.rpartition("/")[2].lower() == PROJECT]
    if len(found) != 1:
        raise DataProblems([NO_PROJECT.at(source, found=Phrase("{n} projects", n=len(found)))])
    return found[0]


def _unpacked(archive: zipfile.ZipFile, part: zipfile.ZipInfo, source: str, left: int = LARGEST) -> bytes:
    """Return a part, whatever size the archive says it has, if it is within the limits."""
    with archive.open(part) as stream:
        content = stream.read(left + 1)
    if len(content) > left:
        raise DataProblems([TOO_LARGE.at(source, expected=Phrase("at most {n} MB", n=LARGEST // 1_000_000))])
    if len(content) > max(SMALL, HIGHEST_RATIO * part.compress_size):
        limit = Phrase("at most {n} times its size in the archive", n=HIGHEST_RATIO)
        raise DataProblems([TOO_LARGE.at(source, found=part.filename, expected=limit)])
    return content


def _texts(archive: zipfile.ZipFile, parts: Sequence[zipfile.ZipInfo], root: ElementTree.Element, source: str) -> dict[str, str]:
    """Return the plain texts of the coded sources, by the guid of the source."""
    files = {part.filename.rpartition("/")[2].casefold(): part for part in parts}
    found: dict[str, str] = {}
    left = LARGEST
    for document in _sources(root):
        if document.find(_below_any("Coding")) is None:
            continue
        inline = document.find(_below_any("PlainTextContent"))
        path = next((each.get("plainTextPath", "") for each in document.iter() if each.get("plainTextPath")), "")
        part = files.get(path.removeprefix(INTERNAL).rpartition("/")[2].casefold()) if path.startswith(INTERNAL) else None
        if part is not None:
            content = _unpacked(archive, part, source, left)
            left -= len(content)
            found[guid_of(document, source)] = content.decode("utf-8-sig")
        elif inline is not None and inline.text:
            found[guid_of(document, source)] = inline.text
    return found


def _documents(
    root: ElementTree.Element, codes: Mapping[str, tuple[str, str]], texts: Mapping[str, str], source: str
) -> Iterator[CodedDocument]:
    users, variables = _named(root, "User", source), _named(root, "Variable", source)
    of_case = _of_cases(root, variables)
    documents = list(_sources(root))
    times = Counter(each.get("name", "") for each in documents)
    for document in documents:
        guid = guid_of(document, source)
        called = document.get("name", "")
        name = called if called and times[called] == 1 else f"{called} {guid}".strip()
        parts = tuple(_parts(document, codes, users))
        if parts:
            own = _values(document, variables)
            about = tuple({DOCUMENT: name} | values | own for values in of_case.get(guid, [{}]))
            yield CodedDocument(name, about, parts, texts.get(guid))


def _parts(document: ElementTree.Element, codes: Mapping[str, tuple[str, str]], users: Mapping[str, str]) -> Iterator[CodedPart]:
    """Yield the codings of a document, those of a selection with its place."""
    for above in document.iter():
        is_text = above.tag.rpartition("}")[2] == "PlainTextSelection"
        start, end = (_position(above, name) if is_text else None for name in ("startPosition", "endPosition"))
        for coding in above.findall(in_any_namespace("Coding")):
            reference = coding.find(in_any_namespace("CodeRef"))
            code = codes.get("" if reference is None else reference.get("targetGUID", ""))
            if code is not None:
                coder = users.get(coding.get("creatingUser", ""), coding.get("creatingUser", ""))
                yield CodedPart(coder, *code, start, end)


def _position(selection: ElementTree.Element, name: str) -> int | None:
    text = selection.get(name, "")
    return int(text) if text.isdecimal() else None


def strange_elements(root: ElementTree.Element, source: str) -> Iterator[Problem]:
    """Yield a note of elements that the standard does not have."""
    names = Counter(each.tag.rpartition("}")[2] for each in root.iter() if isinstance(each.tag, str))
    others = {name: n for name, n in names.items() if name not in STANDARD}
    if others:
        yield STRANGE.at(source, n=sum(others.values()), names=some_of(sorted(others), MOST_NAMED))


def _codes(root: ElementTree.Element, source: str) -> dict[str, tuple[str, str]]:
    """Return, by guid, the column of each code and what stands in it."""
    return {
        guid: code for book in root.iterfind(_below_any("CodeBook")) for codes in book for guid, code in _below(codes, "", source)
    }


def _below(element: ElementTree.Element, above: str, source: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for code in element.findall(in_any_namespace("Code")):
        name, children = code.get("name", "").strip(), code.findall(in_any_namespace("Code"))
        guid = guid_of(code, source)
        if code.get("isCodable", "true") != "false":  # the others are headings
            yield guid, (above, name) if above and not children else (name, PRESENT)
        yield from _below(code, name, source)


def _named(root: ElementTree.Element, kind: str, source: str) -> dict[str, str]:
    return {guid_of(each, source): each.get("name") or each.get("id") or "" for each in root.iterfind(_below_any(kind))}


def _of_cases(root: ElementTree.Element, variables: Mapping[str, str]) -> dict[str, list[dict[str, str]]]:
    """Return the variables of the cases, by the guid of the documents that belong to them; several where cases contradict."""
    found: dict[str, list[dict[str, str]]] = {}
    for case in root.iterfind(_below_any("Case")):
        values = _values(case, variables)
        for reference in case.findall(in_any_namespace("SourceRef")):
            known = found.setdefault(reference.get("targetGUID", ""), [{}])
            if any(one.get(name, value) != value for one in known for name, value in values.items()):
                known.append(known[0] | values)
            else:
                known[:] = [one | values for one in known]
    return found


def _values(element: ElementTree.Element, variables: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for value in element.findall(in_any_namespace("VariableValue")):
        reference = value.find(in_any_namespace("VariableRef"))
        name = variables.get("" if reference is None else reference.get("targetGUID", ""))
        texts = [each.text or "" for each in value if each is not reference]
        if name and texts:
            found[name] = texts[0].strip()
    return found


def guid_of(element: ElementTree.Element, source: str) -> str:
    """Return what identifies an element, or refuse one without: SCR-243."""
    guid = element.get("guid", "")
    if not guid:
        raise DataProblems([NO_GUID.at(source, found=element.tag.rpartition("}")[2])])
    return guid


def in_any_namespace(name: str) -> str:
    """Return a name as `ElementTree` finds it in any namespace: versions of the standard have their own."""
    return "{*}" + name


def _sources(root: ElementTree.Element) -> Iterator[ElementTree.Element]:
    return (each for sources in root.iterfind(_below_any("Sources")) for each in sources)


def _below_any(name: str) -> str:
    """Return a name at any depth, in any namespace."""
    return f".//{in_any_namespace(name)}"
