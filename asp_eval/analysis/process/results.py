"""What the process evaluation finds, as values: everything its chapter shows, labels included."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import PlainSerializer

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Estimate
from asp_eval.stats.meta.agreement import Agreement
from asp_eval.stats.meta.agreement_over_codes import AgreementOverCodes
from asp_eval.trial.process.frame import Frame
from asp_eval.trial.study.design import Study

GAP_DISCUSSED = "gap_discussed"  # the code of what became of the GAP-profile
ALL_ARMS = ""  # counts over all arms together
Texts = dict[str, str]
Number = float | Unavailable
TurnoverOf = Literal["arm", "type", "period", "institution"]
Estimated = Estimate | Unavailable


@dataclass(frozen=True, slots=True)
class Count:
    """How many of how many, with Wilson's interval of the share; the limits are None of nobody."""

    n: int
    of: int
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class InterviewCount:
    """Interviews of one round in one arm: institutions interviewed, of how many, and interviews that two coders coded."""

    round: str
    arm: str
    interviewed: int
    institutions: int
    coded_twice: int


@dataclass(frozen=True, slots=True)
class LevelCount:
    """In how many institutions of an arm a code says a level, in one round; `arm` is empty for all arms together."""

    code: str
    level: str
    round: str
    arm: str
    count: Count


@dataclass(frozen=True, slots=True)
class TypeChange:
    """Institutions of an arm that went from one type in the first round to another in the last."""

    arm: str
    first: str
    last: str
    n: int


