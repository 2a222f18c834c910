"""GAP-profiles: each institution's gap per competence dimension, shrunken toward the mean of all institutions.

This package's own operationalisation, said to be one in every report (``docs/gap-profiles.md``). The gap of institution j is
staff's mean less the children's; its sampling variance comes from the raters and children (`trial.profiles.sampling`), and the
shrunken gap from a normal-normal model over institutions (`stats.shrinkage`). It is placed among all
institutions' true gaps by posterior probability (`analysis.gap_words`), never ranked.

What a profile holds is what may be printed, in the whole points in which it is printed, so that neither a picture's coordinates
nor the file says more than the page (`trial.disclosure`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from asp_eval import __version__
from asp_eval.analysis.gap_recipients import Withheld, withheld
from asp_eval.analysis.gap_sides import (
    DimensionLabel,
    arms_of_institutions,
    child_side,
    dimension_labels,
    institution_names,
    staff_side,
)
from asp_eval.analysis.gap_words import Departure, Verdict, leading_departure, verdict
from asp_eval.core.contained_paths import FileStem
from asp_eval.core.errors import Fault, Refusal, Unavailable
from asp_eval.core.filenames import safe_stems
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.meta.placement import Placement, placement
from asp_eval.stats.meta.shrinkage import Shrinkage, shrink
from asp_eval.store.provenance import one_moment
from asp_eval.trial.disclosure.bands import CountBand, count_band
from asp_eval.trial.disclosure.means import as_printed
from asp_eval.trial.profiles.gap import DimensionMeans, profile_means
from asp_eval.trial.study.design import GapPlan, Study

Texts = dict[str, str]

FEWEST_INSTITUTIONS = 5  # below, the spread between institutions cannot be estimated, and one could be worked out of the rest
DECIMALS = 1  # of what is typical

NO_PROFILE = Fault(
    "CLI-004",
    "no institution has answers of both its staff and its children to make a GAP-profile of",
    "Import staff_survey and screening at {wave}, then run 'asp-eval score'.",
)
NO_PLAN = Fault("GAP-010", "the study declares no GAP-profile", "Name its instruments and wave under 'gap' in study.yaml.")

# Why an entry has no gap. One sentence for everything that is hidden: which rule hid it would itself tell something.
HIDDEN = Phrase("not shown, to protect those who answered: too few did, or the numbers would tell too much of what they answered")
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
    staff_questions, child_questions : tuple of dict
        What the two forms ask.
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
class GapResults:
    """All profiles of a study, as written to ``gap.json``.

    Attributes
    ----------
    covariance_note : Phrase
        Empty if staff's two ratings could be linked by rater; otherwise why the covariance of their errors is
        unavailable.
    withheld : tuple of Withheld
        Institutions with answers whose profile is not made. Their answers have a part in what is typical.
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
    withheld: tuple[Withheld, ...] = ()


def study_gap_profiles(study: Study, today: date | None = None) -> GapResults:
    """Compute the GAP-profiles of a study from the scores in its folder.

    Parameters
    ----------
    study : Study
    today : date, optional
        The day on which the plan's releases are judged; the computer's own day by default.

    Returns
    -------
    GapResults

    Raises
    ------
    Refusal
        If the study declares no profile, or its two instruments share no dimension; GAP-012 as `gap_profiles`.
    """
    plan = _plan(study)
    with one_moment(study) as state:
        staff, children, names = staff_side(study, plan), child_side(study, plan), institution_names(study)
        arms = arms_of_institutions(study)
    results = gap_profiles(study, staff, children, dimensions=dimension_labels(study, plan), names=names, arms=arms, today=today)
    return replace(results, state=state)


def gap_profiles(
    study: Study,
    staff: pd.DataFrame,
    children: pd.DataFrame,
    *,
    dimensions: Sequence[DimensionLabel],
    names: Mapping[str, str] | None = None,
    arms: Mapping[str, str] | None = None,
    today: date | None = None,
) -> GapResults:
    """Compute the GAP-profile of every institution with scores on either side that is to have one.

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
    arms : mapping, optional
        Arm of every institution that is drawn; needed where ``gap.arms`` or ``gap.release`` says who is given a profile.
    today : date, optional
        The day on which ``gap.release`` is judged; the computer's own day by default.

    Returns
    -------
    GapResults

    Raises
    ------
    Refusal
        If the study declares no profile; GAP-012 if it gives profiles to some arms and none is drawn.
    DataProblems
        If the scores are not what a profile needs.
    """
    plan = _plan(study)
    minimum = study.privacy.minimum_cell
    means = profile_means(staff, children, {d.key: d.steps for d in dimensions}, minimum_cell=minimum)
    compared = [_comparison(one) for one in means]
    scored = [side.loc[side["score"].notna()] for side in (staff, children)]
    ids = sorted(set(pd.concat([side["institution_id"] for side in scored]).dropna().astype(str)))
    bands = [_bands(side, person, minimum) for side, person in zip(scored, ("respondent_id", "child_id"), strict=True)]
    shown_names = dict(names or {}) if study.privacy.show_institution_names else {}
    level = study.analysis.level
    not_made = withheld(study, plan, ids, arms or {}, today or date.today())
    kept_back = {one.institution_id for one in not_made}
    return GapResults(
        study_id=study.study.id,
        title=dict(study.study.title.items()),
        synthetic=study.study.synthetic,
        languages=study.languages,
        wave=plan.wave,
        wave_label=dict(study.wave(plan.wave).label.items()),
        staff_instrument=plan.staff,
        child_instrument=plan.child,
        minimum_cell=minimum,
        level=level,
        show_names=study.privacy.show_institution_names,
        covariance_note=_covariance_note(means),
        dimensions=tuple(_dimension(*parts) for parts in zip(dimensions, means, compared, strict=True)),
        profiles=tuple(
            GapProfile(
                id_,
                shown_names.get(id_, id_),
                stem,
                tuple(_entry(id_, one, comparison, level) for one, comparison in zip(means, compared, strict=True)),
                bands[0].get(id_),
                bands[1].get(id_),
                leading_departure(_departures(id_, means, compared)),
            )
            for id_, stem in zip(ids, safe_stems(ids), strict=True)
            if id_ not in kept_back
        ),
        package_version=__version__,
        withheld=not_made,
    )


