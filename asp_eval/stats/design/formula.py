"""Formulas in lme4's syntax: what is modelled, what is fixed, what is random.

``y ~ arm * x + offset(o) + (1 + t | a/b) + (0 + t || g)`` has

* a response, here ``y``;
* a fixed part in Wilkinson and Rogers's notation, parsed by formulaic, here ``arm * x``;
* offsets, known additions to the linear predictor;
* random terms ``(expression | grouping)``: correlated with ``|``, uncorrelated with ``||``. ``a/b`` is short for
  ``a`` and ``a:b`` (Bates, Maechler, Bolker & Walker 2015, J Stat Soft 67:1, table 2).

As in lme4, ``||`` separates the terms of the expression; the columns of one categorical term stay correlated.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase

SYNTAX = Fault("FIT-010", "the formula cannot be read: {why}", "Write it like  y ~ arm + x + (1 | institution).")
NO_RANDOM = Fault(
    "FIT-011", "the formula has no random term", "Add one like (1 | institution), or use ols() for a model without any."
)  # fmt: skip
RANDOM_IN_FIXED = Fault(
    "FIT-012", "this model takes no random terms", "Use lmm() for a mixed model, or leave (… | …) out of the formula."
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Term:
    """One term of an expanded formula, as a product of factors.

    Attributes
    ----------
    factors : tuple of str
        Empty for the intercept; each a column's name or a Python expression of columns.
    """

    factors: tuple[str, ...]

    @property
    def name(self) -> str:
        """The term as people write it."""
        return ":".join(self.factors) or "Intercept"


@dataclass(frozen=True, slots=True)
class RandomBlock:
    """Random effects of one grouping factor that share one unstructured covariance matrix.

    Attributes
    ----------
    expression : str
        The left side, with its intercept spelled out: ``1 + t``.
    group : tuple of str
        Columns whose combinations are the groups.
    """

    expression: str
    group: tuple[str, ...]

    @property
    def group_name(self) -> str:
        """The grouping factor as results name it."""
        return ":".join(self.group)


@dataclass(frozen=True, slots=True)
class ModelFormula:
    """A formula taken apart.

    Attributes
    ----------
    text, response, fixed : str
        `fixed` is the right side without offsets and random terms.
    offsets : tuple of str
    blocks : tuple of RandomBlock
    """

    text: str
    response: str
    fixed: str
    offsets: tuple[str, ...]
    blocks: tuple[RandomBlock, ...]


@lru_cache(maxsize=256)
def parse_formula(text: str) -> ModelFormula:
    """Take a formula apart.

    Raises
    ------
    Refusal
        If brackets do not match, a side is missing, or a random term is not of the form ``(expression | grouping)``.

    Examples
    --------
    >>> parse_formula("y ~ x + (1 + t || a/b)").blocks
    (RandomBlock(expression='1', group=('a',)), RandomBlock(expression='0 + t', group=('a',)), \
RandomBlock(expression='1', group=('a', 'b')), RandomBlock(expression='0 + t', group=('a', 'b')))
    """
    left, separator, right = text.partition("~")
    if not separator or not left.strip() or not right.strip():
        SYNTAX.refuse(text, why=Phrase("it needs a response, a tilde and a right side"))
    fixed: list[str] = []
    offsets: list[str] = []
    blocks: list[RandomBlock] = []
    for sign, part in _summands(right, text):
        inner = part[1:-1].strip() if part.startswith("(") and part.endswith(")") else ""
        if _bar(inner):
            if sign == "-":
                SYNTAX.refuse(text, why=Phrase("a random term cannot be subtracted"))
            blocks += _blocks(inner, text)
        elif "|" in part:
            SYNTAX.refuse(text, why=Phrase("a random term stands by itself in brackets, like (1 | g); found {part}", part=part))
        elif part.startswith("offset(") and part.endswith(")"):
            offsets.append(part[7:-1].strip())
        else:
            fixed.append(f"{sign} {part}")
    return ModelFormula(text, _unquoted(left), " ".join(fixed).removeprefix("+ ") or "1", tuple(offsets), tuple(blocks))


@lru_cache(maxsize=256)
def expand_terms(expression: str) -> tuple[Term, ...]:
    """Return the terms of an expression in formulaic's order: by degree, then as written."""
    from formulaic import Formula
    from formulaic.errors import FormulaicError

    try:
        terms = list(Formula(expression))
    except (FormulaicError, SyntaxError, ValueError) as error:
        SYNTAX.refuse(expression, why=str(error).splitlines()[0])
    return tuple(Term(tuple(f.expr for f in t.factors if f.expr != "1")) for t in terms)


