"""The lots that stand, as the study's ledger tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import pandas as pd

from asp_eval.store import table
from asp_eval.store.ledger import DrawBody, LateDrawBody, RedrawBody, read_body
from asp_eval.trial.study.design import Study

DRAW, LATE, REDRAW = DrawBody.kind, LateDrawBody.kind, RedrawBody.kind
"""Kinds of ledger entries. A redraw puts the draw before it out of force; a late draw adds institutions."""


@dataclass(frozen=True, slots=True)
class DrawnLot:
    """One entry of the ledger that gave institutions their arms.

    Attributes
    ----------
    entry : int
        Its number in the ledger.
    kind, recorded_at, recorded_by : str
    seed : int
    scheme, digest : str
        The scheme in words, and the digest of the list.
    lines : tuple of str
        The list.
    arms : dict of str to str
        Arm of each institution.
    why : str
        Reason of a redraw.
    candidates_digest : str
        Of a constrained scheme.
    left_out : mapping of str to str
        Institutions that were not drawn because they had closed, each with the reason.
    """

    entry: int
    kind: str
    recorded_at: str
    recorded_by: str
    seed: int
    scheme: str
    digest: str
    lines: tuple[str, ...]
    arms: dict[str, str]
    why: str = ""
    candidates_digest: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def late(self) -> bool:
        """Whether the institutions came after the lot was drawn."""
        return self.kind == LATE

    def rows(self, institutions: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of its institutions in the list as it is now."""
        return institutions[institutions["institution_id"].isin(list(self.arms))]


def every_lot(study: Study) -> list[DrawnLot]:
    """Return every draw that was ever made with this package for the study, first to last, those replaced too."""
    ledger = table(study, "ledger")
    found = []
    for row in ledger[ledger["kind"].isin([DRAW, REDRAW, LATE])].itertuples():
        body = read_body(str(row.kind), str(row.body))
        if isinstance(body, DrawBody) and body.seed is not None:
            found.append(
                DrawnLot(
                    entry=int(row.entry),  # type: ignore[arg-type]
                    kind=str(row.kind),
                    recorded_at=str(row.recorded_at),
                    recorded_by=str(row.recorded_by),
                    seed=body.seed,
                    scheme=body.scheme,
                    digest=body.digest,
                    lines=body.lines,
                    arms=dict(body.arms),
                    why=body.why if isinstance(body, RedrawBody) else "",
                    candidates_digest=body.candidates_digest,
                    left_out=dict(body.left_out),
                )
            )
    return found


def drawn_lots(study: Study) -> list[DrawnLot]:
    """Return the lots in force: the last draw that was not replaced, then the late ones; empty if none is known."""
    lots = every_lot(study)
    last = max((number for number, lot in enumerate(lots) if not lot.late), default=None)
    return [] if last is None else lots[last:]


def last_drawn_on(study: Study) -> date | None:
    """Return the day on which the last lot in force was drawn, here or elsewhere; None if none was, or the day is not known."""
    lots = drawn_lots(study)
    if lots:
        return max(datetime.fromisoformat(lot.recorded_at).date() for lot in lots)
    arms = table(study, "allocation")
    days = pd.to_datetime(arms["date"], errors="coerce").dropna() if "date" in arms else ()
    return max(days).date() if len(days) else None
