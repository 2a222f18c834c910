"""The counts of a cluster trial's flow diagram, as values whose boxes add up.

CONSORT 2010, extension to cluster trials (Campbell et al. 2012, BMJ 345:e5661): institutions and children, per arm.
Every value checks its own sums when it is made, so a flow that does not add up cannot reach a report.
"""

from __future__ import annotations

from dataclasses import dataclass

from asp_eval.core.errors import Fault
from asp_eval.trial.randomisation.closed import LeftOut

NOT_CONSERVED = Fault(
    "FLO-001",
    "the flow does not add up: {whole} counts {total}, and what leaves it counts {summed} ({parts})",
    "Report this: the tables and the flow disagree, and nothing may be printed until they agree.",
)


@dataclass(frozen=True, slots=True)
class NotScreened:
    """Why children of the cohort were not screened at a wave, each child under the first reason that applies.

    Attributes
    ----------
    institution_closed : int
        The institution the child was last listed in had closed by the end of the wave, and no child was screened in it.
    institution_silent : int
        No child of that institution was screened, though it is not known to have closed.
    unanswered : int
        The child was listed at the wave, without any answer.
    unlisted : int
        The child was not listed at the wave.
    """

    institution_closed: int
    institution_silent: int
    unanswered: int
    unlisted: int

    @property
    def total(self) -> int:
        """Children who were not screened."""
        return self.institution_closed + self.institution_silent + self.unanswered + self.unlisted


@dataclass(frozen=True, slots=True)
class WaveFlow:
    """One arm at one wave.

    ``institutions = with_data + closed + silent``; ``cohort = screened + not_screened.total`` and
    ``not_screened.total = absent + lost``.

    An institution is with data if any child was screened in it. `institutions_lost` had no data at this wave nor at any
    later one. A child not screened at this wave is `absent` if it is listed now, or listed or screened later, and else
    `lost`. So ``retained = screened + absent`` children are still in the trial, and ``screened`` of them attended.
    `closed_why` counts the closed institutions by the reason the list gives; those without one are left out.
    Of those screened, `moved` were seen in another institution than the one drawn, and `crossed` of these in one of another arm.
    `joined` are screened children outside the cohort who joined after the wave that defines it.
    """

    wave: str
    institutions: int
    with_data: int
    closed: int
    silent: int
    institutions_lost: int
    cohort: int
    screened: int
    not_screened: NotScreened
    absent: int
    lost: int
    moved: int
    crossed: int
    joined: int
    closed_why: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        at = f"at {self.wave}"
        conserve(f"institutions {at}", self.institutions, with_data=self.with_data, closed=self.closed, silent=self.silent)
        explained = sum(count for _, count in self.closed_why)
        conserve(f"institutions closed {at}", self.closed, with_a_reason=explained, without_one=self.closed - explained)
        returning = self.without_data - self.institutions_lost
        conserve(f"institutions without data {at}", self.without_data, returning=returning, lost=self.institutions_lost)
        conserve(f"children {at}", self.cohort, screened=self.screened, **_reasons(self.not_screened))
        conserve(f"children not screened {at}", self.not_screened.total, absent=self.absent, lost=self.lost)
        conserve(f"children screened {at}", self.screened, moved=self.moved, stayed=self.screened - self.moved)
        conserve(f"children moved {at}", self.moved, crossed=self.crossed, within_the_arm=self.moved - self.crossed)

    @property
    def without_data(self) -> int:
        """Institutions in which no child was screened."""
        return self.closed + self.silent

    @property
    def retained(self) -> int:
        """Children of the cohort who were still in the trial, screened or not."""
        return self.screened + self.absent


