"""Multiple imputation of two-level data.

1. nothing missing gives the complete fit exactly; the numbers depend on the seed alone, not on the workers
2. categories, variables of institutions and every kind of column come back as what they were, with the right shares
3. more imputations change the answer by Monte Carlo error only; order of rows and names of groups change nothing in distribution
4. shifted values move the answer as they must; reference-based imputation against conditional normal distributions
5. what cannot be imputed is refused in the words of its variables, and what is to be known is said
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import asp_eval
from asp_eval.core.errors import Refusal
from asp_eval.stats.imputation import draws

MODEL = "w3 ~ arm + w1 + (1 | inst)"
VARIABLES = {"w2": "continuous", "w3": "continuous"}
RANDOM = {"group": "inst", "arm": "arm", "predictors": ["w1"], "n": 4, "seed": 1}


@pytest.fixture(autouse=True, scope="module")
def short_chains():
    """Chains that are stopped after their first judgement: what is asked here does not hang on it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draws, "MOST_SWEEPS", draws.FIRST_SWEEPS)
        yield


def trial(J: int = 20, size: int = 20, seed: int = 1, lost: float = 0.25) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(J), size)
    u = rng.normal(size=(J, 3)) * 0.3
    w1 = rng.normal(size=len(g)) + u[g, 0]
    w2 = 0.6 * w1 + rng.normal(size=len(g)) * 0.8 + u[g, 1]
    w3 = 0.5 * w2 + 0.2 * w1 - 0.3 * (g % 2) + rng.normal(size=len(g)) * 0.8 + u[g, 2]
    frame = pd.DataFrame({"inst": [f"i{j:02d}" for j in g], "arm": np.where(g % 2, "new", "old"), "w1": w1, "w2": w2, "w3": w3})
    gone = rng.random(len(g)) < lost * 2 / (1 + np.exp(-w2))
    frame.loc[gone, "w3"] = np.nan
    frame.loc[rng.random(len(g)) < 0.05, "w2"] = np.nan
    return frame


@pytest.fixture(scope="module")
def imputed():
    return asp_eval.impute(trial(), VARIABLES, **RANDOM)


def fitted(frame):
    return asp_eval.lmm(MODEL, frame)


def test_nothing_missing_gives_the_complete_fit_exactly():
    frame = trial().dropna().reset_index(drop=True)
    done = asp_eval.impute(frame, VARIABLES, **RANDOM)
    assert done.n_imputed == 0
    for data in (done[0], done[-1]):
        pd.testing.assert_frame_equal(data, frame)
    pooled, own = done.fit(fitted).pool(), fitted(frame).tidy()
    for column in ("estimate", "std_error", "df", "p_value", "conf_low", "conf_high"):
        np.testing.assert_array_equal(pooled[column], own[column])
    assert (pooled["fmi"] == 0).all()


def test_the_seed_alone_decides(imputed):
    again = asp_eval.impute(trial(), VARIABLES, workers=2, **RANDOM)
    other = asp_eval.impute(trial(), VARIABLES, **(RANDOM | {"seed": 2}))
    for own, same, different in zip(imputed, again, other, strict=True):
        pd.testing.assert_frame_equal(own, same)
        assert not own["w3"].equals(different["w3"])


def test_observed_values_are_kept(imputed):
    frame = trial()
    for data in imputed:
        assert not data.isna().any().any()
        for column in frame:
            known = frame[column].notna()
            pd.testing.assert_series_equal(data.loc[known, column], frame.loc[known, column])


def test_the_summary_counts(imputed):
    counts = imputed.summary().set_index("variable")
    assert counts.loc["w3", "imputed"] == trial()["w3"].isna().sum()
    assert (counts["imputed"] + counts["observed"] == 400).all()
    assert {"quantity", "variable", "rhat", "effective_draws"} == set(imputed.convergence())
    assert "half-t" in repr(imputed)


