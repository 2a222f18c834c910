"""A coding frame as text to print: the codebook, and the interview guides and observation forms."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.trial.process.frame import Frame

WORDS = {
    "da": {"use": "Brug den", "not": "Brug den ikke", "example": "Eksempel", "levels": "Siger", "codes": "Koder"},
    "en": {"use": "Use it", "not": "Do not use it", "example": "Example", "levels": "Says", "codes": "Codes"},
}
LINES = 3  # to write on, under each question


def codebook_text(frame: Frame, language: str) -> str:
    """Return the codebook as Markdown.

    Examples
    --------
    >>> from asp_eval.trial.process.library import frame
    >>> print(codebook_text(frame("asp-process"), "en").splitlines()[0])
    # What happened in the institutions (asp-process version 1)
    """
    return "\n".join(_codebook(frame, language)) + "\n"


def guides_text(frame: Frame, language: str) -> str:
    """Return the guides as Markdown, each question with lines to write on."""
    return "\n".join(_guides(frame, language)) + "\n"


def _codebook(frame: Frame, language: str) -> Iterator[str]:
    words = WORDS.get(language, WORDS["en"])
    yield f"# {frame.title[language]} ({frame.id} version {frame.version})"
    yield from ("", frame.status[language])
    for theme in frame.themes:
        yield from ("", f"## {theme.title[language]}")
        for code in frame.codes:
            if code.theme != theme.key:
                continue
            levels = frame.level_sets[code.levels].levels
            yield from ("", f"### {code.title[language]} (`{code.key}`)", "", code.definition[language], "")
            yield f"- {words['use']}: {code.use_when[language]}"
            yield f"- {words['not']}: {code.not_when[language]}"
            yield f"- {words['example']}: {code.example[language]}"
            yield f"- {words['levels']}: " + "; ".join(f"`{level.key}` {level.title[language]}" for level in levels)


def _guides(frame: Frame, language: str) -> Iterator[str]:
    words = WORDS.get(language, WORDS["en"])
    for guide in frame.guides:
        yield from (f"# {guide.title[language]}", "")
        if guide.opening is not None:
            yield from (guide.opening[language], "")
        for number, question in enumerate(guide.questions, 1):
            yield f"{number}. {question.text[language]}"
            if question.follow_up is not None:
                yield f"   {question.follow_up[language]}"
            yield f"   ({words['codes']}: {', '.join(question.codes)})"
            yield from ["", *["   ________________________________________________________________"] * LINES, ""]
