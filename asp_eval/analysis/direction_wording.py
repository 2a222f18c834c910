"""How a mix-up of columns or codes is told: its evidence, what it changes, and how it is mended or confirmed."""

from __future__ import annotations

from collections.abc import Sequence

from asp_eval.core.errors import Fault, Place, Problem
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.meta.keys import Array, MixUp
from asp_eval.trial.instruments.definition import Instrument

_CONFIRM = "If the answers mean what they say as they are, say so in the mapping: 'confirmed: [{part}]'."
TURNED = Fault(
    "KEY-001",
    "the answers to {items} go against the rest of {scales}: their correlation with it is {before:.2f}, and "
    "{after:.2f} if the codes are turned round{others}. {scores}",
    "See how the file codes this question. If its codes are turned round, say in the mapping: 'recode: {{{part}: {recode}}}'. "
    + _CONFIRM,
)
BOTH_TURNED = Fault(
    "KEY-002",
    "the answers to {items} go against the rest of {scales}: their correlation with it is {before:.2f}, and "
    "{after:.2f} if the codes of both are turned round{exchanged}{others}. {scores}",
    "See in the file which columns these are, and how they are coded. Correct 'rename' in the mapping, or say there: "
    "'recode: {{COLUMN: {recode}}}' for each. " + _CONFIRM,
)
SWAPPED = Fault(
    "KEY-003",
    "the columns of {items} seem to be exchanged: the correlation of each with the rest of its scale ({scales}) is "
    "{before:.2f}, and {after:.2f} if they are exchanged{others}. {scores}",
    "See in the file which column is which question. If they are exchanged, exchange them in 'rename' in the mapping. "
    + _CONFIRM,
)
SHIFTED = Fault(
    "KEY-004",
    "the columns from {first} to {last} seem to be shifted by one: the correlation of these items with the rest of "
    "their scales is {before:.2f}, and {after:.2f} if each is taken from the column {beside} its own{others}. {scores}",
    "See in the file whether a column is missing there, or is too many, and correct 'rename' or 'rename_items' in the mapping. "
    + _CONFIRM,
)
REVERSED_ALREADY = Fault(
    "KEY-005",
    "the items that the questionnaire turns round ({items}) go against their scales: their correlation with the rest "
    "of these is {before:.2f}, and {after:.2f} if they are turned round once more{others}. {scores}",
    "The file seems to hold them turned round already. Export the answers as they were given; or turn them back in the mapping: "
    "'recode: {{COLUMN: {recode}}}' for each. " + _CONFIRM,
)
AGAINST_WAVES = Fault(
    "KEY-006",
    "{what} are the other way round than {waves}. {scores}",
    "See whether the codes of this file are turned round, and recode them in the mapping; if the other wave has it wrong, import "
    "that file again. " + _CONFIRM,
)
AGAINST_MEANS = Fault(
    "KEY-007",
    "{what} are the other way round than where the questionnaire's means were published. {scores}",
    "See whether the codes of this file are turned round, and recode them in the mapping. " + _CONFIRM,
)
GROUPS_TURNED = Fault(
    "KEY-010",
    "{what} are the other way round than those of everybody else, in the {n} forms of these {kind}: {names}",
    "Ask them whether the form was read upside down. If it was, correct their answers in the file, and import it again.",
    "warning",
)

FAULTS = {
    "turned": TURNED,
    "both_turned": BOTH_TURNED,
    "swapped": SWAPPED,
    "shifted": SHIFTED,
    "reversed_already": REVERSED_ALREADY,
}


def mix_up_problem(
    form: Instrument,
    mix_up: MixUp,
    keys: Sequence[str],
    scales: Sequence[str],
    opposite: bool,
    place: Place,
    others: Array | None,
    scores: Phrase,
) -> Problem:
    """Return a mix-up as a problem.

    Parameters
    ----------
    form : Instrument
    mix_up : MixUp
    keys : sequence of str
        Of the items that `mix_up` counts.
    scales : sequence of str
        Of the items concerned.
    opposite : bool
        Whether the items concerned are keyed in opposite ways.
    place : Place
    others : array, optional
        The corrected item-total correlations of these items at the other waves.
    scores : Phrase
        What it changes in the scores.
    """
    named = [keys[item] for item in mix_up.items]
    codes = form.codes(form.item(named[0]))
    recode = "{" + ", ".join(f"{code}: {codes[0] + codes[-1] - code}" for code in codes) + "}"
    middle = mix_up.items[len(mix_up.items) // 2]  # of what is shifted, the ends come from the other end
    details: dict[str, object] = {
        "items": ", ".join(named),
        "first": named[0],
        "last": named[-1],
        "recode": recode,
        "scales": ", ".join(dict.fromkeys(scales)),
        "scores": scores,
        "before": float(mix_up.before.mean()),
        "after": float(mix_up.after.mean()),
        "beside": Phrase("before") if mix_up.source[middle] < middle else Phrase("after"),
        "exchanged": Phrase(", or their columns are exchanged") if opposite else NO_NOTE,
        "others": NO_NOTE if others is None else Phrase("; at the other waves it is {r:.2f}", r=float(others.mean())),
        "part": ", ".join(f"{form.id}.{key}" for key in named) if len(named) < 3 else form.id,
    }
    return FAULTS[mix_up.kind].at(place, **details)


def earlier_waves(waves: Sequence[str]) -> Phrase:
    """Say which waves a wave is compared with."""
    if len(waves) == 1:
        return Phrase("at {wave}", wave=waves[0])
    return Phrase("at the other waves ({waves})", waves=", ".join(waves))


def concerned(scale: str, before: float, after: float, share: float) -> Phrase:
    """Say what mending changes in the scores of a scale."""
    return Phrase(
        "The mean score of {scale} would be {after:.2f} and not {before:.2f}, and {share:.0%} of its scores others",
        scale=scale,
        before=before,
        after=after,
        share=share,
    )
