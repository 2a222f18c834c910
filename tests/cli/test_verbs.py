"""The door: exit codes, help with examples, JSON, and errors a tired evaluator can act on."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

import asp_eval
from asp_eval.cli import commands
from asp_eval.store.provenance import provenance_of
from asp_eval.workflow import analyse as analyse_verb

VERBS = [command.callback for command in commands.verbs()]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)
def test_every_verb_has_help_with_an_example(verb):
    assert "Example: asp-eval " in verb.__doc__


def test_help_lists_the_verbs(run):
    shown = run("--help")
    assert shown.code == 0
    for verb in ("demo", "init", "randomise", "import", "check", "score", "analyse", "gap", "report", "instruments"):
        assert f" {verb} " in shown.out


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["randomise"], ["import"], ["randomise", "--seed", "x"], ["check", "--what"]]
)
def test_wrong_usage_is_exit_2(run, arguments):
    assert run(*arguments).code == 2


def test_init_starts_a_study_that_check_accepts(run, tmp_path):
    started = run("init", tmp_path / "mine")
    assert started.code == 0
    checked = run("check", cwd=tmp_path / "mine")
    assert checked.code == 0
    assert "asp-eval import FILE --table institutions" in checked.out


def test_a_folder_without_a_study_is_refused_with_its_code(run, tmp_path):
    refused = run("check", cwd=tmp_path)
    assert refused.code == 1
    assert "STU-002" in refused.err
    assert "asp-eval init" in refused.err


def test_three_mistakes_in_study_yaml_are_answered_at_once(run, tmp_path):
    run("init", tmp_path / "mine")
    path = tmp_path / "mine" / "study.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("strata:", "stratas:").replace("0.95", "high").replace("below: 7", "below: 1"), encoding="utf-8")
    refused = run("check", "--json", cwd=tmp_path / "mine")
    assert refused.code == 1
    problems = json.loads(refused.out)["problems"]
    assert {"stratas", "analysis.level", "eligibility.age_years"} <= {problem["column"] for problem in problems}
    assert all(problem["line"] and problem["remedy"] for problem in problems)


@pytest.fixture
def fitted(small_demo, monkeypatch):
    """The small demo's models are not fitted again: what is tried is what the verbs say and write."""
    results = asp_eval.open_study(small_demo.folder).results()

    def of_now(study, *_):
        return replace(results, study=study, provenance=provenance_of(study))

    monkeypatch.setattr(analyse_verb, "planned_analysis", of_now)


@pytest.mark.parametrize("verb", ["check", "score", "analyse", "gap", "report"])
def test_every_reporting_verb_prints_json(small_demo, fitted, run, tmp_path, verb):
    shutil.copytree(small_demo.folder, tmp_path / "study")
    done = run(verb, "--json", cwd=tmp_path / "study")
    assert done.code == 0, done.err
    assert json.loads(done.out)


def test_report_before_analyse_says_what_to_run(run, tmp_path):
    run("init", tmp_path / "mine")
    refused = run("report", cwd=tmp_path / "mine")
    assert refused.code == 1
    assert "asp-eval analyse" in refused.err


def test_a_second_draw_is_refused(small_demo, run, tmp_path):
    shutil.copytree(small_demo.folder, tmp_path / "study")
    refused = run("randomise", "--seed", "8", cwd=tmp_path / "study")
    assert refused.code == 1
    assert "RND-042" in refused.err
    assert "seed 7" in refused.err


def test_the_same_draw_again_changes_nothing(small_demo, run, tmp_path):
    shutil.copytree(small_demo.folder, tmp_path / "study")
    assert run("randomise", "--seed", "7", cwd=tmp_path / "study").code == 0
    written = [folder / "output" / "allocation.csv" for folder in (tmp_path / "study", small_demo.folder)]
    assert written[0].read_bytes() == written[1].read_bytes()


def test_a_gap_profile_without_answers_says_what_to_import(run, tmp_path):
    run("init", tmp_path / "mine")
    refused = run("gap", cwd=tmp_path / "mine")
    assert refused.code == 1
    assert "CLI-004" in refused.err
    assert not (tmp_path / "mine" / "output" / "gap.json").exists()


def test_what_is_true_of_many_columns_is_said_once(run, tmp_path):
    run("init", tmp_path / "mine")
    (tmp_path / "mine" / "a.csv").write_text("institution_id;municipality;K\u00f8n;B;C\n1;x;1;2;3\n", encoding="utf-8")
    refused = run("import", "a.csv", "--table", "institutions", cwd=tmp_path / "mine")
    assert refused.code == 1
    assert refused.err.count("SCR-040") == 1
    assert "The same: B; C" in refused.err


