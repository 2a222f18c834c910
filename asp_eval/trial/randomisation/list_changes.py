"""Comparing a list with the one that a lot was drawn over, institution by institution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from asp_eval.core.errors import Fault, Problem
from asp_eval.trial.randomisation.roster import SOURCE
from asp_eval.trial.randomisation.scheme import Allocation

LEFT_THE_LIST = Fault(
    "RND-031",
    "institution {institution} was in the list that the lot was drawn over, and no longer is",
    "Put it back into the list and import it; an institution that closed stays in it, with the day under closed_on.",
)
CHANGED_IN_THE_LIST = Fault(
    "RND-032",
    "institution {institution} is not described as in the list that the lot was drawn over",
    "Correct the list and import it, if the change is a mistake; what the lot was drawn over does not change afterwards.",
)
OTHER_DECLARATION = Fault(
    "RND-033",
    "study.yaml declares another scheme than the one that the lot was drawn with",
    "Put 'arms', 'strata' and 'randomisation' back as they were.",
)
OTHER_CANDIDATES = Fault(
    "RND-035",
    "the candidate allocations that are kept are not those that the lot was drawn from",
    "Put 'arms', 'strata' and 'randomisation' back as they were, and verify with the version of the package that drew.",
)
OTHER_ARM = Fault(
    "RND-034",
    "institution {institution} does not have the arm that the seed, the scheme and the list give",
    "The arm in the ledger is not the rule's. Find out who changed it, and take study.duckdb from a backup.",
)


def list_differences(drawn_over: Sequence[str], now: Sequence[str]) -> Iterator[Problem]:
    """Return what changed between two lists of `Roster.lines`.

    Parameters
    ----------
    drawn_over : sequence of str
        The list that the lot was drawn over.
    now : sequence of str
        The list as it is.
    """
    present = {_id(line): line for line in now}
    for line in drawn_over:
        found = present.get(_id(line))
        if found is None:
            yield LEFT_THE_LIST.at(SOURCE, institution=_id(line))
        elif found != line:
            yield CHANGED_IN_THE_LIST.at(SOURCE, found=_rest(found), expected=_rest(line), institution=_id(line))


def arm_differences(drawn: Mapping[str, str], derived: Allocation) -> Iterator[Problem]:
    """Return the institutions whose arm is not the one that the rule gives.

    Parameters
    ----------
    drawn : mapping of str to str
        Arm of each institution, as it was written down.
    derived : Allocation
    """
    for institution, arm in sorted(zip(derived.institution_ids, derived.arms, strict=True)):
        if drawn.get(institution) != arm:
            yield OTHER_ARM.at("allocation", found=drawn.get(institution), expected=arm, institution=institution)


def _id(line: str) -> str:
    return line.partition("\t")[0]


def _rest(line: str) -> str:
    return ", ".join(line.split("\t")[1:])
