"""The four instruments on the organisation against plain R arithmetic (R 4.2.2, make_reference.R)."""

from pathlib import Path

import pandas as pd
import pytest

from asp_eval.trial.instruments.library import instrument
from asp_eval.trial.instruments.scoring import score

HERE = Path(__file__).parent
ROUNDING = 1e-10  # of scores up to 100; the reference is written with 15 digits


@pytest.mark.parametrize(
    "name", ["organisational-learning", "collaborative-innovation", "governance-npm-npg", "innovation-practice"]
)
def test_every_score_is_that_of_r(name):
    form = instrument(name)
    answers = pd.read_csv(HERE / f"{name}.csv")
    assert set(answers.columns) == set(form.item_keys)
    reference = pd.read_csv(HERE / f"{name}.reference.csv", na_values="NA")
    assert set(reference.columns) == set(form.scale_keys)
    scores = score(form, answers)
    pd.testing.assert_frame_equal(scores, reference[list(form.scale_keys)].astype(float), atol=ROUNDING, rtol=0)
    assert reference.isna().any().all()
    assert reference.notna().any().all()
