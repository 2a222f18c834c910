"""What a report says of the study itself, from its declaration and its allocation."""

from __future__ import annotations

import pandas as pd

from asp_eval import __version__
from asp_eval.analysis.data import StudyData
from asp_eval.analysis.psychometrics import scored_forms
from asp_eval.analysis.results import StudyFacts
from asp_eval.store import table
from asp_eval.store.provenance import ledger_head
from asp_eval.trial.study.design import Study


def study_facts(data: StudyData) -> StudyFacts:
    """Return what a report says of the study itself: its declaration, and where the lot was drawn."""
    study, allocation = data.study, data.allocation
    ages = study.eligibility.age_years if study.eligibility else None
    return StudyFacts(
        id=study.study.id,
        title=dict(study.study.title.items()),
        synthetic=study.study.synthetic,
        languages=study.languages,
        arms=study.arms,
        arm_labels={arm: dict(label.items()) for arm, label in study.arm_labels.items()},
        strata=study.strata,
        wave_labels={wave.id: dict(wave.label.items()) for wave in study.waves},
        wave_dates={w.id: (w.start.isoformat() if w.start else "", w.end.isoformat() if w.end else "") for w in study.waves},
        age_from=ages.start if ages else None,
        age_below=ages.below if ages else None,
        eligible_at=study.eligibility.at if study.eligibility else "",
        scheme=study.randomisation.scheme,
        ratio=study.randomisation.ratio,
        drawn_elsewhere=study.randomisation.drawn_elsewhere,
        allocation_source="; ".join(_distinct(allocation, "source")),
        allocation_date="; ".join(_distinct(allocation, "date")),
        population=study.estimand.population,
        movers=study.estimand.movers,
        joiners=study.estimand.joiners,
        missing_baseline=study.analysis.missing_baseline,
        covariates=study.analysis.covariates,
        planned_method=study.analysis.method,
        analysis_set=study.analysis.set,
        set_filter=study.sets[study.analysis.set].filter or "",
        informants=tuple(sorted({form.informant for form in scored_forms(study)})),
        level=study.analysis.level,
        minimum_cell=study.privacy.minimum_cell,
        package_version=__version__,
        ledger_head=ledger_head(study),
        quarantined=_quarantined(study),
        received_column=study.received.sum if study.received else "",
        received_at_least=study.received.at_least if study.received else None,
    )


def _quarantined(study: Study) -> dict[str, int]:
    """Return how many rows of each wave's screening are in quarantine, in the order of the waves."""
    rows = table(study, "quarantine")
    waves = rows.loc[rows["table_name"] == "screening", "wave"].value_counts()
    return {wave: int(waves[wave]) for wave in study.wave_ids if wave in waves.index}


def _distinct(frame: pd.DataFrame, column: str) -> list[str]:
    """Return the texts of a column, each once, in order; none where there is no such column."""
    return sorted(frame[column].dropna().astype(str).unique()) if column in frame.columns else []
