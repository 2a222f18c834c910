"""Flow, balance, missing answers, dose and contacts as the report tells them.

1. What nobody recorded is said to be unknown.  2. A rule that was not declared is said not to be.  3. Verdicts in words follow
the numbers.  4. Rows that would be all zero are left out, but for those a reader looks for.
"""

from __future__ import annotations

from dataclasses import replace

import builders
import pytest

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.reporting.blocks import Table, blocks_of
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.baseline import baseline_table, institution_means_table
from asp_eval.reporting.sections.dose import contact_words, dose_table, institution_table
from asp_eval.reporting.sections.equivalence import equivalence_table, equivalence_words, omnibus_words
from asp_eval.reporting.sections.flow import flow_diagram, flow_table
from asp_eval.reporting.sections.missingness import predictor_tables, rater_table
from asp_eval.reporting.setting import Setting
from asp_eval.store.result_files import load, save
from asp_eval.trial.randomisation.closed import LeftOut


def setting(language: str = "en", **changes) -> Setting:
    return Setting(builders.results(study=builders.study(**changes)), Numbers(words_for(language)))


def texts(table) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in table.rows]


def with_integrity(**changes):
    return builders.results(integrity=builders.integrity(**changes))


def unknown_receipt():
    flow = builders.flow()
    return replace(flow, arms=tuple(replace(arm, received=None) for arm in flow.arms))


def test_results_with_everything_survive_their_file(tmp_path):
    results = builders.results()
    save(tmp_path / "results.json", results)
    assert load(tmp_path / "results.json", type(results), verb="analyse") == results


def test_the_flow_says_who_received_the_intervention_and_by_which_rule():
    rows = texts(flow_table(builders.flow(), setting()))
    assert ["– received the intervention", "1", "28"] in rows
    assert ["– did not receive it", "29", "2"] in rows
    note = flow_table(builders.flow(), setting("da")).notes[2]
    assert note == "Fik indsatsen: mindst 20 i alt af »timer« i logbogen over indsatsen, uden projekter udefra."
    box = flow_diagram(builders.flow(), builders.outcomes(), setting()).boxes[4]
    lines = [line.text for line in box.lines]
    assert (" ".join(line.text for line in box.heading), lines) == (
        "Received the intervention",
        ["28 institutions with 1,371 children did", "2 with 77 children did not"],
    )


def test_without_a_rule_the_flow_says_so_and_without_a_log_that_nobody_can_tell():
    undeclared = setting(received=None)
    table = flow_table(unknown_receipt(), undeclared)
    assert not [row for row in texts(table) if "received" in row[0]]
    assert table.notes[2] == "Who received the intervention is not counted: study.yaml declares no rule for it."
    boxes = flow_diagram(unknown_receipt(), builders.outcomes(), undeclared).boxes
    assert [line.text for line in boxes[3].lines] == ["No rule was declared"]
    assert "no log was imported, so nobody can tell" in flow_table(unknown_receipt(), setting()).notes[2]
    boxes = flow_diagram(unknown_receipt(), builders.outcomes(), setting()).boxes
    assert [line.text for line in boxes[3].lines] == ["Not known: no implementation log"]


def test_a_rule_that_counts_goals_says_so_with_the_log_and_alone():
    both, alone = setting(received={"at_least": 20, "goals": 2}), setting("da", received={"goals": 1})
    assert flow_table(builders.flow(), both).notes[2] == (
        "Received the intervention: 20 or more in all of “hours” in the implementation log, without external projects, "
        "and 2 goals or more set from the GAP-profile."
    )
    assert flow_table(builders.flow(), alone).notes[2] == "Fik indsatsen: et mål sat ud fra GAP-profilen."
    assert flow_table(unknown_receipt(), both).notes[2].endswith("was not all imported, so nobody can tell.")
    boxes = flow_diagram(unknown_receipt(), builders.outcomes(), both).boxes
    assert [line.text for line in boxes[3].lines] == ["Not known: no log, or no goals"]


def test_waves_keep_attended_and_retained_apart_and_name_only_reasons_that_apply():
    rows = texts(flow_table(builders.flow(), setting()))
    end = rows[rows.index(["End"]) :]
    assert end == [
        ["End"],
        ["Institutions with data", "30", "29"],
        ["– closed by then", "0", "1"],
        ["Children of the cohort screened", "1,270", "1,268"],
        ["– not screened: institution closed", "0", "46"],
        ["– not screened: listed without answers", "40", "31"],
        ["– not screened: not listed", "122", "103"],
        ["Children of the cohort still in the trial", "1,310", "1,299"],
        ["– lost by then", "122", "149"],
        ["Screened in another institution than at the draw", "23", "20"],
        ["– of these in another arm", "7", "4"],
        ["Children screened who joined later", "77", "78"],
    ]


