"""Models of outcomes that are no measures: yes or no, bands, counts; and what each gives a reader.

A generalised or ordinal mixed model is fitted; its coefficients are then turned into shares: every child analysed is set to
each arm in turn, and the predictions are averaged over children and institutions (`average_effects`). t with between-within
degrees of freedom, whatever the plan says for continuous outcomes; where it permutes the lot, p is that of the score under
every allocation and the interval stays t's.

Where the arms do not move all bands' odds alike, an ordinal model's shares are wrong. Each band is then modelled by itself, a
yes or no of being in it, and the shares and their differences are those of these models.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import special

from asp_eval.analysis.formulas import INSTITUTION, arm_term, marginal_formula, model_formula
from asp_eval.analysis.plain_likelihood import LogDensity, bernoulli, cumulative_logit, plain_fit, poisson
from asp_eval.analysis.results import (
    NO_FAMILY,
    ArmEffect,
    ArmNumbers,
    Estimated,
    Number,
    ProportionalOdds,
    Recomputation,
    Share,
)
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import AspError, Fault, Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase, notes_in_one
from asp_eval.stats.estimate import Estimate, available, t_quantile
from asp_eval.stats.glmm.fit import glmm
from asp_eval.stats.glmm.result import GlmmFit
from asp_eval.stats.marginal.corrections import Robust
from asp_eval.stats.marginal.gee import gee
from asp_eval.stats.ordinal.fit import clmm
from asp_eval.stats.ordinal.result import ClmmFit
from asp_eval.stats.resampling.permutation import Permutation
from asp_eval.stats.smallsample.between_within import BetweenWithin
from asp_eval.stats.smallsample.method import Method
from asp_eval.stats.smallsample.normal import Normal

NO_ARM = Fault("ANA-060", "no child of the arm {arm!r} was analysed", "Import that arm's file.")
NODES = 15
"""Points of the quadrature: with so many the approximation is no longer seen in the numbers printed."""
SIDES = np.array([-1.0, 1.0])
NO_STANDARD = Phrase("shares and counts have no standard deviation of their own to be divided by")
NO_RATIO = Phrase("the model has no ratio")
OWN_METHOD = Phrase("The method of the plan is for measures; shares, bands and counts are judged by between-within t.")
SCORE_OF_THE_LOT = Phrase(
    "The p-value is by permutation of the lot: the score of the model without the arm, under every allocation it could have "
    "given; intervals are by between-within t."
)
NOT_REACHED = Unavailable(Phrase("the plain maximisation did not reach the maximum"))
PLAIN = Phrase("likelihood maximised by SciPy")
EQUATIONS = Phrase("estimating equations, robust")


@dataclass(frozen=True, slots=True)
class CategoryModel:
    """What models of outcomes that are no measures have in common."""

    def method(self, planned: Method) -> tuple[Method, Phrase]:
        """Return between-within t, unless the plan permutes the lot; and what must be said if it named another method."""
        if isinstance(planned, Permutation):
            return planned, NO_NOTE
        return BetweenWithin(), NO_NOTE if isinstance(planned, BetweenWithin) else OWN_METHOD

    def other_terms(self, method: Method) -> Method:  # noqa: ARG002
        """Return between-within t."""
        return BetweenWithin()

    def compare(
        self,
        planned: GlmmFit | ClmmFit,
        unadjusted: GlmmFit | ClmmFit,  # noqa: ARG002
        data: AnalysisSet,
        arms: Sequence[str],
        method: Method,
        level: float,
    ) -> ArmNumbers:
        """Return every later arm against the first, and the shares of all."""
        table = planned.average_effects("arm", method=BetweenWithin(), level=level)
        effects = tuple(self._effect(table[table["contrast"] == f"{arm} vs {arms[0]}"], arm) for arm in arms[1:])
        tested = tuple(_ratios_tested(replace(e, difference=_tested_by(method, planned, e))) for e in effects)
        return ArmNumbers(tested, self._shares(data, table, arms, level))

    def effect_size(
        self,
        effect: Estimate,  # noqa: ARG002
        unadjusted: GlmmFit | ClmmFit,  # noqa: ARG002
        data: AnalysisSet,  # noqa: ARG002
        arms: tuple[str, str],  # noqa: ARG002
        level: float,  # noqa: ARG002
    ) -> Estimated:
        """Return that there is none."""
        return Unavailable(NO_STANDARD)

    def one_arm(
        self,
        fit: GlmmFit | ClmmFit,  # noqa: ARG002
        table: pd.DataFrame,
        arms: tuple[str, str],
        weights: Mapping[str, float],  # noqa: ARG002
        level: float,  # noqa: ARG002
    ) -> tuple[Estimated, Estimated]:
        """Return an arm's difference to the first, and their ratio: of odds, of rates of a count.

        Parameters
        ----------
        fit : GlmmFit or ClmmFit
        table : DataFrame
            Averages of the fit over some children.
        arms : tuple of two str
            The first, and the one that the difference is of.
        weights : mapping of str to float
            The coefficients whose sum is the effect among these children.
        level : float
        """
        found = self._effect(table[table["contrast"] == f"{arms[1]} vs {arms[0]}"], arms[1])
        ratio = found.ratio if found.odds_ratio is None else found.odds_ratio
        return found.difference, Unavailable(NO_RATIO) if ratio is None else ratio

    def _effect(self, mine: pd.DataFrame, arm: str) -> ArmEffect:
        """Return one arm against the first, from its rows of averages."""
        found = {str(row["kind"]): _estimate(row, arm) for _, row in mine.iterrows()}
        if "difference" not in found:
            NO_ARM.refuse(arm=arm)
        return ArmEffect(
            arm, found["difference"], Unavailable(NO_STANDARD), NO_FAMILY, found.get("ratio"), found.get("odds_ratio")
        )

    def _shares(self, data: AnalysisSet, table: pd.DataFrame, arms: Sequence[str], level: float) -> tuple[Share, ...]:
        """Return observed and adjusted shares of the arms."""
        out = []
        for arm in arms:
            values = data.frame.loc[data.frame["arm"] == arm, data.outcome.id]
            row = table[(table["kind"] == "risk") & (table["arm"] == arm)]
            adjusted = _estimate(row.iloc[0], arm) if len(row) else Unavailable(Phrase("the arm has no children"))
            adjusted = in_range(adjusted, level, share=not data.outcome.is_count)
            out.append(Share(arm, "", len(values), int(values.sum()), adjusted))
        return tuple(out)

    @abstractmethod
    def fit(self, formula: str, frame: pd.DataFrame) -> GlmmFit | ClmmFit:
        """Fit by maximum likelihood."""

    @abstractmethod
    def density(self) -> LogDensity:
        """Return the density by which the model is computed again."""

    def recompute(self, data: AnalysisSet, planned: GlmmFit | ClmmFit, terms: Sequence[str]) -> tuple[Recomputation, ...]:
        """Return coefficients of the arms by a plain maximisation, on the model's own scale."""
        X = planned.design.fixed_matrix()[:, list(planned.kept)]
        y = planned.rows.y.astype(float) if isinstance(planned, ClmmFit) else planned.outcome.y
        cuts = None
        if isinstance(planned, ClmmFit):
            below = np.cumsum(np.bincount(planned.rows.y))[:-1] / len(y)
            X, cuts = X - X.mean(axis=0), np.log(below / (1.0 - below))
        again = plain_fit(self.density(), y, X, planned.design.groups[0].codes, np.zeros(X.shape[1]), cuts)
        rows = []
        for term in terms:
            ours = planned.contrast({term: 1.0}, method=Normal())
            if ours.estimate is None or ours.std_error is None:
                continue
            at = planned.names.index(term)
            theirs: tuple[Number, Number] = (
                (NOT_REACHED, NOT_REACHED) if again is None else (float(again.estimate[at]), float(again.std_error[at]))
            )
            rows.append(Recomputation("SciPy", model_formula(data), term, ours.estimate, ours.std_error, *theirs, PLAIN))
        return tuple(rows)


