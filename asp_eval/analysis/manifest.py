"""``manifest.json``: what went in, what came out, and with which software; enough to see that a report is of these data."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from asp_eval.core.documents import write_whole
from asp_eval.trial.store import table
from asp_eval.trial.study.design import Study

SOFTWARE = ("asp-eval", "numpy", "scipy", "pandas", "duckdb", "statsmodels", "linearmodels", "pingouin", "jinja2", "babel")


def write_manifest(study: Study, written: Iterable[Path]) -> Path:
    """Write ``output/manifest.json``: digests of study.yaml, of every export and of every file written, versions, seed."""
    output = study.folder / "output"
    results = [path for path in (output / "results.json", output / "results.csv", output / "gap.json") if path.is_file()]
    manifest = {
        "study": study.study.id,
        "synthetic": study.study.synthetic,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "draw": _draw(study),
        "inputs": {_name(study, path): _digest(path) for path in [study.folder / "study.yaml", *_exports(study)]},
        "outputs": {_name(study, path): _digest(path) for path in sorted([*results, *written])},
        "software": {"python": platform.python_version(), **{name: version(name) for name in SOFTWARE}},
    }
    path = output / "manifest.json"
    write_whole(path, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    return path


def _draw(study: Study) -> dict[str, list[str]]:
    """Return the seed, scheme and digest of the draw, or where it was drawn."""
    allocation = table(study, "allocation")
    columns = [name for name in ("seed", "scheme", "digest", "date", "source") if name in allocation.columns]
    return {name: sorted(allocation[name].dropna().astype(str).unique()) for name in columns}


def _exports(study: Study) -> list[Path]:
    return sorted(path for path in (study.folder / "data").rglob("*") if path.is_file())


def _name(study: Study, path: Path) -> str:
    return path.resolve().relative_to(study.folder).as_posix()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
