"""Declared row filters: ``attrit == 0 and arm != "reference"``, the one small language of mappings and analysis sets.

Comparisons ``column == value`` and ``column != value`` are joined by ``and``. A column whose name holds spaces or signs
is quoted with backticks. A number without quotes compares as a number, everything else as text; quotes force text, so
``id == "007"`` is not met by 7. A missing or empty cell meets no comparison, neither ``==`` nor ``!=``.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.core.spelling import folded, numeral

NOT_A_FILTER = Fault(
    "DOC-021",
    "the filter cannot be read",
    'Write comparisons such as: attrit == 0 and municipality != "Aarhus".',
)
NO_COLUMN = Fault("DOC-022", "the filter names a column that is not there", "{advice}")
NOT_NUMBERS = Fault(
    "DOC-023",
    "the filter compares a column of numbers with text",
    "Compare it with a number, without quotes.",
)

OTHER_SPELLING = Fault(
    "DOC-024",
    "the filter compares {column} with {value!r}, and the column holds the same name spelled otherwise",
    "Write the filter as the data are written, or the data alike in every row.",
)

_COMPARISON = re.compile(
    r"""\s*(?:`(?P<quoted>[^`]+)`|(?P<column>[^\s=!<>`'"]+))
        \s*(?P<operator>==|!=)
        \s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s=!<>'"]+))
        (?P<joint>\s+and\s+|\s*$)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of a column with a value. `number` is set where the value is a number without quotes."""

    column: str
    equal: bool
    text: str
    number: float | None

    def mask(self, column: pd.Series) -> npt.NDArray[np.bool_]:
        """Return which cells meet the comparison, shape (rows,).

        Raises
        ------
        Refusal
            DOC-023 if a column of numbers is compared with text; DOC-024 if the column holds the value in another spelling, which
            would meet no comparison, and nobody would see it.
        """
        numeric = pd.api.types.is_numeric_dtype(column.dtype)
        if numeric and self.number is None:
            NOT_NUMBERS.refuse(Phrase("filter on {column}", column=self.column), found=self.text)
        if numeric:
            values = column.to_numpy(dtype=float, na_value=np.nan)
            present, same = ~np.isnan(values), values == self.number
        else:
            codes, uniques = pd.factorize(column)
            texts = [str(value) for value in uniques]
            self._refuse_other_spelling(texts)
            known = np.array([text != "" for text in texts] + [False])  # the last stands for missing, code -1
            present, same = known[codes], np.array([self._is(text) for text in texts] + [False])[codes]
        return np.asarray(present & (same if self.equal else ~same), dtype=np.bool_)

    def _refuse_other_spelling(self, texts: list[str]) -> None:
        other = [text for text in texts if text != self.text and folded(text) == folded(self.text)]
        if other and self.number is None:
            place = Phrase("filter on {column}", column=self.column)
            OTHER_SPELLING.refuse(place, found=other[0], column=self.column, value=self.text)

    def _is(self, text: str) -> bool:
        """Whether a text is the value: the same text, or, for a number without quotes, the same number."""
        if text == self.text:
            return True
        return self.number is not None and numeral(text.strip()) is not None and float(text) == self.number


@dataclass(frozen=True, slots=True)
class Filter:
    """A declared row filter: every comparison must be met."""

    text: str
    comparisons: tuple[Comparison, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns the filter reads, each once, in order."""
        return tuple(dict.fromkeys(comparison.column for comparison in self.comparisons))

    def mask(self, frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Return which rows of `frame` the filter keeps, shape (rows,).

        Raises
        ------
        Refusal
            If a column is not there, or a column of numbers is compared with text.

        Examples
        --------
        >>> frame = pd.DataFrame({"attrit": ["0", "1", ""], "arm": ["b", "b", "b"]})
        >>> parse_filter("attrit == 0 and arm != a").mask(frame).tolist()
        [True, False, False]
        """
        keep = np.ones(len(frame), dtype=np.bool_)
        for comparison in self.comparisons:
            if comparison.column not in frame.columns:
                near = difflib.get_close_matches(comparison.column, [str(c) for c in frame.columns], n=1)
                advice = Phrase("Did you mean {name!r}?", name=near[0]) if near else Phrase("Correct its spelling.")
                NO_COLUMN.refuse(Phrase("filter {text}", text=self.text), found=comparison.column, advice=advice)
            keep &= comparison.mask(frame[comparison.column])
        return keep


def parse_filter(text: str | None) -> Filter:
    """Read a filter; None keeps every row.

    Raises
    ------
    Refusal
        If the text is not comparisons joined by ``and``.

    Examples
    --------
    >>> parse_filter("attrit == 0 and sex != boy").columns
    ('attrit', 'sex')
    """
    if text is None:
        return Filter("", ())
    comparisons, position, joint = [], 0, "and"
    while joint.strip() == "and":
        found = _COMPARISON.match(text, position)
        if found is None:
            NOT_A_FILTER.refuse(found=text)
        comparisons.append(_comparison(found))
        position, joint = found.end(), found["joint"]
    return Filter(text, tuple(comparisons))


def _comparison(found: re.Match[str]) -> Comparison:
    column = found["quoted"] or found["column"]
    bare = found["bare"]
    text = bare if bare is not None else found["double"] if found["double"] is not None else found["single"]
    number = float(bare) if bare is not None and numeral(bare) is not None else None
    return Comparison(column, found["operator"] == "==", text, number)
