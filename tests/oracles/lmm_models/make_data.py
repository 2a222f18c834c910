"""Synthetic trial: children in classes in institutions, three waves, raters across institutions. Run in this folder."""

import numpy as np
import pandas as pd


def main() -> None:
    rng = np.random.default_rng(20_070_901)
    rows = []
    child_id = 0
    for inst in range(24):
        arm = ("reference", "folder", "portfolio")[inst % 3]
        u = rng.normal(size=2) * (0.8, 0.6)
        for room in range(2):
            v = 0.5 * rng.normal()
            for _ in range(int(rng.integers(2, 7))):
                child_id += 1
                x, sex, b = rng.normal(), ("girl", "boy")[rng.integers(2)], 0.6 * rng.normal()
                for t in range(3):
                    if rng.random() < 0.12:
                        continue
                    rater = int(rng.integers(8))
                    e = rng.normal()
                    y = 5 + 0.4 * x - 0.3 * (arm == "portfolio") + 0.2 * t * (arm == "folder") - 0.2 * (sex == "girl")
                    y += u[0] + u[1] * t + v + b + 0.25 * np.sin(rater) + e
                    rows.append(
                        (
                            inst,
                            f"r{inst}.{room}",
                            child_id,
                            rater,
                            arm,
                            sex,
                            x,
                            t,
                            round(0.5 + rng.random() * 2, 3),
                            y,
                            2 + x + e,
                        )
                    )
    names = ["inst", "room", "child", "rater", "arm", "sex", "x", "t", "w", "y", "flat"]
    data = pd.DataFrame(rows, columns=names)
    data["flat"] -= data.groupby("inst")["flat"].transform("mean") - 2  # no variance between institutions: a singular fit
    data.loc[[7, 100], "x"] = np.nan
    data.round(6).to_csv("data.csv", index=False)


if __name__ == "__main__":
    main()
