from .analysis.allocations import allocations
from .analysis.outcomes import analyse
from .analysis.profiles import gap_profiles
from .analysis.sets import analysis_set
from .core.errors import AspError, DataProblems, Refusal, Unavailable
from .intake.pipeline import read_table
from .reporting.documents.pages import render
from .stats.engine.moments import Moments
from .stats.estimate import Estimate
from .stats.glmm.fit import glmm
from .stats.glmm.result import GlmmFit
from .stats.linear.ols import ols
from .stats.mixed.fit import lmm, lmm_from_moments
from .stats.power.analytic import minimum_detectable_effect, power
from .stats.power.designs import ClusterRobust, Individual, MixedModel, Sizes, ThreeLevel, TwoLevel
from .stats.power.icc import IccDraws, IccEstimate, IccInterval, IccTriangular
from .stats.power.losses import ByArm, Losses
from .stats.power.needed import sample_size
from .stats.power.outcomes import Binary, Continuous
from .stats.power.rejection import TTest, ZTest
from .stats.power.simulated import simulate_power
from .stats.power.sites import FixedSites, Multisite, RandomSites
from .stats.power.waves import Ancova, Change, EndOnly
from .stats.resampling.allocations import Allocations
from .stats.resampling.permutation import Permutation
from .stats.resampling.wild import WildBootstrap
from .stats.smallsample.between_within import BetweenWithin
from .stats.smallsample.cluster_robust import CR0, CR1, CR1S, CR2, CR3
from .stats.smallsample.kenward_roger import KenwardRoger
from .stats.smallsample.normal import Normal
from .stats.smallsample.satterthwaite import Satterthwaite
from .store import table
from .trial.instruments.library import instrument
from .trial.instruments.scoring import score
from .trial.randomisation.randomise import randomise
from .trial.study.protocol import load_study

__all__ = [
    "CR0",
    "CR1",
    "CR1S",
    "CR2",
    "CR3",
    "Allocations",
    "Ancova",
    "AspError",
    "BetweenWithin",
    "Binary",
    "ByArm",
    "Change",
    "ClusterRobust",
    "Continuous",
    "DataProblems",
    "EndOnly",
    "Estimate",
    "FixedSites",
    "GlmmFit",
    "IccDraws",
    "IccEstimate",
    "IccInterval",
    "IccTriangular",
    "Individual",
    "KenwardRoger",
    "Losses",
    "MixedModel",
    "Moments",
    "Multisite",
    "Normal",
    "Permutation",
    "RandomSites",
    "Refusal",
    "Satterthwaite",
    "Sizes",
    "TTest",
    "ThreeLevel",
    "TwoLevel",
    "Unavailable",
    "WildBootstrap",
    "ZTest",
    "allocations",
    "analyse",
    "analysis_set",
    "gap_profiles",
    "glmm",
    "instrument",
    "lmm",
    "lmm_from_moments",
    "load_study",
    "minimum_detectable_effect",
    "ols",
    "power",
    "randomise",
    "read_table",
    "render",
    "sample_size",
    "score",
    "simulate_power",
    "table",
]

__version__: str
