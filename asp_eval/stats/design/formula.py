"""Formulas in lme4's syntax: what is modelled, what is fixed, what is random.

``y ~ arm * x + offset(o) + (1 + t | a/b) + (0 + t || g)`` has

* a response, here ``y``: a column, or arithmetic such as ``post - pre`` or ``log(y)``;
* a fixed part in Wilkinson and Rogers's notation, here ``arm * x``;
* offsets, known additions to the linear predictor, arithmetic as well;
* random terms ``(expression | grouping)``: correlated with ``|``, uncorrelated with ``||``. ``a/b`` is short for
  ``a`` and ``a:b`` (Bates, Maechler, Bolker & Walker 2015, J Stat Soft 67:1, table 2).

In the fixed part and left of a bar, ``+ - : * / ^ %in%`` are the algebra of terms, as in R: ``age^2`` is ``age``, and a square is
``I(age^2)``. As in lme4, ``||`` separates the terms of the expression; the columns of one categorical term stay correlated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.arithmetic import ELSEWHERE, FUNCTIONS, NO_FUNCTION, is_arithmetic, plain_function
from asp_eval.stats.design.syntax import (
    CODED,
    SYNTAX,
    Binary,
    Bracket,
    Call,
    Constant,
    Dot,
    Name,
    Sum,
    Tree,
    columns_of,
    parse,
    replace_dot,
    spell,
    split_sides,
)

NO_RANDOM = Fault(
    "FIT-011", "the formula has no random term", "Add one like (1 | institution), or use ols() for a model without any."
)
RANDOM_IN_FIXED = Fault(
    "FIT-012", "this model takes no random terms", "Use lmm() for a mixed model, or leave (… | …) out of the formula."
)
NO_TEXT = Fault("FIT-013", "the formula is not a text", "Give the formula first, then the data: lmm('y ~ x + (1 | g)', frame).")
DOT = Fault(
    "FIT-014", "in a mixed model the dot would stand for the grouping factors as well", "Write the fixed part out: {fixed}."
)

MOST_TERMS = 2_000
"""Of one expression."""


@dataclass(frozen=True, slots=True)
class Term:
    """One term of an expanded formula, as a product of factors.

    Attributes
    ----------
    trees : tuple of Tree
        Empty for the intercept; each a column or an expression of columns.
    """

    trees: tuple[Tree, ...]

    @property
    def factors(self) -> tuple[str, ...]:
        """The factors as coefficients name them."""
        return tuple(t.name if isinstance(t, Name) else spell(t) for t in self.trees)

    @property
    def name(self) -> str:
        """The term as people write it."""
        return ":".join(self.factors) or "Intercept"

    @property
    def spelled(self) -> str:
        """The term as a formula can hold it."""
        return ":".join(spell(t) for t in self.trees) or "1"


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
    outcome : Tree
        The response, to be computed.
    notes : tuple of Phrase
        What a reader may have meant otherwise.
    """

    text: str
    response: str
    fixed: str
    offsets: tuple[str, ...]
    blocks: tuple[RandomBlock, ...]
    outcome: Tree = field(default_factory=lambda: Name("y"))
    notes: tuple[Phrase, ...] = ()

    @property
    def effects(self) -> tuple[str, ...]:
        """Right sides of the fixed part and of every random term."""
        return (self.fixed, *(b.expression for b in self.blocks))

    def filled(self, columns: Iterable[object], besides: Iterable[str] = ()) -> ModelFormula:
        """Return the formula with ``.`` spelled out: every column but the response's and those `besides`.

        Raises
        ------
        Refusal
            FIT-014 in a mixed model: lme4 would take the grouping factors for fixed effects too, which nobody means.
        """
        if not _names_dot(self.fixed):
            return self
        used = {*columns_of(self.outcome), *(g for b in self.blocks for g in b.group), *besides}
        used |= {c for o in self.offsets for c in columns_of(parse(o))}
        others = [str(c) for c in columns if str(c) not in used]
        dot: Tree = Sum(tuple(("+", Name(c)) for c in others)) if others else Constant(1)
        fixed = spell(replace_dot(parse(self.fixed), dot))
        if self.blocks:
            DOT.refuse(self.text, fixed=fixed)
        return replace(self, fixed=fixed)


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
    if not isinstance(text, str):
        NO_TEXT.refuse(found=type(text).__name__)
    return _parsed(text)


