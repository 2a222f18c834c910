"""The demo's ``study.yaml``: commented, and complete enough for every verb."""

from __future__ import annotations

from asp_eval.synthetic import population as pop

TITLES = {
    "emotion": ("Følelsesmæssige vanskeligheder", "Emotional symptoms"),
    "conduct": ("Adfærdsvanskeligheder", "Conduct problems"),
    "hyper": ("Hyperaktivitet og uopmærksomhed", "Hyperactivity and inattention"),
    "peer": ("Vanskeligheder med jævnaldrende", "Peer problems"),
    "prosocial": ("Prosocial adfærd", "Prosocial behaviour"),
}
LABELS = {"w1": ("start", "start"), "w2": ("midtvejs", "midway"), "w3": ("slut", "end")}
PRIMARY = "conduct"

TEMPLATE = """\
# A synthetic trial in the shape of the ASP trial. Its data are simulated: nothing in it is a finding.
version: 1
study:
  id: asp-demo
  title: {{da: "ASP-demonstration", en: "ASP demonstration"}}
  synthetic: true                   # prints "synthetic data" on every page
languages: [da, en]
unit: institution

# --- the design -------------------------------------------------------------------------------------------------
arms: [reference, intervention]     # the first is what the other is compared with
arm_labels:
  reference: {{da: "Reference", en: "Reference"}}
  intervention: {{da: "Indsats", en: "Intervention"}}
strata: [municipality]              # the lot is drawn within each municipality
randomisation: {{scheme: stratified, ratio: [1, 1]}}
waves:
{waves}
eligibility: {{age_years: {{from: 3, below: 7}}, at: w1}}

# --- what is collected ------------------------------------------------------------------------------------------
collect:
  screening:                        # a list where a table collects other instruments at other waves
    - {{waves: [w1, w2, w3], instruments: [{{family: sdq-teacher}}]}}
    - {{waves: [w1], instruments: [gap-competences-child]}}
  staff_survey:
    - {{waves: [w1], instruments: [gap-competences-staff]}}
    - {{waves: [w3], instruments: [organisational-learning]}}
  interviews: {{rounds: [baseline, one_year], frame: asp-process, double_coded: 1}}   # two coders for every interview
received: {{table: implementation, sum: hours, at_least: 20}}   # an institution with less did not receive the intervention
programme:                          # what was to be delivered, by the items of TIDieR; made up like everything else here
  name: {{da: "Videns- og refleksionsforløb (syntetisk)", en: "Programme of knowledge and reflection (synthetic)"}}
  why: {{da: "Personale, der ser udsatte børn i deres sammenhæng, kan give dem bedre vilkår.",
        en: "Staff who see endangered children in their context can give them better conditions."}}
  materials: {{da: "Kursusmappe, refleksionsark og en GAP-profil for hver institution.",
              en: "Course folder, sheets for reflection and a GAP-profile for each institution."}}
  procedures: {{da: "Kurser, refleksionsmøder og arbejde med egne mål i institutionen.",
               en: "Courses, meetings for reflection and work on goals of the institution's own."}}
  who: {{da: "Undervisere og pædagogiske konsulenter; lederen i hverdagen.",
         en: "Teachers and pedagogical consultants; the manager from day to day."}}
  how: {{da: "Kurser i fælles hold, møder i hver institution.", en: "Courses in joint classes, meetings in each institution."}}
  where: {{da: "På kursussted og i institutionerne.", en: "At a course centre and in the institutions."}}
  when_and_how_much: {{da: "Fra første til sidste måling; mindst 20 timer for hver institution.",
                      en: "From the first to the last screening; at least 20 hours for each institution."}}
  tailoring: {{da: "Institutionen vælger selv sine mål ud fra GAP-profilen.",
               en: "The institution chooses its goals from its GAP-profile."}}
  planned_fidelity: {{da: "En log over timer og deltagere, med 20 timer som grænse.",
                      en: "A log of hours and participants, with 20 hours as the limit."}}
columns:                            # further columns of the exports, with their type
  institutions: {{places: integer}}
  children: {{mother_education: string, hours_per_week: number}}

# --- the analysis, settled before the outcomes are seen ----------------------------------------------------------
sets: {{itt: {{filter: null}}}}         # every child of the cohort, whatever became of the intervention
estimand: {{population: baseline-cohort, average: precision, movers: as-drawn, joiners: excluded}}
outcomes:                           # at the end of the trial; midway is looked at as well, and called exploratory
{outcomes}
analysis:
  set: itt
  covariates: [sex, age]            # the baseline score and the strata are added
  method: kenward-roger
  level: 0.95
  families:                         # p-values adjusted together
    primary: {{outcomes: [{primary}], adjust: holm}}
    secondary: {{outcomes: [{secondary}], adjust: holm}}
  missing_baseline: complete-cases  # children without a baseline score are left out, and counted
  subgroups: []

# --- the GAP-profile of each institution -------------------------------------------------------------------------
gap: {{staff: gap-competences-staff, child: gap-competences-child, wave: w1, arms: [intervention]}}
privacy: {{minimum_cell: 5, show_institution_names: false}}
"""


def demo_study_yaml() -> str:
    """Return the text of the demo's ``study.yaml``."""
    ordered = [PRIMARY, *(key for key in pop.SCALE_KEYS if key != PRIMARY)]
    outcomes = [_outcome(key, "w3") for key in ordered] + [_outcome(key, "w2") for key in ordered]
    return TEMPLATE.format(
        waves="\n".join(_wave(plan) for plan in pop.WAVES),
        outcomes="\n".join(outcomes),
        primary=PRIMARY,
        secondary=", ".join(ordered[1:]),
    )


def outcome_id(scale: str, wave: str) -> str:
    """Return the id of a scale's outcome in the demo's study: ``conduct`` at the end, ``conduct_midway`` midway."""
    return scale if wave == pop.WAVE_IDS[-1] else f"{scale}_{LABELS[wave][1]}"


def _wave(plan: pop.WavePlan) -> str:
    da, en = LABELS[plan.id]
    return f"  - {{id: {plan.id}, label: {{da: {da}, en: {en}}}, from: {plan.first}, to: {plan.last}}}"


def _outcome(scale: str, wave: str) -> str:
    da, en = TITLES[scale]
    late = wave == pop.WAVE_IDS[-1]
    role = "exploratory" if not late else "primary" if scale == PRIMARY else "secondary"
    better = "higher" if scale == "prosocial" else "lower"
    first = f'  - {{id: {outcome_id(scale, wave)}, label: {{da: "{da}", en: "{en}"}},'
    second = f"     score: sdq-teacher.{scale}, role: {role}, scale: continuous, better: {better}, at: {wave}, baseline: w1}}"
    return f"{first}\n{second}"
