"""A study's own instruments and coding frames that were changed after answers were stored under them.

The answers were given to other questions, and the interviews coded by other rules.
"""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.core.errors import DataProblems, Fault, Problem
from asp_eval.store import ledger
from asp_eval.store.connection import Store
from asp_eval.store.imports import imports
from asp_eval.trial.study.design import Study

CHANGED = Fault(
    "STO-050",
    "{document} is not what it was when answers to it were imported ({file})",
    "Put the file back as it was, and write the change as a file of its own with a higher version. If the file was wrong from "
    "the start, do the same, and import the answers again.",
)


def changed_instruments(study: Study) -> Iterator[Problem]:
    """Yield a problem for each of the study's own instruments and frames that says something else than when it was used."""
    if study.folder_if_saved is None or not (own := (*study.library.own_instruments, *study.own_frames)):
        return
    with Store.of(study).reading() as connection:
        stands = [one for one in imports(ledger.entries(connection)) if not one.superseded] if connection else []
    for file in own:
        used = next((one for one in stands if one.body.instruments.get(file.document, file.digest) != file.digest), None)
        if used is not None:
            yield CHANGED.at(file.path, document=file.document, file=used.file)


def refuse_changed_instruments(study: Study) -> None:
    """Refuse a study with instruments that were changed after they were used.

    Raises
    ------
    DataProblems
        STO-050 for each of them.
    """
    if problems := [*changed_instruments(study)]:
        raise DataProblems(problems)
