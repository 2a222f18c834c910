"""Who belongs to the cohort: by first wave and by age, in the reader's arithmetic."""

import pandas as pd
import pytest
import yaml

from asp_eval.trial.flow.cohort import baseline_wave, rated_on, with_cohort
from asp_eval.trial.study.ages import age_years
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import study_template


@pytest.fixture
def study():
    return Study.model_validate(yaml.safe_load(study_template()))  # ages 3 to below 7 at w1, which starts 2027-09-01


def children(**columns):
    n = len(next(iter(columns.values())))
    return pd.DataFrame({"child_id": [f"c{i}" for i in range(n)], "first_wave": ["w1"] * n} | columns)


def visits(dates):
    return pd.DataFrame({"child_id": [f"c{i}" for i in range(len(dates))], "wave": "w1", "date": pd.to_datetime(dates)})


def test_age_is_counted_to_the_middle_of_the_birth_month():
    # 2024-09-15 to 2027-09-15 is 1095 days, 2.998 years of 365.25 days
    age = age_years(pd.Series(["2024-09"]), pd.Series(pd.to_datetime(["2027-09-15"])))
    assert age.iloc[0] == pytest.approx(1095 / 365.25)


def test_ages_at_both_edges(study):
    # below 3 | 3 | nearly 7 | 7 years old on 15 September 2027
    frame = with_cohort(study, children(birth_month=["2024-10", "2024-08", "2020-10", "2020-08"]), visits(["2027-09-15"] * 4))
    assert frame["standing"].tolist() == ["not_eligible", "cohort", "cohort", "not_eligible"]


def test_a_child_first_seen_later_joined_later_whatever_its_age(study):
    frame = with_cohort(study, children(birth_month=["2023-01"], first_wave=["w2"]), visits(["2027-09-15"]))
    assert frame["standing"].tolist() == ["joined_later"]


def test_a_child_of_unknown_age_is_kept(study):
    frame = with_cohort(study, children(birth_month=[None]), visits(["2027-09-15"]))
    assert frame["standing"].tolist() == ["cohort"]
    assert frame["age"].isna().all()


def test_without_eligibility_the_first_wave_defines_the_cohort(study):
    free = study.model_copy(update={"eligibility": None})
    assert baseline_wave(free) == "w1"
    frame = with_cohort(free, children(birth_month=["1990-01"]), visits(["2027-09-15"]))
    assert frame["standing"].tolist() == ["cohort"]


def test_an_undated_rating_counts_as_the_first_day_of_the_wave(study):
    assert rated_on(study, visits([None, "2027-10-01"]), "w1").tolist() == [
        pd.Timestamp("2027-09-01"),
        pd.Timestamp("2027-10-01"),
    ]


def test_eligibility_judged_at_a_later_wave_keeps_the_children_seen_before_it(study):
    # w2 starts 2028-04-01; one child is then 3, one 7; the third is first seen at w2, and belongs
    later = study.model_copy(update={"eligibility": study.eligibility.model_copy(update={"at": "w2"})})
    frame = children(birth_month=["2025-01", "2021-01", "2024-01"], first_wave=["w1", "w1", "w2"])
    seen = visits(["2027-09-15"] * 3)
    assert with_cohort(later, frame, seen)["standing"].tolist() == ["cohort", "not_eligible", "cohort"]


def test_without_eligibility_the_first_screening_defines_the_cohort(study):
    screening = study.collect.screening[0]
    from_w2 = study.collect.model_copy(update={"screening": (screening.model_copy(update={"waves": ("w2",)}),)})
    assert baseline_wave(study.model_copy(update={"eligibility": None, "collect": from_w2})) == "w2"
