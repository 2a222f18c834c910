"""What an instrument file must satisfy beyond its shape. Each check returns its faults with the keys that lead to them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from pydantic import BaseModel

from asp_eval.core.documents import Misfit
from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.core.strict_yaml import Keys
from asp_eval.trial.instruments.parts import Ages, Band, Bands, BandSet, Composite, Item, Licence, Response, Scale

REPEATED = Fault("INS-003", "the {kind} stands twice", "Give each its own, or remove one.")
NO_ITEM = Fault("INS-004", "the scale names an item that is not there", "Correct the name, or add the item under 'items'.")
UNUSED_ITEM = Fault("INS-005", "the item is in no scale", "Add it to a scale, say 'scored: false', or remove it.")
OVERLAP = Fault("INS-006", "the bands overlap", "Let each band begin right after the one before it ends.")
HOLE = Fault("INS-007", "the bands leave scores without a band", "Stretch a band, or add one, so that every score has one.")
WRONG_RANGE = Fault("INS-008", "the range is not what the items and the rule give", "Correct the range, the rule or the codes.")
NO_WORDING = Fault("INS-009", "the wording lacks a declared language", "Add it, or take the language out of 'languages'.")
NO_LICENCE = Fault(
    "INS-010",
    "the file holds the wording of an item, but its licence says that it must not",
    "Take the text out. Copyrighted wording is supplied by the licence holder, never shipped.",
)
NO_REFERENT = Fault("INS-011", "no {kind} has this name", "Correct the name, or declare it.")
WRONG_RULE = Fault("INS-012", "the score cannot be formed like this: {reason}", "Correct the rule or what it is formed from.")
NO_AGES = Fault("INS-015", "no age lies in the range", "Let 'from' be the lower of the two.")
WRONG_BANDS = Fault("INS-013", "the bands cannot be used: {reason}", "Correct the bands.")
SCORED_UNSCORED = Fault("INS-016", "the scale names an item that is 'scored: false'", "Take it out of the scale, or score it.")
WRONG_CONDITION = Fault("INS-017", "the condition cannot be met: {reason}", "Name an earlier item and one of its codes.")
NO_CONDITION_SCORE = Fault(
    "INS-018",
    "what the scale scores if its items are not asked is unclear: {reason}",
    "Give all its items the same 'unless', and the scale an 'if_not_asked' within its range.",
)
TWO_TEXTS = Fault("INS-019", "the item has both a text and two poles", "Keep one of the two.")

UNHOLDABLE = Fault(
    "INS-043",
    "no form can hold this text: {what}",
    "Write it anew; a soft line break from a word processor is one of these. Only longer texts may have lines, parted by "
    "ordinary line breaks.",
)
SHARED_NAME = Fault("INS-044", "every form has a field of this name already", "Give the item another key.")
MAY_HAVE_LINES = {"instruction", "statement", "text", "low", "high", "anchor", "status", "reason", "note"}
FIELD_NAMES = {
    "child_id",
    "respondent_id",
    "institution_id",
    "rater_id",
    "date",
    "wave",
    "sex",
    "birth_month",
    "record_id",
    "instrument",
}


def unique_keys(
    items: Sequence[Item], scales: Sequence[Scale], composites: Sequence[Composite], sets: Mapping[str, Sequence[Response]]
) -> Iterator[Misfit]:
    """Find keys, item numbers and codes that stand twice, also an item or scale listed twice in one score."""
    yield from _twice("item key", ((("items", i, "key"), item.key) for i, item in enumerate(items)))
    yield from _twice("item number", ((("items", i, "number"), item.number) for i, item in enumerate(items)))
    scores = [(("scales", i, "key"), scale.key) for i, scale in enumerate(scales)]
    scores += [(("composites", i, "key"), composite.key) for i, composite in enumerate(composites)]
    yield from _twice("scale key", scores)
    for i, scale in enumerate(scales):
        yield from _twice("item of the scale", ((("scales", i, "items", j), key) for j, key in enumerate(scale.items)))
    for i, composite in enumerate(composites):
        yield from _twice("part of the composite", ((("composites", i, "scales", j), k) for j, k in enumerate(composite.scales)))
    for name, responses in sets.items():
        yield from _twice("code", ((("response_sets", name, j, "code"), r.code) for j, r in enumerate(responses)))


def references(
    items: Sequence[Item], scales: Sequence[Scale], composites: Sequence[Composite], sets: Mapping[str, Sequence[Response]]
) -> Iterator[Misfit]:
    """Find names that point at nothing, and items that no scale names."""
    known, scored = {item.key for item in items}, {key for scale in scales for key in scale.items}
    for i, item in enumerate(items):
        if item.responses not in sets:
            yield Misfit(("items", i, "responses"), NO_REFERENT, item.responses, ", ".join(sets), {"kind": "response set"})
        if item.scored and item.key not in scored:
            yield Misfit(("items", i, "key"), UNUSED_ITEM, item.key)
    unscored = {item.key for item in items if not item.scored}
    for i, scale in enumerate(scales):
        for j, key in enumerate(scale.items):
            if key not in known:
                yield Misfit(("scales", i, "items", j), NO_ITEM, key)
            elif key in unscored:
                yield Misfit(("scales", i, "items", j), SCORED_UNSCORED, key)
    names = [scale.key for scale in scales]
    for i, composite in enumerate(composites):
        for j, key in enumerate(composite.scales):
            if key not in names:
                yield Misfit(("composites", i, "scales", j), NO_REFERENT, key, ", ".join(names), {"kind": "scale"})


def age_range(ages: Ages | None, above: Keys = ()) -> Iterator[Misfit]:
    """Find an age range that holds no age."""
    if ages is not None and ages.from_ >= ages.below:
        yield Misfit((*above, "ages"), NO_AGES, f"from {ages.from_:g} below {ages.below:g}")


def languages(document: BaseModel, declared: Sequence[str]) -> Iterator[Misfit]:
    """Find wordings that lack one of the declared languages."""
    for keys, text in _texts(document, ()):
        if lacking := [language for language in declared if language not in text]:
            yield Misfit(keys, NO_WORDING, ", ".join(text), ", ".join([*text, *lacking]))


def holdable(document: BaseModel) -> Iterator[Misfit]:
    """Find wordings with what a form cannot hold: control characters, ``${``, line breaks where one line is shown."""
    for keys, text in _texts(document, ()):
        lines = keys[0] == "items" or keys[-1] in MAY_HAVE_LINES
        for language, words in text.items():
            if what := _unholdable(words, lines=lines):
                yield Misfit((*keys, language), UNHOLDABLE, repr(words), None, {"what": what})


def _unholdable(words: str, *, lines: bool) -> Phrase | None:
    if "${" in words:
        return Phrase("an XLSForm takes '${{' for the name of a question")
    if "\n" in words and not lines:
        return Phrase("it stands on one line, and has a line break")
    odd = next((each for each in words if each != "\n" and unicodedata.category(each) in {"Cc", "Cs", "Cn", "Zl", "Zp"}), None)
    return None if odd is None else Phrase("it has the invisible character {code}", code=f"U+{ord(odd):04X}")


def shared_names(items: Sequence[Item]) -> Iterator[Misfit]:
    """Find items with the key of a field that every form has: answers under bare keys would be mixed up with it."""
    yield from (Misfit(("items", i, "key"), SHARED_NAME, item.key) for i, item in enumerate(items) if item.key in FIELD_NAMES)


def licensed_text(items: Sequence[Item], licence: Licence) -> Iterator[Misfit]:
    """Find item wording in a file that may not hold any."""
    if licence.item_text == "not-included":
        for i, item in enumerate(items):
            for part in ("text", "poles"):
                if getattr(item, part) is not None:
                    yield Misfit(("items", i, part), NO_LICENCE, item.key)


def questions(items: Sequence[Item]) -> Iterator[Misfit]:
    """Find items that ask in two ways."""
    yield from (Misfit(("items", i, "poles"), TWO_TEXTS, item.key) for i, item in enumerate(items) if item.text and item.poles)


def conditions(items: Sequence[Item], scales: Sequence[Scale], sets: Mapping[str, Sequence[Response]]) -> Iterator[Misfit]:
    """Find conditions that no earlier answer can meet, and scales whose items are asked under different ones."""
    earlier: dict[str, tuple[int, ...]] = {}
    for i, item in enumerate(items):
        if item.unless is not None and item.unless.code not in earlier.get(item.unless.item, ()):
            known = item.unless.item in earlier
            reason = Phrase("the item has no such code") if known else Phrase("no earlier item has this name")
            found = item.unless.code if known else item.unless.item
            yield Misfit(("items", i, "unless"), WRONG_CONDITION, found, None, {"reason": reason})
        earlier[item.key] = tuple(response.code for response in sets[item.responses])
    unless = {item.key: item.unless for item in items}
    for i, scale in enumerate(scales):
        alike = all(unless[key] == unless[scale.items[0]] for key in scale.items)
        score = scale.if_not_asked
        if not alike:
            yield Misfit(
                ("scales", i, "items"), NO_CONDITION_SCORE, None, None, {"reason": Phrase("its items are asked differently")}
            )
        elif (unless[scale.items[0]] is None) != (score is None):
            yield Misfit(
                ("scales", i), NO_CONDITION_SCORE, score, None, {"reason": Phrase("'unless' and 'if_not_asked' go together")}
            )
        elif score is not None and not scale.range.from_ <= score <= scale.range.to:
            here = ("scales", i, "if_not_asked")
            yield Misfit(here, NO_CONDITION_SCORE, score, None, {"reason": Phrase("the score is outside the range")})


def arithmetic(
    items: Sequence[Item], scales: Sequence[Scale], composites: Sequence[Composite], sets: Mapping[str, Sequence[Response]]
) -> Iterator[Misfit]:
    """Find rules that give no sensible score, and ranges that are not what the rules give."""
    for name, responses in sets.items():
        codes = [response.code for response in responses]
        if len(codes) < 2 or codes != sorted(codes):
            reason = {"reason": Phrase("a response set needs two codes or more, in rising order")}
            yield Misfit(("response_sets", name), WRONG_RULE, codes, None, reason)
    ends = {item.key: _ends(sets[item.responses]) for item in items}
    for i, scale in enumerate(scales):
        yield from _scale_arithmetic(("scales", i), scale, [ends[key] for key in scale.items])
    by_key = {scale.key: scale for scale in scales}
    for i, composite in enumerate(composites):
        yield from _composite_arithmetic(("composites", i), composite, [by_key[key] for key in composite.scales])


def bands(declared: Bands, scales: Sequence[Scale], composites: Sequence[Composite]) -> Iterator[Misfit]:
    """Find bands that overlap, leave holes or name what is not there, and a missing default without a reason."""
    yield from _twice("band set", ((("bands", "sets", i, "id"), each.id) for i, each in enumerate(declared.sets)))
    ids = [each.id for each in declared.sets]
    if declared.default is not None and declared.default not in ids:
        yield Misfit(("bands", "default"), NO_REFERENT, declared.default, ", ".join(ids) or None, {"kind": "band set"})
    if declared.default is None and declared.reason is None:
        yield Misfit(("bands",), WRONG_BANDS, None, None, {"reason": "there is neither a default set nor a reason why not"})
    for i, each in enumerate(declared.sets):
        yield from band_set(("bands", "sets", i), each, scales, composites)


def band_set(above: Keys, declared: BandSet, scales: Sequence[Scale], composites: Sequence[Composite]) -> Iterator[Misfit]:
    """Find what is wrong with one band set, which stands below the keys `above`."""
    every: list[Scale | Composite] = [*scales, *composites]
    by_key = {scale.key: scale for scale in every}
    whole = _whole_numbered(scales, composites)
    yield from age_range(declared.ages, above)
    if not declared.scales and not declared.means:
        yield Misfit((*above, "id"), WRONG_BANDS, declared.id, None, {"reason": "the set holds neither bands nor means"})
    for key in declared.means:
        if key not in by_key:
            yield Misfit((*above, "means", key), NO_REFERENT, key, ", ".join(by_key), {"kind": "scale"})
    for key, stretch in declared.scales.items():
        here: Keys = (*above, "scales", key)
        if key not in by_key:
            yield Misfit(here, NO_REFERENT, key, ", ".join(by_key), {"kind": "scale"})
            continue
        if key not in whole:
            yield Misfit(here, WRONG_BANDS, None, None, {"reason": "bands need a score in whole numbers"})
        unnamed = [(j, band.band) for j, band in enumerate(stretch) if band.band not in declared.names]
        for j, name in unnamed:
            yield Misfit((*here, j, "band"), NO_REFERENT, name, ", ".join(declared.names), {"kind": "band"})
        yield from _stretch(here, stretch, by_key[key])


def _stretch(here: Keys, stretch: Sequence[Band], scale: Scale | Composite) -> Iterator[Misfit]:
    """Follow the bands of one scale from the lowest score to the highest."""
    placed = sorted(enumerate(stretch), key=lambda pair: (pair[1].from_, pair[1].to))
    yield from _twice("band", (((*here, j, "band"), band.band) for j, band in enumerate(stretch)))
    lowest, highest = int(scale.range.from_), int(scale.range.to)
    if not placed or placed[0][1].from_ != lowest or placed[-1][1].to != highest:
        found = f"{placed[0][1].from_} to {placed[-1][1].to}" if placed else "no band"
        yield Misfit(here, HOLE, found, f"{lowest} to {highest}")
    for (_, lower), (j, upper) in pairwise(placed):
        if upper.from_ != lower.to + 1:
            fault = OVERLAP if upper.from_ <= lower.to else HOLE
            yield Misfit((*here, j, "from"), fault, upper.from_, lower.to + 1)
    for j, band in enumerate(stretch):
        if band.from_ > band.to:
            yield Misfit((*here, j), HOLE, f"{band.from_} to {band.to}", "from at most to")
    order = [band.from_ for band in stretch]
    if scale.better == "neither":
        yield Misfit(here, WRONG_BANDS, None, None, {"reason": "no end of the scale is the better one"})
    elif order != sorted(order, reverse=scale.better == "higher"):
        yield Misfit(here, WRONG_BANDS, order, None, {"reason": "they do not run from the best scores to the worst"})


def _scale_arithmetic(here: Keys, scale: Scale, ends: Sequence[tuple[int, int]]) -> Iterator[Misfit]:
    n, rule = len(scale.items), scale.rule
    if rule.minimum_answered > n:
        reason = {"reason": f"it has {n} items and asks for more answers"}
        yield Misfit((*here, "rule", "minimum_answered"), WRONG_RULE, rule.minimum_answered, f"at most {n}", reason)
    if rule.method == "sum" and rule.minimum_answered < n:
        reason = {"reason": "a sum over fewer answers is too low; 'mean-times-n' prorates"}
        yield Misfit((*here, "rule", "minimum_answered"), WRONG_RULE, rule.minimum_answered, n, reason)
    if len(set(ends)) > 1:
        reason = {"reason": "its items have response sets of different range"}
        yield Misfit((*here, "items"), WRONG_RULE, sorted(set(ends)), None, reason)
        return
    low, high = ends[0]
    expected = {"pomp": (0, 100), "mean": (low, high)}.get(rule.method, (n * low, n * high))
    yield from _range_fault(here, scale, expected)


def _composite_arithmetic(here: Keys, composite: Composite, parts: Sequence[Scale]) -> Iterator[Misfit]:
    if {part.better for part in parts} != {composite.better}:
        directions = ", ".join(f"{part.key} {part.better}" for part in parts)
        reason = {"reason": "its scales do not all point the way it says"}
        yield Misfit((*here, "better"), WRONG_RULE, directions, composite.better, reason)
    ends = [(part.range.from_, part.range.to) for part in parts]
    if composite.method == "mean" and len(set(ends)) > 1:
        reason = {"reason": "a mean of scales with different ranges means nothing"}
        yield Misfit((*here, "scales"), WRONG_RULE, sorted(set(ends)), None, reason)
        return
    total = (sum(low for low, _ in ends), sum(high for _, high in ends))
    yield from _range_fault(here, composite, total if composite.method == "sum" else ends[0])


def _range_fault(here: Keys, scale: Scale | Composite, expected: tuple[float, float]) -> Iterator[Misfit]:
    stated = (scale.range.from_, scale.range.to)
    if stated != expected:
        yield Misfit((*here, "range"), WRONG_RANGE, f"{stated[0]:g} to {stated[1]:g}", f"{expected[0]:g} to {expected[1]:g}")


def _whole_numbered(scales: Sequence[Scale], composites: Sequence[Composite]) -> set[str]:
    """Keys of the scores that are always whole numbers."""
    whole = {scale.key for scale in scales if scale.rule.rounding == "half-up" or scale.rule.method == "sum"}
    return whole | {c.key for c in composites if c.method == "sum" and whole.issuperset(c.scales)}


def _ends(responses: Sequence[Response]) -> tuple[int, int]:
    return min(r.counts for r in responses), max(r.counts for r in responses)


def _twice(kind: str, placed: Iterable[tuple[Keys, object]]) -> Iterator[Misfit]:
    seen: set[object] = set()
    for keys, value in placed:
        if value in seen:
            yield Misfit(keys, REPEATED, value, None, {"kind": kind})
        seen.add(value)


def texts_like(text: str, value: object, keys: Keys) -> Iterator[Keys]:
    """Yield where in plain values a text stands, as a value or as a key."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from [(*keys, str(name))] if name == text else texts_like(text, each, (*keys, name))
    elif isinstance(value, list):
        for position, each in enumerate(value):
            yield from texts_like(text, each, (*keys, position))
    elif value == text:
        yield keys


def _texts(value: object, keys: Keys) -> Iterator[tuple[Keys, Mapping[str, str]]]:
    """Every wording in a document: the dictionaries from language to words."""
    if isinstance(value, BaseModel):
        for name, each in value:
            yield from _texts(each, (*keys, name))
    elif isinstance(value, tuple):
        for position, each in enumerate(value):
            yield from _texts(each, (*keys, position))
    elif isinstance(value, dict):
        if value and all(isinstance(each, str) for each in value.values()):
            yield keys, value
        else:
            for name, each in value.items():
                yield from _texts(each, (*keys, name))
