"""Answers that do not go as keyed: each kind of mix-up, in a synthetic wave that is imported as people import it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems
from asp_eval.trial.instruments.library import instrument
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.analyse import analyse
from asp_eval.workflow.check import check_study
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.score import score_study
from tests.small_study import by_hand, seal_again

FORM = instrument("sdq-teacher-4-17")
CHILDREN, PER_RATER = 320, 16
LEVELS = {"emotion": 0.9, "conduct": 1.1, "hyper": 0.4, "peer": 0.9, "prosocial": -1.0}  # of the lower threshold

Change = Callable[[pd.DataFrame], pd.DataFrame]


def wave(id_: str, seed: int) -> pd.DataFrame:
    """A synthetic wave: one factor per scale, a general one behind them, items reversed as the form has them."""
    rng = np.random.default_rng(seed)
    names = [f"c{number:03}" for number in range(CHILDREN)]
    at = np.repeat(["A1", "A2", "H1", "H2"], CHILDREN // 4)
    year = "2006-09" if id_ == "w1" else "2007-09"
    frame = pd.DataFrame(
        {
            "child_id": names,
            "institution_id": at,
            "rater_id": [f"r{number // PER_RATER:02}" for number in range(CHILDREN)],
            "date": f"{year}-14",
            "sex": "boy",
            "birth_month": "2002-01",
            "mother_education": "short",
            "hours": "30",
        }
    )
    general = rng.standard_normal(CHILDREN)
    for scale in FORM.scales:
        sign = -1 if scale.key == "prosocial" else 1
        factor = 0.6 * sign * general + 0.8 * rng.standard_normal(CHILDREN)
        for key in scale.items:
            latent = 0.75 * factor + 0.66 * rng.standard_normal(CHILDREN)
            value = (latent > LEVELS[scale.key]).astype(int) + (latent > LEVELS[scale.key] + 0.8)
            frame[f"{FORM.id}.{key}"] = 2 - value if FORM.item(key).reverse else value
    return frame


def turned(*keys: str, rows: slice = slice(None)) -> Change:
    """Return a change that turns the codes of some items round."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        columns = [f"{FORM.id}.{key}" for key in keys]
        frame.loc[frame.index[rows], columns] = 2 - frame.loc[frame.index[rows], columns]
        return frame

    return change


def exchanged(one: str, other: str) -> Change:
    """Return a change that exchanges two columns."""
    return lambda frame: frame.rename(
        columns={f"{FORM.id}.{one}": f"{FORM.id}.{other}", f"{FORM.id}.{other}": f"{FORM.id}.{one}"}
    )


def shifted(frame: pd.DataFrame) -> pd.DataFrame:
    """A column too many before the items: each holds the answers to the one before."""
    frame[list(FORM.columns)] = frame[list(FORM.columns)].to_numpy()[:, np.r_[24, 0:24]]
    return frame


REVERSED = tuple(item.key for item in FORM.items if item.reverse)
SCALE = {scale.key: scale.items for scale in FORM.scales}

MIX_UPS: dict[str, tuple[Change, str, str]] = {
    "one item turned round": (turned("obeys"), "KEY-001", "obeys"),
    "another": (turned("kind"), "KEY-001", "kind"),
    "two items of a scale": (turned("reflect", "attends"), "KEY-002", "reflect, attends"),
    "exchanged, keyed the opposite way": (exchanged("tantrum", "obeys"), "KEY-002", "tantrum, obeys"),
    "exchanged over two scales": (exchanged("tantrum", "somatic"), "KEY-003", "somatic, tantrum"),
    "exchanged with a reversed one": (exchanged("worries", "attends"), "KEY-003", "worries, attends"),
    "shifted by one": (shifted, "KEY-004", "attends"),
    "turned round already": (turned(*REVERSED), "KEY-005", ", ".join(REVERSED)),
    "the whole form": (turned(*FORM.item_keys), "KEY-007", "all answers"),
}


