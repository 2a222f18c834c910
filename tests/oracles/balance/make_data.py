"""Makes data.csv: twelve institutions in two strata of six, three of each in either arm."""

from pathlib import Path

import numpy as np
import pandas as pd

random = np.random.default_rng(7)
rows: list[list[object]] = []
arms: dict[str, str] = {}
for town, ids in (("North", list("ABCDEF")), ("South", list("GHIJKL"))):
    lot = random.permutation(["reference"] * 3 + ["intervention"] * 3)
    arms |= dict(zip(ids, lot, strict=True))
    for one in ids:
        treated, level = arms[one] == "intervention", random.normal(0, 1)
        for _ in range(random.integers(6, 13)):
            sex = random.choice(["boy", "girl"])
            hours = round(float(random.normal(32 + 2 * treated, 5)) * 2) / 2
            y1 = round(float(5 + level + random.normal(0, 2) + 0.4 * treated), 1)
            y2 = round(float(0.6 * y1 + 2 + level * 0.5 + random.normal(0, 1.5)), 1)
            rows.append([f"c{len(rows) + 1:03d}", one, town, arms[one], sex, hours, y1, y2])
data = pd.DataFrame(rows, columns=["child_id", "institution", "municipality", "arm", "sex", "hours", "y1", "y2"])
data.loc[random.random(len(data)) < 0.05, "sex"] = np.nan
data.loc[random.random(len(data)) < 0.06, "y1"] = np.nan
gone = 0.12 + 0.02 * (data["hours"] - 32) + 0.1 * (data["arm"] == "reference")
data.loc[random.random(len(data)) < gone, "y2"] = np.nan
data.to_csv(Path(__file__).parent / "data.csv", index=False)
