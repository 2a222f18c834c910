"""The measurement model of an instrument as R syntax for lavaan (Rosseel 2012, J Stat Soft 48:2).

Each scale is a factor of its items, which are ordered categories; a composite that is a mean of scales is a factor of these.
Composites that are sums count what is found and imply no factor, so they are left out. Items enter as stored: a reversed one
is expected to load negatively. Where scales share items, they cannot be factors of one model and stand in several.
"""

from __future__ import annotations

from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.exports.fields import say
from asp_eval.trial.instruments.parts import Composite, Scale


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
    reversed_keys = {item.key for item in instrument.items if item.reverse}
    lines = [
        f"# {instrument.id}, version {instrument.version}: {say(instrument.title, language)}",
        "# Columns are stored with the instrument's name before them; this takes it off:",
        f"#   names(answers) <- sub('^{instrument.id}[.]', '', names(answers))",
    ]
    for name, scales in zip(names, groups, strict=True):
        own = {scale.key for scale in scales}
        means = [each for each in instrument.composites if each.method == "mean" and own.issuperset(each.scales)]
        items = [key for scale in scales for key in scale.items]
        factors: list[Scale | Composite] = [*scales, *means]
        lines += [f"{name} <- '", *(line for each in factors for line in _factor(each, reversed_keys, language)), "'"]
        lines += [f"{name}_items <- c({', '.join(repr(key) for key in items)})", f"# {_call(name)}", ""]
    return "\n".join(lines)


def _factor(scale: Scale | Composite, reversed_keys: set[str], language: str) -> list[str]:
    parts = scale.scales if isinstance(scale, Composite) else scale.items
    turned = [key for key in parts if key in reversed_keys]
    negative = f"; expected to load negatively: {', '.join(turned)}" if turned else ""
    comment = f"  # {say(scale.title, language)}{negative}".replace("'", "")  # an apostrophe would end the R string
    return [comment, f"  {scale.key} =~ {' + '.join(parts)}"]


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
