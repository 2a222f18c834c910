"""Overall and differential attrition, held against the What Works Clearinghouse's two boundaries.

What Works Clearinghouse, Procedures and Standards Handbook 5.0: a trial has low attrition if, at its overall attrition
(rounded to a whole per cent), its differential attrition (not rounded) is at or below the boundary. The cautious boundary is
for interventions that may themselves make participants leave, the optimistic one for those that hardly can. In a
cluster trial the clusters are judged first, then the participants within the clusters that stayed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.core.errors import Fault, Unavailable
from asp_eval.core.phrases import Phrase

# Largest differential attrition, in tenths of a percentage point, at an overall attrition of 0, 1, ..., 57 per cent.
CAUTIOUS = (
    57,
    58,
    59,
    59,
    60,
    61,
    62,
    63,
    63,
    63,
    63,
    62,
    62,
    61,
    60,
    59,
    59,
    58,
    57,
    55,
    54,
    53,
    52,
    51,
    49,
    48,
    47,
    45,
    44,
    43,
    41,
    40,
    38,
    36,
    35,
    33,
    32,
    31,
    29,
    28,
    26,
    25,
    23,
    21,
    20,
    18,
    16,
    15,
    13,
    12,
    10,
    9,
    7,
    6,
    4,
    3,
    2,
    0,
)
OPTIMISTIC = (
    100,
    101,
    102,
    103,
    104,
    105,
    107,
    108,
    109,
    109,
    109,
    109,
    109,
    109,
    108,
    108,
    107,
    106,
    105,
    103,
    102,
    100,
    99,
    97,
    95,
    94,
    92,
    90,
    88,
    86,
    84,
    82,
    80,
    78,
    76,
    74,
    72,
    70,
    67,
    65,
    63,
    60,
    58,
    56,
    53,
    51,
    49,
    46,
    44,
    42,
    39,
    37,
    35,
    32,
    30,
    28,
    26,
    23,
)

IMPOSSIBLE = Fault(
    "FLO-007",
    "{retained} of {assigned} {level} of {arm} cannot have stayed",
    "Check the allocation and the list of children against each other.",
)
NO_BOUNDARY = Unavailable(Phrase("no differential attrition is acceptable when overall attrition is above 57 per cent"))

Level = Literal["institutions", "children"]
LEVELS: tuple[Level, Level] = ("institutions", "children")


@dataclass(frozen=True, slots=True)
class ArmRetention:
    """How many of an arm were assigned, and how many of them stayed until the analysis."""

    arm: str
    assigned: int
    retained: int


@dataclass(frozen=True, slots=True)
class Attrition:
    """Attrition of one arm against the reference arm, at one level.

    Attributes
    ----------
    level : {"institutions", "children"}
    reference, arm : ArmRetention
    overall : float
        Per cent of both arms together that was lost.
    differential : float
        Percentage points by which the arms' losses differ, 0 or more.
    cautious_boundary, optimistic_boundary : float or Unavailable
        Largest acceptable differential attrition at this overall attrition.
    low_cautious, low_optimistic : bool
        Whether attrition is low by each boundary.
    """

    level: Level
    reference: ArmRetention
    arm: ArmRetention
    overall: float
    differential: float
    cautious_boundary: float | Unavailable
    optimistic_boundary: float | Unavailable
    low_cautious: bool
    low_optimistic: bool


@dataclass(frozen=True, slots=True)
class OutcomeAttrition:
    """Attrition of one outcome, in the order in which it is judged: institutions, children of those that stayed, joiners.

    Attributes
    ----------
    outcome, wave : str
    comparisons : tuple of Attrition or Unavailable
        For each arm after the first: institutions, then children.
    joined : tuple of int
        For each arm, children screened at the wave who joined after the wave that defines the cohort.
    joiners_analysed : int
        How many of these are in the analysis; 0 where the estimand leaves joiners out.
    """

    outcome: str
    wave: str
    comparisons: tuple[Attrition | Unavailable, ...]
    joined: tuple[int, ...]
    joiners_analysed: int


def attrition(level: Level, reference: ArmRetention, arm: ArmRetention) -> Attrition | Unavailable:
    """Return the attrition of two arms and hold it against both boundaries.

    Whole-number arithmetic throughout: a trial exactly on the boundary passes.

    Parameters
    ----------
    level : {"institutions", "children"}
    reference, arm : ArmRetention

    Returns
    -------
    Attrition or Unavailable
        Unavailable if nobody was assigned to one of the arms.

    Raises
    ------
    Refusal
        If more stayed than were assigned.

    References
    ----------
    What Works Clearinghouse (2022). Procedures and Standards Handbook, version 5.0, chapter on attrition.

    Examples
    --------
    >>> a = attrition("children", ArmRetention("reference", 1000, 900), ArmRetention("intervention", 1000, 850))
    >>> a.overall, a.differential, a.cautious_boundary, a.low_cautious
    (12.5, 5.0, 6.1, True)
    """
    for one in (reference, arm):
        if not 0 <= one.retained <= one.assigned:
            IMPOSSIBLE.refuse(retained=one.retained, assigned=one.assigned, level=level, arm=one.arm)
        if one.assigned == 0:
            nobody = Phrase("no children of {arm} to lose", arm=one.arm)
            return Unavailable(Phrase("no institutions of {arm} to lose", arm=one.arm) if level == "institutions" else nobody)
    overall = _lost(reference.assigned + arm.assigned, reference.retained + arm.retained)
    differential = abs(_lost(arm.assigned, arm.retained) - _lost(reference.assigned, reference.retained))
    cautious, optimistic = _boundary(CAUTIOUS, overall), _boundary(OPTIMISTIC, overall)
    return Attrition(
        level,
        reference,
        arm,
        float(overall),
        float(differential),
        _shown(cautious),
        _shown(optimistic),
        cautious is not None and differential <= cautious,
        optimistic is not None and differential <= optimistic,
    )


def trial_attrition(
    arms: Collection[str],
    allocation: pd.DataFrame,
    institutions: pd.Series,
    analysed: npt.NDArray[np.bool_],
    with_data: Collection[str],
) -> tuple[Attrition | Unavailable, ...]:
    """Return attrition at both levels, for each arm after the first against the first.

    Institutions stay if they handed in data of their own (`asp_eval.trial.flow.presence.handed_in`). Children are counted within
    the institutions that stayed, as the Handbook has it: a lost institution is not counted a second time through its children.

    Parameters
    ----------
    arms : collection of str
        The first is the reference.
    allocation : DataFrame
        institution_id, arm.
    institutions : Series of str (children,)
        Where each child of the cohort was drawn.
    analysed : ndarray of bool (children,)
        Whether it was analysed.
    with_data : collection of str
        Institutions that handed in data of their own at the outcome's wave.

    Returns
    -------
    tuple of Attrition or Unavailable
        Institutions, then children, for each arm in turn.
    """
    listed, stayed = (homes.value_counts().rename(index=str) for homes in (institutions, institutions[analysed]))
    lots = allocation["arm"].astype("str")
    retained: dict[str, tuple[ArmRetention, ArmRetention]] = {}
    for arm in arms:
        own = {str(institution) for institution in allocation.loc[lots == arm, "institution_id"]}
        there = sorted(own.intersection(with_data))
        of_all, of_those = (int(counts.reindex(there, fill_value=0).sum()) for counts in (listed, stayed))
        retained[arm] = ArmRetention(arm, len(own), len(there)), ArmRetention(arm, of_all, of_those)
    reference, *others = retained.values()
    return tuple(attrition(level, reference[index], other[index]) for other in others for index, level in enumerate(LEVELS))


def _lost(assigned: int, retained: int) -> Fraction:
    """Return the per cent lost, exactly."""
    return Fraction(100 * (assigned - retained), assigned)


def _boundary(table: tuple[int, ...], overall: Fraction) -> Fraction | None:
    """Return the largest acceptable differential attrition; halves of a per cent round up."""
    whole = int(overall + Fraction(1, 2))
    return Fraction(table[whole], 10) if whole < len(table) else None


def _shown(boundary: Fraction | None) -> float | Unavailable:
    return NO_BOUNDARY if boundary is None else float(boundary)
