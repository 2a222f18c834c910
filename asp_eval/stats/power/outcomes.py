"""What is measured: a continuous outcome, or the proportion with a yes."""

from __future__ import annotations

from dataclasses import dataclass

from asp_eval.core.errors import Fault
from asp_eval.stats.power.nested_design import check_inside
from asp_eval.stats.power.values import Values, single

BAD_SD = Fault("PWR-020", "the standard deviation of the outcome must be above 0", "Give the total standard deviation.")
NO_PROPORTION = Fault(
    "PWR-021",
    "the effect leads outside of 0 and 1: from {p0:g} to {p1:g}",
    "The effect on a binary outcome is a difference of proportions; a fall is negative.",
)


@dataclass(frozen=True, slots=True, eq=False)
class Continuous:
    """A continuous outcome.

    Attributes
    ----------
    sd : float
        Total standard deviation, between and within clusters, at one wave. With 1, effects are standardised.
    """

    sd: Values = 1.0

    def variances(self, effect: float) -> tuple[float, float]:  # noqa: ARG002
        """Return the total variance in the control and in the treated arm."""
        sd = single(self.sd, "sd")
        if not sd > 0:
            BAD_SD.refuse("sd", found=sd)
        return sd**2, sd**2

    def null_variances(self, effect: float) -> tuple[float, float]:
        """Return the variances that the test reckons with: the true ones."""
        return self.variances(effect)

    @property
    def furthest(self) -> float:
        """The largest effect there can be, with its sign."""
        return float("inf")

    def __str__(self) -> str:
        sd = single(self.sd)
        return (
            "effect in total standard deviations"
            if sd == 1
            else f"effect in the outcome's units, total standard deviation {sd:g}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Binary:
    """A yes or no; the effect is the difference of proportions, and the intraclass correlation that of the zeros and ones.

    Attributes
    ----------
    p0 : float
        Proportion in the control arm.
    falls : bool
        Whether the effect sought by `minimum_detectable_effect` is a fall.
    pooled : bool
        Whether the test divides by the standard error of equal proportions, as R's ``power.prop.test`` has it; a mixed model or
        cluster-robust analysis does not.
    """

    p0: Values
    falls: bool = False
    pooled: bool = False

    def variances(self, effect: float) -> tuple[float, float]:
        """Return p (1 - p) in the control and in the treated arm."""
        p0 = single(self.p0, "p0")
        check_inside(p0=p0)
        p1 = p0 + effect
        if not 0 <= p1 <= 1:
            NO_PROPORTION.refuse("effect", found=effect, p0=p0, p1=p1)
        return p0 * (1.0 - p0), p1 * (1.0 - p1)

    def null_variances(self, effect: float) -> tuple[float, float]:
        """Return the variances that the test reckons with: the true ones, or those of the mean proportion."""
        if not self.pooled:
            return self.variances(effect)
        p = single(self.p0) + effect / 2.0
        return p * (1.0 - p), p * (1.0 - p)

    @property
    def furthest(self) -> float:
        """The largest effect there can be, with its sign."""
        p0 = single(self.p0, "p0")
        return -p0 if self.falls else 1.0 - p0

    def __str__(self) -> str:
        pooled = "pooled" if self.pooled else "not pooled"
        return f"difference of proportions from {single(self.p0):g}, variances {pooled}; ICC on the proportion scale"


OutcomeScale = Continuous | Binary
