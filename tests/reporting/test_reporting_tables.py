"""Tables of the evaluation report.

1. Small counts of children, and those that reveal them, are hidden.  2. A number that cannot be had prints its reason.
3. Agreement between two programs is judged by the standard error.  4. What really produced a standard error is named.
"""

from __future__ import annotations

from dataclasses import replace

import builders
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.analysis.rare_categories import printed_rows
from asp_eval.analysis.results import NO_FAMILY, ArmEffect, ArmSummary, BaselineRow, Number, Recomputation
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.reporting.language import as_sentence, words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.attrition import attrition_details, attrition_table
from asp_eval.reporting.sections.baseline import baseline_table, baseline_words
from asp_eval.reporting.sections.coefficients import coefficient_table
from asp_eval.reporting.sections.effects import effects_figure, effects_table
from asp_eval.reporting.sections.flow import analysed_table, flow_diagram, flow_table
from asp_eval.reporting.sections.measures import forms_table, reliability_table
from asp_eval.reporting.sections.recomputation import agrees, estimator_table, recomputation_table
from asp_eval.reporting.setting import Setting
from asp_eval.stats.contrasts import DROPPED
from asp_eval.stats.smallsample.kenward_roger import SINGULAR_NOTE
from asp_eval.trial.disclosure.categories import ArmCounts, Protection, hidden_cells, protect
from asp_eval.trial.flow.attrition import ArmRetention, OutcomeAttrition, attrition


def setting(language: str = "en", **changes) -> Setting:
    return Setting(builders.results(study=builders.study(**changes)), Numbers(words_for(language)))


def texts(table) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in table.rows]


def row_of(table, name: str) -> list:
    return next(list(row.cells) for row in table.rows if row.cells[0].text == name)


@pytest.mark.parametrize(
    ("counts", "unlisted", "hidden"),
    [
        ([40, 61], 0, set()),
        ([3, 61], 0, {0, 1}),  # the other of two could be subtracted from the total
        ([3, 4, 61], 0, {0, 1}),  # two hidden cells protect each other
        ([3, 40, 61], 0, {0, 1}),
        ([40, 61], 3, {0}),  # the unlisted category could be subtracted
        ([3, 61], 2, {0}),  # and protects the listed one
        ([0, 61], 0, set()),  # a zero shows nobody
        ([5, 61], 0, set()),
    ],
)
def test_small_categories_are_hidden_with_what_reveals_them(counts, unlisted, hidden):
    assert hidden_cells(counts, unlisted, 5) == hidden


@given(st.lists(st.integers(0, 12), min_size=1, max_size=5), st.integers(0, 12))
def test_no_small_category_can_be_subtracted_from_the_total(counts, unlisted):
    hidden = hidden_cells(counts, unlisted, 5)
    small = {i for i, n in enumerate(counts) if 0 < n < 5}
    unknown = len(hidden) + (0 < unlisted < 5)
    assert small <= hidden
    assert unknown != 1 or len(counts) == 1 or not [n for i, n in enumerate(counts) if n >= 5 and i not in hidden]


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=5), st.integers(0, 9))
def test_percentages_stand_alone_only_where_they_leave_enough_open(counts, unlisted):
    how = protect([ArmCounts(tuple(counts), unlisted)], 5)
    assert {i for i, n in enumerate(counts) if 0 < n < 5} <= how.hidden
    nothing_small = not any(0 < n < 5 for n in (*counts, unlisted))
    assert (how == Protection("exact", frozenset())) if nothing_small else (how.hidden or how.form == "share" or unlisted)
    assert how.form == "exact" or sum(counts) / 100 >= 5


