"""Which columns of an export are the items of a questionnaire: by a pattern that fits all their names, or by their titles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from asp_eval.intake.files.raw import TextTable
from asp_eval.intake.mapping.items import named
from asp_eval.intake.recognition.column_matching import MOST_CODES, texts_of
from asp_eval.intake.recognition.synonyms import fold
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.parts import Item

MOST_MISSING = 0.4  # share of the items that may be missing for a pattern to be worth mentioning
INFORMANTS = {
    "teacher": "t sdqt tsdq teacher pædagog lærer",
    "parent": "p sdqp psdq parent forælder forældre mor far mother father",
    "self": "s sdqs ssdq self selv elev",
}
_WORDS = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d{1,3}")
_SLOTS = re.compile(r"\{.*?\}")


@dataclass(frozen=True, slots=True)
class Found:
    """Columns that seem to be the items of an instrument.

    Attributes
    ----------
    form : str
        The instrument.
    columns : mapping of str to str
        ``{export column: our column}``.
    pattern : str, optional
        That makes the names of the export; None where each column needs a line of its own, or none.
    why : str
        What speaks for it; of one that is unsure, what speaks against it.
    missing : tuple of str
        Columns the pattern asks for and the export has not.
    by_name : bool
        Whether it is the items' short names or their wording that shows it, and not numbers alone.
    """

    form: str
    columns: Mapping[str, str]
    pattern: str | None
    why: str
    missing: tuple[str, ...] = ()
    by_name: bool = False


@dataclass(frozen=True, slots=True)
class FoundItems:
    """The instruments found in an export: `sure`, at most one of a form, and what could be."""

    sure: tuple[Found, ...]
    unsure: tuple[Found, ...]


def find_items(raw: TextTable, forms: Sequence[Instrument], wave: str | None, waves: Sequence[str]) -> FoundItems:
    """Return where the items of some instruments are.

    Parameters
    ----------
    raw : TextTable
        As the file has it.
    forms : sequence of Instrument
    wave : str, optional
        The wave the file is for; columns named after another wave are not taken.
    waves : sequence of str
        All waves of the study.
    """
    found = {form.id: _candidates(raw, form, wave, waves) for form in forms}
    named_families = {form.family for form in forms if found[form.id]}
    for form in forms:
        if form.family not in named_families:
            found[form.id] = [each for each in _numbered(raw, form) if not _for_others(each, form, wave, waves)]
    sure: list[Found] = []
    unsure = [] if any(found.values()) else [*_in_sequence(raw, forms)]
    for form in forms:
        whole = [each for each in found[form.id] if not each.missing]
        others = [each for name, those in found.items() if name != form.id for each in those]
        for each in found[form.id]:
            doubt = _doubted(each, whole, others)
            (unsure if doubt else sure).append(replace(each, why=doubt or each.why))
    used = {name for each in sure for name in each.columns}
    return FoundItems(tuple(sure), tuple(each for each in unsure if not used.issuperset(each.columns)))


def _candidates(raw: TextTable, form: Instrument, wave: str | None, waves: Sequence[str]) -> list[Found]:
    """Return what could be the items of a form by their names; those of our own, of this informant and this wave, alone."""
    if all(name in raw.columns for name in form.columns):
        return [Found(form.id, {name: name for name in form.columns}, None, "the names are ours", by_name=True)]
    found = [*_by_key(raw, form), *_by_title(raw, form)]
    found = [each for each in found if not any(each.columns == other.columns for other in found[: found.index(each)])]
    fitting = [each for each in found if not _for_others(each, form, wave, waves)]
    of_wave = [each for each in fitting if wave and each.pattern and fold(wave) in _parts(each.pattern)]
    return of_wave if len(of_wave) == 1 else fitting


def _by_key(raw: TextTable, form: Instrument) -> Iterator[Found]:
    """Yield the patterns of short names that the columns follow, whole ones or else the one that misses least."""
    folded: dict[str, str] = {}
    for name in raw.columns:
        folded.setdefault(name.casefold(), name)
    anchors = sorted(form.item_keys, key=len)[-3:]  # the longest are the least likely to be met by chance
    around = {
        (name[: place.start()], name[place.end() :])
        for name in folded
        for key in anchors
        for place in re.finditer(re.escape(key), name)
        if "{" not in name and "}" not in name
    } | {_flat(form)}
    partial = []
    for before, after in sorted(around):
        keys = {f"{before}{key}{after}": f"{form.id}.{key}" for key in form.item_keys}
        columns = {folded[name]: ours for name, ours in keys.items() if name in folded}
        missing = tuple(name for name in keys if name not in folded)
        if missing and len(missing) > MOST_MISSING * len(keys):
            continue
        found = Found(form.id, columns, _pattern(form, columns, before, after), "the items' short names", missing, by_name=True)
        if missing:
            partial.append(found)
        else:
            yield found
    if partial:
        yield min(partial, key=lambda each: len(each.missing))


def _flat(form: Instrument) -> tuple[str, str]:
    """What stands before a key in systems that allow letters, digits and underscores alone."""
    return re.sub(r"\W", "_", form.id) + "_", ""


def _pattern(form: Instrument, columns: Mapping[str, str], before: str, after: str) -> str | None:
    """Return the pattern with the export's own capitals; None if the columns differ in them."""
    first = next(iter(columns))
    if len(first) < len(before) + len(after):
        return None
    start, end = first[: len(before)], first[len(first) - len(after) :]
    for slot in ("{key}", "{KEY}"):
        names = named(form, f"{start}{slot}{end}")
        if all(names.get(name) == ours for name, ours in columns.items()):
            return f"{start}{slot}{end}"
    return None


