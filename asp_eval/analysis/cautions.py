"""What a reader must know where the planned test is not quite at its level.

The regions, and how far off a test is there, are those of the simulation study of measures
(``docs/small-sample-inference.md``). What holds of a yes-or-no outcome (``docs/small-sample-inference-binary.md``) is a note of
its fit.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.trial.tables.far_values import far_values, is_amount, named_values

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
    measure = data.outcome.is_continuous
    if measure and total < FEW:
        yield FEW_NOTE
    elif measure and total < CAUTIOUS_BELOW and isinstance(icc, float) and icc < LITTLE_ICC:
        yield LITTLE_NOTE
    if len(per_arm) == 2 and per_arm.min() < SMALLER_ARM * total:
        yield UNEQUAL_NOTE


def far_value_notes(data: AnalysisSet) -> Iterator[Phrase]:
    """Yield a note for an imported score, and its baseline, that has values far outside the others."""
    outcome = data.outcome
    for name, called in ((outcome.id, outcome.column), ("baseline", Phrase("baseline of {column}", column=outcome.column))):
        if outcome.column is None or outcome.is_ordinal or name not in data.frame:
            continue
        values = data.frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
        far = far_values(values, skewed=outcome.is_count or is_amount(outcome.column_name))
        if far.any():
            yield Phrase(
                "{n} of {total} values of {column} lie far outside the others, and are in the estimate: {values}.",
                n=int(far.sum()),
                total=len(values),
                column=called,
                values=named_values(values[far]),
            )
