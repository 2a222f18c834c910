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

from asp_eval.analysis.results import ArmSummary, BaselineRow, Recomputation
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.setting import Setting
from asp_eval.reporting.tables.baseline import baseline_table, baseline_words
from asp_eval.reporting.tables.disclosure import hidden_cells, protect
from asp_eval.reporting.tables.effects import coefficient_table, effects_figure, effects_table
from asp_eval.reporting.tables.flow import analysed_table, flow_diagram, flow_table
from asp_eval.reporting.tables.quality import agrees, estimator_table, forms_table, recomputation_table, reliability_table


def setting(language: str = "en", **changes) -> Setting:
    return Setting(builders.study_facts(**changes), Numbers(words_for(language)))


def texts(table) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in table.rows]


def row_of(table, name: str) -> list:
    return next(list(row.cells) for row in table.rows if row.cells[0].text == name)


@pytest.mark.parametrize(
    ("counts", "others", "hidden"),
    [
        ([40, 61], [0, 0], set()),
        ([3, 61], [0, 0], {0, 1}),  # the other of two could be subtracted from the total
        ([3, 4, 61], [0, 0], {0, 1}),  # two hidden cells protect each other
        ([3, 40, 61], [0, 0], {0, 1}),
        ([40, 61], [3, 0], {0}),  # the unlisted category could be subtracted
        ([40, 61], [0, 2], {0}),  # and so could the missing
        ([0, 61], [0, 0], set()),  # a zero shows nobody
        ([5, 61], [0, 0], set()),
    ],
)
def test_small_counts_are_hidden_with_what_reveals_them(counts, others, hidden):
    assert hidden_cells(counts, others, 5) == hidden


@given(st.lists(st.integers(0, 12), min_size=1, max_size=5), st.lists(st.integers(0, 12), min_size=2, max_size=2))
def test_no_small_count_can_be_subtracted_from_the_total(counts, others):
    hidden = hidden_cells(counts, others, 5)
    cells = [*counts, *others]
    small = {i for i, n in enumerate(cells) if 0 < n < 5}
    unknown = hidden | {i for i in small if i >= len(counts)}
    assert small <= unknown
    could_protect = [n for i, n in enumerate(counts) if n >= 5 or i in small]
    assert len(unknown) != 1 or not [n for n in could_protect if n >= 5]


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=5), st.lists(st.integers(0, 9), min_size=2, max_size=2))
def test_percentages_stand_alone_only_where_they_leave_enough_open(counts, others):
    how = protect(counts, others, 5)
    small = {i for i, n in enumerate(counts) if 0 < n < 5}
    assert small <= how.hidden
    if how.form == "share":
        assert sum(counts) / 100 >= 5
    assert (how.form == "exact") == (not any(0 < n < 5 for n in (*counts, *others)))


def test_in_a_large_arm_one_missing_answer_leaves_whole_percentages():
    rows = tuple(
        BaselineRow("sex", {"en": "Sex"}, level, "child",
                    (ArmSummary("reference", 1393, 1, count=count), ArmSummary("intervention", 1506, 0, count=753)), -0.03)
        for level, count in (("girl", 697), ("boy", 696))
    )  # fmt: skip
    table = baseline_table(builders.results(baseline=rows), setting())
    assert [cell.text for cell in row_of(table, "Sex: girl")[1:]] == ["50%", "753 (50%)", "0.0"]
    assert row_of(table, "Sex: boy")[1].details == ("missing: <\xa05",)


def test_a_small_category_is_hidden_with_the_percentages_that_reveal_it():
    rows = tuple(
        BaselineRow("sex", {"en": "Sex"}, level, "child",
                    (ArmSummary("reference", 100, 2, count=count), ArmSummary("intervention", 100, 0, count=50)), 0.5)
        for level, count in (("girl", 60), ("boy", 37), ("other", 3))
    )  # fmt: skip
    table = baseline_table(builders.results(baseline=rows), setting())
    shown = {name: [cell.text for cell in row_of(table, f"Sex: {name}")[1:]] for name in ("girl", "boy", "other")}
    assert shown["other"] == ["not shown", "50 (50%)", "not shown"]
    assert shown["girl"] == ["60", "50 (50%)", "not shown"]  # 60% would say that 100 answered
    assert row_of(table, "Sex: girl")[1].details == ("missing: <\xa05",)