def test_what_is_true_of_many_cells_is_said_once_and_counted(run, small_demo, tmp_path):
    shutil.copytree(small_demo.folder, tmp_path / "study")
    path = tmp_path / "study" / "institutions.csv"
    path.write_text("institution_id,municipality\n" + "".join(f"B{i},\n" for i in range(10)), encoding="utf-8")
    refused = run("import", "institutions.csv", "--table", "institutions", cwd=tmp_path / "study")
    assert refused.code == 1
    assert refused.err.count("[SCR-045]") == 1  # what says that most rows are at fault names it too
    assert "The same: row 3; row 4; row 5; row 6; and 5 more" in refused.err


def test_importing_the_same_file_again_changes_nothing_and_says_so(small_demo, run, tmp_path):
    shutil.copytree(small_demo.folder, tmp_path / "study")
    again = run("import", "data/screening_w2.csv", "--table", "screening", "--wave", "w2", cwd=tmp_path / "study")
    assert again.code == 0
    assert "already" in again.out


def test_a_screening_file_without_a_wave_says_which_there_are(small_demo, run):
    refused = run("import", small_demo.folder / "data" / "screening_w2.csv", "--table", "screening", "--study", small_demo.folder)
    assert refused.code == 1
    assert "w1, w2, w3" in refused.err


def test_output_fits_a_terminal_of_80_columns(demo):
    assert max(len(line) for line in demo.out.splitlines() if str(demo.folder) not in line) <= 80


def test_instruments_can_be_listed_and_shown(run):
    assert "gap-competences-staff" in run("instruments", "list").out
    assert "instruments are sound" in run("instruments", "check").out
    shown = run("instruments", "show", "sdq-teacher-4-17").out
    assert "conduct" in shown
    unknown = run("instruments", "show", "sdq-techer-4-17")
    assert unknown.code == 1
    assert "sdq-teacher-4-17" in unknown.err


def test_results_older_than_the_data_are_not_printed(small_demo, run, tmp_path):
    shutil.copytree(small_demo.folder, tmp_path / "study")
    declared = tmp_path / "study" / "study.yaml"
    declared.write_text(declared.read_text(encoding="utf-8").replace("minimum_cell: 5", "minimum_cell: 6"), encoding="utf-8")
    refused = run("report", cwd=tmp_path / "study")
    assert refused.code == 1
    assert "ANA-006" in refused.err
    assert "asp-eval analyse" in run("check", cwd=tmp_path / "study").out


def test_pages_of_what_is_no_longer_declared_are_removed(small_demo, fitted, run, tmp_path):
    shutil.copytree(small_demo.folder, tmp_path / "study")
    declared = tmp_path / "study" / "study.yaml"
    declared.write_text(declared.read_text(encoding="utf-8").replace("languages: [da, en]", "languages: [en]"), encoding="utf-8")
    for verb in ("analyse", "gap", "process", "report"):
        assert run(verb, cwd=tmp_path / "study").code == 0
    output = tmp_path / "study" / "output"
    pages = [*output.glob("*.html"), *output.glob("gap/*.html")]
    assert len(pages) == 2 + 6 + 2  # the index, the five institutions of the intervention, and the two municipalities


def test_what_the_system_refuses_is_said_without_a_traceback(run, tmp_path):
    (tmp_path / "file").write_text("")
    refused = run("init", tmp_path / "file" / "below")
    assert refused.code == 1
    assert "CLI-005" in refused.err
    assert "Traceback" not in refused.err


def test_analysing_before_there_is_a_trial_says_what_is_missing(run, tmp_path):
    run("init", tmp_path / "mine")
    refused = run("analyse", cwd=tmp_path / "mine")
    assert refused.code == 1
    assert "ANA-007" in refused.err


def test_a_part_of_a_wave_does_not_take_the_place_of_the_whole_unasked(small_demo, run, tmp_path):
    shutil.copytree(small_demo.folder, tmp_path / "study")
    whole = (tmp_path / "study" / "data" / "screening_w2.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    part = tmp_path / "part.csv"
    part.write_text("".join(whole[:100]), encoding="utf-8")
    shutil.copy(tmp_path / "study" / "data" / "screening_w2.csv.mapping.yaml", tmp_path / "part.csv.mapping.yaml")
    command = ["import", part, "--table", "screening", "--wave", "w2", "--study", tmp_path / "study"]
    refused = run(*command)
    assert refused.code == 1
    assert "STO-013" in refused.err
    assert run(*command, "--replace").code == 0
