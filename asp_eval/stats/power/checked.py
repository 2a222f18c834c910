"""Parts that designs share: what is checked, and what is said."""

from __future__ import annotations

from collections.abc import Sequence

from asp_eval.core.errors import Fault
from asp_eval.stats.power.icc import IccDistribution
from asp_eval.stats.power.nested_design import check_inside, check_least, check_shares, known
from asp_eval.stats.power.values import Values, single

Icc = Values | IccDistribution | Sequence[float | IccDistribution]

ICC_RANGE = Fault(
    "PWR-015", "an intraclass correlation must lie between 0 and 1, and all of them together too", "Give 0.05, not 5."
)


def units_of(clusters: Values | None) -> float:
    """Return the clusters of both arms; refuse what is not given or cannot be."""
    units = known("clusters", clusters)
    check_least(2.0, clusters=units)
    return units


def check_numbers(share: float, shares: dict[str, float], zero: dict[str, float], one: dict[str, float]) -> None:
    """Refuse shares outside 0 and 1, and numbers below zero or one."""
    check_inside(share=share)
    check_shares(**shares)
    check_least(0.0, **zero)
    check_least(1.0, **one)


def check_icc(*iccs: float) -> None:
    """Refuse intraclass correlations that do not lie between 0 and 1, or sum to more."""
    if not all(0 <= x <= 1 for x in iccs) or sum(iccs) > 1:
        ICC_RANGE.refuse("icc", found=", ".join(f"{x:g}" for x in iccs), expected="between 0 and 1")


def icc_words(icc: Icc) -> list[str]:
    """Return a known intraclass correlation in words; one that is not known speaks for itself elsewhere."""
    return [] if hasattr(icc, "quantiles") else [f"ICC {single(icc):g}"]


def explained_words(shares: dict[str, Values]) -> tuple[str, ...]:
    """Return what covariates explain, in words."""
    parts = [f"{single(r2):.0%} of the variance {where}".strip() for where, r2 in shares.items() if single(r2) > 0]
    return (f"covariates explain {' and '.join(parts)}",) if parts else ()
