"""Results of what a plan declares beside its primary models, as values: see `asp_eval.analysis.results`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Estimate, JointTest

Estimated = Estimate | Unavailable

Average = Literal["participant", "institution", "precision", "constant"]
Estimator = Literal["planned", "mixed-kr", "mixed-cr2", "least-squares", "wild-bootstrap", "gee", "cluster-means", "permutation"]


@dataclass(frozen=True, slots=True)
class EstimatorRow:
    """What one estimator says of one arm against the first.

    Attributes
    ----------
    estimator : str
        "planned" of an outcome that is no measure, whose model is not linear; the others name themselves.
    arm : str
    average : {"participant", "institution", "precision", "constant"}
        Which effect it estimates: the average over children, over institutions, over institutions weighted by how precisely each
        is measured; or one effect that is the same for everybody.
    model : str
        Its formula.
    result : Estimate or Unavailable
        On the scale of the outcome's `difference`.
    """

    estimator: Estimator
    arm: str
    average: Average
    model: str
    result: Estimated


LotStatistic = Literal["model", "cluster-means", "score"]


@dataclass(frozen=True, slots=True)
class LotBin:
    """How many allocations gave a statistic from `low` to below `high`, and how many of these one as large as the observed."""

    low: float
    high: float
    count: int
    as_large: int


@dataclass(frozen=True, slots=True)
class LotDistribution:
    """The statistic of one arm against the first under the allocations that the lot could have given.

    Attributes
    ----------
    arm : str
    kind : {"model", "cluster-means", "score"}
        Whose statistic: b / se of the planned model, of least squares on the means of institutions, or the score of the
        planned model without the arms.
    statistic : float
        Of the observed allocation, with the sign of its effect.
    p_value : float
    draws, as_large : int
        Allocations gone through, and how many of them are at least as far from zero as the observed one.
    enumerated : bool
        Whether they are all that were possible, the observed one among them.
    inestimable : int
        Allocations that leave the effect inestimable, in no bin; they count as large.
    bins : tuple of LotBin
        Those that hold any, in order and of one width.
    """

    arm: str
    kind: LotStatistic
    statistic: float
    p_value: float
    draws: int
    as_large: int
    enumerated: bool
    inestimable: int
    bins: tuple[LotBin, ...]


@dataclass(frozen=True, slots=True)
class WaveEffect:
    """One arm against the first at one wave, or by how much that changed from one wave to a later one.

    Attributes
    ----------
    arm, wave : str
    since : str
        The earlier wave of a change; empty of an effect.
    difference : Estimate or Unavailable
    """

    arm: str
    wave: str
    since: str
    difference: Estimated


@dataclass(frozen=True, slots=True)
class WaveMean:
    """The adjusted mean of one arm at one wave: of a child with the average covariates of those analysed."""

    arm: str
    wave: str
    mean: Estimated


@dataclass(frozen=True, slots=True)
class VarianceShare:
    """The variance that lies at one level of the data: a grouping factor's name, or "residual"."""

    level: str
    variance: float


@dataclass(frozen=True, slots=True)
class AllWaves:
    """All waves of one score in one model.

    Attributes
    ----------
    outcome : str
        The first outcome of that score.
    label : dict of str to str
    better : {"lower", "higher"}
    baseline : str
        The wave at which the arms are held equal.
    model : str
    n_children, n_rows, n_institutions : int
    effects : tuple of WaveEffect
        At each later wave, and by how much they changed since each wave before the last.
    joint : tuple of JointTest
        One per arm: that it has no effect at any wave.
    means : tuple of WaveMean
    variances : tuple of VarianceShare
    notes : tuple of Phrase
    """

    outcome: str
    label: dict[str, str]
    better: str
    baseline: str
    model: str
    n_children: int
    n_rows: int
    n_institutions: int
    effects: tuple[WaveEffect, ...]
    joint: tuple[JointTest, ...]
    means: tuple[WaveMean, ...]
    variances: tuple[VarianceShare, ...]
    notes: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class FirstStageF:
    """How strongly the offer moved what was taken: F by CR2 on 1 and `df` degrees of freedom."""

    F: float
    df: float
    p_value: float


@dataclass(frozen=True, slots=True)
class ComplierResult:
    """The effect among those whom the offer made take, or per unit of the dose, in one arm against the first.

    Attributes
    ----------
    arm : str
    taken : {"received", "dose"}
    unit : str
        The column of the log that the dose sums; empty of "received".
    model : str
        Both stages.
    offered_mean, other_mean : float
        Share of the children analysed whose institution received it, or their mean dose: in the arm, and in the first.
    first_stage : FirstStageF or Unavailable
    effect : Estimate or Unavailable
        By two-stage least squares with CR2; Unavailable where the first stage is weak.
    low, high : float or None
        Of the Anderson-Rubin set; infinite without an end; None where there is none.
    kind : {"interval", "rays", "line", ""}
        Between the ends; all but what lies between them; every effect.
    """

    arm: str
    taken: Literal["received", "dose"]
    unit: str
    model: str
    offered_mean: float
    other_mean: float
    first_stage: FirstStageF | Unavailable
    effect: Estimated
    low: float | None
    high: float | None
    kind: Literal["interval", "rays", "line", ""]


