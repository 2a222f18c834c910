"""Help in the language of the screen: what docstrings and options say in English is looked up in the catalogue ``commands.po``.

In English nothing is looked up, and no catalogue is read. Names of verbs and options, and what stands for a value (``FILE``), are
the same in every language.
"""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

from asp_eval.cli.language import choose, language
from asp_eval.cli.usage import NoSuchVerb, TooManyArguments, UsageError
from asp_eval.workflow.language import SOURCE, help_words

if TYPE_CHECKING:
    from asp_eval.core.phrases import Translation

ASKED = "--help"
OPTION = "--language"
EXAMPLE = "Example: "
OF_THE_PAGE = ("Usage: ", "Arguments", "Options", "Commands", "[OPTIONS]", "COMMAND [ARGS]...", "default: ", "required", EXAMPLE)


def choose_for_help(arguments: Sequence[str]) -> None:
    """Speak the language that is named anywhere beside ``--help``, which is answered before the options after it are read."""
    if ASKED in arguments:
        choose_named(arguments)


def choose_named(arguments: Sequence[str]) -> None:
    """Speak the language that is named anywhere among arguments that were not all read."""
    for given, value in pairwise([*arguments, ""]):
        if given == OPTION or given.startswith(OPTION + "="):
            choose(value if given == OPTION else given.partition("=")[2])


def paragraphs(text: str | None) -> Iterator[str]:
    r"""Yield the paragraphs of a help text, each on one line.

    Examples
    --------
    >>> list(paragraphs("Score the answers.\n\nEach on its\nform."))
    ['Score the answers.', 'Each on its form.']
    """
    for part in re.split(r"\n\s*\n", inspect.cleandoc(text or "")):
        if part.strip():
            yield " ".join(part.split())


def _said(paragraph: str, say: Translation) -> str:
    """Return a paragraph in another language; of an example the word alone, for a command is the same in all."""
    if paragraph.startswith(EXAMPLE):
        return say(EXAMPLE) + paragraph.removeprefix(EXAMPLE)
    return say(paragraph)


def _record(param: Any, ctx: Any, say: Translation) -> tuple[str, str] | None:
    """Return the line of an option or argument."""
    spoken = copy.copy(param)
    if getattr(param, "help", None):
        spoken.help = say(" ".join(param.help.split()))
    found: tuple[str, str] | None = spoken.get_help_record(ctx)
    if found is None:
        return None
    said, bracket, details = found[1].rpartition("[")
    for word in ("default: ", "required"):
        details = details.replace(word, say(word))
    return found[0], said + bracket + details


class _InLanguage:
    """The parts of a help page, in the language of the screen; typer's own where that is English."""

    def format_usage(self: Any, ctx: Any, formatter: Any) -> None:
        """Write how the command is called."""
        if language() == SOURCE:
            super().format_usage(ctx, formatter)  # type: ignore[misc]
            return
        say = help_words(language())
        pieces = [say(piece) for piece in self.collect_usage_pieces(ctx)]
        formatter.write_usage(ctx.command_path, " ".join(pieces), prefix=say("Usage: "))

    def format_help_text(self: Any, ctx: Any, formatter: Any) -> None:
        """Write what the command does."""
        if language() == SOURCE:
            super().format_help_text(ctx, formatter)  # type: ignore[misc]
            return
        say = help_words(language())
        with formatter.indentation():
            for part in paragraphs(self.help):
                formatter.write_paragraph()
                formatter.write_text(_said(part, say))

    def format_options(self: Any, ctx: Any, formatter: Any) -> None:
        """Write the arguments and options, and of a group its commands."""
        if language() == SOURCE:
            super().format_options(ctx, formatter)  # type: ignore[misc]
            return
        say = help_words(language())
        kinds: dict[str, list[tuple[str, str]]] = {"argument": [], "option": []}
        for param in self.get_params(ctx):
            line = _record(param, ctx, say)
            if line is not None:
                kinds[param.param_type_name].append(line)
        for kind, heading in (("argument", "Arguments"), ("option", "Options")):
            if kinds[kind]:
                with formatter.section(say(heading)):
                    formatter.write_dl(kinds[kind])
        commands = getattr(self, "commands", None)
        if commands:
            rows = [(name, _first(each, say)) for name, each in commands.items() if not each.hidden]
            with formatter.section(say("Commands")):
                formatter.write_dl(rows)


def _first(command: Any, say: Translation) -> str:
    return _said(next(paragraphs(command.help), ""), say)


class SpokenCommand(_InLanguage, TyperCommand):
    """A verb whose help is in the language of the screen, and what is said of its usage."""

    allow_extra_args = True  # for them to be refused here

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, and refuse what is left of them."""
        try:
            left = super().parse_args(ctx, args)
        except UsageError as error:
            error.ctx = error.ctx or ctx  # the parser does not know it
            raise
        if left and not ctx.resilient_parsing:
            raise TooManyArguments(left, ctx)
        return left


class SpokenGroup(_InLanguage, TyperGroup):
    """A group of verbs whose help is in the language of the screen, and what is said of its usage."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find a verb by its name, and refuse one that there is not."""
        if self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            raise NoSuchVerb(args[0], self.list_commands(ctx), ctx)
        return super().resolve_command(ctx, args)
