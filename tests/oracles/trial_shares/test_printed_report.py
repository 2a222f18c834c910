"""A trial of a yes, bands and a count, from exports to the printed report; its numbers again in R (make_reference.R).

1. shares, differences, ratios and their standard errors are those of lme4 and ordinal; 2. tests are t on institutions;
3. every headline is computed twice, and agrees; 4. the page says shares and percentage points, and no points; 5. an outcome
of two values that is declared continuous is a caution at check; 6. a ratio that the plan names as summary leads: its p-value is
the one that is adjusted, told and printed; 7. page one shows the arms' shares, or means of a count, with their intervals.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.shares import shares_figure
from asp_eval.reporting.sections.trajectory import means_figure
from asp_eval.reporting.setting import Setting
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.analyse import analyse
from asp_eval.workflow.check import check_study
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.report import report
from tests.oracles.trial_shares.left_out import nothing_but_effects

HERE = Path(__file__).parent
IN_SE = 2e-3  # the hessians of both are numerical; clmm and glmer stop within 1e-4 of a standard error
SE = 2e-3
STUDY = """
version: 1
study: {id: shares, title: {en: Shares, da: Andele}, synthetic: true}
languages: [en, da]
arms: [reference, intervention]
strata: []
randomisation: {drawn_elsewhere: true, scheme: simple}
waves:
  - {id: w1, label: {en: start, da: start}, from: 2027-09-01, to: 2027-09-30}
  - {id: w2, label: {en: end, da: slut}, from: 2028-05-01, to: 2028-05-31}
eligibility: {age_years: {from: 3, below: 7}, at: w1}
collect: {screening: {waves: [w1, w2]}}
columns: {screening: {points: integer, asks: integer, incidents: integer, pre: integer}}
outcomes:
  - {id: asks, column: screening.asks, role: primary, scale: binary, better: lower, at: w2,
     label: {en: Asks for help, da: Beder om hjælp}}
  - {id: bands, column: screening.points, role: secondary, scale: ordinal, cut: [3, 5, 7], better: lower, at: w2,
     label: {en: Bands of points, da: Bånd af point}}
  - {id: incidents, column: screening.incidents, role: secondary, scale: count, better: lower, at: w2,
     label: {en: Incidents, da: Hændelser}}
analysis: {covariates: [pre, sex], families: {main: {outcomes: [asks, bands, incidents]}}}
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shares")
    data = pd.read_csv(HERE / "data.csv")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    made = load_study(folder)
    homes = data[["institution_id", "arm"]].drop_duplicates()
    put(made, folder, homes.assign(name=homes["institution_id"])[["institution_id", "name"]], "institutions")
    put(made, folder, homes.assign(date="2027-08-01", source="the registry"), "allocation")
    rows = data.drop(columns=["arm", "gathered"]).assign(birth_month="2022-06")
    put(made, folder, rows.assign(date="2027-09-10", points=rows["pre"], asks=0, incidents=0), "screening", "w1")
    put(made, folder, rows.assign(date="2028-05-10"), "screening", "w2")
    return made


def put(study, folder, frame, table, wave=None):
    file = folder / f"{table}-{wave}.csv"
    frame.to_csv(file, index=False)
    import_file(study, file, table, wave=wave)


@pytest.fixture(scope="module")
def analysed(study):
    with nothing_but_effects(recomputed=True):
        return analyse(study)


@pytest.fixture(scope="module")
def results(analysed):
    return {result.outcome: result for result in analysed.outcomes}


@pytest.fixture(scope="module")
def pages(study, results):
    folder = report(study).folder
    return {"en": folder / "evaluation.html", "da": folder / "evaluation.da.html"}


