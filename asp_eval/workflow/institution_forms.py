"""Forms of a wave for each institution, with its id and those of its children, or of its staff, filled in."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from asp_eval.core.documents import write_whole
from asp_eval.core.errors import Fault
from asp_eval.store import table
from asp_eval.store.listed_children import listed_children
from asp_eval.trial.instruments.exports.fields import RESPONDENT
from asp_eval.trial.randomisation.closed import still_open
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import table_schema
from asp_eval.workflow.instrument_formats import joint_form, wave_form
from asp_eval.workflow.study_folder import AnyStudy, plan_of

NO_LIST = Fault(
    "INS-060",
    "the study has no institutions yet that forms could be for",
    "Import the list of institutions first: asp-eval import FILE --table institutions.",
)
ONE_PROJECT = Fault(
    "INS-061",
    "in REDCap all institutions share one form",
    "Leave --each-institution out: the form asks for the institution.",
)
NOT_A_FILE_NAME = Fault(
    "INS-062", "the institution's id cannot be the name of a file", "Give the institution an id of letters, digits, - and _."
)
FOLDER = "output/forms"


@dataclass(frozen=True, slots=True)
class InstitutionForms:
    """The forms of a wave that were written.

    Attributes
    ----------
    wave, table : str
    instruments : tuple of str
    format : str
    files : tuple of Path
        One for each institution.
    filled_in : int
        How many children, or members of staff, have their id filled in.
    pseudonyms : bool
        Whether ids are pseudonyms in this study, which nobody at the institution knows, and are left open for that.
    """

    wave: str
    table: str
    instruments: tuple[str, ...]
    format: str
    files: tuple[Path, ...]
    filled_in: int
    pseudonyms: bool


def export_institution_forms(
    study: AnyStudy, wave: str, to: str, *, table_name: str = "screening", language: str | None = None, folder: Path | None = None
) -> InstitutionForms:
    """Write a form of a wave for each institution that has not closed, its id filled in, and the ids of whom it is about.

    Of the screening these are the children that were last listed at the institution; of the staff survey, those that the table
    of staff lists there. On paper each has a copy; in an XLSForm the id is chosen from a list. Ids alone are filled in, and no
    name, sex or month of birth; not even ids where they are pseudonyms. Without a list the id is asked for.

    Parameters
    ----------
    study : Study or StudyFolder
        With the list of institutions.
    wave : str
    to : {"xlsform", "print"}
    table_name : {"screening", "staff_survey"}
    language : str, optional
        By default the form's first.
    folder : Path, optional
        By default ``output/forms`` of the study, and below it one for the wave.

    Raises
    ------
    Refusal, DataProblems
        INS-060 to INS-062, and as for `wave_form`.
    """
    if to == "redcap":
        ONE_PROJECT.refuse(wave)
    plan = plan_of(study)
    form = wave_form(plan, wave, table_name, {})
    institutions = still_open(table(plan, "institutions"), date.today())
    if institutions.empty:
        NO_LIST.refuse()
    pseudonyms = table_schema(table_name, plan, wave).field(form.unit_field.name).person is not None
    units = {} if pseudonyms else _units(plan, form.unit_field.name)
    target = folder or plan.folder / FOLDER / form.name
    files, filled_in = [], 0
    for institution in sorted(institutions["institution_id"].astype(str)):
        one = replace(form, filled={"institution_id": institution}, units=tuple(units.get(institution, ())))
        name, content = joint_form(replace(one, name=f"{form.name}-{_file_name(institution)}"), to, language)
        write_whole(target / name, content)
        files.append(target / name)
        filled_in += len(one.units)
    return InstitutionForms(
        wave, table_name, tuple(each.id for each in form.questionnaires), to, tuple(files), filled_in, pseudonyms
    )


def _units(study: Study, unit: str) -> dict[str, list[str]]:
    """Return the ids of the children, or the members of staff, of each institution, sorted."""
    rows = table(study, "staff").rename(columns={"staff_id": unit}) if unit == RESPONDENT else _last_listed(study)
    found: dict[str, list[str]] = {}
    for institution, one in sorted(set(zip(rows["institution_id"], rows[unit], strict=True))):
        found.setdefault(str(institution), []).append(str(one))
    return found


def _last_listed(study: Study) -> pd.DataFrame:
    """Return where each child was listed last; the register of children at the draw comes before all waves."""
    reports = listed_children(study)
    order = {wave: place for place, wave in enumerate(["", *study.wave_ids])}
    return reports.sort_values("wave", key=lambda waves: waves.map(order), kind="stable").drop_duplicates("child_id", keep="last")


def _file_name(institution: str) -> str:
    if not re.fullmatch(r"[\w. -]*\w", institution):
        NOT_A_FILE_NAME.refuse(found=institution)
    return institution
