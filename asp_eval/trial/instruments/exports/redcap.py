"""An instrument as a REDCap data dictionary: a CSV of the eighteen columns REDCap reads.

REDCap allows small letters, digits and underscores in names, 26 of them, so ``gap-competences-child.play_1`` becomes
``gcc_play_1``; the stored name stands in the last column. The file is for REDCap and not for a spreadsheet: no cell is guarded
against being run as a formula, for a code such as -1 must stay as it is.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO

from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.exports.field_form import FieldForm
from asp_eval.trial.instruments.exports.fields import Field, Run, anchors, question, runs, say, served
from asp_eval.trial.instruments.parts import Item

COLUMNS = (
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
    "Text Validation Type OR Show Slider Number",
    "Text Validation Min",
    "Text Validation Max",
    "Identifier?",
    "Branching Logic (Show field only if...)",
    "Required Field?",
    "Custom Alignment",
    "Question Number (surveys only)",
    "Matrix Group Name",
    "Matrix Ranking?",
    "Field Annotation",
)
NAME, FORM, HEADER, KIND, LABEL, CHOICES = COLUMNS[:6]
VALIDATION, IDENTIFIER, BRANCHING, REQUIRED, NUMBER, MATRIX, ANNOTATION = (COLUMNS[i] for i in (7, 10, 11, 12, 14, 15, 17))
RECORD = {"da": "Nummer i REDCap", "en": "Number in REDCap"}
RECORD_ID, WHICH_FORM = "record_id", "form_by_age"
WHICH = {"da": "Hvor gammelt er barnet?", "en": "How old is the child?"}
LONGEST = 26  # characters of a name
Row = Mapping[str, str]


def redcap(form: FieldForm | Instrument, language: str) -> str:
    """Return the data dictionary of a form, in one language.

    Parameters
    ----------
    form : FieldForm or Instrument
        With its wording: see `wording.worded`. Of the forms of a family, whoever answers says which age the child has.
    language : str

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> print(redcap(instrument("governance-npm-npg"), "en").splitlines()[2][:46])
    respondent_id,governance_npm_npg,,text,"Your c
    """
    form = FieldForm.of(form) if isinstance(form, Instrument) else form
    content = StringIO()
    writer = csv.DictWriter(content, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in _Dictionary(form, language).rows():
        writer.writerow({name: cell.replace("\n", "<br>") for name, cell in row.items()})  # a line break would part the row
    return content.getvalue()


def variable_names(questionnaires: Sequence[Instrument], taken: Sequence[str] = ()) -> dict[str, str]:
    """Return what the items are called in REDCap, by their stored names: each once, and none of those `taken`.

    A name is the instrument's and the item's; where that is too long, the instrument's initials stand for it, and where it is
    still too long or would stand twice, it ends in a number.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> variable_names([instrument("gap-competences-child")])["gap-competences-child.play_1"]
    'gcc_play_1'
    """
    names: dict[str, str] = {}
    used = set(taken)
    for instrument in questionnaires:
        initials = "".join(part[0] for part in instrument.id.split("-") if part)
        for column, key in zip(instrument.columns, instrument.item_keys, strict=True):
            whole = [_plain(f"{start}_{key}") for start in (_form_name(instrument.id), initials)]
            cut = whole[1][: LONGEST - 4].rstrip("_")
            tried = [*whole, *(f"{cut}_{number}" for number in range(2, len(used) + 3))]
            names[column] = next(name for name in tried if len(name) <= LONGEST and name not in used)
            used.add(names[column])
    return names


class _Dictionary:
    """The rows of one form, in one language."""

    def __init__(self, form: FieldForm, language: str) -> None:
        self.form, self.language = form, language
        fixed = (RECORD_ID, WHICH_FORM, *(field.name for field in form.fields))
        self.names = variable_names(form.questionnaires, fixed)
        self.taken = {*fixed, *self.names.values()}

    def rows(self) -> Iterator[Row]:
        base = {FORM: _form_name(self.form.name)}
        yield base | {NAME: RECORD_ID, KIND: "text", LABEL: say(RECORD, self.language)}
        yield from (base | self.field(field) for field in self.form.fields)
        if self.form.by_age:
            yield base | self.which()
        for number, instrument in self.form.numbered():
            logic = f"[{WHICH_FORM}] = '{number}'" if instrument.id in self.form.by_age else ""
            for row in self.part(number, instrument):
                both = " and ".join(filter(None, (logic, row.get(BRANCHING, ""))))
                yield base | {**row, BRANCHING: both}

    def field(self, field: Field) -> dict[str, str]:
        filled = self.form.filled.get(field.name, "")
        return {
            NAME: field.name,
            KIND: "text",
            LABEL: say(field.label, self.language),
            VALIDATION: "date_ymd" if field.is_date else "",
            IDENTIFIER: "y" if field.is_person else "",
            REQUIRED: "y" if field.name.endswith("_id") and field.name != "rater_id" else "",
            ANNOTATION: f"@DEFAULT='{filled}'" if filled else "",
        }

    def which(self) -> dict[str, str]:
        """Return the question which form of a family is asked."""
        ages = [
            f"{number}, {served(instrument, self.language)}"
            for number, instrument in self.form.numbered()
            if instrument.id in self.form.by_age
        ]
        return {NAME: WHICH_FORM, KIND: "radio", LABEL: say(WHICH, self.language), CHOICES: " | ".join(ages), REQUIRED: "y"}

    def part(self, number: int, instrument: Instrument) -> Iterator[dict[str, str]]:
        title = [say(instrument.title, self.language)] if self.form.is_joint else []
        opening = [*title, *([say(instrument.instruction, self.language)] if instrument.instruction else [])]
        for position, run in enumerate(runs(instrument), start=1):
            matrix = self.free(f"m{number}_{position}")
            for place, item in enumerate(run.items):
                row = self.question(instrument, run, item)
                if len(run.items) > 1:
                    row[MATRIX] = matrix
                if place == 0:
                    row[HEADER] = "\n".join([*(opening if position == 1 else []), *anchors(run.responses, self.language)])
                yield row
        statement = say(instrument.licence.statement, self.language)
        yield {NAME: self.free(f"licence_{number}"), KIND: "descriptive", LABEL: statement}

    def question(self, instrument: Instrument, run: Run, item: Item) -> dict[str, str]:
        labels = [(each.code, say(each.label, self.language).replace("|", "/")) for each in run.responses]  # | parts the choices
        unless = item.unless
        return {
            NAME: self.names[f"{instrument.id}.{item.key}"],
            KIND: "radio",
            LABEL: question(item, self.language),
            CHOICES: " | ".join(f"{code}, {label}" for code, label in labels),
            BRANCHING: f"[{self.names[f'{instrument.id}.{unless.item}']}] <> '{unless.code}'" if unless else "",
            NUMBER: str(item.number),
            ANNOTATION: f"{instrument.id}.{item.key}",
        }

    def free(self, name: str) -> str:
        """Return a name that no field has."""
        while name in self.taken:
            name += "x"
        self.taken.add(name)
        return name


def _form_name(name: str) -> str:
    return _plain(name.lower().replace("-", "_"))


def _plain(name: str) -> str:
    return re.sub("_+", "_", name).strip("_")
