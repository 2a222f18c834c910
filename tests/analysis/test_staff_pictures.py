"""Staff questionnaires from import to the results: means by arm, resources by phases, the contrast, propositions; by hand."""

import shutil
from itertools import product

import numpy as np
import pandas as pd
import pytest

from asp_eval.analysis.process.staff_answers import _effects, means_by_arm, strata_of_institutions, too_few
from asp_eval.analysis.process.staff_items import crossing
from asp_eval.core.errors import Refusal, Unavailable
from asp_eval.core.randomness import stream
from asp_eval.store import table
from asp_eval.trial.instruments.library import instrument
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.process import process
from asp_eval.workflow.score import score_study

PRACTICE, CONTRAST = instrument("innovation-practice"), instrument("governance-npm-npg")
PLACES = np.repeat(["A1", "A2", "H1", "H2"], 8)  # reference, intervention, reference, intervention


def answers():
    """Return the answers of eight members of staff in each institution, every code of each question as likely."""
    random = stream(1, "staff pictures")
    rows = {"respondent_id": [f"r{n}" for n in range(len(PLACES))], "institution_id": PLACES, "date": "2006-09-10"}
    for form in (PRACTICE, CONTRAST):
        for column, item in zip(form.columns, form.items, strict=True):
            rows[column] = random.choice([str(code) for code in form.codes(item)], size=len(PLACES))
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def answered(drawn_once, tmp_path_factory):
    """The drawn study with both questionnaires answered and scored. Tests read it, or copy it."""
    folder = shutil.copytree(drawn_once, tmp_path_factory.mktemp("answered") / "study")
    path, file = folder / "study.yaml", folder.parent / "staff.csv"
    path.write_text(path.read_text().replace("[gap-competences-staff]", f"[{PRACTICE.id}, {CONTRAST.id}]"))
    answers().to_csv(file, index=False)
    study = load_study(folder)
    import_file(study, file, "staff_survey", wave="w1")
    score_study(study)
    return study


@pytest.fixture(scope="module")
def processed(answered):
    """What the process evaluation finds in it, with the smallest number that may be shown as every study has it."""
    return process(answered)


def by_hand(column, form, item):
    """Return the mean over institutions of their means on 0 to 100, of both arms."""
    points = form.points(form.item(item))
    low, high = min(points.values()), max(points.values())
    percent = answers()[column].astype(int).map(points).sub(low).mul(100 / (high - low))
    means = percent.groupby(PLACES).mean()
    return [means[["A1", "H1"]].mean(), means[["A2", "H2"]].mean()]


def test_questions_and_scales_are_the_means_over_institutions(processed):
    found = processed
    grid = {(each.row["en"], each.column["en"]): each for each in found.item_means if not each.is_contrast}
    assert len(grid) == 12  # three resources by four phases
    cell = grid["People and time", "Resources for examining the idea"]
    expected = by_hand("innovation-practice.organisation_analysis", PRACTICE, "organisation_analysis")
    assert cell.means == pytest.approx(expected)
    poles = [each for each in found.item_means if each.is_contrast]
    assert [each.row for each in poles] == [dict(item.poles.low) for item in CONTRAST.items]
    first = CONTRAST.items[0].key
    assert poles[0].means == pytest.approx(by_hand(f"governance-npm-npg.{first}", CONTRAST, first))
    scale = next(each for each in found.staff_scales if each.scale == "npg")
    assert scale.means == pytest.approx(
        np.mean([by_hand(f"governance-npm-npg.{item}", CONTRAST, item) for item in CONTRAST.scale("npg").items], axis=0)
    )


