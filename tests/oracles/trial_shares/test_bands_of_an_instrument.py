"""A trial whose outcomes are bands of the study's own questionnaire, from exports to the printed page; again in R.

1. `above: BAND` is the share in that band or a worse one, and bands are the categories in order: lme4's and ordinal's numbers.
2. Where the arm does not move all bands alike the test says so, each band's share is that of its own logistic model (lme4's
numbers), and the page leads with the bands and gives no verdict for or against the arm.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.analyse import analyse
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.report import report
from asp_eval.workflow.score import score_study
from tests.oracles.trial_shares.left_out import nothing_but_effects

HERE = Path(__file__).parent
BANDS = ("low", "some", "much", "most")
IN_SE = 2e-3
QUESTIONNAIRE = """\
id: {id}
version: 1
family: {id}
languages: [da, en]
title: {{da: {title}, en: {title}}}
informant: staff
unit: child
status: {{da: Prøve., en: On trial.}}
provenance: [{{what: items, mark: convention, source: our own}}]
licence: {{item_text: included, statement: {{da: Frit., en: Free.}}}}
response_sets:
  agree:
    - {{code: 0, label: {{da: nej, en: "no"}}}}
    - {{code: 1, label: {{da: lidt, en: a bit}}}}
    - {{code: 2, label: {{da: ja, en: "yes"}}}}
items:
{items}
scales:
  - key: all
    title: {{da: {title}, en: {title}}}
    items: [q1, q2, q3, q4, q5]
    rule: {{method: sum, minimum_answered: 5}}
    better: lower
    range: {{from: 0, to: 10}}
bands:
  default: own
  sets:
    - id: own
      title: {{da: Egne, en: Our own}}
      informant: staff
      source: our own
      provenance: convention
      names:
        low: {{da: lidt besvær, en: little trouble}}
        some: {{da: noget besvær, en: some trouble}}
        much: {{da: meget besvær, en: much trouble}}
        most: {{da: mest besvær, en: most trouble}}
      scales:
        all:
          - {{band: low, from: 0, to: 2}}
          - {{band: some, from: 3, to: 4}}
          - {{band: much, from: 5, to: 6}}
          - {{band: most, from: 7, to: 10}}
"""
STUDY = """
version: 1
study: {id: banded, title: {en: Bands, da: Bånd}, synthetic: true}
languages: [en, da]
arms: [reference, intervention]
strata: []
randomisation: {drawn_elsewhere: true, scheme: simple}
waves:
  - {id: w1, label: {en: start, da: start}, from: 2027-09-01, to: 2027-09-30}
  - {id: w2, label: {en: end, da: slut}, from: 2028-05-01, to: 2028-05-31}
eligibility: {age_years: {from: 3, below: 7}, at: w1}
collect: {screening: {waves: [w1, w2], instruments: [trouble, gathered]}}
columns: {screening: {pre: integer}}
outcomes:
  - {id: beyond, score: trouble.all, role: primary, scale: binary, above: much, better: lower, at: w2,
     label: {en: Much trouble or most, da: Meget besvær eller mest}}
  - {id: bands, score: trouble.all, role: secondary, scale: ordinal, better: lower, at: w2,
     label: {en: Bands of trouble, da: Bånd af besvær}}
  - {id: gathered, score: gathered.all, role: secondary, scale: ordinal, better: lower, at: w2,
     label: {en: Gathered trouble, da: Samlet besvær}}
