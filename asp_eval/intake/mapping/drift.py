"""What a file calls its columns and answers, and what of that is not the same as at another wave.

A form that is edited between waves may give an answer another code, or a question another wording, and nothing in the cells
shows it. What is compared is the meaning of what is stored: the label behind each of our values, by the file's own labels and
the mapping together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from asp_eval.core.errors import Fault, Place, Problem
from asp_eval.core.phrases import Phrase, all_of
from asp_eval.core.spelling import folded
from asp_eval.intake.files.raw import SPACES
from asp_eval.intake.mapping.applying import MappedTable
from asp_eval.trial.tables.fields import Field
from asp_eval.trial.tables.schema import TableSchema

_EDITED = "See whether the form was edited between the waves, and whether the answers still mean the same. "
RELABELLED = Fault(
    "SCR-170",
    "what is stored as {value} was called {before} at {wave}, and is called {now} here{where}",
    _EDITED + "If they do not, correct 'recode' in the mapping, or do not compare the waves.",
    severity="warning",
)
MOVED = Fault(
    "SCR-171",
    "the answer {label} was stored as {before} at {wave}, and is stored as {now} here{where}",
    "One of the two mappings has it wrong, unless the answers were turned round: correct 'recode', and import that file again.",
    severity="warning",
)
NEW_LABEL = Fault(
    "SCR-172",
    "{value}, called {now}, had no label at {wave}{where}",
    _EDITED + "A new answer makes the others rarer.",
    severity="warning",
)
GONE_LABEL = Fault(
    "SCR-173",
    "{value}, called {before} at {wave}, has no label here{where}",
    _EDITED + "An answer that is gone moves to others.",
    severity="warning",
)
OTHER_TITLE = Fault(
    "SCR-174",
    "the question was {before} at {wave}, and is {now} here",
    _EDITED + "A question that was changed is another one.",
    severity="warning",
)
OTHER_RECODE = Fault(
    "SCR-175",
    "{text} was stored as {before} at {wave}, and is stored as {now} here{where}",
    "The mappings of the two files recode differently. See whether the files are coded differently too, such as 0, 1, 2 and "
    "1, 2, 3; if not, correct the mapping, and import that file again.",
    severity="warning",
)
ONE_WAVE_ONLY = Fault(
    "SCR-176",
    "{items} of {form} are in {there} and not in {not_there}",
    "If they were asked at both waves, see what the missing columns are called in the other file.",
    severity="warning",
)
MOST_NAMED = 5  # items named in one warning


@dataclass(frozen=True, slots=True)
class ColumnMeaning:
    """What one column means, as a file and its mapping say.

    Attributes
    ----------
    title : str
        The question; empty if the file has none.
    stored : mapping of str to str
        ``{text in the file: what is stored}``, of what was met, recoded or declared; "" for what is emptied.
    labels : mapping of str to str
        ``{text in the file: its label}``, as far as the file declares it, or the text is a label itself.
    """

    title: str = ""
    stored: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def called(self) -> dict[str, str]:
        """Return the label of each stored value; of a value with more labels, all of them."""
        found: dict[str, dict[str, str]] = {}
        for text, label in self.labels.items():
            if self.stored.get(text):
                found.setdefault(self.stored[text], {}).setdefault(folded(label), label)
        return {value: " / ".join(labels.values()) for value, labels in found.items()}

    def stored_as(self) -> dict[str, set[str]]:
        """Return the values that each label is stored as."""
        found: dict[str, set[str]] = {}
        for text, label in self.labels.items():
            if self.stored.get(text):
                found.setdefault(folded(label), set()).add(self.stored[text])
        return found


ColumnMeanings = Mapping[str, ColumnMeaning]


def column_meanings(mapped: MappedTable, schema: TableSchema) -> dict[str, ColumnMeaning]:
    """Return what the columns of a file mean: of every column with a title, and of all that have a few values.

    Parameters
    ----------
    mapped : MappedTable
        Under our names, recoded.
    schema : TableSchema
    """
    meanings = {}
    for each in schema.fields:
        if each.name in mapped.columns and each.name not in schema.key:
            found = _meaning(mapped, each) if each.values else ColumnMeaning(mapped.titles.get(each.name, ""))
            if each.form or found.title or found.stored:
                meanings[each.name] = found
    return meanings


def _meaning(mapped: MappedTable, each: Field) -> ColumnMeaning:
    """Texts that are neither allowed nor declared are faults of the file, and not kept."""
    became, declared = mapped.became.get(each.name), mapped.labels.get(each.name, {})
    met = (
        {text: text for cell in mapped.columns[each.name].texts if (text := str(cell).strip(SPACES))}
        if became is None
        else became
    )
    values = {text: value for text, value in met.items() if value in each.values or text in declared or value == ""}
    values |= {text: text for text in declared if text not in values and text not in mapped.user_missing.get(each.name, ())}
    itself = {text: text for text, value in values.items() if value != text and not text.lstrip("-").replace(".", "").isdigit()}
    return ColumnMeaning(
        mapped.titles.get(each.name, ""), values, itself | {text: declared[text] for text in values if text in declared}
    )


def drift(before: ColumnMeanings, now: ColumnMeanings, source: str, wave: str) -> list[Problem]:
    """Return what is not the same in two files, as warnings: once for all items of which it is true.

    Parameters
    ----------
    before : mapping
        What the columns mean at the other wave.
    now : mapping
    source : str
        Name of the file.
    wave : str
        The other wave.
    """
    found: dict[tuple[Fault, tuple[tuple[str, str], ...]], list[str]] = {}
    for name, column in now.items():
        if name in before:
            for fault, details in _compared(before[name], column):
                found.setdefault((fault, tuple(details.items())), []).append(name)
    problems = list(_one_wave_only(before, now, source, wave))
    for (fault, pairs), names in found.items():
        place, where = _placed(names, source)
        problems.append(fault.at(place, wave=wave, where=where, **dict(pairs)))
    return problems


def _compared(before: ColumnMeaning, now: ColumnMeaning) -> Iterator[tuple[Fault, dict[str, str]]]:
    if before.title and now.title and folded(before.title) != folded(now.title):
        yield OTHER_TITLE, {"before": repr(before.title), "now": repr(now.title)}
    moved = set()
    stored = now.stored_as()
    for label, values in before.stored_as().items():
        if label in stored and values != stored[label]:
            moved |= {*values, *stored[label]}
            yield MOVED, {"label": repr(label), "before": _listed(values), "now": _listed(stored[label])}
    yield from _relabelled(before.called(), now.called(), moved)
    for text, value in before.stored.items():
        is_label = text in before.labels and before.labels[text] == text
        if text in now.stored and now.stored[text] != value and not is_label:
            yield OTHER_RECODE, {"text": repr(text), "before": _shown(value), "now": _shown(now.stored[text])}


def _relabelled(before: Mapping[str, str], now: Mapping[str, str], moved: set[str]) -> Iterator[tuple[Fault, dict[str, str]]]:
    """Compare the labels of the values that no answer has moved to or from; none, if one of the files has no labels."""
    if not before or not now:
        return
    for value in sorted((before.keys() | now.keys()) - moved):
        if value not in before:
            yield NEW_LABEL, {"value": value, "now": repr(now[value])}
        elif value not in now:
            yield GONE_LABEL, {"value": value, "before": repr(before[value])}
        elif not {folded(label) for label in before[value].split(" / ")} & {folded(label) for label in now[value].split(" / ")}:
            yield RELABELLED, {"value": value, "before": repr(before[value]), "now": repr(now[value])}


def _one_wave_only(before: ColumnMeanings, now: ColumnMeanings, source: str, wave: str) -> Iterator[Problem]:
    """Items that one of the files has; a whole form of a family may well be used at one wave only."""
    for there, other, names in (
        (before, now, (Phrase("the file of {wave}", wave=wave), Phrase("this one"))),
        (now, before, (Phrase("this file"), Phrase("that of {wave}", wave=wave))),
    ):
        lone: dict[str, list[str]] = {}
        for name in there:
            if "." in name and name not in other:
                lone.setdefault(name.partition(".")[0], []).append(name.partition(".")[2])
        for form, items in lone.items():
            shown = ", ".join(items[:MOST_NAMED]) + (", ..." if len(items) > MOST_NAMED else "")
            yield ONE_WAVE_ONLY.at(
                Place(source, column=form),
                items=Phrase("{n} items ({names})", n=len(items), names=shown),
                form=form,
                there=names[0],
                not_there=names[1],
            )


def _placed(names: Sequence[str], source: str) -> tuple[Place, str]:
    """Return the place of what is true of some columns, and how to name them in the sentence."""
    if len(names) == 1:
        return Place(source, column=names[0]), ""
    forms = {name.partition(".")[0] for name in names}
    shown = ", ".join(name.partition(".")[2] or name for name in names[:MOST_NAMED]) + (
        ", ..." if len(names) > MOST_NAMED else ""
    )
    return Place(source, column=forms.pop() if len(forms) == 1 else None), Phrase(
        ", in {n} columns: {names}", n=len(names), names=shown
    )


def _listed(values: set[str]) -> str:
    return all_of(sorted(values))


def _shown(value: str) -> str:
    return value or Phrase("an empty cell")
