"""What an institution is asked about a row of its own, fault by fault.

An institution knows nothing of mappings, arms and schemas, and must not see what other institutions have. So each fault that
it is shown has words of its own here, and a fault that has none is never shown in full: the row is named, and no more.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wrong with a row, and what the institution can do, as messages that `fault_words` translates.

    Attributes
    ----------
    text, remedy : str
        May hold the ``{fields}`` of the fault's details.
    allowed : bool
        Whether what is allowed may be shown: not where it is what another institution's file says.
    """

    text: str
    remedy: str
    allowed: bool = False


_FINE = "If it is right, nothing needs to be done."
FOR_INSTITUTIONS = {
    "SCR-014": Asked(
        "the answer is not one that the question has", "Correct the answer, or leave it empty if there is none.", allowed=True
    ),
    "SCR-042": Asked("the cell should hold {kind}", "Correct the cell, or leave it empty.", allowed=True),
    "SCR-043": Asked("the cell holds something else than it may", "Correct the cell, or leave it empty.", allowed=True),
    "SCR-044": Asked("the value is too low or too high", "Correct the cell, or leave it empty.", allowed=True),
    "SCR-045": Asked("the cell is empty, and must not be", "Fill it in."),
    "SCR-046": Asked(
        "the same id stands more than once, with different answers",
        "Tell us which row is right; or correct the id, if two people have got the same one.",
    ),
    "SCR-047": Asked("there is no such date", "Correct the date."),
    "SCR-051": Asked("the institution has no place in the trial yet", "See whether the institution is the right one."),
    "SCR-053": Asked("{column}: something else was given at {wave}", "See which of the two is right, and tell us."),
    "SCR-054": Asked("the date is outside the round", "See whether the date is right. " + _FINE, allowed=True),
    "SCR-055": Asked(
        "the child is younger or older than the children who take part",
        "See whether the month of birth and the date are right. " + _FINE,
        allowed=True,
    ),
    "SCR-056": Asked("the child was in another institution at {wave}", "See whether the child has moved to you. " + _FINE),
    "SCR-057": Asked("somebody else rated the child at {wave}", "See whether the rater is right. " + _FINE),
    "SCR-058": Asked(
        "the child was not on the list before",
        "Tell us if the child was there before under another id. Otherwise nothing needs to be done.",
    ),
    "SCR-059": Asked("the row has no answers", "Send the answers if there are any. Otherwise nothing needs to be done."),
    "SCR-060": Asked(
        "two forms of one questionnaire are answered",
        "Keep the answers of the form that was used, and empty the cells of the other.",
    ),
    "SCR-064": Asked("the child was born after the day of the rating", "Correct the date or the month of birth.", allowed=True),
    "SCR-065": Asked(
        "the id is not known, but one that is nearly the same is",
        "Write the id as in the earlier rounds. A spreadsheet drops the zeros of 007, unless the column is text.",
    ),
    "SCR-120": Asked("another row with this id was taken in already", "Tell us which of the two is right."),
    "SCR-121": Asked("the row stands twice", "Nothing needs to be done: it is used once."),
    "SCR-184": Asked("a whole date stands here; only the month is kept", "Leave the day out, as in 2019-05."),
}
WITHOUT_WORDS = Asked("the row could not be taken in", "Ask the evaluator about it.")
