"""What the plan declares beside its primary models: the section that gathers it."""

from __future__ import annotations

from asp_eval.analysis.results import Results
from asp_eval.reporting.blocks import Section
from asp_eval.reporting.sections.compliance import compliance
from asp_eval.reporting.sections.estimators import estimators
from asp_eval.reporting.sections.levels import levels
from asp_eval.reporting.sections.missing_outcomes import missing_outcomes
from asp_eval.reporting.sections.simultaneous import simultaneous
from asp_eval.reporting.sections.subgroups import subgroups
from asp_eval.reporting.sections.waves import waves
from asp_eval.reporting.setting import Setting


def declared(results: Results, setting: Setting) -> Section | None:
    """Return the analyses that the plan declares beside its primary models; None where it declares none."""
    blocks = (
        *estimators(results.outcomes, setting),
        *simultaneous(results.outcomes, setting),
        *waves(results, setting),
        *levels(results.outcomes, setting),
        *missing_outcomes(results, setting),
        *compliance(results.outcomes, setting),
        *subgroups(results.outcomes, setting),
    )
    return Section("declared", setting.say("Further analyses that the plan declares"), blocks) if blocks else None
