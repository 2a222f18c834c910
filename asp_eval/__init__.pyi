from .analysis.gap_results import GapResults
from .analysis.process.results import ProcessResults
from .analysis.results import Results
from .core.errors import AspError, DataProblems, Refusal, Unavailable
from .engines.duckdb_sums import moments_from_sql
from .intake.table import Table
from .reporting.documents.pages import render
from .stats.engine.moments import Moments
from .stats.estimands.standardised_effects import standardised_effects
from .stats.estimate import Estimate
from .stats.glmm.fit import glmm
from .stats.glmm.result import GlmmFit
from .stats.imputation.analyses import Analyses
from .stats.imputation.imputations import Imputations
from .stats.imputation.impute import impute
from .stats.imputation.pooling import pool
from .stats.linear.instrumental import AndersonRubin, ComplierFit, FirstStage, complier_effect
from .stats.linear.ols import OlsFit, ols
from .stats.marginal.corrections import FayGraubard, KauermannCarroll, ManclDeRouen, Robust
from .stats.marginal.gee import gee
from .stats.marginal.result import GeeFit
from .stats.means.resampled import ResampledClusters
from .stats.meta.aggregation import Aggregation, aggregation, within_group_agreement
from .stats.meta.agreement import agreement
from .stats.meta.agreement_over_codes import agreement_over_codes
from .stats.meta.multiplicity import step_down
from .stats.meta.reliability import ScaleReliability, reliability
from .stats.mixed.fit import lmm, lmm_from_moments
from .stats.mixed.result import MixedFit
from .stats.ordinal.fit import clmm
from .stats.ordinal.result import ClmmFit
from .stats.power.analytic import minimum_detectable_effect, power
from .stats.power.designs import ClusterRobust, Individual, MixedModel, Sizes, ThreeLevel, TwoLevel
from .stats.power.icc import IccDraws, IccEstimate, IccInterval, IccTriangular
from .stats.power.losses import ByArm, Losses
from .stats.power.needed import sample_size
from .stats.power.outcomes import Binary, Continuous
from .stats.power.rejection import TTest, ZTest
from .stats.power.result import PowerResult
from .stats.power.simulated import SimulatedPower, simulate_power
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
from .store.audit import Audit
from .store.import_report import ImportReport
from .trial.instruments.definition import Instrument
from .trial.instruments.library import instrument
from .trial.instruments.scoring import score
from .trial.randomisation.scheme import Allocation
from .trial.study.design import Study
from .trial.study.plan_fields import PlanLock
from .trial.study.protocol import load_study
from .trial.tables.schema import TableSchema
from .workflow.analyse import analyse
from .workflow.check import StudyCheck
from .workflow.demo import DemoStudy, demo
from .workflow.export import Export
from .workflow.forget import Forgotten
from .workflow.frames import allocations, analysis_set, read_table, table, table_schema
from .workflow.gap import gap_profiles
from .workflow.goal_worksheets import Worksheets
from .workflow.goals import GoalFile, GoalsImport
from .workflow.init import StartedStudy, init_study
from .workflow.open_study import StudyFolder, open_study
from .workflow.propose import ProposedMapping
from .workflow.randomise import Draw, randomise
from .workflow.report import Report
from .workflow.score import Scored

__all__ = [
    "CR0",
    "CR1",
    "CR1S",
    "CR2",
    "CR3",
    "Aggregation",
    "Allocation",
    "Allocations",
    "Analyses",
    "Ancova",
    "AndersonRubin",
    "AspError",
    "Audit",
    "BetweenWithin",
    "Binary",
    "ByArm",
    "Change",
    "ClmmFit",
    "ClusterRobust",
    "ComplierFit",
    "Continuous",
    "DataProblems",
    "DemoStudy",
    "Draw",
    "EndOnly",
    "Estimate",
    "Export",
    "FayGraubard",
    "FirstStage",
    "FixedSites",
    "Forgotten",
    "GapResults",
    "GeeFit",
    "GlmmFit",
    "GoalFile",
    "GoalsImport",
    "IccDraws",
    "IccEstimate",
    "IccInterval",
    "IccTriangular",
    "ImportReport",
    "Imputations",
    "Individual",
    "Instrument",
    "KauermannCarroll",
    "KenwardRoger",
    "Losses",
    "ManclDeRouen",
    "MixedFit",
    "MixedModel",
    "Moments",
    "Multisite",
    "Normal",
    "OlsFit",
    "Permutation",
    "PlanLock",
    "PowerResult",
    "ProcessResults",
    "ProposedMapping",
    "RandomSites",
    "Refusal",
    "Report",
    "ResampledClusters",
    "Results",
    "Robust",
    "Satterthwaite",
    "ScaleReliability",
    "Scored",
    "SimulatedPower",
    "Sizes",
    "StartedStudy",
    "Study",
    "StudyCheck",
    "StudyFolder",
    "TTest",
    "Table",
    "TableSchema",
    "ThreeLevel",
    "TwoLevel",
    "Unavailable",
    "WildBootstrap",
    "Worksheets",
    "ZTest",
    "aggregation",
    "agreement",
    "agreement_over_codes",
    "allocations",
    "analyse",
    "analysis_set",
    "clmm",
    "complier_effect",
    "demo",
    "gap_profiles",
    "gee",
    "glmm",
    "impute",
    "init_study",
    "instrument",
    "lmm",
    "lmm_from_moments",
    "load_study",
    "minimum_detectable_effect",
    "moments_from_sql",
    "ols",
    "open_study",
    "pool",
    "power",
    "randomise",
    "read_table",
    "reliability",
    "render",
    "sample_size",
    "score",
    "simulate_power",
    "standardised_effects",
    "step_down",
    "table",
    "table_schema",
    "within_group_agreement",
]

__version__: str
