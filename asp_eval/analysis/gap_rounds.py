"""Two rounds of a GAP-profile side by side: last time as far as it was shown, and the change allowing for chance.

A gap that was far out once is partly so by chance, and chance does not repeat itself: the plain difference of two rounds brings
it back (regression to the mean). So the change is shrunken toward what all institutions changed, with nothing else taken as known
(`stats.meta.true_values`). Where the two rounds are about equally exact and the institutions spread as widely in both, whether an
institution was far out the first time then makes no difference. How often a change is named where nothing changed is measured in
``benchmarks/gap_changes.csv``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.meta.shrinkage import Shrinkage
from asp_eval.stats.meta.true_values import TrueValues, true_values
from asp_eval.trial.disclosure.means import as_printed
from asp_eval.trial.profiles.change import Sides, change_variances, round_covariances
from asp_eval.trial.profiles.gap import DimensionMeans

ChangeWord = Literal["staff-higher", "child-higher", "no-change"]

FEWEST_CHANGES = 5  # below, the spread of the changes cannot be estimated

HIDDEN_BEFORE = Phrase("last time is not shown, to protect those who answered")
NONE_BEFORE = Phrase("one of the two sides has no answers of last time")
FEW_CHANGES = Phrase("fewer than {n} institutions can be compared from one round to the other", n=FEWEST_CHANGES)
ALL_ALIKE = Phrase("all people of an institution answered alike, so that it is not known how far chance reaches")


@dataclass(frozen=True, slots=True)
class GapBefore:
    """What an institution's dimension was last time, and how it has changed since.

    Attributes
    ----------
    staff, child, gap : int or None
        The two means and the shrunken gap of last time, as they were shown then.
    returns : int or None
        By how many points the plain distance of last time would be expected to move toward the typical by itself.
    change, low, high : int or None
        Change of the gap (staff less child) since last time, allowing for chance, and its interval.
    word : str or None
        Whether the staff's side has come to lie higher against the children's, or the other way round, or neither can be told.
    reason : Phrase
        Why there is no change; empty where there is one, or where this time has no gap.
    """

    staff: int | None
    child: int | None
    gap: int | None = None
    returns: int | None = None
    change: int | None = None
    low: int | None = None
    high: int | None = None
    word: ChangeWord | None = None
    reason: Phrase = NO_NOTE


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """One dimension: how the gaps of the institutions shown at both rounds have changed.

    Attributes
    ----------
    institution_ids : tuple of str
    found : TrueValues or Unavailable
    note : Phrase
        Empty if those who answered both times could be recognised; otherwise why not.
    """

    institution_ids: tuple[str, ...]
    found: TrueValues | Unavailable
    note: Phrase = NO_NOTE

    @property
    def mean(self) -> float | None:
        """Mean change of all institutions."""
        return None if isinstance(self.found, Unavailable) else self.found.mean


def changes_between(before: DimensionMeans, now: DimensionMeans, first: Sides, second: Sides) -> Changes:
    """Return how the gaps of one dimension have changed.

    Parameters
    ----------
    before, now : DimensionMeans
    first, second : (DataFrame, DataFrame)
        Staff's and children's scores at each round, checked (`asp_eval.trial.profiles.gap.checked_sides`).
    """
    here = set(now.institution_ids)
    ids = [one for one in before.institution_ids if one in here]
    if len(ids) < FEWEST_CHANGES:
        return Changes(tuple(ids), Unavailable(FEW_CHANGES))
    variances = (before.gap_variance, now.gap_variance)
    if isinstance(variances[0], Unavailable):
        return Changes(tuple(ids), variances[0])
    if isinstance(variances[1], Unavailable):
        return Changes(tuple(ids), variances[1])
    places = [[each.institution_ids.index(one) for one in ids] for each in (before, now)]
    of_dimension = [tuple(side[side["dimension"] == now.dimension] for side in sides) for sides in (first, second)]
    shared = round_covariances((of_dimension[0][0], of_dimension[0][1]), (of_dimension[1][0], of_dimension[1][1]), pd.Index(ids))
    v = change_variances(variances[0][places[0]], variances[1][places[1]], shared)
    if not (v > 0).all():
        return Changes(tuple(ids), Unavailable(ALL_ALIKE))
    note = shared.reason if isinstance(shared, Unavailable) else NO_NOTE
    return Changes(tuple(ids), true_values(now.gap[places[1]] - before.gap[places[0]], v), note)


def entry_before(
    institution: str, means: DimensionMeans, compared: Shrinkage | Unavailable, changes: Changes, level: float, *, shown_now: bool
) -> GapBefore:
    """Return last time's numbers of an institution on one dimension, and the change since."""
    if institution not in means.institution_ids:
        alone = means.child_alone.get(institution)
        reason = HIDDEN_BEFORE if institution in means.hidden or alone is not None else NONE_BEFORE
        return GapBefore(None, None if alone is None else as_printed(alone), reason=reason)
    at = means.institution_ids.index(institution)
    staff, child, gap, returns = as_printed(means.staff[at]), as_printed(means.child[at]), None, None
    if not isinstance(compared, Unavailable) and compared.tau2 > 0:
        gap = as_printed(float(compared.estimates[at]))
        returns = as_printed(abs(float((1 - compared.weights[at]) * (means.gap[at] - compared.mean))))
    if not shown_now:
        return GapBefore(staff, child, gap, returns)
    if isinstance(changes.found, Unavailable):
        return GapBefore(staff, child, gap, returns, reason=changes.found.reason)
    low, high = changes.found.interval(level)
    where = changes.institution_ids.index(institution)
    change, least, most = (as_printed(float(each[where])) for each in (changes.found.estimates, low, high))
    return GapBefore(staff, child, gap, returns, change, least, most, change_word(least, most))


def change_word(low: int, high: int) -> ChangeWord:
    """Return what is said of a change: something only where its printed interval is all on one side of 0.

    Examples
    --------
    >>> change_word(2, 9), change_word(-9, -1), change_word(-3, 0)
    ('staff-higher', 'child-higher', 'no-change')
    """
    if low > 0:
        return "staff-higher"
    return "child-higher" if high < 0 else "no-change"


def first_note(changes: Sequence[Changes]) -> Phrase:
    """Return why the change is reckoned without knowing who answered twice; empty where that is known for every dimension."""
    return next((each.note for each in changes if each.note), NO_NOTE)


def rounded_mean(changes: Changes | None, decimals: int) -> float | None:
    """Return the mean change of all institutions, as it is printed."""
    return None if changes is None or changes.mean is None else round(changes.mean, decimals)
