"""Faults in Danish.

1. Every fault of the package, every phrase in a fault's details, every word of the frame around them, every
question to institutions and every title of a column has a Danish translation, with the same fields, and none is there in vain.
2. No English is left in a Danish sentence, one example of every fault; a detail that is words is told, one that is data is not.
3. In English a problem is told as it prints.  4. What is kept of a problem gives it back, in every language.
"""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import asp_eval
from asp_eval.core.errors import Fault, Place, Refusal
from asp_eval.core.phrases import ENGLISH as IN_ENGLISH
from asp_eval.core.phrases import Phrase, all_of, as_plain, from_plain, some_of
from asp_eval.intake import values
from asp_eval.intake.checks import rules, validation
from asp_eval.reporting.language import catalogue, fault_words
from asp_eval.reporting.sections.institution_questions import FOR_INSTITUTIONS, WITHOUT_WORDS
from asp_eval.store.quarantine_reasons import as_stored, problem_of
from asp_eval.trial.tables.schema import IMPORTABLE, base_schema

PACKAGE = Path(asp_eval.__file__).parent
FRAME = {
    "line {n}",
    "row {n}",
    "column {name}",
    "found {value}",
    "expected {value}",
    "{names} and {n} more",
    "{one} and {other}",
    "{one} or {other}",
    "Did you mean {name}? ",
}
ENGLISH = re.compile(
    r"\b(the|is|not|of|and|or|with|that|this|which|file|row|rows|column|cell|cells|must|it|are|was|has|each|every|name|names"
    r"|words|child|children|institution has|value|expected|found|mapping has|number|numbers|text|date|wrong|empty|correct)\b"
)
WORDS_OF_COMMANDS = re.compile(
    r"'[^']*'|\"[^\"]*\"|\{.*?\}+|attrit == 0 and|asp-eval \S+( \S*--\S+ \S+)*|\b[A-Z_]{3,}\b|--\w+|\S+\.\w+"
)


def faults() -> dict[str, Fault]:
    found: dict[str, Fault] = {}
    for module in pkgutil.walk_packages([str(PACKAGE)], "asp_eval."):
        if not module.name.endswith("__main__"):
            held = vars(importlib.import_module(module.name)).values()
            found |= {fault.code + fault.text: fault for fault in held if isinstance(fault, Fault)}
    return found


def phrases() -> Iterator[str]:
    """Every message given to `Phrase`; each must be written out where it is made."""
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name in ("phrases.py", "errors.py") or not re.search(r"Phrase\(|\(Phrase", text):
            continue
        for call in ast.walk(ast.parse(text)):
            if isinstance(call, ast.Call):
                names = [getattr(part, "id", "") for part in (call.func, *call.args[:1])]
                if "Phrase" in names:
                    message = call.args[names.index("Phrase")]
                    for part in [message.body, message.orelse] if isinstance(message, ast.IfExp) else [message]:
                        assert isinstance(part, ast.Constant), f"{path.name}: {ast.unparse(call)}"
                        yield str(part.value)


def messages() -> set[str]:
    told = {text for fault in faults().values() for text in (fault.text, fault.remedy)}
    asked = {text for one in (*FOR_INSTITUTIONS.values(), WITHOUT_WORDS) for text in (one.text, one.remedy)}
    titles = {field.title for name in IMPORTABLE for field in base_schema(name).fields}
    everything = told | asked | titles | FRAME | set(phrases())
    return {message for message in everything if re.search(r"[A-Za-z]", re.sub(r"\{\w+\}", "", message))}


def fields(message: str) -> list[str]:
    return sorted(f"{name}!{conversion}:{spec}" for _, name, spec, conversion in Formatter().parse(message) if name)


def test_every_message_has_a_danish_translation_and_none_is_there_in_vain():
    read = [message for domain in ("faults", "notes") for message in catalogue("da", domain) if message.id]
    translated = {str(message.id): str(message.string) for message in read}
    assert len(read) == len(translated)
    assert sorted(messages() - translated.keys()) == []
    assert sorted(translated.keys() - messages()) == []
    for message, danish in translated.items():
        assert danish.strip(), message
        assert fields(danish) == fields(message), message
        assert (danish[:1].isspace(), danish[-1:].isspace()) == (message[:1].isspace(), message[-1:].isspace()), message


def met(fault: Fault) -> dict[str, object]:
    """Details for a fault; the fields that take words get a phrase."""
    parts = [part for text in (fault.text, fault.remedy) for part in Formatter().parse(text) if part[1]]
    return {
        str(name): 7.5 if (spec or "").endswith(("f", "d", "g", ",")) else Phrase("a whole number") for _, name, spec, _ in parts
    }


@pytest.mark.parametrize("fault", faults().values(), ids=lambda fault: fault.code)
def test_no_english_is_left_in_a_danish_sentence(fault):
    problem = fault.at(Place("w1.csv", line=3, row=4, column="køn"), found="x", expected=Phrase("a date"), **met(fault))
    danish = problem.told(fault_words("da"))
    assert danish.startswith(f"[{fault.code}] w1.csv linje 3 række 4, køn: ")
    left = ENGLISH.findall(WORDS_OF_COMMANDS.sub("", danish.replace("w1.csv", "")))
    assert left == [], danish
    assert problem.told(IN_ENGLISH) == str(problem)


def test_words_in_details_are_told_and_data_are_not():
    da = fault_words("da")
    near = Phrase("Did you mean {name!r}? ", name="the cell")
    advice = Phrase("{likely}Correct the cell, or add the institution to the list and import the list again.", likely=near)
    problem = rules.UNKNOWN_INSTITUTION.at(Place("w1.csv", row=5, column="institution_id"), found="a number", advice=advice)
    assert problem.told(da) == (
        "[SCR-050] w1.csv række 5, kolonne institution_id: institutionen er ikke på listen over institutioner; "
        "fundet 'a number'. Mente du 'the cell'? Ret cellen, eller føj institutionen til listen, og importer listen igen."
    )
    assert problem.within(da).as_dict()["fault"] == "institutionen er ikke på listen over institutioner"
    assert all_of(["1", "2", "3"]).told(da) == "1 og 2 og 3"  # type: ignore[attr-defined]
    assert some_of("abc", 2).told(da) == "a, b og 1 flere"  # type: ignore[attr-defined]


def test_what_is_kept_of_a_problem_gives_it_back():
    place = Place("w1.csv", row=5, column="age")
    problems = [
        values.WRONG_TYPE.at(
            place, found="x", expected=Phrase("at most {n}", n=3), kind=values.KINDS["integer"], label="x", called=""
        ),
        validation.NO_VALUE.at(place, called=Phrase(" in the file's column {name!r}", name="Alder")),
        rules.OUTSIDE_AGES.at(place, found="2003-10", expected="3", age=2.96),
    ]
    for problem in problems:
        again = problem_of(json.loads(json.dumps(as_stored(problem))))
        assert again == problem
        assert again.told(fault_words("da")) == problem.told(fault_words("da"))
    assert from_plain(as_plain(None)) is None


def test_a_language_that_is_not_there_is_refused():
    with pytest.raises(Refusal, match="REP-001"):
        fault_words("xx")
