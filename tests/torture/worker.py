"""Imports every torture case through the command line's door, in this one process, and prints what came of each as JSON."""

from __future__ import annotations

import contextlib
import io
import json
import resource
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from cases import CASES, Case
from memory import most_megabytes

from asp_eval.cli.main import main


def answer(case: Case, studies: Path) -> dict[str, object]:
    """Import one case; return the exit code, the codes it was answered with, and the traceback if there was one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "incoming"
        folder.mkdir()
        study = shutil.copytree(studies / case.study, Path(name) / "study")
        path = case.write(folder)
        options = [option.replace("{folder}", str(folder)) for option in case.options]
        out, err, code, trace = io.StringIO(), io.StringIO(), 0, ""
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main(["import", str(path), *options, "--study", str(study), "--json"])
            except SystemExit as stop:
                code = int(stop.code or 0)
            except BaseException:
                trace = traceback.format_exc()
        said = json.loads(out.getvalue()) if out.getvalue().strip() else {}
        problems = said.get("problems") or [*said.get("errors", []), *said.get("warnings", [])]
        errors = sorted({problem["code"] for problem in problems if problem["severity"] == "error"})
        codes = sorted({problem["code"] for problem in problems})
        return {"exit": code, "codes": codes, "errors": errors, "trace": trace, "said": err.getvalue(), "report": said}


def megabytes() -> float:
    """Return the most memory this process, or one it started, has taken so far."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
    return max(most_megabytes(), children)


if __name__ == "__main__":
    for key in sys.argv[2:] or CASES:
        print(json.dumps({"case": key, **answer(CASES[key], Path(sys.argv[1])), "megabytes": megabytes()}), flush=True)
