"""``asp-eval power``: a table of 80 columns with every assumption, two files, JSON, refusals with their code."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from asp_eval import Losses, TwoLevel, power


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    """A study that was just begun."""
    place = tmp_path_factory.mktemp("power") / "mine"
    assert run("init", place).code == 0
    return place


@pytest.fixture(scope="module")
def shown(run, folder):
    return run("power", "--effect", "0.15", "--effect", "0.25", "--icc", "0.05", "--icc", "0.1", "--simulate", "200", cwd=folder)


def test_it_needs_no_data_and_fits_80_columns(shown):
    assert shown.code == 0, shown.err
    assert shown.err == ""
    assert max(map(len, shown.out.splitlines())) <= 80


def test_every_assumption_is_said(shown):
    for words in (
        "60 institutions",
        "intervention compared with reference",
        "municipality",
        "50 children",
        "van Breukelen",
        "conduct at w2",
        "baseline w1",
        "intraclass correlations as asked",
        "10% of the others' children",
        "standard deviations",
        "t test at 0.05",
        "degrees of freedom 57",
        "200 trials simulated",
        "Monte Carlo",
        "Institutions needed for 80% power",
    ):
        assert words in " ".join(shown.out.split()), words


def test_the_numbers_are_those_of_the_design(shown, folder):
    stored = pd.read_csv(folder / "output" / "power.csv")
    assert list(stored.columns[:5]) == ["icc", "effect", "power", "std_error", "df"]
    for row in stored.itertuples():
        alone = power(TwoLevel(60, 50, row.icc, cv=0.4, strata=2), row.effect, losses=Losses(individuals=0.1))
        assert row.power == pytest.approx(alone.power, rel=1e-12)
        assert f"{row.power:.3f}" in shown.out
    assert stored["assumed"].str.contains("60 institutions").all()


def test_a_picture_is_written(shown, folder):
    picture = (folder / "output" / "power.svg").read_text(encoding="utf-8")
    assert picture.lstrip().startswith("<svg ")
    assert "intraklassekorrelation" in picture
    assert shown.out.count("output/power.svg") == 1


def test_json(run, folder):
    found = run("power", "--icc", "0.1", "--effect", "0.2", "--json", cwd=folder)
    answer = json.loads(found.out)
    assert answer["power"][0]["icc"] == 0.1
    assert answer["detectable"][0]["power"] == 0.8
    assert answer["assumptions"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--icc", "5"], "PWR-015"), (["--institutions", "2"], "PWR-011"), (["--learn", "nothing"], "PWR-046")],
)
def test_refusals_have_their_code(run, folder, arguments, code):
    refused = run("power", *arguments, cwd=folder)
    assert refused.code == 1
    assert code in refused.err
    assert "Traceback" not in refused.err


def test_wrong_usage_is_exit_2(run, folder):
    assert run("power", "--icc", "much", cwd=folder).code == 2
