"""What ``study.yaml`` says of the profiles, the programme and the reports."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from asp_eval.core.documents import Document
from asp_eval.trial.study.keys import Key, Texts


class GapPlan(Document):
    """Which pair of instruments makes the GAP-profile, at which wave, and to whom it is given.

    Attributes
    ----------
    arms : tuple of str, optional
        The arms whose institutions are given theirs; all institutions where it is left out.
    release : dict of str to str
        Arms that are given theirs later: once the wave that stands beside the arm has ended.
    follow_up : str, optional
        The wave of a second round, asked with the same two forms; its profiles have those of `wave` beside them.
    discussed : str, optional
        Which events of the implementation log were meetings about the profile: comparisons as of an analysis set, such as
        ``topic == gap``.
    """

    staff: str
    child: str
    wave: Key
    follow_up: Key | None = None
    arms: Annotated[tuple[Key, ...], Field(min_length=1)] | None = None
    release: dict[Key, Key] = Field(default_factory=dict)
    discussed: str | None = None


class Programme(Document):
    """What was to be delivered, and what became of it: the items of TIDieR (Hoffmann and others 2014, BMJ 348:g1687).

    Attributes
    ----------
    name, why : str or dict
        What it is called in short; its reasons and aims.
    materials, procedures : str or dict
        What was handed out, and what was done.
    who, how, where, when_and_how_much : str or dict
        Who delivered it, in what way, in what places, when and in what amount.
    tailoring, modifications : str or dict
        What was meant to be fitted to each institution, and what was changed on the way.
    planned_fidelity, actual_fidelity : str or dict
        How it was to be watched that it was delivered as meant, and how far it was.
    """

    name: Texts | str = ""
    why: Texts | str = ""
    materials: Texts | str = ""
    procedures: Texts | str = ""
    who: Texts | str = ""
    how: Texts | str = ""
    where: Texts | str = ""
    when_and_how_much: Texts | str = ""
    tailoring: Texts | str = ""
    modifications: Texts | str = ""
    planned_fidelity: Texts | str = ""
    actual_fidelity: Texts | str = ""


class ReportPlan(Document):
    """What the reports say of who stands behind the study, and whether they list its institutions."""

    authors: tuple[str, ...] = ()
    contact: str = ""
    registration: str = ""
    protocol: str = ""
    funding: str = ""
    conflicts: str = ""
    data_access: str = ""
    institution_appendix: bool = False  # a list of institutions, under running numbers and coarse

    @property
    def filled(self) -> tuple[str, ...]:
        """The keys that say something."""
        return tuple(name for name, value in self if value and isinstance(value, (str, tuple)))
