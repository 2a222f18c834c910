"""Institutions that had closed by a day: they are not drawn, and everybody is told which they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from asp_eval.core.phrases import Phrase


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An institution of the list that was not drawn because it had closed.

    Attributes
    ----------
    institution : str
    closed_on : str
        The day, written 2027-12-31.
    why : str
        As the list says it; empty if it does not.
    """

    institution: str
    closed_on: str
    why: str = ""

    @property
    def reason(self) -> Phrase:
        """Why it was not drawn, in words."""
        if self.why:
            return Phrase("closed on {day}: {why}", day=self.closed_on, why=self.why)
        return Phrase("closed on {day}", day=self.closed_on)


def still_open(institutions: pd.DataFrame, on: date) -> pd.DataFrame:
    """Return the institutions that have not closed by a day; one that closes later is open.

    Parameters
    ----------
    institutions : DataFrame
        One row per institution; ``closed_on`` where the list has it.
    on : date
        An institution that closed on this very day has closed.

    Examples
    --------
    >>> listed = pd.DataFrame({"institution_id": ["A", "B", "C"], "closed_on": ["2027-05-01", "2029-01-01", None]})
    >>> still_open(listed, date(2027, 5, 1))["institution_id"].tolist()
    ['B', 'C']
    """
    return institutions[~_closed(institutions, on)]


def left_out(institutions: pd.DataFrame, on: date) -> tuple[LeftOut, ...]:
    """Return the institutions that had closed by a day, by id.

    Examples
    --------
    >>> listed = pd.DataFrame({"institution_id": ["A", "B"], "closed_on": ["2027-05-01", None], "closed_why": ["merged", None]})
    >>> [str(one.reason) for one in left_out(listed, date(2027, 6, 1))]
    ['closed on 2027-05-01: merged']
    """
    gone = institutions[_closed(institutions, on)].sort_values("institution_id")
    if gone.empty:
        return ()
    days = pd.to_datetime(gone["closed_on"], errors="coerce")
    why = gone["closed_why"].astype("string").fillna("") if "closed_why" in gone else [""] * len(gone)
    return tuple(
        LeftOut(str(institution), f"{day:%Y-%m-%d}", str(reason).strip())
        for institution, day, reason in zip(gone["institution_id"], days, why, strict=True)
    )


def _closed(institutions: pd.DataFrame, on: date) -> pd.Series[bool]:
    if "closed_on" not in institutions.columns:
        return pd.Series(False, index=institutions.index)
    return pd.to_datetime(institutions["closed_on"], errors="coerce") <= pd.Timestamp(on)
