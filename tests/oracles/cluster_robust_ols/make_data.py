"""Make data.csv: a synthetic two-arm trial with 15 clusters of very unequal sizes (one of a single child)."""

from pathlib import Path

import numpy as np
import pandas as pd

SIZES = (1, 2, 3, 4, 4, 5, 6, 6, 7, 8, 9, 11, 14, 19, 26)


def main() -> None:
    rng = np.random.default_rng(20080531)
    cluster = np.repeat(np.arange(len(SIZES)), SIZES)
    n = len(cluster)
    arm = np.isin(cluster, (1, 2, 5, 7, 10, 13))
    x = rng.normal(100, 15, n) + 4 * rng.normal(size=len(SIZES))[cluster]
    band = rng.choice(["low", "middle", "high"], n, p=[0.3, 0.5, 0.2])
    treated_within = rng.integers(0, 2, n)
    y = 5 - 0.8 * arm + 0.05 * x + 0.4 * treated_within + rng.normal(size=len(SIZES))[cluster] + rng.normal(0, 1.5, n)
    frame = pd.DataFrame(
        {
            "cluster": [f"c{j:02d}" for j in cluster],
            "arm": np.where(arm, "b", "a"),
            "x": x.round(3),
            "band": band,
            "z": treated_within,
            "w": rng.uniform(0.4, 3.0, n).round(3),
            "y": y.round(4),
        }
    )
    frame.sample(frac=1, random_state=3).to_csv(Path(__file__).with_name("data.csv"), index=False)


if __name__ == "__main__":
    main()
