"""Who stood on an institution's list at each wave, rated or not."""

from __future__ import annotations

import pandas as pd

from asp_eval.store.children import KEY
from asp_eval.store.connection import Store
from asp_eval.store.layout import empty_frame, fetch, stored_columns
from asp_eval.store.parts import merged
from asp_eval.trial.study.design import Study

COLUMNS = {"child_id": "VARCHAR", "wave": "VARCHAR", "institution_id": "VARCHAR"}


def listed_children(study: Study) -> pd.DataFrame:
    """Return every child that a file listed at a wave, also without any answer.

    Parameters
    ----------
    study : Study

    Returns
    -------
    DataFrame
        child_id, wave, institution_id. A register of the children at the draw has the empty wave.
    """
    with Store.of(study).reading() as connection:
        if connection is None or not stored_columns(connection, "child_reports"):
            return empty_frame(COLUMNS)
        return fetch(connection, f"SELECT {', '.join(COLUMNS)} FROM ({merged(connection, 'child_reports', KEY)})")
