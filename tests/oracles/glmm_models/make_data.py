"""Write data.csv: a synthetic trial with a yes or no, a grouped proportion, counts and bands. python make_data.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

rng = np.random.default_rng(20)
inst = np.repeat(np.arange(24), 25)
room = inst * 3 + rng.integers(0, 3, len(inst))
rater = rng.integers(0, 12, len(inst))
frame = pd.DataFrame({"inst": inst, "room": room, "rater": rater, "arm": np.where(inst % 2, "intervention", "reference")})
frame["x"] = rng.normal(size=len(inst)).round(4)
frame["hours"] = rng.uniform(1, 8, len(inst)).round(2)
u, slope = 0.8 * rng.normal(size=24), 0.5 * rng.normal(size=24)
eta = -0.6 + 0.4 * (inst % 2) + (0.5 + slope[inst]) * frame["x"] + u[inst] + 0.4 * rng.normal(size=72)[room]
eta = eta + 0.5 * rng.normal(size=12)[rater]
frame["y"] = rng.binomial(1, 1 / (1 + np.exp(-eta)))
frame["trials"] = rng.integers(2, 12, len(inst))
frame["events"] = rng.binomial(frame["trials"], 1 / (1 + np.exp(-eta)))
frame["falls"] = rng.poisson(frame["hours"] * np.exp(eta - 1.0))
frame["fights"] = rng.poisson(rng.gamma(1.5, np.exp(eta - 0.3) / 1.5))
latent = eta + rng.logistic(size=len(inst))
frame["band"] = np.digitize(latent, [-1.5, 0.0, 1.5]) + 1
frame.to_csv(Path(__file__).with_name("data.csv"), index=False)
