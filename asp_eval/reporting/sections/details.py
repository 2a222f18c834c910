"""Loss, balance, missing answers and dose in detail, for the appendix."""

from __future__ import annotations

from asp_eval.analysis.results import Results
from asp_eval.reporting.blocks import Section
from asp_eval.reporting.sections.attrition import attrition_details
from asp_eval.reporting.sections.baseline import institution_means_table
from asp_eval.reporting.sections.dose import institution_table
from asp_eval.reporting.sections.equivalence import equivalence_table
from asp_eval.reporting.sections.estimands import other_averages_table
from asp_eval.reporting.sections.estimators import other_estimators_table
from asp_eval.reporting.sections.flow import analysed_details
from asp_eval.reporting.sections.missingness import predictor_tables, rater_table
from asp_eval.reporting.sections.model_checks import raters_table, sizes_table
from asp_eval.reporting.sections.outcomes import by_role
from asp_eval.reporting.setting import Setting


def details(results: Results, setting: Setting) -> Section | None:
    """Return the details of loss, balance, missing answers and dose; None where there are none."""
    found = (
        analysed_details(by_role(results.outcomes), results.flow, setting),
        attrition_details(results, setting),
        institution_means_table(results, setting),
        equivalence_table(results, setting),
        *predictor_tables(results, setting),
        rater_table(results, setting),
        institution_table(results, setting),
        other_averages_table(results, setting),
        other_estimators_table(results.outcomes, setting),
        sizes_table(results, setting),
        raters_table(results, setting),
    )
    tables = tuple(table for table in found if table is not None)
    return Section("integrity", setting.say("Appendix: loss, balance and dose in detail"), tables) if tables else None
