"""Every verb that a complete study (`complete_once`) has something to do with, as a function of the study.

Beside the study lies ``wave2.csv``, another version of its second wave; and ``undrawn``, a study whose lot is drawn again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from asp_eval.core.documents import write_whole
from asp_eval.store.plan_locks import plan_lock
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.analyse import analyse
from asp_eval.workflow.check import check_study
from asp_eval.workflow.export import export
from asp_eval.workflow.forget import forget
from asp_eval.workflow.gap import gap_profiles
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.plan_lock import lock_plan
from asp_eval.workflow.power import planned_power
from asp_eval.workflow.randomise import randomise
from asp_eval.workflow.report import report
from asp_eval.workflow.score import score_study
from tests.small_study import STUDY_YAML, exports_of_both_sides

Verb = Callable[[Study], object]


def import_other(study: Study) -> object:
    """Import the version of the second wave that does not stand."""
    path = study.folder.parent / "wave2.csv"
    frame = pd.read_csv(path, dtype=str)
    write_whole(path, frame.assign(hours=str(20 + time.time_ns() % 10)).to_csv(index=False))  # it may be killed here
    return import_file(study, path, "screening", wave="w2", replace=True)


def draw_again(study: Study) -> object:
    """Draw the lot of the other study again, with a seed that was never used."""
    undrawn = load_study(study.folder.parent / "undrawn")
    return randomise(undrawn, seed=time.time_ns() % 10**9 + 8, replace=True, why="as a test")


def lock_another(study: Study) -> object:
    """Lock the plan of a fresh copy of the other study, if that of the last copy is locked."""
    folder, copy = study.folder.parent / "unlocked", study.folder.parent / ".unlocked"
    if not folder.is_dir() or plan_lock(load_study(folder)) is not None:
        for each in (folder, copy):
            shutil.rmtree(each, ignore_errors=True)
        shutil.copytree(study.folder.parent / "undrawn", copy).rename(folder)  # it may be killed here
    return lock_plan(load_study(folder))


def forget_again(study: Study) -> object:
    """Forget a child, whom the import of the other version brings in again, in the files too."""
    return forget(study, "003", copies=True)


VERBS: dict[str, Verb] = {
    "import": import_other,
    "score": score_study,
    "check": check_study,
    "gap": gap_profiles,
    "randomise": draw_again,
    "power": lambda study: planned_power(study, effects=(0.2,), iccs=(0.1,), institutions=20, size=20.0),
    "analyse": analyse,
    "report": report,
    "export": export,
}
FURTHER: dict[str, Verb] = {
    "forget": lambda study: forget(study, "003"),
    "plan lock": lock_plan,
    "export elsewhere": lambda study: export(study, study.folder.parent / "elsewhere"),
}
REPEATED: dict[str, Verb] = VERBS | {"forget": forget_again, "plan lock": lock_another}
"""Verbs that find something to do again and again."""


def begin(complete: Path, folder: Path) -> Study:
    """Copy a complete study into a folder, with what its verbs need beside it."""
    undrawn = folder / "undrawn"
    undrawn.mkdir(parents=True)
    (undrawn / "study.yaml").write_text(STUDY_YAML)
    (folder / "institutions.csv").write_text("institution_id,municipality\nA1,Aarhus\nA2,Aarhus\nH1,Hvidovre\nH2,Hvidovre\n")
    import_file(load_study(undrawn), folder / "institutions.csv", "institutions")
    randomise(load_study(undrawn), seed=7)
    return begin_alone(complete, folder)


def begin_alone(complete: Path, folder: Path) -> Study:
    """Copy a complete study into a folder, with another version of its second wave beside it."""
    study = load_study(shutil.copytree(complete, folder / "study"))
    exports_of_both_sides()["wave2"][0].to_csv(folder / "wave2.csv", index=False)
    return study
