"""Schemas as other programs read them: the Table Schemas and the data package of a study (datapackage.org, version 2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.fields import Field
from asp_eval.trial.tables.schema import BY_WAVE, IMPORTABLE, TableSchema, shipped_document, table_schema

TABLE_SCHEMA = "https://datapackage.org/profiles/2.0/tableschema.json"
DATA_PACKAGE = "https://datapackage.org/profiles/2.0/datapackage.json"
Descriptor = dict[str, Any]


def file_schemas(study: Study) -> Iterator[tuple[str, TableSchema]]:
    """Yield the files that a study imports, by the name each has in a data package: ``institutions``, ``screening_w1``.

    The schema of a wave's file says nothing that is the same in all of it: its key is that of the child or respondent.
    """
    for name in IMPORTABLE:
        if name not in BY_WAVE:
            yield name, table_schema(name, study)
            continue
        for wave in study.collected_waves(name):
            schema = table_schema(name, study, wave)
            fields = tuple(replace(field, required=False) if field.name == "wave" else field for field in schema.fields)
            yield f"{name}_{wave}", replace(schema, fields=fields, key=tuple(column for column in schema.key if column != "wave"))


def schema_descriptor(schema: TableSchema) -> Descriptor:
    """Return the Table Schema of a file: the shipped table with everything that a study adds to it.

    What it cannot say is that one of several forms of an instrument must be there, and that one which is there must be whole.

    Examples
    --------
    >>> from asp_eval.trial.tables.schema import base_schema
    >>> schema_descriptor(base_schema("staff"))["primaryKey"]
    ['staff_id', 'institution_id']
    """
    document = shipped_document(schema.name)
    return fields_descriptor(
        schema.fields,
        title=document["title"],
        description=document["description"],
        key=schema.key,
        foreign_keys=document.get("foreignKeys", ()),
    )


def fields_descriptor(
    fields: Sequence[Field],
    *,
    title: str,
    description: str,
    key: Sequence[str] = (),
    foreign_keys: Sequence[Mapping[str, Any]] = (),
) -> Descriptor:
    """Return the Table Schema of some fields."""
    told = {
        "$schema": TABLE_SCHEMA,
        "title": title,
        "description": description,
        "fieldsMatch": "superset",
        "fields": [field.descriptor() for field in fields],
        "missingValues": [""],
    }
    return told | ({"primaryKey": list(key)} if key else {}) | ({"foreignKeys": list(foreign_keys)} if foreign_keys else {})


def resource(name: str, path: str, schema: str | Descriptor) -> Descriptor:
    """Return a CSV file as a data package lists it.

    Parameters
    ----------
    name, path : str
    schema : str or dict
        Where its Table Schema is, or the schema itself.
    """
    told = {"name": name.lower(), "path": path, "type": "table", "format": "csv", "mediatype": "text/csv", "encoding": "utf-8"}
    return told | {"schema": schema}


def package(study: Study, name: str, resources: Sequence[Descriptor]) -> Descriptor:
    """Return a data package of a study, called ``<study>-<name>``."""
    title = study.study.title.get("en") or next(iter(study.study.title.values()))
    return {"$schema": DATA_PACKAGE, "name": f"{study.study.id}-{name}".lower(), "title": title, "resources": list(resources)}
