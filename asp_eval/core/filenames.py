"""File names that are safe on every system, made from names that people gave."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

LONGEST = 60
SPELLED_OUT = str.maketrans(
    {
        "æ": "ae",
        "ø": "oe",
        "å": "aa",
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "ß": "ss",
        "ð": "d",
        "þ": "th",
        "đ": "d",
        "ł": "l",
    }
)
# Device names that Windows opens instead of a file, whatever the suffix; and the page that leads to all the others.
RESERVED = {"con", "prn", "aux", "nul", "index", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


def safe_stem(name: str) -> str:
    """Return a file name, without suffix, for a name that people gave.

    Lower-case ASCII letters, digits and hyphens only; Danish letters are spelled out. Different names may give the same stem:
    see `safe_stems`.

    Examples
    --------
    >>> safe_stem("Børnehaven Skovbrynet"), safe_stem("../../etc/passwd"), safe_stem("CON")
    ('boernehaven-skovbrynet', 'etc-passwd', 'con-1')
    """
    spelled = unicodedata.normalize("NFC", name).lower().translate(SPELLED_OUT)
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^a-z0-9]+", "-", plain)[:LONGEST].strip("-") or "unnamed"
    return f"{stem}-1" if stem in RESERVED else stem


def safe_stems(names: Iterable[str]) -> tuple[str, ...]:
    """Return one stem for each name, all different also where capitals do not count; the later of two gets a number.

    Examples
    --------
    >>> safe_stems(["Ærø", "aeroe", "D-1"])
    ('aeroe', 'aeroe-2', 'd-1')
    """
    taken: dict[str, None] = {}
    for name in names:
        stem, number = safe_stem(name), 2
        while stem in taken:
            stem, number = f"{safe_stem(name)}-{number}", number + 1
        taken[stem] = None
    return tuple(taken)
