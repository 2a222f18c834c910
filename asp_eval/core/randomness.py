"""Named streams of random numbers: the same seed and name give the same numbers, whatever else was drawn before."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *name: str | int) -> np.random.Generator:
    """Return the generator that belongs to a seed and a name.

    Streams of different names are independent for all practical purposes: the 256-bit digest of seed and name
    seeds each. Nothing in the package draws from a global generator.

    Parameters
    ----------
    seed : int
    *name : str or int
        What the numbers are for: ``stream(1, "imputation", 7)``.

    Examples
    --------
    >>> bool(stream(1, "a").random() == stream(1, "a").random())
    True
    >>> bool(stream(1, "a").random() == stream(1, "b").random())
    False
    """
    label = "\x1f".join([str(int(seed)), *(str(part) for part in name)])
    digest = hashlib.sha256(label.encode()).digest()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(int.from_bytes(digest, "big"))))
