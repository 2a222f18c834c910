"""A category of an outcome with few children: what the results and the pages may still say of it.

1. The attacker works out the count of a rare category from the results as they were, by every way that is open, and from none as
they are.  2. What is said of the effect is true to what is shown.  3. Outcomes without a rare category stay as they are.
"""

from __future__ import annotations

from dataclasses import replace
from math import log, sqrt

import builders
import pytest

from asp_eval.analysis.rare_categories import without_rare
from asp_eval.analysis.rare_outcomes import FEW_OF_OUTCOME, without_rare_categories
from asp_eval.analysis.results import ArmEffect, ArmSummary, OutcomeResult, Results, Share
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.writers.html import html
from asp_eval.stats.estimate import Estimate
from asp_eval.store.result_files import as_json

BASE = builders.results()
ARMS = BASE.study.arms
NONE = Unavailable(Phrase("not computed"))
Counts = dict[str, tuple[int, int]]  # of a category, in the two arms


def estimate(term: str, value: float, error: float) -> Estimate:
    return Estimate(term, value, error, 20.0, value / error, 0.04, value - 2 * error, value + 2 * error, "x")


def categorised(counts: Counts, sizes: tuple[int, int], scale: str = "ordinal") -> OutcomeResult:
    """An outcome with plain shares: whatever a model without covariates would say of it."""
    share = {name: tuple(n / size for n, size in zip(own, sizes, strict=True)) for name, own in counts.items()}

    def error(p: float, n: int) -> float:
        return sqrt(max(p * (1 - p), 1e-6) / n)

    def apart(name: str) -> Estimate:
        (a, b), (n, m) = share[name], sizes
        return estimate("arm", b - a, sqrt(error(a, n) ** 2 + error(b, m) ** 2))

    shares = tuple(
        Share(arm, name, size, counts[name][i], estimate("share", share[name][i], error(share[name][i], size)))
        for i, (arm, size) in enumerate(zip(ARMS, sizes, strict=True))
        for name in counts
    )
    first, *_ = counts
    (a, b), (c, d) = (min(max(p, 0.001), 0.999) for p in share[first]), (max(n, 1) for n in counts[first])
    odds = estimate("arm", log(b / (1 - b) / (a / (1 - a))), sqrt(1 / c + 1 / d))
    effect = ArmEffect(
        ARMS[1],
        apart(first),
        NONE,
        0.05,
        ratio=estimate("ratio", b / a, 0.1),
        odds_ratio=odds,
        changes=tuple(apart(name) for name in counts) if scale == "ordinal" else (),
    )
    intercept = estimate("Intercept", log(a / (1 - a)), 0.1)
    return replace(
        BASE.outcomes[0],
        scale=scale,
        shares=shares,
        effects=(effect,),
        coefficients=(intercept, odds),
        arms=tuple(ArmSummary(arm, size, 0, mean=p, sd=0.1) for arm, size, p in zip(ARMS, sizes, share[first], strict=True)),
    )


def recovered(outcome: OutcomeResult, name: str, size: int) -> set[int]:
    """Every count of a category in the first arm that an attacker works out exactly; empty if none."""
    found = set()
    own = [s for s in outcome.shares if s.arm == ARMS[0]]
    mine, others = next(s for s in own if s.category == name), [s for s in own if s.category != name]
    if mine.count is not None:
        found.add(mine.count)
    if isinstance(mine.adjusted, Estimate) and _open(mine.adjusted.estimate, size) == 1:
        found.add(round(mine.adjusted.estimate * size))
    if others and all(s.count is not None for s in others):
        found.add(size - sum(s.count for s in others))
    if others and all(isinstance(s.adjusted, Estimate) and s.adjusted.std_error is not None for s in others):
        found.add(round(size * (1 - sum(s.adjusted.estimate for s in others))))
    if outcome.scale == "binary":
        found |= _from_the_effect(outcome, size)
    return found


def _open(share: float, size: int) -> int:
    """How many counts a printed share leaves open: one, unless it is in whole percent."""
    return 1 if abs(share * 100 - round(share * 100)) > 1e-9 else size // 100 + 1


