"""Write data.csv (9 institutions of unequal size) and numbers.csv (100 draws of Webb's numbers for them)."""

from pathlib import Path

import numpy as np
import pandas as pd

rng = np.random.default_rng(20261)
inst = np.repeat(np.arange(9), rng.integers(4, 15, 9))
names = [f"i{k}" for k in range(9)]
frame = pd.DataFrame({"inst": np.array(names)[inst], "arm": np.where(inst % 2, "intervention", "reference")})
frame["base"] = rng.normal(size=len(inst)).round(4)
frame["y"] = (1 + 0.5 * frame["base"] + 0.6 * (inst % 2) + 0.4 * rng.normal(size=9)[inst] + rng.normal(size=len(inst))).round(4)
webb = np.sqrt([0.5, 1.0, 1.5]) * np.array([[-1.0], [1.0]])
here = Path(__file__).parent
frame.to_csv(here / "data.csv", index=False)
pd.DataFrame(rng.choice(webb.ravel(), (100, 9)), columns=names).to_csv(here / "numbers.csv", index=False)
