"""Agreement over the codes of a frame: by hand, against the numbers of irr and irrCAC, and its intervals from rows drawn anew."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import Refusal
from asp_eval.stats.meta.agreement_over_codes import CodedSheet, agreement_over_codes, agreement_over_sheets
from asp_eval.stats.meta.agreement_resampling import resampled_weights

HERE = Path(__file__).parents[1] / "oracles" / "agreement"
MODELS = json.loads((HERE / "oracle.json").read_text(encoding="utf-8"))["models"]
SHEETS = pd.read_csv(HERE / "data.csv", dtype=str)


def sheet(code, pairs, categories=2, weights=None, clusters=None):
    codes = np.asarray(pairs)
    coders = tuple(f"k{n}" for n in range(1, codes.shape[1] + 1))
    return CodedSheet(code, codes, coders, categories, weights, np.arange(len(codes)) if clusters is None else clusters)


def over(*sheets, **more):
    return {(each.statistic, each.coders): each for each in agreement_over_sheets(sheets, **{"draws": 50} | more)}


def of_reference(name, weights=None):
    """Return one of the reference's sheets as a code."""
    rows, expected = SHEETS[SHEETS["set"] == name], MODELS[name]
    ranks = {str(category): rank for rank, category in enumerate(expected["categories"])}
    names = [f"coder{n + 1}" for n in range(expected["coders"])]
    codes = rows[names].apply(lambda column: column.map(ranks)).fillna(-1).to_numpy().astype(int)
    return CodedSheet(name, codes, tuple(names), len(ranks), weights, np.arange(len(rows)))


def test_means_and_the_pooled_kappa_by_hand():
    """Ten interviews each. x: 9 of 10 alike, 6 and 5 of ten say 0. y: 7 of 10 alike, 6 and 9 of ten say 0. z: all say 0."""
    x = [(0, 0)] * 5 + [(0, 1)] + [(1, 1)] * 4
    y = [(0, 0)] * 6 + [(1, 0)] * 3 + [(1, 1)]
    found = over(sheet("x", x), sheet("y", y), sheet("z", [(0, 0)] * 10))
    alike = found["percent_mean", "all"]
    assert alike.estimate == pytest.approx((0.9 + 0.7 + 1) / 3)
    assert (alike.lowest_code, alike.lowest, alike.highest_code, alike.codes) == ("y", pytest.approx(0.7), "z", 3)
    # chance: x 0.6 * 0.5 + 0.4 * 0.5 = 0.5; y 0.6 * 0.9 + 0.4 * 0.1 = 0.58; z 1
    pooled, observed, expected = found["cohen_pooled", "k1, k2"], (0.9 + 0.7 + 1) / 3, (0.5 + 0.58 + 1) / 3
    assert pooled.estimate == pytest.approx((observed - expected) / (1 - expected))
    assert (pooled.lowest, pooled.highest) == (pytest.approx((0.7 - 0.58) / 0.42), pytest.approx(0.8))
    assert (pooled.codes, pooled.undefined) == (2, 1)
    # alpha: 1 - (n - 1) * differing / (n0 * n1), of n = 20 codes; not defined for z
    alpha = found["krippendorff_mean", "all"]
    assert (alpha.codes, alpha.undefined) == (2, 1)
    assert alpha.estimate == pytest.approx(((1 - 19 * 1 / (11 * 9)) + (1 - 19 * 3 / (15 * 5))) / 2)
    # AC1: chance 2 p (1 - p), p = 0.55, 0.75 and 1
    chance = [2 * 0.55 * 0.45, 2 * 0.75 * 0.25, 0.0]
    assert found["gwet_mean", "all"].estimate == pytest.approx(
        np.mean([(o - e) / (1 - e) for o, e in zip((0.9, 0.7, 1), chance, strict=True)])
    )


def test_the_numbers_are_the_averages_of_those_of_irr_and_irrcac():
    sheets = [of_reference("types"), of_reference("types_missing"), of_reference("ratings", "quadratic")]
    found = over(*sheets)
    alpha = [MODELS["types"]["krippendorff"]["nominal"], MODELS["types_missing"]["krippendorff"]["nominal"]]
    alpha.append(MODELS["ratings"]["krippendorff"]["ordinal"])
    assert found["krippendorff_mean", "all"].estimate == pytest.approx(np.mean(alpha), abs=1e-9)
    gwet = [MODELS["types"]["gwet_ac1"], MODELS["types_missing"]["gwet_ac1"], MODELS["ratings"]["gwet_ac2_quadratic"]]
    assert found["gwet_mean", "all"].estimate == pytest.approx(np.mean([each["coefficient"] for each in gwet]), abs=1e-9)
    for pair in ([1, 2], [1, 3], [2, 3]):
        own = [
            each["quadratic" if name == "ratings" else "cohen"]
            for name in ("types", "types_missing", "ratings")
            for each in MODELS[name]["pairs"]
            if each["coders"] == pair
        ]
        observed, expected = (np.mean([each[part] for each in own]) for part in ("observed", "expected"))
        one = found["cohen_pooled", f"coder{pair[0]}, coder{pair[1]}"]
        assert one.estimate == pytest.approx((observed - expected) / (1 - expected), abs=1e-9)
        assert one.codes == len(own) == (3 if pair == [1, 2] else 2)


