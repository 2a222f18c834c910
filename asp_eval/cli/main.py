"""The command ``asp-eval``: what the shell calls, and the exit codes.

0 done; 1 refused because of the data or the study, with the reason; 2 wrong usage.
"""

from __future__ import annotations

import sys

from asp_eval.cli.commands import app
from asp_eval.cli.console import print_problems
from asp_eval.core.errors import AspError


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its code."""
    try:
        app(arguments, prog_name="asp-eval")
    except AspError as error:
        print_problems(error.problems, as_json="--json" in (sys.argv if arguments is None else arguments))
        sys.exit(1)


if __name__ == "__main__":
    main()
