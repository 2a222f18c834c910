"""The verbs. Each one parses, calls one function of the house, and prints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from asp_eval.cli.console import print_json, print_problems, print_table, progress, say
from asp_eval.cli.instruments import instruments_app
from asp_eval.core.errors import Fault

NOT_EMPTY = Fault(
    "CLI-001", "the folder is not empty, and nothing in it will be overwritten", "Name another folder, or remove this one."
)
NO_WAVE = Fault("CLI-002", "the table {table} needs a wave", "Add --wave with one of: {waves}.")
DRAWN = Fault(
    "CLI-003", "the lot was drawn before, with seed {seed}",
    "It is drawn once: go on with output/allocation.csv. If that draw was a mere trial, move study.duckdb away and begin again.",
)  # fmt: skip
NO_PROFILE = Fault(
    "CLI-004", "no institution has answers to make a GAP-profile of",
    "Import staff_survey and screening at {wave}, then run 'asp-eval score'.",
)  # fmt: skip

app = typer.Typer(
    name="asp-eval",
    help="Evaluate a cluster-randomised trial, from raw exports to printed reports.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(instruments_app, name="instruments")

StudyFolder = Annotated[Path, typer.Option("--study", metavar="DIR", help="The study folder; default: where you stand.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Whole number; the same seed gives the same result.")]
HERE = Path()


@app.command()
def demo(folder: Annotated[Path, typer.Argument(metavar="DIR")], seed: Seed = 2006) -> None:
    """Run a complete synthetic trial, from exports to reports.

    Example: asp-eval demo demo-study
    """
    from asp_eval.cli.demo import run_demo

    refuse_unless_empty(folder)
    run_demo(folder, seed, lambda arguments: app(arguments, standalone_mode=False))


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Start an empty study: a commented study.yaml and the folders.

    Example: asp-eval init my-study
    """
    from asp_eval.core.documents import write_whole
    from asp_eval.trial.study.protocol import study_template, write_study_schema

    refuse_unless_empty(folder)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "output").mkdir(exist_ok=True)
    write_study_schema(folder)
    write_whole(folder / "study.yaml", study_template())
    say(f"A study was started in {folder}.")
    say("Next:")
    say(f"  1. Open {folder / 'study.yaml'} and describe your trial; every key is explained there.")
    say(f"  2. cd {folder}")
    say("  3. asp-eval check")
    say("  4. asp-eval import institutions.csv --table institutions")


