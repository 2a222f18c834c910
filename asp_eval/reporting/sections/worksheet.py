"""The worksheet on which the staff of an institution choose a gap, an aim, and the steps towards it."""

from __future__ import annotations

from asp_eval.analysis.profiles import GapProfile, GapResults
from asp_eval.reporting.blocks import Block, Column, Field, Fields, Question, Row, Section, Table, cell
from asp_eval.reporting.language import Words
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.gap_profile import display_name, who_answered

STEPS = 4
BLANK = "_" * 40  # to be written on


def worksheet(results: GapResults, profile: GapProfile, show: Numbers) -> Section:
    """Return the worksheet, on a page of its own."""
    title = show.words("Worksheet for the staff meeting")
    blocks: tuple[Block, ...] = (sheet_head(results, profile, show), *questions(show.words), steps_table(show))
    return Section("worksheet", title, blocks, new_page=True)


def sheet_head(results: GapResults, profile: GapProfile, show: Numbers) -> Fields:
    """Return whose sheet it is: institution, study and round, and what is filled in at the meeting."""
    say = show.words
    of = say(
        "{study}, {wave}", study=say.label(results.title, results.study_id), wave=say.label(results.wave_label, results.wave)
    )
    return Fields(
        (
            Field(display_name(results, profile, say), of),
            Field(say("Answers"), "; ".join(who_answered(profile, show))),
            Field(say("Date and who took part"), BLANK),
        )
    )


def questions(say: Words) -> tuple[Question, ...]:
    """Return what the staff talk about."""
    return (
        Question(say("What surprised us?"), say("What did we expect? What do we know from everyday life?"), 2),
        Question(say("Which gap do we choose?"), say("One is enough. Why this one, and for which children?"), 1),
        Question(say("Our aim"), say("What will be different for the children, and how will we see it?"), 2),
    )


def steps_table(show: Numbers) -> Table:
    """Return the table in which the staff write their partial aims."""
    say = show.words
    columns = (
        Column("", numeric=False),
        Column(say("Partial aim"), numeric=False, width=25),
        Column(say("Strategy: what do we do?"), numeric=False, width=30),
        Column(say("Who?"), numeric=False, width=12),
        Column(say("When?"), numeric=False, width=11),
        Column(say("How did it go?"), numeric=False, width=18),
    )
    rows = (Row((cell(show.integer(i + 1)), *[cell("")] * 5), to_fill_in=True) for i in range(STEPS))
    return Table("steps", say("Partial aims and strategy"), columns, tuple(rows))
