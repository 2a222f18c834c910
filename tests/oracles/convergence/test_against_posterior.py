"""R-hat and effective draws equal those of the R package posterior."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from asp_eval.stats.imputation.convergence import effective_draws, rhat

HERE = Path(__file__).parent


def test_rhat_and_effective_draws():
    draws, expected = pd.read_csv(HERE / "draws.csv"), pd.read_csv(HERE / "reference.csv")
    chains = draws.drop(columns="chain").to_numpy().reshape(4, 60, 3)
    np.testing.assert_allclose(rhat(chains), expected["rhat"], rtol=1e-10)
    np.testing.assert_allclose(effective_draws(chains), expected["effective_draws"], rtol=1e-10)
    assert expected["rhat"].iloc[2] > 1.05  # a chain that is elsewhere is seen
