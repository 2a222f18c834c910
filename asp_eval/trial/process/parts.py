"""The parts a coding frame is made of: headings, codes with their levels, the rule for the type, guides."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from asp_eval.core.documents import Document
from asp_eval.trial.instruments.parts import Id, Key, Text

Level = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]  # types of institution are I, II and III
ANY = "any"  # in a cell of the rule: whatever this criterion says


class CodeLevel(Document):
    """One thing a code can say: its key as it is stored, and its name."""

    key: Level
    title: Text


class LevelSet(Document):
    """What codes can say, shared by those that say the same things.

    Attributes
    ----------
    scale : {"nominal", "ordinal"}
        Whether the levels have an order, as written; agreement then counts near misses in part.
    levels : tuple of CodeLevel
    """

    scale: Literal["nominal", "ordinal"]
    levels: tuple[CodeLevel, ...] = Field(min_length=2)


class Theme(Document):
    """A heading of the frame, below another one or none."""

    key: Key
    title: Text
    parent: Key | None = None


class Code(Document):
    """One thing coders judge in an interview.

    Attributes
    ----------
    key : str
        The column of the coded sheet.
    theme : str
        The heading it stands under.
    levels : str
        Key of the level set it takes its values from.
    definition, use_when, not_when, example : dict of str to str
        What it means, when to use it, when not, and an example made for this frame, in each language.
    """

    key: Key
    theme: Key
    levels: Key
    title: Text
    definition: Text
    use_when: Text
    not_when: Text
    example: Text


class Cell(Document):
    """One line of the rule: what the criteria must say, the type that follows, and how sure it is. The first that fits holds."""

    when: tuple[tuple[Level, ...] | Level, ...] = Field(min_length=1)
    then: Level
    confidence: Literal["clear", "likely", "doubtful"]

    def fits(self, found: tuple[str, ...]) -> bool:
        """Whether what the criteria say is what this line asks for."""
        return all(wanted == ANY or one in as_levels(wanted) for wanted, one in zip(self.when, found, strict=True))


class TypeRule(Document):
    """How the type of an institution follows from the criteria: a decision table that has an answer for everything they can say.

    Attributes
    ----------
    code : str
        The code that holds the coders' own word for the type, which goes before the rule and is listed where it differs.
    criteria : tuple of str
        Codes with the same levels as `code`.
    cells : tuple of Cell
    confusion : dict of str to dict, optional
        How often a coder's word is each type, by the true type, where another study has found that out:
        ``{I: {I: 0.8, II: 0.15, III: 0.05}, ...}``. Without it coding errors are worked out from the interviews themselves.
    """

    code: Key
    criteria: tuple[Key, ...] = Field(min_length=1)
    cells: tuple[Cell, ...] = Field(min_length=1)
    confusion: dict[Level, dict[Level, Annotated[float, Field(ge=0, le=1)]]] = Field(default_factory=dict)

    def decide(self, found: tuple[str, ...]) -> Cell:
        """Return the line that what the criteria say falls on; there is one, for a frame with holes is refused."""
        return next(cell for cell in self.cells if cell.fits(found))


class OnStaffAnswers(Document):
    """A proposition as an interaction of scales of a staff questionnaire: the slope of one differs by another.

    Attributes
    ----------
    instrument : str
    scales : tuple of str
        Two scales: the slope of `on` on the first, at low and at high values of the second.
    on : str
        The scale that they go together with.
    """

    instrument: Id
    scales: tuple[Key, Key]
    on: Key


class Proposition(Document):
    """A statement of the study behind the frame, and how staff's answers can speak for or against it."""

    text: Text
    staff: OnStaffAnswers | None = None


class Question(Document):
    """One question of an interview guide, or one thing to look at in an observation, with the codes it feeds."""

    key: Key
    text: Text
    follow_up: Text | None = None
    codes: tuple[Key, ...] = ()


class Guide(Document):
    """An interview guide or an observation form."""

    id: Key
    kind: Literal["interview", "observation"] = "interview"
    title: Text
    opening: Text | None = None
    questions: tuple[Question, ...] = Field(min_length=1)


def as_levels(wanted: tuple[str, ...] | str) -> tuple[str, ...]:
    """Return what one entry of a line asks for as levels: one is a list of it."""
    return (wanted,) if isinstance(wanted, str) else wanted
