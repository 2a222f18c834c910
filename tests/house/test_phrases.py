"""Words said to people are phrases.

1. No note, reason or caution is a sentence of its own: it is a `Phrase`, or made of phrases.  2. What holds one is declared as
such.  3. The check finds what it is there for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import asp_eval

PACKAGE = Path(asp_eval.__file__).parent
SAID = re.compile(r"(^|_)(notes?|reasons?|cautions?|why_not|why|statistic_of)$")  # what a note, reason or caution is called
HELD = re.compile(r"(^|_)(note|notes|reason|reasons|caution|cautions)$")
TEXT = re.compile(r"(str|(tuple|list|Iterator|Sequence)\[str\b)")
DOORS = ("reporting", "cli")  # they say sentences in a language of their own: `say("...")`
FILES = (
    "intake/proposing",
    "intake/recognition",  # the comments of a mapping file that is drafted, which is in English
    "core/workbooks",  # writes what others have said already
)


def sentences(node: ast.AST | None) -> Iterator[ast.AST]:
    """Yield the texts in an expression that stand outside of a phrase."""
    if isinstance(node, ast.JoinedStr):
        yield node
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str) and re.search(r"[A-Za-z]", node.value):
            yield node
    elif isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        for part in node.elts:
            yield from sentences(part)
    elif isinstance(node, ast.IfExp):
        yield from (*sentences(node.body), *sentences(node.orelse))
    elif isinstance(node, ast.BoolOp):
        for part in node.values:
            yield from sentences(part)
    elif isinstance(node, ast.BinOp):
        yield from (*sentences(node.left), *sentences(node.right))
    elif isinstance(node, (ast.Starred, ast.Yield, ast.YieldFrom)):
        yield from sentences(node.value)
    elif isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
        yield from sentences(node.elt)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in ("join", "format"):
            yield node
    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("tuple", "list", "str"):
        for part in node.args:
            yield from sentences(part)


def said(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every expression that is a note, a reason or a caution."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            yield from {"Unavailable": node.args[:1], "unavailable": node.args[1:2]}.get(name, [])
            yield from (word.value for word in node.keywords if word.arg and SAID.search(word.arg))
            if name in ("append", "extend") and SAID.search(getattr(getattr(node.func, "value", None), "id", "")):
                yield from node.args
        elif isinstance(node, ast.Assign) and any(SAID.search(getattr(target, "id", "").lower()) for target in node.targets):
            yield node.value
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)) and SAID.search(getattr(node.target, "id", "").lower()):
            yield from [node.value] if node.value else []
        elif isinstance(node, ast.FunctionDef) and SAID.search(node.name):
            yield from (part.value for part in ast.walk(node) if isinstance(part, (ast.Return, ast.Yield)) and part.value)


def typed_as_text(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield what holds a note, a reason or a caution, or returns it, and is declared as text."""
    for node in ast.walk(tree):
        fields = (
            [part for part in getattr(node, "body", []) if isinstance(part, ast.AnnAssign)]
            if isinstance(node, ast.ClassDef)
            else []
        )
        declared = [(getattr(part.target, "id", ""), part.annotation) for part in fields]
        if isinstance(node, ast.FunctionDef):
            declared.append((node.name, node.returns))
        for name, kind in declared:
            if HELD.search(name) and kind is not None and TEXT.match(ast.unparse(kind)):
                yield node


def rooms() -> list[Path]:
    found = [path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in DOORS]
    return [path for path in found if not str(path.relative_to(PACKAGE)).startswith(FILES)]


def test_no_note_is_a_sentence_of_its_own():
    found = [
        f"{path.relative_to(PACKAGE)}:{text.lineno}: {ast.unparse(text)[:90]}"
        for path in rooms()
        for node in said(ast.parse(path.read_text(encoding="utf-8")))
        for text in sentences(node)
    ]
    assert sorted(set(found)) == [], "write Phrase('... {n} ...', n=n)"


def test_what_holds_a_note_is_a_phrase():
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in rooms()
        for node in typed_as_text(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        'Unavailable("too few")',
        'Unavailable(f"too few of {x}")',
        'Unavailable("; ".join(notes))',
        'Unavailable(reason="too few")',
        'Estimate.unavailable(term, "too few" if x else NO_NOTE)',
        'Estimate("x", None, note="too few")',
        'FAULT.refuse(why=f"{x} few")',
        'note = "too few" if x else NO_NOTE',
        'notes.append("too few")',
        'notes += [f"too few of {x}"]',
        'TOO_FEW_NOTE = "too few"',
        'def cautions(self):\n    yield "too few"',
        "def _note(x):\n    return TOO_FEW.format(x=x)",
        'notes = tuple("too few" for x in y)',
    ],
)
def test_a_sentence_is_found(code):
    assert [text for node in said(ast.parse(code)) for text in sentences(node)]


@pytest.mark.parametrize(
    "code", ['note = Phrase("too few of {n}", n=n)', "Unavailable(found.reason)", "notes_in_one(notes)", 'note = ""']
)
def test_a_phrase_is_no_sentence(code):
    assert not [text for node in said(ast.parse(code)) for text in sentences(node)]


def test_what_is_declared_as_text_is_found():
    assert list(typed_as_text(ast.parse("class A:\n    notes: tuple[str, ...] = ()")))
    assert list(typed_as_text(ast.parse("def cautions(self) -> Iterator[str]: ...")))
    assert not list(typed_as_text(ast.parse("class A:\n    note: Phrase\n    reasons: dict[str, int]")))
