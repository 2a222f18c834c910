"""From the declaration in ``study.yaml`` and the list of institutions to the scheme."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.trial.randomisation.blocks import blocks_of
from asp_eval.trial.randomisation.constrained import constrained
from asp_eval.trial.randomisation.distances import exact
from asp_eval.trial.randomisation.minimisation import NO_FACTORS, Minimisation, refuse_no_chance, refuse_nothing_shared
from asp_eval.trial.randomisation.pairs import matched_pairs, named_pairs
from asp_eval.trial.randomisation.roster import Roster, read_roster
from asp_eval.trial.randomisation.scheme import Scheme, weighted
from asp_eval.trial.randomisation.stratified import LotInCells
from asp_eval.trial.study.design import Study

DRAWN_ELSEWHERE = Fault(
    "RND-001",
    "the study says that the lot was drawn elsewhere",
    "Import the allocation as it was drawn, or remove 'drawn_elsewhere' under 'randomisation'.",
)
NO_STRATA_DECLARED = Fault(
    "RND-002",
    "the randomisation is stratified, but the study declares no strata",
    "Name the columns under 'strata', or write 'scheme: simple' under 'randomisation'.",
)
NOT_THIS_RATIO = Fault(
    "RND-020",
    "scheme '{scheme}' cannot draw this number of arms in this ratio",
    "Declare {allowed}, or another scheme ('simple', 'stratified' and 'blocked' draw any ratio).",
)


def scheme_of(study: Study, institutions: pd.DataFrame, *, late: bool = False) -> Scheme:
    """Return the scheme that a study declares, for its list of institutions.

    Parameters
    ----------
    study : Study
    institutions : DataFrame
        One row per institution: ``institution_id`` and the columns that the declaration names.
    late : bool
        Whether they are a batch that came after the lot was drawn. Of these a stratum may be smaller than the arms; and
        where the scheme is constrained, a batch is drawn by its lot in strata alone, for it is too small to choose from.

    Returns
    -------
    Scheme

    Raises
    ------
    Refusal
        If the lot was drawn elsewhere, or the declaration cannot be drawn.
    DataProblems
        Everything that is wrong with the list.
    """
    declared = study.randomisation
    if declared.drawn_elsewhere:
        DRAWN_ELSEWHERE.refuse("study.yaml, randomisation")
    if declared.scheme == "stratified" and not study.strata:
        NO_STRATA_DECLARED.refuse("study.yaml, strata")
    _refuse_ratio(study)
    roster = roster_of(study, institutions, late=late)
    if declared.scheme == "minimisation":
        probability = exact(declared.probability)
        refuse_no_chance(probability, study.arms)
        factors, numbers = _factors(study), _numbers(study)
        cuts = {name: tuple(map(exact, points)) for name, points in declared.cuts.items()}
        scheme = Minimisation(study.arms, declared.ratio, roster, factors, numbers, probability, declared.order, cuts)
        if not late:
            refuse_nothing_shared(scheme)
        return scheme
    if declared.scheme != "constrained":
        return _lot(study, roster)
    lot = LotInCells(study.arms, declared.ratio, roster, "stratified" if study.strata else "simple", roster.strata)
    return lot if late else constrained(study, lot, _weights(study))


def roster_of(study: Study, institutions: pd.DataFrame, *, late: bool = False, any_size: bool = False) -> Roster:
    """Return the list of institutions with what the declared scheme needs to know of them.

    Parameters
    ----------
    study : Study
    institutions : DataFrame
    late : bool
        As in `scheme_of`.
    any_size : bool
        Whether strata may be smaller than the arms: where lists are compared, and nothing is drawn.

    Raises
    ------
    Refusal
        RND-025 if minimisation is declared without factors.
    DataProblems
        Everything that is wrong with the list.
    """
    declared = study.randomisation
    if declared.scheme == "minimisation":
        named = [*_factors(study), declared.order]
        return read_roster(
            institutions,
            (),
            columns=_once(named),
            numeric=_numbers(study) | declared.cuts.keys(),
            differing=not (late or any_size),
        )
    strata = () if declared.scheme == "simple" else study.strata
    smallest = 1 if late or any_size else len(study.arms)
    if late and declared.scheme == "constrained":
        return read_roster(institutions, strata)
    columns = _once([*declared.covariates, declared.order, declared.pair])
    return read_roster(institutions, strata, columns=columns, numeric=tuple(declared.covariates), smallest_stratum=smallest)


def _once(columns: Sequence[str | None]) -> list[str]:
    return [column for column in dict.fromkeys(columns) if column is not None]


def _factors(study: Study) -> dict[str, Fraction]:
    """Return what is minimised over, with weights: the covariates; if none are named, the strata."""
    weights = _weights(study) or {stratum: Fraction(1) for stratum in study.strata}
    if not weights:
        NO_FACTORS.refuse("study.yaml, randomisation")
    return weights


def _numbers(study: Study) -> frozenset[str]:
    """Return the factors of a minimisation that are declared as numbers, without cut points, and balanced as such."""
    declared, cuts = study.columns.get("institutions", {}), study.randomisation.cuts
    return frozenset(name for name in _factors(study) if name in declared and declared[name].is_number and name not in cuts)


def _lot(study: Study, roster: Roster) -> LotInCells:
    """Return the lot inside the cells that the scheme makes."""
    declared = study.randomisation
    name: str = declared.scheme
    cells = roster.strata
    if declared.scheme == "blocked":
        sizes = " or ".join(str(size) for size in sorted(set(declared.blocks)))
        name = f"blocked (blocks of {sizes}{f', in order of {declared.order}' if declared.order else ''})"
        cells = blocks_of(roster, declared.blocks, declared.ratio, declared.order)
    elif declared.pair is not None:
        name, cells = f"pairs (named by {declared.pair})", named_pairs(roster, declared.pair, sum(declared.ratio))
    elif declared.scheme == "pairs":
        weights = _weights(study)
        name, cells = f"pairs (matched on {weighted(weights)})", matched_pairs(roster, weights)
    return LotInCells(study.arms, declared.ratio, roster, name, cells)


def _weights(study: Study) -> dict[str, Fraction]:
    return {name: exact(weight) for name, weight in study.randomisation.weights.items()}


def _refuse_ratio(study: Study) -> None:
    """Refuse arms and ratios that a scheme would not keep."""
    declared, arms = study.randomisation, len(study.arms)
    allowed = ""
    if declared.scheme == "minimisation" and len(set(declared.ratio)) > 1:
        allowed = "one institution of every arm, such as 'ratio: [1, 1]'"
    elif declared.scheme == "pairs" and declared.covariates and declared.ratio != (1, 1):
        allowed = "two arms and 'ratio: [1, 1]', or name larger sets in a column with 'pair'"
    elif declared.scheme == "constrained" and arms > 10:
        allowed = "at most ten arms"
    if allowed:
        found = f"{arms} arms, {_spelled(declared.ratio)}"
        NOT_THIS_RATIO.refuse("study.yaml, randomisation.ratio", found=found, scheme=declared.scheme, allowed=allowed)


def _spelled(ratio: Sequence[int]) -> str:
    return " to ".join(str(part) for part in ratio)
