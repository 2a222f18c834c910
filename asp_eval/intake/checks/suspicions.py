"""What no single row shows: raters who give one answer to everything, and who is not there at a wave at all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault, Place, Problem
from asp_eval.core.phrases import Phrase, some_of
from asp_eval.intake.checks.context import CheckContext
from asp_eval.intake.table import Table
from asp_eval.trial.tables.schema import TableSchema

STRAIGHT_LINER = Fault(
    "SCR-123",
    "{who} gave one and the same answer to every item of {form} for {n} of {total} {units}",
    "Some items of it ask the opposite of others, so the answers contradict each other. Ask how the form was filled in; "
    "the rows are kept.",
    "warning",
)
NOBODY_OF = Fault(
    "SCR-124",
    "{n} of {total} institutions have no row in the file: {names}",
    "Import their answers if they exist; if the wave comes in several files, import each with --part and a name of its own.",
    "warning",
)
NO_ARM = Fault(
    "SCR-125",
    "no institution of the arm {arm!r} has a row in the file",
    "Without this arm no effect can be estimated. If its answers are in another file, import each with --part and a name "
    "of its own.",
    "warning",
)

FEWEST_ITEMS = 8  # a shorter questionnaire may be answered alike throughout in earnest
FEWEST_CHILDREN = 3  # by one rater; one or two such children happen
MOST_NAMED = 60


def straight_liners(source: str, frame: pd.DataFrame, schema: TableSchema) -> Iterator[Problem]:
    """Yield the raters who gave the same answer to all items of an instrument, for `FEWEST_CHILDREN` or more.

    Only instruments with items in both directions tell: one answer to all of them then contradicts itself. Counted are rows
    with `FEWEST_ITEMS` answers or more. Where the file does not say who rated, institutions stand in for raters.

    Parameters
    ----------
    source : str
        File name, for the place.
    frame : DataFrame
        The rows accepted.
    schema : TableSchema
    """
    who = next((name for name in ("rater_id", "institution_id") if name in frame and frame[name].notna().any()), None)
    for form in schema.forms if who else ():
        items = [name for name in schema.items(form) if name in frame]
        if len(items) < FEWEST_ITEMS or len({item.reverse for item in schema.library.instrument(form).items}) == 1:
            continue
        answered, alike = _answered_alike(frame, items)
        counts = pd.DataFrame({"who": frame[who], "n": alike, "total": answered}).groupby("who")[["n", "total"]].sum()
        for row in counts[counts["n"] >= FEWEST_CHILDREN].itertuples():
            called = Phrase("rater {id!r}" if who == "rater_id" else "institution {id!r}", id=row.Index)
            units = Phrase("children") if "child_id" in schema.key else Phrase("questionnaires")
            yield STRAIGHT_LINER.at(Place(source, column=form), who=called, form=form, n=row.n, total=row.total, units=units)


def _answered_alike(frame: pd.DataFrame, items: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows have answers enough to tell, and which of them one answer throughout; two shapes (n,)."""
    counts = np.zeros(len(frame), dtype=np.int64)
    low, high = np.full(len(frame), np.inf), np.full(len(frame), -np.inf)
    for name in items:
        values = frame[name].to_numpy()
        counts += ~np.isnan(values)
        low, high = np.fmin(low, values), np.fmax(high, values)
    answered = counts >= FEWEST_ITEMS
    return answered, answered & (low == high)


def absences(table: Table, context: CheckContext) -> Iterator[Problem]:
    """Yield the institutions, and the whole arms, of which a wave's file has no row.

    Parameters
    ----------
    table : Table
        Of one wave, whole.
    context : CheckContext
    """
    expected = context.allocated or context.institutions
    there = set(table.checked["institution_id"].unique())
    absent = sorted(expected - there)
    if absent:
        yield NOBODY_OF.at(table.source, n=len(absent), total=len(expected), names=some_of(absent, MOST_NAMED))
    for arm in sorted(set(context.arms.values())):
        if not any(context.arms.get(institution) == arm for institution in there):
            yield NO_ARM.at(table.source, arm=arm)
