"""Names in ``study.yaml`` that must agree with each other: waves, sets, outcomes, arms, and columns of a model's frame.

They are judged on the file's plain values, so that a wrong name is listed beside every other mistake of the file, each on
its own line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from asp_eval.core.documents import Misfit
from asp_eval.core.errors import Fault
from asp_eval.core.strict_yaml import Keys

UNKNOWN_WAVE = Fault("STU-010", "the wave is not declared", "Use the id of a wave, or declare it under 'waves'.")
UNKNOWN_SET = Fault("STU-011", "the analysis set is not declared", "Use one of 'sets', or declare it there.")
UNKNOWN_OUTCOME = Fault("STU-012", "the outcome is not declared", "Use the id of an outcome, or declare it under 'outcomes'.")
UNKNOWN_ARM = Fault("STU-013", "no such arm is declared", "Use the name of one of 'arms'.")
NO_LAST_DAY = Fault(
    "GAP-013", "the wave after which an arm is given its GAP-profiles has no last day", "Give the wave its 'to', the last day."
)
OTHER_FORMS = Fault(
    "GAP-014",
    "the second round of the GAP-profile is collected with another form than the first",
    "Distances between answers to different questions cannot be laid side by side. Collect {form} at {wave} as well, or leave "
    "out 'follow_up' and declare the second round as a GAP-profile of its own.",
)
NOT_LATER = Fault(
    "GAP-015",
    "the second round of the GAP-profile is not later than the first",
    "Name a wave after that of 'wave', or leave it out.",
)
UNKNOWN_FAMILY = Fault("STU-043", "the family is not declared, or is this one", "Use the name of another of 'families'.")
WAITING = Fault("STU-044", "each of these families waits for the other", "Leave out 'after' of the one that is tested first.")
NOT_RECEIVED = Fault(
    "STU-045",
    "an effect among those who took the offer needs the rule that says who did",
    "Declare 'received: {{sum: hours, at_least: ...}}', or leave out 'complier'.",
)
NO_ITEMS = Fault(
    "STU-046",
    "items are to be imputed, and no outcome is a score of an instrument",
    "Leave 'items' out: an imported score has no items here.",
)
RATIO = Fault("STU-014", "the ratio does not have one number for each arm", "Write one number for each arm, in their order.")
RESERVED = Fault("STU-015", "the name has a meaning of its own in the analysis", "Choose another name.")
COLLECTED_TWICE = Fault(
    "STU-017",
    "the instrument is collected twice at the same wave",
    "Name it once for each wave: take it out of one.",
)
TAKEN = Fault("STU-016", "the name is taken by a stratum or covariate", "Give the outcome another id.")

LOT_COLUMN = Fault(
    "RND-011",
    "the lot needs a column of institutions that is not declared",
    "Declare it under 'columns': {{institutions: {{{name}: {kind}}}}}, and import it with the list of institutions.",
)
LOT_NUMBER = Fault(
    "RND-012",
    "the lot balances a column that is not declared as numbers",
    "Declare it as integer or number; a column of words belongs under 'strata', or becomes a column of 0 and 1.",
)

NO_PAIRS = Fault(
    "STU-018",
    "'pairs' says how matched pairs enter the model, and the lot is not declared as drawn in pairs",
    "Declare 'scheme: pairs' under 'randomisation', or leave 'pairs' out.",
)
NOTHING_TO_PERMUTE = Fault(
    "RND-026",
    "a lot that was drawn elsewhere cannot be permuted: which allocations it could have given is not known here",
    "Declare another 'method' under 'analysis', such as kenward-roger, and another 'adjust' of a family, such as holm.",
)

SHIPPED_COLUMNS = ("institution_id", "name", "municipality", "closed_on", "closed_why")  # of institutions
OWN_COLUMNS = ("arm", "baseline", "institution", "child_id")  # of the frame a model is fitted on


def misfits(values: object) -> Iterator[Misfit]:
    """Return every name that does not agree with the rest of the file, and where it stands.

    Parameters
    ----------
    values : dict
        The file's content, whatever else is wrong with it.
    """
    yield from _waves(values)
    yield from _second_round(values)
    yield from _collected_twice(values)
    yield from _plan(values)
    yield from _arms(values)
    yield from _columns(values)
    yield from _lot(values)


def _lot(values: object) -> Iterator[Misfit]:
    """Columns that the lot needs: declared, and numbers where they are balanced or matched."""
    scheme = _get(values, "randomisation", "scheme")
    declared = _get(values, "columns", "institutions")
    written: dict[str, object] = declared if isinstance(declared, dict) else {}
    types = {name: of.get("type") if isinstance(of, dict) else of for name, of in written.items()}
    covariates = _get(values, "randomisation", "covariates")
    named: list[tuple[Keys, object]] = [(("randomisation", key), _get(values, "randomisation", key)) for key in ("pair", "order")]
    if _get(values, "analysis", "method") == "permutation" and _get(values, "randomisation", "drawn_elsewhere") is True:
        yield Misfit(("analysis", "method"), NOTHING_TO_PERMUTE, found="permutation")
    if (pairs := _get(values, "analysis", "pairs")) is not None and scheme != "pairs":
        yield Misfit(("analysis", "pairs"), NO_PAIRS, found=pairs)
    named += [(("randomisation", "covariates", name), name) for name in covariates or () if isinstance(covariates, dict)]
    for keys, name in named:
        balanced = len(keys) == 3 and scheme != "minimisation"
        if isinstance(name, str) and name not in (*types, *SHIPPED_COLUMNS, *_list(values, "strata")):
            yield Misfit(keys, LOT_COLUMN, found=name, details={"name": name, "kind": "number" if balanced else "string"})
        elif name is not None and balanced and types.get(str(name), "string") not in ("integer", "number"):
            yield Misfit(keys, LOT_NUMBER, found=f"{name}: {types.get(str(name), 'string')}")


def _waves(values: object) -> Iterator[Misfit]:
    known = [wave.get("id") for wave in _list(values, "waves") if isinstance(wave, dict)]
    named: list[tuple[Keys, object]] = [
        (("eligibility", "at"), _get(values, "eligibility", "at")),
        (("gap", "wave"), _get(values, "gap", "wave")),
        (("gap", "follow_up"), _get(values, "gap", "follow_up")),
        *((("gap", "release", arm), wave) for arm, wave in _dict(values, "gap", "release").items()),
    ]
    for table in ("screening", "staff_survey"):
        for keys, collection in _collections(values, table):
            named += [((*keys, "waves", position), wave) for position, wave in enumerate(_list(collection, "waves"))]
    for position in range(len(_list(values, "outcomes"))):
        named += [(("outcomes", position, key), _get(values, "outcomes", position, key)) for key in ("at", "baseline")]
    yield from _unknown(UNKNOWN_WAVE, named, known)
    endless = [wave.get("id") for wave in _list(values, "waves") if isinstance(wave, dict) and wave.get("to") is None]
    for arm, wave in _dict(values, "gap", "release").items():
        if wave in endless:
            yield Misfit(("gap", "release", arm), NO_LAST_DAY, found=wave)


def _second_round(values: object) -> Iterator[Misfit]:
    """A second round of the GAP-profile that is not later than the first, or is collected with other forms."""
    wave, place = _get(values, "gap", "follow_up"), ("gap", "follow_up")
    if wave is None:
        return
    order = [each.get("id") for each in _list(values, "waves") if isinstance(each, dict)]
    first = _get(values, "gap", "wave")
    if wave in order and first in order and order.index(wave) <= order.index(first):
        yield Misfit(place, NOT_LATER, found=str(wave), expected=f"after {first}")
    for table, side in (("staff_survey", "staff"), ("screening", "child")):
        form = _get(values, "gap", side)
        at = [
            instrument
            for _, collection in _collections(values, table)
            if wave in _list(collection, "waves")
            for instrument in _list(collection, "instruments")
        ]
        named = [each for each in at if isinstance(each, str)]
        if named and form not in named and len(named) == len(at):
            yield Misfit(place, OTHER_FORMS, found=", ".join(named), details={"form": str(form), "wave": str(wave)})


def _collections(values: object, table: str) -> Iterator[tuple[Keys, object]]:
    """Yield the collections of a table, and where each stands: one, or a list of them."""
    declared = _get(values, "collect", table)
    if isinstance(declared, dict):
        yield ("collect", table), declared
    for position, collection in enumerate(_list(values, "collect", table)):
        yield ("collect", table, position), collection


def _collected_twice(values: object) -> Iterator[Misfit]:
    """Instruments that two collections of a table take at the same wave."""
    for table in ("screening", "staff_survey"):
        before: list[tuple[object, object]] = []
        for keys, collection in _collections(values, table):
            waves, instruments = _list(collection, "waves"), _list(collection, "instruments")
            for position, instrument in enumerate(instruments):
                if any((wave, instrument) in before for wave in waves) or instrument in instruments[:position]:
                    found = instrument.get("family") if isinstance(instrument, dict) else instrument
                    yield Misfit((*keys, "instruments", position), COLLECTED_TWICE, found=found)
            before += [(wave, instrument) for wave in waves for instrument in instruments]


def _plan(values: object) -> Iterator[Misfit]:
    if sets := _get(values, "sets"):
        yield from _unknown(UNKNOWN_SET, [(("analysis", "set"), _get(values, "analysis", "set"))], list(sets))
    outcomes = [outcome.get("id") for outcome in _list(values, "outcomes") if isinstance(outcome, dict)]
    families = _get(values, "analysis", "families")
    for family in families if isinstance(families, dict) else ():
        keys: Keys = ("analysis", "families", family, "outcomes")
        named = [((*keys, position), outcome) for position, outcome in enumerate(_list(values, *keys))]
        yield from _unknown(UNKNOWN_OUTCOME, named, outcomes)
    for position in range(len(_list(values, "analysis", "subgroups"))):
        keys = ("analysis", "subgroups", position, "outcomes")
        yield from _unknown(UNKNOWN_OUTCOME, [((*keys, i), one) for i, one in enumerate(_list(values, *keys))], outcomes)
    if _get(values, "analysis", "complier") and _get(values, "received") is None:
        yield Misfit(("analysis", "complier"), NOT_RECEIVED)
    scored = [outcome for outcome in _list(values, "outcomes") if isinstance(outcome, dict) and outcome.get("score")]
    if _get(values, "analysis", "missing_outcome", "items") is True and not scored:
        yield Misfit(("analysis", "missing_outcome", "items"), NO_ITEMS)
    if isinstance(families, dict):
        yield from _gates(families, values)


def _gates(families: dict[str, object], values: object) -> Iterator[Misfit]:
    """Yield families that wait for none that is declared, or for each other; and those whose lot is not known."""
    after = {name: _get(families, name, "after") for name in families}
    for name, before in after.items():
        keys: Keys = ("analysis", "families", name, "after")
        if before is not None and (before not in families or before == name):
            yield Misfit(keys, UNKNOWN_FAMILY, found=str(before), expected=", ".join(one for one in families if one != name))
            continue
        seen = {name}
        while before is not None and before not in seen:
            seen.add(before)
            before = after.get(before)
        if before == name and before is not None:
            yield Misfit(keys, WAITING, found=str(after[name]))
        if _get(families, name, "adjust") == "westfall-young" and _get(values, "randomisation", "drawn_elsewhere") is True:
            yield Misfit(("analysis", "families", name, "adjust"), NOTHING_TO_PERMUTE, found="westfall-young")


def _arms(values: object) -> Iterator[Misfit]:
    arms, ratio = _list(values, "arms"), _list(values, "randomisation", "ratio")
    labels = _get(values, "arm_labels")
    if isinstance(labels, dict):
        yield from _unknown(UNKNOWN_ARM, [(("arm_labels", arm), arm) for arm in labels], arms)
    yield from _unknown(UNKNOWN_ARM, [(("gap", "arms", i), arm) for i, arm in enumerate(_list(values, "gap", "arms"))], arms)
    yield from _unknown(UNKNOWN_ARM, [(("gap", "release", arm), arm) for arm in _dict(values, "gap", "release")], arms)
    if ratio and arms and len(ratio) != len(arms):
        yield Misfit(("randomisation", "ratio"), RATIO, found=str(ratio), expected=f"{len(arms)} numbers")


def _columns(values: object) -> Iterator[Misfit]:
    """Names that would stand twice in the frame a model is fitted on, or mean something else there."""
    covariates = _list(values, "analysis", "covariates")
    strata = _list(values, "strata")
    named: list[tuple[Keys, object]] = [(("analysis", "covariates", i), name) for i, name in enumerate(covariates)]
    named += [(("strata", i), name) for i, name in enumerate(strata)]
    outcomes: list[tuple[Keys, object]] = [
        (("outcomes", i, "id"), _get(values, "outcomes", i, "id")) for i in range(len(_list(values, "outcomes")))
    ]
    for keys, name in [*named, *outcomes]:
        if name in OWN_COLUMNS:
            yield Misfit(keys, RESERVED, found=name, expected=f"none of {', '.join(OWN_COLUMNS)}")
    for keys, name in outcomes:
        if name in [*covariates, *strata]:
            yield Misfit(keys, TAKEN, found=name)


def _unknown(fault: Fault, named: Iterable[tuple[Keys, object]], known: list[object]) -> Iterator[Misfit]:
    """Yield the names that are not known; where nothing is declared, that is the mistake, and is listed as such."""
    if known:
        for keys, name in named:
            if isinstance(name, str) and name not in known:
                yield Misfit(keys, fault, found=name, expected=", ".join(str(one) for one in known))


def _get(values: object, *keys: str | int) -> Any:
    """Return the value at a path of keys, or None where the file is not of that shape."""
    for key in keys:
        if isinstance(key, int) and isinstance(values, (list, tuple)) and key < len(values):
            values = values[key]
        elif isinstance(values, dict):
            values = values.get(key)
        else:
            return None
    return values


def _list(values: object, *keys: str | int) -> list[Any]:
    found = _get(values, *keys)
    return list(found) if isinstance(found, (list, tuple)) else []


def _dict(values: object, *keys: str | int) -> dict[Any, Any]:
    found = _get(values, *keys)
    return found if isinstance(found, dict) else {}
