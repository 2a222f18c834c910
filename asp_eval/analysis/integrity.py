"""How well the trial held together, as values for the report: balance, missing answers, contacts between the arms, dose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from asp_eval.core.errors import Unavailable
from asp_eval.stats.estimate import Estimate, JointTest
from asp_eval.trial.disclosure.bands import CountBand
from asp_eval.trial.flow.contamination import Contamination

Number = float | Unavailable
Verdict = Literal["satisfied", "adjust", "not-satisfied"]


@dataclass(frozen=True, slots=True)
class Omnibus:
    """The arms' institutions compared on everything at once, against the draws that the lot could have given.

    Attributes
    ----------
    statistic : float
        Squared Mahalanobis length of the differences of institution means.
    rank : int
        Differences that are free to vary.
    p_value : float
    draws : int
        Allocations compared with, the one drawn included if `exact`.
    exact : bool
        Whether they are all that were possible.
    variables : tuple of str
        What was compared; a category is written ``sex:girl``.
    institutions : int
    filled : int
        Institution means that nobody answered for and that were set to the mean of all institutions.
    """

    statistic: float
    rank: int
    p_value: float
    draws: int
    exact: bool
    variables: tuple[str, ...]
    institutions: int
    filled: int


@dataclass(frozen=True, slots=True)
class Equivalence:
    """The baseline score of an outcome among the children analysed, one arm against the first.

    Attributes
    ----------
    g : float or Unavailable
        Hedges' g with the What Works Clearinghouse's correction for clustering.
    icc : float or Unavailable
        Of the baseline score among the children analysed, with arm and strata.
    verdict : {"satisfied", "adjust", "not-satisfied"} or None
        At most 0.05; above it and at most 0.25, where the analysis must adjust for it; above 0.25. None without g.
    adjusted : bool
        Whether the planned model takes the baseline score into account.
    """

    outcome: str
    arm: str
    g: Number
    icc: Number
    children: int
    institutions: int
    verdict: Verdict | None
    adjusted: bool


@dataclass(frozen=True, slots=True)
class InstitutionRecord:
    """One institution: its children of the cohort, how many were not screened at each wave, and its dose.

    `dose` and `received` are None where no log was kept, or no rule is declared.
    """

    institution: str
    arm: str
    cohort: int
    missing: tuple[int, ...]
    dose: float | None
    received: bool | None


@dataclass(frozen=True, slots=True)
class InstitutionLine:
    """One institution of the appendix, as coarse as it may be shown: under a running number of this list, in no order.

    Attributes
    ----------
    number : int
        No identifier: it runs through this list alone.
    arm : str
    cohort : CountBand or None
        Children of the cohort; None below the study's minimum.
    missing : tuple of CountBand or None
        Of them not screened at each wave; None below the minimum, and where none was missing.
    dose : float or None
        To the nearest ten.
    received : bool or None
    """

    number: int
    arm: str
    cohort: CountBand | None
    missing: tuple[CountBand | None, ...]
    dose: float | None
    received: bool | None


@dataclass(frozen=True, slots=True)
class RaterMissingness:
    """Children of the cohort by who rated them at the start: how many of a rater's were not screened at a later wave.

    Only raters of at least the study's smallest cell of children are counted. The shares are those of the rater with the
    smallest, the middle and the largest share.
    """

    arm: str
    wave: str
    raters: int
    children: int
    missing: int
    lowest: float | None
    median: float | None
    highest: float | None


@dataclass(frozen=True, slots=True)
class MissingnessModel:
    """What predicts that a child of the cohort is without the outcome.

    Attributes
    ----------
    children, missing : tuple of int
        Children with everything the model needs, and those of them without the outcome, for each arm.
    difference : tuple of Estimate
        For each arm after the first, its share without the outcome less the first arm's.
    predictors : tuple of tuple of Estimate
        For each arm, the change in the share without the outcome for each baseline variable, the others held fixed.
    interactions : JointTest
        Whether what predicts is the same in all arms.
    """

    outcome: str
    wave: str
    children: tuple[int, ...]
    missing: tuple[int, ...]
    difference: tuple[Estimate, ...]
    predictors: tuple[tuple[Estimate, ...], ...]
    interactions: JointTest


@dataclass(frozen=True, slots=True)
class ArmDose:
    """What the institutions of one arm had of the intervention; mean and SD over all its institutions."""

    arm: str
    institutions: int
    with_any: int
    total: float
    mean: float
    sd: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Integrity:
    """Everything of this kind that the report shows; `dose` is empty where no implementation log was imported.

    `institution_lines` are there where ``report.institution_appendix`` asks for them.
    """

    omnibus: Omnibus | Unavailable
    equivalence: tuple[Equivalence, ...]
    raters: tuple[RaterMissingness, ...]
    predictors: tuple[MissingnessModel, ...]
    contamination: Contamination
    dose: tuple[ArmDose, ...]
    institution_lines: tuple[InstitutionLine, ...] = ()
