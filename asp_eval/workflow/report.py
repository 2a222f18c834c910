"""``asp-eval report``: results as pages, and the manifest of what they were made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asp_eval.analysis.profiles import GapResults
from asp_eval.analysis.results import Results
from asp_eval.core.phrases import Phrase
from asp_eval.core.progress import Cancel, Progress, never, stoppable, unheard
from asp_eval.reporting.documents.pages import render
from asp_eval.store.provenance import write_manifest
from asp_eval.workflow.stored_results import current_profiles, current_results
from asp_eval.workflow.study_folder import AnyStudy, output_of, plan_of


@dataclass(frozen=True, slots=True)
class Report:
    """The pages of a report.

    Attributes
    ----------
    folder : Path
        The study's ``output``.
    pages : tuple of Path
        The evaluation first, then the GAP-profiles.
    manifest : Path
        What went in, what came out, and with which software.
    """

    folder: Path
    pages: tuple[Path, ...]
    manifest: Path


def report(study: AnyStudy, *, progress: Progress = unheard, cancel: Cancel = never) -> Report:
    """Write the evaluation report and the GAP-profiles as HTML, in every language of the study.

    Parameters
    ----------
    study : Study or StudyFolder
        With results: see `analyse` and `gap_profiles`.
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    Raises
    ------
    DataProblems
        ANA-001 if there are no results, ANA-002 if they are damaged.
    Refusal
        ANA-006 if they are older than the data or study.yaml.
    """
    plan = plan_of(study)
    step = stoppable(progress, cancel)
    parts: list[Results | GapResults] = [current_results(plan)]
    if plan.gap:
        parts.append(current_profiles(plan))
    written: list[Path] = []
    for position, part in enumerate(parts):
        step(Phrase("GAP-profiles") if isinstance(part, GapResults) else Phrase("evaluation"), position / len(parts))
        written += render(part, output_of(plan))
    return Report(output_of(plan), tuple(written), write_manifest(plan, written))
