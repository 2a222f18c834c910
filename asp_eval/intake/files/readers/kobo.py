"""KoboToolbox: submissions as XLSX or CSV, headed by names or by labels, read with their XLSForm if it lies beside them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.core.phrases import Phrase
from asp_eval.intake.files.columns import shorten, table_of
from asp_eval.intake.files.companions import (
    NO_LABEL,
    OTHER_SURVEY,
    cells_are_labels,
    companion,
    header_of,
    named_rows,
    records_of,
    sheet_rows,
    unlisted,
)
from asp_eval.intake.files.export import Export, Rank
from asp_eval.intake.files.raw import SPACES, RawTable

TWO_QUESTIONS = Fault(
    "SCR-110",
    "the form has more than one question of this name or label",
    "Export again with 'XML values and headers', and with groups in the headers.",
)
NO_LIST = Fault("SCR-111", "the form has no list of choices of this name", "Download the form again; do not edit it.")

IN_FORM = Phrase("the XLSForm")
ADDED = {"_id", "_uuid", "_submission_time"}  # columns every export has
PERSONAL = {"username", "phonenumber", "email", "_submitted_by"}
OTHER = {"other": ("Other",)}
_SYSTEM = re.compile(r"_.*|(meta|formhub)/.*")  # columns that Kobo adds
_BEGINS, _ENDS = re.compile(r"begin[ _](group|repeat)"), re.compile(r"end[ _](group|repeat)")
_SELECT = re.compile(r"select[ _](one|multiple) (\S+?)( or[ _]other)?")

Labels = tuple[str, ...]
"""A label in each language of the form."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the form, or one option of a multiple choice: what one column may hold.

    Attributes
    ----------
    name, path : str
        Without and with its groups; an export with names heads it with either.
    headings : frozenset of str
        Its label without and with its groups, in each language; an export with labels heads it with one of them.
    title : str
        Its label in the form's first language.
    choices : dict
        ``{choice: its labels}``; empty if there are none.
    multiple : bool
        Whether a cell may hold several choices.
    labels : tuple of str
        Its label in each language of the form.
    """

    name: str
    path: str
    headings: frozenset[str]
    title: str
    choices: Mapping[str, Labels] = field(default_factory=dict)
    multiple: bool = False
    labels: Labels = ()


@dataclass(frozen=True, slots=True)
class Kobo:
    """Reads the submissions of KoboToolbox; without the form, with no titles and labels."""

    name: str = "kobo"
    rank: Rank = Rank.SYSTEM

    def recognises(self, export: Export) -> bool:
        """Return whether the columns that Kobo adds are there."""
        header = set(header_of(export))
        return header >= ADDED or (bool(header) and "form" in export.format.companions)

    def read(self, export: Export) -> RawTable:
        """Return the submissions, by the names of the questions; a row of HXL tags under the header is passed over."""
        form = companion(export, "form", r"(.*[ _.-])?(xls)?form\.xlsx")
        dialect, rows = records_of(export, self.name)
        header = [cell.strip(SPACES) for cell in next(rows, [])]
        first = next(rows, [])
        tagged = _are_tags(first)
        rows, start = (rows, 3) if tagged else (chain([first] if first else [], rows), 2)
        questions = questions_of(form) if form else []
        names = _names(export.source, header, questions) if form else header
        asked = {name: found[0] for name, found in _by((q.name, q.path, q) for q in questions).items() if len(found) == 1}
        titles = {name: question.title for name, question in asked.items() if question.title}
        raw = table_of(export, names, rows, dialect, first_row=start, titles=titles)
        personal = {name for name in PERSONAL & raw.columns.keys() if any(raw.columns[name].texts)}
        return replace(_with_labels(raw, asked, headed=names != header), identifiers=frozenset(personal))


def questions_of(form: Export) -> list[Question]:
    """Return the questions of an XLSForm in its order, each followed by the columns of its options.

    Raises
    ------
    DataProblems
        SCR-092 if it is no XLSForm, SCR-111 if a list of choices is not there.
    """
    lists: dict[str, dict[str, Labels]] = defaultdict(dict)
    for _, cells in _sheet(form, "choices", (("list_name", "list name"), ("name", "value"))):
        lists[cells.get("list_name") or cells.get("list name", "")][cells.get("name") or cells.get("value", "")] = _labels(cells)
    found: list[Question] = []
    problems: list[Problem] = []
    groups: list[tuple[str, Labels]] = []
    for number, cells in _sheet(form, "survey", (("type",), ("name",))):
        kind, name, labels = " ".join(cells["type"].split()), cells["name"], _labels(cells)
        if _BEGINS.fullmatch(kind):
            groups.append((name, labels))
        elif _ENDS.fullmatch(kind):
            groups[-1:] = []
        elif name:
            select = _SELECT.fullmatch(kind)
            if select and select[2] not in lists:
                problems.append(NO_LIST.at(Place(form.source, row=number, column=name), found=select[2]))
            choices = lists[select[2]] | (OTHER if select[3] else {}) if select else {}
            found += _asked(name, labels, groups, choices, multiple=bool(select and select[1] == "multiple"))
            found += _asked(f"{name}_other", labels, groups, {}) if select and select[3] else []
    if problems:
        raise DataProblems(shorten(problems))
    return found


def _sheet(form: Export, sheet: str, needed: Sequence[Sequence[str]]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a sheet of the form; of the names in each group one must head a column."""
    rows = sheet_rows(form, sheet)
    header = rows[0][1] if rows else []
    chosen = [next((name for name in names if name in header), names[0]) for names in needed]
    yield from named_rows(form.source, rows, f"{IN_FORM}, sheet '{sheet}'", chosen)


