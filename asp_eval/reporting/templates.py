"""The Jinja templates in ``reports/``. They escape everything, stop at a name they do not know, and compute nothing."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from asp_eval.core.resources import shipped_folder


@cache
def templates() -> Environment:
    """Return the environment that loads them."""
    return Environment(
        loader=FileSystemLoader(shipped_folder("reports")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
