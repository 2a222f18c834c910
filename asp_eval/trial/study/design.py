"""What ``study.yaml`` declares, as frozen values. Field names are the file's keys; unknown keys are refused.

Names that must agree (an outcome at a declared wave, a family of declared outcomes) are judged by
`asp_eval.trial.study.references`, so a `Study` that exists is consistent.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator

from asp_eval.core.documents import Document, Misfit, Misfits
from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.core.spelling import twins
from asp_eval.trial.instruments.library import Library, OwnFile, shipped
from asp_eval.trial.process.frame import Frame
from asp_eval.trial.process.library import OwnFrame, among, shipped_frames
from asp_eval.trial.study import references
from asp_eval.trial.study.analysis_plan import AnalysisPlan, AnalysisSetRule
from asp_eval.trial.study.collection import Collect, Collection, ColumnDeclaration, Family, Interviews, ReceivedRule, TableName
from asp_eval.trial.study.keys import Arm, Key, Language, Name, Stratum, Texts
from asp_eval.trial.study.outcome import Estimand, Outcome
from asp_eval.trial.study.power_plan import PowerPlan
from asp_eval.trial.study.privacy import Privacy
from asp_eval.trial.study.randomisation import NOT_DONE, Randomisation
from asp_eval.trial.study.report_plan import GapPlan, Programme, ReportPlan

NO_FOLDER = Fault("STU-001", "this study was not read from a study folder", "Read it with asp_eval.load_study(path).")


class StudyTitle(Document):
    """The study's identifier and titles, and whether its data are synthetic."""

    id: Key
    title: Texts = Field(min_length=1)
    synthetic: bool = False


class Wave(Document):
    """One round of data collection; `from` and `to` are the first and last day."""

    id: Key
    label: Texts
    start: date | None = Field(default=None, alias="from")
    end: date | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start and self.end and self.end < self.start:
            raise ValueError(Phrase("a last day ('to') on or after the first ({day})", day=self.start.isoformat()))
        return self