@dataclass(frozen=True, slots=True)
class AnalysedFlow:
    """One arm in one analysis: the cohort less each exclusion, in the order they are applied.

    Attributes
    ----------
    not_screened : NotScreened
        Why children without the outcome were not screened at its wave.
    unscored : int
        Screened, with too few answers for the outcome.
    institutions, institutions_analysed : int
        Drawn to the arm, and with at least one child analysed.
    only_elsewhere : int
        Institutions that are analysed only through children who were rated elsewhere: they handed in no data of their own.
    """

    outcome: str
    wave: str
    arm: str
    institutions: int
    cohort: int
    filtered_out: int
    not_screened: NotScreened
    unscored: int
    missing_baseline: int
    missing_covariate: int
    analysed: int
    institutions_analysed: int
    only_elsewhere: int = 0

    def __post_init__(self) -> None:
        conserve(
            f"cohort of {self.arm} in {self.outcome}",
            self.cohort,
            filtered_out=self.filtered_out,
            **_reasons(self.not_screened),
            unscored=self.unscored,
            missing_baseline=self.missing_baseline,
            missing_covariate=self.missing_covariate,
            analysed=self.analysed,
        )
        lost = self.institutions - self.institutions_analysed
        conserve(
            f"institutions of {self.arm} in {self.outcome}", self.institutions, analysed=self.institutions_analysed, lost=lost
        )
        own = self.institutions_analysed - self.only_elsewhere
        conserve(f"institutions analysed of {self.arm}", self.institutions_analysed, own=own, elsewhere=self.only_elsewhere)

    @property
    def missing_outcome(self) -> int:
        """Children without the outcome, for whatever reason."""
        return self.not_screened.total + self.unscored


@dataclass(frozen=True, slots=True)
class Received:
    """Institutions of an arm that received the intervention by the declared rule, and their children of the cohort."""

    institutions: int
    children: int


@dataclass(frozen=True, slots=True)
class ArmFlow:
    """One arm: ``listed = cohort + not_eligible + joined_later`` children.

    `joined_later` were first seen after the wave that defines the cohort, whatever their age; `not_eligible` were there by
    then, outside the declared age range. `received` is None where study.yaml declares no rule for it.
    """

    arm: str
    institutions: int
    listed: int
    cohort: int
    not_eligible: int
    joined_later: int
    waves: tuple[WaveFlow, ...]
    received: Received | None = None

    def __post_init__(self) -> None:
        conserve(
            f"children of {self.arm}",
            self.listed,
            cohort=self.cohort,
            not_eligible=self.not_eligible,
            joined_later=self.joined_later,
        )
        for wave in self.waves:
            conserve(f"institutions of {self.arm}", self.institutions, **{f"at {wave.wave}": wave.institutions})
            conserve(f"cohort of {self.arm}", self.cohort, **{f"at {wave.wave}": wave.cohort})
        if (got := self.received) is not None:
            without = self.institutions - got.institutions
            conserve(f"institutions of {self.arm}", self.institutions, received=got.institutions, did_not_receive=without)
            without = self.cohort - got.children
            conserve(f"cohort of {self.arm}", self.cohort, received=got.children, did_not_receive=without)


@dataclass(frozen=True, slots=True)
class FlowCounts:
    """The whole flow: ``institutions = not_drawn + drawn``, and the drawn are the sum over arms.

    `institutions` were assessed: they stand in the list of institutions. `children_not_drawn` are listed in institutions that
    were not drawn, and belong to no arm. `left_out` are those of the institutions not drawn that had closed by the draw.
    """

    institutions: int
    not_drawn: int
    arms: tuple[ArmFlow, ...]
    children_not_drawn: int = 0
    left_out: tuple[LeftOut, ...] = ()

    def __post_init__(self) -> None:
        others = self.not_drawn - len(self.left_out)
        conserve("institutions not drawn", self.not_drawn, closed=len(self.left_out), others=others)
        conserve("institutions", self.institutions, not_drawn=self.not_drawn, **{a.arm: a.institutions for a in self.arms})


def conserve(whole: str, total: int, **parts: int) -> None:
    """Refuse a box that is not the sum of its exits.

    Parameters
    ----------
    whole : str
        The box, as the refusal names it.
    total : int
    **parts : int
        Its exits.

    Raises
    ------
    Refusal
        FLO-001, with the box and both sums.

    Examples
    --------
    >>> conserve("children at w1", 5, screened=3, not_screened=2)
    """
    if sum(parts.values()) != total or min(parts.values(), default=0) < 0:
        named = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in parts.items())
        NOT_CONSERVED.refuse(whole=whole, total=total, summed=sum(parts.values()), parts=named)


def _reasons(why: NotScreened) -> dict[str, int]:
    return {
        "institution_closed": why.institution_closed,
        "institution_silent": why.institution_silent,
        "unanswered": why.unanswered,
        "unlisted": why.unlisted,
    }
