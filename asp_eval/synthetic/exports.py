"""The files of the synthetic trial, as an evaluator receives them, each with the mapping that reads it.

Nothing is tidy: the first wave is a SurveyXact-style export (cp1252, semicolons, decimal comma, Danish headings and
labels, a row also for those who did not answer), the second a CSV from another system, the third a workbook. The files
are the same for the same seed and draw, byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from asp_eval.core.documents import write_whole
from asp_eval.intake.mapping.mapping import kept_mapping
from asp_eval.synthetic import population as pop
from asp_eval.synthetic.competences import CHILD, STAFF
from asp_eval.synthetic.fieldwork import LEARNING, SDQ, simulate_fieldwork
from asp_eval.synthetic.people import draw_institutions
from asp_eval.synthetic.workbook import workbook_bytes
from asp_eval.trial.instruments.library import family, instrument

Mappings = dict[str, Any]
Labels = dict[str, str | int]

ANSWERED, NOT_ANSWERED = "Gennemført", "Ikke besvaret"
SEX_DA: Labels = {"Dreng": "boy", "Pige": "girl"}
SEX_CODES = {"1": "boy", "2": "girl"}
EDUCATION_DA: Labels = {"Kort": "short", "Mellemlang": "medium", "Lang": "long"}
BACKGROUND_DA = {
    "barn_nr": "child_id",
    "institution": "institution_id",
    "pædagog": "rater_id",
    "udfyldt": "date",
    "køn": "sex",
    "født": "birth_month",
    "mors_uddannelse": "mother_education",
    "timer_om_ugen": "hours_per_week",
}
BACKGROUND_EN = {
    "child": "child_id",
    "centre": "institution_id",
    "staff": "rater_id",
    "completed": "date",
    "sex": "sex",
    "born": "birth_month",
    "mother_edu": "mother_education",
}
LOG_DA = {
    "nr": "event_id",
    "institution": "institution_id",
    "dato": "date",
    "aktivitet": "kind",
    "element": "element",
    "timer": "hours",
    "deltagere": "participants",
}
KINDS_DA: Labels = {
    "Kursus": "course",
    "Møde": "meeting",
    "Supervision": "supervision",
    "Eget arbejde": "own_work",
    "Projekt udefra": "external_project",
}
ELEMENTS_DA: Labels = {"Viden": "knowledge", "Refleksion": "reflection", "Implementering": "implementation"}
EMPLOYED = {
    "person": "staff_id",
    "institution": "institution_id",
    "stilling": "role",
    "timer_om_ugen": "hours",
    "ansat": "start_date",
    "fratrådt": "end_date",
}
ROLES_DA: Labels = {"Leder": "manager", "Pædagog": "pedagogue", "Medhjælper": "assistant"}
INTERVIEW_DA = {
    "institution": "institution_id",
    "runde": "round",
    "koder": "coder_id",
    "dato": "date",
    "begrundelse": "decided_why",
}
EXCERPT_DA = {
    "institution": "institution_id",
    "runde": "round",
    "nr": "number",
    "koder": "coder_id",
    "kode": "code",
    "niveau": "level",
    "uddrag": "text",
    "må trykkes": "print",
}
PRINT_DA: Labels = {"ja": "yes", "nej": "no"}
ROUNDS_DA: Labels = {"Start": "baseline", "Efter et år": "one_year"}
GOALS_DA = {
    "institution": "institution_id",
    "nr": "goal",
    "runde": "profile_wave",
    "mødets dato": "date",
    "overraskelse": "surprise",
    "gab": "dimension",
    "mål": "aim",
    "delmål": "partial_aim",
    "strategi": "strategy",
    "hvem": "who",
    "hvornår": "due",
    "hvordan gik det": "how_it_went",
}
WENT_DA: Labels = {"Nået": "reached", "Delvist nået": "partly", "Ikke nået": "not_reached", "Opgivet": "given_up"}
STAFF_COLUMNS = {"respondent": "respondent_id", "institution": "institution_id", "dato": "date"}


@dataclass(frozen=True, slots=True)
class Export:
    """A file from the field that was written, and how it is imported.

    Attributes
    ----------
    path : Path
    table : str
        Table of the study the file feeds.
    wave : str or None
        None for a table without waves.
    mapping : Path
        Stands beside the file.
    """

    path: Path
    table: str
    wave: str | None
    mapping: Path


def write_institutions(folder: Path, seed: int) -> Path:
    """Write the list of institutions, before the lot is drawn, and return where it is.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    seed : int
        The same as for `write_fieldwork`.
    """
    drawn = draw_institutions(seed)
    frame = pd.DataFrame(
        {
            "institution_id": drawn.ids,
            "name": drawn.names,
            "municipality": [pop.MUNICIPALITIES[position][0] for position in drawn.municipality],
            "places": drawn.sizes,
        }
    ).sort_values("institution_id")
    path = folder / "institutions.csv"
    write_whole(path, _csv(frame, ";", "utf-8-sig"))
    return path


def write_fieldwork(folder: Path, seed: int, allocation: pd.DataFrame) -> tuple[Export, ...]:
    """Write what the institutions hand in under a draw: staff and a survey of them, three waves, a log, interviews, goals.

    Parameters
    ----------
    folder : Path
    seed : int
    allocation : DataFrame
        institution_id and arm, a row for each institution, as `randomise` returns it.

    Raises
    ------
    DataProblems
        SYN-001, SYN-002 if the allocation does not fit the institutions.
    """
    fieldwork = simulate_fieldwork(seed, allocation)
    first, second, third = (fieldwork.screening[wave] for wave in pop.WAVE_IDS)
    return (
        _write(folder / "staff.csv", "staff", None, *_staff_list(fieldwork.staff)),
        _write(folder / "staff_survey_w1.csv", "staff_survey", "w1", *_staff_export(fieldwork.staff_survey)),
        _write(folder / "screening_w1.csv", "screening", "w1", *_first_wave(first)),
        _write(folder / "screening_w2.csv", "screening", "w2", *_second_wave(second)),
        _write(folder / "screening_w3.xlsx", "screening", "w3", *_third_wave(third)),
        _write(folder / "implementation.csv", "implementation", None, *_log_export(fieldwork.implementation)),
        _write(folder / "staff_survey_w3.csv", "staff_survey", "w3", *_learning_export(fieldwork.learning)),
        _write(folder / "interviews.csv", "interviews", None, *_interview_export(fieldwork.interviews)),
        _write(folder / "excerpts.csv", "excerpts", None, *_excerpt_export(fieldwork.excerpts)),
        _write(folder / "goals.csv", "goals", None, *_goal_export(fieldwork.goals)),
    )


def _write(path: Path, table: str, wave: str | None, content: bytes, mapping: Mappings) -> Export:
    beside = kept_mapping(path)
    write_whole(path, content)
    write_whole(beside, _mapping_text(path.name, mapping))
    return Export(path, table, wave, beside)


def _mapping_text(name: str, mapping: Mappings) -> str:
    """The mapping as people write one: a line for each column."""
    lines = [f"# How {name} is read: its columns on the left, the study's on the right.", "version: 1"]
    for part, content in mapping.items():
        if isinstance(content, dict):
            lines += [f"{part}:", *(f"  {key}: {_flow(value)}" for key, value in content.items())]
        else:
            lines.append(f"{part}: {_flow(content)}")
    return "\n".join(lines) + "\n"


def _flow(value: object) -> str:
    text: str = yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, sort_keys=False, width=1000)
    return text.removesuffix("...\n").strip()


def _first_wave(screening: pd.DataFrame) -> tuple[bytes, Mappings]:
    """A SurveyXact-style export: numbered variables, labels instead of codes where the labels may be printed."""
    rename = {**BACKGROUND_DA, **_numbered([name for form in (*family(SDQ), instrument(CHILD)) for name in form.columns])}
    frame = _renamed(screening, rename)
    frame.insert(3, "status", screening["rated"].map({True: ANSWERED, False: NOT_ANSWERED}).astype("string"))
    frame["udfyldt"] = frame["udfyldt"].dt.strftime("%d-%m-%Y")
    frame.loc[~screening["rated"], ["pædagog", "udfyldt"]] = pd.NA
    recode = {"sex": SEX_DA, "mother_education": EDUCATION_DA, **_labels()}
    for column, ours in rename.items():
        if ours in recode:
            back = {str(value): label for label, value in recode[ours].items()}
            frame[column] = frame[column].astype("string").map(back)
    return _csv(frame, ";", "cp1252", decimal=","), {"rename": rename, "recode": recode, "ignore": ["status"]}


def _second_wave(screening: pd.DataFrame) -> tuple[bytes, Mappings]:
    """A CSV of codes, of those rated only."""
    rename = {**BACKGROUND_EN, **_short_names()}
    frame = _renamed(screening[screening["rated"]], rename)
    frame["completed"] = frame["completed"].dt.strftime("%Y-%m-%d")
    frame["sex"] = frame["sex"].map({value: code for code, value in SEX_CODES.items()})
    return _csv(frame, ",", "utf-8"), {"rename": _unlike(rename), "recode": {"sex": dict(SEX_CODES)}}


def _third_wave(screening: pd.DataFrame) -> tuple[bytes, Mappings]:
    """A workbook with typed cells."""
    rename = {**BACKGROUND_EN, **_short_names()}
    return workbook_bytes(_renamed(screening[screening["rated"]], rename)), {"rename": _unlike(rename)}


def _staff_export(survey: pd.DataFrame) -> tuple[bytes, Mappings]:
    """A CSV of codes with numbered questions."""
    questions = {f"q{number}": name for number, name in enumerate(instrument(STAFF).columns, start=1)}
    rename = {**STAFF_COLUMNS, **questions}
    frame = _renamed(survey, rename)
    frame["dato"] = frame["dato"].dt.strftime("%d-%m-%Y")
    return _csv(frame, ";", "utf-8"), {"rename": rename}


def _staff_list(staff: pd.DataFrame) -> tuple[bytes, Mappings]:
    """A list of staff with Danish labels."""
    frame = _labelled(_renamed(staff, EMPLOYED), EMPLOYED, {"role": ROLES_DA})
    for column in ("ansat", "fratrådt"):
        frame[column] = frame[column].dt.strftime("%d-%m-%Y")
    return _csv(frame, ";", "utf-8-sig", decimal=","), {"rename": EMPLOYED, "recode": {"role": ROLES_DA}}


def _log_export(log: pd.DataFrame) -> tuple[bytes, Mappings]:
    """An implementation log with Danish headings, labels and decimal commas."""
    recode = {"kind": KINDS_DA, "element": ELEMENTS_DA}
    frame = _labelled(_renamed(log, LOG_DA), LOG_DA, recode)
    frame["dato"] = frame["dato"].dt.strftime("%d-%m-%Y")
    return _csv(frame, ";", "utf-8", decimal=","), {"rename": LOG_DA, "recode": recode}


def _learning_export(survey: pd.DataFrame) -> tuple[bytes, Mappings]:
    """A CSV of codes with numbered questions, as the first staff survey."""
    rename = {**STAFF_COLUMNS, **{f"q{number}": name for number, name in enumerate(instrument(LEARNING).columns, start=1)}}
    frame = _renamed(survey, rename)
    frame["dato"] = frame["dato"].dt.strftime("%d-%m-%Y")
    return _csv(frame, ";", "utf-8"), {"rename": rename}


def _interview_export(sheet: pd.DataFrame) -> tuple[bytes, Mappings]:
    """The coders' sheet, with the codebook's keys as headings."""
    frame = _renamed(sheet, {**INTERVIEW_DA, **{name: name for name in sheet.columns if name not in INTERVIEW_DA.values()}})
    frame["dato"] = frame["dato"].dt.strftime("%d-%m-%Y")
    frame = _labelled(frame, INTERVIEW_DA, {"round": ROUNDS_DA})
    return _csv(frame, ";", "utf-8"), {"rename": INTERVIEW_DA, "recode": {"round": ROUNDS_DA}}


def _excerpt_export(excerpts: pd.DataFrame) -> tuple[bytes, Mappings]:
    """What coders marked in the interviews, with Danish headings."""
    recode = {"round": {label: key for label, key in ROUNDS_DA.items() if key in set(excerpts["round"])}, "print": PRINT_DA}
    frame = _labelled(_renamed(excerpts, EXCERPT_DA), EXCERPT_DA, recode)
    return _csv(frame, ";", "utf-8"), {"rename": EXCERPT_DA, "recode": recode}


def _goal_export(goals: pd.DataFrame) -> tuple[bytes, Mappings]:
    """The worksheets that came back, typed into one sheet."""
    frame = _renamed(goals, GOALS_DA)
    for day in ("mødets dato", "hvornår"):
        frame[day] = frame[day].dt.strftime("%d-%m-%Y")
    frame = _labelled(frame, GOALS_DA, {"how_it_went": WENT_DA})
    return _csv(frame, ";", "utf-8"), {"rename": GOALS_DA, "recode": {"how_it_went": WENT_DA}}


def _labelled(frame: pd.DataFrame, rename: Mapping[str, str], recode: Mapping[str, Labels]) -> pd.DataFrame:
    """The frame with labels in place of codes."""
    for column, ours in rename.items():
        if ours in recode:
            frame[column] = frame[column].astype("string").map({str(code): label for label, code in recode[ours].items()})
    return frame


def _numbered(columns: list[str]) -> dict[str, str]:
    return {f"s_{number}": name for number, name in enumerate(columns, start=1)}


def _short_names() -> dict[str, str]:
    """t2_tantrum and t4_tantrum for the SDQ's two forms."""
    forms = zip(("t2", "t4"), family(SDQ), strict=True)
    return {f"{prefix}_{item.key}": f"{form.id}.{item.key}" for prefix, form in forms for item in form.items}


def _labels() -> dict[str, Labels]:
    """The Danish answers of the package's own questionnaire, by stored column; the SDQ's are not the package's to print."""
    form = instrument(CHILD)
    return {
        f"{form.id}.{item.key}": {each.label["da"]: each.code for each in form.response_sets[item.responses]}
        for item in form.items
    }


def _renamed(frame: pd.DataFrame, rename: Mapping[str, str]) -> pd.DataFrame:
    """The columns a mapping names, under the export's names and in its order."""
    return frame[list(rename.values())].set_axis(list(rename), axis=1)


def _unlike(rename: Mapping[str, str]) -> dict[str, str]:
    return {theirs: ours for theirs, ours in rename.items() if theirs != ours}


def _csv(frame: pd.DataFrame, delimiter: str, encoding: str, decimal: str = ".") -> bytes:
    text = frame.to_csv(index=False, sep=delimiter, decimal=decimal, lineterminator="\r\n")
    return text.encode(encoding)
