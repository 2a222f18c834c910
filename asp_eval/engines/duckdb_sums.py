"""Moments of rows that DuckDB reads: a file larger than memory, a table, a view, a query. Nothing comes back but sums."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.engines.dialects import DIALECTS, Dialect
from asp_eval.engines.statement import complete_condition, sums_statement
from asp_eval.stats.design.variables import NO_ROWS, NOT_A_VARIABLE, NOT_NUMERIC, refuse_unknown
from asp_eval.stats.engine.group_sums import (
    Declared,
    GroupQuestion,
    ask,
    check_clusters,
    check_declared,
    columns_named,
    grouping_columns,
)
from asp_eval.stats.engine.moments import Moments

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

NO_RELATION = Fault(
    "ENG-002",
    "the rows cannot be read: {why}",
    "Give a Parquet or CSV file, a relation of DuckDB, or the name of a table together with the database that holds it.",
)
TOO_MANY = Fault(
    "ENG-003",
    "the keys of the model have more than {most} combinations, and so many sums do not fit in memory",
    "See that the grouping columns are groups and not rows, and that no category has thousands of levels.",
)
BROKEN = Fault("ENG-004", "DuckDB could not make the sums: {why}", "Correct the view or the column it names, then try again.")

MOST_NUMBERS = 100_000_000
"""Of an answer: 800 MB."""
FIRST_ROWS = 4096
"""Complete rows whose means are taken from the columns before anything is multiplied."""
_DIALECT: Dialect = DIALECTS["duckdb"]
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_NUMERIC = (*_WHOLE, "HUGEINT", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
_TEXT = ("VARCHAR", "ENUM")
_FILES = (".parquet", ".csv", ".csv.gz", ".tsv")


def moments_from_sql(
    formula: str,
    relation: str | Path | DuckDBPyRelation,
    *,
    database: str | Path | DuckDBPyConnection | None = None,
    weights: str | None = None,
    categories: Declared | None = None,
    clusters: str | None = None,
) -> Moments:
    """Form the cross-products of a formula by one GROUP BY in DuckDB.

    Rows with a missing value (NULL or NaN) in any column of the model are left out and counted. Text, ENUM and BOOLEAN
    columns are categories, numbers are numbers; an ENUM has its declared order, text is sorted. The same rows give the same
    digits as `Moments.from_frame` to about 1e-14.

    Parameters
    ----------
    formula : str
        As for `asp_eval.lmm`, of columns: what is computed, such as ``log(x)`` or ``poly(x, 2)``, must be a column of the view.
    relation : str, Path or duckdb.DuckDBPyRelation
        A Parquet or CSV file or a pattern of several (``rows/*.parquet``); a relation; with `database`, the name of a table or
        view, or a SELECT.
    database : str, Path or duckdb.DuckDBPyConnection, optional
        A file of DuckDB, which is opened to be read, or an open connection.
    weights : str, optional
        Column of prior weights.
    categories : mapping of str to sequence, optional
        The categories of columns in order, the reference first; numbers in these columns are then categories. Shards that are
        to be added need it.
    clusters : str, optional
        As for `Moments.from_frame`: the grouping factor within whose groups every cross-product is kept.

    Returns
    -------
    Moments
        For `lmm_from_moments`.

    Raises
    ------
    Refusal
        FIT-170 for what takes more than one pass; ENG-002 to ENG-004 if the rows cannot be read or the sums not be made;
        FIT-021 if a value is infinite; FIT-023 if no row is complete.

    Examples
    --------
    >>> import duckdb
    >>> rows = duckdb.sql("select g, g % 2 = 0 as even, g + i * i % 7 as y from range(6) a(g), range(5) b(i)")
    >>> m = moments_from_sql("y ~ even + (1 | g)", rows)
    >>> m.n_obs, m.layout.columns
    (30, ('Intercept', 'even', 'y'))
    """
    import duckdb

    declared = dict(categories or {})
    check_declared(formula, declared)
    check_clusters(formula, clusters)
    with ExitStack() as stack:
        try:
            opened = _relation(relation, database, grouping_columns(formula), stack)
            source = DuckdbRows(opened)
            question = ask(formula, source.categorical(formula, declared), weights)
            return Moments.from_sums(source.group_sums(question), declared, clusters)
        except duckdb.Error as error:
            BROKEN.refuse(why=str(error).splitlines()[0])


@dataclass(frozen=True, eq=False)
class DuckdbRows:
    """Rows that DuckDB reads; answers questions for group sums (`asp_eval.stats.engine.group_sums.GroupSums`).

    Attributes
    ----------
    relation : duckdb.DuckDBPyRelation
    """

    relation: DuckDBPyRelation

    @cached_property
    def types(self) -> dict[str, str]:
        """The type of each column, without its arguments."""
        kinds = (str(t).split("(")[0].strip() for t in self.relation.types)
        return dict(zip(self.relation.columns, kinds, strict=True))

    def categorical(self, formula: str, declared: Iterable[str]) -> set[str]:
        """Return the columns of a formula that hold categories, by their types.

        Raises
        ------
        Refusal
            FIT-020 if a column is unknown; FIT-022 if its type is neither number nor category.
        """
        found = set(declared)
        for name in columns_named(formula):
            kind = self._type(name)
            if kind in (*_TEXT, "BOOLEAN"):
                found.add(name)
            elif kind not in _NUMERIC and name not in found:
                NOT_A_VARIABLE.refuse(name, found=Phrase("a column of type {kind}", kind=kind))
        return found

    def group_sums(self, question: GroupQuestion) -> pd.DataFrame:
        """Return the answer to a question, in one pass.

        Raises
        ------
        Refusal
            FIT-023 if no row is complete; FIT-024 if a number is asked of a column of another type; ENG-003 if there are too
            many groups.
        """
        self._check(question)
        constants = self._constants(question)
        kept = (*_WHOLE, *_TEXT, "BOOLEAN", "FLOAT", "DOUBLE")
        as_text = frozenset(c for _, c in question.keys if self._type(c) not in kept)
        floating = self._floating(question)
        statement = sums_statement(question, "asked", _DIALECT, constants=constants, as_text=as_text, floating=floating)
        width = len(question.keys) + len(question.products) + len(constants) + 4
        most = MOST_NUMBERS // width
        answer: pd.DataFrame = self._query(f"SELECT * FROM ({statement}) LIMIT {most + 1}").df()
        if len(answer) > most:
            TOO_MANY.refuse(most=most)
        return answer

    def _query(self, statement: str) -> DuckDBPyRelation:
        """Return what a SELECT finds in the rows, which it calls ``asked``."""
        return cast("DuckDBPyRelation", self.relation.query("asked", statement))

    def _check(self, question: GroupQuestion) -> None:
        """Refuse columns that are not there, or hold no numbers where numbers are wanted."""
        for _, column in question.keys:
            self._type(column)
        for name in question.numbers:
            kind = self._type(name)
            if kind not in _NUMERIC and not (kind == "BOOLEAN" and name == question.formula.response):
                NOT_NUMERIC.refuse(name, found=Phrase("a column of type {kind}", kind=kind))

    def _floating(self, question: GroupQuestion) -> frozenset[str]:
        """Return the keys that may be NaN, which is a missing value as NULL is."""
        return frozenset(c for _, c in question.keys if self._type(c) in ("FLOAT", "DOUBLE"))

    def _type(self, name: str) -> str:
        return self.types[name] if name in self.types else refuse_unknown(name, self.types)

    def _constants(self, question: GroupQuestion) -> list[float]:
        """Return the mean of each number of the answer over the first complete rows; an infinite one counts as nothing."""
        names = [_DIALECT.number(_DIALECT.column(c)) for c in question.numbers]
        chosen = ", ".join(f"{e} AS v{i}" for i, e in enumerate(names))
        where = complete_condition(question, _DIALECT, self._floating(question))
        first = self._query(f"SELECT {chosen} FROM asked WHERE {where} LIMIT {FIRST_ROWS}").fetchnumpy()
        values = {c: np.asarray(first[f"v{i}"], float) for i, c in enumerate(question.numbers)}
        if not len(values[question.formula.response]):
            ((rows,),) = self._query("SELECT count(*) FROM asked").fetchall()
            NO_ROWS.refuse(found=Phrase("{n} rows", n=rows))
        response = values[question.formula.response] - sum((values[o] for o in question.offsets), np.zeros(()))
        columns = [np.prod([values[c] for c in part], axis=0) for part in question.parts] + [response]
        means = [float(np.mean(np.where(np.isfinite(v), v, 0.0))) for v in columns]
        return [m if np.isfinite(m) else 0.0 for m in means]


def _relation(
    relation: str | Path | DuckDBPyRelation,
    database: str | Path | DuckDBPyConnection | None,
    groups: tuple[str, ...],
    stack: ExitStack,
) -> DuckDBPyRelation:
    """Return what holds the rows, to be closed with `stack`. The groups of a CSV file are text: 007 is not 7."""
    import duckdb

    if isinstance(relation, duckdb.DuckDBPyRelation):
        return relation
    if not isinstance(relation, (str, Path)):
        return NO_RELATION.refuse(found=type(relation).__name__, why=Phrase("this is neither a file nor a relation"))
    text = str(relation)
    if isinstance(database, (str, Path)) and not Path(database).is_file():
        NO_RELATION.refuse(str(database), why=Phrase("there is no such database"))
    if database is None or isinstance(database, (str, Path)):
        connection = stack.enter_context(duckdb.connect(str(database or ":memory:"), read_only=database is not None))
    else:
        connection = database
    if text.lower().endswith(_FILES):
        try:
            if text.lower().endswith(".parquet"):
                return connection.read_parquet(text)
            header = connection.read_csv(text).columns
            return connection.read_csv(text, dtype={g: "VARCHAR" for g in groups if g in header})
        except duckdb.IOException as error:
            return NO_RELATION.refuse(text, why=str(error).splitlines()[0])
    if database is None:
        return NO_RELATION.refuse(text, why=Phrase("it is no file, and no database was given"))
    if text.split(None, 1)[0].lower() in ("select", "with", "from"):
        return connection.sql(text)
    try:
        return connection.table(text)
    except duckdb.CatalogException:
        return connection.view(text)
