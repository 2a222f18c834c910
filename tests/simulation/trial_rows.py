"""Trials simulated child by child, for tests of what the study draws as cross-products."""

from __future__ import annotations

import numpy as np
import pandas as pd
from draws import COVARIATE_ICC, SLOPE


def rows_of_trial(rng: np.random.Generator, sizes: list[int], icc: float) -> pd.DataFrame:
    """Simulate a trial child by child."""
    m, n = len(sizes), sum(sizes)
    g = np.repeat(np.arange(m), sizes)
    arm = rng.permutation(np.arange(m) < m // 2)[g] * 1.0
    x = rng.normal(0, np.sqrt(COVARIATE_ICC), m)[g] + rng.normal(0, np.sqrt(1 - COVARIATE_ICC), n)
    y = SLOPE * x + rng.normal(0, np.sqrt(icc), m)[g] + rng.normal(0, np.sqrt(1 - icc), n)
    return pd.DataFrame({"institution": g, "arm": arm, "x": x, "y": y})


def cross_products(frame: pd.DataFrame) -> np.ndarray:
    """Return the cross-products of [1, arm, x, y] within institutions."""
    u = np.column_stack([np.ones(len(frame)), frame[["arm", "x", "y"]].to_numpy()])
    g = frame["institution"].to_numpy()
    return np.stack([u[g == j].T @ u[g == j] for j in range(g.max() + 1)])
