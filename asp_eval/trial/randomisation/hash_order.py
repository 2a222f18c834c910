"""The published rule that every draw is made of: texts are ordered by their SHA-256 digests.

``key(text)`` is the SHA-256 digest, in lower-case hexadecimal, of the UTF-8 text ``"seed:text"``. What has to be settled
before the seed is known (an order of entry, the sizes of blocks, candidate allocations) is ordered by the digest of a text
that has a word in the seed's place: ``"entry:D01"``. Digests are the same on every computer, and so is the order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from asp_eval.core.errors import Fault

Positions = npt.NDArray[np.integer]
Draws = npt.NDArray[np.int8]

BAD_SEED = Fault("RND-003", "the seed cannot be used", "Give a whole number, 0 or more, such as the year of the draw.")
NO_DRAWS = Fault("RND-004", "no allocations were asked for", "Ask for at least one draw; a permutation test wants 1,000 or more.")


def order_key(seed: int | str, text: str) -> str:
    """Return the key that the published rule orders by.

    Parameters
    ----------
    seed : int or str
        The seed of the draw; a word where the order does not depend on it.
    text : str

    Examples
    --------
    >>> order_key(2006, "B01")[:12]
    '22372970b1b5'
    """
    return hashlib.sha256(f"{seed}:{text}".encode()).hexdigest()


def checked_seed(seed: int) -> int:
    """Return the seed as a plain integer, or refuse it."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        BAD_SEED.refuse(found=seed)
    return int(seed)


def checked_draws(draws: int) -> int:
    """Return the number of draws, or refuse it."""
    if draws < 1:
        NO_DRAWS.refuse(found=draws)
    return draws


def ranked(seed: int | str, texts: Sequence[str]) -> list[str]:
    """Return the texts by their keys, smallest first."""
    return sorted(texts, key=lambda text: (order_key(seed, text), text))


def in_order(seed: int | str, positions: Mapping[str, int]) -> list[int]:
    """Return the positions in the order of their texts' keys."""
    return [positions[text] for text in ranked(seed, list(positions))]


def shuffled(random: np.random.Generator, positions: range | Sequence[int], draws: int) -> Positions:
    """Return the positions in random order, (draws, n)."""
    smallest = np.min_scalar_type(max(positions, default=0))  # the order is the same in any type of integer
    found = np.tile(np.asarray(positions, dtype=smallest), (draws, 1))
    return random.permuted(found, axis=1, out=found)
