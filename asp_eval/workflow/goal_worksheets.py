"""``asp-eval goals export``: the worksheet of the staff meeting for each institution that is given a GAP-profile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from asp_eval.analysis.gap_recipients import withheld
from asp_eval.analysis.gap_sides import arms_of_institutions, institution_names
from asp_eval.analysis.profiles import NO_PLAN
from asp_eval.core.documents import write_whole
from asp_eval.core.errors import Fault
from asp_eval.core.filenames import safe_stems
from asp_eval.intake.files.workbook import MOST_SHEETS
from asp_eval.store import table
from asp_eval.trial.profiles.goal_form import goal_xlsform
from asp_eval.trial.profiles.goal_sheet import GoalSheet, goal_sheet, goal_workbook
from asp_eval.trial.profiles.worksheet import worksheet_of_meetings
from asp_eval.trial.randomisation.closed import still_open
from asp_eval.trial.study.profile_dimensions import dimension_names
from asp_eval.workflow.institution_forms import FOLDER, NO_LIST
from asp_eval.workflow.instrument_formats import NO_FORMAT, NO_LANGUAGE
from asp_eval.workflow.study_folder import AnyStudy, plan_of

FORMATS = {"xlsx": "xlsx", "xlsform": "xlsform.xlsx"}
NO_WAVE = Fault("GOA-001", "the study has no such wave", "Name one of: {waves}.")
NOBODY = Fault(
    "GOA-002",
    "no institution is given a GAP-profile yet, so none has a worksheet",
    "See 'gap: {{arms, release}}' in study.yaml.",
)

NOT_TOGETHER = Fault(
    "GOA-004",
    "forms of this format cannot stand in one file: each has the id of one institution",
    "Leave '--together' out, or write spreadsheets: '--to xlsx'.",
)


@dataclass(frozen=True, slots=True)
class Worksheets:
    """The worksheets that were written.

    Attributes
    ----------
    format, wave : str
    files : tuple of Path
        One for each institution; or workbooks with a sheet for each.
    institutions : int
        How many have a worksheet.
    withheld : int
        Institutions that have none, as they are given no profile, or not yet.
    """

    format: str
    wave: str
    files: tuple[Path, ...]
    institutions: int
    withheld: int


def export_worksheets(
    study: AnyStudy,
    to: str = "xlsx",
    *,
    wave: str | None = None,
    language: str | None = None,
    folder: str | Path | None = None,
    together: bool = False,
) -> Worksheets:
    """Write the worksheet of the staff meeting for each institution that is given a profile and has not closed, its id filled in.

    Parameters
    ----------
    study : Study or StudyFolder
        With the list of institutions, and a profile declared.
    to : {"xlsx", "xlsform"}
        A spreadsheet to fill in, or a form for ODK and KoboToolbox, which holds every language.
    wave : str, optional
        Of the profile that is talked about; by default that of ``gap`` in study.yaml.
    language : str, optional
        Of the spreadsheet; by default the study's first that the worksheet has.
    folder : str or Path, optional
        By default ``output/forms`` of the study, and below it one for the goals.
    together : bool
        Write one workbook with a sheet for each institution, instead of a file for each; of more than 100 institutions, as many
        workbooks as they take, because no more sheets are read from one.

    Raises
    ------
    Refusal
        GAP-010 if the study declares no profile, GAP-012 if it gives profiles to some arms and none is drawn; GOA-001, GOA-002;
        GOA-004 if forms are to stand together;
        INS-035, INS-036 if there is no such format or language; INS-060 without institutions.
    """
    plan = plan_of(study)
    if plan.gap is None:
        NO_PLAN.refuse("study.yaml")
    if to not in FORMATS:
        NO_FORMAT.refuse(found=to, formats=", ".join(FORMATS))
    if together and to != "xlsx":
        NOT_TOGETHER.refuse(found=to)
    wave = wave or plan.gap.wave
    if wave not in plan.wave_ids:
        NO_WAVE.refuse(found=wave, waves=", ".join(plan.wave_ids))
    known = worksheet_of_meetings().languages
    spoken = language or next((each for each in plan.languages if each in known), known[0])
    if spoken not in known:
        NO_LANGUAGE.refuse(worksheet_of_meetings().id, found=spoken, languages=", ".join(known))
    listed = still_open(table(plan, "institutions"), date.today())
    if listed.empty:
        NO_LIST.refuse()
    ids = sorted(listed["institution_id"].astype(str))
    kept_back = {one.institution_id for one in withheld(plan, plan.gap, ids, arms_of_institutions(plan), date.today())}
    given = [each for each in ids if each not in kept_back]
    if not given:
        NOBODY.refuse()
    names = institution_names(plan) if plan.privacy.show_institution_names else {}
    target = Path(folder) if folder is not None else plan.folder / FOLDER / f"{plan.study.id}-goals"
    dimensions, wave_label = dimension_names(plan), plan.wave(wave).label
    sheets = [
        GoalSheet(plan.study.id, each, wave, plan.study.title, wave_label, dimensions, names.get(each, "")) for each in given
    ]
    stem = f"{plan.study.id}-{wave}-goals"
    if together:
        books = [sheets[at : at + MOST_SHEETS] for at in range(0, len(sheets), MOST_SHEETS)]
        numbers = ["", *(f"-{number}" for number in range(2, len(books) + 1))]
        made = [(f"{stem}{number}", goal_workbook(book, spoken)) for number, book in zip(numbers, books, strict=True)]
    else:
        one = (lambda sheet: goal_sheet(sheet, spoken)) if to == "xlsx" else goal_xlsform
        made = [(f"{stem}-{own}", one(sheet)) for own, sheet in zip(safe_stems(given), sheets, strict=True)]
    files = tuple(target / f"{name}.{FORMATS[to]}" for name, _ in made)
    for path, (_, content) in zip(files, made, strict=True):
        write_whole(path, content)
    return Worksheets(to, wave, files, len(given), len(kept_back))
