"""What the terminal shows: problems, tables, progress, JSON. Data go to stdout, everything said about them to stderr."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate, groupby

from asp_eval.core.errors import Place, Problem
from asp_eval.core.phrases import ENGLISH, Phrase, Translation

MOST_SHOWN = {"error": 8, "warning": 1}  # different sentences about one column, on screen; --json lists all
MOST_PLACES, MOST_COLUMNS = 4, 40  # further cells, or whole columns, named under one sentence
LONG = 1.0  # seconds; what is done sooner needs no bar


def say(text: str = "") -> None:
    """Print a line for the person, wrapped to the terminal."""
    indent = " " * (len(text) - len(text.lstrip()))
    wrapped = textwrap.wrap(text, _width(), subsequent_indent=indent + "  ", break_long_words=False, break_on_hyphens=False)
    print("\n".join(wrapped) if wrapped else "")


def print_json(value: object) -> None:
    """Print plain values as JSON."""
    print(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def print_problems(problems: Iterable[Problem], *, as_json: bool = False, words: Translation = ENGLISH) -> None:
    """Print problems to stderr in the language of `words`, errors first, by code.

    What is true of many places is said once, with the places; at most `MOST_SHOWN` sentences of a kind are said about a column.
    """
    listed = sorted(problems, key=lambda p: (p.severity != "error", p.code))
    if as_json:
        print_json({"problems": [p.within(words).as_dict() for p in listed]})
        return
    for _, group in groupby(listed, key=lambda p: p.code):
        sentences: dict[tuple[object, ...], list[Problem]] = {}
        for problem in group:
            said = (problem.place.source, problem.text, problem.found, problem.expected, problem.remedy)
            sentences.setdefault(said, []).append(problem)
        _print_kind(list(sentences.values()), words)


def _print_kind(sentences: list[list[Problem]], words: Translation) -> None:
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
        said = first.told(words, remedy=first.remedy not in remedies)  # which is read once
        remedies.add(first.remedy)
        _complain(said if first.severity == "error" else Phrase("note {problem}", problem=said).told(words), "    ")
        if first.severity == "warning":
            unsaid += len(alike) - 1
        elif len(alike) > 1:
            _complain("    " + _also(first.place, [problem.place for problem in alike[1:]], words), "        ")
    if unsaid:
        _complain(Phrase("    ... and {n:,} more like it; --json lists all", n=unsaid).told(words), "        ")


def _also(first: Place, others: Sequence[Place], words: Translation) -> str:
    """Name further places of the same fault, and count those that are too many to name."""
    columns = all(place.row is None and place.line is None for place in others)
    most = MOST_COLUMNS if columns else MOST_PLACES
    shown = [place.column or place.source if columns else _within(first, place).told(words) for place in others[:most]]
    more = Phrase("; and {n:,} more (--json lists all)", n=len(others) - most) if len(others) > most else ""
    return Phrase("The same: {places}{more}", places="; ".join(shown), more=more).told(words)


def _within(first: Place, place: Place) -> Place:
    """Name a place in a file whose name, and perhaps column, was said before."""
    return Place(line=place.line, row=place.row, column=None if place.column == first.column else place.column)


def _complain(text: str, indent: str) -> None:
    print(textwrap.fill(text, _width(), subsequent_indent=indent, break_on_hyphens=False), file=sys.stderr)


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


@contextmanager
def phases(title: str, shares: Mapping[str, float]) -> Iterator[Callable[[str, float], None]]:
    """Show one bar for work in phases, if it takes longer than a second; silent in a pipe.

    Parameters
    ----------
    title : str
    shares : mapping of str to float
        The phases in their order, and how much of the whole each of them usually takes.

    Yields
    ------
    callable
        To be called with a phase and the part of it that is done, 0 to 1.
    """
    if not sys.stderr.isatty():
        yield lambda _phase, _done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    before = dict(zip(shares, accumulate(shares.values(), initial=0.0), strict=False))
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    bars = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bars.add_task(title, total=sum(shares.values()))

    def show(phase: str, done: float) -> None:
        bars.update(task, description=f"{title}: {phase}", completed=before[phase] + done * shares[phase])

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
