"""The evaluation report of a trial that was drawn at random from the plan, marked as such on every page."""

from __future__ import annotations

from dataclasses import replace

from asp_eval.analysis.results import Results
from asp_eval.reporting.blocks import Document
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.language import words_for


def report_mock(results: Results, language: str) -> Document:
    """Return the report, with a mark in place of what a report of data says of itself.

    Parameters
    ----------
    results : Results
        Of the planned analysis of a drawn trial.
    language : str
    """
    words = words_for(language, results.study.languages)
    return replace(
        evaluation(results, language),
        subtitle=words("A mock report: drawn at random from the plan, without any effect"),
        banner=words("Mock: drawn at random from the plan, nothing here is a result"),
    )
