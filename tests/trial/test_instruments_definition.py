"""A wrong instrument file is refused on its line, with what was found and how it is cured."""

import pytest

from asp_eval.core.documents import read_document
from asp_eval.core.errors import DataProblems
from asp_eval.trial.instruments.definition import Instrument

SOUND = """\
id: mood
version: 1
family: mood
ages: {from: 3, below: 7}
languages: [da, en]
title: {da: Humør, en: Mood}
informant: staff
unit: child
status: {da: prøve, en: trial}
provenance: [{what: everything, mark: convention, source: this test}]
licence: {item_text: included, statement: {da: fri, en: free}}
response_sets:
  agree: [{code: 0, label: {da: nej, en: no}}, {code: 1, label: {da: lidt, en: some}}, {code: 2, label: {da: ja, en: yes}}]
  wide: [{code: 0, label: {da: nej, en: no}}, {code: 9, label: {da: ja, en: yes}}]
items:
  - {number: 1, key: glad, responses: agree, text: {da: Barnet er glad., en: The child is glad.}}
  - {number: 2, key: calm, responses: agree}
  - {number: 3, key: sad, responses: agree, reverse: true}
  - {number: 4, key: cross, responses: agree}
scales:
  - {key: joy, title: {da: Glæde, en: Joy}, items: [glad, calm], better: higher,
     rule: {method: sum, minimum_answered: 2}, range: {from: 0, to: 4}}
  - {key: peace, title: {da: Fred, en: Peace}, items: [sad, cross], better: higher,
     rule: {method: mean, minimum_answered: 1}, range: {from: 0, to: 2}}
  - {key: ease, title: {da: Ro, en: Ease}, items: [calm, sad], better: higher,
     rule: {method: mean-times-n, minimum_answered: 1, rounding: half-up}, range: {from: 0, to: 4}}
composites:
  - {key: whole, title: {da: Alt, en: All}, scales: [joy, ease], method: sum, better: higher, range: {from: 0, to: 8}}
bands:
  default: own
  sets:
    - id: own
      title: {da: Egne, en: Own}
      informant: staff
      source: this test
      provenance: convention
      names: {good: {da: god, en: good}, fair: {da: middel, en: fair}, poor: {da: lav, en: poor}}
      scales:
        joy:
          - {band: good, from: 3, to: 4}
          - {band: fair, from: 1, to: 2}
          - {band: poor, from: 0, to: 0}
"""