def test_with_one_small_category_the_next_is_hidden_too():
    rows = tuple(
        BaselineRow("sex", {"en": "Sex"}, level, "child",
                    (ArmSummary("reference", 100, 0, count=count), ArmSummary("intervention", 100, 0, count=50)), 0.5)
        for level, count in (("girl", 97), ("boy", 3))
    )  # fmt: skip
    table = baseline_table(builders.results(baseline=rows), setting())
    assert [row_of(table, f"Sex: {name}")[1].text for name in ("girl", "boy")] == ["not shown", "not shown"]


def test_counts_of_institutions_are_not_hidden():
    arms = (ArmSummary("reference", 30, 0, count=2), ArmSummary("intervention", 30, 0, count=28))
    row = BaselineRow("municipality", {"en": "Municipality"}, "Hvidovre", "institution", arms, 0.1)
    table = baseline_table(builders.results(baseline=(row,)), setting())
    assert row_of(table, "Municipality: Hvidovre")[1].text == "2 (7%)"


def test_baseline_words_sort_differences_by_the_usual_bounds():
    def row(name: str, difference):
        arms = (ArmSummary("reference", 9, 0, 1.0, 1.0), ArmSummary("intervention", 9, 0, 1.0, 1.0))
        return BaselineRow(name, {"en": name}, "", "child", arms, difference)

    rows = (row("far", -0.26), row("between", 0.051), row("alike", 0.05), row("unknown", Unavailable("x")))
    far, between = baseline_words(builders.results(baseline=rows), setting())[1:]
    assert "0.25 standard deviations apart: Far." in far
    assert between == "Between 0.05 and 0.25 standard deviations apart: Between."
    alike = baseline_words(builders.results(baseline=rows[2:3]), setting())
    assert alike[1].startswith("On everything in the table")
    assert baseline_words(builders.results(baseline=rows[3:]), setting()) == ()


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
        baseline_table(results, here), flow_table(results.flow, here), analysed_table(results.outcomes, here),
        estimator_table(results.outcomes, here), recomputation_table(results.outcomes, here),
        reliability_table(results.reliabilities, here), forms_table(results.switches, here),
        *(coefficient_table(o, i, here) for i, o in enumerate(results.outcomes)),
    ]  # fmt: skip
    for table in tables:
        for row in table.rows:
            assert sum(cell.wide for cell in row.cells) == len(table.columns), table.key


def test_a_coefficient_without_a_standard_error_still_prints():
    dropped = builders.estimate(None, term="sex[T.boy]", note="dropped: its column is a linear combination of columns before it")
    table = coefficient_table(builders.outcome(coefficients=(dropped,)), 1, setting("da"))
    assert "lineær kombination" in table.rows[0].cells[1].text


def test_flow_table_shows_the_counts_themselves():
    table = flow_table(builders.flow(), setting())
    assert [cell.text for cell in row_of(table, "Children in the cohort")] == ["Children in the cohort", "1,432", "1,448"]
    assert [row.cells[0].text for row in table.rows if row.group] == ["At the draw", "Start", "Midway", "End"]


def test_the_flow_diagram_ends_with_the_primary_outcomes():
    figure = flow_diagram(builders.flow(), builders.outcomes(), setting())
    assert [box.heading.text for box in figure.boxes[-2:]] == ["Analysed: Conduct problems"] * 2
    assert figure.boxes[-1].lines[0].text == "1,232 children in 29 institutions"
    none_primary = tuple(replace(o, role="secondary") for o in builders.outcomes())
    assert len(flow_diagram(builders.flow(), none_primary, setting()).boxes) == len(figure.boxes)


def test_without_effect_sizes_the_forest_plot_shows_raw_differences():
    outcome = builders.outcome(size=Unavailable("no variance"))
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
    part = Recomputation("statsmodels", "m", "t", -0.42, 0.16, Unavailable("did not converge"), Unavailable("did not converge"))
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
    outcome = builders.outcome(effect=builders.estimate(method=method, note="singular fit"), notes=("singular fit",))
    row = estimator_table((outcome,), setting()).rows[0]
    assert [cell.text for cell in row.cells[1:]] == [shown, "57", "Holm, 1 test"]
    assert row.cells[1].details == ("Singular fit.",)


def test_three_arms_give_one_row_for_each_comparison():
    arms = ("reference", "light", "full")
    outcome = replace(
        builders.outcome(), effects=(builders.estimate(), builders.estimate(0.1)), effect_sizes=(-0.2, 0.05),
        effect_size_ranges=((-0.3, -0.1), None), adjusted_p_values=(0.02,),
    )  # fmt: skip
    table = effects_table((outcome,), setting(arms=arms))
    assert [row.cells[0].text for row in table.rows if not row.group] == ["Conduct problems, light", "Conduct problems, full"]
