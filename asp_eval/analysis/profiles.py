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
from functools import cached_property

import numpy as np
import pandas as pd

from asp_eval import __version__
from asp_eval.analysis.gap_municipalities import Spread, municipalities
from asp_eval.analysis.gap_recipients import withheld
from asp_eval.analysis.gap_results import GapDimension, GapEntry, GapProfile, GapResults
from asp_eval.analysis.gap_rounds import Changes, changes_between, entry_before, first_note, rounded_mean
from asp_eval.analysis.gap_sides import (
    DimensionLabel,
    arms_of_institutions,
    child_side,
    dimension_labels,
    institution_names,
    municipality_of_institutions,
    response_counts,
    staff_side,
)
from asp_eval.analysis.gap_words import Departure, leading_departure, verdict
from asp_eval.core.errors import Fault, Refusal, Unavailable
from asp_eval.core.filenames import safe_stems
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.meta.placement import Placement, placement
from asp_eval.stats.meta.shrinkage import Shrinkage, shrink
from asp_eval.store.provenance import one_moment
from asp_eval.trial.disclosure.bands import CountBand, count_band
from asp_eval.trial.disclosure.limits import Limits
from asp_eval.trial.disclosure.means import as_printed
from asp_eval.trial.profiles.change import Sides
from asp_eval.trial.profiles.gap import DimensionMeans, checked_sides, profile_means
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.report_plan import GapPlan

Texts = dict[str, str]

FEWEST_INSTITUTIONS = 5  # below, the spread between institutions cannot be estimated, and one could be worked out of the rest
DECIMALS = 1  # of what is typical
RATES = ("staff_asked", "staff_answered", "children_seen", "children_rated")

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
        sides, wave, earlier = _sides(study, plan, plan.wave), plan.wave, None
        if plan.follow_up is not None and any(map(len, later := _sides(study, plan, plan.follow_up))):
            sides, wave, earlier = later, plan.follow_up, sides
        names, arms, places = institution_names(study), arms_of_institutions(study), municipality_of_institutions(study)
        rates = response_counts(study, *sides, wave)
    results = gap_profiles(
        study,
        *sides,
        dimensions=dimension_labels(study, plan),
        names=names,
        arms=arms,
        today=today,
        earlier=earlier,
        places=places,
        rates=rates,
    )
    return replace(results, state=state)


def _sides(study: Study, plan: GapPlan, wave: str) -> Sides:
    return staff_side(study, plan, wave), child_side(study, plan, wave)


