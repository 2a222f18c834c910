"""The synthetic goals: what the institutions of the intervention chose to work on after their GAP-profile.

Everything here is an assumption of this package, and every aim says that it is synthetic. How many goals, on what and how it
went are drawn alike for all institutions, whatever their type.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from asp_eval.core.randomness import stream
from asp_eval.synthetic.people import People

Flags = NDArray[np.bool_]

SETS_ANY = 0.87  # of the institutions with a profile
NUMBERS = (2, 3, 4)  # goals of a meeting
WENT = {"reached": 0.38, "partly": 0.3, "not_reached": 0.1, "given_up": 0.05, "": 0.17}
MEETINGS_FROM, LATEST = "2007-01-15", 60  # working days after which the last meeting is held
AIMS = {
    "self_worth": "Alle børn oplever hver dag, at en voksen ser dem",
    "emotions": "Børnene får ord for det, de føler",
    "independence": "Børnene klarer selv mere ved måltiderne",
    "play": "Alle børn bliver spurgt, om de vil være med",
    "empathy": "Børnene lægger mærke til, når andre er kede af det",
    "cooperation": "Børnene løser en opgave sammen hver uge",
    "language": "Alle børn kommer til orde i samlingen",
    "attention": "Børnene kan blive ved det, de er i gang med",
    "curiosity": "Børnenes egne spørgsmål bliver taget op",
}
STEPS = (
    ("En voksen er fast på gulvet om formiddagen", "Vi laver en vagtplan for gulvet", "Leder"),
    ("Vi siger højt, hvad vi ser", "Vi øver det på to personalemøder", "Alle"),
    ("Vi deler børnene i små grupper", "Faste grupper tre dage om ugen", "Stuerne"),
    ("Vi skriver iagttagelser ned", "En iagttagelse om ugen for hver stue", "Pædagogerne"),
)
SURPRISE = "At forskellen var størst netop dér"
MARK = "(syntetisk)"


def goal_sheet(seed: int, people: People, treated: Flags) -> pd.DataFrame:
    """Return the goals of the institutions that were given a profile.

    Parameters
    ----------
    seed : int
    people : People
    treated : ndarray of bool, shape (institutions,)

    Returns
    -------
    DataFrame
        The columns of the table of goals that are filled in, one row for each goal.
    """
    random = stream(seed, "synthetic", "goals")
    dimensions, outcomes = list(AIMS), list(WENT)
    rows = []
    for name, given in zip(people.institutions.ids, treated, strict=True):
        sets = random.random() < SETS_ANY
        dimension = dimensions[int(random.integers(len(dimensions)))]
        number = int(random.choice(NUMBERS))
        day = np.busday_offset(np.datetime64(MEETINGS_FROM, "D"), int(random.integers(LATEST + 1)), roll="forward")
        weeks = random.integers(8, 40, size=number)
        steps = random.permutation(len(STEPS))[:number]
        went = random.choice(outcomes, p=list(WENT.values()), size=number)
        if not (given and sets):
            continue
        for goal, (step, later, outcome) in enumerate(zip(steps, weeks, went, strict=True), 1):
            partial_aim, strategy, who = STEPS[int(step)]
            rows.append(
                {
                    "institution_id": name,
                    "goal": str(goal),
                    "profile_wave": "w1",
                    "date": pd.Timestamp(day),
                    "surprise": SURPRISE,
                    "dimension": dimension,
                    "aim": f"{AIMS[dimension]} {MARK}",
                    "partial_aim": partial_aim,
                    "strategy": strategy,
                    "who": who,
                    "due": pd.Timestamp(day) + pd.Timedelta(weeks=int(later)),
                    "how_it_went": str(outcome),
                }
            )
    return pd.DataFrame(rows)
