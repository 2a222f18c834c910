"""The files: as odd as real ones, importable without an error, the same for the same seed and draw."""

import hashlib
from io import BytesIO

import numpy as np
import openpyxl
import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems
from asp_eval.intake.checks.context import CheckContext
from asp_eval.intake.checks.validation import sift
from asp_eval.intake.files.reading import read_raw
from asp_eval.intake.mapping.applying import apply_mapping
from asp_eval.intake.mapping.mapping import load_mapping, mapping_beside
from asp_eval.synthetic.children import draw_sdq, score_values
from asp_eval.synthetic.exports import write_fieldwork, write_institutions
from asp_eval.synthetic.fieldwork import simulate_fieldwork
from asp_eval.synthetic.people import draw_institutions, draw_people
from asp_eval.synthetic.population import SCALE_KEYS
from asp_eval.synthetic.study_file import demo_study_yaml
from asp_eval.trial.instruments.families import score_family
from asp_eval.trial.instruments.library import family
from asp_eval.trial.randomisation.declaration import scheme_of
from asp_eval.trial.study.ages import age_years
from asp_eval.trial.study.protocol import load_study
from asp_eval.trial.tables.schema import table_schema


def randomise(study, institutions, *, seed, late=False):
    """Draw the lot that a study declares over a list of institutions."""
    return scheme_of(study, institutions, late=late).allocate(seed)


SEED = 11


class Demo:
    """A study folder with the exports of a drawn trial, and every file imported."""

    def __init__(self, folder):
        (folder / "study.yaml").write_text(demo_study_yaml(), encoding="utf-8")
        self.study = load_study(folder)
        self.institutions = self.imported(write_institutions(folder / "data", SEED), "institutions", None, None)
        self.allocation = randomise(self.study, self.institutions.frame, seed=SEED).frame()
        self.exports = {e.path.stem: e for e in write_fieldwork(folder / "data", SEED, self.allocation)}
        listed = frozenset(self.institutions.frame["institution_id"])
        known = CheckContext(listed, listed)
        self.tables = {name: self.imported(e.path, e.table, e.wave, known) for name, e in self.exports.items()}
        self.fieldwork = simulate_fieldwork(SEED, self.allocation)

    def imported(self, path, table, wave, known):
        mapping = load_mapping(mapping_beside(path))
        schema = table_schema(table, self.study, wave)
        raw = apply_mapping(read_raw(path, mapping.format), mapping, schema.names)
        return sift(raw, schema, study=self.study, context=known).whole()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return Demo(tmp_path_factory.mktemp("demo"))


def test_the_study_file_declares_what_is_written(demo):
    study = demo.study
    assert study.study.synthetic
    primary = [outcome.id for outcome in study.outcomes if outcome.role == "primary"]
    assert primary == ["conduct"]
    ends = {outcome.id: (outcome.at, outcome.baseline) for outcome in study.outcomes if outcome.role != "exploratory"}
    assert ends == dict.fromkeys(["conduct", "emotion", "hyper", "peer", "prosocial"], ("w3", "w1"))
    assert {outcome.id for outcome in study.outcomes if outcome.at == "w2"} == {f"{scale}_midway" for scale in ends}
    assert (study.outcome("prosocial").better, study.outcome("peer").better) == ("higher", "lower")


def test_every_answer_arrives_as_it_was_given(demo):
    """What is imported from the three dialects is what was simulated, item by item."""
    for wave in ("w1", "w2", "w3"):
        table = demo.tables[f"screening_{wave}"]
        given = demo.fieldwork.screening[wave]
        given = given if wave == "w1" else given.loc[given["rated"]]
        found = table.frame.set_index("child_id").loc[given["child_id"]]
        items = [name for name in given.columns if "." in name]
        assert len(items) == (77 if wave == "w1" else 50)  # the competences are asked for once
        pd.testing.assert_frame_equal(
            found[items].reset_index(drop=True), given[items].astype("float64").reset_index(drop=True), check_dtype=False
        )
        rated = given["rated"].to_numpy()
        for name in ("institution_id", "sex", "birth_month", "mother_education"):
            assert found[name].fillna("").tolist() == given[name].fillna("").tolist()
        assert found["rater_id"].to_numpy()[rated].tolist() == given["rater_id"].to_numpy()[rated].tolist()
        assert (found["date"].to_numpy()[rated] == given["date"].to_numpy()[rated]).all()
    hours = demo.tables["screening_w1"].frame.set_index("child_id")["hours_per_week"]
    assert (hours % 1 == 0.5).any()  # the decimal comma was read


