"""What a formula says, as a tree: R's operators with R's precedence, and no code that runs.

A formula is read once into names, numbers, texts, calls and operators. `asp_eval.stats.design.formula` takes the tree for
Wilkinson and Rogers's algebra (``a * b`` is two effects and their interaction), `asp_eval.stats.design.arithmetic` for
arithmetic (``a * b`` is a product); which of the two holds depends on where it stands, as in R. There are no attributes,
subscripts, assignments or functions other than those of a list, so a formula from a stranger can be read safely.

From tight to loose: ``^`` and ``**``, the sign, ``:``, ``%in%`` ``%%`` ``%/%``, ``*`` ``/``, ``+`` ``-``, comparisons,
``!``, ``&``, ``|`` ``||``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase

SYNTAX = Fault("FIT-010", "the formula cannot be read: {why}", "Write it like  y ~ arm + x + (1 | institution).")

LONGEST = 20_000
"""Characters of a formula; some thousand terms fit in."""
DEEPEST = 60
"""Brackets and operators within each other."""


@dataclass(frozen=True, slots=True)
class Name:
    """A column."""

    name: str


@dataclass(frozen=True, slots=True)
class Dot:
    """The dot of ``y ~ .``: every other column."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a text, a truth value, or None."""

    value: float | int | str | bool | None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and repr(self.value) == repr(other.value)  # 1 is not True here

    def __hash__(self) -> int:
        return hash(repr(self.value))


@dataclass(frozen=True, slots=True)
class Sequence:
    """Several values: ``[a, b]`` or R's ``c(a, b)``."""

    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function of columns: its arguments by position, and those by name."""

    function: str
    arguments: tuple[Tree, ...]
    named: tuple[tuple[str, Tree], ...] = ()


@dataclass(frozen=True, slots=True)
class Sum:
    """Summands with their signs; a single negative one is a change of sign."""

    parts: tuple[tuple[str, Tree], ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """Not true."""

    operand: Tree


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and what stands between; ``**`` is spelled ``^``."""

    operator: str
    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class Bracket:
    """A bar within brackets, as a random term has it."""

    inner: Binary


Tree = Name | Dot | Constant | Sequence | Call | Sum | Negation | Binary | Bracket

TOKEN = re.compile(
    r"""(?P<blank>\s+)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>[^\W\d][\w.]*)
    |(?P<quoted>`[^`]+`)
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<operator>\*\*|%in%|%%|%/%|\|\||&&|==|!=|<=|>=|[-+*/^:|&!<>=~()\[\],.])""",
    re.VERBOSE,
)
LEVELS = (("|", "||"), ("&", "&&"), (), ("<", ">", "<=", ">=", "==", "!="), ("+", "-"), ("*", "/"), ("%in%", "%%", "%/%"), (":",))
"""Binary operators from loose to tight; the empty place is the negation's."""
POWER = len(LEVELS) + 1
LEVEL_OF = {operator: level for level, operators in enumerate(LEVELS) for operator in operators}
CONSTANTS = {"True": True, "TRUE": True, "False": False, "FALSE": False, "None": None, "NULL": None}


@lru_cache(maxsize=512)
def parse(text: str) -> Tree:
    """Return the tree of an expression without a tilde.

    Raises
    ------
    Refusal
        FIT-010, with what is in the way.
    """
    return _Reader(text).whole()


def split_sides(text: str) -> tuple[str, str]:
    """Return what stands on the left and on the right of the tilde."""
    if len(text) > LONGEST:
        SYNTAX.refuse(text[:60] + "...", why=Phrase("it has {n} characters, more than {most}", n=len(text), most=LONGEST))
    tildes = [at for kind, token, at in _tokens(text) if (kind, token) == ("operator", "~")]
    if len(tildes) != 1 or not text[: tildes[0]].strip() or not text[tildes[0] + 1 :].strip():
        SYNTAX.refuse(text, why=Phrase("it needs a response, a tilde and a right side"))
    return text[: tildes[0]], text[tildes[0] + 1 :]


def _tokens(text: str) -> list[tuple[str, str, int]]:
    """Return the kind, text and place of every token."""
    out: list[tuple[str, str, int]] = []
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            SYNTAX.refuse(text, why=_unreadable(text[at]))
        if match.lastgroup != "blank":
            out.append((str(match.lastgroup), match.group(), at))
        at = match.end()
    return out


