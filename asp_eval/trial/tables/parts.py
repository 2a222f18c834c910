"""The names of parts: a table, or a wave of it, may come in several files, one for each municipality or questionnaire."""

from __future__ import annotations

import re
import unicodedata

from asp_eval.core.errors import Fault

NO_PARTS = Fault(
    "SCR-230",
    "the allocation has no parts: every file of it is added to what stands",
    "Leave --part out.",
)
NOT_A_NAME = Fault(
    "SCR-231",
    "this cannot be the name of a part",
    "Use a short word, such as the municipality or the questionnaire: it begins with a letter and has letters, digits, - and _ "
    "alone, 40 at most.",
)
_NAME = re.compile(r"[^\W\d_][\w-]{0,39}")


def part_name(text: str | None, table: str) -> str:
    """Return the name of a part of a table in the one way it is written; empty without one.

    Raises
    ------
    Refusal
        SCR-230 for the allocation; SCR-231 for what cannot be a name.

    Examples
    --------
    >>> part_name("Aarhus", "screening"), part_name(None, "screening")
    ('Aarhus', '')
    """
    if text is None:
        return ""
    if table == "allocation":
        NO_PARTS.refuse("--part", found=text)
    name = unicodedata.normalize("NFC", text).strip()
    if not _NAME.fullmatch(name):
        NOT_A_NAME.refuse("--part", found=text)
    return name
