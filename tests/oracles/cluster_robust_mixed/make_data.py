"""Make data.csv: a synthetic trial, 14 clusters of unequal sizes, classes within clusters, one outcome per design."""

from pathlib import Path

import numpy as np
import pandas as pd

CLASSES = (1, 2, 3, 1, 2, 4, 2, 3, 2, 1, 3, 2, 5, 2)


def main() -> None:
    rng = np.random.default_rng(20060901)
    room = np.repeat(np.arange(sum(CLASSES)), rng.integers(2, 9, sum(CLASSES)))
    cluster = np.repeat(np.arange(len(CLASSES)), CLASSES)[room]
    n = len(cluster)
    arm = cluster % 3 == 1
    t = rng.uniform(0, 4, n)
    x = rng.normal(10, 2, n) + rng.normal(size=len(CLASSES))[cluster]
    u0, u1 = rng.normal(0, 1.5, len(CLASSES)), rng.normal(0, 0.8, len(CLASSES))
    y = 20 + 1.2 * arm + 0.3 * x + u0[cluster] + rng.normal(0, 1.1, sum(CLASSES))[room] + rng.normal(0, 1.4, n)
    g = y + 0.5 * t + u1[cluster] * t
    frame = pd.DataFrame(
        {
            "cluster": [f"c{j:02d}" for j in cluster],
            "room": [f"r{j:02d}" for j in room],
            "arm": np.where(arm, "b", "a"),
            "t": t.round(3),
            "x": x.round(3),
            "y": y.round(4),
            "g": g.round(4),
        }
    )
    frame.sample(frac=1, random_state=5).to_csv(Path(__file__).with_name("data.csv"), index=False)


if __name__ == "__main__":
    main()
