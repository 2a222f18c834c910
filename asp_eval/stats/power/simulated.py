"""Power by simulation: trials are drawn, fitted by the engine, and tested as the analysis will test them.

The effect of a cluster's arm only shifts its outcome, and the arm is a column of the model; so a trial's estimate under
an effect is that without it plus the effect, and its standard error and degrees of freedom are the same. One set of
trials therefore answers for every effect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pandas as pd
from scipy import special

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.core.randomness import stream
from asp_eval.stats.estimate import Array, t_tail
from asp_eval.stats.power.designs import ClusterRobust, Sizes, TwoLevel
from asp_eval.stats.power.icc import IccDistribution
from asp_eval.stats.power.losses import Losses
from asp_eval.stats.power.many_tests import Fits, fit_trials
from asp_eval.stats.power.nested_design import NestedDesign
from asp_eval.stats.power.outcomes import Continuous
from asp_eval.stats.power.question import refuse_wrong_units
from asp_eval.stats.power.rejection import Test, TTest, check_test
from asp_eval.stats.power.trials import Arms, Counts, Population, draw_trials
from asp_eval.stats.power.values import Values, combinations, single
from asp_eval.stats.power.waves import Ancova, EndOnly, Waves, adjusted, correlations
from asp_eval.stats.smallsample.between_within import BetweenWithin
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.stats.smallsample.normal import Normal

NOT_SIMULATED = Fault(
    "PWR-040", "trials of this kind cannot be simulated: {why}", "Use power(), or simulate a two-level mixed model."
)
FEW_TRIALS = Fault(
    "PWR-041", "too few trials to estimate a power", "Ask for 1,000 or more; 10,000 give a standard error of half a percent."
)
ALLOCATIONS = Fault(
    "PWR-042", "the allocations do not fit the clusters", "Give one row for each trial and one column for each cluster."
)

CHUNK = 512
"""Trials at a time; a chunk has a stream of random numbers of its own."""
METHODS = (KenwardRoger, BetweenWithin, Normal)
Method = KenwardRoger | BetweenWithin | Normal


@dataclass(frozen=True, slots=True, eq=False)
class Situation:
    """Clusters as they are known, for a simulation: their strata, and the allocations the lot could give.

    Attributes
    ----------
    strata : ndarray, shape (J, q)
        Columns of the strata in the model, without the constant.
    allocations : callable
        From a number of trials to arms (trials, J): 0 control, 1 treated, others not compared.
    """

    strata: Array
    allocations: Callable[[int], Arms]


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedRow:
    """The trials of one combination, under no effect.

    Attributes
    ----------
    arguments : dict of str to object
    estimate, std_error, df : ndarray, shape (R,)
        As the method gives them; NaN where it gives none, and the test then does not reject.
    singular : float
        Share of trials in which the variance between clusters is estimated as zero.
    """

    arguments: dict[str, object]
    estimate: Array
    std_error: Array
    df: Array
    singular: float

    def rejections(self, effect: float, test: Test) -> Array:
        """Return which trials reject when there is an effect (R,)."""
        sign = -1.0 if effect < 0 else 1.0
        t = sign * (self.estimate + effect) / self.std_error
        fine = np.isfinite(t)
        t, df = np.where(fine, t, 0.0), np.where(fine, self.df, 1.0)
        two = test.sides == 2 and test.both_tails
        p = t_tail(np.abs(t) if two else np.maximum(t, 0.0), df)
        return np.asarray(fine & (p < test.alpha / test.sides) & (two | (t > 0)))


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedPower:
    """Power found by simulation.

    Attributes
    ----------
    rows : tuple of SimulatedRow
        One for each combination of arguments that were sequences.
    effects : tuple of float
    trials, seed : int
    test : TTest or ZTest
    assumptions : tuple of str
    """

    rows: tuple[SimulatedRow, ...]
    effects: tuple[float, ...]
    trials: int
    seed: int
    test: Test
    assumptions: tuple[str, ...] = field(default=())

    def frame(self) -> pd.DataFrame:
        """Return one row for each combination and effect.

        Returns
        -------
        DataFrame
            The arguments that were sequences, then effect, power, monte_carlo_error (the standard error of `power`),
            std_error and df (means over the trials), spread (the standard deviation of the estimates), rejects_zero (how often a
            trial without effect is found significant), singular, trials.
        """
        return pd.DataFrame([self._columns(row, effect) for row in self.rows for effect in self.effects])

    def _columns(self, row: SimulatedRow, effect: float) -> dict[str, object]:
        power = float(row.rejections(effect, self.test).mean())
        fine = np.isfinite(row.std_error)
        shown: dict[str, object] = {
            name: value if isinstance(value, (int, float)) else str(value) for name, value in row.arguments.items()
        }
        return shown | {
            "effect": effect,
            "power": power,
            "monte_carlo_error": float(np.sqrt(power * (1.0 - power) / self.trials)),
            "std_error": float(np.sqrt(np.mean(row.std_error[fine] ** 2))),
            "df": float(np.mean(row.df[fine])),
            "spread": float(np.std(row.estimate[fine], ddof=1)),
            "rejects_zero": float(row.rejections(0.0, self.test).mean()),
            "singular": row.singular,
            "trials": self.trials,
        }

    def __str__(self) -> str:
        table = self.frame().to_string(index=False, float_format=lambda x: f"{x:.4g}")
        return "\n".join([table, "Assumed:", *(f"  {a}" for a in self.assumptions)])

    __repr__ = __str__


def simulate_power(
    design: TwoLevel,
    effect: Values,
    *,
    waves: Waves | None = None,
    losses: Losses | None = None,
    test: Test | None = None,
    method: Method | None = None,
    situation: Situation | None = None,
    trials: int = 10_000,
    seed: int = 1,
) -> SimulatedPower:
    """Return the power of a two-level trial by simulating it.

    Every trial is drawn as its cross-products, fitted by REML with a random intercept of the cluster, and tested as an
    analysis would be. Outcome, baseline and cluster effects are normal; losses are at random.

    Parameters
    ----------
    design : TwoLevel
        Any of its numbers may be a sequence. An uncertain intraclass correlation is drawn anew for each trial.
    effect : float
        In total standard deviations.
    waves, losses, test
        As in `power`.
    method : KenwardRoger, BetweenWithin or Normal, optional
        By default Kenward and Roger's.
    situation : Situation, optional
        The strata of the clusters and the lot. By default every allocation with the design's share of treated
        clusters (in each of its strata) is as likely.
    trials, seed : int

    Returns
    -------
    SimulatedPower
        ``.frame()`` has power with its Monte Carlo error.

    Raises
    ------
    Refusal
        If the trial cannot be simulated, or too few are asked for.

    Examples
    --------
    >>> from asp_eval import TwoLevel
    >>> found = simulate_power(TwoLevel(clusters=40, size=25, icc=0.10), effect=0.35, trials=1000, seed=1).frame()
    >>> bool(abs(found["power"][0] - 0.8326) < 4 * found["monte_carlo_error"][0])
    True
    """
    if isinstance(trials, bool) or trials < 100:
        FEW_TRIALS.refuse("trials", found=trials)
    how = KenwardRoger() if method is None else method
    if not isinstance(how, METHODS):
        NOT_SIMULATED.refuse(
            "method", found=type(how).__name__, why=Phrase("the test is not one of KenwardRoger, BetweenWithin, Normal")
        )
    chosen = test or TTest()
    check_test(chosen)
    parts: dict[str, object] = {"design": design, "waves": waves or EndOnly(), "losses": losses or Losses()}
    effects = tuple(float(x) for x in np.atleast_1d(np.asarray(effect, float)))
    for one in effects:
        refuse_wrong_units(Continuous(), one)
    rows, said = [], []
    for resolved, varied in combinations(parts):
        plan, wave, lost = cast(Any, (resolved["design"], resolved["waves"], resolved["losses"]))
        rows.append(_row(_Plan(plan, wave, lost, situation), varied, how, trials, seed))
        said.append((*plan.account(), str(wave), str(lost)))
    common = tuple(a for a in said[0] if all(a in s for s in said))
    account = (*common, f"{trials:,} trials simulated with seed {seed}; normal outcomes; REML and {type(how).__name__}")
    return SimulatedPower(tuple(rows), effects, trials, seed, chosen, account)


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    design: TwoLevel
    waves: Waves
    losses: Losses
    situation: Situation | None

    @property
    def nested(self) -> NestedDesign:
        """The common form, at the middle of an uncertain intraclass correlation."""
        return self.design.nested(float(self.icc(np.array([0.5]))[0]))

    def icc(self, uniform: Array) -> Array:
        """Return the intraclass correlation of each trial."""
        value = self.design.icc
        if hasattr(value, "quantiles"):
            return cast(IccDistribution, value).quantiles(uniform)
        return np.full(len(uniform), single(value, "icc"))


def _row(plan: _Plan, varied: dict[str, object], method: Method, trials: int, seed: int) -> SimulatedRow:
    if not isinstance(plan.design, TwoLevel) or isinstance(plan.design.analysis, ClusterRobust):
        NOT_SIMULATED.refuse("design", why=Phrase("it is not a two-level design analysed by a mixed model"))
    sizes = cluster_sizes(plan.design)
    situation = plan.situation or _even_situation(plan.design, len(sizes), seed)
    arms = situation.allocations(trials)
    if arms.shape != (trials, len(sizes)):
        ALLOCATIONS.refuse("situation", found=str(arms.shape), expected=f"({trials}, {len(sizes)})")
    fits = []
    for number, start in enumerate(range(0, trials, CHUNK)):
        part = arms[start : start + CHUNK]
        random = stream(seed, "power", number)
        population = _population(plan, sizes, situation.strata, plan.icc(random.random(len(part))))
        own_means = isinstance(plan.waves, Ancova) and plan.waves.cluster_means
        columns = 2 + situation.strata.shape[1] + own_means
        fits.append(fit_trials(draw_trials(population, part, random), columns))
    return _tested(fits, varied, method)


def _tested(fits: Sequence[Fits], varied: dict[str, object], method: Method) -> SimulatedRow:
    whole = Fits(**{name: np.concatenate([getattr(f, name) for f in fits]) for name in Fits.__slots__})
    if isinstance(method, KenwardRoger):
        error, df = whole.adjusted_error, whole.df
    else:
        error = whole.std_error
        df = whole.clusters_df if isinstance(method, BetweenWithin) else np.full_like(error, np.inf)
    return SimulatedRow(varied, whole.estimate, error, df, float((whole.ratio == 0).mean()))


def _population(plan: _Plan, sizes: Counts, strata: Array, icc: Array) -> Population:
    """Return what the trials of a chunk are drawn from; variances are shared out by each trial's correlation."""
    levels = plan.nested.levels
    v = (icc, 1.0 - icc)
    left = [1.0 - level.r2 for level in levels]
    if isinstance(plan.waves, Ancova):
        r, k = correlations(levels, plan.waves), single(plan.waves.followups)
        spread = [(1.0 + (k - 1.0) * x) / k - x**2 for x in r]
        residual = tuple(v[i] * spread[i] * left[i] for i in range(2))
        return Population(sizes, strata, v, (r[0], r[1]), cast(Any, residual), plan.losses, plan.waves.cluster_means)
    halves = [x.__class__(x.name, 0.5, x.r2, x.count) for x in levels]  # the share that is left does not depend on the share
    after = adjusted(halves, plan.waves).levels
    residual = tuple(v[i] * 2.0 * after[i].share * left[i] for i in range(2))
    return Population(sizes, strata, None, (0.0, 0.0), cast(Any, residual), plan.losses)


