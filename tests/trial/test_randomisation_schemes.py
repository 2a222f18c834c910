"""Blocked lots, pairs, constrained lots and minimisation: the published rules, their probabilities, and what they refuse.

1. A draw is the published rule's, derived here a second time with hashlib and lists; the examples of docs/randomisation.md.
2. A stored draw never changes, whatever the computer or the order of the list.
3. 100,000 draws have the declared probabilities and never break a block, a pair or a stratum.
4. `allocations` have the distribution of the draw over seeds.
5. Lists and declarations that cannot be drawn are refused in trial language.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy.stats import chisquare

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.trial.randomisation.constrained import Constrained
from asp_eval.trial.randomisation.declaration import scheme_of
from asp_eval.trial.randomisation.hash_order import shuffled
from asp_eval.trial.randomisation.matching import closest_pairs
from asp_eval.trial.randomisation.scheme import Scheme
from asp_eval.trial.study.design import Study


def randomise(study, institutions, *, seed, late=False):
    """Draw the lot that a study declares over a list of institutions."""
    return scheme_of(study, institutions, late=late).allocate(seed)


ARMS = ("reference", "intervention")
COLUMNS = {"children": "integer", "low_income": "number", "pair": "string", "size": "string", "entered": "date"}
SIX = pd.DataFrame(
    {
        "institution_id": [f"D{i:02d}" for i in range(1, 7)],
        "municipality": list("AAABBB"),
        "children": [30, 42, 55, 38, 61, 47],
        "low_income": [0.1, 0.25, 0.3, 0.15, 0.4, 0.2],
        "pair": ["p1", "p2", "p1", "p3", "p3", "p2"],
        "size": ["small", "small", "large", "small", "large", "large"],
        "entered": ["2027-02-01", "2027-01-10", "2027-01-05", "2027-03-01", "2027-01-20", "2027-02-15"],
    }
)
SIXTY = pd.DataFrame(
    {
        "institution_id": [f"D{i:02d}" for i in range(1, 61)],
        "municipality": ["A"] * 41 + ["B"] * 19,
        "children": [20 + (i * i * 7) % 61 for i in range(60)],
        "low_income": [round(((i * 37) % 101) / 100, 2) for i in range(60)],
        "pair": [f"p{i // 2:02d}" for i in range(60)],
        "size": [("small", "middle", "large")[(i * 5 + i // 7) % 3] for i in range(60)],
    }
)
BLOCKED = {"scheme": "blocked", "blocks": [4]}
NAMED = {"scheme": "pairs", "pair": "pair"}
MATCHED = {"scheme": "pairs", "covariates": {"children": 1, "low_income": 2}}
CONSTRAINED = {"scheme": "constrained", "covariates": {"children": 1, "low_income": 2}, "keep": 0.5, "candidates": 1000}
MINIMISED = {"scheme": "minimisation", "covariates": {"municipality": 1, "size": 2}, "probability": 0.8}


def study(randomisation: dict[str, Any], **changes: Any) -> Study:
    declared: dict[str, Any] = {
        "version": 1,
        "study": {"id": "mini", "title": {"en": "Mini"}},
        "arms": list(ARMS),
        "randomisation": randomisation,
        "waves": [{"id": "w1", "label": {"en": "start"}}],
        "collect": {"screening": {"waves": ["w1"]}},
        "columns": {"institutions": COLUMNS},
        "outcomes": [{"id": "y", "column": "screening.y", "role": "primary", "better": "lower", "at": "w1"}],
        "analysis": {"level": 0.6},  # so that a handful of candidates is enough for a permutation test
    }
    return Study.model_validate(declared | changes)


def digits(drawn: Any) -> str:
    return "".join(str(list(ARMS).index(arm)) for arm in drawn.arms)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def dealt_by_hand(cells: dict[str, list[str]], seed: Any) -> dict[str, str]:
    """Two arms, 1 to 1: the rule inside cells."""
    circle = sorted([1, 2], key=lambda number: sha(f"{seed}:seat:{number}"))
    odd = sorted([name for name in cells if len(cells[name]) % 2], key=lambda name: sha(f"{seed}:stratum:{name}"))
    extra = {name: ARMS[circle[turn % 2] - 1] for turn, name in enumerate(odd)}
    drawn = {}
    for name, ids in cells.items():
        half = len(ids) // 2
        arms = [ARMS[0]] * (half + (extra.get(name) == ARMS[0])) + [ARMS[1]] * (half + (extra.get(name) == ARMS[1]))
        drawn |= dict(zip(sorted(ids, key=lambda i: sha(f"{seed}:{i}")), arms, strict=True))
    return drawn


WORKED = {  # docs/randomisation.md, derived with sha256sum and by hand; the arm of D01 to D06 with seed 2006
    "blocked": (BLOCKED | {"blocks": [2, 4]}, "010101"),
    "matched": (MATCHED, "011100"),
    "constrained": (CONSTRAINED | {"covariates": {"children": 1}, "keep": 0.3}, "011100"),
    "minimised": (MINIMISED | {"covariates": {"municipality": 1, "size": 1}}, "010011"),
    "minimised on a number": (MINIMISED | {"covariates": {"children": 1}}, "110011"),
    "minimised on a number in groups": (MINIMISED | {"covariates": {"children": {"cut": [45]}}}, "010011"),
}


@pytest.mark.parametrize("name", list(WORKED))
def test_the_worked_examples_of_the_method_note(name: str) -> None:  # 1
    declared, arms = WORKED[name]
    assert digits(randomise(study(declared), SIX, seed=2006)) == arms


# --- blocks ----------------------------------------------------------------------------------------------------------


def blocks_by_hand(frame: pd.DataFrame, sizes: list[int], order: str | None) -> dict[str, list[str]]:
    cells: dict[str, list[str]] = {}
    for stratum, part in frame.groupby("municipality"):
        rows = sorted(part.to_dict("records"), key=lambda r: (r[order] if order else "", sha(f"entry:{r['institution_id']}")))
        ids = [row["institution_id"] for row in rows]
        number = 1
        while ids:
            name = f"{stratum}; block {number}"
            size = min(sizes, key=lambda s: sha(f"block:{name}; {s}"))
            cells[name], ids, number = ids[:size], ids[size:], number + 1
    return cells


@pytest.mark.parametrize("sizes", [[2], [4], [2, 4, 6]])
@pytest.mark.parametrize("order", [None, "children", "size"])
def test_blocks_are_the_published_rule_s(sizes: list[int], order: str | None) -> None:  # 1
    declared = {"scheme": "blocked", "blocks": sizes} | ({"order": order} if order else {})
    for seed in range(5):
        drawn = randomise(study(declared, strata=["municipality"]), SIXTY, seed=seed)
        cells = blocks_by_hand(SIXTY, sizes, order)
        assert dict(zip(drawn.institution_ids, drawn.arms, strict=True)) == dealt_by_hand(cells, seed)
        assert drawn.strata == tuple(next(name for name, ids in cells.items() if i in ids) for i in drawn.institution_ids)


def test_dates_give_an_order_of_entry() -> None:
    scheme = scheme_of(study(BLOCKED | {"blocks": [2], "order": "entered"}), SIX.assign(entered=pd.to_datetime(SIX["entered"])))
    assert dict(zip(scheme.institution_ids, scheme.strata, strict=True)) == {
        "D03": "all; block 1",
        "D02": "all; block 1",
        "D05": "all; block 2",
        "D01": "all; block 2",
        "D06": "all; block 3",
        "D04": "all; block 3",
    }


def test_draws_never_break_a_block() -> None:  # 3
    scheme = scheme_of(study({"scheme": "blocked", "blocks": [4, 6]}, strata=["municipality"]), SIXTY)
    drawn = scheme.allocations(20_000, seed=2)
    sizes = Counter(scheme.strata)
    for block, size in sizes.items():
        inside = drawn[:, [cell == block for cell in scheme.strata]].sum(axis=1)
        assert set(inside) <= {size // 2, -(-size // 2)}
    assert set(drawn.sum(axis=1)) == {30}
    np.testing.assert_allclose(drawn.mean(axis=0), 0.5, atol=4.5 * np.sqrt(0.25 / 20_000))


# --- pairs -----------------------------------------------------------------------------------------------------------


def every_matching(left: list[int]) -> list[tuple[tuple[int, int], ...]]:
    if not left:
        return [()]
    first, *others = left
    return [((first, mate), *rest) for mate in others for rest in every_matching([o for o in others if o != mate])]


@pytest.mark.parametrize("largest", [1, 2, 3, 10, 10**30])  # small ones tie often
def test_the_closest_pairs_of_all_matchings(largest: int) -> None:  # 1: brute force over 15 to 945 matchings
    random = np.random.default_rng(7)
    for m in (2, 4, 6, 8, 8, 8, 10):
        d = [[0] * m for _ in range(m)]
        for i, j in itertools.combinations(range(m), 2):
            d[i][j] = d[j][i] = int(random.integers(0, min(largest, 10**9) + 1)) * max(1, largest // 10**9)
        best = min(every_matching(list(range(m))), key=lambda pairs: (sum(d[i][j] for i, j in pairs), pairs))
        assert tuple(closest_pairs(d)) == best


def test_the_closest_pairs_of_a_long_list() -> None:  # 1: dynamic programming over the subsets of 14
    random = np.random.default_rng(3)
    for largest in (2, 5, 50):
        d = [[0] * 14 for _ in range(14)]
        for i, j in itertools.combinations(range(14), 2):
            d[i][j] = d[j][i] = int(random.integers(0, largest + 1))
        best = {0: 0}
        for used in range(1, 1 << 14):
            if used.bit_count() % 2 == 0:
                i = used.bit_length() - 1
                rest = used ^ (1 << i)
                best[used] = min(d[i][j] + best[rest ^ (1 << j)] for j in range(i) if rest >> j & 1)
        assert sum(d[i][j] for i, j in closest_pairs(d)) == best[(1 << 14) - 1]


def test_pairs_are_matched_on_standardised_covariates() -> None:  # 1: brute force over the 15 matchings, in floats
    x, w = SIX[["children", "low_income"]].to_numpy(float), np.array([1.0, 2.0])
    z = x / x.std(axis=0, ddof=1)
    best = min(every_matching(list(range(6))), key=lambda pairs: sum((w * (z[i] - z[j]) ** 2).sum() for i, j in pairs))
    scheme = scheme_of(study(MATCHED), SIX)
    assert {frozenset(np.flatnonzero(np.array(scheme.strata) == name)) for name in set(scheme.strata)} == {
        frozenset(pair) for pair in best
    }


def test_a_pair_goes_one_to_either_arm() -> None:  # 3
    for declared, changes in ((NAMED, {}), (MATCHED, {})):
        scheme = scheme_of(study(declared, **changes), SIXTY)
        drawn = scheme.allocations(20_000, seed=4)
        for pair in set(scheme.strata):
            first = drawn[:, [cell == pair for cell in scheme.strata]]
            assert (first.sum(axis=1) == 1).all()
            assert chisquare(np.bincount(first[:, 0])).pvalue > 1e-5


@pytest.mark.parametrize("source", ["allocations", "seeds"])
def test_all_eight_allocations_of_three_pairs_come_equally_often(source: str) -> None:  # 3, 4
    scheme = scheme_of(study(NAMED), SIX)
    every = scheme.every(100)
    assert every is not None and len(every) == 8
    rows = scheme.allocations(20_000, 1) if source == "allocations" else np.array([scheme.drawn(s) for s in range(1_600)])
    seen = Counter(map(bytes, rows))
    assert set(seen) == set(map(bytes, every)) and chisquare(list(seen.values())).pvalue > 1e-4


def test_larger_sets_may_be_named() -> None:
    arms = {"arms": ["none", "some", "all"]}
    frame = SIX.assign(pair=["s1", "s1", "s2", "s1", "s2", "s2"])
    drawn = scheme_of(study(NAMED | {"ratio": [1, 1, 1]}, **arms), frame).allocations(500, 1)
    assert {tuple(sorted(row[[0, 1, 3]])) for row in drawn} == {(0, 1, 2)}


# --- constrained -----------------------------------------------------------------------------------------------------


def score(frame: pd.DataFrame, arms: Any, weights: dict[str, float]) -> float:
    arms = np.asarray(arms)
    total = 0.0
    for column, weight in weights.items():
        x = frame[column].to_numpy(float)
        total += weight * (x[arms == 1].mean() - x[arms == 0].mean()) ** 2 / x.var(ddof=1)
    return total


def constrained(frame: pd.DataFrame, **changes: Any) -> Constrained:
    scheme = scheme_of(study(CONSTRAINED | changes.pop("randomisation", {}), **changes), frame)
    assert isinstance(scheme, Constrained)
    return scheme


def test_the_best_candidates_of_all_are_kept() -> None:  # 1: brute force over the 20 allocations, in floats
    scheme = constrained(SIX)
    every = [tuple(int(i in chosen) for i in range(6)) for chosen in itertools.combinations(range(6), 3)]
    scores = {arms: score(SIX, arms, {"children": 1, "low_income": 2}) for arms in every}
    best = sorted(every, key=lambda arms: scores[arms])[:10]
    assert {tuple(row) for row in scheme.candidates.kept.tolist()} == set(best)
    assert scheme.candidates.considered == 20 and scheme.candidates.enumerated
    kept = [tuple(row) for row in scheme.candidates.kept.tolist()]
    np.testing.assert_allclose([float(s) for s in scheme.candidates.scores], [scores[arms] for arms in kept], rtol=1e-12)


def test_what_is_tied_with_the_last_is_kept_too() -> None:
    frame = SIX.assign(children=[1, 1, 1, 2, 2, 2])
    scheme = constrained(frame, randomisation={"covariates": {"children": 1}, "keep": 0.05})  # 0.05 of 20 is one
    assert len(scheme.candidates.kept) == 18  # all but the two that put the large ones into one arm


def test_a_cut_is_compared_exactly() -> None:
    # s2 = 0.3 exactly, means differ by 1/3 in 18 allocations: the score 1/9 / 0.3 = 10/27 is not a binary number
    frame = SIX.assign(children=[1, 1, 1, 2, 2, 2])
    scheme = constrained(frame, randomisation={"covariates": {"children": 1}, "keep": None, "cut": 0.371})
    assert set(scheme.candidates.scores) == {Fraction(10, 27)} and len(scheme.candidates.kept) == 18


def test_three_arms_and_unequal_ratios_are_scored_pair_by_pair() -> None:
    frame = SIXTY.head(8)
    found = constrained(
        frame, arms=["a", "b", "c"], randomisation={"ratio": [2, 1, 1], "covariates": {"children": 1, "low_income": 1.5}}
    )
    for arms, own in zip(found.candidates.kept[::40], found.candidates.scores[::40], strict=True):
        total = 0.0
        for column, weight in (("children", 1), ("low_income", 1.5)):
            x = frame[column].to_numpy(float)
            means = [x[arms == a].mean() for a in range(3)]
            total += weight * sum((p - q) ** 2 for p, q in itertools.combinations(means, 2)) / x.var(ddof=1)
        assert float(own) == pytest.approx(total, rel=1e-12)
    assert {tuple(np.bincount(arms)) for arms in found.candidates.kept} == {(4, 2, 2)}


@pytest.mark.parametrize("strata", [[], ["municipality"]])
def test_candidates_of_a_long_list_are_drawn_by_the_rule(strata: list[str]) -> None:  # 1
    scheme = constrained(SIXTY, strata=strata, randomisation={"candidates": 300, "keep": 0.2})
    cells = {name: list(part["institution_id"]) for name, part in SIXTY.groupby("municipality")} if strata else None
    cells = cells or {"all": list(SIXTY["institution_id"])}
    drawn = [dealt_by_hand(cells, f"candidate {j}") for j in range(1, 301)]
    found = sorted({tuple(ARMS.index(one[i]) for i in SIXTY["institution_id"]) for one in drawn})
    scores = {arms: score(SIXTY, arms, {"children": 1, "low_income": 2}) for arms in found}
    best = sorted(found, key=lambda arms: scores[arms])[: len(found) // 5]
    assert {tuple(row) for row in scheme.candidates.kept.tolist()} == set(best)
    assert not scheme.candidates.enumerated


@pytest.mark.parametrize("seed", range(8))
def test_the_kept_candidate_with_the_smallest_key_is_drawn(seed: int) -> None:  # 1
    shuffled = SIX.sample(frac=1, random_state=seed)  # the digits are in the order of the ids, whatever the list's
    drawn = randomise(study(CONSTRAINED), shuffled, seed=seed).frame().set_index("institution_id")["arm"]
    spelled = constrained(SIX).candidates.spelled
    picked = min(spelled, key=lambda text: sha(f"{seed}:allocation:{text}"))
    assert "".join(str(ARMS.index(drawn[i])) for i in sorted(drawn.index)) == picked
    lines = "".join(f"{text}\n" for text in sorted(spelled))
    assert constrained(shuffled).candidates.digest == sha(lines)


@pytest.mark.parametrize("source", ["allocations", "seeds"])
def test_kept_candidates_come_equally_often(source: str) -> None:  # 3, 4
    scheme = constrained(SIX)
    rows = scheme.allocations(20_000, 1) if source == "allocations" else np.array([scheme.drawn(s) for s in range(1_600)])
    seen = Counter(map(bytes, rows.astype(np.int8)))
    assert set(seen) == set(map(bytes, scheme.candidates.kept)) and len(seen) == 10
    assert chisquare(list(seen.values())).pvalue > 1e-4
    np.testing.assert_allclose(rows.mean(axis=0), scheme.probabilities()[:, 1], atol=4.5 * np.sqrt(0.25 / len(rows)))


def test_candidates_never_break_a_stratum() -> None:  # 3
    scheme = constrained(SIXTY, strata=["municipality"], randomisation={"candidates": 500})
    drawn = scheme.allocations(100_000, seed=3)
    assert set(drawn[:, :41].sum(axis=1)) <= {20, 21} and set(drawn.sum(axis=1)) == {30}


def test_institutions_that_never_meet_are_named() -> None:
    frame = SIX.assign(children=[1, 100, 2, 101, 51, 52])  # balance keeps the small two apart, and the large two
    found = constrained(frame, randomisation={"covariates": {"children": 1}, "keep": 0.4})
    together = {(i, j): {bool(row[i] == row[j]) for row in found.candidates.kept} for i, j in itertools.combinations(range(6), 2)}
    never = [f"D{i + 1:02d} and D{j + 1:02d}" for (i, j), seen in together.items() if seen == {False}]
    said = " ".join(found.cautions())
    assert never and f"In nothing that is kept these pairs of institutions have the same arm ({len(never)} in all)" in said
    assert all(pair in said for pair in never[:5])


def test_two_that_are_a_stratum_by_themselves_are_not_named() -> None:  # the lot parts them, whatever is kept
    frame = SIX.assign(municipality=["A"] * 4 + ["B"] * 2, children=[1, 100, 2, 101, 51, 52])
    said = constrained(frame, strata=["municipality"], randomisation={"covariates": {"children": 1}, "keep": 1.0}).cautions()
    assert not said


# --- minimisation ----------------------------------------------------------------------------------------------------


def entered(frame: pd.DataFrame, order: str | None) -> list[dict[str, Any]]:
    key = {row["institution_id"]: sha(f"entry:{row['institution_id']}") for row in frame.to_dict("records")}
    return sorted(frame.to_dict("records"), key=lambda row: (row[order] if order else 0, key[row["institution_id"]]))


def imbalance(counts: Counter[tuple[str, str, str]], row: dict[str, Any], arm: str, weights: dict[str, float]) -> float:
    total = 0.0
    for factor, weight in {"": max(weights.values()), **weights}.items():  # "" is the size of the arms
        after = [counts[factor, row.get(factor, ""), other] + (other == arm) for other in ARMS]
        total += weight * (max(after) - min(after))
    return total


def counted(row: dict[str, Any], arm: str, weights: dict[str, float]) -> Counter[tuple[str, str, str]]:
    return Counter({(factor, row.get(factor, ""), arm): 1 for factor in ["", *weights]})


def minimised_by_hand(frame: pd.DataFrame, seed: int, weights: dict[str, float], order: str | None) -> dict[str, str]:
    counts: Counter[tuple[str, str, str]] = Counter()
    drawn = {}
    for row in entered(frame, order):
        i = row["institution_id"]
        by = sorted(ARMS, key=lambda arm: (imbalance(counts, row, arm, weights), sha(f"{seed}:{i}:{arm}")))
        drawn[i] = by[0] if sha(f"{seed}:coin:{i}") < "c" * 64 else by[1]  # 0.8 is 0.ccc... in hexadecimal
        counts += counted(row, drawn[i], weights)
    return drawn


@pytest.mark.parametrize("order", [None, "children"])
def test_minimisation_is_the_published_rule_s(order: str | None) -> None:  # 1
    declared = MINIMISED | ({"order": order} if order else {})
    for seed in range(12):
        drawn = randomise(study(declared), SIXTY, seed=seed)
        by_hand = minimised_by_hand(SIXTY, seed, {"municipality": 1, "size": 2}, order)
        assert dict(zip(drawn.institution_ids, drawn.arms, strict=True)) == by_hand


def chances(frame: pd.DataFrame, weights: dict[str, float], p: float) -> dict[str, float]:
    """The exact probability of every allocation, by going down the tree of arms."""

    def go(left: list[dict[str, Any]], counts: Counter[tuple[str, str, str]], arms: dict[str, str], chance: float) -> None:
        if not left:
            key = "".join(str(ARMS.index(arms[i])) for i in frame["institution_id"])
            found[key] = found.get(key, 0.0) + chance
            return
        row, *rest = left
        g = [imbalance(counts, row, arm, weights) for arm in ARMS]
        first = 0.5 if g[0] == g[1] else (p if g[0] < g[1] else 1 - p)
        for arm, own in zip(ARMS, (first, 1 - first), strict=True):
            go(rest, counts + counted(row, arm, weights), arms | {row["institution_id"]: arm}, chance * own)

    found: dict[str, float] = {}
    go(entered(frame, None), Counter(), {}, 1.0)
    return found


@pytest.mark.parametrize("source", ["allocations", "seeds"])
def test_minimisation_has_the_probabilities_of_its_tree(source: str) -> None:  # 3, 4
    exact = chances(SIX, {"municipality": 1, "size": 2}, 0.8)
    assert sum(exact.values()) == pytest.approx(1) and len(exact) == 64
    scheme = scheme_of(study(MINIMISED), SIX)
    rows = scheme.allocations(40_000, 1) if source == "allocations" else np.array([scheme.drawn(s) for s in range(1_500)])
    seen = Counter("".join(map(str, row)) for row in rows)
    expected = np.array([exact[key] for key in exact]) * len(rows)
    observed = np.array([seen[key] for key in exact], dtype=float)
    likely = expected > 5
    pooled = [*observed[likely], observed[~likely].sum()], [*expected[likely], expected[~likely].sum()]
    pairs = [(o, e) for o, e in zip(*pooled, strict=True) if e > 0]
    assert chisquare(*zip(*pairs, strict=True)).pvalue > 1e-4
    np.testing.assert_allclose(rows.mean(axis=0), 0.5, atol=4.5 * np.sqrt(0.25 / len(rows)))  # the arms are treated alike
    assert scheme.every(10**6) is None


def test_minimisation_of_three_arms_gives_the_others_the_rest_evenly() -> None:
    frame = SIX.head(3).assign(size="small")
    scheme = scheme_of(study(MINIMISED | {"covariates": {"size": 1}, "ratio": [1, 1, 1]}, arms=["a", "b", "c"]), frame)
    drawn = scheme.allocations(40_000, 3)
    np.testing.assert_allclose(np.stack([(drawn == a).mean(axis=0) for a in range(3)]), 1 / 3, atol=4.5 * np.sqrt(2 / 9 / 40_000))
    second = [row["institution_id"] for row in entered(frame, None)][:2]
    places = [list(frame["institution_id"]).index(i) for i in second]
    same = (drawn[:, places[0]] == drawn[:, places[1]]).mean()
    # the two other arms tie as preferred: the first arm again only by the 0.2, which two arms share
    assert same == pytest.approx(0.1, abs=4.5 * np.sqrt(0.09 / 40_000))


NUMBERS = {"scheme": "minimisation", "covariates": {"children": 1, "low_income": 0.5, "municipality": 2}, "probability": 0.8}


def balanced_by_hand(frame: pd.DataFrame, seed: int) -> dict[str, str]:
    """Numbers by the sums of their standardised values, in fractions; the heaviest factor, a category, weighs 2."""
    z = {}
    for name in ("children", "low_income"):
        x = [Fraction(str(value)) for value in frame[name]]
        mean = sum(x) / len(x)
        spread = sum(abs(value - mean) for value in x) / len(x)
        rounded = [Fraction(math.floor(1000 * (value - mean) / spread + Fraction(1, 2)), 1000) for value in x]
        z[name] = dict(zip(frame["institution_id"], rounded, strict=True))
    town = frame.set_index("institution_id")["municipality"]
    drawn: dict[str, str] = {}
    for row in entered(frame, None):
        i, g = row["institution_id"], {}
        for arm in ARMS:
            so_far = {**drawn, i: arm}
            held = [[k for k in so_far if so_far[k] == a] for a in ARMS]
            of_town = [[k for k in ids if town[k] == row["municipality"]] for ids in held]
            g[arm] = (
                2 * abs(len(held[0]) - len(held[1]))
                + 2 * abs(len(of_town[0]) - len(of_town[1]))
                + abs(sum(z["children"][k] for k in held[0]) - sum(z["children"][k] for k in held[1]))
                + Fraction(1, 2) * abs(sum(z["low_income"][k] for k in held[0]) - sum(z["low_income"][k] for k in held[1]))
            )
        by = sorted(ARMS, key=lambda arm: (g[arm], sha(f"{seed}:{i}:{arm}")))
        drawn[i] = by[0] if sha(f"{seed}:coin:{i}") < "c" * 64 else by[1]
    return drawn


def test_a_number_with_cut_points_is_minimised_as_its_groups() -> None:  # 1
    declared = MINIMISED | {"covariates": {"municipality": 1, "children": {"weight": 2, "cut": [40, 50]}}}
    groups = SIXTY.assign(children=["low" if n < 40 else "middle" if n < 50 else "high" for n in SIXTY["children"]])
    assert set(groups["children"]) == {"low", "middle", "high"}
    assert 40 in set(SIXTY["children"]) or 50 in set(SIXTY["children"])  # a value on a cut point belongs above it
    for seed in range(8):
        drawn = randomise(study(declared), SIXTY, seed=seed)
        by_hand = minimised_by_hand(groups, seed, {"municipality": 1, "children": 2}, None)
        assert dict(zip(drawn.institution_ids, drawn.arms, strict=True)) == by_hand
    assert "children cut at 40, 50 (weight 2)" in str(scheme_of(study(declared), SIXTY))


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (MINIMISED | {"covariates": {"children": {"cut": [50, 40]}}}, "cuts that rise"),
        (MINIMISED | {"covariates": {"children": {"cut": []}}}, "cut"),
        (CONSTRAINED | {"covariates": {"children": {"cut": [40]}}}, "cut points are for 'scheme: minimisation'"),
    ],
)
def test_cut_points_that_cannot_be_are_refused(declared: dict[str, Any], said: str) -> None:  # 5
    with pytest.raises(ValidationError, match=said):
        study(declared)


def test_cut_points_that_part_nothing_are_refused() -> None:  # 5
    with pytest.raises(DataProblems, match="RND-029"):
        randomise(study(MINIMISED | {"covariates": {"children": {"cut": [1000]}}}), SIXTY, seed=1)
    with pytest.raises(DataProblems, match="RND-014"):
        randomise(study(MINIMISED | {"covariates": {"size": {"cut": [1]}}}), SIXTY, seed=1)


def test_numbers_are_minimised_as_numbers() -> None:  # 1
    frame = SIXTY.head(24)
    for seed in range(6):
        drawn = randomise(study(NUMBERS), frame, seed=seed)
        assert dict(zip(drawn.institution_ids, drawn.arms, strict=True)) == balanced_by_hand(frame, seed)
    numbers = "children as a number, low_income as a number (weight 0.5)"
    assert f"over the size of the arms, {numbers}, municipality (weight 2) (" in str(scheme_of(study(NUMBERS), frame))


TWELVE = SIXTY.head(12).assign(children=range(20, 68, 4))  # every institution has a number of its own
SPREAD = {  # docs/randomisation.md: in 95 % and in all of 1,000 seeds, at most so many institutions, and standard deviations
    "one number, twelve": ({"children": 1}, TWELVE, (2, 6), {"children": (0.62, 1.58)}),
    "one number": ({"children": 1}, SIXTY, (2, 6), {"children": (0.105, 0.305), "low_income": (0.455, 0.735)}),
    "numbers and a category": (
        {"children": 1, "low_income": 1, "municipality": 1},
        SIXTY,
        (2, 6),
        {"children": (0.18, 0.44), "low_income": (0.20, 0.41)},
    ),
}


def spread_of(drawn: np.ndarray[Any, Any], frame: pd.DataFrame, name: str) -> np.ndarray[Any, Any]:
    x = frame[name].to_numpy(float)
    return np.array([abs(x[row == 1].mean() - x[row == 0].mean()) / x.std(ddof=1) for row in drawn])


@pytest.mark.parametrize("name", list(SPREAD))
@pytest.mark.parametrize("source", ["allocations", pytest.param("seeds", marks=pytest.mark.slow)])
def test_the_spread_of_the_arms_and_of_what_is_balanced(name: str, source: str) -> None:
    covariates, frame, (usual, most), means = SPREAD[name]
    scheme = scheme_of(study({"scheme": "minimisation", "covariates": covariates}), frame)
    drawn = scheme.allocations(1000, 1) if source == "allocations" else np.array([scheme.drawn(seed) for seed in range(1, 1001)])
    sizes = abs(drawn.shape[1] - 2 * drawn.sum(axis=1))
    slack = 1 if source == "allocations" else 0  # other draws of the same distribution
    assert np.quantile(sizes, 0.95) <= usual + 2 * slack and sizes.max() <= most + 6 * slack
    for column, (common, largest) in means.items():
        found = spread_of(drawn, frame, column)
        assert np.quantile(found, 0.95) <= common + 0.05 * slack and found.max() <= largest * (1 + slack)


def test_a_category_that_hardly_two_share_is_refused() -> None:  # 5
    words = {"institutions": COLUMNS | {"children": "string"}}
    with pytest.raises(DataProblems) as refused:
        scheme_of(study({"scheme": "minimisation", "covariates": {"children": 1, "municipality": 1}}, columns=words), SIXTY)
    (problem,) = refused.value.problems
    assert problem.code == "RND-028" and "children has" in problem.text and "in 60 institutions" in problem.text


def test_a_late_batch_is_minimised_whatever_it_holds() -> None:
    late = SIXTY.head(2).assign(children=30, size=["x", "y"])
    both = study({"scheme": "minimisation", "covariates": {"children": 1, "size": 1}})
    assert sorted(randomise(both, late, seed=1, late=True).arms) in [sorted(ARMS), ["intervention"] * 2, ["reference"] * 2]
    with pytest.raises(DataProblems) as refused:
        scheme_of(both, SIXTY.assign(children=30))
    assert refused.value.problems[0].code == "RND-015"


def test_the_strata_are_minimised_over_if_nothing_else_is_named() -> None:
    scheme = scheme_of(study({"scheme": "minimisation"}, strata=["municipality", "size"]), SIX)
    assert (
        str(scheme) == "minimisation over the size of the arms, municipality, size (probability 0.8); reference 1, intervention 1"
    )
    assert set(scheme.strata) == {"all"}


# --- all schemes -----------------------------------------------------------------------------------------------------

STORED = {
    "blocked": "011101000110101000011110111011100100001101100100000101011101",
    "named": "010101010110101001010110101010100110101001100110010110010101",
    "matched": "011101000111101000111101001000100100101100010100010110111011",
    "constrained": "011110110101110011000001001110101000010011010111011001011000",
    "minimised": "001010010011001110010011101010010111110010100110110011000110",
}
EVERY = {
    "blocked": (BLOCKED | {"blocks": [4, 6]}, ["municipality"]),
    "named": (NAMED, []),
    "matched": (MATCHED, []),
    "constrained": (CONSTRAINED | {"keep": 0.1}, ["municipality"]),
    "minimised": (MINIMISED, []),
}


@pytest.mark.parametrize("name", list(EVERY))
def test_a_stored_draw_never_changes(name: str) -> None:  # 2
    declared, strata = EVERY[name]
    drawn = randomise(study(declared, strata=strata), SIXTY, seed=2006)
    assert digits(drawn) == STORED[name]


@pytest.mark.parametrize("name", list(EVERY))
def test_the_order_of_the_list_does_not_matter(name: str) -> None:  # 2
    declared, strata = EVERY[name]
    own = study(declared, strata=strata)
    drawn = randomise(own, SIXTY, seed=5).frame().set_index("institution_id")
    again = randomise(own, SIXTY.sample(frac=1, random_state=3), seed=5).frame().set_index("institution_id")
    pd.testing.assert_frame_equal(drawn, again.loc[drawn.index])


@pytest.mark.parametrize("name", list(EVERY))
def test_the_steps_that_an_audience_follows_are_the_draw(name: str) -> None:
    declared, strata = EVERY[name]
    scheme: Scheme = scheme_of(study(declared, strata=strata), SIXTY)
    drawn = scheme.allocate(11)
    assert {s.institution_id: (s.arm, s.stratum) for s in scheme.steps(11)} == {
        i: (arm, stratum) for i, arm, stratum in zip(drawn.institution_ids, drawn.arms, drawn.strata, strict=True)
    }
    assert len(scheme.steps(11)) == 60
    assert all(isinstance(line, str) for line in scheme.preface(11))


def test_minimisation_tells_its_imbalances() -> None:
    scheme = scheme_of(study(MINIMISED), SIX)
    counts: Counter[tuple[str, str, str]] = Counter()
    rows = {row["institution_id"]: row for row in SIX.to_dict("records")}
    for step in scheme.steps(4):
        row = rows[step.institution_id]
        g = [int(imbalance(counts, row, arm, {"municipality": 1, "size": 2})) for arm in ARMS]
        assert step.remark == f"imbalance {g[0]}, {g[1]}"
        assert step.key == sha(f"4:coin:{step.institution_id}")
        counts += counted(row, step.arm, {"municipality": 1, "size": 2})


def test_numbers_are_the_same_however_they_are_written() -> None:
    text = SIX.assign(children=["30.0", "42", "55.00", "3.8e1", "61", "47"], low_income=SIX["low_income"].map("{:.3f}".format))
    assert scheme_of(study(CONSTRAINED), text).digest == scheme_of(study(CONSTRAINED), SIX).digest
    lines = scheme_of(study(CONSTRAINED), SIX).roster.lines
    assert lines[0] == "D01\tall\tchildren=30\tlow_income=0.1"


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "changes", "code"),
    [
        (MATCHED, {"head": 5}, "RND-016"),
        (MATCHED | {"strata": ["municipality"]}, {}, "RND-016"),
        (NAMED, {"pair": ["p1", "p2", "p1", "p3", "p3", "p1"]}, "RND-017"),
        (NAMED | {"strata": ["municipality"]}, {}, "RND-018"),
        (NAMED, {"pair": ["p1", None, "p1", "p3", "p3", "p2"]}, "RND-013"),
        (CONSTRAINED, {"children": [30, None, 55, 38, 61, 47]}, "RND-013"),
        (CONSTRAINED, {"children": [30, "many", 55, 38, 61, 47]}, "RND-014"),
        (CONSTRAINED, {"children": [30, float("inf"), 55, 38, 61, 47]}, "RND-014"),
        (CONSTRAINED, {"children": 30}, "RND-015"),
        (CONSTRAINED, {"institution_id": ["D01", "D01", "D03", "D04", "D05", "D06"]}, "RND-008"),
        (BLOCKED | {"strata": ["size"]}, {"size": ["x", "y", "y", "y", "y", "y"]}, "RND-010"),
        (MINIMISED, {"size": [None, "y", "y", "y", "y", "y"]}, "RND-013"),
    ],
)
def test_lists_that_cannot_be_drawn_over(declared: dict[str, Any], changes: dict[str, Any], code: str) -> None:  # 5
    declared, strata = {k: v for k, v in declared.items() if k != "strata"}, declared.get("strata", [])
    frame = SIX.head(changes.pop("head", 6)).astype(object).assign(**changes)
    with pytest.raises(DataProblems) as caught:
        scheme_of(study(declared, strata=strata), frame)
    assert {p.code for p in caught.value.problems} == {code}


def test_every_wrong_pair_is_told() -> None:  # 5
    with pytest.raises(DataProblems) as caught:
        scheme_of(study(NAMED), SIX.assign(pair=["p1", "p1", "p1", "p3", "p4", "p4"]))
    assert [p.code for p in caught.value.problems] == ["RND-017", "RND-017"]
    assert "pair 'p1'" in str(caught.value) and "D01, D02, D03" in str(caught.value) and "found 3" in str(caught.value)


@pytest.mark.parametrize(
    ("declared", "changes", "code"),
    [
        (BLOCKED | {"blocks": [4, 5]}, {}, "RND-019"),
        (BLOCKED | {"ratio": [1, 2]}, {}, "RND-019"),
        (MINIMISED | {"ratio": [1, 2]}, {}, "RND-020"),
        (MATCHED | {"ratio": [1, 2]}, {}, "RND-020"),
        (MATCHED | {"ratio": [1, 1, 1]}, {"arms": ["a", "b", "c"]}, "RND-020"),
        (CONSTRAINED | {"keep": None, "cut": 0.0001}, {}, "RND-021"),
        (CONSTRAINED, {"analysis": {"level": 0.95}}, "RND-022"),
        (MINIMISED | {"probability": 0.5}, {}, "RND-024"),
        ({"scheme": "minimisation"}, {}, "RND-025"),
    ],
)
def test_declarations_that_cannot_be_drawn(declared: dict[str, Any], changes: dict[str, Any], code: str) -> None:  # 5
    with pytest.raises(Refusal, match=code):
        scheme_of(study(declared, **changes), SIX)


def test_an_institution_without_a_lot_is_refused() -> None:  # 5: balance wants the large one in the larger arm
    with pytest.raises(Refusal, match=r"RND-023.*institution D06"):
        constrained(SIX.assign(children=[1, 2, 3, 4, 5, 1000]), randomisation={"ratio": [1, 2], "covariates": {"children": 1}})


def test_how_many_candidates_a_permutation_test_needs() -> None:  # 5: an allocation and its mirror tie, so 2 / m <= 0.4
    assert len(constrained(SIX, randomisation={"keep": 0.3}).candidates.kept) == 6
    with pytest.raises(Refusal, match="found '4 of 20', expected 5 or more"):
        constrained(SIX, randomisation={"keep": 0.2})


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"scheme": "blocked"}, "sizes of the blocks"),
        ({"scheme": "pairs"}, "either 'pair'"),
        ({"scheme": "pairs", "pair": "pair", "covariates": {"children": 1}}, "not both"),
        ({"scheme": "constrained"}, "columns to balance"),
        (CONSTRAINED | {"cut": 1}, "not both"),
        ({"scheme": "simple", "blocks": [4]}, "not blocks"),
        (CONSTRAINED | {"covariates": {"children": -1}}, "greater than 0"),
        (CONSTRAINED | {"covariates": {"kids": 1}}, "RND-011"),
        (NAMED | {"pair": "twins"}, "RND-011"),
        (CONSTRAINED | {"covariates": {"size": 1}}, "RND-012"),
        (MATCHED | {"covariates": {"municipality": 1}}, "RND-012"),
    ],
)
def test_declarations_that_are_refused_in_the_file(declared: dict[str, Any], said: str) -> None:  # 5
    with pytest.raises(ValidationError, match=said):
        study(declared)


def test_a_lot_drawn_elsewhere_needs_no_details() -> None:
    assert study({"scheme": "pairs", "drawn_elsewhere": True}).randomisation.pair is None


# --- late institutions -----------------------------------------------------------------------------------------------


def test_a_late_batch_may_be_one_institution() -> None:
    stratified = study({"scheme": "stratified"}, strata=["municipality"])
    arms = [randomise(stratified, SIX.head(1), seed=seed, late=True).arms[0] for seed in range(400)]
    assert abs(arms.count("intervention") - 200) < 4.5 * 10
    with pytest.raises(DataProblems, match="RND-010"):
        randomise(stratified, SIX.head(1), seed=1)


def test_a_late_batch_of_a_constrained_scheme_is_drawn_by_its_lot() -> None:
    scheme = scheme_of(study(CONSTRAINED), SIX.head(3), late=True)
    assert str(scheme) == "simple; reference 1, intervention 1"


@pytest.mark.parametrize("positions", [range(2), range(60), range(300), [70_000, 3, 12]])
def test_an_order_is_that_of_whole_numbers_of_any_size(positions: range | list[int]) -> None:
    found = shuffled(np.random.default_rng(3), positions, 50)
    whole = np.random.default_rng(3).permuted(np.tile(np.asarray(positions, dtype=np.int64), (50, 1)), axis=1)
    assert np.array_equal(found, whole)