def test_intervals_draw_the_same_institutions_for_every_code():
    """For every draw the rows of its institutions are put together, and percent and pooled kappa worked out from tables."""
    random = np.random.default_rng(3)
    clusters = np.repeat(np.arange(8), 2)
    first = random.integers(0, 3, size=(16, 2))
    second = np.where(random.random((16, 1)) < 0.7, random.integers(0, 2, size=(16, 1)), random.integers(0, 2, size=(16, 2)))
    sheets = (sheet("x", first, 3, clusters=clusters), sheet("y", second, clusters=clusters))
    found = over(*sheets, draws=200, seed=5, level=0.9)
    weight = resampled_weights(np.concatenate([clusters, clusters]), 200, 5).astype(int)
    percents, pooled = [], []
    for times in weight:
        rows = np.repeat(np.arange(16), times[clusters])
        tables = [np.zeros((3, 3)) for _ in sheets]
        for table, codes in zip(tables, (first, second), strict=True):
            np.add.at(table, (codes[rows, 0], codes[rows, 1]), 1 / len(rows))
        observed = [np.trace(table) for table in tables]
        expected = [table.sum(axis=0) @ table.sum(axis=1) for table in tables]
        percents.append(np.mean(observed))
        pooled.append((np.mean(observed) - np.mean(expected)) / (1 - np.mean(expected)))
    for statistic, coders, draws in (("percent_mean", "all", percents), ("cohen_pooled", "k1, k2", pooled)):
        one = found[statistic, coders]
        assert (one.conf_low, one.conf_high) == pytest.approx(tuple(np.quantile(draws, [0.05, 0.95])), abs=1e-12)
        assert one.method == "institutions resampled"


def test_too_few_institutions_leave_the_mean_without_an_interval_and_nothing_compared_leaves_nothing():
    few = over(sheet("x", [(0, 0), (1, 1), (0, 1), (1, 0)]))["percent_mean", "all"]
    assert (few.estimate, few.conf_low) == (0.5, None)
    assert "fewer than five institutions" in few.note
    assert agreement_over_sheets([sheet("x", [(0, -1), (1, 1)])]) == ()
    same = over(sheet("x", [(0, 0)] * 6))["krippendorff_mean", "all"]
    assert (same.estimate, same.codes, same.undefined) == (None, 0, 1)
    assert "not defined" in same.note


def long(rows):
    """One row per unit and coder, the same words as two codes, of which one is not always given."""
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "house": rows.index // 2,
                    "round": rows.index % 2,
                    "who": who,
                    "aim": rows[who],
                    "plan": rows[who].where(rows.index % 3 > 0),
                }
            )
            for who in ("coder1", "coder2")
        ],
        ignore_index=True,
    )


def test_one_s_own_sheet_gives_what_the_sheets_by_code_give():
    name = next(key for key, one in MODELS.items() if one.get("coders") == 2 and (SHEETS["set"] == key).sum() >= 12)
    rows = SHEETS[SHEETS["set"] == name].reset_index(drop=True)
    categories = [str(category) for category in MODELS[name]["categories"]]
    ranks = {category: rank for rank, category in enumerate(categories)}
    frame = long(rows)
    shuffled = frame.sample(frac=1, random_state=1)
    found = agreement_over_codes(
        shuffled,
        {"aim": categories, "plan": categories},
        unit=["house", "round"],
        coder="who",
        ordered={"plan"},
        cluster="house",
        draws=60,
    )
    both = rows[["coder1", "coder2"]].apply(lambda column: column.map(ranks)).to_numpy()
    houses = np.arange(len(rows)) // 2
    some = np.where((np.arange(len(rows)) % 3 > 0)[:, None], both, -1)
    sheets = [
        CodedSheet("aim", both, ("coder1", "coder2"), len(categories), None, houses),
        CodedSheet("plan", some, ("coder1", "coder2"), len(categories), "quadratic", houses),
    ]
    expected = agreement_over_sheets(sheets, draws=60)
    assert found["statistic"].tolist() == [each.statistic for each in expected]
    for name in ("estimate", "conf_low", "conf_high", "lowest", "highest", "codes"):
        np.testing.assert_allclose(found[name].astype(float), [getattr(each, name) for each in expected])
    assert found["conf_low"].notna().all()


def test_what_is_no_sheet_of_codes_is_refused():
    frame = pd.DataFrame({"house": ["a", "a", "b", "b"], "who": ["k1", "k2"] * 2, "aim": ["no", "yes", "no", "no"]})
    codes = {"aim": ["no", "yes"]}
    assert len(agreement_over_codes(frame, codes, unit="house", coder="who", draws=10)) == 4
    for wrong, asked, code in (
        (pd.concat([frame, frame.iloc[:1]]), codes, "AGR-005"),
        (frame, {"aim": ["no", "perhaps"]}, "AGR-001"),
        (frame.iloc[::2], codes, "AGR-002"),
        (frame, {"aim": ["no"]}, "AGR-004"),
    ):
        with pytest.raises(Refusal, match=code):
            agreement_over_codes(wrong, asked, unit="house", coder="who")
    assert agreement_over_codes(frame.iloc[:2], codes, unit="house", coder="who").empty
