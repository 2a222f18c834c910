"""Where each child was at each wave: screened, or why not; and whether it was still in the trial.

Two things are kept apart. A child *attended* a wave if it was screened at it. A child was *retained* at a wave if it was
screened at it or listed in a file of it, or is at any later wave: a child absent midway and back at the end was in the
trial all the time. Whoever is neither is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.trial.study.design import Study, Wave

Flags = npt.NDArray[np.bool_]

SCREENED = "screened"
NOT_SCREENED = ("institution_closed", "institution_silent", "unanswered", "unlisted")  # the first that applies


def screening_waves(study: Study) -> tuple[str, ...]:
    """Return the waves at which children are screened, in the study's order."""
    return study.collected_waves("screening") or study.wave_ids


def presence(
    study: Study, children: pd.DataFrame, visits: pd.DataFrame, lists: pd.DataFrame, institutions: pd.DataFrame
) -> pd.DataFrame:
    """Return where each child was at each wave.

    Parameters
    ----------
    study : Study
    children : DataFrame
        child_id, institution (at the draw); one row per child.
    visits : DataFrame
        child_id, wave, institution_id (where the child was screened). Several rows of a child at a wave are one visit; one
        without an institution counts where the child was drawn. Visits of children who are not listed are left aside.
    lists : DataFrame
        child_id, wave, institution_id: who stood in a file of the wave, screened or not.
    institutions : DataFrame
        institution_id; closed_on where it is collected.

    Returns
    -------
    DataFrame
        One row per child and wave: child_id, wave, `where` (the institution in which the child was screened or listed at the
        wave, else the last one before it), `state` (``"screened"`` or one of `NOT_SCREENED`), `retained`.
    """
    drawn_in = children.set_index("child_id")["institution"].astype("str")
    waves, where = screening_waves(study), drawn_in
    frames, there = [], []
    for wave in waves:
        seen, listed = _at(visits, wave, drawn_in), _at(lists, wave, drawn_in)
        where = seen.where(seen.notna(), listed.where(listed.notna(), where))
        closed = closed_by(institutions, study.wave(wave))
        silent = ~where.isin(seen.dropna().unique())
        tests = [seen.notna(), silent & where.isin(closed), silent, listed.notna()]
        state = np.select([test.to_numpy() for test in tests], [SCREENED, *NOT_SCREENED[:3]], default=NOT_SCREENED[3])
        frames.append(pd.DataFrame({"child_id": drawn_in.index, "wave": wave, "where": where.to_numpy(), "state": state}))
        there.append((seen.notna() | listed.notna()).to_numpy())
    if not frames:
        return pd.DataFrame({"child_id": [], "wave": [], "where": [], "state": [], "retained": []})
    return pd.concat(frames, ignore_index=True).assign(retained=np.concatenate(_from_now_on(there)))


def handed_in(where: npt.NDArray[Any], rated: Flags) -> set[str]:
    """Return the institutions that handed in data of their own at a wave: some child, whichever, was rated in them.

    This is the one definition of an institution that is not lost. A child that moved away and was rated elsewhere does not
    keep the institution it was drawn in.

    Parameters
    ----------
    where : ndarray of str (children,)
        The institution each child was in at the wave.
    rated : ndarray of bool (children,)
        Whether it was rated at it: screened, or with a value of an outcome.
    """
    return {str(one) for one in where[rated]}


def _at(rows: pd.DataFrame, wave: str, drawn_in: pd.Series) -> pd.Series:
    """Return the institution each child has in the rows of a wave, indexed as `drawn_in`; missing for who has no row."""
    now = rows[rows["wave"].astype("str") == wave]
    place = now["institution_id"] if "institution_id" in now.columns else pd.Series(pd.NA, index=now.index)
    known = pd.DataFrame({"child_id": now["child_id"].astype("str"), "place": place.astype("string")})
    if known["child_id"].duplicated().any():
        known = known.sort_values("place", kind="stable", na_position="last").drop_duplicates("child_id")
    known = known.set_index("child_id")
    found = known["place"].reindex(drawn_in.index)
    unplaced = found.isna() & (known.index.get_indexer(drawn_in.index) >= 0)
    return found.mask(unplaced, drawn_in.astype("string"))


def closed_by(institutions: pd.DataFrame, wave: Wave) -> set[str]:
    """Return the institutions that had closed by the end of a wave; a wave without a last day is taken to be later."""
    if "closed_on" not in institutions.columns:
        return set()
    day = pd.to_datetime(institutions["closed_on"], errors="coerce")
    gone = day.notna() if wave.end is None else day <= pd.Timestamp(wave.end)
    return set(institutions.loc[gone, "institution_id"].astype("str"))


def closed_why(institutions: pd.DataFrame) -> dict[str, str]:
    """Return why institutions closed, by institution_id, of those for which the list says it."""
    if "closed_why" not in institutions.columns:
        return {}
    said = institutions.loc[institutions["closed_why"].notna(), ["institution_id", "closed_why"]].astype("str")
    return {institution: why.strip() for institution, why in said.itertuples(index=False) if why.strip()}


def _from_now_on(there: Sequence[Flags]) -> list[Flags]:
    """Return, for each wave, who was there at it or at any later one."""
    return [np.logical_or.reduce(there[k:]) for k in range(len(there))]
