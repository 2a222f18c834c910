"""What was delivered: hours by element of the programme, projects of other origin, and staff who left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import special

from asp_eval.analysis.process.groups import Group, groups
from asp_eval.analysis.process.results import Delivered, ElementDose, LevelCount, Number, Turnover, TurnoverOf
from asp_eval.analysis.process.shares import share
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.trial.flow.dose import EXTERNAL, GOALS, own_events, reached
from asp_eval.trial.study.design import Study

DAYS_A_YEAR = 365.25
NO_DATES = Unavailable(Phrase("the list of staff tells no first and last days"))
NO_PERIOD = Unavailable(Phrase("the study declares no days for its waves"))
NO_TIME = Unavailable(Phrase("nobody worked there in the period"))
NOT_RECORDED = Unavailable(Phrase("the log does not tell how many took part"))


def element_doses(study: Study, log: pd.DataFrame, arms: Mapping[str, str]) -> tuple[ElementDose, ...]:
    """Return hours, events and days by element of the programme and arm; external projects are not counted.

    Parameters
    ----------
    study : Study
    log : DataFrame
        The implementation log.
    arms : mapping of str to str
        The arm of each institution that was drawn.
    """
    own = own_events(log)
    own = own[own["element"].notna()]
    arm_of = own["institution_id"].map(arms)
    return tuple(
        _element_dose(own[(arm_of == arm) & (own["element"] == element)], arm, element, sum(a == arm for a in arms.values()))
        for arm in study.arms
        for element in dict.fromkeys(sorted(own["element"].unique(), key=_order))
    )


def hours_by_institution(log: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return hours by institution and element of the programme."""
    own = own_events(log)
    sums = own[own["element"].notna()].groupby(["institution_id", "element"])["hours"].sum()
    found: dict[str, dict[str, float]] = {}
    for institution, element, hours in sums.reset_index().itertuples(index=False):
        found.setdefault(str(institution), {})[str(element)] = float(hours)
    return found


def project_counts(study: Study, log: pd.DataFrame, arms: Mapping[str, str]) -> tuple[LevelCount, ...]:
    """Return in how many institutions of each arm a project of other origin ran."""
    with_project = set(log.loc[log["kind"] == EXTERNAL, "institution_id"])
    counts = []
    for arm in study.arms:
        mine = [institution for institution, of in arms.items() if of == arm]
        count = share(len(with_project.intersection(mine)), len(mine), study.analysis.level)
        counts.append(LevelCount("projects", EXTERNAL, "", arm, count))
    return tuple(counts)


def delivered(
    study: Study,
    log: pd.DataFrame,
    arms: Mapping[str, str],
    types: Mapping[str, str],
    levels: Sequence[str],
    goals: pd.DataFrame | None = None,
) -> tuple[Delivered, ...]:
    """Return what institutions had, arm by arm: all of them, and those of each type in the last round.

    Parameters
    ----------
    study : Study
    log : DataFrame
        The implementation log; nothing is returned of an empty one.
    arms : mapping of str to str
    types : mapping of str to str
        The type of each institution that has one.
    levels : sequence of str
        The types, in their order.
    goals : DataFrame, optional
        The table of goals. Without any, no limit on them is judged.
    """
    if log.empty:
        return ()
    ids = pd.Series(list(arms), dtype="str")
    limits = reached(study.received, log, ids, goals) if study.received is not None else pd.DataFrame(index=ids)
    if goals is None or goals.empty:
        limits = limits.drop(columns=GOALS, errors="ignore")
    hours = hours_by_institution(log)
    elements = sorted({element for of in hours.values() for element in of}, key=_order)
    taken_up = _taken_up(log)
    external = set(log.loc[log["kind"] == EXTERNAL, "institution_id"])

    def one(group: Group) -> Delivered:
        names, n = list(group.institutions), len(group.institutions)
        return Delivered(
            group.arm,
            group.type,
            n,
            {e: sum(hours.get(name, {}).get(e, 0.0) for name in names) / n for e in elements} if n else {},
            share(len(external.intersection(names)), n, study.analysis.level),
            {name: share(int(limits.loc[names, name].sum()), n, study.analysis.level) for name in limits.columns},
            _mean_of(taken_up, names),
        )

    return tuple(one(group) for group in groups(study.arms, arms, types, levels))


def _taken_up(log: pd.DataFrame) -> dict[str, float] | Unavailable:
    """Return hours times those who took part, by institution, over the events of the programme's elements."""
    own = own_events(log)
    own = own[own["element"].notna()]
    if len(own) and own["participants"].isna().all():
        return NOT_RECORDED
    product = own["hours"].fillna(0.0).astype("float64") * own["participants"].fillna(0.0).astype("float64")
    return {str(name): float(total) for name, total in product.groupby(own["institution_id"]).sum().items()}


def _mean_of(sums: dict[str, float] | Unavailable, names: Sequence[str]) -> Number | None:
    if isinstance(sums, Unavailable) or not names:
        return sums if isinstance(sums, Unavailable) else None
    return sum(sums.get(name, 0.0) for name in names) / len(names)


