"""The command ``asp-eval``: what the shell calls, and the exit codes.

0 done; 1 refused because of the data or the study, with the reason; 2 wrong usage.
"""

from __future__ import annotations

import sys

from asp_eval.cli import commands
from asp_eval.cli.console import print_problems
from asp_eval.cli.language import start_anew
from asp_eval.core.errors import AspError, Fault

NOT_ALLOWED = Fault(
    "CLI-005",
    "the system does not let the file be read or written: {reason}",
    "Check that the path is right, that you may write there, and that the file is not open elsewhere.",
)


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its code."""
    try:
        start_anew()
        commands.app(arguments, prog_name="asp-eval")
    except AspError as error:
        problems = error.problems
    except OSError as error:
        problems = (NOT_ALLOWED.at(str(error.filename or ""), reason=(error.strerror or str(error)).lower()),)
    else:
        return
    print_problems(problems, as_json="--json" in (sys.argv if arguments is None else arguments))
    sys.exit(1)


if __name__ == "__main__":
    main()
