"""The GAP-profiles of a study as values: what may be printed of each institution, in the whole points in which it is printed."""

from __future__ import annotations

from dataclasses import dataclass, field

from asp_eval.analysis.gap_recipients import Withheld
from asp_eval.analysis.gap_rounds import GapBefore
from asp_eval.analysis.gap_words import Verdict
from asp_eval.core.contained_paths import FileStem
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.trial.disclosure.bands import CountBand
from asp_eval.trial.disclosure.limits import Limits

Texts = dict[str, str]


@dataclass(frozen=True, slots=True)
class GapDimension:
    """One competence dimension over all institutions.

    Attributes
    ----------
    key, area : str
        Dimension and the area it belongs to.
    mean_staff, mean_child, mean_gap : float or None
        Means over institutions, 0 to 100 (percent of maximum possible), each institution weighted by the precision of its gap,
        so that ``mean_gap = mean_staff - mean_child``. None where too few institutions can be compared.
    between_sd : float or None
        tau, the SD of the true gap between institutions; 0 where the data show no differences.
    middle_low, middle_high : float or None
        The middle half of institutions, ``mean_gap -/+ 0.674 tau``.
    staff_questions, child_questions : tuple of dict
        What the two forms ask.
    open_question : dict
        A question to talk about.
    mean_change : float or None
        Mean change of the gap since the round before, over institutions; None where there is none, or it cannot be told.
    """

    key: str
    label: Texts
    area: str
    area_label: Texts
    mean_staff: float | None
    mean_child: float | None
    mean_gap: float | None
    between_sd: float | None
    middle_low: float | None
    middle_high: float | None
    staff_questions: tuple[Texts, ...] = ()
    child_questions: tuple[Texts, ...] = ()
    mean_change: float | None = None
    open_question: Texts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GapEntry:
    """One institution on one dimension.

    Attributes
    ----------
    staff, child : int or None
        The two means, 0 to 100, in whole points; None where suppressed. The children's stands alone where too few staff answered.
    gap, conf_low, conf_high : int or None
        The shrunken gap (staff less child) and its interval; None where suppressed or where no claim can be made.
    weight : float or None
        lambda, the share of the institution's own data in the shrunken gap, to two decimals.
    verdict : str or None
        Where the gap lies among those of all institutions.
    reason : Phrase
        Why there is no number; empty where there is one.
    before : GapBefore or None
        Last time, and the change since; None in a first round, and where no answers of last time bear the institution's id.
    """

    dimension: str
    staff: int | None
    child: int | None
    gap: int | None
    conf_low: int | None
    conf_high: int | None
    weight: float | None
    verdict: Verdict | None
    reason: Phrase
    before: GapBefore | None = None


@dataclass(frozen=True, slots=True)
class GapProfile:
    """One institution's profile; `file_stem` is a safe name for its pages.

    Attributes
    ----------
    staff_band, children_band : CountBand or None
        How many staff answered, and of how many children; None below the study's minimum.
    departure : str
        The dimension that departs most from the typical gap; empty if several are alike.
    """

    institution_id: str
    name: str
    file_stem: FileStem
    entries: tuple[GapEntry, ...]
    staff_band: CountBand | None = None
    children_band: CountBand | None = None
    departure: str = ""


@dataclass(frozen=True, slots=True)
class MunicipalityDimension:
    """The shrunken gaps of a municipality's institutions on one dimension, by size; none where too few may be shown."""

    dimension: str
    gaps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Funnel:
    """Institutions of which about as many staff answered, all dimensions together.

    Attributes
    ----------
    staff : CountBand
    limit : int
        95 in 100 plain distances lie no further from the typical, where institutions differ as they do and chance is as it is.
    distances : tuple of int
        Plain gap less the typical gap, by size.
    """

    staff: CountBand
    limit: int
    distances: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WithoutNumbers:
    """Sheets that show no distance, for one reason; `names` where institutions may be named."""

    reason: Phrase
    institutions: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Municipality:
    """What a municipality is given of its institutions' profiles.

    Attributes
    ----------
    name : str
    file_stem : str
    institutions : int
        Those that have a profile.
    staff_rate, child_rate : int or None
        Percent of the staff listed that answered, and of the children seen that were rated.
    without_numbers : tuple of WithoutNumbers
    dimensions : tuple of MunicipalityDimension
    funnel : tuple of Funnel
    """

    name: str
    file_stem: FileStem
    institutions: int
    staff_rate: int | None
    child_rate: int | None
    without_numbers: tuple[WithoutNumbers, ...]
    dimensions: tuple[MunicipalityDimension, ...]
    funnel: tuple[Funnel, ...]


@dataclass(frozen=True, slots=True)
class GapResults:
    """All profiles of a study, as written to ``gap.json``.

    Attributes
    ----------
    limits : Limits
        Of what is shown.
    covariance_note : Phrase
        Empty if staff's two ratings could be linked by rater; otherwise why the covariance of their errors is
        unavailable.
    withheld : tuple of Withheld
        Institutions with answers whose profile is not made. Their answers have a part in what is typical.
    state : str
        What the profiles were computed from (`asp_eval.store.provenance.state_of`); empty if not from a study folder.
    earlier_wave : str
        The round before, which stands beside this one; empty in a first round.
    change_note : Phrase
        Empty if those who answered in both rounds could be recognised; otherwise what that means for the changes.
    """

    study_id: str
    title: Texts
    synthetic: bool
    languages: tuple[str, ...]
    wave: str
    wave_label: Texts
    staff_instrument: str
    child_instrument: str
    limits: Limits
    level: float
    show_names: bool
    covariance_note: Phrase
    dimensions: tuple[GapDimension, ...]
    profiles: tuple[GapProfile, ...]
    package_version: str
    state: str = ""
    withheld: tuple[Withheld, ...] = ()
    earlier_wave: str = ""
    earlier_wave_label: Texts = field(default_factory=dict)
    change_note: Phrase = NO_NOTE
    municipalities: tuple[Municipality, ...] = ()
