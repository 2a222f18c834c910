"""Two versions of a table compared cell by cell: rows go by their key, whatever their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

_TIMES = "occurrence of the key"


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell, or a row, that is not the same in both.

    Attributes
    ----------
    key : mapping of str to str
        What the row's key columns hold.
    column : str
        Empty for a row that only one of them has.
    stored, rebuilt : str, optional
        The cell's text, or all of the row's; None for a missing cell, and for a row that is not there.
    """

    key: dict[str, str]
    column: str
    stored: str | None
    rebuilt: str | None


def differences(stored: pd.DataFrame, rebuilt: pd.DataFrame, key: Sequence[str]) -> list[Difference]:
    """Return where two versions of a table differ.

    A column that one of them lacks counts as missing in every row. Rows whose key stands more than once are compared in their
    order.

    Parameters
    ----------
    stored, rebuilt : DataFrame
        As `asp_eval.store.layout.fetch` returns them.
    key : sequence of str
        Columns of both.

    Examples
    --------
    >>> one = pd.DataFrame({"child": ["a", "b"], "score": [1.0, 2.0]})
    >>> differences(one, one.assign(score=[1.0, 3.0]), ["child"])
    [Difference(key={'child': 'b'}, column='score', stored='2', rebuilt='3')]
    """
    names = list(dict.fromkeys([*stored.columns, *rebuilt.columns]))
    one, other = _by_key(stored, names, key), _by_key(rebuilt, names, key)
    found = [_row(key, at, names, one.loc[at], None) for at in one.index.difference(other.index, sort=False)]
    found += [_row(key, at, names, None, other.loc[at]) for at in other.index.difference(one.index, sort=False)]
    shared = one.index.intersection(other.index, sort=False)
    one, other = one.loc[shared], other.loc[shared]
    for name in names:
        before, after = one[name], other[name]
        unequal = ((before != after) & ~(before.isna() & after.isna())).to_numpy(dtype=bool)
        found += [Difference(_key(key, at), name, _text(before.loc[at]), _text(after.loc[at])) for at in shared[unequal]]
    return found


def _by_key(frame: pd.DataFrame, names: Sequence[str], key: Sequence[str]) -> pd.DataFrame:
    """Return a frame of plain objects under its keys, each counted."""
    plain = frame.reindex(columns=list(names)).astype(object)
    plain = plain.where(plain.notna(), None)
    times = plain.groupby(list(key), sort=False, dropna=False).cumcount()
    plain.index = pd.MultiIndex.from_arrays([*(plain[name].map(_text).fillna("") for name in key), times], names=[*key, _TIMES])
    return plain


def _key(key: Sequence[str], at: tuple[object, ...]) -> dict[str, str]:
    return {name: str(value) for name, value in zip(key, at, strict=False)}


def _row(
    key: Sequence[str], at: tuple[object, ...], names: Sequence[str], one: pd.Series | None, other: pd.Series | None
) -> Difference:
    texts = [
        None if row is None else ", ".join(f"{name}={_text(row[name])}" for name in names if row[name] is not None)
        for row in (one, other)
    ]
    return Difference(_key(key, at), "", *texts)


def _text(value: object) -> str | None:
    if value is None or value is pd.NA:
        return None
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    return str(value)
