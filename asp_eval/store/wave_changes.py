"""What changed between waves, whatever the order they were imported in: children who moved or joined, raters who took over.

An import can only warn of what differs from the waves before it that are there already. Here all waves are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from asp_eval.core.errors import Fault, Problem
from asp_eval.core.phrases import Phrase, some_of
from asp_eval.store.children import known_reports
from asp_eval.store.connection import Store
from asp_eval.trial.study.design import Study

MOVED = Fault(
    "STO-035",
    "children in another institution than before: {names} ({n} in all)",
    "They stay in the arm they were drawn to.",
    "warning",
)
JOINED = Fault(
    "STO-036",
    "children that were not there before, and joined after the draw: {names} ({n} in all)",
    "The estimand says how they count.",
    "warning",
)
OTHER_RATERS = Fault(
    "STO-037", "children with another rater than before: {names} ({n} in all)", "Report rater changes as a threat.", "warning"
)

NO_WAVE = " "  # no wave has this name
MOST_NAMED = 8


def changes(study: Study) -> Iterator[Problem]:
    """Yield, for every wave, who moved, who joined and whose rater changed since the wave before.

    Parameters
    ----------
    study : Study
    """
    with Store.of(study).reading() as connection:
        if connection is None:
            return
        reports = known_reports(connection, study.wave_ids, but=NO_WAVE)
    if reports.empty:
        return
    first = str(reports["wave"].iloc[0])
    joined = reports.drop_duplicates("child_id").loc[lambda frame: frame["wave"] != first]
    for fault, rows in (
        (MOVED, _changed(reports, "institution_id")),
        (JOINED, joined),
        (OTHER_RATERS, _changed(reports, "rater_id")),
    ):
        for wave in study.wave_ids:
            children = rows.loc[rows["wave"] == wave, "child_id"].tolist()
            if children:
                yield fault.at(Phrase("wave {wave}", wave=wave), n=len(children), names=_named(children))


def _changed(reports: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the reports that differ from the child's last one that tells."""
    if column not in reports:
        return reports.iloc[:0]
    reported = reports.dropna(subset=[column])
    before = reported.groupby("child_id", sort=False)[column].shift()
    return reported[(before.notna() & (before != reported[column])).to_numpy(dtype=bool)]


def _named(children: Sequence[str]) -> str:
    return some_of(sorted(children), MOST_NAMED)
