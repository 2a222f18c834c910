"""Outcomes whose baseline was measured after the lot, so that the arms can already be in it."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.core.errors import Fault, Place, Problem
from asp_eval.store.draws import last_drawn_on
from asp_eval.trial.study.design import Study


def late_baselines(study: Study, fault: Fault) -> Iterator[Problem]:
    """Yield a problem for every outcome whose baseline wave began after the day of the lot.

    Parameters
    ----------
    study : Study
    fault : Fault
        With the fields outcome, start and drawn.
    """
    drawn = last_drawn_on(study)
    for outcome in study.outcomes if drawn is not None else ():
        start = None if outcome.baseline is None else study.wave(outcome.baseline).start
        if start is not None and drawn is not None and start > drawn:
            place = Place("study.yaml", column=f"outcomes.{outcome.id}")
            yield fault.at(place, outcome=outcome.id, start=start.isoformat(), drawn=drawn.isoformat())
