"""``asp-eval frames``: the coding frames listed, shown, and handed to coders and interviewers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from asp_eval.core.documents import write_whole
from asp_eval.core.errors import Fault
from asp_eval.trial.process.codebook import refi_codebook
from asp_eval.trial.process.frame import Frame
from asp_eval.trial.process.guide_forms import guides_xlsform
from asp_eval.trial.process.library import among, frames_of
from asp_eval.trial.process.printed import codebook_text, guides_text

NO_FORMAT = Fault("FRM-022", "there is no such format", "Name one of: {formats}.")
NO_GUIDES = Fault("FRM-024", "the frame has no interview guide", "Write one under 'guides' in its file.")
NO_LANGUAGE = Fault("FRM-023", "the frame is not written in this language", "Name one of: {languages}.")


@dataclass(frozen=True, slots=True)
class Format:
    """One format: how it is made, how its file name ends, and whether it holds guides, and every language."""

    make: Callable[[Frame, str], str | bytes]
    ending: str
    is_guide: bool = False
    has_all_languages: bool = False


def _print_guides(frame: Frame, language: str) -> str:
    from asp_eval.reporting.documents.guide_form import print_guides

    return print_guides(frame, language)


FORMATS: Mapping[str, Format] = {
    "refi": Format(refi_codebook, "qdc"),
    "codebook": Format(codebook_text, "codebook.md"),
    "guides": Format(guides_text, "guides.md", is_guide=True),
    "print": Format(_print_guides, "guides.html", is_guide=True),
    "xlsform": Format(lambda frame, _: guides_xlsform(frame), "guides.xlsx", is_guide=True, has_all_languages=True),
}


@dataclass(frozen=True, slots=True)
class ListedFrame:
    """One line of the list of coding frames."""

    id: str
    version: int
    codes: int
    guides: int


@dataclass(frozen=True, slots=True)
class ExportedFrame:
    """A coding frame that was written in one of the formats."""

    frame: str
    version: int
    format: str
    file: Path


def list_frames(study: Path | None = None) -> tuple[ListedFrame, ...]:
    """Return the shipped coding frames, and a study's own.

    Raises
    ------
    DataProblems
        Everything that is wrong with the study's own files.
    """
    return tuple(ListedFrame(each.id, each.version, len(each.codes), len(each.guides)) for each in frames_of(study))


def show_frame(name: str, language: str, study: Path | None = None) -> str:
    """Return the codebook of a frame as text.

    Raises
    ------
    Refusal
        FRM-020 if there is no such frame, FRM-023 if it is not written in the language.
    """
    found = among(frames_of(study), name)
    return codebook_text(found, _spoken(found, language))


def export_frame(
    name: str, to: str, *, language: str | None = None, study: Path | None = None, out: Path | None = None
) -> ExportedFrame:
    """Write a frame for software of qualitative analysis, as a codebook, or its interview guides.

    Parameters
    ----------
    name : str
    to : {"refi", "codebook", "guides", "print", "xlsform"}
        The last three hold the guides: as text, as a page to print, and as a form for the field in every language of the frame.
    language : str, optional
        By default the frame's first.
    study : Path, optional
        The study's folder, for its own frames.
    out : Path, optional
        By default a file named after the frame, where one stands.

    Raises
    ------
    Refusal
        FRM-020 if there is no such frame, FRM-022 to FRM-024.
    """
    if to not in FORMATS:
        NO_FORMAT.refuse(found=to, formats=", ".join(FORMATS))
    found, chosen = among(frames_of(study), name), FORMATS[to]
    spoken = found.languages[0] if language is None else _spoken(found, language)
    if chosen.is_guide and not found.guides:
        NO_GUIDES.refuse(found.id)
    path = out or Path(".".join([found.id, *([] if chosen.has_all_languages else [spoken]), chosen.ending]))
    write_whole(path, chosen.make(found, spoken))
    return ExportedFrame(found.id, found.version, to, path)


def _spoken(frame: Frame, language: str) -> str:
    if language not in frame.languages:
        NO_LANGUAGE.refuse(frame.id, found=language, languages=", ".join(frame.languages))
    return language
