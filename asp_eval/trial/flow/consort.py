"""The flow of institutions and children through a trial, counted from its tables.

CONSORT 2010, extension to cluster trials (Campbell et al. 2012, BMJ 345:e5661): both levels, per arm and wave. A child
stays in the arm of the institution it was drawn in; where it was seen later only makes it a mover.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from asp_eval.core.errors import DataProblems, Fault, Place
from asp_eval.trial.flow.counts import NOT_CONSERVED, ArmFlow, FlowCounts, WaveFlow
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
    study: Study, children: pd.DataFrame, visits: pd.DataFrame, allocation: pd.DataFrame, institutions: pd.DataFrame
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
        institution_id, one row per institution.

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
    seen = _seen(visits, listed)
    waves = _screening_waves(study)
    arms = tuple(_arm_flow(arm, lots, listed.loc[listed["arm"] == arm], seen, waves) for arm in study.arms)
    total = institutions["institution_id"].nunique()
    without = int(listed["arm"].isna().sum())
    if sum(arm.listed for arm in arms) + without != len(children):
        NOT_CONSERVED.refuse(whole="children", total=len(children), parts="the arms and the institutions not drawn")
    return FlowCounts(total, total - len(lots), arms, without)


def _screening_waves(study: Study) -> tuple[str, ...]:
    """Return the waves at which children are screened, in the study's order."""
    screening = study.collect.screening
    return tuple(wave for wave in study.wave_ids if screening is None or wave in screening.waves)


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


def _seen(visits: pd.DataFrame, listed: pd.DataFrame) -> pd.DataFrame:
    """Return one row per listed child and wave: child_id, wave, seen_in, and the child's own columns."""
    where = visits["institution_id"] if "institution_id" in visits.columns else pd.Series(pd.NA, index=visits.index)
    rows = pd.DataFrame({"child_id": visits["child_id"].astype(str), "wave": visits["wave"].astype(str), "seen_in": where})
    rows = rows.sort_values("seen_in", kind="stable", na_position="last").drop_duplicates(["child_id", "wave"])
    rows = rows.merge(listed, on="child_id", how="inner", validate="many_to_one")
    elsewhere = rows["seen_in"].notna()
    rows["seen_in"] = rows["seen_in"].astype("str").where(elsewhere, rows["institution"])
    return rows


def _arm_flow(arm: str, lots: pd.Series, listed: pd.DataFrame, seen: pd.DataFrame, waves: Sequence[str]) -> ArmFlow:
    own = set(lots.index[lots == arm])
    standing = {name: int((listed["standing"] == name).sum()) for name in STANDINGS}
    flows = tuple(_wave_flow(arm, wave, own, standing["cohort"], seen.loc[seen["wave"] == wave]) for wave in waves)
    return ArmFlow(arm=arm, institutions=len(own), listed=len(listed), waves=flows, **standing)


def _wave_flow(arm: str, wave: str, own: set[str], cohort: int, seen: pd.DataFrame) -> WaveFlow:
    """Count one arm at one wave; `seen` holds the visits of all arms at it, because movers may cross."""
    with_data = len(own & set(seen["seen_in"]))
    of_arm = seen.loc[seen["arm"] == arm]
    screened = of_arm.loc[of_arm["standing"] == "cohort"]
    return WaveFlow(
        wave=wave,
        institutions=len(own),
        with_data=with_data,
        without_data=len(own) - with_data,
        cohort=cohort,
        screened=len(screened),
        missing=cohort - len(screened),
        moved=int((screened["seen_in"] != screened["institution"]).sum()),
        joined=int((of_arm["standing"] == "joined_later").sum()),
    )