def test_categories_and_groups_variables_come_back_as_they_were():
    rng = np.random.default_rng(4)
    frame = trial(J=16, size=40)
    latent = 0.8 * frame["w1"] + rng.normal(size=len(frame))
    bands = ["low", "middle", "high"]
    frame["band"] = pd.Categorical(np.array(bands)[np.digitize(latent, [-0.5, 0.8])], bands)
    frame["girl"] = (rng.random(len(frame)) < 0.3).astype(float)
    frame["home"] = rng.choice(["da", "en", "other"], len(frame), p=[0.6, 0.1, 0.3])
    frame["ever"] = pd.array(latent > 0, dtype="boolean")
    frame["size"] = (frame["inst"].map(frame.groupby("inst")["w1"].mean()) * 2 + 3).astype(float)
    truth = frame.copy()
    for name in ("band", "girl", "home", "ever"):
        frame[name] = frame[name].mask(rng.random(len(frame)) < 0.3)
    frame.loc[frame["inst"].isin(["i03", "i08", "i11"]), "size"] = np.nan
    scales = {"band": "ordinal", "girl": "binary", "home": "categorical", "ever": "binary", "size": "continuous"}
    done = asp_eval.impute(frame, scales, group="inst", arm="arm", predictors=["w1"], n=4, seed=1)
    assert done.summary().set_index("variable")["level"].to_dict() == dict.fromkeys(scales, "rows") | {"size": "groups"}
    for name in scales:
        assert done[0][name].dtype == frame[name].dtype, name
        assert done[0][name].notna().all(), name
    for data in done:
        assert (data.groupby("inst")["size"].std() == 0).all()
    gone = frame["home"].isna()
    for name, value in (("home", "da"), ("home", "en"), ("girl", 1.0), ("band", "high"), ("ever", True)):
        gone = frame[name].isna()
        share = np.mean([(data.loc[gone, name] == value).mean() for data in done])
        expected = (truth.loc[gone, name] == value).mean()
        assert share == pytest.approx(expected, abs=0.1), (name, value)
    gone = frame["band"].isna()  # and the relation to w1 is kept
    high = np.mean([(data.loc[gone & (frame["w1"] > 0), "band"] == "high").mean() for data in done])
    assert high == pytest.approx((truth.loc[gone & (frame["w1"] > 0), "band"] == "high").mean(), abs=0.1)


def test_variables_of_groups_alone_are_imputed_once_for_each():
    frame = trial(J=16)
    number = frame["inst"].str[1:].astype(int)
    frame["size"] = np.random.default_rng(2).normal(30, 5, 16)[number]
    frame["urban"] = (number % 3 == 0) * 1.0
    frame.loc[number < 2, ["size", "urban"]] = np.nan
    done = asp_eval.impute(frame, {"size": "continuous", "urban": "binary"}, group="inst", arm="arm", n=40, seed=1)
    for data in done:
        of_groups = data.groupby("inst")[["size", "urban"]]
        pd.testing.assert_frame_equal(of_groups.min(), of_groups.max())
        assert set(data["urban"]) <= {0.0, 1.0}
    sizes = np.array([[data.loc[number == j, "size"].iloc[0] for j in (0, 1)] for data in done])
    known = frame.groupby(["arm", "inst"])["size"].first().groupby("arm")
    expected = known.mean()[[frame.loc[number == j, "arm"].iloc[0] for j in (0, 1)]].to_numpy()
    assert (np.abs(sizes.mean(0) - expected) < 4 * known.std().max() / np.sqrt(7)).all()
    assert sizes.std() == pytest.approx(known.std().mean(), rel=0.4)


def test_more_imputations_move_the_answer_by_monte_carlo_error_only():
    frame, variables = trial(), VARIABLES
    few = asp_eval.impute(frame, variables, **(RANDOM | {"n": 8})).fit(fitted).pool()
    many = asp_eval.impute(frame, variables, **(RANDOM | {"n": 24, "seed": 9})).fit(fitted).pool()
    error = np.hypot(few["mc_error"], many["mc_error"])
    assert (np.abs(few["estimate"] - many["estimate"]) < 3 * error).all()


