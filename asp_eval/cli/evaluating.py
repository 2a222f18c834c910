"""``asp-eval check``, ``score``, ``analyse``, ``gap`` and ``report``: from stored data to printed pages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asp_eval.cli.app import HERE, AsJson, Language, StudyFolder, app, words_of
from asp_eval.cli.console import print_json, print_problems, print_table, progress, say
from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase, Translation, all_of, told

if TYPE_CHECKING:
    from asp_eval.trial.study.design import Study

NO_PROFILE = Fault(
    "CLI-004", "no institution has answers to make a GAP-profile of",
    "Import staff_survey and screening at {wave}, then run 'asp-eval score'.",
)  # fmt: skip

NOT_COMPARED = Phrase("No printed head was compared: entries taken from the end would not be seen. Give one with --head.")


@app.command()
def check(
    ledger: Annotated[
        bool, typer.Option("--ledger", help="Check instead that nothing in the sealed ledger was changed.")
    ] = False,
    head: Annotated[
        str | None, typer.Option("--head", metavar="HASH", help="With --ledger: a head that was printed, or its first digits.")
    ] = None,
    study: StudyFolder = HERE,
    language: Language = None,
    as_json: AsJson = False,
) -> None:
    """Check study.yaml and the imports, and say what comes next.

    With --ledger, check that the ledger is as it was written, and has the head that was printed.

    Example: asp-eval check
    """
    from asp_eval.trial.study.protocol import load_study
    from asp_eval.workflow.check import check_study

    words = words_of(language)
    declared = load_study(study)
    if ledger or head:
        _check_ledger(declared, head, words, as_json=as_json)
        return
    found = check_study(declared)
    if as_json:
        print_json(replace(found, problems=tuple(p.within(words) for p in found.problems)).as_dict())
    else:
        header = (Phrase("table"), Phrase("wave"), Phrase("rows"), Phrase("institutions"))
        print_table([heading.told(words) for heading in header], found.tables)
        print_problems(found.problems, words=words)
        say(str(told(found.next_step, words)))
    if found.errors:
        raise typer.Exit(1)


def _check_ledger(study: Study, head: str | None, words: Translation, *, as_json: bool) -> None:
    from asp_eval.workflow.check import check_ledger

    found = check_ledger(study, head)
    if as_json:
        print_json(replace(found, problems=tuple(p.within(words) for p in found.problems)).as_dict())
    else:
        print_problems(found.problems, words=words)
        entries = Phrase("1 entry" if found.entries == 1 else "{n} entries", n=found.entries)
        compared = Phrase(" It holds what is printed in {places}.", places=all_of(found.compared)) if found.compared else ""
        whole = Phrase("The ledger is whole: {entries}.{compared}", entries=entries, compared=compared)
        broken = Phrase("The ledger is not whole: {entries}.", entries=entries)
        say((broken if found.errors else whole).told(words))
        say(Phrase("Head: {digits}", digits=found.head).told(words))
        if not found.compared and found.entries:
            say(NOT_COMPARED.told(words))
    if found.errors:
        raise typer.Exit(1)


@app.command()
def score(study: StudyFolder = HERE, as_json: AsJson = False) -> None:
    """Score every imported answer.

    Example: asp-eval score
    """
    from asp_eval.trial.study.protocol import load_study
    from asp_eval.workflow.score import score_study

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
    from asp_eval.analysis.results import tidy
    from asp_eval.cli.result_tables import RESULT_COLUMNS, result_rows
    from asp_eval.core.csv_text import write_csv
    from asp_eval.store.result_files import as_json as results_as_json
    from asp_eval.store.result_files import save
    from asp_eval.trial.study.protocol import load_study

    declared = load_study(study)
    with progress("analyse", steps=len(declared.outcomes) + 3) as step:
        results = run(declared, step)
    save(declared.folder / "output" / "results.json", results)
    write_csv(declared.folder / "output" / "results.csv", tidy(results))
    if as_json:
        print(results_as_json(results))
        return
    print_table(RESULT_COLUMNS, result_rows(results))
    for wave, rows in results.provenance.quarantined.items():
        say(f"{wave}: {rows} rows of the screening are in quarantine, and not in these numbers; 'asp-eval check' says more.")
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
    from asp_eval.store.result_files import as_json as results_as_json
    from asp_eval.store.result_files import save
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
    from asp_eval.analysis.profiles import GapResults
    from asp_eval.analysis.results import Results
    from asp_eval.reporting.documents.pages import render
    from asp_eval.store.provenance import refuse_stale, write_manifest
    from asp_eval.store.result_files import load
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


def _shown(path: Path) -> Path:
    """Return a path as short as it can be from where the person stands."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
