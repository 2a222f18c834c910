"""``asp-eval moments``: the sums that a mixed model needs, made where the rows are, and a file of them that can be sent."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from asp_eval.core.errors import Fault
from asp_eval.engines.dialects import dialect_named
from asp_eval.engines.duckdb_sums import moments_from_sql
from asp_eval.engines.statement import sums_statement
from asp_eval.stats.engine.group_sums import Declared, ask, check_declared
from asp_eval.stats.engine.moments import Moments

__all__ = ["Moments", "declared_categories", "moments_statement", "save_moments"]

NO_CATEGORIES = Fault(
    "ENG-005",
    "no column is named in {given!r}",
    "Name a column, or a column and its categories in order, the reference first: arm=reference,intervention.",
)


def declared_categories(given: Iterable[str]) -> dict[str, tuple[str, ...] | None]:
    """Return columns of categories as a person writes them, ``arm=reference,intervention`` or ``arm`` alone.

    Examples
    --------
    >>> declared_categories(["arm=reference,intervention", "edu"])
    {'arm': ('reference', 'intervention'), 'edu': None}
    """
    found: dict[str, tuple[str, ...] | None] = {}
    for each in given:
        column, _, listed = each.partition("=")
        if not column.strip():
            NO_CATEGORIES.refuse(given=each)
        found[column.strip()] = tuple(v.strip() for v in listed.split(",")) if listed.strip() else None
    return found


def moments_statement(formula: str, relation: str, dialect: str, categories: Declared, weights: str | None = None) -> str:
    """Return the statement that makes the sums in another warehouse; `Moments.from_sums` reads its answer.

    Parameters
    ----------
    formula : str
    relation : str
        A table, a view, or a query in brackets, as the warehouse names it.
    dialect : str
        ``duckdb``, ``spark``, ``postgres``, ``snowflake`` or ``bigquery``.
    categories : mapping of str to sequence or None
        Every column of the formula that holds categories: the types of the columns are not known here.
    weights : str, optional

    Raises
    ------
    Refusal
        ENG-001 if the dialect is unknown; FIT-170 for what takes more than one pass.
    """
    check_declared(formula, categories)
    return sums_statement(ask(formula, categories, weights), relation, dialect_named(dialect))


def save_moments(
    formula: str,
    relation: str | Path,
    out: Path,
    *,
    database: Path | None = None,
    categories: Declared | None = None,
    weights: str | None = None,
    clusters: str | None = None,
    minimum: int = 5,
) -> Moments:
    """Make the sums in DuckDB, and write them to a file.

    Parameters
    ----------
    formula, relation, database, categories, weights, clusters
        As for `asp_eval.moments_from_sql`.
    out : Path
    minimum : int
        Fewest rows that any group or category may have.

    Raises
    ------
    Refusal
        As `asp_eval.moments_from_sql` and `Moments.save`.
    """
    found = moments_from_sql(formula, relation, database=database, weights=weights, categories=categories, clusters=clusters)
    found.save(out, minimum=minimum)
    return found
