"""Designs as values: who is drawn by lot, and how individuals are nested.

In the letters of PowerUpR (Dong & Maynard 2013, J Res Educ Effectiveness 6:24): `Individual` is ira, `TwoLevel` cra2,
`ThreeLevel` cra3, `Multisite` with clusters bcra3 and without bira2; ``RandomSites`` is r, ``FixedSites`` f (or c, where
the effect is common). Every number may be a sequence; `power` then answers for every combination. The part of the
size that `sample_size` is to find is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from asp_eval.core.errors import Fault
from asp_eval.stats.estimate import Array
from asp_eval.stats.power.checked import Icc, check_icc, check_numbers, explained_words, icc_words, units_of
from asp_eval.stats.power.nested_design import Level, NestedDesign, known
from asp_eval.stats.power.sites import Multisite
from asp_eval.stats.power.values import Values, single

CV_TOO_LARGE = Fault(
    "PWR-016",
    "sizes with mean {size:g} in {units:g} clusters cannot vary that much: their coefficient of variation is at most {most:.3g}",
    "Give the standard deviation of the sizes over their mean, for example 0.4; or the sizes themselves: size=Sizes.of([...]).",
)
BAD_SIZES = Fault("PWR-017", "the sizes of the clusters are not usable", "Give two or more sizes, each 1 or more.")


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of the clusters themselves, where they are known: precision is then exact, not by their variation.

    Attributes
    ----------
    values : tuple of float

    Examples
    --------
    >>> Sizes.of([10, 20, 30]).mean, round(Sizes.of([10, 20, 30]).cv, 3)
    (20.0, 0.408)
    """

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float] | Array) -> Sizes:
        """Take any sequence of numbers."""
        return cls(tuple(float(v) for v in values))

    def __post_init__(self) -> None:
        if len(self.values) < 2 or not all(1 <= v < np.inf for v in self.values):
            BAD_SIZES.refuse("Sizes")

    @property
    def mean(self) -> float:
        """The mean size."""
        return float(np.mean(self.values))

    @property
    def cv(self) -> float:
        """The coefficient of variation, with the number of clusters as divisor."""
        return float(np.std(self.values) / np.mean(self.values))

    def __str__(self) -> str:
        return f"{len(self.values)} known sizes, mean {self.mean:.4g}, cv {self.cv:.2g}"


@dataclass(frozen=True, slots=True)
class MixedModel:
    """Analysis by a mixed model, which weights clusters by what they tell.

    Unequal sizes cost the relative efficiency of van Breukelen, Candel & Berger (2007, Stat Med 26:2589, eq. 10):
    1 - cv^2 lambda (1 - lambda), lambda = n tau^2 / (n tau^2 + sigma^2). With `Sizes` the information is summed exactly:
    sum n_j / (1 + (n_j - 1) rho).
    """

    def __str__(self) -> str:
        return "mixed model"


@dataclass(frozen=True, slots=True)
class ClusterRobust:
    """Analysis by least squares with cluster-robust standard errors, every individual counting the same.

    Unequal sizes multiply the variance between clusters by 1 + cv^2: the design effect 1 + ((cv^2 + 1) n - 1) rho of Eldridge,
    Ashby & Kerry (2006, Int J Epidemiol 35:1292).
    """

    def __str__(self) -> str:
        return "least squares with cluster-robust errors"


@dataclass(frozen=True, slots=True, eq=False)
class Individual:
    """Individuals drawn by lot, one by one.

    Attributes
    ----------
    individuals : float
        In both arms.
    share : float
        Of them that are treated.
    r2 : float
        Share of the variance that covariates explain.
    covariates : float
        Their number: each costs a degree of freedom.
    """

    individuals: Values | None
    share: Values = 0.5
    r2: Values = 0.0
    covariates: Values = 0

    def nested(self, icc: float) -> NestedDesign:  # noqa: ARG002
        """Return the common form."""
        n, share, r2, g = (
            known("individuals", self.individuals),
            single(self.share, "share"),
            single(self.r2, "r2"),
            single(self.covariates, "covariates"),
        )
        check_numbers(share, {"r2": r2}, {"covariates": g}, {"individuals": n})
        return NestedDesign(n, "individuals", share, (Level("individual", 1.0, r2, 1.0),), 1.0, 2.0 + g)

    def account(self) -> tuple[str, ...]:
        """Return what is assumed, in words."""
        said = (f"{single(self.individuals):g} individuals drawn by lot", f"{single(self.share):.3g} of them treated")
        return (*said, *explained_words({"": self.r2}))


