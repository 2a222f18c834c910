"""What the analysis finds, as values: everything the evaluation report shows, labels included.

A number with an interval is an `Estimate`, one without is a float; where there is none, an `Unavailable` stands in its place and
says why. There are no NaNs. `asp_eval.store.result_files` writes these values and reads them back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any, ClassVar, Literal

import pandas as pd
from pydantic import ConfigDict, PlainSerializer

from asp_eval.analysis.declared_results import (
    AdjustedMean,
    AllWaves,
    ComplierResult,
    EstimatorRow,
    LevelResult,
    LotDistribution,
    MissingOutcomeResult,
    ModelChecks,
    RaterResult,
    RealisedDesign,
    SizeForms,
    SubgroupResult,
)
from asp_eval.analysis.integrity import Integrity
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.estimate import Estimate
from asp_eval.store.provenance import Provenance
from asp_eval.trial.flow.attrition import OutcomeAttrition
from asp_eval.trial.flow.counts import AnalysedFlow, FlowCounts
from asp_eval.trial.study.design import Study

Texts = dict[str, str]
Number = float | Unavailable
Estimated = Estimate | Unavailable

NO_FAMILY = Unavailable(Phrase("the outcome is in no family of outcomes that are adjusted together"))


@dataclass(frozen=True, slots=True)
class ArmSummary:
    """One variable in one arm: `n` units with a value, `missing` without. A category has `count`; a measure `mean` and `sd`.

    Where a category of the variable has too few children, its categories have a `share` in whole percent in place of the
    count, or are `hidden`.
    """

    arm: str
    n: int
    missing: int
    mean: float | None = None
    sd: float | None = None
    count: int | None = None
    share: float | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class BaselineRow:
    """One row of the baseline table.

    Attributes
    ----------
    variable : str
        Column or outcome it describes.
    label : Texts
    level : str
        The category counted; empty for a measure.
    unit : {"institution", "child", "institution_mean"}
        What is counted: institutions, children, or institutions by the means of their children.
    arms : tuple of ArmSummary
    differences : tuple of float or Unavailable
        One per arm after the first, that arm less the first, standardised: of means by the pooled SD of the two, of
        proportions by sqrt((p1(1-p1) + p0(1-p0)) / 2).
    """

    variable: str
    label: Texts
    level: str
    unit: Literal["institution", "child", "institution_mean"]
    arms: tuple[ArmSummary, ...]
    differences: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Recomputation:
    """The headline number again, by a library that shares no code with the engine.

    Attributes
    ----------
    model : str
        The formula.
    fitted_by : Phrase
        How that model was fitted; empty where it is the planned model.
    """

    software: str
    model: str
    term: str
    estimate: float
    std_error: float
    recomputed_estimate: Number
    recomputed_std_error: Number
    fitted_by: Phrase = NO_NOTE


@dataclass(frozen=True, slots=True)
class Recheck:
    """One number of an arm's effect again, by a plain computation that shares no code with the engine.

    Attributes
    ----------
    arm : str
    quantity : str
        std_error, df, p_value, conf_low or conf_high of the mixed model's effect by Kenward-Roger; icc, effect_size, adjusted_p;
        cr2_std_error or cr2_df of least squares by CR2; jackknife_estimate or jackknife_std_error of a standardised average.
    value : float
    again : float or Unavailable
    software : str
    """

    arm: str
    quantity: str
    value: float
    again: Number
    software: str


@dataclass(frozen=True, slots=True)
class Share:
    """One category of an outcome in one arm.

    Attributes
    ----------
    arm : str
    category : str
        Of an ordinal outcome; empty for a yes-or-no outcome, whose share is of yes, and for a count, whose mean it is.
    n, count : int
        Children analysed, and how many of them are in the category (of a count: the sum), as observed; None where a category of
        the outcome has too few children.
    adjusted : Estimate or Unavailable
        The share (or mean) if all children analysed had been in that arm, from the planned model.
    """

    arm: str
    category: str
    n: int
    count: int | None
    adjusted: Estimated


@dataclass(frozen=True, slots=True)
class ArmEffect:
    """One arm compared with the first, on one outcome.

    Attributes
    ----------
    arm : str
    difference : Estimate or Unavailable
        That arm less the first, as the average that the study declares (of the planned model, where that is precision): on the
        score's own scale; of a yes-or-no outcome in its share; of an
        ordinal one in the share above its first category; of a count in its mean.
    effect_size : Estimate or Unavailable
        The difference divided by the total SD of a model with arm and strata only. It has no test of its own.
    adjusted_p : float or Unavailable
        The p-value adjusted within the outcome's family; `NO_FAMILY` where it is in none.
    ratio : Estimate, Unavailable or None
        Of shares, or of means of a count; None for other outcomes.
    odds_ratio : Estimate, Unavailable or None
        Of shares; of an ordinal outcome the model's own: odds of a higher category.
    changes : tuple of Estimate or Unavailable
        Of an ordinal outcome: the difference in the share of each category.
    simultaneous : Estimate, Unavailable or None
        The difference with an interval that holds together with those of its family, where the plan declares it.
    """

    arm: str
    difference: Estimated
    effect_size: Estimated
    adjusted_p: Number
    ratio: Estimated | None = None
    odds_ratio: Estimated | None = None
    changes: tuple[Estimated, ...] = ()
    simultaneous: Estimated | None = None


@dataclass(frozen=True, slots=True)
class AverageEffects:
    """One arm compared with the first, by whom the effect is an average over.

    Attributes
    ----------
    arm : str
    precision : Estimate or Unavailable
        The mixed model's: institutions count by what the model knows of them.
    participant, institution : Estimate or Unavailable
        Every child, and every institution, counting alike: model-robust standardisation with the jackknife.
    participant_cr2, institution_cr2 : Estimate or Unavailable
        The same by least squares with independence weights and CR2.
    apart : Estimate or Unavailable
        The participants' average less the institutions'.
    """

    arm: str
    precision: Estimated
    participant: Estimated
    institution: Estimated
    participant_cr2: Estimated
    institution_cr2: Estimated
    apart: Estimated


@dataclass(frozen=True, slots=True)
class ProportionalOdds:
    """The test that the arms move the odds alike at every boundary between two bands.

    Attributes
    ----------
    statistic, df, p_value : float
        Likelihood ratio, chi-square.
    rejected : bool
        Whether p is below 1 - level.
    band_by_band : bool
        Whether shares and differences are those of a model of each band by itself: where rejected, unless one of these
        models cannot be fitted.
    """

    statistic: float
    df: float
    p_value: float
    rejected: bool
    band_by_band: bool = False


@dataclass(frozen=True, slots=True)
class ArmNumbers:
    """What a planned model says of the arms: every later one against the first, and the shares of all."""

    effects: tuple[ArmEffect, ...]
    shares: tuple[Share, ...] = ()
    proportional_odds: ProportionalOdds | Unavailable | None = None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """How the p-values of a family were adjusted, and over how many tests.

    Attributes
    ----------
    family, after : str
        Its name, and that of the family whose null hypotheses must all be rejected first; empty if there is none.
    opened : bool
        Whether they all were.
    """

    method: str
    tests: int
    family: str = ""
    after: str = ""
    opened: bool = True


@dataclass(frozen=True, slots=True)
class BandsUsed:
    """The band set, or norms, by which the scores of an outcome were put into bands.

    Attributes
    ----------
    id : str
    title : texts
    source : str
        Where its thresholds were published.
    """

    id: str
    title: Texts
    source: str


@dataclass(frozen=True, slots=True)
class InstitutionMeans:
    """Means of an outcome in the institutions of one arm, in order of size and under no name.

    Attributes
    ----------
    arm : str
    means : tuple of float
        Of institutions with at least the study's smallest cell of children analysed, rounded to what a picture needs.
    left_out : int
        How many institutions have fewer.
    mean : float, optional
        Of the same institutions before rounding, each counting once.
    """

    arm: str
    means: tuple[float, ...]
    left_out: int
    mean: float | None = None


@dataclass(frozen=True, slots=True)
class OutcomeResult:
    """One outcome at one wave, analysed.

    Attributes
    ----------
    effects : tuple of ArmEffect
        One per arm after the first.
    coefficients : tuple of Estimate
        Every fixed effect of the model, the arms included.
    adjustment : Adjustment or None
        None where the outcome is in no family that is adjusted.
    icc, icc_adjusted : Estimate or Unavailable
        Intraclass correlation with arm and strata only, and with all covariates.
    arms : tuple of ArmSummary
        The children analysed, as observed at the outcome's wave, without adjustment.
    scale : {"continuous", "binary", "ordinal", "count"}
    shares : tuple of Share
        Of outcomes that are not continuous: each arm's, category by category.
    proportional_odds : ProportionalOdds, Unavailable or None
        Of an ordinal outcome; None for others, and where there is no model.
    bands : dict of str to texts
        What the bands of its questionnaire are called, where the outcome is in bands.
    bands_used : BandsUsed, optional
        Where they come from.
    summary : {"difference", "ratio", "odds-ratio"}
        By what the plan compares the arms.
    estimators : tuple of EstimatorRow
        The effects by other estimators as well, where the plan triangulates.
    average : {"precision", "participant", "institution"}
        Whose effect the headline is.
    averages : tuple of AverageEffects
        One per arm after the first; empty where there is no model.
    rechecks : tuple of Recheck
        Numbers of the effects again; empty of an outcome that is no measure.
    compliers : tuple of ComplierResult
        One per arm after the first, where the plan declares it.
    subgroups : tuple of SubgroupResult
        One per column that the plan declares for the outcome.
    levels : tuple of LevelResult
        One per level between child and institution that the plan declares.
    missing : MissingOutcomeResult or None
        Where the plan declares `missing_outcome`.
    institution_means : tuple of InstitutionMeans
        Of a measure, one per arm, as observed.
    lot : tuple of LotDistribution
        Of a primary outcome, one per arm after the first, where the plan triangulates or permutes the lot.
    means, sizes, checks, raters, realised
        Of a measure: see `asp_eval.analysis.declared_results`.
    """

    outcome: str
    label: Texts
    wave: str
    set: str
    role: str
    better: str
    model: str
    n_children: int
    n_institutions: int
    effects: tuple[ArmEffect, ...]
    coefficients: tuple[Estimate, ...]
    adjustment: Adjustment | None
    icc: Estimated
    icc_adjusted: Estimated
    notes: tuple[Phrase, ...]
    recomputations: tuple[Recomputation, ...]
    analysed: tuple[AnalysedFlow, ...]
    arms: tuple[ArmSummary, ...] = ()
    scale: str = "continuous"
    shares: tuple[Share, ...] = ()
    proportional_odds: ProportionalOdds | Unavailable | None = None
    bands: dict[str, Texts] = field(default_factory=dict)
    summary: str = "difference"
    estimators: tuple[EstimatorRow, ...] = ()
    average: str = "precision"
    averages: tuple[AverageEffects, ...] = ()
    rechecks: tuple[Recheck, ...] = ()
    compliers: tuple[ComplierResult, ...] = ()
    subgroups: tuple[SubgroupResult, ...] = ()
    levels: tuple[LevelResult, ...] = ()
    missing: MissingOutcomeResult | None = None
    means: tuple[AdjustedMean, ...] = ()
    sizes: tuple[SizeForms, ...] = ()
    checks: ModelChecks | None = None
    raters: RaterResult | None = None
    realised: RealisedDesign | None = None
    bands_used: BandsUsed | None = None
    institution_means: tuple[InstitutionMeans, ...] = ()
    lot: tuple[LotDistribution, ...] = ()


@dataclass(frozen=True, slots=True)
class Reliability:
    """How well the items of one scale hang together at one wave, among the children analysed.

    Attributes
    ----------
    n : int
        Children with complete answers.
    alpha : Estimate or Unavailable
        Cronbach's, with an interval that knows the institutions.
    arm : str
        Empty of all arms together.
    omega, ordinal_alpha : float, Unavailable or None
        Omega total of one factor, and alpha from polychoric correlations; None in results of an older version.
    """

    instrument: str
    scale: str
    label: Texts
    wave: str
    n: int
    alpha: Estimated
    arm: str = ""
    omega: Number | None = None
    ordinal_alpha: Number | None = None


@dataclass(frozen=True, slots=True)
class FormSwitches:
    """How many children were scored on each form of a family at a wave, and how many changed form since the baseline."""

    family: str
    wave: str
    forms: dict[str, int]
    switched: int


@dataclass(frozen=True, slots=True)
class Results:
    """Everything the evaluation report shows.

    Attributes
    ----------
    study : Study
        As ``study.yaml`` declared it when the results were computed; it knows no folder.
    provenance : Provenance
        What the results were computed from, and with which software.
    informants : tuple of str
        Who rated the children: ``teacher``, ``parent``.
    attrition : tuple of OutcomeAttrition
        Of every outcome.
    integrity : Integrity or None
        Balance, missing answers, contacts between the arms and dose.
    waves : tuple of AllWaves
        Each score at all its waves in one model, where the plan declares it.
    forms : dict of str to dict of str to str
        What each questionnaire and family that the study collects is called, by language.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", ser_json_inf_nan="strings")

    study: Annotated[Study, PlainSerializer(Study.as_declared)]
    provenance: Provenance
    informants: tuple[str, ...]
    flow: FlowCounts
    baseline: tuple[BaselineRow, ...]
    outcomes: tuple[OutcomeResult, ...]
    reliabilities: tuple[Reliability, ...]
    switches: tuple[FormSwitches, ...]
    attrition: tuple[OutcomeAttrition, ...]
    integrity: Integrity | None = None
    waves: tuple[AllWaves, ...] = ()
    forms: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """Digest of everything that the results were computed from."""
        return self.provenance.state

    def effects(self) -> pd.DataFrame:
        """Return one row per outcome and arm: outcome, wave, arm, the columns of `Estimate`, adjusted_p, n_children."""
        rows = [
            {"outcome": o.outcome, "wave": o.wave, "arm": effect.arm, "summary": o.summary}
            | {**_columns_of(o, effect), "n_children": o.n_children}
            for o in self.outcomes
            for effect in o.effects
        ]
        columns = ["outcome", "wave", "arm", "summary", *Estimate.__dataclass_fields__, "adjusted_p", "n_children"]
        return pd.DataFrame(rows, columns=columns)

    def __str__(self) -> str:
        """Return the study's title and the effects, as a table."""
        shown = ["outcome", "wave", "arm", "estimate", "conf_low", "conf_high", "p_value", "n_children"]
        return f"{next(iter(self.study.study.title.values()))}\n{self.effects()[shown].to_string(index=False, na_rep='')}"


