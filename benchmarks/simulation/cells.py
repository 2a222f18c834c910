"""The cells of the simulation study: which trials are simulated, and what is true in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SEED = 20260101
CLUSTERS = (4, 6, 8, 12, 20, 40, 60)
ICCS = (0.0, 0.02, 0.1, 0.2)
MEAN_SIZE = 40
SIZE_CV = 0.65
SMALLEST = 6

Family = Literal["gaussian", "no-covariate", "sdq", "arm-icc", "informative"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One simulated situation.

    Attributes
    ----------
    family : str
        gaussian : y = .5 x + b + e, x a child-level covariate measured at baseline; no effect.
        no-covariate : y = b + e; no effect.
        sdq : SDQ conduct scores, item by item, with raters within institutions; the start's score is the covariate.
        arm-icc : gaussian, with an intraclass correlation of its own in each arm; no effect.
        informative : gaussian, with an effect that grows with the size of the cluster.
    clusters, treated : int
        m, and how many of them a lot puts into the intervention arm.
    unequal : bool
        Whether cluster sizes vary (coefficient of variation .65, mean 40) or are all 40.
    icc, icc_treated : float
        Intraclass correlation given the covariate, of the reference and of the intervention arm.
    effect : float
        sdq: the effect at the end in standard deviations (0 or the declared one); informative: the effect's slope on
        size / 40 - 1.
    """

    family: Family
    clusters: int
    treated: int
    unequal: bool
    icc: float
    icc_treated: float
    effect: float = 0.0

    @property
    def name(self) -> str:
        """A name that stays, and that the random numbers of the cell hang on."""
        sizes = "unequal" if self.unequal else "equal"
        icc = f"icc{self.icc:g}" + (f"-{self.icc_treated:g}" if self.icc_treated != self.icc else "")
        arms = f"{self.treated}of{self.clusters}"
        return "/".join([self.family, arms, sizes, icc, *([f"effect{self.effect:g}"] if self.effect else [])])

    @property
    def has_covariate(self) -> bool:
        """Whether the models hold the covariate."""
        return self.family != "no-covariate"


def _half(family: Family, m: int, *, unequal: bool, icc: float, treated_icc: float | None = None, effect: float = 0.0) -> Cell:
    """Return a cell with half of the clusters in each arm."""
    return Cell(family, m, m // 2, unequal, icc, icc if treated_icc is None else treated_icc, effect)


def every_cell() -> tuple[Cell, ...]:
    """Return all cells, in the order of the table."""
    cells = [_half("gaussian", m, unequal=u, icc=r) for u in (False, True) for r in ICCS for m in CLUSTERS]
    cells += [_half("no-covariate", m, unequal=u, icc=r) for u in (False, True) for r in (0.0, 0.1) for m in CLUSTERS]
    cells += [_half("sdq", m, unequal=True, icc=0.05, effect=e) for e in (0.0, -0.2) for m in CLUSTERS]
    cells += [_half("arm-icc", m, unequal=False, icc=0.02, treated_icc=0.2) for m in CLUSTERS]
    cells += [Cell("arm-icc", m, m // 3, True, 0.02, 0.2) for m in (6, 12, 21, 39, 60)]
    cells += [_half("informative", m, unequal=True, icc=0.1, effect=0.3) for m in CLUSTERS]
    return tuple(cells)
