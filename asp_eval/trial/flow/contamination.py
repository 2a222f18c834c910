"""Ways in which the arms may have met: children who moved, staff who work in both, raters who rated in both, other projects.

All of it is counted from the tables; what a table does not hold is None, and never 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from asp_eval.trial.flow.dose import EXTERNAL


@dataclass(frozen=True, slots=True)
class Shared:
    """People who worked in institutions of more than one arm.

    Attributes
    ----------
    people : int
        Known by their pseudonym.
    shared : int
        Of them in institutions of more than one arm.
    institutions : int
        Institutions these worked in.
    """

    people: int
    shared: int
    institutions: int


@dataclass(frozen=True, slots=True)
class ExternalProjects:
    """Institutions of one arm, and how many had a project of other origin beside the programme."""

    arm: str
    institutions: int
    with_project: int


@dataclass(frozen=True, slots=True)
class Contamination:
    """What is known of contacts between the arms; None where the table it is counted from is empty.

    Attributes
    ----------
    raters : Shared or None
        Who rated children, by the institution the children were seen in.
    staff : Shared or None
        Who is employed, by the list of staff.
    projects : tuple of ExternalProjects or None
    """

    raters: Shared | None
    staff: Shared | None
    projects: tuple[ExternalProjects, ...] | None


def contamination(
    arms: tuple[str, ...], allocation: pd.DataFrame, visits: pd.DataFrame, staff: pd.DataFrame, log: pd.DataFrame
) -> Contamination:
    """Count the contacts between the arms.

    Parameters
    ----------
    arms : tuple of str
    allocation : DataFrame
        institution_id, arm.
    visits : DataFrame
        institution_id, rater_id.
    staff : DataFrame
        staff_id, institution_id.
    log : DataFrame
        The implementation log: institution_id, kind.
    """
    lots = allocation.assign(institution_id=allocation["institution_id"].astype("str")).set_index("institution_id")["arm"]
    lots = lots.astype("str")
    return Contamination(shared(visits, "rater_id", lots), shared(staff, "staff_id", lots), external_projects(arms, log, lots))


def shared(rows: pd.DataFrame, person: str, lots: pd.Series) -> Shared | None:
    """Return how many people stand in institutions of more than one arm; None where nobody is named.

    Parameters
    ----------
    rows : DataFrame
        institution_id and the column `person`. Rows of institutions that were not drawn are left aside.
    person : str
    lots : Series
        Arm by institution.
    """
    if person not in rows.columns or rows[person].notna().sum() == 0:
        return None
    known = rows.loc[rows[person].notna() & rows["institution_id"].notna(), [person, "institution_id"]].astype("str")
    pairs = known.drop_duplicates()
    pairs = pairs.assign(arm=pairs["institution_id"].map(lots)).dropna(subset="arm")
    n_arms = pairs.groupby(person)["arm"].nunique()
    both = set(n_arms.index[n_arms > 1])
    return Shared(len(n_arms), len(both), int(pairs.loc[pairs[person].isin(both), "institution_id"].nunique()))


def external_projects(arms: tuple[str, ...], log: pd.DataFrame, lots: pd.Series) -> tuple[ExternalProjects, ...] | None:
    """Return how many institutions of each arm had an external project; None where no log was kept."""
    if log.empty:
        return None
    having = set(log["institution_id"][log["kind"].astype("str") == EXTERNAL].astype("str"))
    own = {arm: set(lots.index[lots == arm]) for arm in arms}
    return tuple(ExternalProjects(arm, len(own[arm]), len(own[arm] & having)) for arm in arms)
