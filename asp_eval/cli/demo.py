"""``asp-eval demo``: a complete synthetic trial through the verbs a user would type.

The only thing the demo adds to the verbs is the field work: the exports that come about under the draw.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from asp_eval.cli.console import print_table, say
from asp_eval.core.documents import write_whole
from asp_eval.core.errors import Unavailable

if TYPE_CHECKING:
    from asp_eval.stats.estimate import Estimate


def run_demo(folder: Path, seed: int, command: Callable[[list[str]], object]) -> None:
    """Write the study, run every verb on it, and end with the estimates beside the population values.

    Parameters
    ----------
    folder : Path
    seed : int
        Of the draw and of the field work.
    command : callable
        Runs ``asp-eval`` with the arguments it is given.
    """

    def run(verb: str, *arguments: object) -> None:
        say()
        shown = [a.relative_to(folder).as_posix() if isinstance(a, Path) else str(a) for a in arguments]
        print("$", "asp-eval", verb, *shown)
        command([verb, *map(str, arguments), "--study", str(folder)])

    from asp_eval.store import table
    from asp_eval.synthetic.exports import write_fieldwork, write_institutions
    from asp_eval.synthetic.study_file import demo_study_yaml
    from asp_eval.trial.study.protocol import load_study, write_study_schema

    started = time.perf_counter()
    write_whole(folder / "study.yaml", demo_study_yaml())
    write_study_schema(folder)
    say(f"A synthetic trial is made in {folder}. The commands shown are those of a real one, given in that folder.")
    run("import", write_institutions(folder / "data", seed), "--table", "institutions")
    run("randomise", "--seed", seed or 1)  # 0 is the rehearsal's
    say()
    say("The field work takes place: three waves of screening, a staff survey and an implementation log come back as files.")
    for export in write_fieldwork(folder / "data", seed, table(load_study(folder), "allocation")):
        run("import", export.path, "--table", export.table, *(("--wave", export.wave) if export.wave else ()))
    for verb in ("check", "score", "analyse", "gap", "report"):
        run(verb)
    _account(folder, time.perf_counter() - started)


def _account(folder: Path, seconds: float) -> None:
    """Say where the reports are, and put every estimate beside the value the synthetic population has."""
    from asp_eval.analysis.results import Results
    from asp_eval.cli.result_tables import effect_cells
    from asp_eval.reporting.language import words_for
    from asp_eval.reporting.numbers import Numbers, digits_for
    from asp_eval.store.result_files import load
    from asp_eval.synthetic.study_file import outcome_id
    from asp_eval.synthetic.truth import true_effects

    results = load(folder / "output" / "results.json", Results, verb="analyse")
    truth = {outcome_id(effect.scale, effect.wave): effect.value for effect in true_effects()}
    numbers = Numbers(words_for("en"))
    rows = []
    for outcome in results.outcomes:
        effect, value = outcome.effects[0].difference, truth[outcome.outcome]
        shown = numbers.decimal(value, digits_for(None if isinstance(effect, Unavailable) else effect.std_error))
        rows.append([outcome.outcome, outcome.wave, *effect_cells(effect), shown, "yes" if _inside(effect, value) else "no"])
    say()
    say("What the analysis found, beside what the synthetic population holds (score points; intervention less reference):")
    print_table(["outcome", "at", "estimate", "95 % interval", "population", "inside"], rows)
    say("One interval in twenty misses the population value by chance, and outcomes of the same children miss together.")
    say()
    say(f"Done in {seconds:.0f} seconds. All data are synthetic. Open in a browser:")
    for page in ("evaluation.html", "gap/index.html"):
        say(f"  {folder / 'output' / page}")


def _inside(effect: Estimate | Unavailable, value: float) -> bool:
    """Return whether an interval holds a value; no interval holds none."""
    if isinstance(effect, Unavailable) or effect.conf_low is None or effect.conf_high is None:
        return False
    return effect.conf_low <= value <= effect.conf_high