@app.command()
def randomise(seed: Seed, study: StudyFolder = HERE, as_json: AsJson = False) -> None:
    """Draw the lot for the imported institutions, once.

    The draw is written to the allocation ledger and to output/allocation.csv.

    Example: asp-eval randomise --seed 2006
    """
    from asp_eval.trial.randomisation.conduct import randomise as draw
    from asp_eval.trial.store import table, write_allocation
    from asp_eval.trial.study.protocol import load_study

    declared = load_study(study)
    for before in sorted(set(table(declared, "allocation")["seed"].dropna()) - {str(seed)}):
        DRAWN.refuse("allocation", seed=before)
    allocation = draw(declared, table(declared, "institutions"), seed=seed)
    write_allocation(declared, allocation.frame())
    if as_json:
        print_json(allocation.frame().to_dict("records"))
        return
    counts = allocation.counts()
    strata = "stratum" if declared.strata else ""
    say(f"{len(allocation.frame())} institutions drawn with seed {seed}; the draw is in output/allocation.csv.")
    print_table([strata, *counts.columns], [[str(i), *map(str, row)] for i, row in counts.iterrows()])


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    table: Annotated[
        str, typer.Option("--table", metavar="T", help="institutions, allocation, children, screening or staff_survey.")
    ],
    wave: Annotated[str | None, typer.Option("--wave", metavar="W", help="The wave the file belongs to.")] = None,
    mapping: Annotated[
        Path | None,
        typer.Option("--mapping", metavar="M", help="Which columns and labels are ours; default: FILE.mapping.yaml, if there."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="The file is the whole: what the one before had and this one has not, vanishes.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, store nothing.")] = False,
    study: StudyFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Bring one export into the study.

    Every row is in the study afterwards, or listed with the reason and the cure.

    Example: asp-eval import wave1.csv --table screening --wave w1
    """
    from asp_eval.trial.importing import import_file
    from asp_eval.trial.study.protocol import load_study

    declared = load_study(study)
    collection = getattr(declared.collect, table, None)
    if collection is not None and wave is None:
        NO_WAVE.refuse(table=table, waves=", ".join(collection.waves))
    report = import_file(declared, file, table, wave=wave, mapping=mapping, replace=replace, dry_run=dry_run)
    if as_json:
        print_json(report.as_dict())
        return
    print_problems(report.warnings)
    say(str(report))


@app.command()
def check(study: StudyFolder = HERE, as_json: AsJson = False) -> None:
    """Check study.yaml and the imports, and say what comes next.

    Example: asp-eval check
    """
    from asp_eval.analysis.check import check_study
    from asp_eval.trial.study.protocol import load_study

    found = check_study(load_study(study))
    if as_json:
        print_json(found.as_dict())
    else:
        print_table(["table", "wave", "rows", "institutions"], found.tables)
        print_problems(found.problems)
        say(found.next_step)
    if found.errors:
        raise typer.Exit(1)


@app.command()
def score(study: StudyFolder = HERE, as_json: AsJson = False) -> None:
    """Score every imported answer.

    Example: asp-eval score
    """
    from asp_eval.trial.scores import score_study
    from asp_eval.trial.study.protocol import load_study

    scores = score_study(load_study(study))
    missing = scores["score"].isna()
    counts = scores.assign(missing=missing).groupby(["instrument", "wave"], observed=True)
    rows = counts.agg(
        units=("unit_id", "nunique"), scores=("score", "count"), prorated=("prorated", "sum"), missing=("missing", "sum")
    )
    if as_json:
        print_json(rows.reset_index().to_dict("records"))
        return
    if rows.empty:
        say("The study declares no instruments; its outcomes are imported columns, and there is nothing to score.")
        return
    header = ["instrument", "wave", "units", "scores", "prorated", "missing"]
    print_table(header, [[str(i), str(w), *map(str, row)] for (i, w), row in zip(rows.index, rows.to_numpy(), strict=True)])


@app.command()
def analyse(study: StudyFolder = HERE, as_json: AsJson = False) -> None:
    """Fit the planned models.

    Writes output/results.json and output/results.csv.

    Example: asp-eval analyse
    """
    from asp_eval.analysis.outcomes import analyse as run
    from asp_eval.analysis.results import as_json as results_as_json
    from asp_eval.analysis.results import save, save_tidy
    from asp_eval.cli.account import RESULT_COLUMNS, result_rows
    from asp_eval.trial.study.protocol import load_study

    declared = load_study(study)
    with progress("analyse", steps=len(declared.outcomes) + 3) as step:
        results = run(declared, step)
    save(declared.folder / "output" / "results.json", results)
    save_tidy(declared.folder / "output" / "results.csv", results)
    if as_json:
        print(results_as_json(results))
        return
    print_table(RESULT_COLUMNS, result_rows(results))
    for outcome in results.outcomes:
        for note in outcome.notes:
            say(f"{outcome.outcome}: {note}")


@app.command()
def gap(study: StudyFolder = HERE, as_json: AsJson = False) -> None:
    """Compute the GAP-profile of every institution.

    Writes output/gap.json.

    Example: asp-eval gap
    """
    from asp_eval.analysis.profiles import study_gap_profiles
    from asp_eval.analysis.results import as_json as results_as_json
    from asp_eval.analysis.results import save
    from asp_eval.trial.study.protocol import load_study

    declared = load_study(study)
    results = study_gap_profiles(declared)
    if not results.profiles and declared.gap:
        NO_PROFILE.refuse(declared.folder.name, wave=declared.gap.wave)
    save(declared.folder / "output" / "gap.json", results)
    if as_json:
        print(results_as_json(results))
        return
    hidden = sum(entry.gap is None for profile in results.profiles for entry in profile.entries)
    shown = len(results.profiles) * len(results.dimensions)
    say(f"{len(results.profiles)} profiles; {hidden} of {shown} gaps are not shown, each with its reason.")


@app.command()
def report(study: StudyFolder = HERE, as_json: AsJson = False) -> None:
    """Write the evaluation report and the GAP-profiles as HTML.

    In every language of the study.

    Example: asp-eval report
    """
    from asp_eval.analysis.manifest import refuse_stale, write_manifest
    from asp_eval.analysis.profiles import GapResults
    from asp_eval.analysis.results import Results, load
    from asp_eval.reporting.documents import render
    from asp_eval.trial.study.protocol import load_study

    declared = load_study(study)
    output = declared.folder / "output"
    parts: list[Results | GapResults] = [load(output / "results.json", Results, verb="analyse")]
    if declared.gap:
        parts.append(load(output / "gap.json", GapResults, verb="gap"))
    for part in parts:
        refuse_stale(declared, part.state, "output")
    with progress("report", steps=len(parts)) as step:
        written: list[Path] = []
        for part in parts:
            step("GAP-profiles" if isinstance(part, GapResults) else "evaluation")
            written += render(part, output)
    write_manifest(declared, written)
    if as_json:
        print_json([str(path.relative_to(output)) for path in written])
        return
    say(f"{len(written)} pages written. Open {_shown(written[0])} in a browser; it prints on A4.")


def refuse_unless_empty(folder: Path) -> None:
    """Refuse a folder that holds anything."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        NOT_EMPTY.refuse(str(folder))


def _shown(path: Path) -> Path:
    """Return a path as short as it can be from where the person stands."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def verbs() -> list[Any]:
    """Return every registered command, for the tests of completeness."""
    return [*app.registered_commands, *instruments_app.registered_commands]
