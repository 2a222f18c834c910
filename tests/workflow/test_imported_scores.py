"""A study of scores that were made elsewhere: no instruments, waves without dates, a declared set; from import to export."""

import json

import pandas as pd
import pytest

from asp_eval.workflow.open_study import open_study

STUDY = """\
version: 1
study: {id: scored, title: {en: Scored elsewhere}, synthetic: true}
arms: [reference, intervention]
randomisation: {scheme: simple}
waves: [{id: w1, label: {en: start}}, {id: w2, label: {en: end}}]
columns: {screening: {score: number, attended: integer}}
collect: {screening: {waves: [w1, w2]}}
sets: {itt: {filter: null}, attended: {filter: attended == 1}}
outcomes: [{id: y, column: screening.score, role: primary, better: higher, at: w2, baseline: w1}]
analysis: {set: itt}
"""
WITHOUT = 7  # children without a score at the end


def rows(wave: int) -> pd.DataFrame:
    """48 children of 8 institutions; every seventh has no score at the end."""
    numbers = range(48)
    score = [(7 * i + i // 8 + wave) % 11 for i in numbers]
    frame = pd.DataFrame(
        {
            "child_id": [f"c{i:02d}" for i in numbers],
            "institution_id": [f"i{i % 8}" for i in numbers],
            "score": score,
            "attended": [i % 3 > 0 for i in numbers],
        }
    )
    frame["attended"] = frame["attended"].astype(int)
    frame["score"] = frame["score"].astype("Int64")
    if wave == 2:
        frame.loc[frame.index % WITHOUT == 0, "score"] = pd.NA
    return frame


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "scored"
    folder.mkdir()
    (folder / "study.yaml").write_text(STUDY)
    opened = open_study(folder)
    (tmp_path / "institutions.csv").write_text("institution_id\n" + "\n".join(f"i{k}" for k in range(8)) + "\n")
    opened.import_(tmp_path / "institutions.csv", table="institutions")
    opened.randomise(seed=7)
    for wave in (1, 2):
        frame = rows(wave)
        frame.to_csv(tmp_path / f"w{wave}.csv", index=False)
        report = opened.import_(tmp_path / f"w{wave}.csv", table="screening", wave=f"w{wave}")
        assert report.unanswered == (WITHOUT if wave == 2 else 0)
    return opened


def test_a_child_without_a_score_is_listed_and_was_not_screened(study):
    results = study.analyse()
    flow = {wave.wave: [arm.waves[k] for arm in results.flow.arms] for k, wave in enumerate(results.flow.arms[0].waves)}
    assert sum(wave.screened for wave in flow["w1"]) == 48
    assert sum(wave.screened for wave in flow["w2"]) == 48 - WITHOUT
    assert sum(wave.not_screened.unanswered for wave in flow["w2"]) == WITHOUT
    (outcome,) = results.outcomes
    assert sum(arm.analysed for arm in outcome.analysed) == 48 - WITHOUT
    assert sum(arm.unscored for arm in outcome.analysed) == 0


def test_the_analysis_sets_are_exported_without_scores_of_instruments(study, tmp_path):
    study.analyse()
    found = study.export(tmp_path / "out")
    assert not found.notes
    exported = pd.read_csv(tmp_path / "out" / "analysis_y.csv")
    end = rows(2).dropna().set_index("child_id")["score"]
    assert exported.set_index("child_id")["y"].to_dict() == end.to_dict()
    start = rows(1).set_index("child_id")["score"]
    assert exported.set_index("child_id")["baseline"].to_dict() == start.loc[end.index].to_dict()
    described = {each["name"] for each in json.loads((tmp_path / "out" / "datapackage.json").read_text())["resources"]}
    assert "analysis_y" in described
    assert "flow" in described


def test_a_declared_set_is_analysed_and_what_it_leaves_out_is_counted(study):
    text = (study.folder / "study.yaml").read_text().replace("{set: itt}", "{set: attended}")
    (study.folder / "study.yaml").write_text(text)
    (outcome,) = open_study(study.folder).analyse().outcomes
    attended = rows(2)["attended"].to_numpy() == 1
    assert sum(arm.filtered_out for arm in outcome.analysed) == 48 - attended.sum()
    assert sum(arm.analysed for arm in outcome.analysed) == (attended & rows(2)["score"].notna().to_numpy()).sum()


def test_the_way_through_needs_no_score(study):
    assert "analyse" in str(study.check().next_step)
    assert study.score().scores.empty
    study.analyse()
    assert "report" in str(study.check().next_step)