@dataclass(frozen=True, slots=True)
class GeneralisedMixedModel(CategoryModel):
    """A generalised linear mixed model: logit for yes or no, log for a count.

    Attributes
    ----------
    family : {"binomial", "poisson"}
    """

    family: str

    def fit(self, formula: str, frame: pd.DataFrame) -> GlmmFit:
        """Fit by maximum likelihood."""
        return glmm(formula, frame, family=self.family, n_quadrature=NODES)

    def density(self) -> LogDensity:
        """Return Bernoulli's or Poisson's."""
        return bernoulli if self.family == "binomial" else poisson

    def recompute(self, data: AnalysisSet, planned: GlmmFit | ClmmFit, terms: Sequence[str]) -> tuple[Recomputation, ...]:
        """Return them by a plain maximisation, and those of the marginal model by statsmodels."""
        own = CategoryModel.recompute(self, data, planned, terms)
        return (*own, *_equations_again(data, self.family, terms))


@dataclass(frozen=True, slots=True)
class OrdinalMixedModel(CategoryModel):
    """A cumulative logit model with random effects (proportional odds)."""

    def fit(self, formula: str, frame: pd.DataFrame) -> ClmmFit:
        """Fit by maximum likelihood; the outcome holds positions of categories."""
        return clmm(formula, frame, n_quadrature=NODES)

    def density(self) -> LogDensity:
        """Return the cumulative logit's."""
        return cumulative_logit

    def compare(
        self,
        planned: GlmmFit | ClmmFit,
        unadjusted: GlmmFit | ClmmFit,
        data: AnalysisSet,
        arms: Sequence[str],
        method: Method,
        level: float,
    ) -> ArmNumbers:
        """Return every later arm against the first, with the model's odds ratio, and the shares of all."""
        if not isinstance(planned, ClmmFit):
            raise TypeError(type(planned))
        found = CategoryModel.compare(self, planned, unadjusted, data, arms, method, level)
        odds = [planned.contrast({arm_term(arm): 1.0}, method=BetweenWithin(), level=level) for arm in arms[1:]]
        effects = [_ratios_tested(replace(e, odds_ratio=exponential(o))) for e, o in zip(found.effects, odds, strict=True)]
        test = planned.proportional_odds_test("arm")
        if test.statistic is None or test.df_numerator is None or test.p_value is None:
            return ArmNumbers(tuple(effects), found.shares, Unavailable(test.note))
        rejected = test.p_value < round(1.0 - level, 12)
        odds_test = ProportionalOdds(test.statistic * test.df_numerator, test.df_numerator, test.p_value, rejected)
        model_based = ArmNumbers(tuple(effects), found.shares, odds_test)
        return self._band_by_band(model_based, odds_test, data, arms, method, level) if rejected else model_based

    def _band_by_band(
        self, found: ArmNumbers, test: ProportionalOdds, data: AnalysisSet, arms: Sequence[str], method: Method, level: float
    ) -> ArmNumbers:
        """Return the shares and their differences by a model of each band, or what was found if one cannot be fitted."""
        outcome, tables, fits = data.outcome.id, [], []
        for k in range(len(data.categories)):
            inside = (data.frame[outcome] == position_of(data, k)).astype(float)
            try:
                fit = glmm(model_formula(data), data.frame.assign(**{outcome: inside}), n_quadrature=NODES)
                tables.append(fit.average_effects("arm", method=BetweenWithin(), level=level))
            except AspError:
                return found
            fits.append(fit)
        bands = [table.assign(**{outcome: f"{position_of(data, k):g}"}) for k, table in enumerate(tables)]
        averages = pd.concat(bands, ignore_index=True)
        table = averages[averages["kind"].isin(["risk", "difference"])]
        by_itself = (self._effect(table[table["contrast"] == f"{arm} vs {arms[0]}"], arm) for arm in arms[1:])
        effects = (
            replace(e, difference=_tested_by(method, fits[0], b), changes=b.changes)
            for e, b in zip(found.effects, by_itself, strict=True)
        )
        return ArmNumbers(tuple(effects), self._shares(data, table, arms, level), replace(test, band_by_band=True))

    def one_arm(
        self, fit: GlmmFit | ClmmFit, table: pd.DataFrame, arms: tuple[str, str], weights: Mapping[str, float], level: float
    ) -> tuple[Estimated, Estimated]:
        """Return the change of the share above the first category, and the model's odds ratio."""
        found = self._effect(table[table["contrast"] == f"{arms[1]} vs {arms[0]}"], arms[1])
        return found.difference, exponential(fit.contrast(dict(weights), method=BetweenWithin(), level=level))

    def _effect(self, mine: pd.DataFrame, arm: str) -> ArmEffect:
        """Return the change of the share above the first category, and of every share."""
        changes = tuple(_estimate(row, arm) for _, row in mine.iterrows())
        if not changes:
            NO_ARM.refuse(arm=arm)
        return ArmEffect(arm, _turned(changes[0]), Unavailable(NO_STANDARD), NO_FAMILY, changes=changes)

    def _shares(self, data: AnalysisSet, table: pd.DataFrame, arms: Sequence[str], level: float) -> tuple[Share, ...]:
        """Return observed and adjusted shares of every category."""
        outcome = data.outcome.id
        out = []
        for arm in arms:
            values = data.frame.loc[data.frame["arm"] == arm, outcome]
            for k, name in enumerate(data.categories):
                position = position_of(data, k)
                row = table[(table["kind"] == "risk") & (table["arm"] == arm) & (table[outcome] == f"{position:g}")]
                adjusted = _estimate(row.iloc[0], arm) if len(row) else Unavailable(Phrase("no child is in this category"))
                out.append(Share(arm, name, len(values), int((values == position).sum()), in_range(adjusted, level, share=True)))
        return tuple(out)


