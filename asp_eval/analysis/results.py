"""What the analysis hands to the printing room, and to files: ``results.json``, ``gap.json``, ``results.csv``.

Everything a report shows is in these values, labels included, so a report can be printed again from the files alone.
A number that cannot be had is `Unavailable` with its reason; there are no NaNs.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from asp_eval.analysis.integrity import Integrity
from asp_eval.core.csv_text import write_csv
from asp_eval.core.documents import write_whole
from asp_eval.core.errors import DataProblems, Fault, Unavailable
from asp_eval.stats.estimate import Estimate
from asp_eval.trial.flow.attrition import OutcomeAttrition
from asp_eval.trial.flow.counts import AnalysedFlow, FlowCounts

Texts = dict[str, str]
Number = float | Unavailable
T = TypeVar("T")

NO_RESULTS = Fault("ANA-001", "there are no results yet", "Run 'asp-eval {verb}' first.")
DAMAGED_RESULTS = Fault("ANA-002", "the file is damaged or of another version", "Run 'asp-eval {verb}' again.")


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """What a report says of the study itself.

    Attributes
    ----------
    wave_dates : dict
        First and last day of each wave, ISO 8601; empty text where none is declared.
    age_from, age_below : float or None
        Eligible ages in years at the wave `eligible_at`; None where no range is declared.
    population, movers, joiners, missing_baseline : str
        The estimand and the missing-data rule, in the words of ``study.yaml``.
    planned_method : str
        The small-sample method declared; each estimate says which one really produced it.
    set_filter : str
        The row filter of the analysis set; empty where every row is kept.
    informants : tuple of str
        Who rated the children: ``teacher``, ``parent``.
    allocation_date : str
        When the lot was drawn, ISO 8601; empty if not known.
    ledger_head : str
        Digest of the ledger's last entry when the results were computed; empty if not from a study folder.
    quarantined : dict
        Rows of each wave's screening that are in quarantine, and so not in the numbers; waves without any are left out.
    received_column, received_at_least : str, float or None
        The rule by which an institution received the intervention: the column of the implementation log that is summed, and the
        least sum; empty and None where none is declared.
    """

    id: str
    title: Texts
    synthetic: bool
    languages: tuple[str, ...]
    arms: tuple[str, ...]
    strata: tuple[str, ...]
    wave_labels: dict[str, Texts]
    scheme: str
    drawn_elsewhere: bool
    allocation_source: str
    level: float
    minimum_cell: int
    package_version: str
    arm_labels: dict[str, Texts] = field(default_factory=dict)
    wave_dates: dict[str, tuple[str, str]] = field(default_factory=dict)
    age_from: float | None = None
    age_below: float | None = None
    eligible_at: str = ""
    population: str = "baseline-cohort"
    movers: str = "as-drawn"
    joiners: str = "excluded"
    missing_baseline: str = "complete-cases"
    covariates: tuple[str, ...] = ()
    planned_method: str = ""
    analysis_set: str = ""
    set_filter: str = ""
    informants: tuple[str, ...] = ()
    ratio: tuple[int, ...] = ()
    allocation_date: str = ""
    ledger_head: str = ""
    quarantined: dict[str, int] = field(default_factory=dict)
    received_column: str = ""
    received_at_least: float | None = None


@dataclass(frozen=True, slots=True)
class ArmSummary:
    """One variable in one arm: `n` units with a value, `missing` without. A category has `count`; a measure `mean` and `sd`."""

    arm: str
    n: int
    missing: int
    mean: float | None = None
    sd: float | None = None
    count: int | None = None


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
    """The headline number again, by a library that shares no code with the engine."""

    software: str
    model: str
    term: str
    estimate: float
    std_error: float
    recomputed_estimate: Number
    recomputed_std_error: Number


@dataclass(frozen=True, slots=True)
class OutcomeResult:
    """One outcome at one wave, analysed.

    Attributes
    ----------
    effects : tuple of Estimate
        One per arm after the first: that arm less the first, on the score's own scale.
    coefficients : tuple of Estimate
        Every fixed effect of the model, the arms included.
    adjusted_p_values : tuple
        For each effect the p-value adjusted within its family; empty if the outcome is in none.
    icc, icc_adjusted : float or Unavailable
        Intraclass correlation with arm and strata only, and with all covariates.
    effect_sizes : tuple
        For each effect, estimate divided by the total SD of a model with arm and strata only.
    icc_range : tuple of float or None
        Confidence interval of `icc`.
    arms : tuple of ArmSummary
        The children analysed, as observed at the outcome's wave, without adjustment.
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
    effects: tuple[Estimate, ...]
    coefficients: tuple[Estimate, ...]
    adjustment: str
    adjusted_p_values: tuple[float | None, ...]
    icc: Number
    icc_adjusted: Number
    effect_sizes: tuple[Number, ...]
    effect_size_ranges: tuple[tuple[float, float] | None, ...]
    notes: tuple[str, ...]
    recomputations: tuple[Recomputation, ...]
    analysed: tuple[AnalysedFlow, ...]
    icc_range: tuple[float, float] | None = None
    arms: tuple[ArmSummary, ...] = ()


@dataclass(frozen=True, slots=True)
class Reliability:
    """Cronbach's alpha of one scale at one wave, with its interval."""

    instrument: str
    scale: str
    label: Texts
    wave: str
    n: int
    alpha: Number
    conf_low: float | None
    conf_high: float | None


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
    attrition : tuple of OutcomeAttrition
        Of every outcome.
    integrity : Integrity or None
        Balance, missing answers, contacts between the arms and dose.
    state : str
        What the results were computed from (`asp_eval.store.provenance.state_of`).
    """

    study: StudyFacts
    flow: FlowCounts
    baseline: tuple[BaselineRow, ...]
    outcomes: tuple[OutcomeResult, ...]
    reliabilities: tuple[Reliability, ...]
    switches: tuple[FormSwitches, ...]
    attrition: tuple[OutcomeAttrition, ...]
    state: str
    integrity: Integrity | None = None


def save(path: Path, value: object) -> None:
    """Write a result value as JSON, whole or not at all."""
    write_whole(path, TypeAdapter(type(value)).dump_json(value, indent=1) + b"\n")


def load(path: Path, kind: type[T], *, verb: str) -> T:
    """Read back what `save` wrote.

    Parameters
    ----------
    path : Path
    kind : type
        The dataclass that was saved.
    verb : str
        The command that makes the file, named in the error.

    Raises
    ------
    DataProblems
        If the file is missing, damaged, or of another version.
    """
    if not path.is_file():
        raise DataProblems([NO_RESULTS.at(path.name, verb=verb)])
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes())
    except ValidationError as error:
        raise DataProblems([DAMAGED_RESULTS.at(path.name, found=error.errors()[0]["msg"], verb=verb)]) from None


def tidy(results: Results) -> pd.DataFrame:
    """Return one row per estimate: outcome, wave, set, model, then the columns of `Estimate`."""
    rows: list[dict[str, Any]] = [
        {"outcome": o.outcome, "wave": o.wave, "set": o.set, "model": o.model, **asdict(e)}
        for o in results.outcomes
        for e in o.coefficients
    ]
    return pd.DataFrame(rows, columns=["outcome", "wave", "set", "model", *Estimate.__dataclass_fields__])


def save_tidy(path: Path, results: Results) -> None:
    """Write `tidy` as CSV."""
    write_csv(path, tidy(results))


def as_json(value: object) -> str:
    """Return a result value as JSON text, for ``--json``."""
    return json.dumps(TypeAdapter(type(value)).dump_python(value, mode="json"), ensure_ascii=False, indent=1)
