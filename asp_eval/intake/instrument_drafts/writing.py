"""An instrument's first file: what is known filled in, what only a person knows left open (FILL IN), a comment beside each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from asp_eval.core.resources import shipped_folder
from asp_eval.intake.instrument_drafts.sources import FoundQuestion, Said
from asp_eval.trial.instruments.definition import FILL_IN

TEMPLATE = "instrument.template.yaml"


def empty_instrument(name: str) -> str:
    """Return the commented file of an instrument of which nothing is known but its id."""
    return (shipped_folder("data_schema") / TEMPLATE).read_text(encoding="utf-8").replace("{id}", name)


def drafted_instrument(name: str, source: str, questions: Sequence[FoundQuestion]) -> str:
    """Return the file of an instrument with the questions that another file has.

    Parameters
    ----------
    name : str
        Id of the instrument.
    source : str
        Name of the file.
    questions : sequence of FoundQuestion
    """
    languages = list(dict.fromkeys(language for each in questions for text in _texts(each) for language in text))
    sets: dict[str, Mapping[str, Said]] = {}
    chosen = [_set_of(each, sets) for each in questions]
    keys = _keys([each.name for each in questions])
    template = empty_instrument(name)
    head, scales = template[: template.index("response_sets:")], template[template.index("scales:") :]
    open_ = "{" + ", ".join(f"{language}: {FILL_IN}" for language in languages) + "}"
    head = re.sub(r"\{da: FILL IN, en: FILL IN\}", open_, head).replace("[da, en]", f"[{', '.join(languages)}]")
    scales = re.sub(r"\{da: FILL IN, en: FILL IN\}", open_, scales).replace("[first, second]", f"[{', '.join(keys)}]")
    lines = [f"# Drafted from {source}.", *head.rstrip("\n").split("\n"), "response_sets:"]
    for key, answers in sets.items():
        lines += [f"  {key}:", *_responses(answers, languages)]
    lines.append("items:                        # reverse: whether a high answer means little of what the scale measures")
    for number, (key, responses, each) in enumerate(zip(keys, chosen, questions, strict=True), start=1):
        text = _words(each.text, languages)
        said = f"number: {number}, key: {key}, responses: {responses}, reverse: {FILL_IN}, text: {text}"
        lines.append(f"  - {{{said}}}" + (f"  # {_one_line(each.name)}" if each.name != key else ""))
    return "\n".join([*lines, scales])


def _texts(question: FoundQuestion) -> Iterator[Said]:
    yield question.text
    yield from question.answers.values()


def _set_of(question: FoundQuestion, sets: dict[str, Mapping[str, Said]]) -> str:
    """Return the name of the set with a question's answers; it is added if no question before has the same."""
    known = next((name for name, answers in sets.items() if answers == question.answers), None)
    name = known or f"answers_{len(sets) + 1}"
    sets.setdefault(name, question.answers)
    return name


def _responses(answers: Mapping[str, Said], languages: Sequence[str]) -> list[str]:
    numbered = all(re.fullmatch(r"-?\d+(\.0+)?", code) for code in answers)
    coded = [(int(float(code)), label) for code, label in answers.items()] if numbered else []
    if numbered:
        return [f"    - {{code: {code}, label: {_words(label, languages)}}}" for code, label in sorted(coded, key=lambda c: c[0])]
    return [
        f"    - {{code: {FILL_IN}, label: {_words(label, languages)}}}  # a whole number, rising; in the file: {_one_line(code)}"
        for code, label in answers.items()
    ]


def _words(text: Said, languages: Sequence[str]) -> str:
    said = {language: json.dumps(text[language], ensure_ascii=False) for language in languages if language in text}
    parts = (f"{language}: {said.get(language, FILL_IN)}" for language in languages)
    return "{" + ", ".join(parts) + "}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _keys(names: Sequence[str]) -> list[str]:
    """Return a key for each question: its name in small letters, without the instrument's before it, and each once."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r"[^a-z0-9_]+", "_", re.split(r"[./]", name)[-1].lower()).strip("_")
        key = plain if plain[:1].isalpha() else f"q{plain}"
        others = sum(re.fullmatch(rf"{re.escape(key)}(_\d+)?", each) is not None for each in found)
        found.append(f"{key}_{others + 1}" if others else key)
    return found
