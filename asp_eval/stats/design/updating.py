"""A formula from another: ``. ~ . + x`` is the old one with a further term, as R's ``update``."""

from __future__ import annotations

from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.formula import NO_TEXT
from asp_eval.stats.design.syntax import SYNTAX, Bracket, Call, Constant, Sum, Tree, parse, replace_dot, spell, split_sides


def updated_formula(old: str, new: str) -> str:
    """Return a formula in which dots stand for the sides of another.

    Parameters
    ----------
    old : str
    new : str
        Such as ``"~ . + x"``, ``"log(y) ~ ."`` or ``". ~ . - (1 | g)"``.

    Raises
    ------
    Refusal
        FIT-010 if it is no formula, or takes out a random term or an offset that is not there.

    Examples
    --------
    >>> updated_formula("y ~ a + (1 | g)", "~ . + x")
    'y ~ a + (1 | g) + x'
    >>> updated_formula("y ~ a + x + (1 | g) + (1 | h)", "log(y) ~ . - (1 | h) - x")
    'log(y) ~ a + (1 | g)'
    """
    if not isinstance(new, str):
        NO_TEXT.refuse(found=type(new).__name__)
    written = new if new.partition("~")[0].strip() else f". {new}"
    left, right = split_sides(written)
    old_left, old_right = split_sides(old)
    outcome = replace_dot(parse(left), parse(old_left))
    parts = _parts(replace_dot(parse(right), parse(old_right)))
    return f"{spell(outcome)} ~ {spell(_whole(_without(parts, new)))}"


def _parts(tree: Tree) -> list[tuple[str, Tree]]:
    """Return summands with their signs; brackets around a sum that is added are opened."""
    if not isinstance(tree, Sum):
        return [("+", tree)]
    out: list[tuple[str, Tree]] = []
    for sign, part in tree.parts:
        out += _parts(part) if sign == "+" and isinstance(part, Sum) else [(sign, part)]
    return out


def _without(parts: list[tuple[str, Tree]], text: str) -> list[tuple[str, Tree]]:
    """Return summands from which those with a minus are taken out; what is not written so is left to the algebra."""
    out: list[tuple[str, Tree]] = []
    for sign, part in parts:
        if sign == "-" and ("+", part) in out and not isinstance(part, Constant):
            out.remove(("+", part))
        elif sign == "-" and (isinstance(part, Bracket) or (isinstance(part, Call) and part.function == "offset")):
            SYNTAX.refuse(text, why=Phrase("{part} is not in the model, so it cannot be taken out", part=spell(part)))
        else:
            out.append((sign, part))
    return out


def _whole(parts: list[tuple[str, Tree]]) -> Tree:
    """Return summands as one tree."""
    if not parts:
        return Constant(1)
    return parts[0][1] if len(parts) == 1 and parts[0][0] == "+" else Sum(tuple(parts))
