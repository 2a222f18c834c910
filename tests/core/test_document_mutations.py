"""Documents that people or machines damaged: each is read, or refused with codes; none is a traceback, and none takes long.

Studies, mappings and instruments are changed at random, one to three changes each, from named seeds: 200 of each kind here, and
20,000 where slow tests are run.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from asp_eval.core.errors import AspError
from asp_eval.core.resources import shipped_folder
from asp_eval.intake.mapping.mapping import load_mapping
from asp_eval.synthetic.study_file import demo_study_yaml
from asp_eval.trial.instruments.library import read_folder
from asp_eval.trial.study.protocol import load_study, study_template

MAPPING = """\
version: 1
format: {delimiter: ";", decimal: ",", dates: day-first, encoding: cp1252, companions: {labels: labels.csv}}
keep_rows: status == "done" and child_id != ""
rename: {Barn: child_id, "Institutionsnr.": institution_id, 7: rater_id}
rename_items: {sdq-teacher-4-17: "s_{number}"}
missing: ["", "-9", 99]
user_missing: empty
recode:
  sex: {Dreng: boy, Pige: girl}
  sdq-teacher-4-17: {1: 0, 2: 1, 3: 2}
truncate: {birth_month: month}
constants: {wave: w1, hours: null}
ignore: [note, 3]
one_row_per: child_id
not_personal: [cpr_status]
"""
INSTRUMENTS = ("sdq-teacher-4-17", "gap-competences-staff")
VALUES = (
    "",
    "~",
    "null",
    "[]",
    "{}",
    "[[]]",
    "{a: {b: c}}",
    "0",
    "-1",
    "1e400",
    ".nan",
    "-.inf",
    "9" * 5_000,
    "0x_",
    "1:30",
    "2006-02-31",
    "2006-09-01t12:00:00+99:00",
    "true",
    "no",
    "'",
    '"',
    "|",
    ">",
    "- ",
    "? ",
    ": ",
    "*a",
    "&a b",
    "!!bool abc",
    "!x",
    "%",
    "@",
    "`",
    "<<: {a: 1}",
    "[" * 60,
    "{a: " * 60,
    "æøå",
    "\u2028",
    "\x00",
    "\ufeff",
    "\U0001f600",
    "x" * 70_000,
    "{number}",
    "(" * 300,
    "a == 1",
)


def cut(text: str, draw: random.Random) -> str:
    return text[: draw.randrange(len(text))]


def character(text: str, draw: random.Random) -> str:
    at = draw.randrange(len(text))
    return text[:at] + draw.choice("\t\n :-[]{},#&*!|>'\"%@`?0a\x07ø") + text[at + draw.randrange(2) :]


def line(text: str, draw: random.Random) -> str:
    lines = text.splitlines()
    at, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    change = draw.choice(("drop", "twice", "swap", "indent", "comment"))
    if change == "drop":
        del lines[at]
    elif change == "twice":
        lines.insert(other, lines[at])
    elif change == "swap":
        lines[at], lines[other] = lines[other], lines[at]
    else:
        lines[at] = (" " * draw.randrange(1, 9) if change == "indent" else "#") + lines[at]
    return "\n".join(lines)


def value(text: str, draw: random.Random) -> str:
    """Put something else in the place of what stands behind a colon, a comma or an opening bracket."""
    starts = [at + 1 for at, letter in enumerate(text) if letter in ":,[{"]
    at = draw.choice(starts) if starts else 0
    end = min((found for mark in ",]}\n" if (found := text.find(mark, at)) >= 0), default=len(text))
    return f"{text[:at]} {draw.choice(VALUES)}{text[end:]}"


def key(text: str, draw: random.Random) -> str:
    """Give a key the name of another, or one that there is not."""
    words = [word for word in text.replace(":", " : ").split(" ") if word.strip().isidentifier()]
    return text.replace(draw.choice(words), draw.choice([*words, "x", "1", "null", "~"]), draw.choice((1, -1))) if words else text


def mutants(text: str, seed: int, n: int) -> Iterator[str]:
    draw = random.Random(seed)
    for _ in range(n):
        changed = text
        for change in draw.choices((cut, character, line, value, key), weights=(1, 2, 2, 5, 2), k=draw.randint(1, 3)):
            changed = change(changed, draw) if changed.strip() else changed
        yield changed


def read_instrument(path: Path) -> object:
    return read_folder(path.parent)


def kinds() -> dict[str, tuple[Callable[[Path], object], list[str]]]:
    """Return how each kind of document is read, and the documents that are changed."""
    folder = shipped_folder("instruments")
    return {
        "study": (load_study, [demo_study_yaml(), study_template("k0123456789ab")]),
        "mapping": (load_mapping, [MAPPING]),
        "instrument": (
            read_instrument,
            [(folder / f"{n}.yaml").read_text() for n in ("sdq-teacher-4-17", "gap-competences-staff")],
        ),
    }


def hold(kind: str, n: int, folder: Path) -> None:
    """Read the mutants of a kind: what comes of each must be a document, or faults with codes, within a second."""
    read, texts = kinds()[kind]
    path, met = folder / ("study.yaml" if kind == "study" else "document.yaml"), Counter[bool]()
    for number, text in enumerate(texts):
        for mutant in mutants(text, number, n // len(texts)):
            path.write_text(mutant, encoding="utf-8")
            began = time.process_time()
            try:
                read(path)
                met[True] += 1
            except AspError as refusal:
                assert str(refusal).startswith("["), refusal
                met[False] += 1
            except Exception as error:
                pytest.fail(f"{type(error).__name__}: {error}\n{mutant}")
            assert time.process_time() - began < 2, mutant
    assert min(met[True], met[False]) > n // 50  # the corpus is neither all sound nor all broken


@pytest.mark.parametrize("kind", kinds())
def test_a_damaged_document_is_read_or_refused_with_codes(kind, tmp_path):
    hold(kind, 100, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", kinds())
def test_twenty_thousand_damaged_documents(kind, tmp_path):
    hold(kind, 20_000, tmp_path)
