"""The appendices: a page of their own that lists them, then tables of loss, balance, dose and models in detail."""

from __future__ import annotations

from asp_eval.analysis.results import Results
from asp_eval.reporting.blocks import Reference, Section, Table, listing, paragraphs
from asp_eval.reporting.sections.details import details
from asp_eval.reporting.setting import Setting


def appendices(results: Results, setting: Setting) -> tuple[Section, ...]:
    """Return the list of the appendices, and they themselves; the list alone where there are none."""
    say, found = setting.say, details(results, setting)
    tables = [block for block in found.blocks if isinstance(block, Table)] if found else []
    whole = say(
        "Every coefficient of every model, and every number computed a second time, are in results.json, and as tables in the "
        "report as an Excel file, which 'asp-eval report --format xlsx' writes."
    )
    links = (listing((Reference(table.caption, table.key, with_page=True),) for table in tables),) if tables else ()
    first = Section("appendices", say("Appendices"), (*links, paragraphs(whole)), new_page=True)
    return (first, found) if found else (first,)
