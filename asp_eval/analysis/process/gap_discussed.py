"""The day on which an institution discussed its GAP-profile, and how long after it could be given out.

A profile can be given out once its wave has ended, or the later wave that the plan names for the arm (``gap: release``). It was
discussed on the first day after that on which the log has an event that fits ``gap: discussed``, or on which goals were set from
that profile, whichever came first: goals are set at such a meeting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from asp_eval.analysis.goals import Goal
from asp_eval.analysis.process.groups import Group, groups
from asp_eval.analysis.process.results import GapDiscussed
from asp_eval.analysis.process.shares import share
from asp_eval.core.filters import parse_filter
from asp_eval.trial.flow.dose import own_events
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.report_plan import GapPlan

Source = Literal["log", "goals"]


@dataclass(frozen=True, slots=True)
class Discussion:
    """When one institution first discussed its profile.

    Attributes
    ----------
    day : date
    days : int, optional
        After the last day of the wave that its arm is given profiles after; None where the plan tells no such day.
    source : {"log", "goals"}
        Whose day it is; the log's where both have the same.
    """

    day: date
    days: int | None
    source: Source


def given_after(study: Study, plan: GapPlan) -> dict[str, date | None]:
    """Return, for every arm that is given profiles, the last day before it can be; None where the wave has no last day."""
    given = dict.fromkeys((*(study.arms if plan.arms is None else plan.arms), *plan.release))
    return {arm: study.wave(plan.release.get(arm, plan.wave)).end for arm in study.arms if arm in given}


def discussions(
    study: Study, log: pd.DataFrame, goals: Mapping[str, Sequence[Goal]], arms: Mapping[str, str]
) -> dict[str, Discussion]:
    """Return when each institution that was given a profile first discussed it; those of which no day is told are left out.

    Parameters
    ----------
    study : Study
    log : DataFrame
        The implementation log.
    goals : mapping of str to sequence of Goal
        By institution.
    arms : mapping of str to str
        The arm of each institution that was drawn.

    Raises
    ------
    Refusal
        DOC-021 to DOC-024 if ``gap: discussed`` cannot be read, or names a column that the log does not have.
    """
    plan = study.gap
    if plan is None:
        return {}
    given = given_after(study, plan)
    days = _days(plan, log, goals)
    found = {}
    for name, arm in arms.items():
        if arm not in given:
            continue
        before = given[arm]
        later = [(day, source) for day, source in days.get(name, ()) if before is None or day > before]
        if later:
            day, source = min(later, key=lambda each: (each[0], each[1] != "log"))
            found[name] = Discussion(day, None if before is None else (day - before).days, source)
    return found


def gap_discussed(
    study: Study,
    found: Mapping[str, Discussion],
    arms: Mapping[str, str],
    types: Mapping[str, str],
    levels: Sequence[str],
) -> tuple[GapDiscussed, ...]:
    """Return the discussions arm by arm: of all institutions that were given a profile, and of each type in the last round.

    Parameters
    ----------
    study : Study
    found : mapping of str to Discussion
        Nothing is returned without any.
    arms, types, levels
        As of `groups`.
    """
    if study.gap is None or not found:
        return ()
    given = given_after(study, study.gap)
    return tuple(_group(study, each, found) for each in groups(study.arms, arms, types, levels) if each.arm in given)


def listed_discussions(found: Mapping[str, Discussion], arms: Mapping[str, str]) -> pd.DataFrame:
    """Return the days by institution: institution_id, arm, day, days_after, source."""
    rows = [
        {
            "institution_id": name,
            "arm": arms[name],
            "day": one.day.isoformat(),
            "days_after": "" if one.days is None else one.days,
            "source": one.source,
        }
        for name, one in sorted(found.items())
    ]
    return pd.DataFrame(rows, columns=["institution_id", "arm", "day", "days_after", "source"])


def _days(plan: GapPlan, log: pd.DataFrame, goals: Mapping[str, Sequence[Goal]]) -> dict[str, list[tuple[date, Source]]]:
    """Return every day that may have been one of a discussion, by institution."""
    found: dict[str, list[tuple[date, Source]]] = {}
    if plan.discussed is not None and len(log):
        own = own_events(log)
        fit = own[parse_filter(plan.discussed).mask(own) & own["date"].notna().to_numpy(dtype=bool)]
        for name, day in zip(fit["institution_id"].astype("str"), pd.to_datetime(fit["date"]), strict=True):
            found.setdefault(name, []).append((day.date(), "log"))
    for name, theirs in goals.items():
        days = {goal.date for goal in theirs if goal.date and goal.profile_wave in ("", plan.wave)}
        found.setdefault(name, []).extend((date.fromisoformat(day), "goals") for day in sorted(days))
    return found


def _group(study: Study, group: Group, found: Mapping[str, Discussion]) -> GapDiscussed:
    theirs = [found[name] for name in group.institutions if name in found]
    after = [one.days for one in theirs if one.days is not None]
    quarters = tuple(float(each) for each in np.quantile(after, [0.25, 0.5, 0.75])) if after else None
    days = sorted(one.day.isoformat() for one in theirs)
    return GapDiscussed(
        arm=group.arm,
        type=group.type,
        institutions=share(len(theirs), len(group.institutions), study.analysis.level),
        from_log=sum(one.source == "log" for one in theirs),
        median_days=None if quarters is None else quarters[1],
        middle_half=None if quarters is None else (quarters[0], quarters[2]),
        first=days[0] if days else "",
        last=days[-1] if days else "",
    )