class AgeRange(Document):
    """Ages in years, from `from` and below `below`."""

    start: float = Field(alias="from", ge=0)
    below: float = Field(gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.below <= self.start:
            raise ValueError(Phrase("'below' greater than 'from' ({low:g})", low=self.start))
        return self


class Eligibility(Document):
    """Which children belong to the trial: their age at a wave."""

    age_years: AgeRange
    at: Key


class Study(Document):
    """Everything ``study.yaml`` declares. Read one with `load_study`."""

    version: Literal[1]
    study: StudyTitle
    languages: tuple[Language, ...] = Field(default=("en",), min_length=1)
    unit: Literal["institution"] = "institution"
    arms: tuple[Arm, ...] = Field(min_length=2)
    arm_labels: dict[Arm, Texts] = Field(default_factory=dict)
    strata: tuple[Stratum, ...] = ()
    randomisation: Randomisation = Randomisation()
    waves: tuple[Wave, ...] = Field(min_length=1)
    eligibility: Eligibility | None = None
    collect: Collect
    received: ReceivedRule | None = None
    columns: dict[TableName, dict[Name, ColumnDeclaration]] = Field(default_factory=dict)
    sets: dict[Key, AnalysisSetRule] = Field(default_factory=lambda: {"itt": AnalysisSetRule()})
    estimand: Estimand = Estimand()
    outcomes: tuple[Outcome, ...] = Field(min_length=1)
    analysis: AnalysisPlan = AnalysisPlan()
    gap: GapPlan | None = None
    privacy: Privacy = Privacy()
    power: PowerPlan = PowerPlan()
    programme: Programme = Programme()
    report: ReportPlan = ReportPlan()

    _folder: Path | None = PrivateAttr(default=None)
    _library: Library | None = PrivateAttr(default=None)
    _own_frames: tuple[OwnFrame, ...] = PrivateAttr(default=())
    _digest: str = PrivateAttr(default="")

    @property
    def folder(self) -> Path:
        """The study folder the study was read from."""
        if self._folder is None:
            NO_FOLDER.refuse()
        return self._folder

    @property
    def digest(self) -> str:
        """SHA-256 of the study.yaml that the study was read from, as it was then; empty if it was not read from one."""
        return self._digest

    def without_folder(self) -> Study:
        """Return the study as declared, knowing no folder, so that it can go where a path of this machine must not."""
        study = type(self).model_validate(self.as_declared())
        study._library, study._own_frames = self._library, self._own_frames
        return study

    def as_declared(self) -> dict[str, Any]:
        """Return what ``study.yaml`` says, under its own keys; a key that was left out stays out."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    @property
    def folder_if_saved(self) -> Path | None:
        """The study folder; None of a study that was not read from one."""
        return self._folder

    @property
    def library(self) -> Library:
        """The questionnaires that the study knows: those that are shipped, and its own."""
        return self._library or shipped()

    @property
    def interviews(self) -> tuple[Interviews, ...]:
        """The interviews; of a study that does not declare them, those of the process evaluation's own frame."""
        return self.collect.interviews or (Interviews(),)

    @property
    def interview_rounds(self) -> tuple[str, ...]:
        """The rounds of all interviews, in their order."""
        return tuple(dict.fromkeys(each for interviews in self.interviews for each in interviews.rounds))

    @property
    def interview_frames(self) -> tuple[Frame, ...]:
        """The coding frames of the interviews.

        Raises
        ------
        Refusal
            As `coding_frame`.
        """
        return tuple(self.coding_frame(each.frame) for each in self.interviews)

    @property
    def own_frames(self) -> tuple[OwnFile, ...]:
        """The files of the coding frames that are the study's own."""
        return tuple(each.file for each in self._own_frames)

    @property
    def own_files(self) -> tuple[OwnFile, ...]:
        """The files of everything that is the study's own: instruments, norms and coding frames."""
        return (*self.library.own_files, *self.own_frames)

    @property
    def known_frames(self) -> tuple[Frame, ...]:
        """The latest version of every coding frame that the study knows, by id."""
        known = self._every_frame
        return tuple(among(known, name) for name in sorted({each.id for each in known}))

    @property
    def _every_frame(self) -> tuple[Frame, ...]:
        return (*shipped_frames(), *(each.frame for each in self._own_frames))

    def coding_frame(self, name: str) -> Frame:
        """Return a coding frame that the study knows, or refuse with FRM-020."""
        return among(self._every_frame, name)

    @property
    def wave_ids(self) -> tuple[str, ...]:
        """Identifiers of the waves, in order."""
        return tuple(wave.id for wave in self.waves)

    def collected_waves(self, table: str) -> tuple[str, ...]:
        """Return the waves at which a table is collected, in the order of the waves; none of a table without waves."""
        collections = self._collections(table)
        return tuple(wave for wave in self.wave_ids if any(wave in each.waves for each in collections))

    def collected_instruments(self, table: str, wave: str | None = None) -> tuple[str | Family, ...]:
        """Return the instruments that a table collects at a wave, or at any; each once, as declared."""
        found = [part for each in self._collections(table) if wave is None or wave in each.waves for part in each.instruments]
        return tuple(part for position, part in enumerate(found) if part not in found[:position])

    def _collections(self, table: str) -> tuple[Collection, ...]:
        return {"screening": self.collect.screening, "staff_survey": self.collect.staff_survey}.get(table, ())

    def wave(self, wave_id: str) -> Wave:
        """Return the wave called `wave_id`."""
        return next(wave for wave in self.waves if wave.id == wave_id)

    def outcome(self, outcome_id: str) -> Outcome:
        """Return the outcome called `outcome_id`."""
        return next(outcome for outcome in self.outcomes if outcome.id == outcome_id)

    @field_validator("unit", mode="before")
    @classmethod
    def _institutions_were_drawn(cls, unit: object) -> object:
        if isinstance(unit, str) and unit != "institution":
            raise ValueError(NOT_DONE["within-institutions"])
        return unit

    @field_validator("arms", "strata", "languages", "waves", "outcomes")
    @classmethod
    def _no_twins(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        again = twins(getattr(value, "id", value) for value in values)
        if again:
            shown = ", ".join(sorted(set(again)))
            raise ValueError(Phrase("every name once, also in other capitals; {names} stands more than once", names=shown))
        return values

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        found = tuple(self.cross_references(self.model_dump(by_alias=True)))
        if found:
            raise Misfits(found)
        return self

    @classmethod
    def cross_references(cls, values: object) -> Iterable[Misfit]:
        """Return the names of the file that do not agree with each other."""
        return references.misfits(values)

    @field_validator("collect")
    @classmethod
    def _something(cls, value: Collect) -> Collect:
        if not value.screening and not value.staff_survey:
            raise ValueError(Phrase("at least one table: screening or staff_survey"))
        return value
