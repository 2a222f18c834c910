"""Which table a file is for of which only the wave is known."""

from __future__ import annotations

from collections.abc import Iterable

from asp_eval.intake.mapping.mapping import Mapping
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import BY_WAVE

SCREENING, STAFF_SURVEY = BY_WAVE


def table_at_wave(study: Study, wave: str, columns: Iterable[str], mapping: Mapping) -> str:
    """Return ``"screening"``, or ``"staff_survey"`` if the file has a ``respondent_id`` or nothing else is collected at the wave.

    A usual word for it is not enough: survey systems number the respondents of every survey.

    Parameters
    ----------
    study : Study
    wave : str
    columns : iterable of str
        Names of the columns in the export.
    mapping : Mapping
    """
    collected = [table for table in BY_WAVE if wave in study.collected_waves(table)]
    if len(collected) == 1:
        return collected[0]
    names = {mapping.rename.get(name, name) for name in columns} | {*mapping.constants, mapping.row_number_as}
    return STAFF_SURVEY if "respondent_id" in names and "child_id" not in names else SCREENING
