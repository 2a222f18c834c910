"""``asp-eval moments``: sums from a file, and the statement for another warehouse."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from asp_eval import Moments, lmm, lmm_from_moments

FORMULA = "y ~ arm + x + (1 | g)"


def rows() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    g = np.repeat(np.arange(12), 30)
    return pd.DataFrame(
        {
            "g": g,
            "arm": np.where(g % 2, "new", "old"),
            "x": rng.normal(size=360),
            "y": rng.normal(size=12)[g] + rng.normal(size=360),
        }
    )


def test_sums_of_a_file_fit_as_its_rows(run, tmp_path):
    rows().to_csv(tmp_path / "rows.csv", index=False)
    done = run("moments", FORMULA, "--from", "rows.csv", "--category", "arm=old,new", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "360 complete rows" in done.out
    found = lmm_from_moments(Moments.load(tmp_path / "moments.npz")).tidy()
    expected = lmm(FORMULA, rows().assign(arm=lambda d: pd.Categorical(d["arm"], ["old", "new"]))).tidy()
    assert found["term"].tolist() == expected["term"].tolist()
    assert np.allclose(found["std_error"], expected["std_error"], rtol=1e-9)
    asked = run("moments", FORMULA, "--from", "rows.csv", "--json", cwd=tmp_path)
    assert json.loads(asked.out)["groups"] == {"g": 12}


def test_the_statement_is_printed_and_nothing_is_read(run, tmp_path):
    done = run("moments", FORMULA, "--from", "trial.rows", "--category", "arm", "--sql", "--dialect", "spark", cwd=tmp_path)
    assert done.code == 0
    assert "FROM trial.rows" in done.out
    assert "`group_g`" in done.out
    assert not list(tmp_path.iterdir())


def test_refusals_have_codes_and_write_nothing(run, tmp_path):
    rows()[:340].to_csv(tmp_path / "rows.csv", index=False)
    rows()[:332].to_csv(tmp_path / "small.csv", index=False)
    for given, code in (
        ((FORMULA, "--from", "nowhere.parquet"), "ENG-002"),
        ((FORMULA, "--from", "small.csv"), "FIT-173"),
        ((FORMULA, "--from", "rows.csv", "--category", "=a"), "ENG-005"),
        ((FORMULA, "--from", "t", "--sql", "--dialect", "oracle"), "ENG-001"),
        (("y ~ poly(x, 2) + (1 | g)", "--from", "rows.csv"), "FIT-170"),
    ):
        refused = run("moments", *given, cwd=tmp_path)
        assert (refused.code, code in refused.err) == (1, True), refused.err
    assert not (tmp_path / "moments.npz").exists()
