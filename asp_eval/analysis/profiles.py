"""GAP-profiles: each institution's gap per competence dimension, shrunken toward the mean of all institutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Texts = dict[str, str]
Verdict = Literal["staff-higher-than-most", "child-higher-than-most", "as-most", "not-distinguishable"]


@dataclass(frozen=True, slots=True)
class GapDimension:
    """One competence dimension over all institutions.

    Attributes
    ----------
    key, area : str
        Dimension and the area it belongs to.
    mean_staff, mean_child, mean_gap : float
        Means over institutions, 0 to 100 (percent of maximum possible).
    between_sd : float
        tau, the SD of the true gap between institutions; 0 where the data show no differences.
    middle_low, middle_high : float
        The middle half of institutions, ``mean_gap -/+ 0.674 tau``.
    """

    key: str
    label: Texts
    area: str
    area_label: Texts
    mean_staff: float
    mean_child: float
    mean_gap: float
    between_sd: float
    middle_low: float
    middle_high: float


@dataclass(frozen=True, slots=True)
class GapEntry:
    """One institution on one dimension.

    Attributes
    ----------
    n_staff, n_children : int or None
        Respondents and children behind the two means; None where the count itself would reveal people.
    staff, child : float or None
        The two means, 0 to 100; None where suppressed.
    gap, conf_low, conf_high : float or None
        The shrunken gap (staff less child) and its interval; None where suppressed or where no claim can be made.
    weight : float or None
        lambda, the share of the institution's own data in the shrunken gap.
    verdict : str or None
        How the gap compares with the middle half of all institutions.
    reason : str
        Why there is no number; empty where there is one.
    """

    dimension: str
    n_staff: int | None
    n_children: int | None
    staff: float | None
    child: float | None
    gap: float | None
    conf_low: float | None
    conf_high: float | None
    weight: float | None
    verdict: Verdict | None
    reason: str


@dataclass(frozen=True, slots=True)
class GapProfile:
    """One institution's profile; `file_stem` is a safe name for its pages."""

    institution_id: str
    name: str
    file_stem: str
    entries: tuple[GapEntry, ...]


@dataclass(frozen=True, slots=True)
class GapResults:
    """All profiles of a study, as written to ``gap.json``.

    Attributes
    ----------
    covariance_note : str
        Empty if staff's two ratings could be linked by rater; otherwise why the covariance of their errors is
        unavailable.
    """

    study_id: str
    title: Texts
    synthetic: bool
    languages: tuple[str, ...]
    wave: str
    wave_label: Texts
    staff_instrument: str
    child_instrument: str
    minimum_cell: int
    level: float
    show_names: bool
    covariance_note: str
    dimensions: tuple[GapDimension, ...]
    profiles: tuple[GapProfile, ...]
    package_version: str
