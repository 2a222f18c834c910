"""What a coding frame must satisfy beyond its shape. Each check returns its faults with the keys that lead to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

from asp_eval.core.documents import Misfit
from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.core.strict_yaml import Keys
from asp_eval.trial.process.parts import ANY, Code, Guide, LevelSet, Theme, TypeRule, as_levels

TWO_MEANINGS = Fault("FRM-001", "the key has two meanings: it stands twice as a {kind}", "Give each its own, or remove one.")
NOT_DECLARED = Fault("FRM-002", "the frame declares no {kind} of this name", "Correct the name, or declare it.")
CIRCLE = Fault("FRM-003", "the heading stands below itself", "Let 'parent' lead to a heading at the top.")
RESERVED = Fault("FRM-004", "every coded sheet has a column of this name already", "Give the code another key.")
NO_ANSWER = Fault("FRM-005", "the rule has no line for what the criteria can say", "Add a line, or end with one of 'any'.")
NEVER = Fault("FRM-006", "no case can fall on this line: the lines above it take them all", "Remove it, or move it up.")
WRONG_LINE = Fault("FRM-007", "the line does not have one entry for each criterion", "Write one for each, in their order.")
OTHER_LEVELS = Fault("FRM-008", "the criterion has other levels than the type", "Give both the same 'levels'.")

NO_CONFUSION = Fault(
    "FRM-009",
    "the row does not hold a probability for each type that add up to 1",
    "Write one row for each true type, with how often a coder's word is each type.",
)

WHOLE = 1e-6  # by which probabilities may miss 1
SHEET_COLUMNS = (
    *("institution_id", "round", "frame", "frame_version", "coder_id", "kind", "date", "informant_role", "document"),
    *("decided_why", "print"),
)


def unique_keys(
    themes: Sequence[Theme], codes: Sequence[Code], level_sets: Mapping[str, LevelSet], guides: Sequence[Guide]
) -> Iterator[Misfit]:
    """Find keys that stand for two things, and codes with the name of a column that every coded sheet has."""
    yield from _twice(Phrase("heading"), ((("themes", i, "key"), theme.key) for i, theme in enumerate(themes)))
    yield from _twice(Phrase("code"), ((("codes", i, "key"), code.key) for i, code in enumerate(codes)))
    yield from _twice(Phrase("guide"), ((("guides", i, "id"), guide.id) for i, guide in enumerate(guides)))
    for name, levels in level_sets.items():
        placed = ((("level_sets", name, "levels", j, "key"), level.key) for j, level in enumerate(levels.levels))
        yield from _twice(Phrase("level"), placed)
    for i, guide in enumerate(guides):
        questions = ((("guides", i, "questions", j, "key"), question.key) for j, question in enumerate(guide.questions))
        yield from _twice(Phrase("question"), questions)
    yield from (Misfit(("codes", i, "key"), RESERVED, code.key) for i, code in enumerate(codes) if code.key in SHEET_COLUMNS)


def references(
    themes: Sequence[Theme],
    codes: Sequence[Code],
    level_sets: Mapping[str, LevelSet],
    guides: Sequence[Guide],
    rule: TypeRule | None,
) -> Iterator[Misfit]:
    """Find names of headings, level sets and codes that are declared nowhere."""
    headings, keys = [theme.key for theme in themes], [code.key for code in codes]
    named: list[tuple[Keys, str | None, Sequence[str], Phrase]] = []
    named += [(("themes", i, "parent"), theme.parent, headings, Phrase("heading")) for i, theme in enumerate(themes)]
    named += [(("codes", i, "theme"), code.theme, headings, Phrase("heading")) for i, code in enumerate(codes)]
    named += [(("codes", i, "levels"), code.levels, [*level_sets], Phrase("level set")) for i, code in enumerate(codes)]
    for i, guide in enumerate(guides):
        for j, question in enumerate(guide.questions):
            here: Keys = ("guides", i, "questions", j, "codes")
            named += [((*here, k), code, keys, Phrase("code")) for k, code in enumerate(question.codes)]
    if rule is not None:
        named += [(("type", "code"), rule.code, keys, Phrase("code"))]
        named += [(("type", "criteria", k), each, keys, Phrase("code")) for k, each in enumerate(rule.criteria)]
    for place, name, known, kind in named:
        if name is not None and name not in known:
            yield Misfit(place, NOT_DECLARED, name, ", ".join(known), {"kind": kind})


def circles(themes: Sequence[Theme]) -> Iterator[Misfit]:
    """Find headings that stand below themselves."""
    parents = {theme.key: theme.parent for theme in themes}
    for i, theme in enumerate(themes):
        seen, above = {theme.key}, theme.parent
        while above in parents and above not in seen:
            seen.add(above)
            above = parents[above]
        if above == theme.key:
            yield Misfit(("themes", i, "parent"), CIRCLE, theme.parent)


def decision_table(rule: TypeRule, levels_of: Mapping[str, tuple[str, ...]]) -> Iterator[Misfit]:
    """Find holes in the rule, lines that no case can fall on, and levels that are none.

    Parameters
    ----------
    rule : TypeRule
    levels_of : mapping of str to tuple of str
        What each code can say.
    """
    levels = levels_of[rule.code]
    for k, criterion in enumerate(rule.criteria):
        if levels_of[criterion] != levels:
            yield Misfit(("type", "criteria", k), OTHER_LEVELS, ", ".join(levels_of[criterion]), ", ".join(levels))
    yield from _confusion(rule, levels)
    wrong = [*_wrong_lines(rule, levels)]
    yield from wrong
    if wrong:
        return
    reached: set[int] = set()
    for found in product(levels, repeat=len(rule.criteria)):
        line = next((j for j, cell in enumerate(rule.cells) if cell.fits(found)), None)
        if line is None:
            yield Misfit(("type", "cells"), NO_ANSWER, ", ".join(found))
            return
        reached.add(line)
    yield from (Misfit(("type", "cells", j), NEVER) for j in range(len(rule.cells)) if j not in reached)


def _confusion(rule: TypeRule, levels: Sequence[str]) -> Iterator[Misfit]:
    for name in dict.fromkeys((*levels, *rule.confusion)) if rule.confusion else ():
        row = rule.confusion.get(name, {})
        if name not in levels or set(row) != set(levels) or abs(sum(row.values()) - 1) > WHOLE:
            shown = ", ".join(f"{key}: {value:g}" for key, value in row.items())
            place: Keys = ("type", "confusion", name) if name in rule.confusion else ("type", "confusion")
            yield Misfit(place, NO_CONFUSION, shown or name)


def _wrong_lines(rule: TypeRule, levels: Sequence[str]) -> Iterator[Misfit]:
    for j, cell in enumerate(rule.cells):
        if len(cell.when) != len(rule.criteria):
            yield Misfit(("type", "cells", j, "when"), WRONG_LINE, len(cell.when), len(rule.criteria))
        named = [each for wanted in cell.when for each in as_levels(wanted) if each != ANY]
        for name in [*named, cell.then]:
            if name not in levels:
                yield Misfit(("type", "cells", j), NOT_DECLARED, name, ", ".join(levels), {"kind": Phrase("level")})


def _twice(kind: Phrase, placed: Iterable[tuple[Keys, str]]) -> Iterator[Misfit]:
    seen: set[str] = set()
    for keys, value in placed:
        if value in seen:
            yield Misfit(keys, TWO_MEANINGS, value, None, {"kind": kind})
        seen.add(value)
