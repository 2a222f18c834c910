"""Agreement of coders: against irr, irrCAC, psych (in the oracle), statsmodels, published tables and by hand."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from asp_eval.core.errors import Refusal
from asp_eval.stats.meta.agreement import agreement
from asp_eval.stats.meta.wilson import wilson_interval

HERE = Path(__file__).parents[1] / "oracles" / "agreement"
MODELS = json.loads((HERE / "oracle.json").read_text(encoding="utf-8"))["models"]
SHEETS = pd.read_csv(HERE / "data.csv", dtype=str)
WEIGHTS = {"cohen": None, "linear": "linear", "quadratic": "quadratic"}
GWET = {"gwet_ac1": None, "gwet_ac2_linear": "linear", "gwet_ac2_quadratic": "quadratic"}


def of(name, weights=None, **more):
    rows = SHEETS[SHEETS["set"] == name]
    coders = [f"coder{i + 1}" for i in range(MODELS[name]["coders"])]
    return agreement(rows, coders, MODELS[name]["categories"], weights=weights, **more).set_index(["statistic", "coders"])


def same(row, expected, keys):
    for mine, theirs in keys.items():
        assert row[mine] == pytest.approx(expected[theirs], abs=1e-9), mine


def sheet(table):
    """Return one row per unit of a two-way table of counts."""
    pairs = [(i, j) for i, row in enumerate(table) for j, n in enumerate(row) for _ in range(round(n))]
    return pd.DataFrame(pairs, columns=["a", "b"])


@pytest.mark.parametrize("name", ["types", "types_missing", "ratings"])
@pytest.mark.parametrize("kind", WEIGHTS)
def test_each_pair_has_the_kappa_and_standard_errors_of_r(name, kind):
    found = of(name, WEIGHTS[kind])
    for pair in (pair for pair in MODELS[name]["pairs"] if kind in pair):
        coders = ", ".join(f"coder{c}" for c in pair["coders"])
        keys = {
            "estimate": "kappa",
            "std_error": "se",
            "std_error_null": "se_null",
            "conf_low": "conf_low",
            "conf_high": "conf_high",
        }
        same(found.loc[("cohen", coders)], pair[kind], keys | {"observed": "observed", "expected": "expected"})
        percent = {"estimate": "share", "conf_low": "wilson_low", "conf_high": "wilson_high", "units": "n"}
        same(found.loc[("percent", coders)], pair["percent_agreement"], percent)


@pytest.mark.parametrize("name", ["types", "types_missing", "ratings"])
@pytest.mark.parametrize("kind", GWET)
def test_gwet_s_coefficients_are_those_of_irrcac(name, kind):
    if kind in MODELS[name]:
        keys = {key: key for key in ("observed", "expected", "df", "conf_low", "conf_high")}
        same(of(name, GWET[kind]).loc[("gwet", "all")], MODELS[name][kind], keys | {"estimate": "coefficient", "std_error": "se"})


def test_fleiss_and_krippendorff_are_those_of_irr():
    keys = {"estimate": "kappa", "observed": "observed", "expected": "expected", "std_error_null": "se_null"}
    same(of("types").loc[("fleiss", "all")], MODELS["types"]["fleiss"], keys)
    for name in ("types", "types_missing"):
        assert of(name).loc[("krippendorff_nominal", "all"), "estimate"] == pytest.approx(
            MODELS[name]["krippendorff"]["nominal"], abs=1e-9
        )
    for metric, expected in MODELS["ratings"]["krippendorff"].items():
        found = of("ratings", "linear").loc[(f"krippendorff_{metric}", "all"), "estimate"]
        assert found == pytest.approx(expected, abs=1e-9), metric


def test_published_tables_come_out():
    cohen = sheet(np.array([[0.44, 0.05, 0.01], [0.07, 0.20, 0.03], [0.09, 0.05, 0.06]]) * 200)
    found = agreement(cohen, ["a", "b"], [0, 1, 2]).set_index("statistic").loc["cohen"]
    same(
        found,
        MODELS["published"]["cohen_1960_and_1968"]["computed"],
        {"estimate": "kappa", "std_error": "se", "std_error_null": "se_null"},
    )
    # Feinstein & Cicchetti: 85 % agreement in both tables, kappa .70 and .32; AC1 of the second by hand .808
    second = agreement(sheet([[80, 10], [5, 5]]), ["a", "b"], [0, 1]).set_index("statistic")["estimate"]
    assert second["percent"] == pytest.approx(0.85)
    assert round(second["cohen"], 2) == 0.32
    assert second["gwet"] == pytest.approx((0.85 - 2 * 0.875 * 0.125) / (1 - 2 * 0.875 * 0.125), abs=1e-12)


def test_statsmodels_gives_the_same_kappas():
    from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa

    rows = SHEETS[SHEETS["set"] == "types"]
    table = pd.crosstab(rows["coder1"], rows["coder2"]).to_numpy()
    found = of("types")["estimate"]
    assert found["cohen", "coder1, coder2"] == pytest.approx(cohens_kappa(table).kappa, abs=1e-12)
    assert found["fleiss", "all"] == pytest.approx(
        fleiss_kappa(aggregate_raters(rows[["coder1", "coder2"]].to_numpy())[0]), abs=1e-12
    )


def test_perfect_agreement_is_one_without_spread():
    found = agreement(pd.DataFrame({"a": list("IJK") * 4, "b": list("IJK") * 4}), ["a", "b"], list("IJK")).set_index("statistic")
    assert (found["estimate"] == 1).all()
    assert found.loc["cohen", ["std_error", "conf_low", "conf_high"]].tolist() == [0, 1, 1]


def test_one_category_used_by_everybody_leaves_kappa_undefined_in_words():
    found = agreement(pd.DataFrame({"a": ["II"] * 12, "b": ["II"] * 12}), ["a", "b"], ["I", "II", "III"]).set_index("statistic")
    edge = MODELS["single_category"]
    same(
        found.loc["percent"],
        edge["percent_agreement"],
        {"estimate": "share", "conf_low": "wilson_low", "conf_high": "wilson_high"},
    )
    same(found.loc["gwet"], edge["gwet_ac1"], {"estimate": "coefficient", "std_error": "se", "df": "df", "conf_low": "conf_low"})
    for statistic in ("cohen", "fleiss", "krippendorff_nominal"):
        assert np.isnan(found.loc[statistic, "estimate"])
        assert "not defined" in found.loc[statistic, "note"]


def test_units_nobody_shares_leave_fleiss_undefined_in_words():
    codes = pd.DataFrame({"a": ["I", "I", None], "b": ["I", "J", "J"], "c": [None, None, "J"]})
    assert "coded by everybody" in agreement(codes, ["a", "b", "c"], ["I", "J"]).set_index("statistic").loc["fleiss", "note"]


def test_resampled_units_give_the_standard_error_of_irrcac():
    rows = SHEETS[SHEETS["set"] == "types"].assign(house=range(60))
    found = agreement(rows, ["coder1", "coder2"], ["I", "II", "III"], cluster="house").set_index("statistic")
    expected = MODELS["types"]["irrCAC_krippendorff_nominal"]["se"]
    assert found.loc["krippendorff_nominal", "std_error"] == pytest.approx(expected, rel=0.25)
    again = agreement(rows, ["coder1", "coder2"], ["I", "II", "III"], cluster="house").set_index("statistic")
    pd.testing.assert_frame_equal(found, again)


def test_institutions_that_repeat_themselves_widen_the_interval():
    # every unit copied into four rounds: one house says the same four times, so that the interval must not shrink
    rows = SHEETS[SHEETS["set"] == "types"].assign(house=range(60))
    repeated = pd.concat([rows] * 4)
    once, four = (
        agreement(of, ["coder1", "coder2"], ["I", "II", "III"], cluster="house").set_index("statistic").loc["cohen"]
        for of in (rows, repeated)
    )
    assert four[["estimate", "std_error", "conf_low"]].tolist() == pytest.approx(
        once[["estimate", "std_error", "conf_low"]].tolist()
    )


def test_few_institutions_have_no_interval():
    rows = SHEETS[SHEETS["set"] == "types"].assign(house=[i % 4 for i in range(60)])
    found = agreement(rows, ["coder1", "coder2"], ["I", "II", "III"], cluster="house")
    assert found["conf_low"].isna().all()
    assert all("fewer than five institutions" in note for note in found["note"])


@pytest.mark.parametrize(
    ("codes", "coders", "categories", "fault"),
    [
        ({"a": ["I", "IV"], "b": ["I", "I"]}, ["a", "b"], ["I", "II"], "AGR-001"),
        ({"a": ["I", "I"]}, ["a"], ["I", "II"], "AGR-002"),
        ({"a": ["I", "I"], "b": ["I", None]}, ["a", "b"], ["I", "II"], "AGR-003"),
        ({"a": ["I", "I"], "b": ["I", "I"]}, ["a", "b"], ["I"], "AGR-004"),
    ],
)
def test_what_cannot_be_compared_is_refused(codes, coders, categories, fault):
    with pytest.raises(Refusal, match=fault):
        agreement(pd.DataFrame(codes), coders, categories)


@pytest.mark.parametrize(("n", "of"), [(0, 7), (7, 7), (3, 7), (29, 60)])
def test_wilsons_interval_is_that_of_scipy_and_of_its_formula(n, of):
    low, high = wilson_interval(n, of, 0.9)
    assert (low, high) == pytest.approx(tuple(stats.binomtest(n, of).proportion_ci(0.9, "wilson")), abs=1e-14)
    z, p = 1.6448536269514722, n / of
    middle, half = (p + z**2 / (2 * of)), z * (p * (1 - p) / of + z**2 / (4 * of**2)) ** 0.5
    assert (low, high) == pytest.approx(((middle - half) / (1 + z**2 / of), (middle + half) / (1 + z**2 / of)), abs=1e-12)
