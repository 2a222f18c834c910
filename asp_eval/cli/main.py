"""The command ``asp-eval``: what the shell calls, and the exit codes.

0 done; 1 refused because of the data or the study, with the reason; 2 wrong usage.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from asp_eval.cli import commands
from asp_eval.cli.app import LANGUAGE_VARIABLE
from asp_eval.cli.console import print_problems
from asp_eval.core.errors import AspError, Fault
from asp_eval.core.phrases import ENGLISH, Translation

NOT_ALLOWED = Fault(
    "CLI-005",
    "the system does not let the file be read or written: {reason}",
    "Check that the path is right, that you may write there, and that the file is not open elsewhere.",
)


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its code."""
    try:
        commands.app(arguments, prog_name="asp-eval")
    except AspError as error:
        problems = error.problems
    except OSError as error:
        problems = (NOT_ALLOWED.at(str(error.filename or ""), reason=(error.strerror or str(error)).lower()),)
    else:
        return
    given = sys.argv if arguments is None else arguments
    print_problems(problems, as_json="--json" in given, words=_words(given))
    sys.exit(1)


def _words(arguments: Sequence[str]) -> Translation:
    """Return the language that was asked for; English if it is none, which is then what the problem says."""
    from asp_eval.reporting.language import available_languages, fault_words

    told = [after for option, after in zip(arguments, [*arguments[1:], ""], strict=True) if option == "--language"]
    told += [argument.partition("=")[2] for argument in arguments if argument.startswith("--language=")]
    language = (told or [os.environ.get(LANGUAGE_VARIABLE, "")])[0]
    return fault_words(language) if language in available_languages() else ENGLISH


if __name__ == "__main__":
    main()
