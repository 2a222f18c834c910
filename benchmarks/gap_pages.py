"""Processor time and memory of GAP-profiles and their pages, by how many institutions there are.

    python benchmarks/gap_pages.py            # 60, 200 and 500 institutions
    python benchmarks/gap_pages.py 60 --pdf   # with the PDFs

Simulated: seven staff and fifty children in each institution, nine dimensions, Danish and English. Each number of institutions
has a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd

from asp_eval.analysis.gap_sides import dimension_labels
from asp_eval.analysis.profiles import gap_profiles
from asp_eval.reporting.documents.pages import pages_of
from asp_eval.trial.study.design import Study

STAFF, CHILDREN = 7, 50
STUDY = Study.model_validate(
    {
        "version": 1,
        "study": {"id": "many", "title": {"da": "Mange", "en": "Many"}, "synthetic": True},
        "languages": ["da", "en"],
        "arms": ["reference", "intervention"],
        "waves": [{"id": "w1", "label": {"da": "start", "en": "start"}}],
        "collect": {"screening": {"waves": ["w1"]}},
        "outcomes": [{"id": "y", "column": "screening.y", "role": "primary", "better": "lower", "at": "w1"}],
        "gap": {"staff": "gap-competences-staff", "child": "gap-competences-child", "wave": "w1"},
    }
)


def sides(institutions: int, dimensions: list[str], steps: dict[str, tuple[int, int]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return scores of staff and of children on the grids of the two forms."""
    rng = np.random.default_rng(1)
    names = np.array([f"I{j:04d}" for j in range(institutions)])
    found = []
    for people, column, side in ((STAFF, "respondent_id", 0), (CHILDREN, "child_id", 1)):
        frames = []
        for key in dimensions:
            centre = rng.normal(60, 9, institutions).repeat(people)
            grid = 100 / steps[key][side]
            score = np.clip(np.round((centre + rng.normal(0, 16, centre.size)) / grid), 0, steps[key][side]) * grid
            person = [f"{j}{column[0]}{k}" for j in range(institutions) for k in range(people)]
            rater = [f"{j}r{k % STAFF}" for j in range(institutions) for k in range(people)]
            frames.append(
                pd.DataFrame(
                    {"institution_id": names.repeat(people), column: person, "rater_id": rater, "dimension": key, "score": score}
                )
            )
        found.append(pd.concat(frames, ignore_index=True))
    return found[0].drop(columns="rater_id"), found[1]


def measure(institutions: int, formats: tuple[str, ...]) -> str:
    """Return a line of the table: seconds of processor time for profiles and pages, and peak memory."""
    assert STUDY.gap is not None
    labels = dimension_labels(STUDY, STUDY.gap)
    both = sides(institutions, [d.key for d in labels], {d.key: d.steps for d in labels})
    places = {f"I{j:04d}": ("North", "South")[j % 2] for j in range(institutions)}
    begun = time.process_time()
    results = gap_profiles(STUDY, *both, dimensions=labels, places=places)
    profiled = time.process_time()
    size = pages = 0
    for page in pages_of(results, None, formats):
        assert page.made_from
        size += len(page.made())
        pages += 1
    printed = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"| {institutions} | {profiled - begun:.1f} | {pages} | {printed - profiled:.1f} | {size / 1e6:.0f} | {peak:.0f} |"


if __name__ == "__main__":
    options = sys.argv[1:]
    kinds = ("html", "pdf") if "--pdf" in options else ("html",)
    wanted = [int(each) for each in options if each.isdigit()] or [60, 200, 500]
    if "--here" in options:
        print(measure(wanted[0], kinds))
    else:
        print(
            "| institutions | profiles, s | pages | printing, s | MB written | peak MB |",
            "|---|---|---|---|---|---|",
            sep="\n",
            flush=True,
        )
        for number in wanted:
            call = [sys.executable, __file__, str(number), "--here", *(["--pdf"] if "pdf" in kinds else [])]
            print(subprocess.run(call, check=True, capture_output=True, text=True).stdout.strip(), flush=True)
