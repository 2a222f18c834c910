"""What docs/instruments.md says of a questionnaire of one's own is done here, from the file to the printed result."""

import re
import shlex
from pathlib import Path

import pytest

from asp_eval.core.resources import shipped_folder
from asp_eval.trial.instruments.library import instrument


@pytest.fixture(scope="module")
def page():
    text = (shipped_folder("instruments").parent / "docs" / "instruments.md").read_text(encoding="utf-8")
    return text.split("## A questionnaire of your own")[1].split("\n## ")[0]


def blocks(page, kind):
    return re.findall(rf"```{kind}\n(.*?)```", page, flags=re.DOTALL)


def test_the_page_leads_from_a_file_to_a_printed_result(page, tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my-study" / "instruments").mkdir(parents=True)
    file, declaration = blocks(page, "yaml")
    (tmp_path / "my-study" / "instruments" / "wellbeing.yaml").write_text(file, encoding="utf-8")
    (tmp_path / "my-study" / "study.yaml").write_text(declaration, encoding="utf-8")
    inline = re.findall(r"`asp-eval (instruments (?:check|export)[^`]*)`", page)
    (made_up,) = blocks(page, "python")
    exec(made_up, {})
    commands = [line.removeprefix("asp-eval ") for block in blocks(page, "sh") for line in block.splitlines()]
    for command in [*inline, *commands]:
        ran = run(*shlex.split(command))
        assert ran.code == 0, (command, ran.out, ran.err)
    shown = (tmp_path / "my-study" / "output" / "evaluation.html").read_text(encoding="utf-8")
    assert "Well-being" in shown
    assert instrument("wellbeing", study=Path("my-study")).scale_keys == ("wellbeing",)
    assert (tmp_path / "wellbeing.en.html").is_file()
