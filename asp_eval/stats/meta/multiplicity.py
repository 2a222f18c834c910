"""Adjustment of p-values within a family of tests."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Return Holm's step-down adjusted p-values (Holm 1979, Scandinavian Journal of Statistics 6:65-70).

    A p-value that is not to be had (None) stays None and still counts as a test of the family: leaving it out would
    reward an analysis that failed.

    Examples
    --------
    >>> holm([0.01, 0.04, None])
    (0.03, 0.08, None)
    """
    from statsmodels.stats.multitest import multipletests

    family = [1.0 if p is None else p for p in p_values]
    adjusted = multipletests(family, method="holm")[1] if family else []
    return tuple(None if p is None else float(a) for p, a in zip(p_values, adjusted, strict=True))