def refuse_without_gaps(results: GapResults) -> None:
    """Refuse profiles that are of nobody: no institution has answers of both sides.

    Raises
    ------
    Refusal
        CLI-004.
    """
    if not results.withheld and all(entry.reason == NO_ANSWERS for profile in results.profiles for entry in profile.entries):
        NO_PROFILE.refuse(results.study_id, wave=results.wave)


def _plan(study: Study) -> GapPlan:
    if study.gap is None:
        NO_PLAN.refuse("study.yaml")
    return study.gap


@dataclass(frozen=True, slots=True, eq=False)
class _Comparison:
    """The gaps of one dimension, shrunken toward each other and placed among each other."""

    shrunken: Shrinkage
    placed: Placement


def _comparison(means: DimensionMeans) -> _Comparison | Unavailable:
    """Compare the gaps of one dimension, or say why they cannot be compared."""
    if len(means.institution_ids) < FEWEST_INSTITUTIONS:
        return Unavailable(FEW_INSTITUTIONS)
    variances = means.gap_variance
    if isinstance(variances, Unavailable):
        return variances
    try:
        return _Comparison(shrink(means.gap, variances), placement(means.gap, variances))
    except Refusal as refusal:
        return Unavailable(refusal.reason)


def _dimension(label: DimensionLabel, means: DimensionMeans, compared: _Comparison | Unavailable) -> GapDimension:
    names = (label.key, label.label, label.area, label.area_label)
    questions = (label.staff_questions, label.child_questions)
    if isinstance(compared, Unavailable):
        return GapDimension(*names, None, None, None, None, None, None, *questions)
    shrunken = compared.shrunken
    sides = (float(np.sum(shrunken.mean_weights * side)) for side in (means.staff, means.child))
    numbers = (*sides, shrunken.mean, shrunken.tau, *shrunken.middle())
    staff, child, gap, between, low, high = (round(float(number), DECIMALS) for number in numbers)
    return GapDimension(*names, staff, child, gap, between, low, high, *questions)


def _entry(institution: str, means: DimensionMeans, compared: _Comparison | Unavailable, level: float) -> GapEntry:
    """Return one institution on one dimension: everything, the two means with a reason, or a reason alone."""
    if institution not in means.institution_ids:
        child = means.child_alone.get(institution)
        alone = None if child is None else as_printed(child)
        reason = HIDDEN if institution in means.hidden else NO_ANSWERS
        return GapEntry(means.dimension, None, alone, None, None, None, None, None, reason)
    at = means.institution_ids.index(institution)
    sides = (means.dimension, as_printed(means.staff[at]), as_printed(means.child[at]))
    if isinstance(compared, Unavailable):
        return GapEntry(*sides, None, None, None, None, None, compared.reason)
    if compared.shrunken.tau2 == 0:
        return GapEntry(*sides, None, None, None, 0.0, None, NO_DIFFERENCES)
    low, high = compared.shrunken.interval(level)
    gap, conf_low, conf_high = (as_printed(float(each[at])) for each in (compared.shrunken.estimates, low, high))
    weight, placed = round(float(compared.shrunken.weights[at]), 2), compared.placed
    word = verdict(*(float(each[at]) for each in (placed.below, placed.middle, placed.above, placed.middle_cautious)))
    return GapEntry(*sides, gap, conf_low, conf_high, weight, word, NO_NOTE)


def _departures(
    institution: str, means: Sequence[DimensionMeans], compared: Sequence[_Comparison | Unavailable]
) -> list[Departure]:
    """Return how far an institution departs from the typical gap, on the dimensions where it can be compared."""
    found = []
    for one, comparison in zip(means, compared, strict=True):
        if institution in one.institution_ids and isinstance(comparison, _Comparison) and comparison.shrunken.tau2 > 0:
            at, placed = one.institution_ids.index(institution), comparison.placed
            found.append(Departure(one.dimension, float(placed.departure[at]), float(placed.departure_sd[at])))
    return found


def _bands(side: pd.DataFrame, person: str, minimum_cell: int) -> dict[str, CountBand | None]:
    """Return how many people answered, by institution, in bands."""
    counts = side.groupby(side["institution_id"].astype("str"), observed=True)[person].nunique()
    return {str(institution): count_band(int(count), minimum_cell=minimum_cell) for institution, count in counts.items()}


def _covariance_note(means: Sequence[DimensionMeans]) -> Phrase:
    """Return why the covariance of the two sides' errors is unavailable; empty where it is there for every dimension."""
    reasons = [one.error_covariance.reason for one in means if isinstance(one.error_covariance, Unavailable)]
    return reasons[0] if reasons else NO_NOTE
