"""Every population value of the synthetic trial, declared once, each with its source or marked as an assumption.

The trial that lends the demo its shape is the ASP trial (Danish name HPA). What is published about it is used as it is;
what is not published is assumed here and says so. Nothing in this file is a finding of the trial.

The scales are declared as they are reported: means, standard deviations, effects and shares of variance of the SDQ's
scores from 0 to 10. `calibration` works out the latent values that produce them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

ASSUMPTION = "assumption"
TRIAL = "Jensen, Holm & Bremberg 2013, Int J Educ Res 62:115-128, as entered in the Danish effect database, study 324"
TEACHER_SDQ = "teacher SDQ at ages 4 to 5, N = 122 (PMC5409073)"
TEACHER_SHARE = "between-teacher shares .23 (internalising) and .12 (externalising), Journal of School Psychology vol. 80"
INSTITUTION_SHARE = "assumption, below the .10 met at school level (Parker et al. 2025, BMC Med Res Methodol 25:120)"


@dataclass(frozen=True, slots=True)
class Value:
    """A number and where it comes from."""

    number: float
    source: str

    @property
    def assumed(self) -> bool:
        """Whether the number is this package's assumption."""
        return self.source.startswith(ASSUMPTION)


def assumed(number: float) -> Value:
    """Return a number that nobody has published."""
    return Value(number, ASSUMPTION)


@dataclass(frozen=True, slots=True)
class ScalePopulation:
    """One SDQ scale in the population.

    Attributes
    ----------
    mean, sd : Value
        Of the score (0 to 10) at the start; loading and thresholds reproduce them.
    effect_midway, effect_end : Value
        Intervention less reference, in standard deviations of the reference arm's score at that wave.
    institution_share, rater_share : Value
        Shares of the score's variance at the start: between institutions, and between raters within them.
    loading : float
        Correlation of an item's latent answer with the scale's factor, given age, sex and background.
    first, second : float
        Where the latent answer of an average item passes from 0 to 1 and from 1 to 2. Assumed.
    offsets : tuple of float
        What each item adds to both thresholds, in the scale's order of items. Assumed.
    per_year, boys, education : float
        What a year of age, being a boy, and one of three steps of the mother's education add to the factor, whose
        variance given these is 1. Assumed.
    """

    key: str
    mean: Value
    sd: Value
    effect_midway: Value
    effect_end: Value
    institution_share: Value
    rater_share: Value
    loading: float
    first: float
    second: float
    offsets: tuple[float, float, float, float, float]
    per_year: float
    boys: float
    education: float


