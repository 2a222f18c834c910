"""What is said, and written down, when the machine or a defect of this package stops a command.

The report says where it stopped: the types of the errors, and for every line of this package and of its libraries the file, the
line and the function. It holds no value of any variable and no message of an error, for both may hold data of persons.
"""

from __future__ import annotations

import contextlib
import errno
import platform
import sys
import tempfile
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from asp_eval.core.errors import Fault, Problem
from asp_eval.core.phrases import Phrase

MACHINE = Fault(
    "RUN-002",
    "the machine stopped the work: {reason}",
    "What was stored before is as it was, or the whole command is stored: 'asp-eval check' says. See to the disk, the memory or "
    "the network, then give the command again.",
)
DEFECT = Fault(
    "RUN-003",
    "this is a defect of asp-eval, or of a library that it uses ({kind}); nothing is wrong with what you did",
    "What was stored before is as it was, or the whole command is stored: 'asp-eval check' says. Please report it, with the file "
    "{report}, which holds no data.",
)

MOST_LINES = 60  # of a report; a recursion has thousands
NO_MEMORY, TOO_DEEP = Phrase("there is not enough memory"), Phrase("the data are nested too deep")
DATABASE = Phrase("the database could not go on")
NOWHERE = Phrase("(which could not be written)")


def defect_of(error: BaseException) -> Problem:
    """Return what is said of an error that nothing else has caught, and write a report of it where it may be a defect.

    Parameters
    ----------
    error : BaseException
    """
    if (reason := _machine_reason(error)) is not None:
        return MACHINE.at(reason=reason)
    return DEFECT.at(kind=type(error).__name__, report=_write_report(error))


def _machine_reason(error: BaseException) -> Phrase | str | None:
    """Return what the machine did not give, in our words or in the system's; None where the error is of another kind."""
    if isinstance(error, MemoryError):
        return NO_MEMORY
    if isinstance(error, RecursionError):
        return TOO_DEEP
    if isinstance(error, OSError):
        return (error.strerror or errno.errorcode.get(error.errno or 0, type(error).__name__)).lower()
    duckdb = sys.modules.get("duckdb")  # it has been loaded, if it is what failed
    if duckdb is not None and isinstance(error, duckdb.OutOfMemoryException):
        return NO_MEMORY
    if duckdb is not None and isinstance(error, duckdb.OperationalError | duckdb.FatalException | duckdb.InternalException):
        return DATABASE
    return None


def _write_report(error: BaseException) -> str:
    """Write the report into a new file of the system's folder for temporary files; return its path, or that there is none."""
    with contextlib.suppress(OSError):
        with tempfile.NamedTemporaryFile("w", prefix="asp-eval-", suffix=".txt", delete=False, encoding="utf-8") as file:
            file.write("\n".join(_report(error)) + "\n")
        return str(Path(file.name))
    return NOWHERE


def _report(error: BaseException) -> Iterator[str]:
    yield f"asp-eval {version('asp-eval')}, Python {platform.python_version()}, {platform.system()}"
    yield datetime.now(UTC).isoformat(timespec="seconds")
    seen: BaseException | None = error
    while seen is not None:
        yield f"{type(seen).__module__}.{type(seen).__name__}"
        for line in traceback.extract_tb(seen.__traceback__)[-MOST_LINES:]:
            yield f"  {Path(line.filename).name}:{line.lineno} {line.name}"
        seen = seen.__cause__ or seen.__context__
