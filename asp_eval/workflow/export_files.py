"""Writing analysis files: CSV, the CSV of a spreadsheet, or Parquet, and the data package that describes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from asp_eval.core.csv_text import write_csv
from asp_eval.core.documents import write_whole
from asp_eval.core.file_sets import NewFiles
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.descriptor import fields_descriptor, file_schemas, package, resource, schema_descriptor
from asp_eval.workflow.analysis_files import AnalysisFile

Format = Literal["csv", "excel", "parquet"]
PACKAGE = "datapackage.json"


def write_analysis_files(study: Study, files: Sequence[AnalysisFile], new: NewFiles, form: Format = "csv") -> None:
    """Write analysis files and ``datapackage.json``, in the place of those of an earlier export.

    Parameters
    ----------
    study : Study
    files : sequence of AnalysisFile
    new : NewFiles
    form : {"csv", "excel", "parquet"}
        ``excel`` is CSV as a Danish Excel opens it: semicolons, decimal commas, a byte order mark. In both kinds of CSV text
        that a spreadsheet would run is guarded (`asp_eval.core.csv_text.guard_formula`); in Parquet it is as it is.
    """
    ending = "parquet" if form == "parquet" else "csv"
    names = tuple(f"{file.name}.{ending}" for file in files)
    for file, name in zip(files, names, strict=True):
        frame = typed_frame(file)
        if form == "parquet":
            _write_parquet(new.path(name), file, frame)
        else:
            write_csv(new.path(name), frame, excel=form == "excel")
    new.remove(*(name for name in _earlier(new.folder) if name not in names))
    listed = [_resource(file, name, form) for file, name in zip(files, names, strict=True)]
    _write_json(new.index(PACKAGE), package(study, "export", listed))


def write_schemas(study: Study, new: NewFiles) -> None:
    """Write the schemas of all files that a study imports, and a data package that lists the files."""
    schemas = [(name, schema_descriptor(schema)) for name, schema in file_schemas(study)]
    for name, descriptor in schemas:
        _write_json(new.path(f"{name}.schema.json"), descriptor)
    listed = [resource(name, f"{name}.csv", f"{name}.schema.json") for name, _ in schemas]
    _write_json(new.index(PACKAGE), package(study, "import", listed))


def typed_frame(file: AnalysisFile) -> pd.DataFrame:
    """Return a file's frame with whole numbers as ``Int64`` and categories as text."""
    frame = file.frame.copy()
    for field in file.fields:
        if field.kind == "integer":
            frame[field.name] = frame[field.name].astype("Int64")
        elif not field.numeric and field.kind != "date":
            frame[field.name] = frame[field.name].astype("string")
    return frame


def _resource(file: AnalysisFile, path: str, form: Format) -> dict[str, Any]:
    schema = fields_descriptor(
        file.fields, title=file.title, description=file.description, key=file.key, foreign_keys=file.foreign_keys
    )
    if form == "excel":
        schema["fields"] = [told | ({"decimalChar": ","} if told["type"] == "number" else {}) for told in schema["fields"]]
    told = resource(file.name, path, schema)
    if form == "excel":
        told["dialect"] = {"delimiter": ";"}
    if form == "parquet":
        told |= {"format": "parquet", "mediatype": "application/vnd.apache.parquet"}
        del told["encoding"]
    return told


def _write_parquet(path: Path, file: AnalysisFile, frame: pd.DataFrame) -> None:
    import duckdb

    types = {"integer": "BIGINT", "number": "DOUBLE", "date": "DATE"}
    columns = ", ".join(f'"{field.name}"::{types.get(field.kind, "VARCHAR")} AS "{field.name}"' for field in file.fields)
    with duckdb.connect() as connection:
        connection.register("frame", frame)
        connection.execute(f"COPY (SELECT {columns} FROM frame) TO '{str(path).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)")


def _earlier(folder: Path) -> tuple[str, ...]:
    """Return the files that an earlier export wrote into a folder, so that no old file passes for a new one."""
    try:
        earlier = json.loads((folder / PACKAGE).read_text(encoding="utf-8"))["resources"]
        names = [str(listed["path"]) for listed in earlier]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return tuple(name for name in names if Path(name).name == name and name.endswith((".csv", ".parquet")))


def _write_json(path: Path, value: dict[str, Any]) -> None:
    write_whole(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")
