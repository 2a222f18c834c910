"""A study folder in Python: one method per verb, each the function that the command of that name calls."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asp_eval.core.progress import Cancel, Progress, never, unheard
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study

if TYPE_CHECKING:
    import pandas as pd

    from asp_eval.analysis.gap_results import GapResults
    from asp_eval.analysis.process.results import ProcessResults
    from asp_eval.analysis.results import Results
    from asp_eval.stats.resampling.allocations import Allocations
    from asp_eval.store.import_report import ImportReport
    from asp_eval.trial.study.plan_fields import PlanLock
    from asp_eval.workflow.check import Audit, StudyCheck
    from asp_eval.workflow.export import Export
    from asp_eval.workflow.export_files import Format
    from asp_eval.workflow.forget import Forgotten
    from asp_eval.workflow.goal_worksheets import Worksheets
    from asp_eval.workflow.goals import GoalsImport
    from asp_eval.workflow.propose import ProposedMapping
    from asp_eval.workflow.randomise import Draw
    from asp_eval.workflow.report import Report
    from asp_eval.workflow.score import Scored


def open_study(folder: str | Path) -> StudyFolder:
    """Open a study folder.

    Parameters
    ----------
    folder : str or Path
        Holds ``study.yaml``: see `init_study`.

    Returns
    -------
    StudyFolder
        With a method for every verb. Nothing is held open, and study.yaml is read again at every verb.

    Raises
    ------
    Refusal
        STU-002 if there is no study.yaml.
    DataProblems
        Every mistake in it.
    """
    return StudyFolder(load_study(folder).folder)


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """A study folder, as `open_study` returns it. Every verb reads study.yaml and the stored data as they are then.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    @property
    def plan(self) -> Study:
        """The declaration, as study.yaml has it now."""
        return load_study(self.folder)

    def propose(
        self,
        file: str | Path,
        table: str | None = None,
        wave: str | None = None,
        *,
        part: str | None = None,
        write: bool = True,
        xlsx: bool = False,
    ) -> ProposedMapping:
        """Draft the mapping of a file; see `asp_eval.workflow.propose.propose`."""
        from asp_eval.workflow.propose import propose

        return propose(self, file, table, wave, part=part, write=write, xlsx=xlsx)

    def import_(
        self,
        file: str | Path,
        table: str | None = None,
        wave: str | None = None,
        *,
        mapping: str | Path | None = None,
        part: str | None = None,
        replace: bool = False,
        dry_run: bool = False,
        progress: Progress = unheard,
        cancel: Cancel = never,
    ) -> ImportReport:
        """Take a file into the study; see `asp_eval.workflow.import_file.import_file`."""
        from asp_eval.workflow.import_file import import_file

        return import_file(
            self,
            file,
            table,
            wave=wave,
            mapping=mapping,
            part=part,
            replace=replace,
            dry_run=dry_run,
            progress=progress,
            cancel=cancel,
        )

    def check(self) -> StudyCheck:
        """Check the declaration and the imports, and say what comes next; see `asp_eval.workflow.check.check_study`."""
        from asp_eval.workflow.check import check_study

        return check_study(self)

    def check_ledger(self, head: str | None = None, *, deep: bool = False) -> Audit:
        """Check that the ledger is as it was written; see `asp_eval.workflow.check.check_ledger`."""
        from asp_eval.workflow.check import check_ledger

        return check_ledger(self, head, deep=deep)

    def randomise(self, *, seed: int, late: bool = False, replace: bool = False, why: str = "") -> Draw:
        """Draw the lot, once; see `asp_eval.workflow.randomise.randomise`."""
        from asp_eval.workflow.randomise import randomise

        return randomise(self, seed=seed, late=late, replace=replace, why=why)

    def lock_plan(self) -> PlanLock:
        """Lock the plan, once; see `asp_eval.workflow.plan_lock.lock_plan`."""
        from asp_eval.workflow.plan_lock import lock_plan

        return lock_plan(self)

    def score(self, *, progress: Progress = unheard, cancel: Cancel = never) -> Scored:
        """Score every stored answer; see `asp_eval.workflow.score.score_study`."""
        from asp_eval.workflow.score import score_study

        return score_study(self, progress=progress, cancel=cancel)

    def analyse(self, *, progress: Progress = unheard, cancel: Cancel = never) -> Results:
        """Fit the planned models, and write the results down; see `asp_eval.analyse`."""
        from asp_eval.workflow.analyse import analyse

        return analyse(self, progress=progress, cancel=cancel)

    def gap(self, *, progress: Progress = unheard, cancel: Cancel = never) -> GapResults:
        """Compute the GAP-profiles, and write them down; see `asp_eval.gap_profiles`."""
        from asp_eval.workflow.gap import gap_profiles

        return gap_profiles(self, progress=progress, cancel=cancel)

    def process(self, *, progress: Progress = unheard, cancel: Cancel = never) -> ProcessResults:
        """Evaluate the process, and write down what is found; see `asp_eval.workflow.process.process`."""
        from asp_eval.workflow.process import process

        return process(self, progress=progress, cancel=cancel)

    def export_worksheets(
        self,
        to: str = "xlsx",
        *,
        wave: str | None = None,
        language: str | None = None,
        folder: str | Path | None = None,
        together: bool = False,
    ) -> Worksheets:
        """Write the worksheets of staff meetings; see `asp_eval.workflow.goal_worksheets.export_worksheets`."""
        from asp_eval.workflow.goal_worksheets import export_worksheets

        return export_worksheets(self, to, wave=wave, language=language, folder=folder, together=together)

    def import_goals(
        self,
        files: Sequence[str | Path],
        *,
        replace: bool = False,
        dry_run: bool = False,
        progress: Progress = unheard,
        cancel: Cancel = never,
    ) -> GoalsImport:
        """Take in worksheets that came back; see `asp_eval.workflow.goals.import_goals`."""
        from asp_eval.workflow.goals import import_goals

        return import_goals(self, files, replace=replace, dry_run=dry_run, progress=progress, cancel=cancel)

    def report(
        self,
        formats: Collection[str] = ("html",),
        parts: Collection[str] | None = None,
        *,
        theme: str | Path | None = None,
        workers: int = 1,
        progress: Progress = unheard,
        cancel: Cancel = never,
    ) -> Report:
        """Write the reports of the results that are there; see `asp_eval.workflow.report.report`."""
        from asp_eval.workflow.report import report

        return report(self, formats, parts, theme=theme, workers=workers, progress=progress, cancel=cancel)

    def export(self, folder: str | Path | None = None, *, form: Format = "csv") -> Export:
        """Write files for one's own analysis; see `asp_eval.workflow.export.export`."""
        from asp_eval.workflow.export import export

        return export(self, folder, form=form)

    def forget(self, child: str, *, copies: bool = False) -> Forgotten:
        """Take one child's answers out of the study; see `asp_eval.workflow.forget.forget`."""
        from asp_eval.workflow.forget import forget

        return forget(self, child, copies=copies)

    def frame(self, outcome: str, wave: str | None = None) -> pd.DataFrame:
        """Return the rows on which an outcome is analysed; see `asp_eval.analysis_set`."""
        from asp_eval.workflow.frames import analysis_set

        return analysis_set(self, outcome, wave)

    def table(self, name: str) -> pd.DataFrame:
        """Return a stored table; see `asp_eval.table`."""
        from asp_eval.workflow.frames import table

        return table(self, name)

    def allocations(self, draws: int = 10_000, *, seed: int = 1) -> Allocations:
        """Return the allocations that the lot could have given; see `asp_eval.allocations`."""
        from asp_eval.workflow.frames import allocations

        return allocations(self, draws, seed)

    def results(self) -> Results:
        """Return the results that `analyse` wrote.

        Raises
        ------
        DataProblems
            ANA-001 if there are none, ANA-002 if the file is damaged.
        Refusal
            ANA-006 if they are older than the data or study.yaml.
        """
        from asp_eval.workflow.stored_results import current_results

        return current_results(self)
