"""A coding frame as a REFI-QDA codebook (``.qdc``), which QualCoder, NVivo, MAXQDA and ATLAS.ti read.

Headings are codes that nothing is coded with; under them the codes of the frame, and under each its levels. Names are the keys,
so that a project coded with them is imported without a mapping of codes; what each means stands in its description.
"""

from __future__ import annotations

import uuid
from xml.etree import ElementTree

from asp_eval.trial.process.frame import Frame
from asp_eval.trial.process.parts import Code, Theme

NAMESPACE = "urn:QDA-XML:codebook:1.0"
GUIDS = uuid.UUID("6f1c1c0e-6a51-4d2b-9f52-0c2f5b1a7d11")  # guids follow from frame and key: the same frame has the same ones


def refi_codebook(frame: Frame, language: str) -> bytes:
    """Return a frame as a codebook, its descriptions in one language.

    Parameters
    ----------
    frame : Frame
    language : str
        One of the frame's.

    Examples
    --------
    >>> from asp_eval.trial.process.library import frame
    >>> text = refi_codebook(frame("asp-process"), "da").decode()
    >>> text.count('isCodable="true"') > 100, "Ydre styring" in text
    (True, True)
    """
    ElementTree.register_namespace("", NAMESPACE)
    root = ElementTree.Element(_tag("CodeBook"), {"origin": f"{frame.id} version {frame.version}"})
    codes = ElementTree.SubElement(root, _tag("Codes"))
    for theme in frame.themes:
        if theme.parent is None:
            _theme(codes, frame, theme, language)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _theme(above: ElementTree.Element, frame: Frame, theme: Theme, language: str) -> None:
    element = _code(above, frame, ("theme", theme.key), theme.key, codable=False, words=theme.title[language])
    for code in frame.codes:
        if code.theme == theme.key:
            _coded(element, frame, code, language)
    for child in frame.themes:
        if child.parent == theme.key:
            _theme(element, frame, child, language)


def _coded(above: ElementTree.Element, frame: Frame, code: Code, language: str) -> None:
    words = "\n".join(part[language] for part in (code.title, code.definition, code.use_when, code.not_when, code.example))
    element = _code(above, frame, ("code", code.key), code.key, codable=False, words=words)
    for level in frame.level_sets[code.levels].levels:
        _code(element, frame, ("level", code.key, level.key), level.key, codable=True, words=level.title[language])


def _code(
    above: ElementTree.Element, frame: Frame, about: tuple[str, ...], name: str, *, codable: bool, words: str
) -> ElementTree.Element:
    guid = str(uuid.uuid5(GUIDS, "/".join((frame.id, str(frame.version), *about))))
    attributes = {"guid": guid, "name": name, "isCodable": "true" if codable else "false"}
    element = ElementTree.SubElement(above, _tag("Code"), attributes)
    ElementTree.SubElement(element, _tag("Description")).text = words
    return element


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
