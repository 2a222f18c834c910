"""The counts of a cluster trial's flow diagram, as values whose boxes add up.

CONSORT 2010, extension to cluster trials (Campbell et al. 2012, BMJ 345:e5661): institutions and children, per arm.
Every value checks its own sums when it is made, so a flow that does not add up cannot reach a report.
"""

from __future__ import annotations

from dataclasses import dataclass

from asp_eval.core.errors import Fault

NOT_CONSERVED = Fault(
    "FLO-001",
    "the flow does not add up: {whole} ({total}) is not the sum of {parts}",
    "Report this: the tables and the flow disagree, and nothing may be printed until they agree.",
)


@dataclass(frozen=True, slots=True)
class WaveFlow:
    """One arm at one wave: ``cohort = screened + missing`` and ``institutions = with_data + without_data``.

    An institution is with data if any child was screened in it. Of the cohort's children who were screened, `moved`
    were seen in another institution than the one drawn. `joined` joined later, and were screened at this wave.
    """

    wave: str
    institutions: int
    with_data: int
    without_data: int
    cohort: int
    screened: int
    missing: int
    moved: int
    joined: int

    def __post_init__(self) -> None:
        _conserve(f"institutions at {self.wave}", self.institutions, with_data=self.with_data, without_data=self.without_data)
        _conserve(f"children at {self.wave}", self.cohort, screened=self.screened, missing=self.missing)
        _conserve(f"children screened at {self.wave}", self.screened, moved=self.moved, stayed=self.screened - self.moved)


@dataclass(frozen=True, slots=True)
class AnalysedFlow:
    """One arm in one analysis: the cohort less each exclusion, in the order they are applied."""

    outcome: str
    wave: str
    arm: str
    cohort: int
    filtered_out: int
    missing_outcome: int
    missing_baseline: int
    missing_covariate: int
    analysed: int
    institutions_analysed: int

    def __post_init__(self) -> None:
        _conserve(
            f"cohort of {self.arm} in {self.outcome}", self.cohort, filtered_out=self.filtered_out,
            missing_outcome=self.missing_outcome, missing_baseline=self.missing_baseline,
            missing_covariate=self.missing_covariate, analysed=self.analysed,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ArmFlow:
    """One arm: ``listed = cohort + not_eligible + joined_later`` children.

    `joined_later` were first seen after the wave that defines the cohort, whatever their age; `not_eligible` were there by
    then, outside the declared age range.
    """

    arm: str
    institutions: int
    listed: int
    cohort: int
    not_eligible: int
    joined_later: int
    waves: tuple[WaveFlow, ...]

    def __post_init__(self) -> None:
        _conserve(
            f"children of {self.arm}", self.listed,
            cohort=self.cohort, not_eligible=self.not_eligible, joined_later=self.joined_later,
        )  # fmt: skip
        for wave in self.waves:
            _conserve(f"institutions of {self.arm}", self.institutions, **{f"at {wave.wave}": wave.institutions})
            _conserve(f"cohort of {self.arm}", self.cohort, **{f"at {wave.wave}": wave.cohort})


@dataclass(frozen=True, slots=True)
class FlowCounts:
    """The whole flow: ``institutions = drawn + not_drawn``, and the drawn are the sum over arms.

    `children_not_drawn` are listed in institutions that were not drawn, and belong to no arm.
    """

    institutions: int
    not_drawn: int
    arms: tuple[ArmFlow, ...]
    children_not_drawn: int = 0

    def __post_init__(self) -> None:
        _conserve("institutions", self.institutions, not_drawn=self.not_drawn, **{a.arm: a.institutions for a in self.arms})


def _conserve(whole: str, total: int, **parts: int) -> None:
    if sum(parts.values()) != total or min(parts.values()) < 0:
        NOT_CONSERVED.refuse(whole=whole, total=total, parts=", ".join(f"{k} {v}" for k, v in parts.items()))