def position_of(data: AnalysisSet, k: int) -> float:
    """Return the number that stands for a category in the rows analysed."""
    return float(data.categories[k]) if not data.outcome.in_bands and data.outcome.cut is None else float(k)


def as_numbers(data: AnalysisSet) -> pd.DataFrame:
    """Return the children with the outcome as a number whose mean its effect is about; of bands, being above the first."""
    if not data.outcome.is_ordinal:
        return data.frame
    name = data.outcome.id
    return data.frame.assign(**{name: (data.frame[name] > position_of(data, 0)).astype(float)})


def averaged_difference(table: pd.DataFrame, arms: tuple[str, str]) -> Estimated:
    """Return the second arm less the first from a table of average effects."""
    mine = table[(table["kind"] == "difference") & (table["contrast"] == f"{arms[1]} vs {arms[0]}")]
    if mine.empty:
        NO_ARM.refuse(arm=arms[1])
    return _estimate(mine.iloc[0], arms[1])


def _tested_by(method: Method, fit: GlmmFit | ClmmFit, effect: ArmEffect) -> Estimated:
    """Return a difference; where the lot is permuted, with the lot's p-value in place of t's."""
    difference = effect.difference
    if not isinstance(method, Permutation) or not isinstance(difference, Estimate):
        return difference
    row = fit.contrast({arm_term(effect.arm): 1.0}, method=replace(method, interval=False))
    if row.p_value is None or row.statistic is None:
        note = Phrase(
            "The permutation test that the plan names cannot be had here, and between-within t stands in its place: {reason}",
            reason=row.note,
        )
        return replace(difference, note=notes_in_one([difference.note, note]))
    note = notes_in_one([difference.note, SCORE_OF_THE_LOT, method.went_through])
    statistic = float(np.copysign(row.statistic, difference.estimate or 0.0))  # the first band's model has the other sign
    return replace(difference, statistic=statistic, p_value=row.p_value, method="Permutation", note=note)


