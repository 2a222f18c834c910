"""Which rows of a long table stay together on a printed page."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.reporting.blocks import Table

LONGEST_GROUP = 12  # rows of a group that is never split; a longer one is, and its heading stands again over the rest
FEWEST = 3  # rows of a table, or of a group that is split, at the foot or the head of a page


def together(table: Table) -> tuple[int, ...]:
    """Return how many rows stay together from each row on; 0 for one that a row before it holds, and for a group's heading.

    A group of up to 12 rows is not split. Of a longer one, and of a table without groups, the first three rows stay together,
    and the last three. A heading stays with the row after it in any case.

    Examples
    --------
    >>> from asp_eval.reporting.blocks import Column, Row, cell
    >>> rows = (Row((cell("Boys"),), group=True), Row((cell("mean"),)), Row((cell("SD"),)))
    >>> together(Table("t", "T", (Column(""),), rows))
    (0, 2, 0)
    """
    parts: list[int] = []
    count = 0
    for row in table.rows:
        if row.group:
            parts += _parts(count)
            parts.append(0)
            count = 0
        else:
            count += 1
    return (*parts, *_parts(count))


def _parts(count: int) -> Iterator[int]:
    """Yield the parts of a run of rows, zeros after the first row of each."""
    whole = count <= LONGEST_GROUP
    for size in (count,) if whole else (FEWEST, *[1] * (count - 2 * FEWEST), FEWEST):
        yield from (size, *[0] * (size - 1)) if size else ()
