"""``asp-eval process``: what it needs, what makes it stale, and that interviews make nothing else stale."""

import pandas as pd
import pytest

from asp_eval.core.errors import Refusal
from asp_eval.store import table
from asp_eval.store.provenance import state_of
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