def test_order_of_rows_and_names_of_groups_change_nothing_in_distribution():
    frame, variables = trial(), {"w3": "continuous", "w2": "continuous"}
    own = asp_eval.impute(frame, variables, **(RANDOM | {"n": 16})).fit(fitted).pool()
    mixed = frame.sample(frac=1, random_state=3).reset_index(drop=True)
    mixed["inst"] = mixed["inst"].map({f"i{j:02d}": f"x{(7 * j) % 20:02d}" for j in range(20)})
    other = asp_eval.impute(mixed, variables, **(RANDOM | {"n": 16})).fit(fitted).pool()
    error = np.hypot(own["mc_error"], other["mc_error"])
    assert (np.abs(own["estimate"] - other["estimate"]) < 3.5 * error).all()
    np.testing.assert_allclose(own["std_error"], other["std_error"], rtol=0.15)


def test_imputation_repairs_what_complete_cases_miss():
    """Who drops out depends on w2, and differently in each arm: complete cases are off, imputation is not."""
    off, repaired = [], []
    for seed in range(3):
        frame = trial(J=20, size=40, seed=seed, lost=0.0)
        truth = fitted(frame.dropna()).contrast("arm[T.old]").estimate
        rng = np.random.default_rng(seed)
        sign = np.where(frame["arm"] == "new", 1.0, -1.0)
        frame.loc[rng.random(len(frame)) < 1 / (1 + np.exp(0.6 - sign * frame["w2"].fillna(0))), "w3"] = np.nan
        off.append(fitted(frame).contrast("arm[T.old]").estimate - truth)
        done = asp_eval.impute(frame, VARIABLES, **(RANDOM | {"n": 6}))
        repaired.append(done.fit(fitted).pool().set_index("term").loc["arm[T.old]", "estimate"] - truth)
    assert abs(np.mean(off)) > 0.1
    assert abs(np.mean(repaired)) < abs(np.mean(off)) / 3


def test_shifted_values_move_the_arm_by_their_share(imputed):
    shifted = imputed.shift("w3", {"new": 1.0})
    gone = trial()["w3"].isna()
    new = trial()["arm"] == "new"
    for own, moved in zip(imputed, shifted, strict=True):
        difference = moved["w3"] - own["w3"]
        np.testing.assert_allclose(difference[gone & new], 1.0)
        assert (difference[~(gone & new)] == 0).all()
    half = imputed.shift("w3", 1.0, where=trial()["w2"].isna())
    assert (half[0]["w3"] - imputed[0]["w3"] != 0).sum() == (gone & trial()["w2"].isna()).sum()
    before = imputed.fit(fitted).pool().set_index("term").loc["arm[T.old]", "estimate"]
    after = shifted.fit(fitted).pool().set_index("term").loc["arm[T.old]", "estimate"]
    assert before - after == pytest.approx(gone[new].mean(), abs=0.08)


def test_reference_based_values_are_conditional_normal_ones():
    """Draw, residual and means by hand, from the definition: given u, means of visits switched, the observed ones as they are."""
    frame = trial(J=12, size=30)
    frame.loc[frame["w2"].isna(), "w3"] = np.nan
    done = asp_eval.impute(frame, VARIABLES, covariance="common", **RANDOM)
    plan = done.plan
    shift = plan.reference_rows["old"] - plan.model.children.X
    gone2, gone3, new = frame["w2"].isna(), frame["w3"].isna(), frame["arm"] == "new"
    jump, copied = (done.reference_based(["w2", "w3"], kind, "old") for kind in ("jump", "copy"))
    spread = {v.name: v.spread for v in plan.rows}
    at = {v.name: k for k, v in enumerate(plan.rows)}
    for k, drawn in enumerate(done.draws.draws):
        d, S = shift @ drawn.B, drawn.Sigma[0]
        slope = S[at["w3"], at["w2"]] / S[at["w2"], at["w2"]]
        only3 = (gone3 & ~gone2 & new).to_numpy()
        by_jump = (jump[k]["w3"] - done[k]["w3"])[only3] / spread["w3"]
        np.testing.assert_allclose(by_jump, d[only3, at["w3"]], atol=1e-10)
        by_copy = (copied[k]["w3"] - done[k]["w3"])[only3] / spread["w3"]
        np.testing.assert_allclose(by_copy, d[only3, at["w3"]] - slope * d[only3, at["w2"]], atol=1e-10)
        both = (gone2 & new).to_numpy()
        for name in ("w2", "w3"):
            np.testing.assert_allclose((jump[k][name] - done[k][name])[both] / spread[name], d[both, at[name]], atol=1e-10)
        assert (jump[k].loc[~new, "w3"] == done[k].loc[~new, "w3"]).all()


