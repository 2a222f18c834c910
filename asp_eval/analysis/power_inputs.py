"""From a study to the numbers that its power depends on: arms, ratio, strata, institutions, children, waves, losses, the lot.

What is known goes before what is planned: an option of the command, then the imported tables, then ``power:`` in study.yaml.
Every assumption is said in words, with where it comes from.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from asp_eval.analysis.data import load_data
from asp_eval.analysis.learned_icc import LearnedIcc, LearnedLevel, learned_icc
from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.power.designs import Sizes, ThreeLevel, TwoLevel
from asp_eval.stats.power.icc import IccDistribution, IccInterval
from asp_eval.stats.power.losses import Losses
from asp_eval.stats.power.rejection import TTest
from asp_eval.stats.power.simulated import Situation
from asp_eval.stats.power.trials import Arms
from asp_eval.stats.power.values import single
from asp_eval.stats.power.waves import Ancova, EndOnly, Waves
from asp_eval.store import table
from asp_eval.trial.flow.cohort import with_cohort
from asp_eval.trial.randomisation.closed import still_open
from asp_eval.trial.randomisation.declaration import scheme_of
from asp_eval.trial.study.design import Study

NO_INSTITUTIONS = Fault(
    "PWR-043",
    "how many institutions are to be drawn is not known",
    "Say it with --institutions, as 'institutions' under 'power' in study.yaml, or import their list.",
)
NO_CHILDREN = Fault(
    "PWR-044",
    "how many children an institution has is not known",
    "Say it with --size, or as 'children' under 'power' in study.yaml.",
)
UNKNOWN = Fault("PWR-046", "the study declares no such {what}", "Use one of: {known}.")

GROUPS_ALIKE = Phrase(
    "groups of one institution correlate between start and end as the less correlated of institutions and children"
)
EFFECTS = (0.10, 0.15, 0.20, 0.25, 0.30)
ICCS = (0.02, 0.05, 0.10, 0.20)
LEVELS = 2  # of a stratum column whose values are not known yet
PLANNED = "planned in study.yaml"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says; None or empty where it says nothing.

    Attributes
    ----------
    effects, iccs : tuple of float
    institutions : int or None
        In all arms.
    size, cv : float or None
        Mean number of children in an institution, and the coefficient of variation of these numbers.
    aim : float or None
        Power aimed at.
    learn : str
        ``outcome`` or ``outcome@wave`` to learn the intraclass correlation from.
    """

    effects: tuple[float, ...] = ()
    iccs: tuple[float, ...] = ()
    institutions: int | None = None
    size: float | None = None
    cv: float | None = None
    aim: float | None = None
    learn: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class PlannedTrial:
    """A study as numbers.

    Attributes
    ----------
    design : TwoLevel
        Of the two arms compared; its `icc` is a sequence.
    waves : EndOnly or Ancova
    losses : Losses
    test : TTest
    effects : tuple of float
    aim : float
    assumptions : tuple of str
    situation : Situation or None
        The institutions' strata and the lot, where their list is imported.
    level : LearnedLevel or None
        Between child and institution, where it was learned with the intraclass correlation.
    """

    design: TwoLevel
    waves: Waves
    losses: Losses
    test: TTest
    effects: tuple[float, ...]
    aim: float
    assumptions: tuple[str, ...]
    situation: Situation | None = field(default=None)
    level: LearnedLevel | None = field(default=None)

    @property
    def iccs(self) -> tuple[float | IccDistribution, ...]:
        """The intraclass correlations the table is over."""
        return tuple(self.design.icc)  # type: ignore[arg-type]

    def at(self, icc: float | IccDistribution) -> TwoLevel | ThreeLevel:
        """Return the design at one of them: of three levels where it was learned with a level between."""
        if self.level is not None and isinstance(icc, IccInterval):
            return self.level.design(self.design, icc)
        return replace(self.design, icc=icc)


