"""Simulated studies, in memory and in a folder: what the analyses that a plan declares are tested on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from asp_eval.analysis.data import StudyData, load_data
from asp_eval.analysis.outcomes import analyse
from asp_eval.analysis.results import Results
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.store import table
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.randomise import plan_draw
from tests.counted_trial import declared, store

ARMS = ("reference", "intervention")


def simulated_study(scale: str = "continuous", **analysis: Any) -> Study:
    """A study of one outcome y of a scale; keys of `analysis` in study.yaml."""
    cut = {"binary": {"cut": 1}, "ordinal": {"cut": [1, 2]}}.get(scale, {})
    outcome = {"id": "y", "column": "screening.y", "role": "primary", "scale": scale, "better": "lower", "at": "w2", **cut}
    return Study.model_validate(
        {
            "version": 1,
            "study": {"id": "simulated", "title": {"en": "Simulated"}, "synthetic": True},
            "arms": list(ARMS),
            "waves": [{"id": wave, "label": {"en": wave}} for wave in ("w1", "w2")],
            "collect": {"screening": {"waves": ["w1", "w2"]}},
            "columns": {"screening": {"y": "number"}},
            "outcomes": [{**outcome, "baseline": "w1"} if scale == "continuous" else outcome],
            "analysis": analysis,
        }
    )


def simulated_frame(institutions: int = 12, children: int = 10, *, effect: float = -0.5, seed: int = 1) -> pd.DataFrame:
    """Children of institutions drawn to two arms in turn: y by arm, a baseline score and the institution, sizes unequal."""
    random = np.random.default_rng(seed)
    sizes = children + np.arange(institutions) % 3
    institution = np.repeat([f"i{k:02d}" for k in range(institutions)], sizes)
    code = np.repeat(np.arange(institutions), sizes)
    baseline = random.normal(size=len(code))
    y = effect * (code % 2) + 0.6 * baseline + random.normal(0, 0.5, institutions)[code] + random.normal(size=len(code))
    arm = pd.Categorical(np.array(ARMS)[code % 2], categories=list(ARMS))
    ids = [f"c{k:03d}" for k in range(len(code))]
    return pd.DataFrame({"child_id": ids, "institution": pd.Categorical(institution), "arm": arm, "y": y, "baseline": baseline})


def simulated_set(study: Study, frame: pd.DataFrame) -> AnalysisSet:
    """The analysis set of the study's outcome, adjusted for the baseline score; a scale that is none is cut from y."""
    outcome = study.outcomes[0]
    if outcome.is_ordinal:
        frame = frame.assign(y=np.digitize(frame["y"], [-0.5, 0.5]).astype(float))
        return AnalysisSet(outcome, "w2", frame, ("baseline",), (), ("low", "middle", "high"))
    if not outcome.is_continuous:
        frame = frame.assign(y=(frame["y"] > 0).astype(float))
    return AnalysisSet(outcome, "w2", frame, ("baseline",), ())


STUDY = """
version: 1
study: {{id: stored, title: {{en: Stored}}, synthetic: true}}
languages: [en, da]
arms: [reference, intervention]
strata: [municipality]
randomisation: {{scheme: stratified}}
waves:
  - {{id: w1, label: {{en: start}}, from: 2027-09-01, to: 2027-09-30}}
  - {{id: w2, label: {{en: midway}}, from: 2028-01-01, to: 2028-01-31}}
  - {{id: w3, label: {{en: end}}, from: 2028-05-01, to: 2028-05-31}}
collect: {{screening: {{waves: [w1, w2, w3]}}}}
columns:
  screening: {{score: number}}
  children: {{room: string, mother_education: string}}
received: {{table: implementation, sum: hours, at_least: 10}}
outcomes:
  - {{id: y, column: screening.score, role: primary, better: lower, at: w3, baseline: w1}}
  - {{id: z, column: screening.score, role: secondary, better: lower, at: w2, baseline: w1}}
analysis: {{{analysis}}}
"""
DAYS = {"w1": "2027-09-10", "w2": "2028-01-10", "w3": "2028-05-10"}


