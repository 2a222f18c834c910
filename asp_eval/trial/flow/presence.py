"""Where each child was at each wave: screened, or why not; and whether it was still in the trial.

Two things are kept apart. A child *attended* a wave if it was screened at it. A child was *retained* at a wave if it was
screened at it or listed in a file of it, or is at any later wave: a child absent midway and back at the end was in the
trial all the time. Whoever is neither is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.trial.study.design import Study, Wave

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

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
        One row per child and wave, the children in their order at each wave: child_id, wave, `where` (the institution in which
        the child was screened or listed at the wave, else the last one before it), `state` (``"screened"`` or one of
        `NOT_SCREENED`), `retained`.
    """
    ids = pd.Index(children["child_id"].astype("str"))
    stated = [texts.dropna().astype("str").unique() for texts in _institutions(children, visits, lists)]
    names = pd.Index(sorted({str(name) for texts in stated for name in texts}))
    drawn_in = places_of(children["institution"], names)
    screened, reported = _Rows.of(visits, ids, names), _Rows.of(lists, ids, names)
    waves, where, no_longer = screening_waves(study), drawn_in, NOT_SCREENED.index("unlisted") + 1
    wheres, states, there = [], [], []
    for wave in waves:
        seen, listed = screened.at(wave, drawn_in), reported.at(wave, drawn_in)
        where = np.where(seen >= 0, seen, np.where(listed >= 0, listed, where))
        closed = names.get_indexer(pd.Index(sorted(closed_by(institutions, study.wave(wave))), dtype=names.dtype))
        silent = ~np.isin(where, seen[seen >= 0])
        tests = [seen >= 0, silent & np.isin(where, closed[closed >= 0]), silent, listed >= 0]
        wheres.append(where)
        states.append(np.select(tests, range(len(tests)), default=no_longer))
        there.append((seen >= 0) | (listed >= 0))
    if not waves:
        return pd.DataFrame({"child_id": [], "wave": [], "where": [], "state": [], "retained": []})
    numbers, every = np.repeat(np.arange(len(waves)), len(ids)), np.tile(np.arange(len(ids)), len(waves))
    return pd.DataFrame(
        {
            "child_id": ids.take(every),
            "wave": pd.Categorical.from_codes(numbers, pd.Index(waves)),
            "where": pd.Categorical.from_codes(np.concatenate(wheres), names),
            "state": pd.Categorical.from_codes(np.concatenate(states), pd.Index([SCREENED, *NOT_SCREENED])),
            "retained": np.concatenate(_from_now_on(there)),
        }
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows of children at waves, by numbers.

    Attributes
    ----------
    wave : Series
    child : ndarray of int (n,)
        Place among the children; -1 for who is not listed.
    place : ndarray of int (n,)
        Place of the institution among the names in alphabetical order; behind them where none is given.
    n_children, n_places : int
    """

    wave: pd.Series
    child: Places
    place: Places
    n_children: int
    n_places: int

    @classmethod
    def of(cls, rows: pd.DataFrame, ids: pd.Index, names: pd.Index) -> _Rows:
        """Return the rows of a table."""
        known = "institution_id" in rows.columns
        place = places_of(rows["institution_id"], names) if known else np.full(len(rows), -1)
        child = places_of(rows["child_id"], ids)
        return cls(rows["wave"], child, np.where(place < 0, len(names), place), len(ids), len(names))

    def at(self, wave: str, drawn_in: Places) -> Places:
        """Return the institution each child has at a wave, of several the first; -1 for who has no row."""
        now = (self.wave == wave).to_numpy(dtype=bool, na_value=False) & (self.child >= 0)
        found = np.full(self.n_children, self.n_places + 1)
        np.minimum.at(found, self.child[now], self.place[now])
        return np.where(found < self.n_places, found, np.where(found == self.n_places, drawn_in, -1))


def _institutions(children: pd.DataFrame, *tables: pd.DataFrame) -> Iterator[pd.Series]:
    """Yield the columns that name institutions."""
    yield children["institution"]
    yield from (table["institution_id"] for table in tables if "institution_id" in table.columns)


def places_of(texts: pd.Series, among: pd.Index) -> Places:
    """Return the place of each text among others, -1 for one that is not there."""
    codes, found = pd.factorize(texts)
    return np.append(among.get_indexer(pd.Index(found).astype(among.dtype)), -1)[codes]


def handed_in(where: pd.Series, rated: Flags) -> set[str]:
    """Return the institutions that handed in data of their own at a wave: some child, whichever, was rated in them.

    This is the one definition of an institution that is not lost. A child that moved away and was rated elsewhere does not
    keep the institution it was drawn in.

    Parameters
    ----------
    where : Series of str (children,)
        The institution each child was in at the wave.
    rated : ndarray of bool (children,)
        Whether it was rated at it: screened, or with a value of an outcome.
    """
    return {str(one) for one in where[rated].unique()}


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
