"""``asp-eval instruments``: the questionnaires listed, shown, checked, and handed to the field."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asp_eval.core.documents import write_whole
from asp_eval.core.errors import Fault
from asp_eval.trial.instruments.codebook import codebook_lines
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.library import instrument, instruments
from asp_eval.trial.instruments.norms import FOLDER

NO_STUDY = Fault("CLI-010", "there is no study.yaml in this folder", "Name the study folder, or start one: 'asp-eval init'.")


@dataclass(frozen=True, slots=True)
class ListedInstrument:
    """One line of the list of instruments."""

    id: str
    version: int
    informant: str
    items: int
    scales: int


@dataclass(frozen=True, slots=True)
class CheckedInstruments:
    """How many instruments are sound.

    Attributes
    ----------
    instruments : int
        Those shipped.
    norm_sets, wordings : int
        The study's own sets of norms, and files of wording.
    """

    instruments: int
    norm_sets: int
    wordings: int


@dataclass(frozen=True, slots=True)
class ExportedInstrument:
    """An instrument that was written in one of the formats."""

    instrument: str
    version: int
    format: str
    file: Path


def list_instruments() -> tuple[ListedInstrument, ...]:
    """Return the shipped instruments."""
    return tuple(
        ListedInstrument(i.id, i.version, i.informant, len(i.items), len(i.scale_keys)) for i in instruments()
    )  # fmt: skip


def show_instrument(name: str, study: Path | None = None) -> Instrument:
    """Return an instrument, with a study's own norms.

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
    return instrument(name, norms=_norms(study))


def instrument_codebook(found: Instrument, language: str) -> tuple[str, ...]:
    """Return the codebook of an instrument, a line each."""
    return tuple(codebook_lines(found, language))


def check_instruments(study: Path | None = None) -> CheckedInstruments:
    """Load every shipped instrument and check it; with a study, its own norms and wording too.

    Raises
    ------
    DataProblems
        Every mistake.
    Refusal
        CLI-010 if the folder is no study.
    """
    shipped = instruments()
    if study is None:
        return CheckedInstruments(len(shipped), 0, 0)
    from asp_eval.workflow.instrument_formats import wordings

    own = sum(len(instrument(each.id, norms=_norms(study)).bands.sets) - len(each.bands.sets) for each in shipped)
    return CheckedInstruments(len(shipped), own, len(wordings(study, shipped)))


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
        The study's folder, for its own norms and wording.
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

    found = instrument(name, norms=_norms(study))
    words = wording or (None if study is None else wording_file(study, found))
    default, content = export(found, to, language=language, wording=words)
    path = out or target(found, to, default, study)
    write_whole(path, content)
    return ExportedInstrument(found.id, found.version, to, path)


def _norms(study: Path | None) -> Path | None:
    """Return the folder of a study's own norm sets; a folder that is no study is refused, not taken for an empty one."""
    if study is not None and not (study / "study.yaml").is_file():
        NO_STUDY.refuse(str(study))
    return None if study is None else study / FOLDER
