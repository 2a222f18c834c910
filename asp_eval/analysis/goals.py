"""The goals that institutions set themselves, from the stored table."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from asp_eval.store import table
from asp_eval.trial.study.design import Study


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal of an institution, in its own words.

    Attributes
    ----------
    number : int
        Within the institution.
    profile_wave : str
        Wave of the GAP-profile that it was chosen from; empty, as all that follow, where it is not said.
    date, due : str
        The day on which it was set, and by which it is to be reached, ISO 8601.
    dimension : str
        Key of the dimension of the profile.
    surprise, aim, partial_aim, strategy, who : str
    how_it_went : str
        Key of what became of it: reached, partly, not_reached or given_up.
    what_happened : str
    """

    number: int
    profile_wave: str = ""
    date: str = ""
    surprise: str = ""
    dimension: str = ""
    aim: str = ""
    partial_aim: str = ""
    strategy: str = ""
    who: str = ""
    due: str = ""
    how_it_went: str = ""
    what_happened: str = ""


TEXTS = (
    "profile_wave",
    "surprise",
    "dimension",
    "aim",
    "partial_aim",
    "strategy",
    "who",
    "how_it_went",
    "what_happened",
)


def institution_goals(study: Study) -> dict[str, tuple[Goal, ...]]:
    """Return the goals of each institution that has set any, by their number.

    Raises
    ------
    Refusal
        STO-040 if the table is not what was stored.
    """
    return goals_of(table(study, "goals"))


def goals_of(rows: pd.DataFrame) -> dict[str, tuple[Goal, ...]]:
    """Return the goals of each institution from rows of the table.

    Examples
    --------
    >>> rows = pd.DataFrame({"institution_id": ["i7", "i7"], "goal": ["2", "1"], "aim": ["Quiet before lunch", None]})
    >>> [goal.number for goal in goals_of(rows)["i7"]]
    [1, 2]
    """
    texts = rows.reindex(columns=["institution_id", "goal", *TEXTS]).astype("string").fillna("")
    for name in ("date", "due"):
        days = pd.to_datetime(rows[name]) if name in rows else pd.Series(pd.NaT, index=rows.index)
        texts[name] = days.dt.strftime("%Y-%m-%d").fillna("")
    found: dict[str, list[Goal]] = {}
    for row in texts.to_dict("records"):
        institution, number = str(row.pop("institution_id")), int(row.pop("goal"))
        found.setdefault(institution, []).append(Goal(number, **{str(name): str(text) for name, text in row.items()}))
    return {name: tuple(sorted(goals, key=lambda goal: goal.number)) for name, goals in sorted(found.items())}