def planned_summary(result: OutcomeResult, effect: ArmEffect) -> Estimated:
    """Return the effect by which the plan compares an arm with the first: a difference, a ratio or an odds ratio."""
    ratio = {"ratio": effect.ratio, "odds-ratio": effect.odds_ratio}.get(result.summary)
    return effect.difference if ratio is None else ratio


def _columns_of(result: OutcomeResult, effect: ArmEffect) -> dict[str, Any]:
    """Return an effect as columns; a number that cannot be had is missing, with the reason in `note`."""
    planned, adjusted = planned_summary(result, effect), effect.adjusted_p
    found = {"note": planned.reason} if isinstance(planned, Unavailable) else asdict(planned)
    return {**found, "adjusted_p": None if isinstance(adjusted, Unavailable) else adjusted}


def tidy(results: Results) -> pd.DataFrame:
    """Return one row per estimate: outcome, wave, set, model, then the columns of `Estimate`.

    What a plan declares beside its primary models follows them, its `model` led by a name that tells the rows apart. Where the
    headline is no coefficient of the model, its rows come before the model's, with the average in place of the model.
    """
    rows: list[dict[str, Any]] = [
        {"outcome": o.outcome, "wave": o.wave, "set": o.set, "model": model, **asdict(e)}
        for part in (_of_the_models, _declared_beside)
        for o in results.outcomes
        for model, e in part(o)
    ]
    rows += [
        {"outcome": one.outcome, "wave": part.wave, "set": results.study.analysis.set, "model": f"all-waves: {one.model}"}
        | asdict(_as_row(f"{part.arm} at {part.wave}" + (f" less at {part.since}" if part.since else ""), part.difference))
        for one in results.waves
        for part in one.effects
    ]
    return pd.DataFrame(rows, columns=["outcome", "wave", "set", "model", *Estimate.__dataclass_fields__])


