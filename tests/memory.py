"""How much memory this process has taken, for tests that start one to find out."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")


def most_megabytes() -> float:
    """Return the most memory this process has taken so far.

    Where the system has it, the figure of the process's own memory is taken: what `getrusage` says begins with the memory of
    the process that started this one.
    """
    if STATUS.is_file():
        found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())
        if found:
            return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
