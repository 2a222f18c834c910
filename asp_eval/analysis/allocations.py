"""The allocations a study's scheme could have given, for a permutation test: all of them if they are few, else draws."""

from __future__ import annotations

import itertools
import math
from datetime import date

import numpy as np
import pandas as pd

from asp_eval.core.errors import AspError, Fault, Unavailable
from asp_eval.stats.resampling.allocations import MOST_ENUMERATED, Allocations, Draws
from asp_eval.store import table
from asp_eval.store.draws import DrawnLot, drawn_lots
from asp_eval.trial.randomisation.closed import still_open
from asp_eval.trial.randomisation.declaration import DRAWN_ELSEWHERE, scheme_of
from asp_eval.trial.randomisation.hash_order import order_key
from asp_eval.trial.randomisation.scheme import Scheme, equal_chances
from asp_eval.trial.study.design import Study

OTHER_LIST = Fault(
    "RND-030",
    "the list of institutions, or the declaration, is no longer the one that the lot was drawn with, so that the allocations"
    " it could have given are not known",
    "See what changed with 'asp-eval randomise --verify', and put it back.",
)


def allocations(study: Study, draws: int = 10_000, seed: int = 1) -> Allocations:
    """Return the allocations that a study's randomisation could have given.

    Up to 20,000 possible allocations that are all equally probable are returned whole; of more, `draws` are drawn by
    the scheme's own rule. Institutions that were drawn later, as a batch of their own, are drawn as such.

    Parameters
    ----------
    study : Study
        With its institutions imported.
    draws : int
    seed : int
        Of the draws for the test, not of the lot itself.

    Raises
    ------
    Refusal, DataProblems
        If the lot was drawn elsewhere, or something is wrong with the list of institutions; RND-030 if the list or the
        declaration changed since the lot was drawn.
    """
    institutions = table(study, "institutions")
    lots = [] if study.randomisation.drawn_elsewhere else drawn_lots(study)
    if lots:
        return joint_allocations([_scheme_drawn(study, lot, institutions) for lot in lots], draws, seed)
    if len(table(study, "allocation")):  # imported, even if study.yaml no longer says so
        DRAWN_ELSEWHERE.refuse("allocation")
    return scheme_allocations(scheme_of(study, still_open(institutions, date.today())), draws, seed)


def arm_probabilities(study: Study) -> pd.DataFrame | Unavailable:
    """Return the probability of every arm (columns) for every institution drawn (rows), by the lot.

    Of a lot that was drawn elsewhere it is the declared ratio's. Unavailable where the list or the declaration is no longer the
    one that the lot was drawn with.

    Parameters
    ----------
    study : Study
        With its lot drawn.
    """
    institutions, drawn = table(study, "institutions"), table(study, "allocation")["institution_id"].astype(str)
    lots = [] if study.randomisation.drawn_elsewhere else drawn_lots(study)
    if not lots:
        return pd.DataFrame(equal_chances(study.randomisation.ratio, len(drawn)), index=list(drawn), columns=list(study.arms))
    try:
        schemes = [_scheme_drawn(study, lot, institutions) for lot in lots]
    except AspError as refused:
        return Unavailable(refused.reason)
    parts = [pd.DataFrame(one.probabilities(), index=list(one.institution_ids), columns=list(study.arms)) for one in schemes]
    return pd.concat(parts)


def _scheme_drawn(study: Study, lot: DrawnLot, institutions: pd.DataFrame) -> Scheme:
    """Return the scheme that a lot was drawn with; refuse a list or declaration that changed, drawable or not."""
    try:
        scheme = scheme_of(study, lot.rows(institutions), late=lot.late)
    except AspError:
        OTHER_LIST.refuse("institutions")
    then = (lot.digest, lot.scheme, lot.candidates_digest)
    if (scheme.digest, str(scheme), scheme.facts().get("candidates_digest", "")) != then:
        OTHER_LIST.refuse("institutions")
    return scheme


def scheme_allocations(scheme: Scheme, draws: int, seed: int) -> Allocations:
    """Return the allocations of a scheme: every one if they are few and equally probable, else a sample."""
    return joint_allocations([scheme], draws, seed)


def joint_allocations(schemes: list[Scheme], draws: int, seed: int) -> Allocations:
    """Return the allocations of lots that were drawn independently of each other, side by side.

    Parameters
    ----------
    schemes : list of Scheme
        Of different institutions, in the same arms.
    draws, seed : int
    """
    ids = tuple(institution for scheme in schemes for institution in scheme.institution_ids)
    parts = [scheme.every(MOST_ENUMERATED) for scheme in schemes]
    whole = [part for part in parts if part is not None]
    if len(whole) == len(parts) and math.prod(len(part) for part in whole) <= MOST_ENUMERATED:
        return Allocations(ids, _product(whole), True, schemes[0].arms)
    seeds = [seed, *(int(order_key(seed, f"lot {k}")[:15], 16) for k in range(2, len(schemes) + 1))]
    drawn = [scheme.allocations(draws, own) for scheme, own in zip(schemes, seeds, strict=True)]
    return Allocations(ids, np.concatenate(drawn, axis=1), False, schemes[0].arms)


def _product(parts: list[Draws]) -> Draws:
    """Return every combination of rows, side by side."""
    rows = itertools.product(*(range(len(part)) for part in parts))
    chosen = np.array(list(rows), dtype=np.intp).reshape(-1, len(parts))
    return np.concatenate([part[chosen[:, k]] for k, part in enumerate(parts)], axis=1)
