"""What the tests of this trial leave out of its analyses: it takes half of their time, and nobody looks at it here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from asp_eval.analysis import category_models
from asp_eval.stats.estimate import Estimate
from asp_eval.stats.glmm.result import GlmmFit
from asp_eval.stats.ordinal.result import ClmmFit


@contextmanager
def nothing_but_effects(*, recomputed: bool = False) -> Iterator[None]:
    """Leave out the intervals of intraclass correlations, and the second computation of every effect unless it is asked for."""
    with pytest.MonkeyPatch.context() as patch:
        for fit in (GlmmFit, ClmmFit):
            patch.setattr(fit, "icc", lambda *_, **__: Estimate.unavailable("icc", "left out"))
        for model in (category_models.CategoryModel, category_models.GeneralisedMixedModel):
            if not recomputed:
                patch.setattr(model, "recompute", lambda *_: ())
        yield