def test_institutions_that_closed_are_told_with_their_reasons():
    flow = builders.flow()
    reference, intervention = flow.arms
    *before, end = intervention.waves
    told = replace(flow, arms=(reference, replace(intervention, waves=(*before, replace(end, closed_why=(("merged", 1),))))))
    rows = texts(flow_table(told, setting()))
    at = rows.index(["– closed by then", "0", "1"])
    assert rows[at + 1] == ["– – merged", "0", "1"] and "– – merged" not in [row[0] for row in rows[:at]]


def test_the_baseline_table_leaves_means_of_institutions_to_the_appendix():
    assert not [row for row in texts(baseline_table(builders.results(), setting())) if row[1:2] == ["0.49 (0.07)"]]
    rows = texts(institution_means_table(builders.results(), setting()))
    assert rows == [
        ["Sex: girl", "0.49 (0.07)", "0.48 (0.07)", "−0.14"],
        ["Conduct problems", "2.41 (0.61)", "2.46 (0.61)", "0.08"],
    ]
    children = tuple(row for row in builders.baseline() if row.unit != "institution_mean")
    assert institution_means_table(builders.results(baseline=children), setting()) is None


def test_the_omnibus_test_in_words():
    (usual,) = omnibus_words(builders.results(), setting())
    assert usual.startswith(
        "Taken together, the institutions of the arms differed no more than such a lot commonly makes them (compared"
    )
    assert "10,000 other allocations of the same lot, p\xa0=\xa00.380)." in usual
    rare = replace(builders.integrity().omnibus, p_value=0.049, draws=400, exact=True)
    (said,) = omnibus_words(with_integrity(omnibus=rare), setting())
    assert (
        "differed more than such a lot commonly makes them (compared with all 400 possible allocations, p\xa0=\xa00.049)" in said
    )
    limit = replace(rare, p_value=0.05)
    assert "no more than" in omnibus_words(with_integrity(omnibus=limit), setting())[0]
    elsewhere = with_integrity(omnibus=Unavailable(Phrase("the study says that the lot was drawn elsewhere")))
    assert omnibus_words(elsewhere, setting("da")) == (
        "Institutionerne kunne ikke sammenlignes på alt på én gang: "
        "undersøgelsen siger, at lodtrækningen er foretaget et andet sted.",
    )
    assert omnibus_words(builders.results(integrity=None), setting()) == ()


def test_baseline_equivalence_in_words():
    rows = texts(equivalence_table(builders.results(), setting()))
    assert [row[-1] for row in rows] == [
        "alike enough, as the model adjusts for it (0.05 to 0.25)",
        "alike (at most 0.05)",
        "not alike (above 0.25)",
        "not available: the measure does not vary",
    ]
    assert rows[0][:5] == ["Conduct problems, end", "0.099", "0.077", "2,458", "59"]
    without = replace(builders.integrity().equivalence[0], adjusted=False)
    (said,) = equivalence_words(with_integrity(equivalence=(without,)), setting())
    assert said == (
        "Baseline score of the children analysed for Conduct problems, end: g = 0.099, must be adjusted for, and the model does "
        "not (0.05 to 0.25)."
    )
    assert equivalence_table(with_integrity(equivalence=()), setting()) is None


def test_dose_and_institutions_that_had_too_little():
    table = dose_table(builders.results(), setting())
    assert texts(table) == [
        ["Reference", "30", "2", "36.0", "1.2 (4.7)", "0.0 to 24.0"],
        ["Intervention", "30", "30", "1,248.0", "41.6 (11.2)", "12.0 to 63.5"],
    ]
    assert table.caption == "What the institutions had of the intervention: hours"
    each = institution_table(builders.results(), setting())
    assert [row[-1] for row in texts(each) if len(row) > 1] == ["20", "0", "40", "10*"]  # no mark in the first arm
    assert texts(each)[4][:5] == ["3", "15 or more", "fewer than 5", "fewer than 5", "15 or more"]
    assert each.notes[-1].startswith("* Did not receive")
    first = replace(builders.integrity().institution_lines[0], dose=None, received=None)
    bare = with_integrity(dose=(), institution_lines=(first,))
    assert dose_table(bare, setting()) is None
    assert [column.heading for column in institution_table(bare, setting()).columns][-1] == "Not screened: end"


