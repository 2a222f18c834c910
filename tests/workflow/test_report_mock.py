"""The report of a trial drawn from the plan.

1. it needs study.yaml alone, touches nothing of the data, and every page is marked in both languages; 2. the drawn trial is
the planned one: institutions, children, arms, losses, intraclass correlation, correlation over the waves, and no effect; 3. every
scheme of the lot and every scale of outcome can be drawn; 4. what cannot be drawn is refused in words; 5. the same at every call.
"""

from __future__ import annotations

import numpy as np
import pytest

from asp_eval.analysis.results import Results
from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.reporting.documents.report_mock import report_mock
from asp_eval.stats.estimate import Estimate
from asp_eval.synthetic.planned_trial import planned_children, planned_institutions, trait
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.report_mock import mock_results, write_mock

PLAN = """\
version: 1
study: {id: planned, title: {en: Planned, da: Planlagt}}
languages: [en, da]
arms: [reference, intervention]
ARMS
waves:
  - {id: w1, label: {en: start, da: start}}
  - {id: w2, label: {en: end, da: slut}}
columns:
  screening: {points: number, ill: integer, band: integer, falls: integer}
  institutions: {places: integer, twins: string, side: {type: string, labels: {east: East, west: West}}}
  children: {kept: string}
collect: {screening: {waves: [w1, w2]}}
outcomes:
  - {id: points, column: screening.points, role: primary, better: lower, at: w2, baseline: w1}
MORE
analysis: {covariates: [sex, age]}
power: {institutions: 24, children: 10, cv: 0.3, icc: [0.1], baseline: {institution: 0.6, child: 0.5},
        lost: {institutions: 0.125, children: 0.1}}
"""


def planned(folder, arms: str = "randomisation: {scheme: simple}", more: str = "", text: str = PLAN) -> Study:
    folder.mkdir(exist_ok=True)
    file = folder / "study.yaml"
    file.write_text(text.replace("ARMS\n", arms + "\n").replace("MORE\n", more and more + "\n"), encoding="utf-8")
    return load_study(folder)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> tuple[Study, Results]:
    study = planned(tmp_path_factory.mktemp("planned") / "study")
    return study, mock_results(study)


def test_the_drawn_trial_is_the_planned_one(drawn):
    _, results = drawn
    arms = results.flow.arms
    assert sum(arm.institutions for arm in arms) == 24
    assert 190 <= sum(arm.cohort for arm in arms) <= 290
    assert 18 <= results.outcomes[0].n_institutions <= 21
    assert results.study.study.synthetic
    effect = results.outcomes[0].effects[0].difference
    assert isinstance(effect, Estimate)
    assert abs(effect.statistic) < 4


def test_children_correlate_as_planned(tmp_path):
    power = (
        "power: {institutions: 400, children: 25, icc: [0.2], baseline: {institution: 0.8, child: 0.3}, lost: {children: 0.2}}"
    )
    study = planned(tmp_path / "study", text=PLAN[: PLAN.index("power:")] + power)
    children = planned_children(study, 5)
    first, second = trait(study, children, 5, "points")
    place = np.bincount(children.institution)
    means = [np.bincount(children.institution, x) / place for x in (first, second)]
    within = [x - mean[children.institution] for x, mean in zip((first, second), means, strict=True)]
    assert first.std() == pytest.approx(1.0, abs=0.05)
    assert means[0].var() - within[0].var() / 24 == pytest.approx(0.2, abs=0.04)  # the variance between, by moments
    assert np.corrcoef(*within)[0, 1] == pytest.approx(0.3, abs=0.03)
    assert np.corrcoef(*means)[0, 1] == pytest.approx((0.8 * 0.2 + 0.3 * 0.8 / 25) / (0.2 + 0.8 / 25), abs=0.06)
    assert children.there[0].all()
    assert children.there[1].mean() == pytest.approx(0.8, abs=0.02)


def test_every_page_is_marked_and_nothing_else_is_written(tmp_path):
    study = planned(tmp_path / "study")
    pages = write_mock(study, ("html", "docx", "xlsx"))
    assert sorted(page.name for page in pages) == sorted(
        f"mock{language}.{kind}" for language in ("", ".da") for kind in ("html", "docx", "xlsx")
    )
    assert all(page.stat().st_size > 1_000 for page in pages)
    assert "Mock: drawn at random from the plan, nothing here is a result" in pages[0].read_text(encoding="utf-8")
    assert {path.name for path in study.folder.iterdir()} <= {"study.yaml", "output"}


def test_the_danish_report_is_marked_in_danish(drawn):
    _, results = drawn
    assert report_mock(results, "da").banner == "Prøve: trukket tilfældigt ud fra planen, intet her er et resultat"


