"""A small study with GAP-profiles, and two sides of answers for it."""

from __future__ import annotations

import math
from itertools import combinations_with_replacement, product
from typing import Any

import numpy as np
import pandas as pd

from asp_eval.analysis.gap_results import GapEntry, GapResults
from asp_eval.analysis.gap_sides import DimensionLabel
from asp_eval.analysis.profiles import gap_profiles
from asp_eval.trial.disclosure.bands import count_band
from asp_eval.trial.disclosure.limits import USUAL
from asp_eval.trial.disclosure.means import as_printed
from asp_eval.trial.study.design import Study

AREAS = {"play": "social", "empathy": "social", "language": "learning"}
LABELS = tuple(DimensionLabel(key, {"en": key}, area, {"en": area}) for key, area in AREAS.items())


def make_study(**changes: Any) -> Study:
    declared: dict[str, Any] = {
        "version": 1,
        "study": {"id": "mini", "title": {"en": "Mini"}, "synthetic": True},
        "arms": ["reference", "intervention"],
        "waves": [{"id": "w1", "label": {"en": "start"}}],
        "collect": {"screening": {"waves": ["w1"]}},
        "outcomes": [{"id": "y", "column": "screening.y", "role": "primary", "better": "lower", "at": "w1"}],
        "gap": {"staff": "gap-competences-staff", "child": "gap-competences-child", "wave": "w1"},
    }
    return Study.model_validate(declared | changes)


def make_sides(between: float = 9.0, institutions: int = 20, seed: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Seven staff and twenty-one children in each institution, every child rated by one of the seven."""
    rng = np.random.default_rng(seed)
    own, rated = [], []
    for j in range(institutions):
        for label in LABELS:
            centre_own, centre_rated = rng.normal(60, between, 2)
            lenient = rng.normal(0, 4, 7)
            own += [(f"D{j:02d}", f"{j}s{k}", label.key, centre_own + 2 * lenient[k] + rng.normal(0, 6)) for k in range(7)]
            rated += [
                (f"D{j:02d}", f"{j}c{c}", f"{j}s{c % 7}", label.key, centre_rated + lenient[c % 7] + rng.normal(0, 12))
                for c in range(21)
            ]
    staff = pd.DataFrame(own, columns=["institution_id", "respondent_id", "dimension", "score"])
    children = pd.DataFrame(rated, columns=["institution_id", "child_id", "rater_id", "dimension", "score"])
    return staff.assign(score=staff["score"].clip(1, 99)), children.assign(score=children["score"].clip(1, 99))


def profiles_of(staff: pd.DataFrame, children: pd.DataFrame, study: Study | None = None, **more: Any) -> GapResults:
    return gap_profiles(study or make_study(), staff, children, dimensions=LABELS, **more)


def entry_of(results: GapResults, institution: str, dimension: str) -> GapEntry:
    profile = next(p for p in results.profiles if p.institution_id == institution)
    return next(e for e in profile.entries if e.dimension == dimension)


def whole(value: float) -> int:
    """The number as it is printed: halves go up."""
    return math.floor(value + 0.5)


def gap_plan(**more: Any) -> dict[str, Any]:
    return {"staff": "gap-competences-staff", "child": "gap-competences-child", "wave": "w1"} | more


def attack_on_two_rounds(
    printed: tuple[int, int], first: dict[str, int], second: dict[str, int], steps: int
) -> tuple[int, float]:
    """Return with how many sets of answers, and what share of the grid, the best placed reader of two printed means is left.

    Every reader knows the own answers, who answered when and the bands of counts, takes it that the others answered the same both
    times, and tries every set of answers. Readers for whom nothing fits have learnt that they were wrong.
    """
    bands = [count_band(len(side)) for side in (first, second)]
    stayed, left, came = len(first.keys() & second.keys()), len(first.keys() - second.keys()), len(second.keys() - first.keys())
    assert stayed
    worst: list[tuple[int, float]] = []
    for reader in first.keys() | second.keys():
        own, fits, possible = (first.get(reader), second.get(reader)), 0, {}
        for size in range(bands[0].low, bands[0].high + 1):
            later = size - left + came
            if not bands[1].low <= later <= bands[1].high:
                continue
            counts = (size - left - (None not in own), left - (own[1] is None), came - (own[0] is None))
            for parts in product(*(list(combinations_with_replacement(range(steps + 1), n)) for n in counts)):
                sums = ((own[0] or 0) + sum(parts[0]) + sum(parts[1]), (own[1] or 0) + sum(parts[0]) + sum(parts[2]))
                if tuple(as_printed(100 * s / (steps * n)) for s, n in zip(sums, (size, later), strict=True)) == printed:
                    fits += 1
                    for key, part in enumerate(parts):
                        if part:
                            possible.setdefault(key, set()).update(part)
        if fits:
            worst.append((fits, min((len(values) / (steps + 1) for values in possible.values()), default=1.0)))
    return min((fits for fits, _ in worst), default=USUAL.answer_sets), min((reach for _, reach in worst), default=1.0)