@dataclass(frozen=True, slots=True, eq=False)
class TwoLevel:
    """Clusters drawn by lot, individuals within them.

    Attributes
    ----------
    clusters : float
        In both arms.
    size : float or Sizes
        Mean number of individuals in a cluster, or the sizes themselves.
    icc : float or IccDistribution
    cv : float
        Coefficient of variation of the sizes (standard deviation over mean).
    share : float
        Of the clusters that are treated.
    r2_cluster, r2_individual : float
        Share of the variance between and within clusters that covariates explain (beside a baseline given as `waves`).
    covariates_cluster : float
        Number of cluster-level covariates: each costs a degree of freedom.
    strata : float
        Strata of the draw that stand in the model as fixed effects: all but one cost a degree of freedom.
    analysis : MixedModel or ClusterRobust
        Decides what unequal sizes cost.
    """

    clusters: Values | None
    size: Values | Sizes | None
    icc: Icc
    cv: Values = 0.0
    share: Values = 0.5
    r2_cluster: Values = 0.0
    r2_individual: Values = 0.0
    covariates_cluster: Values = 0
    strata: Values = 1
    analysis: MixedModel | ClusterRobust = field(default_factory=MixedModel)

    def nested(self, icc: float) -> NestedDesign:
        """Return the common form at a value of the intraclass correlation."""
        units, share, g, strata = (
            units_of(self.clusters),
            single(self.share, "share"),
            single(self.covariates_cluster, "covariates_cluster"),
            single(self.strata, "strata"),
        )
        sizes = self.size.values if isinstance(self.size, Sizes) else ()
        size = self.size.mean if isinstance(self.size, Sizes) else known("size", self.size)
        cv = self.size.cv if isinstance(self.size, Sizes) else single(self.cv, "cv")
        r2 = {"r2_cluster": single(self.r2_cluster, "r2_cluster"), "r2_individual": single(self.r2_individual, "r2_individual")}
        check_numbers(share, r2, {"covariates_cluster": g, "cv": cv}, {"size": size, "strata": strata})
        check_icc(icc)
        most = np.sqrt(units - 1.0) * (size - 1.0) / size
        if cv > most * (1 + 1e-9):
            CV_TOO_LARGE.refuse("cv", found=cv, size=size, units=units, most=most)
        levels = (Level("cluster", icc, r2["r2_cluster"], 1.0), Level("individual", 1.0 - icc, r2["r2_individual"], size))
        ols = isinstance(self.analysis, ClusterRobust)
        lost = 2.0 + g + strata - 1.0
        return NestedDesign(units, "clusters", share, levels, 1.0, lost, cv=cv, sizes=() if ols else sizes, ols=ols)

    def account(self) -> tuple[str, ...]:
        """Return what is assumed, in words."""
        said = [
            f"{single(self.clusters):g} clusters drawn by lot",
            f"{single(self.share):.3g} of them treated",
            str(self.analysis),
        ]
        said += icc_words(self.icc)
        if isinstance(self.size, Sizes):
            said.append(f"unequal sizes: {self.size}{'' if isinstance(self.analysis, ClusterRobust) else '; information summed'}")
        elif single(self.cv) > 0:
            by = (
                "design effect 1 + ((cv^2 + 1) n - 1) ICC (Eldridge et al. 2006)"
                if isinstance(self.analysis, ClusterRobust)
                else "relative efficiency of van Breukelen, Candel & Berger (2007)"
            )
            said.append(f"unequal sizes: {by}, cv {single(self.cv):g}")
        else:
            said.append("all clusters have the same size")
        if not isinstance(self.size, Sizes):
            said.append(f"{single(self.size):g} individuals in a cluster")
        if single(self.strata) > 1:
            said.append(f"{single(self.strata):g} strata as fixed effects")
        return (*said, *explained_words({"between clusters": self.r2_cluster, "within clusters": self.r2_individual}))


