"""What all verbs have in common.

1. Each takes progress and cancel.  2. A verb that is stopped refuses at its next step, and has changed nothing.  3. Progress
never goes back, and ends within the whole.  4. Functions that take a study take what `load_study` and what `open_study` returns.
5. A study folder reads study.yaml at every verb; its results are refused once they are older than the data.
"""

from __future__ import annotations

import inspect

import pandas as pd
import pytest

import asp_eval
from asp_eval.core.errors import Refusal
from asp_eval.core.progress import by_phases, part_of, stoppable
from asp_eval.workflow import analyse, check, demo, export, gap, import_file, init, power, propose, randomise, report, score

VERBS = [
    analyse.analyse,
    check.check_study,
    check.check_ledger,
    demo.demo,
    export.export,
    gap.gap_profiles,
    import_file.import_file,
    init.init_study,
    power.planned_power,
    propose.propose,
    randomise.randomise,
    report.report,
    score.score_study,
]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)
def test_every_verb_takes_progress_and_cancel(verb):
    assert {"progress", "cancel"} <= inspect.signature(verb).parameters.keys()


@pytest.mark.parametrize("steps", range(3))
def test_an_import_that_is_stopped_has_stored_nothing(drawn, export, visits, fingerprint, steps):
    before, asked = fingerprint(drawn), []

    def stop() -> bool:
        asked.append(True)
        return len(asked) > steps

    with pytest.raises(Refusal, match="RUN-001"):
        asp_eval.open_study(drawn.folder).import_(export(visits), "screening", "w1", cancel=stop)
    assert len(asked) == steps + 1
    assert fingerprint(drawn) == before


def test_a_score_that_is_stopped_has_stored_nothing(rated):
    with pytest.raises(Refusal, match="RUN-001"):
        asp_eval.open_study(rated.folder).score(cancel=lambda: True)
    assert asp_eval.table(rated, "scores").empty


def test_progress_goes_forward_only(drawn, export, visits):
    told: list[float] = []
    asp_eval.open_study(drawn.folder).import_(export(visits), "screening", "w1", progress=lambda _, done: told.append(done))
    asp_eval.open_study(drawn.folder).score(progress=lambda _, done: told.append(1 + done))
    assert told == sorted(told)
    assert 0 <= told[0] <= told[-1] <= 2


def test_the_parts_of_a_progress():
    told: list[tuple[str, float]] = []
    phases = by_phases(part_of(lambda *step: told.append(step), 0.5, 1.0, "third"), {"reading": 3.0, "storing": 1.0})
    phases("reading", 0)
    phases("storing", 0.5)
    assert told == [("third", 0.5), ("third", 0.9375)]
    with pytest.raises(Refusal, match="RUN-001"):
        stoppable(phases, lambda: True)("storing", 1)
    assert len(told) == 2


def test_a_function_takes_a_study_and_a_study_folder(rated):
    opened = asp_eval.open_study(rated.folder)
    for name in ("institutions", "allocation", "screening"):
        pd.testing.assert_frame_equal(asp_eval.table(opened, name), asp_eval.table(rated, name))
    assert asp_eval.table_schema("screening", opened, "w1") == asp_eval.table_schema("screening", rated, "w1")
    for study in (opened, rated):
        with pytest.raises(Refusal, match="GAP-010"):
            asp_eval.gap_profiles(study)
        with pytest.raises(Refusal, match="ANA-005"):
            asp_eval.analysis_set(study, "nothing")


def test_a_study_folder_reads_study_yaml_at_every_verb(study):
    opened = asp_eval.open_study(study.folder)
    file = study.folder / "study.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("id: small", "id: other"), encoding="utf-8")
    assert opened.plan.study.id == "other"


@pytest.mark.parametrize("verb", [analyse.analyse, gap.gap_profiles], ids=["analyse", "gap"])
def test_results_are_not_of_a_plan_that_has_changed(rated, verb):
    """Results are kept with the digest of study.yaml; a plan that was loaded before a change is not what they would be of."""
    file = rated.folder / "study.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("below: 7", "below: 6"), encoding="utf-8")
    with pytest.raises(Refusal, match="STU-040"):
        verb(rated)
    with pytest.raises(asp_eval.AspError) as refused:
        verb(asp_eval.open_study(rated.folder))  # which reads it again, and has other reasons to refuse this study
    assert "STU-040" not in str(refused.value)


def test_there_are_no_results_before_the_analysis(study):
    with pytest.raises(asp_eval.DataProblems, match="ANA-001"):
        asp_eval.open_study(study.folder).results()


def test_the_draw_in_python_is_that_of_the_command(drawn_list, run):
    drawn = asp_eval.randomise(asp_eval.open_study(drawn_list), seed=4)
    assert drawn.allocation is not None
    done = run("randomise", "--verify", "--study", drawn_list)
    assert done.code == 0
    assert "seed 4" in done.out
    assert asp_eval.open_study(drawn_list).randomise(seed=4).allocation is None  # the same again changes nothing
    with pytest.raises(Refusal, match="CLI-021"):
        asp_eval.randomise(asp_eval.open_study(drawn_list), seed=0)


@pytest.fixture
def drawn_list(study, incoming):
    """A study folder with four institutions and no lot."""
    file = incoming / "institutions.csv"
    file.write_text("institution_id,municipality\nA1,Aarhus\nA2,Aarhus\nH1,Hvidovre\nH2,Hvidovre\n", encoding="utf-8")
    asp_eval.open_study(study.folder).import_(file, "institutions")
    return study.folder
