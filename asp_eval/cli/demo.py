"""``asp-eval demo``: a complete synthetic trial through the verbs a user would type.

The only thing the demo adds to the verbs is the field work: the exports that come about under the draw.
"""

from __future__ import annotations

import time
from pathlib import Path

from asp_eval.cli.console import print_table, say
from asp_eval.core.documents import write_whole


def run_demo(folder: Path, seed: int) -> None:
    """Write the study, run every verb on it, and end with the estimates beside the population values."""
    from asp_eval.trial.store import table
    from asp_eval.trial.study.protocol import load_study, write_study_schema
    from asp_eval.trial.synthetic.exports import demo_study_yaml, write_fieldwork, write_institutions

    started = time.perf_counter()
    write_whole(folder / "study.yaml", demo_study_yaml())
    write_study_schema(folder)
    say(f"A synthetic trial is made in {folder}. The commands shown are those of a real one, given in that folder.")
    _run(folder, "import", write_institutions(folder / "data", seed), "--table", "institutions")
    _run(folder, "randomise", "--seed", seed)
    say()
    say("The field work takes place: three waves of screening and a staff survey come back as export files.")
    for export in write_fieldwork(folder / "data", seed, table(load_study(folder), "allocation")):
        _run(folder, "import", export.path, "--table", export.table, "--wave", export.wave)
    for verb in ("check", "score", "analyse", "gap", "report"):
        _run(folder, verb)
    _account(folder, time.perf_counter() - started)


def _run(folder: Path, verb: str, *arguments: object) -> None:
    """Show a command as a user would type it in the study folder, and run it."""
    from asp_eval.cli.commands import app

    say()
    shown = [a.relative_to(folder).as_posix() if isinstance(a, Path) else str(a) for a in arguments]
    print("$", "asp-eval", verb, *shown)
    app([verb, *map(str, arguments), "--study", str(folder)], standalone_mode=False)


def _account(folder: Path, seconds: float) -> None:
    """Say where the reports are, and put every estimate beside the value the synthetic population has."""
    from asp_eval.analysis.results import Results, load
    from asp_eval.trial.synthetic.truth import true_effects

    results = load(folder / "output" / "results.json", Results, verb="analyse")
    truth = {(effect.scale, effect.wave): effect.value for effect in true_effects()}
    rows = []
    for outcome in results.outcomes:
        effect = outcome.effects[0]
        low, high, value = effect.conf_low, effect.conf_high, truth[outcome.outcome, outcome.wave]
        shown = "-" if effect.estimate is None else f"{effect.estimate:+.2f}"
        interval = "-" if low is None or high is None else f"{low:+.2f} to {high:+.2f}"
        inside = "-" if low is None or high is None else ("yes" if low <= value <= high else "no")
        rows.append([f"{outcome.outcome} at {outcome.wave}", shown, interval, f"{value:+.2f}", inside])
    say()
    say("What the analysis found, beside what the synthetic population holds (score points; intervention less reference):")
    print_table(["outcome", "estimate", "95 % interval", "population", "inside"], rows)
    say()
    say(f"Done in {seconds:.0f} seconds. All data are synthetic. Open in a browser:")
    for page in ("evaluation.html", "gap/index.html"):
        say(f"  {folder / 'output' / page}")
