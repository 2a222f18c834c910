"""An estimate with its interval, as every table shows it."""

from __future__ import annotations

from asp_eval.analysis.results import Estimated
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Cell, cell
from asp_eval.reporting.numbers import digits_for
from asp_eval.reporting.setting import Setting


def shown_estimate(found: Estimated, setting: Setting, digits: int | None = None, factor: float = 1.0) -> Cell:
    """Return a cell with an estimate, and its interval below; where there is none, with the reason.

    Parameters
    ----------
    found : Estimate or Unavailable
    setting : Setting
    digits : int, optional
        Decimals; by default as many as the standard error deserves.
    factor : float
        What the numbers are multiplied by: 100 for percentage points of a share.
    """
    return cell(*with_interval(found, setting, digits, factor))


def with_interval(found: Estimated, setting: Setting, digits: int | None = None, factor: float = 1.0) -> tuple[str, str]:
    """Return the two lines of `shown_estimate`; the second is empty where there is no interval."""
    show = setting.show
    if isinstance(found, Unavailable):
        return show.reason(found), ""
    places = digits_for(found.std_error) if digits is None else digits
    value, low, high = (None if v is None else factor * v for v in (found.estimate, found.conf_low, found.conf_high))
    return show.decimal(value, places), "" if low is None else show.interval(low, high, places)
