"""The worksheet of a staff meeting as data: what is asked, in which order, in which words.

It stands in ``instruments/worksheets/``. The printed profile, the spreadsheet and the form for the field all ask the questions
that stand there; what is answered becomes rows of the table of goals, under the questions' keys.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

from pydantic import Field

from asp_eval.core.documents import Document, read_document
from asp_eval.core.resources import shipped_folder
from asp_eval.trial.instruments.parts import Id, Key, Language, Text

FOLDER, STAFF_MEETING = "worksheets", "staff-meeting"


class GoalOutcome(Document):
    """One thing that can become of a goal: its key as it is stored, and its name."""

    key: Key
    title: Text


class WorksheetQuestion(Document):
    """One question of a worksheet.

    Attributes
    ----------
    key : str
        The column of the table of goals.
    kind : {"text", "date", "dimension", "outcome"}
        What answers it: words, a day, a dimension of the profile, or what became of the goal.
    once : {"meeting", "aim"}, optional
        What is answered once for a meeting, or once for all goals of an aim; the others for each goal.
    lines : int
        Of space on paper.
    width : int
        Of its column, in parts of a hundred on paper and in letters on a spreadsheet.
    paper : bool
        Whether the printed sheet has it.
    """

    key: Key
    kind: Literal["text", "date", "dimension", "outcome"]
    once: Literal["meeting", "aim"] | None = None
    lines: int = Field(default=1, ge=1)
    width: int = Field(default=20, ge=5)
    paper: bool = True
    text: Text
    hint: Text | None = None


class Worksheet(Document):
    """A worksheet, as its file declares it.

    Attributes
    ----------
    id, version : str, int
    title, goals_title : dict of str to str
        Of the sheet, and of its table of goals.
    lines : int
        For how many goals paper has room.
    labels : dict of str to dict
        What the columns are called that are filled in beforehand: study, institution_id, profile_wave, goal.
    instruction : dict of str to str
        How the spreadsheet is filled in.
    outcomes : tuple of GoalOutcome
        What can become of a goal.
    questions : tuple of WorksheetQuestion
    """

    id: Id
    version: int = Field(ge=1)
    languages: tuple[Language, ...] = Field(min_length=1)
    title: Text
    goals_title: Text
    lines: int = Field(ge=1, le=20)
    labels: dict[Key, Text]
    instruction: Text
    outcomes: tuple[GoalOutcome, ...] = Field(min_length=2)
    questions: tuple[WorksheetQuestion, ...] = Field(min_length=1)

    @property
    def of_meeting(self) -> tuple[WorksheetQuestion, ...]:
        """The questions that are answered once for a meeting."""
        return tuple(each for each in self.questions if each.once == "meeting")

    @property
    def of_goals(self) -> tuple[WorksheetQuestion, ...]:
        """The questions that are answered for each goal, or once for those of an aim."""
        return tuple(each for each in self.questions if each.once != "meeting")

    def outcome_name(self, key: str) -> dict[str, str]:
        """Return what an outcome of a goal is called, by language; nothing of one that is not known."""
        return next(({**each.title} for each in self.outcomes if each.key == key), {})


@cache
def worksheet_of_meetings() -> Worksheet:
    """Return the worksheet of a staff meeting.

    Examples
    --------
    >>> [question.key for question in worksheet_of_meetings().of_meeting]
    ['date', 'surprise']
    """
    return read_document(shipped_folder("instruments") / FOLDER / f"{STAFF_MEETING}.yaml", Worksheet)
