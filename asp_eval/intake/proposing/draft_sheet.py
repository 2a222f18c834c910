"""A proposal as a sheet to fill in: what the draft in YAML says, row by row, what is open coloured."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.intake.mapping.mapping_sheet import (
    ANSWER,
    COLUMN,
    EMPTY,
    LEAVE_OUT,
    NOTE,
    QUESTIONNAIRE,
    SETTING,
    SheetRow,
    sheet_of,
)
from asp_eval.intake.proposing.drafting import sign, state_of
from asp_eval.intake.proposing.proposal import Proposal

THEIRS, OURS = "in the file", "ours"
OPEN = f"Not everything could be found. Fill in the coloured cells, or take their rows out; {LEAVE_OUT} is for columns of no use."


def draft_sheet(proposal: Proposal) -> bytes:
    """Return the workbook: complete, or with coloured cells where a person has to decide."""
    return sheet_of(
        [*_notes(proposal), *_columns(proposal), *_questionnaires(proposal), *_answers(proposal), *_settings(proposal)]
    )


def _notes(proposal: Proposal) -> Iterator[SheetRow]:
    where = f"{proposal.table} at {proposal.wave}" if proposal.wave else proposal.table
    state = state_of(proposal) if proposal.found_everything else (OPEN,)
    for line in (f"How {proposal.source} is read into {where}.", *state):
        yield SheetRow(NOTE, why=line)


def _columns(proposal: Proposal) -> Iterator[SheetRow]:
    for guess in proposal.columns:
        yield SheetRow(COLUMN, theirs=guess.column, ours=guess.ours, why=guess.why)
    for found in proposal.items:
        if found.pattern is None:
            yield from (SheetRow(COLUMN, theirs=theirs, ours=ours, why=found.why) for theirs, ours in found.columns.items())
    for name, why in proposal.wanted:
        if "-" not in name:
            yield SheetRow(COLUMN, ours=name, why=why, open_=THEIRS)
    for guess in proposal.unsure_columns:
        yield SheetRow(COLUMN, theirs=guess.column, why=f"perhaps {guess.ours}: {guess.why}", open_=OURS)
    for name, why in proposal.ignored:
        yield SheetRow(COLUMN, theirs=name, ours=LEAVE_OUT, why=why)
    for name in proposal.left:
        yield SheetRow(COLUMN, theirs=name, why=f"it looks like nothing in the study: {LEAVE_OUT} if it is of no use", open_=OURS)


def _questionnaires(proposal: Proposal) -> Iterator[SheetRow]:
    for found in proposal.items:
        if found.pattern is not None:
            yield SheetRow(QUESTIONNAIRE, theirs=found.pattern, ours=found.form, why=found.why)
    for name, why in proposal.wanted:
        if "-" in name:
            yield SheetRow(QUESTIONNAIRE, ours=name, why=f"{why}; a pattern such as s_{{number}} or t{{key}}", open_=THEIRS)
    for found in proposal.unsure_items:
        yield SheetRow(QUESTIONNAIRE, theirs=sign(found), why=f"perhaps {found.form}: {found.why}", open_=OURS)


def _answers(proposal: Proposal) -> Iterator[SheetRow]:
    for recode in proposal.recodes:
        for text, value in recode.labels.items():
            said = f"; the file says: {recode.notes[text]}" if text in recode.notes else ""
            shown = EMPTY if value == "" else value or ""
            yield SheetRow(
                ANSWER, recode.part, text, shown, recode.why.replace('""', EMPTY) + said, OURS if value is None else None
            )


def _settings(proposal: Proposal) -> Iterator[SheetRow]:
    for setting in proposal.settings:
        of = setting.key if setting.inner is None else f"{setting.key}.{setting.inner}"
        value = "" if setting.value is None else str(setting.value)
        yield SheetRow(SETTING, of, ours=value, why=setting.why, open_=OURS if setting.value is None else None)
    for name, why in proposal.harmless:
        yield SheetRow(SETTING, "not_personal", theirs=name, why=why)
    for name, why in proposal.doubtful:
        yield SheetRow(SETTING, "not_personal", why=f"{name}: {why}; if not, write its name here", open_=THEIRS)