def label_columns(form: Export) -> list[str]:
    """Return the columns of an XLSForm's questions that hold labels, one for each language."""
    rows = sheet_rows(form, "survey")
    return [name for name in (rows[0][1] if rows else []) if _is_label(name)]


def _labels(cells: Mapping[str, str]) -> Labels:
    return tuple(" ".join(text.split()) for name, text in cells.items() if _is_label(name))


def _is_label(column: str) -> bool:
    return column == "label" or column.startswith("label:")


def _asked(
    name: str, labels: Labels, groups: Sequence[tuple[str, Labels]], choices: Mapping[str, Labels], *, multiple: bool = False
) -> Iterator[Question]:
    """Yield a question, and the options of a multiple choice."""
    path = "/".join([*(group for group, _ in groups), name])
    before = [[of[i] for _, of in groups if i < len(of) and of[i]] for i in range(len(labels))]
    headings = [{label, "/".join([*above, label])} for above, label in zip(before, labels, strict=True) if label]
    title = labels[0] if labels else ""
    yield Question(name, path, frozenset().union(*headings), title, choices, multiple, labels)
    for choice, options in choices.items() if multiple else ():
        headed = {f"{text}/{option}" for texts, option in zip(headings, options, strict=False) for text in texts}
        yield Question(f"{name}/{choice}", f"{path}/{choice}", frozenset(headed), " - ".join([title, *options[:1]]))


def _by(keyed: Iterable[tuple[*tuple[str, ...], Question]]) -> dict[str, list[Question]]:
    """Return the different questions of each key."""
    found: dict[str, list[Question]] = defaultdict(list)
    for *keys, question in keyed:
        for key in dict.fromkeys(keys):
            found[str(key)].append(question)
    return found


def _names(source: str, header: Sequence[str], questions: Sequence[Question]) -> list[str]:
    """Return the name of each column; refuse headings that the form does not have, or has twice."""
    by_name = _by((question.name, question.path, question) for question in questions)
    by_heading = _by((*question.headings, question) for question in questions)
    names, problems = [], []
    for cell in header:
        found = by_name.get(cell) or by_heading.get(cell, [])
        place = Place(source, row=1, column=cell)
        if len(found) > 1:
            problems.append(TWO_QUESTIONS.at(place, found=", ".join(question.path for question in found)))
        elif cell and not found and not _SYSTEM.fullmatch(cell):
            problems.append(OTHER_SURVEY.at(place, what=IN_FORM))
        names.append(cell if cell in by_name or not found else found[0].path)
    if problems:
        raise DataProblems(shorten(problems))
    return names


def _with_labels(raw: RawTable, asked: Mapping[str, Question], *, headed: bool) -> RawTable:
    """Return the table with the labels of its choices; where the cells are labels there are none.

    Parameters
    ----------
    raw : RawTable
    asked : mapping
        Questions by the names of columns.
    headed : bool
        Whether labels head the columns: then they are in the cells too.
    """
    offered = {name: asked[name] for name in raw.columns if name in asked and asked[name].choices}
    single = {name: question.choices for name, question in offered.items() if not question.multiple}
    texts = {name: {label for labels in choices.values() for label in labels} for name, choices in single.items()}
    labels = cells_are_labels(raw, single, texts) or headed
    strange = unlisted(raw, texts if labels else single)
    if not labels:  # several labels in one cell are joined by spaces, and cannot be told apart
        strange += unlisted(raw, {n: q.choices for n, q in offered.items() if q.multiple}, str.split)
    if strange:
        kind = Phrase("label") if labels else Phrase("choice")
        raise DataProblems(shorten(text.problem(NO_LABEL, what=IN_FORM, kind=kind) for text in strange))
    known = {name: {c: of[0] for c, of in question.choices.items() if of} for name, question in offered.items()}
    return replace(raw, labels={} if labels else known)


def _are_tags(record: Sequence[str]) -> bool:
    """Whether a row holds HXL tags: every cell begins with #, which no id that Kobo adds does."""
    cells = [cell for cell in record if cell.strip()]
    return bool(cells) and all(cell.startswith("#") for cell in cells)


READER = Kobo()