@dataclass(frozen=True, slots=True)
class CodeAgreement:
    """The coefficients of agreement of one code; `reason` where there are none."""

    code: str
    coefficients: tuple[Agreement, ...]
    reason: Phrase | None = None


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What was said in an interview, marked to be printed: the code and its level, empty where it has none, and the text."""

    code: str
    level: str
    round: str
    text: str


@dataclass(frozen=True, slots=True)
class FrameFindings:
    """What interviews coded with one frame say.

    Attributes
    ----------
    frame : Frame
    rounds : tuple of str
    interviews : tuple of InterviewCount
    coders : int
    double_coded : float
        The share of interviews that two coders were to code, as declared.
    levels : tuple of LevelCount
        Of every code but the type.
    types : tuple of LevelCount
        Of the type, by the coders' word or the rule.
    by_rule, overridden, doubtful, undecided : int
        Interviews whose type follows from the rule; whose coders say another than the rule; where the rule is doubtful; without
        a type.
    unused_lines : int
        Lines of the rule that no interview fell on.
    changes : tuple of TypeChange
    open_codes : int
        Codes on which coders differ and nobody has decided.
    agreement : tuple of CodeAgreement
    excerpts : tuple of Excerpt
        Those marked to be printed.
    agreement_over_codes : tuple of AgreementOverCodes
        Over all codes of the frame.
    """

    frame: Annotated[Frame, PlainSerializer(Frame.as_declared)]
    rounds: tuple[str, ...]
    interviews: tuple[InterviewCount, ...]
    coders: int
    double_coded: float
    levels: tuple[LevelCount, ...]
    types: tuple[LevelCount, ...]
    by_rule: int
    overridden: int
    doubtful: int
    undecided: int
    unused_lines: int
    changes: tuple[TypeChange, ...]
    open_codes: int
    agreement: tuple[CodeAgreement, ...]
    excerpts: tuple[Excerpt, ...] = ()
    agreement_over_codes: tuple[AgreementOverCodes, ...] = ()


def typed(frames: Iterable[FrameFindings]) -> FrameFindings | None:
    """Return what interviews say by the first frame that has a rule for the type; None where none has."""
    return next((found for found in frames if found.frame.type is not None), None)


@dataclass(frozen=True, slots=True)
class ElementDose:
    """What the institutions of an arm had of one element of the programme.

    Attributes
    ----------
    institutions, with_any : int
    events : int
    hours : float
        Offered: the sum over events.
    taken_up : float or Unavailable
        Hours times those who took part.
    first, last : str
        Days of the first and the last event, ISO 8601; empty without events.
    """

    arm: str
    element: str
    institutions: int
    with_any: int
    events: int
    hours: float
    taken_up: Number
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """What institutions of one arm had, all of them or those of one type in the last round.

    Attributes
    ----------
    arm : str
    type : str
        Empty for all institutions of the arm.
    institutions : int
    hours : mapping of str to float
        Mean per institution, by element of the programme.
    projects : Count
        Institutions with a project of other origin.
    reached : mapping of str to Count
        Institutions that reach each limit of the rule ``received``, by element; of all elements together under the empty name,
        and of goals under ``goals``.
    taken_up : float or Unavailable or None
        Hours times those who took part, of all elements: mean per institution. None of no institution.
    """

    arm: str
    type: str
    institutions: int
    hours: dict[str, float]
    projects: Count
    reached: dict[str, Count]
    taken_up: Number | None = None


@dataclass(frozen=True, slots=True)
class GoalsSet:
    """Goals set by the institutions of one arm, all of them or those of one type in the last round.

    Attributes
    ----------
    arm : str
    type : str
        Empty for all institutions of the arm.
    institutions : Count
        Those that set any, of all.
    goals : int
    outcomes : mapping of str to int
        Goals by what became of them; `not_told` those of which nobody has said.
    not_told : int
    dimensions : mapping of str to int
        Institutions by the dimension they chose, most often chosen first; one that chose two counts twice.
    first, last : str
        Days of the first and the last meeting, ISO 8601; empty where no day is told.
    """

    arm: str
    type: str
    institutions: Count
    goals: int
    outcomes: dict[str, int]
    not_told: int
    dimensions: dict[str, int]
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class GapDiscussed:
    """When institutions of one arm first discussed their GAP-profile: all that were given one, or those of one type.

    Attributes
    ----------
    arm : str
    type : str
        In the last round; empty for all institutions of the arm.
    institutions : Count
        Those of which a day is told, of all.
    from_log : int
        Of those, where the day is of the implementation log; elsewhere goals were set that day.
    median_days : float or None
        After the last day of the wave that profiles are given after; None where no day is told, or the wave has no last day.
    middle_half : tuple of float or None
        The quartiles.
    first, last : str
        ISO 8601; empty where no day is told.
    """

    arm: str
    type: str
    institutions: Count
    from_log: int
    median_days: float | None
    middle_half: tuple[float, float] | None
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Turnover:
    """Staff who left: `left` of `staff` people in `person_years`, and the yearly rate with its exact Poisson interval.

    `group` is an arm, a type, an institution, or two waves between whose beginnings it was (``w1 w2``), by `kind`.
    """

    kind: TurnoverOf
    group: str
    institutions: int
    staff: int
    left: int
    person_years: float
    rate: Number
    low: Number
    high: Number


@dataclass(frozen=True, slots=True)
class StaffScale:
    """One scale of a staff questionnaire, and whether its answers may stand for the institution.

    Attributes
    ----------
    institutions, respondents : int
    icc1, icc2, f, p_value : float or Unavailable
    agreement : float or Unavailable
        The median over institutions of r_wg(j), against answers spread evenly over the scale.
    defensible : bool
        Whether agreement, reliability and F all reach the declared limits.
    effects : tuple of Estimate or Unavailable
        One per arm after the first: the difference by the mixed model with arm and strata, where both arms answered.
    means : tuple of float or Unavailable
        One per arm: the mean over institutions of their means.
    middle_half : tuple of float or Unavailable
        Between which the middle half of the institutions lies, their means shrunken by their reliability.
    """

    instrument: str
    scale: str
    label: Texts
    wave: str
    institutions: int
    respondents: int
    icc1: Number
    icc2: Number
    f: Number
    p_value: Number
    agreement: Number
    defensible: bool
    effects: tuple[Estimated, ...]
    means: tuple[Number, ...] = ()
    middle_half: tuple[Number, Number] | None = None


@dataclass(frozen=True, slots=True)
class ItemMean:
    """The mean answer to one question of a staff questionnaire, 0 to 100, one per arm: the mean over institutions of their means.

    Attributes
    ----------
    instrument, wave : str
    row, column : mapping of str to str
        The two scales that the question belongs to, such as a resource and a phase; or its two poles.
    is_contrast : bool
        Whether they are poles: 0 is wholly the first, 100 wholly the second.
    means : tuple of float or Unavailable
    """

    instrument: str
    wave: str
    row: Texts
    column: Texts
    is_contrast: bool
    means: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class InstitutionLine:
    """One institution of the joint display.

    Attributes
    ----------
    number : int
        A running number of this display; no identifier.
    arm : str
    first_type, last_type : str
        Empty where not known.
    hours : mapping of str to float
        By element.
    left_per_year : float or None
    left_between : tuple of float or None
        Its exact Poisson interval.
    met : int or None
        Preconditions that are met in the last round, of those coded.
    gap_discussed : str
        Level of the code; empty where not coded.
    mean : Estimate or Unavailable
        The institution's mean of the primary outcome, adjusted and shrunken: not an effect, for it has one arm.
    goals, goals_reached : int or None
        Goals it set, and reached; None where no goals were imported.
    gap_days : int or None
        Days from when its GAP-profile could be given out to when it was first discussed; None where that is not known.
    """

    number: int
    arm: str
    first_type: str
    last_type: str
    hours: dict[str, float]
    left_per_year: float | None
    met: int | None
    gap_discussed: str
    mean: Estimated
    goals: int | None = None
    goals_reached: int | None = None
    left_between: tuple[float, float] | None = None
    gap_days: int | None = None


@dataclass(frozen=True, slots=True)
class TypeMean:
    """Institutions of one type in one arm, and their mean of the outcome, adjusted: a description, not an effect."""

    type: str
    arm: str
    institutions: int
    mean: Number
    low: Number
    high: Number


@dataclass(frozen=True, slots=True)
class TypeEffect:
    """The effect by a type coded at baseline in both arms: as coded, and with the coding errors taken out.

    `errors_from` says where the errors are from: declared in the frame, a consensus of every interview, or two coders compared.
    """

    type: str
    as_coded: Estimated
    corrected: Estimated
    errors_from: Literal["declared", "consensus", "coders"]


@dataclass(frozen=True, slots=True)
class PropositionResult:
    """What staff's answers say of a proposition: an association, within and between institutions, and no effect.

    Attributes
    ----------
    key : str
    text : mapping of str to str
    scales, on : tuple of mapping, mapping
        What the two scales, and the one they go together with, are called.
    wave : str
    respondents, institutions : int
    at_low, at_high : Estimate or Unavailable
        Points of `on` for ten points of the first scale, where the second is one standard deviation below and above its mean.
    interaction : Estimate or Unavailable
        By how much the first slope differs for ten points of the second scale.
    """

    key: str
    text: Texts
    scales: tuple[Texts, Texts]
    on: Texts
    wave: str
    respondents: int
    institutions: int
    at_low: Estimated
    at_high: Estimated
    interaction: Estimated


@dataclass(frozen=True, slots=True)
class TrimmingBound:
    """Limits of the effect in institutions that would be of a type under the intervention.

    Attributes
    ----------
    share : float
        Of the intervention's institutions that are of the type; the same share of the other arm is taken from either end.
    low, high : float or Unavailable
        The difference to the arm's highest and to its lowest institutions.
    """

    type: str
    share: float
    low: Number
    high: Number


@dataclass(frozen=True, slots=True)
class ProcessResults:
    """Everything the chapter on the process shows.

    Attributes
    ----------
    study : Study
    state : str
        What it was computed from (`asp_eval.store.provenance.state_of`).
    package_version : str
    frames : tuple of FrameFindings
    doses : tuple of ElementDose
    turnover : tuple of Turnover or Unavailable
    projects : tuple of LevelCount
        Institutions with a project of other origin, by arm.
    staff_scales : tuple of StaffScale
    outcome : str
        The outcome of the joint display; empty without one.
    lines : tuple of InstitutionLine
    type_means : tuple of TypeMean
    type_effects : tuple of TypeEffect or Unavailable
    bounds : tuple of TrimmingBound
    propositions : tuple of PropositionResult
    delivered : tuple of Delivered
    item_means : tuple of ItemMean
        Of questionnaires whose questions have poles, or belong to two scales that cross.
    goals : tuple of GoalsSet
        Empty where no goals were imported.
    gap_discussed : tuple of GapDiscussed
        Empty where no institution has a day.
    """

    study: Annotated[Study, PlainSerializer(Study.as_declared)]
    state: str
    package_version: str
    frames: tuple[FrameFindings, ...]
    doses: tuple[ElementDose, ...]
    turnover: tuple[Turnover, ...] | Unavailable
    projects: tuple[LevelCount, ...]
    staff_scales: tuple[StaffScale, ...]
    outcome: str
    lines: tuple[InstitutionLine, ...]
    type_means: tuple[TypeMean, ...]
    type_effects: tuple[TypeEffect, ...] | Unavailable
    bounds: tuple[TrimmingBound, ...]
    propositions: tuple[PropositionResult, ...] = ()
    delivered: tuple[Delivered, ...] = ()
    item_means: tuple[ItemMean, ...] = ()
    goals: tuple[GoalsSet, ...] = ()
    gap_discussed: tuple[GapDiscussed, ...] = ()