def test_numbers_are_those_of_r(results):
    reference = pd.read_csv(HERE / "reference.csv").query("outcome in @results")
    seen = 0
    for row in reference.itertuples():
        result, words = results[row.outcome], row.quantity.split(" ", 1)
        effect = result.effects[0]
        if words[0] in ("reference", "intervention"):
            name = words[1] if len(words) > 1 else ""
            got = next(s.adjusted for s in result.shares if (s.arm, s.category) == (words[0], name))
        elif words[0] == "difference" and row.outcome == "bands":
            got = effect.changes[[s.category for s in result.shares].index(words[1])]
        else:
            got = {"difference": effect.difference, "log ratio": effect.ratio, "log odds ratio": effect.odds_ratio}[row.quantity]
        value, se = got.estimate, got.std_error
        if words[0] == "log":
            value, se = np.log(value), se / value
        assert value == pytest.approx(row.estimate, abs=IN_SE * row.std_error), row
        assert se == pytest.approx(row.std_error, rel=SE), row
        seen += 1
    assert seen == len(reference) == 22


def in_range(outcome, value, std_error):
    """The interval of R's share on the scale of its log odds, of its mean on that of the logarithm, by t on 22 institutions."""
    half = stats.t.ppf(0.975, 22) * std_error
    if outcome == "incidents":
        return [float(np.exp(np.log(value) + side * half / value)) for side in (-1, 1)]
    odds = np.log(value / (1 - value))
    return [float(1 / (1 + np.exp(-(odds + side * half / (value * (1 - value)))))) for side in (-1, 1)]


def test_intervals_of_shares_and_means_stay_where_these_can_be(results):  # 1
    reference = pd.read_csv(HERE / "reference.csv").query("outcome in @results")
    rows = [row for row in reference.itertuples() if row.quantity.split()[0] in ("reference", "intervention")]
    for row in rows:
        arm, _, name = row.quantity.partition(" ")
        got = next(s.adjusted for s in results[row.outcome].shares if (s.arm, s.category) == (arm, name))
        wanted = in_range(row.outcome, row.estimate, row.std_error)
        assert [got.conf_low, got.conf_high] == pytest.approx(wanted, abs=SE * row.std_error)
    assert len(rows) == 12


@pytest.mark.parametrize(
    ("outcome", "title", "quantity"),
    [
        ("asks", "Asks for help: adjusted share of children in the arms, percent", ""),
        ("bands", 'Bands of points: adjusted share of children beyond the band "< 3", percent', " < 3"),
        ("incidents", "Incidents: adjusted means of the arms", ""),
    ],
)
def test_page_one_has_the_arms_as_a_small_picture(analysed, results, outcome, title, quantity):  # 7
    primary = replace(analysed, outcomes=(replace(results[outcome], role="primary"),))
    setting = Setting(primary, Numbers(words_for("en")))
    (figure,) = means_figure(primary, setting)
    assert figure.title == title
    plot = shares_figure(primary.outcomes, setting)
    assert (plot is None) == (outcome == "incidents")
    assert plot is None or "(primary): " in plot.description  # marked as in the forest plot of measures
    reference = pd.read_csv(HERE / "reference.csv").set_index(["outcome", "quantity"])
    for cell, arm in zip(figure.data.rows[0].cells[1:], ("reference", "intervention"), strict=True):
        value, std_error = reference.loc[(outcome, arm + quantity)]
        wanted = [value, *in_range(outcome, value, std_error)]
        if outcome == "bands":
            wanted = [1 - wanted[0], 1 - wanted[2], 1 - wanted[1]]
        shown = [quantity.value for quantity in cell.quantities]
        assert shown == pytest.approx([(1 if outcome == "incidents" else 100) * each for each in wanted], abs=0.1)


def test_the_headline_of_bands_is_the_share_beyond_the_first(results):
    effect, result = results["bands"].effects[0], results["bands"]
    assert effect.difference.estimate == pytest.approx(-effect.changes[0].estimate)
    data = pd.read_csv(HERE / "data.csv")
    counted = [s.count for s in result.shares if s.arm == "reference"]
    points = data.loc[data["arm"] == "reference", "points"]
    assert counted == np.histogram(points, [-1, 2.5, 4.5, 6.5, 11])[0].tolist() and sum(counted) == 240


def test_tests_are_t_on_institutions(results):
    for result in results.values():
        effect = result.effects[0].difference
        assert (effect.method, effect.df) == ("BetweenWithin", 22.0) and result.effects[0].adjusted_p >= effect.p_value


