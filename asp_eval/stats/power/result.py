"""What a power calculation gives: one row for each combination of the arguments, with everything that was assumed."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from asp_eval.core.errors import Fault

SEVERAL = Fault(
    "PWR-007", "there are {n} combinations, and so not one {name}", "Use frame(), which has a row for each combination."
)
NAMES = {"power": "Power", "effect": "Minimum detectable effect"}


@dataclass(frozen=True, slots=True, eq=False)
class PowerRow:
    """One combination.

    Attributes
    ----------
    arguments : mapping of str to object
        The values of the arguments that were sequences.
    effect, power, std_error, df : float
        With an uncertain intraclass correlation `power` is the expected power, and the standard error is that at its
        median.
    found : float
        What was sought: the power, the effect, or the unrounded number of units.
    low, high : float or None
        What was sought, at the 5 % and the 95 % quantile of an uncertain intraclass correlation, lowest first.
    whole : int or None
        The smallest number of units that can be drawn and reaches the power; `power`, `std_error` and `df` are at it.
    approximation : float or None
        Of a detectable effect, the one by central t.
    assumptions : tuple of str
    """

    arguments: Mapping[str, object]
    effect: float
    power: float
    std_error: float
    df: float
    found: float
    low: float | None = None
    high: float | None = None
    whole: int | None = None
    approximation: float | None = None
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class PowerResult:
    """Power, detectable effect or sample size; prints itself with its assumptions.

    Attributes
    ----------
    sought : str
        ``power``, ``effect``, or the part of the size that was found: ``clusters``, ``size``, ...
    rows : tuple of PowerRow
        One for each combination of arguments that were sequences.
    """

    sought: str
    rows: tuple[PowerRow, ...]

    @property
    def power(self) -> float:
        """The power, where there is one combination."""
        return self._only("power").power

    @property
    def effect(self) -> float:
        """The effect, where there is one combination."""
        return self._only("effect").effect

    @property
    def std_error(self) -> float:
        """The standard error of the effect, where there is one combination."""
        return self._only("standard error").std_error

    @property
    def df(self) -> float:
        """The degrees of freedom, where there is one combination."""
        return self._only("df").df

    @property
    def found(self) -> float:
        """What was sought, unrounded, where there is one combination."""
        return self._only(self.sought).found

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What every combination assumes; what differs between them stands in `frame`."""
        return tuple(a for a in self.rows[0].assumptions if all(a in row.assumptions for row in self.rows))

    def frame(self) -> pd.DataFrame:
        """Return one row for each combination.

        Returns
        -------
        DataFrame
            The arguments that were sequences, then effect, power, std_error, df; low and high where the intraclass correlation is
            uncertain; the number found, exactly and whole, of a sample size; approximation (by central t) of a detectable
            effect.
        """
        return pd.DataFrame([self._columns(row) for row in self.rows])

    def _columns(self, row: PowerRow) -> dict[str, object]:
        out = {name: _plain(value) for name, value in row.arguments.items()}
        if row.whole is not None:
            out |= {self.sought: row.whole, f"{self.sought}_exact": row.found}
        out |= {"effect": row.effect, "power": row.power, "std_error": row.std_error, "df": row.df}
        if row.low is not None:
            out |= {f"{self.sought}_low": row.low, f"{self.sought}_high": row.high}
        if row.approximation is not None:
            out["effect_central_t"] = row.approximation
        return out

    def _only(self, name: str) -> PowerRow:
        return SEVERAL.refuse("result", n=len(self.rows), name=name) if len(self.rows) != 1 else self.rows[0]

    def __str__(self) -> str:
        shown = [f"  {line}" for a in self.assumptions for line in textwrap.wrap(a, 76, subsequent_indent="  ")]
        return "\n".join([*(self._sentences() if len(self.rows) == 1 else self._table()), "Assumed:", *shown])

    def _table(self) -> list[str]:
        return self.frame().to_string(index=False, float_format=lambda x: f"{x:.4g}").splitlines()

    def _sentences(self) -> list[str]:
        row = self.rows[0]
        title = NAMES.get(self.sought, f"Number needed: {self.sought}")
        value = f"{row.whole} (unrounded {row.found:.4f})" if row.whole is not None else f"{row.found:.4f}"
        lines = [f"{title}: {value}"]
        if row.low is not None and row.high is not None:
            lines.append(f"  middle 90 % of the intraclass correlation: {row.low:.4g} to {row.high:.4g}")
        if row.approximation is not None:
            lines.append(f"  by the central t approximation {row.approximation:.4f}")
        lines.append(f"  effect {row.effect:.4g}, standard error {row.std_error:.4g}, df {row.df:.4g}, power {row.power:.4f}")
        return lines

    __repr__ = __str__


def _plain(value: object) -> object:
    """Return a value as a table can hold it: numbers as they are, distributions in words."""
    return value if isinstance(value, (int, float)) or value is None or hasattr(value, "dtype") else str(value)
