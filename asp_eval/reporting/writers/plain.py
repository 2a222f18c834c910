"""Documents of blocks as plain values, which JSON can hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any


def as_plain(value: object, more: Callable[[object], dict[str, Any]] = lambda _: {}) -> Any:
    """Return a block and everything in it as dictionaries, with the name of its type as `is`; texts lose the numbers they keep.

    Parameters
    ----------
    value : block, text or other part of one
    more : callable, optional
        Returns further values of a block.

    Examples
    --------
    >>> from asp_eval.reporting.blocks import Code
    >>> as_plain(("see ", Code("asp-eval")))
    ['see ', {'is': 'Code', 'text': 'asp-eval'}]
    """
    if isinstance(value, str):
        return str(value)
    if isinstance(value, tuple):
        return [as_plain(part, more) for part in value]
    if is_dataclass(value):
        plain = {field.name: as_plain(getattr(value, field.name), more) for field in fields(value)}
        return {"is": type(value).__name__, **plain, **more(value)}
    return value
