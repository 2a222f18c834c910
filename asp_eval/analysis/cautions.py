"""What a reader must know where the planned test is not quite at its level.

The regions, and how far off a test is there, are those of the simulation study of measures
(``docs/small-sample-inference.md``). What holds of a yes-or-no outcome (``docs/small-sample-inference-binary.md``) is a note of
its fit.
"""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase

FEW = 8  # institutions; below, Kenward-Roger rejects in 0 to 5 of 100 trials without an effect
CAUTIOUS_BELOW = 20  # institutions; from FEW up to here it is cautious where institutions differ little
LITTLE_ICC = 0.05
SMALLER_ARM = 0.4  # share of the institutions; below, a noisier small arm makes every pooled test too ready

FEW_NOTE = Phrase("Fewer than 8 institutions: the test is cautious here, and an effect that was not found may still be there.")
LITTLE_NOTE = Phrase("Few institutions that differ little from each other: p-values are rather too large than too small.")
UNEQUAL_NOTE = Phrase(
    "The arms have unequal numbers of institutions: if institutions differ more in the smaller arm, p-values are too small."
)


def cautions(data: AnalysisSet, icc: float | Unavailable) -> Iterator[Phrase]:
    """Yield the notes that apply to an analysis.

    Parameters
    ----------
    data : AnalysisSet
    icc : float or Unavailable
        With arm and strata only.
    """
    per_arm = data.frame.groupby("arm", observed=True)["institution"].nunique()
    total = int(per_arm.sum())
    measure = data.outcome.scale == "continuous"
    if measure and total < FEW:
        yield FEW_NOTE
    elif measure and total < CAUTIOUS_BELOW and isinstance(icc, float) and icc < LITTLE_ICC:
        yield LITTLE_NOTE
    if len(per_arm) == 2 and per_arm.min() < SMALLER_ARM * total:
        yield UNEQUAL_NOTE
