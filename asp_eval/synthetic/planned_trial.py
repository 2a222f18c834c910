"""A trial as ``study.yaml`` plans it, drawn at random without any effect: the exports that would come in.

Numbers of institutions and children, intraclass correlation, correlation over the waves and losses are those under ``power``.
Behind every score stands a normal value of child and wave with that intraclass correlation, cut into answers of equal frequency.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from asp_eval.core.errors import Fault
from asp_eval.core.filters import parse_filter
from asp_eval.core.randomness import stream
from asp_eval.synthetic.planned_answers import column_values, item_answers, outcome_values
from asp_eval.trial.flow.cohort import baseline_wave
from asp_eval.trial.instruments.library import form_positions
from asp_eval.trial.outcomes import declared_forms
from asp_eval.trial.study.ages import DAYS_IN_YEAR
from asp_eval.trial.study.design import Study

Array = NDArray[np.float64]

SIZES_NOT_PLANNED = Fault(
    "REP-020",
    "a mock report needs to know how large the trial is planned to be, and study.yaml does not say {missing}",
    "Write 'institutions' and 'children' (in an institution) under 'power' in study.yaml.",
)
NOTHING_SCREENED = Fault(
    "REP-021",
    "a mock report is filled from screenings, and the study declares none",
    "Declare 'screening' under 'collect' in study.yaml.",
)

ICC, CORRELATION = 0.05, 0.5  # where the plan has none
AGES = (3.0, 6.0)  # where neither the trial nor a form says which
MARGIN = 0.06  # years that a month of birth can be wrong by
RATERS, ROOMS = 3, 3  # of an institution


@dataclass(frozen=True, slots=True, eq=False)
class PlannedChildren:
    """The children of a drawn trial, row for row.

    Attributes
    ----------
    institution : array of int
        Position in the list of institutions.
    days : array (waves, children) of datetime64[D]
        When each is rated.
    born : array of datetime64[D]
    there : array (waves, children) of bool
        Whether the child is rated at the wave.
    """

    institution: NDArray[np.int64]
    days: NDArray[np.datetime64]
    born: NDArray[np.datetime64]
    there: NDArray[np.bool_]

    @property
    def ages(self) -> Array:
        """Ages in years at each wave."""
        return np.asarray((self.days - self.born) / np.timedelta64(1, "D") / DAYS_IN_YEAR, dtype=np.float64)


def planned_institutions(study: Study, seed: int) -> pd.DataFrame:
    """Return the list of institutions: as many as are planned, equally many in each stratum.

    Raises
    ------
    Refusal
        REP-020 if the plan does not say how many institutions and children there are to be; REP-021 without a screening.
    """
    missing = [name for name in ("institutions", "children") if getattr(study.power, name) is None]
    if missing:
        SIZES_NOT_PLANNED.refuse("power", missing=" and ".join(f"'{name}'" for name in missing))
    if not study.collect.screening:
        NOTHING_SCREENED.refuse("collect")
    n = study.power.institutions or 0
    position, lot, declared = np.arange(n), study.randomisation, study.columns.get("institutions", {})
    columns: dict[str, object] = {"institution_id": [f"I{k + 1:03d}" for k in position]}
    texts, width = _compared(study), 1
    for name, column in declared.items():
        columns[name] = column_values(column, texts.get(name, ()), stream(seed, "mock", "institutions", name), n)
    for name in study.strata:
        known = list(declared[name].labels) if name in declared else []
        levels = known[:2] or [*texts.get(name, ()), "A", "B"][: max(2, study.power.strata or 2) if len(study.strata) == 1 else 2]
        columns[name] = np.asarray(levels)[(position // width) % len(levels)]
        width *= len(levels)
    if lot.pair:
        columns[lot.pair] = [f"P{k // len(study.arms) + 1:03d}" for k in position]
    if lot.order:
        columns[lot.order] = position + 1
    return pd.DataFrame(columns)


def planned_allocation(study: Study, institutions: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return arms in the planned ratio within the strata, for a lot that is drawn elsewhere."""
    shuffled = institutions.iloc[stream(seed, "mock", "lot").permutation(len(institutions))]
    in_turn = np.repeat(np.asarray(study.arms), study.randomisation.ratio)
    groups = [study.randomisation.pair] if study.randomisation.pair else list(study.strata)
    turn = shuffled.groupby(groups).cumcount() if groups else pd.Series(np.arange(len(shuffled)), shuffled.index)
    return pd.DataFrame(
        {"institution_id": shuffled["institution_id"], "arm": in_turn[turn.to_numpy() % len(in_turn)]}
    ).sort_index()


