"""The mapping beside an export: how its columns and labels become ours. It changes names and labels, never data.

The steps stand in a fixed order: rows are filtered on the export's own columns, columns renamed, texts that mean missing
emptied, labels recoded, dates truncated, constants and the row number added, what is to be ignored dropped, and rows of one
unit merged.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from asp_eval.core.documents import Document, Misfit, Misfits, read_document, validated
from asp_eval.core.errors import AspError, DataProblems, Fault
from asp_eval.core.filters import parse_filter
from asp_eval.core.phrases import Phrase, all_of
from asp_eval.intake.files.columns import composed
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.mapping.items import is_pattern, named
from asp_eval.intake.mapping.mapping_sheet import TWO_MAPPINGS, is_sheet, read_sheet
from asp_eval.trial.instruments.library import Library

NO_MAPPING_FILE = Fault(
    "SCR-019",
    "there is no such mapping file",
    "Correct the path after --mapping; or leave --mapping out, then FILE.mapping.yaml beside FILE is used if it is there.",
)
NOT_FILLED_IN = Fault(
    "SCR-185",
    "the mapping is not filled in here yet: {what}",
    "Fill it in as the comment on the line says, or take the line out.",
)

FILL_IN = "FILL IN"  # begins the name of an export column that a draft leaves open


def _as_text(value: Any) -> Any:
    """Take a YAML scalar as the text it stands for; what YAML itself would change (007, 1.50) must be quoted."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(int(value)) if float(value).is_integer() else repr(value)
    if isinstance(value, str):
        return composed(value)
    return value.isoformat() if isinstance(value, date) else value


Text = Annotated[str, BeforeValidator(_as_text)]


class StopAt(Document):
    """From when on a file is refused as a whole, and not row by row.

    Attributes
    ----------
    share_of_rows : float
        The largest share of the rows that may wait in quarantine; 1 lets any share wait.
    """

    share_of_rows: float = Field(default=0.2, gt=0, le=1)


class Unfold(Document):
    """Which columns of a wide file are whose.

    Attributes
    ----------
    wave : dict
        ``{wave: pattern}``: what the columns of a wave are called, with a ``*`` for what is the same at all waves.
    """

    wave: dict[Text, str] = Field(min_length=1)

    @field_validator("wave")
    @classmethod
    def _patterns(cls, patterns: dict[str, str]) -> dict[str, str]:
        for pattern in patterns.values():
            if pattern.count("*") != 1 or pattern == "*":
                raise ValueError(Phrase("a pattern with one * in it, such as '*_pre', in place of {pattern!r}", pattern=pattern))
        if len(set(patterns.values())) < len(patterns):
            raise ValueError(Phrase("a pattern of its own for each wave"))
        return {wave: composed(pattern) for wave, pattern in patterns.items()}


