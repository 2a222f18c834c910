"""Contrasts of means: which rows are compared, with which weights, and how a comparison is called."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asp_eval.core.errors import Fault
from asp_eval.stats.design.variables import Codes
from asp_eval.stats.estimate import Array

KIND = Fault("FIT-128", "there are no contrasts of the kind {name!r}", "Use one of: {known}.")
ONE_MEAN = Fault("FIT-129", "one mean has nothing to be compared with", "Compare a variable of two categories or more.")
KINDS = ("pairwise", "trt.vs.ctrl", "interaction")

Labels = dict[str, tuple[object, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """Contrasts of rows.

    Attributes
    ----------
    C : ndarray (contrasts, rows)
    labels : dict of str to tuple
        ``contrast``, or one column per variable of an interaction; then the variables they are separate by.
    families : tuple of ndarray of int
        Contrasts that are judged together: those of one combination of the variables they are separate by.
    means : tuple of int
        How many means each family compares.
    """

    C: Array
    labels: Labels
    families: tuple[Codes, ...]
    means: tuple[int, ...]


def compare(labels: Labels, specs: Sequence[str], by: Sequence[str], kind: str, *, ratio: bool) -> Comparisons:
    """Return the contrasts of rows that carry these labels.

    Parameters
    ----------
    labels : dict of str to tuple
    specs, by : sequence of str
        What is compared, and what is kept apart.
    kind : {"pairwise", "trt.vs.ctrl", "interaction"}
        Every mean less each later one; every later one less the first; or the differences of differences.
    ratio : bool
        Whether a comparison will be shown as a ratio.
    """
    if kind not in KINDS:
        KIND.refuse(name=kind, known=", ".join(KINDS))
    n = len(next(iter(labels.values())))
    groups: dict[tuple[object, ...], list[int]] = {}
    for row in range(n):
        groups.setdefault(tuple(labels[b][row] for b in by), []).append(row)
    rows: list[Array] = []
    named: list[tuple[str, ...]] = []
    apart: list[tuple[object, ...]] = []
    families, means = [], []
    for group, members in groups.items():
        if len(members) < 2:
            ONE_MEAN.refuse(found=", ".join(specs))
        if kind == "interaction":
            found = _interactions(labels, specs, members, ratio)
        else:
            found = _pairs(labels, specs, members, kind, ratio)
        families.append(np.arange(len(rows), len(rows) + len(found)))
        means.append(len(members))
        for weights, names in found:
            contrast = np.zeros(n)
            contrast[list(weights)] = list(weights.values())
            rows.append(contrast)
            named.append(names)
            apart.append(group)
    heads = [f"{s}_pairwise" for s in specs] if kind == "interaction" else ["contrast"]
    out: Labels = {head: tuple(names[i] for names in named) for i, head in enumerate(heads)}
    out |= {b: tuple(group[i] for group in apart) for i, b in enumerate(by)}
    return Comparisons(np.array(rows), out, tuple(families), tuple(means))


Found = list[tuple[dict[int, float], tuple[str, ...]]]


def _pairs(labels: Labels, specs: Sequence[str], members: Sequence[int], kind: str, ratio: bool) -> Found:
    """Return differences of two rows each."""
    names = {m: " ".join(_level(s, labels[s][m]) for s in specs) for m in members}
    pairs = itertools.combinations(members, 2) if kind == "pairwise" else ((m, members[0]) for m in members[1:])
    return [({a: 1.0, b: -1.0}, (_versus(names[a], names[b], ratio),)) for a, b in pairs]


def _interactions(labels: Labels, specs: Sequence[str], members: Sequence[int], ratio: bool) -> Found:
    """Return products of pairwise differences, one factor for each variable."""
    at = {tuple(labels[s][m] for s in specs): m for m in members}
    pairs = [list(itertools.combinations(dict.fromkeys(labels[s][m] for m in members), 2)) for s in specs]
    out: Found = []
    for picked in itertools.product(*reversed(pairs)):
        chosen = picked[::-1]
        weights = {}
        for ends in itertools.product((0, 1), repeat=len(specs)):
            weights[at[tuple(pair[e] for pair, e in zip(chosen, ends, strict=True))]] = (-1.0) ** sum(ends)
        names = tuple(_versus(_level(s, a), _level(s, b), ratio) for s, (a, b) in zip(specs, chosen, strict=True))
        out.append((weights, names))
    return out


def _versus(a: str, b: str, ratio: bool) -> str:
    return f"{a} / {b}" if ratio else f"{a} - {b}"


def _level(name: str, value: object) -> str:
    """Return a category as a contrast calls it: a number with its variable's name before it."""
    text = str(value)
    try:
        float(text)
    except ValueError:
        return f"{name}{text}" if isinstance(value, (bool, np.bool_)) else text
    return f"{name}{text}"