def plan_trial(study: Study, wishes: Wishes) -> PlannedTrial:
    """Turn a study into numbers, and say every assumption.

    Raises
    ------
    Refusal
        If institutions or children are not known.
    """
    listed = institutions_planned(study)
    share, part, arms = _arms(study)
    total, source = _institutions(study, wishes, listed)
    clusters = total * part
    strata, in_strata = _strata(study, listed, wishes)
    size, sizes, known = _sizes(study, wishes, listed if wishes.institutions is None else listed.iloc[:0])
    waves, wave_words = _waves(study)
    learned = _learned(study, wishes)
    given = wishes.iccs or (() if learned else study.power.icc or ICCS)
    iccs: list[float | IccDistribution] = [*([learned.icc] if learned else []), *given]
    lost = Losses(study.power.lost.institutions, study.power.lost.children)
    test = TTest(alpha=round(1.0 - study.analysis.level, 12))
    design = TwoLevel(
        clusters=clusters, size=size, icc=iccs, cv=0.0 if isinstance(size, Sizes) else sizes, share=share, strata=strata
    )
    account = (
        f"{total:g} institutions ({source}); {arms}",
        in_strata,
        known,
        *wave_words,
        *(learned.words if learned else _unknown_levels(study)),
        *(_icc_words(study, wishes) if given else ()),
        _loss_words(lost),
        *_test_words(study, test),
    )
    situation = _situation(study, listed, clusters, strata, size) if wishes.institutions is None and len(listed) else None
    aim = wishes.aim if wishes.aim is not None else study.power.power
    effects = wishes.effects or study.power.effect or EFFECTS
    said = tuple(a for a in account if a)
    level = learned.level if learned else None
    if level is not None and isinstance(waves, Ancova):
        waves, said = _of_groups(waves), (*said, GROUPS_ALIKE)
    return PlannedTrial(design, waves, lost, test, tuple(effects), aim, said, situation, level)


def institutions_planned(study: Study) -> pd.DataFrame:
    """Return the institutions of the trial as listed: all but those that closed without an arm."""
    listed = table(study, "institutions")
    drawn = listed["institution_id"].isin(table(study, "allocation")["institution_id"])
    return listed[drawn | listed.index.isin(still_open(listed, date.today()).index)]


def _arms(study: Study) -> tuple[float, float, str]:
    """Return the share that is treated among the arms compared, their part of all institutions, and both in words."""
    ratio = study.randomisation.ratio
    smallest = min(range(1, len(ratio)), key=lambda a: ratio[a])
    two = ratio[0] + ratio[smallest]
    words = f"{study.arms[smallest]} compared with {study.arms[0]}, {ratio[smallest]} to {ratio[0]}"
    if len(ratio) > 2:
        words += "; institutions of other arms are not counted"
    return ratio[smallest] / two, two / sum(ratio), words


def _institutions(study: Study, wishes: Wishes, listed: pd.DataFrame) -> tuple[float, str]:
    if wishes.institutions is not None:
        return float(wishes.institutions), "as asked"
    if len(listed):
        return float(len(listed)), "as imported"
    if study.power.institutions is not None:
        return float(study.power.institutions), PLANNED
    return NO_INSTITUTIONS.refuse("power")


def _strata(study: Study, listed: pd.DataFrame, wishes: Wishes) -> tuple[int, str]:
    """Return the strata as the model's fixed effects count them, and in words."""
    if not study.strata:
        return 1, "no strata"
    names = ", ".join(study.strata)
    if study.power.strata is not None and (wishes.institutions is not None or not len(listed)):
        return study.power.strata, f"{study.power.strata} strata ({names}; {PLANNED}) as fixed effects of the model"
    if len(listed) and wishes.institutions is None:
        levels = [int(listed[name].nunique()) for name in study.strata]
        return 1 + sum(
            n - 1 for n in levels
        ), f"strata {names} ({', '.join(map(str, levels))} levels) as fixed effects of the model"
    return 1 + (LEVELS - 1) * len(study.strata), f"strata {names} as fixed effects of the model, two levels each (assumed)"


def _sizes(study: Study, wishes: Wishes, listed: pd.DataFrame) -> tuple[float | Sizes, float, str]:
    """Return children per institution (their numbers, or a mean and how unequal they are), and in words."""
    cv = wishes.cv if wishes.cv is not None else study.power.cv
    by = (
        "equally many in each"
        if cv == 0
        else (f"coefficient of variation {cv:g} (relative efficiency of van Breukelen, Candel & Berger 2007)")
    )
    if wishes.size is not None:
        return wishes.size, cv, f"{wishes.size:g} children in an institution (as asked), {by}"
    counted = _cohort_sizes(study, listed)
    if counted is not None and wishes.cv is None:
        return (
            counted,
            0.0,
            (
                f"children of the cohort as imported: {counted.mean:.3g} in an institution, coefficient of variation "
                f"{counted.cv:.2g}; their information is summed exactly"
            ),
        )
    if study.power.children is not None:
        return study.power.children, cv, f"{study.power.children:g} children in an institution ({PLANNED}), {by}"
    return NO_CHILDREN.refuse("power")


