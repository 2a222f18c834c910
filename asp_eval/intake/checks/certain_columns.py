"""Columns that a file shows for certain to be something else than the mapping makes of them."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.core.errors import Fault, Problem
from asp_eval.intake.files.raw import TextTable
from asp_eval.intake.mapping.mapping import Mapping
from asp_eval.intake.recognition.column_matching import guess_columns
from asp_eval.intake.recognition.questionnaires import find_items
from asp_eval.trial.tables.schema import TableSchema

OTHER_COLUMN = Fault(
    "SCR-193",
    "by its name or its question the column is {ours}, and the mapping makes it {mapped}",
    "Correct 'rename' or 'rename_items' in the mapping. If the mapping is right all the same, say so in it: "
    "'confirmed: [{mapped}]'.",
)


def contradicted_columns(export: TextTable, schema: TableSchema, mapping: Mapping) -> Iterator[Problem]:
    """Yield the columns that the mapping makes something else than their names or titles say for certain.

    Numbers in the names of items are no certainty: they show that a questionnaire of that length is there, and not its order.

    Parameters
    ----------
    export : TextTable
        Under the export's own names.
    schema : TableSchema
    mapping : Mapping
    """
    renames = mapping.renames(schema.library)
    if not renames:
        return
    known = set(schema.names)
    made = {name: renames[name] for name in export.columns if renames.get(name, name) != name and renames[name] in known}
    certain = _certain(export, schema)
    for name, ours in made.items():
        if name in certain and certain[name] != ours and not mapping.confirms(ours):
            yield OTHER_COLUMN.at(export.place(column=name), ours=certain[name], mapped=ours)


def _certain(export: TextTable, schema: TableSchema) -> dict[str, str]:
    forms = [schema.library.instrument(form) for form in schema.forms]
    found = [each for each in find_items(export, forms, schema.wave, ()).sure if each.by_name]
    items = {name: ours for each in found for name, ours in each.columns.items()}
    fields = tuple(field for field in schema.base if field.name != "wave" or "wave" in export.columns)
    return items | {guess.column: guess.ours for guess in guess_columns(export, fields, frozenset(items)).sure}
