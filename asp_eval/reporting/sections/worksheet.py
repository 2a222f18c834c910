"""The worksheet on which the staff of an institution choose a gap, an aim, and the steps towards it."""

from __future__ import annotations

from asp_eval.analysis.gap_results import GapProfile, GapResults
from asp_eval.reporting.blocks import Block, Column, Field, Fields, Question, Row, Section, Table, cell
from asp_eval.reporting.language import Words
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.gap_profile import display_name, who_answered
from asp_eval.trial.profiles.worksheet import worksheet_of_meetings

BLANK = "_" * 40  # to be written on


def worksheet(results: GapResults, profile: GapProfile, show: Numbers) -> Section:
    """Return the worksheet, on a page of its own."""
    title = show.words.label(worksheet_of_meetings().title, "")
    blocks: tuple[Block, ...] = (sheet_head(results, profile, show), *questions(show.words), steps_table(show))
    return Section("worksheet", title, blocks, new_page=True)


def sheet_head(results: GapResults, profile: GapProfile, show: Numbers) -> Fields:
    """Return whose sheet it is: institution, study and round, and what is filled in at the meeting."""
    say = show.words
    of = say(
        "{institution} · {study}, {wave}",
        institution=display_name(results, profile, say),
        study=say.label(results.title, results.study_id),
        wave=say.label(results.wave_label, results.wave),
    )
    return Fields(
        (
            Field(say("The profile of"), of),
            Field(say("Answers"), "; ".join(who_answered(profile, show))),
            Field(say("Date and who took part"), BLANK),
        )
    )


def questions(say: Words) -> tuple[Question, ...]:
    """Return what the staff talk about."""
    asked = [each for each in worksheet_of_meetings().questions if each.once is not None and each.kind != "date"]
    return tuple(Question(say.label(q.text, q.key), say.label(q.hint or {}, ""), q.lines) for q in asked)


def steps_table(show: Numbers) -> Table:
    """Return the table in which the staff write their partial aims."""
    say, sheet = show.words, worksheet_of_meetings()
    asked = [each for each in sheet.questions if each.once is None and each.paper]
    columns = (
        Column("", numeric=False),
        *(Column(say.label(each.text, each.key), numeric=False, width=each.width) for each in asked),
    )
    rows = (Row((cell(show.integer(i + 1)), *[cell("")] * len(asked)), to_fill_in=True) for i in range(sheet.lines))
    return Table("steps", say.label(sheet.goals_title, sheet.id), columns, tuple(rows))
