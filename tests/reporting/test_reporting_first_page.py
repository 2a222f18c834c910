"""Page one and the open-science items: how sure by declared rules, who stands behind the report, the checklist with its links."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import builders
import pytest

from asp_eval.analysis.declared_results import EstimatorRow
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.reporting.blocks import Fields, Table, anchors_of, blocks_of, plain
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.about import about, made_by
from asp_eval.reporting.sections.answered import answered
from asp_eval.reporting.sections.how_sure import apart, how_sure, judged
from asp_eval.reporting.setting import Setting
from asp_eval.reporting.writers.html import html
from asp_eval.trial.study.plan_fields import PlanChange, PlanLock


def setting(results=None, **changes) -> Setting:
    return Setting(results or builders.results(study=builders.study(**changes)), Numbers(words_for("en")))


def row(value, average="precision", arm="intervention", estimator="gee"):
    return EstimatorRow(estimator, arm, average, "y ~ arm", builders.estimate(value, 0.2))


def lines(results, outcome):
    return {line.about: line.level for line in judged(results, outcome, setting(results))}


@pytest.mark.parametrize(("institutions", "level"), [(30, "high"), (20, "high"), (19, "moderate"), (5, "moderate"), (4, "low")])
def test_the_design_counts_institutions_of_the_smallest_arm(institutions, level):
    outcome = builders.outcome()
    flows = tuple(
        replace(flow, institutions=60, institutions_analysed=institutions + 10 * k) for k, flow in enumerate(outcome.analysed)
    )
    outcome = replace(outcome, analysed=flows)
    assert lines(builders.results(outcomes=(outcome,)), outcome)["Design"] == level


@pytest.mark.parametrize(("others", "far"), [([-0.42], 0.0), ([-0.34, -0.5], 0.5), ([-0.10], 2.0)])
def test_agreement_is_the_furthest_like_estimate_in_headline_standard_errors(others, far):
    outcome = builders.outcome(effect=builders.estimate(-0.42, 0.16, p=0.01))
    outcome = replace(outcome, estimators=tuple(row(value) for value in others))
    assert apart(outcome) == pytest.approx(far)


def test_estimates_of_another_average_are_not_compared():
    outcome = replace(builders.outcome(), estimators=(row(5.0, average="participant"),))
    assert apart(outcome) is None
    assert lines(builders.results(outcomes=(outcome,)), outcome)["Agreement"] == "low"


def test_the_planned_model_by_another_standard_error_is_no_other_estimate():
    own = tuple(row(-0.42, estimator=name) for name in ("planned", "mixed-kr", "mixed-cr2"))
    outcome = replace(builders.outcome(effect=builders.estimate(-0.42, 0.16)), estimators=own)
    assert apart(outcome) is None
    assert apart(replace(outcome, estimators=(*own, row(-0.26)))) == pytest.approx(1.0)


def test_without_other_estimators_nothing_is_claimed_of_their_agreement():
    outcome = builders.outcome()
    assert lines(builders.results(outcomes=(outcome,)), outcome)["Agreement"] == "moderate"


def test_a_plan_that_was_not_locked_is_the_weakest_count_and_so_the_sentence():
    results = builders.results(outcomes=(builders.outcome(),))
    assert lines(results, results.outcomes[0])["Plan"] == "low"
    sentence, table = how_sure(results, setting(results))
    assert "How sure: low" in plain(sentence.parts[0].text)
    assert isinstance(table, Table)
    assert len(table.rows) == 4


def test_without_a_number_nothing_is_judged():
    effect = replace(builders.outcome().effects[0], difference=Unavailable(Phrase("why")))
    results = builders.results(outcomes=(replace(builders.outcome(), effects=(effect,)),))
    assert how_sure(results, setting(results)) == ()


def test_what_study_yaml_says_is_printed_and_what_it_does_not_is_named():
    section = about(setting(report={"authors": ["A. Body", "B. Body"], "funding": "A fund"}))
    fields = next(block for block in section.blocks if isinstance(block, Fields))
    assert [plain(each.value) for each in fields.fields] == ["A. Body, B. Body", "A fund"]
    words = plain(section.blocks[-1].parts[0].text)
    assert "registration" in words
    assert "funding" not in words


def tables(document):
    return {block.key: block for section in document.sections for block in section.blocks if isinstance(block, Table)}


CLUSTER = (
    "1a 1b 2a 2b 3a 4a 5 6a 7a 8b 9 10a 10b 10c 12a 13a 13b 15 16 17a 21"  # what Campbell and others (2012) add, by their numbers
)
CONSORT = (
    "1a 1b 2 3 4 5a 5b 6 7 8 9 10 11 12a 12b 13 14 15 16a 16b 17a 17b 18 19 20a 20b 21a 21b 21c 21d "
    "22a 22b 23a 23b 24a 24b 25 26 27 28 29 30"
)
NOWHERE = "Not in this report: for the study team to write"


def checklist_of(document) -> dict[str, list]:
    """The answers to each item, by its number in the list."""
    found: dict[str, list] = {}
    for each in tables(document)["checklist"].rows:
        found.setdefault(each.cells[0].text, []).append(each.cells[2])
    return found


def places(document) -> dict[str, list[str]]:
    return {item: [answer.anchor for answer in answers] for item, answers in checklist_of(document).items()}


def test_every_item_of_the_checklist_leads_to_a_section_that_is_there_or_says_that_there_is_none():
    document = evaluation(builders.results(study=builders.study(report={"registration": "ISRCTN 1"})), "en")
    anchors = {*anchors_of(document.sections), "top"}
    by_item = checklist_of(document)
    assert [item for item in by_item if not item.startswith("C")] == CONSORT.split()
    assert {item.removeprefix("C") for item in by_item if item.startswith("C")} == set(CLUSTER.split())
    for item, answers in by_item.items():
        assert all(answer.anchor in anchors if answer.anchor else answer.text == NOWHERE for answer in answers), item
    found = places(document)
    assert (found["2"], found["3"], found["5a"]) == (["open"], [""], [""])
    assert (found["7"], found["27"], found["11"]) == (["estimands"], ["harms"], ["place"])


@pytest.mark.parametrize("language", ["en", "da"])
def test_every_link_of_the_checklist_leads_to_an_anchor_of_the_page(language):
    document = evaluation(builders.results(), language)
    page = html(document)
    section = re.search(r'<section id="consort".*?</section>', page, re.DOTALL)[0]
    links = re.findall(r'href="#([^"]+)"', section)
    assert links == [anchor for anchors in places(document).values() for anchor in anchors if anchor]
    assert set(links) <= set(re.findall(r'\bid="([^"]+)"', page))


def test_what_an_item_asks_for_and_no_place_says_is_named():
    answers = {item: found[0].details for item, found in checklist_of(evaluation(builders.results(), "en")).items()}
    assert answers["17a"] == ("Not in this report: who drew it",)
    assert answers["27"] == ("Not in this report: unwanted events of other kinds than a worse outcome",)
    assert answers["17b"] == answers["25"] == ()


def test_changes_are_said_to_be_told_as_far_as_the_lock_shows_them():
    change = PlanChange("analysis.level", "0.95", "0.9", "")
    for changes, lacks in (((), ()), ((change,), ("Not in this report: why it was changed",))):
        lock = PlanLock("2008-01-01", 1, "ab", {}, changes)
        document = evaluation(builders.results(provenance=builders.provenance(plan_lock=lock)), "en")
        assert [(one.anchor, one.details) for one in checklist_of(document)["10"]] == [("changes", lacks)]
    (unlocked,) = checklist_of(evaluation(builders.results(), "en"))["10"]
    assert unlocked.details == ("Not in this report: whether anything was changed, and why",)


def test_a_stratum_that_is_no_place_does_not_say_where_the_trial_was():
    assert "where" in answered(builders.results(), setting())
    found = builders.results()
    renamed = tuple(replace(row, variable="size") if row.variable == "municipality" else row for row in found.baseline)
    found = replace(found, study=builders.study(strata=["size"]), baseline=renamed)
    assert any(row.variable == "size" and row.level for row in found.baseline)
    assert "where" not in answered(found, setting(found))


ANSWERS = {  # what a reader with the list of CONSORT looks for, in the section that the report names
    "1a": "cluster-randomised trial",
    "C1a": "cluster-randomised trial",
    "1b": "drawn at random",
    "C1b": "institutions were drawn at random",
    "7": "intervention against reference",
    "C2b": "Population: the children",
    "9": "ratio 1:1",
    "C3a": "whole institutions, not single children",
    "10": "plan",
    "11": "municipality",
    "12a": "Aged 3",
    "14": "lower is better",
    "C6a": "Whom the effect is about",
    "17a": "drawn separately within each stratum",
    "17b": "Stratified by municipality",
    "C8b": "Stratified by municipality",
    "C9": "whole institutions, not single children",
    "C10b": "In the list: assessed",
    "20a": "raters are staff",
    "21a": "Clustering",
    "C12a": "Clustering",
    "21b": "A child who moves|moving: kept with the institution drawn",
    "21c": "Missing answers",
    "22a": "Drawn: reference",
    "C13a": "Institutions drawn",
    "22b": "left out",
    "C13b": "Institutions",
    "23a": "1 September 2006",
    "24a": "had of the intervention",
    "24b": "project of other origin",
    "25": "Standardised difference",
    "C15": "Municipality|municipality",
    "26": "ICC",
    "C16": "Institutions",
    "C17a": "ICC",
    "27": "Worst end of the interval",
    "29": "lower than children",
    "30": "institutions and children like these",
    "C21": "institutions and children like these",
}


def section_text(document, anchor: str) -> str:
    """Everything that stands at an anchor: a section with its parts, or a table."""
    if anchor == "top":
        return f"{document.title} {document.subtitle}"
    found = next((part for part in sections_of(document.sections) if part.anchor == anchor), None)
    if found is not None:
        return repr(found)
    return repr(next(block for block in blocks_of(document.sections) if getattr(block, "key", "") == anchor))


def sections_of(sections):
    for section in sections:
        yield section
        yield from sections_of(section.parts)


def test_a_reader_with_the_list_finds_at_each_link_what_the_item_asks_for():
    document = evaluation(builders.results(), "en")
    by_item = places(document)
    linked = {item for item, anchors in by_item.items() if any(anchors)}
    assert linked == {*ANSWERS, "21d", "28"} & linked and {*ANSWERS} <= linked
    for item, words in ANSWERS.items():
        found = " ".join(section_text(document, anchor) for anchor in by_item[item])
        assert any(part in found for part in words.split("|")), (item, by_item[item])


def test_an_item_that_the_study_tells_nothing_of_leads_nowhere():
    """No strata, no dates, no rule or log of what was received, no planned size."""
    study = builders.study(
        strata=[],
        waves=[{"id": key, "label": label} for key, label in builders.WAVES.items()],
        received=None,
        randomisation={"scheme": "simple", "ratio": [1, 1]},
    )
    found = builders.integrity()
    unknown = replace(found, dose=(), contamination=replace(found.contamination, projects=None))
    flow = builders.flow()
    flow = replace(flow, arms=tuple(replace(arm, received=None) for arm in flow.arms))
    bare = builders.results(study=study, integrity=unknown, flow=flow)
    document = evaluation(bare, "en")
    by_item = places(document)
    assert [by_item[item] for item in ("11", "16a", "23a", "24a", "24b")] == [[""]] * 5
    assert "gap.json" not in repr(document)  # a study without profiles is not told to make them


def test_an_item_leads_to_all_of_its_places_that_are_in_the_report():
    document = evaluation(builders.results(), "en")
    by_item, known = places(document), anchors_of(document.sections)
    assert "missing" not in known and by_item["21c"] == ["method"]
    assert "realised" not in known and by_item["16a"] == [""]
    assert (
        by_item["26"] == [place for place in ("found", "analysed", "analysed-others") if place in known]
        and len(by_item["26"]) > 1
    )


@pytest.mark.parametrize(
    ("language", "said"), [("en", "of 1 June 2008, digest 5a1f"), ("da", "pr. 1. juni 2008, kontrolsum 5a1f")]
)
def test_page_one_says_of_which_day_the_data_are(language, said):
    results = builders.results(provenance=builders.provenance(state="5a1f" * 16))
    document = evaluation(results, language, day=date(2008, 6, 1))
    (fields,) = (block for block in document.sections[0].blocks if isinstance(block, Fields))
    assert plain(fields.fields[1].value).startswith(said)
    assert said.partition(",")[0] not in plain(made_by(results, setting(results)).fields[1].value)
