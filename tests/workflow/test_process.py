"""``asp-eval process``: what it needs, what makes it stale, and that interviews make nothing else stale."""

import pandas as pd
import pytest

from asp_eval.core.errors import Refusal
from asp_eval.store import table
from asp_eval.store.provenance import state_of
from asp_eval.trial.study.collection import ReceivedRule
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.process import process
from asp_eval.workflow.stored_results import current_process

SHEET = pd.DataFrame(
    {
        "institution_id": ["A1", "A1", "A2"],
        "round": ["baseline"] * 3,
        "coder_id": ["k1", "k2", "k1"],
        "aim": ["I", "II", "III"],
        "external_control": ["latent", "latent", "manifest"],
    }
)


def test_nothing_to_tell_is_refused(drawn):
    with pytest.raises(Refusal, match="PRO-001"):
        process(drawn)


def test_interviews_are_told_and_kept(drawn, export):
    import_file(drawn, export(SHEET, "interviews.csv"), "interviews")
    results = process(drawn)
    assert current_process(drawn).frames[0].open_codes == 1
    counts = {(each.code, each.level, each.arm): each.count.n for each in results.frames[0].levels if each.round == "baseline"}
    assert counts["external_control", "latent", "reference"] == 1
    assert counts["external_control", "manifest", "intervention"] == 1


def test_coders_get_a_list_of_what_is_open_and_of_every_type(drawn, export):
    words = SHEET.assign(type=["", "", "II"], management_relation="I", external_pressure="I")
    import_file(drawn, export(words, "interviews.csv"), "interviews")
    process(drawn)
    open_codes, types = (pd.read_csv(drawn.folder / "output" / name) for name in ("open-codes.csv", "institution-types.csv"))
    assert open_codes[["institution_id", "code", "found"]].to_numpy().tolist() == [["A1", "aim", "k1: I; k2: II"]]
    two = types.set_index("institution_id").loc["A2"]
    assert (two["type"], two["source"], two["by_rule"], two["overridden"]) == ("II", "coders", "I", "yes")
    decided = words.head(1).assign(coder_id="k3", kind="consensus", decided_why="talked over")
    import_file(drawn, export(pd.concat([words, decided]), "decided.csv"), "interviews")
    process(drawn)
    assert not (drawn.folder / "output" / "open-codes.csv").exists()


def test_new_interviews_make_the_process_stale_and_nothing_else(drawn, export):
    import_file(drawn, export(SHEET, "interviews.csv"), "interviews")
    process(drawn)
    effects, of_process = state_of(drawn), state_of(drawn, "process")
    more = pd.concat([SHEET, SHEET.tail(1).assign(coder_id="k2")])
    import_file(drawn, export(more, "more.csv"), "interviews")
    assert state_of(drawn) == effects
    assert state_of(drawn, "process") != of_process
    with pytest.raises(Refusal, match="PRO-002"):
        current_process(drawn)


def test_other_data_make_both_stale(drawn, export):
    before = state_of(drawn), state_of(drawn, "process")
    log = pd.DataFrame(
        {"event_id": ["e1"], "institution_id": ["A1"], "kind": ["course"], "element": ["knowledge"], "hours": ["3"]}
    )
    import_file(drawn, export(log, "log.csv"), "implementation")
    assert all(now != then for now, then in zip((state_of(drawn), state_of(drawn, "process")), before, strict=True))


def test_a_file_changed_by_hand_is_refused(drawn, export):
    import_file(drawn, export(SHEET, "interviews.csv"), "interviews")
    process(drawn)
    path = drawn.folder / "output" / "process.json"
    path.write_text(path.read_text().replace('"coders": 2', '"coders": 3'))
    with pytest.raises(Refusal, match="STO-048"):
        current_process(drawn)


def test_a_code_outside_the_frame_keeps_its_row_out_and_loses_nothing(drawn, export):
    report = import_file(drawn, export(SHEET.assign(aim=["I", "IV", "III"]), "interviews.csv"), "interviews")
    assert (report.accepted, report.quarantined, {problem.code for problem in report.problems}) == (2, 1, {"SCR-043"})
    assert len(table(drawn, "interviews")) == 2


def codes(report):
    return sorted({problem.code for problem in report.problems})


