"""What the terminal shows: problems, tables, progress, JSON. Data go to stdout, everything said about them to stderr."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

from asp_eval.core.errors import Problem

MOST_SHOWN = {"error": 20, "warning": 1}  # problems of one kind on screen; --json lists all


def say(text: str = "") -> None:
    """Print a line for the person, wrapped to the terminal."""
    indent = " " * (len(text) - len(text.lstrip()))
    wrapped = textwrap.wrap(text, _width(), subsequent_indent=indent + "  ", break_long_words=False, break_on_hyphens=False)
    print("\n".join(wrapped) if wrapped else "")


def print_json(value: object) -> None:
    """Print plain values as JSON."""
    print(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def print_problems(problems: Iterable[Problem], *, as_json: bool = False) -> None:
    """Print problems to stderr: errors first, by code, at most `MOST_SHOWN` of a kind, and how many more there are."""
    listed = sorted(problems, key=lambda p: (p.severity != "error", p.code))
    if as_json:
        print_json({"problems": [p.as_dict() for p in listed]})
        return
    for _, group in groupby(listed, key=lambda p: p.code):
        alike = list(group)
        most = MOST_SHOWN[alike[0].severity]
        for problem in alike[:most]:
            kind = "" if problem.severity == "error" else "note "
            print(textwrap.fill(f"{kind}{problem}", _width(), subsequent_indent="    ", break_on_hyphens=False), file=sys.stderr)
        if len(alike) > most:
            print(f"    ... and {len(alike) - most} more like it; --json lists all", file=sys.stderr)


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table in columns; the first column is left-aligned, the others to the right."""
    cells = [list(header), *([str(c) for c in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    for number, row in enumerate(cells):
        print("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))).rstrip())
        if number == 0:
            print("  ".join("-" * w for w in widths))


@contextmanager
def progress(title: str, steps: int) -> Iterator[Callable[[str], None]]:
    """Show a bar on a terminal while work is done; yields what to call as each step starts. Silent in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=steps)

        def step(name: str) -> None:
            bars.update(task, description=f"{title}: {name}", advance=1)

        yield step


def _width() -> int:
    return max(40, min(shutil.get_terminal_size().columns, 100))