def test_contacts_are_told_and_the_unknown_is_called_unknown():
    said = contact_words(builders.results(), setting())
    assert said == (
        "Of the 30 institutions of the reference arm, 2 had something of the intervention by the log.",
        "Children of the cohort screened in another institution than at the draw (end): 43, of these 11 in another arm.",
        "Raters: 611, of these 2 rated children in institutions of more than one arm.",
        "Staff: 842, of these 5 worked in institutions of more than one arm (9 institutions).",
        "Institutions with a project of other origin beside the programme: reference: 11 of 30; intervention: 9 of 30.",
    )
    nothing = replace(builders.integrity().contamination, raters=None, staff=None, projects=None)
    still = replace(
        builders.flow(),
        arms=tuple(
            replace(arm, waves=tuple(replace(wave, moved=0, crossed=0) for wave in arm.waves)) for arm in builders.flow().arms
        ),
    )
    results = replace(with_integrity(contamination=nothing, dose=()), flow=still)
    assert contact_words(results, setting()) == (
        "No child of the cohort was screened in another institution than at the draw (end).",
        "Who rated the children is not recorded.",
        "Staff who work in both arms are not counted: no list of staff was imported.",
        "Projects of other origin are not counted: no implementation log was imported.",
    )
    clean = tuple(replace(dose, with_any=0) if dose.arm == "reference" else dose for dose in builders.integrity().dose)
    assert contact_words(with_integrity(dose=clean), setting())[0] == (
        "No institution of the reference arm has an entry of the intervention in the implementation log."
    )


FORMS = {"staff": "gap-competences-staff", "child": "gap-competences-child", "wave": "w1"}


@pytest.mark.parametrize(
    ("plan", "wave"),
    [
        (FORMS, "start"),
        ({**FORMS, "arms": ["intervention"]}, ""),
        ({**FORMS, "arms": ["reference", "intervention"]}, "start"),
        ({**FORMS, "arms": ["intervention"], "release": {"reference": "w3"}}, ""),
        ({**FORMS, "release": {"reference": "w2"}}, "midway"),
        ({**FORMS, "wave": "w3"}, ""),
    ],
)
def test_a_profile_given_to_the_reference_arm_within_the_trial_is_a_contact(plan, wave):
    collect = {
        "screening": [
            {"waves": ["w1", "w2", "w3"], "instruments": [{"family": "sdq-teacher"}]},
            {"waves": [plan["wave"]], "instruments": ["gap-competences-child"]},
        ],
        "staff_survey": {"waves": [plan["wave"]], "instruments": ["gap-competences-staff"]},
    }
    said = contact_words(builders.results(), setting(gap=plan, collect=collect))
    found = [sentence for sentence in said if "GAP-profile" in sentence]
    assert found == (
        [
            f"Institutions of the reference arm are given their GAP-profile after the round “{wave}”, before the last one: a "
            "tool of the intervention reaches them while the trial runs."
        ]
        if wave
        else []
    )


def test_raters_and_predictors():
    rows = texts(rater_table(builders.results(), setting()))
    assert rows[2] == ["Intervention", "164", "1,140", "97", "13%", "0% to 40%"]
    assert rows[-1] == ["Reference", "0", "0", "0", "", ""]
    assert rater_table(with_integrity(raters=()), setting()) is None
    (table,) = predictor_tables(builders.results(), setting())
    assert texts(table) == [
        ["Children without the outcome", "280 of 1,397", "184 of 1,400"],
        ["Sex: girl", "1.8 percentage points", "–"],
        ["Age", "4.4 percentage points", "4.4 percentage points"],
        ["Score at the start", "0.5 percentage points", "0.5 percentage points"],
    ]
    assert table.rows[2].cells[1].details == ("(2.0 to 6.8)", "p\xa0=\xa00.001")
    assert (
        "Without the outcome, intervention less reference: −6.9 percentage points (−11.1 to −2.7; p\xa0=\xa00.002)."
        in table.notes
    )
    assert "Test that the same things predict it in every arm: p\xa0=\xa00.252." in table.notes
    assert table.notes[-1] == "The outcome has the same value in every row."


@pytest.mark.parametrize("language", ["da", "en"])
def test_a_report_without_these_results_still_prints(language):
    sections = {one.anchor: one for one in evaluation(builders.results(integrity=None, attrition=()), language).sections}
    assert "contact" not in sections
    assert [table.key for table in sections["integrity"].blocks] == ["analysed-others", "institution-means"]


def test_every_table_fills_its_columns():
    for table in (block for block in blocks_of(evaluation(builders.results(), "da").sections) if isinstance(block, Table)):
        for row in table.rows:
            assert sum(cell.wide for cell in row.cells) == len(table.columns), table.key


def test_institutions_left_out_of_the_draw_are_told_with_their_reasons():
    flow = builders.flow()
    told = replace(flow, institutions=flow.institutions + 2, not_drawn=2, left_out=(LeftOut("D09", "2027-06-01", "merged"),))
    first = flow_diagram(told, builders.outcomes(), setting()).boxes[0]
    assert "Left out: D09, closed on 2027-06-01: merged" in [line.text for line in first.lines]
