"""study.yaml: what is declared is loaded as declared; a wrong file is answered line by line, all mistakes at once."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study, study_json_schema, study_template, write_study_schema
from asp_eval.trial.tables.schema import table_schema

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
        ("child, wave: w1}", "child, wave: w1, arms: [treated]}", "gap.arms[0]", "found 'treated'"),
        ("child, wave: w1}", "child, wave: w1, release: {control: w2}}", "gap.release.control", "found 'control'"),
        ("child, wave: w1}", "child, wave: w1, release: {reference: w9}}", "gap.release.reference", "found 'w9'"),
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
        ("minimum_cell: 5", "disclosure: {answer_sets: 1}", "privacy.disclosure.answer_sets", "2 or more"),
        ("minimum_cell: 5", "disclosure: {share_of_grid: 0}", "privacy.disclosure.share_of_grid", "more than 0"),
        ("minimum_cell: 5", "disclosure: {count_bands: [15, 10]}", "privacy.disclosure.count_bands", "bands that rise"),
        ("reference: {da", "control: {da", "arm_labels.control", "no such arm"),
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


def test_the_shipped_json_schema_is_that_of_the_models_and_every_study_has_it(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "docs"))
    import make_study_schema

    write_study_schema(tmp_path)
    written = (tmp_path / "study.schema.json").read_text(encoding="utf-8")
    assert written == make_study_schema.text(), "run: python docs/make_study_schema.py"


def test_the_json_schema_accepts_the_template_and_refuses_an_unknown_key():
    values = json.loads(json.dumps(yaml.safe_load(TEMPLATE), default=str))
    schema = jsonschema.Draft202012Validator(study_json_schema())
    schema.validate(values)
    with pytest.raises(jsonschema.ValidationError):
        schema.validate(values | {"stratas": []})


def collecting(folder, screening: str) -> Study:
    """The template's study with another collection of screening."""
    head, rest = TEMPLATE.split("  screening:\n    - ", 1)
    return load_study(
        written(
            folder,
            (
                head + "  screening:\n    - " + rest,
                f"{head}  screening: {screening}\n  staff_survey:" + rest.split("  staff_survey:", 1)[1],
            ),
        )
    )


BOTH = "[{waves: [w1, w2], instruments: [{family: sdq-teacher}]}, {waves: [w1], instruments: [gap-competences-child]}]"


def test_each_collection_of_a_table_has_its_own_waves_and_instruments(tmp_path):
    study = collecting(tmp_path, BOTH)
    assert study.collected_waves("screening") == ("w1", "w2")
    forms = {
        wave: [str(getattr(part, "family", part)) for part in study.collected_instruments("screening", wave)]
        for wave in ("w1", "w2", None)
    }
    assert forms == {
        "w1": ["sdq-teacher", "gap-competences-child"],
        "w2": ["sdq-teacher"],
        None: ["sdq-teacher", "gap-competences-child"],
    }
    assert table_schema("screening", study, "w1").forms == ("sdq-teacher-2-4", "sdq-teacher-4-17", "gap-competences-child")
    assert table_schema("screening", study, "w2").forms == ("sdq-teacher-2-4", "sdq-teacher-4-17")


def test_waves_are_in_the_order_of_the_study_whatever_the_order_of_the_collections(tmp_path):
    study = collecting(tmp_path, "[{waves: [w2], instruments: [sdq-teacher-4-17]}, {waves: [w1]}]")
    assert study.collected_waves("screening") == ("w1", "w2")
    assert study.collected_instruments("screening", "w1") == ()


def test_a_list_of_one_collection_declares_what_the_collection_alone_declares(tmp_path):
    one = "{waves: [w1, w2], instruments: [{family: sdq-teacher}, gap-competences-child]}"
    alone, listed = (collecting(tmp_path, text).as_declared() for text in (one, f"[{one}]"))
    assert alone == listed
    assert Study.model_validate(alone).as_declared() == alone
    both = collecting(tmp_path, BOTH)
    assert both.without_folder().collect == both.collect


@pytest.mark.parametrize(
    ("screening", "code", "field"),
    [
        ("{waves: [w9]}", "STU-010", "collect.screening.waves[0]"),
        ("[{waves: [w1]}, {waves: [w2, w9]}]", "STU-010", "collect.screening[1].waves[1]"),
        ("[{waves: [w1]}, {waves: []}]", "DOC-010", "collect.screening[1].waves"),
        ("[{waves: [w1]}, {wave: [w1]}]", "DOC-008", "collect.screening[1].wave"),
        ("{wave: [w1]}", "DOC-008", "collect.screening.wave"),
        ("w1", "DOC-010", "collect.screening"),
        (
            "[{waves: [w1], instruments: [sdq-teacher-4-17]}, {waves: [w2, w1], instruments: [sdq-teacher-4-17]}]",
            "STU-017",
            "collect.screening[1].instruments[0]",
        ),
        (
            "{waves: [w1], instruments: [{family: sdq-teacher}, {family: sdq-teacher}]}",
            "STU-017",
            "collect.screening.instruments[1]",
        ),
    ],
)
def test_a_mistake_in_a_collection_is_placed_in_the_collection(tmp_path, screening, code, field):
    with pytest.raises(DataProblems) as caught:
        collecting(tmp_path, screening)
    found = caught.value.problems
    assert (code, field) in [(problem.code, problem.place.column) for problem in found]
    assert all(problem.place.line for problem in found)


def test_editors_accept_one_collection_and_a_list(tmp_path):
    schema = jsonschema.Draft202012Validator(study_json_schema())
    for screening in ("{waves: [w1]}", BOTH, "null"):
        collecting(tmp_path, screening)
        values = yaml.safe_load((tmp_path / "study.yaml").read_text(encoding="utf-8"))
        schema.validate(json.loads(json.dumps(values, default=str)))
