"""Numbers that may be sequences: a design of many values stands for every combination of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

import numpy as np

from asp_eval.core.errors import Fault
from asp_eval.stats.estimate import Array

Values = float | Sequence[float] | Array

EMPTY = Fault("PWR-005", "{name} is an empty sequence, so that there is no combination to answer for", "Give one value or more.")
NOT_A_NUMBER = Fault("PWR-006", "{name} is not a number", "Give a number, or a sequence of numbers.")


def single(value: object, name: str = "value") -> float:
    """Return the number of a design that stands for one combination."""
    try:
        number = float(cast(float, value))
    except (TypeError, ValueError):
        NOT_A_NUMBER.refuse(name, found=value, name=name)
    return NOT_A_NUMBER.refuse(name, found=value, name=name) if np.isnan(number) else number


def combinations(parts: Mapping[str, object]) -> Iterator[tuple[dict[str, object], dict[str, object]]]:
    """Yield every combination of the sequences in some values and in their fields, the last varying fastest.

    Parameters
    ----------
    parts : mapping of str to object
        Numbers, sequences, or dataclasses with such fields.

    Yields
    ------
    tuple of dict
        The parts with single values, and the values by the name of their field (``part.field`` where a name is taken).
    """
    axes = list(_axes(parts))
    names = _names(axes)
    for chosen in itertools.product(*(values for _, values in axes)):
        resolved = dict(parts)
        for (path, _), value in zip(axes, chosen, strict=True):
            resolved[path[0]] = _put(resolved[path[0]], path[1:], value)
        yield resolved, dict(zip(names, chosen, strict=True))


def _axes(parts: Mapping[str, object]) -> Iterator[tuple[tuple[str, ...], list[object]]]:
    for name, value in parts.items():
        yield from _axes_of((name,), value)


def _axes_of(path: tuple[str, ...], value: object) -> Iterator[tuple[tuple[str, ...], list[object]]]:
    """Yield the sequences in a value, with the way to each."""
    if is_dataclass(value):
        if not hasattr(value, "values") and not hasattr(value, "quantiles"):  # known sizes and distributions are one value
            for field in fields(value):
                yield from _axes_of((*path, field.name), getattr(value, field.name))
    elif _is_sequence(value):
        found = list(cast(Any, value))
        if not found:
            EMPTY.refuse(".".join(path), name=path[-1])
        yield path, found


def _is_sequence(value: object) -> bool:
    return (
        not isinstance(value, str) and hasattr(value, "__len__") and hasattr(value, "__iter__") and np.ndim(cast(Any, value)) > 0
    )


def _names(axes: Sequence[tuple[tuple[str, ...], list[object]]]) -> list[str]:
    last = [path[-1] for path, _ in axes]
    return [name if last.count(name) == 1 else ".".join(path[-2:]) for name, (path, _) in zip(last, axes, strict=True)]


def _put(value: object, path: tuple[str, ...], new: object) -> object:
    """Return a value with one field, however deep, replaced."""
    if not path:
        return new
    return replace(cast(Any, value), **{path[0]: _put(getattr(value, path[0]), path[1:], new)})