@dataclass(frozen=True, slots=True, eq=False)
class ThreeLevel:
    """Clusters drawn by lot, subclusters within them, individuals within those.

    Attributes
    ----------
    clusters : float
        Top-level units in both arms.
    subclusters : float
        In one cluster.
    size : float
        Individuals in one subcluster.
    icc : float or IccDistribution
        Share of the variance between clusters.
    icc_subcluster : float
        Share of the variance between subclusters of a cluster.
    cv : float
        Coefficient of variation of the number of subclusters in a cluster.
    share, covariates_cluster, strata
        As in `TwoLevel`.
    r2_cluster, r2_subcluster, r2_individual : float
    """

    clusters: Values | None
    subclusters: Values | None
    size: Values | None
    icc: Icc
    icc_subcluster: Values
    cv: Values = 0.0
    share: Values = 0.5
    r2_cluster: Values = 0.0
    r2_subcluster: Values = 0.0
    r2_individual: Values = 0.0
    covariates_cluster: Values = 0
    strata: Values = 1

    def nested(self, icc: float) -> NestedDesign:
        """Return the common form at a value of the clusters' intraclass correlation."""
        units, share, g, strata = (
            units_of(self.clusters),
            single(self.share, "share"),
            single(self.covariates_cluster, "covariates_cluster"),
            single(self.strata, "strata"),
        )
        count, size = known("subclusters", self.subclusters), known("size", self.size)
        second, cv = single(self.icc_subcluster, "icc_subcluster"), single(self.cv, "cv")
        r2 = [
            single(self.r2_cluster, "r2_cluster"),
            single(self.r2_subcluster, "r2_subcluster"),
            single(self.r2_individual, "r2_individual"),
        ]
        shares = dict(zip(("r2_cluster", "r2_subcluster", "r2_individual"), r2, strict=True))
        check_numbers(share, shares, {"covariates_cluster": g, "cv": cv}, {"subclusters": count, "size": size, "strata": strata})
        check_icc(icc, second)
        most = np.sqrt(units - 1.0) * (count - 1.0) / count
        if cv > most * (1 + 1e-9):
            CV_TOO_LARGE.refuse("cv", found=cv, size=count, units=units, most=most)
        levels = (
            Level("cluster", icc, r2[0], 1.0),
            Level("subcluster", second, r2[1], count),
            Level("individual", 1.0 - icc - second, r2[2], size),
        )
        return NestedDesign(units, "clusters", share, levels, 1.0, 2.0 + g + strata - 1.0, cv=cv)

    def account(self) -> tuple[str, ...]:
        """Return what is assumed, in words."""
        said = [f"{single(self.clusters):g} clusters drawn by lot", f"{single(self.share):.3g} of them treated", "mixed model"]
        said += [f"{single(self.subclusters):g} subclusters in a cluster", f"{single(self.size):g} individuals in a subcluster"]
        said += [*icc_words(self.icc), f"ICC of subclusters {single(self.icc_subcluster):g}"]
        if single(self.cv) > 0:
            said.append(
                "unequal numbers of subclusters: relative efficiency of van Breukelen, Candel & Berger (2007), "
                f"cv {single(self.cv):g}"
            )
        r2 = {
            "between clusters": self.r2_cluster,
            "between subclusters": self.r2_subcluster,
            "within subclusters": self.r2_individual,
        }
        return (*said, *explained_words(r2))


Design = Individual | TwoLevel | ThreeLevel | Multisite
