"""The plain-language summary.

1. What is uncertain is called uncertain, never "no effect".  2. A harmful direction is said plainly.  3. Adjustment for several
outcomes can take a finding back.  4. Without numbers there is a reason.  5. The direction follows `better`.  6. Of several arms
each is named, one round has no start, and shares are in points.
"""

from __future__ import annotations

from dataclasses import replace

import builders
import pytest

from asp_eval.analysis.results import Adjustment, AverageEffects
from asp_eval.core.phrases import Phrase
from asp_eval.reporting.blocks import plain
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.baseline import baseline
from asp_eval.reporting.sections.equivalence import equivalence_words
from asp_eval.reporting.sections.estimands import averages_table, estimands
from asp_eval.reporting.sections.plan import plan
from asp_eval.reporting.sections.summary import caution, finding, findings, lead, planned_outcomes, summary, tone_of
from asp_eval.reporting.setting import Setting


def setting(language: str = "en", **changes) -> Setting:
    return Setting(builders.results(study=builders.study(**changes)), Numbers(words_for(language)))


def words(outcome, language: str = "en") -> str:
    return sentences(finding(outcome, 0, setting(language))).replace("\xa0", " ")


def sentences(callout) -> str:
    return " ".join(plain(part.text) for part in callout.content.parts)


@pytest.mark.parametrize(
    ("value", "better", "tone"),
    [(-0.42, "lower", "better"), (0.42, "lower", "worse"), (0.42, "higher", "better"), (-0.42, "higher", "worse")],
)
def test_the_tone_follows_sign_and_direction(value, better, tone):
    outcome = builders.outcome(effect=builders.estimate(value, 0.16, p=0.01), better=better)
    assert tone_of(outcome, 0, 0.95) == tone


@pytest.mark.parametrize(
    ("effect", "adjusted", "tone"),
    [
        (builders.estimate(-0.13, 0.14, p=0.36), None, "open"),
        (builders.estimate(-0.42, 0.16, p=0.011), 0.055, "open"),
        (builders.estimate(-0.42, 0.16, p=0.011), 0.022, "better"),
        (builders.estimate(-0.42, 0.16, p=0.05), None, "open"),  # at the level and not below it, as a permutation test can be
        (builders.estimate(-0.42, None, note=Phrase("why")), None, "unavailable"),
        (builders.estimate(None, note=Phrase("why")), None, "unavailable"),
    ],
)
def test_a_finding_needs_its_interval_and_its_adjusted_p_value(effect, adjusted, tone):
    outcome = builders.outcome(effect=effect, adjusted=adjusted)
    assert tone_of(outcome, 0, 0.95) == tone


def test_a_clear_finding_gives_size_interval_direction_and_chance():
    said = words(builders.outcome())
    assert "scored on average 0.42 points lower than children in the reference arm" in said
    assert "(95% interval −0.74 to −0.10, p = 0.011)" in said
    assert "the difference is in favour of the intervention arm" in said
    assert "about 1.1% of such trials" in said


def test_exploratory_outcomes_are_left_to_the_table_and_said_to_be():
    assert not [f for f in findings(planned_outcomes(builders.results()), setting()) if "exploratory" in f.heading]
    assert "One exploratory outcome is in the table of results only." in caution(builders.results(), setting())
    alone = builders.results(outcomes=(builders.outcome(role="exploratory"),))
    assert len(findings(planned_outcomes(alone), setting())) == 1
    assert not [said for said in caution(alone, setting()) if "table of results" in said]


def test_a_wave_that_the_outcome_names_itself_is_not_said_twice():
    named = builders.outcome(label={"en": "Conduct problems, end"})
    assert finding(named, 0, setting()).heading == "Conduct problems, end (primary outcome)"


def test_a_harmful_direction_is_said_plainly():
    peer = builders.outcome(effect=builders.estimate(0.31, 0.11, p=0.0067), size=0.16)
    assert "to the disadvantage of the intervention arm" in words(peer)
    assert "Forskellen er til ulempe for indsatsgruppen" in words(peer, "da")


@pytest.mark.parametrize("language", ["da", "en"])
def test_uncertainty_is_never_called_no_effect(language):
    said = words(builders.outcome(effect=builders.estimate(-0.13, 0.14, p=0.36)), language).casefold()
    for forbidden in ("no effect", "no difference", "not significant", "ingen effekt", "signifikant", "virker ikke"):
        assert forbidden not in said
    assert {"da": "forsøget kan ikke afgøre", "en": "the trial cannot tell"}[language] in said


@pytest.mark.parametrize(("better", "good", "bad"), [("lower", "0.41", "0.15"), ("higher", "0.15", "0.41")])
def test_an_open_finding_gives_both_ends_in_words(better, good, bad):
    said = words(builders.outcome(effect=builders.estimate(-0.13, 0.14, p=0.36), better=better))
    assert f"anything from {good} points in favour of the intervention arm to {bad} points to its disadvantage" in said


def test_adjustment_can_take_a_finding_back_and_says_so():
    said = words(builders.outcome(adjusted=0.09))
    assert "after adjustment for the outcomes tested together (p = 0.090) chance cannot be ruled out" in said
    assert "in favour" not in said


