"""The benchmarks' data: synthetic cluster-randomised trials of any size, as raw float64 columns that Python and R read."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd

from asp_eval.core.randomness import stream

FORMULA = "y ~ arm + base + male + age + muni + (1 | inst)"
GROWTH = "y ~ arm * t + base + (1 + t | inst) + (1 | child)"
CROSSED = "y ~ x + (1 | a) + (1 | b)"
CLASSES = "y ~ arm * t + (1 + t | inst) + (1 + t | cls) + (1 | child)"


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


def write_classes(folder: Path, institutions: int, classes: int, children: int, waves: int = 3, seed: int = 1) -> Path:
    """Write waves in children in classes in institutions; slopes on time vary between classes and institutions."""
    rng = stream(seed, "classes", institutions, classes, children)
    all_classes, rows = institutions * classes, institutions * classes * children * waves
    cls = np.repeat(np.arange(all_classes), children * waves)
    inst, child = cls // classes, np.repeat(np.arange(all_classes * children), waves)
    t = np.tile(np.arange(waves, dtype=float), all_classes * children)
    y = 0.2 * t * (inst % 2) + rng.normal(0, 0.6, all_classes * children)[child] + rng.normal(0, 1, rows)
    y += rng.normal(0, 0.4, institutions)[inst] + rng.normal(0, 0.15, institutions)[inst] * t
    y += rng.normal(0, 0.3, all_classes)[cls] + rng.normal(0, 0.1, all_classes)[cls] * t
    return _write(folder, {"arm": inst % 2, "t": t, "inst": inst, "cls": cls, "child": child, "y": y})


def write_crossed(folder: Path, a: int, b: int, rows: int, *, local: bool = False, seed: int = 5) -> Path:
    """Write two crossed factors: at random, or each group of the first among the neighbours of its place in the second."""
    rng = stream(seed, "crossed", a, b, rows)
    first, x = rng.integers(0, a, rows), rng.normal(size=rows)
    near = first * b // a + rng.geometric(0.4, rows) * rng.choice([-1, 1], rows)
    second = rng.permutation(b)[np.clip(near, 0, b - 1)] if local else rng.integers(0, b, rows)
    y = 1 + 0.3 * x + rng.normal(0, 0.7, a)[first] + rng.normal(0, 0.5, b)[second] + rng.normal(size=rows)
    return _write(folder, {"y": y, "x": x, "a": first, "b": second})


def write_insteval(folder: Path) -> Path:
    """Write lme4's InstEval: 73,421 ratings of 1,128 lecturers by 2,972 students; needs R."""
    folder.mkdir(parents=True, exist_ok=True)
    script = "d <- lme4::InstEval; for (n in c('y', 's', 'd', 'service')) writeBin(as.double(as.character(d[[n]])), n)"
    subprocess.run(["Rscript", "-e", script], cwd=folder, check=True, capture_output=True)
    names = {"y": "y", "x": "service", "a": "s", "b": "d"}
    return _write(folder, {ours: np.fromfile(folder / theirs) for ours, theirs in names.items()})


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