@pytest.fixture(scope="module")
def waves() -> dict[str, pd.DataFrame]:
    return {id_: wave(id_, seed) for seed, id_ in enumerate(("w1", "w2"))}


def taken(study: Study, folder: Path, frame: pd.DataFrame, id_: str, mapping: str = "", *, dry_run: bool = False) -> list[str]:
    """Import a wave; return the codes that were said of directions."""
    path = folder / f"{id_}.csv"
    frame.to_csv(path, index=False, lineterminator="\n")
    (folder / f"{id_}.mapping.yaml").write_text(f"version: 1\n{mapping}\n", encoding="utf-8")
    report = import_file(study, path, "screening", wave=id_, dry_run=dry_run)
    return [str(problem) for problem in report.problems if problem.code.startswith("KEY")]


@pytest.mark.parametrize(("name", "dry_run"), [("one item turned round", True), *((name, False) for name in MIX_UPS)])
def test_a_mix_up_of_a_whole_wave_refuses_the_file(
    name: str, dry_run: bool, drawn: Study, incoming: Path, waves: dict[str, pd.DataFrame]
) -> None:
    change, code, named = MIX_UPS[name]
    with pytest.raises(DataProblems) as refused:
        taken(drawn, incoming, change(waves["w1"].copy()), "w1", dry_run=dry_run)
    said = [str(problem) for problem in refused.value.problems if problem.code.startswith("KEY")]
    assert len(said) == 1, said
    assert code in said[0], said
    assert named in said[0], said
    assert not any((drawn.folder / "data").glob("w1*")), "a refused file is not kept"


def test_a_clean_wave_and_a_clean_second_are_said_nothing_of(
    drawn: Study, incoming: Path, waves: dict[str, pd.DataFrame]
) -> None:
    assert taken(drawn, incoming, waves["w1"], "w1") == []
    assert taken(drawn, incoming, waves["w2"], "w2") == []
    assert not [problem for problem in check_study(drawn).problems if problem.code.startswith("KEY")]


@pytest.mark.parametrize("confirmed", ["sdq-teacher-4-17.obeys", "sdq-teacher-4-17"])
def test_what_is_confirmed_passes_the_import_and_the_check(
    confirmed: str, drawn: Study, incoming: Path, waves: dict[str, pd.DataFrame]
) -> None:
    frame = turned("obeys")(waves["w1"].copy())
    assert taken(drawn, incoming, frame, "w1", f"confirmed: [{confirmed}]") == []
    assert not [problem for problem in check_study(drawn).problems if problem.code.startswith("KEY")]


def test_what_is_said_of_stored_answers_refuses_the_analysis(
    drawn: Study, incoming: Path, waves: dict[str, pd.DataFrame]
) -> None:
    for id_, frame in waves.items():
        taken(drawn, incoming, frame, id_)
    by_hand(drawn, f'UPDATE screening_sdq_teacher_4_17 SET "{FORM.id}.obeys" = 2 - "{FORM.id}.obeys" WHERE wave = \'w1\'')
    seal_again(drawn.folder)
    score_study(drawn)
    told = {problem.code for problem in check_study(drawn).problems if problem.severity == "error"}
    with pytest.raises(DataProblems) as refused:
        analyse(drawn)
    assert {problem.code for problem in refused.value.problems} == told == {"KEY-001"}


def test_what_another_column_confirms_does_not_pass(drawn: Study, incoming: Path, waves: dict[str, pd.DataFrame]) -> None:
    with pytest.raises(DataProblems, match="KEY-001"):
        taken(drawn, incoming, turned("obeys")(waves["w1"].copy()), "w1", "confirmed: [sdq-teacher-4-17.kind]")


