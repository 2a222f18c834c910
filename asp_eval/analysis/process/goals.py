"""Goals that institutions set: how many institutions, on what, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from asp_eval.analysis.goals import Goal
from asp_eval.analysis.process.groups import Group, groups
from asp_eval.analysis.process.results import GoalsSet
from asp_eval.analysis.process.shares import share
from asp_eval.trial.profiles.worksheet import worksheet_of_meetings
from asp_eval.trial.study.design import Study


def goals_set(
    study: Study,
    goals: Mapping[str, Sequence[Goal]],
    arms: Mapping[str, str],
    types: Mapping[str, str],
    levels: Sequence[str],
) -> tuple[GoalsSet, ...]:
    """Return the goals that were set, arm by arm: by all institutions, and by those of each type in the last round.

    Parameters
    ----------
    study : Study
    goals : mapping of str to sequence of Goal
        By institution; nothing is returned without any.
    arms : mapping of str to str
        The arm of each institution that was drawn: an institution without goals is counted too.
    types : mapping of str to str
        The type of each institution that has one.
    levels : sequence of str
        The types, in their order.
    """
    return tuple(_group(study, each, goals) for each in groups(study.arms, arms, types, levels)) if goals else ()


def _group(study: Study, group: Group, goals: Mapping[str, Sequence[Goal]]) -> GoalsSet:
    theirs = {name: goals[name] for name in group.institutions if goals.get(name)}
    every = [goal for each in theirs.values() for goal in each]
    outcomes = Counter(goal.how_it_went for goal in every)
    days = sorted(goal.date for goal in every if goal.date)
    return GoalsSet(
        arm=group.arm,
        type=group.type,
        institutions=share(len(theirs), len(group.institutions), study.analysis.level),
        goals=len(every),
        outcomes={each.key: outcomes[each.key] for each in worksheet_of_meetings().outcomes},
        not_told=outcomes[""],
        dimensions=dict(sorted(Counter(_chosen(theirs.values())).items(), key=lambda each: (-each[1], each[0]))),
        first=days[0] if days else "",
        last=days[-1] if days else "",
    )


def _chosen(goals: Iterable[Sequence[Goal]]) -> list[str]:
    """Return the dimensions that institutions chose, each once for an institution."""
    return [key for each in goals for key in dict.fromkeys(goal.dimension for goal in each if goal.dimension)]
