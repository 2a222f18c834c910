"""Results in files.

1. What is read back is what was written: the study, numbers without end and reasons included.  2. A study is written as it was
declared, whatever its scheme, and without the folder it stands in.  3. A file of another version, or a damaged one, is refused
with the command that makes it anew.
"""

from __future__ import annotations

import json
from dataclasses import replace

import builders
import pytest

from asp_eval.analysis.gap_results import GapResults
from asp_eval.analysis.results import Results
from asp_eval.core.errors import DataProblems, Unavailable
from asp_eval.store.result_files import as_json, load, save

SCHEMES = [
    {"scheme": "simple", "ratio": [1, 1]},
    {"scheme": "blocked", "blocks": [4, 6], "order": "places"},
    {"scheme": "pairs", "covariates": {"places": 1.0}},
    {"scheme": "constrained", "covariates": {"places": 2.0}, "keep": 0.1},
    {"scheme": "minimisation", "covariates": {"places": 1.0}, "probability": 0.9},
    {"scheme": "stratified", "drawn_elsewhere": True},
]


def read_back(results: Results, folder) -> Results:
    save(folder / "results.json", results)
    return load(folder / "results.json", Results, verb="analyse")


def test_numbers_without_end_and_reasons_are_read_back(tmp_path):
    normal = builders.estimate(df=float("inf"))
    silent = builders.outcome("impact", effect=builders.estimate(None, note="why"), size=Unavailable("why"), adjusted=None)
    results = builders.results(outcomes=(builders.outcome(effect=normal), silent))
    again = read_back(results, tmp_path)
    assert again == results
    assert again.outcomes[0].effects[0].difference.df == float("inf")
    assert again.outcomes[1].effects[0].difference == Unavailable("why")


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme["scheme"])
def test_a_study_is_read_back_as_it_was_declared(scheme, tmp_path):
    results = builders.results(study=builders.study(randomisation=scheme, columns={"institutions": {"places": "integer"}}))
    assert read_back(results, tmp_path).study == results.study
    assert json.loads(as_json(results))["study"]["randomisation"] == scheme


def test_the_folder_of_a_study_stays_where_it_is(study, tmp_path):
    assert study.folder.is_dir()
    bare = study.without_folder()
    assert bare.outcomes == study.outcomes
    with pytest.raises(Exception, match="STU-001"):
        _ = bare.folder
    save(tmp_path / "results.json", builders.results(study=study))
    assert str(study.folder) not in (tmp_path / "results.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("provenance"),
        lambda content: content.update(newer=1),
        lambda content: content["outcomes"][0].update(effect_sizes=[1.0]),
        lambda content: content["study"].update(arms=["one"]),
        lambda content: content["outcomes"][0]["effects"][0].update(adjusted_p="often"),
    ],
)
def test_a_file_of_another_version_is_refused(change, tmp_path):
    file = tmp_path / "results.json"
    save(file, builders.results())
    content = json.loads(file.read_text(encoding="utf-8"))
    change(content)
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(DataProblems, match=r"ANA-002.*asp-eval analyse"):
        load(file, Results, verb="analyse")


def test_results_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(DataProblems, match="ANA-001"):
        load(tmp_path / "results.json", Results, verb="analyse")


def test_a_value_that_was_changed_is_another(tmp_path):
    results = builders.results()
    assert read_back(results, tmp_path) != replace(results, informants=("parent",))


@pytest.mark.parametrize("stem", ["../outside", "/outside", "..\\outside", "gap/outside", ""])
def test_no_profile_says_the_name_of_a_file_outside_its_folder(tmp_path, stem):
    file = tmp_path / "gap.json"
    save(file, builders.gap_results())
    said = json.loads(file.read_text(encoding="utf-8"))
    said["profiles"][0]["file_stem"] = stem
    file.write_text(json.dumps(said), encoding="utf-8")
    with pytest.raises(DataProblems, match="ANA-"):
        load(file, GapResults, verb="gap")
