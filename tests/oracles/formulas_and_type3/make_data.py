"""Make the synthetic data of this folder: 16 institutions of unequal size, with an empty cell of f and h. Run in this folder."""

from __future__ import annotations

import numpy as np
import pandas as pd

rng = np.random.default_rng(20271)
sizes = rng.integers(8, 22, 16)
inst = np.repeat(np.arange(16), sizes)
n = len(inst)
f, h = rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2]), rng.choice(["l", "m", "u"], n)
k = np.where((f == "c") & (h == "u"), "m", h)  # no row is c and u
d = pd.DataFrame(
    {
        "inst": [f"i{v:02d}" for v in inst],
        "room": [f"r{v}" for v in rng.integers(0, 5, n)],
        "arm": np.where(inst % 2, "new", "usual"),
        "f": f,
        "h": h,
        "k": k,
        "b": rng.random(n) < 0.35,
        "x": rng.normal(size=n).round(4),
        "age": rng.integers(3, 7, n),
        "o": rng.normal(size=n).round(4),
        "w": rng.uniform(0.5, 2.0, n).round(3),
        "pre": rng.normal(10, 2, n).round(4),
    }
)
effect = 0.4 * (d["arm"] == "new") + 0.5 * (d["f"] == "b") - 0.3 * d["b"] * (d["f"] == "c") + 0.2 * d["x"]
d["y"] = (5 + effect + rng.normal(0, 0.6, 16)[inst] + rng.normal(size=n) + 0.1 * d["age"]).round(5)
d["post"] = (d["pre"] + 0.3 * d["y"] + rng.normal(size=n)).round(5)
d.to_csv("data.csv", index=False)
