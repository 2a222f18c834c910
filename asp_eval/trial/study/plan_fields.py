"""What of a study's declaration decides its numbers, field by field, and what two declarations of it differ in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from asp_eval.trial.study.design import Study

DECIDING = (
    "arms",
    "strata",
    "randomisation",
    "waves",
    "eligibility",
    "collect",
    "received",
    "sets",
    "estimand",
    "outcomes",
    "analysis",
)
"""Keys of ``study.yaml`` that decide the numbers; titles, languages, labels, privacy and planning values do not."""
WORDS = "label"
NOTHING = "-"
"""Stands for a field that is not there."""


@dataclass(frozen=True, slots=True)
class PlanChange:
    """One field of the plan that is another than it was when the plan was locked.

    Attributes
    ----------
    field : str
        Where it stands, such as ``outcomes.conduct.better``.
    locked, now : str
        What it was, and what it is; ``-`` where it was, or is, not there.
    since : str
        Day of the first analysis with the new value, ISO 8601; empty where there was none yet.
    """

    field: str
    locked: str
    now: str
    since: str = ""


@dataclass(frozen=True, slots=True)
class PlanLock:
    """A plan that was locked.

    Attributes
    ----------
    day : str
        ISO 8601.
    entry : int
        Of the ledger.
    digest : str
        Of that entry.
    data : mapping of str to int
        Rows that were stored then, by table, and by table and wave.
    changes : tuple of PlanChange
        What is another now.
    """

    day: str
    entry: int
    digest: str
    data: Mapping[str, int]
    changes: tuple[PlanChange, ...]


def plan_fields(study: Study) -> dict[str, str]:
    """Return every field that decides the numbers, defaults included, with its value as JSON.

    Examples
    --------
    >>> study = Study.model_validate({"version": 1, "study": {"id": "a", "title": {"en": "A"}}, "arms": ["a", "b"],
    ...     "waves": [{"id": "w1", "label": {"en": "w1"}}], "collect": {"screening": {"waves": ["w1"]}},
    ...     "outcomes": [{"id": "y", "column": "screening.y", "role": "primary", "better": "lower", "at": "w1"}]})
    >>> fields = plan_fields(study)
    >>> fields["outcomes.y.better"], fields["analysis.level"], "waves.w1.label" in fields
    ('"lower"', '0.95', False)
    """
    every = study.model_dump(mode="json", by_alias=True)
    return {path: value for key in DECIDING for path, value in _flat(key, every.get(key))}


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the fields under a path; members of a list that have an id are named by it."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            if key != WORDS:
                yield from _flat(f"{path}.{key}", inner)
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) and "id" in one for one in value):
        for one in value:
            yield from _flat(f"{path}.{one['id']}", {key: inner for key, inner in one.items() if key != "id"})
    elif value not in (None, {}, [], ""):
        yield path, json.dumps(value, ensure_ascii=False, sort_keys=True)


def plan_differences(locked: Mapping[str, str], now: Mapping[str, str]) -> tuple[PlanChange, ...]:
    """Return the fields that differ, in their order.

    Examples
    --------
    >>> plan_differences({"analysis.level": "0.95", "arms": '["a"]'}, {"analysis.level": "0.9", "arms": '["a"]'})
    (PlanChange(field='analysis.level', locked='0.95', now='0.9', since=''),)
    """
    names = [*locked, *(name for name in now if name not in locked)]
    return tuple(
        PlanChange(name, locked.get(name, NOTHING), now.get(name, NOTHING)) for name in names if locked.get(name) != now.get(name)
    )
