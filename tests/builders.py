"""Hand-made results for the printing room: numbers chosen by hand, never from a fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from asp_eval.analysis.gap_results import GapDimension, GapEntry, GapProfile, GapResults
from asp_eval.analysis.gap_words import Verdict
from asp_eval.analysis.integrity import (
    ArmDose,
    Equivalence,
    InstitutionLine,
    Integrity,
    MissingnessModel,
    Omnibus,
    RaterMissingness,
)
from asp_eval.analysis.profiles import HIDDEN, NO_DIFFERENCES
from asp_eval.analysis.results import (
    NO_FAMILY,
    Adjustment,
    ArmEffect,
    ArmSummary,
    BaselineRow,
    FormSwitches,
    OutcomeResult,
    Recomputation,
    Reliability,
    Results,
)
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.estimate import Estimate, JointTest, available
from asp_eval.store.provenance import Provenance
from asp_eval.trial.disclosure.bands import CountBand
from asp_eval.trial.disclosure.limits import Limits
from asp_eval.trial.flow.attrition import ArmRetention, OutcomeAttrition, attrition
from asp_eval.trial.flow.contamination import Contamination, ExternalProjects, Shared
from asp_eval.trial.flow.counts import AnalysedFlow, ArmFlow, FlowCounts, NotScreened, Received, WaveFlow
from asp_eval.trial.study.design import Study

ARMS = ("reference", "intervention")
FLAT = Phrase("the outcome does not vary")
DATES = {"w1": ("2006-09-01", "2006-11-30"), "w2": ("2007-08-15", "2007-10-31"), "w3": ("2008-04-01", "2008-05-31")}
WAVES = {"w1": {"da": "start", "en": "start"}, "w2": {"da": "midtvejs", "en": "midway"}, "w3": {"da": "slut", "en": "end"}}


def study(**changes: Any) -> Study:
    """A synthetic study of 60 institutions; changes are keys of study.yaml."""
    declared = {
        "version": 1,
        "study": study_title(),
        "languages": ["da", "en"],
        "arms": list(ARMS),
        "strata": ["municipality"],
        "waves": [{"id": key, "label": label, "from": DATES[key][0], "to": DATES[key][1]} for key, label in WAVES.items()],
        "eligibility": {"age_years": {"from": 3, "below": 7}, "at": "w1"},
        "randomisation": {"scheme": "stratified", "ratio": [1 for _ in changes.get("arms", ARMS)]},
        "collect": {"screening": {"waves": list(WAVES), "instruments": [{"family": "sdq-teacher"}]}},
        "outcomes": [
            {"id": key, "score": f"sdq-teacher.{key}", "role": "primary", "better": "lower", "at": "w3", "baseline": "w1"}
            for key in ("conduct", "emotion", "peer", "prosocial", "impact")
        ],
        "received": {"sum": "hours", "at_least": 20},
        "analysis": {"covariates": ["sex", "age"]},
    }
    return Study.model_validate({**declared, **changes})


def study_title(**changes: Any) -> dict[str, Any]:
    """The titles of the study."""
    title = {"da": "Handlekompetencer i pædagogisk arbejde", "en": "Action competencies in pedagogical work"}
    return {"id": "asp", "title": title, "synthetic": True, **changes}


def provenance(**changes: Any) -> Provenance:
    """Results that were computed by hand."""
    value = Provenance(
        state="",
        ledger_head="",
        inputs={},
        package_version="0.1.0",
        libraries={},
        allocation_date="2006-08-15",
        allocation_source="",
        quarantined={},
    )
    return replace(value, **changes)


ARM_TERM = "arm[T.intervention]"


def estimate(
    value: float | None = -0.42,
    std_error: float | None = 0.16,
    *,
    term: str = ARM_TERM,
    p: float | None = 0.0112,
    df: float | None = 57.0,
    method: str = "between-within",
    note: str = "",
) -> Estimate:
    """An estimate with an interval of two standard errors, or without numbers."""
    if value is None or std_error is None:
        return Estimate(term, value, None, None, None, None, None, None, method, note)
    return Estimate(term, value, std_error, df, value / std_error, p, value - 2 * std_error, value + 2 * std_error, method, note)


def analysed(outcome: str, wave: str = "w3") -> tuple[AnalysedFlow, ...]:
    """The two arms of one analysis: 1,226 and 1,232 children."""
    return (
        AnalysedFlow(outcome, wave, "reference", 30, 1432, 0, NotScreened(0, 0, 40, 122), 9, 31, 4, 1226, 30),
        AnalysedFlow(outcome, wave, "intervention", 30, 1448, 0, NotScreened(46, 0, 31, 103), 0, 33, 3, 1232, 29),
    )


def effect_size(value: float) -> Estimate:
    """An effect size with an interval, and no test of its own."""
    note = "the test is that of the difference on the score's own scale"
    return Estimate(ARM_TERM, value, 0.07, 57.0, None, None, value - 0.14, value + 0.14, "Hedges", note)


def intraclass(value: float, low: float | None = None, high: float | None = None) -> Estimate:
    """An intraclass correlation."""
    return Estimate("institution", value, None, None, None, None, low, high, "profile likelihood")


def outcome(key: str = "conduct", **changes: Any) -> OutcomeResult:
    """One outcome at the end, lower is better, in favour of the intervention.

    `effect`, `size` and `adjusted` are those of the one arm compared; without `adjusted` the outcome is in no family.
    """
    effect = changes.pop("effect", estimate())
    size = changes.pop("size", -0.20)
    adjusted = changes.pop("adjusted", effect.p_value)
    model = f"{key} ~ arm + baseline + municipality + sex + age + (1 | institution)"
    result = OutcomeResult(
        outcome=key,
        label={"da": "Adfærdsproblemer", "en": "Conduct problems"},
        wave="w3",
        set="itt",
        role="primary",
        better="lower",
        model=model,
        n_children=2458,
        n_institutions=59,
        effects=(
            ArmEffect(
                "intervention",
                available(effect),
                size if isinstance(size, Unavailable) else effect_size(size),
                NO_FAMILY if adjusted is None else adjusted,
            ),
        ),
        coefficients=(
            estimate(1.31, 0.21, term="Intercept", p=0.00001),
            effect,
            estimate(0.51, 0.018, term="baseline", p=0.0, df=2391.4),
            estimate(-0.03, 0.15, term="municipality[T.Hvidovre]", p=0.84),
        ),
        adjustment=None if adjusted is None else Adjustment("holm", 1),
        icc=intraclass(0.082, 0.05, 0.13),
        icc_adjusted=intraclass(0.051),
        notes=(),
        recomputations=(
            Recomputation("statsmodels", model, effect.term, -0.42, 0.16, -0.42001, 0.16003),
            Recomputation("linearmodels", f"{key} ~ arm", effect.term, -0.40, 0.17, -0.40, 0.17, Phrase("least squares, CR1S")),
        ),
        analysed=analysed(key),
        arms=(ArmSummary("reference", 1226, 0, 2.31, 2.08), ArmSummary("intervention", 1232, 0, 1.94, 1.97)),
    )
    return replace(result, **changes)


def outcomes() -> tuple[OutcomeResult, ...]:
    """Five outcomes: found, uncertain, harmful, higher is better, and one without a number."""
    secondary = {"role": "secondary", "adjusted": None, "recomputations": ()}
    return (
        outcome(),
        outcome(
            "emotion",
            label={"da": "Følelsesmæssige problemer", "en": "Emotional problems"},
            effect=estimate(-0.13, 0.14, p=0.36),
            size=-0.07,
            **secondary,
        ),
        outcome(
            "peer",
            label={"da": "Problemer med jævnaldrende", "en": "Peer problems"},
            effect=estimate(0.31, 0.11, p=0.0067),
            size=0.16,
            **secondary,
        ),
        outcome(
            "prosocial",
            label={"da": "Social adfærd", "en": "Prosocial behaviour"},
            better="higher",
            effect=estimate(0.24, 0.19, p=0.21),
            size=0.10,
            **secondary,
        ),
        outcome(
            "impact",
            label={"da": "Belastning", "en": "Impact"},
            effect=estimate(None, note=FLAT),
            size=Unavailable(FLAT),
            icc=Unavailable(FLAT),
            icc_adjusted=Unavailable(FLAT),
            arms=(),
            **{**secondary, "role": "exploratory"},
        ),
    )


def flow() -> FlowCounts:
    """Two arms of 30 institutions through three waves."""
    return FlowCounts(
        60,
        0,
        (
            ArmFlow(
                "reference",
                30,
                1530,
                1432,
                21,
                77,
                (
                    wave_flow("w1", 1432, 1398, NotScreened(0, 0, 34, 0), lost=0),
                    wave_flow("w2", 1432, 1322, NotScreened(0, 0, 28, 82), lost=61, moved=12, crossed=3, joined=40),
                    wave_flow("w3", 1432, 1270, NotScreened(0, 0, 40, 122), lost=122, moved=23, crossed=7, joined=77),
                ),
                Received(1, 52),
            ),
            ArmFlow(
                "intervention",
                30,
                1544,
                1448,
                18,
                78,
                (
                    wave_flow("w1", 1448, 1410, NotScreened(0, 0, 38, 0), lost=0),
                    wave_flow("w2", 1448, 1330, NotScreened(0, 0, 41, 77), lost=55, moved=14, crossed=6, joined=39),
                    wave_flow("w3", 1448, 1268, NotScreened(46, 0, 31, 103), closed=1, lost=149, moved=20, crossed=4, joined=78),
                ),
                Received(28, 1371),
            ),
        ),
    )


def wave_flow(
    wave: str,
    cohort: int,
    screened: int,
    why: NotScreened,
    *,
    lost: int,
    closed: int = 0,
    moved: int = 0,
    crossed: int = 0,
    joined: int = 0,
) -> WaveFlow:
    """One arm of 30 institutions at one wave."""
    return WaveFlow(
        wave=wave,
        institutions=30,
        with_data=30 - closed,
        closed=closed,
        silent=0,
        institutions_lost=closed,
        cohort=cohort,
        screened=screened,
        not_screened=why,
        absent=why.total - lost,
        lost=lost,
        moved=moved,
        crossed=crossed,
        joined=joined,
    )


def baseline() -> tuple[BaselineRow, ...]:
    """Institutions and children at the start."""
    conduct = {"da": "Adfærdsproblemer", "en": "Conduct problems"}
    sex = {"da": "Køn", "en": "Sex"}
    place = {"da": "Kommune", "en": "Municipality"}

    def counts(n0: int, n1: int, of0: int, of1: int, missing: int = 0) -> tuple[ArmSummary, ...]:
        return ArmSummary("reference", of0, missing, count=n0), ArmSummary("intervention", of1, missing, count=n1)

    def measures(m0: float, m1: float, sd: float, missing: int) -> tuple[ArmSummary, ...]:
        first, last = 1432 - missing, 1448 - missing
        return ArmSummary("reference", first, missing, m0, sd), ArmSummary("intervention", last, missing, m1, sd)

    return (
        BaselineRow("municipality", place, "Aarhus", "institution", counts(19, 19, 30, 30), (0.0,)),
        BaselineRow("municipality", place, "Hvidovre", "institution", counts(11, 11, 30, 30), (0.0,)),
        BaselineRow("sex", sex, "girl", "child", counts(702, 695, 1432, 1448), (-0.02,)),
        BaselineRow("sex", sex, "boy", "child", counts(730, 753, 1432, 1448), (0.02,)),
        BaselineRow("age", {"da": "Alder i år", "en": "Age in years"}, "", "child", measures(4.51, 4.46, 0.88, 0), (-0.06,)),
        BaselineRow("conduct", conduct, "", "child", measures(2.4, 2.47, 2.1, 34), (0.03,)),
        BaselineRow("sex", sex, "girl", "institution_mean", institution_means(0.49, 0.48, 0.07), (-0.14,)),
        BaselineRow("conduct", conduct, "", "institution_mean", institution_means(2.41, 2.46, 0.61), (0.08,)),
    )


def institution_means(m0: float, m1: float, sd: float) -> tuple[ArmSummary, ...]:
    """Means over the 30 institutions of each arm."""
    return ArmSummary("reference", 30, 0, m0, sd), ArmSummary("intervention", 30, 0, m1, sd)


def integrity(**changes: Any) -> Integrity:
    """Balance, missing answers, contacts and dose of the whole study."""
    age, base = estimate(0.044, 0.012, term="age", p=0.0011), estimate(0.0052, 0.0048, term="baseline", p=0.295)
    value = Integrity(
        omnibus=Omnibus(8.6, 8, 0.3795, 10_000, False, ("cohort_size", "sex:boy", "age", "conduct"), 60, 0),
        equivalence=(
            Equivalence("conduct", "intervention", 0.0992, 0.077, 2458, 59, "adjust", True),
            Equivalence("emotion", "intervention", -0.0044, 0.064, 2460, 59, "satisfied", True),
            Equivalence("peer", "intervention", 0.31, 0.1, 2460, 59, "not-satisfied", True),
            Equivalence("impact", "intervention", Unavailable(Phrase("the measure does not vary")), 0.0, 2460, 59, None, True),
        ),
        institution_lines=(
            InstitutionLine(1, "reference", CountBand(15, None), (None, None, CountBand(5, 9)), 20.0, True),
            InstitutionLine(2, "reference", CountBand(15, None), (None, None, None), 0.0, False),
            InstitutionLine(3, "intervention", CountBand(15, None), (None, None, CountBand(15, None)), 40.0, True),
            InstitutionLine(4, "intervention", CountBand(15, None), (None, None, CountBand(5, 9)), 10.0, False),
        ),
        raters=(
            RaterMissingness("reference", "w2", 162, 1137, 105, 0.0, 0.0, 0.43),
            RaterMissingness("intervention", "w2", 164, 1140, 97, 0.0, 0.125, 0.4),
            RaterMissingness("reference", "w3", 0, 0, 0, None, None, None),
        ),
        predictors=(
            MissingnessModel(
                "conduct",
                "w3",
                (1397, 1400),
                (280, 184),
                (estimate(-0.069, 0.021, p=0.0018),),
                (
                    (estimate(0.018, 0.021, term="sex[T.girl]", p=0.393), age, base),
                    (estimate(None, term="sex[T.girl]", note=Phrase("the outcome has the same value in every row")), age, base),
                ),
                JointTest("x", 1.41, 3.0, 46.8, 0.252, "CR2"),
            ),
        ),
        contamination=Contamination(
            Shared(611, 2, 4),
            Shared(842, 5, 9),
            (ExternalProjects("reference", 30, 11), ExternalProjects("intervention", 30, 9)),
        ),
        dose=(
            ArmDose("reference", 30, 2, 36.0, 1.2, 4.7, 0.0, 24.0),
            ArmDose("intervention", 30, 30, 1248.0, 41.6, 11.2, 12.0, 63.5),
        ),
    )
    return replace(value, **changes)


def results(**changes: Any) -> Results:
    """The results of the whole study."""
    conduct = {"da": "Adfærdsproblemer", "en": "Conduct problems"}
    value = Results(
        study=study(),
        provenance=provenance(),
        informants=("teacher",),
        flow=flow(),
        baseline=baseline(),
        outcomes=outcomes(),
        reliabilities=(
            Reliability(
                "sdq-teacher",
                "conduct",
                conduct,
                "w3",
                2529,
                Estimate("alpha", 0.74, None, None, None, None, 0.72, 0.76, "Feldt"),
            ),
            Reliability(
                "sdq-teacher",
                "peer",
                {"da": "Problemer med jævnaldrende", "en": "Peer problems"},
                "w3",
                2529,
                Unavailable(Phrase("too few complete answers")),
            ),
        ),
        switches=(
            FormSwitches("sdq-teacher", "w1", {"sdq-teacher-2-4": 812, "sdq-teacher-4-17": 1996}, 0),
            FormSwitches("sdq-teacher", "w3", {"sdq-teacher-2-4": 14, "sdq-teacher-4-17": 2515}, 790),
        ),
        attrition=attrition_of_the_trial(),
        integrity=integrity(),
    )
    return replace(value, **changes)


def attrition_of_the_trial() -> tuple[OutcomeAttrition, ...]:
    """Of 30 institutions each, none and one are lost; of 1,432 and 1,402 children in those that stayed, 206 and 170."""
    comparisons = (
        attrition("institutions", ArmRetention("reference", 30, 30), ArmRetention("intervention", 30, 29)),
        attrition("children", ArmRetention("reference", 1432, 1226), ArmRetention("intervention", 1402, 1232)),
    )
    return tuple(OutcomeAttrition(key, "w3", comparisons, (77, 78), 0) for key in ("conduct", "emotion"))


DIMENSIONS = (
    (
        "personal",
        "Personlige kompetencer",
        "Personal competences",
        (
            ("self_worth", "Selvværd", "Self-worth"),
            ("emotions", "Følelser", "Emotions"),
            ("independence", "Selvstændighed", "Independence"),
        ),
    ),
    (
        "social",
        "Sociale kompetencer",
        "Social competences",
        (
            ("play", "Leg og venskab", "Play and friendship"),
            ("empathy", "Indlevelse", "Empathy"),
            ("cooperation", "Samarbejde og uenighed", "Cooperation and disagreement"),
        ),
    ),
    (
        "learning",
        "Kognitive kompetencer og læring",
        "Cognitive and learning competences",
        (
            ("language", "Sprog", "Language"),
            ("attention", "Opmærksomhed", "Attention"),
            ("curiosity", "Nysgerrighed og udforskning", "Curiosity and exploration"),
        ),
    ),
)


def gap_dimensions() -> tuple[GapDimension, ...]:
    """Nine dimensions in three areas; on the last one institutions do not differ."""
    flat = [(key, da, en, area, a_da, a_en) for area, a_da, a_en, members in DIMENSIONS for key, da, en in members]
    return tuple(
        GapDimension(
            key,
            {"da": da, "en": en},
            area,
            {"da": a_da, "en": a_en},
            70.0,
            62.0,
            8.0,
            *((0.0, 8.0, 8.0) if key == "curiosity" else (6.0, 3.96, 12.04)),
        )
        for key, da, en, area, a_da, a_en in flat
    )


def gap_entry(dimension: str, staff: int, child: int, gap: int, verdict: Verdict, half: int = 6) -> GapEntry:
    """An entry with all its numbers."""
    return GapEntry(dimension, staff, child, gap, gap - half, gap + half, 0.62, verdict, NO_NOTE)


def gap_profile(name: str = "Solsikken", key: str = "inst-01") -> GapProfile:
    """A profile with every kind of entry."""
    entries = (
        gap_entry("self_worth", 81, 52, 21, "clearly-staff-higher"),
        gap_entry("emotions", 72, 66, 7, "not-distinguishable"),
        gap_entry("independence", 70, 62, 8, "as-most", 3),
        gap_entry("play", 55, 71, -9, "clearly-child-higher"),
        gap_entry("empathy", 67, 66, 2, "perhaps-child-higher"),
        GapEntry("cooperation", None, None, None, None, None, None, None, HIDDEN),
        gap_entry("language", 77, 61, 13, "perhaps-staff-higher"),
        gap_entry("attention", 64, 55, 9, "not-distinguishable"),
        GapEntry("curiosity", 71, 64, None, None, None, 0.0, None, NO_DIFFERENCES),
    )
    return GapProfile(key, name, key, entries, CountBand(5, 9), CountBand(15, None), "self_worth")


def gap_results(profiles: tuple[GapProfile, ...] = (), **changes: Any) -> GapResults:
    """The profiles of a study."""
    value = GapResults(
        study_id="asp",
        title={"da": "Handlekompetencer i pædagogisk arbejde", "en": "Action competencies in pedagogical work"},
        synthetic=True,
        languages=("da", "en"),
        wave="w1",
        wave_label=WAVES["w1"],
        staff_instrument="gap-competences-staff",
        child_instrument="gap-competences-child",
        limits=Limits(),
        level=0.95,
        show_names=True,
        covariance_note=NO_NOTE,
        dimensions=gap_dimensions(),
        profiles=profiles or (gap_profile(),),
        package_version="0.1.0",
    )
    return replace(value, **changes)
