"""How an export names the items of an instrument: a pattern in the place of a line for each."""

from __future__ import annotations

import re

from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.parts import Item

_SLOT = re.compile(r"\{(?:(key|KEY)|number(?:\+(\d{1,3}))?(?::0([2-4]))?)\}")


def is_pattern(text: str) -> bool:
    """Return whether a text is a pattern of item names: it has a slot, and no other braces.

    Examples
    --------
    >>> is_pattern("s_{number}"), is_pattern("t{KEY}"), is_pattern("s_{no}"), is_pattern("s_1")
    (True, True, False, False)
    """
    rest, slots = _SLOT.subn("", text)
    return slots > 0 and "{" not in rest and "}" not in rest


def named(form: Instrument, pattern: str) -> dict[str, str]:
    """Return the export's name of each item, and ours: ``{"s_1": "sdq-teacher-4-17.consid", ...}``.

    Parameters
    ----------
    form : Instrument
    pattern : str
        With ``{number}``, the item's place in the questionnaire (``{number+25}`` counts from 26, ``{number:02}`` writes 01);
        or ``{key}`` or ``{KEY}``, the item's short name.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> list(named(instrument("sdq-teacher-4-17"), "t{key}"))[:2]
    ['tconsid', 'trestles']
    >>> list(named(instrument("sdq-teacher-4-17"), "Q{number+25:03}"))[:2]
    ['Q026', 'Q027']
    """
    return {_filled(pattern, item): f"{form.id}.{item.key}" for item in form.items}


def _filled(pattern: str, item: Item) -> str:
    def fill(slot: re.Match[str]) -> str:
        kind, more, width = slot.groups()
        if kind:
            return item.key if kind == "key" else item.key.upper()
        return f"{item.number + int(more or 0):0{width or 1}}"

    return _SLOT.sub(fill, pattern)


def mapping_key(text: str) -> str:
    r"""Return a text as it can stand between braces in a mapping.

    Examples
    --------
    >>> mapping_key("1"), mapping_key("dreng"), mapping_key("007"), mapping_key('passer "godt"')
    ('1', 'dreng', '"007"', '"passer \\"godt\\""')
    """
    if re.fullmatch(r"-?(0|[1-9]\d*)|[^\W\d]\w*", text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