def test_what_was_made_elsewhere_can_be_fitted_and_not_shifted():
    frames = [trial().fillna(0.1 * k) for k in range(3)]
    done = asp_eval.Imputations.from_frames(frames)
    assert len(done) == 3
    assert (done.fit(fitted).pool()["riv"] > 0).all()
    for ask in (lambda: done.shift("w3", 1.0), done.convergence, lambda: done.reference_based(["w3"], "jump", "old")):
        with pytest.raises(Refusal, match="IMP-031"):
            ask()
    for wrong, code in (([frames[0]], "IMP-001"), ([frames[0], frames[1].iloc[1:]], "IMP-034")):
        with pytest.raises(Refusal, match=code):
            asp_eval.Imputations.from_frames(wrong)


def test_fits_of_other_libraries_and_tables_can_be_pooled(imputed):
    import statsmodels.formula.api as smf

    own = imputed.fit(lambda frame: asp_eval.ols("w3 ~ arm + w1", frame)).pool()
    other = imputed.fit(lambda frame: smf.ols("w3 ~ arm + w1", frame).fit()).pool()
    np.testing.assert_allclose(own["estimate"], other["estimate"])
    np.testing.assert_allclose(own["std_error"], other["std_error"])
    with pytest.raises(Refusal, match="IMP-051"):
        imputed.fit(lambda _frame: 3).pool()


def test_a_permutation_test_is_not_pooled():
    study_free = pd.DataFrame({"term": ["arm"], "estimate": [0.2], "std_error": [0.1], "df": [np.nan], "note": ["none"]})
    analyses = asp_eval.Analyses((study_free, study_free), 2)
    row = analyses.pool().iloc[0]
    assert np.isnan(row["std_error"])
    assert row["estimate"] == pytest.approx(0.2)
    assert "imputation 1" in row["note"]