def planned_children(study: Study, seed: int) -> PlannedChildren:
    """Return the children: their numbers with the planned mean and coefficient of variation, and whom the trial loses."""
    n, mean, cv = study.power.institutions or 0, study.power.children or 1.0, study.power.cv
    rng = stream(seed, "mock", "children")
    drawn = rng.gamma(1 / cv**2, mean * cv**2, n) if cv else np.full(n, mean)
    sizes = np.maximum(np.floor(drawn + rng.random(n)).astype(np.int64), 1)
    institution = np.repeat(np.arange(n), sizes)
    waves = study.collected_waves("screening")
    first = _first_days(study, waves)
    days = first[:, None] + rng.integers(0, 28, (len(waves), len(institution))).astype("timedelta64[D]")
    at = waves.index(baseline_wave(study)) if baseline_wave(study) in waves else 0
    low, high = _ages(study, waves[at])
    age = rng.uniform(low + MARGIN, high - MARGIN, len(institution))
    born = days[at] - np.round(age * DAYS_IN_YEAR).astype("timedelta64[D]")
    lost, steps = study.power.lost, max(len(waves) - 1 - at, 1)
    share = np.clip((np.arange(len(waves)) - at) / steps, 0.0, 1.0)[:, None]
    gone = rng.random(len(institution)) < lost.children * share
    closed = rng.permutation(n)[institution] < np.round(n * lost.institutions * share)
    return PlannedChildren(institution, days, born, ~(gone | closed))


def planned_screening(study: Study, institutions: pd.DataFrame, children: PlannedChildren, seed: int) -> dict[str, pd.DataFrame]:
    """Return the screening of every wave, one row per child that is rated, without any effect of an arm."""
    place = institutions["institution_id"].to_numpy()[children.institution]
    number = np.arange(len(place))
    rng, texts = stream(seed, "mock", "people"), _compared(study)
    person: dict[str, object] = {
        "child_id": [f"C{k + 1:05d}" for k in number],
        "institution_id": place,
        "rater_id": [f"{name}-r{k % RATERS + 1}" for name, k in zip(place, number, strict=True)],
        "sex": np.asarray(["boy", "girl"])[rng.integers(0, 2, len(place))],
        "birth_month": np.datetime_as_string(children.born.astype("datetime64[M]")),
    }
    outcomes = {outcome.column_name for outcome in study.outcomes if outcome.column}
    for table in ("children", "screening"):
        for name, column in study.columns.get(table, {}).items():
            if name in study.analysis.levels:
                person[name] = [f"{name} {k % ROOMS + 1}" for k in number]
            elif name not in outcomes:
                person[name] = column_values(column, texts.get(name, ()), stream(seed, "mock", table, name), len(place))
    found, drawn = {}, cache(partial(trait, study, children, seed))
    for position, wave in enumerate(study.collected_waves("screening")):
        answers = {**_answers(study, children, position, wave, drawn, seed), **_columns(study, position, drawn)}
        frame = pd.DataFrame({**person, "date": np.datetime_as_string(children.days[position]), **answers})
        found[wave] = frame.loc[children.there[position]]
    return found


def planned_implementation(study: Study, allocation: pd.DataFrame, seed: int) -> pd.DataFrame | None:
    """Return the log of what was delivered to the later arms: nine institutions in ten reach the rule.

    None without a rule, or where it sums nothing of a log.
    """
    rule = study.received
    if rule is None or not rule.limits:
        return None
    offered = allocation.loc[allocation["arm"].astype(str) != study.arms[0], "institution_id"].to_numpy()
    share = np.where(stream(seed, "mock", "received").random(len(offered)) < 0.9, 1.25, 0.5)
    day = str(_first_days(study, study.collected_waves("screening"))[0] + np.timedelta64(60, "D"))
    events = pd.concat(
        [
            pd.DataFrame({"institution_id": offered, "element": element or None, rule.sum: np.round(least * share, 2)})
            for element, least in rule.limits.items()
        ],
        ignore_index=True,
    )
    numbers = [f"E{k + 1:03d}" for k in range(len(events))]
    return events.assign(event_id=numbers, date=day, kind="course")


