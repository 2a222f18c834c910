"""The type of each institution in each round: the coders' word, or the frame's rule, and how it changed."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.trial.process.coded import one_row_each
from asp_eval.trial.process.frame import Frame

NO_CRITERIA = Unavailable(Phrase("a criterion of the type is not coded, or coders differ on it"))


@dataclass(frozen=True, slots=True)
class InstitutionType:
    """The type of one institution in one round.

    Attributes
    ----------
    institution_id, round : str
    type : str or Unavailable
    source : {"coders", "rule", "none"}
        Who said it: the coders' own word goes before the rule.
    by_rule : str or Unavailable
        What the rule says of the criteria.
    confidence : {"clear", "likely", "doubtful", ""}
        Of the rule.
    """

    institution_id: str
    round: str
    type: str | Unavailable
    source: Literal["coders", "rule", "none"]
    by_rule: str | Unavailable
    confidence: str

    @property
    def overridden(self) -> bool:
        """Whether the coders' word is another than the rule's."""
        return self.source == "coders" and isinstance(self.by_rule, str) and self.type != self.by_rule


def institution_types(decided: pd.DataFrame, frame: Frame) -> tuple[InstitutionType, ...]:
    """Return the type of every institution that was interviewed, round by round; none for a frame without a rule.

    Parameters
    ----------
    decided : DataFrame
        As `coded.decided` returns it.
    frame : Frame

    Examples
    --------
    >>> from asp_eval.trial.process.library import frame
    >>> codes = {"management_relation": "I", "aim": "I", "external_pressure": "III"}
    >>> found = pd.DataFrame([("A", "baseline", code, value) for code, value in codes.items()],
    ...                      columns=["institution_id", "round", "code", "value"])
    >>> one = institution_types(found, frame("asp-process"))[0]
    >>> one.type, one.source, one.confidence
    ('I', 'rule', 'likely')
    """
    if frame.type is None:
        return ()
    rule = frame.type
    wide = one_row_each(decided, (rule.code, *rule.criteria))
    return tuple(_type(str(i), str(r), row, frame) for (i, r), row in zip(wide.index, wide.to_dict("records"), strict=True))


def transitions(types: tuple[InstitutionType, ...], rounds: tuple[str, ...], levels: tuple[str, ...]) -> pd.DataFrame:
    """Return how many institutions went from each type in the first round to each in the last.

    Parameters
    ----------
    types : tuple of InstitutionType
    rounds : tuple of str
        In order; the first and the last are compared.
    levels : tuple of str
        The types, in order.

    Returns
    -------
    DataFrame, shape (types, types)
        Rows are the type in the first round, columns that in the last; institutions with a type in both.
    """
    known = [(one.institution_id, one.round, one.type) for one in types if isinstance(one.type, str)]
    wide = pd.DataFrame(known, columns=["institution_id", "round", "type"]).pivot_table(
        index="institution_id", columns="round", values="type", aggfunc="first"
    )
    both = wide.reindex(columns=[rounds[0], rounds[-1]]).dropna()
    counted = pd.crosstab(both[rounds[0]], both[rounds[-1]])
    return counted.reindex(index=list(levels), columns=list(levels), fill_value=0)


def unused_cells(decided: pd.DataFrame, frame: Frame) -> tuple[int, ...]:
    """Return the positions of the rule's lines that no interview fell on."""
    if frame.type is None:
        return ()
    rule = frame.type
    coded = one_row_each(decided, rule.criteria).dropna()
    used = {rule.cells.index(rule.decide(tuple(map(str, row)))) for row in coded.itertuples(index=False)}
    return tuple(position for position in range(len(rule.cells)) if position not in used)


def _type(institution: str, round_: str, row: dict[Hashable, Any], frame: Frame) -> InstitutionType:
    assert frame.type is not None  # asked only of a frame with a rule
    rule, word = frame.type, row[frame.type.code]
    criteria = tuple(row[key] for key in rule.criteria)
    cell = None if None in criteria else rule.decide(criteria)
    by_rule = NO_CRITERIA if cell is None else cell.then
    confidence = "" if cell is None else cell.confidence
    if word is not None:
        return InstitutionType(institution, round_, word, "coders", by_rule, confidence)
    return InstitutionType(institution, round_, by_rule, "none" if cell is None else "rule", by_rule, confidence)
