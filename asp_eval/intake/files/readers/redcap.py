"""REDCap: raw and label exports, read with the data dictionary if it lies beside them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.core.phrases import Phrase
from asp_eval.intake.files.columns import shorten, table_of
from asp_eval.intake.files.companions import (
    NO_LABEL,
    OTHER_SURVEY,
    TWICE,
    Row,
    cells_are_labels,
    companion,
    header_of,
    lying_beside,
    named_rows,
    records_of,
    rows_of,
    strangers,
    unlisted,
)
from asp_eval.intake.files.export import Export, Rank
from asp_eval.intake.files.raw import SPACES, RawTable

BAD_CHOICE = Fault("SCR-106", "a choice of the data dictionary is not 'code, label'", "Export the data dictionary again.")
NO_DICTIONARY = Fault(
    "SCR-107",
    "the columns are headed by texts, of which several are the same",
    "Put the project's data dictionary beside the file, or export again as 'CSV (raw data)'.",
)
SAME_LABEL = Fault(
    "SCR-108",
    "{times} columns have this heading, and the data dictionary does not tell which is which",
    "Export again as 'CSV (raw data)'.",
)
UNKNOWN_CODE = Fault(
    "SCR-109",
    "the data dictionary has no such code for this column",
    "If it means missing, say so in the mapping under 'missing'; if not, export data and dictionary again.",
    severity="warning",
)

IN_DICTIONARY = Phrase("the data dictionary of REDCap")
NAME, FORM, KIND, LABEL, CHOICES, IDENTIFIER = COLUMNS = (
    "Variable / Field Name",
    "Form Name",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Identifier?",
)
ADDED = {  # columns that are in no dictionary: by name, and as a label export heads them
    "redcap_event_name": "Event Name",
    "redcap_repeat_instrument": "Repeat Instrument",
    "redcap_repeat_instance": "Repeat Instance",
    "redcap_data_access_group": "Data Access Group",
    "redcap_survey_identifier": "Survey Identifier",
}
INVITED = {"redcap_survey_identifier", "Survey Identifier"}
ROWS = {"redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"}
COMPLETE, TIMESTAMP = "Complete?", "Survey Timestamp"
LISTED = {"radio", "dropdown"}  # kinds whose answers the dictionary lists
STATES = {"0": "Incomplete", "1": "Unverified", "2": "Complete"}
FIXED = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}
CHECKED = {"0": "Unchecked", "1": "Checked"}
_TAG = re.compile(r"<[^<>]*>")
_NUMBER = re.compile(r"-?\d+")
_EXPORT = re.compile(r"(.+)_DATA(?:_LABELS)?_.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Variable:
    """A column that a field of the dictionary gives.

    Attributes
    ----------
    name, heading : str
        How a raw export and a label export head it.
    title : str
    labels : dict
        ``{code: label}``.
    listed : bool
        Whether the dictionary lists the answers, so that they can be checked.
    identifier : bool
    form : str
    """

    name: str
    heading: str
    title: str
    labels: Mapping[str, str]
    listed: bool
    identifier: bool
    form: str


@dataclass(frozen=True, slots=True)
class RedCap:
    """Reads the exports of REDCap; without a dictionary, those with raw headings."""

    name: str = "redcap"
    rank: Rank = Rank.SYSTEM

    def recognises(self, export: Export) -> bool:
        """Return whether the file has the columns that REDCap adds, or its first column opens a dictionary beside it."""
        header = header_of(export)
        if ROWS & set(header) or "dictionary" in export.format.companions or _headed_by_texts(header):
            return bool(header)
        return bool(header) and any(_opens(export, name, header[0]) for name in lying_beside(export, _dictionaries(export)))

    def read(self, export: Export) -> RawTable:
        """Return the rows as they stand, by the names of the fields; labels are not turned into codes."""
        beside = companion(export, "dictionary", _dictionaries(export))
        dialect, rows = records_of(export, self.name)
        header = [cell.strip(SPACES) for cell in next(rows, [])]
        if beside is None:
            if _headed_by_texts(header):
                raise DataProblems([NO_DICTIONARY.at(Place(export.source, row=1))])
            raw = table_of(export, header, rows, dialect)
            return replace(raw, identifiers=_addressed(raw))
        variables = variables_of(beside.source, rows_of(beside))
        names = _names(export.source, header, variables)
        raw = table_of(export, names, rows, dialect, titles={name: variable.title for name, variable in variables.items()})
        return _with_labels(raw, variables)


def variables_of(source: str, rows: Sequence[Row]) -> dict[str, Variable]:
    """Return the columns that a data dictionary gives, in its order, with the state of each form after its fields.

    Raises
    ------
    DataProblems
        SCR-092, SCR-093, SCR-096, SCR-106.
    """
    found: dict[str, Variable] = {}
    problems: list[Problem] = []
    form = ""
    for number, field in named_rows(source, rows, IN_DICTIONARY, COLUMNS):
        place = Place(source, row=number, column=field[NAME])
        if form and field[FORM] != form:
            found[f"{form}_complete"] = _state(form)
        form = field[FORM]
        choices, faults = _choices(field, place)
        problems += faults
        for variable in _variables(field, choices):
            if variable.name in found:
                problems.append(TWICE.at(place, what=IN_DICTIONARY))
            found[variable.name] = variable
    if problems:
        raise DataProblems(shorten(problems))
    return found | {f"{form}_complete": _state(form)}


def _choices(field: Mapping[str, str], place: Place) -> tuple[dict[str, str], list[Problem]]:
    """Return the answers that a field lists: ``1, Never | 2, Often``."""
    if field[KIND] not in LISTED | {"checkbox"}:
        return dict(FIXED.get(field[KIND], {})), []
    parts = [part.partition(",") for part in field[CHOICES].split("|")]
    bad = [BAD_CHOICE.at(place, found=code) for code, comma, _ in parts if not comma or not code.strip()]
    return {code.strip(): _plain(label) for code, _, label in parts}, bad


def _variables(field: Mapping[str, str], choices: Mapping[str, str]) -> Iterator[Variable]:
    """Yield the columns of a field: one for each choice of a checkbox, none for what holds no data, else one."""
    name, title, form = field[NAME], _plain(field[LABEL]), field[FORM]
    personal = field[IDENTIFIER].lower() == "y"
    if field[KIND] == "checkbox":
        for code, label in choices.items():
            column = f"{name}___{re.sub(r'[^a-z0-9_]', '_', code.lower())}"
            yield Variable(column, f"{title} (choice={label})", f"{title} - {label}", CHECKED, False, personal, form)
    elif field[KIND] != "descriptive":
        yield Variable(name, title, title, choices, field[KIND] in LISTED, personal, form)


def _state(form: str) -> Variable:
    return Variable(f"{form}_complete", COMPLETE, f"{form}: complete?", STATES, False, False, form)


def _plain(text: str) -> str:
    """Return a label as exports show it: without markup, on one line."""
    return " ".join(_TAG.sub("", text).split())


def _names(source: str, header: Sequence[str], variables: Mapping[str, Variable]) -> list[str]:
    """Return the names of the columns, from names or from headings; refuse what the dictionary does not settle."""
    by_name = sum(name in variables for name in header)
    if by_name >= sum(_plain(text) in {v.heading for v in variables.values()} for text in header):
        problems = strangers(source, header, lambda name: name in variables or _is_added(name, variables), IN_DICTIONARY)
        names = list(header)
    else:
        names, problems = _names_by_heading(source, header, variables)
    if problems:
        raise DataProblems(shorten(problems))
    return names


def _names_by_heading(source: str, header: Sequence[str], variables: Mapping[str, Variable]) -> tuple[list[str], list[Problem]]:
    """Return the field of each heading; the state of a form is that of the form whose fields stand before it."""
    headed = Counter(variable.heading for variable in variables.values() if variable.heading != COMPLETE)
    known = {variable.heading: variable.name for variable in variables.values() if headed[variable.heading] == 1}
    known |= {text: name for name, text in ADDED.items()}
    names, problems, form = [], [], ""
    for cell in header:
        text = _plain(cell)
        name = f"{form}_complete" if text == COMPLETE and form else known.get(text, cell)
        form = variables[name].form if name in variables else form
        names.append(name)
        if headed[text] > 1:
            problems.append(SAME_LABEL.at(Place(source, row=1, column=cell), times=headed[text]))
        elif text not in {*known, COMPLETE, TIMESTAMP, ""}:
            problems.append(OTHER_SURVEY.at(Place(source, row=1, column=cell), what=IN_DICTIONARY))
    return names, problems


def _is_added(name: str, variables: Mapping[str, Variable]) -> bool:
    """Whether REDCap adds the column without naming it in the dictionary."""
    form = name.removesuffix("_timestamp")
    return name in ADDED or (form != name and f"{form}_complete" in variables)


def _with_labels(raw: RawTable, variables: Mapping[str, Variable]) -> RawTable:
    """Return the table with the labels of its codes; a label export has none, for its cells are the labels."""
    listed = {name: variables[name].labels for name in raw.columns if name in variables and variables[name].listed}
    back = {name: set(labels.values()) for name, labels in listed.items()}
    labels = cells_are_labels(raw, listed, back)
    strange = unlisted(raw, back if labels else listed)
    tolerated = [text for text in strange if not labels and _NUMBER.fullmatch(text.text)]
    if len(tolerated) < len(strange):
        kind = Phrase("label") if labels else Phrase("code")
        raise DataProblems(shorten(t.problem(NO_LABEL, what=IN_DICTIONARY, kind=kind) for t in strange if t not in tolerated))
    notes = [text.problem(UNKNOWN_CODE) for text in tolerated]
    kept = {} if labels else {n: dict(v.labels) for n, v in variables.items() if v.labels and n in raw.columns}
    personal = {name for name, variable in variables.items() if variable.identifier} | _addressed(raw)
    return replace(raw, labels=kept, identifiers=frozenset(personal & raw.columns.keys()), notes=(*raw.notes, *notes))


def _addressed(raw: RawTable) -> frozenset[str]:
    """Return the column of those who were invited, if it holds anyone."""
    return frozenset(name for name in raw.columns if name in INVITED and any(raw.columns[name].texts))


def _headed_by_texts(header: Sequence[str]) -> bool:
    """Whether these are the headings of a label export."""
    return header.count(COMPLETE) > 1 or (COMPLETE in header and bool(set(ADDED.values()) & set(header)))


def _dictionaries(export: Export) -> str:
    """Return the pattern of a dictionary's name; that of an export named by REDCap begins with the same project."""
    project = _EXPORT.fullmatch(export.source)
    begins = re.escape(project[1]) + "[ _-]" if project else "(.*[ _-])?"
    return begins + r"data[ _-]?dictionary.*\.csv"


def _opens(export: Export, name: str, first: str) -> bool:
    """Whether a file is a dictionary whose first field is the first column, or one that REDCap named after the export."""
    rows = Export(export.path.with_name(name))
    if NAME not in header_of(rows):
        return False
    return _EXPORT.fullmatch(export.source) is not None or first in _first_field(rows)


def _first_field(dictionary: Export) -> set[str]:
    """Return the name and the label of the field that a dictionary begins with."""
    try:
        _, field = named_rows(dictionary.source, rows_of(dictionary)[:2], IN_DICTIONARY, (NAME, LABEL))[0]
    except (DataProblems, IndexError):
        return set()
    return {field[NAME], _plain(field[LABEL])}


READER = RedCap()
