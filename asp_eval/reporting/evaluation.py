"""From results to the view of the evaluation report."""

from __future__ import annotations

from asp_eval.analysis.results import Results
from asp_eval.reporting.checklist import checklist
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.plan import limits, method, plan, recompute
from asp_eval.reporting.setting import Setting
from asp_eval.reporting.summary import caution, findings, lead
from asp_eval.reporting.tables.attrition import attrition_details, attrition_table
from asp_eval.reporting.tables.baseline import baseline_table, baseline_words, institution_means_table
from asp_eval.reporting.tables.dose import contact_words, dose_table, institution_table
from asp_eval.reporting.tables.effects import by_role, coefficient_table, effects_figure, effects_table
from asp_eval.reporting.tables.equivalence import equivalence_table, equivalence_words, omnibus_words
from asp_eval.reporting.tables.flow import analysed_details, analysed_table, flow_diagram, flow_table
from asp_eval.reporting.tables.missingness import predictor_tables, rater_table
from asp_eval.reporting.tables.quality import estimator_table, forms_table, recomputation_table, reliability_table
from asp_eval.reporting.views import Link, Page, ReportView, Table


def report_view(results: Results, language: str, translations: tuple[Link, ...] = ()) -> ReportView:
    """Return everything the evaluation report shows, in one language.

    Parameters
    ----------
    results : Results
    language : str
    translations : tuple of Link
        The same report in the other languages.

    Raises
    ------
    Refusal
        If there is no catalogue for the language.
    """
    setting = Setting(results, Numbers(words_for(language, results.study.languages)))
    ordered = tuple(by_role(results.outcomes))
    return ReportView(
        page=_page(setting, translations), lead=lead(results, setting), findings=findings(results, setting),
        caution=caution(results, setting), plan=plan(results, setting),
        flow_figure=flow_diagram(results.flow, ordered, setting), flow_table=flow_table(results.flow, setting),
        analysed_table=analysed_table(ordered, results.flow, setting),
        attrition_table=attrition_table(results, setting), baseline_table=baseline_table(results, setting),
        baseline_words=(
            *baseline_words(results, setting), *omnibus_words(results, setting), *equivalence_words(results, setting)
        ),
        dose_table=dose_table(results, setting), contact_words=contact_words(results, setting),
        integrity_tables=_integrity_tables(results, setting), effects_table=effects_table(ordered, setting),
        forest=effects_figure(ordered, setting), reliability_table=reliability_table(results.reliabilities, setting),
        forms_table=forms_table(results.switches, setting), estimator_table=estimator_table(ordered, setting),
        recomputation_table=recomputation_table(ordered, setting), method=method(setting),
        limits=limits(results, setting), recompute=recompute(setting), checklist=checklist(setting.say),
        coefficient_tables=tuple(coefficient_table(result, i, setting) for i, result in enumerate(ordered, start=1)),
    )  # fmt: skip


def _integrity_tables(results: Results, setting: Setting) -> tuple[Table, ...]:
    """Return the details of loss, balance, missing answers and dose."""
    found = (
        analysed_details(tuple(by_role(results.outcomes)), results.flow, setting), attrition_details(results, setting),
        institution_means_table(results, setting), equivalence_table(results, setting),
        *predictor_tables(results, setting), rater_table(results, setting), institution_table(results, setting),
    )  # fmt: skip
    return tuple(table for table in found if table is not None)


def _page(setting: Setting, translations: tuple[Link, ...]) -> Page:
    say, study, version = setting.say, setting.study.study, setting.results.provenance.package_version
    return Page(
        language=say.language, title=say.label(study.title, study.id),
        subtitle=say("Evaluation report of a cluster-randomised trial"),
        banner=say("Synthetic data: simulated, not from real institutions or children") if study.synthetic else "",
        translations=translations, made_with=say("Made with asp_eval {version}.", version=version),
    )  # fmt: skip