def test_a_consensus_that_does_not_say_why_waits_and_the_others_come_in(drawn, export):
    agreed = SHEET.head(1).assign(coder_id="k3", kind="consensus")
    sheet = pd.concat([SHEET, agreed])
    report = import_file(drawn, export(sheet, "interviews.csv"), "interviews")
    assert (report.quarantined, "SCR-250" in codes(report)) == (1, True)
    said = pd.concat([SHEET, agreed.assign(decided_why="talked over")])
    assert import_file(drawn, export(said, "said.csv"), "interviews", replace=True).quarantined == 0


def test_a_later_round_dated_before_the_earlier_one_waits(drawn, export):
    rounds = SHEET.head(1).assign(round="one_year", date="2005-10-01")
    sheet = pd.concat([SHEET.assign(date="2006-10-01"), rounds])
    report = import_file(drawn, export(sheet, "interviews.csv"), "interviews")
    assert (report.quarantined, "SCR-251" in codes(report)) == (1, True)


def test_a_coder_with_one_interview_is_told_and_kept(drawn, export):
    report = import_file(drawn, export(SHEET, "interviews.csv"), "interviews")
    assert "SCR-252" in codes(report)
    assert report.accepted == 3


def listed(report, code):
    return [(problem.place.row, problem.place.column) for problem in report.problems if problem.code == code]


def test_an_interview_in_two_institutions_waits_wherever_it_stands(drawn, export):
    rows = SHEET.assign(document=["i-1", "i-1", "i-1"])
    more = pd.concat([SHEET] * 8).assign(coder_id=[f"c{n}" for n in range(24)], document=None)
    report = import_file(drawn, export(pd.concat([rows, more]), "interviews.csv"), "interviews")
    assert listed(report, "SCR-253") == [(row, "institution_id") for row in (2, 3, 4)]
    assert (report.quarantined, report.accepted) == (3, 24)
    assert "A1, A2" in str(next(problem for problem in report.problems if problem.code == "SCR-253"))


def test_coders_who_coded_another_version_of_the_frame_wait(drawn, export):
    sheet = pd.concat([SHEET] * 4).assign(coder_id=[f"c{n}" for n in range(12)], frame_version=["2", *["1"] * 10, ""])
    report = import_file(drawn, export(sheet, "interviews.csv"), "interviews")
    assert listed(report, "SCR-254") == [(2, "frame_version")]
    assert (report.quarantined, report.accepted) == (1, 11)


def test_a_later_round_before_the_lot_waits_and_the_first_does_not(study, incoming, export):
    (incoming / "institutions.csv").write_text("institution_id,municipality\nA1,A\nA2,A\nH1,H\nH2,H\n")
    import_file(study, incoming / "institutions.csv", "institutions")
    path = study.folder / "study.yaml"
    path.write_text(path.read_text() + "randomisation: {drawn_elsewhere: true}\n")
    elsewhere = load_study(study.folder)
    drawn = "institution_id,arm,date\nA1,reference,2006-09-01\nA2,intervention,2006-09-01\n"
    (incoming / "arms.csv").write_text(drawn + "H1,reference,2006-09-01\nH2,intervention,2006-09-01\n")
    import_file(elsewhere, incoming / "arms.csv", "allocation")
    days = ["2006-08-01", "2006-08-01", "2006-08-20", "2006-09-01", *["2007-09-01"] * 8]
    rounds = ["baseline", "baseline", *["one_year"] * 10]
    sheet = pd.concat([SHEET] * 4).assign(coder_id=[f"c{n}" for n in range(12)], date=days, round=rounds)
    report = import_file(elsewhere, export(sheet, "interviews.csv"), "interviews")
    assert listed(report, "SCR-255") == [(4, "date")]
    assert (report.quarantined, report.accepted) == (1, 11)


def test_goals_are_told_of_and_make_nothing_else_stale(drawn, export):
    goals = pd.DataFrame(
        {"institution_id": ["A2", "A2"], "goal": ["1", "2"], "aim": ["Quiet", "Play"], "how_it_went": ["reached", ""]}
    )
    effects = state_of(drawn)
    import_file(drawn, export(goals, "goals.csv"), "goals")
    assert state_of(drawn) == effects
    counted = drawn.model_copy(update={"received": ReceivedRule(goals=1)})  # then who received it depends on them
    assert state_of(counted) != effects
    told = next(each for each in process(drawn).goals if each.arm == "intervention")
    assert (told.institutions.n, told.institutions.of, told.goals, told.outcomes["reached"]) == (1, 2, 2, 1)
    assert current_process(drawn).goals[1].goals == 2
    import_file(drawn, export(goals.assign(how_it_went="partly"), "later.csv"), "goals")
    with pytest.raises(Refusal, match="PRO-002"):
        current_process(drawn)