def sexes(n: int, missing: int, *counts: tuple[str, int], differences: tuple[Number, ...] = (0.5,)) -> tuple[BaselineRow, ...]:
    """Categories of the first arm beside equal shares of as many children in the second."""
    assert n % len(counts) == 0
    equal = ArmSummary("intervention", n, 0, count=n // len(counts))
    rows = tuple(
        BaselineRow("sex", {"en": "Sex"}, level, "child", (ArmSummary("reference", n, missing, count=count), equal), differences)
        for level, count in counts
    )
    return printed_rows(rows, 5)


def test_a_missing_answer_is_counted_and_hides_nothing():
    rows = sexes(1394, 1, ("girl", 698), ("boy", 696))
    table = baseline_table(builders.results(baseline=rows), setting())
    assert [cell.text for cell in row_of(table, "Sex: girl")[1:]] == ["698 (50%)", "697 (50%)", "0.50"]
    assert row_of(table, "Sex: boy")[1].details == ("missing: 1",)


def test_in_a_large_arm_whole_percentages_stand_beside_a_small_category():
    rows = sexes(1395, 0, ("girl", 697), ("boy", 695), ("other", 3))
    table = baseline_table(builders.results(baseline=rows), setting())
    assert [cell.text for cell in row_of(table, "Sex: girl")[1:]] == ["50%", "33%", "0.5"]
    assert [cell.text for cell in row_of(table, "Sex: other")[1:]] == ["not shown", "not shown", "not shown"]


def test_a_small_category_is_hidden_with_the_one_that_reveals_it():
    rows = sexes(99, 2, ("girl", 60), ("boy", 36), ("other", 3))
    table = baseline_table(builders.results(baseline=rows), setting())
    shown = {name: [cell.text for cell in row_of(table, f"Sex: {name}")[1:]] for name in ("girl", "boy", "other")}
    assert shown["other"] == shown["boy"] == ["not shown", "not shown", "not shown"]
    assert shown["girl"] == ["60 (61%)", "33 (33%)", "0.50"]
    assert row_of(table, "Sex: girl")[1].details == ("missing: 2",)


def test_what_the_table_hides_the_words_do_not_tell():
    rows = sexes(100, 0, ("girl", 97), ("boy", 3))
    assert baseline_words(builders.results(baseline=rows), setting()) == ()


def test_counts_of_institutions_are_not_hidden():
    arms = (ArmSummary("reference", 30, 0, count=2), ArmSummary("intervention", 30, 0, count=28))
    row = BaselineRow("municipality", {"en": "Municipality"}, "Hvidovre", "institution", arms, (0.1,))
    table = baseline_table(builders.results(baseline=(row,)), setting())
    assert row_of(table, "Municipality: Hvidovre")[1].text == "2 (7%)"


def measured(name: str, *differences: Number) -> BaselineRow:
    arms = tuple(ArmSummary(f"arm {i}", 9, 0, 1.0, 1.0) for i in range(1 + len(differences)))
    return BaselineRow(name, {"en": name}, "", "child", arms, differences)


def test_baseline_words_sort_differences_as_they_are_shown():
    rows = (
        measured("far", -0.26),
        measured("between", 0.055),
        measured("alike", 0.054),
        measured("unknown", Unavailable(Phrase("x"))),
    )
    first, far, between = baseline_words(builders.results(baseline=rows), setting())
    assert first == "The lot makes the arms alike on average, not in every draw. Under a sound lot what is left is chance."
    assert far == "More than 0.25 standard deviations apart: Far."
    assert between == "Between 0.05 and 0.25 standard deviations apart: Between."
    alike = baseline_words(builders.results(baseline=rows[2:3]), setting())
    assert alike[1].startswith("On everything in the table")
    assert baseline_words(builders.results(baseline=rows[3:]), setting()) == ()


def test_the_sort_limits_themselves_belong_below():
    rows = (measured("quarter", -0.254), measured("over", 0.255))
    _, far, between = baseline_words(builders.results(baseline=rows), setting())
    assert far.endswith("apart: Over.")
    assert between.endswith("apart: Quarter.")


def test_a_variable_is_named_once_in_the_words_by_its_largest_difference():
    rows = sexes(100, 0, ("girl", 60), ("boy", 40), differences=(0.2,))
    assert baseline_words(builders.results(baseline=rows), setting())[1].endswith("apart: Sex.")


def test_three_arms_have_a_difference_each_and_words_over_all_of_them():
    arms = ("reference", "light", "full")
    flow = replace(builders.flow(), institutions=90, arms=tuple(replace(builders.flow().arms[0], arm=arm) for arm in arms))
    results = builders.results(baseline=(measured("far", 0.01, -0.3), measured("alike", 0.01, 0.02)), flow=flow)
    table = baseline_table(results, setting(arms=arms))
    assert [column.heading for column in table.columns[4:]] == ["Standardised difference: light", "Standardised difference: full"]
    assert [cell.text for cell in row_of(table, "Far")[4:]] == ["0.01", "−0.30"]
    assert all(sum(cell.wide for cell in row.cells) == 6 for row in table.rows)
    assert baseline_words(results, setting(arms=arms))[1].endswith("apart: Far.")


def test_a_category_hidden_in_one_arm_is_hidden_in_all():
    arms = ("reference", "light", "full")
    counts = {"girl": (60, 50, 97), "boy": (40, 50, 3)}
    rows = tuple(
        BaselineRow(
            "sex",
            {"en": "Sex"},
            level,
            "child",
            tuple(ArmSummary(arm, 100, 0, count=n) for arm, n in zip(arms, counts[level], strict=True)),
            (0.2, 0.9),
        )
        for level in counts
    )
    flow = replace(builders.flow(), institutions=90, arms=tuple(replace(builders.flow().arms[0], arm=arm) for arm in arms))
    results = builders.results(baseline=printed_rows(rows, 5), flow=flow)
    table = baseline_table(results, setting(arms=arms))
    assert [cell.text for cell in row_of(table, "Sex: boy")[1:]] == ["not shown"] * 5
    assert baseline_words(results, setting(arms=arms)) == ()


def test_the_limits_are_called_what_they_are():
    notes = " ".join(baseline_table(builders.results(), setting()).notes)
    assert "only sort the differences" in notes
    assert "trials without a sound lot" in notes


def test_who_was_lost_stands_beside_both_limits():
    table = attrition_table(builders.results(), setting())
    heading, institutions, children = (list(row.cells) for row in table.rows)
    assert heading[0].text == "Conduct problems, end"
    # 1 of 60 is 1.7%, rounded 2%: limits 5.9 and 10.2; 206/1432 and 170/1402 lost: 376/2834 is 13.3%, rounded 13: 6.1 and 10.9
    assert [cell.text for cell in institutions] == ["Institutions", "0 of 30", "1 of 30", "1.7%", "3.33", "low", "low"]
    assert [cell.details for cell in institutions[1:]] == [("(0.0%)",), ("(3.3%)",), (), (), ("limit 5.9",), ("limit 10.2",)]
    assert [cell.text for cell in children[1:]] == ["206 of 1,432", "170 of 1,402", "13.3%", "2.26", "low", "low"]
    assert [cell.details for cell in children[5:]] == [("limit 6.1",), ("limit 10.9",)]
    assert table.notes[0].startswith("Lost: at the draw, but not in the analysis.")
    assert "American standard, used here as a yardstick" in table.notes[2]
    assert table.notes[3] == "Children who joined after the draw and were screened at that round: 155; of these analysed: 0."


def test_the_other_outcomes_are_told_in_the_appendix():
    table = attrition_details(builders.results(), setting())
    assert [row.cells[0].text for row in table.rows if row.group] == ["Emotional problems, end"]
    alone = builders.results(outcomes=builders.outcomes()[:1])
    assert attrition_details(alone, setting()) is None


def test_high_attrition_is_called_high_and_beyond_the_table_nothing_is_allowed():
    some = attrition("children", ArmRetention("reference", 100, 90), ArmRetention("intervention", 100, 82))  # 14% and 8 points
    most = attrition("institutions", ArmRetention("reference", 100, 40), ArmRetention("intervention", 100, 40))
    loss = OutcomeAttrition("conduct", "w3", (most, some), (0, 0), 0)
    table = attrition_table(builders.results(attrition=(loss,)), setting("da"))
    assert [cell.text for cell in table.rows[2].cells[4:]] == ["8,00", "højt", "lavt"]
    assert [(cell.text, cell.details) for cell in table.rows[1].cells[5:]] == [("højt", ("ingen tilladt",))] * 2
    assert table.notes[-1] == "Ingen forskel i frafald godtages, når frafaldet i alt er over 57 procent."
    assert len(table.notes) == 4


def test_attrition_of_three_arms_is_grouped_by_the_arm_compared():
    missing = attrition("children", ArmRetention("reference", 10, 10), ArmRetention("full", 0, 0))
    institutions, children = builders.attrition_of_the_trial()[0].comparisons
    loss = OutcomeAttrition("conduct", "w3", (institutions, children, institutions, missing), (0, 0, 0), 0)
    table = attrition_table(builders.results(attrition=(loss,)), setting("da", arms=("reference", "light", "full")))
    groups = ["Adfærdsproblemer, slut, light", "Adfærdsproblemer, slut, full"]
    assert [row.cells[0].text for row in table.rows if row.group] == groups
    assert table.rows[-1].cells[1].text == "kan ikke opgøres: ingen børn i full, der kunne falde fra"
    assert all(sum(cell.wide for cell in row.cells) == 7 for row in table.rows)
    assert attrition_table(builders.results(attrition=()), setting()) is None


def test_more_institutions_analysed_than_had_data_is_explained_once():
    said = "An arm can have more institutions here than had data at that round"
    as_usual = analysed_table(builders.outcomes(), builders.flow(), setting())
    assert not [note for note in as_usual.notes if said in note]
    more = tuple(replace(part, institutions_analysed=30) for part in builders.analysed("conduct"))
    explained = analysed_table((builders.outcome(analysed=more),) * 2, builders.flow(), setting())
    assert len([note for note in explained.notes if said in note]) == 1


def test_small_counts_of_the_flow_say_why_they_are_shown():
    for table in (flow_table(builders.flow(), setting()), analysed_table(builders.outcomes(), builders.flow(), setting())):
        assert len([note for note in table.notes if "nothing of what anyone answered" in note]) == 1


def test_the_effects_table_groups_by_role_and_prints_reasons():
    table = effects_table(builders.outcomes(), setting())
    groups = [row.cells[0].text for row in table.rows if row.group]
    assert groups == ["Primary outcomes", "Secondary outcomes", "Exploratory outcomes"]
    conduct = row_of(table, "Conduct problems")
    assert [cell.text for cell in conduct] == ["Conduct problems", "2,458", "2.31", "1.94", "−0.42", "0.011", "−0.20", "0.082"]
    assert conduct[4].details == ("−0.74 to −0.10",)
    assert conduct[7].details == ("0.050 to 0.130", "adjusted: 0.051")
    impact = row_of(table, "Impact")
    assert impact[-1].text == "not available: the outcome does not vary"
    for row in table.rows:
        assert sum(cell.wide for cell in row.cells) == len(table.columns)


def test_every_table_fills_its_columns():
    results, here = builders.results(), setting("da")
    tables = [
        baseline_table(results, here),
        flow_table(results.flow, here),
        analysed_table(results.outcomes, results.flow, here),
        attrition_table(results, here),
        estimator_table(results.outcomes, here),
        recomputation_table(results.outcomes, here),
        reliability_table(results.reliabilities, here),
        forms_table(results.switches, here),
        *(coefficient_table(o, i, here) for i, o in enumerate(results.outcomes)),
    ]
    for table in tables:
        for row in table.rows:
            assert sum(cell.wide for cell in row.cells) == len(table.columns), table.key


def test_a_coefficient_without_a_standard_error_still_prints():
    dropped = builders.estimate(None, term="sex[T.boy]", note=DROPPED)
    table = coefficient_table(builders.outcome(coefficients=(dropped,)), 1, setting("da"))
    assert "lineær kombination" in table.rows[0].cells[1].text


def test_flow_table_shows_the_counts_themselves():
    table = flow_table(builders.flow(), setting())
    assert [cell.text for cell in row_of(table, "Children in the cohort")] == ["Children in the cohort", "1,432", "1,448"]
    assert [row.cells[0].text for row in table.rows if row.group] == ["At the draw", "Start", "Midway", "End"]


def test_the_flow_diagram_ends_with_the_primary_outcomes():
    figure = flow_diagram(builders.flow(), builders.outcomes(), setting())
    assert [" ".join(line.text for line in box.heading) for box in figure.boxes[-2:]] == ["Analysed: Conduct problems"] * 2
    assert figure.boxes[-1].lines[0].text == "1,232 children in 29 institutions"
    none_primary = tuple(replace(o, role="secondary") for o in builders.outcomes())
    assert len(flow_diagram(builders.flow(), none_primary, setting()).boxes) == len(figure.boxes)


def test_without_effect_sizes_the_forest_plot_shows_raw_differences():
    outcome = builders.outcome(size=Unavailable(Phrase("no variance")))
    figure = effects_figure((outcome,), setting())
    assert figure.axis_title.text == "Difference on the score's own scale, with 95% interval"
    assert figure.groups[0].rows[0].value[0].text == "−0.42"
    assert effects_figure((), setting()) is None


@pytest.mark.parametrize(
    ("estimate", "std_error", "verdict"), [(-0.4201, 0.1601, True), (-0.43, 0.16, False), (-0.42, 0.164, False)]
)
def test_two_programs_agree_within_a_hundredth_of_the_standard_error(estimate, std_error, verdict):
    assert agrees(Recomputation("x", "m", "t", -0.42, 0.16, estimate, std_error)) is verdict


def test_nothing_to_compare_is_said():
    part = Recomputation(
        "statsmodels", "m", "t", -0.42, 0.16, Unavailable(Phrase("did not converge")), Unavailable(Phrase("did not converge"))
    )
    assert agrees(part) is None
    table = recomputation_table((builders.outcome(recomputations=(part,)),), setting())
    assert texts(table)[0][-1] == "nothing to compare"
    assert recomputation_table((builders.outcome(recomputations=()),), setting()) is None


def test_the_model_fitted_again_is_named_in_few_words():
    table = recomputation_table((builders.outcome(),), setting("da"))
    assert [row.cells[1].details for row in table.rows] == [("den planlagte model",), ("mindste kvadrater, CR1S",)]


def test_disagreement_shouts():
    part = Recomputation("statsmodels", "m", "t", -0.42, 0.16, -0.6, 0.16)
    assert texts(recomputation_table((builders.outcome(recomputations=(part,)),), setting()))[0][-1] == "DIFFER"


@pytest.mark.parametrize(
    ("method", "shown"),
    [("KenwardRoger", "Kenward-Roger"), ("BetweenWithin", "between-within"), ("CR2", "cluster-robust CR2"), ("other", "other")],
)
def test_the_estimator_that_was_really_used_is_named(method, shown):
    outcome = builders.outcome(effect=builders.estimate(method=method, note=SINGULAR_NOTE), notes=(SINGULAR_NOTE,))
    row = estimator_table((outcome,), setting()).rows[0]
    assert [cell.text for cell in row.cells[1:]] == [shown, "57", "Holm, 1 test"]
    assert row.cells[1].details == (as_sentence(SINGULAR_NOTE),)


def test_three_arms_give_one_row_for_each_comparison():
    arms = ("reference", "light", "full")
    outcome = replace(
        builders.outcome(),
        effects=(
            ArmEffect("light", builders.estimate(), builders.effect_size(-0.2), 0.02),
            ArmEffect("full", builders.estimate(0.1), builders.effect_size(0.05), NO_FAMILY),
        ),
    )
    table = effects_table((outcome,), setting(arms=arms))
    assert [row.cells[0].text for row in table.rows if not row.group] == ["Conduct problems, light", "Conduct problems, full"]


@pytest.mark.parametrize(
    ("term", "english", "danish"),
    [
        ("Intercept", "Intercept", "Konstantled"),
        ("age", "Age", "Alder"),
        ("baseline", "Score at the start", "Score ved start"),
        ("arm[T.intervention]", "Arm: intervention", "Gruppe: indsats"),
        ("municipality[T.Hvidovre]", "Municipality: Hvidovre", "Kommune: Hvidovre"),
        ("arm[T.intervention]:sex[T.girl]", "Arm: intervention × Sex: girl", "Gruppe: indsats × Køn: pige"),
    ],
)
def test_a_coefficient_is_called_by_its_variable_in_words(term, english, danish):
    assert (setting("en").term(term), setting("da").term(term)) == (english, danish)