WRONG = {  # what is changed: (before, after, code, words on the faulty line, what was found)
    "two items of one key": ("number: 2, key: calm,", "number: 2, key: glad,", "INS-003", "key: glad, resp", "'glad'"),
    "two items of one number": ("number: 2,", "number: 1,", "INS-003", "key: calm", "1"),
    "two scales of one key": ("key: whole", "key: peace", "INS-003", "key: peace, title: {da: Alt", "'peace'"),
    "an item twice in a scale": ("[sad, cross]", "[sad, cross, cross]", "INS-003", "cross, cross", "'cross'"),
    "a scale twice in a composite": ("[joy, ease]", "[joy, joy]", "INS-003", "joy, joy", "'joy'"),
    "a code twice": ("code: 2,", "code: 1,", "INS-003", "agree: [", "1"),
    "a scale that names a missing item": ("[glad, calm]", "[glad, clam]", "INS-004", "clam", "'clam'"),
    "an item in no scale": ("[sad, cross]", "[sad]", "INS-005", "key: cross", "'cross'"),
    "bands that overlap": ("fair, from: 1, to: 2", "fair, from: 1, to: 3", "INS-006", "band: good", "3"),
    "a hole between bands": ("fair, from: 1, to: 2", "fair, from: 1, to: 1", "INS-007", "band: good", "3"),
    "bands that end early": ("good, from: 3, to: 4", "good, from: 3, to: 3", "INS-007", "joy:", "'0 to 3'"),
    "bands that begin late": ("poor, from: 0, to: 0", "poor, from: 1, to: 0", "INS-007", "band: poor", "'1 to 0'"),
    "a scale without bands": (
        "          - {band: good, from: 3, to: 4}\n          - {band: fair, from: 1, to: 2}\n"
        "          - {band: poor, from: 0, to: 0}\n",
        "          []\n",
        "INS-007",
        "joy:",
        "'no band'",
    ),
    "a wrong range": ("range: {from: 0, to: 2}", "range: {from: 0, to: 3}", "INS-008", "to: 3}", "'0 to 3'"),
    "a wrong range of a composite": ("to: 8}", "to: 9}", "INS-008", "to: 9}", "'0 to 9'"),
    "a wording lacking": ("{da: Glæde, en: Joy}", "{da: Glæde}", "INS-009", "Glæde", "'da'"),
    "a label lacking": ("{da: lidt, en: some}", "{en: some}", "INS-009", "agree:", "'en'"),
    "item text without licence": ("item_text: included", "item_text: not-included", "INS-010", "key: glad", "'glad'"),
    "an unknown response set": ("key: calm, responses: agree", "key: calm, responses: agre", "INS-011", "agre}", "'agre'"),
    "an unknown scale in a composite": ("[joy, ease]", "[joy, eas]", "INS-011", "eas]", "'eas'"),
    "an unknown default band set": ("default: own", "default: uk", "INS-011", "default: uk", "'uk'"),
    "bands of an unknown scale": ("        joy:\n", "        jo:\n", "INS-011", "jo:", "'jo'"),
    "an unnamed band": ("{band: fair,", "{band: middling,", "INS-011", "middling", "'middling'"),
    "codes that fall": ("code: 9,", "code: -9,", "INS-012", "wide:", "[0, -9]"),
    "more answers than items": ("mean, minimum_answered: 1}", "mean, minimum_answered: 3}", "INS-012", "method: mean,", "3"),
    "a sum over too few": ("minimum_answered: 2", "minimum_answered: 1", "INS-012", "method: sum", "1"),
    "items of different range": ("cross, responses: agree", "cross, responses: wide", "INS-012", "[sad,", "[(0, 2), (0, 9)]"),
    "scales of different direction": (
        "[calm, sad], better: higher",
        "[calm, sad], better: lower",
        "INS-012",
        "key: whole",
        "'joy higher, ease lower'",
    ),
    "a mean of different ranges": (
        "[joy, ease], method: sum",
        "[joy, peace], method: mean",
        "INS-012",
        "[joy, peace]",
        "[(0.0, 2.0), (0.0, 4.0)]",
    ),
    "bands of a score with decimals": ("        joy:\n", "        peace:\n", "INS-013", "peace:", None),
    "bands from worst to best": ("calm], better: higher", "calm], better: lower", "INS-013", "joy:", "[3, 1, 0]"),
    "no default and no reason": ("  default: own\n", "", "INS-013", "bands:", None),
    "no age in the range": ("{from: 3, below: 7}", "{from: 7, below: 7}", "INS-015", "ages:", "'from 7 below 7'"),
    "a scale that names an unscored item": (
        "key: sad, responses: agree,",
        "key: sad, responses: agree, scored: false,",
        "INS-016",
        "items: [sad",
        "'sad'",
    ),
    "a condition on a later item": (
        "key: glad, responses: agree,",
        "key: glad, responses: agree, unless: {item: sad, code: 0},",
        "INS-017",
        "key: glad",
        "'sad'",
    ),
    "a condition on a code that is not there": (
        "key: cross, responses: agree",
        "key: cross, responses: agree, unless: {item: sad, code: 7}",
        "INS-017",
        "key: cross",
        "7",
    ),
    "items of a scale asked differently": (
        "key: cross, responses: agree",
        "key: cross, responses: agree, unless: {item: calm, code: 0}",
        "INS-018",
        "items: [sad, cross]",
        None,
    ),
    "a score for the unasked without a condition": (
        "range: {from: 0, to: 2}",
        "range: {from: 0, to: 2}, if_not_asked: 0",
        "INS-018",
        "key: peace",
        "0",
    ),
    "a text and two poles": (
        "key: glad, responses: agree,",
        "key: glad, responses: agree, poles: {low: {da: a, en: a}, high: {da: b, en: b}},",
        "INS-019",
        "key: glad",
        "'glad'",
    ),
    "poles without licence": (
        "key: calm, responses: agree}",
        "key: calm, responses: agree, poles: {low: {da: a, en: a}, high: {da: b, en: b}}}",
        "INS-010",
        "key: calm",
        "'calm'",
    ),
    "points that the range does not follow": (
        "{code: 2, label: {da: ja, en: yes}}",
        "{code: 2, label: {da: ja, en: yes}, points: 3}",
        "INS-008",
        "to: 4}",
        "'0 to 4'",
    ),
    "no age in the range of a band set": (
        "      informant: staff\n",
        "      informant: staff\n      ages: {from: 5, below: 5}\n",
        "INS-015",
        "ages: {from: 5",
        "'from 5 below 5'",
    ),
    "a band set that holds nothing": (
        "      scales:\n        joy:\n          - {band: good, from: 3, to: 4}\n"
        "          - {band: fair, from: 1, to: 2}\n          - {band: poor, from: 0, to: 0}\n",
        "",
        "INS-013",
        "id: own",
        "'own'",
    ),
    "means of an unknown scale": (
        "      provenance: convention\n",
        "      provenance: convention\n      means: {jo: {mean: 1, sd: 1}}\n",
        "INS-011",
        "means: {jo",
        "'jo'",
    ),
    "bands where neither end is better": (
        "items: [glad, calm], better: higher",
        "items: [glad, calm], better: neither",
        "INS-013",
        "joy:",
        None,
    ),
    "an unknown key": ("family: mood", "famly: mood", "DOC-008", "famly", "'famly'"),
    "an item with an unknown key": ("reverse: true", "reversed: true", "DOC-008", "reversed", "'reversed'"),
}


