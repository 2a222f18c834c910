"""File names: safe on every system, unique, readable."""

from __future__ import annotations

import re

import pytest
from examples import part_of_examples
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.core.filenames import RESERVED, safe_stem, safe_stems

SAFE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Ærøskøbing Børnegård", "aeroeskoebing-boernegaard"),
        ("A\u030absen", "aabsen"),  # å as a letter and a ring
        ("Café", "cafe"),
        ("..\\..\\boot.ini", "boot-ini"),
        ("/", "unnamed"),
        ("", "unnamed"),
        ("日本", "unnamed"),
        ("nul.txt", "nul-txt"),
        ("Lpt1", "lpt1-1"),
        ("index", "index-1"),
        ("100%25", "100-25"),
        ("a" * 300, "a" * 60),
    ],
)
def test_stems(name: str, stem: str) -> None:
    assert safe_stem(name) == stem


@part_of_examples(0.5)
@given(st.lists(st.text(max_size=80) | st.sampled_from(["D1", "d1", "d1-2", "Con", "index", "Å", "aa"]), max_size=12))
def test_any_names_give_safe_and_different_stems(names: list[str]) -> None:
    stems = safe_stems(names)
    assert len(stems) == len(names) == len({stem.lower() for stem in stems})
    for stem in stems:
        assert SAFE.fullmatch(stem)
        assert stem not in RESERVED
        assert len(stem) <= 70
