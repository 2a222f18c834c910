"""From answers to the rows of the results file: shares, their Monte Carlo errors, typical widths."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from batched import Answers, Flags
from block import ResampledBlock
from cells import Cell

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Row:
    """One method in one cell, for one estimand. Shares lie between 0 and 1.

    Attributes
    ----------
    sizes : str
        equal or unequal.
    truth : float
        The true value of the estimand.
    available : float
        Share of trials with a p-value.
    rejects_zero : float
        Share of all trials in which "no effect" is rejected at 5 %, a trial without a p-value counting as not rejected.
        Type I error where the truth is zero, power elsewhere.
    rejects_zero_available : float or None
        The same share among trials with a p-value.
    coverage : float or None
        Share of the available intervals of 95 % that hold the truth.
    mc_error : float
        Standard error of a share of .05 (or .95) from this many trials.
    bias, sd : float or None
        Mean estimate less truth; standard deviation of the estimates. These and what follows: closed-form methods only.
    mean_se_ratio : float or None
        Mean standard error over `sd`.
    median_df, median_half_width : float or None
    singular : float or None
        Share of trials whose mixed model has a zero variance between clusters.
    rejects_zero_singular : float or None
        Share of those in which "no effect" is rejected.
    attainable : float or None
        The size a permutation test can have: its largest p-value below .05.
    """

    family: str
    clusters: int
    treated: int
    sizes: str
    icc: float
    icc_treated: float
    effect: float
    method: str
    estimand: str
    truth: float
    trials: int
    available: float
    rejects_zero: float
    rejects_zero_available: float | None
    coverage: float | None
    mc_error: float
    bias: float | None = None
    sd: float | None = None
    mean_se_ratio: float | None = None
    median_df: float | None = None
    median_half_width: float | None = None
    singular: float | None = None
    rejects_zero_singular: float | None = None
    attainable: float | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """What names a row."""
        return (*self.cell_key, self.method, self.estimand)

    @property
    def cell_key(self) -> tuple[object, ...]:
        """What names its cell."""
        return (self.family, self.clusters, self.treated, self.sizes, self.icc, self.icc_treated, self.effect)


def joined(parts: Sequence[Answers]) -> Answers:
    """Return the answers of consecutive blocks as one."""
    return Answers(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Answers)))


def closed_form_rows(cell: Cell, truths: Mapping[str, float], method: str, found: Answers, singular: Flags) -> list[Row]:
    """Return the rows of one closed-form method."""
    there = ~np.isnan(found.p_value)
    rejected = found.p_value[there] < ALPHA
    rows = []
    for estimand, truth in truths.items():
        held = (found.conf_low[there] <= truth) & (truth <= found.conf_high[there])
        width = (found.conf_high - found.conf_low)[there] / 2
        df = found.df[there]
        sd = float(found.estimate.std(ddof=1))
        rows.append(
            Row(
                *cell_values(cell),
                method,
                estimand,
                truth,
                len(there),
                float(there.mean()),
                float(rejected.sum() / len(there)),
                _mean(rejected),
                _mean(held),
                mc_error(len(there)),
                float(found.estimate.mean() - truth),
                sd,
                None if not there.any() else float(found.std_error[there].mean() / sd),
                None if not there.any() or np.isinf(df).all() else float(np.median(df)),
                None if not there.any() else float(np.median(width)),
                float(singular.mean()),
                _mean(found.p_value[singular & there] < ALPHA),
            )
        )
    return rows


def resampled_rows(cell: Cell, method: str, parts: Sequence[ResampledBlock], attainable: float | None) -> list[Row]:
    """Return the rows of a resampling method."""
    p = np.concatenate([part.at_zero for part in parts])
    rows = []
    for estimand, truth in parts[0].truths.items():
        held = np.concatenate([part.at_truth[estimand] for part in parts]) >= ALPHA
        rejects = float((p < ALPHA).mean())
        rows.append(
            Row(
                *cell_values(cell),
                method,
                estimand,
                truth,
                len(p),
                1.0,
                rejects,
                rejects,
                float(held.mean()),
                mc_error(len(p)),
                attainable=attainable,
            )
        )
    return rows


def cell_values(cell: Cell) -> tuple[str, int, int, str, float, float, float]:
    """Return the columns that name a cell."""
    sizes = "unequal" if cell.unequal else "equal"
    return cell.family, cell.clusters, cell.treated, sizes, cell.icc, cell.icc_treated, cell.effect


def mc_error(trials: int, share: float = ALPHA) -> float:
    """Return the standard error of a share."""
    return float(np.sqrt(share * (1 - share) / trials))


def _mean(flags: Flags) -> float | None:
    """Return a share, or None of nothing."""
    return float(flags.mean()) if len(flags) else None


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write the results file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: _text(v) for k, v in asdict(row).items()} for row in rows)


def read_rows(path: Path) -> list[Row]:
    """Read the results file; none if it is not there."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [Row(**{f.name: _value(f.type, raw[f.name]) for f in fields(Row)}) for raw in csv.DictReader(file)]


def merged(old: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """Return old rows with new ones in their place."""
    return list({row.key: row for row in (*old, *new)}.values())


def _text(value: object) -> object:
    """Return a number with the digits that mean something; None as an empty cell."""
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else value


def _value(kind: object, text: str) -> str | int | float | None:
    """Return a cell as what its column holds."""
    if kind == "str":
        return text
    if kind == "int":
        return int(text)
    return float(text) if text else None
