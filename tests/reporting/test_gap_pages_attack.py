"""An attacker who reads the printed pages of both rounds of every institution.

The pages are read as text: what is not on them the attacker does not have. Where one or two people came or left between the
rounds, nobody who answered may be left with fewer than ten sets of the others' answers, or confine another's to less than half of
the grid.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from gap_trials import attack_on_two_rounds, gap_plan, make_study

from asp_eval.analysis.gap_results import GapResults
from asp_eval.analysis.gap_sides import DimensionLabel
from asp_eval.analysis.profiles import gap_profiles
from asp_eval.reporting.documents.gap_profiles import gap_profile
from asp_eval.reporting.writers.html import html
from asp_eval.trial.disclosure.limits import USUAL

STEPS = 4
PLAY = DimensionLabel("play", {"en": "Play"}, "social", {"en": "Social"}, steps=(STEPS, STEPS))
WAVES = [{"id": "w1", "label": {"en": "start"}}, {"id": "w3", "label": {"en": "end"}}]
Answers = dict[str, dict[str, int]]


def answers() -> tuple[Answers, Answers]:
    """Six staff in each of nine institutions; most answer the same twice, and some come or leave."""
    rng = np.random.default_rng(4)
    first = {f"i{j:02d}": {f"{j}s{k}": int(rng.integers(0, STEPS + 1)) for k in range(6)} for j in range(9)}
    second = {key: dict(side) for key, side in first.items()}
    for j, key in enumerate(second):
        if j % 4 == 1:
            second[key][f"{j}new"] = int(rng.integers(0, STEPS + 1))
        if j % 4 == 2:
            second[key].pop(f"{j}s0")
        if j % 4 == 3:
            second[key].pop(f"{j}s1")
            second[key] |= {f"{j}new{i}": int(rng.integers(1, STEPS)) for i in range(2)}
    return first, second


def sides(answered: Answers) -> tuple[pd.DataFrame, pd.DataFrame]:
    own = [(key, person, "play", 100 * a / STEPS) for key, side in answered.items() for person, a in side.items()]
    rng = np.random.default_rng(1)
    rated = [(key, f"{key}c{c}", f"{key}r{c % 5}", "play", 25.0 * int(rng.integers(0, 5))) for key in answered for c in range(20)]
    return (
        pd.DataFrame(own, columns=["institution_id", "respondent_id", "dimension", "score"]),
        pd.DataFrame(rated, columns=["institution_id", "child_id", "rater_id", "dimension", "score"]),
    )


def printed(results: GapResults) -> dict[str, int]:
    """The staff's number of each institution on its page, where there is one."""
    found = {}
    for profile in results.profiles:
        page = re.sub(r"last time staff \d+", "", html(gap_profile(results, profile, "en")))
        said = {int(n) for n in re.findall(r"Play: staff (\d+), children", page)}
        assert len(said) <= 1
        if said:
            found[profile.institution_id] = said.pop()
    return found


def attacks(first: Answers, second: Answers) -> tuple[dict[str, tuple[int, float]], int]:
    """What the best placed reader of each institution's two pages is left with, and how many institutions were hidden."""
    study = make_study(waves=WAVES, gap=gap_plan(follow_up="w3"))
    before, now = sides(first), sides(second)
    once = printed(gap_profiles(study, *before, dimensions=[PLAY]))
    again = printed(gap_profiles(study, *now, dimensions=[PLAY], earlier=before))
    both = once.keys() & again.keys()
    return (
        {
            key: attack_on_two_rounds((once[key], again[key]), first[key], second[key], STEPS)
            for key in both
            if first[key].keys() != second[key].keys()
        },
        len(once) - len(both),
    )


def test_two_rounds_of_pages_tell_nobody_too_much() -> None:
    found, hidden = attacks(*answers())
    assert hidden >= 2
    assert found
    assert all(fits >= USUAL.answer_sets and reach >= USUAL.share_of_grid for fits, reach in found.values())


def test_the_attacker_finds_out_where_each_round_is_judged_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asp_eval.trial.profiles.gap.second_may_be_shown", lambda *_, **__: True)
    found, _ = attacks(*answers())
    assert any(fits < USUAL.answer_sets or reach < USUAL.share_of_grid for fits, reach in found.values())
