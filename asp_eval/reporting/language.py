"""Words in the reader's language: Babel message catalogues, read as text and compiled in memory.

The sentences of the reports are the English message ids themselves; ``reports/locale/<language>/LC_MESSAGES`` holds
the translations. ``asp_eval.po`` is for the sentences of this room. ``notes.po`` and ``faults.po`` are for phrases
(`core.phrases`): what other rooms write into results (the reason why a number cannot be had, a note beside an estimate), and
faults with their details. ``commands.po`` is for the help of the commands. ``names.po`` is for well-known keys of a study: what
an arm or a covariate is called.
"""

from __future__ import annotations

import gettext
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import ENGLISH, Translation, told
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
    phrases: Translation
    names: Mapping[str, str]
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
        return self.names.get(key, key)

    def note(self, words: str) -> str:
        """Return what another room says, in this language; text that is no phrase is data and stays as it is."""
        return str(told(words, self.phrases))


@cache
def available_languages() -> tuple[str, ...]:
    """Return the languages reports can be written in.

    Examples
    --------
    >>> available_languages()
    ('da', 'en')
    """
    shipped = {folder.parent.name for folder in _locale_folder().glob("*/LC_MESSAGES")}
    return tuple(sorted(shipped | {SOURCE_LANGUAGE}))


def languages_with_words(declared: Iterable[str]) -> tuple[str, ...]:
    """Return which of a study's languages pages can be written in that nobody asked for; English if it is none of them.

    Examples
    --------
    >>> languages_with_words(["sv", "da"]), languages_with_words(["sv"])
    (('da',), ('en',))
    """
    there = available_languages()
    return tuple(code for code in declared if code in there) or (SOURCE_LANGUAGE,)


def words_for(language: str, fallback: tuple[str, ...] = ()) -> Words:
    """Return the sentences of one language.

    Raises
    ------
    Refusal
        If there is no catalogue for the language.
    """
    if language not in available_languages():
        NO_LANGUAGE.refuse(found=language, expected=", ".join(available_languages()))
    return Words(language, _sentences(language), _translation(language), _names(language), (*fallback, SOURCE_LANGUAGE))


def fault_words(language: str) -> Translation:
    """Return how phrases, of faults and of results, are said in a language; a message without a translation stays English.

    Raises
    ------
    Refusal
        If there is no catalogue for the language.

    Examples
    --------
    >>> fault_words("da")("Correct the cell, or leave it empty.")
    'Ret cellen, eller lad den stå tom.'
    """
    if language not in available_languages():
        NO_LANGUAGE.refuse(found=language, expected=", ".join(available_languages()))
    return _translation(language)


@cache
def command_words(language: str) -> Translation:
    """Return how the help of the commands is said in a language; a text without a translation stays English."""
    return Translation(_messages(language, "commands"))


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


@cache
def _sentences(language: str) -> gettext.NullTranslations:
    """Return the sentences of the reports, with their plurals."""
    if language == SOURCE_LANGUAGE:
        return gettext.NullTranslations()
    binary = BytesIO()
    write_mo(binary, catalogue(language, "asp_eval"))
    binary.seek(0)
    return gettext.GNUTranslations(binary)


@cache
def _translation(language: str) -> Translation:
    """Return the phrases of faults and results, and the marks of numbers."""
    if language == SOURCE_LANGUAGE:
        return ENGLISH
    locale = Locale.parse(language)
    marks = locale.number_symbols["latn"]
    percent = locale.percent_formats[None].suffix[0]
    messages = dict(_names(language)) | _messages(language, "notes") | _messages(language, "faults")
    return Translation(messages, decimal=marks["decimal"], thousands=marks["group"], percent=percent)


@cache
def _names(language: str) -> Mapping[str, str]:
    return {} if language == SOURCE_LANGUAGE else _messages(language, "names")


def _messages(language: str, domain: str) -> dict[str, str]:
    return {str(m.id): str(m.string) for m in catalogue(language, domain) if m.id and m.string}


def _locale_folder() -> Path:
    return shipped_folder("reports") / "locale"
