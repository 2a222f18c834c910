"""``asp-eval report --mock``: the report of a trial drawn at random from the plan, through the verbs, in a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import yaml

from asp_eval.analysis.plan_problems import refuse_faulty_plan
from asp_eval.analysis.results import Results
from asp_eval.core.csv_text import write_csv
from asp_eval.core.documents import write_whole
from asp_eval.core.phrases import Phrase
from asp_eval.core.progress import Cancel, Progress, never, part_of, stoppable, unheard
from asp_eval.reporting.documents.report_mock import report_mock
from asp_eval.store import table
from asp_eval.store.plan_locks import plan_lock
from asp_eval.synthetic.planned_trial import (
    planned_allocation,
    planned_children,
    planned_implementation,
    planned_institutions,
    planned_screening,
)
from asp_eval.trial.outcomes import declared_forms
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.analyse import analyse
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.randomise import randomise
from asp_eval.workflow.score import score_study
from asp_eval.workflow.standalone_report import usable_formats, write_standalone
from asp_eval.workflow.study_folder import AnyStudy, plan_of

MOCK = "mock"
SEED = 1
OWN_FOLDERS = ("instruments", "norms", "frames")  # of questionnaires, norms and coding frames
LEFT_OUT = ("pseudonymise", "key")  # the drawn children are nobody


def write_mock(
    study: AnyStudy, formats: Collection[str] = ("html",), *, progress: Progress = unheard, cancel: Cancel = never
) -> tuple[Path, ...]:
    """Write the report of a trial drawn from the plan as ``output/mock.html`` and the like, in every language of the study.

    Parameters
    ----------
    study : Study or StudyFolder
        Its data, if there are any, are not looked at.
    formats : collection of {"html", "pdf", "docx", "xlsx"}
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    Raises
    ------
    Refusal
        REP-010 if a format needs a package that is not installed, REP-016 if there is no such format; REP-020 and REP-021 if
        the plan does not say what is to be drawn; what the verbs refuse, such as a lot that the planned number does not fit.
    DataProblems
        What `check_study` finds wrong with the plan.
    """
    plan, kinds = plan_of(study), usable_formats(formats)
    results = mock_results(plan, stoppable(progress, cancel))
    return write_standalone(plan, MOCK, partial(report_mock, results), kinds)


def mock_results(plan: Study, step: Progress = unheard) -> Results:
    """Return what the planned analysis finds in a trial drawn from the plan, without any effect; the same at every call."""
    refuse_faulty_plan(plan)
    institutions = planned_institutions(plan, SEED)
    with TemporaryDirectory() as name:
        folder = Path(name) / "study"
        drawn = _study_in(folder, plan)
        step(Phrase("drawing a trial from the plan"), 0)
        _take(drawn, institutions, "institutions")
        if plan.randomisation.drawn_elsewhere:
            _take(drawn, planned_allocation(plan, institutions, SEED), "allocation")
        else:
            randomise(drawn, seed=SEED)
        children = planned_children(plan, SEED)
        for wave, frame in planned_screening(plan, institutions, children, SEED).items():
            _take(drawn, frame, "screening", wave)
        log = planned_implementation(plan, table(drawn, "allocation"), SEED)
        if log is not None and len(log):
            _take(drawn, log, "implementation")
        score_study(drawn)
        found = analyse(drawn, progress=part_of(step, 0.2, 1.0))
    return replace(found, provenance=replace(found.provenance, plan_lock=plan_lock(plan)))


def _study_in(folder: Path, plan: Study) -> Study:
    """Return the study in a new folder: its declaration and its own questionnaires, without data."""
    folder.mkdir()
    for name in OWN_FOLDERS:
        if (plan.folder / name).is_dir():
            shutil.copytree(plan.folder / name, folder / name)
    declared = plan.as_declared()
    declared["study"]["synthetic"] = True
    declared["privacy"] = {key: value for key, value in declared.get("privacy", {}).items() if key not in LEFT_OUT}
    write_whole(folder / "study.yaml", yaml.safe_dump(declared, allow_unicode=True, sort_keys=False))
    return load_study(folder)


def _take(study: Study, frame: pd.DataFrame, name: str, wave: str | None = None) -> None:
    """Import a frame as the export that it stands for; drawn answers go the way they are keyed, however chance lets it look."""
    file = study.folder.parent / f"{name}{wave or ''}.csv"
    write_csv(file, frame)
    forms = [form.id for form in declared_forms(study, name, wave)] if wave else []
    if forms:
        write_whole(file.with_suffix(".mapping.yaml"), yaml.safe_dump({"version": 1, "confirmed": forms}))
    import_file(study, file, name, wave=wave, mapping=file.with_suffix(".mapping.yaml") if forms else None)
