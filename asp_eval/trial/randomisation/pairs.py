"""Matched pairs: named by a column, or matched on covariates before the lot is drawn.

With arms of 1 to 1 the members of a pair go one to either arm. A column may also name larger sets: each holds as many
institutions as the ratio's sum, and the lot is drawn inside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from asp_eval.core.errors import DataProblems, Fault
from asp_eval.trial.randomisation.distances import squared_distances
from asp_eval.trial.randomisation.matching import closest_pairs
from asp_eval.trial.randomisation.roster import SOURCE, Roster, grouped

ODD_STRATUM = Fault(
    "RND-016",
    "{stratum} holds an odd number of institutions, so that one would be left without a partner",
    "Add or leave out an institution before the draw, or declare another scheme.",
)
PAIR_SIZE = Fault(
    "RND-017",
    "pair {pair} does not hold the institutions that a pair needs: {ids}",
    "Correct the column {column}: it has the same value for the institutions of one pair, and for no other.",
)
PAIR_ACROSS = Fault(
    "RND-018",
    "the institutions of pair {pair} belong to different strata: {ids}",
    "Pair institutions of the same stratum, or take 'strata' out of study.yaml.",
)


def named_pairs(roster: Roster, column: str, size: int) -> tuple[str, ...]:
    """Return the pair of each institution as a column names it, length n.

    Parameters
    ----------
    roster : Roster
    column : str
    size : int
        How many institutions a pair holds: the ratio's sum.

    Raises
    ------
    DataProblems
        RND-017 and RND-018, for every pair.
    """
    problems = []
    for pair, held in grouped(roster.columns[column]).items():
        ids = ", ".join(roster.institution_ids[p] for p in held)
        if len(held) != size:
            expected = f"{size} institutions"
            problems.append(PAIR_SIZE.at(SOURCE, found=len(held), expected=expected, pair=repr(pair), ids=ids, column=column))
        elif len({roster.strata[p] for p in held}) > 1:
            problems.append(PAIR_ACROSS.at(SOURCE, pair=repr(pair), ids=ids))
    if problems:
        raise DataProblems(problems)
    return roster.columns[column]


def matched_pairs(roster: Roster, weights: Mapping[str, Fraction]) -> tuple[str, ...]:
    """Return the pair of each institution, matched within its stratum, named ``ID + ID``; length n.

    The pairs are those with the smallest sum of squared standardised distances (`distances`, `matching`).

    Parameters
    ----------
    roster : Roster
    weights : mapping of str to Fraction
        Weight of each covariate.

    Raises
    ------
    DataProblems
        RND-016 for every stratum of an odd number.
    """
    members = roster.members()
    odd = {stratum: len(held) for stratum, held in members.items() if len(held) % 2}
    if odd:
        where = {stratum: f"stratum {stratum!r}" if roster.stratified_by else "the list" for stratum in odd}
        raise DataProblems(
            ODD_STRATUM.at(SOURCE, found=f"{size} institutions", stratum=where[stratum]) for stratum, size in odd.items()
        )
    pairs = [""] * len(roster.strata)
    for held in members.values():
        by_id = sorted(held, key=roster.institution_ids.__getitem__)
        for pair in closest_pairs(squared_distances(roster, weights, by_id)):
            one, other = (by_id[member] for member in pair)
            pairs[one] = pairs[other] = f"{roster.institution_ids[one]} + {roster.institution_ids[other]}"
    return tuple(pairs)
