"""What is decided in one place.

1. Formulas are written in `analysis.formulas` alone.  2. Only `analysis.models` looks at an outcome's scale.  3. Only
`trial.outcomes` takes the source of an outcome apart.  4. Every scale that study.yaml may declare has a model.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest

import asp_eval
from asp_eval.analysis.models import MODELS, planned_model
from asp_eval.trial.instruments.library import shipped
from asp_eval.trial.outcomes import ColumnSource, ScoreSource, informants, outcome_label, scored_forms, source_of
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.outcome import Outcome

PACKAGE = Path(asp_eval.__file__).parent
ROOMS = ("analysis", "workflow", "reporting", "trial", "store", "cli", "synthetic")


@pytest.fixture(scope="module")
def attributes_and_texts() -> dict[str, list[ast.AST]]:
    """The attributes and the texts, docstrings aside, in the syntax tree of every module."""
    found = {}
    for path in (path for room in ROOMS for path in (PACKAGE / room).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if not any(one in text for one in (" ~ ", "(1 | ", "outcome.scale", "split", "partition")):
            continue  # nothing of what is looked for
        nodes = [*ast.walk(ast.parse(text))]
        alone = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        kept = [node for node in nodes if isinstance(node, ast.Attribute | ast.Constant) and id(node) not in alone]
        found[path.relative_to(PACKAGE).as_posix()] = kept
    return found


def is_formula(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return False
    return " ~ " in node.value.replace(" ~ N(", "") or "(1 | " in node.value  # what is normal is no formula


def looks_at_scale(node: ast.AST) -> bool:
    owner = node.value if isinstance(node, ast.Attribute) and node.attr == "scale" else None
    return isinstance(owner, ast.Name) and owner.id == "outcome"


def takes_apart(node: ast.AST) -> bool:
    """``outcome.score.split``, ``str(outcome.score).rsplit``, ``outcome.column.partition`` and the like."""
    if not (isinstance(node, ast.Attribute) and node.attr.endswith(("split", "partition"))):
        return False
    return any(isinstance(one, ast.Attribute) and one.attr in ("score", "column") for one in ast.walk(node.value))


@pytest.mark.parametrize(
    ("found", "place"),
    [
        (is_formula, "analysis/formulas.py"),
        (looks_at_scale, "analysis/models.py"),
        (takes_apart, "trial/outcomes.py"),
    ],
)
def test_it_is_decided_in_one_place(found, place, attributes_and_texts):
    help_shows_one = "cli/moments.py"  # whoever gives the command writes the formula
    modules = {name for name, nodes in attributes_and_texts.items() if any(map(found, nodes))}
    assert modules - {place, "trial/instruments/exports/lavaan.py", "trial/study/outcome.py", help_shows_one} == set()
    assert place in modules


def test_every_scale_has_a_model():
    assert set(MODELS) == set(get_args(Outcome.model_fields["scale"].annotation))
    declared = {"id": "y", "score": "sdq-teacher.conduct", "role": "primary", "better": "lower", "at": "w3"}
    assert planned_model(Outcome.model_validate(declared)) is MODELS["continuous"]


def outcome(**source: str) -> Outcome:
    return Outcome.model_validate({"id": "y", "role": "primary", "better": "lower", "at": "w1", **source})


def test_what_an_outcome_means():
    assert source_of(outcome(column="screening.words.known"), shipped()) == ColumnSource("screening", "words.known")
    form = source_of(outcome(score="sdq-teacher-4-17.peer"), shipped())
    assert isinstance(form, ScoreSource)
    assert (form.name, form.scale, [one.id for one in form.forms]) == ("sdq-teacher-4-17", "peer", ["sdq-teacher-4-17"])
    assert source_of(outcome(score="no-such.peer"), shipped()) == ScoreSource("no-such", "peer", ())


def test_what_an_outcome_is_called():
    assert outcome_label(outcome(score="sdq-teacher.peer", label={"en": "Peers"}), shipped()) == {"en": "Peers"}
    assert outcome_label(outcome(score="sdq-teacher.peer"), shipped())["en"] == "Peer problems"
    assert outcome_label(outcome(column="screening.words"), shipped()) == {"da": "y", "en": "y"}


def test_who_rated_the_children(study: Study):
    assert [form.id for form in scored_forms(study)] == ["sdq-teacher-2-4", "sdq-teacher-4-17"]
    assert informants(study) == ("teacher",)
    words = study.model_copy(update={"outcomes": (outcome(column="screening.hours"),)})
    assert (scored_forms(words), informants(words)) == ((), ())
