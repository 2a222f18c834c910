"""``asp-eval moments``: the sums a mixed model needs, from rows that stay where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asp_eval.cli.app import AsJson, verb
from asp_eval.cli.console import print_json, say
from asp_eval.core.phrases import Phrase


@verb()
def moments(
    formula: Annotated[str, typer.Argument(metavar="FORMULA", help="Such as 'y ~ arm + x + (1 | institution)'.")],
    relation: Annotated[
        str,
        typer.Option("--from", metavar="ROWS", help="A Parquet or CSV file; a table or SELECT of --database."),
    ],
    database: Annotated[Path | None, typer.Option("--database", metavar="FILE", help="A database of DuckDB.")] = None,
    category: Annotated[
        list[str] | None,
        typer.Option("--category", metavar="COLUMN=A,B", help="A column's categories, the reference first; may be repeated."),
    ] = None,
    weights: Annotated[str | None, typer.Option("--weights", metavar="COLUMN", help="Column of prior weights.")] = None,
    clusters: Annotated[
        str | None, typer.Option("--clusters", metavar="COLUMN", help="Outermost groups, to keep what CR2 needs of them.")
    ] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Print the statement for another warehouse, and do nothing else.")] = False,
    dialect: Annotated[
        str, typer.Option("--dialect", metavar="D", help="Of --sql: duckdb, spark, postgres, snowflake or bigquery.")
    ] = "duckdb",
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the sums are written.")] = Path("moments.npz"),
    minimum: Annotated[int, typer.Option("--minimum", metavar="N", help="Fewest rows of any group or category saved.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Make the sums that a mixed model needs, in one pass where the rows are.

    What is written holds sums per group and no row, can be sent, added to others and fitted: asp_eval.Moments.load(FILE). With
    --sql, nothing is read: run the statement in the warehouse, and give its answer to asp_eval.Moments.from_sums.

    Example: asp-eval moments 'y ~ arm + x + (1 | institution)' --from rows.parquet --category arm=reference,intervention
    """
    from asp_eval.workflow.moments import declared_categories, moments_statement, save_moments

    categories = declared_categories(category or ())
    if sql:
        statement = moments_statement(formula, relation, dialect, categories, weights)
        if as_json:
            print_json({"dialect": dialect, "statement": statement})
        else:
            print(statement)
        return
    found = save_moments(
        formula, relation, out, database=database, categories=categories, weights=weights, clusters=clusters, minimum=minimum
    )
    groups = {f.name: len(levels) for f, levels in zip(found.layout.factors, found.levels, strict=True)}
    if as_json:
        print_json({"n_obs": found.n_obs, "n_dropped": found.n_dropped, "groups": groups, "file": str(out)})
        return
    say(Phrase("{n:,} complete rows, {dropped:,} left out for missing values.", n=found.n_obs, dropped=found.n_dropped))
    for name, number in groups.items():
        say(Phrase("{number:,} groups of {name}.", number=number, name=name))
    say(Phrase("Written: {files}", files=out))