def cluster_sizes(design: TwoLevel) -> Counts:
    """Return whole sizes of the clusters: those known, equal ones, or evenly spaced quantiles of a lognormal distribution.

    Examples
    --------
    >>> cluster_sizes(TwoLevel(clusters=5, size=20, icc=0.1, cv=0.5)).tolist()
    [8, 13, 18, 24, 37]
    """
    if isinstance(design.size, Sizes):
        sizes = np.array(design.size.values)
        return np.asarray(np.rint(sizes), np.int64)
    J, mean, cv = round(single(design.clusters, "clusters")), single(design.size, "size"), single(design.cv, "cv")
    spread = np.sqrt(np.log1p(cv**2))
    z = special.ndtri((np.arange(J) + 0.5) / J)
    drawn = np.exp(spread * z)
    scaled = mean * (1.0 + cv * (drawn - drawn.mean()) / drawn.std()) if cv > 0 else np.full(J, mean)
    return np.asarray(np.maximum(np.rint(scaled), 1.0), np.int64)


def _even_situation(design: TwoLevel, clusters: int, seed: int) -> Situation:
    """Return strata of the same size, dealt in turn, and a lot that keeps the share of treated clusters in each."""
    strata = round(single(design.strata))
    codes = np.arange(clusters) % strata
    order = np.argsort(codes, kind="stable")
    bounds = np.rint(np.cumsum(np.bincount(codes, minlength=strata)) * single(design.share)).astype(int)
    ends = np.cumsum(np.bincount(codes, minlength=strata))

    def allocations(trials: int) -> Arms:
        random = stream(seed, "power", "lot")
        out = np.zeros((trials, clusters), dtype=np.int8)
        for s in range(strata):
            held = order[(ends[s - 1] if s else 0) : ends[s]]
            first = np.zeros((trials, len(held)), dtype=np.int8)
            first[:, : bounds[s] - (bounds[s - 1] if s else 0)] = 1
            out[:, held] = random.permuted(first, axis=1)
        return out

    return Situation((codes[:, None] == np.arange(1, strata)) * 1.0, allocations)
