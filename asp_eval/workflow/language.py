"""The languages that a door can speak: those that have a catalogue in ``reports/locale``."""

from __future__ import annotations

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import ENGLISH, Translation

SOURCE = "en"

NO_WORDS = Fault(
    "CLI-007", "the program does not speak this language", "Name one that it speaks with --language, or in ASP_EVAL_LANGUAGE."
)


def screen_words(language: str) -> Translation:
    """Return how phrases are said in a language; what is not translated stays English.

    Raises
    ------
    Refusal
        CLI-007 if there is no catalogue for the language.

    Examples
    --------
    >>> screen_words("en")("Correct the cell.")
    'Correct the cell.'
    """
    if language == SOURCE:  # needs no catalogue
        return ENGLISH
    from asp_eval.reporting.language import available_languages, fault_words

    if language not in available_languages():
        NO_WORDS.refuse("--language", found=language, expected=", ".join(available_languages()))
    return fault_words(language)


def help_words(language: str) -> Translation:
    """Return how the help of the commands is said in a language; what is not translated stays English.

    Examples
    --------
    >>> help_words("da")("Check everything, store nothing.")
    'Kontroller alt, gem intet.'
    """
    if language == SOURCE:
        return ENGLISH
    from asp_eval.reporting.language import command_words

    return command_words(language)
