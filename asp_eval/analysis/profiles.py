"""GAP-profiles: each institution's gap per competence dimension, shrunken toward the mean of all institutions.

This package's own operationalisation, said to be one in every report (``docs/gap-profiles.md``). The gap of institution j is
staff's mean less the children's; its sampling variance comes from the raters and children (`trial.profiles.sampling`), and the
shrunken gap from a normal-normal model over institutions (`stats.shrinkage`). It is compared with the middle half of all
institutions' true gaps, never ranked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from asp_eval import __version__
from asp_eval.analysis.gap_sides import DimensionLabel, child_side, dimension_labels, institution_names, staff_side
from asp_eval.core.contained_paths import FileStem
from asp_eval.core.errors import Fault, Refusal, Unavailable
from asp_eval.core.filenames import safe_stems
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.meta.shrinkage import Shrinkage, shrink
from asp_eval.store.provenance import one_moment
from asp_eval.trial.profiles.disclosure import counts_to_show
from asp_eval.trial.profiles.gap import DimensionMeans, profile_means
from asp_eval.trial.study.design import GapPlan, Study

Texts = dict[str, str]
Verdict = Literal["staff-higher-than-most", "child-higher-than-most", "as-most", "not-distinguishable"]

FEWEST_INSTITUTIONS = 5  # below, the spread between institutions cannot be estimated, and one could be worked out of the rest

NO_PROFILE = Fault(
    "CLI-004",
    "no institution has answers of both its staff and its children to make a GAP-profile of",
    "Import staff_survey and screening at {wave}, then run 'asp-eval score'.",
)
NO_PLAN = Fault("GAP-010", "the study declares no GAP-profile", "Name its instruments and wave under 'gap' in study.yaml.")

# Why an entry has no gap. One sentence for everything that is hidden: which rule hid it would itself tell something.
HIDDEN = Phrase("not shown, to protect those who answered: there are too few answers, or they are too much alike")
NO_ANSWERS = Phrase("one of the two sides has no answers")
NO_DIFFERENCES = Phrase("the gaps of the institutions differ no more than chance makes them differ, so that no claim can be made")
FEW_INSTITUTIONS = Phrase("fewer than {n} institutions can be compared", n=FEWEST_INSTITUTIONS)


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


@dataclass(frozen=True, slots=True)
class GapEntry:
    """One institution on one dimension.

    Attributes
    ----------
    n_staff, n_children : int or None
        Respondents and children behind the two means; None where the means are suppressed, and where the count would reveal how
        few left this dimension unanswered.
    staff, child : float or None
        The two means, 0 to 100; None where suppressed.
    gap, conf_low, conf_high : float or None
        The shrunken gap (staff less child) and its interval; None where suppressed or where no claim can be made.
    weight : float or None
        lambda, the share of the institution's own data in the shrunken gap.
    verdict : str or None
        How the gap compares with the middle half of all institutions.
    reason : Phrase
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
    reason: Phrase


@dataclass(frozen=True, slots=True)
class GapProfile:
    """One institution's profile; `file_stem` is a safe name for its pages."""

    institution_id: str
    name: str
    file_stem: FileStem
    entries: tuple[GapEntry, ...]


