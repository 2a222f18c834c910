"""The language of the screen: an option of the whole program, given before the verb or after it, or an environment variable."""

from __future__ import annotations

import os
from contextvars import ContextVar

from asp_eval.core.phrases import ENGLISH, Translation
from asp_eval.workflow.language import SOURCE, screen_words

VARIABLE = "ASP_EVAL_LANGUAGE"

_chosen: ContextVar[tuple[str, Translation]] = ContextVar("language", default=(SOURCE, ENGLISH))


def choose(code: str | None) -> None:
    """Speak a language from here on; nothing changes if none is named.

    Raises
    ------
    Refusal
        CLI-007 if there is no catalogue for it.
    """
    if code:
        _chosen.set((code, screen_words(code)))


def start_anew() -> None:
    """Speak English, or what the environment variable says."""
    _chosen.set((SOURCE, ENGLISH))
    choose(os.environ.get(VARIABLE))


def language() -> str:
    """Return the code of the language that is spoken."""
    return _chosen.get()[0]


def words() -> Translation:
    """Return how phrases are said in that language."""
    return _chosen.get()[1]
