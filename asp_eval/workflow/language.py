"""The languages that a door can speak: those that have a catalogue in ``reports/locale``."""

from __future__ import annotations

from asp_eval.core.phrases import ENGLISH, Translation

SOURCE = "en"


def screen_words(language: str) -> Translation:
    """Return how phrases are said in a language; what is not translated stays English.

    Raises
    ------
    Refusal
        REP-001 if there is no catalogue for the language.

    Examples
    --------
    >>> screen_words("en")("Correct the cell.")
    'Correct the cell.'
    """
    if language == SOURCE:  # needs no catalogue
        return ENGLISH
    from asp_eval.reporting.language import fault_words

    return fault_words(language)