class Mapping(Document):
    """A mapping file.

    Attributes
    ----------
    version : 1
    format : FileFormat
        How the file was written, where that cannot be detected.
    unfold : Unfold, optional
        Of a wide file, which columns are those of which wave (`unfolding.unfolded`).
    keep_rows : str, optional
        A filter on the export's own columns; the rows it leaves out are counted in the ledger.
    rename : dict
        ``{export column: our column}``.
    rename_items : dict
        ``{instrument: pattern}``: how the export names the instrument's items, such as ``"s_{number}"`` (`items.named`).
    missing : list of str
        Texts that mean missing, in any column.
    user_missing : "empty", optional
        What becomes of the cells that the file itself declares missing; without it they are refused unless they are recoded.
    recode : dict
        ``{our column: {label: value}}``. Labels that are not named stay as they are. An instrument or a family in the place of
        a column stands for all its items that have no entry of their own.
    truncate : dict
        ``{our column: "month"}``: dates of which the day is dropped.
    row_number_as : str, optional
        Our column that is made from the row number of the spreadsheet, for exports without ids.
    constants : dict
        ``{our column: value}`` for every row; null for a column that was not collected.
    ignore : list of str, or "others"
        Columns to leave out, by their names after renaming; ``others`` are all that the table does not have.
    one_row_per : str, optional
        Our column: rows that agree in every kept column become one.
    keep, by : "first" or "last", and str, optional
        Of rows with one key, the one to keep, by a column of the export that tells their order, such as the moment of submission.
    not_personal : list of str
        The export's own columns that look as if they identified a person, and do not.
    not_missing : list of str
        Texts such as ``NA`` that programs write for an empty cell, and that are ids in this file.
    confirmed : list of str
        Our columns, or instruments, of which the file or its answers seem to say otherwise than the mapping, and it is right.
    stop_at : StopAt
        From when on a file is refused as a whole.
    """

    version: Literal[1]
    format: FileFormat = FileFormat()
    unfold: Unfold | None = None
    keep_rows: str | None = None
    rename: dict[Text, str] = Field(default_factory=dict)
    rename_items: dict[str, str] = Field(default_factory=dict)
    missing: tuple[Text, ...] = ()
    user_missing: Literal["empty"] | None = None
    recode: dict[str, dict[Text, Text]] = Field(default_factory=dict)
    truncate: dict[str, Literal["month"]] = Field(default_factory=dict)
    row_number_as: str | None = None
    constants: dict[str, Text | None] = Field(default_factory=dict)
    ignore: tuple[Text, ...] | Literal["others"] = ()
    one_row_per: str | None = None
    keep: Literal["first", "last"] | None = None
    by: Text | None = None
    not_personal: tuple[Text, ...] = ()
    not_missing: tuple[Text, ...] = ()
    confirmed: tuple[Text, ...] = ()
    stop_at: StopAt = StopAt()

    @model_validator(mode="before")
    @classmethod
    def _without_empty_parts(cls, parts: Any) -> Any:
        """Leave out the parts under which nothing stands, such as an 'ignore:' of which every line is a comment."""
        if not isinstance(parts, dict):
            return parts
        return {name: part for name, part in parts.items() if part is not None or name not in cls.model_fields}

    @field_validator("keep_rows")
    @classmethod
    def _readable(cls, text: str | None) -> str | None:
        try:
            parse_filter(text)
        except AspError:
            raise ValueError(Phrase('comparisons such as: attrit == 0 and municipality != "Aarhus"')) from None
        return None if text is None else composed(text)

    @field_validator("rename", "rename_items", mode="before")
    @classmethod
    def _columns_filled_in(cls, parts: Any, info: ValidationInfo) -> Any:
        open_ = [str(name) for name in parts if str(name).startswith(FILL_IN)] if isinstance(parts, dict) else []
        what = (
            Phrase("which column of the file this is")
            if info.field_name == "rename"
            else Phrase("how the file names this questionnaire's items")
        )
        if open_:
            raise Misfits(Misfit((name,), NOT_FILLED_IN, details={"what": what}) for name in open_)
        return parts

    @field_validator("recode", mode="before")
    @classmethod
    def _labels_filled_in(cls, parts: Any) -> Any:
        columns = parts.items() if isinstance(parts, dict) else ()
        open_ = [
            (str(column), str(label))
            for column, labels in columns
            if isinstance(labels, dict)
            for label, value in labels.items()
            if value is None
        ]
        if open_:
            raise Misfits(
                Misfit(keys, NOT_FILLED_IN, details={"what": Phrase("what becomes of {label!r}", label=keys[1])})
                for keys in open_
            )
        return {column: labels for column, labels in columns if labels is not None} if isinstance(parts, dict) else parts

    @field_validator("rename_items")
    @classmethod
    def _patterns(cls, patterns: dict[str, str]) -> dict[str, str]:
        for pattern in patterns.values():
            if not is_pattern(pattern):
                said = Phrase(
                    "a pattern with {{number}} or {{key}} in it, such as 's_{{number}}', in place of {pattern!r}",
                    pattern=pattern,
                )
                raise ValueError(said)
        return patterns

    @model_validator(mode="after")
    def _each_column_once(self) -> Self:
        made = [*self.rename.values(), *self.constants, *([self.row_number_as] if self.row_number_as else [])]
        twins = sorted({name for name in made if made.count(name) > 1})
        if twins:
            raise ValueError(Phrase("every column made once; {names} is made more than once", names=", ".join(twins)))
        return self

    @model_validator(mode="after")
    def _kept_by_a_column(self) -> Self:
        if (self.keep is None) != (self.by is None):
            raise ValueError(Phrase("'keep' and 'by' together: which row is kept, and the column that tells their order"))
        return self

    def renames(self, library: Library) -> dict[str, str]:
        """Return every column that is renamed, ``{export column: our column}``, with those of the patterns.

        Parameters
        ----------
        library : Library
            The questionnaires that the study knows.

        Raises
        ------
        Refusal
            INS-001 if 'rename_items' names an instrument that does not exist.
        """
        patterns = self.rename_items.items()
        items = {name: ours for id_, pattern in patterns for name, ours in named(library.instrument(id_), pattern).items()}
        return {name: ours for name, ours in items.items() if ours not in self.rename.values()} | self.rename

    def confirms(self, column: str) -> bool:
        """Return whether somebody has looked at what a column of ours, or its instrument, is said to mean.

        Parameters
        ----------
        column : str
        """
        return column in self.confirmed or column.partition(".")[0] in self.confirmed

    @property
    def on_one_line(self) -> str:
        """The mapping as JSON, for the ledger; empty if it changes nothing."""
        return "" if self == NO_MAPPING else self.model_dump_json(exclude_defaults=True)

    @property
    def digest(self) -> str:
        """SHA-256 of the mapping."""
        return hashlib.sha256(self.on_one_line.encode()).hexdigest()


