"""Write docs/faults.md: every fault the package can report, with its remedy. ``--check`` only compares."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from pathlib import Path

import asp_eval
from asp_eval.core.errors import Fault

PAGE = Path(__file__).with_name("faults.md")
HEAD = """# Faults

Every message of the package carries one of these codes. Words in braces are filled in. A *note* stops nothing.

| code | what is wrong | what to do |
|---|---|---|
"""


def modules() -> list[str]:
    """Return the names of every module of the package."""
    return [module.name for module in pkgutil.walk_packages(asp_eval.__path__, "asp_eval.")]


def faults() -> list[Fault]:
    """Return every fault, once for each declaration, sorted by code."""
    found = []
    for name in modules():
        module = importlib.import_module(name)
        source = inspect.getsource(module)
        declared = [(label, value) for label, value in vars(module).items() if isinstance(value, Fault)]
        found += [value for label, value in declared if re.search(rf"^{label} = Fault\(", source, re.MULTILINE)]
    return sorted(found, key=lambda fault: fault.code)


def page() -> str:
    """Return the page."""
    rows = []
    for fault in faults():
        kind = "*note* " if fault.severity == "warning" else ""
        cells = [fault.code, kind + fault.text, fault.remedy]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
