"""The one SELECT that answers a question for group sums, in any dialect.

Every number is taken less a constant before it is multiplied, so that a covariate near 1e9 keeps its digits. Rows with a
missing value, NULL or NaN, in any column of the model have ``complete = 0`` and are counted in one row of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

from asp_eval.engines.dialects import Dialect
from asp_eval.stats.engine.group_sums import GroupQuestion


def sums_statement(
    question: GroupQuestion,
    relation: str,
    dialect: Dialect,
    *,
    constants: Sequence[float] | None = None,
    as_text: frozenset[str] = frozenset(),
    floating: frozenset[str] = frozenset(),
) -> str:
    """Return the statement.

    Parameters
    ----------
    question : GroupQuestion
    relation : str
        A table, a view or a query in brackets, as it stands after FROM.
    dialect : Dialect
    constants : sequence of float (k,), optional
        What is taken from each number; by default its mean, for which the rows are read once more.
    as_text : frozenset of str
        Keys that are turned into text, because no frame holds their type.
    floating : frozenset of str
        Keys that may be NaN.
    """
    parts = [*question.parts, ()]
    x = [" * ".join(f"v{_position(question, c)}" for c in part) or _response(question) for part in parts]
    if constants is None:
        averages = (f"avg(CASE WHEN complete = 1 THEN {e} END) AS constant_{i}" for i, e in enumerate(x, 1))
        point = [f"point AS (SELECT {', '.join(averages)} FROM numbers)"]
        fixed, source = [f"point.constant_{i}" for i in range(1, len(x) + 1)], "numbers CROSS JOIN point"
    else:
        point, fixed, source = [], [_literal(dialect, c) for c in constants], "numbers"
    kept = [f"CASE WHEN complete = 1 THEN k{i} END AS k{i}" for i in range(1, len(question.keys) + 1)]
    centred = [*kept, "complete", *(f"{e} - {c} AS z{i}" for i, (e, c) in enumerate(zip(x, fixed, strict=True), 1))]
    centred += [f"v{_position(question, question.weights)} AS w"] if question.weights else []
    centred += [f"{c} AS constant_{i}" for i, c in enumerate(fixed, 1)]
    steps = [f"numbers AS (SELECT {_columns(question, dialect, as_text, floating)} FROM {relation})", *point]
    steps.append(f"centred AS (SELECT {', '.join(centred)} FROM {source})")
    keys = [f"k{i}" for i in range(1, len(question.keys) + 1)]
    grouped = ", ".join([*keys, "complete"])
    return (
        "WITH "
        + ",\n".join(steps)
        + f"\nSELECT {_answer(question, dialect, len(x))}\nFROM centred\nGROUP BY {grouped}\nORDER BY {grouped}"
    )


def complete_condition(question: GroupQuestion, dialect: Dialect, floating: frozenset[str] = frozenset()) -> str:
    """Return the condition that a row has a value in every column of the model."""
    keys = dict.fromkeys(column for _, column in question.keys)
    numbers = [dialect.number(dialect.column(c)) for c in dict.fromkeys((*question.numbers, *sorted(floating)))]
    return " AND ".join(
        [
            *(f"{dialect.column(c)} IS NOT NULL" for c in (*keys, *(n for n in question.numbers if n not in keys))),
            *(f"NOT {dialect.is_nan.format(x=n)}" for n in numbers),
        ]
    )


def _columns(question: GroupQuestion, dialect: Dialect, as_text: frozenset[str], floating: frozenset[str]) -> str:
    """Return keys k, numbers v, and whether the row is complete."""
    keys = []
    for i, (_, column) in enumerate(question.keys, 1):
        quoted = dialect.column(column)
        keys.append(f"CAST({quoted} AS VARCHAR) AS k{i}" if column in as_text else f"{quoted} AS k{i}")
    numbers = [f"{dialect.number(dialect.column(c))} AS v{i}" for i, c in enumerate(question.numbers, 1)]
    complete = f"CASE WHEN {complete_condition(question, dialect, floating)} THEN 1 ELSE 0 END AS complete"
    return ", ".join([*keys, *numbers, complete])


def _answer(question: GroupQuestion, dialect: Dialect, numbers: int) -> str:
    """Return the columns of the answer under the names that `read_answer` looks for."""
    named = [f"{dialect.text(question.formula.text)} AS {dialect.column('formula')}", f"complete AS {dialect.column('complete')}"]
    named += [f"k{i} AS {dialect.column(name)}" for i, (name, _) in enumerate(question.keys, 1)]
    named.append(f"count(*) AS {dialect.column('n')}")
    for i, j in question.products:
        factors = ["w"] * bool(question.weights) + [f"z{m}" for m in (i, j) if m]
        named.append(f"{dialect.sum}({' * '.join(factors)}) AS {dialect.column(f'sum_{i}_{j}')}")
    named += [f"min(constant_{i}) AS {dialect.column(f'constant_{i}')}" for i in range(1, numbers + 1)]
    if question.weights:
        named.append(f"{dialect.sum}(CASE WHEN w > 0 THEN ln(w) END) AS {dialect.column('log_weights')}")
        named.append(f"min(w) AS {dialect.column('least_weight')}")
    return ", ".join(named)


def _position(question: GroupQuestion, column: str) -> int:
    return question.numbers.index(column) + 1


def _response(question: GroupQuestion) -> str:
    """Return the outcome less its offsets."""
    own = f"v{_position(question, question.formula.response)}"
    return f"({' - '.join([own, *(f'v{_position(question, o)}' for o in question.offsets)])})" if question.offsets else own


def _literal(dialect: Dialect, number: float) -> str:
    """Return a number with all its digits."""
    return dialect.number(f"'{number!r}'")
