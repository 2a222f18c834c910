"""``asp-eval gap``: the GAP-profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asp_eval.cli.app import HERE, AsJson, StudyFolder, verb
from asp_eval.cli.console import progress, say
from asp_eval.core.phrases import Phrase

if TYPE_CHECKING:
    from asp_eval.workflow.gap import GapResults


@verb()
def gap(study: StudyFolder = HERE, as_json: AsJson = False) -> None:
    """Compute the GAP-profile of every institution.

    Writes output/gap.json.

    Example: asp-eval gap
    """
    from asp_eval.workflow.gap import as_json as as_text
    from asp_eval.workflow.gap import gap_profiles
    from asp_eval.workflow.open_study import open_study

    with progress("gap") as step:
        results = gap_profiles(open_study(study), progress=step)
    if as_json:
        print(as_text(results))
    else:
        show(results)


def show(results: GapResults) -> None:
    """Print how many profiles there are, and how much of them is not shown."""
    hidden = sum(entry.gap is None for profile in results.profiles for entry in profile.entries)
    of = len(results.profiles) * len(results.dimensions)
    say(
        Phrase(
            "Profiles: {n}. Gaps that are not shown, each with its reason: {hidden} of {of}.",
            n=len(results.profiles),
            hidden=hidden,
            of=of,
        )
    )
    if results.withheld:
        say(Phrase("Institutions that are given none, or not yet, as study.yaml says: {n}.", n=len(results.withheld)))
    if results.limits.looser:
        loose = ", ".join(f"privacy.{key}: {value}" for key, value in results.limits.looser.items())
        say(Phrase("Limits of disclosure that study.yaml sets looser than usual, as every profile says: {list}.", list=loose))
