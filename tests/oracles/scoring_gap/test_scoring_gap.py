"""Percent of maximum possible against plain R arithmetic (R 4.2.2, make_reference.R)."""

from pathlib import Path

import pandas as pd

from asp_eval.trial.instruments.library import instrument
from asp_eval.trial.instruments.scoring import score

HERE = Path(__file__).parent
ROUNDING = 1e-10  # of scores up to 100; the reference is written with 15 digits


def test_every_score_is_that_of_r():
    child = instrument("gap-competences-child")
    reference = pd.read_csv(HERE / "reference.csv")
    scores = score(child, pd.read_csv(HERE / "data.csv"))
    pd.testing.assert_frame_equal(scores, reference[list(child.scale_keys)].astype(float), atol=ROUNDING, rtol=0)
    assert reference["personal"].isna().any()
    assert reference["personal"].notna().any()
