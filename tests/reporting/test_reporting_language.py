"""The message catalogues.

1. Every sentence of the reports has a Danish translation; none is fuzzy, unused or empty, and none stands twice.  2. A
translation has the fields of its sentence.  3. Reasons and notes that other rooms write are said in Danish.  4. An unknown
language is refused.  5. A study's own labels fall back to another language, never to nothing.
6. One thing has one Danish word.
7. No sentence that can stand in a report names what only who writes Python knows: a function, an argument, a class.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from babel.messages.extract import extract_from_file

import asp_eval
from asp_eval.analysis import balance_test, cautions, equivalence, missingness, profiles
from asp_eval.core.errors import Fault, Refusal, Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase, notes_in_one
from asp_eval.core.resources import shipped_folder
from asp_eval.reporting.language import catalogue, words_for
from asp_eval.stats import contrasts
from asp_eval.stats.engine import estimation
from asp_eval.stats.linear import ols
from asp_eval.stats.mixed import variance_share
from asp_eval.stats.smallsample import kenward_roger, satterthwaite
from asp_eval.trial.flow.attrition import NO_BOUNDARY
from asp_eval.trial.profiles import sampling

ROOM = Path(asp_eval.__file__).parent / "reporting"
KEYWORDS = {"say": None, "words": None, "plural": (1, 2)}


@cache
def sentences() -> set[str | tuple[str, ...]]:
    """Every message id that code and templates use."""
    found = [m for file in ROOM.rglob("*.py") for m in extract_from_file("python", file, keywords=KEYWORDS)]
    templates = shipped_folder("reports").rglob("*.j2")
    found += [m for file in templates for m in extract_from_file("jinja2.ext:babel_extract", file, keywords={"say": None})]
    return {message[1] for message in found}


def fields(text: str) -> list[str]:
    return sorted(re.findall(r"\{(\w+)\}", text))


def test_the_danish_catalogue_has_every_sentence_and_no_other():
    translated = {message.id for message in catalogue("da", "asp_eval") if message.id}
    assert sentences() - translated == set()
    assert translated - sentences() == set()
    assert len(translated) > 250


@pytest.mark.parametrize("domain", ["asp_eval", "notes", "faults", "names", "commands"])
def test_no_sentence_stands_twice_in_a_catalogue(domain):
    text = (shipped_folder("reports") / f"locale/da/LC_MESSAGES/{domain}.po").read_text(encoding="utf-8")
    assert len(re.findall(r"^msgid ", text, re.MULTILINE)) == len(list(catalogue("da", domain)))


OTHER_WORDS = {  # what one thing was also called, or a word that misleads: the word to use
    r"\berklær": "angive",
    r"\bfrø(et)?\b": "startværdi",
    r"\b[Vv]urderere": "bedømmere",
    r"\btilknytning": "mapping",
    r"(?<!--)\bledger(en)?\b(?!\.)": "log",
    r"\b[Bb]ånd(et|ene)?\b": "normgrænse, kategori",
    r"\budtrukne|\b[Tt]rukket ud\b": "i lodtrækningen",
    r"\bruden\b": "romben",
    r"\bbølge|\bmåletidspunkt|\balle målinger\b": "runde",
    r"\bestimat(et|er|erne)?\b|\bestimér|\bestimere": "skøn, beregne",
    r"\bodds ratio": "oddsratio",
    r"\blikelihood-ratio": "likelihoodratio",
    r"\bchi i anden": "chi-i-anden",
    r"\bprotokollen\b(?! og)": "loggen",
    r"\bimplementeringslog|\bindsatsens log\b": "logbogen over indsatsen",
    r"\bbegivenhed": "hændelse",
    r"\bblande(t|de) model|\bmixede modeller|\bmultilevelmodel": "mixed model",
    r"\bgentruk": "trukket igen",
    r"\bdeklarér|\bdeklarer": "angive",
    r"\bcitationstegn": "anførselstegn",
    r"\bprojektmappe": "regneark",
    r"\bstudiet": "undersøgelsen",
    r"\budfald\b(?! kan| var)": "effektmål",
    r"\betiket": "svartekst",
    r"\brangorden": "rangliste",
    r"\bkompetence nedenfor|\bi år er uden\b": "dimension, alder",
    r"(opi|mport|ksport|ontroll|apport|nalys|imul)ér\b": "imperative without an accent",
    r"\bGiv (kommando|'asp-eval)": "Kør",
    r"“|”": "»«",
    r"\bstår ved magt|\bordner kun\b|\bVurderet til forsøg|\bgrupperne mødtes\b|\bHvor langt man kan\b": "danske vendinger",
    r"\bfx\b": "f.eks.",
    r"\{n\} medarbejder": "ansatte",
    r"\bbetween-within": "mellem-og-inden-for",
    r'(?<!\[)(?<!== )"\{[a-z]+\}"': "»« around what is named",
}


@pytest.mark.parametrize("domain", ["asp_eval", "notes", "faults", "commands"])
def test_one_danish_word_for_one_thing(domain):
    said = [text for message in catalogue("da", domain) if message.id for text in message_texts(message.string)]
    found = [(word, text) for text in said for other, word in OTHER_WORDS.items() if re.search(other, text, re.IGNORECASE)]
    assert found == []


def danish_texts(value: object) -> Iterator[str]:
    """Every Danish text of a document."""
    if isinstance(value, list):
        for part in value:
            yield from danish_texts(part)
    elif isinstance(value, dict):
        if isinstance(value.get("da"), str):
            yield value["da"]
        for part in value.values():
            yield from danish_texts(part)


def test_the_shipped_questionnaires_and_codebooks_use_the_same_words():
    files = sorted(shipped_folder("instruments").rglob("*.yaml"))
    said = {text: file.name for file in files for text in danish_texts(yaml.safe_load(file.read_text(encoding="utf-8")))}
    assert len(said) > 500
    found = [(name, word, text) for text, name in said.items() for other, word in OTHER_WORDS.items() if re.search(other, text)]
    assert found == []
    assert [text for text in said if re.search(r"[^,] uden at [a-zæøå]+ (blev|bliver|er|har|havde)\b", text)] == []  # its comma


def test_the_glossary_says_what_the_catalogues_say():
    """A word of the glossary is said so in most sentences that hold its English word."""
    table = (Path(asp_eval.__file__).parents[1] / "docs/glossary.md").read_text(encoding="utf-8")
    pairs = re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|$", table, re.MULTILINE)[2:]
    assert len(pairs) > 30
    messages = [m for domain in ("asp_eval", "notes", "faults") for m in catalogue("da", domain) if m.id and not m.pluralizable]
    unlike = []
    for english, danish in pairs:
        words = "|".join(f"[{word[0]}{word[0].upper()}]{word[1:]}" for word in re.sub(r" \(.*?\)", "", english).split(", "))
        stems = [re.sub(r"en$", "", word.split()[-1]) for word in re.split(r"[;,] ", danish)]
        held = [m for m in messages if re.search(rf"(?<![\w'-])({words})s?(?![\w'-])", re.sub(r"\{.*?\}", "", str(m.id)))]
        right = [m for m in held if any(stem in str(m.string).casefold() for stem in stems)]
        if len(right) * 2 < max(len(held), 1):
            unlike.append((english, danish, len(right), len(held)))
    assert unlike == []


def message_texts(said: str | tuple[str, ...]) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else said


@pytest.mark.parametrize("domain", ["asp_eval", "notes", "names", "commands"])
def test_every_danish_sentence_is_there_and_has_the_same_fields(domain):
    read = catalogue("da", domain)
    assert not read.obsolete
    for message in read:
        if not message.id:
            continue
        pairs = list(zip(message.id, message.string, strict=True)) if message.pluralizable else [(message.id, message.string)]
        assert not message.fuzzy, message.id
        for english, danish in pairs:
            assert danish.strip(), english
            assert fields(danish) == fields(english), english
            assert english[:1].isspace() == danish[:1].isspace(), english


@pytest.mark.parametrize(
    "reason",
    [
        cautions.FEW_NOTE,
        cautions.LITTLE_NOTE,
        cautions.UNEQUAL_NOTE,
        profiles.HIDDEN,
        profiles.NO_ANSWERS,
        profiles.NO_DIFFERENCES,
        profiles.FEW_INSTITUTIONS,
        sampling.NO_RATERS.reason,
        sampling.ONE_RATER.reason,
        sampling.NOT_LINKED.reason,
        sampling.NO_SPREAD.reason,
        contrasts.DROPPED,
        contrasts.NO_VARIANCE,
        kenward_roger.REFITTED,
        kenward_roger.SINGULAR_NOTE,
        satterthwaite.SINGULAR,
        satterthwaite.FLAT,
        ols.EXACT_FIT,
        variance_share.PROFILE,
        NO_BOUNDARY.reason,
        balance_test.NO_VARIABLES.reason,
        balance_test.NO_FREEDOM.reason,
        balance_test.NOT_POSSIBLE.reason,
        balance_test.EMPTY_ARM.reason,
        missingness.NO_ONE,
        missingness.NO_VARIABLES,
        equivalence.ONE_VALUE.reason,
    ],
)
def test_reasons_of_other_rooms_are_said_in_danish(reason):
    danish = words_for("da").note(reason)
    assert danish != reason
    assert "{" not in danish


# What an analysis can refuse for: faults of every module that it imports. Their text goes into results, and so into reports.
def test_every_refusal_of_an_analysis_is_said_in_danish():
    rooms = ("asp_eval.stats.", "asp_eval.analysis.", "asp_eval.trial.flow.")
    modules = [each.name for each in pkgutil.walk_packages(asp_eval.__path__, "asp_eval.") if each.name.startswith(rooms)]
    held = [value for name in modules for value in vars(importlib.import_module(name)).values()]
    texts = {value.text for value in held if isinstance(value, Fault) and value.code[:3] in ("FIT", "INF", "ANA", "FLO")}
    assert len(texts) > 50
    say = words_for("da")
    untranslated = [text for text in texts if say.phrases(text) == text]
    assert untranslated == [], "add these to reports/locale/da/LC_MESSAGES/notes.po"


def test_a_refusal_keeps_its_details():
    said = words_for("da").note(Refusal([estimation.ONE_GROUP.at("data", group="institution")]).reason)
    assert said == "institution har kun én gruppe, så variansen mellem grupper kan ikke skønnes"


def test_several_notes_in_one_are_each_translated():
    danish = words_for("da").note(notes_in_one([kenward_roger.REFITTED, kenward_roger.SINGULAR_NOTE]))
    assert danish.startswith("beregnet ved ML")
    assert danish.endswith("eller en korrelation til én")


def test_data_and_a_sentence_nobody_translated_stay_as_they_are():
    assert words_for("da").note("the outcome does not vary") == "the outcome does not vary"
    assert words_for("da").note(Phrase("a reason from outer space")) == "a reason from outer space"


def test_an_unknown_language_is_refused():
    with pytest.raises(Refusal, match="REP-001"):
        words_for("xx")


def test_labels_fall_back_to_another_language_and_at_last_to_the_key():
    say = words_for("da", fallback=("sv",))
    assert say.label({"da": "Slut", "en": "End"}, "w3") == "Slut"
    assert say.label({"en": "End", "sv": "Slutet"}, "w3") == "Slutet"
    assert say.label({"de": "Ende"}, "w3") == "Ende"
    assert say.label({"da": ""}, "w3") == "w3"


def test_plurals_follow_the_number():
    say = words_for("da")
    assert say.plural("{name}, {n} test", "{name}, {n} tests", 2, name="Holm", n=2) == "Holm, 2 test"


def test_an_unavailable_reason_is_never_an_empty_sentence():
    assert words_for("da").note(Unavailable(NO_NOTE).reason) == ""


CLASSES = "|".join(name for name in asp_eval.__all__ if re.search("[a-z][A-Z]", name))
OF_PYTHON = re.compile(rf"\w\((?!s\))|\w=|`|asp_eval\.|\b({CLASSES})\b")
OF_STATISTICS = re.compile(r"ICC\([12]\)|r_wg\(j\)|E9\(R1\)")
WORDS_OF_FORMULAS = "stats/design"  # says what is wrong with a formula to whoever wrote it


def of_results(node: ast.AST, *, refused: bool = False) -> Iterator[str]:
    """Every message of a phrase that is no detail of a fault, and every text of a fault: the reason of what it refuses."""
    if isinstance(node, ast.Call):
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        refused = refused or called in {"refuse", "at", "break_off", "Fault"}
        told = node.args[1:2] if called == "Fault" else node.args[:1] if called == "Phrase" and not refused else []
        yield from (part.value for each in told for part in ast.walk(each) if isinstance(part, ast.Constant))
    for child in ast.iter_child_nodes(node):
        yield from of_results(child, refused=refused)


def names_python(message: str) -> bool:
    """Whether a message, without its fields, names what only who writes Python knows."""
    return bool(OF_PYTHON.search(OF_STATISTICS.sub("", re.sub(r"\{[^}]*\}", "", message))))


def test_no_sentence_of_a_report_names_python():
    rooms = [Path(asp_eval.__file__).parent / room for room in ("stats", "analysis", "trial")]
    files = [file for room in rooms for file in room.rglob("*.py") if WORDS_OF_FORMULAS not in file.as_posix()]
    messages = [message for file in files for message in of_results(ast.parse(file.read_text(encoding="utf-8")))]
    messages += [text for each in sentences() for text in ([each] if isinstance(each, str) else each)]
    assert len(messages) > 1000
    assert [message for message in messages if names_python(message)] == []


@pytest.mark.parametrize(
    "hint",
    ["use statistic='cluster-means'", "give ols(..., cluster=) their column", "use KenwardRoger()", "see asp_eval.pool", "`x`"],
)
def test_a_hint_for_who_writes_python_would_be_seen(hint):
    assert names_python(f"this cannot be had; {hint}")