@lru_cache(maxsize=256)
def _parsed(text: str) -> ModelFormula:
    left, right = split_sides(text)
    outcome = parse(left)
    _check_arithmetic(outcome, text)
    fixed: list[tuple[str, Tree]] = []
    offsets: list[str] = []
    blocks: list[RandomBlock] = []
    notes: list[Phrase] = []
    for sign, part in _summands(parse(right)):
        if isinstance(part, Bracket):
            if sign == "-":
                SYNTAX.refuse(text, why=Phrase("a random term cannot be subtracted"))
            blocks += _blocks(part.inner, text)
            notes += _notes(part.inner.left)
        elif isinstance(part, Call) and part.function == "offset":
            offsets.append(_offset(sign, part, text))
        else:
            fixed.append((sign, part))
            notes += _notes(part)
    whole = _joined(fixed)
    if not _has_dot(whole):
        expand_terms(spell(whole))
    response = outcome.name if isinstance(outcome, Name) else spell(outcome)
    return ModelFormula(text, response, spell(whole), tuple(offsets), tuple(blocks), outcome, tuple(dict.fromkeys(notes)))


@lru_cache(maxsize=256)
def expand_terms(expression: str) -> tuple[Term, ...]:
    """Return the terms of an expression: by degree, then as written; the intercept first, unless it was taken out.

    Raises
    ------
    Refusal
        FIT-010 if it is no algebra of terms, FIT-032 if a function is unknown.

    Examples
    --------
    >>> [t.name for t in expand_terms("a * b - a:b + I(x^2)")]
    ['Intercept', 'a', 'b', 'I(x ** 2)']
    """
    terms, intercept = _expand(parse(expression), expression)
    found = [Term(())] * (intercept is not False) + [Term(t) for t in terms.values()]
    return tuple(sorted(found, key=lambda t: len(t.trees)))


@lru_cache(maxsize=256)
def names_in(expression: str) -> tuple[str, ...]:
    """Return the columns that an expression names, in order of appearance."""
    return tuple(dict.fromkeys(columns_of(parse(expression))))


_Terms = dict[frozenset[Tree], tuple[Tree, ...]]


def _expand(tree: Tree, text: str) -> tuple[_Terms, bool | None]:
    """Return the terms of a tree, and whether it puts the intercept in or takes it out."""
    match tree:
        case Constant(0 | 1 as value) if not isinstance(value, bool):
            return {}, value == 1
        case Sum(parts):
            return _sum(parts, text)
        case Binary(":" | "%in%", left, right):
            return _product(_terms(left, text), _terms(right, text), text), None
        case Binary("*", left, right):
            a, b = _terms(left, text), _terms(right, text)
            return {**a, **b, **_product(a, b, text)}, None
        case Binary("/", left, right):
            a = _terms(left, text)
            every = tuple(dict.fromkeys(f for t in a.values() for f in t))
            return {**a, **_product({frozenset(every): every}, _terms(right, text), text)}, None
        case Binary("^", left, Constant(int() as power)) if not isinstance(power, bool) and 1 <= power <= 20:
            a = out = _terms(left, text)
            for _ in range(power - 1):
                longer = {**out, **_product(out, a, text)}
                if len(longer) == len(out):
                    break
                out = longer
            return out, None
        case Name():
            return {frozenset([tree]): (tree,)}, None
        case Call():
            _check_factor(tree, text)
            return {frozenset([tree]): (tree,)}, None
        case Dot():
            return SYNTAX.refuse(text, why=Phrase("the dot stands for all other columns, and can stand in the fixed part only"))
        case Bracket() | Binary("|" | "||"):
            return SYNTAX.refuse(
                text, why=Phrase("a random term stands by itself in brackets, like (1 | g); found {part}", part=spell(tree))
            )
    return SYNTAX.refuse(text, why=Phrase("{part} is no term; arithmetic is written I(...)", part=spell(tree)))


