"""The synthetic interviews: two rounds with every manager, coded by two coders who err in a known way.

Everything here is an assumption of this package: how many institutions were of which type is not published. A coder's word on a
criterion follows `CONFUSION`, the same for both coders and independent between them; every other code follows the true type.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from asp_eval.core.randomness import stream
from asp_eval.synthetic.people import People
from asp_eval.trial.process.library import frame

Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]

TYPES = ("I", "II", "III")
SHARES = (0.3, 0.45, 0.25)  # of the types at the start
CONFUSION = ((0.8, 0.16, 0.04), (0.12, 0.76, 0.12), (0.04, 0.17, 0.79))  # a coder's word on a criterion, by the true type
CHANGED = {  # the type a year on, by the type at the start: with the intervention, and without
    True: ((0.85, 0.13, 0.02), (0.25, 0.65, 0.1), (0.1, 0.25, 0.65)),
    False: ((0.8, 0.15, 0.05), (0.08, 0.82, 0.1), (0.03, 0.17, 0.8)),
}
CODERS = ("K1", "K2")
DECIDES = "K3"  # a third person, who decides where the two differ
DECIDED = 0.8  # of the interviews in which they differ on a criterion
LEFT_OPEN = 0.04  # of the codes, by a coder
ROUNDS = ("baseline", "one_year")
FRAME = "asp-process"
LATER_ONLY = ("gap_meaningful", "gap_surprising", "gap_easy", "gap_discussed", "new_routines")  # asked about after a year
RIGHT = 0.85  # of the other codes, by either coder
MORE_OF_IT = ("met", "routines", "discussed", "presence", "clarity")  # level sets of which an innovative institution has more
DISCUSSED = "Talt igennem af koderne"


def interview_sheet(seed: int, people: People, treated: Flags) -> pd.DataFrame:
    """Return the coded sheet of both rounds.

    Parameters
    ----------
    seed : int
    people : People
    treated : ndarray of bool, shape (institutions,)

    Returns
    -------
    DataFrame
        institution_id, round, coder_id, kind, date, informant_role, the codes of the frame, decided_why; one row per interview
        and coder, and one for each consensus.
    """
    random = stream(seed, "synthetic", "interviews")
    process = frame(FRAME)
    assert process.type is not None
    first = random.choice(len(TYPES), size=len(treated), p=SHARES)
    rows = []
    for round_, types, start in zip(ROUNDS, (first, _later(random, first, treated)), ("2006-10-02", "2007-10-01"), strict=True):
        days = np.busday_offset(np.datetime64(start, "D"), random.integers(0, 40, size=len(treated)))
        for one, name in enumerate(people.institutions.ids):
            true = _true_codes(random, int(types[one]), round_, treated=bool(treated[one]))
            common = {"institution_id": name, "round": round_, "date": days[one], "informant_role": "manager"}
            coded = [_coded(random, int(types[one]), true) for _ in CODERS]
            rows += [common | {"coder_id": coder, "kind": "coder"} | codes for coder, codes in zip(CODERS, coded, strict=True)]
            differing = [key for key in process.type.criteria if len({codes.get(key) for codes in coded}) > 1]
            if differing and random.random() < DECIDED:
                agreed = {key: TYPES[int(types[one])] for key in differing}
                rows.append(common | {"coder_id": DECIDES, "kind": "consensus", "decided_why": DISCUSSED} | agreed)
    columns = ["institution_id", "round", "coder_id", "kind", "date", "informant_role", *process.keys, "decided_why"]
    sheet = pd.DataFrame(rows).reindex(columns=columns)
    sheet["date"] = pd.Series(pd.to_datetime(sheet["date"])).astype("datetime64[s]")
    return sheet.drop(columns=process.type.code)


def _later(random: np.random.Generator, first: Indices, treated: Flags) -> Indices:
    """Return the types a year on."""
    return np.array([random.choice(len(TYPES), p=CHANGED[bool(t)][k]) for k, t in zip(first, treated, strict=True)])


def _true_codes(random: np.random.Generator, kind: int, round_: str, *, treated: bool) -> dict[str, str]:
    """Return what is so of an institution, but the criteria: an innovative one meets more, a resisting one is pressed more."""
    process = frame(FRAME)
    assert process.type is not None
    found = {}
    for code in process.codes:
        if code.key in (process.type.code, *process.type.criteria):
            continue
        if code.key in LATER_ONLY and not (treated and round_ == ROUNDS[-1]):
            continue
        levels = process.levels(code.key)
        centre = (len(levels) - 1) * (1 - kind / 2 if code.levels in MORE_OF_IT else kind / 2)
        weight = (
            np.exp(-0.8 * np.abs(np.arange(len(levels)) - centre)) if process.is_ordinal(code.key) or len(levels) == 2 else None
        )
        chances = None if weight is None else weight / weight.sum()
        found[code.key] = str(random.choice(np.array(levels), p=chances))
    for relation in ("external_control", "power_of_definition", "workplace_culture", "internal_conflicts"):
        source = f"{relation}_source"
        if found[relation] == "absent":
            found[source] = "none"
        elif found[source] == "none":
            found[source] = "structural"
    return found


def _coded(random: np.random.Generator, kind: int, true: dict[str, str]) -> dict[str, str]:
    """Return what one coder writes down."""
    process = frame(FRAME)
    assert process.type is not None
    codes = {key: TYPES[int(random.choice(len(TYPES), p=CONFUSION[kind]))] for key in process.type.criteria}
    for key, value in true.items():
        right = random.random() < RIGHT
        codes[key] = value if right else str(random.choice(np.array(process.levels(key))))
    return {key: value for key, value in codes.items() if random.random() >= LEFT_OPEN}
