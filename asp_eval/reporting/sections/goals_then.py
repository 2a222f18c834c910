"""The goals that an institution chose from the profile of the round before, beside the second round."""

from __future__ import annotations

from collections.abc import Sequence

from asp_eval.analysis.gap_results import GapResults
from asp_eval.analysis.goals import Goal
from asp_eval.reporting.blocks import Field, Fields, Section
from asp_eval.reporting.numbers import Numbers
from asp_eval.trial.profiles.worksheet import worksheet_of_meetings


def goals_then(results: GapResults, goals: Sequence[Goal], show: Numbers) -> tuple[Section, ...]:
    """Return the goals of last time, each aim once, in the institution's own words; nothing in a first round."""
    if not results.earlier_wave:
        return ()
    of_then = [goal for goal in goals if goal.aim and goal.profile_wave in ("", results.earlier_wave)]
    aims: dict[tuple[str, str], list[Goal]] = {}
    for goal in of_then:
        aims.setdefault((goal.dimension, goal.aim), []).append(goal)
    if not aims:
        return ()
    fields = tuple(Field(_dimension(results, key, show), aim, _outcomes(members, show)) for (key, aim), members in aims.items())
    return (Section("goals", show.words("What you chose last time"), (Fields(fields, "run-in"),)),)


def _dimension(results: GapResults, key: str, show: Numbers) -> str:
    """Return a dimension's name; a dimension that the profile has not is called what the goal calls it."""
    label = next((d.label for d in results.dimensions if d.key == key), None)
    if label is not None:
        return show.words.label(label, key)
    return key or show.words("Our aim")


def _outcomes(goals: Sequence[Goal], show: Numbers) -> str:
    """Say what became of the partial aims, as far as it was written down."""
    titles = {each.key: show.words.label(each.title, each.key) for each in worksheet_of_meetings().outcomes}
    known = [titles.get(goal.how_it_went, goal.how_it_went) for goal in goals if goal.how_it_went]
    return ", ".join(dict.fromkeys(known))