def _cohort_sizes(study: Study, listed: pd.DataFrame) -> Sizes | None:
    """Return the children of the cohort in each institution listed, in its order; None where none are imported."""
    children = table(study, "children")
    if children.empty or listed.empty:
        return None
    standing = with_cohort(study, children, table(study, "screening"))
    counts = standing.loc[standing["standing"] == "cohort", "institution_id"].value_counts()
    found = counts.reindex(listed["institution_id"]).fillna(0.0)
    return Sizes.of(found.astype("float64").tolist()) if len(found) > 1 and (found >= 1).all() else None


def _waves(study: Study) -> tuple[Waves, tuple[str, ...]]:
    """Return what the first primary outcome is compared by, and in words."""
    outcome = next((o for o in study.outcomes if o.role == "primary"), study.outcomes[0])
    planned = study.power.baseline
    if outcome.baseline is None or outcome.baseline == outcome.at:
        return EndOnly(), (f"outcome {outcome.id} at {outcome.at}, without a baseline",)
    if planned is None:
        said = "which counts for nothing here, as its correlation is not planned: the power will be higher"
        return EndOnly(), (f"outcome {outcome.id} at {outcome.at}; baseline {outcome.baseline}, {said}",)
    words = f"correlating {planned.institution:g} between institutions and {planned.child:g} between children of one"
    return Ancova(planned.institution, planned.child), (
        f"outcome {outcome.id} at {outcome.at} with baseline {outcome.baseline} as covariate, {words} ({PLANNED})",
        "other covariates explain nothing more",
    )


def _of_groups(waves: Ancova) -> Ancova:
    """Return the waves with a correlation between groups of one institution: the lower of the two that are planned."""
    return replace(waves, subcluster=min(single(waves.cluster), single(waves.individual)))


def _unknown_levels(study: Study) -> tuple[str, ...]:
    """Return what is said of declared levels between child and institution that nothing is known of."""
    if not study.analysis.levels:
        return ()
    return (
        Phrase(
            "a level between child and institution ({levels}) is declared and not in this power: a stored wave tells its "
            "intraclass correlation, --learn OUTCOME@WAVE",
            levels=", ".join(study.analysis.levels),
        ),
    )


def _icc_words(study: Study, wishes: Wishes) -> tuple[str, ...]:
    source = "as asked" if wishes.iccs else PLANNED if study.power.icc else "assumed; not known of this trial"
    return (f"intraclass correlations {source}",)


def _loss_words(lost: Losses) -> str:
    institutions, children = lost.of_clusters(False), lost.of_individuals(False)
    if not institutions and not children:
        return "nobody is lost"
    return f"lost at random, alike in both arms: {institutions:.0%} of the institutions, {children:.0%} of the others' children"


def _test_words(study: Study, test: TTest) -> tuple[str, ...]:
    said = [
        "effects in total standard deviations of the outcome (between and within institutions)",
        f"two-sided t test at {test.alpha:g} with the institutions' degrees of freedom; exact noncentral t",
    ]
    comparisons = len(study.arms) - 1
    for name, family in study.analysis.families.items():
        tests = len(family.outcomes) * comparisons
        if family.adjust != "none" and tests > 1:
            said.append(f"family {name}: the first of {tests} tests adjusted by {family.adjust} is at {test.alpha / tests:.4g}")
    return tuple(said)


def _learned(study: Study, wishes: Wishes) -> LearnedIcc | None:
    """Return the intraclass correlation of an earlier wave; None where it is not asked for."""
    if not wishes.learn:
        return None
    name, _, wave = wishes.learn.partition("@")
    if name not in [o.id for o in study.outcomes]:
        UNKNOWN.refuse("--learn", found=name, what="outcome", known=", ".join(o.id for o in study.outcomes))
    outcome = study.outcome(name)
    at = wave or outcome.baseline or outcome.at
    if at not in study.wave_ids:
        UNKNOWN.refuse("--learn", found=at, what="wave", known=", ".join(study.wave_ids))
    return learned_icc(load_data(study), outcome, at)


def _situation(study: Study, listed: pd.DataFrame, clusters: float, strata: int, size: float | Sizes) -> Situation | None:
    """Return the institutions' strata and the study's own lot; None where the lot is not drawn here, or not over this list."""
    if (
        study.randomisation.drawn_elsewhere
        or clusters != len(listed)
        or (isinstance(size, Sizes) and len(size.values) != len(listed))
    ):
        return None
    columns = [
        np.asarray(listed[name].astype("str") == level)
        for name in study.strata
        for level in sorted(listed[name].astype("str").unique())[1:]
    ]
    design = np.column_stack(columns).astype(float) if columns else np.zeros((len(listed), 0))

    def allocations(trials: int) -> Arms:
        return scheme_of(study, listed).allocations(trials, seed=1)

    return Situation(design, allocations) if design.shape[1] == strata - 1 else None