def test_the_remedy_that_is_told_mends_it(drawn: Study, incoming: Path, waves: dict[str, pd.DataFrame]) -> None:
    with pytest.raises(DataProblems) as refused:
        taken(drawn, incoming, turned("obeys")(waves["w1"].copy()), "w1")
    remedy = next(problem for problem in refused.value.problems if problem.code == "KEY-001").remedy
    mapping = remedy.split("'")[1]
    assert mapping == "recode: {sdq-teacher-4-17.obeys: {0: 2, 1: 1, 2: 0}}"
    assert taken(drawn, incoming, turned("obeys")(waves["w1"].copy()), "w1", mapping) == []


def test_a_scale_turned_round_shows_beside_the_other_wave(drawn: Study, incoming: Path, waves: dict[str, pd.DataFrame]) -> None:
    taken(drawn, incoming, waves["w1"], "w1")
    with pytest.raises(DataProblems, match=r"KEY-006.*the answers of emotion are the other way round than at w1"):
        taken(drawn, incoming, turned(*SCALE["emotion"])(waves["w2"].copy()), "w2")


def test_a_rater_and_an_institution_are_cautions(drawn: Study, incoming: Path, waves: dict[str, pd.DataFrame]) -> None:
    frame = turned(*FORM.item_keys, rows=slice(0, PER_RATER))(waves["w1"].copy())
    said = taken(drawn, incoming, frame, "w1")
    assert len(said) == 1, said
    assert "KEY-010" in said[0]
    assert "all answers are the other way round" in said[0]
    assert "in the 16 forms of these raters: r00" in said[0]
    assert [p.code for p in check_study(drawn).problems if p.code.startswith("KEY")] == ["KEY-010"]


def test_the_same_file_again_stands_already_whatever_came_since(
    drawn: Study, incoming: Path, waves: dict[str, pd.DataFrame]
) -> None:
    frame = turned(*SCALE["emotion"])(waves["w2"].copy())
    taken(drawn, incoming, frame, "w2", "confirmed: [sdq-teacher-4-17]")
    taken(drawn, incoming, waves["w1"], "w1", "confirmed: [sdq-teacher-4-17]")
    assert import_file(drawn, incoming / "w2.csv", "screening", wave="w2").already


def test_few_children_say_nothing(drawn: Study, incoming: Path, waves: dict[str, pd.DataFrame]) -> None:
    assert taken(drawn, incoming, turned("obeys")(waves["w1"].iloc[:20].copy()), "w1") == []


def test_the_evidence_is_that_of_the_answers(drawn: Study, incoming: Path, waves: dict[str, pd.DataFrame]) -> None:
    """The correlation, the mean score and the share are computed here from the cells."""
    frame = turned("obeys")(waves["w1"].copy())
    with pytest.raises(DataProblems) as refused:
        taken(drawn, incoming, frame, "w1")
    problem = next(problem for problem in refused.value.problems if problem.code == "KEY-001")
    items = {key: frame[f"{FORM.id}.{key}"].astype(float) for key in SCALE["conduct"]}
    clean = pd.DataFrame(items)
    stored = clean.assign(obeys=2 - clean["obeys"])  # as the form keys it
    rest = stored.drop(columns="obeys")
    standard = ((rest - rest.mean()) / rest.std()).sum(axis=1)
    assert problem.details["before"] == pytest.approx(stored["obeys"].corr(standard), abs=1e-9)
    assert problem.details["after"] == pytest.approx(-stored["obeys"].corr(standard), abs=1e-9)
    scores = problem.details["scores"].fields
    was, now = stored.sum(axis=1), rest.sum(axis=1) + 2 - stored["obeys"]
    assert (scores["before"], scores["after"]) == (pytest.approx(was.mean()), pytest.approx(now.mean()))
    assert scores["share"] == pytest.approx((was != now).mean())


def test_the_waves_of_the_demo_are_said_nothing_of(demo) -> None:
    assert "KEY-" not in demo.out
    assert not [problem for problem in check_study(load_study(demo.folder)).problems if problem.code.startswith("KEY")]
