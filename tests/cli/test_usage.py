"""What is said of a command that cannot be read.

1. Every kind of click's usage error is told from its class and fields, and has its Danish.  2. Each mistake one can make is
said in the language that is named before the verb, after it or in the environment, and ends with 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from asp_eval.cli import commands, usage
from asp_eval.cli.language import VARIABLE
from asp_eval.core.phrases import Phrase
from asp_eval.reporting.language import fault_words
from tests.cli.test_help_language import ENGLISH

ROOT: Any = typer.main.get_command(commands.app)
VERB = ROOT.commands["randomise"]
CONTEXT = VERB.make_context("randomise", [], resilient_parsing=True)
SEED = next(param for param in VERB.params if param.name == "seed")
HELP_ITSELF = "NoArgsIsHelpError"  # carries the page, which is in the language already
SAMPLES: dict[str, dict[str, Any]] = {
    "UsageError": {"message": "x"},
    "BadParameter": {"message": "x", "param": SEED},
    "MissingParameter": {"param": SEED},
    "NoSuchOption": {"option_name": "--sed"},
    "NoSuchCommand": {"command_name": "x"},
    "BadOptionUsage": {"option_name": "--seed", "message": "x"},
    "BadArgumentUsage": {"message": "x"},
    "NoSuchVerb": {"name": "randomize", "known": ["randomise"]},
    "TooManyArguments": {"arguments": ["x"]},
}


def kinds(kind: Any = usage.UsageError) -> Iterator[Any]:
    """A kind of usage error, and every kind of it."""
    yield kind
    for each in kind.__subclasses__():
        yield from kinds(each)


@pytest.mark.parametrize("kind", [kind for kind in kinds() if kind.__name__ != HELP_ITSELF], ids=lambda kind: kind.__name__)
def test_every_kind_of_usage_error_is_told_and_has_its_danish(kind):
    reason = usage.reason_of(kind(ctx=CONTEXT, **SAMPLES[kind.__name__]))
    danish = reason.told(fault_words("da"))
    assert isinstance(reason, Phrase) and danish != reason
    assert re.findall(ENGLISH, danish, re.IGNORECASE) == []


MISTAKES = [
    (["randomise", "--sede", "1"], "tilvalget --sede findes ikke. Mente du --seed", "there is no option --sede."),
    (["randomise", "--seed"], "tilvalget --seed skal have en værdi", "the option --seed needs a value"),
    (["randomise", "--seed", "x"], "værdien af --seed er ikke et helt tal", "the value of --seed is not a whole number"),
    (["randomise", "--late=yes"], "tilvalget --late skal stå uden værdi", "the option --late takes no value"),
    (["randomise", "--late"], "angiv ét af --seed N", "give one of --seed N"),
    (["export", "--format", "pdf"], "er ikke en af csv, excel, parquet", "is not one of csv, excel, parquet"),
    (["import"], "argumentet FILE mangler", "the argument FILE is missing"),
    (["check", "more"], "der er angivet mere, end kommandoen kan bruge: more", "more was given than the command takes: more"),
    (["reprot"], "kommandoen 'reprot' findes ikke. Mente du report", "there is no command 'reprot'. Did you mean report"),
    (["instruments", "shw"], "kommandoen 'shw' findes ikke. Mente du show", "there is no command 'shw'. Did you mean show"),
]


@pytest.mark.parametrize(("arguments", "danish", "english"), MISTAKES, ids=[" ".join(given) for given, _, _ in MISTAKES])
def test_a_mistake_is_said_in_the_language_of_the_screen(run, monkeypatch, arguments, danish, english):
    said = run("--language", "da", *arguments)
    words = " ".join(said.err.split())
    assert said.code == 2 and not said.out
    assert words.startswith("Brug: asp-eval") and danish in words and "Traceback" not in words
    reason = words.partition("Fejl: ")[2].partition("Mente du")[0]
    assert not re.search(ENGLISH, re.sub(r"'[^']*'|--[a-z-]+", "", reason), re.IGNORECASE)
    if arguments != ["randomise", "--seed"]:  # which would take it for its value
        assert run(*arguments, "--language", "da").err == said.err
    plain = run(*arguments)
    assert plain.code == 2 and english in " ".join(plain.err.split())
    monkeypatch.setenv(VARIABLE, "da")
    assert run(*arguments).err == said.err


def test_a_language_alone_is_no_command(run):
    said = run("--language", "da")
    assert said.code == 2 and "der er ikke angivet nogen kommando" in said.err


def test_nothing_at_all_is_answered_with_the_help(run):
    assert "randomise" in run().out + run().err
