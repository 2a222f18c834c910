"""REFI-QDA codebooks (``.qdc``), as QualCoder, NVivo, MAXQDA and ATLAS.ti write them: which codes they have, one below the other.

A code that nothing stands below is what coders choose; a code above others is a column of the coded sheet, and what stands above
that is a heading. That is how projects are read (`refi_project`), so a codebook says beforehand which codings will come in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

import defusedxml
import defusedxml.ElementTree

from asp_eval.core.errors import DataProblems, Fault, Problem
from asp_eval.core.phrases import Phrase
from asp_eval.intake.files.export import Export
from asp_eval.intake.files.reading import NO_FILE
from asp_eval.intake.files.refi_project import LARGEST, PRESENT, guid_of, in_any_namespace, strange_elements

NOT_A_CODEBOOK = Fault(
    "SCR-248",
    "the file is no REFI-QDA codebook that can be read",
    "Export the codebook again (.qdc) from the program that holds it; a project (.qdpx) is imported with 'asp-eval import'.",
)
NO_CODES = Fault("SCR-249", "the codebook has no codes", "Export it again, with its codes.")


@dataclass(frozen=True, slots=True)
class BookCode:
    """A code that coders choose.

    Attributes
    ----------
    column, value : str
        As a project's codings would come in: the code above it and its own name; of a code that stands alone its name and
        ``present``.
    """

    column: str
    value: str


@dataclass(frozen=True, slots=True)
class Codebook:
    """What a codebook holds, in its order."""

    codes: tuple[BookCode, ...]
    notes: tuple[Problem, ...]


def read_codebook(export: Export) -> Codebook:
    """Return the codes of a codebook.

    Parameters
    ----------
    export : Export

    Raises
    ------
    DataProblems
        SCR-001 if there is no such file; SCR-248 if it is no codebook, is damaged, defines entities or is larger than 100 MB;
        SCR-243 for a code without a guid; SCR-249 without codes.
    """
    if not export.path.is_file():
        raise DataProblems([NO_FILE.at(str(export.path))])
    if export.size > LARGEST:
        limit = Phrase("at most {n} MB", n=LARGEST // 1_000_000)
        raise DataProblems([NOT_A_CODEBOOK.at(export.source, expected=limit)])
    try:
        root = defusedxml.ElementTree.fromstring(export.content, forbid_dtd=True)
    except (ElementTree.ParseError, defusedxml.DefusedXmlException, LookupError, ValueError):
        raise DataProblems([NOT_A_CODEBOOK.at(export.source)]) from None
    if root.tag.rpartition("}")[2] != "CodeBook":
        raise DataProblems([NOT_A_CODEBOOK.at(export.source, found=root.tag.rpartition("}")[2])])
    codes = tuple(code for book in root.iterfind(in_any_namespace("Codes")) for code in _chosen(book, "", export.source))
    if not codes:
        raise DataProblems([NO_CODES.at(export.source)])
    return Codebook(codes, tuple(strange_elements(root, export.source)))


def _chosen(element: ElementTree.Element, above: str, source: str) -> Iterator[BookCode]:
    for code in element.findall(in_any_namespace("Code")):
        guid_of(code, source)
        name = code.get("name", "").strip()
        if code.find(in_any_namespace("Code")) is not None:
            yield from _chosen(code, name, source)
        else:
            yield BookCode(above, name) if above else BookCode(name, PRESENT)
