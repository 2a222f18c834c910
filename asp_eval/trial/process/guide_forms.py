"""Interview guides and observation forms as an XLSForm, for ODK, KoboToolbox and others that read the standard (xlsform.org).

One form holds all guides of a frame; whoever opens it says first which one it is. What tells whom the interview is about is named
as the table of interviews names it (``institution_id``, ``round``), so that it needs no renaming in a coded sheet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from asp_eval.trial.instruments.exports.fields import CPR_PATTERN
from asp_eval.trial.instruments.exports.xlsform import NOT_A_CPR, Row, labelled, written_form
from asp_eval.trial.instruments.parts import Text
from asp_eval.trial.process.frame import Frame
from asp_eval.trial.process.parts import Guide

GUIDES, ROLES = "guides", "informants"
WHICH: Text = {"da": "Hvilken vejledning?", "en": "Which guide?"}
INFORMANTS: Mapping[str, Text] = {  # as the column informant_role of the table of interviews
    "manager": {"da": "Leder", "en": "Manager"},
    "deputy_manager": {"da": "Souschef", "en": "Deputy manager"},
    "other": {"da": "En anden", "en": "Somebody else"},
}
INSTITUTION: Text = {"da": "Institutionens kode", "en": "The institution's code"}
ROUND: Text = {"da": "Runde (som i study.yaml)", "en": "Round (as in study.yaml)"}
WRITER: Text = {"da": "Kode på den, der skriver", "en": "Code of the one who writes"}
DAY: Text = {"da": "Dato", "en": "Date"}
INFORMANT: Text = {"da": "Hvem taler du med?", "en": "Whom do you talk with?"}


def guides_xlsform(frame: Frame) -> bytes:
    """Return the XLSX file with all guides of a frame, in every language that it has.

    Parameters
    ----------
    frame : Frame
        With at least one guide.

    Examples
    --------
    >>> from asp_eval.trial.process.library import frame
    >>> guides_xlsform(frame("asp-process"))[:2]
    b'PK'
    """
    about = {
        "form_title": frame.title[frame.languages[0]],
        "form_id": f"{frame.id}-guides",
        "version": str(frame.version),
    }
    return written_form(_survey(frame), _choices(frame), about, frame.languages)


def _survey(frame: Frame) -> Iterator[Row]:
    said = frame.languages
    several = len(frame.guides) > 1
    if several:
        yield {"type": f"select_one {GUIDES}", "name": "guide", "required": "yes", **labelled("label", WHICH, said)}
    yield {"type": "text", "name": "institution_id", "required": "yes", **labelled("label", INSTITUTION, said)}
    yield {"type": "text", "name": "round", "required": "yes", **labelled("label", ROUND, said)}
    yield {
        "type": "text",
        "name": "coder_id",
        "constraint": f"not(regex(., '^{CPR_PATTERN}$'))",
        **labelled("label", WRITER, said),
        **labelled("constraint_message", NOT_A_CPR, said),
    }
    yield {"type": "date", "name": "date", "required": "yes", **labelled("label", DAY, said)}
    if any(guide.kind == "interview" for guide in frame.guides):
        yield {"type": f"select_one {ROLES}", "name": "informant_role", **labelled("label", INFORMANT, said)}
    for guide in frame.guides:
        yield from _guide(guide, said, asked=f"${{guide}} = '{guide.id}'" if several else "")


def _guide(guide: Guide, said: Sequence[str], *, asked: str) -> Iterator[Row]:
    yield {"type": "begin_group", "name": guide.id, "relevant": asked, **labelled("label", guide.title, said)}
    if guide.opening is not None:
        yield {"type": "note", "name": f"{guide.id}_opening", **labelled("label", guide.opening, said)}
    for question in guide.questions:
        hint = labelled("hint", question.follow_up, said) if question.follow_up is not None else {}
        name = f"{guide.id}_{question.key}"
        yield {"type": "text", "name": name, "appearance": "multiline", **labelled("label", question.text, said), **hint}
    yield {"type": "end_group", "name": guide.id}


def _choices(frame: Frame) -> Iterator[Row]:
    for guide in frame.guides if len(frame.guides) > 1 else ():
        yield {"list_name": GUIDES, "name": guide.id, **labelled("label", guide.title, frame.languages)}
    for key, title in INFORMANTS.items():
        yield {"list_name": ROLES, "name": key, **labelled("label", title, frame.languages)}