analysis: {covariates: [pre, sex], families: {main: {outcomes: [beyond, bands, gathered]}}}
"""


def answers(form: str, score: pd.Series) -> dict[str, pd.Series]:
    """Return five answers of 0, 1 or 2 that add up to a score."""
    return {f"{form}.q{k + 1}": (score - 2 * k).clip(0, 2) for k in range(5)}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("banded")
    (folder / "instruments").mkdir()
    items = "\n".join(f"  - {{number: {k}, key: q{k}, responses: agree, text: {{da: S{k}., en: Q{k}.}}}}" for k in range(1, 6))
    for form, title in (("trouble", "Trouble"), ("gathered", "Gathered")):
        text = QUESTIONNAIRE.format(id=form, title=title, items=items)
        (folder / "instruments" / f"{form}.yaml").write_text(text, encoding="utf-8")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    made = load_study(folder)
    data = pd.read_csv(HERE / "data.csv")
    homes = data[["institution_id", "arm"]].drop_duplicates()
    put(made, homes[["institution_id"]], "institutions")
    put(made, homes.assign(date="2027-08-01", source="the registry"), "allocation")
    about = data[["child_id", "institution_id", "sex", "pre"]].assign(birth_month="2022-06")
    put(
        made,
        about.assign(date="2027-09-10", **answers("trouble", data["pre"]), **answers("gathered", data["pre"])),
        "screening",
        "w1",
    )
    after = {**answers("trouble", data["points"]), **answers("gathered", data["gathered"])}
    put(made, about.assign(date="2028-05-10", **after), "screening", "w2")
    score_study(made)
    return made


def put(study, frame, table, wave=None):
    file = study.folder / f"{table}-{wave}.csv"
    frame.to_csv(file, index=False)
    import_file(study, file, table, wave=wave)


@pytest.fixture(scope="module")
def results(study):
    with nothing_but_effects():
        return {result.outcome: result for result in analyse(study).outcomes}


@pytest.fixture(scope="module")
def folder(study, results):
    return report(study).folder


@pytest.fixture(scope="module")
def reference():
    return pd.read_csv(HERE / "reference.csv").set_index(["outcome", "quantity"])


def near(found, row):
    assert found.estimate == pytest.approx(row["estimate"], abs=IN_SE * row["std_error"])
    assert found.std_error == pytest.approx(row["std_error"], rel=IN_SE)


def test_a_band_or_a_worse_one_is_r_s(results, reference):  # 1
    result, want = results["beyond"], reference.loc["beyond"]
    points = pd.read_csv(HERE / "data.csv").groupby("arm")["points"]
    for share in result.shares:
        near(share.adjusted, want.loc[share.arm])
        assert share.count == int((points.get_group(share.arm) >= 5).sum())
    near(result.effects[0].difference, want.loc["difference"])
    ratio, odds = result.effects[0].ratio, result.effects[0].odds_ratio
    assert np.log([ratio.estimate, odds.estimate]) == pytest.approx(
        want.loc[["log ratio", "log odds ratio"], "estimate"], abs=1e-3
    )


def test_bands_in_order_are_r_s(results, reference):  # 1
    result, want = results["bands"], reference.loc["bands"]
    names = dict(zip(BANDS, ("< 3", "3 - 5", "5 - 7", ">= 7"), strict=True))
    assert [s.category for s in result.shares] == [*BANDS, *BANDS]
    for share in result.shares:
        near(share.adjusted, want.loc[f"{share.arm} {names[share.category]}"])
    assert not result.proportional_odds.rejected


def test_bands_that_do_not_move_alike_are_r_s_one_by_one(results, reference):  # 2
    result = results["gathered"]
    test = result.proportional_odds
    assert test.rejected and test.band_by_band and test.df == 2
    assert test.statistic == pytest.approx(reference.loc[("gathered", "chi-square"), "estimate"], abs=5e-3)
    for share in result.shares:
        near(share.adjusted, reference.loc[(f"gathered {BANDS.index(share.category) + 1}", share.arm)])
    for k, change in enumerate(result.effects[0].changes):
        near(change, reference.loc[(f"gathered {k + 1}", "difference")])


PAGES = {
    "en": (
        "Not in one direction",
        "The difference between the arms is not the same in all bands",
        "nor to its disadvantage as a whole",
        "proportional odds) is rejected",
        "Much trouble or most is put into bands by “Our own” (our own)",
    ),
    "da": (
        "Ikke i én retning",
        "er ikke den samme i alle kategorier",
        "samlet hverken til fordel for",
        "forkastes",
        "inddeles efter normgrænserne i »Egne« (our own)",
    ),
}


@pytest.mark.parametrize("language", PAGES)
def test_the_page_leads_with_the_bands(folder, language):  # 2
    page = (folder / ("evaluation.html" if language == "en" else "evaluation.da.html")).read_text(encoding="utf-8")
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    for words in PAGES[language]:
        assert words in text, words
    rows = re.findall(r"<tr.*?</tr>", page[page.index('id="shares"') :].split("</table>")[0], re.S)
    heads = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]
    label, low = ("Gathered trouble", "little trouble") if language == "en" else ("Samlet besvær", "lidt besvær")
    first = next(i for i, head in enumerate(heads) if head.startswith(label))
    assert low in heads[first] and all(
        name in heads[first + k] for k, name in enumerate(("", "some", "much", "most")) if language == "en"
    )
