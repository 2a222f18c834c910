"""Permuted blocks: each stratum is cut into blocks, in an order of entry, and the lot is drawn inside each block.

The blocks are settled before the seed is known, so that they can be published with the list:

1. The order of entry is that of a declared column (ties by the next), or of ``SHA-256("entry:ID")``.
2. A stratum is cut from the start. With several declared sizes, the next block, number b of stratum S, takes the size with
   the smallest ``SHA-256("block:S; block b; SIZE")``. The last block holds what is left.
"""

from __future__ import annotations

from collections.abc import Sequence

from asp_eval.core.errors import Fault
from asp_eval.core.spelling import numeral
from asp_eval.trial.randomisation.hash_order import order_key, ranked
from asp_eval.trial.randomisation.roster import Roster

BAD_BLOCK = Fault(
    "RND-019",
    "a block cannot hold the arms in their ratio",
    "Declare 'blocks' that are multiples of the sum of 'ratio', such as 4 or 6 for a ratio of 1 to 1.",
)


def blocks_of(roster: Roster, sizes: Sequence[int], ratio: tuple[int, ...], order: str | None) -> tuple[str, ...]:
    """Return the block of each institution, named ``STRATUM; block NUMBER``, length n.

    Parameters
    ----------
    roster : Roster
    sizes : sequence of int
        Declared sizes of blocks.
    ratio : tuple of int
    order : str, optional
        Column of the roster that gives the order of entry.

    Raises
    ------
    Refusal
        RND-019 if a size is no multiple of the ratio's sum.
    """
    for size in sizes:
        if size % sum(ratio):
            BAD_BLOCK.refuse("study.yaml, randomisation.blocks", found=size, expected=f"a multiple of {sum(ratio)}")
    entry = {position: rank for rank, position in enumerate(entry_order(roster, order))}
    blocks = [""] * len(roster.strata)
    for stratum, held in roster.members().items():
        left, number = sorted(held, key=entry.__getitem__), 0
        while left:
            number += 1
            name = f"{stratum}; block {number}"
            size = int(ranked("block", [f"{name}; {size}" for size in set(sizes)])[0].rpartition("; ")[2])
            for position in left[:size]:
                blocks[position] = name
            left = left[size:]
    return tuple(blocks)


def entry_order(roster: Roster, column: str | None) -> list[int]:
    """Return the positions of the list in the order of entry.

    Parameters
    ----------
    roster : Roster
    column : str, optional
        Numbers are ordered by size, everything else (dates too, written 2027-09-30) by code point. Without a column, and
        among equals, the order is by ``SHA-256("entry:ID")``.
    """
    keys = [order_key("entry", institution) for institution in roster.institution_ids]
    if column is None:
        return sorted(range(len(keys)), key=keys.__getitem__)
    texts = roster.columns[column]
    numbers = [numeral(text) for text in texts]
    if all(number is not None for number in numbers):
        return sorted(range(len(keys)), key=lambda p: (numbers[p], keys[p]))
    return sorted(range(len(keys)), key=lambda p: (texts[p], keys[p]))