@lru_cache(maxsize=256)
def names_in(expression: str) -> tuple[str, ...]:
    """Return the columns that an expression names, in order of appearance."""
    from formulaic import Formula
    from formulaic.errors import FormulaicError

    try:
        required = Formula(expression).required_variables
    except (FormulaicError, SyntaxError, ValueError) as error:
        SYNTAX.refuse(expression, why=str(error).splitlines()[0])
    named = {str(v) for v in required}.union(*(_arguments(f) for t in expand_terms(expression) for f in t.factors))
    return tuple(sorted(named, key=lambda v: (expression.find(v), v)))


def _arguments(factor: str) -> set[str]:
    """Return the columns that a call such as ``poly(x, 2)`` names; formulaic does not report them for its own functions."""
    try:
        tree = ast.parse(factor, mode="eval")
    except SyntaxError:  # a column's name in backticks
        return set()
    functions = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    modules = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in functions | modules}


def _summands(side: str, text: str) -> list[tuple[str, str]]:
    """Split a right side at its outermost plus and minus signs into (sign, summand)."""
    parts: list[tuple[str, str]] = []
    depth, sign, current, quoted = 0, "+", "", False
    for c in side:
        quoted ^= c == "`"
        depth += (c in "([") - (c in ")]") if not quoted else 0
        if depth < 0:
            break
        if c in "+-" and depth == 0 and not quoted:
            if current.strip():
                parts.append((sign, current.strip()))
            sign, current = c, ""
        else:
            current += c
    if depth != 0 or quoted:
        SYNTAX.refuse(text, why=Phrase("its brackets or quotes do not match"))
    if not current.strip():
        SYNTAX.refuse(text, why=Phrase("it ends in a sign"))
    return [*parts, (sign, current.strip())]


def _bar(inner: str) -> bool:
    """Whether a bracket's content has a bar outside further brackets."""
    depth = 0
    for c in inner:
        depth += (c == "(") - (c == ")")
        if c == "|" and depth == 0:
            return True
        if depth < 0:
            return False
    return False


def _blocks(inner: str, text: str) -> list[RandomBlock]:
    """Return the blocks of one random term."""
    match = re.fullmatch(r"([^|]+?)(\|\|?)([^|]+)", inner)
    if match is None:
        SYNTAX.refuse(text, why=Phrase("a random term has one bar, like (1 | g); found ({part})", part=inner))
    expression, bar, grouping = match.groups()
    terms = expand_terms(expression.strip())
    expressions = [_spelled(terms)] if bar == "|" else [_spelled((t,)) for t in terms]
    if not expressions or not terms:
        SYNTAX.refuse(text, why=Phrase("the random term ({part}) has no effect to vary", part=inner))
    return [RandomBlock(e, g) for g in _groups(grouping, text) for e in expressions]


def _spelled(terms: tuple[Term, ...]) -> str:
    """Return terms as an expression whose intercept is explicit."""
    head = "1" if any(not t.factors for t in terms) else "0"
    rest = [t.name for t in terms if t.factors]
    return "1" if not rest and head == "1" else " + ".join([head, *rest])


def _groups(grouping: str, text: str) -> list[tuple[str, ...]]:
    """Return the grouping factors of ``a``, ``a:b`` or ``a/b``, each as its columns."""
    plain = grouping.strip()
    if plain.startswith("(") and plain.endswith(")"):
        plain = plain[1:-1]
    nested = [tuple(_unquoted(c) for c in part.split(":")) for part in plain.split("/")]
    if any(not re.fullmatch(r"[\w. ]+", c) for part in nested for c in part):
        SYNTAX.refuse(text, why=Phrase("a grouping factor is a column, a:b or a/b; found {part}", part=plain))
    groups: list[tuple[str, ...]] = []
    for part in nested:
        groups.append((groups[-1] if groups else ()) + part)
    return groups


def _unquoted(name: str) -> str:
    """Return a column's name without blanks and backticks."""
    return name.strip().strip("`")
