"""The account of every score: which items entered, which lack an answer, and why a score is missing or is not computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from asp_eval.core.phrases import NO_NOTE, Phrase, notes_in_one
from asp_eval.trial.instruments.computing import Counts, Flags, Floats, Scores, not_asked
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.parts import Scale, Unless

Named = tuple[Counts, Sequence[str]]  # for each row the position of its text, and the texts


def audit_frame(instrument: Instrument, codes: Mapping[str, Floats], scored: Scores, index: pd.Index) -> pd.DataFrame:
    """Return the account of every score, one row per unit and scale.

    Parameters
    ----------
    instrument : Instrument
    codes : mapping of str to ndarray, shape (n,)
        Checked codes by item key.
    scored : Scores
    index : Index of length n

    Returns
    -------
    DataFrame
        See `scoring.score`. Texts are categories, so that a million units stay small.
    """
    there = {key: ~np.isnan(column) for key, column in codes.items()}
    parts = [_scale(instrument, scale, codes, there, scored) for scale in instrument.scales]
    parts += [_composite(composite.scales, scored) for composite in instrument.composites]
    n, k = scored.scores.shape
    return pd.DataFrame(
        {
            "scale": _texts([(np.full(n, 0), [key]) for key in scored.keys]),
            "score": scored.scores.ravel(),
            "n_answered": scored.n_answered.ravel(),
            "prorated": scored.prorated.ravel(),
            "entered": _texts([part[0] for part in parts]),
            "lacking": _texts([part[1] for part in parts]),
            "note": _texts([part[2] for part in parts]),
        },
        index=index.take(np.repeat(np.arange(n), k)),
    )


def _scale(
    instrument: Instrument, scale: Scale, codes: Mapping[str, Floats], there: Mapping[str, Flags], scored: Scores
) -> tuple[Named, Named, Named]:
    """Account for one scale: entered, lacking, note."""
    answered = np.column_stack([there[key] for key in scale.items])
    n_answered = answered.sum(axis=1)
    missing = np.isnan(scored.scores[:, scored.keys.index(scale.key)])
    skipped = not_asked(instrument, scale, codes)
    gate = np.zeros(len(missing), dtype=bool) if skipped is None else skipped
    unless = instrument.item(scale.items[0]).unless
    entered = _named(answered & ~(missing | gate)[:, None], scale.items)
    lacking = _named(~answered & ~gate[:, None], scale.items)
    needed = scale.rule.minimum_answered
    reasons = [
        Phrase("{n} of {all} items answered, {needed} needed", n=n, all=len(scale.items), needed=needed)
        for n in range(len(scale.items))
    ]
    notes = [NO_NOTE, *reasons, *([_skip_note(unless, scale, any_answer) for any_answer in (False, True)] if unless else [])]
    which = np.where(missing, n_answered + 1, 0)
    which = np.where(gate, len(reasons) + 1 + (n_answered > 0), which)
    return entered, lacking, (which.astype(np.int64), notes)


def _composite(parts: Sequence[str], scored: Scores) -> tuple[Named, Named, Named]:
    """Account for one composite: the scales it is made of take the place of items."""
    missing: Flags = np.isnan(scored.scores[:, [scored.keys.index(key) for key in parts]])
    any_missing: Flags = np.any(missing, axis=1, keepdims=True)
    entered = _named(~missing & ~any_missing, parts)
    position, lacking = _named(missing, parts)
    notes = [Phrase("missing: {names}", names=names) if names else NO_NOTE for names in lacking]
    return entered, (position, lacking), (position, notes)


def _skip_note(unless: Unless, scale: Scale, any_answer: bool) -> Phrase:
    skipped = Phrase(
        "not asked, as {item} is {code}: scored {score}", item=unless.item, code=unless.code, score=scale.if_not_asked
    )
    return notes_in_one([skipped, Phrase("its answers do not count")] if any_answer else [skipped])


def _named(flags: NDArray[np.bool_], names: Sequence[str]) -> Named:
    """Join for each row the names that are flagged; every distinct pattern is spelled once."""
    pattern = np.zeros(len(flags), dtype=np.int64)
    for column in flags.T:  # renumbered at each step, so that any number of items fits
        pattern = pd.factorize(2 * pattern + column)[0].astype(np.int64)
    first = np.zeros(int(pattern.max(initial=-1)) + 1, dtype=np.int64)
    first[pattern[::-1]] = np.arange(len(pattern))[::-1]  # the last to be written is the first row that has the pattern
    texts = [", ".join(name for name, flag in zip(names, flags[row], strict=True) if flag) for row in first]
    return pattern, texts


def _texts(columns: Sequence[Named]) -> pd.Categorical:
    """Lay the columns of all scales side by side and read them row by row."""
    categories = list(dict.fromkeys(text for _, texts in columns for text in texts))
    place = {text: position for position, text in enumerate(categories)}
    codes = [np.array([place[text] for text in texts], dtype=np.int32).take(positions) for positions, texts in columns]
    return pd.Categorical.from_codes(np.column_stack(codes).ravel(), categories=pd.Index(categories, dtype="str"))