def stored_study(
    folder: Path, analysis: str = "set: itt", institutions: int = 12, *, effect: float = -0.6, seed: int = 3
) -> Study:
    """A study in a folder with its own lot: three waves of an imported score, rooms, mothers' education, hours received."""
    study = declared(folder, STUDY.format(analysis=analysis))
    ids = [f"D{k:02d}" for k in range(institutions)]
    listed = "".join(f"{name},House {name},{'North' if k % 2 else 'South'}\n" for k, name in enumerate(ids))
    store(study, folder, "institutions", "institution_id,name,municipality\n" + listed, "institutions")
    plan_draw(study).draw(11)
    lot = table(study, "allocation").set_index("institution_id")["arm"].astype(str)
    random = np.random.default_rng(seed)
    lines: dict[str, list[str]] = {wave: [] for wave in DAYS}
    for name in ids:
        level, moved = random.normal(0, 0.4), effect * (lot[name] == "intervention")
        for k in range(8 + random.integers(5)):
            own = random.normal(0, 0.7)
            room, education = f"room{k % 2}", ("short", "long")[int(random.random() < 0.5)]
            for at, wave in enumerate(DAYS):
                score = 5 + level + own + moved * at / 2 + random.normal(0, 0.6)
                child = f"{name}c{k:02d},{name},{DAYS[wave]},girl,2023-0{1 + k % 9},{room},{education},{score:.3f}\n"
                if at == 0 or random.random() < 0.92:
                    lines[wave].append(child)
    head = "child_id,institution_id,date,sex,birth_month,room,mother_education,score\n"
    for wave, rows in lines.items():
        store(study, folder, wave, head + "".join(rows), "screening", wave)
    treated = [(k, name) for k, name in enumerate(ids) if lot[name] == "intervention"]
    hours = "".join(f"e{k},{name},2027-11-01,course,knowledge,{20 if k % 5 else 2}\n" for k, name in treated)
    store(study, folder, "implementation", "event_id,institution_id,date,kind,element,hours\n" + hours, "implementation")
    return load_study(folder)


@pytest.fixture(scope="session")
def stored_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stored study of twelve institutions whose intervention lowers the score by one: made once. Tests copy it."""
    return stored_study(tmp_path_factory.mktemp("stored"), effect=-1.0).folder


@pytest.fixture
def stored(stored_once: Path, tmp_path: Path) -> Study:
    """The stored study, for a test to declare another analysis in."""
    return load_study(shutil.copytree(stored_once, tmp_path / "study"))


EVERYTHING = (
    "set: itt, draws: 200, triangulate: true, complier: true, levels: [room], waves_model: constrained-longitudinal,"
    " subgroups: [{by: mother_education, outcomes: [y]}],"
    " families: {all: {outcomes: [y, z], adjust: westfall-young, simultaneous: true}}"
)
"""A plan of all that can stand beside the stored study's models: tests of one part look for their own among the others."""


@pytest.fixture(scope="session")
def planned(stored_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Study]:
    """Return a function that declares an analysis in one copy of the stored study, for tests that write nothing else into it."""
    study = load_study(shutil.copytree(stored_once, tmp_path_factory.mktemp("planned") / "study"))
    return lambda analysis: declares(study, analysis)


@pytest.fixture(scope="session")
def loaded(planned: Callable[[str], Study]) -> Callable[[str], StudyData]:
    """Return a function that reads the stored study as a plan declares: once for each plan. No test writes into the tables."""
    return cache(lambda analysis: load_data(planned(analysis)))


@pytest.fixture(scope="session")
def analysed(planned: Callable[[str], Study]) -> Callable[[str], Results]:
    """Return a function that analyses the stored study as a plan declares: once for each plan."""
    return cache(lambda analysis: analyse(planned(analysis)))


def declares(study: Study, analysis: str) -> Study:
    """The same study with another analysis in its study.yaml."""
    (study.folder / "study.yaml").write_text(STUDY.format(analysis=analysis), encoding="utf-8")
    return load_study(study.folder)
