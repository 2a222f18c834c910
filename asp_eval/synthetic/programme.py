"""What the synthetic institutions did, and who works in them: the implementation log and the list of staff.

Everything here is an assumption of this package: how an institution spent its time was its own decision in the trial that
lends the demo its shape, and nothing of it is published. The streams are of their own, so that no other number of the demo
depends on them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from asp_eval.core.randomness import stream
from asp_eval.synthetic import population as pop
from asp_eval.synthetic.people import People

Flags = NDArray[np.bool_]

# kind, element, mean number of events of an institution in two years, hours of one event
EVENTS = (
    ("course", "knowledge", 3.0, 6.0),
    ("meeting", "reflection", 5.0, 2.0),
    ("supervision", "reflection", 2.0, 3.0),
    ("own_work", "implementation", 4.0, 3.0),
)
EXTERNAL_SHARE = 0.3  # institutions of either arm with a project that others started
GUESTS = 2  # reference institutions that once took part in a meeting of the programme
ZEAL = 0.45  # SD of the logarithm by which institutions differ in how much they do
SECOND_POSTS = 6  # staff who also work in another institution of the same municipality
DAYS = (pop.WAVES[-1].first - pop.WAVES[0].last).days


def implementation_log(seed: int, people: People, treated: Flags) -> pd.DataFrame:
    """Return the events at the institutions between the first and the last wave.

    Parameters
    ----------
    seed : int
    people : People
    treated : ndarray of bool, shape (institutions,)

    Returns
    -------
    DataFrame
        event_id, institution_id, date, kind, element, hours, participants; in the order of the days.
    """
    rng = stream(seed, "synthetic", "implementation")
    zeal = np.exp(rng.normal(0, ZEAL, size=len(treated)))
    guests = set(rng.permutation(np.flatnonzero(~treated))[:GUESTS].tolist())
    rows: list[tuple[str, str, str | None, float]] = []
    for one, name in enumerate(people.institutions.ids):
        for kind, element, mean, hours in EVENTS:
            count = int(rng.poisson(mean * zeal[one]))
            count = count if treated[one] else int(kind == "meeting" and one in guests)
            rows += [(name, kind, element, hours + 0.5 * int(rng.integers(-1, 3))) for _ in range(count)]
        if rng.random() < EXTERNAL_SHARE:
            rows.append((name, "external_project", None, 4.0 * int(rng.integers(2, 9))))
    frame = pd.DataFrame(rows, columns=["institution_id", "kind", "element", "hours"])
    day = np.datetime64(pop.WAVES[0].last, "D") + rng.integers(7, DAYS - 7, size=len(frame))
    frame["date"] = pd.Series(np.busday_offset(day, 0, roll="backward").astype("datetime64[s]"))
    frame["participants"] = rng.integers(4, 13, size=len(frame))
    frame = frame.sort_values(["date", "institution_id", "kind"], ignore_index=True)
    frame.insert(0, "event_id", [f"E{number:04d}" for number in range(1, len(frame) + 1)])
    return frame[["event_id", "institution_id", "date", "kind", "element", "hours", "participants"]]


def staff_list(seed: int, people: People) -> pd.DataFrame:
    """Return who works where: everyone who rates, and a manager of each institution.

    Parameters
    ----------
    seed : int
    people : People

    Returns
    -------
    DataFrame
        staff_id, institution_id, role, hours (a week), start_date, end_date (missing of who still works there), in the order
        of the institutions.
    """
    rng = stream(seed, "synthetic", "staff list")
    home = people.staff.institution
    trained = rng.random(len(home)) < 0.7
    raters = pd.DataFrame(
        {
            "staff_id": people.staff.ids,
            "institution": home,
            "role": np.where(trained, "pedagogue", "assistant"),
            "hours": rng.choice([25.0, 30.0, 32.5, 37.0], size=len(home), p=[0.1, 0.25, 0.25, 0.4]),
        }
    )
    count = len(people.institutions.ids)
    managers = pd.DataFrame(
        {
            "staff_id": [f"M{k:03d}" for k in range(1, count + 1)],
            "institution": np.arange(count),
            "role": "manager",
            "hours": 37.0,
        }
    )
    second = raters.iloc[rng.choice(len(raters), size=SECOND_POSTS, replace=False)].assign(hours=10.0)
    second["institution"] = [_neighbour(rng, people, one) for one in second["institution"]]
    whole = pd.concat([raters, managers, second], ignore_index=True)
    whole.insert(1, "institution_id", np.asarray(people.institutions.ids, dtype=object)[whole.pop("institution")])
    came, went = _days(seed, people)
    whole["start_date"] = whole["staff_id"].map(came).astype("datetime64[s]")
    whole["end_date"] = whole["staff_id"].map(went).astype("datetime64[s]")
    return whole.sort_values(["institution_id", "staff_id"], ignore_index=True)


def _days(seed: int, people: People) -> tuple[dict[str, np.datetime64], dict[str, np.datetime64]]:
    """Return the first day of those who came after the first wave, and the last day of those who left before the last.

    Who has children to rate at one wave and none at the next left between the two.
    """
    rng = stream(seed, "synthetic", "staff days")
    rates = np.array([np.isin(np.arange(len(people.staff.ids)), people.children.rater[wave]) for wave in range(len(pop.WAVES))])
    came: dict[str, np.datetime64] = {}
    went: dict[str, np.datetime64] = {}
    for person, name in enumerate(people.staff.ids):
        waves = np.flatnonzero(rates[:, person])
        between = rng.random(2)
        if len(waves) and waves[0] > 0 and not people.staff.at_start[person]:
            came[name] = _between(int(waves[0]) - 1, between[0])
        if len(waves) and waves[-1] < len(pop.WAVES) - 1:
            went[name] = _between(int(waves[-1]), between[1])
    return came, went


def _between(wave: int, share: float) -> np.datetime64:
    """Return a day between the end of a wave and the beginning of the next."""
    first, last = np.datetime64(pop.WAVES[wave].last, "D"), np.datetime64(pop.WAVES[wave + 1].first, "D")
    return np.datetime64(first + np.timedelta64(1 + int(share * ((last - first).astype(int) - 2)), "D"))


def _neighbour(rng: np.random.Generator, people: People, one: int) -> int:
    """Return another institution of the same municipality."""
    near = np.flatnonzero(people.institutions.municipality == people.institutions.municipality[one])
    return int(rng.choice(near[near != one]))
