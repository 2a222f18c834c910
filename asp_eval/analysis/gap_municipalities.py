"""What the municipality is given of the GAP-profiles: how its institutions lie, as dots without a name.

A dot is one institution's shrunken gap as its own profile shows it. There are none on a dimension unless at least `FEWEST_DOTS`
institutions of the municipality can be shown, and either none or as many elsewhere: the typical distance, which every profile
has, less the dots of all but a few would tell of those few. Institutions that are given no profile have no dot either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pandas as pd

from asp_eval.analysis.gap_results import Funnel, GapProfile, Municipality, MunicipalityDimension, WithoutNumbers
from asp_eval.core.filenames import safe_stems
from asp_eval.core.phrases import Phrase
from asp_eval.trial.disclosure.bands import CountBand
from asp_eval.trial.disclosure.limits import Limits
from asp_eval.trial.disclosure.means import as_printed

FEWEST_DOTS = 5
WITHIN = NormalDist().inv_cdf(0.975)  # 95 in 100 institutions lie within so many standard deviations

NO_STAFF = Phrase("too few staff answered for anything to be shown")
NO_CHILDREN = Phrase("too few children were rated for anything to be shown")
PROTECTED = Phrase("every number would tell too much of what somebody answered")


@dataclass(frozen=True, slots=True)
class Spread:
    """Of one dimension: the typical gap, and the variance of an institution's plain gap around it by institution."""

    typical: float
    variances: Mapping[str, float]


def municipalities(
    profiles: Sequence[GapProfile],
    places: Mapping[str, str],
    spreads: Mapping[str, Spread],
    rates: pd.DataFrame,
    *,
    limits: Limits,
    names: bool,
) -> tuple[Municipality, ...]:
    """Return what each municipality is given, in the order of their names.

    Parameters
    ----------
    profiles : sequence of GapProfile
        Those that are made.
    places : mapping of str to str
        The municipality of each institution that has one.
    spreads : mapping of str to Spread
        By dimension, those that can be compared.
    rates : DataFrame
        Indexed by institution: staff_asked, staff_answered, children_seen, children_rated.
    limits : Limits
    names : bool
        Whether institutions may be named.
    """
    found = sorted({places[p.institution_id] for p in profiles if p.institution_id in places})
    stems = safe_stems([*(p.institution_id for p in profiles), *(f"municipality {name}" for name in found)])[len(profiles) :]
    sheets = []
    for name, stem in zip(found, stems, strict=True):
        own = [p for p in profiles if places.get(p.institution_id) == name]
        dimensions = tuple(_dots(key, own, len(spread.variances)) for key, spread in spreads.items())
        shown = {each.dimension for each in dimensions if each.gaps}
        sheets.append(
            Municipality(
                name,
                stem,
                len(own),
                _rate(rates, own, "staff_answered", "staff_asked"),
                _rate(rates, own, "children_rated", "children_seen"),
                _without_numbers(own, names=names),
                dimensions,
                _funnel(own, {key: spread for key, spread in spreads.items() if key in shown}, limits),
            )
        )
    return tuple(sheets)


def _dots(key: str, own: Sequence[GapProfile], compared: int) -> MunicipalityDimension:
    """Return the gaps of one dimension by size; none where there are too few, or too few others among those compared."""
    gaps = sorted(e.gap for p in own for e in p.entries if e.dimension == key and e.gap is not None)
    elsewhere = compared - len(gaps)
    may = len(gaps) >= FEWEST_DOTS and not 0 < elsewhere < FEWEST_DOTS
    return MunicipalityDimension(key, tuple(gaps) if may else ())


def _rate(rates: pd.DataFrame, own: Sequence[GapProfile], answered: str, asked: str) -> int | None:
    """Return the share that answered in whole percent; None in fewer institutions than dots need, or where it is not known."""
    rows = rates.reindex([p.institution_id for p in own])
    total = float(rows[asked].sum())
    if len(own) < FEWEST_DOTS or not total:
        return None
    return min(100, as_printed(100 * float(rows[answered].sum()) / total))


def _without_numbers(own: Sequence[GapProfile], *, names: bool) -> tuple[WithoutNumbers, ...]:
    """Return how many sheets show no distance, by the reason, and which where institutions may be named."""
    empty = [p for p in own if all(e.staff is None for e in p.entries)]
    reasons = Counter(_why(p) for p in empty)
    return tuple(
        WithoutNumbers(reason, n, tuple(p.name for p in empty if _why(p) == reason) if names else ())
        for reason, n in sorted(reasons.items())
    )


def _why(profile: GapProfile) -> Phrase:
    if profile.staff_band is None:
        return NO_STAFF
    return NO_CHILDREN if profile.children_band is None else PROTECTED


def _funnel(own: Sequence[GapProfile], spreads: Mapping[str, Spread], limits: Limits) -> tuple[Funnel, ...]:
    """Return how far the plain gaps lie from the typical, by how many staff answered."""
    groups = []
    for band in _bands([p.staff_band for p in own if p.staff_band is not None], limits):
        members = [p for p in own if p.staff_band is not None and _in(p.staff_band, band)]
        points = [(p, e) for p in members for e in p.entries if e.dimension in spreads and e.gap is not None]
        distances, variances = [], []
        for p, e in points:
            if e.staff is not None and e.child is not None:
                distances.append(as_printed(e.staff - e.child - spreads[e.dimension].typical))
                variances.append(spreads[e.dimension].variances[p.institution_id])
        if distances:
            groups.append(Funnel(band, as_printed(WITHIN * float(np.sqrt(np.mean(variances)))), tuple(sorted(distances))))
    return tuple(groups)


def _bands(found: Sequence[CountBand], limits: Limits) -> list[CountBand]:
    """Return bands that hold enough institutions each: too small a band is joined with its neighbour."""
    lows = limits.band_starts
    joined: list[list[int]] = []
    for low in lows:
        members = sum(band.low == low for band in found)
        if joined and (sum(b.low in joined[-1] for b in found) < FEWEST_DOTS or members < FEWEST_DOTS):
            joined[-1].append(low)
        else:
            joined.append([low])
    while len(joined) > 1 and sum(b.low in joined[-1] for b in found) < FEWEST_DOTS:
        joined[-2] += joined.pop()
    highs = {low: later - 1 for low, later in pairwise(lows)}
    return [CountBand(part[0], highs.get(part[-1])) for part in joined if any(b.low in part for b in found)]


def _in(band: CountBand, wide: CountBand) -> bool:
    return band.low >= wide.low and (wide.high is None or (band.high is not None and band.high <= wide.high))
