"""``asp-eval gap``: the GAP-profile of every institution, computed and written down."""

from __future__ import annotations

from typing import Any

from asp_eval.analysis.gap_results import GapResults
from asp_eval.analysis.profiles import refuse_without_gaps, study_gap_profiles
from asp_eval.core.phrases import Phrase
from asp_eval.core.progress import Cancel, Progress, never, stoppable, unheard
from asp_eval.store.ledger import GapBody
from asp_eval.store.result_files import as_json, save
from asp_eval.store.sealed_files import sealed_files
from asp_eval.workflow.study_folder import PROFILES, AnyStudy, current_plan

__all__ = ["GapResults", "as_json", "gap_profiles"]


def gap_profiles(study: AnyStudy, *, progress: Progress = unheard, cancel: Cancel = never) -> GapResults:
    """Compute the GAP-profiles from the stored scores, and write ``output/gap.json``.

    The ledger says whose were made, and which limits of disclosure are looser than usual.

    Parameters
    ----------
    study : Study or StudyFolder
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    Raises
    ------
    Refusal
        STU-040 if study.yaml was changed after the study was loaded; GAP-010 if the study declares no profile; GAP-012 if
        it gives profiles to some arms and none is drawn; CLI-004 if no
        institution has answers of both sides;
        STO-040 if a table is not what was stored; STO-047 if the data were changed meanwhile.
    """
    plan = current_plan(study)
    step = stoppable(progress, cancel)
    step(Phrase("profiles"), 0)
    results = study_gap_profiles(plan)
    refuse_without_gaps(results)
    step(Phrase("writing"), 0.9)
    made = tuple(profile.institution_id for profile in results.profiles)
    kept_back = tuple(one.institution_id for one in results.withheld)
    told: dict[str, Any] = {"made": made, "withheld": kept_back, "looser": results.limits.looser}
    with sealed_files(plan, results.state, lambda files: GapBody(state=results.state, files=files, **told)) as new:
        save(new.path(PROFILES), results)
    return results
