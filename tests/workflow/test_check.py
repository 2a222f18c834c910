"""What `check` says at every stage, and what it finds in a declaration that cannot work."""

import pytest

from asp_eval.workflow.check import check_study
from tests.counted_trial import ALLOCATION, INSTITUTIONS, STUDY, WAVE1, declared, store


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


def test_an_arm_without_data_at_a_wave_is_an_error(empty_study, tmp_path):
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


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("screening: {score: number}", "screening: {other: number}", "ANA-012"),
        ("covariates: [sex]", "covariates: [shoe_size]", "ANA-016"),
        ("filter: kept == 1", "filter: keept == 1", "ANA-016"),
        ("filter: kept == 1", "filter: kept = 1", "DOC-021"),
        ("column: screening.score", "score: sdq-teacher.conduct", "ANA-010"),
        ("screening: {waves: [w1, w2]}", "screening: {waves: [w1, w2], instruments: [sdq-techer]}", "INS-001"),
    ],
)
def test_a_declaration_that_cannot_work(tmp_path, old, new, code):
    study = declared(tmp_path, STUDY.replace(old, new))
    assert code in [problem.code for problem in check_study(study).problems]


def test_a_scale_the_instrument_does_not_have(tmp_path):
    text = STUDY.replace("screening: {waves: [w1, w2]}", "screening: {waves: [w1, w2], instruments: [{family: sdq-teacher}]}")
    problems = check_study(declared(tmp_path, text.replace("column: screening.score", "score: sdq-teacher.conduckt"))).problems
    assert any(p.code == "ANA-011" and "conduct" in p.remedy for p in problems)
