"""Conducting the draw that a study declares."""

from __future__ import annotations

import pandas as pd

from asp_eval.trial.randomisation.declaration import scheme_of
from asp_eval.trial.randomisation.scheme import Allocation
from asp_eval.trial.study.design import Study


def randomise(study: Study, institutions: pd.DataFrame, *, seed: int, late: bool = False) -> Allocation:
    """Draw the lot: an arm for each institution.

    The draw follows a published rule (``docs/randomisation.md``) and depends on nothing but the seed, the ids and
    the declared columns, so that anyone can derive it again by hand, and no upgrade of a library changes it. Writing it down
    in the study's ledger is the caller's part.

    Parameters
    ----------
    study : Study
        Its ``arms``, ``strata`` and ``randomisation`` are the declaration.
    institutions : DataFrame
        One row per institution: ``institution_id`` and the columns that the declaration names.
    seed : int
        0 or more. Settle it in public before the draw.
    late : bool
        Whether these are institutions that came after the lot was drawn, and get theirs as a batch of their own.

    Returns
    -------
    Allocation
        ``frame()`` gives institution_id, arm, stratum, seed, scheme, digest.

    Raises
    ------
    Refusal
        If the lot was drawn elsewhere, strata are not declared, or the seed is unusable.
    DataProblems
        Everything that is wrong with the list.

    Examples
    --------
    >>> from asp_eval.trial.study.design import Study
    >>> study = Study.model_validate({
    ...     "version": 1, "study": {"id": "mini", "title": {"en": "Mini"}}, "arms": ["reference", "intervention"],
    ...     "strata": ["municipality"], "waves": [{"id": "w1", "label": {"en": "start"}}],
    ...     "collect": {"screening": {"waves": ["w1"]}},
    ...     "outcomes": [{"id": "y", "column": "screening.y", "role": "primary", "better": "lower", "at": "w1"}],
    ... })
    >>> institutions = pd.DataFrame({"institution_id": ["B01", "B02", "B03", "B04"], "municipality": ["A", "A", "B", "B"]})
    >>> randomise(study, institutions, seed=2006).counts().to_dict("index")
    {'A': {'intervention': 1, 'reference': 1}, 'B': {'intervention': 1, 'reference': 1}}
    """
    return scheme_of(study, institutions, late=late).allocate(seed)