SCALES = (
    ScalePopulation(
        key="emotion",
        mean=Value(1.2, TEACHER_SDQ),
        sd=Value(1.6, TEACHER_SDQ),
        effect_midway=assumed(-0.075),
        effect_end=Value(-0.15, TRIAL),
        institution_share=Value(0.05, INSTITUTION_SHARE),
        rater_share=Value(0.23, TEACHER_SHARE),
        loading=0.67,
        first=0.87,
        second=1.87,
        offsets=(-0.40, -0.25, 0.10, 0.10, 0.45),
        per_year=0.0,
        boys=0.0,
        education=-0.10,
    ),
    ScalePopulation(
        key="conduct",
        mean=Value(0.9, TEACHER_SDQ),
        sd=Value(1.6, TEACHER_SDQ),
        effect_midway=assumed(-0.10),
        effect_end=Value(-0.20, TRIAL),
        institution_share=Value(0.05, INSTITUTION_SHARE),
        rater_share=Value(0.12, TEACHER_SHARE),
        loading=0.77,
        first=1.18,
        second=1.88,
        offsets=(-0.45, -0.35, 0.10, 0.10, 0.60),
        per_year=-0.10,
        boys=0.30,
        education=-0.14,
    ),
    ScalePopulation(
        key="hyper",
        mean=Value(2.9, TEACHER_SDQ),
        sd=Value(2.9, TEACHER_SDQ),
        effect_midway=assumed(-0.10),
        effect_end=Value(-0.20, TRIAL),
        institution_share=Value(0.05, INSTITUTION_SHARE),
        rater_share=Value(0.12, TEACHER_SHARE),
        loading=0.78,
        first=0.21,
        second=1.01,
        offsets=(0.0, 0.0, -0.15, 0.05, 0.10),
        per_year=-0.10,
        boys=0.40,
        education=-0.14,
    ),
    ScalePopulation(
        key="peer",
        mean=Value(1.2, TEACHER_SDQ),
        sd=Value(1.6, TEACHER_SDQ),
        effect_midway=assumed(0.07),
        effect_end=Value(0.14, TRIAL),
        institution_share=Value(0.05, INSTITUTION_SHARE),
        rater_share=Value(0.23, TEACHER_SHARE),
        loading=0.60,
        first=0.89,
        second=1.69,
        offsets=(-0.10, -0.25, -0.05, 0.30, 0.10),
        per_year=-0.08,
        boys=0.15,
        education=-0.12,
    ),
    ScalePopulation(
        key="prosocial",
        mean=Value(7.5, TEACHER_SDQ),
        sd=Value(2.5, TEACHER_SDQ),
        effect_midway=assumed(-0.05),
        effect_end=Value(-0.10, "assumption: published as worse in the intervention group, its size is not"),
        institution_share=Value(0.05, INSTITUTION_SHARE),
        rater_share=Value(0.15, "assumption, between the two published shares"),
        loading=0.76,
        first=-1.29,
        second=-0.29,
        offsets=(-0.10, -0.10, -0.20, -0.10, 0.50),
        per_year=0.12,
        boys=-0.40,
        education=0.10,
    ),
)
SCALE_KEYS = tuple(scale.key for scale in SCALES)

# Correlations of the five factors, in the order of SCALES, alike for institutions, raters and children. Assumed.
FACTOR_CORRELATION = (
    (1.00, 0.25, 0.20, 0.45, -0.20),
    (0.25, 1.00, 0.60, 0.35, -0.50),
    (0.20, 0.60, 1.00, 0.30, -0.45),
    (0.45, 0.35, 0.30, 1.00, -0.45),
    (-0.20, -0.50, -0.45, -0.45, 1.00),
)
CHILD_STABILITY = 0.85  # correlation of a child's own part of a factor from one wave to the next; assumed
INSTITUTION_STABILITY = 0.80  # the same of an institution's part; assumed. A rater's part does not change

# A larger effect for children of well-educated mothers is published with the effects; the factors are assumed.
EDUCATION = ("short", "medium", "long")
EDUCATION_STEP = (-1, 0, 1)
EDUCATION_SHARES = (0.25, 0.45, 0.30)  # assumed
EFFECT_BY_EDUCATION = (0.70, 1.00, 1.25)  # their mean in the population is 1
BOYS = 0.51  # assumed


@dataclass(frozen=True, slots=True)
class WavePlan:
    """A wave's window, and what becomes of its answers. Rates are probabilities per child and are all assumed.

    Attributes
    ----------
    absent, older_absent, reference_absent : float
        Not rated; what is added for children over five and a half at the start, and in the reference arm.
    moved : float
        Since the wave before, to another institution of the municipality.
    joined : float
        Newcomers since the wave before, as a share of the institution's size.
    rater_left, new_group : float
        Since the wave before: a rater is succeeded by another; a child comes to another rater in its institution.
    """

    id: str
    first: date
    last: date
    absent: float
    older_absent: float = 0.0
    reference_absent: float = 0.0
    moved: float = 0.0
    joined: float = 0.0
    rater_left: float = 0.0
    new_group: float = 0.0

    @property
    def middle(self) -> date:
        """The day at which ages are taken."""
        return self.first + (self.last - self.first) / 2


