"""Results of what a plan declares beside its primary models, as values: see `asp_eval.analysis.results`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from asp_eval.core.errors import Unavailable
from asp_eval.stats.estimate import Estimate

Estimated = Estimate | Unavailable

Average = Literal["participant", "institution", "precision", "constant"]
Estimator = Literal["planned", "mixed-kr", "mixed-cr2", "least-squares", "wild-bootstrap", "gee", "cluster-means", "permutation"]


@dataclass(frozen=True, slots=True)
class EstimatorRow:
    """What one estimator says of one arm against the first.

    Attributes
    ----------
    estimator : str
        "planned" of an outcome that is no measure, whose model is not linear; the others name themselves.
    arm : str
    average : {"participant", "institution", "precision", "constant"}
        Which effect it estimates: the average over children, over institutions, over institutions weighted by how precisely each
        is measured; or one effect that is the same for everybody.
    model : str
        Its formula.
    result : Estimate or Unavailable
        On the scale of the outcome's `difference`.
    """

    estimator: Estimator
    arm: str
    average: Average
    model: str
    result: Estimated
