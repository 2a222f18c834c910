"""Write data.csv and draws.csv: 16 institutions of unequal size in two strata, and 120 stratified allocations of them."""

from pathlib import Path

import numpy as np
import pandas as pd

rng = np.random.default_rng(20260)
J = 16
inst = np.repeat(np.arange(J), rng.integers(4, 14, J))
muni = np.arange(J) % 2
draws = np.empty((121, J), dtype=int)
for stratum in (0, 1):
    where = np.flatnonzero(muni == stratum)
    draws[:, where] = rng.permuted(np.tile(np.arange(len(where)) % 2, (121, 1)), axis=1)
n = len(inst)
frame = pd.DataFrame({"inst": [f"i{k:02d}" for k in inst], "muni": np.array(["a", "b"])[muni[inst]]})
frame["arm"] = np.where(draws[0][inst] == 1, "intervention", "reference")
frame["base"], frame["w"] = rng.normal(size=n).round(4), rng.uniform(0.5, 2, n).round(3)
y = 2 + 0.4 * frame["base"] - 0.5 * draws[0][inst] + 0.35 * rng.normal(size=J)[inst] + rng.normal(size=n)
frame["y"], frame["flat"] = y.round(4), (0.4 * frame["base"] + rng.normal(size=n)).round(4)
here = Path(__file__).parent
frame.to_csv(here / "data.csv", index=False)
pd.DataFrame(draws[1:], columns=[f"i{k:02d}" for k in range(J)]).to_csv(here / "draws.csv", index=False)
