"""The benchmarks' data: synthetic cluster-randomised trials of any size, as raw float64 columns that Python and R read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from asp_eval.core.randomness import stream

FORMULA = "y ~ arm + base + male + age + muni + (1 | inst)"
GROWTH = "y ~ arm * t + base + (1 + t | inst) + (1 | child)"


def write_trial(folder: Path, institutions: int, children: int, seed: int = 1) -> Path:
    """Write a two-level trial: `children` per institution, intraclass correlation 0.1 given the covariates."""
    rng = stream(seed, "benchmark", institutions, children)
    inst = np.repeat(np.arange(institutions, dtype=float), children)
    n = len(inst)
    effect = rng.normal(0, 1 / 3, institutions)
    columns = {
        "arm": (inst % 2).astype(float),
        "base": rng.normal(0, 1, n),
        "male": (rng.random(n) < 0.5) * 1.0,
        "age": rng.uniform(3, 6, n),
        "muni": (inst % 3 == 0).astype(float),
        "inst": inst,
    }
    y = -0.15 * columns["arm"] + 0.5 * columns["base"] + 0.2 * columns["male"] + 0.1 * columns["age"]
    columns["y"] = y + np.repeat(effect, children) + rng.normal(0, 1, n)
    return _write(folder, columns)


def write_growth(folder: Path, institutions: int = 60, children: int = 50, waves: int = 3, seed: int = 1) -> Path:
    """Write a three-level trial in long form: waves in children in institutions, whose slopes on time vary."""
    rng = stream(seed, "growth", institutions, children, waves)
    inst = np.repeat(np.arange(institutions, dtype=float), children * waves)
    child = np.repeat(np.arange(institutions * children, dtype=float), waves)
    t = np.tile(np.arange(waves, dtype=float), institutions * children)
    arm, base = inst % 2, np.repeat(rng.normal(0, 1, institutions * children), waves)
    slope = rng.normal(0, 0.2, institutions)[inst.astype(int)]
    level = rng.normal(0, 0.35, institutions)[inst.astype(int)] + np.repeat(rng.normal(0, 0.7, institutions * children), waves)
    y = 0.1 * t - 0.1 * arm * t + 0.5 * base + level + slope * t + rng.normal(0, 0.6, len(inst))
    return _write(folder, {"arm": arm, "t": t, "base": base, "inst": inst, "child": child, "y": y})


def read_columns(folder: Path) -> dict[str, np.ndarray]:
    """Return the columns by name."""
    names = json.loads((folder / "columns.json").read_text())
    return {name: np.fromfile(folder / f"{name}.bin") for name in names}


def read_frame(folder: Path) -> pd.DataFrame:
    """Return the data as an evaluator holds them: arms and municipalities in words, institutions as whole numbers."""
    columns = read_columns(folder)
    frame = pd.DataFrame({k: v for k, v in columns.items() if k not in ("arm", "muni", "inst", "child")})
    frame["arm"] = pd.Categorical.from_codes(columns["arm"].astype(int), categories=["reference", "intervention"])
    if "muni" in columns:
        frame["muni"] = pd.Categorical.from_codes(columns["muni"].astype(int), categories=["a", "b"])
    for name in ("inst", "child"):
        if name in columns:
            frame[name] = columns[name].astype(int)
    return frame


def _write(folder: Path, columns: dict[str, np.ndarray]) -> Path:
    """Write each column as raw float64."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in columns.items():
        np.asarray(values, float).tofile(folder / f"{name}.bin")
    (folder / "columns.json").write_text(json.dumps(list(columns)))
    (folder / "columns.txt").write_text("\n".join(columns))
    return folder