@dataclass(frozen=True, slots=True)
class GapResults:
    """All profiles of a study, as written to ``gap.json``.

    Attributes
    ----------
    covariance_note : Phrase
        Empty if staff's two ratings could be linked by rater; otherwise why the covariance of their errors is
        unavailable.
    state : str
        What the profiles were computed from (`asp_eval.store.provenance.state_of`); empty if not from a study folder.
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
    covariance_note: Phrase
    dimensions: tuple[GapDimension, ...]
    profiles: tuple[GapProfile, ...]
    package_version: str
    state: str = ""


def study_gap_profiles(study: Study) -> GapResults:
    """Compute the GAP-profiles of a study from the scores in its folder.

    Parameters
    ----------
    study : Study

    Returns
    -------
    GapResults

    Raises
    ------
    Refusal
        If the study declares no profile, or its two instruments share no dimension.
    """
    plan = _plan(study)
    with one_moment(study) as state:
        staff, children, names = staff_side(study, plan), child_side(study, plan), institution_names(study)
    results = gap_profiles(study, staff, children, dimensions=dimension_labels(study, plan), names=names)
    return replace(results, state=state)


def gap_profiles(
    study: Study,
    staff: pd.DataFrame,
    children: pd.DataFrame,
    *,
    dimensions: Sequence[DimensionLabel],
    names: Mapping[str, str] | None = None,
) -> GapResults:
    """Compute the GAP-profile of every institution with scores on either side.

    Parameters
    ----------
    study : Study
        Its ``gap``, ``privacy`` and ``analysis.level``.
    staff : DataFrame
        institution_id, respondent_id, dimension, score (0 to 100).
    children : DataFrame
        institution_id, child_id, rater_id, dimension, score (0 to 100, high being good).
    dimensions : sequence of DimensionLabel
        In the order of the profile.
    names : mapping, optional
        Names of institutions; used only where the study allows them to be shown.

    Returns
    -------
    GapResults

    Raises
    ------
    Refusal
        If the study declares no profile.
    DataProblems
        If the scores are not what a profile needs.
    """
    plan = _plan(study)
    means = profile_means(staff, children, [d.key for d in dimensions], minimum_cell=study.privacy.minimum_cell)
    compared = [_comparison(one) for one in means]
    scored = [side.loc[side["score"].notna(), "institution_id"] for side in (staff, children)]
    ids = sorted(set(pd.concat(scored).dropna().astype(str)))
    counts = _shown_counts(ids, means, study.privacy.minimum_cell)
    shown_names = dict(names or {}) if study.privacy.show_institution_names else {}
    level = study.analysis.level
    return GapResults(
        study_id=study.study.id,
        title=dict(study.study.title.items()),
        synthetic=study.study.synthetic,
        languages=study.languages,
        wave=plan.wave,
        wave_label=dict(study.wave(plan.wave).label.items()),
        staff_instrument=plan.staff,
        child_instrument=plan.child,
        minimum_cell=study.privacy.minimum_cell,
        level=level,
        show_names=study.privacy.show_institution_names,
        covariance_note=_covariance_note(means),
        dimensions=tuple(_dimension(*parts) for parts in zip(dimensions, means, compared, strict=True)),
        profiles=tuple(
            GapProfile(
                id_,
                shown_names.get(id_, id_),
                stem,
                tuple(
                    _entry(id_, one, comparison, counts[id_, one.dimension], level)
                    for one, comparison in zip(means, compared, strict=True)
                ),
            )
            for id_, stem in zip(ids, safe_stems(ids), strict=True)
        ),
        package_version=__version__,
    )


def refuse_without_gaps(results: GapResults) -> None:
    """Refuse profiles that are of nobody: no institution has answers of both sides.

    Raises
    ------
    Refusal
        CLI-004.
    """
    if all(entry.reason == NO_ANSWERS for profile in results.profiles for entry in profile.entries):
        NO_PROFILE.refuse(results.study_id, wave=results.wave)


def verdict(low: float, high: float, middle_low: float, middle_high: float) -> Verdict:
    """Compare a gap's interval with the middle half of all institutions.

    Examples
    --------
    >>> verdict(6.0, 12.0, -5.0, 5.0), verdict(-1.0, 2.0, -5.0, 5.0), verdict(3.0, 9.0, -5.0, 5.0)
    ('staff-higher-than-most', 'as-most', 'not-distinguishable')
    """
    if low > middle_high:
        return "staff-higher-than-most"
    if high < middle_low:
        return "child-higher-than-most"
    return "as-most" if middle_low <= low and high <= middle_high else "not-distinguishable"


def _plan(study: Study) -> GapPlan:
    if study.gap is None:
        NO_PLAN.refuse("study.yaml")
    return study.gap


def _comparison(means: DimensionMeans) -> Shrinkage | Unavailable:
    """Shrink the gaps of one dimension, or say why they cannot be compared."""
    if len(means.institution_ids) < FEWEST_INSTITUTIONS:
        return Unavailable(FEW_INSTITUTIONS)
    variances = means.gap_variance
    if isinstance(variances, Unavailable):
        return variances
    try:
        return shrink(means.gap, variances)
    except Refusal as refusal:
        return Unavailable(refusal.reason)


def _dimension(label: DimensionLabel, means: DimensionMeans, compared: Shrinkage | Unavailable) -> GapDimension:
    names = (label.key, label.label, label.area, label.area_label)
    if isinstance(compared, Unavailable):
        return GapDimension(*names, None, None, None, None, None, None)
    staff, child = (float(np.sum(compared.mean_weights * side)) for side in (means.staff, means.child))
    return GapDimension(*names, staff, child, compared.mean, compared.tau, *compared.middle())


def _entry(
    institution: str,
    means: DimensionMeans,
    compared: Shrinkage | Unavailable,
    counts: tuple[int | None, int | None],
    level: float,
) -> GapEntry:
    """Return one institution on one dimension: everything, the two means with a reason, or a reason alone."""
    if institution not in means.institution_ids:
        reason = HIDDEN if institution in means.hidden else NO_ANSWERS
        return GapEntry(means.dimension, None, None, None, None, None, None, None, None, None, reason)
    at = means.institution_ids.index(institution)
    sides = (means.dimension, *counts, float(means.staff[at]), float(means.child[at]))
    if isinstance(compared, Unavailable):
        return GapEntry(*sides, None, None, None, None, None, compared.reason)
    if compared.tau2 == 0:
        return GapEntry(*sides, None, None, None, 0.0, None, NO_DIFFERENCES)
    low, high = (float(end[at]) for end in compared.interval(level))
    gap, weight = float(compared.estimates[at]), float(compared.weights[at])
    return GapEntry(*sides, gap, low, high, weight, verdict(low, high, *compared.middle()), NO_NOTE)


def _shown_counts(
    ids: Sequence[str], means: Sequence[DimensionMeans], minimum_cell: int
) -> dict[tuple[str, str], tuple[int | None, int | None]]:
    """Return the counts of staff and children that may stand beside each institution and dimension."""
    shown: dict[tuple[str, str], tuple[int | None, int | None]] = {(i, one.dimension): (None, None) for i in ids for one in means}
    for institution in ids:
        own = [(one, one.institution_ids.index(institution)) for one in means if institution in one.institution_ids]
        staff = counts_to_show([int(one.n_staff[at]) for one, at in own], minimum_cell=minimum_cell)
        children = counts_to_show([int(one.n_children[at]) for one, at in own], minimum_cell=minimum_cell)
        for (one, _), pair in zip(own, zip(staff, children, strict=True), strict=True):
            shown[institution, one.dimension] = pair
    return shown


def _covariance_note(means: Sequence[DimensionMeans]) -> Phrase:
    """Return why the covariance of the two sides' errors is unavailable; empty where it is there for every dimension."""
    reasons = [one.error_covariance.reason for one in means if isinstance(one.error_covariance, Unavailable)]
    return reasons[0] if reasons else NO_NOTE
