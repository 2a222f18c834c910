"""The direction of the answers in a file before it is stored, and in everything that is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial

import pandas as pd

from asp_eval.analysis.answer_directions import direction_problems
from asp_eval.core.errors import DataProblems, Problem
from asp_eval.intake.mapping.mapping import Mapping
from asp_eval.intake.table import Table
from asp_eval.store import table as stored_table
from asp_eval.store.imports import Import, standing_files
from asp_eval.trial.outcomes import declared_forms
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import BY_WAVE, at_wave


def file_directions(study: Study, file: Table, mapping: Mapping) -> tuple[Problem, ...]:
    """Return what shows that the answers of a file do not go the way they are keyed, beside the other waves that are stored.

    Parameters
    ----------
    study : Study
    file : Table
        The rows of a file that can be stored.
    mapping : Mapping
        What it confirms is passed over.
    """
    if file.wave is None:
        return ()
    problems: list[Problem] = []
    for form in declared_forms(study, file.name, file.wave):
        if set(form.columns) <= set(file.checked.columns):
            others = partial(_other_waves, study, file.name, form.id, file.wave)
            problems += direction_problems(form, file.checked, file.source, confirmed=mapping.confirms, others=others)
    return tuple(problems)


def _other_waves(study: Study, name: str, form: str, wave: str) -> dict[str, pd.DataFrame]:
    return {other: rows for other, rows in _stored_waves(study, name, form).items() if other != wave}


def stored_directions(study: Study) -> Iterator[Problem]:
    """Yield what shows that stored answers do not go the way they are keyed, each wave beside the others.

    Of two waves the later is compared with the earlier: which of them has it wrong, two cannot tell.
    """
    for name in BY_WAVE:
        files = cache(partial(standing_files, study.folder, name))
        for form in declared_forms(study, name):
            waves = _stored_waves(study, name, form.id)
            for wave, answers in waves.items():
                others = {other: rows for other, rows in waves.items() if other != wave}
                if len(waves) == 2 and wave == next(iter(waves)):
                    others = {}
                confirmed = partial(_confirmed, files, wave)
                place = at_wave(name, wave)
                yield from direction_problems(form, answers, place, confirmed=confirmed, others=partial(dict, others))


def refuse_turned_answers(study: Study) -> None:
    """Refuse stored answers that do not go the way they are keyed: no number of them would be right.

    Raises
    ------
    DataProblems
        KEY-001 to KEY-007, until they are mended or confirmed in the mapping.
    """
    if turned := [problem for problem in stored_directions(study) if problem.is_error]:
        raise DataProblems(turned)


def _confirmed(files: Callable[[str], Sequence[Import]], wave: str, column: str) -> bool:
    """Whether the mapping of any file of a wave confirms a column."""
    return any(file.mapping.confirms(column) for file in files(wave))


def _stored_waves(study: Study, name: str, form: str) -> dict[str, pd.DataFrame]:
    """Return the stored answers to an instrument by wave, in the order of the waves."""
    answers = stored_table(study, f"{name}_{form}")
    if answers.empty:
        return {}
    waves = answers["wave"].astype(str)
    return {wave: answers[waves == wave] for wave in study.wave_ids if (waves == wave).any()}
