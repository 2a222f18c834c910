"""SDQ scores and bands against plain R arithmetic (R 4.2.2, make_reference.R), in whole numbers: no tolerance."""

from pathlib import Path

import pandas as pd
import pytest

from asp_eval.trial.instruments.library import instrument
from asp_eval.trial.instruments.scoring import score, score_long

HERE = Path(__file__).parent
ANSWERS = pd.read_csv(HERE / "data.csv")
REFERENCE = pd.read_csv(HERE / "reference.csv")
SDQ = instrument("sdq-teacher-4-17")


def test_the_reference_has_what_it_should_test():
    assert REFERENCE["total"].isna().any()
    assert REFERENCE["total"].notna().sum() > 100
    assert (
        (ANSWERS[["somatic", "worries", "unhappy", "clingy", "afraid"]].notna().sum(axis=1) == 4) & (REFERENCE["emotion"] == 3)
    ).any()


def test_every_score_is_that_of_r():
    scores = score(SDQ, ANSWERS)
    pd.testing.assert_frame_equal(scores, REFERENCE[list(SDQ.scale_keys)].astype(float), check_exact=True)


@pytest.mark.parametrize("scale", ["emotion", "conduct", "hyper", "peer", "prosocial", "total"])
def test_every_band_is_that_of_r(scale):
    long = score_long(SDQ, ANSWERS, bands="uk-teachers-4-17-four-bands")
    ours = long.loc[long["scale"] == scale, "band"]
    reference = REFERENCE[f"{scale}_band"]
    assert ours.fillna("").tolist() == reference.fillna("").tolist()
    assert reference.nunique() == 4
