"""Where things are in a study folder, and the declaration of a study, however it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from asp_eval.core.contained_paths import inside
from asp_eval.core.errors import Fault
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study

CHANGED = Fault(
    "STU-040",
    "study.yaml was changed after the study was loaded, so that results would not be of what stands in it",
    "Load it again; asp_eval.open_study reads it at every verb.",
)
RESULTS, TIDY, RECORDS = "results.json", "results.csv", "results.ard.csv"
PROFILES, PROCESS = "gap.json", "process.json"


class HasPlan(Protocol):
    """What leads to a study's declaration, such as the folder that `open_study` returns."""

    @property
    def plan(self) -> Study:
        """The declaration, as study.yaml has it now."""
        ...


AnyStudy = Study | HasPlan


def plan_of(study: AnyStudy) -> Study:
    """Return the declaration of a study that was loaded or opened."""
    return study if isinstance(study, Study) else study.plan


def current_plan(study: AnyStudy) -> Study:
    """Return the declaration of a study, for results that are kept as those of its study.yaml.

    Raises
    ------
    Refusal
        STU-040 if study.yaml says something else by now.
    """
    plan = plan_of(study)
    if isinstance(study, Study) and load_study(plan.folder) != plan:
        CHANGED.refuse("study.yaml")
    return plan


def output_of(study: Study) -> Path:
    """Return the folder that results and reports are written to.

    Raises
    ------
    Refusal
        FIL-002 if it is a link that leads out of the study.
    """
    return inside(study.folder, "output")


def results_file(study: Study) -> Path:
    """Return where `analyse` writes everything the evaluation report shows."""
    return output_of(study) / RESULTS


def tidy_file(study: Study) -> Path:
    """Return where `analyse` writes one row per estimate."""
    return output_of(study) / TIDY


def profiles_file(study: Study) -> Path:
    """Return where `gap` writes the GAP-profiles."""
    return output_of(study) / PROFILES


def process_file(study: Study) -> Path:
    """Return where `process` writes the process evaluation."""
    return output_of(study) / PROCESS
