"""The evaluation report before the data: every table and figure of the plan, a mark in place of every number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from asp_eval.analysis.results import Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Document
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers, Shown
from asp_eval.reporting.sections.methods import methods
from asp_eval.reporting.sections.plan import plan
from asp_eval.reporting.sections.plan_changes import plan_changes
from asp_eval.reporting.setting import Setting

MARK = "\N{HORIZONTAL ELLIPSIS}"
SAYS_THE_PLAN = {"plan": plan, "changes": plan_changes, "method": methods}
"""Sections whose numbers are the plan's own."""


class NumbersToCome(Numbers):
    """Shows a mark for every number."""

    __slots__ = ()

    def decimal(self, value: float | Unavailable | None, digits: int = 2) -> Shown:  # noqa: ARG002
        """Return the mark."""
        return Shown(MARK)

    def percent(self, share: float, digits: int = 0) -> Shown:  # noqa: ARG002
        """Return the mark."""
        return Shown(MARK)

    def level(self, level: float) -> Shown:
        """Return a confidence level, which is the plan's."""
        return Numbers(self.words).level(level)

    def reason(self, value: Unavailable) -> str:  # noqa: ARG002
        """Return the mark: every number is still to come."""
        return MARK


def report_shell(results: Results, language: str) -> Document:
    """Return the report of results that are all still to come, marked as such on every page.

    Parameters
    ----------
    results : Results
        As `asp_eval.analysis.results_to_come.results_to_come` returns them.
    language : str
    """
    words = words_for(language, results.study.languages)
    planned = Setting(results, Numbers(words))
    whole = evaluation(results, language, numbers=NumbersToCome(words))
    told: dict[str, Any] = {key: section(results, planned) for key, section in SAYS_THE_PLAN.items()}
    return replace(
        whole,
        subtitle=words("The report before the data: what it will show"),
        banner=words("Before the data: nothing here is a result"),
        sections=tuple(told.get(section.anchor, section) for section in whole.sections),
    )