# September 2006 to May 2008 is published; the windows within it are assumed.
WAVES = (
    WavePlan("w1", date(2006, 9, 1), date(2006, 11, 30), absent=0.03),
    WavePlan(
        "w2",
        date(2007, 8, 15),
        date(2007, 10, 31),
        absent=0.06,
        older_absent=0.08,
        reference_absent=0.02,
        moved=0.015,
        joined=0.06,
        rater_left=0.15,
        new_group=0.08,
    ),
    WavePlan(
        "w3",
        date(2008, 4, 1),
        date(2008, 5, 31),
        absent=0.08,
        older_absent=0.10,
        reference_absent=0.03,
        moved=0.010,
        joined=0.03,
        rater_left=0.10,
        new_group=0.08,
    ),
)
WAVE_IDS = tuple(wave.id for wave in WAVES)
STAYS_AWAY = 0.5  # of those absent midway, also absent at the end whatever else; assumed
ITEM_SKIPPED = 0.012  # assumed, as are the next two
HASTY_FORM = 0.02  # forms of which many items are skipped
HASTY_ITEM_SKIPPED = 0.30
HOURS_PER_WEEK = (33.0, 5.5)  # mean and SD of the hours a child is in the institution; assumed
NO_EDUCATION = 0.07  # children whose mother's education is not known; assumed
STAFF_ANSWERED = 0.88  # of the staff survey; assumed

# Published in the ASP paper ("Social innovation in public sector strategies addressing endangered children"): 60
# institutions in two municipalities, about 3,000 children, a pool of 237 centres with about 50 children each; in the source
# of the effects: 59 institutions analysed. How many were in each municipality is assumed.
MUNICIPALITIES = (("Aarhus", 40), ("Hvidovre", 20))
POOL = 237
CHILDREN_PER_INSTITUTION = 50
SIZE_SD = 17.0  # assumed; also the bounds
SMALLEST, LARGEST = 18, 110
CHILDREN_PER_RATER = 6.2  # assumed: about eight raters per institution

# Months before the start in which the children were born, equally likely; the first few are under three. Assumed.
YOUNGEST_MONTHS, OLDEST_MONTHS = 35, 77
CENTRE_OF_AGE = 4.75  # years at which the effect of age is zero


@dataclass(frozen=True, slots=True)
class CompetencePopulation:
    """The two sides of gap-competences. The instrument is this package's own, so every value is an assumption.

    Attributes
    ----------
    loading : float
        Correlation of an item's latent answer with its dimension's factor.
    child_institution, child_rater : float
        Shares of the factor's variance on the children's side; the rest is the child's.
    staff_institution : float
        Share on the staff's side; the rest is the person's.
    general : float
        Share of a child's, or a person's, own part that all dimensions have in common.
    halo : float
        Correlation of how competent staff find themselves in general with how competent they find the children they rate.
    sides : float
        Correlation of an institution's two sides on a dimension.
    dimension_sd : float
        Spread of the dimensions' levels, drawn once per side.
    child_cuts, staff_cuts : tuple of float
        Lowest and highest of the evenly spaced thresholds of an average item.
    per_year, boys, education : float
        As for the SDQ's scales, on the children's side.
    prosocial, hyper : float
        Correlation of a child's general part with the child's own part of these SDQ factors.
    asked_at : str
        The one wave at which the questionnaire of the children is handed in, as in the ASP trial.
    """

    loading: float = 0.80
    child_institution: float = 0.08
    child_rater: float = 0.15
    staff_institution: float = 0.25
    general: float = 0.60
    halo: float = 0.50
    sides: float = 0.20
    dimension_sd: float = 0.25
    child_cuts: tuple[float, float] = (-1.9, 1.1)
    staff_cuts: tuple[float, float] = (-2.2, 0.9)
    per_year: float = 0.25
    boys: float = -0.20
    education: float = 0.15
    prosocial: float = 0.50
    hyper: float = -0.40
    asked_at: str = "w1"


COMPETENCES = CompetencePopulation()
