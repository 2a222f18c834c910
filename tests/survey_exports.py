"""Writes one small survey as each survey system would: the same answers, so that reading them gives the same table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl

ENCODINGS = {"ansi": "cp1252", "utf16": "utf-16", "utf8": "utf-8"}  # utf-16 has its byte order mark, least byte first


@dataclass(frozen=True)
class Asked:
    """A question: its variable, its text, the answers to choose among, and whether several may be chosen."""

    name: str
    text: str
    choices: dict[str, str] = field(default_factory=dict)
    several: bool = False
    personal: bool = False


Answers = Sequence[dict[str, str]]
"""One row for each respondent: by variable a text or a code, by ``variable/choice`` 0 or 1."""

YES_NO = {"1": "Ja, altid", "2": "Nej"}
SURVEY = (
    Asked("child", "Barnets nummer"),
    Asked("mood", "Hvordan går det på Søndergård?", {"1": "Godt", "2": "Nogenlunde; men ikke altid", "3": "Skidt"}),
    Asked("obeys", "Gør, hvad der bliver sagt", YES_NO),
    Asked("likes", "Hvad kan barnet lide?", {"1": "Leg", "2": "Sang; dans", "4": "Mad"}, several=True),
    Asked("hours", "Timer om ugen"),
    Asked("note", "Bemærkninger", personal=True),
)
ROWS: Answers = (
    {
        "child": "007",
        "mood": "1",
        "obeys": "2",
        "likes/1": "1",
        "likes/2": "0",
        "likes/4": "1",
        "hours": "37,5",
        "note": '"nej"; gik',
    },
    {"child": "008", "mood": "", "obeys": "1", "likes/1": "0", "likes/2": "0", "likes/4": "0", "hours": "20,0", "note": "NA"},
    {"child": "010", "mood": "3", "obeys": "", "likes/1": "0", "likes/2": "1", "likes/4": "0", "hours": "", "note": "to\nlinjer"},
)


def keys(survey: Sequence[Asked]) -> list[str]:
    """The columns of the answers: variables, and the choices of those where several may be chosen."""
    return [key for asked in survey for key in ([f"{asked.name}/{c}" for c in asked.choices] if asked.several else [asked.name])]


def text_of(rows: Iterable[Sequence[str]], delimiter: str, encoding: str = "utf-8", *, quote_all: bool = False) -> bytes:
    buffer = io.StringIO()
    csv.writer(
        buffer, delimiter=delimiter, lineterminator="\r\n", quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    ).writerows(rows)
    return buffer.getvalue().encode(encoding)


def book_of(**sheets: Sequence[Sequence[object]]) -> bytes:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for i, row in enumerate(rows, start=1):
            for j, value in enumerate(row, start=1):
                if value != "":
                    cell = sheet.cell(i, j, value)
                    cell.data_type = "s" if isinstance(value, str) else cell.data_type  # "=" is a text, no formula
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def surveyxact_parts(survey: Sequence[Asked] = SURVEY, rows: Answers = ROWS) -> dict[str, list[list[str]]]:
    """The rows of a multiple choice have a stray empty last cell in the structure; labels have no header."""
    structure: list[list[str]] = [
        ["questionName", "variableName", "questionType", "subType", "questionText", "choiceValue", "choiceText"]
    ]
    labels: list[list[str]] = []
    for asked in survey:
        if asked.several:
            for number, (choice, label) in enumerate(asked.choices.items(), start=1):
                variable = f"{asked.name}_{number}"
                structure.append([asked.name, variable, "Closed", "Multiple", f"{asked.text} ", choice, f"{label} ", ""])
                labels += [[variable, "0", "Ikke valgt"], [variable, "1", "Valgt"]]
        else:
            kind = ["Closed", "Single"] if asked.choices else ["Open", "String"]
            structure.append([asked.name, asked.name, *kind, asked.text, "", ""])
            labels += [[asked.name, choice, f"{label} "] for choice, label in asked.choices.items()]
    data = [surveyxact_names(survey), *([row[key] for key in keys(survey)] for row in rows)]
    return {"dataset": data, "structure": structure, "labels": labels}


def surveyxact(
    folder: Path,
    survey: Sequence[Asked] = SURVEY,
    rows: Answers = ROWS,
    *,
    delimiter: str = ";",
    encoding: str = "ansi",
    name: str = "dataset.csv",
) -> Path:
    """Three files beside each other."""
    for part, table in surveyxact_parts(survey, rows).items():
        (folder / name.replace("dataset", part)).write_bytes(text_of(table, delimiter, ENCODINGS[encoding]))
    return folder / name


def surveyxact_book(folder: Path, survey: Sequence[Asked] = SURVEY, rows: Answers = ROWS, *, columns: int = 3) -> Path:
    """A workbook whose data are spread over sheets, so many columns in each."""
    parts = surveyxact_parts(survey, rows)
    starts = range(0, len(parts["dataset"][0]), columns)
    data = {f"Dataset({n})": [row[i : i + columns] for row in parts["dataset"]] for n, i in enumerate(starts, start=1)}
    file = folder / "Screening.xlsx"
    file.write_bytes(book_of(**data, Structure=parts["structure"], Labels=parts["labels"]))
    return file


def surveyxact_names(survey: Sequence[Asked] = SURVEY) -> list[str]:
    return [
        variable
        for asked in survey
        for variable in ([f"{asked.name}_{n}" for n in range(1, len(asked.choices) + 1)] if asked.several else [asked.name])
    ]


DICTIONARY = (
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


def redcap_dictionary(survey: Sequence[Asked] = SURVEY, form: str = "screening") -> list[list[str]]:
    """The 18 columns of a data dictionary, with its header."""
    rows = [list(DICTIONARY)]
    for asked in survey:
        kind = "checkbox" if asked.several else "radio" if asked.choices else "text"
        choices = " | ".join(f"{choice}, {label}" for choice, label in asked.choices.items())
        rows.append(
            [
                asked.name,
                form,
                "",
                kind,
                f"<b>{asked.text}</b>",
                choices,
                "",
                "",
                "",
                "",
                "y" if asked.personal else "",
                *[""] * 7,
            ]
        )
    return rows


def redcap_names(survey: Sequence[Asked] = SURVEY) -> list[str]:
    return [key.replace("/", "___") for key in keys(survey)]


def redcap_raw(survey: Sequence[Asked] = SURVEY, rows: Answers = ROWS) -> list[list[str]]:
    return [
        [*redcap_names(survey), "screening_complete"],
        *([*(row[key] for key in keys(survey)), "2"] for row in rows),
    ]


def redcap_labels(survey: Sequence[Asked] = SURVEY, rows: Answers = ROWS) -> list[list[str]]:
    """The same as labels: texts head the columns, and stand in the cells."""
    header, made = [], [[] for _ in rows]
    for asked in survey:
        for choice, label in asked.choices.items() if asked.several else ():
            header.append(f"{asked.text} (choice={label})")
            for cells, row in zip(made, rows, strict=True):
                cells.append("Checked" if row[f"{asked.name}/{choice}"] == "1" else "Unchecked")
        if not asked.several:
            header.append(asked.text)
            for cells, row in zip(made, rows, strict=True):
                cells.append(asked.choices.get(row[asked.name], row[asked.name]))
    return [[*header, "Complete?"], *([*cells, "Complete"] for cells in made)]


def redcap(
    folder: Path,
    survey: Sequence[Asked] = SURVEY,
    rows: Answers = ROWS,
    *,
    labels: bool = False,
    delimiter: str = ",",
    encoding: str = "utf8",
) -> Path:
    file = folder / f"HPA_DATA{'_LABELS' if labels else ''}_2006-11-30_1200.csv"
    file.write_bytes(text_of((redcap_labels if labels else redcap_raw)(survey, rows), delimiter, ENCODINGS[encoding]))
    (folder / "HPA_DataDictionary_2006-11-30.csv").write_bytes(text_of(redcap_dictionary(survey), ",", "utf-8"))
    return file


QUALTRICS_SYSTEM = {
    "StartDate": ("Start Date", '{"ImportId":"startDate","timeZone":"Europe/Copenhagen"}', "2006-09-14 08:28:09"),
    "EndDate": ("End Date", '{"ImportId":"endDate","timeZone":"Europe/Copenhagen"}', "2006-09-14 08:31:00"),
    "Status": ("Response Type", '{"ImportId":"status"}', "0"),
    "IPAddress": ("IP Address", '{"ImportId":"ipAddress"}', "192.0.2.1"),
    "ResponseId": ("Response ID", '{"ImportId":"_recordId"}', "R_1"),
    "RecipientEmail": ("Recipient Email", '{"ImportId":"recipientEmail"}', ""),
}


def qualtrics_names(survey: Sequence[Asked] = SURVEY) -> list[str]:
    return [key.replace("/", "_") for key in keys(survey)]


def qualtrics_rows(survey: Sequence[Asked] = SURVEY, rows: Answers = ROWS) -> list[list[str]]:
    """Names, questions, import ids, and the data from row 4."""
    texts, ids = [], []
    for number, asked in enumerate(survey, start=1):
        for choice, label in asked.choices.items() if asked.several else ():
            texts.append(f"{asked.text} - Selected Choice - {label}")
            ids.append(json.dumps({"ImportId": f"QID{number}_{choice}"}, separators=(",", ":")))
        if not asked.several:
            texts.append(asked.text)
            ids.append(json.dumps({"ImportId": f"QID{number}" if asked.choices else f"QID{number}_TEXT"}, separators=(",", ":")))
    system = list(QUALTRICS_SYSTEM.values())
    return [
        [*QUALTRICS_SYSTEM, *qualtrics_names(survey)],
        [*(text for text, _, _ in system), *texts],
        [*(key for _, key, _ in system), *ids],
        *([*(value for _, _, value in system), *(row[key] for key in keys(survey))] for row in rows),
    ]


def qualtrics(
    folder: Path, survey: Sequence[Asked] = SURVEY, rows: Answers = ROWS, *, delimiter: str = ",", encoding: str = "utf8"
) -> Path:
    file = folder / "Screening_September 14, 2006_08.40.csv"
    file.write_bytes(text_of(qualtrics_rows(survey, rows), delimiter, ENCODINGS[encoding]))
    return file


LIMESURVEY_SYSTEM = {
    "id": ("Response ID", "1"),
    "submitdate": ("Date submitted", "2006-09-14 08:31:00"),
    "lastpage": ("Last page", "2"),
    "startlanguage": ("Start language", "da"),
    "seed": ("Seed", "1234567"),
}


def limesurvey_names(survey: Sequence[Asked] = SURVEY, *, vv: bool = False) -> list[str]:
    def name(key: str) -> str:
        question, slash, choice = key.partition("/")
        return f"{question}_{choice}" if slash and vv else f"{question}[{choice}]" if slash else question

    return [name(key) for key in keys(survey)]


def limesurvey_texts(survey: Sequence[Asked] = SURVEY) -> list[str]:
    return [
        text
        for asked in survey
        for text in ([f"{asked.text} [{label}]" for label in asked.choices.values()] if asked.several else [asked.text])
    ]


def limesurvey_rows(survey: Sequence[Asked] = SURVEY, rows: Answers = ROWS, *, headings: str = "code") -> list[list[str]]:
    """Headings: 'code', 'full' or 'codetext'; a blank line ends the file."""
    codes = [*LIMESURVEY_SYSTEM, *limesurvey_names(survey)]
    texts = [*(text for text, _ in LIMESURVEY_SYSTEM.values()), *limesurvey_texts(survey)]
    header = {"code": codes, "full": texts, "codetext": [f"{c}. {t}" for c, t in zip(codes, texts, strict=True)]}[headings]
    system = [value for _, value in LIMESURVEY_SYSTEM.values()]
    return [header, *([*system, *(row[key] for key in keys(survey))] for row in rows)]


def limesurvey(
    folder: Path, survey: Sequence[Asked] = SURVEY, rows: Answers = ROWS, *, headings: str = "code", delimiter: str = ";"
) -> Path:
    file = folder / "results-survey123456.csv"
    content = text_of(limesurvey_rows(survey, rows, headings=headings), delimiter, "utf-8-sig", quote_all=True)
    file.write_bytes(content + b"\r\n")
    return file


def limesurvey_vv(folder: Path, survey: Sequence[Asked] = SURVEY, rows: Answers = ROWS) -> Path:
    """Two header rows; line breaks, tabs and braces written out; what was not shown has a mark."""
    system = [value for _, value in LIMESURVEY_SYSTEM.values()]

    def cell(text: str) -> str:
        if not text:
            return "{question_not_shown}"
        text = text.strip(" \t\n\r")
        for plain, mark in (("{", "{lbrace}"), ("\n", "{newline}"), ("\r", "{cr}"), ("\t", "{tab}")):
            text = text.replace(plain, mark)
        return "{quote}" + text[1:] if text.startswith('"') else text

    table = [
        [*(text for text, _ in LIMESURVEY_SYSTEM.values()), *limesurvey_texts(survey)],
        [*LIMESURVEY_SYSTEM, *limesurvey_names(survey, vv=True)],
        *([*system, *(cell(row[key]) for key in keys(survey))] for row in rows),
    ]
    file = folder / "vvexport_123456.csv"
    file.write_bytes(text_of(table, "\t"))
    return file


KOBO_SYSTEM = {
    "_id": "61",
    "_uuid": "48583952-1892-4931-8d9c-869e7b49bafb",
    "_submission_time": "2006-09-14T08:31:19",
    "_validation_status": "",
    "_notes": "",
    "_status": "submitted_via_web",
    "_submitted_by": "",
    "__version__": "v1",
    "_tags": "",
    "_index": "1",
}


def kobo_rows(
    survey: Sequence[Asked] = SURVEY, rows: Answers = ROWS, *, group: str = "", labels: bool = False, tags: bool = False
) -> list[list[str]]:
    """Names head the columns and stand in the cells, or labels do both; a multiple choice has a column for all, and one each."""
    header: list[str] = []
    made: list[list[str]] = [[] for _ in rows]
    hxl: list[str] = []
    for asked in survey:
        head = f"{group}/{asked.text if labels else asked.name}" if group else asked.text if labels else asked.name
        shown = {choice: label if labels else choice for choice, label in asked.choices.items()}
        header.append(head)
        hxl.append(f"#{asked.name}")
        for cells, row in zip(made, rows, strict=True):
            if asked.several:
                cells.append(" ".join(shown[c] for c in asked.choices if row[f"{asked.name}/{c}"] == "1"))
            else:
                cells.append(shown.get(row[asked.name], row[asked.name]))
        for choice in asked.choices if asked.several else ():
            header.append(f"{head}/{shown[choice]}")
            hxl.append("")
            for cells, row in zip(made, rows, strict=True):
                cells.append(row[f"{asked.name}/{choice}"])
    system = list(KOBO_SYSTEM.values())
    return [
        [*header, *KOBO_SYSTEM],
        *([[*hxl, *[""] * len(KOBO_SYSTEM)]] if tags else []),
        *([*cells, *system] for cells in made),
    ]


def xlsform(survey: Sequence[Asked] = SURVEY, *, group: tuple[str, str] | None = None) -> bytes:
    """The form's two sheets, with labels in two languages."""
    questions: list[list[str]] = [["type", "name", "label::Dansk (da)", "label::English (en)"]]
    choices: list[list[str]] = [["list_name", "name", "label::Dansk (da)", "label::English (en)"]]
    if group:
        questions.append(["begin_group", group[0], group[1], f"{group[1]} (en)"])
    for asked in survey:
        kind = f"select_{'multiple' if asked.several else 'one'} {asked.name}_list" if asked.choices else "text"
        questions.append([kind, asked.name, asked.text, f"{asked.text} (en)"])
        choices += [[f"{asked.name}_list", choice, label, f"{label} (en)"] for choice, label in asked.choices.items()]
    if group:
        questions.append(["end_group", "", "", ""])
    return book_of(survey=questions, choices=choices, settings=[["form_title"], ["Screening"]])


def kobo(folder: Path, survey: Sequence[Asked] = SURVEY, rows: Answers = ROWS, *, book: bool = False, form: bool = True) -> Path:
    file = folder / f"Screening_-_all_versions_-_False_-_2006-09-14.{'xlsx' if book else 'csv'}"
    table = kobo_rows(survey, rows)
    file.write_bytes(book_of(Screening=table) if book else text_of(table, ";", quote_all=True))
    if form:
        (folder / "Screening_xlsform.xlsx").write_bytes(xlsform(survey))
    return file


WRITERS: dict[str, Callable[[Path, Sequence[Asked], Answers], Path]] = {
    "surveyxact": surveyxact,
    "redcap": redcap,
    "qualtrics": qualtrics,
    "limesurvey": limesurvey,
    "kobo": kobo,
}