NO_MAPPING = Mapping(version=1)


def mapping_beside(path: Path) -> Path | None:
    """Return the mapping that stands beside an export: ``wave1.csv.mapping.yaml``, ``wave1.mapping.yaml``, or a sheet.

    Raises
    ------
    DataProblems
        SCR-223 if a file and a sheet lie there.
    """
    named = (kept_mapping(path), path.with_name(f"{path.stem}.mapping.yaml"))
    file = next((candidate for candidate in named if candidate.is_file()), None)
    sheet = mapping_sheet(path)
    if file and sheet.is_file():
        raise DataProblems([TWO_MAPPINGS.at(path.name, names=all_of([file.name, sheet.name]))])
    return sheet if sheet.is_file() else file


def mapping_sheet(path: Path) -> Path:
    """Return where the mapping of an export is written as a sheet."""
    return path.with_name(f"{path.name}.mapping.xlsx")


def kept_mapping(path: Path) -> Path:
    """Return where the mapping of a kept export is written: with the whole name, for wave1.xlsx is not read as wave1.csv."""
    return path.with_name(f"{path.name}.mapping.yaml")


def load_mapping(path: str | Path | None) -> Mapping:
    """Read a mapping file, or a sheet of one; without any, every column has its own name.

    Raises
    ------
    DataProblems
        SCR-019 if there is no such file; every mistake in it: line or row, field, found, expected.
    """
    if path is None:
        return NO_MAPPING
    if not Path(path).is_file():
        raise DataProblems([NO_MAPPING_FILE.at(str(path))])
    return _of_sheet(Path(path)) if is_sheet(Path(path)) else read_document(Path(path), Mapping)


def _of_sheet(path: Path) -> Mapping:
    content = read_sheet(path)
    if content.open_:
        raise DataProblems(content.open_)
    try:
        return validated(content.values, content.rows, path.name, Mapping)
    except DataProblems as error:
        rows = [replace(each.place, line=None, row=each.place.line) for each in error.problems]
        raise DataProblems(replace(each, place=row) for each, row in zip(error.problems, rows, strict=True)) from None