def turnover(study: Study, staff: pd.DataFrame, groups: Mapping[str, Mapping[str, str]]) -> tuple[Turnover, ...] | Unavailable:
    """Return who left between the first day of the first wave and the last of the last, a year's rate with its exact interval.

    Parameters
    ----------
    study : Study
    staff : DataFrame
        The list of staff.
    groups : mapping of str to mapping
        For ``arm`` and ``type``, the group of each institution. The periods between waves are of all that were drawn.

    Returns
    -------
    tuple of Turnover or Unavailable
        Unavailable without days.
    """
    period = _period(study)
    if period is None:
        return NO_PERIOD
    stays = _stays(staff, *period)
    if stays is None:
        return NO_DATES
    found = []
    kinds: tuple[TurnoverOf, ...] = ("arm", "type")
    for kind in kinds:
        of = groups.get(kind, {})
        for group in dict.fromkeys([*(study.arms if kind == "arm" else ()), *sorted(set(of.values()))]):
            mine = stays[stays["institution_id"].map(of) == group]
            institutions = sum(each == group for each in of.values())
            found.append(_turnover(kind, group, institutions, mine, study.analysis.level))
    level, places = study.analysis.level, len(groups.get("arm", {}))
    for group, first, last in _periods(study, *period):
        part = _stays(staff, first, last)
        if part is not None:
            drawn = part["institution_id"].isin(list(groups.get("arm", {})))
            found.append(_turnover("period", group, places, part[drawn], level))
    return tuple(found)


def left_by_institution(study: Study, staff: pd.DataFrame) -> dict[str, Turnover]:
    """Return who left each institution, and the yearly rate with its exact interval; none without days."""
    period = _period(study)
    stays = None if period is None else _stays(staff, *period)
    if stays is None:
        return {}
    return {
        str(name): _turnover("institution", str(name), 1, mine, study.analysis.level)
        for name, mine in stays.groupby("institution_id")
    }


def _periods(study: Study, first: date, last: date) -> Iterator[tuple[str, date, date]]:
    """Yield the time from the beginning of each wave to that of the next, named by the two; nothing if there is but one."""
    starts = [(wave.id, wave.start) for wave in study.waves if wave.start is not None]
    if len(starts) < 3 or first != starts[0][1]:
        return
    for (one, begin), (other, end) in pairwise(starts):
        yield f"{one} {other}", begin, last if other == starts[-1][0] else end


def _period(study: Study) -> tuple[date, date] | None:
    days = [day for wave in study.waves for day in (wave.start, wave.end) if day is not None]
    return (min(days), max(days)) if len(days) > 1 else None


def _stays(staff: pd.DataFrame, first: date, last: date) -> pd.DataFrame | None:
    """Return years worked in the period and whether the person left in it, by person and institution."""
    if staff.empty or "end_date" not in staff or staff["end_date"].isna().all():
        return None
    begin, end = np.datetime64(first, "s"), np.datetime64(last, "s")
    started, ended = (staff[name].to_numpy(dtype="datetime64[s]") for name in ("start_date", "end_date"))
    came = np.maximum(np.where(np.isnat(started), begin, started), begin)
    went = np.minimum(np.where(np.isnat(ended), end, ended), end)
    years = (went - came) / np.timedelta64(1, "D") / DAYS_A_YEAR
    left = (ended >= begin) & (ended < end)
    stays = pd.DataFrame({"institution_id": staff["institution_id"], "years": years, "left": left.astype(int)})
    return stays[stays["years"] > 0]


def _turnover(kind: TurnoverOf, group: str, institutions: int, stays: pd.DataFrame, level: float) -> Turnover:
    left, years = int(stays["left"].sum()), float(stays["years"].sum())
    rate: Number = NO_TIME
    low: Number = NO_TIME
    high: Number = NO_TIME
    if years > 0:
        tail = (1 - level) / 2
        rate = left / years
        low = float(special.gammaincinv(left, tail)) / years if left else 0.0
        high = float(special.gammaincinv(left + 1, 1 - tail)) / years
    return Turnover(kind, group, institutions, len(stays), left, years, rate, low, high)


def _element_dose(events: pd.DataFrame, arm: str, element: str, institutions: int) -> ElementDose:
    hours = events["hours"].fillna(0.0)
    recorded = events["participants"].notna().any() if len(events) else True
    taken_up: Number = float((hours * events["participants"].fillna(0.0)).sum()) if recorded else NOT_RECORDED
    days = events["date"].dropna()
    return ElementDose(
        arm=arm,
        element=element,
        institutions=institutions,
        with_any=int(events["institution_id"].nunique()),
        events=len(events),
        hours=float(hours.sum()),
        taken_up=taken_up,
        first="" if days.empty else days.min().date().isoformat(),
        last="" if days.empty else days.max().date().isoformat(),
    )


def _order(element: str) -> int:
    known = ("knowledge", "reflection", "implementation")
    return known.index(element) if element in known else len(known)
