"""The codebook says everything a reader needs, and nothing an instrument does not hold."""

import pytest

from asp_eval.trial.instruments.codebook import PHRASES, codebook, codebook_lines
from asp_eval.trial.instruments.library import instrument, instruments


@pytest.mark.parametrize("language", ["da", "en"])
@pytest.mark.parametrize("questionnaire", instruments(), ids=lambda each: each.id)
def test_every_item_scale_band_and_source_is_in_it(questionnaire, language):
    text = codebook(questionnaire, language)
    for key in (*questionnaire.item_keys, *questionnaire.scale_keys, *(bands.id for bands in questionnaire.bands.sets)):
        assert f"`{key}`" in text
    assert questionnaire.licence.statement[language] in text
    assert all(scale.title[language] in text for scale in questionnaire.all_scales)
    assert all(item.text[language] in text for item in questionnaire.items if item.text)
    assert all(pole[language] in text for item in questionnaire.items if item.poles for pole in (item.poles.low, item.poles.high))
    assert all(name[language] in text for bands in questionnaire.bands.sets for name in bands.names.values())
    assert all(claim.what in text and claim.source in text for claim in questionnaire.provenance)


def test_both_languages_have_every_phrase_with_the_same_gaps():
    from string import Formatter

    def gaps(phrase):
        return {name for _, name, _, _ in Formatter().parse(phrase) if name}

    assert {key: gaps(phrase) for key, phrase in PHRASES["da"].items()} == {
        key: gaps(phrase) for key, phrase in PHRASES["en"].items()
    }


def test_how_a_score_is_formed_is_said_in_words():
    lines = list(codebook_lines(instrument("sdq-teacher-4-17")))
    assert "  - from `tantrum`, `obeys`, `fights`, `lies`, `steals`" in lines
    mean = "mean of the answered questions times 5, reversed ones turned first, rounded, halves upwards"
    rule = f"{mean}; missing if fewer than 3 of the 5 are answered"
    assert f"  - {rule}" in lines
    assert "  - sum of `emotion`, `conduct`, `hyper`, `peer`; missing if any of them is" in lines
    assert "- 7. `obeys` (reversed: 0 → 2, 1 → 1, 2 → 0)" in lines


def test_what_is_not_asked_and_what_answers_count_is_said():
    lines = list(codebook_lines(instrument("sdq-teacher-impact"), "da"))
    assert "  - 3 (tæller 2)" in lines
    assert "- 3. `distres` (svar: degree; stilles ikke, hvis `ebddiff` er 0)" in lines
    assert "  - 0, hvis spørgsmålene ikke blev stillet, fordi `ebddiff` er 0, uanset hvad de rummer" in lines
    assert any("`burden`" in line and "indgår ikke i nogen score" in line for line in lines)


def test_missing_bands_are_explained():
    assert any("preschool staff are not known" in line for line in codebook_lines(instrument("sdq-teacher-2-4")))
    assert any("Danske grænser for pædagogers" in line for line in codebook_lines(instrument("sdq-teacher-2-4"), "da"))


def test_a_band_from_memory_is_marked():
    text = codebook(instrument("sdq-teacher-4-17"))
    memory = "from memory, not confirmed"
    assert (
        f"- `emotion`: 0-4 within the normal range ({memory}); 5 borderline ({memory}); 6-10 outside the normal range\n" in text
    )
    assert "made in GB; ages from 4 to below 18 years. Source: PMC4830858, table 1 (confirmed)." in text
    assert "`emotion` 1.2 (1.6)" in text
