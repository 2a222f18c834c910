"""Moments as files: what is saved is what is loaded, and nothing of too few rows leaves the house.

1. Saved, loaded, fitted: the same numbers, bit for bit, whatever the groups are called.
2. The disclosure rule: groups, categories, cells of two categories, rests, columns of zeros and ones by any name, cross-products
   within groups; nothing is written where it refuses.
3. Files that are none, or were cut, are refused.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from asp_eval import AspError, Moments, lmm_from_moments

RNG = np.random.default_rng(5)
G = np.repeat(np.arange(12), 40)


def frame(**changed: object) -> pd.DataFrame:
    made = pd.DataFrame(
        {"g": G, "arm": np.where(G % 2, "new", "old"), "x": RNG.normal(size=480), "t": np.tile([0, 1, 2, 3], 120)}
    )
    made["half"] = np.where(G < 6, "a", "b")
    made["edu"] = np.tile(["p", "q", "r", "s"], 120)
    made["y"] = made["x"] + RNG.normal(size=12)[G] + RNG.normal(size=480)
    return made.assign(**changed)


@pytest.mark.parametrize(
    "formula",
    ["y ~ arm + x + (1 + t | g)", "y ~ arm * edu + (1 | half/g)", "y ~ poly(x, 2) + (1 | g)", "y ~ x^2 + (1 | g) + (1 | edu)"],
)
def test_what_is_loaded_is_what_was_saved(formula, tmp_path):
    m = Moments.from_frame(formula, frame())
    m.save(tmp_path / "m.npz", minimum=1)
    loaded = Moments.load(tmp_path / "m.npz")
    assert loaded.layout == m.layout
    assert (loaded.n_obs, loaded.n_dropped, loaded.weighted) == (m.n_obs, m.n_dropped, m.weighted)
    assert lmm_from_moments(loaded).tidy().equals(lmm_from_moments(m).tidy())
    assert (m + loaded).n_obs == 960


def test_nothing_of_the_rows_is_in_the_file(tmp_path):
    made = frame(x=RNG.normal(size=480))
    Moments.from_frame("y ~ arm + x + (1 | g)", made).save(tmp_path / "m.npz")
    with np.load(tmp_path / "m.npz", allow_pickle=False) as held:
        numbers = np.concatenate([held[name].ravel().astype(float) for name in held.files if name != "about"])
    assert len(numbers) < 480
    assert not np.isin(made["y"], numbers).any()


SMALL = {
    "group": ("y ~ x + (1 | g)", {"g": np.r_[np.full(3, 99), G[3:]]}),
    "category": ("y ~ c + (1 | g)", {"c": np.r_[np.full(4, "rare"), np.full(476, "usual")]}),
    "reference": ("y ~ c + (1 | g)", {"c": np.r_[np.full(3, "a"), np.tile(["b", "c", "b"], 159)]}),
    # 40 of old and 2 of new: each category is large enough, the cell is not
    "cell": ("y ~ arm + c + (1 | g)", {"c": np.r_[np.full(42, "k"), np.full(438, "l")]}),
    "numbers of zero and one": ("y ~ c + (1 | g)", {"c": np.r_[np.ones(4), np.zeros(476)]}),
    "missing": ("y ~ x + (1 | g)", {"x": np.r_[np.full(2, np.nan), np.zeros(10), np.arange(468.0)]}),
}


@pytest.mark.parametrize("kind", SMALL)
def test_too_few_rows_are_not_written(kind, tmp_path):
    formula, changed = SMALL[kind]
    m = Moments.from_frame(formula, frame(**changed))
    with pytest.raises(AspError, match="FIT-173"):
        m.save(tmp_path / "m.npz")
    assert not list(tmp_path.iterdir())
    m.save(tmp_path / "m.npz", minimum=1)


def test_cross_products_of_groups_need_three_rows_a_column(tmp_path):
    short = frame()[:440].assign(g=np.r_[G[:430], np.full(10, 11)])
    Moments.from_frame("y ~ arm + x + t + (1 | g)", short).save(tmp_path / "m.npz")
    with pytest.raises(AspError, match=r"FIT-173.*cross-products.*15"):
        Moments.from_frame("y ~ arm + x + t + (1 + t | g)", short).save(tmp_path / "slopes.npz")


def test_what_cannot_be_counted_is_not_written(tmp_path):
    weighted = Moments.from_frame("y ~ arm + (1 | g)", frame(), weights=np.full(480, 2.0))
    with pytest.raises(AspError, match="FIT-174"):
        weighted.save(tmp_path / "m.npz")
    with pytest.raises(AspError, match="FIT-178"):
        Moments.from_frame("y ~ C(edu, Sum) + (1 | g)", frame()).save(tmp_path / "m.npz")
    for minimum in (0, 2.5, True, "5"):
        with pytest.raises(AspError, match="FIT-177"):
            weighted.save(tmp_path / "m.npz", minimum=minimum)
    with pytest.raises(AspError, match="FIT-176"):
        Moments.from_frame("y ~ x + (1 | g)", frame(g=pd.to_datetime("2020-01-01") + pd.to_timedelta(G, "D"))).save(
            tmp_path / "m.npz"
        )
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_none_is_refused(tmp_path):
    Moments.from_frame("y ~ x + (1 | g)", frame()).save(tmp_path / "m.npz")
    whole = (tmp_path / "m.npz").read_bytes()
    for name, content in {"cut": whole[: len(whole) // 2], "text": b"y ~ x", "empty": b""}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(AspError, match="FIT-175"):
            Moments.load(tmp_path / name)
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    for name in ("other.npz", "nowhere.npz"):
        with pytest.raises(AspError, match="FIT-175"):
            Moments.load(tmp_path / name)
    with np.load(tmp_path / "m.npz") as held:
        arrays = dict(held)
    np.savez(tmp_path / "short.npz", **(arrays | {"total": arrays["total"][1:]}))
    with pytest.raises(AspError, match=r"FIT-175.*total"):
        Moments.load(tmp_path / "short.npz")