@dataclass(frozen=True, slots=True)
class SubgroupEffect:
    """One arm against the first among the children of one level.

    Attributes
    ----------
    level, arm : str
    children, institutions : int
        In the arm and in the first together; `children` is None where another group is too small to be counted.
    effect : Estimate or Unavailable
        On the scale of the outcome's `difference`.
    ratio : Estimate, Unavailable or None
        Of odds, or of rates of a count; None of a measure.
    """

    level: str
    arm: str
    children: int | None
    institutions: int
    effect: Estimated
    ratio: Estimated | None = None


@dataclass(frozen=True, slots=True)
class VaryingEffect:
    """One arm's effect where it varies at random between the levels of a column.

    Attributes
    ----------
    arm : str
    average : Estimate or Unavailable
        The effect in a middling level.
    sd : Estimate
        Standard deviation of the effect between levels.
    ratio, p_value : float
        That it is zero: restricted likelihood ratio, half chi-square on 0 and half on 1.
    """

    arm: str
    average: Estimated
    sd: Estimate
    ratio: float
    p_value: float


@dataclass(frozen=True, slots=True)
class SpreadByArm:
    """How much institutions differ in each arm.

    Attributes
    ----------
    model : str
    sds : tuple of Estimate
        Standard deviation between institutions, one per arm, the first among them.
    ratio, df, p_value : float
        That they are the same: restricted likelihood ratio, chi-square.
    """

    model: str
    sds: tuple[Estimate, ...]
    ratio: float
    df: float
    p_value: float


@dataclass(frozen=True, slots=True)
class SubgroupResult:
    """Whether the effect differs between the levels of a column, and the effect in each.

    Attributes
    ----------
    by : str
    model : str
    interaction : JointTest or Unavailable
        That the effects of all levels are the same; Unavailable where the levels cannot be compared, and where `variation`
        is tested in its place.
    levels : tuple of SubgroupEffect
    not_shown : int
        Levels with fewer children, or institutions, in an arm than are shown.
    without : int
        Children for whom the column is empty.
    variation : tuple of VaryingEffect
        One per later arm where effects vary at random; empty where they are fixed.
    spread : SpreadByArm or None
        Of a measure, where each level holds one institution of an arm.
    """

    by: str
    model: str
    interaction: JointTest | Unavailable
    levels: tuple[SubgroupEffect, ...]
    not_shown: int
    without: int
    variation: tuple[VaryingEffect, ...] = ()
    spread: SpreadByArm | None = None


@dataclass(frozen=True, slots=True)
class AdjustedMean:
    """The mean of one arm at the outcome's wave, for a child with the average covariates of those analysed."""

    arm: str
    mean: Estimated


