"""Measure an import, phase by phase, beside programs that only read, or only validate.

python benchmarks/importing.py [--rows 1000000] [--write docs/benchmarks-importing.md]

A wave of children is made: who, where, by whom and when, sex and month of birth, and 62 columns of answers: SDQ, competences,
and ten numbers with decimals. Each import goes into a study of its own, in a process of its own, and does everything an
import does: the file is read, looked through for persons, mapped, validated against schema, institutions and dates, copied
into data/ with its digest, stored, entered in the ledger, and the rows are counted again. The others do a part of that:
they read, or validate. Seconds are of the clock and of processors; other work on the machine disturbs the latter less, but
by a third and more all the same. Memory is the largest so far, in 10^6 bytes.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from versions import described

PACKAGES = ("pandas", "duckdb", "pyreadstat", "frictionless")
ITEMS, PER_INSTITUTION, SLICE, OTHER_FORMATS = 62, 50, 10_000, 200_000
KILOBYTE = 1 if sys.platform == "darwin" else 1024  # what ru_maxrss counts in
STUDY = """\
version: 1
study: {{id: large, title: {{en: A large wave}}, synthetic: true}}
arms: [reference, intervention]
strata: [municipality]
waves: [{{id: w1, label: {{en: start}}, from: 2006-09-01, to: 2006-11-30}}]
columns: {{screening: {{{numbers}}}}}
collect: {{screening: {{waves: [w1], instruments: [{{family: sdq-teacher}}, gap-competences-child]}}}}
outcomes: [{{id: total, score: sdq-teacher.total, role: primary, better: lower, at: w1}}]
"""


def make(folder: Path, rows: int) -> None:
    """Write a study with institutions and a draw, and one wave as CSV, Parquet and SPSS; the last two are shorter."""
    import duckdb
    import numpy as np
    import pandas as pd
    import pyreadstat

    from asp_eval.core.randomness import stream
    from asp_eval.trial.instruments.library import instrument

    rng, forms = stream(1, "importing"), [instrument(name) for name in ("sdq-teacher-4-17", "gap-competences-child")]
    answers = {item: rng.choice([*form.codes(form.items[0])], rows) for form in forms for item in form.columns}
    numbers = {f"x{n}": np.round(rng.normal(3, 1, rows), 1) for n in range(ITEMS - len(answers))}
    place, child = np.arange(rows) // PER_INSTITUTION, np.arange(rows)
    days = pd.Series(np.datetime64("2006-09-01") + rng.integers(0, 60, rows)).dt.strftime("%Y-%m-%d")
    born = pd.Series(np.datetime64("2000-01") + rng.integers(0, 36, rows)).dt.strftime("%Y-%m")
    frame = pd.DataFrame(
        {
            "child_id": [f"{n:07}" for n in child],
            "institution_id": [f"I{n:05}" for n in place],
            "rater_id": [f"r{n // 5}" for n in child],
            "date": days,
            "sex": rng.choice(["boy", "girl"], rows),
            "birth_month": born,
            **answers,
            **numbers,
        }
    )
    study = folder / "study"
    study.mkdir()
    (study / "study.yaml").write_text(STUDY.format(numbers=", ".join(f"{name}: number" for name in numbers)), encoding="utf-8")
    list_of = pd.DataFrame({"institution_id": frame["institution_id"].unique()})
    list_of.assign(municipality=["A" if n % 2 else "B" for n in range(len(list_of))]).to_csv(folder / "list.csv", index=False)
    asp_eval("import", str(folder / "list.csv"), "--table", "institutions", "--study", str(study))
    asp_eval("randomise", "--seed", "1", "--study", str(study))
    frame.to_csv(folder / "wave.csv", index=False)
    short = frame.head(OTHER_FORMATS)
    duckdb.execute("COPY (FROM short) TO $file (FORMAT parquet)", {"file": str(folder / "wave.parquet")})
    names = {f"v{n}": name for n, name in enumerate(short)}  # SPSS allows no hyphens
    pyreadstat.write_sav(short.set_axis([*names], axis=1), folder / "wave.sav")
    (folder / "wave.sav.mapping.yaml").write_text(json.dumps({"version": 1, "rename": names}), encoding="utf-8")


def asp_eval(*arguments: str) -> None:
    """Give a command as the shell does, in this process."""
    from asp_eval.cli.main import main

    try:
        main([*arguments])
    except SystemExit as left:
        if left.code:
            raise


class Stopwatch:
    """Notes clock, processors and memory where one phase follows another; an import takes it for its progress bar."""

    def __init__(self) -> None:
        self.laps: list[tuple[str, float, float, float]] = []
        self.phase = "starting"
        self.last = (time.perf_counter(), 0.0)

    def __call__(self, phase: str, _done: float = 0) -> None:
        if phase != self.phase:
            used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
            now = time.perf_counter(), sum(each.ru_utime + each.ru_stime for each in used)
            peak = max(each.ru_maxrss for each in used) * KILOBYTE / 1e6
            self.laps.append((self.phase, now[0] - self.last[0], now[1] - self.last[1], peak))
            self.phase, self.last = phase, now


def ours(folder: Path, name: str, watch: Stopwatch) -> None:
    from asp_eval.trial.study.protocol import load_study
    from asp_eval.workflow.import_file import import_file

    study = shutil.copytree(folder / "study", folder / f"study-{name}")
    import_file(load_study(study), folder / name, "screening", wave="w1", progress=watch)


def pandas_reads(folder: Path, name: str, watch: Stopwatch) -> None:
    import pandas as pd

    watch("reading")
    pd.read_csv(folder / name, dtype=str)


def duckdb_stores(folder: Path, name: str, watch: Stopwatch) -> None:
    import duckdb

    watch("reading and storing")
    with duckdb.connect(str(folder / f"{name}.duckdb")) as connection:
        connection.execute(f"CREATE TABLE wave AS FROM '{folder / name}'")


def pyreadstat_reads(folder: Path, name: str, watch: Stopwatch) -> None:
    import pyreadstat

    watch("reading")
    pyreadstat.read_sav(folder / name)


def frictionless_validates(folder: Path, name: str, watch: Stopwatch) -> None:
    """Validate the first rows against the same schema, without the list of institutions."""
    from frictionless import Resource, Schema

    from asp_eval.trial.study.protocol import load_study
    from asp_eval.trial.tables.descriptor import file_schemas, schema_descriptor

    with (folder / name).open(encoding="utf-8") as file:
        (folder / "slice.csv").write_text("".join(islice(file, SLICE + 1)), encoding="utf-8")
    schema = schema_descriptor(dict(file_schemas(load_study(folder / "study")))["screening_w1"])
    schema.pop("foreignKeys", None)
    resource_ = Resource(path="slice.csv", basepath=str(folder), schema=Schema.from_descriptor(schema))
    watch("validating")
    if not resource_.validate().valid:
        raise SystemExit("the file is not valid")


WORK: dict[str, Callable[[Path, str, Stopwatch], None]] = {
    "asp-eval import": ours,
    "pandas.read_csv(dtype=str)": pandas_reads,
    "DuckDB, CREATE TABLE FROM file": duckdb_stores,
    "pyreadstat.read_sav": pyreadstat_reads,
    "frictionless validate": frictionless_validates,
}


def measured(work: str, folder: Path, name: str) -> list[tuple[str, float, float, float]]:
    """Return the phases of some work in a process of its own: name, seconds, seconds of processors, peak memory."""
    command = [sys.executable, __file__, "--one", work, name, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{work} did not run: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return []
    laps: list[tuple[str, float, float, float]] = json.loads(done.stdout.splitlines()[-1])
    return [*laps, ("all", sum(lap[1] for lap in laps), sum(lap[2] for lap in laps), laps[-1][3])]


def table(folder: Path, rows: int) -> list[str]:
    """Return the tables of all measurements."""
    short = min(rows, OTHER_FORMATS)
    text = ["| | phase | clock | processors | largest memory | processors, times ours |", "|---|---|---:|---:|---:|---:|"]
    runs = [
        ("asp-eval import", "wave.csv", rows),
        ("pandas.read_csv(dtype=str)", "wave.csv", rows),
        ("DuckDB, CREATE TABLE FROM file", "wave.csv", rows),
        ("frictionless validate", "wave.csv", SLICE),
        ("asp-eval import", "wave.parquet", short),
        ("DuckDB, CREATE TABLE FROM file", "wave.parquet", short),
        ("asp-eval import", "wave.sav", short),
        ("pyreadstat.read_sav", "wave.sav", short),
    ]
    own = {}
    for work, name, n in runs:
        laps = measured(work, folder, name)
        for phase, clock, cpu, peak in laps if work == "asp-eval import" else laps[-1:]:
            text.append(f"| {work}, {name}, {n:,} rows | {phase} | {clock:.1f} s | {cpu:.1f} s | {peak:,.0f} MB | |")
        if laps and work == "asp-eval import":
            own[name] = laps[-1][2]
        elif work == "frictionless validate" and laps:
            scale, (_, clock, cpu, peak) = rows / SLICE, laps[1]
            text[-1] = (
                f"| {work}, {name}, {SLICE:,} rows, the time multiplied by {scale:g} | validating | {scale * clock:,.0f} s "
                f"| {scale * cpu:,.0f} s | {peak:,.0f} MB | {scale * cpu / own[name]:.2f} |"
            )
        elif laps:
            text[-1] = text[-1].removesuffix("| |") + f"| {laps[-1][2] / own[name]:.2f} |"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--write", type=Path, help="Markdown file to write")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.make:
        make(wanted.folder, wanted.rows)
    elif wanted.one:
        one(*wanted.one, wanted.folder)
    else:
        everything(wanted.rows, wanted.write)


def one(work: str, name: str, folder: Path) -> None:
    """Do some work in this process, and print how long its phases took."""
    watch = Stopwatch()
    WORK[work](folder, name, watch)
    watch("done")
    print(json.dumps(watch.laps))


def everything(rows: int, write: Path | None) -> None:
    with tempfile.TemporaryDirectory() as name:  # made by a process of its own: what a parent held counts as its child's
        command = [sys.executable, __file__, "--make", "--rows", str(rows), "--folder", name]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        size = (Path(name) / "wave.csv").stat().st_size / 1e6
        body = table(Path(name), rows)
    about = f"The file of {rows:,} rows has {size:,.0f} MB. {described(PACKAGES, 'all used', with_r=False)}"
    preface = (__doc__ or "").strip().split("\n\n")[-1]
    text = "\n".join(["# Benchmarks of importing", "", preface, "", about, "", *body]) + "\n"
    print("\n" + text)
    if write:
        write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
