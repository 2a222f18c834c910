"""The power of a study: over effects and intraclass correlations, by formula and by simulation from its own declaration."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from asp_eval.analysis.power_inputs import PlannedTrial, Wishes, plan_trial
from asp_eval.core.errors import Refusal
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Array
from asp_eval.stats.power.analytic import minimum_detectable_effect, power
from asp_eval.stats.power.designs import Sizes, TwoLevel
from asp_eval.stats.power.icc import IccDistribution
from asp_eval.stats.power.needed import BEYOND_REASON, sample_size
from asp_eval.stats.power.question import MOST_SDS
from asp_eval.stats.power.simulated import NOT_SIMULATED, simulate_power
from asp_eval.stats.power.values import single
from asp_eval.trial.study.design import Study

FEW_CLUSTERS, LITTLE_ICC = 20, 0.05
"""Below both, Kenward-Roger finds effects several points more seldom than the formula says."""
TRIALS = 5_000
"""Simulated where the formula says too much and nobody asked for a number."""
FORMULA = (
    "the formula is exact for the t test of institution means, with equal sizes and the intraclass correlation as stated; "
    "Kenward-Roger departs from it where the variance between institutions is estimated as zero"
)
FEW = "few institutions and a small intraclass correlation: the formula says too much; go by the simulated power"


@dataclass(frozen=True, slots=True, eq=False)
class StudyPower:
    """The power of a study.

    Attributes
    ----------
    planned : PlannedTrial
    table : DataFrame
        One row per intraclass correlation and effect: icc, effect, power, std_error, df, institutions_needed (in the
        arms compared; missing beyond a million); power_low and power_high where an intraclass correlation is
        uncertain; simulated_power, monte_carlo_error, rejects_zero where trials were simulated.
    detectable : DataFrame
        One row per intraclass correlation: icc, power, effect; effect_low and effect_high.
    trials : int
        How many were simulated.
    """

    planned: PlannedTrial
    table: pd.DataFrame
    detectable: pd.DataFrame
    trials: int = 0

    @property
    def few(self) -> bool:
        """Whether the formula says too much: fewer than 20 institutions, and an intraclass correlation that is small."""
        small = any(isinstance(icc, (int, float)) and icc < LITTLE_ICC for icc in self.planned.iccs)
        return small and clusters_of(self.planned) < FEW_CLUSTERS

    def curves(self, points: int = 41) -> tuple[pd.DataFrame, ...]:
        """Return, for each intraclass correlation, power over a fine grid of effects."""
        effects = np.linspace(0.0, min(MOST_SDS, 1.15 * max(self.planned.effects)), points)
        return tuple(_power(self.planned, icc, effects) for icc in self.planned.iccs)

    def icc_labels(self) -> tuple[str, ...]:
        """Return a short name for each intraclass correlation, in order."""
        return tuple(f"ICC {icc:.3g}" if isinstance(icc, (int, float)) else "ICC learned" for icc in self.planned.iccs)

    def across(self, column: str) -> list[tuple[float, list[str]]]:
        """Return a column of the table as text: for each effect its cells across the intraclass correlations.

        Power has three decimals, and its range where the intraclass correlation is uncertain.
        """
        out = []
        for n, effect in enumerate(self.planned.effects):
            rows = [self.table.iloc[n + i * len(self.planned.effects)] for i in range(len(self.planned.iccs))]
            out.append((effect, [_cell(row, column) for row in rows]))
        return out

    def assumptions(self) -> tuple[str, ...]:
        """Return everything that is assumed, in words."""
        uncertain = [str(icc) for icc in self.planned.iccs if not isinstance(icc, (int, float))]
        ranges = ["in brackets: power over the middle 90 % of the intraclass correlation"] if uncertain else []
        lot = "with the study's own lot" if self.planned.situation else "with every allocation in the ratio as likely"
        drawn = f"{self.trials:,} trials simulated {lot}: normal outcomes, REML, Kenward-Roger" if self.trials else ""
        df = f"degrees of freedom {self.table['df'].iloc[0]:g}"
        return (*self.planned.assumptions, df, FORMULA, *ranges, *([drawn] if drawn else []), *([FEW] if self.few else []))

    def account_frame(self) -> pd.DataFrame:
        """Return the table with the assumptions in its last column, for a file that may travel alone."""
        return self.table.assign(assumed="; ".join(self.assumptions()))

    def as_dict(self) -> dict[str, object]:
        """Return everything as plain values, for JSON."""
        tables = {"power": self.table, "detectable": self.detectable}
        plain = {name: [_without_gaps(row) for row in frame.to_dict("records")] for name, frame in tables.items()}
        return {**plain, "aim": self.planned.aim, "trials": self.trials, "assumptions": list(self.assumptions())}


def _cell(row: pd.Series, column: str) -> str:
    if column == "institutions_needed":
        return ">1,000,000" if pd.isna(row[column]) else f"{int(row[column]):,}"
    if pd.isna(row[column]):
        return ""
    low = row.get("power_low")
    ranged = column == "power" and low is not None and not pd.isna(low)
    shown = ">0.999" if row[column] > 0.9995 else f"{row[column]:.3f}"
    return shown + (f" ({low:.2f}-{row['power_high']:.2f})" if ranged else "")


def _without_gaps(row: Mapping[Hashable, object]) -> dict[str, object]:
    return {str(name): value for name, value in row.items() if not (isinstance(value, float) and np.isnan(value))}


def study_power(study: Study, wishes: Wishes | None = None, *, simulate: int = 0, seed: int = 1) -> StudyPower:
    """Return the power of a study, as declared and planned.

    Parameters
    ----------
    study : Study
    wishes : Wishes, optional
        What goes before the tables and study.yaml.
    simulate : int
        Trials to simulate besides, for each intraclass correlation.
    seed : int
        Of the simulation.

    Raises
    ------
    Refusal
        If institutions or children are not known, or a number cannot be.
    """
    planned = plan_trial(study, wishes or Wishes())
    table = pd.concat([_power(planned, icc, planned.effects) for icc in planned.iccs], ignore_index=True)
    table["institutions_needed"] = [n for icc in planned.iccs for n in _needed(planned, icc)]
    detectable = [
        minimum_detectable_effect(planned.at(icc), planned.aim, waves=planned.waves, losses=planned.losses, test=planned.test)
        .frame()
        .assign(icc=_label(icc))
        for icc in planned.iccs
    ]
    found = StudyPower(planned, table, pd.concat(detectable, ignore_index=True))
    trials = simulate or (TRIALS if found.few else 0)
    if trials:
        found = replace(found, table=table.join(simulated(planned, trials, seed).reset_index(drop=True)), trials=trials)
    return found


def clusters_of(planned: PlannedTrial) -> float:
    """Return how many institutions are compared."""
    size, clusters = planned.design.size, planned.design.clusters
    return float(len(size.values)) if isinstance(size, Sizes) and clusters is None else float(single(clusters))


def simulated(planned: PlannedTrial, trials: int, seed: int) -> pd.DataFrame:
    """Return simulated power in the order of the table: simulated_power, monte_carlo_error, rejects_zero.

    Rows of three levels are missing: they are not simulated.

    Raises
    ------
    Refusal
        PWR-040 where every row is of three levels.
    """
    flat = [icc for icc in planned.iccs if isinstance(planned.at(icc), TwoLevel)]
    if not flat:
        NOT_SIMULATED.refuse("--simulate", why=Phrase("it is not a two-level design analysed by a mixed model"))
    found = simulate_power(
        replace(planned.design, icc=flat),
        planned.effects,
        waves=planned.waves,
        losses=planned.losses,
        test=planned.test,
        situation=planned.situation,
        trials=trials,
        seed=seed,
    ).frame()
    found = found.rename(columns={"power": "simulated_power"})[["simulated_power", "monte_carlo_error", "rejects_zero"]]
    rows = len(planned.effects)
    kept = np.repeat([isinstance(planned.at(icc), TwoLevel) for icc in planned.iccs], rows)
    return found.set_index(np.flatnonzero(kept)).reindex(range(rows * len(planned.iccs)))


def _power(planned: PlannedTrial, icc: float | IccDistribution, effects: Sequence[float] | Array) -> pd.DataFrame:
    found = power(planned.at(icc), list(effects), waves=planned.waves, losses=planned.losses, test=planned.test).frame()
    found.insert(0, "icc", _label(icc))
    return found


def _needed(planned: PlannedTrial, icc: float | IccDistribution) -> list[float]:
    """Return the institutions of the arms compared that each effect needs; missing beyond a million."""
    design = planned.at(icc)
    if isinstance(design, TwoLevel):
        size = design.size
        mean, cv = (size.mean, size.cv) if isinstance(size, Sizes) else (size, design.cv)
        design = replace(design, clusters=None, size=mean, cv=cv)
    else:
        design = replace(design, clusters=None)
    needed = []
    for effect in planned.effects:
        try:
            found = sample_size(design, effect, planned.aim, waves=planned.waves, losses=planned.losses, test=planned.test).rows[
                0
            ]
            needed.append(float(found.whole or np.nan))
        except Refusal as refused:
            if refused.problems[0].code != BEYOND_REASON.code:
                raise
            needed.append(np.nan)
    return needed


def _label(icc: float | IccDistribution) -> float | str:
    return icc if isinstance(icc, (int, float)) else str(icc)
