"""Write data.csv: a synthetic trial of 24 institutions, whose outcomes are a yes, four bands and a count.

`gathered` holds the same points, but of every two children in the intervention arm's institutions one has 3 or 4: the arm
gathers children in the second band, so that no single odds ratio describes it.
"""

from pathlib import Path

import numpy as np
import pandas as pd

rng = np.random.default_rng(20)
m, size = 24, 20
inst = np.repeat(np.arange(m), size)
arm = (np.arange(m) % 2)[inst]
n = m * size
pre = rng.integers(0, 11, n)
sex = rng.choice(["boy", "girl"], n)
level = 0.5 * rng.normal(size=m)[inst]
latent = 0.35 * (pre - 5) - 0.6 * arm + 0.4 * (sex == "boy") + level + rng.logistic(size=n)
data = pd.DataFrame(
    {
        "child_id": [f"c{k:03d}" for k in range(n)],
        "institution_id": [f"d{j:02d}" for j in inst],
        "arm": np.where(arm == 1, "intervention", "reference"),
        "sex": sex,
        "pre": pre,
        "points": np.clip(np.round(4 + 1.2 * latent), 0, 10).astype(int),
        "asks": (latent + rng.normal(size=n) > 0.5).astype(int),
        "incidents": rng.poisson(np.exp(0.2 + 0.1 * (pre - 5) - 0.4 * arm + 0.6 * level)),
    }
)
gathers = (arm == 1) & (rng.random(n) < 0.5)
data["gathered"] = np.where(gathers, rng.integers(3, 5, n), data["points"])
data.to_csv(Path(__file__).parent / "data.csv", index=False)
