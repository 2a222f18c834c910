"""Help in the language of the screen.

1. Every help text of a command, argument and option has its Danish, and the catalogue holds no other.  2. The language is taken
from before the verb, after it, behind ``--help`` and from the environment.  3. English help reads no catalogue.  4. Names of
verbs and options, and examples of commands, are the same in every language.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from asp_eval.cli import commands
from asp_eval.cli.help import EXAMPLE, OF_THE_PAGE, paragraphs
from asp_eval.cli.language import VARIABLE
from asp_eval.reporting.language import catalogue

ROOT: Any = typer.main.get_command(commands.app)
HELP_OPTION = "Show this message and exit."
ENGLISH = r"\b(the|and|of|or|is|are|with|which|where|usage|options|commands|arguments|default|required|show|write|example)\b"


def walk(command: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its name, groups included."""
    yield names, command
    for name, each in getattr(command, "commands", {}).items():
        yield from walk(each, (*names, name))


COMMANDS = list(walk(ROOT))


def texts() -> set[str]:
    """Every help text that a person can be shown."""
    said = {part for _, command in COMMANDS for part in paragraphs(command.help) if not part.startswith(EXAMPLE)}
    return said | {" ".join(p.help.split()) for _, command in COMMANDS for p in command.params if getattr(p, "help", None)}


def test_every_help_text_has_its_danish_and_the_catalogue_no_other():
    translated = {message.id for message in catalogue("da", "commands") if message.id}
    assert texts() | {*OF_THE_PAGE, HELP_OPTION} == translated
    assert len(translated) > 100


@pytest.mark.parametrize("names", [names for names, _ in COMMANDS], ids=" ".join)
def test_a_help_page_is_danish_and_names_are_not(run, names):  # 1, 4
    danish, english = run("--language", "da", *names, "--help").out, run(*names, "--help").out
    assert danish.startswith("Brug: asp-eval")
    names_of_lines = r"(?m)^  ((?:--)?[a-z-]+)  "
    assert re.findall(names_of_lines, danish) == re.findall(names_of_lines, english) != []
    prose = re.sub(r"(?s)Brug: .*?\n|Eksempel: .*?(?=\n\n|\Z)|'[^']*'", "", danish)
    assert re.findall(ENGLISH, re.sub(names_of_lines, "", prose), re.IGNORECASE) == []


def test_the_language_may_stand_anywhere(run, monkeypatch):
    danish = run("--language", "da", "gap", "--help")
    assert danish == run("gap", "--help", "--language", "da") == run("gap", "--language=da", "--help")
    monkeypatch.setenv(VARIABLE, "da")
    assert danish == run("gap", "--help")
    assert "Eksempel: asp-eval gap" in danish.out


def test_help_in_a_language_without_a_catalogue_is_refused(run):
    refused = run("gap", "--help", "--language", "sv")
    assert refused.code == 1
    assert "CLI-007" in refused.err


def test_english_help_reads_no_catalogue():
    program = """
import sys
from asp_eval.cli.main import main
try: main(["gap", "--help"])
except SystemExit: pass
assert not {name for name in sys.modules if name.startswith(("babel", "asp_eval.reporting"))}
"""
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout.startswith(b"Usage: ")
