"""What the terminal shows: problems, tables, progress, JSON. Data go to stdout, everything said about them to stderr.

Phrases are said in the language that was chosen (`asp_eval.cli.language`).
"""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

from asp_eval.cli.language import words
from asp_eval.core.errors import Place, Problem
from asp_eval.core.phrases import Phrase, told
from asp_eval.core.progress import Progress, unheard

MOST_SHOWN = {"error": 8, "warning": 1}  # different sentences about one column, on screen; --json lists all
MOST_PLACES, MOST_COLUMNS = 4, 40  # further cells, or whole columns, named under one sentence
LONG = 1.0  # seconds; what is done sooner needs no bar


def spoken(text: object) -> str:
    """Return a phrase in the language of the screen, and data as text."""
    return str(told(text, words()))


def say(text: str = "") -> None:
    """Print a line for the person, wrapped to the terminal."""
    line = spoken(text)
    indent = " " * (len(line) - len(line.lstrip()))
    wrapped = textwrap.wrap(line, _width(), subsequent_indent=indent + "  ", break_long_words=False, break_on_hyphens=False)
    print("\n".join(wrapped) if wrapped else "")


def print_json(value: object) -> None:
    """Print plain values as JSON."""
    print(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def plain_problems(problems: Iterable[Problem]) -> list[dict[str, object]]:
    """Return problems as plain values, in the language of the screen."""
    return [problem.within(words()).as_dict() for problem in problems]


OF_THE_COLUMN = ("theirs", "ours", "called")  # details of a remedy that only name the problem's own column


def print_problems(problems: Iterable[Problem], *, as_json: bool = False) -> None:
    """Print problems to stderr, errors first, by code; or to stdout as JSON.

    What is true of many places is said once, with the places; at most `MOST_SHOWN` sentences of a kind are said about a column.
    """
    listed = sorted(problems, key=lambda p: (p.severity != "error", p.code))
    if as_json:
        print_json({"problems": plain_problems(listed)})
        return
    for _, group in groupby(listed, key=lambda p: p.code):
        sentences: dict[tuple[object, ...], list[Problem]] = {}
        for problem in group:
            rest = tuple(sorted((name, str(value)) for name, value in problem.details.items() if name not in OF_THE_COLUMN))
            said = (problem.place.source, problem.text, problem.found, problem.expected, problem.fault.remedy, rest)
            sentences.setdefault(said, []).append(problem)
        _print_kind(list(sentences.values()))


def _print_kind(sentences: list[list[Problem]]) -> None:
    """Print the problems of one kind; `sentences` holds those that differ in place alone."""
    said_of: Counter[str | None] = Counter()
    remedies: set[str] = set()
    unsaid = 0
    for alike in sentences:
        first = alike[0]
        said_of[first.place.column] += 1
        if said_of[first.place.column] > MOST_SHOWN[first.severity]:
            unsaid += len(alike)
            continue
        said = first.told(words(), remedy=first.remedy not in remedies)  # which is read once
        remedies.add(first.remedy)
        complain(said if first.is_error else Phrase("note {problem}", problem=said), "    ")
        if first.severity == "warning":
            unsaid += len(alike) - 1
        elif len(alike) > 1:
            complain("    " + _also(first.place, [problem.place for problem in alike[1:]]), "        ")
    if unsaid:
        complain(Phrase("    ... and {n:,} more like it; --json lists all", n=unsaid), "        ")


def _also(first: Place, others: Sequence[Place]) -> str:
    """Name further places of the same fault, and count those that are too many to name."""
    columns = all(place.row is None and place.line is None for place in others)
    most = MOST_COLUMNS if columns else MOST_PLACES
    shown = [place.column or place.source if columns else _within(first, place).told(words()) for place in others[:most]]
    more = Phrase("; and {n:,} more (--json lists all)", n=len(others) - most) if len(others) > most else ""
    return spoken(Phrase("The same: {places}{more}", places="; ".join(shown), more=more))


def _within(first: Place, place: Place) -> Place:
    """Name a place in a file whose name, and perhaps column, was said before."""
    return Place(line=place.line, row=place.row, column=None if place.column == first.column else place.column)


def complain(text: str, indent: str = "") -> None:
    """Print to stderr, wrapped to the terminal; further lines are indented."""
    print(textwrap.fill(spoken(text), _width(), subsequent_indent=indent, break_on_hyphens=False), file=sys.stderr)


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table in columns; the first column is left-aligned, the others to the right."""
    cells = [[spoken(c) for c in row] for row in (header, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    for number, row in enumerate(cells):
        print("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))).rstrip())
        if number == 0:
            print("  ".join("-" * w for w in widths))


@contextmanager
def progress(title: str) -> Iterator[Progress]:
    """Show a bar for work that takes longer than a second; silent in a pipe.

    Yields
    ------
    callable
        To be called with what is being done, and the share of the whole that is done, 0 to 1.
    """
    if not sys.stderr.isatty():
        yield unheard
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    above = sys.stdout.isatty()  # what is printed meanwhile stands above the bar; into a file it goes as it is
    bars = Bars(*columns, console=Console(stderr=True), transient=True, redirect_stdout=above)
    task = bars.add_task(title, total=1.0)

    def show(step: str, done: float) -> None:
        bars.update(task, description=f"{title}: {spoken(step)}", completed=done)

    late = threading.Timer(LONG, bars.start)  # by the clock, for some readers are silent until they are done
    late.start()
    try:
        yield show
    finally:
        late.cancel()
        late.join()
        bars.stop()


def _width() -> int:
    return max(40, min(shutil.get_terminal_size().columns, 100))
