"""How wide the columns of a table on paper are: as browsers work it out, from the longest word and the longest line of each."""

from __future__ import annotations

import re

from asp_eval.reporting.blocks import Table

ACROSS = 118  # letters of the size of tables that stand side by side on A4
GAP = 3  # letters that the white between two columns takes
FEW_WORDS = 20  # letters, of a text that would else be as narrow as its longest word
LONGEST_LINE = 44  # letters; a longer text is broken into lines in any case
TO_FILL_IN = 20  # letters, where people write by hand

_BETWEEN = re.compile(r"[ \n-]")


def shares(table: Table) -> tuple[float, ...]:
    """Return each column's part of the table's width; they sum to one.

    A column gets at least its longest word, and one of texts a few words. What is left is given to the columns by how much longer
    their longest line is.
    Widths that the table declares, in parts of a hundred, are kept; columns without one share the rest, and get at
    least their longest word.

    Parameters
    ----------
    table : Table
    """
    words, lines = _letters(table)
    if any(column.width for column in table.columns):
        rest = (100 - sum(column.width or 0 for column in table.columns)) / max(
            1, sum(not column.width for column in table.columns)
        )
        declared = [float(column.width or max(rest, word)) for column, word in zip(table.columns, words, strict=True)]
    else:
        spare = ACROSS - sum(words)
        wishes = [line - word for word, line in zip(words, lines, strict=True)]
        if spare <= 0 or sum(wishes) <= 0:
            declared = words if spare <= 0 else lines
        else:
            part = min(1.0, spare / sum(wishes))
            declared = [word + part * wish for word, wish in zip(words, wishes, strict=True)]
    return tuple(width / sum(declared) for width in declared)


def fullness(table: Table) -> float:
    """Return how much of the page's width the longest lines of all columns take together; 1 is all of it, or more."""
    if any(row.to_fill_in for row in table.rows):
        return 1.0
    return min(1.0, sum(_letters(table)[1]) / ACROSS)


def _letters(table: Table) -> tuple[list[float], list[float]]:
    """Return the letters of the longest word, and of the longest line, of each column."""
    words = [max(4.0, _longest_word(column.heading)) + GAP for column in table.columns]
    lines = [max(4.0, min(len(column.heading), LONGEST_LINE)) + GAP for column in table.columns]
    for row in table.rows:
        if row.group:
            continue
        place = 0
        for cell in row.cells:
            if cell.wide == 1:
                for text in (cell.text, *cell.details):
                    if len(text) + GAP <= words[place]:
                        continue  # no part of it is longer
                    words[place] = max(words[place], _longest_word(text) + GAP)
                    lines[place] = max(lines[place], min(len(text), LONGEST_LINE) + GAP, words[place])
                if row.to_fill_in and not cell.text:
                    words[place], lines[place] = TO_FILL_IN, TO_FILL_IN
            place += cell.wide
    lines = [max(line, word) for word, line in zip(words, lines, strict=True)]
    texts = [not column.numeric for column in table.columns]
    return [
        max(word, min(line, FEW_WORDS)) if text else word for text, word, line in zip(texts, words, lines, strict=True)
    ], lines


def _longest_word(text: str) -> float:
    """Return the letters of the longest part that stays on one line; a no-break space holds its words together."""
    return float(min(max(map(len, _BETWEEN.split(text))), LONGEST_LINE))
