"""The codebook says everything a reader needs, and nothing an instrument does not hold."""

import pytest

from asp_eval.trial.instruments.codebook import codebook_lines
from asp_eval.trial.instruments.library import instrument, instruments


@pytest.mark.parametrize("language", ["da", "en"])
@pytest.mark.parametrize("questionnaire", instruments(), ids=lambda each: each.id)
def test_every_item_scale_band_and_source_is_in_it(questionnaire, language):
    text = "\n".join(codebook_lines(questionnaire, language))
    for key in (*questionnaire.item_keys, *questionnaire.scale_keys, *(bands.id for bands in questionnaire.bands.sets)):
        assert key in text
    assert questionnaire.licence.statement[language] in text
    assert all(scale.title[language] in text for scale in questionnaire.all_scales)
    assert all(item.text[language] in text for item in questionnaire.items if item.text)


def test_how_a_score_is_formed_is_said_in_words():
    lines = list(codebook_lines(instrument("sdq-teacher-4-17")))
    assert "      mean times 5 of tantrum, obeys, fights, lies, steals, rounded half up; at least 3 of 5 answered" in lines
    assert "      sum of emotion, conduct, hyper, peer; missing if any of them is" in lines
    assert "   7  obeys, reversed" in lines
    assert "Answers (agreement): 0, 1, 2" in lines


def test_missing_bands_are_explained():
    assert any("No thresholds are known" in line for line in codebook_lines(instrument("sdq-teacher-2-4")))
    assert any("ingen kendte grænser" in line for line in codebook_lines(instrument("sdq-teacher-2-4"), "da"))


def test_a_band_from_memory_is_marked():
    lines = list(codebook_lines(instrument("sdq-teacher-4-17")))
    assert "      emotion: 0-4 normal (memory), 5 borderline (memory), 6-10 abnormal" in lines
    assert "      teacher, no country stated, ages from 4 to below 18 years; confirmed: PMC4830858, table 1" in lines
