"""The plan as it was locked, and every difference since: from the ledger."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from pydantic import ValidationError

from asp_eval.core.errors import Fault
from asp_eval.core.file_sets import file_set
from asp_eval.store import ledger, table
from asp_eval.store.connection import Store
from asp_eval.store.instrument_digests import instrument_digests
from asp_eval.store.ledger import Entry, PlanBody, PlanChangeBody
from asp_eval.store.queries import ledger_frames, write_for_people
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.plan_fields import PlanChange, PlanLock, plan_differences, plan_fields
from asp_eval.trial.tables.schema import BY_WAVE

LOCKED_BEFORE = Fault(
    "STU-050",
    "the plan was locked on {day}, and is locked once",
    "Go on: whatever is changed in it is listed with its date, by 'asp-eval plan diff' and in the report.",
)
NOT_LOCKED = Fault("STU-051", "the plan is not locked", "Lock it with 'asp-eval plan lock'.")
UNREADABLE_PLAN = Fault(
    "STU-053",
    "the plan that was locked on {day} is of another version of study.yaml, and cannot be compared",
    "Use the version of asp-eval that the ledger names in that entry.",
)
ROWS = ("institutions", "allocation", "children")


def plan_lock(study: Study) -> PlanLock | None:
    """Return the lock of a study's plan, with every difference since; None if it is not locked.

    Raises
    ------
    Refusal
        STU-053 if the locked plan cannot be read any more.
    """
    chain = _plans(study)
    if not chain:
        return None
    first, *later = chain
    locked = _fields(first)
    lot = _lot(study) if "lot" in locked else ""  # one that was drawn after the lock is no change of the plan
    now = plan_fields(study) | _rests_on(instrument_digests(study), lot)
    changes = tuple(replace(one, since=_since(one, later)) for one in plan_differences(locked, now))
    return PlanLock(first.recorded_at[:10], first.entry, first.digest, _body(first).data, changes)


def refuse_locked(study: Study) -> None:
    """Refuse a plan that is locked already.

    Raises
    ------
    Refusal
        STU-050.
    """
    if chain := _plans(study):
        LOCKED_BEFORE.refuse("study.yaml", day=chain[0].recorded_at[:10])


def plan_now(study: Study) -> PlanBody:
    """Return the plan as it is, with what it rests on and what is stored."""
    rows = {name: len(table(study, name)) for name in ROWS}
    for name in BY_WAVE:
        if study.collected_waves(name):
            counts = table(study, name)["wave"].astype(str).value_counts()
            rows |= {f"{name} {wave}": int(counts.get(wave, 0)) for wave in study.collected_waves(name)}
    return PlanBody(
        declared=_declared(study),
        instruments=instrument_digests(study),
        lot=_lot(study),
        data={name: count for name, count in rows.items() if count},
    )


def record_plan(study: Study, fit_to_enter: Callable[[], PlanBody | None]) -> None:
    """Enter a plan in the ledger, in one transaction with everything that is read for it.

    Parameters
    ----------
    study : Study
    fit_to_enter : callable
        Reads what is stored and returns the plan; refuses, or returns None, if none is to be entered.
    """
    with file_set(Store.of(study).output) as new, Store.of(study).writing(new) as connection:
        if (body := fit_to_enter()) is not None:
            ledger.append(connection, body, study.study.id)
            write_for_people(new, ledger_frames(connection, study))


def record_changed_plan(study: Study) -> None:
    """Enter the plan in the ledger if one was locked, and the last that was entered is another."""
    if _changed_plan(study):
        record_plan(study, lambda: _changed_plan(study))


def _changed_plan(study: Study) -> PlanChangeBody | None:
    chain = _plans(study)
    if not chain or _declared(study) == _body(chain[-1]).declared:
        return None
    return PlanChangeBody(**plan_now(study).model_dump(exclude_unset=True))


def _declared(study: Study) -> str:
    return json.dumps(study.as_declared(), sort_keys=True, ensure_ascii=False)


def _plans(study: Study) -> tuple[Entry, ...]:
    """Return the entries of plans: the lock, then the changes."""
    with Store.of(study).reading() as connection:
        chain = ledger.entries(connection) if connection is not None else ()
    return tuple(entry for entry in chain if entry.kind in (PlanBody.kind, PlanChangeBody.kind))


def _body(entry: Entry) -> PlanBody:
    content = entry.content
    if not isinstance(content, PlanBody):
        raise TypeError(type(content))
    return content


def _fields(entry: Entry) -> dict[str, str]:
    """Return the fields of a plan that was entered, those that it rests on included."""
    body = _body(entry)
    try:
        declared = Study.model_validate(json.loads(body.declared))
    except ValidationError:
        UNREADABLE_PLAN.refuse("study.yaml", day=entry.recorded_at[:10])
    return plan_fields(declared) | _rests_on(body.instruments, body.lot)


def _rests_on(instruments: Mapping[str, str], lot: str) -> dict[str, str]:
    """Return what a plan rests on as fields: the digest of each instrument, and of the lot unless that is empty."""
    return {f"instruments.{name}": digest for name, digest in instruments.items()} | ({"lot": lot} if lot else {})


def _since(change: PlanChange, later: list[Entry]) -> str:
    """Return the day of the last entry from which on a field has been what it is now; empty if none says so yet."""
    since = ""
    for entry in later:
        now = _fields(entry).get(change.field, "-")
        since = (since or entry.recorded_at[:10]) if now == change.now else ""
    return since


def _lot(study: Study) -> str:
    arms = table(study, "allocation")
    if arms.empty:
        return ""
    pairs = sorted(zip(arms["institution_id"].astype(str), arms["arm"].astype(str), strict=True))
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()