def gap_profiles(
    study: Study,
    staff: pd.DataFrame,
    children: pd.DataFrame,
    *,
    dimensions: Sequence[DimensionLabel],
    names: Mapping[str, str] | None = None,
    arms: Mapping[str, str] | None = None,
    today: date | None = None,
    earlier: Sides | None = None,
    places: Mapping[str, str] | None = None,
    rates: pd.DataFrame | None = None,
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
    earlier : (DataFrame, DataFrame), optional
        Staff's and children's scores at ``gap.wave``, where `staff` and `children` are those at ``gap.follow_up``.
    places : mapping of str to str, optional
        The municipality of each institution: each municipality is given a sheet.
    rates : DataFrame, optional
        How many were asked and answered, by institution (`gap_sides.response_counts`).

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
    limits = study.privacy.limits
    steps = {d.key: d.steps for d in dimensions}
    now = _Round((staff, children), profile_means(staff, children, steps, limits=limits, earlier=earlier))
    before = None if earlier is None else _Round(earlier, profile_means(*earlier, steps, limits=limits))
    changes = _changes(before, now)
    ids = sorted(now.answered | (before.answered if before else set()))
    bands = [_bands(side, person, limits) for side, person in zip(now.scored, ("respondent_id", "child_id"), strict=True)]
    shown_names = dict(names or {}) if study.privacy.show_institution_names else {}
    level = study.analysis.level
    not_made = withheld(study, plan, ids, arms or {}, today or date.today())
    kept_back = {one.institution_id for one in not_made}
    wave = plan.wave if before is None or plan.follow_up is None else plan.follow_up
    profiles = tuple(
        GapProfile(
            id_,
            shown_names.get(id_, id_),
            stem,
            _entries(id_, now, before, changes, level),
            bands[0].get(id_),
            bands[1].get(id_),
            leading_departure(_departures(id_, now.means, now.compared)),
        )
        for id_, stem in zip(ids, safe_stems(ids), strict=True)
        if id_ not in kept_back
    )
    return GapResults(
        study_id=study.study.id,
        title=dict(study.study.title.items()),
        synthetic=study.study.synthetic,
        languages=study.languages,
        wave=wave,
        wave_label=dict(study.wave(wave).label.items()),
        staff_instrument=plan.staff,
        child_instrument=plan.child,
        limits=limits,
        level=level,
        show_names=study.privacy.show_institution_names,
        covariance_note=_covariance_note(now.means),
        dimensions=tuple(_dimension(*parts) for parts in zip(dimensions, now.means, now.compared, changes, strict=True)),
        profiles=profiles,
        package_version=__version__,
        withheld=not_made,
        earlier_wave=plan.wave if before else "",
        earlier_wave_label=dict(study.wave(plan.wave).label.items()) if before else {},
        change_note=first_note([each for each in changes if each]),
        municipalities=municipalities(
            profiles,
            places or {},
            _spreads(now),
            pd.DataFrame(columns=list(RATES)) if rates is None else rates,
            limits=limits,
            names=study.privacy.show_institution_names,
        ),
    )


def _spreads(now: _Round) -> dict[str, Spread]:
    """Return how far the plain gaps of each dimension lie around the typical, where institutions differ at all."""
    found = {}
    for one, comparison in zip(now.means, now.compared, strict=True):
        variances = one.gap_variance
        if isinstance(comparison, _Comparison) and not isinstance(variances, Unavailable) and comparison.shrunken.tau2 > 0:
            around = dict(zip(one.institution_ids, (variances + comparison.shrunken.tau2).tolist(), strict=True))
            found[one.dimension] = Spread(comparison.shrunken.mean, around)
    return found


@dataclass(frozen=True, eq=False)
class _Round:
    """The scores of one round, what of them may be shown, and how the institutions compare."""

    sides: Sides
    means: tuple[DimensionMeans, ...]

    @cached_property
    def scored(self) -> list[pd.DataFrame]:
        """Each side's rows that have a score."""
        return [side[side["score"].notna()] for side in self.sides]

    @cached_property
    def answered(self) -> set[str]:
        """The institutions with answers of either side."""
        return {str(one) for side in self.scored for one in side["institution_id"].dropna().unique()}

    @cached_property
    def compared(self) -> list[_Comparison | Unavailable]:
        """Each dimension's comparison."""
        return [_comparison(one) for one in self.means]


def _changes(before: _Round | None, now: _Round) -> list[Changes | None]:
    """Return how each dimension has changed since the round before; None in a first round."""
    if before is None:
        return [None] * len(now.means)
    first, second = checked_sides(*before.sides), checked_sides(*now.sides)
    return [changes_between(one, other, first, second) for one, other in zip(before.means, now.means, strict=True)]


def _entries(
    institution: str, now: _Round, before: _Round | None, changes: Sequence[Changes | None], level: float
) -> tuple[GapEntry, ...]:
    """Return an institution on every dimension, beside the round before where it has answers of it."""
    entries = tuple(_entry(institution, *parts, level) for parts in zip(now.means, now.compared, strict=True))
    if before is None or institution not in before.answered:
        return entries
    beside = []
    for entry, means, compared, change in zip(entries, before.means, before.compared, changes, strict=True):
        if change is not None:
            shrunken = compared if isinstance(compared, Unavailable) else compared.shrunken
            shown_now = entry.staff is not None
            last = entry_before(institution, means, shrunken, change, level, shown_now=shown_now)
            beside.append(replace(entry, before=last))
    return tuple(beside)


def refuse_without_gaps(results: GapResults) -> None:
    """Refuse profiles that are of nobody: no institution has answers of both sides.

    Raises
    ------
    Refusal
        CLI-004.
    """
    entries = [entry for profile in results.profiles for entry in profile.entries]
    if not results.withheld and all(entry.reason == NO_ANSWERS and entry.before is None for entry in entries):
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


def _dimension(
    label: DimensionLabel, means: DimensionMeans, compared: _Comparison | Unavailable, changes: Changes | None
) -> GapDimension:
    names = (label.key, label.label, label.area, label.area_label)
    rest = (label.staff_questions, label.child_questions, rounded_mean(changes, DECIMALS), label.open_question)
    if isinstance(compared, Unavailable):
        return GapDimension(*names, None, None, None, None, None, None, *rest)
    shrunken = compared.shrunken
    sides = (float(np.sum(shrunken.mean_weights * side)) for side in (means.staff, means.child))
    numbers = (*sides, shrunken.mean, shrunken.tau, *shrunken.middle())
    staff, child, gap, between, low, high = (round(float(number), DECIMALS) for number in numbers)
    return GapDimension(*names, staff, child, gap, between, low, high, *rest)


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


def _bands(side: pd.DataFrame, person: str, limits: Limits) -> dict[str, CountBand | None]:
    """Return how many people answered, by institution, in bands."""
    counts = side.groupby(side["institution_id"].astype("str"), observed=True)[person].nunique()
    return {str(institution): count_band(int(count), limits) for institution, count in counts.items()}


def _covariance_note(means: Sequence[DimensionMeans]) -> Phrase:
    """Return why the covariance of the two sides' errors is unavailable; empty where it is there for every dimension."""
    reasons = [one.error_covariance.reason for one in means if isinstance(one.error_covariance, Unavailable)]
    return reasons[0] if reasons else NO_NOTE
