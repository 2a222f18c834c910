"""The evaluation report."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from asp_eval.analysis.process.results import ProcessResults
from asp_eval.analysis.results import Results
from asp_eval.reporting.blocks import Document, Section, anchors_of
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.about import about
from asp_eval.reporting.sections.answered import answered
from asp_eval.reporting.sections.appendices import appendices
from asp_eval.reporting.sections.baseline import baseline
from asp_eval.reporting.sections.checklist import checklist
from asp_eval.reporting.sections.coefficients import coefficients
from asp_eval.reporting.sections.declared import all_waves, groups, robustness
from asp_eval.reporting.sections.dose import contact
from asp_eval.reporting.sections.effects import effects
from asp_eval.reporting.sections.estimands import estimands
from asp_eval.reporting.sections.flow import flow
from asp_eval.reporting.sections.harms import harms
from asp_eval.reporting.sections.limits import limits
from asp_eval.reporting.sections.measures import measures
from asp_eval.reporting.sections.methods import methods, second_computation
from asp_eval.reporting.sections.place import place
from asp_eval.reporting.sections.plan import plan
from asp_eval.reporting.sections.plan_changes import locked_words, plan_changes, unlocked_words
from asp_eval.reporting.sections.process import process_chapter
from asp_eval.reporting.sections.programme import programme
from asp_eval.reporting.sections.reproduction import reproduction
from asp_eval.reporting.sections.summary import summary
from asp_eval.reporting.setting import Setting


def evaluation(
    results: Results,
    language: str,
    process: ProcessResults | None = None,
    *,
    numbers: Numbers | None = None,
    day: date | None = None,
) -> Document:
    """Return the evaluation report in one language.

    Parameters
    ----------
    results : Results
    language : str
    process : ProcessResults, optional
        What the process evaluation found, for a chapter of its own.
    numbers : Numbers, optional
        How numbers are shown; by default as the language writes them.
    day : date, optional
        Of which day the data are.

    Raises
    ------
    Refusal
        If there is no catalogue for the language.
    """
    setting = Setting(results, numbers or Numbers(words_for(language, results.study.languages)), day)
    say, study, version = setting.say, setting.study.study, results.provenance.package_version
    synthetic = say("Synthetic data: simulated, not from real institutions or children") if study.synthetic else ""
    before = (
        summary(results, setting),
        plan(results, setting),
        programme(setting),
        plan_changes(results, setting),
        place(results, setting),
        flow(results, setting),
        baseline(results, setting),
        contact(results, setting),
        effects(results, setting),
        estimands(results, setting),
        all_waves(results, setting),
        groups(results, setting),
        robustness(results, setting),
        measures(results, setting),
        process_chapter(process, setting),
        harms(results, setting),
        limits(results, setting),
        reproduction(setting),
        about(setting),
    )
    after = (methods(results, setting), *appendices(results, setting))
    first, last = (_there(sections) for sections in (before, after))
    items = checklist(say, anchors_of((*first, *last)), filled=answered(results, setting))
    return Document(
        kind="evaluation",
        language=say.language,
        title=say.label(study.title, study.id),
        subtitle=say("Evaluation report of a cluster-randomised trial"),
        banner=". ".join(part for part in (synthetic, unlocked_words(results, setting)) if part),
        made_with=say("Made with asp_eval {version}.", version=version),
        sections=(*first, items, *last),
        contents=True,
        plan=locked_words(results, setting),
        workbook=_there((coefficients(results, setting), second_computation(results, setting))),
    )


def _there(sections: Iterable[Section | None]) -> tuple[Section, ...]:
    """Return the sections that a study has something for."""
    return tuple(section for section in sections if section is not None)