def test_a_finding_that_stands_after_adjustment_says_so():
    said = words(builders.outcome(adjusted=0.022))
    assert "It stands after adjustment for the outcomes tested together (p = 0.022)." in said


@pytest.mark.parametrize(("tests", "told"), [(2, True), (1, False)])
def test_the_largest_of_several_p_values_was_judged_with_them_and_is_told_so(tests, told):
    """Holm leaves it as it is; of a family of one there is nothing to tell."""
    outcome = builders.outcome(effect=builders.estimate(-0.42, 0.16, p=0.01), adjusted=0.01)
    said = words(replace(outcome, adjustment=Adjustment("holm", tests)))
    assert ("It stands after adjustment for the outcomes tested together (p = 0.010)." in said) is told


def test_a_tiny_p_value_is_put_in_words():
    assert "fewer than one in a thousand" in words(builders.outcome(effect=builders.estimate(-0.9, 0.1, p=1e-9)))


def test_a_refused_fit_gives_its_reason_and_one_full_stop():
    refused = builders.outcome(effect=builders.estimate(None, note=Phrase("the outcome does not vary")))
    assert words(refused) == "No estimate can be given: the outcome does not vary."
    assert words(refused, "da") == "Der kan ikke gives noget skøn: effektmålet varierer ikke."


def test_an_estimate_without_uncertainty_says_why():
    effect = builders.estimate(-0.42, None, note=Phrase("no degrees of freedom are left at its level"))
    said = words(builders.outcome(effect=effect), "da")
    assert "0,42 point lavere" in said
    assert "Hvor usikkert det er, kan ikke siges: der er ingen frihedsgrader tilbage" in said


def test_primary_outcomes_come_first():
    ordered = findings(planned_outcomes(builders.results(outcomes=builders.outcomes()[::-1])), setting())
    assert [f.heading.split(" (")[1] for f in ordered][:2] == ["primary outcome)", "secondary outcome)"]


def test_arms_with_unusual_names_read_well():
    named = {"arms": ("control", "pals"), "arm_labels": {"pals": {"da": "PALS plus"}}}
    said = sentences(finding(builders.outcome(), 0, setting("da", **named)))
    assert "Børnene i gruppen PALS plus scorede" in said
    assert "børnene i kontrolgruppen" in said


def test_the_opening_counts_institutions_and_children():
    assert lead(builders.results(), setting("da"))[0].startswith(
        "60 institutioner blev ved lodtrækning fordelt på referencegruppen og indsatsgruppen. 2.880 børn"
    )


def test_cautions_come_with_the_data():
    said = " ".join(caution(builders.results(), setting()))
    assert "simulated" in said
    assert "own staff" in said
    real = builders.results(study=builders.study(study=builders.study_title(synthetic=False)), informants=("parent",))
    said = " ".join(caution(real, Setting(real, Numbers(words_for("en")))))
    assert "simulated" not in said
    assert "own staff" not in said


def test_of_three_arms_every_finding_and_baseline_score_says_which():
    arms = ("reference", "light", "full")
    three = Setting(builders.results(study=builders.study(arms=arms)), Numbers(words_for("en")))
    both = tuple(replace(builders.outcome().effects[0], arm=arm) for arm in arms[1:])
    outcome = replace(builders.outcome(), effects=both)
    headings = [each.heading for each in findings((outcome,), three)]
    assert [heading.endswith(f", {arm} (primary outcome)") for heading, arm in zip(headings, arms[1:], strict=True)] == [True] * 2
    assert "drawn at random to the reference arm, the light arm and the full arm." in lead(three.results, three)[0]
    same = builders.integrity().equivalence[0]
    found = builders.integrity(equivalence=tuple(replace(same, arm=arm) for arm in arms[1:]))
    told = equivalence_words(builders.results(integrity=found, outcomes=(outcome,), study=three.study), three)
    assert [f"{arm}: g = " in line for arm, line in zip(arms[1:], told, strict=True)] == [True] * 2


def test_a_study_of_one_round_has_no_start():
    one = builders.study(
        waves=[{"id": "w3", "label": builders.WAVES["w3"]}],
        eligibility=None,
        collect={"screening": {"waves": ["w3"], "instruments": [{"family": "sdq-teacher"}]}},
        outcomes=[{"id": "conduct", "score": "sdq-teacher.conduct", "role": "primary", "better": "lower", "at": "w3"}],
    )
    alone = Setting(builders.results(study=one, outcomes=(builders.outcome(),), switches=()), Numbers(words_for("en")))
    said = " ".join(repr(part(alone.results, alone)) for part in (summary, plan, baseline, estimands) if part)
    assert "at the start" not in said.replace("The plan declares no score at the start", "")
    assert "there at the only round of screening" in said


def test_averages_of_shares_are_in_percentage_points():
    half = builders.estimate(-0.04, 0.05)
    by = AverageEffects("intervention", half, half, half, half, half, half)
    outcome = replace(builders.outcome(), scale="binary", averages=(by,))
    table = averages_table("averages", "", (outcome,), setting())
    assert [row.cells[2].text for row in table.rows[1:]] == ["−4.0"] * 6
    assert "percentage points" in table.notes[-1]
    assert "percentage" not in averages_table("averages", "", (replace(outcome, scale="continuous"),), setting()).notes[-1]
