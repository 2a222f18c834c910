"""The way from exports to a report that docs/importing.md describes, walked as it stands there: nine commands, no wrong turn."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.resources import shipped_folder
from asp_eval.trial.instruments.library import instrument
from asp_eval.workflow.open_study import open_study
from tests.command import asp_eval

MANUAL = shipped_folder("data_schema").parent / "docs" / "importing.md"
CHAPTER = "## From exports to a report in nine commands"
FORM = instrument("sdq-teacher-4-17")
TURNED = ("obeys", "reflect", "attends", "friend", "popular")
PLACES = ("Aarhus", "Tønder", "Ærø")
INSTITUTIONS, CHILDREN = 18, 9


def chapter() -> str:
    return MANUAL.read_text(encoding="utf-8").split(CHAPTER)[1].split("\n## ")[0]


def commands() -> list[list[str]]:
    return [shlex.split(line.strip())[1:] for line in chapter().splitlines() if line.startswith("    asp-eval ")]


def collected() -> str:
    """What the page tells to write into study.yaml."""
    return next(re.finditer(r"\n    (collect:\n(?:      .*\n)+)", chapter()))[1].replace("\n    ", "\n")


def wave(month: str, seed: int) -> str:
    """The file of a wave, under the names that the page shows."""
    rng = np.random.default_rng(seed)
    n = INSTITUTIONS * CHILDREN
    child = np.arange(n)
    level = np.sin(child) + rng.normal(size=n) / 2
    frame = pd.DataFrame({"Barnets nr.": [f"{i:04}" for i in child], "Institution": [f"D{i // CHILDREN:02}" for i in child]})
    frame["Køn"] = np.where(child % 2, "Pige", "Dreng")
    frame["Fødselsmåned"] = [f"{1 + i % 12:02}-{2021 + i % 3}" for i in child]
    frame["Udfyldt"] = [f"{1 + i % 28:02}-{month}" for i in child]
    for key in FORM.item_keys:
        answer = np.clip(np.round(1 + (level + rng.normal(size=n)) / 1.5), 0, 2).astype(int)
        frame[f"t{key}"] = 2 - answer if key in TURNED else answer
    return frame.assign(**{"E-mail": [f"x{i}@example.org" for i in child]}).to_csv(index=False, sep=";")


def test_the_way_is_walked_as_the_page_describes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = commands()
    assert len(steps) == 9
    shown = chapter()
    assert wave("09-2027", 1).partition("tconsid")[0] in shown
    monkeypatch.setenv("ASP_EVAL_KEYS", str(tmp_path / "keys"))
    places = "".join(f"D{i:02};{PLACES[i % len(PLACES)]}\n" for i in range(INSTITUTIONS))
    (tmp_path / "institutioner.csv").write_text("institution_id;municipality\n" + places, encoding="cp1252")
    (tmp_path / "start.csv").write_text(wave("09-2027", 1), encoding="cp1252")
    (tmp_path / "slut.csv").write_text(wave("04-2028", 2), encoding="cp1252")
    for step in steps:
        ran = asp_eval(*step, cwd=tmp_path)
        assert ran.code == 0, (step, ran.out, ran.err)
        if step[0] == "init":
            file = tmp_path / "my-study" / "study.yaml"
            text = re.sub(r"\ncollect:.*\n(?:  .*\n)+", "\n" + collected(), file.read_text(encoding="utf-8"))
            file.write_text(re.sub(r"\ngap: .*\n", "\n", text), encoding="utf-8")
    study = open_study(tmp_path / "my-study")
    assert study.table("screening").groupby("wave").size().to_dict() == dict.fromkeys(("w1", "w2"), INSTITUTIONS * CHILDREN)
    first = study.table("children").set_index("child_id").loc["0000"]
    assert (first["sex"], first["birth_month"]) == ("boy", "2021-01")
    assert set(study.table("institutions")["municipality"]) == set(PLACES)
    assert {path.name for path in (tmp_path / "my-study" / "output").glob("*.html")} == {"evaluation.html", "evaluation.en.html"}
    assert not [
        path for path in (tmp_path / "my-study" / "data").rglob("*.csv") if "example.org" in path.read_text("utf-8", "replace")
    ]
