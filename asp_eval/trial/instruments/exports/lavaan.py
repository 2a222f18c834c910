"""The measurement model of an instrument as R syntax for lavaan (Rosseel 2012, J Stat Soft 48:2).

Each scale is a factor of its items, which are ordered categories; a composite that is a mean of scales is a factor of these.
Composites that are sums count what is found and imply no factor, so they are left out. Items enter as stored: a reversed one
is expected to load negatively. Where scales share items, they cannot be factors of one model and stand in several.
"""

from __future__ import annotations

from collections.abc import Mapping

from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.exports.fields import say
from asp_eval.trial.instruments.parts import Composite, Scale

RESERVED = {"if", "else", "repeat", "while", "function", "for", "next", "break", "in"}  # of R, in small letters


def lavaan(instrument: Instrument, language: str) -> str:
    """Return an R script that declares the model or models, ready for ``lavaan::cfa``.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> print(lavaan(instrument("governance-npm-npg"), "en").splitlines()[5])
      npg =~ steering + parents + institutions + new_ideas + manager + effort
    """
    groups = _disjoint(instrument.scales)
    names = [f"model_{number}" for number in range(1, len(groups) + 1)] if len(groups) > 1 else ["model"]
    called = _names(instrument)
    renamed = [key for key in instrument.item_keys if called[key] != key]
    reversed_keys = {item.key for item in instrument.items if item.reverse}
    lines = [
        f"# {instrument.id}, version {instrument.version}: {say(instrument.title, language)}",
        "# Columns are stored with the instrument's name before them; this takes it off:",
        f"#   names(answers) <- sub('^{instrument.id}[.]', '', names(answers))",
        *(f"names(answers)[names(answers) == '{key}'] <- '{called[key]}'  # a word of R" for key in renamed),
    ]
    for name, scales in zip(names, groups, strict=True):
        own = {scale.key for scale in scales}
        means = [each for each in instrument.composites if each.method == "mean" and own.issuperset(each.scales)]
        items = [called[key] for scale in scales for key in scale.items]
        factors: list[Scale | Composite] = [*scales, *means]
        lines += [f"{name} <- '", *(line for each in factors for line in _factor(each, called, reversed_keys, language)), "'"]
        lines += [f"{name}_items <- c({', '.join(repr(key) for key in items)})", f"# {_call(name)}", ""]
    return "\n".join(lines)


def _factor(scale: Scale | Composite, called: Mapping[str, str], reversed_keys: set[str], language: str) -> list[str]:
    parts = scale.scales if isinstance(scale, Composite) else scale.items
    own = {key: called[_factor_key(key)] if isinstance(scale, Composite) else called[key] for key in parts}
    turned = [] if isinstance(scale, Composite) else [own[key] for key in parts if key in reversed_keys]
    negative = f"; expected to load negatively: {', '.join(turned)}" if turned else ""
    comment = f"  # {say(scale.title, language)}{negative}".replace("'", "")  # an apostrophe would end the R string
    return [comment, f"  {called[_factor_key(scale.key)]} =~ {' + '.join(own.values())}"]


def _factor_key(key: str) -> str:
    """Return under what a factor stands among the names, beside items of the same key."""
    return f"{key} =~"


def _names(instrument: Instrument) -> dict[str, str]:
    """Return what items, by their keys, and factors, by `_factor_key`, are called in R: each once, and no word of R."""
    items = set(instrument.item_keys)
    called: dict[str, str] = {}
    for key in instrument.item_keys:
        name = key
        while name in RESERVED or (name != key and name in items):
            name += "_"
        called[key] = name
    for key in instrument.scale_keys:
        name = key
        while name in RESERVED or name in called.values():
            name += "_factor"
        called[_factor_key(key)] = name
    return called


def _call(name: str) -> str:
    return f"fit <- lavaan::cfa({name}, data = answers, ordered = {name}_items)"


def _disjoint(scales: tuple[Scale, ...]) -> list[list[Scale]]:
    """Part the scales into as few models as come about when each goes to the first whose items it does not share."""
    groups: list[list[Scale]] = []
    for scale in scales:
        free = next((group for group in groups if not any(set(each.items) & set(scale.items) for each in group)), None)
        if free is None:
            groups.append([scale])
        else:
            free.append(scale)
    return groups