def test_every_headline_is_computed_twice(results):
    for result in results.values():
        software = {part.software for part in result.recomputations}
        assert software == ({"SciPy"} if result.scale == "ordinal" else {"SciPy", "statsmodels"})
        for part in result.recomputations:
            assert part.recomputed_estimate == pytest.approx(part.estimate, abs=1e-4 * part.std_error)
            assert part.recomputed_std_error == pytest.approx(part.std_error, rel=1e-4)


@pytest.mark.parametrize(
    ("language", "said", "unsaid"),
    [
        (
            "en",
            ["percentage points", "Odds ratio", "Rate ratio", "beyond", " a child in favour of"],
            r"scored on average|\d points (in favour|to its)",
        ),
        ("da", ["procentpoint", "Oddsratio", "Rateratio", " pr. barn til fordel for"], r" point lavere end|\d point til "),
    ],
)
def test_the_page_says_shares(pages, results, language, said, unsaid):
    text = " ".join(re.sub(r"<[^>]+>", " ", pages[language].read_text(encoding="utf-8")).split())
    for words in said:
        assert words in text
    assert not re.search(unsaid, text)
    shares = {s.arm: s.adjusted.estimate for s in results["asks"].shares}
    for value in shares.values():
        shown = f"{100 * value:.1f}"
        assert (shown if language == "en" else shown.replace(".", ",")) in text


def test_two_values_declared_continuous_are_a_caution(study, tmp_path):
    assert not [p for p in check_study(study).problems if p.code == "ANA-061"]
    folder = shutil.copytree(study.folder, tmp_path / "points")
    (folder / "study.yaml").write_text(STUDY.replace("scale: binary, ", ""), encoding="utf-8")
    (found,) = [p for p in check_study(load_study(folder)).problems if p.code == "ANA-061"]
    assert found.severity == "warning" and "asks" in str(found) and "0, 1" in str(found)


@pytest.fixture(scope="module")
def by_ratios(study, tmp_path_factory):
    folder = shutil.copytree(study.folder, tmp_path_factory.mktemp("ratios") / "study")
    text = STUDY.replace("languages: [en, da]", "languages: [en]").replace(
        "scale: ordinal,", "scale: ordinal, summary: odds-ratio,"
    )
    for scale in ("binary", "count"):
        text = text.replace(f"scale: {scale},", f"scale: {scale}, summary: ratio,")
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    made = load_study(folder)
    with nothing_but_effects():
        return analyse(made), report(made).folder


def test_a_planned_ratio_leads(results, by_ratios):  # 6
    found, folder = by_ratios
    table = found.effects().set_index("outcome")
    log = pd.read_csv(HERE / "reference.csv").set_index(["outcome", "quantity"])
    names = {"asks": "log ratio", "bands": "log odds ratio", "incidents": "log ratio"}
    p = {}
    for outcome, name in names.items():
        row, want = table.loc[outcome], log.loc[(outcome, name)]
        p[outcome] = 2 * special.stdtr(22, -abs(want["estimate"] / want["std_error"]))
        assert row["estimate"] == pytest.approx(np.exp(want["estimate"]), abs=IN_SE * want["std_error"])
        assert row["p_value"] == pytest.approx(p[outcome], rel=1e-2) and row["summary"] != "difference"
        assert row["p_value"] != results[outcome].effects[0].difference.p_value
    holm = np.minimum(1, np.maximum.accumulate([m * v for m, v in zip((3, 2, 1), sorted(p.values()), strict=True)]))
    assert sorted(table["adjusted_p"]) == pytest.approx(list(holm), rel=1e-2)
    page = (folder / "evaluation.html").read_text(encoding="utf-8")
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    for words in ("times as large", "times as many as", "odds of a later band are", "compatible with ratios from", "risk ratio)"):
        assert words in text, words
    assert f"{table.loc['asks', 'estimate']:.2f} times as large" in text
    assert "percentage points lower" not in text and "the plan compares the arms by the odds ratio" in text
