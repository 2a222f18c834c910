"""The language of the screen.

1. Before the verb, after it, and by the environment variable the same is said.  2. Every verb has the option.  3. One that has no
catalogue is refused; those that have one are found, and none is named in the code.  4. A command leaves no language behind.
5. A refusal is in the language that was asked for.
"""

from __future__ import annotations

import pytest

from asp_eval.cli import commands, language
from asp_eval.reporting.language import available_languages

VERBS = [command.callback.__name__ for command in commands.app.registered_commands]


def test_before_the_verb_after_it_and_by_the_environment(run, rated, monkeypatch):
    before = run("--language", "da", "check", "--study", rated.folder)
    assert before.out.startswith("tabel")
    assert before == run("check", "--language", "da", "--study", rated.folder)
    assert before == run("check", "--language=da", "--study", rated.folder)
    monkeypatch.setenv(language.VARIABLE, "da")
    assert before == run("check", "--study", rated.folder)
    assert run("check", "--study", rated.folder, "--language", "en").out.startswith("table")


def test_no_language_is_left_behind(run, rated):
    run("--language", "da", "check", "--study", rated.folder)
    assert run("check", "--study", rated.folder).out.startswith("table")


@pytest.mark.parametrize("verb", [*VERBS, "instruments list", "instruments show", "instruments check", "instruments export"])
def test_every_verb_has_the_option(run, verb):
    name = "import" if verb == "import_" else verb
    assert "--language" in run(*name.split(), "--help").out


def test_a_language_without_a_catalogue_is_refused(run, rated):
    for arguments in (["--language", "sv", "check"], ["check", "--language", "sv"]):
        refused = run(*arguments, "--study", rated.folder)
        assert refused.code == 1
        assert "CLI-007" in refused.err
        assert ", ".join(available_languages()) in " ".join(refused.err.split())


def test_a_refusal_is_in_the_language_that_was_asked_for(run, tmp_path):
    refused = run("--language", "da", "check", cwd=tmp_path)
    assert refused.code == 1
    assert "der er ingen undersøgelse her" in refused.err.lower()


def test_what_verbs_say_is_danish(run, rated):
    assert "spørgeskemaer er i orden" in run("instruments", "check", "--language", "da").out
    assert run("score", "--language", "da", "--study", rated.folder).out.startswith("spørgeskema")
    assert "filer skrevet til" in run("export", "--language", "da", "--study", rated.folder).out