def trait(study: Study, children: PlannedChildren, seed: int, *name: str) -> Array:
    """Return a standard normal value of every child at every wave, with the planned intraclass and wave correlations.

    Returns
    -------
    array (waves, children)
        ``sqrt(icc) u + sqrt(1 - icc) e``, where the values of an institution (u) and of a child (e) correlate between any two
        waves as ``power: baseline`` says.
    """
    icc = study.power.icc[0] if study.power.icc else ICC
    planned, waves = study.power.baseline, children.days.shape[0]
    rng = stream(seed, "mock", "trait", *name)

    def over_waves(units: int, correlation: float) -> Array:
        stable = max(correlation, 0.0)
        return math.sqrt(stable) * rng.standard_normal(units) + math.sqrt(1 - stable) * rng.standard_normal((waves, units))

    between = over_waves(int(children.institution.max()) + 1, planned.institution if planned else CORRELATION)
    within = over_waves(len(children.institution), planned.child if planned else CORRELATION)
    return np.asarray(math.sqrt(icc) * between[:, children.institution] + math.sqrt(1 - icc) * within)


def _answers(
    study: Study, children: PlannedChildren, position: int, wave: str, drawn: Callable[..., Array], seed: int
) -> dict[str, object]:
    """Return the answers on every form of a wave, blank where another form of the family serves the age."""
    columns: dict[str, object] = {}
    forms, ages = declared_forms(study, "screening", wave), pd.Series(children.ages[position])
    for form in forms:
        family = tuple(one for one in forms if one.family == form.family)
        mine = np.asarray([family[k].id == form.id if k >= 0 else False for k in form_positions(family, ages)])
        traits = {scale.key: drawn(form.family, scale.key)[position] for scale in form.scales}
        values = item_answers(form, traits, stream(seed, "mock", "items", form.id, wave), len(mine))
        columns |= {name: value.where(mine) for name, value in values.items()}
    return columns


def _columns(study: Study, position: int, drawn: Callable[..., Array]) -> dict[str, object]:
    """Return the values of the outcomes that are columns of the screening."""
    declared = study.columns.get("screening", {})
    return {
        outcome.column_name: outcome_values(outcome, declared.get(outcome.column_name), drawn(outcome.column_name)[position])
        for outcome in study.outcomes
        if outcome.column
    }


def _compared(study: Study) -> dict[str, tuple[str, ...]]:
    """Return what the filter of the planned set compares each column with."""
    comparisons = parse_filter(study.sets[study.analysis.set].filter).comparisons
    names = dict.fromkeys(one.column for one in comparisons)
    return {name: tuple(one.text for one in comparisons if one.column == name and one.equal) for name in names}


def _first_days(study: Study, waves: tuple[str, ...]) -> NDArray[np.datetime64]:
    """Return the first day of every wave; where none is declared, a year after the one before."""
    days: list[np.datetime64] = []
    for wave in waves:
        start = study.wave(wave).start
        after = days[-1] + np.timedelta64(365, "D") if days else np.datetime64("2020-09-01")
        days.append(after if start is None else np.datetime64(start))
    return np.asarray(days, dtype="datetime64[D]")


def _ages(study: Study, wave: str) -> tuple[float, float]:
    """Return the ages at the baseline wave: those that belong to the trial, else those that its forms serve."""
    if study.eligibility:
        return study.eligibility.age_years.start, study.eligibility.age_years.below
    served = [form.ages for form in declared_forms(study, "screening", wave) if form.ages]
    if not served:
        return AGES
    low, high = min(ages.from_ for ages in served), max(ages.below for ages in served)
    return AGES if low <= AGES[0] and AGES[1] <= high else (low, min(high, low + 3.0))
