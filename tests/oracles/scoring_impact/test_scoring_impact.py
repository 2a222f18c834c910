"""Impact of the SDQ against plain R arithmetic (R 4.2.2, make_reference.R), in whole numbers: no tolerance."""

from pathlib import Path

import pandas as pd
import pytest

from asp_eval.trial.instruments.library import instrument
from asp_eval.trial.instruments.scoring import score

HERE = Path(__file__).parent
ANSWERS = pd.read_csv(HERE / "data.csv")
REFERENCE = pd.read_csv(HERE / "reference.csv")


@pytest.mark.parametrize("informant", ["teacher", "parent"])
@pytest.mark.parametrize("ending", ["", "-follow-up"])
def test_impact_is_that_of_r(informant, ending):
    form = instrument(f"sdq-{informant}-impact{ending}")
    answers = ANSWERS.reindex(columns=list(form.item_keys))  # the follow-up form has questions of its own, in no score
    ours = score(form, answers)["impact"]
    pd.testing.assert_series_equal(ours, REFERENCE[informant].astype(float), check_names=False, check_exact=True)


def test_the_reference_has_what_it_should_test():
    quiet = ANSWERS["ebddiff"] == 0
    answered = ANSWERS[["distres", "impfrie", "impclas"]].fillna(0).sum(axis=1) > 0
    assert (quiet & answered).sum() > 10
    assert (quiet & ~answered).sum() > 10
    assert REFERENCE["teacher"].isna().sum() > 10
    assert set(REFERENCE["parent"].dropna()) >= set(range(9))
