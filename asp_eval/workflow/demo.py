"""``asp-eval demo``: a complete synthetic trial through the verbs a user would call.

The only thing the demo adds to the verbs is the field work: the exports that come about under the draw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from asp_eval.analysis.results import Estimated, Results
from asp_eval.core.documents import write_whole
from asp_eval.core.phrases import Phrase
from asp_eval.core.progress import Cancel, Progress, never, part_of, unheard
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers, digits_for
from asp_eval.reporting.writers.formats import FORMATS
from asp_eval.store import table
from asp_eval.synthetic.exports import write_fieldwork, write_institutions
from asp_eval.synthetic.study_file import demo_study_yaml
from asp_eval.synthetic.truth import population_values
from asp_eval.trial.study.protocol import load_study, write_study_schema
from asp_eval.workflow.analyse import analyse
from asp_eval.workflow.check import check_study
from asp_eval.workflow.gap import gap_profiles
from asp_eval.workflow.goals import import_goals
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.init import refuse_unless_empty
from asp_eval.workflow.process import process
from asp_eval.workflow.randomise import randomise
from asp_eval.workflow.report import report
from asp_eval.workflow.result_tables import effect_cells, part_of_estimate
from asp_eval.workflow.score import score_study

VERBS = 19  # that are called


@dataclass(frozen=True, slots=True, eq=False)
class DemoStep:
    """A verb that was called, as a user would give the command in the study's folder, and what it returned."""

    command: tuple[str, ...]
    done: object


@dataclass(frozen=True, slots=True)
class DemoEstimate:
    """The estimate of one outcome beside the value that the synthetic population has.

    Attributes
    ----------
    outcome, wave : str
    effect : Estimate or Unavailable
    population : float
    inside : bool
        Whether the confidence interval holds the population value.
    """

    outcome: str
    wave: str
    effect: Estimated
    population: float
    inside: bool


@dataclass(frozen=True, slots=True)
class DemoStudy:
    """The finished demo.

    Attributes
    ----------
    folder : Path
        The study's.
    estimates : tuple of DemoEstimate
    pages : tuple of Path
        Those to open first.
    """

    folder: Path
    estimates: tuple[DemoEstimate, ...]
    pages: tuple[Path, ...]

    def rows(self, language: str = "en") -> list[list[str]]:
        """Return the estimates as the rows of a table: outcome, wave, estimate, interval, population, and whether inside."""
        numbers = Numbers(words_for(language))
        return [
            [
                each.outcome,
                each.wave,
                *effect_cells(each.effect, numbers),
                numbers.decimal(each.population, digits_for(part_of_estimate(each.effect, "std_error"))),
                Phrase("yes") if each.inside else Phrase("no"),
            ]
            for each in self.estimates
        ]


def demo(
    folder: str | Path,
    seed: int = 2006,
    *,
    announce: Callable[[DemoStep | Phrase], None] = lambda _: None,
    progress: Progress = unheard,
    cancel: Cancel = never,
) -> DemoStudy:
    """Make a synthetic trial, and take it from raw exports to printed reports.

    Parameters
    ----------
    folder : str or Path
        Does not exist, or is empty.
    seed : int
        Of the draw and of the field work.
    announce : callable, optional
        Is called with every verb that was done, and with what is to be said between.
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    Raises
    ------
    Refusal
        CLI-001 if the folder holds anything.
    """
    folder = Path(folder)
    refuse_unless_empty(folder)
    write_whole(folder / "study.yaml", demo_study_yaml())
    write_study_schema(folder)
    study = load_study(folder)
    done = 0

    def part(name: str) -> Progress:
        return part_of(progress, done / VERBS, (done + 1) / VERBS, name)

    def tell(value: object, *command: str) -> None:
        nonlocal done
        done += 1
        announce(DemoStep(command, value))

    def take_in(file: Path, name: str, wave: str | None = None) -> None:
        found = import_file(study, file, name, wave=wave, progress=part(file.name), cancel=cancel)
        shown = file.relative_to(folder).as_posix()
        tell(found, "import", shown, "--table", name, *(("--wave", wave) if wave else ()))

    announce(
        Phrase(
            "A synthetic trial is made in {folder}. The commands shown are those of a real one, given in that folder.",
            folder=folder,
        )
    )
    take_in(write_institutions(folder / "data", seed), "institutions")
    lot = seed or 1  # 0 is the rehearsal's
    tell(randomise(study, seed=lot, progress=part("randomise"), cancel=cancel), "randomise", "--seed", str(lot))
    announce(
        Phrase(
            "The field work takes place: three waves of screening, two staff surveys, a list of staff, an implementation log, "
            "coded interviews with excerpts, and goals come back as files."
        )
    )
    for export in write_fieldwork(folder / "data", seed, table(study, "allocation")):
        if export.table == "goals":
            shown = export.path.relative_to(folder).as_posix()
            tell(import_goals(study, [export.path], progress=part(shown), cancel=cancel), "goals", "import", shown)
        else:
            take_in(export.path, export.table, export.wave)
    tell(check_study(study, progress=part("check"), cancel=cancel), "check")
    tell(score_study(study, progress=part("score"), cancel=cancel), "score")
    results = analyse(study, progress=part("analyse"), cancel=cancel)
    tell(results, "analyse")
    tell(gap_profiles(study, progress=part("gap"), cancel=cancel), "gap")
    tell(process(study, progress=part("process"), cancel=cancel), "process")
    for what, formats in (("results", FORMATS), ("gap", ("html", "pdf"))):
        printed = report(study, formats, [what], progress=part("report"), cancel=cancel)
        tell(printed, "report", "--part", what, "--format", ",".join(formats))
    return DemoStudy(
        folder, _beside_the_population(results), (printed.folder / "evaluation.html", printed.folder / "gap/index.html")
    )


def _beside_the_population(results: Results) -> tuple[DemoEstimate, ...]:
    truth = population_values()
    found = []
    for outcome in results.outcomes:
        effect, value = outcome.effects[0].difference, truth[outcome.outcome]
        low, high = part_of_estimate(effect, "conf_low"), part_of_estimate(effect, "conf_high")
        inside = low is not None and high is not None and low <= value <= high  # no interval holds none
        found.append(DemoEstimate(outcome.outcome, outcome.wave, effect, value, inside))
    return tuple(found)
