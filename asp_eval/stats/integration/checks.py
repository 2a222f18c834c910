"""What every model with latent effects refuses, and in which words."""

from __future__ import annotations

import numpy as np

from asp_eval.core.errors import Fault
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.engine.estimation import ONE_GROUP

NODES = Fault(
    "FIT-090", "the number of quadrature points is a whole number from 1 to 101", "Use 1 for Laplace's approximation, or 7 to 25."
)
ONE_EFFECT = Fault(
    "FIT-091",
    "quadrature is defined for one grouping factor with one random effect",
    "Use n_quadrature=1, which is Laplace's approximation, or leave random effects out.",
)
SEPARATED = Fault(
    "FIT-092",
    "the outcome is separated: {cells}; the best estimate would be infinite",
    "Leave the column out, join categories, or report the numbers; a permutation test of the arm does not need this estimate.",
)
UNBOUNDED = Fault(
    "FIT-094",
    "the likelihood keeps rising as {what} grows, so there is no estimate",
    "Leave the effect out, or look at the cells' counts.",
)
SCALE = Fault("FIT-096", "there is no scale {scale!r}", "Use scale='response' or scale='link'.")
MOST_NODES = 101


def check_nodes(n_quadrature: object) -> int:
    """Return the number of quadrature points."""
    if isinstance(n_quadrature, bool) or not isinstance(n_quadrature, (int, np.integer)) or not 1 <= n_quadrature <= MOST_NODES:
        NODES.refuse(found=n_quadrature)
    return int(n_quadrature)


def check_groups(design: Design, nodes: int) -> None:
    """Refuse a factor with one group, and quadrature where the integral of a group has more than one dimension."""
    factors = design.layout.factors
    for factor, groups in zip(factors, design.groups, strict=True):
        if len(groups.levels) < 2:
            ONE_GROUP.refuse(design.formula.text, group=factor.name)
    if nodes > 1 and (len(factors) > 1 or len(factors[0].effects) > 1):
        ONE_EFFECT.refuse(design.formula.text, found=", ".join(f"{len(f.effects)} of {f.name}" for f in factors))
