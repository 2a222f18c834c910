"""Measure the verbs in studies of many institutions.

python benchmarks/institutions.py [--copies 1 5 33] [--verbs score gap analyse] [--keep FOLDER] [--write FILE]

The files of the demo are copied under new ids, 60 institutions a time, and imported as any file is; the lot is drawn among all of
them. Each verb runs as a command, in a process of its own: its seconds of processor time, start included, and the largest memory
it held, in 10^6 bytes. All data are synthetic.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from versions import described

PACKAGES = ("numpy", "pandas", "duckdb", "pyarrow")
IDS = {"institution_id", "child_id", "rater_id", "staff_id", "respondent_id", "event_id", "name"}
WAVES = ("w1", "w2", "w3")
KILOBYTE = 1 if sys.platform == "darwin" else 1024  # what ru_maxrss counts in
SEED = 7


def made(folder: Path) -> Path:
    """Return the study file and the exports of the demo, before anything is imported."""
    import pandas as pd

    from asp_eval.core.documents import write_whole
    from asp_eval.store import table
    from asp_eval.synthetic.exports import write_fieldwork, write_institutions
    from asp_eval.synthetic.study_file import demo_study_yaml
    from asp_eval.trial.study.protocol import load_study
    from asp_eval.workflow.import_file import import_file
    from asp_eval.workflow.randomise import randomise

    folder.mkdir(parents=True)
    write_whole(folder / "study.yaml", demo_study_yaml())
    study = load_study(folder)
    import_file(study, write_institutions(folder / "data", SEED), "institutions")
    randomise(study, seed=SEED)
    write_fieldwork(folder / "data", SEED, table(study, "allocation"))
    workbook = folder / "data/screening_w3.xlsx"  # becomes a CSV file: copies of a workbook are not what is measured
    pd.read_excel(workbook, dtype=str, engine="calamine").to_csv(workbook.with_suffix(".csv"), index=False)
    Path(f"{workbook}.mapping.yaml").rename(f"{workbook.with_suffix('.csv')}.mapping.yaml")
    return folder


def copied(exports: Path, folder: Path, copies: int) -> Iterator[list[str]]:
    """Write a study of copies of the demo's institutions; yield the arguments of each import."""
    (folder / "data").mkdir(parents=True)
    shutil.copy(exports / "study.yaml", folder)
    for file in sorted((exports / "data").glob("*.csv"), key=lambda file: (file.stem != "institutions", file.stem)):
        if file.stem != "goals":
            _copy(file, folder / "data" / file.name, copies)
            stem, _, wave = file.stem.rpartition("_")
            yield [
                "import",
                f"data/{file.name}",
                *(["--table", stem, "--wave", wave] if wave in WAVES else ["--table", file.stem]),
            ]


def _copy(source: Path, target: Path, copies: int) -> None:
    """Write the rows of an export as often as asked, with new ids from the second time on."""
    import yaml

    mapping = Path(f"{source}.mapping.yaml")
    renamed = yaml.safe_load(mapping.read_text())["rename"] if mapping.exists() else {}
    content = source.read_bytes()
    encoding = "cp1252" if b"p\xe6dagog" in content else "utf-8-sig"
    text = content.decode(encoding)
    between = ";" if text.index("\n") > text.find(";") > 0 else ","
    heading, *rows = csv.reader(io.StringIO(text), delimiter=between)
    ids = [place for place, name in enumerate(heading) if renamed.get(name, name) in IDS]
    with target.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=between)
        writer.writerow(heading)
        for copy in range(copies):
            ending = f"x{copy}" if copy else ""
            for row in rows:
                writer.writerow([f"{cell}{ending}" if place in ids and cell else cell for place, cell in enumerate(row)])
    if mapping.exists():
        shutil.copy(mapping, f"{target}.mapping.yaml")


def command(folder: Path, *arguments: str) -> tuple[float, float]:
    """Return the processor seconds of a command, and the largest memory it held."""
    process = subprocess.Popen(
        [sys.executable, "-m", "asp_eval.cli.main", *arguments], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(arguments)}: {said.decode()}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss * KILOBYTE / 1e6


def measured(exports: Path, folder: Path, copies: int, verbs: Sequence[str]) -> list[str]:
    """Return a line of the table for each verb."""
    lines = []
    imports = [command(folder, *arguments) for arguments in copied(exports, folder, copies)]
    lots = command(folder, "randomise", "--seed", str(SEED))
    numbers = {
        "import (8 files)": (sum(seconds for seconds, _ in imports), max(memory for _, memory in imports)),
        "randomise": lots,
    }
    for verb in verbs:
        numbers[verb] = command(folder, *verb.split())
    for verb, (seconds, memory) in numbers.items():
        lines.append(f"| {60 * copies:,} | {verb} | {seconds:.1f} s | {memory:,.0f} MB |")
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--verbs", nargs="+", default=["score", "gap", "analyse"])
    parser.add_argument("--keep", type=Path, help="leave the studies here")
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        exports = made(folder / "exports")
        lines = [line for copies in asked.copies for line in measured(exports, folder / f"study-{copies}", copies, asked.verbs)]
    if asked.write:
        head = "| institutions | verb | processor time | memory |\n|---:|---|---:|---:|\n"
        asked.write.write_text(f"{described(PACKAGES, with_r=False)}\n\n{head}" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