def _of_the_models(result: OutcomeResult) -> Iterator[tuple[str, Estimate]]:
    """Yield every coefficient of an outcome's model, after the effects that are none."""
    if result.average != "precision":
        yield from ((f"{result.average} average", _as_row(f"arm[T.{e.arm}]", e.difference)) for e in result.effects)
    yield from ((result.model, estimate) for estimate in result.coefficients)


def _declared_beside(result: OutcomeResult) -> Iterator[tuple[str, Estimate]]:
    """Yield every estimate of the analyses that a plan declares beside an outcome's model."""
    for row in result.estimators:
        yield f"{row.estimator}: {row.model}", _as_row(f"arm[T.{row.arm}]", row.result)
    for one in result.compliers:
        yield f"compliers: {one.model}", _as_row(f"{one.taken} in {one.arm}", one.effect)
    for between in result.levels:
        for effect, found in zip(result.effects, between.effects, strict=True):
            yield f"levels: {between.model}", _as_row(f"arm[T.{effect.arm}]", found)
    for part in result.missing.effects if result.missing else ():
        odds = "odds ratio of " if part.measure == "odds-ratio" else ""
        yield f"{part.analysis}: {result.model}", _as_row(f"{odds}arm[T.{part.arm}]", part.result)
    for group in result.subgroups:
        for varying in group.variation:
            yield f"subgroups: {group.model}", _as_row(f"{varying.arm} in {group.by}: on average", varying.average)
            yield f"subgroups: {group.model}", _as_row(f"{varying.arm} in {group.by}: standard deviation", varying.sd)
        if group.spread is not None:
            for sd in group.spread.sds:
                yield f"subgroups: {group.spread.model}", _as_row(f"standard deviation between institutions of {sd.term}", sd)
        for level in group.levels:
            name = f"{level.arm} in {group.by}: {level.level}"
            yield f"subgroups: {group.model}", _as_row(name, level.effect)
            if level.ratio is not None:
                yield f"subgroups: {group.model}", _as_row(f"ratio of {name}", level.ratio)


def _as_row(term: str, found: Estimated) -> Estimate:
    """Return an estimate under a name; one that cannot be had as a row that says why."""
    return Estimate.unavailable(term, found.reason) if isinstance(found, Unavailable) else replace(found, term=term)
