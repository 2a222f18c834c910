"""The demo's flow counted a second time with pandas, from the files as they were received and nothing of the package."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from asp_eval.analysis.data import load_data
from asp_eval.analysis.missingness import by_institution
from asp_eval.trial.study.protocol import load_study

WAVES = ("w1", "w2", "w3")


@pytest.fixture(scope="module")
def received(demo) -> dict[str, pd.DataFrame]:
    """The three waves with the same column names: child, house, rated, day, born."""
    data = demo.folder / "data"
    names = {"barn_nr": "child", "institution": "house", "udfyldt": "day", "født": "born"}
    first = pd.read_csv(data / "screening_w1.csv", sep=";", encoding="cp1252", dtype=str).rename(columns=names)
    first["rated"], first["day"] = first["status"] == "Gennemført", pd.to_datetime(first["day"], format="%d-%m-%Y")
    second = pd.read_csv(data / "screening_w2.csv", dtype=str)
    third = pd.read_excel(data / "screening_w3.xlsx", dtype=str, engine="openpyxl")
    later = [frame.rename(columns={"centre": "house"}).assign(rated=True) for frame in (second, third)]
    return dict(zip(WAVES, (first, *later), strict=True))


@pytest.fixture(scope="module")
def arms(demo) -> pd.Series:
    return pd.read_csv(demo.folder / "output" / "allocation.csv", dtype=str).set_index("institution_id")["arm"]


@pytest.fixture(scope="module")
def results(demo) -> dict:
    return json.loads((demo.folder / "output" / "results.json").read_text(encoding="utf-8"))


def cohort(received: dict[str, pd.DataFrame], arms: pd.Series) -> pd.DataFrame:
    """Children of the first wave's list, three and not yet seven on the day they were rated, or on the wave's first day."""
    first = received["w1"]
    born = pd.to_datetime(first["born"] + "-15")
    age = (first["day"].fillna(pd.Timestamp("2006-09-01")) - born).dt.days / 365.25
    kept = first.loc[~((age < 3) | (age >= 7)), ["child", "house"]]
    return kept.assign(arm=kept["house"].map(arms)).set_index("child")


def test_every_wave_of_every_arm(received, arms, results):
    everyone = cohort(received, arms)
    there = {wave: frame.loc[frame["rated"]].set_index("child")["house"] for wave, frame in received.items()}
    listed = {wave: set(frame["child"]) for wave, frame in received.items()}
    for flow in results["flow"]["arms"]:
        mine = everyone.loc[everyone["arm"] == flow["arm"]]
        assert flow["cohort"] == len(mine)
        own = set(arms.index[arms == flow["arm"]])
        for k, wave in enumerate(flow["waves"]):
            now = there[WAVES[k]]
            seen = mine.index.intersection(now.index)
            assert wave["screened"] == len(seen)
            assert wave["with_data"] == len(own & set(now))
            moved = now[seen] != mine.loc[seen, "house"]
            assert (wave["moved"], wave["crossed"]) == (moved.sum(), (now[seen].map(arms) != flow["arm"]).sum())
            retained = mine.index.isin(set().union(*(listed[later] for later in WAVES[k:])))
            assert wave["lost"] == (~retained).sum()
            assert wave["absent"] == retained.sum() - len(seen)
            why = wave["not_screened"]
            assert why["unanswered"] + why["unlisted"] + why["institution_silent"] == len(mine) - len(seen)
            if k == 0:
                assert why["unanswered"] == (~mine.index.isin(seen)).sum()


def test_who_received_it_and_how_much(demo, arms, received, results):
    log = pd.read_csv(demo.folder / "data" / "implementation.csv", sep=";", decimal=",", dtype={"institution": str})
    hours = log.loc[log["aktivitet"] != "Projekt udefra"].groupby("institution")["timer"].sum().reindex(arms.index, fill_value=0)
    everyone = cohort(received, arms)
    for flow, dose in zip(results["flow"]["arms"], results["integrity"]["dose"], strict=True):
        own = hours[arms == flow["arm"]]
        enough = own.index[own >= 20]
        assert flow["received"] == {"institutions": len(enough), "children": int(everyone["house"].isin(enough).sum())}
        assert (dose["total"], dose["low"], dose["high"]) == (own.sum(), own.min(), own.max())
        assert dose["mean"] == pytest.approx(own.mean())
        assert dose["sd"] == pytest.approx(np.std(own, ddof=1))


def test_institution_by_institution(demo, received, arms, results):
    everyone, found = cohort(received, arms), by_institution(load_data(load_study(demo.folder)))
    for one in found:
        mine = everyone.index[everyone["house"] == one.institution]
        gone = tuple(len(mine) - frame.loc[frame["rated"], "child"].isin(mine).sum() for frame in received.values())
        assert (one.arm, one.cohort, one.missing) == (arms[one.institution], len(mine), gone)
    assert len(found) == len(arms)
    assert results["integrity"]["institution_lines"] == []  # nobody asked for them: ids and counts are in no file


def test_staff_in_two_arms(demo, arms, results):
    staff = pd.read_csv(demo.folder / "data" / "staff.csv", sep=";", dtype=str, encoding="utf-8-sig")
    met = staff.assign(arm=staff["institution"].map(arms)).groupby("person")["arm"].nunique()
    found = results["integrity"]["contamination"]["staff"]
    assert (found["people"], found["shared"]) == (len(met), (met > 1).sum())


def test_every_analysis_starts_with_the_cohort_and_ends_with_the_model(results):
    waves = {arm["arm"]: {wave["wave"]: wave for wave in arm["waves"]} for arm in results["flow"]["arms"]}
    for outcome in results["outcomes"]:
        for part in outcome["analysed"]:
            assert part["not_screened"] == waves[part["arm"]][part["wave"]]["not_screened"]
            lost = sum(part["not_screened"].values()) + sum(part[k] for k in ("filtered_out", "unscored"))
            lost += part["missing_baseline"] + part["missing_covariate"]
            assert part["cohort"] - lost == part["analysed"]
        assert sum(part["analysed"] for part in outcome["analysed"]) == outcome["n_children"]
        assert sum(part["institutions_analysed"] for part in outcome["analysed"]) == outcome["n_institutions"]
