"""Arithmetic on columns, as it stands on the left side of a formula, in ``offset(...)``, in ``I(...)`` and in functions.

Here ``a - b`` is a difference and ``a^2`` a square, as in R. Numbers are 64-bit; truth values are 0 and 1; categories can be
compared with a text and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.syntax import SYNTAX, Binary, Bracket, Call, Constant, Name, Negation, Sum, Tree, spell
from asp_eval.stats.design.variables import Categories, Variable, numbers_of
from asp_eval.stats.estimate import Array

CANNOT_BUILD = Fault("FIT-030", "the formula's columns cannot be built: {why}", "Check the spelling of functions and columns.")
NO_FUNCTION = Fault(
    "FIT-032", "a formula has no function named {name!r}", "Make the column in the data first, or use one of: {known}."
)

FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "I": lambda x: x,
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "exp": np.exp,
    "expm1": np.expm1,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sign": np.sign,
    "floor": np.floor,
    "ceiling": np.ceil,
    "ceil": np.ceil,
    "round": np.round,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
}
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
    "%%": np.mod,
    "%/%": np.floor_divide,
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
    "&": np.logical_and,
    "&&": np.logical_and,
    "|": np.logical_or,
    "||": np.logical_or,
}
ELSEWHERE = (
    "C",
    "factor",
    "as.factor",
    "relevel",
    "poly",
    "scale",
    "center",
    "standardize",
    "bs",
    "ns",
    "cs",
    "cr",
    "cc",
    "offset",
)
"""Functions that stand by themselves: `asp_eval.stats.design.factors` knows them."""


def plain_function(name: str) -> str:
    """Return a function's name without the module that Python users put before it."""
    return name.removeprefix("np.").removeprefix("numpy.")


def is_arithmetic(tree: Tree) -> bool:
    """Whether a tree is to be computed: anything but a column or a call of a function that stands by itself."""
    return not isinstance(tree, Name) and not (isinstance(tree, Call) and plain_function(tree.function) in ELSEWHERE)


def is_logical(tree: Tree) -> bool:
    """Whether an expression gives truth values, as ``I(age > 4)`` does."""
    match tree:
        case Call("I", (inner,), ()):
            return is_logical(inner)
        case Binary("<" | ">" | "<=" | ">=" | "==" | "!=" | "&" | "&&" | "|" | "||", _, _) | Negation() | Bracket():
            return True
    return False


def compute(tree: Tree, columns: Mapping[str, Variable], n: int) -> Array:
    """Return the values (n,) of an expression.

    Raises
    ------
    Refusal
        FIT-010 if it is no arithmetic, FIT-024 if a column is not numeric, FIT-030 if a value is not a finite number, FIT-032
        if a function is unknown.
    """
    with np.errstate(all="ignore"):
        try:
            values = np.broadcast_to(np.asarray(_value(tree, columns), float), (n,))
        except (TypeError, ValueError, OverflowError) as error:
            CANNOT_BUILD.refuse(spell(tree), why=str(error).splitlines()[0])
    wrong = int((~np.isfinite(values)).sum())
    if wrong:
        CANNOT_BUILD.refuse(spell(tree), why=Phrase("{n} of its values are not finite numbers", n=wrong))
    return np.array(values)


def _value(tree: Tree, columns: Mapping[str, Variable]) -> Any:
    """Return the value of a tree: an array, or one number or text."""
    match tree:
        case Name(name):
            return numbers_of(name, columns[name])
        case Constant(value) if isinstance(value, (bool, int, float)):
            return float(value)
        case Sum(parts):
            return sum(_value(part, columns) * (1.0 if sign == "+" else -1.0) for sign, part in parts)
        case Negation(operand):
            return np.logical_not(_value(operand, columns)) * 1.0
        case Bracket(inner):
            return _value(inner, columns)
        case Binary(("==" | "!=") as operator, left, right) if _is_text(left, columns) or _is_text(right, columns):
            return OPERATORS[operator](_labels(left, columns), _labels(right, columns)) * 1.0
        case Binary(operator, left, right) if operator in OPERATORS:
            return OPERATORS[operator](_value(left, columns), _value(right, columns)) * 1.0
        case Call(function, arguments, named):
            return _call(plain_function(function), arguments, bool(named), columns)
    return SYNTAX.refuse(spell(tree), why=Phrase("this is no arithmetic on columns"))


def _call(function: str, arguments: tuple[Tree, ...], named: bool, columns: Mapping[str, Variable]) -> Any:
    """Return the value of a function of one argument."""
    if function in ELSEWHERE:
        SYNTAX.refuse(function, why=Phrase("{name}(...) stands by itself and not within arithmetic", name=function))
    if function not in FUNCTIONS:
        NO_FUNCTION.refuse(name=function, known=", ".join([*FUNCTIONS, *ELSEWHERE]))
    if len(arguments) != 1 or named:
        SYNTAX.refuse(function, why=Phrase("{name}(...) takes one argument", name=function))
    return FUNCTIONS[function](np.asarray(_value(arguments[0], columns), float))


def _is_text(tree: Tree, columns: Mapping[str, Variable]) -> bool:
    """Whether a tree is a text, or a column of categories."""
    if isinstance(tree, Name):
        variable = columns[tree.name]
        return isinstance(variable, Categories) and not variable.boolean
    return isinstance(tree, Constant) and isinstance(tree.value, str)


def _labels(tree: Tree, columns: Mapping[str, Variable]) -> npt.NDArray[np.object_] | str:
    """Return the categories of the rows as texts, or one text."""
    if isinstance(tree, Constant):
        return str(tree.value)
    variable = columns[tree.name] if isinstance(tree, Name) else None
    if not isinstance(variable, Categories):
        return SYNTAX.refuse(spell(tree), why=Phrase("categories are compared with a text, like arm == 'new'"))
    return np.array([str(v) for v in variable.levels], object)[variable.codes]
