"""Planning values in ``study.yaml`` for a sample size."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from asp_eval.core.documents import Document


class WaveCorrelation(Document):
    """How the outcome at its baseline and at the end correlate: between institutions, and between children of one."""

    institution: float = Field(ge=-1, le=1)
    child: float = Field(ge=-1, le=1)


class Lost(Document):
    """Shares that are expected to be lost between the draw and the end."""

    institutions: float = Field(default=0.0, ge=0, lt=1)
    children: float = Field(default=0.0, ge=0, lt=1)


class PowerPlan(Document):
    """Planning values for ``asp-eval power``; what the command line gives, or the imported tables tell, goes before."""

    institutions: int | None = Field(default=None, ge=4)
    children: float | None = Field(default=None, ge=1)
    cv: float = Field(default=0.0, ge=0)
    strata: int | None = Field(default=None, ge=1)
    icc: tuple[Annotated[float, Field(ge=0, lt=1)], ...] = ()
    effect: tuple[Annotated[float, Field(gt=0)], ...] = ()
    power: float = Field(default=0.8, gt=0.5, lt=1)
    baseline: WaveCorrelation | None = None
    lost: Lost = Lost()
