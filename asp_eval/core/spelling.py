"""When two texts are one name: how ids, categories, arms and labels are compared, everywhere.

What is stored is never changed by this; it decides only whether two texts mean the same, so that a place that finds two
spellings of one name can refuse them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

NUMERAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
"""A number in the digits 0 to 9 with a decimal point: what a program elsewhere would read as one."""
BESIDE_A_NUMBER = re.compile(r"(?<![0-9.,])0+(?=[0-9])|(?<=[0-9])\.0+$")
"""Zeros before a number, and a decimal point with nothing but zeros behind it."""


def folded(text: str) -> str:
    """Return a text without what spelling alone adds.

    Letters are put into one form (Unicode NFKC) and small, characters that are not seen (category Cf: soft hyphens, marks of
    direction, joiners) are left out, and spaces at the ends are removed and between words made one.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> folded("A\u030arhus") == folded(" \u00c5RHUS\u200b"), folded("D 1") == folded("D1")
    (True, False)
    """
    if text.isascii():
        return " ".join(text.casefold().split())
    seen = "".join(letter for letter in unicodedata.normalize("NFKC", text) if unicodedata.category(letter) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", seen.casefold()).split())


def without_zeros(text: str) -> str:
    """Return a folded text without zeros that a spreadsheet adds or takes away: before a number, and ``.0`` behind it.

    Examples
    --------
    >>> [without_zeros(text) for text in ("007", "7.0", "D07", "0", "1.05")]
    ['7', '7', 'd7', '0', '1.05']
    """
    return BESIDE_A_NUMBER.sub("", folded(text))


def several_spellings(texts: Sequence[str], fold: Callable[[str], str] = folded) -> list[dict[str, list[int]]]:
    """Return the names that are spelled in several ways, in the order in which they first stand.

    Parameters
    ----------
    texts : sequence of str
        Empty ones are passed over.
    fold : callable
        What a text means.

    Returns
    -------
    list of dict of str to list of int
        For each such name, its spellings, and the positions at which each stands.

    Examples
    --------
    >>> several_spellings(["Odense", "\u00c5rhus", "\u00e5rhus", "Odense"])
    [{'\u00c5rhus': [1], '\u00e5rhus': [2]}]
    """
    met: dict[str, dict[str, list[int]]] = {}
    for position, text in enumerate(texts):
        if text:
            met.setdefault(fold(text), {}).setdefault(text, []).append(position)
    return [spellings for spellings in met.values() if len(spellings) > 1]


def twins(names: Iterable[str]) -> list[str]:
    """Return the names that another one before them means too, as `folded` reads them.

    Examples
    --------
    >>> twins(["reference", "Reference", "intervention"])
    ['Reference']
    """
    met: set[str] = set()
    found = []
    for name in names:
        if folded(name) in met:
            found.append(name)
        met.add(folded(name))
    return found


def numeral(text: str) -> Decimal | None:
    """Return the number that a text writes in the digits 0 to 9 and a decimal point, or None.

    Python reads ``1_0``, digits of other scripts and ``nan`` as numbers; none of them is one that a person typed as such.

    Examples
    --------
    >>> numeral("12.50"), numeral("3,9"), numeral("0_1"), numeral("nan")
    (Decimal('12.50'), None, None, None)
    """
    return Decimal(text) if NUMERAL.fullmatch(text) else None
