"""The worksheet on which the staff of an institution choose a gap, an aim, and the steps towards it."""

from __future__ import annotations

from asp_eval.reporting.blocks import Column, Question, Row, Section, Table, cell
from asp_eval.reporting.language import Words
from asp_eval.reporting.numbers import Numbers

STEPS = 4


def worksheet(show: Numbers) -> Section:
    """Return the worksheet, on a page of its own."""
    title = show.words("Worksheet for the staff meeting")
    return Section("worksheet", title, (*questions(show.words), steps_table(show)), new_page=True)


def questions(say: Words) -> tuple[Question, ...]:
    """Return what the staff talk about."""
    return (
        Question(say("What surprised us?"), say("What did we expect? What do we know from everyday life?"), 3),
        Question(say("Which gap do we choose?"), say("One is enough. Why this one, and for which children?"), 2),
        Question(say("Our aim"), say("What will be different for the children, and how will we see it?"), 2),
    )


def steps_table(show: Numbers) -> Table:
    """Return the table in which the staff write their partial aims."""
    say = show.words
    columns = (
        Column("", numeric=False),
        Column(say("Partial aim"), numeric=False, width=29),
        Column(say("Strategy: what do we do?"), numeric=False, width=39),
        Column(say("Who?"), numeric=False, width=15),
        Column(say("When?"), numeric=False, width=13),
    )
    rows = (Row((cell(show.integer(i + 1)), *[cell("")] * 4), to_fill_in=True) for i in range(STEPS))
    return Table("steps", say("Partial aims and strategy"), columns, tuple(rows))
