"""A whole trial in Python: the page of the docs runs from top to bottom, in an empty folder, and ends with what it says.

1. The page runs.  2. It leaves the files of a finished trial.  3. What it read is the file that was written.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "in-python.md"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """The folder in which the page ran, and the names it defined."""
    folder = tmp_path_factory.mktemp("page")
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 7
    names: dict[str, object] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for block in blocks:
            exec(compile(block, PAGE.name, "exec"), names)
    return folder, names


def test_the_page_leaves_a_finished_trial(page):
    folder, names = page
    output = folder / "trial" / "output"
    for name in ("results.json", "results.csv", "gap.json", "evaluation.html", "manifest.json", "allocation.csv", "ledger.csv"):
        assert (output / name).is_file(), name
    assert names["printed"].pages[0] == output / "evaluation.html"
    assert len(list((output / "gap").glob("*.html"))) == 13 + 2  # and the two municipalities
    assert (folder / "analysis-files" / "codebook.csv").is_file()


def test_the_results_that_are_returned_printed_and_written_agree(page):
    folder, names = page
    effects = names["results"].effects()
    written = pd.read_csv(folder / "trial" / "output" / "results.csv").set_index("term")
    assert effects.loc[0, "estimate"] == pytest.approx(written.loc["arm[T.intervention]", "estimate"], rel=1e-12)
    assert f"{effects.loc[0, 'estimate']:.6f}".rstrip("0") in str(names["results"])
    own = names["fit"].tidy().set_index("term").loc["arm[T.intervention]"]
    assert own["estimate"] == pytest.approx(effects.loc[0, "estimate"], rel=1e-9)
