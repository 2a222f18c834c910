"""Predictions of new rows with their standard errors and intervals, for every kind of fit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import NO_NOTE
from asp_eval.stats import contrasts
from asp_eval.stats.design.prediction import MeanRows
from asp_eval.stats.estimate import Array, t_quantile
from asp_eval.stats.smallsample.method import Fit, Method

KIND = Fault("FIT-015", "there are no intervals of this kind", 'Use "confidence" (of the mean) or "prediction" (of a new row).')


def prediction_table(fit: Fit, mean: MeanRows, method: Method, level: float, kind: str, added: Array | None) -> pd.DataFrame:
    """Return estimate, std_error, df, conf_low, conf_high, method, note: one row per new row.

    Parameters
    ----------
    fit : Fit
    mean : MeanRows
        Columns and offset of the new rows.
    method : Method
    level : float
    kind : {"confidence", "prediction"}
    added : ndarray (n,) or None
        For a prediction, the variance of a new outcome about its mean.
    """
    if not isinstance(kind, str) or kind not in ("confidence", "prediction"):
        KIND.refuse(found=kind)
    rows = contrasts.estimates(fit, mean.X, [""] * len(mean.X), method, level)
    value = np.array([r.estimate for r in rows], float) + mean.offset
    se, df = (np.array([getattr(r, c) for r in rows], float) for c in ("std_error", "df"))
    spread = se if added is None else np.sqrt(se**2 + added)
    half = t_quantile((1.0 + level) / 2.0, df) * spread
    return pd.DataFrame(
        {
            "estimate": value,
            "std_error": spread,
            "df": df,
            "conf_low": value - half,
            "conf_high": value + half,
            "method": [r.method for r in rows],
            "note": [r.note or NO_NOTE for r in rows],
        }
    )
