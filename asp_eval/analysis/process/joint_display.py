"""Process and effect together: one line per institution, what types go with which outcomes, and how far that can be an effect.

An institution has one arm, so its number is a mean, never an effect. A type that shows only under the intervention is compared
with no one: trimming bounds (Lee 2009, Review of Economic Studies 76:1071-1102) say what is possible. A type coded at baseline in
both arms can moderate the effect; coding errors are taken out by the matrix method, its uncertainty by resampling institutions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from asp_eval.analysis.formulas import ARM, INSTITUTION, arm_term, model_formula
from asp_eval.analysis.process.results import Estimated, TrimmingBound, TypeEffect, TypeMean
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.core.randomness import stream
from asp_eval.stats.estimate import Estimate, t_quantile, t_tail
from asp_eval.stats.meta.misclassification import (
    NEARLY_SINGULAR,
    SMALLEST_SHARE,
    CodingErrors,
    corrected_effects,
    effects_by_code,
    errors_against_consensus,
    errors_as_declared,
    even_errors,
    fitted_two_coders,
    table_of_codes,
)
from asp_eval.stats.mixed.fit import lmm

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

HIDDEN = Unavailable(Phrase("not shown: fewer children than the smallest cell"))
NO_TEST = Phrase("a mean, or an estimate with a percentile interval: there is no test")
ONE_INSTITUTION = Unavailable(Phrase("fewer than two institutions"))
UNSTABLE = Unavailable(Phrase("in too many samples of institutions drawn anew the coding errors could not be worked out"))
NOT_CODED_BEFORE = Unavailable(Phrase("no type was coded at baseline in both arms"))
FEW_OF_A_TYPE = Unavailable(Phrase("an arm has fewer than two institutions of a type"))
NO_ERRORS_KNOWN = Unavailable(
    Phrase("how coders err is not known: no consensus, and no two coders who coded the same interviews")
)
FEWEST_OF_A_TYPE = 2
FEWEST_WITH_CONSENSUS = 20  # interviews with a consensus; below, coders are compared with each other
DRAWS = 500
FEWEST_DRAWS = 0.8  # of the draws that must give an estimate


@dataclass(frozen=True, slots=True, eq=False)
class AdjustedMeans:
    """Institution means of an outcome, its covariates and the arms' difference in them taken out.

    Attributes
    ----------
    raw : Series
        By institution: the mean residual of the covariates plus the outcome's mean.
    shrunken : mapping of str to Estimate or Unavailable
        By institution, from the planned model: the arm's mean plus the institution's own deviation.
    """

    raw: pd.Series
    shrunken: Mapping[str, Estimated]


def adjusted_means(data: AnalysisSet, minimum_cell: int, level: float) -> AdjustedMeans | Unavailable:
    """Return the institutions' adjusted means of a continuous outcome.

    Parameters
    ----------
    data : AnalysisSet
    minimum_cell : int
        With fewer children an institution's mean is not shown.
    level : float
        Of the intervals, which are those of the institution's deviation: the model's parameters are taken as known.
    """
    try:
        fit = lmm(model_formula(data), data.frame)
    except AspError as refused:
        return Unavailable(refused.reason)
    outcome = data.outcome.id
    table = fit.tidy()
    beta = dict(zip(table["term"], table["estimate"], strict=True))
    by_arm = np.array([beta.get(arm_term(arm), 0.0) for arm in data.frame[ARM].astype("str")])
    fixed = np.asarray(fit.predict(data.frame, random_effects=False), dtype=float)
    others = fixed - by_arm
    shown = pd.DataFrame(
        {
            INSTITUTION: data.frame[INSTITUTION].astype("str").to_numpy(),
            "raw": data.frame[outcome].to_numpy(dtype=float) - others + others.mean(),
            "level": by_arm + others.mean(),
        }
    )
    grouped = shown.groupby(INSTITUTION)
    raw, base, size = grouped["raw"].mean(), grouped["level"].first(), grouped.size()
    effects = fit.random_effects().set_index("level")
    half = float(special.ndtri((1 + level) / 2))
    shrunken: dict[str, Estimated] = {}
    for name in raw.index:
        if size[name] < minimum_cell:
            shrunken[str(name)] = HIDDEN
            continue
        mean, error = float(base[name] + effects.loc[name, "estimate"]), float(effects.loc[name, "std_error"])
        shrunken[str(name)] = Estimate(
            str(outcome),
            mean,
            error,
            float("inf"),
            None,
            None,
            mean - half * error,
            mean + half * error,
            "conditional mode",
            NO_TEST,
        )
    return AdjustedMeans(raw, shrunken)


def type_means(means: pd.Series, types: Mapping[str, str], arms: Mapping[str, str], level: float) -> tuple[TypeMean, ...]:
    """Return the mean over institutions of each type and arm with its t interval; not of a single institution.

    Parameters
    ----------
    means : Series
        Adjusted means by institution.
    types, arms : mapping of str to str
        By institution.
    level : float
    """
    frame = pd.DataFrame({"mean": means, "type": means.index.map(types), "arm": means.index.map(arms)}).dropna()
    found = []
    for each, arm in sorted(set(frame[["type", "arm"]].itertuples(index=False, name=None))):
        mine = frame.loc[(frame["type"] == each) & (frame["arm"] == arm), "mean"]
        if len(mine) < FEWEST_OF_A_TYPE:
            found.append(TypeMean(each, arm, len(mine), ONE_INSTITUTION, ONE_INSTITUTION, ONE_INSTITUTION))
            continue
        middle = float(mine.mean())
        half = float(t_quantile((1 + level) / 2, np.array(len(mine) - 1.0))) * float(mine.std(ddof=1)) / float(np.sqrt(len(mine)))
        found.append(TypeMean(each, arm, len(mine), middle, middle - half, middle + half))
    return tuple(found)


def trimming_bounds(
    means: pd.Series, types: Mapping[str, str], arms: Mapping[str, str], pair: tuple[str, str]
) -> tuple[TrimmingBound, ...]:
    """Return limits of the effect in the institutions that are of each type under the intervention.

    Of the other arm, the same share of institutions could be theirs: at worst its lowest, at best its highest.

    Parameters
    ----------
    means : Series
        Adjusted means by institution.
    types : mapping of str to str
        By institution, as they are after the intervention.
    arms : mapping of str to str
    pair : tuple of str
        The reference arm and the intervention.

    Examples
    --------
    >>> means = pd.Series([1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 9.0, 9.0], index=list("abcdefgh"))
    >>> arms = dict(zip("abcdefgh", "rrrriiii", strict=True))
    >>> one = trimming_bounds(means, {"e": "I", "f": "I", "g": "II", "h": "II"}, arms, ("r", "i"))[0]
    >>> one.share, one.low, one.high  # 5 less the mean of the highest two, 5 less that of the lowest two
    (0.5, 1.5, 3.5)
    """
    of_arm = means.index.map(arms)
    other = np.sort(means[of_arm == pair[0]].to_numpy(dtype=float))
    treated = means[of_arm == pair[1]]
    typed = treated[[name in types for name in treated.index]]
    found = []
    for each in sorted({types[str(name)] for name in typed.index}):
        mine = typed[[types[str(name)] == each for name in typed.index]]
        share = len(mine) / len(typed)
        k = round(share * len(other))
        if k < 1 or len(mine) < FEWEST_OF_A_TYPE:
            found.append(TrimmingBound(each, share, ONE_INSTITUTION, ONE_INSTITUTION))
            continue
        middle = float(mine.mean())
        found.append(TrimmingBound(each, share, middle - float(other[-k:].mean()), middle - float(other[:k].mean())))
    return tuple(found)


def effects_by_type(
    means: pd.Series,
    arms: Mapping[str, str],
    pair: tuple[str, str],
    coders: pd.DataFrame,
    consensus: pd.Series,
    levels: Sequence[str],
    *,
    declared: Array | None = None,
    level: float,
    seed: int = 1,
) -> tuple[TypeEffect, ...] | Unavailable:
    """Return the effect by a type coded at baseline, as the first coder has it and with the coding errors taken out.

    Parameters
    ----------
    means : Series
        Adjusted means by institution.
    arms : mapping of str to str
    pair : tuple of str
        The reference arm and the intervention.
    coders : DataFrame
        By institution, one column per coder: the type each coded; missing where a coder did not.
    consensus : Series
        By institution: the type the coders agreed upon; missing where there is none.
    levels : sequence of str
        The types.
    declared : array, shape (types, types), optional
        How often a coder's word is each type, by the true type; taken as known.
    level, seed
        Of the intervals, which are percentiles over institutions resampled within the arms: how unsure the coding errors are is
        in them.
    """
    both = [name for name in means.index if arms.get(str(name)) in pair and name in coders.index]
    ranks = {each: rank for rank, each in enumerate(levels)}
    outcome = means.loc[both].to_numpy(dtype=float)
    arm = np.array([float(arms[str(name)] == pair[1]) for name in both])
    codes = np.column_stack([_ranks(coders.loc[both, name], ranks) for name in coders.columns])
    agreed = _ranks(consensus.reindex(both), ranks)
    kept = (codes >= 0).any(axis=1)
    outcome, arm, codes, agreed = outcome[kept], arm[kept], codes[kept], agreed[kept]
    if len(set(arm)) < 2:
        return NOT_CODED_BEFORE
    first = np.array([row[row >= 0][0] for row in codes])
    if min(int(((first == k) & (arm == a)).sum()) for k in range(len(levels)) for a in (0, 1)) < FEWEST_OF_A_TYPE:
        return FEW_OF_A_TYPE
    seen = effects_by_code(outcome, arm, np.eye(len(levels))[first])
    samples = _samples(arm, seed)
    source: Literal["declared", "consensus", "coders"]
    if declared is not None:
        source, errors = "declared", [errors_as_declared(declared, first[rows]) for rows in samples]
    else:
        source = "consensus" if _whole_consensus(agreed) else "coders"
        errors = _coding_errors(codes, agreed, samples, len(levels))
    found = [_corrected(outcome[rows], arm[rows], first[rows], each) for rows, each in zip(samples, errors, strict=True)]
    right, draws = found[0], np.array([one for one in found[1:] if not isinstance(one, Unavailable)])
    rows = []
    for k, each in enumerate(levels):
        error, df = float(seen.std_error[k]), float(len(outcome) - 2 * len(levels))
        as_coded = estimate_of(each, float(seen.estimate[k]), error, df, level)
        if isinstance(right, Unavailable):
            rows.append(TypeEffect(each, as_coded, right, source))
        elif len(draws) < FEWEST_DRAWS * DRAWS:
            rows.append(TypeEffect(each, as_coded, UNSTABLE, source))
        else:
            low, high = (float(q) for q in np.quantile(draws[:, k], [(1 - level) / 2, (1 + level) / 2]))
            corrected = Estimate(
                each,
                float(right[k]),
                float(draws[:, k].std(ddof=1)),
                None,
                None,
                None,
                low,
                high,
                "institutions resampled",
                NO_TEST,
            )
            rows.append(TypeEffect(each, as_coded, corrected, source))
    return tuple(rows)


def estimate_of(term: str, estimate: float, error: float, df: float, level: float) -> Estimate:
    """Return an estimate with its t test and interval."""
    t = estimate / error
    half = float(t_quantile((1 + level) / 2, np.array(df))) * error
    p = 2 * float(t_tail(np.array(abs(t)), np.array(df)))
    return Estimate(term, estimate, error, df, t, p, estimate - half, estimate + half, "least squares of institution means")


def _corrected(outcome: Array, arm: Array, first: Codes, errors: CodingErrors | Unavailable) -> Array | Unavailable:
    if isinstance(errors, Unavailable):
        return errors
    types = len(errors.shares)
    if not all(((first == k) & (arm == a)).any() for k in range(types) for a in (0, 1)):
        return FEW_OF_A_TYPE
    found = corrected_effects(effects_by_code(outcome, arm, np.eye(types)[first]), errors)
    return found if isinstance(found, Unavailable) else found.estimate


def _coding_errors(codes: Codes, agreed: Codes, samples: Sequence[Codes], types: int) -> list[CodingErrors | Unavailable]:
    """Return the errors of the coders in samples of interviews.

    They are counted against the consensus where every interview has one, else two coders are held against each other: a
    consensus of the interviews alone in which coders differ would make them err more often than they do.
    """
    if _whole_consensus(agreed):
        return [errors_against_consensus(codes[rows].T.ravel(), np.tile(agreed[rows], codes.shape[1]), types) for rows in samples]
    if codes.shape[1] < 2 or types < 3:
        return [NO_ERRORS_KNOWN for _ in samples]
    tables = np.stack([table_of_codes(codes[rows, 0], codes[rows, 1], types) for rows in samples])
    right, shares = fitted_two_coders(tables)
    found = [CodingErrors(confusion, share) for confusion, share in zip(even_errors(right), shares, strict=True)]
    return [each if each.shares.min() > SMALLEST_SHARE else NEARLY_SINGULAR for each in found]


def _whole_consensus(agreed: Codes) -> bool:
    """Whether every interview has a consensus, and enough of them."""
    return bool((agreed >= 0).all()) and len(agreed) >= FEWEST_WITH_CONSENSUS


def _samples(arm: Array, seed: int) -> list[Codes]:
    """Return the institutions as they are, then drawn anew within the arms."""
    random = stream(seed, "effects by type")
    groups = [np.flatnonzero(arm == a) for a in (0, 1)]
    drawn = [np.concatenate([random.choice(group, size=len(group)) for group in groups]) for _ in range(DRAWS)]
    return [np.arange(len(arm)), *drawn]


def _ranks(codes: pd.Series, ranks: Mapping[str, int]) -> Codes:
    return codes.map(ranks).astype("float64").fillna(-1).to_numpy().astype(np.int64)
