"""Variance components and random effects as tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from asp_eval.stats.design.layout import Layout
from asp_eval.stats.estimate import Array


def covariance_matrices(d: list[Array], transforms: list[Array], scale: float) -> list[Array]:
    """Return the covariance matrix of each factor's effects in the data's units: scale * B D B'."""
    return [scale * (B @ D @ B.T) for D, B in zip(d, transforms, strict=True)]


def components_table(layout: Layout, covariances: Sequence[Array], sigma2: float | None) -> pd.DataFrame:
    """Return one row per variance and, where effects of one block may correlate, per covariance; the residual, if any, last.

    Columns: group, term1, term2 (empty on variances), variance (or covariance), correlation.
    """
    rows: list[tuple[str, str, str, float, float]] = []
    for factor, D in zip(layout.factors, covariances, strict=True):
        at = 0
        for block in factor.blocks:
            names = [layout.columns[e] for e in block]
            own = D[at : at + len(block), at : at + len(block)]
            rows += [(factor.name, n, "", float(v), np.nan) for n, v in zip(names, np.diag(own), strict=True)]
            for i in range(len(block)):
                for j in range(i):
                    product = float(np.sqrt(own[i, i] * own[j, j]))
                    correlation = float(np.clip(own[i, j] / product, -1.0, 1.0)) if product > 0 else np.nan
                    rows.append((factor.name, names[j], names[i], float(own[i, j]), correlation))
            at += len(block)
    if sigma2 is not None:
        rows.append(("residual", "", "", sigma2, np.nan))
    return pd.DataFrame(rows, columns=["group", "term1", "term2", "variance", "correlation"])


def effects_table(layout: Layout, levels: Sequence[pd.Index], modes: Sequence[Array], variances: Sequence[Array]) -> pd.DataFrame:
    """Return one row per random effect: group, level, term, estimate, std_error (conditional on the coefficients)."""
    parts = []
    for factor, index, b, v in zip(layout.factors, levels, modes, variances, strict=True):
        k = b.shape[1]
        parts.append(
            pd.DataFrame(
                {
                    "group": factor.name,
                    "level": np.repeat(np.asarray(level_names(index), object), k),
                    "term": np.tile(np.asarray([layout.columns[e] for e in factor.effects], object), len(b)),
                    "estimate": b.ravel(),
                    "std_error": np.sqrt(np.maximum(np.einsum("mkk->mk", v), 0.0)).ravel(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True).astype({"group": "str", "level": "str", "term": "str"})


def level_names(index: pd.Index) -> list[str]:
    """Return the groups as text; combinations of columns are joined with a colon."""
    if isinstance(index, pd.MultiIndex):
        return [":".join(_text(v) for v in combination) for combination in index]
    return [_text(v) for v in index]


def _text(value: object) -> str:
    """Return a group's label; a whole number read as a float is written without its decimals."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