def test_scored_by_the_instruments_the_files_give_the_scores_that_were_simulated(demo):
    """From the latent answers on one side and the files on the other; movers stay in the arm they were drawn to."""
    people = draw_people(SEED, draw_institutions(SEED))
    arms = demo.allocation.set_index("institution_id")["arm"]
    treated = (arms[np.asarray(people.institutions.ids)] == "intervention").to_numpy()[people.children.drawn]
    simulated = score_values(draw_sdq(SEED, people).values(treated))
    for wave, name in enumerate(("w1", "w2", "w3")):
        frame = demo.tables[f"screening_{name}"].frame
        scored = score_family("sdq-teacher", frame, age_years(frame["birth_month"], frame["date"])).set_index(frame["child_id"])
        complete = frame[[column for column in frame if column.startswith("sdq-")]].notna().sum(axis=1).to_numpy() == 25
        assert complete.sum() > 1_500
        for position, scale in enumerate(SCALE_KEYS):
            wanted = pd.Series(simulated[position, wave], index=people.children.ids)
            found = scored.loc[complete, scale]
            np.testing.assert_array_equal(found.to_numpy(), wanted[found.index].to_numpy())


def test_each_file_has_its_mapping_beside_it(demo):
    assert {export.path: export.mapping for export in demo.exports.values()} == {
        export.path: mapping_beside(export.path) for export in demo.exports.values()
    }


def test_staff_answers_arrive_and_link_to_raters(demo):
    staff = demo.tables["staff_survey_w1"].frame
    given = demo.fieldwork.staff_survey
    items = [name for name in given.columns if "." in name]
    pd.testing.assert_frame_equal(staff[items], given[items].astype("float64"), check_dtype=False)
    raters = set(demo.tables["screening_w1"].frame["rater_id"].dropna())
    assert len(set(staff["respondent_id"]) & raters) > 0.9 * len(staff)
    answers = staff.groupby("institution_id").size().reindex(demo.institutions.frame["institution_id"], fill_value=0)
    assert 3 <= (answers < 5).sum() <= 25  # suppression has something to do


def test_staff_and_log_arrive_as_they_were_given(demo):
    for name, given in (("staff", demo.fieldwork.staff), ("implementation", demo.fieldwork.implementation)):
        found = demo.tables[name].frame
        assert len(found) == len(given)
        for column in given.columns:
            pd.testing.assert_series_equal(found[column], given[column], check_dtype=False, check_names=False)


def test_hours_are_for_the_intervention_but_for_a_few_guests(demo):
    log = demo.fieldwork.implementation
    arms = demo.allocation.set_index("institution_id")["arm"]
    own = log.loc[log["kind"] != "external_project"]
    hours = own.groupby("institution_id")["hours"].sum().reindex(arms.index, fill_value=0.0)
    reference, intervention = hours[arms == "reference"], hours[arms == "intervention"]
    assert (reference > 0).sum() == 2 and reference.max() < 20
    assert 1 <= (intervention < demo.study.received.at_least).sum() <= 10
    assert set(own["element"]) == {"knowledge", "reflection", "implementation"}
    assert log.loc[log["kind"] == "external_project", "element"].isna().all()
    begin, end = np.datetime64("2006-11-30"), np.datetime64("2008-04-01")
    assert log["date"].between(begin, end).all() and log["event_id"].is_unique


def test_a_few_of_the_staff_work_in_two_institutions_of_their_municipality(demo):
    staff = demo.fieldwork.staff
    towns = demo.institutions.frame.set_index("institution_id")["municipality"]
    twice = staff.groupby("staff_id")["institution_id"].agg(list)
    twice = twice[twice.str.len() > 1]
    assert len(twice) == 6
    assert all(len(set(each)) == 2 and len(set(towns[each])) == 1 for each in twice)
    raters = set(demo.tables["screening_w3"].frame["rater_id"].dropna())
    assert raters <= set(staff["staff_id"])
    assert (staff["role"] == "manager").sum() == 60


def test_the_first_wave_is_a_cp1252_export_with_decimal_commas(demo):
    content = demo.exports["screening_w1"].path.read_bytes()
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    lines = content.decode("cp1252").splitlines()
    assert lines[0].startswith("barn_nr;institution;pædagog;status;udfyldt;køn;født;")
    assert any(",5;" in line for line in lines)
    assert sum(";Ikke besvaret;" in line for line in lines) > 40