def _terms(tree: Tree, text: str) -> _Terms:
    """Return the terms of an operand, which cannot hold a constant."""
    terms, intercept = _expand(tree, text)
    if intercept is not None or not terms:
        SYNTAX.refuse(text, why=Phrase("a number is no term; arithmetic is written I(...)"))
    return terms


def _sum(parts: tuple[tuple[str, Tree], ...], text: str) -> tuple[_Terms, bool | None]:
    """Return the terms of a sum: added in order, or taken out."""
    out: _Terms = {}
    intercept: bool | None = None
    for sign, part in parts:
        terms, constant = _expand(part, text)
        if sign == "+":
            out = {**out, **{k: v for k, v in terms.items() if k not in out}}
            intercept = intercept if constant is None else constant
        else:
            out = {k: v for k, v in out.items() if k not in terms}
            intercept = intercept if constant is None else not constant
    return out, intercept


def _product(a: _Terms, b: _Terms, text: str) -> _Terms:
    """Return every term of one expression times every term of the other; a factor times itself is itself."""
    if len(a) * len(b) > MOST_TERMS:
        SYNTAX.refuse(
            text if len(text) < 200 else text[:197] + "...", why=Phrase("it has more than {most} terms", most=MOST_TERMS)
        )
    out: _Terms = {}
    for one in a.values():
        for other in b.values():
            together = tuple(dict.fromkeys(one + other))
            out.setdefault(frozenset(together), together)
    return out


def _summands(tree: Tree) -> list[tuple[str, Tree]]:
    """Return the outermost summands of a right side with their signs, brackets around added sums opened."""
    if not isinstance(tree, Sum):
        return [("+", tree)]
    out: list[tuple[str, Tree]] = []
    for sign, part in tree.parts:
        added = sign == "+" and isinstance(part, Sum) and all(s == "+" for s, _ in part.parts)
        out += _summands(part) if added else [(sign, part)]
    return out


def _joined(parts: list[tuple[str, Tree]]) -> Tree:
    """Return the tree of what is left of a right side; nothing is the intercept."""
    if not parts:
        return Constant(1)
    return parts[0][1] if len(parts) == 1 and parts[0][0] == "+" else Sum(tuple(parts))


def _notes(tree: Tree) -> list[Phrase]:
    """Say where the algebra of terms is not what arithmetic would be: powers and products of one column."""
    match tree:
        case Sum(parts):
            return [n for _, part in parts for n in _notes(part)]
        case Binary("^", Name() | Call() as base, Constant(int() as power)) if power > 1:
            return [_is_itself(tree, base)]
        case Binary("*" | ":", left, right) if left == right and isinstance(left, (Name, Call)):
            return [_is_itself(tree, left)]
        case Binary(_, left, right):
            return _notes(left) + _notes(right)
    return []


def _is_itself(tree: Tree, base: Tree) -> Phrase:
    return Phrase(
        "{written} in a formula means {base}, as in R; arithmetic is written I(...).",
        written=spell(tree),
        base=spell(base),
    )


def _offset(sign: str, call: Call, text: str) -> str:
    """Return what an offset holds, as text."""
    if sign == "-" or len(call.arguments) != 1 or call.named:
        SYNTAX.refuse(text, why=Phrase("an offset is added and holds one expression, like offset(log(hours))"))
    _check_arithmetic(call.arguments[0], text)
    return spell(call.arguments[0])


