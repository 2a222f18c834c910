"""What results may tell of a category of few children where the category is an outcome's own.

The same rule as for other variables (`asp_eval.trial.disclosure.categories`): where a category is small in an arm, shares and
their differences stand in whole percent, if that leaves enough children open, and else the category and what would reveal it
are hidden in every arm. An effect that is about a hidden category, as of a yes-or-no outcome it is, shares its fate: a
difference and its standard error together give both arms' shares, and so do a difference and a ratio. The model's coefficients
are the logits of shares, and have no place beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from asp_eval.analysis.models import has_categories, is_yes_or_no
from asp_eval.analysis.results import ArmEffect, Estimated, OutcomeResult, Share
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Estimate
from asp_eval.trial.disclosure.categories import ArmCounts, Protection, protect

FEW_OF_OUTCOME = Phrase("not shown: a category of the outcome has too few children")
IN_WHOLE_PERCENT = Phrase("in whole percent, because a category of the outcome has too few children")
NOT_SHOWN = Unavailable(FEW_OF_OUTCOME)
EVERYTHING = Protection("exact", frozenset())
POINTS = 2  # decimals of a whole percent


@dataclass(frozen=True, slots=True)
class _Shown:
    """How the categories of an outcome are shown, and whether what the arms are compared by is of a hidden one."""

    coarse: bool
    hidden: frozenset[str]
    direct: bool


def without_rare_categories(outcome: OutcomeResult, minimum: int) -> OutcomeResult:
    """Return an outcome without what tells how many children a rare category of it has; any other outcome as it is.

    Parameters
    ----------
    outcome : OutcomeResult
    minimum : int
        Fewest children of a category.
    """
    if not has_categories(outcome) or not outcome.shares:
        return outcome
    names = list(dict.fromkeys(share.category for share in outcome.shares))
    how = protect(_counts(outcome, names), minimum)
    if how == EVERYTHING:
        return outcome
    yes_or_no = is_yes_or_no(outcome)
    hidden = frozenset(names[i] for i in how.hidden if i < len(names))
    shown = _Shown(how.form == "share", hidden, yes_or_no or 0 in how.hidden)
    found = replace(
        outcome,
        shares=tuple(_share(share, shown) for share in outcome.shares),
        effects=tuple(_effect(effect, names, shown, outcome.summary) for effect in outcome.effects),
        coefficients=tuple(Estimate.unavailable(each.term, FEW_OF_OUTCOME) for each in outcome.coefficients),
        arms=tuple(replace(arm, mean=None, sd=None, hidden=True) for arm in outcome.arms),
        notes=(*outcome.notes, IN_WHOLE_PERCENT if shown.coarse else FEW_OF_OUTCOME),
        rechecks=(),
    )
    return _without_other_estimates(found) if shown.direct else found


def _counts(outcome: OutcomeResult, names: list[str]) -> list[ArmCounts]:
    """Return the children of each category by arm; of a yes-or-no outcome, yes and no."""
    found = []
    for arm in dict.fromkeys(share.arm for share in outcome.shares):
        own = {share.category: share for share in outcome.shares if share.arm == arm}
        counts = tuple(own[name].count or 0 for name in names if name in own)
        everybody = next(iter(own.values())).n
        found.append(ArmCounts((*counts, everybody - counts[0]) if is_yes_or_no(outcome) else counts))
    return found


def _share(share: Share, shown: _Shown) -> Share:
    if share.category in shown.hidden:
        return replace(share, count=None, adjusted=NOT_SHOWN)
    return replace(share, count=None, adjusted=_whole(share.adjusted)) if shown.coarse else share


def _effect(effect: ArmEffect, names: list[str], shown: _Shown, summary: str) -> ArmEffect:
    """Return an arm's effect: all of it that is of hidden categories is coarse, or not shown."""
    changes = tuple(
        NOT_SHOWN if name in shown.hidden else _whole(change) if shown.coarse else change
        for name, change in zip(names, effect.changes, strict=False)
    )
    if not shown.direct:
        return replace(effect, changes=changes)
    kept = shown.coarse and summary == "difference"
    return replace(
        effect,
        difference=_whole(effect.difference) if shown.coarse else NOT_SHOWN,
        effect_size=NOT_SHOWN,
        adjusted_p=effect.adjusted_p if kept else NOT_SHOWN,
        ratio=effect.ratio and NOT_SHOWN,
        odds_ratio=effect.odds_ratio and NOT_SHOWN,
        changes=changes,
        simultaneous=effect.simultaneous and NOT_SHOWN,
    )


def _whole(found: Estimated) -> Estimated:
    """Return a share, or a difference of shares, in whole percent, and without what its rounding would not hold."""
    if isinstance(found, Unavailable):
        return found
    estimate, low, high = (
        None if each is None else round(each, POINTS) for each in (found.estimate, found.conf_low, found.conf_high)
    )
    rounded = {"estimate": estimate, "conf_low": low, "conf_high": high}
    return replace(found, **rounded, std_error=None, statistic=None, note=IN_WHOLE_PERCENT)  # type: ignore[arg-type]


def _without_other_estimates(outcome: OutcomeResult) -> OutcomeResult:
    """Return an outcome without the same effect by other estimators, and in parts of the children."""
    return replace(
        outcome,
        recomputations=(),
        estimators=(),
        averages=(),
        compliers=(),
        subgroups=(),
        levels=(),
        missing=None,
        means=(),
        sizes=(),
        checks=None,
        raters=None,
        realised=None,
        institution_means=(),
    )
