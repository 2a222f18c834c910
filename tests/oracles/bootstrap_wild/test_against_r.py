"""The wild cluster bootstrap against R on rows, with the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asp_eval.stats.linear.ols import ols
from asp_eval.stats.resampling.wild import ClusterScores, WildTest

HERE = Path(__file__).parent
SAME = 1e-9


@pytest.mark.parametrize("delta", [0.0, 0.3])
def test_every_draw_is_that_of_r(delta):
    frame = pd.read_csv(HERE / "data.csv")
    frame["arm"] = pd.Categorical(frame["arm"], ["reference", "intervention"])
    numbers = pd.read_csv(HERE / "numbers.csv").to_numpy()
    fit = ols("y ~ arm + base", frame, cluster="inst")
    every = np.vstack([np.ones(numbers.shape[1]), numbers])
    test = WildTest.of(ClusterScores.of(fit), every, np.array([0.0, 1.0, 0.0]), float(fit.estimate[1]))
    reference = pd.read_csv(HERE / "reference.csv")
    t = reference.loc[reference["delta"] == delta, "t"].abs().to_numpy()
    np.testing.assert_allclose(test.statistics(delta, np.arange(101)), t, rtol=SAME)
