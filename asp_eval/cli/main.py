"""The command ``asp-eval``: what the shell calls, and the exit codes.

0 done; 1 refused because of the data or the study, with the reason; 2 wrong usage; 3 the machine stopped it, or a defect of this
package. docs/security.md says what each means for whoever calls the command from a script.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Sequence
from functools import cache

import typer
from typer.core import TyperGroup
from typer.main import get_group

from asp_eval.cli import commands
from asp_eval.cli.console import print_problems
from asp_eval.cli.help import choose_for_help, choose_named
from asp_eval.cli.language import start_anew
from asp_eval.cli.usage import UsageError, tell
from asp_eval.core.errors import AspError, Breakdown, Fault, Problem
from asp_eval.workflow.defects import defect_of

NOT_ALLOWED = Fault(
    "CLI-005",
    "the system does not let the file be read or written: {reason}",
    "Check that the path is right, that you may write there, and that the file is not open elsewhere.",
)
REFUSED, BROKEN_OFF, INTERRUPTED = 1, 3, 130
RARELY = 10_000  # objects between two searches for circles of garbage: at Python's 700, a twentieth of the time of a long verb
GIVEN_PATH = (FileNotFoundError, PermissionError, FileExistsError, IsADirectoryError, NotADirectoryError)


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its code; whatever happens inside, it ends here."""
    given, code = sys.argv[1:] if arguments is None else arguments, REFUSED
    gc.set_threshold(RARELY)  # here, where the process is the command's own
    try:
        start_anew()
        choose_for_help(given)
        done = _run(given)
        sys.stdout.flush()
        sys.exit(done)
    except AspError as error:
        problems, code = error.problems, BROKEN_OFF if isinstance(error, Breakdown) else REFUSED
    except BrokenPipeError:  # whoever read what is printed, such as `head`, has gone
        _print_no_more()
        sys.exit(BROKEN_OFF)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(INTERRUPTED)
    except GIVEN_PATH as error:
        problems = (NOT_ALLOWED.at(str(error.filename or ""), reason=(error.strerror or str(error)).lower()),)
    except Exception as error:
        problems, code = (defect_of(error),), BROKEN_OFF
    _tell(problems, as_json="--json" in given)
    sys.exit(code)


def _run(given: list[str]) -> int:
    """Run one command, and return its code; what cannot be read as one is told."""
    try:
        done = _command()(given, prog_name="asp-eval", standalone_mode=False)
    except UsageError as error:
        choose_named(given)
        tell(error)
        done = error.exit_code
    return int(done or 0)


@cache  # every verb's options are read from its function, which takes longer than many a verb
def _command() -> TyperGroup:
    return get_group(commands.app)


def _tell(problems: Sequence[Problem], *, as_json: bool) -> None:
    """Print problems; if even that cannot be done, the exit code says it."""
    try:
        print_problems(problems, as_json=as_json)
    except BrokenPipeError:
        _print_no_more()


def _print_no_more() -> None:
    """Lead what is still to be printed to nowhere, so that Python does not complain of it when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
