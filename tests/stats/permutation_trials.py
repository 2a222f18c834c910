"""Small cluster-randomised trials for the tests of permutation and bootstrap."""

from __future__ import annotations

import numpy as np
import pandas as pd


def trial(clusters: int = 12, size: int = 8, icc: float = 0.1, seed: int = 1, arms: int = 2, effect: float = 0.0) -> pd.DataFrame:
    """Unequal clusters in two strata (municipalities), allocated within them; a covariate, weights, two outcomes."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(clusters), rng.integers(max(2, size // 2), 2 * size, clusters))
    arm = (np.arange(clusters) // 2) % arms
    frame = pd.DataFrame(
        {"g": [f"c{k:02d}" for k in g], "cluster": g, "muni": np.array(["a", "b"])[g % 2], "x": rng.normal(size=len(g))}
    )
    frame["arm"] = pd.Categorical.from_codes(arm[g], [f"arm{k}" for k in range(arms)])
    frame["t"], frame["w"] = rng.integers(0, 3, len(g)) * 1.0, rng.uniform(0.5, 2.0, len(g))
    between = rng.normal(size=clusters) * np.sqrt(icc / (1 - icc))
    frame["y"] = 3 + 0.5 * frame["x"] + between[g] + effect * (arm[g] > 0) + rng.normal(size=len(g)) / np.sqrt(frame["w"])
    frame["z"] = rng.normal(size=len(g)) + 0.5 * frame["y"]
    return frame


def stratified(frame: pd.DataFrame, draws: int, seed: int = 2) -> np.ndarray:
    """Draws (draws, clusters) that shuffle the arms within each stratum."""
    rng = np.random.default_rng(seed)
    one = frame.drop_duplicates("cluster").sort_values("cluster")
    out = np.tile(one["arm"].cat.codes.to_numpy().astype(np.int8), (draws, 1))
    for stratum in one["muni"].unique():
        where = np.flatnonzero(one["muni"] == stratum)
        out[:, where] = rng.permuted(out[:, where], axis=1)
    return out


def reallocated(frame: pd.DataFrame, draw: np.ndarray) -> pd.DataFrame:
    """The trial as it would be under another allocation."""
    return frame.assign(arm=pd.Categorical.from_codes(draw[frame["cluster"]], frame["arm"].cat.categories))


def names(frame: pd.DataFrame) -> tuple[str, ...]:
    """The clusters in the order of their numbers."""
    return tuple(frame.drop_duplicates("cluster").sort_values("cluster")["g"])