def test_the_same_at_every_call(drawn):
    study, results = drawn
    assert mock_results(study).outcomes[0].effects == results.outcomes[0].effects


SCHEMES = {
    "stratified": "strata: [side]",
    "pairs": "randomisation: {scheme: pairs, pair: twins}",
    "matched": "randomisation: {scheme: pairs, covariates: {places: 1}}",
    "blocked": "randomisation: {scheme: blocked, blocks: [4]}",
    "constrained": "randomisation: {scheme: constrained, covariates: {places: 1}, candidates: 1000}",
    "minimisation": "randomisation: {scheme: minimisation, covariates: {side: 1}}",
    "elsewhere": "strata: [side]\nrandomisation: {drawn_elsewhere: true}",
    "two to one": "randomisation: {scheme: simple, ratio: [2, 1]}",
}


ALIKE = ("matched", "blocked", "two to one")  # drawn by the rows that pairs, strata and a plain lot are drawn by


@pytest.mark.parametrize("scheme", [pytest.param(each, marks=[pytest.mark.slow] * (each in ALIKE)) for each in SCHEMES])
def test_every_scheme_can_be_drawn(tmp_path, scheme):
    results = mock_results(planned(tmp_path / "study", SCHEMES[scheme]))
    assert isinstance(results.outcomes[0].effects[0].difference, Estimate), results.outcomes[0].notes


def test_every_scale_can_be_drawn(tmp_path):
    more = """\
  - {id: ill, column: screening.ill, scale: binary, role: secondary, better: lower, at: w2}
  - {id: band, column: screening.band, scale: ordinal, role: secondary, better: lower, at: w2}
  - {id: falls, column: screening.falls, scale: count, role: secondary, better: lower, at: w2}
received: {at_least: 10}
sets: {itt: {filter: 'kept == "yes"'}}"""
    study = planned(tmp_path / "study", more=more)
    results = mock_results(study)
    assert [isinstance(one.effects[0].difference, Estimate) for one in results.outcomes] == [True] * 4
    kept = sum(part.analysed for part in results.outcomes[1].analysed) / sum(part.cohort for part in results.outcomes[1].analysed)
    assert 0.6 < kept < 0.9


def test_what_the_plan_does_not_say_is_refused(tmp_path):
    text = PLAN.replace("institutions: 24, children: 10, ", "")
    with pytest.raises(Refusal, match="REP-020") as refused:
        planned_institutions(planned(tmp_path / "study", text=text), 1)
    assert "'institutions' and 'children'" in str(refused.value)
    text = PLAN.replace("{screening: {waves: [w1, w2]}}", "{staff_survey: {waves: [w1, w2]}}")
    with pytest.raises(Refusal, match="REP-021"):
        planned_institutions(planned(tmp_path / "study", text=text), 1)


def test_the_command_writes_it_and_refuses_what_it_would_pass_over(tmp_path, run):
    study = planned(tmp_path / "study")
    done = run("report", "--mock", "--study", study.folder)
    assert done.code == 0, done.err
    assert "output/mock.html" in done.out
    done = run("report", "--mock", "--part", "gap", "--study", study.folder)
    assert done.code != 0
    assert "REP-022" in done.err + done.out


def test_answers_that_chance_turns_round_are_not_taken_for_a_mix_up_of_codes(tmp_path, monkeypatch):
    """Answers of equal frequency in a few children look as much the one way as the other; a mock is not refused for it."""
    text = """\
version: 1
study: {id: planned, title: {en: Planned, da: Planlagt}}
languages: [en]
arms: [reference, intervention]
randomisation: {drawn_elsewhere: true, scheme: simple, ratio: [1, 1]}
waves:
  - {id: w1, label: {en: start}, from: 2026-09-01, to: 2026-11-30}
  - {id: w2, label: {en: end}, from: 2027-09-01, to: 2027-11-30}
collect: {screening: {waves: [w1, w2], instruments: [{family: sdq-teacher}]}}
outcomes: [{id: prosocial, score: sdq-teacher.prosocial, role: primary, better: higher, at: w2}]
power: {institutions: 14, children: 7, icc: [0.05]}
"""

    class TakenIn(Exception):
        pass

    def analysed(*_, **__):
        raise TakenIn

    monkeypatch.setattr("asp_eval.workflow.report_mock.analyse", analysed)
    with pytest.raises(TakenIn):
        mock_results(planned(tmp_path / "study", text=text))


def test_a_plan_that_check_refuses_is_not_drawn(tmp_path):
    plan = planned(tmp_path / "study", text=PLAN.replace("MORE", "").replace("screening.points, role", "screening.other, role"))
    with pytest.raises(DataProblems, match="other"):
        mock_results(plan)
