"""What is said of a command that cannot be read, in the language of the screen.

click says it in English, and typer brings a click of its own. Each of their errors is told here from its class and its fields,
never from its sentence; what has no fields there is raised here with fields.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer

from asp_eval.cli.console import spoken
from asp_eval.core.phrases import Phrase, did_you_mean

UsageError: Any = typer.BadParameter.__mro__[1]
KINDS: Mapping[object, Phrase] = {int: Phrase("a whole number"), float: Phrase("a number"), Path: Phrase("a file or folder")}


class NoSuchVerb(UsageError):  # type: ignore[misc]
    """A group of verbs has none of this name."""

    def __init__(self, name: str, known: Sequence[str], ctx: Any) -> None:
        super().__init__(name, ctx)
        self.name, self.known = name, known


class TooManyArguments(UsageError):  # type: ignore[misc]
    """A verb was given more than it takes."""

    def __init__(self, arguments: Sequence[str], ctx: Any) -> None:
        super().__init__(" ".join(arguments), ctx)
        self.arguments = arguments


def tell(error: Any) -> None:
    """Print how the command is called, where its help is, and what is wrong; the help itself if nothing was given at all."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return
    if error.ctx is not None:
        asked = Phrase("'{command} --help' says more.", command=error.ctx.command_path)
        print(f"{error.ctx.get_usage()}\n{spoken(asked)}\n", file=sys.stderr)
    print(spoken(Phrase("Error: {reason}", reason=reason_of(error))).rstrip(), file=sys.stderr)


def reason_of(error: Any) -> Phrase:
    """Return what is wrong, by the class of the error nearest to its own that is known here."""
    return next(REASONS[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in REASONS)(error)


def _missing(error: Any) -> Phrase:
    if _kind(error) == "option":
        return Phrase("the option {name} is missing", name=_name(error))
    return Phrase("the argument {name} is missing", name=_name(error))


def _bad_value(error: Any) -> Phrase:
    if isinstance(error.message, Phrase):
        return error.message
    expected = _expected(error)
    if expected is None:
        return Phrase("the value of {name} cannot be used", name=_name(error))
    return Phrase("the value of {name} is not {expected}", name=_name(error), expected=expected)


def _no_option(error: Any) -> Phrase:
    near = did_you_mean(error.option_name, _options(error))
    return Phrase("there is no option {name}. {near}", name=error.option_name, near=near)


def _bad_option(error: Any) -> Phrase:
    if any(error.option_name in each.opts and getattr(each, "is_flag", False) for each in _params(error)):
        return Phrase("the option {name} takes no value", name=error.option_name)
    return Phrase("the option {name} needs a value", name=error.option_name)


def _no_verb(error: NoSuchVerb) -> Phrase:
    near = did_you_mean(error.name, error.known)
    return Phrase("there is no command {name!r}. {near}", name=error.name, near=near)


def _too_many(error: TooManyArguments) -> Phrase:
    return Phrase("more was given than the command takes: {arguments}", arguments=" ".join(error.arguments))


def _unreadable(error: Any) -> Phrase:
    if known := getattr(getattr(error.ctx, "command", None), "commands", None):
        return Phrase("no command was named; one of: {known}", known=", ".join(known))
    return Phrase("the command cannot be read as it was given")


REASONS: Mapping[str, Callable[[Any], Phrase]] = {
    "MissingParameter": _missing,
    "BadParameter": _bad_value,
    "NoSuchOption": _no_option,
    "BadOptionUsage": _bad_option,
    "NoSuchVerb": _no_verb,
    "TooManyArguments": _too_many,
    "UsageError": _unreadable,
}


def _params(error: Any) -> Sequence[Any]:
    return () if error.ctx is None else error.ctx.command.params


def _options(error: Any) -> list[str]:
    return [name for each in _params(error) for name in (*each.opts, *each.secondary_opts) if name.startswith("-")]


def _name(error: Any) -> str:
    """Return what a parameter is called in the help: an option by its name, an argument by what stands for it."""
    if error.param is None:
        return " / ".join([error.param_hint] if isinstance(error.param_hint, str) else error.param_hint or [])
    return str(error.param.opts[0] if _kind(error) == "option" else error.param.metavar or error.param.name.upper())


def _kind(error: Any) -> str:
    return str(getattr(error, "param_type", None) or getattr(error.param, "param_type_name", ""))


def _expected(error: Any) -> Phrase | None:
    """Return what the verb's function declares the value of a parameter to be."""
    if error.param is None or error.ctx is None or error.ctx.command.callback is None:
        return None
    declared = inspect.signature(error.ctx.command.callback).parameters.get(error.param.name)
    for kind in () if declared is None else _kinds_in(declared.annotation):
        if get_origin(kind) is Literal:
            return Phrase("one of {choices}", choices=", ".join(map(str, get_args(kind))))
        if kind in KINDS:
            return KINDS[kind]
    return None


def _kinds_in(annotation: Any) -> list[Any]:
    """Return an annotation and everything it is made of, the outermost first."""
    if get_origin(annotation) is Literal:
        return [annotation]
    return [annotation, *(kind for part in get_args(annotation) for kind in _kinds_in(part))]
