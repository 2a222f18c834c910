"""Every mistake of a document is answered on its line; files are there whole or not at all."""

import time
from datetime import date
from pathlib import Path

import pytest
from pydantic import Field

from asp_eval.core import documents, strict_yaml
from asp_eval.core.documents import Document, read_document, write_whole
from asp_eval.core.errors import DataProblems
from asp_eval.core.strict_yaml import read_yaml


class Inner(Document):
    name: str
    size: int = 1


class Outer(Document):
    title: str
    parts: tuple[Inner, ...] = ()
    start: date | None = None
    key: str = Field("a", pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")


def codes_and_lines(path: Path) -> list[tuple[str, int | None]]:
    with pytest.raises(DataProblems) as caught:
        read_document(path, Outer)
    return [(p.code, p.place.line) for p in caught.value.problems]


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "a.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_three_mistakes_are_answered_at_once_each_on_its_line(tmp_path):
    path = written(tmp_path, "titel: x\nparts:\n  - {name: a}\n  - {nam: b}\n  - {name: c, size: many}\n")
    assert sorted(codes_and_lines(path)) == [
        ("DOC-008", 1),  # titel
        ("DOC-008", 4),  # nam
        ("DOC-009", 1),  # title is missing
        ("DOC-009", 4),  # name is missing
        ("DOC-010", 5),  # size is no number
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: a\nparts: [{name: b, size: many}]\n", "found 'many', expected a whole number."),
        ("title: a\nparts: b\n", "found 'b', expected a list, such as [a, b]."),
        ("title: a\nparts: [b]\n", "found 'b', expected keys with values, such as {key: value}."),
        ("title: a\nstart: 01-09-2027\n", "found '01-09-2027', expected a date written 2027-09-30."),
        ("title: a\nkey: Min plan\n", "found 'Min plan', expected a name of letters a to z, digits, _ and -"),
        ("title: [a, b]\n", "does not fit; expected a text; if it looks like a number or date, put it in quotes."),
    ],
)
def test_what_would_have_fitted_is_said_in_the_words_of_the_file(tmp_path, text, said):
    with pytest.raises(DataProblems) as caught:
        read_document(written(tmp_path, text), Outer)
    assert said in str(caught.value)


def test_an_unknown_key_is_answered_with_the_near_one(tmp_path):
    with pytest.raises(DataProblems, match="Did you mean 'title'"):
        read_document(written(tmp_path, "titel: x\n"), Outer)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "DOC-005"),
        ("# only a comment\n", "DOC-005"),
        ("title: [x\n", "DOC-004"),
        ("title: 2006-02-31\n", "DOC-004"),
        ("title: &a x\nparts: *a\n", "DOC-006"),
        ("title: x\ntitle: y\n", "DOC-007"),
        ("title: !!bool abc\n", "DOC-012"),
        ("title: !!timestamp abc\n", "DOC-012"),
        ("parts: !!python/tuple [a]\n", "DOC-012"),
        ("title: 2001-01-01t00:00:00+99:99\n", "DOC-004"),
        ("title: " + "9" * 5_000 + "\n", "DOC-004"),
        ("title: =\n", "DOC-004"),
        ("? [a]\n: b\n", "DOC-004"),
        ("title: x\n".encode("utf-16"), "DOC-002"),
        ("title: bø\n".encode("cp1252"), "DOC-002"),
    ],
)
def test_what_is_no_document_is_refused_with_its_code(tmp_path, text, code):
    assert codes_and_lines(written(tmp_path, text))[0][0] == code


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5_000,
        "{a: " * 5_000,
        "- " * 3_000,
        "[" * 41 + "]" * 41,
        "a: " + "[[]," * 5_000,
        "".join(" " * depth + "a:\n" for depth in range(500)),
        "? " * 3_000,
    ],
)
def test_nesting_is_refused_while_it_is_read(tmp_path, text):
    path, began = written(tmp_path, text), time.process_time()
    assert codes_and_lines(path)[0][0] == "DOC-011"
    assert time.process_time() - began < 0.5  # 5 kB of brackets took 40 s


def test_forty_levels_are_no_nesting_too_deep(tmp_path):
    assert read_yaml(written(tmp_path, "[" * 40 + "]" * 40))[0] is not None


def test_of_a_thousand_mistakes_the_first_are_listed(tmp_path):
    found = codes_and_lines(written(tmp_path, "".join(f"key{n}: 1\n" for n in range(1_000))))
    assert len(found) == 201
    assert found[-1] == ("DOC-013", None)


def test_a_file_that_is_not_there(tmp_path):
    assert codes_and_lines(tmp_path / "none.yaml") == [("DOC-001", None)]


def test_a_file_too_large_for_a_document_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(strict_yaml, "LARGEST_DOCUMENT", 10)
    assert codes_and_lines(written(tmp_path, "title: something long\n"))[0][0] == "DOC-003"


def test_no_and_on_are_words_not_truth_values(tmp_path):
    values, _ = read_yaml(written(tmp_path, "a: no\nb: on\nc: true\n"))
    assert values == {"a": "no", "b": "on", "c": True}


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "out.txt"
    write_whole(path, "old")
    monkeypatch.setattr(documents.os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.txt"]
