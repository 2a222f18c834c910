"""Draws within sites: of clusters, or of individuals; sites fixed, or drawn from many."""

from __future__ import annotations

from dataclasses import dataclass, field

from asp_eval.stats.power.checked import Icc, check_icc, check_numbers, explained_words, icc_words
from asp_eval.stats.power.nested_design import Level, NestedDesign, check_least, check_shares, known
from asp_eval.stats.power.values import Values, single


@dataclass(frozen=True, slots=True)
class FixedSites:
    """Sites that are themselves the population: an effect for these sites, site means as fixed effects.

    Attributes
    ----------
    own_effects : bool
        Whether every site has an effect of its own and their mean is tested (PowerUpR's f); otherwise one common effect
        is assumed (c), which leaves more degrees of freedom.
    """

    own_effects: bool = False


@dataclass(frozen=True, slots=True)
class RandomSites:
    """Sites drawn from many, between which the effect varies.

    Attributes
    ----------
    heterogeneity : float
        omega: variance of the effect between sites over the variance of the sites' means.
    r2 : float
        Share of it that site covariates explain.
    """

    heterogeneity: Values
    r2: Values = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Multisite:
    """A draw within each of several sites: of clusters, or of individuals.

    Attributes
    ----------
    sites : float
    clusters : float or None
        Clusters in one site, both arms; 0 if individuals are drawn by lot; None if that is what `sample_size` finds.
    size : float
        Individuals in one cluster (or in one site, both arms).
    icc : float or IccDistribution
        Share of the variance between clusters of a site; 0 without clusters.
    icc_site : float
        Share of the variance between sites. With fixed sites 0 makes shares refer to the variance within sites.
    effects : FixedSites or RandomSites
    share : float
        Of each site's clusters (or individuals) that are treated.
    r2_cluster, r2_individual : float
    covariates : float
        Those that cost a degree of freedom: of sites if these are random, else of clusters (or individuals).
    """

    sites: Values | None
    clusters: Values | None
    size: Values | None
    icc: Icc = 0.0
    icc_site: Values = 0.0
    effects: FixedSites | RandomSites = field(default_factory=FixedSites)
    share: Values = 0.5
    r2_cluster: Values = 0.0
    r2_individual: Values = 0.0
    covariates: Values = 0

    def nested(self, icc: float) -> NestedDesign:
        """Return the common form at a value of the clusters' intraclass correlation."""
        sites, clusters = known("sites", self.sites), known("clusters", self.clusters)
        size, share, g, site = (
            known("size", self.size),
            single(self.share, "share"),
            single(self.covariates, "covariates"),
            single(self.icc_site, "icc_site"),
        )
        r2 = {"r2_cluster": single(self.r2_cluster, "r2_cluster"), "r2_individual": single(self.r2_individual, "r2_individual")}
        check_numbers(share, r2, {"covariates": g, "clusters": clusters}, {"sites": sites, "size": size})
        icc = icc if clusters else 0.0
        check_icc(icc, site)
        inner = Level("individual", 1.0 - icc - site, r2["r2_individual"], size if clusters else 1.0)
        levels = (Level("cluster", icc, r2["r2_cluster"], 1.0), inner) if clusters else (inner,)
        units, noun = sites * (clusters or size), "clusters" if clusters else "individuals"
        if isinstance(self.effects, FixedSites):
            return NestedDesign(units, noun, share, levels, 1.0, (2.0 * sites if self.effects.own_effects else sites + 1.0) + g)
        omega, explained = single(self.effects.heterogeneity), single(self.effects.r2)
        check_least(0.0, heterogeneity=omega)
        check_shares(r2=explained)
        spread = site * omega * (1.0 - explained) / sites
        return NestedDesign(units, noun, share, levels, 0.0, -(sites - 1.0 - g), heterogeneity=spread)

    def account(self) -> tuple[str, ...]:
        """Return what is assumed, in words."""
        clusters = single(self.clusters, "clusters")
        said = [
            f"{single(self.sites):g} sites",
            f"{single(self.share):.3g} of each site's {'clusters' if clusters else 'individuals'} treated",
        ]
        said += [f"{clusters:g} clusters in a site", *icc_words(self.icc)] if clusters else []
        said += [f"{single(self.size):g} individuals in a {'cluster' if clusters else 'site'}"]
        said += [f"ICC of sites {single(self.icc_site):g}"] if single(self.icc_site) else []
        if isinstance(self.effects, RandomSites):
            omega = single(self.effects.heterogeneity)
            said.append(f"random sites: the effect's variance between sites is {omega:g} times that of the sites' means")
        else:
            said.append(f"fixed sites with {'effects of their own' if self.effects.own_effects else 'a common effect'}")
        return (*said, *explained_words({"between clusters": self.r2_cluster, "within": self.r2_individual}))
