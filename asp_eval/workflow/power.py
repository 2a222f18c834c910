"""``asp-eval power``: how likely the planned trial is to find an effect, computed, drawn and written down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asp_eval.analysis.power_inputs import Wishes
from asp_eval.analysis.study_power import StudyPower, study_power
from asp_eval.core.csv_text import write_csv
from asp_eval.core.documents import write_whole
from asp_eval.core.file_sets import file_set
from asp_eval.core.phrases import Phrase
from asp_eval.core.progress import Cancel, Progress, never, stoppable, unheard
from asp_eval.reporting.documents.power_curves import render_power
from asp_eval.workflow.study_folder import AnyStudy, output_of, plan_of

__all__ = ["PlannedPower", "StudyPower", "planned_power"]


@dataclass(frozen=True, slots=True, eq=False)
class PlannedPower:
    """The power of a planned trial, and the files it was written to.

    Attributes
    ----------
    power : StudyPower
    files : tuple of Path
        ``output/power.csv`` and ``output/power.svg``.
    """

    power: StudyPower
    files: tuple[Path, ...]


def planned_power(
    study: AnyStudy,
    *,
    effects: tuple[float, ...] = (),
    iccs: tuple[float, ...] = (),
    institutions: int | None = None,
    size: float | None = None,
    cv: float | None = None,
    target: float | None = None,
    learn: str = "",
    simulate: int = 0,
    seed: int = 1,
    progress: Progress = unheard,
    cancel: Cancel = never,
) -> PlannedPower:
    """Compute the power of a study as declared, and write it as a table and as a picture.

    Parameters
    ----------
    study : Study or StudyFolder
    effects : tuple of float
        In standard deviations; what is not given is taken from ``power`` in study.yaml, or from the tables.
    iccs : tuple of float
        Intraclass correlations.
    institutions : int, optional
        In all arms.
    size, cv : float, optional
        Children in an institution, and how unequal the sizes are: their standard deviation over their mean.
    target : float, optional
        The power aimed at.
    learn : str
        ``outcome@wave``: learn the intraclass correlation from a stored wave.
    simulate : int
        Trials to simulate besides, for each intraclass correlation.
    seed : int
        Of the simulation.
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    Raises
    ------
    Refusal
        If institutions or children are not known, or a number cannot be.
    """
    plan = plan_of(study)
    step = stoppable(progress, cancel)
    step(Phrase("formula and simulation") if simulate else Phrase("formula"), 0)
    found = study_power(plan, Wishes(effects, iccs, institutions, size, cv, target, learn), simulate=simulate, seed=seed)
    step(Phrase("picture"), 0.8)
    language = plan.languages[0]
    title = plan.study.title.get(language, plan.study.id)
    picture = render_power(found, title, language, synthetic=plan.study.synthetic)
    with file_set(output_of(plan)) as new:
        write_csv(new.path("power.csv"), found.account_frame())
        write_whole(new.path("power.svg"), picture)
    return PlannedPower(found, tuple(new.place(name) for name in new.names))
