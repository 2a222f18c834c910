"""How the warehouses spell the few things in which their SQL differs."""

from __future__ import annotations

from dataclasses import dataclass

from asp_eval.core.errors import Fault

NO_DIALECT = Fault("ENG-001", "there is no dialect named {name}", "Use one of {known}.")


@dataclass(frozen=True, slots=True)
class Dialect:
    """The spelling of one warehouse.

    Attributes
    ----------
    name : str
    quote : str
        Mark around the name of a column.
    double : str
        The type of a number of 64 bits.
    is_nan : str
        Condition on ``{x}`` that it is NaN, which in SQL is not NULL.
    sum : str
        The sum; DuckDB's compensated one gives the same digits whatever the threads.
    backslash : bool
        Whether a backslash in a text must be doubled.
    """

    name: str
    quote: str
    double: str
    is_nan: str
    sum: str = "sum"
    backslash: bool = False

    def column(self, name: str) -> str:
        """Return the name of a column, quoted."""
        return self.quote + name.replace(self.quote, self.quote * 2) + self.quote

    def text(self, value: str) -> str:
        """Return a text, quoted."""
        escaped = value.replace("\\", "\\\\") if self.backslash else value
        return "'" + escaped.replace("'", "\\'" if self.backslash else "''") + "'"

    def number(self, column: str) -> str:
        """Return a column as a number of 64 bits."""
        return f"CAST({column} AS {self.double})"


DIALECTS = {
    d.name: d
    for d in (
        Dialect("duckdb", '"', "DOUBLE", "isnan({x})", sum="kahan_sum"),
        Dialect("spark", "`", "DOUBLE", "isnan({x})", backslash=True),
        Dialect("postgres", '"', "DOUBLE PRECISION", "{x} = 'NaN'"),
        Dialect("snowflake", '"', "DOUBLE", "{x} = 'NaN'", backslash=True),
        Dialect("bigquery", "`", "FLOAT64", "IS_NAN({x})", backslash=True),
    )
}


def dialect_named(name: str) -> Dialect:
    """Return a dialect.

    Raises
    ------
    Refusal
        ENG-001 if there is none of that name.
    """
    return DIALECTS[name] if name in DIALECTS else NO_DIALECT.refuse(name=name, known=", ".join(DIALECTS))
