"""What `check` says at every stage, and what it finds in a declaration that cannot work."""

import shutil

import pytest

from asp_eval.analysis import plan_problems
from asp_eval.core.errors import AspError, Fault
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow import check
from asp_eval.workflow.analyse import analyse
from asp_eval.workflow.check import check_study
from asp_eval.workflow.export import export
from asp_eval.workflow.frames import analysis_set
from asp_eval.workflow.plan_lock import lock_plan
from asp_eval.workflow.report_mock import write_mock
from tests.counted_trial import ALLOCATION, INSTITUTIONS, STUDY, WAVE1, declared, store
from tests.oracles.trial_shares.test_bands_of_an_instrument import QUESTIONNAIRE


def test_the_next_step_at_every_stage(empty_study, tmp_path):
    assert "--table institutions" in check_study(empty_study).next_step
    store(empty_study, tmp_path, "institutions", INSTITUTIONS, "institutions")
    assert "--table allocation" in check_study(empty_study).next_step
    store(empty_study, tmp_path, "allocation", ALLOCATION, "allocation")
    assert "--wave w1" in check_study(empty_study).next_step
    store(empty_study, tmp_path, "w1", WAVE1, "screening", "w1")
    assert "--wave w2" in check_study(empty_study).next_step


def test_a_complete_study_has_no_errors(small_study):
    found = check_study(small_study)
    assert found.errors == 0
    assert found.next_step == "Next: asp-eval analyse"


def test_an_arm_without_data_at_a_wave_is_told(empty_study, tmp_path):
    store(empty_study, tmp_path, "institutions", INSTITUTIONS, "institutions")
    store(empty_study, tmp_path, "allocation", ALLOCATION, "allocation")
    one_arm = "\n".join(line for line in WAVE1.splitlines() if ",02," not in line and ",04," not in line) + "\n"
    store(empty_study, tmp_path, "w1", one_arm, "screening", "w1")
    found = {problem.code: problem for problem in check_study(empty_study).problems}
    assert "'intervention'" in found["ANA-014"].text
    assert "02, 04" in found["ANA-013"].text


def test_institutions_that_were_never_drawn(empty_study, tmp_path):
    store(empty_study, tmp_path, "institutions", INSTITUTIONS, "institutions")
    drawn = "\n".join(ALLOCATION.splitlines()[:-1]) + "\n"
    store(empty_study, tmp_path, "allocation", drawn, "allocation")
    (problem,) = [p for p in check_study(empty_study).problems if p.code == "ANA-015"]
    assert "04" in problem.text


def test_an_institution_that_closed_before_the_draw_is_not_missed_in_it(empty_study, tmp_path):
    closed = [
        f"{line},{'closed_on' if not i else '2006-01-01' if line.startswith('04') else ''}"
        for i, line in enumerate(INSTITUTIONS.splitlines())
    ]
    store(empty_study, tmp_path, "institutions", "\n".join(closed) + "\n", "institutions")
    drawn = "\n".join(ALLOCATION.splitlines()[:-1]) + "\n"
    store(empty_study, tmp_path, "allocation", drawn, "allocation")
    assert "ANA-015" not in [problem.code for problem in check_study(empty_study).problems]


RATED = "screening: {waves: [w1, w2], instruments: [{family: sdq-teacher}, trouble]}"
ITEMS = "\n".join(f"  - {{number: {k}, key: q{k}, responses: agree, text: {{da: S{k}., en: Q{k}.}}}}" for k in range(1, 6))
COLLECTED, OUTCOME = "screening: {waves: [w1, w2]}", "column: screening.score"
FAULTY = [
    ([("screening: {score: number}", "screening: {other: number}")], "ANA-012"),
    ([("covariates: [sex]", "covariates: [shoe_size]")], "ANA-016"),
    ([("filter: kept == 1", "filter: keept == 1")], "ANA-016"),
    ([("filter: kept == 1", "filter: kept = 1")], "DOC-021"),
    ([(OUTCOME, "score: sdq-teacher.conduct")], "ANA-010"),
    ([(COLLECTED, "screening: {waves: [w1, w2], instruments: [sdq-techer]}")], "INS-001"),
    ([(COLLECTED, RATED), (OUTCOME, "score: sdq-teacher.conduckt")], "ANA-011"),
    ([(COLLECTED, RATED), (OUTCOME, "score: trouble.all, scale: binary, above: awful")], "ANA-062"),
    ([(COLLECTED, RATED), (OUTCOME, "score: sdq-teacher.conduct, scale: ordinal")], "ANA-068"),
]


def with_faults(replacements: list[tuple[str, str]]) -> str:
    text = STUDY
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(("replacements", "code"), FAULTY)
def test_a_declaration_that_cannot_be_followed_is_refused_by_every_door(small_study, tmp_path, run, replacements, code):
    folder = shutil.copytree(small_study.folder, tmp_path / "study")
    (folder / "study.yaml").write_text(with_faults(replacements), encoding="utf-8")
    (folder / "instruments").mkdir()
    (folder / "instruments" / "trouble.yaml").write_text(QUESTIONNAIRE.format(id="trouble", title="Trouble", items=ITEMS))
    study = load_study(folder)
    told = {problem.code for problem in check_study(study).problems if problem.severity == "error"}
    assert code in told
    doors = (analyse, lock_plan, write_mock, export, lambda plan: analysis_set(plan, "y"))
    for door in doors:
        with pytest.raises(AspError) as refused:
            door(study)
        assert told <= {problem.code for problem in refused.value.problems}  # a lock asks for more
    commands = (["analyse"], ["plan", "lock"], ["report", "--mock"], ["export"])
    for command in commands[: None if code == FAULTY[0][1] else 1]:  # each of them calls one of the doors
        done = run(*command, cwd=folder)
        assert (done.code, f"[{code}]" in done.err) == (1, True), command
    assert not (folder / "output" / "results.json").exists()


def test_an_error_of_check_is_one_that_every_door_asks_for():
    """So `check` has none of its own: of the plan (below), of the answers (test_answer_directions), of the store (STO-040)."""
    own = [each for name, each in vars(check).items() if isinstance(each, Fault) and name != "UNREADABLE"]
    assert {each.severity for each in own} == {"warning"}


def test_every_fault_of_a_plan_is_tried_at_every_door():
    faults = {each.code for each in vars(plan_problems).values() if isinstance(each, Fault) and each.severity == "error"}
    assert faults <= {code for _, code in FAULTY}


def test_a_scale_the_instrument_does_not_have(tmp_path):
    text = with_faults([(COLLECTED, RATED.replace(", trouble", "")), (OUTCOME, "score: sdq-teacher.conduckt")])
    problems = check_study(declared(tmp_path, text)).problems
    assert any(p.code == "ANA-011" and "conduct" in p.remedy for p in problems)
