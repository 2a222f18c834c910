"""Files that hold more waves than the one that they are imported for."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.core.errors import Fault, Problem
from asp_eval.core.phrases import some_of
from asp_eval.intake.files.raw import TextTable
from asp_eval.intake.mapping.mapping import Mapping
from asp_eval.intake.recognition.column_matching import texts_of
from asp_eval.intake.recognition.synonyms import WAVES, fold
from asp_eval.trial.tables.schema import TableSchema

MORE_WAVES = Fault(
    "SCR-210",
    "the column tells of more waves than one: {texts}",
    "Say in the mapping which rows are those of the wave: 'keep_rows: {column} == \"{first}\"'.",
)
EVENT = "redcap_event_name"  # of REDCap, which tells the wave and nothing else
MOST_NAMED = 5


def more_waves(export: TextTable, schema: TableSchema, mapping: Mapping) -> Iterator[Problem]:
    """Yield the columns that show that a file for one wave holds others too.

    A column of REDCap's events shows it whatever it holds; another that is called like a wave, if some unit has several rows.

    Parameters
    ----------
    export : TextTable
        Under the export's own names.
    schema : TableSchema
    mapping : Mapping
        A filter of rows settles it; so does a column that is mapped to the wave.
    """
    if schema.wave is None or mapping.keep_rows is not None or mapping.keep is not None:
        return
    renames = mapping.renames(schema.library)
    unit = next((name for name in export.columns if renames.get(name, name) == schema.key[0]), None)
    again = unit is not None and len(texts_of(export.columns[unit])) < len(export)
    for name in export.columns:
        if fold(name) not in WAVES or renames.get(name, name) in schema.names or not (again or name == EVENT):
            continue
        texts = texts_of(export.columns[name])
        if len(texts) > 1 and len(texts) < len(export):
            column = name if name.isidentifier() else f"`{name}`"
            shown = some_of(map(repr, texts), MOST_NAMED)
            yield MORE_WAVES.at(export.place(column=name), texts=shown, column=column, first=texts[0])