FORTY = pd.Series(np.arange(400) % 40)
BAND = (FORTY % 3 == 1) * 1.0
SIZES = np.random.default_rng(1).normal(size=(20, 19))
BAD = {
    "IMP-010": (lambda f: f, {"w3": "interval"}, {}),
    "IMP-011": (lambda f: f.assign(w3=f["w3"].gt(0).map({True: "a", False: "b"})), {"w3": "continuous"}, {}),
    "IMP-012": (lambda f: f.assign(w3=FORTY.where(f["w3"].notna())), {"w3": "categorical"}, {}),
    "IMP-013": (lambda f: f.assign(w3=(FORTY % 3).where(f["w3"].notna())), {"w3": "binary"}, {}),
    "IMP-014": (lambda f: f.assign(w3=f["w3"] * 0 + 2), {"w3": "continuous"}, {}),
    "IMP-015": (lambda f: f.assign(w3=np.nan), {"w3": "continuous"}, {}),
    "IMP-020": (lambda f: f, {}, {}),
    "IMP-021": (lambda f: f, {"w1": "continuous"}, {}),
    "IMP-022": (lambda f: f.assign(inst=f["inst"].mask(f["inst"] == "i03")), {"w3": "continuous"}, {}),
    "IMP-023": (lambda f: f.assign(arm=np.where(FORTY % 3, "new", "old")), {"w3": "continuous"}, {}),
    "IMP-024": (lambda f: f, {"w3": "continuous"}, {"predictors": ["w2"]}),
    "IMP-025": (lambda f: f.assign(w3=f["w3"].mask(f["arm"] == "new")), {"w3": "continuous"}, {}),
    "IMP-026": (lambda f: f.assign(total=f["w2"] + 2 * f["w1"]), {"w2": "continuous", "total": "continuous"}, {}),
    "IMP-026 w2": (lambda f: f.assign(total=f["w2"]), {"total": "continuous", "w2": "continuous"}, {}),
    "IMP-026 again": (lambda f: f.assign(again=BAND.map(str)), {"w3": "continuous", "band": "ordinal", "again": "binary"}, {}),
    "IMP-036 w3": (lambda f: f.assign(w3=f["w3"].where(f["arm"] == "new", 0.3)), {"w3": "continuous"}, {}),
    "IMP-036 band": (lambda f: f.assign(band=BAND.where(f["arm"] == "new", 1.0)), {"band": "binary"}, {}),
    "IMP-037 size0, size1": (
        lambda f: f.assign(
            **{f"size{k}": np.random.default_rng(k).normal(size=20)[f["inst"].str[1:].astype(int)] for k in range(19)}
        ),
        {f"size{k}": "continuous" for k in range(19)},
        {},
    ),
    "IMP-027": (
        lambda f: f.assign(**{f"x{k}": np.random.default_rng(k).normal(size=400) for k in range(21)}),
        {"w3": "continuous"} | {f"x{k}": "continuous" for k in range(21)},
        {},
    ),
    "IMP-028": (lambda f: f.groupby("inst").head(1).assign(w3=np.arange(20.0)), {"w3": "continuous"}, {"predictors": ["inst"]}),
    "IMP-029": (lambda f: f, {"w3": "continuous"}, {"covariance": "each"}),
    "FIT-020": (lambda f: f, {"w9": "continuous"}, {}),
    "FIT-009": (lambda f: f, {"w3": "continuous"}, {"n": 1}),
}


@pytest.mark.parametrize("code", BAD)
def test_what_cannot_be_imputed_is_refused_by_name(code):
    change, variables, other = BAD[code]
    with pytest.raises(Refusal, match=code.split()[0]) as refused:
        asp_eval.impute(change(trial().assign(band=BAND)), variables, **(RANDOM | other))
    said = str(refused.value)
    assert all(word in said for word in code.split(maxsplit=1)[1:])
    named = {"IMP-012", "IMP-014", "IMP-015", "IMP-021", "IMP-025", "IMP-026", "IMP-027", "IMP-036"} & {code[:7]}
    assert not named or any(name in said for name in variables)


def test_what_is_to_be_known_is_said():
    frame = trial(J=8)
    frame.loc[frame["inst"] == "i03", "w3"] = np.nan
    variables = VARIABLES | {"w4": "continuous"}
    notes = asp_eval.impute(frame.assign(w4=frame["w3"] + np.arange(160) % 7), variables, **RANDOM).notes
    assert any("i03" in note and "w3" in note for note in notes)
    assert any("twice as many groups" in note for note in notes)
    few = asp_eval.impute(frame.groupby("inst").head(3), {"w3": "continuous"}, **(RANDOM | {"n": 4})).notes
    assert any("Too few rows per arm" in note for note in few)


def test_questions_that_have_no_answer_are_refused(imputed):
    for ask, code in (
        (lambda: imputed.shift("w1", 1.0), "IMP-030"),
        (lambda: imputed.shift("w3", {"none": 1.0}), "IMP-033"),
        (lambda: imputed.reference_based(["w3"], "leap", "old"), "IMP-040"),
        (lambda: imputed.reference_based(["w3"], "jump", "old"), "IMP-041"),
        (lambda: asp_eval.pool([[1.0], [2.0]], [[1.0]]), "IMP-002"),
        (lambda: asp_eval.pool([[1.0], [np.nan]], [[1.0], [1.0]]), "IMP-003"),
        (lambda: asp_eval.pool([[1.0], [2.0]], [[1.0], [1.0]], df_complete=-1), "IMP-004"),
        (lambda: asp_eval.pool([[1.0]], [[1.0]]), "IMP-001"),
    ):
        with pytest.raises(Refusal, match=code):
            ask()
