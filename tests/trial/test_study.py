"""study.yaml: what is declared is loaded as declared; a wrong file is answered line by line, all mistakes at once."""

import json

import jsonschema
import pytest
import yaml

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.core.resources import shipped_folder
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study, study_json_schema, study_template, write_study_schema

TEMPLATE = study_template()


def written(folder, *changes: tuple[str, str]):
    text = TEMPLATE
    for old, new in changes:
        assert text.count(old) >= 1, old
        text = text.replace(old, new)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return folder


def problems(folder):
    with pytest.raises(DataProblems) as caught:
        load_study(folder)
    return caught.value.problems


def test_the_template_is_a_study(tmp_path):
    study = load_study(written(tmp_path))
    assert study.folder == tmp_path.resolve()
    assert study.arms == ("reference", "intervention")
    assert study.wave("w1").start.isoformat() == "2027-09-01"


def test_three_mistakes_are_answered_at_once_with_line_field_and_remedy(tmp_path):
    found = problems(written(tmp_path, ("strata:", "stratas:"), ("level: 0.95", "level: high"), ("{from: 3", "{form: 3")))
    lines = {p.place.column: p.place.line for p in found}
    text = TEMPLATE.splitlines()
    assert {"stratas", "analysis.level", "eligibility.age_years.form"} <= set(lines)
    assert text[lines["stratas"] - 1].startswith("strata:")
    assert "level: 0.95" in text[lines["analysis.level"] - 1]
    assert "Did you mean 'strata'" in next(p.remedy for p in found if p.place.column == "stratas")


@pytest.mark.parametrize("code", ["dk", "english", "EN", "x1"])
def test_what_is_no_language_is_refused(tmp_path, code):
    (problem,) = problems(written(tmp_path, ("languages: [da, en]", f"languages: [da, {code}]")))
    assert (problem.place.column, problem.expected) == ("languages[1]", "the code of a language, such as da or en")


def test_a_language_nobody_has_translated_reports_to_may_be_declared(tmp_path):
    assert load_study(written(tmp_path, ("languages: [da, en]", "languages: [da, sv]"))).languages == ("da", "sv")


@pytest.mark.parametrize(
    ("old", "new", "field", "says"),
    [
        ("arms: [reference, intervention]", "arms: [reference, reference]", "arms", "every name once"),
        ("arms: [reference, intervention]", "arms: [reference]", "arms", "at least 2"),
        ("ratio: [1, 1]", "ratio: [1, 0]", "randomisation.ratio", "1 or more"),
        ("ratio: [1, 1]", "ratio: [1, 1, 1]", "randomisation.ratio", "2 numbers"),
        ("at: w1}   #", "at: w7}   #", "eligibility.at", "found 'w7', expected w1, w2"),
        ("at: w2, baseline: w1}", "at: w9, baseline: w1}", "outcomes[0].at", "found 'w9'"),
        (
            "outcomes: [conduct], adjust",
            "outcomes: [conducts], adjust",
            "analysis.families.primary.outcomes[0]",
            "found 'conducts'",
        ),
        ("set: itt", "set: per-protocol", "analysis.set", "expected itt"),
        ("to: 2027-10-31", "to: 2027-01-31", "waves[0]", "on or after the first"),
        ("below: 7", "below: 2", "eligibility.age_years", "greater than 'from'"),
        ("score: sdq-teacher.conduct", "score: conduct", "outcomes[0]", "two parts"),
        ("score: sdq-teacher.conduct", "role: primary", "outcomes[0].role", "twice"),
        ("id: conduct", "id: my-conduct", "outcomes[0].id", "letters a to z, digits and _"),
        ("id: conduct,", "id: baseline,", "outcomes[0].id", "a meaning of its own"),
        ("id: conduct,", "id: municipality,", "outcomes[0].id", "taken by a stratum"),
        ("covariates: [sex, age]", "covariates: [baseline, age]", "analysis.covariates[0]", "a meaning of its own"),
        ("score: sdq-teacher.conduct", "column: staff_survey.y", "outcomes[0]", "a column of screening"),
        ("minimum_cell: 5", "minimum_cell: 1", "privacy.minimum_cell", "2 or more"),
        ("reference: {da", "control: {da", "arm_labels.control", "no declared arm"),
    ],
)
def test_a_mistake_is_answered_at_its_field(tmp_path, old, new, field, says):
    found = problems(written(tmp_path, (old, new)))
    hit = [p for p in found if p.place.column == field]
    assert hit, [str(p) for p in found]
    assert says in str(hit[0])


def test_a_wrong_name_is_listed_beside_other_mistakes_of_the_same_part(tmp_path):
    found = problems(written(tmp_path, ("role: primary", "role: main"), ("at: w2, baseline: w1}", "at: w9, baseline: w1}")))
    assert {"outcomes[0].role", "outcomes[0].at", "outcomes[1].at"} <= {p.place.column for p in found}


def test_a_study_made_in_memory_is_consistent_too():
    values = yaml.safe_load(TEMPLATE)
    values["analysis"]["set"] = "none"
    with pytest.raises(ValueError, match="STU-011"):
        Study.model_validate(values)


def test_a_folder_without_a_study_says_how_to_start_one(tmp_path):
    with pytest.raises(Refusal, match="asp-eval init"):
        load_study(tmp_path)


def test_a_study_made_in_memory_has_no_folder():
    study = Study.model_validate(yaml.safe_load(TEMPLATE))
    with pytest.raises(Refusal, match="STU-001"):
        _ = study.folder


def test_the_study_cannot_be_changed(tmp_path):
    with pytest.raises(ValueError, match="frozen"):
        load_study(written(tmp_path)).arms = ("a", "b")


def test_the_shipped_json_schema_is_that_of_the_models(tmp_path):
    write_study_schema(tmp_path)
    shipped = (shipped_folder("data_schema") / "study.schema.json").read_text(encoding="utf-8")
    assert shipped == (tmp_path / "study.schema.json").read_text(encoding="utf-8"), "write_study_schema(Path('data_schema'))"


def test_the_json_schema_accepts_the_template_and_refuses_an_unknown_key():
    values = json.loads(json.dumps(yaml.safe_load(TEMPLATE), default=str))
    jsonschema.validate(values, study_json_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values | {"stratas": []}, study_json_schema())