def _from_the_effect(outcome: OutcomeResult, size: int) -> set[int]:
    """A difference with its error, or with a ratio, a logit, or a mean, gives the share of the first arm."""
    found, effect = set(), outcome.effects[0]
    d, ratio = effect.difference, effect.ratio
    if isinstance(d, Estimate) and isinstance(ratio, Estimate):
        found.add(round(size * d.estimate / (ratio.estimate - 1)))
    if isinstance(d, Estimate) and d.std_error is not None:
        other = outcome.shares[1].n
        errors = {
            k: abs(sqrt(p * (1 - p) / size + q * (1 - q) / other) - d.std_error)
            for k in range(1, size)
            if 0 <= (q := (p := k / size) + d.estimate) <= 1
        }
        found.add(min(errors, key=lambda k: errors[k]))
    intercept = outcome.coefficients[0].estimate
    if intercept is not None:
        found.add(round(size / (1 + 2.718281828459045**-intercept)))
    if outcome.arms[0].mean is not None:
        found.add(round(size * outcome.arms[0].mean))
    return found


CASES = [
    ({"": (3, 9)}, (60, 62), "binary"),  # a small trial: the outcome is not shown
    ({"": (3, 29)}, (700, 680), "binary"),  # a large one: in whole percent
    ({"low": (30, 33), "high": (27, 25), "very high": (3, 4)}, (60, 62), "ordinal"),
    ({"low": (500, 450), "high": (197, 220), "very high": (3, 10)}, (700, 680), "ordinal"),
    ({"low": (3, 10), "high": (197, 220), "very high": (500, 450)}, (700, 680), "ordinal"),
]


@pytest.mark.parametrize(("counts", "sizes", "scale"), CASES)
def test_the_attacker_recovers_the_count_as_it_was_and_not_as_it_is(counts: Counts, sizes: tuple[int, int], scale: str) -> None:
    before = categorised(counts, sizes, scale)
    rare = min(counts, key=lambda name: counts[name][0])
    assert recovered(before, rare, sizes[0]) == {3}
    after = without_rare_categories(before, 5)
    assert 3 not in recovered(after, rare, sizes[0])
    assert after.notes[-1] != (before.notes or ("",))[-1]
    assert all(coefficient.estimate is None for coefficient in after.coefficients)


@pytest.mark.parametrize(("counts", "sizes", "scale"), CASES)
def test_file_and_page_hold_no_more(counts: Counts, sizes: tuple[int, int], scale: str) -> None:  # 1, 2
    results: Results = without_rare(replace(BASE, outcomes=(categorised(counts, sizes, scale),)), frozenset())
    told = evaluation(results, "en")
    page = html(replace(told, sections=(*told.sections, *told.workbook)))
    assert "because a category of the outcome has too few children" in page or str(FEW_OF_OUTCOME) in page
    exact = [f"{n / size:.5f}" for own in counts.values() for n, size in zip(own, sizes, strict=True) if n in (3, 4)]
    assert exact
    assert not [each for each in exact for text in (page, as_json(results)) if each in text]


def test_a_difference_stands_alone_where_its_shares_are_hidden() -> None:  # 2
    results = without_rare(replace(BASE, outcomes=(categorised({"": (3, 29)}, (700, 680), "binary"),)), frozenset())
    page = html(evaluation(results, "en"))
    assert "4 percentage points higher in" in page
    assert "is 0.0% in" not in page
    effect = results.outcomes[0].effects[0]
    assert (effect.difference.estimate, effect.difference.std_error) == (0.04, None)
    assert isinstance(effect.ratio, Unavailable)


def test_outcomes_without_a_rare_category_and_measures_stay_as_they_are() -> None:  # 3
    for outcome in (
        categorised({"": (30, 29)}, (70, 68), "binary"),
        categorised({"low": (40, 41), "high": (20, 21)}, (60, 62)),
        categorised({"low": (60, 50), "high": (0, 12)}, (60, 62)),  # none in an arm tells of nobody
        *BASE.outcomes,
    ):
        assert without_rare_categories(outcome, 5) == outcome
