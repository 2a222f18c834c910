"""The formats an instrument is handed over in, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from asp_eval.core.errors import AspError, DataProblems, Fault, Problem
from asp_eval.trial.instruments.codebook import codebook
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.exports.field_form import FieldForm, age_forms
from asp_eval.trial.instruments.exports.lavaan import lavaan
from asp_eval.trial.instruments.exports.redcap import redcap
from asp_eval.trial.instruments.exports.xlsform import xlsform
from asp_eval.trial.instruments.library import Library
from asp_eval.trial.instruments.wording import FOLDER, OWN_WORDING, worded, wording_template
from asp_eval.trial.study.collection import Family
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import at_wave, table_schema

NO_FORMAT = Fault("INS-035", "there is no such format", "Name one of: {formats}.")
FILLED = Fault("INS-037", "the file is there already and is not overwritten", "Fill it in, or remove it first.")
NOBODYS_WORDING = Fault(
    "INS-038",
    "the file of wording is named after no instrument",
    "Give it the name of the instrument, ID.yaml; 'asp-eval instruments list --study DIR' shows them all.",
)
NOTHING_ASKED = Fault("INS-048", "no questionnaire is collected then", "Declare one under 'collect' in study.yaml.")
NO_LANGUAGE = Fault("INS-036", "the instrument has no wording in this language", "Name one of: {languages}.")


@dataclass(frozen=True, slots=True)
class Format:
    """One format: how it is made, how its file name ends, and whether it shows the wording to those who answer."""

    make: Callable[[Instrument, str], str | bytes]
    ending: str
    is_form: bool


def _print_form(instrument: Instrument, language: str) -> str:
    from asp_eval.reporting.documents.instrument_form import print_form

    return print_form(instrument, language)


FORMATS: Mapping[str, Format] = {
    "xlsform": Format(lambda instrument, _: xlsform(instrument), "xlsx", is_form=True),
    "redcap": Format(redcap, "redcap.csv", is_form=True),
    "print": Format(_print_form, "html", is_form=True),
    "lavaan": Format(lavaan, "lavaan.R", is_form=False),
    "codebook": Format(codebook, "codebook.md", is_form=False),
    "wording": Format(lambda instrument, language: wording_template(instrument, [language]), "yaml", is_form=False),
}


def export(
    instrument: Instrument, to: str, *, language: str | None = None, wording: Path | None = None
) -> tuple[str, str | bytes]:
    """Return an instrument in one of the formats.

    Parameters
    ----------
    instrument : Instrument
    to : {"xlsform", "redcap", "print", "lavaan", "codebook", "wording"}
        Forms (the first three) need the wording. ``xlsform`` holds every language, the others one. ``wording`` gives the
        empty slots of an instrument whose wording is not shipped.
    language : str, optional
        By default the instrument's first.
    wording : Path, optional
        The file with the licence holder's wording: see `wording.worded`.

    Returns
    -------
    name : str
        A file name: ``gap-competences-child.da.html``.
    content : str or bytes

    Raises
    ------
    Refusal
        INS-030 if a form is asked for whose wording is not there; INS-034 to INS-036.
    DataProblems
        Everything that is wrong with the file of wording.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> export(instrument("gap-competences-child"), "lavaan")[0]
    'gap-competences-child.lavaan.R'
    """
    if to not in FORMATS:
        NO_FORMAT.refuse(found=to, formats=", ".join(FORMATS))
    chosen = FORMATS[to]
    if to == "wording" and instrument.licence.item_text == "included":
        OWN_WORDING.refuse(found=instrument.id)
    has_words = chosen.is_form or (to == "codebook" and wording is not None and wording.is_file())
    ready = worded(instrument, wording) if has_words else instrument
    spoken = ready.languages[0] if language is None else language
    if spoken not in ready.languages:
        NO_LANGUAGE.refuse(instrument.id, found=spoken, languages=", ".join(ready.languages))
    speaks = {"redcap", "print", "codebook"}
    name = ".".join([instrument.id, *([spoken] if to in speaks else []), chosen.ending])
    return name, chosen.make(ready, spoken)


def wave_form(study: Study, wave: str, table: str, filled: Mapping[str, str]) -> FieldForm:
    """Return the form of all that a table collects at a wave, with its wording.

    Raises
    ------
    Refusal, DataProblems
        SCR-033 if the table is not collected then, INS-030 if wording is missing, INS-045 to INS-047, INS-048.
    """
    table_schema(table, study, wave)  # refuses a table or a wave that is not collected
    families = [
        study.library.family(part.family) if isinstance(part, Family) else (study.library.instrument(part),)
        for part in study.collected_instruments(table, wave)
    ]
    forms = tuple(worded(form, wording_file(study.folder, form)) for forms in families for form in forms)
    if not forms:
        NOTHING_ASKED.refuse(at_wave(table, wave))
    label = study.wave(wave).label
    title = {language: f"{text}, {label.get(language, wave)}" for language, text in study.study.title.items()}
    name = f"{study.study.id}-{wave}" if table == "screening" else f"{study.study.id}-{wave}-{table}"
    return FieldForm(name, ".".join(str(form.version) for form in forms), title, forms, age_forms(families), filled)


def joint_form(form: FieldForm, to: str, language: str | None = None) -> tuple[str, str | bytes]:
    """Return the name of a file and the form in one of the formats for the field.

    Raises
    ------
    Refusal
        INS-035, INS-036.
    """
    from asp_eval.reporting.documents.instrument_form import print_form

    if to not in FORMATS or not FORMATS[to].is_form:
        NO_FORMAT.refuse(found=to, formats=", ".join(name for name, each in FORMATS.items() if each.is_form))
    spoken = form.languages[0] if language is None else language
    if spoken not in form.languages:
        NO_LANGUAGE.refuse(form.name, found=spoken, languages=", ".join(form.languages))
    if to == "xlsform":
        return f"{form.name}.xlsx", xlsform(form)
    return f"{form.name}.{spoken}.{FORMATS[to].ending}", (redcap if to == "redcap" else print_form)(form, spoken)


def wording_file(study: Path, instrument: Instrument) -> Path:
    """Return where a study keeps the wording of an instrument."""
    return study / FOLDER / f"{instrument.id}.yaml"


def wordings(study: Path, library: Library, *, all_known: bool = True) -> tuple[Instrument, ...]:
    """Return the instruments for which a study holds wording, with it; every mistake in any of the files is raised.

    Parameters
    ----------
    study : Path
    library : Library
    all_known : bool
        Whether the library holds every questionnaire of the study, so that wording for another one is a mistake.

    Raises
    ------
    DataProblems
        All that is wrong with the files; INS-038 for one that is named after no instrument.
    """
    problems: list[Problem] = []
    found: list[Instrument] = []
    by_name = {each.id: each for each in library.instruments()}
    for path in sorted((study / FOLDER).glob("*.yaml")):
        name = path.name.partition(".")[0]  # a second wording of an instrument is mood.follow-up.yaml
        if name not in by_name:
            problems += [NOBODYS_WORDING.at(f"{FOLDER}/{path.name}", found=name)] if all_known else []
            continue
        try:
            found.append(worded(by_name[name], path))
        except AspError as error:
            problems.extend(error.problems)
    if problems:
        raise DataProblems(problems)
    return tuple(found)


def target(instrument: Instrument, to: str, name: str, study: Path | None) -> Path:
    """Return where an export goes unless a file is named: where one stands, but empty slots into the study, and only once."""
    if to != "wording":
        return Path(name)
    path = Path(name) if study is None else wording_file(study, instrument)
    if path.exists():
        FILLED.refuse(str(path))
    return path
