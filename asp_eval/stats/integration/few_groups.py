"""What simulated trials of a yes or no say of tests with few groups, and the note of a fit that has few.

The trials and their table: ``docs/small-sample-inference-binary.md``. From 20 groups up t kept below 6.5 % in every cell.
"""

from __future__ import annotations

import numpy as np

from asp_eval.core.phrases import Phrase

FEW_GROUPS = 20
FAILS = 6.5
"""Per cent of rejections without an effect above which a test fails at 5 %."""
SIMULATED: dict[tuple[int, int, float], tuple[float, float]] = {
    (8, 10, 0.1): (0.2, 2.5),
    (8, 10, 0.3): (3.6, 8.9),
    (8, 10, 0.5): (5.2, 11.1),
    (8, 40, 0.1): (5.1, 11.4),
    (8, 40, 0.3): (7.0, 13.2),
    (8, 40, 0.5): (7.0, 13.7),
    (12, 10, 0.1): (2.4, 5.4),
    (12, 10, 0.3): (5.0, 8.2),
    (12, 10, 0.5): (4.6, 8.1),
    (12, 40, 0.1): (6.0, 9.2),
    (12, 40, 0.3): (5.9, 9.6),
    (12, 40, 0.5): (6.8, 10.8),
}
"""(groups, rows in each, share of yes): per cent of rejections by t and by z, the most over intraclass correlations of 0, 0.02
and 0.1, because few groups do not tell which of them is theirs."""


def few_groups_note(group: str, m: int, size: float, share: float | None) -> Phrase | None:
    """Return what a reader must know of tests with m groups, None from 20 up.

    Parameters
    ----------
    group : str
        What the groups are.
    m : int
    size : float
        Mean number of rows (or trials) in a group.
    share : float or None
        Of yes; None of an outcome that is none, for which the most over all shares stands.

    Examples
    --------
    >>> few_groups_note("inst", 14, 35.0, 0.42)[:72]
    'Few groups of inst: in the simulated trials nearest to these data (12 gr'
    """
    if m >= FEW_GROUPS:
        return None
    groups, rows = (12 if m >= 12 else 8), (10 if size < 20 else 40)
    shares: tuple[float, ...] = (0.1, 0.3, 0.5)
    if share is None:
        cell = Phrase("{groups} groups of {rows}, a yes or no", groups=groups, rows=rows)
    else:
        shares = (min(shares, key=lambda s: abs(s - min(share, 1.0 - share))),)
        cell = Phrase("{groups} groups of {rows}, {share} % yes or no", groups=groups, rows=rows, share=f"{100 * shares[0]:g}")
    t, z = np.max([SIMULATED[groups, rows, s] for s in shares], axis=0)
    fields = {"group": group, "cell": cell, "t": f"{t:.0f}", "z": f"{z:.0f}"}
    if t > FAILS:
        return Phrase(
            "Few groups of {group}: in the simulated trials nearest to these data ({cell}) t fails, for it rejected a true "
            "hypothesis in up to {t} of 100, z in up to {z}; the permutation test is exact.",
            **fields,
        )
    return Phrase(
        "Few groups of {group}: in the simulated trials nearest to these data ({cell}) t rejected a true hypothesis in at most "
        "{t} of 100, z in up to {z}; the permutation test is exact.",
        **fields,
    )
