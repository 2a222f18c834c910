"""The same effect by several estimators.

1. Means of institutions are HC2 of statsmodels, on the degrees of freedom of a closed form.  2. The wild bootstrap over
all sign vectors of eight institutions is that of refitting rows.  3. Every row is its own estimator's, and names its effect.
4. A lot that cannot reach 5 % gives no interval; a lot that is not known gives its reason.  5. Of shares and bands the lot
gives a p-value alone.  6. A study that declares it gets rows in results.csv after the others, which stay as they are.
7. Matched pairs are the clusters of least squares: of equal sizes the paired t test.  8. The statistic of the lot is named.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy.stats import ttest_rel

from asp_eval.analysis.formulas import model_formula
from asp_eval.analysis.models import planned_model
from asp_eval.analysis.plan import SEED
from asp_eval.analysis.results import tidy
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.analysis.triangulation import permutation_of, statistic_note, triangulate
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.stats.linear.cluster_means import cluster_means
from asp_eval.stats.linear.ols import ols
from asp_eval.stats.marginal.gee import gee
from asp_eval.stats.mixed.fit import lmm
from asp_eval.stats.resampling.allocations import Allocations
from asp_eval.stats.resampling.permutation import Permutation
from asp_eval.stats.resampling.wild import ClusterScores, WildBootstrap, WildTest
from asp_eval.stats.smallsample.cluster_robust import CR1, CR2
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from tests.counted_trial import STUDY, declared
from tests.simulated_sets import ARMS, EVERYTHING, simulated_frame, simulated_set, simulated_study

ARM = "arm[T.intervention]"


def lot(frame: pd.DataFrame, draws: int | None = None) -> Allocations:
    ids = sorted(frame["institution"].astype(str).unique())
    if draws is None:
        every = [[int(k in chosen) for k in range(len(ids))] for chosen in itertools.combinations(range(len(ids)), len(ids) // 2)]
        return Allocations(tuple(ids), np.array(every), True, ARMS)
    random = np.random.default_rng(2)
    half = np.arange(len(ids)) % 2
    return Allocations(tuple(ids), np.array([random.permutation(half) for _ in range(draws)]), False, ARMS)


def rows_of(scale: str, frame: pd.DataFrame, allocations) -> dict:
    study = simulated_study(scale)
    data = simulated_set(study, frame)
    model = planned_model(data.outcome)
    planned = model.fit("y ~ arm + baseline + (1 | institution)", data.frame)
    method, _ = model.method(KenwardRoger())
    found = model.compare(planned, planned, data, study.arms, method, 0.95)
    return {row.estimator: row for row in triangulate(study, data, planned, found.effects, allocations)}


def test_means_of_institutions_are_hc2():  # 1
    frame = simulated_frame(11)
    means = frame.groupby("institution", observed=True).agg(
        y=("y", "mean"), arm=("arm", lambda a: float(a.iloc[0] == "intervention")), baseline=("baseline", "mean")
    )
    again = sm.OLS(means["y"], sm.add_constant(means[["arm", "baseline"]])).fit(cov_type="HC2")
    row = cluster_means(ols("y ~ arm + baseline", frame, cluster="institution")).contrast({ARM: 1.0}, CR2())
    assert (row.estimate, row.std_error) == pytest.approx((again.params["arm"], again.bse["arm"]), rel=1e-10)
    plain = cluster_means(ols("y ~ arm", frame, cluster="institution")).contrast({ARM: 1.0}, CR2())
    n = means["arm"].value_counts().to_numpy(float)
    by_hand = (1 / n).sum() ** 2 / (1 / (n**2 * (n - 1))).sum()  # Bell and McCaffrey's, of two groups
    assert plain.df == pytest.approx(by_hand, rel=1e-9)
    assert plain.estimate == pytest.approx(means.groupby("arm")["y"].mean().diff().iloc[-1])


def test_there_must_be_more_institutions_than_coefficients():  # 1
    frame = simulated_frame(4)
    assert isinstance(cluster_means(ols("y ~ arm * baseline", frame, cluster="institution")), Unavailable)


def test_all_sign_vectors_of_eight_institutions():  # 2
    frame = simulated_frame(8, effect=0.9, seed=5)
    fit = ols("y ~ arm + baseline", frame, cluster="institution")
    signs = np.array(list(itertools.product((1.0, -1.0), repeat=8)))
    t = WildTest.of(ClusterScores.of(fit), signs, np.array([0.0, 1.0, 0.0]), float(fit.estimate[1])).statistics(
        0.0, np.arange(256)
    )
    null, code = ols("y ~ baseline", frame), frame["institution"].cat.codes.to_numpy()
    again = []
    for row in signs[:128]:  # the others mirror them
        one = ols("y ~ arm + baseline", frame.assign(y=null.fitted + row[code] * null.residuals), cluster="institution")
        again.append(abs(one.contrast({ARM: 1.0}, CR1()).statistic))
    again += again[::-1]
    np.testing.assert_allclose(t, again, rtol=1e-8)
    assert signs[0].min() == 1.0 and np.mean(t >= t[0] - 1e-9) == np.mean(np.array(again) >= again[0] - 1e-9)


def test_every_row_is_that_of_its_estimator():  # 3
    frame = simulated_frame()
    allocations = lot(frame, 400)
    rows = rows_of("continuous", frame, allocations)
    mixed = lmm("y ~ arm + baseline + (1 | institution)", frame)
    least = ols("y ~ arm + baseline", frame, cluster="institution")
    equations = gee("y ~ arm + baseline", frame, cluster="institution", correlation="exchangeable")
    expected = {
        "mixed-kr": (mixed.contrast({ARM: 1.0}, KenwardRoger()), "precision"),
        "mixed-cr2": (mixed.contrast({ARM: 1.0}, CR2()), "precision"),
        "gee": (equations.contrast({ARM: 1.0}), "precision"),
        "least-squares": (least.contrast({ARM: 1.0}, CR2()), "participant"),
        "cluster-means": (cluster_means(least).contrast({ARM: 1.0}, CR2()), "institution"),
        "permutation": (mixed.contrast({ARM: 1.0}, Permutation("arm", allocations)), "constant"),
    }
    for name, (result, average) in expected.items():
        assert (rows[name].result, rows[name].average) == (result, average), name
    assert rows["wild-bootstrap"].result.estimate == rows["least-squares"].result.estimate
    assert rows["wild-bootstrap"].result.method == "WildBootstrap" and len(rows) == 7


def test_a_lot_that_cannot_reach_the_level_gives_no_interval():  # 4
    frame = simulated_frame(6)  # 20 allocations: two-sided, the smallest p-value is 2/20
    found = rows_of("continuous", frame, lot(frame))["permutation"].result
    assert found.p_value >= 0.1 and found.conf_low is None and "0.1" in found.note
    reason = Unavailable(Phrase("no lot is known"))
    assert rows_of("continuous", frame, reason)["permutation"].result == reason


@pytest.mark.parametrize("scale", ["binary", "ordinal", "count"])
def test_of_what_is_no_measure_the_lot_gives_a_p_value_alone(scale):  # 5
    frame = simulated_frame(12, 12)
    rows = rows_of(scale, frame, lot(frame, 200))
    assert list(rows) == ["planned", "gee", "least-squares", "wild-bootstrap", "cluster-means", "permutation"]
    found = rows["permutation"].result
    assert 0 < found.p_value < 1 and found.conf_low is None and found.estimate == rows["planned"].result.estimate
    cut = -0.5 if scale == "ordinal" else 0.0
    share = frame.assign(y=(frame["y"] > cut).astype(float))
    least = ols("y ~ arm + baseline", share, cluster="institution").contrast({ARM: 1.0}, CR2())
    assert rows["least-squares"].result == least
    assert rows["gee"].result.method == "ManclDeRouen"
    assert rows["gee"].result.estimate == pytest.approx(least.estimate, abs=0.03)


def test_a_declared_study_gets_rows_after_the_others(analysed):  # 6
    plain, found = tidy(analysed("set: itt")), analysed(EVERYTHING)
    table = tidy(found)
    pd.testing.assert_frame_equal(table.iloc[: len(plain)], plain)
    added = table.iloc[len(plain) :]
    names = [row.estimator for row in found.outcomes[0].estimators]
    added = added.assign(name=added["model"].str.partition(": ")[0]).loc[lambda f: f["name"].isin(names)]
    assert list(added["outcome"]) == ["y"] * 7 + ["z"] * 7 and set(added["term"]) == {ARM}
    assert added["name"].tolist() == names * 2
    row = next(row for row in found.outcomes[0].estimators if row.estimator == "permutation")
    (distribution,) = found.outcomes[0].lot
    assert distribution.p_value == row.result.p_value and distribution.statistic == row.result.statistic
    assert distribution.as_large == sum(one.as_large for one in distribution.bins) + distribution.inestimable
    page = plain_text(evaluation(found, "da"))
    assert "histogram--lot-y" in page and "Ved selve lodtrækningen" in page
    assert "Den samme effekt ved flere estimatorer" in page and "Alle institutioner tæller lige meget" in page
    assert "several estimators" not in plain_text(evaluation(analysed("set: itt"), "en"))


def plain_text(document) -> str:
    return repr(document)


def test_the_key_is_a_yes_or_no(tmp_path):
    assert declared(tmp_path, STUDY.replace("{set: itt,", "{set: itt, triangulate: true,")).analysis.triangulate


def test_a_model_with_more_levels_permutes_the_means_of_institutions():  # 4: its own statistic would take minutes
    frame = simulated_frame(8).assign(room=lambda f: np.arange(len(f)) % 3)
    fit, allocations = lmm("y ~ arm + (1 | institution) + (1 | institution:room)", frame), lot(frame)
    assert permutation_of(fit, allocations).statistic == "cluster-means"
    assert permutation_of(lmm("y ~ arm + (1 | institution)", frame), allocations).statistic == "model"


def paired_rows(sizes: list[int], covariates: tuple[str, ...] = ()) -> tuple[dict, pd.DataFrame]:
    """The estimators of a trial in pairs; `sizes` are those of the institutions, pair by pair."""
    random = np.random.default_rng(4)
    code = np.repeat(np.arange(len(sizes)), sizes)
    y = random.normal(0, 1, len(sizes) // 2)[code // 2] - 0.5 * (code % 2) + random.normal(0, 0.6, len(sizes))[code]
    frame = pd.DataFrame({"institution": pd.Categorical([f"i{k:02d}" for k in code]), "y": y + random.normal(size=len(code))})
    frame["arm"] = pd.Categorical(np.array(ARMS)[code % 2], categories=list(ARMS))
    frame["pair"] = pd.Categorical([f"p{k // 2}" for k in code])
    frame["baseline"] = 0.3 * frame["y"] + random.normal(size=len(code))
    study = simulated_study()
    data = AnalysisSet(study.outcomes[0], "w2", frame, covariates, (), (), "fixed")
    model = planned_model(data.outcome)
    planned = model.fit(model_formula(data), frame)
    found = model.compare(planned, planned, data, study.arms, KenwardRoger(), 0.95)
    return {row.estimator: row for row in triangulate(study, data, planned, found.effects, lot(frame, 400))}, frame


def test_pairs_are_the_clusters_of_least_squares():  # 7
    found, frame = paired_rows([6] * 16)
    means = frame.pivot_table("y", "pair", "arm", observed=True)
    by_hand = ttest_rel(means["intervention"], means["reference"])
    row = found["least-squares"].result
    assert (row.statistic, row.df, row.p_value) == pytest.approx((by_hand.statistic, 7, by_hand.pvalue), rel=1e-8)
    assert "clustered by matched pair" in row.note
    assert "clustered by matched pair" in found["wild-bootstrap"].result.note
    assert "clustered by matched pair" in found["gee"].result.note and "pair" not in found["gee"].model
    found, frame = paired_rows([4, 12, 9, 5, 6, 6, 15, 3, 8, 10, 5, 5, 7, 14, 9, 4], ("baseline",))
    again = smf.gee("y ~ C(arm, Treatment('reference')) + baseline", "pair", frame, cov_struct=sm.cov_struct.Exchangeable())
    theirs, ours = again.fit(cov_type="bias_reduced"), found["gee"].result
    assert (ours.estimate, ours.std_error) == pytest.approx((theirs.params.iloc[1], theirs.bse.iloc[1]), rel=2e-3)
    assert ours.df == 8 - 3
    for name, method in (("least-squares", CR2()), ("wild-bootstrap", WildBootstrap(9_999, SEED))):
        by = {
            cluster: ols("y ~ arm + baseline + pair", frame, cluster=cluster).contrast({ARM: 1.0}, method)
            for cluster in ("pair", "institution")
        }
        row = found[name].result
        assert (row.p_value, row.conf_low) == pytest.approx((by["pair"].p_value, by["pair"].conf_low), rel=1e-8)
        assert abs(by["pair"].p_value / by["institution"].p_value - 1) > 0.005


@pytest.mark.parametrize(("average", "said"), [("precision", False), ("participant", True), ("institution", True)])
def test_the_statistic_of_the_lot_is_named_where_it_is_not_the_headline(average, said):  # 8
    study = simulated_study()
    study = study.model_copy(update={"estimand": study.estimand.model_copy(update={"average": average})})
    assert bool(statistic_note(study)) == said
    if average == "institution":
        return  # the row is that of participants
    frame = simulated_frame(8)
    data = simulated_set(study, frame)
    model = planned_model(data.outcome)
    planned = model.fit("y ~ arm + baseline + (1 | institution)", frame)
    found = model.compare(planned, planned, data, study.arms, KenwardRoger(), 0.95)
    rows = {row.estimator: row for row in triangulate(study, data, planned, found.effects, lot(frame))}
    assert ("and not with that of the headline's average" in rows["permutation"].result.note) == said