def _by_title(raw: TextTable, form: Instrument) -> Iterator[Found]:
    """Yield the columns whose titles are the items' wording, or their names, in one language or another."""
    titles: dict[str, list[str]] = {}
    for name, title in raw.titles.items():
        if name in raw.columns and fold(title):
            titles.setdefault(fold(title), []).append(name)
    columns = {}
    for item in form.items:
        met = {name for wording in _wordings(form, item) for name in titles.get(fold(wording), ())}
        if len(met) == 1:
            columns[met.pop()] = f"{form.id}.{item.key}"
    if len(columns) == len(form.items):
        yield Found(form.id, columns, None, "the questions are those of the questionnaire", by_name=True)


def _wordings(form: Instrument, item: Item) -> list[str]:
    return [f"{form.id}.{item.key}", *(item.text or {}).values()]


def _runs(raw: TextTable) -> dict[tuple[str, str], dict[int, str]]:
    """Return the columns whose names differ in a number alone, by what stands before and after it."""
    runs: dict[tuple[str, str], dict[int, str]] = {}
    for name in raw.columns:
        for place in _NUMBER.finditer(name) if "{" not in name and "}" not in name else ():
            runs.setdefault((name[: place.start()], name[place.end() :]), {})[int(place[0])] = name
    return runs


def _in_sequence(raw: TextTable, forms: Sequence[Instrument]) -> Iterator[Found]:
    """Yield the questionnaires as they would be if one run of numbers went through all of them: nobody can tell."""
    total = sum(len(form.items) for form in forms)
    why = "the numbers fit if the questionnaires follow one another in this order: did they?"
    for (before, after), run in _runs(raw).items():
        if len(forms) > 1 and set(run) == set(range(1, total + 1)):
            start = 0
            for form in forms:
                pattern = f"{before}{{number+{start}}}{after}" if start else f"{before}{{number}}{after}"
                names = {name: ours for name, ours in named(form, pattern).items() if name in raw.columns}
                yield Found(form.id, names, pattern, why)
                start += len(form.items)


def _numbered(raw: TextTable, form: Instrument) -> Iterator[Found]:
    """Yield the runs of columns that are numbered as the items are, no more and no less."""
    wanted = {item.number for item in form.items}
    for (before, after), run in _runs(raw).items():
        if set(run) != wanted:
            continue
        for slot in ("{number}", "{number:02}", "{number:03}"):
            names = named(form, f"{before}{slot}{after}")
            if set(names) == set(run.values()) and all(len(texts_of(raw.columns[name])) <= MOST_CODES for name in names):
                why = f"{len(names)} columns numbered as the items are; check that they stand in the order of the questionnaire"
                yield Found(form.id, names, f"{before}{slot}{after}", why)
                break


def _for_others(found: Found, form: Instrument, wave: str | None, waves: Sequence[str]) -> bool:
    """Whether the names say that the answers are another informant's, or of another wave."""
    parts = _parts(found.pattern or "")
    if parts.intersection(fold(other) for other in waves if other != wave):
        return True
    own = INFORMANTS.get(form.informant)
    if own is None:
        return False
    words = {fold(word) for word in _WORDS.findall(_SLOTS.sub(" ", found.pattern or ""))}
    others = {fold(word) for name, words in INFORMANTS.items() if name != form.informant for word in words.split()}
    others -= {"s"} if "{number" in (found.pattern or "") else set()  # s_1, s_2 are what some systems call any question
    return bool(words & others) and not words & {fold(word) for word in own.split()}


def _parts(pattern: str) -> set[str]:
    return {fold(part) for part in re.split(r"[\W_]+", _SLOTS.sub(" ", pattern)) if part}


def _doubted(found: Found, whole: Sequence[Found], others: Sequence[Found]) -> str | None:
    """Say why columns that look like an instrument's may not be it; None if they are."""
    if found.missing:
        return f"{', '.join(found.missing)} are not in the file"
    if len(whole) > 1:
        return f"{' and '.join(_named(each) for each in whole)} both look like it: which of them is it?"
    rivals = {other.form for other in others if not other.missing and set(other.columns) & set(found.columns)}
    if rivals:
        return f"the same columns could be {' or '.join(sorted({found.form, *rivals}))}: which form was used?"
    return None


def _named(found: Found) -> str:
    return found.pattern or next(iter(found.columns))
