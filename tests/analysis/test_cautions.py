"""The notes appear in the regions of the simulation study, and nowhere else."""

from types import SimpleNamespace

import pandas as pd
import pytest

from asp_eval.analysis.cautions import FEW_NOTE, LITTLE_NOTE, UNEQUAL_NOTE, cautions
from asp_eval.analysis.sets import AnalysisSet


def analysed(reference, intervention, scale="continuous"):
    arms = ["reference"] * reference + ["intervention"] * intervention
    frame = pd.DataFrame({"arm": arms, "institution": [str(i) for i in range(len(arms))]})
    return AnalysisSet(SimpleNamespace(is_continuous=scale == "continuous"), "w1", pd.concat([frame, frame]), (), ())


@pytest.mark.parametrize(
    ("reference", "intervention", "icc", "notes"),
    [
        (30, 30, 0.0, []),
        (4, 4, 0.1, []),
        (4, 3, 0.1, [FEW_NOTE]),
        (4, 4, 0.04, [LITTLE_NOTE]),
        (10, 10, 0.0, []),
        (10, 9, 0.0, [LITTLE_NOTE]),
        (40, 20, 0.1, [UNEQUAL_NOTE]),
        (36, 24, 0.1, []),
        (5, 2, 0.1, [FEW_NOTE, UNEQUAL_NOTE]),
    ],
)
def test_a_note_where_the_study_says_so(reference, intervention, icc, notes):
    assert list(cautions(analysed(reference, intervention), icc)) == notes


@pytest.mark.parametrize("scale", ["binary", "ordinal", "count"])
def test_what_holds_of_measures_is_said_of_no_other_outcome(scale):
    assert list(cautions(analysed(3, 2, scale), 0.0)) == []
    assert list(cautions(analysed(40, 20, scale), 0.1)) == [UNEQUAL_NOTE]
