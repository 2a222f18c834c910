"""Shipped folders are found from any working directory."""

import pytest

from asp_eval.core.resources import shipped_folder


@pytest.mark.parametrize("name", ["instruments", "data_schema", "reports"])
def test_found_from_another_folder(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shipped_folder(name).is_dir()


def test_an_installation_without_data_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr("asp_eval.core.resources.files", lambda _: tmp_path / "asp_eval")
    with pytest.raises(FileNotFoundError, match="install the package again"):
        shipped_folder("instruments")