def test_means_of_fewer_staff_than_the_minimum_are_hidden_and_so_is_what_would_tell_them(answered):
    """Sixteen members of staff of each arm; of the intervention's fewer than the minimum answered one question."""
    rows = table(answered, f"staff_survey_{PRACTICE.id}")
    arms, key = dict(zip(("A1", "A2", "H1", "H2"), answered.arms * 2, strict=True)), "knowledge_design"
    told = rows["institution_id"].isin(["A1", "H1"]) | (rows.groupby("institution_id").cumcount() < 2)  # 16 and 4
    few = rows.assign(answer=rows[f"{PRACTICE.id}.{key}"].astype("float64").where(told), score=1.0 * rows.index)
    shown, hidden = means_by_arm(answered, few, "answer", arms)
    assert shown == pytest.approx(few.groupby("institution_id")["answer"].mean()[["A1", "H1"]].mean())
    assert hidden == too_few(answered.privacy.minimum_cell)
    (effect,) = _effects(answered, few.loc[told], arms, strata_of_institutions(answered))
    assert effect == hidden  # with the mean of the other arm, the difference would tell it
    enough = answered.model_copy(update={"privacy": answered.privacy.model_copy(update={"minimum_cell": 4})})
    assert means_by_arm(enough, few, "answer", arms)[1] == pytest.approx(
        few.groupby("institution_id")["answer"].mean()[["A2", "H2"]].mean()
    )


@pytest.mark.parametrize(
    ("minimum", "middle_half", "reliability", "slopes"),
    [(4, True, True, True), (5, False, True, True), (32, False, True, True), (33, False, False, False)],
)
def test_nothing_of_staff_is_shown_that_fewer_than_the_minimum_stand_behind(
    answered, processed, tmp_path, minimum, middle_half, reliability, slopes
):
    """Thirty-two members of staff in four institutions: of four, quartiles would be those of single institutions."""
    found = processed
    if minimum != answered.privacy.minimum_cell:
        folder = shutil.copytree(answered.folder, tmp_path / "study")
        with (folder / "study.yaml").open("a") as declared:
            declared.write(f"\nprivacy: {{minimum_cell: {minimum}}}\n")
        found = process(load_study(folder))
    shown = [not isinstance(each, Unavailable) for one in found.staff_scales for each in one.middle_half]
    assert set(shown) == {middle_half}
    for one in found.staff_scales:
        numbers = (one.icc1, one.icc2, one.f, one.p_value, one.agreement)
        assert {not isinstance(each, Unavailable) for each in numbers} == {reliability}
    for one in found.propositions:
        assert {not isinstance(each, Unavailable) for each in (one.at_low, one.at_high, one.interaction)} == {slopes}


def test_the_propositions_are_held_against_the_answers(processed):
    found = {each.key: each for each in processed.propositions}
    assert set(found) == {"bricolage_with_process", "bricolage_with_challenge"}
    one = found["bricolage_with_process"]
    assert (one.respondents, one.institutions, one.wave) == (32, 4, "w1")
    assert one.at_high.estimate - one.at_low.estimate == pytest.approx(
        2 * one.interaction.estimate * _spread("formal") / 10, rel=1e-6
    )


def _spread(scale):
    items = PRACTICE.scale(scale).items
    columns = [answers()[f"innovation-practice.{key}"].astype(int).map(PRACTICE.points(PRACTICE.item(key))) for key in items]
    points = sorted(PRACTICE.points(PRACTICE.item(items[0])).values())
    return float((100 * (np.mean(columns, axis=0) - points[0]) / (points[-1] - points[0])).std(ddof=1))


def test_only_questions_of_two_crossing_scales_are_in_the_grid():
    resources, phases = ("knowledge", "organisation", "material"), ("design", "analysis", "development", "launch")
    assert {(row, column) for row, column, _ in crossing(PRACTICE)} == set(product(resources, phases))
    assert crossing(instrument("collaborative-innovation")) == ()


def test_a_proposition_on_a_scale_that_there_is_not_is_refused(answered, monkeypatch):
    frame = next(each for each in answered.known_frames if each.propositions)
    one = frame.propositions["bricolage_with_process"]
    wrong = one.model_copy(update={"staff": one.staff.model_copy(update={"on": "success"})})
    monkeypatch.setattr(type(answered), "known_frames", (frame.model_copy(update={"propositions": {"p": wrong}}),))
    with pytest.raises(Refusal, match="PRO-003"):
        process(answered)