def _unreadable(character: str) -> str:
    """Say why a character cannot be read, and what to write instead."""
    if character in "'\"`":
        return Phrase("a quote is not closed: {mark}", mark=character)
    if character == "%":
        return Phrase("a remainder is written %%, and {mark} alone says nothing", mark="%")
    if character in "{}":
        return Phrase("arithmetic is written I(...), not in braces")
    return Phrase("{mark} has no meaning in a formula; put names of columns with it in `backticks`", mark=repr(character))


class _Reader:
    """Reads tokens into a tree, operators by precedence."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.at = 0
        self.depth = 0

    def whole(self) -> Tree:
        """Return the tree of the whole text."""
        tree = self.level(0)
        if self.at < len(self.tokens):
            self.fail()
        return tree

    def level(self, level: int) -> Tree:
        """Return a tree of operators that bind at least as tightly as a level; those of one level are taken from the left."""
        self.depth += 1
        if self.depth > DEEPEST:
            self.deep()
        tree = self.signed()
        added: tuple[tuple[str, Tree], ...] = ()
        if isinstance(tree, Sum) and len(tree.parts) == 1:  # "-1 + x" is one sum
            added = tree.parts
        joined = 0
        while (operator := self.peek()) in LEVEL_OF and (at := LEVEL_OF[operator]) >= level:
            self.at += 1
            right = self.level(at + 1)
            if operator in ("+", "-"):
                added = (*(added or (("+", tree),)), (operator, right))
                tree = Sum(added)
            else:
                tree, added, joined = Binary(operator, tree, right), (), joined + 1
            if joined > DEEPEST:
                self.deep()
        self.depth -= 1
        return tree

    def signed(self) -> Tree:
        """Return an operand with its sign, which is looser than a power and tighter than all else, or what is not true."""
        if self.take("!"):
            return Negation(self.level(LEVELS.index(()) + 1))
        if self.take("-"):
            return Sum((("-", self.level(len(LEVELS))),))
        if self.take("+"):
            return self.level(len(LEVELS))
        base = self.atom()
        if self.peek() in ("^", "**"):
            self.at += 1
            return Binary("^", base, self.level(len(LEVELS)))  # a power of a power is taken from the right
        return base

    def atom(self) -> Tree:
        """Return a name, a constant, a call, or what stands in brackets."""
        if self.at >= len(self.tokens):
            SYNTAX.refuse(self.text, why=Phrase("it ends where something is expected"))
        kind, token, _ = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return Constant(int(token) if token.isdigit() else float(token))
        if kind == "text":
            return Constant(re.sub(r"\\(.)", r"\1", token[1:-1]))
        if kind == "quoted":
            return Name(token[1:-1])
        if kind == "name":
            return self.named(token)
        if token == ".":
            return Dot()
        if token == "[":
            return Sequence(self.items("]")[0])
        if token == "(":
            inner = self.level(0)
            self.expect(")")
            return Bracket(inner) if isinstance(inner, Binary) and inner.operator in LEVELS[0] else inner
        self.at -= 1
        return self.fail()

    def named(self, token: str) -> Tree:
        """Return a call, a constant, or a column."""
        if token.startswith("__"):
            SYNTAX.refuse(self.text, why=Phrase("{name} is no column and no function of a formula", name=token))
        if not self.take("("):
            if self.peek() == "[":
                SYNTAX.refuse(self.text, why=Phrase("a column is taken whole: {name}[...] says nothing", name=token))
            return Constant(CONSTANTS[token]) if token in CONSTANTS else Name(token)
        positional, named = self.items(")")
        if token == "c":
            return Sequence(positional)
        return Call(token, positional, named)

    def items(self, end: str) -> tuple[tuple[Tree, ...], tuple[tuple[str, Tree], ...]]:
        """Return the arguments up to a closing bracket."""
        positional: list[Tree] = []
        named: list[tuple[str, Tree]] = []
        while not self.take(end):
            if positional or named:
                self.expect(",")
            following = self.tokens[self.at : self.at + 2]
            if end == ")" and len(following) == 2 and following[0][0] == "name" and following[1][1] == "=":
                self.at += 2
                named.append((following[0][1], self.level(0)))
            else:
                positional.append(self.level(0))
        return tuple(positional), tuple(named)

    def peek(self) -> str:
        """Return the next token if it is an operator."""
        kind, token = self.tokens[self.at][:2] if self.at < len(self.tokens) else ("", "")
        return token if kind == "operator" else ""

    def take(self, operator: str) -> bool:
        """Pass an operator if it is the next token."""
        found = self.peek() == operator
        self.at += found
        return found

    def expect(self, operator: str) -> None:
        """Pass an operator, or refuse."""
        if not self.take(operator):
            if operator == ")" and self.at >= len(self.tokens):
                SYNTAX.refuse(self.text, why=Phrase("its brackets or quotes do not match"))
            self.fail()

    def deep(self) -> None:
        """Refuse what no person wrote."""
        SYNTAX.refuse(
            _short(self.text), why=Phrase("more than {most} operators or brackets stand within each other", most=DEEPEST)
        )

    def fail(self) -> Tree:
        """Refuse what cannot stand here."""
        if self.at >= len(self.tokens):
            SYNTAX.refuse(self.text, why=Phrase("it ends where something is expected"))
        return SYNTAX.refuse(_short(self.text), why=Phrase("{token} cannot stand where it does", token=self.tokens[self.at][1]))


def _short(text: str) -> str:
    """Return a text at a length a message can hold."""
    return text if len(text) <= 200 else text[:197] + "..."


def spell(tree: Tree, inside: int = -1) -> str:
    """Return a tree as text, with single blanks; columns with unusual names in backticks.

    Examples
    --------
    >>> spell(parse("I( (age)^2 )+poly( x,2 )")), spell(parse("(a+b)*`c d`"))
    ('I(age ** 2) + poly(x, 2)', '(a + b) * `c d`')
    """
    match tree:
        case Name(name):
            return name if re.fullmatch(r"[^\W\d][\w.]*", name) and name not in CONSTANTS else f"`{name}`"
        case Dot():
            return "."
        case Constant(value):
            return repr(value)
        case Sequence(items):
            return f"[{', '.join(spell(i) for i in items)}]"
        case Call(function, arguments, named):
            inner = [spell(a) for a in arguments] + [f"{k}={spell(v)}" for k, v in named]
            return f"{function}({', '.join(inner)})"
        case Bracket(inner):
            return f"({spell(inner)})"
        case Sum((("-", part),)):
            shown = f"-{spell(part, POWER - 1)}"
            return f"({shown})" if inside >= POWER - 1 else shown
        case Sum(parts):
            level = LEVEL_OF["+"]
            shown = " ".join(f"{sign} {spell(part, level)}" for sign, part in parts)
            shown = "-" + shown[2:] if shown.startswith("- ") else shown[2:]
            return f"({shown})" if inside >= level else shown
        case Negation(operand):
            return f"(!{spell(operand, 2)})" if inside > LEVELS.index(()) else f"!{spell(operand, 2)}"
        case Binary("^", left, right):
            shown = f"{spell(left, POWER)} ** {spell(right, POWER - 1)}"
            return f"({shown})" if inside >= POWER else shown
        case Binary(operator, left, right):
            level = LEVEL_OF[operator]
            between = operator if operator == ":" else f" {operator} "
            shown = f"{spell(left, level - 1)}{between}{spell(right, level)}"
            return f"({shown})" if inside >= level else shown


def columns_of(tree: Tree) -> Iterator[str]:
    """Yield the columns that a tree names, in order of appearance."""
    match tree:
        case Name(name):
            yield name
        case Call(function, arguments, named):
            used = arguments[:1] if function in CODED else arguments
            for part in used:
                yield from columns_of(part)
            if function not in CODED:
                for _, part in named:
                    yield from columns_of(part)
        case Sequence(items):
            for part in items:
                yield from columns_of(part)
        case Sum(parts):
            for _, part in parts:
                yield from columns_of(part)
        case Negation(part) | Bracket(part):
            yield from columns_of(part)
        case Binary(_, left, right):
            yield from columns_of(left)
            yield from columns_of(right)
        case _:
            return


CODED = ("C", "factor", "as.factor", "relevel")
"""Calls whose first argument is a column of categories, and whose others say how it is coded."""


def replace_dot(tree: Tree, by: Tree | Callable[[], Tree]) -> Tree:
    """Return a tree whose dots are another tree."""
    match tree:
        case Dot():
            return by() if callable(by) else by
        case Sum(parts):
            return Sum(tuple((sign, replace_dot(part, by)) for sign, part in parts))
        case Binary(operator, left, right):
            return Binary(operator, replace_dot(left, by), replace_dot(right, by))
        case Bracket(Binary(operator, left, right)):
            return Bracket(Binary(operator, replace_dot(left, by), replace_dot(right, by)))
        case Call(function, arguments, named):
            return Call(function, tuple(replace_dot(a, by) for a in arguments), named)
        case _:
            return tree