@dataclass(frozen=True, slots=True)
class Interval:
    """Two ends."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SizeForms:
    """Hedges' g of one arm's effect in its three forms, with the degrees of freedom of their small-sample factors.

    Attributes
    ----------
    arm : str
    within, total, pooled : float
        By the SD within institutions, the total SD of the model, and the pooled SD of the children.
    df_within, df_total : float
        N - M; and h of the What Works Clearinghouse, of the other two.
    within_interval, total_interval, pooled_interval : Interval or None
        By t on the degrees of freedom of the effect.
    """

    arm: str
    within: float
    total: float
    pooled: float
    df_within: float
    df_total: float
    within_interval: Interval | None = None
    total_interval: Interval | None = None
    pooled_interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class ModelChecks:
    """What a reviewer looks at beside a linear mixed model.

    Attributes
    ----------
    floor, ceiling : float
        Share of the children with the lowest, and the highest, score met.
    skewness : float
        Of the residuals.
    lowest_sd, highest_sd : float
        Of the children's residuals, in the institution where they vary least and most; of those with five children or more.
    far_institutions : int
        Institutions whose level is more than 2.5 standard deviations from what is expected.
    influence : tuple of Influence
        One per arm after the first.
    """

    floor: float
    ceiling: float
    skewness: float
    lowest_sd: float
    highest_sd: float
    far_institutions: int
    influence: tuple[Influence, ...]


@dataclass(frozen=True, slots=True)
class Influence:
    """What leaving out each institution does to one arm's effect.

    Attributes
    ----------
    arm : str
    estimate, lowest, highest : float
        With all institutions, and the least and the most without one of them.
    institution : str
        Without which it changes most.
    """

    arm: str
    estimate: float
    lowest: float
    highest: float
    institution: str


@dataclass(frozen=True, slots=True)
class RaterResult:
    """How much of an outcome lies between those who rated it.

    Attributes
    ----------
    raters, children : int
        With a rater recorded.
    icc1, icc2 : Estimate or Unavailable
        The share of the variance between raters; the reliability of a rater's mean.
    changed : int
        Children rated by somebody else than at the start.
    without_changed : Estimate or Unavailable
        The effect of the first arm compared, by the planned model without them; Unavailable without a baseline.
    """

    raters: int
    children: int
    icc1: Estimated
    icc2: Estimated
    changed: int
    without_changed: Estimated


@dataclass(frozen=True, slots=True)
class RealisedDesign:
    """The design of one outcome as it came out.

    Attributes
    ----------
    institutions : int
    children : float
        On average in an institution.
    cv : float
        Of their numbers.
    icc : float or None
    r_squared : float
        Share of the total variance that the covariates explain.
    detectable : float or None
        The effect, in total standard deviations, that its standard error finds with the planned power.
    power : float
    """

    institutions: int
    children: float
    cv: float
    icc: float | None
    r_squared: float
    detectable: float | None
    power: float


@dataclass(frozen=True, slots=True)
class LevelResult:
    """The planned model with a level between child and institution: a nested random intercept.

    Attributes
    ----------
    level : str
        The column of children: a room, a class.
    groups : int
        How many there are, within institutions.
    without : int
        Children analysed for whom the column is empty; they are left out here.
    model : str
    effects : tuple of Estimate or Unavailable
        Of the later arms, in their order.
    icc_institution, icc_level : Estimate or Unavailable
        Shares of the variance, with arm and strata only: between institutions, and between groups of one institution.
    groups_each, children_each : float or None
        Groups in an institution, and children in a group, on average.
    detectable : float or None
        The effect, in total standard deviations, that the first effect's standard error finds with the planned power.
    """

    level: str
    groups: int
    without: int
    model: str
    effects: tuple[Estimated, ...]
    icc_institution: Estimated
    icc_level: Estimated
    groups_each: float | None = None
    children_each: float | None = None
    detectable: float | None = None


@dataclass(frozen=True, slots=True)
class ImputedEffect:
    """The effect of one arm after imputation, pooled over the imputed data sets.

    Attributes
    ----------
    analysis : {"imputation", "jump", "copy", "complete-cases"}
        Missing at random given what is known of a child; or as if those who dropped out had gone on like the first arm. Complete
        cases stand here where the effect is an odds ratio, which the headline is not.
    arm : str
    result : Estimate or Unavailable
    fmi, mc_error, df_low, df_high : float or None
        Fraction of missing information; Monte Carlo error of the estimate; fewest and most degrees of freedom of a data set.
    measure : {"difference", "odds-ratio"}
        What `result` is; an odds ratio is that of the model, pooled as its logarithm.
    """

    analysis: Literal["imputation", "jump", "copy", "complete-cases"]
    arm: str
    result: Estimated
    fmi: float | None = None
    mc_error: float | None = None
    df_low: float | None = None
    df_high: float | None = None
    measure: Literal["difference", "odds-ratio"] = "difference"


@dataclass(frozen=True, slots=True)
class ShiftedEffect:
    """The effect of one arm when its imputed values are moved by `delta`; `outside`: their mean then leaves the scores' range.

    Of an outcome that is no measure the effect is the logarithm of the odds ratio.
    """

    delta: float
    estimate: float
    conf_low: float
    conf_high: float
    outside: bool


@dataclass(frozen=True, slots=True)
class TippingPoint:
    """How far the values imputed in one arm must be moved before its interval includes zero, or no longer does.

    Attributes
    ----------
    arm : str
    excludes_zero : bool
        Whether the interval without any shift excludes zero.
    delta : float or Unavailable
        Points added to the imputed values.
    outside : bool
        Whether the mean of the imputed values then leaves the range of the scores.
    curve : tuple of ShiftedEffect
    """

    arm: str
    excludes_zero: bool
    delta: float | Unavailable
    outside: bool
    curve: tuple[ShiftedEffect, ...]


@dataclass(frozen=True, slots=True)
class ImputedArm:
    """Children of one arm in the imputed data, and those whose outcome was imputed."""

    arm: str
    children: int
    imputed: int


@dataclass(frozen=True, slots=True)
class MissingOutcomeResult:
    """Missing outcomes imputed, and how far the conclusion would bend.

    Attributes
    ----------
    imputations : int
        Zero where there are none; `notes` then holds the reason.
    variables, predictors : tuple of str
        What was imputed together, and from what.
    arms : tuple of ImputedArm
    chains, sweeps, between : int
        Of the sampler: chains, sweeps of each until they agreed, sweeps between two draws.
    rhat, effective_draws : float or None
        The worst of all quantities monitored.
    effects : tuple of ImputedEffect
    tipping : tuple of TippingPoint
    notes : tuple of Phrase
    """

    imputations: int
    variables: tuple[str, ...]
    predictors: tuple[str, ...]
    arms: tuple[ImputedArm, ...]
    chains: int
    sweeps: int
    between: int
    rhat: float | None
    effective_draws: float | None
    effects: tuple[ImputedEffect, ...]
    tipping: tuple[TippingPoint, ...]
    notes: tuple[Phrase, ...]
