"""``asp-eval instruments``: the questionnaires listed, shown, checked, and handed to the field."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asp_eval.core.documents import write_whole
from asp_eval.core.errors import DataProblems, Fault, Problem
from asp_eval.trial.instruments.codebook import codebook_lines
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.library import Library, library_of, shipped

NO_STUDY = Fault("CLI-010", "there is no study.yaml in this folder", "Name the study folder, or start one: 'asp-eval init'.")


@dataclass(frozen=True, slots=True)
class ListedInstrument:
    """One line of the list of instruments."""

    id: str
    version: int
    informant: str
    items: int
    scales: int
    of_the_study: bool


@dataclass(frozen=True, slots=True)
class CheckedInstruments:
    """How many instruments are sound.

    Attributes
    ----------
    instruments : int
        Those shipped.
    own_instruments, norm_sets, wordings : int
        The study's own instruments, sets of norms, and files of wording.
    """

    instruments: int
    own_instruments: int
    norm_sets: int
    wordings: int


@dataclass(frozen=True, slots=True)
class ExportedInstrument:
    """An instrument that was written in one of the formats."""

    instrument: str
    version: int
    format: str
    file: Path


def list_instruments(study: Path | None = None) -> tuple[ListedInstrument, ...]:
    """Return the shipped instruments, and a study's own.

    Parameters
    ----------
    study : Path, optional
        The study's folder.

    Raises
    ------
    Refusal
        CLI-010 if the folder is no study.
    DataProblems
        Everything that is wrong with the study's own files.
    """
    known = _library(study)
    return tuple(
        ListedInstrument(i.id, i.version, i.informant, len(i.items), len(i.scale_keys), known.is_own(i))
        for i in known.instruments()
    )


def show_instrument(name: str, study: Path | None = None) -> Instrument:
    """Return an instrument, shipped or a study's own, with the study's norms.

    Parameters
    ----------
    name : str
    study : Path, optional
        The study's folder.

    Raises
    ------
    Refusal
        CLI-010 if the folder is no study; what `instrument` refuses.
    """
    return _library(study).instrument(name)


def instrument_codebook(found: Instrument, language: str) -> tuple[str, ...]:
    """Return the codebook of an instrument, a line each."""
    return tuple(codebook_lines(found, language))


def check_instruments(study: Path | None = None) -> CheckedInstruments:
    """Load every shipped instrument and check it; with a study, its own instruments, norms and wording too.

    Raises
    ------
    DataProblems
        Every mistake.
    Refusal
        CLI-010 if the folder is no study.
    """
    came = len(shipped().instruments())
    if study is None:
        return CheckedInstruments(came, 0, 0, 0)
    from asp_eval.workflow.instrument_formats import wordings

    known, problems = shipped(), list[Problem]()
    try:
        known = _library(study)
    except DataProblems as error:
        problems += error.problems
    try:
        worded = wordings(study, known, all_known=not problems)
    except DataProblems as error:
        problems += error.problems
    if problems:
        raise DataProblems(problems)
    return CheckedInstruments(came, len(known.own_instruments), len(known.own_norms), len(worded))


def export_instrument(
    name: str,
    to: str,
    *,
    language: str | None = None,
    study: Path | None = None,
    wording: Path | None = None,
    out: Path | None = None,
) -> ExportedInstrument:
    """Write one instrument as an online form, on paper, or for analysis.

    Parameters
    ----------
    name : str
    to : {"xlsform", "redcap", "print", "lavaan", "codebook", "wording"}
    language : str, optional
        By default the form's first.
    study : Path, optional
        The study's folder, for its own instruments, norms and wording.
    wording : Path, optional
        By default ``wording/<id>.yaml`` in the study.
    out : Path, optional
        By default a file named after the form, where one stands.

    Raises
    ------
    Refusal, DataProblems
        What `instrument_formats.export` refuses; INS-037 if the file is there and may not be overwritten.
    """
    from asp_eval.workflow.instrument_formats import export, target, wording_file

    found = _library(study).instrument(name)
    words = wording or (None if study is None else wording_file(study, found))
    default, content = export(found, to, language=language, wording=words)
    path = out or target(found, to, default, study)
    write_whole(path, content)
    return ExportedInstrument(found.id, found.version, to, path)


def _library(study: Path | None) -> Library:
    """Return the questionnaires that are known; a folder that is no study is refused, not taken for one without its own."""
    if study is None:
        return shipped()
    if not (study / "study.yaml").is_file():
        NO_STUDY.refuse(str(study))
    return library_of(study.resolve())