def problems_of(tmp_path, text):
    path = tmp_path / "mood.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataProblems) as caught:
        read_document(path, Instrument)
    return caught.value.problems


def test_the_sound_file_is_read(tmp_path):
    path = tmp_path / "mood.yaml"
    path.write_text(SOUND, encoding="utf-8")
    mood = read_document(path, Instrument)
    assert mood.scale_keys == ("joy", "peace", "ease", "whole")
    assert mood.columns == ("mood.glad", "mood.calm", "mood.sad", "mood.cross")
    assert mood.title["da"] == "Humør"


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_refused_on_its_line(tmp_path, case):
    before, after, code, words, found = WRONG[case]
    sound = SOUND.replace("item_text: included", "item_text: not-included") if case == "poles without licence" else SOUND
    assert sound.count(before) == 1
    text = sound.replace(before, after)
    problems = [problem for problem in problems_of(tmp_path, text) if problem.code == code]
    placed = {(text.splitlines()[problem.place.line - 1].find(words) >= 0, problem.found) for problem in problems}
    assert (True, found) in placed, [str(problem) for problem in problems]
    assert all(problem.place.source == "mood.yaml" and problem.remedy.endswith((".", "?")) for problem in problems)


def test_all_mistakes_are_told_at_once(tmp_path):
    text = SOUND.replace("[glad, calm]", "[glad, clam]").replace("[joy, ease]", "[joy, eas]").replace("Glæde, en: Joy", "Glæde")
    assert {problem.code for problem in problems_of(tmp_path, text)} >= {"INS-004", "INS-009", "INS-011"}


def test_an_instrument_cannot_be_changed(tmp_path):
    path = tmp_path / "mood.yaml"
    path.write_text(SOUND, encoding="utf-8")
    mood = read_document(path, Instrument)
    with pytest.raises(ValueError, match="frozen"):
        mood.version = 2
