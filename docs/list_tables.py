"""Write docs/data-schema.md: every table that can be imported, with every column. Run: python docs/list_tables.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("data-schema.md")
FOLDER = Path(__file__).resolve().parents[1] / "data_schema"

HEAD = """# The data schema

Generated from `data_schema/` by `python docs/list_tables.py`; do not edit.

Each table is described by a [Table Schema](https://datapackage.org/standard/table-schema/), and
`data_schema/datapackage.json` lists them all. A study adds its strata, the columns it declares in study.yaml, and the items
of its instruments, as `<instrument>.<item>`. Its own schemas, with all of that, are written by

    asp-eval export --schemas --to schemas

Any Frictionless tool then checks a file before it is sent. Put it into that folder, under the name that `datapackage.json`
has for it, and the list of institutions as `institutions.csv` beside it:

    pip install frictionless
    frictionless validate schemas/datapackage.json --resource-name screening_w1

Types, ranges, allowed values, keys and foreign keys are those that `asp-eval import` checks, in the same cells. What a Table
Schema cannot say is checked by `asp-eval import` alone: that one form of an instrument is there and whole, dates and ages
within the wave, what other files say of the same child. `asp-eval import` is also more patient: it takes `1.0` for a whole
number, spaces around a cell, days written 24-09-2006, and whatever a mapping translates.

Two properties are this package's own: `person` (whose id a column holds, so that study.yaml may ask for
[pseudonyms](privacy.md)) and `exported: false` (columns that `asp-eval export` leaves out). `fieldsMatch: superset` is the
standard's word for "a column that is not required may be missing".
"""

PERSONS = {"child": "a child", "staff": "a member of staff", "coder": "a coder"}


def page() -> str:
    """Return the page."""
    package = json.loads((FOLDER / "datapackage.json").read_text(encoding="utf-8"))
    tables = [json.loads((FOLDER / resource["schema"]).read_text(encoding="utf-8")) for resource in package["resources"]]
    return HEAD + "".join(_table(table) for table in tables)


def _table(table: dict[str, Any]) -> str:
    key = " and ".join(f"`{name}`" for name in table["primaryKey"])
    refers = [f"`{k['fields'][0]}` refers to `{k['reference']['resource']}`" for k in table.get("foreignKeys", ())]
    rows = "".join(_row(field) for field in table["fields"])
    keys = ". ".join([f"Key: {key}", *refers])
    head = "| column | type | allowed | |\n|---|---|---|---|\n"
    return f"\n## {table['name']}\n\n{table['description']} {keys}.\n\n{head}{rows}"


def _row(field: dict[str, Any]) -> str:
    limits = field.get("constraints", {})
    notes = [word for word, on in (("required", limits.get("required")), ("not exported", field.get("exported") is False)) if on]
    notes += [f"id of {PERSONS[field['person']]}"] if "person" in field else []
    said = field["description"] + (f" ({', '.join(notes)})" if notes else "")
    return f"| `{field['name']}` | {field['type']} | {_allowed(limits)} | {said} |\n"


def _allowed(limits: dict[str, Any]) -> str:
    if "enum" in limits:
        return ", ".join(f"`{value}`" for value in limits["enum"])
    if "pattern" in limits:
        return f"`{limits['pattern']}`"
    ends = [f"{word} {limits[name]}" for word, name in (("from", "minimum"), ("to", "maximum")) if name in limits]
    return " ".join(ends)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