def _ratios_tested(effect: ArmEffect) -> ArmEffect:
    """Return an effect whose ratios have the lot's p-value where its difference has it: one test serves all."""
    difference = effect.difference
    if not isinstance(difference, Estimate) or difference.method != "Permutation":
        return effect

    def tested(ratio: Estimated | None) -> Estimated | None:
        if not isinstance(ratio, Estimate):
            return ratio
        statistic = float(np.copysign(difference.statistic or 0.0, (ratio.estimate or 1.0) - 1.0))
        return replace(ratio, statistic=statistic, p_value=difference.p_value, method="Permutation", note=difference.note)

    return replace(effect, ratio=tested(effect.ratio), odds_ratio=tested(effect.odds_ratio))


def _estimate(row: pd.Series, term: str) -> Estimated:
    """Return a row of averages as a value."""
    names = ("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high")
    value, se, df, t, p, low, high = (None if np.isnan(row[n]) else float(row[n]) for n in names)
    return available(Estimate(term, value, se, df, t, p, low, high, row["method"], row["note"]))


def in_range(found: Estimated, level: float, *, share: bool) -> Estimated:
    """Return a share with the interval of its log odds, or a mean of counts with that of its logarithm.

    Its ends stay where shares and counts can be. The standard error on that scale is by the delta method: the estimate's own
    over p(1 - p), or over the mean.

    Examples
    --------
    >>> p = Estimate("a", 0.04, 0.03, np.inf, None, None, -0.0188, 0.0988, "BetweenWithin", NO_NOTE)
    >>> found = in_range(p, 0.95, share=True)
    >>> round(found.conf_low, 3), round(found.conf_high, 3)
    (0.009, 0.162)
    """
    if isinstance(found, Unavailable) or found.estimate is None or found.std_error is None or found.df is None:
        return found
    value = found.estimate
    slope = value * (1.0 - value) if share else value
    if slope <= 0.0:
        return found
    half = float(t_quantile((1.0 + level) / 2.0, np.array(found.df))) * found.std_error / slope
    ends = special.expit(special.logit(value) + half * SIDES) if share else value * np.exp(half * SIDES)
    return replace(found, conf_low=float(ends[0]), conf_high=float(ends[1]))


