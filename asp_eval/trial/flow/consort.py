"""The flow of institutions and children through a trial, counted from its tables.

CONSORT 2010, extension to cluster trials (Campbell et al. 2012, BMJ 345:e5661): both levels, per arm and wave. A child
stays in the arm of the institution it was drawn in; where it was seen later only makes it a mover.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from asp_eval.core.errors import DataProblems, Fault, Place
from asp_eval.trial.flow.counts import ArmFlow, FlowCounts, NotScreened, Received, WaveFlow, conserve
from asp_eval.trial.flow.presence import (
    NOT_SCREENED,
    SCREENED,
    Flags,
    closed_by,
    closed_why,
    handed_in,
    places_of,
    presence,
    screening_waves,
)
from asp_eval.trial.randomisation.closed import left_out
from asp_eval.trial.study.design import Study

STANDINGS = ("cohort", "not_eligible", "joined_later")

UNLISTED_INSTITUTION = Fault(
    "FLO-002",
    "the allocation holds institutions that are not in the list of institutions",
    "Import the complete list of institutions.",
)
UNKNOWN_ARM = Fault(
    "FLO-003", "the allocation holds an arm that the study does not declare", "Correct the allocation, or 'arms' in study.yaml."
)
TWO_LOTS = Fault("FLO-004", "an institution stands more than once in the allocation", "Keep one row for each institution.")
SAME_CHILD = Fault("FLO-005", "a child stands more than once in the list of children", "Keep one row for each child.")
UNKNOWN_STANDING = Fault(
    "FLO-006", "a child has no standing in the trial", "Work out each child's standing before the flow is counted."
)


def flow_counts(
    study: Study,
    children: pd.DataFrame,
    visits: pd.DataFrame,
    allocation: pd.DataFrame,
    institutions: pd.DataFrame,
    there: pd.DataFrame | None = None,
    received: Collection[str] | None = None,
    drawn_on: date | None = None,
) -> FlowCounts:
    """Count the flow of a trial.

    Parameters
    ----------
    study : Study
        Its arms, and the waves at which children are screened.
    children : DataFrame
        One row per child: child_id, institution (at the draw), standing (``"cohort"``, ``"not_eligible"`` or
        ``"joined_later"``).
    visits : DataFrame
        child_id, wave, institution_id (where the child was seen). Several rows of a child at a wave are one visit. A visit
        without an institution counts where the child was drawn. Visits of children who are not listed are left aside.
    allocation : DataFrame
        institution_id, arm.
    institutions : DataFrame
        institution_id, one row per institution; closed_on where it is collected.
    there : DataFrame, optional
        Where each child was at each wave, as `presence` returns it. By default that of the visits, so that nobody counts as
        listed who was not screened.
    received : collection of str, optional
        institution_id of those that received the intervention; None where no rule is declared.
    drawn_on : date, optional
        The day of the draw: institutions that had closed by then, and have no arm, are told apart with their reasons.

    Returns
    -------
    FlowCounts
        Its boxes add up, or it is not made.

    Raises
    ------
    DataProblems
        If the tables contradict each other.
    """
    lots = _lots(study, allocation, institutions)
    listed = _listed(children, lots)
    there = presence(study, listed, visits, visits, institutions) if there is None else there
    waves = screening_waves(study)
    trial = _Trial(
        lots,
        listed,
        *_columns(there, listed, lots),
        waves,
        {wave: closed_by(institutions, study.wave(wave)) for wave in waves},
        closed_why(institutions),
        received,
    )
    arms = tuple(_arm_flow(arm, trial) for arm in study.arms)
    total = institutions["institution_id"].nunique()
    without = int(listed["arm"].isna().sum())
    conserve("children", len(children), not_drawn=without, **{arm.arm: arm.listed for arm in arms})
    undrawn = institutions[~institutions["institution_id"].astype("str").isin(lots.index)]
    closed = () if drawn_on is None else left_out(undrawn, drawn_on)
    return FlowCounts(total, total - len(lots), arms, without, closed)


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """What the arms are counted from.

    Attributes
    ----------
    lots : Series
        Arm by institution.
    listed : DataFrame
        child_id, institution, standing, arm.
    there : dict of Categorical, each of shape (children times waves,)
        The columns of `presence` and of `listed`, and `seen_arm`: the arm of the institution the child was in, missing where it
        was not drawn.
    retained : ndarray of bool (children times waves,)
    closed : dict
        The institutions closed by each wave.
    why : dict
        Why institutions closed, where it is known.
    """

    lots: pd.Series
    listed: pd.DataFrame
    there: dict[str, pd.Categorical]
    retained: Flags
    waves: tuple[str, ...]
    closed: dict[str, set[str]]
    why: dict[str, str]
    received: Collection[str] | None


def _columns(there: pd.DataFrame, listed: pd.DataFrame, lots: pd.Series) -> tuple[dict[str, pd.Categorical], Flags]:
    """Return the columns as categories, which are compared hundreds of times."""
    at = places_of(there["child_id"], pd.Index(listed["child_id"]))
    there, at = there[at >= 0], at[at >= 0]
    where, drawn_in = (pd.Categorical(texts) for texts in (there["where"], listed["institution"]))
    names = where.categories.union(drawn_in.categories)
    arms = pd.Categorical(lots.reindex(names))
    columns = {name: pd.Categorical(there[name]) for name in ("wave", "state")}
    columns |= {name: pd.Categorical(listed[name]).take(at) for name in ("standing", "arm")}
    columns |= {"where": where.set_categories(names), "institution": drawn_in.set_categories(names).take(at)}
    columns["seen_arm"] = arms.take(columns["where"].codes, allow_fill=True)
    return columns, there["retained"].to_numpy(dtype=bool)


def _lots(study: Study, allocation: pd.DataFrame, institutions: pd.DataFrame) -> pd.Series:
    """Return the arm of each institution drawn, indexed by its id."""
    ids = allocation["institution_id"].astype(str)
    arms = allocation["arm"].astype(str)
    known = set(institutions["institution_id"].astype(str))
    place = Place("allocation", column="institution_id")
    problems = [TWO_LOTS.at(place, found=twin) for twin in sorted(set(ids[ids.duplicated()]))]
    problems += [UNLISTED_INSTITUTION.at(place, found=lost) for lost in sorted(set(ids) - known)]
    problems += [
        UNKNOWN_ARM.at(Place("allocation", column="arm"), found=arm, expected=", ".join(study.arms))
        for arm in sorted(set(arms) - set(study.arms))
    ]
    if problems:
        raise DataProblems(problems)
    return pd.Series(arms.to_numpy(), index=pd.Index(ids.to_numpy(), dtype="str"), dtype="str")


def _listed(children: pd.DataFrame, lots: pd.Series) -> pd.DataFrame:
    """Return child_id, institution, standing and arm (missing where the institution was not drawn)."""
    ids = children["child_id"].astype(str)
    standing = children["standing"].astype(str)
    problems = [SAME_CHILD.at(Place("children", column="child_id"), found=twin) for twin in sorted(set(ids[ids.duplicated()]))]
    problems += [
        UNKNOWN_STANDING.at(Place("children", column="standing"), found=odd, expected=", ".join(STANDINGS))
        for odd in sorted(set(standing) - set(STANDINGS))
    ]
    if problems:
        raise DataProblems(problems)
    drawn_in = children["institution"].astype(str)
    columns = {"child_id": ids, "institution": drawn_in, "standing": standing, "arm": drawn_in.map(lots)}
    return pd.DataFrame(columns)


def _arm_flow(arm: str, trial: _Trial) -> ArmFlow:
    own = set(trial.lots.index[trial.lots == arm])
    mine = trial.listed[trial.listed["arm"] == arm]
    standing = {name: int((mine["standing"] == name).sum()) for name in STANDINGS}
    flows = tuple(_wave_flow(arm, wave, own, standing["cohort"], trial) for wave in trial.waves)
    got = None
    if trial.received is not None:
        with_it = own & {str(one) for one in trial.received}
        cohort = mine.loc[mine["standing"] == "cohort", "institution"]
        got = Received(len(with_it), int(cohort.isin(with_it).sum()))
    return ArmFlow(arm=arm, institutions=len(own), listed=len(mine), waves=flows, received=got, **standing)


def _wave_flow(arm: str, wave: str, own: set[str], cohort: int, trial: _Trial) -> WaveFlow:
    """Count one arm at one wave; an institution's data are also those of children of another arm, because movers may cross."""
    there, where = trial.there, pd.Series(trial.there["where"])
    now, screened = there["wave"] == wave, there["state"] == SCREENED
    later = np.logical_or.reduce([there["wave"] == each for each in trial.waves[trial.waves.index(wave) :]])
    with_data = own & handed_in(where, now & screened)
    closed = (own - with_data) & trial.closed[wave]
    of_arm = now & (there["arm"] == arm)
    of_cohort = of_arm & (there["standing"] == "cohort")
    seen, away = of_cohort & screened, of_cohort & ~screened
    retained = int((away & trial.retained).sum())
    return WaveFlow(
        wave=wave,
        institutions=len(own),
        with_data=len(with_data),
        closed=len(closed),
        silent=len(own - with_data - closed),
        institutions_lost=len(own - handed_in(where, later & screened)),
        cohort=cohort,
        screened=int(seen.sum()),
        not_screened=NotScreened(*(int((away & (there["state"] == reason)).sum()) for reason in NOT_SCREENED)),
        absent=retained,
        lost=int(away.sum()) - retained,
        moved=int((seen & (there["where"].codes != there["institution"].codes)).sum()),
        crossed=int((seen & there["seen_arm"].notna() & (there["seen_arm"] != arm)).sum()),
        joined=int((of_arm & screened & (there["standing"] == "joined_later")).sum()),
        closed_why=tuple(sorted(Counter(trial.why[one] for one in closed if one in trial.why).items())),
    )


def why_not_screened(states: pd.Series) -> NotScreened:
    """Return how many children have each reason for not having been screened."""
    counts = states.value_counts()
    return NotScreened(*(int(counts.get(reason, 0)) for reason in NOT_SCREENED))
