"""A trial small enough to count by hand: four institutions, two waves, one imported score."""

from __future__ import annotations

from pathlib import Path

import pytest

from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.import_file import import_file

STUDY = """
version: 1
study: {id: small, title: {en: Small}}
languages: [en]
arms: [reference, intervention]
strata: [municipality]
randomisation: {drawn_elsewhere: true, scheme: stratified}
waves:
  - {id: w1, label: {en: start}, from: 2027-09-01, to: 2027-09-30}
  - {id: w2, label: {en: end}, from: 2028-05-01, to: 2028-05-31}
eligibility: {age_years: {from: 3, below: 7}, at: w1}
collect:
  screening: {waves: [w1, w2]}
columns:
  screening: {score: number}
  children: {kept: integer}
sets: {itt: {filter: null}, kept: {filter: kept == 1}}
outcomes:
  - {id: y, column: screening.score, role: primary, better: lower, at: w2, baseline: w1}
analysis: {set: itt, covariates: [sex], missing_baseline: complete-cases}
"""
INSTITUTIONS = "institution_id,name,municipality\n01,A,North\n02,B,North\n03,C,South\n04,D,South\n"
ALLOCATION = "institution_id,arm,date,source\n" + "".join(
    f"{number},{arm},2027-08-01,by the registry\n"
    for number, arm in (("01", "reference"), ("02", "intervention"), ("03", "reference"), ("04", "intervention"))
)
# c03 is too old at w1 (born 2019); c05 has no baseline score; c06 has no sex; c08 is absent at w2; c10 joins at w2;
# c07 moves from 04 to 03, and stays in the intervention arm.
WAVE1 = """child_id,institution_id,date,sex,birth_month,kept,score
c01,01,2027-09-10,girl,2023-01,1,4
c02,01,2027-09-10,boy,2022-05,1,2
c03,01,2027-09-10,boy,2019-05,1,7
c04,02,2027-09-11,girl,2022-02,1,3
c05,02,2027-09-11,girl,2022-03,1,
c06,03,2027-09-12,,2022-04,1,5
c07,04,2027-09-12,boy,2022-05,1,6
c08,04,2027-09-12,girl,2022-06,0,1
c09,03,2027-09-12,girl,2022-07,0,8
"""
WAVE2 = """child_id,institution_id,date,sex,birth_month,kept,score
c01,01,2028-05-10,girl,2023-01,1,3
c02,01,2028-05-10,boy,2022-05,1,2
c03,01,2028-05-10,boy,2019-05,1,6
c04,02,2028-05-11,girl,2022-02,1,1
c05,02,2028-05-11,girl,2022-03,1,4
c06,03,2028-05-12,,2022-04,1,5
c07,03,2028-05-12,boy,2022-05,1,2
c09,03,2028-05-12,girl,2022-07,0,7
c10,02,2028-05-11,girl,2022-01,1,9
"""


@pytest.fixture
def empty_study(tmp_path):
    """The study's declaration, with nothing imported."""
    return declared(tmp_path)


@pytest.fixture(scope="session")
def small_study(tmp_path_factory):
    """The study with everything imported. Tests read it; none of them writes into it."""
    folder = tmp_path_factory.mktemp("small")
    study = declared(folder)
    store(study, folder, "institutions", INSTITUTIONS, "institutions")
    store(study, folder, "allocation", ALLOCATION, "allocation")
    store(study, folder, "w1", WAVE1, "screening", "w1")
    store(study, folder, "w2", WAVE2, "screening", "w2")
    return study


def declared(folder: Path, text: str = STUDY) -> Study:
    """Write a study.yaml into a folder, and load it."""
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return load_study(folder)


def store(study: Study, folder: Path, name: str, text: str, table: str, wave: str | None = None) -> None:
    """Write an export into a folder, and import it."""
    (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    import_file(study, folder / f"{name}.csv", table, wave=wave)
