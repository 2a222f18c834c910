"""Age in years from the month of birth: exact to half a month, counted to the middle of the birth month."""

from __future__ import annotations

import pandas as pd

DAYS_IN_YEAR = 365.25
MIDDLE_OF_MONTH = pd.Timedelta(days=14)


def age_years(birth_month: pd.Series[str], on: pd.Series[pd.Timestamp]) -> pd.Series[float]:
    """Return age in years.

    Parameters
    ----------
    birth_month : Series of str
        ``"2002-07"``; missing where unknown.
    on : Series of datetime64
        The day the age is wanted for, on the same index.

    Examples
    --------
    >>> age_years(pd.Series(["2002-07"]), pd.Series(pd.to_datetime(["2006-07-15"]))).round(2).tolist()
    [4.0]
    """
    born = pd.to_datetime(birth_month, format="%Y-%m", errors="coerce") + MIDDLE_OF_MONTH
    return (on - born).dt.days / DAYS_IN_YEAR
