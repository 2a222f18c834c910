"""``asp-eval instruments``: the questionnaires listed, shown, checked, and handed to the field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from asp_eval.core.documents import write_whole
from asp_eval.core.errors import DataProblems, Fault, Problem
from asp_eval.trial.instruments.codebook import codebook_lines
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.library import INSTRUMENTS, Library, library_of, shipped

NO_STUDY = Fault("CLI-010", "there is no study.yaml in this folder", "Name the study folder, or start one: 'asp-eval init'.")

NO_ID = Fault("INS-042", "this cannot be the id of an instrument", "Use small letters, digits and hyphens, a letter first.")
ID = re.compile(r"[a-z][a-z0-9-]*")


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


@dataclass(frozen=True, slots=True)
class ExportedWaveForm:
    """The form of a wave that was written: its questionnaires, by id, and where it is."""

    wave: str
    table: str
    instruments: tuple[str, ...]
    format: str
    file: Path


def export_wave_form(
    study: Path,
    wave: str,
    to: str,
    *,
    table: str = "screening",
    language: str | None = None,
    filled: Mapping[str, str] | None = None,
    out: Path | None = None,
) -> ExportedWaveForm:
    """Write all that a table collects at a wave as one form; of the forms of a family, the child's age picks the one asked.

    Parameters
    ----------
    study : Path
        The study's folder.
    wave : str
    to : {"xlsform", "redcap", "print"}
    table : {"screening", "staff_survey"}
    language : str, optional
        By default the form's first.
    filled : mapping of str to str, optional
        What stands in the form beforehand: ``{"institution_id": "i07", "rater_id": "r1"}``.
    out : Path, optional
        By default a file named after study and wave, where one stands.

    Raises
    ------
    Refusal, DataProblems
        CLI-010 if the folder is no study; SCR-033 if nothing is collected then; INS-030 if wording is missing; INS-035,
        INS-036, INS-045 to INS-047.
    """
    from asp_eval.trial.study.protocol import load_study
    from asp_eval.workflow.instrument_formats import joint_form, wave_form

    _library_folder(study)
    form = wave_form(load_study(study), wave, table, filled or {})
    default, content = joint_form(form, to, language)
    path = out or Path(default)
    write_whole(path, content)
    return ExportedWaveForm(wave, table, tuple(each.id for each in form.questionnaires), to, path)


def draft_instrument(file: Path, name: str, *, study: Path | None = None, language: str = "en") -> Path:
    """Write the first file of an instrument from a form, a dictionary, a survey's structure or a labelled export.

    What the file does not say, scales and reversed items above all, is left open and refused until it is filled in.

    Parameters
    ----------
    file : Path
    name : str
        Id of the instrument.
    study : Path, optional
        The study's folder: the instrument goes into its ``instruments``, and else to where one stands.
    language : str
        Of the texts of a file that does not say which they are in.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    DataProblems, Refusal
        What is wrong with the file; INS-040 if it shows no questions; INS-037 if the instrument is there already;
        INS-042 for what is no id; CLI-010 if the folder is no study.
    """
    from asp_eval.intake.instrument_drafts.sources import questions_in
    from asp_eval.intake.instrument_drafts.writing import drafted_instrument

    target = _new_file(name, study)
    write_whole(target, drafted_instrument(name, file.name, questions_in(file, language)))
    return target


def new_instrument(name: str, *, study: Path | None = None) -> Path:
    """Write a commented file of an instrument to fill in; see `draft_instrument`."""
    from asp_eval.intake.instrument_drafts.writing import empty_instrument

    target = _new_file(name, study)
    write_whole(target, empty_instrument(name))
    return target


def _new_file(name: str, study: Path | None) -> Path:
    if not ID.fullmatch(name):
        NO_ID.refuse(found=name)
    _library_folder(study)
    from asp_eval.workflow.instrument_formats import FILLED

    path = Path(f"{name}.yaml") if study is None else study / INSTRUMENTS / f"{name}.yaml"
    if path.exists():
        FILLED.refuse(str(path))
    return path


def _library(study: Path | None) -> Library:
    """Return the questionnaires that are known; a folder that is no study is refused, not taken for one without its own."""
    folder = _library_folder(study)
    return shipped() if folder is None else library_of(folder)


def _library_folder(study: Path | None) -> Path | None:
    if study is not None and not (study / "study.yaml").is_file():
        NO_STUDY.refuse(str(study))
    return None if study is None else study.resolve()