def test_the_second_is_utf8_with_commas_and_the_third_a_workbook_with_ids_as_text(demo):
    assert demo.exports["screening_w2"].path.read_text("utf-8").startswith("child,centre,staff,completed,")
    sheet = openpyxl.load_workbook(BytesIO(demo.exports["screening_w3"].path.read_bytes()), read_only=True).active
    first = [cell.value for cell in next(sheet.iter_rows(min_row=2, max_row=2))]
    assert isinstance(first[0], str) and len(first[0]) == 5 and len(first[1]) == 3
    assert first[3].year == 2008
    assert {type(value) for value in first[8:]} <= {int, type(None)}


def test_what_is_missing_looks_like_a_real_trial(demo):
    first, second, third = (demo.tables[f"screening_{wave}"].frame for wave in ("w1", "w2", "w3"))
    assert 2_850 <= len(first) <= 3_150
    assert first["sex"].isna().sum() == 1
    assert 0.04 < first["mother_education"].isna().mean() < 0.10
    assert first["institution_id"].nunique() == 60
    assert third["institution_id"].nunique() == 59
    cohort = set(first["child_id"])
    assert len(set(second["child_id"]) - cohort) > 80  # late joiners
    kept = len(cohort & set(third["child_id"])) / len(cohort)
    assert 0.70 < kept < 0.88
    both = first.merge(third, on="child_id")
    assert (both["institution_id_x"] != both["institution_id_y"]).any()  # movers
    assert (both["rater_id_x"] != both["rater_id_y"]).mean() > 0.2


def test_the_institution_that_falls_silent_is_a_reference_institution(demo):
    arms = demo.allocation.set_index("institution_id")["arm"]
    silent = set(arms.index) - set(demo.tables["screening_w3"].frame["institution_id"])
    assert arms[list(silent)].tolist() == ["reference"]


def test_each_child_has_the_form_for_its_age(demo):
    younger, older = family("sdq-teacher")
    for wave in ("w1", "w2", "w3"):
        frame = demo.tables[f"screening_{wave}"].frame
        young, old = (frame[list(form.columns)].notna().any(axis=1) for form in (younger, older))
        assert not (young & old).any()
        age = (frame["date"] - (pd.to_datetime(frame["birth_month"]) + pd.Timedelta(days=14))).dt.days / 365.25
        assert (age[young] < 4).all() and (age[old] >= 4).all()
        assert young.any() and old.any()


def test_the_same_seed_and_draw_give_the_same_bytes(demo, tmp_path):
    write_institutions(tmp_path, SEED)
    write_fieldwork(tmp_path, SEED, demo.allocation)
    before = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (demo.study.folder / "data").iterdir()}
    after = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    assert after == before
    assert all(name.isascii() for name in after)


def test_another_draw_changes_answers_only_after_the_start(demo):
    flipped = demo.allocation.assign(arm=demo.allocation["arm"].map({"reference": "intervention", "intervention": "reference"}))
    other = simulate_fieldwork(SEED, flipped)
    drop = ["rated"]
    given, now = (each.screening["w1"].drop(columns=drop) for each in (demo.fieldwork, other))
    pd.testing.assert_frame_equal(given, now)
    assert not demo.fieldwork.screening["w3"].equals(other.screening["w3"])


def test_institutions_without_an_arm_and_strange_arms_are_listed(demo):
    wrong = demo.allocation.iloc[2:].copy()
    wrong.loc[wrong.index[0], "arm"] = "control"
    with pytest.raises(DataProblems) as caught:
        simulate_fieldwork(SEED, wrong)
    assert [problem.code for problem in caught.value.problems] == ["SYN-001", "SYN-001", "SYN-002"]


def test_every_excerpt_is_synthetic_and_of_an_interview_that_was_coded_so(demo):
    excerpts, interviews = demo.tables["excerpts"].frame, demo.fieldwork.interviews
    assert len(excerpts) > 4
    assert excerpts["text"].str.endswith("(syntetisk)").all()
    assert set(excerpts["print"]) == {"yes", "no"}
    assert not excerpts.duplicated(["institution_id", "round", "number"]).any()
    coded = interviews.set_index(["institution_id", "round", "coder_id"])
    for row in excerpts.to_dict("records"):
        assert coded.loc[(row["institution_id"], row["round"], row["coder_id"]), row["code"]] == row["level"]
