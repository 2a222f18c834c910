"""The names that users of statsmodels and R type at a fit: each is one of its tables, read in another way.

``params``, ``bse``, ``tvalues``, ``pvalues`` and ``conf_int()`` are columns of ``tidy()``, so they follow the fit's usual method
of inference (`KenwardRoger` for `lmm`, `CR2` for `ols` with clusters) and not the normal approximation.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import pandas as pd

from asp_eval.stats.smallsample.method import Method


class Summary(str):
    """A text that a notebook shows as it is printed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class FamiliarNames:
    """What a fit with ``tidy(method, level)`` answers under other programs' names."""

    __slots__ = ()

    @abstractmethod
    def tidy(self, method: Method | None = None, level: float = 0.95) -> pd.DataFrame:
        """Return one row per coefficient."""

    @property
    def params(self) -> pd.Series:
        """Coefficients by name; a dropped one is missing."""
        return self._column("estimate")

    @property
    def bse(self) -> pd.Series:
        """Standard errors by name."""
        return self._column("std_error")

    @property
    def tvalues(self) -> pd.Series:
        """T by name."""
        return self._column("statistic")

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p-values by name."""
        return self._column("p_value")

    def conf_int(self, alpha: float = 0.05, method: Method | None = None) -> pd.DataFrame:
        """Return confidence intervals of level 1 - alpha by name: conf_low, conf_high."""
        level = 1.0 - alpha if isinstance(alpha, (int, float, np.number)) else alpha
        return self.tidy(method, level).set_index("term")[["conf_low", "conf_high"]]

    def _column(self, name: str) -> pd.Series:
        """Return a column of the usual table, by term."""
        return self.tidy().set_index("term")[name].rename(name)


def coefficient_table(tidy: pd.DataFrame) -> pd.DataFrame:
    """Return rows of ``tidy`` under the headings of lmerTest's summary."""
    shown = {
        "": "term",
        "Estimate": "estimate",
        "Std. Error": "std_error",
        "df": "df",
        "t value": "statistic",
        "Pr(>|t|)": "p_value",
    }
    return pd.DataFrame({k: tidy[v] for k, v in shown.items()})


def in_one(methods: Sequence[str]) -> str:
    """Return the methods that produced a table, each once."""
    return ", ".join(dict.fromkeys(m for m in methods if m))
