"""Adding a dialect is one new file: what docs/dialects.md shows is done here, and nothing else."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from asp_eval.core.errors import DataProblems
from asp_eval.intake.files import readers
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.reading import read_raw

PAGE = (Path(__file__).parents[2] / "docs" / "dialects.md").read_text(encoding="utf-8")
MODULE = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]
EXPORT = "".join(line[4:] + "\n" for line in PAGE.partition("```python")[0].splitlines() if re.match(r"    \S+", line))


@pytest.fixture
def added(tmp_path, monkeypatch):
    """Put modules into the package's folder, as it were."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.setattr(readers, "__path__", [*readers.__path__, str(folder)])

    def add(name: str, module: str) -> None:
        (folder / f"{name}.py").write_text(module, encoding="utf-8")

    yield add
    for path in folder.glob("*.py"):
        sys.modules.pop(f"{readers.__name__}.{path.stem}", None)


@pytest.fixture
def export(tmp_path):
    path = tmp_path / "day.txt"
    path.write_text(EXPORT, encoding="utf-8")
    return path


def codes(path: Path, form: FileFormat | None = None) -> list[str]:
    with pytest.raises(DataProblems) as caught:
        read_raw(path, form)
    return [problem.code for problem in caught.value.problems]


def test_without_the_module_the_file_is_any_text(export):
    assert set(codes(export)) == {"SCR-006"}
    assert codes(export, FileFormat(dialect="tally")) == ["SCR-071"]


def test_with_the_module_it_is_found_and_read(export, added):
    added("tally", MODULE)
    raw = read_raw(export)
    assert {name: list(column.cells()) for name, column in raw.columns.items()} == {"id": ["007", "008"], "mood": ["1", "NA"]}
    assert (raw.dialect.format, raw.rows.tolist(), raw.titles) == ("tally", [4, 5], {"mood": "How was the day?"})
    export.write_text(EXPORT.replace("008;NA\n", ""), encoding="utf-8")
    assert codes(export) == ["SCR-999"]


def test_the_mapping_names_it_like_any_other(export, added):
    added("tally", MODULE)
    assert len(read_raw(export, FileFormat(dialect="tally"))) == 2
    assert codes(export, FileFormat(dialect="csv", delimiter=";")) == ["SCR-006"] * 4


def test_two_that_know_a_file_are_not_chosen_between(export, added):
    added("tally", MODULE)
    added("reckoning", MODULE.replace('name: str = "tally"', 'name: str = "reckoning"'))
    with pytest.raises(DataProblems) as caught:
        read_raw(export)
    (problem,) = caught.value.problems
    assert problem.code == "SCR-072"
    assert "reckoning and tally" in problem.text
    assert "format: {dialect: reckoning}" in problem.remedy
    assert read_raw(export, FileFormat(dialect="tally")).dialect.format == "tally"


def test_every_shipped_reader_has_a_name_of_its_own():
    names = [reader.name for reader in readers.all_readers()]
    assert sorted(names) == sorted(set(names))
    assert readers.all_readers()[-1].name == "csv"
