"""Words in the reader's language: Babel message catalogues, read as text and compiled in memory.

The sentences of the reports are the English message ids themselves; ``reports/locale/<language>/LC_MESSAGES`` holds
the translations. ``asp_eval.po`` is for the sentences of this room. ``notes.po`` is for sentences that other rooms
write into results (the reason why a number cannot be had, a note beside an estimate); its message ids may hold
``{fields}``, by which a finished sentence is recognised and said again in the other language. ``faults.po`` is for faults,
whose texts and details come apart as they were declared (`core.phrases`).
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Say
from asp_eval.core.resources import shipped_folder

SOURCE_LANGUAGE = "en"

NO_LANGUAGE = Fault(
    "REP-001",
    "reports cannot be written in this language",
    "Name one of the available languages under 'languages' in study.yaml.",
)


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The reports' sentences in one language; call it with the English sentence.

    Attributes
    ----------
    language : str
        Language code: ``da`` or ``en``.
    fallback : tuple of str
        Languages to take a study's own label from, where it is not given in `language`.

    Examples
    --------
    >>> words_for("da")("Contents")
    'Indhold'
    >>> words_for("en")("{n} of them", n=3)
    '3 of them'
    """

    language: str
    messages: gettext.NullTranslations
    notes: Mapping[str, str]
    patterns: tuple[tuple[re.Pattern[str], str], ...]
    fallback: tuple[str, ...] = field(default=(SOURCE_LANGUAGE,))

    def __call__(self, sentence: str, /, **fields: object) -> str:
        """Return a sentence with its fields filled in."""
        return self.messages.gettext(sentence).format(**fields)

    def plural(self, one: str, many: str, n: int, /, **fields: object) -> str:
        """Return a sentence in the singular or the plural that `n` asks for."""
        return self.messages.ngettext(one, many, n).format(**fields)

    def label(self, texts: Mapping[Any, str], otherwise: str = "") -> str:
        """Return a study's own label in this language, else in the first language that has it, else `otherwise`."""
        wanted = (self.language, *self.fallback, *texts)
        return next((texts[code] for code in wanted if texts.get(code)), otherwise)

    def name(self, key: str) -> str:
        """Return what a well-known key (an arm, a stratum, a covariate) is called, else the key itself."""
        return self.notes.get(key) or key

    def note(self, text: str) -> str:
        """Return a sentence of another room in this language; one that is not in the catalogue stays as it is."""
        if said := self._known(text):
            return said
        for found in re.finditer("; ", text):  # several notes in one
            if first := self._known(text[: found.start()]):
                return f"{first}; {self.note(text[found.end() :])}"
        return text

    def _known(self, text: str) -> str | None:
        if text in self.notes:
            return self.notes[text]
        found = ((pattern.fullmatch(text), said) for pattern, said in self.patterns)
        return next((said.format(**match.groupdict()) for match, said in found if match), None)


def available_languages() -> tuple[str, ...]:
    """Return the languages reports can be written in.

    Examples
    --------
    >>> available_languages()
    ('da', 'en')
    """
    shipped = {folder.parent.name for folder in _locale_folder().glob("*/LC_MESSAGES")}
    return tuple(sorted(shipped | {SOURCE_LANGUAGE}))


def words_for(language: str, fallback: tuple[str, ...] = ()) -> Words:
    """Return the sentences of one language.

    Raises
    ------
    Refusal
        If there is no catalogue for the language.
    """
    if language not in available_languages():
        NO_LANGUAGE.refuse(found=language, expected=", ".join(available_languages()))
    messages, notes, patterns = _compiled(language)
    return Words(language, messages, notes, patterns, (*fallback, SOURCE_LANGUAGE))


def fault_words(language: str) -> Say:
    """Return how faults, and other phrases, are said in a language; a message without a translation stays English.

    Raises
    ------
    Refusal
        If there is no catalogue for the language.

    Examples
    --------
    >>> fault_words("da")("Correct the cell.")
    'Ret cellen.'
    """
    if language not in available_languages():
        NO_LANGUAGE.refuse(found=language, expected=", ".join(available_languages()))
    messages = _fault_messages(language)
    return lambda message: messages.get(message, message)


def as_sentence(text: str) -> str:
    """Return text with a capital and a full stop; nothing stays nothing.

    Examples
    --------
    >>> as_sentence("one of the two sides has no answers")
    'One of the two sides has no answers.'
    """
    stop = "." if text and not text.endswith(".") else ""
    return text[:1].upper() + text[1:] + stop


def catalogue(language: str, domain: str) -> Catalog:
    """Read one message catalogue."""
    path = _locale_folder() / language / "LC_MESSAGES" / f"{domain}.po"
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def note_pattern(sentence: str) -> re.Pattern[str]:
    """Return the pattern that recognises a finished sentence of a message id with ``{fields}``.

    Examples
    --------
    >>> note_pattern("{n} children left out").fullmatch("12 children left out")["n"]
    '12'
    """
    parts = re.split(r"\{(\w+)\}", sentence)
    return re.compile("".join(re.escape(part) if i % 2 == 0 else f"(?P<{part}>.+?)" for i, part in enumerate(parts)), re.DOTALL)


@cache
def _compiled(language: str) -> tuple[gettext.NullTranslations, Mapping[str, str], tuple[tuple[re.Pattern[str], str], ...]]:
    if language == SOURCE_LANGUAGE:
        return gettext.NullTranslations(), {}, ()
    binary = BytesIO()
    write_mo(binary, catalogue(language, "asp_eval"))
    binary.seek(0)
    notes = {str(m.id): str(m.string) for m in catalogue(language, "notes") if m.id and m.string}
    patterns = tuple((note_pattern(english), said) for english, said in notes.items() if "{" in english)
    return gettext.GNUTranslations(binary), notes, patterns


@cache
def _fault_messages(language: str) -> Mapping[str, str]:
    if language == SOURCE_LANGUAGE:
        return {}
    return {str(m.id): str(m.string) for m in catalogue(language, "faults") if m.id and m.string}


def _locale_folder() -> Path:
    return shipped_folder("reports") / "locale"