def _check_arithmetic(tree: Tree, text: str) -> None:
    """Refuse a response or an offset that no arithmetic can compute."""
    if not is_arithmetic(tree):
        if isinstance(tree, Call) and (tree.function in CODED or tree.function == "offset"):
            SYNTAX.refuse(text, why=Phrase("{part} gives no numbers", part=spell(tree)))
        return
    _check_functions(tree, text)


def _check_factor(call: Call, text: str) -> None:
    """Refuse a call that no factor can be."""
    if call.function == "offset":
        SYNTAX.refuse(text, why=Phrase("an offset stands by itself, added to the rest: ... + offset(o)"))
    if plain_function(call.function) not in ELSEWHERE:
        _check_functions(call, text)


def _check_functions(tree: Tree, text: str) -> None:
    """Refuse unknown functions, and operators that are no arithmetic, before anything is computed."""
    match tree:
        case Call(function, arguments, _):
            name = plain_function(function)
            if name not in FUNCTIONS and name not in ELSEWHERE:
                NO_FUNCTION.refuse(text, name=function, known=", ".join([*FUNCTIONS, *ELSEWHERE]))
            for part in arguments if name in FUNCTIONS else ():
                _check_functions(part, text)
        case Sum(parts):
            for _, part in parts:
                _check_functions(part, text)
        case Binary(":" | "%in%", _, _) | Dot():
            SYNTAX.refuse(text, why=Phrase("{part} is no arithmetic; write the product of two columns with *", part=spell(tree)))
        case Binary(_, left, right):
            _check_functions(left, text)
            _check_functions(right, text)
        case Bracket(inner):
            _check_functions(inner, text)


@lru_cache(maxsize=256)
def _names_dot(expression: str) -> bool:
    """Whether the dot stands in an expression."""
    return _has_dot(parse(expression))


def _has_dot(tree: Tree) -> bool:
    """Whether the dot stands in a tree."""
    match tree:
        case Dot():
            return True
        case Sum(parts):
            return any(_has_dot(p) for _, p in parts)
        case Binary(_, left, right):
            return _has_dot(left) or _has_dot(right)
    return False


def _blocks(bar: Binary, text: str) -> list[RandomBlock]:
    """Return the blocks of one random term."""
    if isinstance(bar.left, Bracket) or (isinstance(bar.left, Binary) and bar.left.operator in ("|", "||")):
        SYNTAX.refuse(text, why=Phrase("a random term has one bar, like (1 | g); found {part}", part=f"({spell(bar)})"))
    terms = expand_terms(spell(bar.left))
    expressions = [_spelled(terms)] if bar.operator == "|" else [_spelled((t,)) for t in terms]
    if not expressions or not terms:
        SYNTAX.refuse(text, why=Phrase("the random term {part} has no effect to vary", part=f"({spell(bar)})"))
    return [RandomBlock(e, g) for g in _groups(bar.right, text) for e in expressions]


def _spelled(terms: tuple[Term, ...]) -> str:
    """Return terms as an expression whose intercept is explicit."""
    head = "1" if any(not t.trees for t in terms) else "0"
    rest = [t.spelled for t in terms if t.trees]
    return "1" if not rest and head == "1" else " + ".join([head, *rest])


def _groups(grouping: Tree, text: str) -> list[tuple[str, ...]]:
    """Return the grouping factors of ``a``, ``a:b`` or ``a/b``, each as its columns."""
    match grouping:
        case Name(name):
            return [(name,)]
        case Call("factor" | "as.factor" | "C", (Name(name),), ()):
            return [(name,)]
        case Binary(":", left, right):
            a, b = _groups(left, text), _groups(right, text)
            if len(a) == len(b) == 1:
                return [tuple(dict.fromkeys(a[0] + b[0]))]
        case Binary("/", left, right):
            outer, inner = _groups(left, text), _groups(right, text)
            if len(inner) == 1:
                return [*outer, tuple(dict.fromkeys(outer[-1] + inner[0]))]
    return SYNTAX.refuse(text, why=Phrase("a grouping factor is a column, a:b or a/b; found {part}", part=spell(grouping)))