def _turned(change: Estimated) -> Estimated:
    """Return the change of everything but one share, which is that share's with the sign turned."""
    if isinstance(change, Unavailable):
        return change
    turned = {n: None if (v := getattr(change, n)) is None else -v for n in ("estimate", "statistic", "conf_low", "conf_high")}
    return replace(
        change,
        estimate=turned["estimate"],
        statistic=turned["statistic"],
        conf_low=turned["conf_high"],
        conf_high=turned["conf_low"],
    )


def exponential(odds: Estimate) -> Estimated:
    """Return a log odds ratio as an odds ratio."""
    if odds.estimate is None or odds.std_error is None or odds.conf_low is None or odds.conf_high is None:
        return available(odds)
    ratio, low, high = (float(np.exp(v)) for v in (odds.estimate, odds.conf_low, odds.conf_high))
    return Estimate(
        odds.term, ratio, ratio * odds.std_error, odds.df, odds.statistic, odds.p_value, low, high, odds.method, odds.note
    )


def _equations_again(data: AnalysisSet, family: str, terms: Sequence[str]) -> tuple[Recomputation, ...]:
    """Fit the marginal model twice: by `gee` with robust standard errors, and by statsmodels."""
    try:
        fit = gee(marginal_formula(data), data.frame, cluster=INSTITUTION, family=family)
    except AspError:
        return ()
    import statsmodels.api as sm

    X = fit.design.fixed_matrix()[:, list(fit.columns.kept)]
    kind = sm.families.Binomial() if family == "binomial" else sm.families.Poisson()
    again = sm.GEE(fit.outcome.y, X, groups=fit.clusters.codes, family=kind).fit()
    rows = []
    for term in terms:
        ours = fit.contrast({term: 1.0}, method=Robust())
        if ours.estimate is None or ours.std_error is None:
            continue
        at = fit.names.index(term)
        rows.append(
            Recomputation(
                "statsmodels",
                marginal_formula(data),
                term,
                ours.estimate,
                ours.std_error,
                float(again.params[at]),
                float(again.bse[at]),
                EQUATIONS,
            )
        )
    return tuple(rows)
