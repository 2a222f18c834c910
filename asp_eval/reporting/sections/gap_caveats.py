"""What the gap of a GAP-profile is, and what it is not."""

from __future__ import annotations

from asp_eval.analysis.gap_results import GapProfile, GapResults
from asp_eval.reporting.blocks import Field, Fields, Section
from asp_eval.reporting.language import as_sentence
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.gap_profile import gap_pairs
from asp_eval.reporting.sections.gap_since import since_fields
from asp_eval.trial.disclosure.limits import USUAL, Limits


def caveats(results: GapResults, profile: GapProfile, show: Numbers) -> Section:
    """Return what the gap is, and what it is not."""
    return Section(
        "about", show.words("What the gap is, and what it is not"), (Fields(caveat_fields(results, profile, show), "run-in"),)
    )


def caveat_fields(results: GapResults, profile: GapProfile, show: Numbers) -> tuple[Field, ...]:
    """Return the same, point by point."""
    say = show.words
    facts = [
        Field(
            say("What it is"),
            say(
                "A tool for reflection: it lays your view of yourselves beside your view of the children. How "
                "the gap is worked out"
                " is this program's own convention, not an established measure.",
            ),
        ),
        Field(
            say("What it is not"),
            say(
                "A mark, a ranking or a measure of quality. A gap may have good reasons, and no gap is no proof of good work.",
            ),
        ),
        Field(
            say("Two scales"),
            say(
                "The two sides come from different questions and cannot be measured with the same yardstick. A gap of 0 does not "
                'mean "equally good"; compare with the grey bar rather than with 0.',
            ),
        ),
        Field(
            say("The same eyes"),
            say(
                "The same staff rate themselves and the children. Strict or mild eyes colour both sides.",
            ),
        ),
        Field(
            say("Few answers"),
            say(
                "The diamond is drawn towards the average of all institutions, the more so the fewer the "
                "answers, so it can differ "
                "from the distance between the two marks. The weight in the text says how much your own answers count.",
            ),
        ),
        *(since_fields(results, gap_pairs(results, profile), show) or (_next_time(show),)),
        Field(
            say("Protection"),
            say(
                "Numbers from fewer than {n} people are not shown, nor numbers from which somebody who answered could work out "
                "too much of what another answered. How many answered is said in bands.",
                n=show.integer(results.limits.minimum_cell),
            )
            + looser_limits(results.limits, show),
        ),
    ]
    if results.covariance_note:
        facts.append(Field(say("Uncertainty"), as_sentence(say.note(results.covariance_note))))
    return tuple(facts)


def looser_limits(limits: Limits, show: Numbers) -> str:
    """Say, behind another sentence, which of a study's limits of disclosure are looser than the usual; empty where none is."""
    say = show.words
    words = {
        "minimum_cell": say(
            "numbers are shown from {n} people (usually {usual})",
            n=show.integer(limits.minimum_cell),
            usual=show.integer(USUAL.minimum_cell),
        ),
        "disclosure.answer_sets": say(
            "at least {n} sets of answers must fit a printed number (usually {usual})",
            n=show.integer(limits.answer_sets),
            usual=show.integer(USUAL.answer_sets),
        ),
        "disclosure.share_of_grid": say(
            "another's answer must be left open over at least {n} of the scale (usually {usual})",
            n=show.percent(limits.share_of_grid),
            usual=show.percent(USUAL.share_of_grid),
        ),
        "disclosure.count_bands": say("how many answered is said more narrowly than usual"),
    }
    loose = "; ".join(words[key] for key in limits.looser)
    return " " + say("This study has set its limits looser than this program's own: {list}.", list=loose) if loose else ""


def _next_time(show: Numbers) -> Field:
    say = show.words
    return Field(
        say("Next time"),
        say(
            "A gap that is unusually large once will often be smaller the next time by itself. Do not take "
            "that for progress, "
            "or the lack of it for failure.",
        ),
    )
